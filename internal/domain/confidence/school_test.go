package confidence_test

import (
	"context"
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
	"cursus/internal/kernel/clock"
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
