package confidence_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/confidence"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

// school is the room on a database of its own: a course with an earlier session, in which people sat, and one that runs.
type school struct {
	*testing.T
	db             *postgres.DB
	clock          *clock.Manual
	exams          *exams.Service
	book           *gradebook.Service
	earlier, now   catalog.Session
	people, enrols map[string]string // by name
	ids            map[string]int    // on the platform
	reports        int
}

func newSchool(t *testing.T) *school {
	s := &school{T: t, clock: testkit.Clock(), people: map[string]string{}, enrols: map[string]string{}, ids: map[string]int{}}
	s.db = testkit.Open(t, testkit.OwnerDSN(t), s.clock)
	j := jobs.New(s.db, nil)
	s.exams, s.book = exams.New(s.db, j), gradebook.New(s.db, j)
	start := s.clock.Now().AddDate(0, 0, -14)
	before := start.AddDate(-1, 0, 0)
	s.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err := catalog.PutCourseTx(ctx, tx, catalog.Course{Key: "PRD", Title: catalog.Text{EN: "Networks"}}); err != nil {
			return err
		}
		if s.earlier, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-8", CourseKey: "PRD", Title: catalog.Text{EN: "Networks"}, Platform: "fun", StartsAt: &before}); err != nil {
			return err
		}
		if s.now, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-9", CourseKey: "PRD", Title: catalog.Text{EN: "Networks"}, Platform: "fun", StartsAt: &start}); err != nil {
			return err
		}
		for _, x := range []catalog.Session{s.earlier, s.now} {
			if _, err := catalog.PutExercisesTx(ctx, tx, x.ID, []catalog.Exercise{
				{Label: "HW 01", Week: 1, Scored: true, Activity: catalog.Quiz}, {Label: "HW 02", Week: 2, Scored: true, Activity: catalog.Quiz}, {Label: "Trial", Scored: true, Activity: catalog.Mock},
			}, 0); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

func (s *school) in(fn func(ctx context.Context, tx *postgres.Tx) error) {
	s.Helper()
	if err := s.db.InTx(system, "test", fn); err != nil {
		s.Fatal(err)
	}
}

// joins enrols people in a session with the exam; a name is of one enrolment.
func (s *school) joins(x catalog.Session, names ...string) {
	s.Helper()
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		for _, name := range names {
			s.ids[name] = 1000 + len(s.ids)
			p, err := identity.PutPersonTx(ctx, tx, name+"@example.org", name, "en")
			if err != nil {
				return err
			}
			if err := identity.LinkTx(ctx, tx, p.ID, "fun", fmt.Sprint(s.ids[name])); err != nil {
				return err
			}
			s.people[name] = p.ID
			if s.enrols[name], err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: x.ID, OrderID: "ord_" + name, Formula: "Q", Entitlements: []string{"proctored_exam", "certificate"}, Qualifying: true}); err != nil {
				return err
			}
		}
		return nil
	})
}

// graded imports a report: of each name its grade, the two weeks and the mock exam.
func (s *school) graded(x catalog.Session, rows ...string) {
	s.Helper()
	s.reports++
	text := "Student ID,Email,Username,Grade,HW 01,HW 02,Trial,Enrollment Track,Verification Status,Certificate Eligible,Certificate Delivered,Certificate Type,Enrollment Status\r\n"
	for _, r := range rows {
		name, cells, _ := strings.Cut(r, " ")
		text += fmt.Sprint(s.ids[name]) + "," + name + "@example.org," + name + "," + strings.NewReplacer(" ", ",", "_", " ").Replace(cells) + ",honor,N/A,Y,N,N/A,enrolled\r\n"
	}
	if _, err := s.book.Import(system, gradebook.Intake{SessionID: x.ID, FileName: "r.csv", CollectedAt: s.clock.Now().Add(time.Duration(s.reports) * -time.Second), Content: []byte(text)}); err != nil {
		s.Fatal(err)
	}
}

// sits has somebody book the exam and be told a result.
func (s *school) sits(name string, state exams.State) {
	s.Helper()
	x := s.books(name)
	r := exams.Result{SittingID: x.ID, State: state}
	if ppm := 700_000; state != exams.NoShow {
		r.ScorePPM = &ppm
	}
	if _, err := s.exams.RecordResult(system, r); err != nil {
		s.Fatal(name, err)
	}
}

func (s *school) books(name string) exams.Sitting {
	s.Helper()
	x, err := s.exams.Book(system, exams.BookSitting{LearnerID: s.people[name], EnrolmentID: s.enrols[name], IdempotencyKey: name + fmt.Sprint(s.clock.Now().UnixNano())})
	if err != nil {
		s.Fatal(name, err)
	}
	return x
}

func (s *school) succeeds(names ...string) {
	s.Helper()
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		var all []journey.Change
		for _, n := range names {
			all = append(all, journey.Change{EnrolmentID: s.enrols[n], Stage: journey.Succeeded, At: tx.Now(), Reached: true, Cause: "test"})
		}
		return journey.RecordTx(ctx, tx, all)
	})
	for _, n := range names {
		if err := s.exams.RefreshOne(system, s.enrols[n], "test"); err != nil {
			s.Fatal(err)
		}
	}
}

func (s *school) readiness(name string, asOf time.Time) (r confidence.Readiness) {
	s.Helper()
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolment.OneTx(ctx, tx, s.enrols[name])
		if err != nil {
			return err
		}
		r, err = confidence.ReadinessTx(ctx, tx, e, asOf)
		return err
	})
	return r
}

func numbered(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(prefix, i))
	}
	return all
}

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

func (s *school) windowed(days int) {
	s.Helper()
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := exams.ExamTx(ctx, tx, s.now.ID, exams.Proctored)
		if err != nil {
			return err
		}
		closes := tx.Now().AddDate(0, 0, days)
		e.ClosesAt = &closes
		_, err = s.exams.PutTx(ctx, tx, s.now.ID, exams.Proctored, exams.NewExam{Rules: e.Rules}, 0)
		return err
	})
	if err := s.exams.Refresh(system, s.now.ID, "test"); err != nil {
		s.Fatal(err)
	}
}

// reminded does what the mails of today do: it notes everybody whom the step that has come finds.
func (s *school) reminded() (names string) {
	s.Helper()
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := confidence.WindowsTx(ctx, tx)
		for _, w := range all {
			people, err := confidence.ToRemindTx(ctx, tx, w, 100)
			if err != nil {
				return err
			}
			became := map[string]string{}
			for _, p := range people {
				if became[p.EnrolmentID] = confidence.Written; p.HeldOut {
					became[p.EnrolmentID] = confidence.HeldOut
				}
				for name, id := range s.enrols {
					if id == p.EnrolmentID {
						names += fmt.Sprintf("%s %d %s;", name, w.Step, became[p.EnrolmentID])
					}
				}
			}
			if err := confidence.NoteRemindersTx(ctx, tx, w, people, became); err != nil {
				return err
			}
		}
		return err
	})
	return names
}

func (s *school) plan(p confidence.Plan) {
	s.Helper()
	s.in(func(ctx context.Context, tx *postgres.Tx) error {
		return confidence.PutPlanTx(ctx, tx, s.now.ID, -1, p)
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
