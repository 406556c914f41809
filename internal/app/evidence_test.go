package app_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/evidence"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

func (w *world) disputeCase(o sales.Order, of any) (d sales.DisputeCase) {
	w.t.Helper()
	c, err := w.h.Sales.Case(system, o.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, x := range c.Disputes {
		if x.ID == of {
			return x
		}
	}
	return d
}

// A bank asks before it takes: that is noted with its reason and its deadline, and moves nothing. A question that is closed leaves the
// order as it was; one that becomes a dispute does what every dispute does.
func TestABankAsksFirst(t *testing.T) {
	w := newWorld(t)
	zoe := w.person("zoe@example.org", "Zoé N’Diaye")
	o := w.order(zoe.ID, w.paid, "k1")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	asked := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(o).IntentID, "reason": "product_not_received", "inquiry": true})
	w.until("the question is noted", func() bool { return w.disputeCase(o, asked["id"]).State == "inquiry" })
	if d := w.disputeCase(o, asked["id"]); d.Reason != "product_not_received" || d.AnswerBy == nil || d.AnswerBy.Before(w.clock.Now()) || d.ClosedAt != nil {
		t.Errorf("%+v", d)
	}
	if now := w.state(o); now.State != sales.Paid || now.Lines[0].Enrolment() == "" {
		t.Errorf("a question closed what the order opened: %+v", now)
	}
	w.tell("/sandbox/disputes/"+fmt.Sprint(asked["id"]), map[string]any{"outcome": "lost"})
	w.until("the question is closed", func() bool { return w.disputeCase(o, asked["id"]).State == "closed" })
	if now := w.state(o); now.State != sales.Paid {
		t.Errorf("%+v", now)
	}
	history, _, err := w.h.Sales.History(system, o.ID, page.Request{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"dispute_inquiry", "dispute_closed"} {
		if !slices.ContainsFunc(history, func(h sales.Happening) bool { return h.What == what }) {
			t.Errorf("no %s in %+v", what, history)
		}
	}
	w.verify()
	w.clock.Advance(time.Hour)
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(o).IntentID, "reason": "fraudulent"})
	w.becomes(o, sales.Disputed)
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "lost"})
	w.becomes(o, sales.Lost)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		first, next, err := sales.DisputesTx(ctx, tx, page.Request{Limit: 1})
		if err != nil || len(first) != 1 || next != first[0].ID || first[0].ID != d["id"] || first[0].State != "lost" {
			t.Errorf("%+v %s %v", first, next, err)
		}
		second, next, err := sales.DisputesTx(ctx, tx, page.Request{Limit: 1, After: next})
		if err != nil || len(second) != 1 || next != "" || second[0].ID != asked["id"] {
			t.Errorf("%+v %s %v", second, next, err)
		}
		return nil
	})
	w.verify()
}

// The bundle holds what a bank asks for: what was bought and agreed, how it was paid, who signed in, what was learnt, and the very papers that the
// buyer has. Who does not see the order gets nothing.
func TestTheEvidenceOfAnOrder(t *testing.T) {
	w := newWorld(t)
	zoe := w.person("zoe@example.org", "Zoé N’Diaye 🎓")
	o := w.order(zoe.ID, w.paid, "k1")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	w.clock.Advance(time.Hour)
	w.examined(zoe.ID, o)
	asked := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(o).IntentID, "reason": "product_not_received", "inquiry": true})
	w.until("the question is noted", func() bool { return w.disputeCase(o, asked["id"]).State == "inquiry" })
	w.quiet()

	if _, err := w.h.Evidence.Bundle(postgres.WithActor(context.Background(), "learner:per_somebody"), o.ID, "en"); !errors.Is(err, sales.ErrNoOrder) {
		t.Error("somebody else has the evidence:", err)
	}
	for lang, words := range map[string][]string{
		"en": {"Evidence of an order", "right to withdraw within 14 days", "Exercise attempted", "Exam passed", "Certificate awarded", "asks product_not_received", "DEMO-IMT-2026-000001"},
		"fr": {"Dossier de preuves", "droit de rétractation de 14 jours", "Exercice tenté", "Examen réussi", "Certificat délivré", "pose une question"},
	} {
		content, err := w.h.Evidence.Bundle(system, o.ID, lang)
		if err != nil {
			t.Fatal(err)
		}
		files := unzipped(t, content)
		text := onPaper(t, files["evidence.pdf"])
		for _, word := range append(words, o.ID, "Zoé N’Diaye", "zoe@example.org", w.payment(o).IntentID) {
			if !strings.Contains(text, together(word)) {
				t.Errorf("%s: no %q on paper:\n%s", lang, word, text)
			}
		}
		w.heldTogether(files, o)
	}
	w.verify()
}

// heldTogether holds the machine's half of a bundle against its papers and against the house.
func (w *world) heldTogether(files map[string][]byte, o sales.Order) {
	t := w.t
	t.Helper()
	var f evidence.File
	if err := json.Unmarshal(files["evidence.json"], &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Payments) != 1 || f.Payments[0].Captured != o.Total || f.Terms.Withdrawal != "consumer" || len(f.Disputes) != 1 || len(f.Papers) == 0 || len(f.Certificates) != 1 {
		t.Errorf("%+v", f)
	}
	if !slices.IsSortedFunc(f.Record, func(a, b evidence.Entry) int { return a.At.Compare(b.At) }) {
		t.Error("the record is not in the order of time")
	}
	for _, what := range []string{"placed", "captured", "invoice", "stage_started", "worked", "exam_booked", "exam_passed", "certified", "dispute_inquiry"} {
		if !slices.ContainsFunc(f.Record, func(e evidence.Entry) bool { return e.What == what }) {
			t.Errorf("no %s in %+v", what, f.Record)
		}
	}
	sums := map[string]string{f.Certificates[0].Name: f.Certificates[0].SHA256}
	for _, p := range f.Papers {
		sums[p.Name] = p.SHA256
	}
	for name, sum := range sums {
		if h := sha256.Sum256(files[name]); hex.EncodeToString(h[:]) != sum {
			t.Errorf("%s is not what the evidence says", name)
		}
	}
	if c := w.certificate(o.BuyerID, o.Lines[0].Enrolment()); c.SHA256 != f.Certificates[0].SHA256 {
		t.Error("another certificate than the learner's")
	}
	if len(files) != 2+len(sums) {
		t.Errorf("%d files", len(files))
	}
}

func unzipped(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
	}
	return out
}
