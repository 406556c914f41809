package confidence_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/confidence"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// A learner is held against those of the earlier session who stood where she stands: by the grade, and by the mock exam once that can tell. What came
// later does not change what was true at an instant.
func TestReadinessAgainstThoseWhoSat(t *testing.T) {
	s := newSchool(t)
	then := numbered("then", 12)
	s.joins(s.earlier, then...)
	s.joins(s.now, "awa", "new")
	var rows []string
	for i, n := range then {
		rows = append(rows, fmt.Sprintf("%s 0.75 0.%d 0.9 0.8%d", n, 4+i%5, i%10))
	}
	s.graded(s.earlier, rows...)
	s.graded(s.now, "awa 0.72 0.5 1.0 Not_Attempted", "new 0.1 Not_Attempted Not_Attempted Not_Attempted")
	s.succeeds(then...)
	nobody := s.clock.Now()
	s.clock.Advance(time.Hour)
	for i, n := range then {
		s.sits(n, map[bool]exams.State{true: exams.Failed, false: exams.Passed}[i == 0])
	}
	r := s.readiness("awa", time.Time{})
	if r.Standing != (confidence.Standing{By: confidence.ByGrade, FromPPM: 700_000, ToPPM: 800_000, Sat: 12, Passed: 11}) || *r.GradePPM != 720_000 || r.MockPPM != nil {
		t.Errorf("%+v", r)
	}
	if len(r.Weeks) != 2 || !r.Weeks[0].Review || r.Weeks[1].Review || r.Weeks[0].Passed != 11 || *r.Weeks[0].MedianPPM != 600_000 {
		t.Errorf("weeks: %+v", r.Weeks)
	}
	if r := s.readiness("new", time.Time{}); r.By != "" || r.Sat != 0 {
		t.Errorf("nobody stood where she stands: %+v", r)
	}
	if r := s.readiness("awa", nobody); r.By != "" || r.Weeks[0].MedianPPM != nil {
		t.Errorf("before anybody sat: %+v", r)
	}
	s.clock.Advance(time.Hour)
	s.graded(s.now, "awa 0.72 0.5 1.0 0.85")
	if r := s.readiness("awa", time.Time{}); r.By != confidence.ByMock || r.Sat != 12 || r.FromPPM != 800_000 || *r.MockPPM != 850_000 {
		t.Errorf("after the mock exam: %+v", r)
	}
	if r := s.readiness("awa", nobody.Add(time.Hour)); r.By != confidence.ByGrade {
		t.Errorf("as it was before: %+v", r)
	}
	// the mock exam of the reports is a practice exam sat
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := exams.ExamTx(ctx, tx, s.now.ID, exams.Proctored)
		if err != nil {
			return err
		}
		e.Practice = true
		if _, err := s.exams.PutTx(ctx, tx, s.now.ID, exams.Proctored, exams.NewExam{Rules: e.Rules}, 0); err != nil {
			return err
		}
		for name, met := range map[string]bool{"awa": true, "new": false} {
			one, err := enrolment.OneTx(ctx, tx, s.enrols[name])
			if err != nil {
				return err
			}
			d, _, err := exams.DecideTx(ctx, tx, one, exams.Proctored)
			if err != nil {
				return err
			}
			for _, c := range d.Conditions {
				if c.Code == exams.NeedsPractice && c.Met != met {
					t.Error(name, "practised:", c.Met)
				}
			}
		}
		return nil
	})
}

// Each step finds somebody once, a step that nobody looked at is passed over for a later one, and who booked is found no more.
func TestRemindersComeOnceAndStop(t *testing.T) {
	s := newSchool(t)
	s.joins(s.now, "ann", "bob", "cid")
	s.succeeds("ann", "bob")
	if got := s.reminded(); got != "" {
		t.Error("reminded without a window:", got)
	}
	s.windowed(30)
	day := func(n int) { s.clock.Advance(time.Duration(n) * 24 * time.Hour) }
	if got := s.reminded(); got != "" {
		t.Error("before the first step:", got)
	}
	day(9)
	if got := s.reminded(); got != "ann 21 written;bob 21 written;" {
		t.Error("at the first step:", got)
	}
	if got := s.reminded(); got != "" {
		t.Error("the same step again:", got)
	}
	s.books("ann")
	s.succeeds("cid")
	day(1)
	if got := s.reminded(); got != "cid 21 written;" {
		t.Error("who came to be fit later:", got)
	}
	day(18) // past the second step, which nobody looked at
	if got := s.reminded(); got != "bob 2 written;cid 2 written;" {
		t.Error("at the last step:", got)
	}
	day(3)
	if got := s.reminded(); got != "" {
		t.Error("after the end:", got)
	}
}

// The list of a coach has who waits and who did not come, those first whose time ends first, and neither who is left alone by lot nor the number or the
// address of who does not want to be reached by it.
func TestTheListOfACoach(t *testing.T) {
	s := newSchool(t)
	s.joins(s.now, "ann", "bob", "cid", "dan")
	s.succeeds("ann", "bob", "cid")
	s.windowed(30)
	s.sits("bob", exams.NoShow)
	if err := s.exams.Refresh(system, s.now.ID, "test"); err != nil {
		t.Fatal(err)
	}
	list := func(f confidence.CallFilter) (all []confidence.Call) {
		s.in(func(ctx context.Context, tx *postgres.Tx) error {
			for p := (page.Request{Limit: 1}); ; {
				some, next, err := confidence.CallsTx(ctx, tx, f, p)
				if err != nil {
					return err
				}
				if all = append(all, some...); next == "" {
					return nil
				}
				p.After = next
			}
		})
		return all
	}
	said := func(all []confidence.Call) (out string) {
		for _, c := range all {
			out += c.Name + " " + c.Reason + ";"
		}
		return out
	}
	by := map[string]confidence.Call{}
	for _, c := range list(confidence.CallFilter{}) {
		by[c.Name] = c
	}
	if len(by) != 3 || by["ann"].Reason != confidence.NotBooked || by["bob"].Reason != confidence.DidNotCome || by["ann"].DaysLeft(s.clock.Now()) != 30 || by["ann"].Email == "" || by["ann"].Number != "" {
		t.Fatalf("%+v", by)
	}
	coach := ""
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PutPersonTx(ctx, tx, "coach@example.org", "Coach", "en")
		if err != nil {
			return err
		}
		coach = p.ID
		if err := confidence.AssignTx(ctx, tx, s.enrols["ann"], coach); !errors.Is(err, confidence.ErrNoCoach) {
			t.Error("a coach without the role:", err)
		}
		if err := identity.GrantRoleTx(ctx, tx, coach, "coach"); err != nil {
			return err
		}
		if err := confidence.AssignTx(ctx, tx, s.enrols["ann"], coach); err != nil {
			return err
		}
		if err := confidence.NoteCallTx(ctx, tx, s.enrols["ann"], confidence.NewCall{Outcome: "will_book", Note: "after the holidays"}); err != nil {
			return err
		}
		if err := privacy.SayTx(ctx, tx, s.people["ann"], privacy.Nudges, false); err != nil {
			return err
		}
		return confidence.PutNumberTx(ctx, tx, s.people["ann"], "+221 33 123 45 67")
	})
	if all := list(confidence.CallFilter{Coach: coach}); said(all) != "ann not_booked;" || all[0].Email != "" || all[0].Number != "+221 33 123 45 67" || all[0].LastOutcome != "will_book" || all[0].CoachName != "Coach" {
		t.Errorf("of the coach: %+v", all)
	}
	if got := list(confidence.CallFilter{Coach: "nobody", Reason: confidence.NotBooked}); said(got) != "cid not_booked;" {
		t.Error("of nobody:", said(got))
	}
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		return privacy.SayTx(ctx, tx, s.people["ann"], privacy.Calls, false)
	})
	if all := list(confidence.CallFilter{Coach: coach}); all[0].Number != "" {
		t.Error("her number is shown after she took it back")
	}
	if n, err := confidence.ForgetNumbers(system, s.db); n != 1 || err != nil {
		t.Error("numbers forgotten:", n, err)
	}
	s.plan(confidence.Plan{Days: []int64{7}, HoldOut: 500})
	left := map[string]bool{}
	for _, c := range list(confidence.CallFilter{}) {
		left[c.Name] = true
	}
	for _, name := range []string{"ann", "bob", "cid"} {
		err := s.db.InTx(system, "call", func(ctx context.Context, tx *postgres.Tx) error {
			return confidence.NoteCallTx(ctx, tx, s.enrols[name], confidence.NewCall{Outcome: "reached"})
		})
		if errors.Is(err, confidence.ErrHeldOut) == left[name] {
			t.Error(name, "on the list:", left[name], "and called:", err)
		}
	}
	testkit.Verify(t, s.db, confidence.Checks())
}

// What reminders did is told against those left alone by lot, each with the same days, and what was true once stays so.
func TestTheEffectOfReminders(t *testing.T) {
	s := newSchool(t)
	early, late := numbered("early", 3), numbered("late", 40)
	s.joins(s.now, append(early, late...)...)
	s.succeeds(early...)
	s.books(early[0])
	s.plan(confidence.Plan{Days: []int64{30}, HoldOut: 500})
	s.windowed(70)
	s.clock.Advance(40 * 24 * time.Hour)
	s.succeeds(late...)
	told := s.reminded()
	written, held := strings.Count(told, "written"), strings.Count(told, "held_out")
	if written+held != 42 || written < 5 || held < 5 {
		t.Fatal("the lot:", written, held)
	}
	effect := func(asOf time.Time) (out map[string]confidence.Arm) {
		s.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
			out, err = confidence.EffectTx(ctx, tx, []string{s.now.ID}, 20, asOf, time.Time{})
			return err
		})
		return out
	}
	booked := int64(0)
	for _, n := range late {
		if strings.Contains(told, n+" 30 written") && booked < 4 {
			booked++
			s.books(n)
		}
	}
	if got := effect(time.Time{}); len(got) != 1 || got[confidence.ArmBefore] != (confidence.Arm{People: 3, Booked: 1}) {
		t.Errorf("while their days run: %+v", got)
	}
	s.clock.Advance(21 * 24 * time.Hour)
	then := s.clock.Now()
	got := effect(then)
	want := map[string]confidence.Arm{
		confidence.ArmBefore: {People: 3, Booked: 1}, confidence.ArmSince: {People: 40, Booked: booked}, confidence.ArmReminded: {People: int64(written), Booked: booked}, confidence.ArmHeldOut: {People: int64(held)},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	s.clock.Advance(24 * time.Hour)
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		for _, id := range s.enrols {
			if err := confidence.NoteCallTx(ctx, tx, id, confidence.NewCall{Outcome: "reached"}); err != nil && !errors.Is(err, confidence.ErrHeldOut) {
				return err
			}
		}
		return nil
	})
	if again := effect(then); fmt.Sprint(again) != fmt.Sprint(want) {
		t.Errorf("the same instant, asked later: %+v", again)
	}
}
