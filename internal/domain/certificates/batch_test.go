package certificates_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/page"
)

// A batch gives each who earned one a certificate, once, however often its work dies between two chunks, and says who was refused.
func TestABatchIsResumed(t *testing.T) {
	s := newSite(t)
	const learners = 120
	for i := range learners {
		_, enrolled := s.learner(fmt.Sprint("Learner ", i), all...)
		if i%10 != 9 {
			s.reaches(enrolled, journey.Succeeded)
		}
	}
	n := certificates.NewBatch{Kind: "attestation", Session: "NET-1"}
	b, err := s.room.Issue(system, "b1", n)
	if err != nil || b.Total != learners*9/10 || b.State != "awarding" || b.Percent() != 0 {
		t.Fatalf("%+v %v", b, err)
	}
	if again, err := s.room.Issue(system, "b1", n); err != nil || again.ID != b.ID {
		t.Error("the same key begins once:", again.ID, err)
	}
	if _, err := s.room.Issue(system, "b2", n); code(err) != "batch-runs-already" {
		t.Error(err)
	}
	// Its work dies twice; two hands work at it at once.
	for range 2 {
		ctx, die := context.WithCancel(context.Background())
		time.AfterFunc(30*time.Millisecond, die)
		_ = s.room.Work(ctx, certificates.BatchDue{BatchID: b.ID})
		die()
	}
	both := make(chan error, 2)
	for range 2 {
		go func() { both <- s.room.Work(context.Background(), certificates.BatchDue{BatchID: b.ID}) }()
	}
	for range 2 {
		if err := <-both; err != nil {
			t.Fatal(err)
		}
	}
	if b, err = s.room.Batch(system, b.ID); err != nil || b.Issued != b.Total || b.State != "printing" || b.Percent() != 50 {
		t.Fatalf("%+v %v", b, err)
	}
	var given, distinct int
	if err := s.owner.QueryRow(`SELECT count(*), count(DISTINCT learner_id) FROM certificates.certificates WHERE kind = 'attestation'`).Scan(&given, &distinct); err != nil || given != b.Total || distinct != given {
		t.Error(given, "certificates for", distinct, "learners:", err)
	}
	some, _, err := s.room.List(system, certificates.Filter{Kind: "attestation"}, page.Request{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range some {
		if err := s.room.Print(system, c.ID); err != nil {
			t.Fatal(err)
		}
	}
	if b, err = s.room.Batch(system, b.ID); err != nil || b.State != "done" || b.Percent() != 100 {
		t.Errorf("%+v %v", b, err)
	}
	if _, err := s.room.Issue(system, "b3", n); code(err) != "nobody-to-certify" {
		t.Error(err)
	}
	// Of the program nobody did more: each is refused, and it says why.
	p, err := s.room.Issue(system, "b4", certificates.NewBatch{Kind: "program", Edition: "BASICS-1"})
	if err != nil || p.Total != learners {
		t.Fatal(p, err)
	}
	if err := s.room.Work(context.Background(), certificates.BatchDue{BatchID: p.ID}); err != nil {
		t.Fatal(err)
	}
	if p, err = s.room.Batch(system, p.ID); err != nil || p.Refused != learners/10 || p.Issued != learners*9/10 || len(p.Refusals) != p.Refused || p.Refusals[0].Problem != "certificate-not-earned" {
		t.Errorf("%+v %v", p, err)
	}
	s.holds()
}
