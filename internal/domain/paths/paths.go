// Package paths gathers what the house knows of a learner and asks the engine of programs where she stands in an edition.
package paths

import (
	"context"
	_ "embed"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/workshops"
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

// OfLearnerTx answers for an edition by id or key that a learner is a member of, as far as the actor may see it. Error: ErrNotMember.
func OfLearnerTx(ctx context.Context, tx *postgres.Tx, learnerID, edition string) (Answer, error) {
	e, err := programs.EditionTx(ctx, tx, edition)
	if f := fault.From(err); err != nil && f.Kind == fault.NotFound {
		return Answer{}, ErrNotMember
	}
	if err != nil {
		return Answer{}, err
	}
	in, err := enrolment.MembershipsInTx(ctx, tx, learnerID, e.ID)
	if err != nil {
		return Answer{}, err
	}
	if len(in) == 0 {
		return Answer{}, ErrNotMember
	}
	facts, err := factsTx(ctx, tx, []string{learnerID})
	if err != nil {
		return Answer{}, err
	}
	return judge(ctx, tx, e, learnerID, facts[learnerID])
}

// AllOfLearnerTx answers for every edition that a learner is a member of, the newest membership first.
func AllOfLearnerTx(ctx context.Context, tx *postgres.Tx, learnerID string) ([]Answer, error) {
	in, err := enrolment.MembershipsTx(ctx, tx, learnerID)
	if err != nil || len(in) == 0 {
		return []Answer{}, err
	}
	facts, err := factsTx(ctx, tx, []string{learnerID})
	if err != nil {
		return nil, err
	}
	out, seen := []Answer{}, map[string]bool{}
	for _, m := range in {
		if seen[m.EditionID] { // an upgrade is a second membership
			continue
		}
		seen[m.EditionID] = true
		e, err := programs.EditionTx(ctx, tx, m.EditionID)
		if err != nil {
			return nil, err
		}
		a, err := judge(ctx, tx, e, learnerID, facts[learnerID])
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func judge(ctx context.Context, tx *postgres.Tx, e programs.Edition, learnerID string, f facts) (Answer, error) {
	v, err := programs.VersionTx(ctx, tx, e.ProgramID, e.Version)
	if err != nil {
		return Answer{}, err
	}
	return Answer{learnerID, e, v.Content, programs.PathOf(v.Content, e, f.in(e), tx.Now())}, nil
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

type enrolmentRow struct {
	ID         string    `db:"id"`
	LearnerID  string    `db:"learner_id"`
	SessionID  string    `db:"session_id"`
	SessionKey string    `db:"session_key"`
	CourseKey  string    `db:"course_key"`
	OpenedAt   time.Time `db:"opened_at"`
}

// factsTx gathers the facts of learners in five statements, however many they are.
func factsTx(ctx context.Context, tx *postgres.Tx, learners []string) (map[string]facts, error) {
	out := make(map[string]facts, len(learners))
	var rows []enrolmentRow
	if err := tx.Select(ctx, &rows, q.Q("Enrolments"), pq.Array(learners)); err != nil || len(rows) == 0 {
		return out, err
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	ways, err := journey.RowsTx(ctx, tx, ids...)
	if err != nil {
		return nil, err
	}
	grades, err := gradebook.GradesTx(ctx, tx, ids...)
	if err != nil {
		return nil, err
	}
	attended, err := workshops.CompletionTx(ctx, tx, ids...)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		f, ok := out[r.LearnerID]
		if !ok {
			f.sessions = map[string]bool{}
		}
		way := ways[r.ID]
		f.sessions[r.SessionID] = way.State.Has(journey.Enrolled)
		if x, ok := result(r, way, grades); ok {
			f.results = append(f.results, x)
		}
		if c, ok := attended[r.ID]; ok && (c.Attended > 0 || c.ProductionPPM != nil) {
			f.workshops = append(f.workshops, programs.WorkshopFact{Course: r.CourseKey, Session: r.SessionKey, Days: c.Attended, ProductionPPM: c.ProductionPPM})
		}
		out[r.LearnerID] = f
	}
	return out, nil
}

// result is what an enrolment came to so far; false: to nothing. A certificate that was revoked, and a success that a regrade took
// back, do not count.
func result(r enrolmentRow, way journey.Row, grades map[string]int) (programs.Result, bool) {
	x := programs.Result{Course: r.CourseKey, Session: r.SessionKey, Passed: way.State.Has(journey.Succeeded), Certified: way.State.Has(journey.Certified), At: r.OpenedAt}
	if at, ok := way.First[journey.Succeeded]; ok && x.Passed {
		x.At = at
	}
	grade, graded := grades[r.ID]
	if graded {
		x.GradePPM = &grade
	}
	return x, graded || x.Passed || x.Certified
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{{Invariant: "28", Name: "a learner follows the version of the program that was sold to her", Query: q.Q("CheckSoldVersion")}}
}
