// Package progress tells a partner how far the learners of its cohorts are: by learner who agrees to it, in counts that give nobody away, and
// once a week by mail. It reads across its floor and decides nothing.
package progress

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("progress", queriesSQL)

// Service is the room.
type Service struct {
	db   *postgres.DB
	jobs *jobs.Jobs
}

// New opens the room.
func New(db *postgres.DB, j *jobs.Jobs) *Service { return &Service{db: db, jobs: j} }

// Pace says how a learner keeps up with a session.
type Pace string

// The paces. Weeks count from the day on which the session begins, or on which its edition opens it by date; a week is over when its seven
// days are, and is judged by the last grade report that came.
const (
	NotBegun Pace = "not_begun" // no week with a scored exercise is over
	OnTime   Pace = "on_time"   // she did a scored exercise of each week that is over, or has succeeded
	Behind   Pace = "behind"    // of some week that is over she did none
	Silent   Pace = "silent"    // of no week that is over she did any
)

// PaceOf judges so many weeks with scored exercises that are over, in so many of which she did one.
func PaceOf(over, did int, succeeded bool) Pace {
	switch {
	case over == 0:
		return NotBegun
	case succeeded || did >= over:
		return OnTime
	case did > 0:
		return Behind
	}
	return Silent
}

// Stages are how far a learner can be in a session, each further than the one before. Diligent is by the rule that the reports use where none
// is named: the first scored exercise of week 1 and that of week 2.
var Stages = []string{"enrolled", "started", "diligent", "succeeded", "exam_booked", "exam_sat", "exam_passed", "certified"}

// Furthest is the last stage that holds.
func Furthest(s journey.State) string {
	switch {
	case s.Has(journey.Certified):
		return "certified"
	case s.Has(journey.ExamPassed):
		return "exam_passed"
	case s.Has(journey.ExamSat):
		return "exam_sat"
	case s.Has(journey.ExamBooked):
		return "exam_booked"
	case s.Has(journey.Succeeded):
		return "succeeded"
	case s.Has(journey.Week1First) && s.Has(journey.Week2First):
		return "diligent"
	case s.Has(journey.Started):
		return "started"
	}
	return "enrolled"
}

// Course is how far a learner is in one session. GradePPM is nil before the first grade report that has her.
type Course struct {
	Session     string       `json:"session"` // key
	Stage       string       `json:"stage"`   // the furthest
	GradePPM    *int         `json:"grade_ppm,omitempty"`
	Passed      bool         `json:"passed"` // the grade reaches the threshold of the session
	Pace        Pace         `json:"pace"`
	Exam        string       `json:"exam,omitempty"` // state of the last sitting that was not canceled
	Certificate *Certificate `json:"certificate,omitempty"`
}

// Certificate is one that holds.
type Certificate struct {
	Code     string    `json:"code"`
	IssuedAt time.Time `json:"issued_at"`
}

// Learner is a member of a cohort and how far she is. Without her consent nothing is said but where she stands as a member.
type Learner struct {
	MemberID   string        `json:"member"`
	StudentKey string        `json:"student_key"`
	Name       string        `json:"name"`
	State      cohorts.State `json:"state"`
	Shared     bool          `json:"shared"`
	Courses    []Course      `json:"courses"`
}

// session is one that a cohort follows.
type session struct {
	ID        string     `db:"id"`
	Key       string     `db:"key"`
	TitleEN   string     `db:"title_en"`
	TitleFR   string     `db:"title_fr"`
	Threshold int        `db:"threshold_ppm"`
	Begins    *time.Time `db:"begins_at"`
	Ends      *time.Time `db:"ends_at"`
}

func (s session) title() catalog.Text { return catalog.Text{EN: s.TitleEN, FR: s.TitleFR} }

// member is somebody in a cohort.
type member struct {
	ID         string        `db:"id"`
	StudentKey string        `db:"student_key"`
	Name       string        `db:"name"`
	State      cohorts.State `db:"state"`
	PersonID   string        `db:"person_id"`
	Shared     bool          `db:"shared"`
}

// follows says whether her right to learn stands, or is held back by her school alone.
func (m member) follows() bool {
	return m.PersonID != "" && (m.State == cohorts.Enrolled || m.State == cohorts.Suspended)
}

// fact is what the rooms below know of one learner in one session.
type fact struct {
	LearnerID string     `db:"learner_id"`
	SessionID string     `db:"session_id"`
	Reached   int        `db:"reached"`
	Grade     *int64     `db:"grade"` // billionths; below 0: none
	Over      int        `db:"weeks_over"`
	Did       int        `db:"weeks_did"`
	Exam      string     `db:"exam"`
	Code      *string    `db:"code"`
	IssuedAt  *time.Time `db:"issued_at"`
}

func (f fact) course(s session) Course {
	state := journey.State(f.Reached)
	c := Course{Session: s.Key, Stage: Furthest(state), Exam: f.Exam, Passed: state.Has(journey.Succeeded), Pace: PaceOf(f.Over, f.Did, state.Has(journey.Succeeded))}
	if f.Grade != nil && *f.Grade >= 0 {
		ppm := int(*f.Grade / 1000)
		c.GradePPM = &ppm
	}
	if f.Code != nil && f.IssuedAt != nil {
		c.Certificate = &Certificate{*f.Code, *f.IssuedAt}
	}
	return c
}

// openTx finds a cohort for somebody who may follow it. Who has nothing to do with its organisation is not told that it is there. staff says
// that she is of the institute. Errors: cohorts.ErrNoCohort, identity.ErrNoPartnerRole.
func openTx(ctx context.Context, tx *postgres.Tx, personID, cohortID string) (c cohorts.Cohort, staff bool, err error) {
	if c, err = cohorts.CohortTx(ctx, tx, cohortID); err != nil {
		return c, false, err
	}
	if err := identity.MustHoldTx(ctx, tx, c.Organisation, personID, "cohorts:read"); err != nil {
		if errors.Is(err, identity.ErrNoOrganisation) {
			err = cohorts.ErrNoCohort
		}
		return c, false, err
	}
	staff, err = identity.MayTx(ctx, tx, personID, "cohorts:read")
	return c, staff, err
}

// asSystem reads what row-level security keeps from a partner, after openTx has let her in.
func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }

// Learners lists the members of a cohort in the order in which they came, with how far each is, and the key after which the list goes on.
// Errors: those of openTx.
func (s *Service) Learners(ctx context.Context, personID, cohortID string, p page.Request) (all []Learner, next string, err error) {
	err = s.db.View(asSystem(ctx), "progress of a cohort", func(ctx context.Context, tx *postgres.Tx) error {
		c, _, err := openTx(ctx, tx, personID, cohortID)
		if err != nil {
			return err
		}
		all, next, err = learnersTx(ctx, tx, c, p)
		return err
	})
	return all, next, err
}

func learnersTx(ctx context.Context, tx *postgres.Tx, c cohorts.Cohort, p page.Request) (all []Learner, next string, err error) {
	members, next, err := membersTx(ctx, tx, c.ID, p)
	if err != nil {
		return nil, "", err
	}
	sessions, err := sessionsTx(ctx, tx, c)
	if err != nil {
		return nil, "", err
	}
	var told []member
	for _, m := range members {
		if m.Shared {
			told = append(told, m)
		}
	}
	facts, err := factsTx(ctx, tx, sessions, told)
	if err != nil {
		return nil, "", err
	}
	all = []Learner{}
	for _, m := range members {
		l := Learner{MemberID: m.ID, StudentKey: m.StudentKey, Name: m.Name, State: m.State, Shared: m.Shared, Courses: []Course{}}
		if m.Shared && m.follows() {
			for _, x := range sessions {
				if f, ok := facts[m.PersonID][x.ID]; ok {
					l.Courses = append(l.Courses, f.course(x))
				}
			}
		}
		all = append(all, l)
	}
	return all, next, nil
}
