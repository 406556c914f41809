package exams_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/exams"
	"cursus/internal/gateways/proctordouble"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// What breaks: what the provider did not sign, what is old, for somebody else or about another attempt is taken; the same message again, or another
// under its id, moves something; a message about an attempt that is not known yet is lost.
func TestWhatAProviderDidNotSignChangesNothing(t *testing.T) {
	w := newWatched(t, 1)
	x, there := w.begin(0)
	before := w.attempt(x.ID)
	body := []byte(fmt.Sprintf(`{"attempt":%q,"status":"ready"}`, there))
	send := func(change func(*exams.ProctorMessage)) error {
		m := exams.ProctorMessage{Attempt: there, Call: "ready", ID: ident.New("msg"), Timestamp: fmt.Sprint(w.clock.Now().Unix()), Body: body}
		m.Signature, _ = proctordouble.Sign(w.secret, m.ID, m.Timestamp, m.Body)
		if change != nil {
			change(&m)
		}
		return w.exams.HearProctor(context.Background(), "acme", m)
	}
	resigned := func(m *exams.ProctorMessage) {
		m.Signature, _ = proctordouble.Sign(w.secret, m.ID, m.Timestamp, m.Body)
	}
	for name, change := range map[string]func(*exams.ProctorMessage){
		"no signature": func(m *exams.ProctorMessage) { m.Signature = "" },
		"another secret": func(m *exams.ProctorMessage) {
			m.Signature, _ = proctordouble.Sign("whsec_"+strings.Repeat("QUJD", 10), m.ID, m.Timestamp, m.Body)
		},
		"another body": func(m *exams.ProctorMessage) { m.Body = []byte(strings.Replace(string(m.Body), "ready", "error", 1)) },
		"another id":   func(m *exams.ProctorMessage) { m.ID = ident.New("msg") },
		"of yesterday": func(m *exams.ProctorMessage) {
			m.Timestamp = fmt.Sprint(w.clock.Now().Add(-24 * time.Hour).Unix())
			resigned(m)
		},
		"of tomorrow": func(m *exams.ProctorMessage) {
			m.Timestamp = fmt.Sprint(w.clock.Now().Add(24 * time.Hour).Unix())
			resigned(m)
		},
		"no time":              func(m *exams.ProctorMessage) { m.Timestamp = "soon"; resigned(m) },
		"a token for a secret": func(m *exams.ProctorMessage) { m.Signature, m.Authorization = "", "Bearer x" },
	} {
		if err := send(change); !errors.Is(err, exams.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*exams.ProctorMessage){
		"to the address of another attempt": func(m *exams.ProctorMessage) { m.Attempt = "prx_other" },
		"of no attempt":                     func(m *exams.ProctorMessage) { m.Body = []byte(`{"status":"ready"}`); resigned(m) },
		"of an unknown status": func(m *exams.ProctorMessage) {
			m.Body = []byte(fmt.Sprintf(`{"attempt":%q,"status":"verified"}`, there))
			resigned(m)
		},
		"no JSON": func(m *exams.ProctorMessage) { m.Body = []byte("ready"); resigned(m) },
	} {
		if err := send(change); !errors.Is(err, exams.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.exams.HearProctor(context.Background(), "other", exams.ProctorMessage{}); !errors.Is(err, exams.ErrNoProvider) {
		t.Error(err)
	}
	w.jobs()
	if now := w.attempt(x.ID); now != before && (now.State != before.State || now.Version != before.Version) {
		t.Errorf("%+v", now)
	}
	if p := w.provider(); p.RefusedAt == nil || p.HeardAt != nil {
		t.Errorf("%+v", p)
	}
	// One that is good, again, and another word under its id.
	var good exams.ProctorMessage
	w.must(send(func(m *exams.ProctorMessage) { good = *m }))
	w.must(w.exams.HearProctor(context.Background(), "acme", good))
	other := good
	other.Body = []byte(fmt.Sprintf(`{"attempt":%q,"status":"error"}`, there))
	resigned(&other)
	w.wants(w.exams.HearProctor(context.Background(), "acme", other), exams.ErrForged)
	w.jobs()
	if s := w.attempt(x.ID); s.State != exams.ReadyToStart || s.Version != before.Version+1 {
		t.Errorf("%+v", s)
	}
	// A new secret, and the old one for a day.
	old := w.secret
	var err error
	w.secret, _, err = w.exams.RotateProvider(system, "test", "again", "acme")
	w.must(err)
	if same, _, err := w.exams.RotateProvider(system, "test", "again", "acme"); err != nil || same != w.secret || same == old {
		t.Error("the same key gives another secret", err)
	}
	w.clock.Advance(23 * time.Hour)
	sign := func(secret string) error {
		return send(func(m *exams.ProctorMessage) { m.Signature, _ = proctordouble.Sign(secret, m.ID, m.Timestamp, m.Body) })
	}
	w.must(sign(old))
	w.must(sign(w.secret))
	w.clock.Advance(2 * time.Hour)
	w.wants(sign(old), exams.ErrForged)
	w.must(sign(w.secret))
	w.verify()
}

// What breaks: a message about an attempt that is not known here yet is dropped, or never looked at again.
func TestAMessageAboutAnUnknownAttemptIsParkedUntilItIsKnown(t *testing.T) {
	w := newWatched(t, 2)
	_, first := w.begin(1) // the exam is known
	w.double.Set(proctordouble.Weather{LoseReplies: 100})
	x := w.sitting(0, "")
	_, err := w.learner(0, x.ID, exams.EvDownload)
	w.must(err)
	w.jobs()
	w.double.Set(proctordouble.Weather{})
	there := ""
	for _, one := range w.double.Attempts() {
		if one.ID != first {
			there = one.ID
		}
	}
	w.must(w.double.Ready(context.Background(), there))
	w.jobs()
	if p := w.provider(); p.Parked != 1 {
		t.Fatalf("%+v", p)
	}
	w.clock.Advance(10 * time.Minute)
	if n, err := w.exams.SweepProctors(system); n != 2 || err != nil { // what is to be told, and what is parked
		t.Error(n, err)
	}
	w.jobs()
	if s := w.attempt(x.ID); s.State != exams.ReadyToStart {
		t.Errorf("%+v", s)
	}
	if p := w.provider(); p.Parked != 0 || p.Untold != 0 {
		t.Errorf("%+v", p)
	}
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err := exams.ProviderEventsTx(ctx, tx, "acme", "applied", page.Request{Limit: 10})
		if len(all) != 1 || next != "" || all[0].Attempt != there {
			t.Error(all, next)
		}
		return err
	})
	w.verify()
}

// The same through the book: messages in any order, some twice, worked on by jobs.
func TestMessagesConvergeThroughTheBook(t *testing.T) {
	w := newWatched(t, 60)
	i := -1
	rapid.Check(t, func(rt *rapid.T) {
		if i++; i >= 12 { // each walk takes a learner
			return
		}
		messages := []map[string]any{{"status": "ready"}, {"status": "started"}, {"status": "submitted"}}
		for n := range rapid.IntRange(1, 3).Draw(rt, "reviews") {
			messages = append(messages, map[string]any{
				"status":      rapid.SampledFrom([]string{"passed", "violation", "suspicious", "not_reviewed"}).Draw(rt, "verdict"),
				"reviewed_at": w.clock.Now().Add(time.Duration(n) * time.Second).Format(time.RFC3339), "comments": []map[string]string{{"comment": "c"}},
			})
		}
		states := [2]exams.AttemptState{}
		for k, order := range [][]map[string]any{messages, rapid.Permutation(append(slices.Clone(messages), rapid.SliceOfN(rapid.SampledFrom(messages), 0, 3).Draw(rt, "again")...)).Draw(rt, "order")} {
			x, there := w.begin(2*i + k)
			for _, m := range order {
				call := "ready"
				if m["comments"] != nil {
					call = "reviewed"
				}
				w.must(w.double.Send(context.Background(), there, call, m))
				if rapid.Bool().Draw(rt, "at once") {
					w.jobs()
				}
			}
			w.jobs()
			states[k] = w.attempt(x.ID).State
		}
		if states[0] != states[1] {
			rt.Fatalf("%v: in their order %s, otherwise %s", messages, states[0], states[1])
		}
	})
	w.verify()
}
