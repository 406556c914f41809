// Package progress tells a partner how far the learners of its cohorts are: by learner who agrees to it, in counts that give nobody away, and
// once a week by mail. It reads across its floor and decides nothing.
package progress

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"slices"
	"strings"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/cohorts"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("progress", queriesSQL)

// Service is the room.
type Service struct {
	db      *postgres.DB
	jobs    *jobs.Jobs
	printer Printer
	post    Post
	key     []byte
	demo    bool
}

// New opens the room. The secret signs the links that end mails; demo marks papers as of no value.
func New(db *postgres.DB, j *jobs.Jobs, printer Printer, post Post, secret []byte, demo bool) *Service {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("cursus progress"))
	return &Service{db: db, jobs: j, printer: printer, post: post, key: mac.Sum(nil), demo: demo}
}

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

// session is one that a group follows.
type session struct {
	ID        string     `db:"id"`
	Thing     string     `db:"thing"` // what was enrolled for: it, or an edition that it belongs to
	Key       string     `db:"key"`
	TitleEN   string     `db:"title_en"`
	TitleFR   string     `db:"title_fr"`
	Threshold int        `db:"threshold_ppm"`
	Begins    *time.Time `db:"begins_at"`
	Ends      *time.Time `db:"ends_at"`
}

func (s session) title() catalog.Text { return catalog.Text{EN: s.TitleEN, FR: s.TitleFR} }

// member is somebody in a cohort, or on a seat.
type member struct {
	ID         string        `db:"id"`
	Thing      string        `db:"thing"` // what she was enrolled for
	StudentKey string        `db:"student_key"`
	Name       string        `db:"name"`
	State      cohorts.State `db:"state"`
	PersonID   string        `db:"person_id"`
	Since      *time.Time    `db:"since"` // she has followed
	Shared     bool          `db:"-"`
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

// Filter leaves those out who are elsewhere: who does not agree to be seen by name matches nothing but the empty filter.
type Filter struct {
	Session string // key
	Stage   string // one of Stages
	Pace    Pace   // Lagging: behind or silent
}

// Lagging asks for those who are behind schedule, whether they did something or nothing.
const Lagging Pace = "lagging"

func (p Pace) lags() bool { return p == Behind || p == Silent }

// Paces are those that can be asked for, beside Lagging.
var Paces = []Pace{NotBegun, OnTime, Behind, Silent}

func (f Filter) check() error {
	var wrong []fault.Field
	if f.Stage != "" && !slices.Contains(Stages, f.Stage) {
		wrong = append(wrong, fault.Field{Pointer: "/stage", Code: "unknown-stage", Detail: "One of " + strings.Join(Stages, ", ") + "."})
	}
	if f.Pace != "" && f.Pace != Lagging && !slices.Contains(Paces, f.Pace) {
		wrong = append(wrong, fault.Field{Pointer: "/pace", Code: "unknown-pace", Detail: "One of not_begun, on_time, behind, silent, lagging."})
	}
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// keeps says whether a course is asked for.
func (f Filter) keeps(c Course) bool {
	lagging := f.Pace == Lagging && c.Pace.lags()
	return (f.Session == "" || f.Session == c.Session) && (f.Stage == "" || f.Stage == c.Stage) && (f.Pace == "" || f.Pace == c.Pace || lagging)
}

// asSystem reads what row-level security keeps from a partner, after openTx has let her in.
func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }

// Learners lists the members of a group in the order in which they came, with how far each is, and the key after which the list goes on. With
// a filter only who matches it in some session is there, with those sessions. Errors: those of openTx, fault.Invalid for a filter that asks for
// what there is not.
func (s *Service) Learners(ctx context.Context, personID, groupID string, f Filter, p page.Request) (all []Learner, next string, err error) {
	if err := f.check(); err != nil {
		return nil, "", err
	}
	err = s.db.View(asSystem(ctx), "progress of a group", func(ctx context.Context, tx *postgres.Tx) error {
		g, _, err := openTx(ctx, tx, personID, groupID)
		if err != nil {
			return err
		}
		all, next, err = foundTx(ctx, tx, g, f, p)
		return err
	})
	return all, next, err
}

// stride is how many members are read at a time where many are to be looked at.
const stride = 2000

// foundTx reads on until a page is full of those who match.
func foundTx(ctx context.Context, tx *postgres.Tx, g Group, f Filter, p page.Request) (found []Learner, next string, err error) {
	if f == (Filter{}) {
		return learnersTx(ctx, tx, g, f, p)
	}
	found = []Learner{}
	for from := p.After; ; {
		some, after, err := learnersTx(ctx, tx, g, f, page.Request{After: from, Limit: stride})
		if err != nil {
			return nil, "", err
		}
		found = append(found, some...)
		if len(found) > p.Limit {
			return found[:p.Limit], found[p.Limit-1].MemberID, nil
		}
		if from = after; from == "" {
			return found, "", nil
		}
	}
}

// learnersTx reads a page of members, and leaves out who does not match.
func learnersTx(ctx context.Context, tx *postgres.Tx, g Group, wanted Filter, p page.Request) (all []Learner, next string, err error) {
	members, next, err := followersTx(ctx, tx, g, p)
	all = []Learner{}
	for _, m := range members {
		l := Learner{MemberID: m.ID, StudentKey: m.StudentKey, Name: m.Name, State: m.State, Shared: m.Shared, Courses: []Course{}}
		for _, in := range m.in {
			if c := in.course(in.session); wanted.keeps(c) {
				l.Courses = append(l.Courses, c)
			}
		}
		if wanted == (Filter{}) || len(l.Courses) > 0 {
			all = append(all, l)
		}
	}
	return all, next, err
}
