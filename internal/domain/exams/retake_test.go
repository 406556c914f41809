package exams_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/platform/postgres"
)

// retaker is a learner as a small model has her: what she sat free of charge, and what became of each retake that she paid for.
type retaker struct {
	*room
	i, n             int
	free             int             // attempts without a retake that are booked or over
	paid             map[string]bool // order → used by what is over
	over             int
	booked           string // the sitting
	pays             string // the order that pays for it; empty: included
	passed, withheld bool
	passedBy         string
}

func (m *retaker) order() string { return fmt.Sprintf("ord_retake_%d_%d", m.i, m.n) }

// unused is a paid retake that waits, the oldest first.
func (m *retaker) unused() (id string) {
	for k := range m.n + 1 {
		id = fmt.Sprintf("ord_retake_%d_%d", m.i, k)
		if used, there := m.paid[id]; there && !used && id != m.pays {
			return id
		}
	}
	return ""
}

const (
	included = 2
	most     = 4
)

func (m *retaker) spent() bool { return m.over >= most }

// needs says whether she cannot sit without a retake, and could with one.
func (m *retaker) needs() bool {
	return m.free >= included && !m.spent() && !m.passed && !m.withheld && m.booked == ""
}

func (m *retaker) buy(t *rapid.T) {
	var said error
	m.in(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolment.OneTx(ctx, tx, m.enrolments[m.i])
		if err != nil {
			return err
		}
		said = m.exams.NeedsRetakeTx(ctx, tx, e)
		return nil
	})
	if (said == nil) != m.needs() {
		t.Fatalf("may buy: %v; %+v", said, *m)
	}
	if said != nil && !rapid.Bool().Draw(t, "paid late") { // a payment may come when it is not needed any more
		return
	}
	m.n++
	m.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.GrantRetakeTx(ctx, tx, m.learners[m.i], m.session.ID, m.order())
		return err
	})
	m.paid[m.order()] = false
}

func (m *retaker) giveBack(t *rapid.T) {
	if len(m.paid) == 0 {
		return
	}
	var orders []string
	for k := range m.n + 1 {
		if id := fmt.Sprintf("ord_retake_%d_%d", m.i, k); slices.Contains(orders, id) {
			continue
		} else if _, there := m.paid[id]; there {
			orders = append(orders, id)
		}
	}
	id := rapid.SampledFrom(orders).Draw(t, "order")
	m.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, id, "refunded")
		return err
	})
	for range 2 {
		_, err := m.exams.RetakeGone(system, id)
		m.must(err)
	}
	if id == m.pays {
		if x := m.stands(m.booked); x.State != exams.Canceled {
			t.Fatalf("its money went back: %+v", x)
		}
		m.booked, m.pays = "", ""
	}
	if m.passed && id == m.passedBy {
		m.passed, m.withheld = false, true
	}
	delete(m.paid, id)
}

func (m *retaker) sit(t *rapid.T) {
	x, err := m.book(m.i, "")
	paid := m.unused()
	want, over := "", m.free
	if m.booked != "" && m.pays == "" {
		over-- // one that is to come does not count yet
	}
	switch {
	case m.spent() || m.passed:
		want = "not-eligible"
	case over >= included && paid == "" && m.pays == "":
		want = "retake-not-paid"
	case m.booked != "" || m.withheld:
		want = "exam-booked-already"
	}
	if code(err) != want {
		t.Fatalf("booking: %v, want %q; %+v", err, want, *m)
	}
	if err != nil {
		return
	}
	if m.booked = x.ID; m.free < included {
		m.free++
	} else {
		m.pays = paid
	}
}

func (m *retaker) leave() {
	if m.booked == "" {
		return
	}
	m.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := m.exams.CancelTx(ctx, tx, m.booked, m.learners[m.i])
		return err
	})
	if m.pays == "" {
		m.free--
	}
	m.booked, m.pays = "", ""
}

func (m *retaker) ends(t *rapid.T) {
	if m.booked == "" {
		return
	}
	score := 100_000
	r := exams.Result{SittingID: m.booked, State: rapid.SampledFrom([]exams.State{exams.Failed, exams.Failed, exams.Failed, exams.NoShow, exams.Passed}).Draw(t, "result"), ScorePPM: &score}
	if r.State == exams.NoShow {
		r.ScorePPM = nil
	}
	_, err := m.exams.RecordResult(system, r)
	m.must(err)
	if m.pays != "" {
		m.paid[m.pays] = true
	}
	m.passed, m.passedBy = m.passed || r.State == exams.Passed, m.pays
	m.over++
	m.booked, m.pays = "", ""
}

// Whatever is bought, given back, booked, left and sat in whatever order: nobody sits more often than was included and paid for, what was paid for is
// hers until she used it, and who passed with what was not paid has not passed.
func TestAttemptsAreIncludedOrPaidFor(t *testing.T) {
	r := newRoom(t, 20)
	r.rules(func(n *exams.NewExam) { i := included; n.MaxAttempts, n.Included = most, &i })
	tries := -1
	rapid.Check(t, func(t *rapid.T) {
		if tries++; tries >= len(r.learners) {
			return // each try has a learner of its own
		}
		m := &retaker{room: r, i: tries, paid: map[string]bool{}}
		for range rapid.IntRange(8, 30).Draw(t, "steps") {
			r.clock.Advance(time.Minute)
			switch rapid.SampledFrom([]string{"buy", "give back", "sit", "sit", "sit", "leave", "end", "end"}).Draw(t, "step") {
			case "buy":
				m.buy(t)
			case "give back":
				m.giveBack(t)
			case "sit":
				m.sit(t)
			case "leave":
				m.leave()
			case "end":
				m.ends(t)
			}
		}
	})
	r.clock.Advance(time.Hour)
	r.verify()
}

// What breaks: a check that sees nothing. An attempt that nobody paid for is found, and a pass whose money went back.
func TestTheCheckOfRetakesNotices(t *testing.T) {
	r := newRoom(t, 1)
	one := 1
	r.rules(func(n *exams.NewExam) { n.MaxAttempts, n.Included = 3, &one })
	score := 0
	for i, state := range []exams.State{exams.Failed, exams.Passed} {
		if i == 1 {
			_, err := r.book(0, "")
			r.wants(err, enrolment.ErrNoRetake)
			r.in(func(ctx context.Context, tx *postgres.Tx) error {
				_, err := enrolment.GrantRetakeTx(ctx, tx, r.learners[0], r.session.ID, "ord_retake")
				return err
			})
		}
		_, err := r.exams.RecordResult(system, exams.Result{SittingID: r.sitting(0, "").ID, State: state, ScorePPM: &score})
		r.must(err)
		r.clock.Advance(time.Hour)
	}
	r.verify()
	for _, broken := range []string{
		"update enrolment.retakes set revoked_at = now() - interval '1 hour', revoked_because = 'test'",
		"update enrolment.retakes set used_by = null",
		"update enrolment.retakes set used_by = 'sit_unknown'",
	} {
		if _, err := r.owner.Exec(broken); err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, c := range exams.Checks() {
			rows, err := postgres.RunCheck(system, r.db, c)
			r.must(err)
			found += len(rows)
		}
		if found == 0 {
			t.Error("nothing was found after", broken)
		}
		if _, err := r.owner.Exec("update enrolment.retakes set revoked_at = null, revoked_because = null, used_by = (select id from exams.sittings where state = 'passed')"); err != nil {
			t.Fatal(err)
		}
		r.verify()
	}
}
