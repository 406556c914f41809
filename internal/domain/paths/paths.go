// Package paths gathers what the house knows of a learner and asks the engine of programs where she stands in an edition.
package paths

import (
	"context"
	_ "embed"
	"encoding/json"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("paths", queriesSQL)

// ErrNotMember answers for an edition that the learner does not follow, and for one that does not exist.
var ErrNotMember = fault.New(fault.NotFound, "not-a-member", "There is no such edition among those that the learner follows.")

// Answer is where a learner stands in an edition. Content is that of the version that the edition was sold with.
type Answer struct {
	LearnerID string           `json:"learner"`
	Edition   programs.Edition `json:"edition"`
	Content   programs.Content `json:"content"`
	Path      programs.Path    `json:"path"`
}

// OfLearnerTx answers for an edition by id or key that a learner is a member of, as far as the actor may see it, in one statement once the
// rules of the version are known. Error: ErrNotMember.
func OfLearnerTx(ctx context.Context, tx *postgres.Tx, learnerID, edition string) (Answer, error) {
	if edition == "" {
		return Answer{}, ErrNotMember
	}
	all, err := answersTx(ctx, tx, learnerID, edition)
	if err != nil {
		return Answer{}, err
	}
	if len(all) == 0 {
		return Answer{}, ErrNotMember
	}
	return all[0], nil
}

// AllOfLearnerTx answers for every edition that a learner is a member of, the newest membership first.
func AllOfLearnerTx(ctx context.Context, tx *postgres.Tx, learnerID string) ([]Answer, error) {
	return answersTx(ctx, tx, learnerID, "")
}

// answersTx answers for one edition, or for all where it is "". An upgrade is a second membership, and no second answer.
func answersTx(ctx context.Context, tx *postgres.Tx, learnerID, edition string) ([]Answer, error) {
	var rows []struct {
		Edition     []byte    `db:"edition"`
		PublishedAt time.Time `db:"published_at"`
		Facts       []byte    `db:"facts"` // in the first row
	}
	if err := tx.Select(ctx, &rows, q.Q("Ways"), learnerID, edition); err != nil || len(rows) == 0 {
		return []Answer{}, err
	}
	var known []row
	if err := json.Unmarshal(rows[0].Facts, &known); err != nil {
		return nil, err
	}
	f, out := gathered(known), make([]Answer, len(rows))
	for i, r := range rows {
		a := &out[i]
		if err := json.Unmarshal(r.Edition, &a.Edition); err != nil {
			return nil, err
		}
		rules, err := programs.RulesTx(ctx, tx, programs.VersionRef{ProgramID: a.Edition.ProgramID, Number: a.Edition.Version, Published: r.PublishedAt})
		if err != nil {
			return nil, err
		}
		a.LearnerID, a.Content, a.Path = learnerID, rules.Content, rules.Path(a.Edition, f[learnerID].in(a.Edition), tx.Now())
	}
	return out, nil
}

// LockedTx says which sessions a learner reaches through editions alone and may not follow yet, with the course as each stands there. A
// session that another order or grade report opened is hers; one that stands in two editions is locked while both lock it.
func LockedTx(ctx context.Context, tx *postgres.Tx, learnerID string) (map[string]Lock, error) {
	all, err := AllOfLearnerTx(ctx, tx, learnerID)
	if err != nil || len(all) == 0 {
		return map[string]Lock{}, err
	}
	var otherwise []string
	if err := tx.Select(ctx, &otherwise, q.Q("OpenOtherwise"), learnerID); err != nil {
		return nil, err
	}
	free, out := map[string]bool{}, map[string]Lock{}
	for _, id := range otherwise {
		free[id] = true
	}
	for _, a := range all {
		for _, c := range a.Path.Courses {
			s, ok := a.Edition.SessionOf(c.Course)
			switch {
			case !ok || free[s.SessionID]:
			case c.Standing == programs.Locked || c.Standing == programs.Upcoming:
				out[s.SessionID] = Lock{a.Edition.Key, c}
			default:
				free[s.SessionID] = true
			}
		}
	}
	for id := range free {
		delete(out, id)
	}
	return out, nil
}

// Lock is a course that is not open yet, in the edition that says so.
type Lock struct {
	EditionKey string
	Course     programs.CoursePath
}

// facts are what is known of one learner; sessions tells in which she is enrolled.
type facts struct {
	results   []programs.Result
	workshops []programs.WorkshopFact
	sessions  map[string]bool
}

// in gives the facts as an edition sees them.
func (f facts) in(e programs.Edition) programs.Facts {
	enrolled := map[string]bool{}
	for _, s := range e.Sessions {
		enrolled[s.CourseKey] = f.sessions[s.SessionID]
	}
	return programs.Facts{Results: f.results, Workshops: f.workshops, Enrolled: enrolled}
}

// row is what the house knows of one enrolment (view paths.facts).
type row struct {
	LearnerID     string        `db:"learner_id" json:"learner_id"`
	SessionID     string        `db:"session_id" json:"session_id"`
	SessionKey    string        `db:"session_key" json:"session_key"`
	CourseKey     string        `db:"course_key" json:"course_key"`
	OpenedAt      time.Time     `db:"opened_at" json:"opened_at"`
	Reached       journey.State `db:"reached" json:"reached"`
	SucceededAt   *time.Time    `db:"succeeded_at" json:"succeeded_at"`
	Grade         *int64        `db:"grade" json:"grade"` // as the gradebook keeps it
	Attended      int           `db:"attended" json:"attended"`
	ProductionPPM *int          `db:"production_ppm" json:"production_ppm"`
}

// factsTx gathers the facts of learners in one statement, however many they are.
func factsTx(ctx context.Context, tx *postgres.Tx, learners []string) (map[string]facts, error) {
	var rows []row
	err := tx.Select(ctx, &rows, q.Q("Facts"), pq.Array(learners))
	return gathered(rows), err
}

func gathered(rows []row) map[string]facts {
	out := map[string]facts{}
	for _, r := range rows {
		f, ok := out[r.LearnerID]
		if !ok {
			f.sessions = map[string]bool{}
		}
		f.sessions[r.SessionID] = r.Reached.Has(journey.Enrolled)
		if x, ok := r.result(); ok {
			f.results = append(f.results, x)
		}
		if r.Attended > 0 || r.ProductionPPM != nil {
			f.workshops = append(f.workshops, programs.WorkshopFact{Course: r.CourseKey, Session: r.SessionKey, Days: r.Attended, ProductionPPM: r.ProductionPPM})
		}
		out[r.LearnerID] = f
	}
	return out
}

// result is what an enrolment came to so far; false: to nothing. A certificate that was revoked, and a success that a regrade took
// back, do not count.
func (r row) result() (programs.Result, bool) {
	x := programs.Result{Course: r.CourseKey, Session: r.SessionKey, Passed: r.Reached.Has(journey.Succeeded), Certified: r.Reached.Has(journey.Certified), At: r.OpenedAt}
	if r.SucceededAt != nil && x.Passed {
		x.At = *r.SucceededAt
	}
	if r.Grade != nil {
		if ppm, graded := gradebook.GradePPM(*r.Grade); graded {
			x.GradePPM = &ppm
		}
	}
	return x, x.GradePPM != nil || x.Passed || x.Certified
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{{Invariant: "28", Name: "a learner follows the version of the program that was sold to her", Query: q.Q("CheckSoldVersion")}}
}
