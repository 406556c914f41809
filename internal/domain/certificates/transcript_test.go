package certificates_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// A transcript says how each part of a program stood, also what is not passed. Asked for again it is the same one while nothing changed, a new one in
// its place once something did, and revoked when a review takes back what it called passed. It is verified as a certificate is.
func TestATranscriptSaysHowThingsStand(t *testing.T) {
	s := newSite(t)
	zoe, enrolled := s.learner("Zoé Ndiaye", all...)
	asked := 0
	transcript := func() certificates.Certificate {
		t.Helper()
		asked++
		c, err := s.room.Transcribe(postgres.WithActor(system, "learner:"+zoe.ID), fmt.Sprint("t", asked), zoe.ID, "BASICS-1")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := transcript()
	r := first.Facts.Transcript.Records
	if len(r) != 1 || r[0].Course != "NET" || r[0].Title.EN != "NET" || r[0].State != certificates.RecordInProgress || r[0].ECTSHundredths != 650 || r[0].PassedAt != nil || first.Facts.Transcript.Complete || first.Facts.Transcript.ECTSDone != 0 {
		t.Fatalf("%+v", first.Facts.Transcript)
	}
	if first.Kind != "transcript" || first.Facts.Heading != "Relevé de notes" || first.Facts.Transcript.Heading.EN != "Transcript of Records" || first.EditionID != s.edition.ID {
		t.Errorf("%+v", first)
	}
	s.clock.Advance(time.Hour)
	if again := transcript(); again.ID != first.ID {
		t.Error("nothing changed, and another one was issued")
	}
	sitting := s.passes(zoe, enrolled)
	second := transcript()
	if r = second.Facts.Transcript.Records; second.ReplacesID != first.ID || r[0].State != certificates.RecordPassed || r[0].PassedAt == nil || r[0].Session != "NET-1" || second.Facts.Transcript.ECTSDone != 650 || !second.Facts.Transcript.Complete {
		t.Fatalf("%+v", second.Facts.Transcript)
	}
	if v, err := s.room.Verify(context.Background(), strings.ToUpper(first.Code)); err != nil || v.State() != certificates.StateReplaced || v.Facts.Transcript == nil {
		t.Error("the one before it is known as replaced:", v.State(), err)
	}
	history, err := s.room.History(system, second.ID)
	if err != nil || len(history) != 1 || history[0].By != "learner:"+zoe.ID {
		t.Errorf("who asked for it is in its history: %+v %v", history, err)
	}
	pdf, err := s.room.PDF(system, second.ID)
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Fatal(err)
	}
	if c, state, err := s.room.Examine(system, sumOf(pdf), ""); err != nil || state != certificates.StateValid || c.ID != second.ID {
		t.Error(state, err)
	}
	pdf[len(pdf)/2] ^= 1
	if _, state, err := s.room.Examine(system, sumOf(pdf), second.Code); err != nil || state != certificates.StateAltered {
		t.Error("a byte was changed, and it is", state, err)
	}
	// Staff give it by the same rules, one at a time and in bulk; whoever follows no such program gets none.
	if c, err := s.award("transcript", zoe.ID); err != nil || c.ID != second.ID {
		t.Error("staff's is hers:", c, err)
	}
	other, otherEnrolled := s.learner("Awa Diop", all...)
	paid := fmt.Sprint("ord_", s.n)
	if _, err := s.room.Issue(system, "all", certificates.NewBatch{Kind: "transcript", Edition: "BASICS-1"}); err != nil {
		t.Fatal(err)
	}
	batches, _, err := s.room.Batches(system, page.Request{Limit: 10})
	if err != nil || len(batches) != 1 || batches[0].Total != 1 {
		t.Fatal("only who has none is in the batch:", batches, err)
	}
	if err := s.room.Work(context.Background(), certificates.BatchDue{BatchID: batches[0].ID}); err != nil {
		t.Fatal(err)
	}
	stranger, err := identityOf(s)
	if err != nil {
		t.Fatal(err)
	}
	for of, edition := range map[string]string{zoe.ID: "NOWHERE", stranger: "BASICS-1"} {
		if _, err := s.room.Transcribe(system, "bad"+edition, of, edition); fault.From(err).Kind != fault.NotFound {
			t.Error("what she does not follow is not there:", edition, err)
		}
	}
	// Her certificate alone makes the course count now, and a review finds its exam failed: what the transcript calls passed is not.
	if _, err := s.room.Award(system, sitting); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(time.Hour)
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: enrolled, Stage: journey.Succeeded, At: tx.Now(), Cause: "col_again"}})
	})
	stands := func(c certificates.Certificate, want string) {
		t.Helper()
		if now, err := s.room.Certificate(system, c.ID); err != nil || now.State() != want {
			t.Errorf("%s, want %s (%v)", now.State(), want, err)
		}
	}
	if err := s.room.RevokeFailed(system, enrolled); err != nil {
		t.Fatal(err)
	}
	stands(second, certificates.StateValid)
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, postgres.Query{Name: "review", SQL: "update exams.sittings set state = 'failed' where id = $1"}, sitting)
		return err
	})
	if err := s.room.RevokeFailed(system, enrolled); err != nil {
		t.Fatal(err)
	}
	stands(second, certificates.StateRevoked)
	if _, err := s.room.Reinstate(system, second.ID, "please"); code(err) != "certificate-not-earned" {
		t.Error("it holds again, and says what is not so:", err)
	}
	if c := transcript(); c.ID == second.ID || c.Facts.Transcript.Records[0].State == certificates.RecordPassed {
		t.Errorf("%+v", c.Facts.Transcript)
	}
	// What paid for it is taken back: so is the transcript.
	hers, err := s.award("transcript", other.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, paid, "refunded")
		return err
	})
	if err := s.room.RevokeUnpaid(system, otherEnrolled, "refunded"); err != nil {
		t.Fatal(err)
	}
	stands(hers, certificates.StateRevoked)
	s.holds()
}

// identityOf makes somebody who follows nothing.
func identityOf(s *site) (id string, err error) {
	err = s.db.InTx(system, "test", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PutPersonTx(ctx, tx, "stranger@example.org", "Stranger", "en")
		id = p.ID
		return err
	})
	return id, err
}

func sumOf(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
