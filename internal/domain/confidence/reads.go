package confidence

import (
	"context"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/platform/postgres"
)

// Readiness is how a learner stands before her exam, as of an instant: her own results, how those fared who stood where she stands, and her weeks
// beside those of the people who passed.
type Readiness struct {
	EnrolmentID string
	AsOf        time.Time
	Definition  string
	Results
	Standing
	Weeks []Week
}

type resultRow struct {
	EnrolmentID string `db:"enrolment_id"`
	GradePPM    *int   `db:"grade_ppm"`
	MockPPM     *int   `db:"mock_ppm"`
	Passed      bool   `db:"passed"`
}

// results are those of a row; the books keep what was not attempted below nought.
func (r resultRow) results() Results {
	out := Results{r.GradePPM, r.MockPPM}
	if out.GradePPM != nil && *out.GradePPM < 0 {
		out.GradePPM = nil
	}
	return out
}

// ModelTx gathers those who sat the exam in a session or in one of its course that did not begin later, as of an instant. It reads the results of
// many people: it is asked as the house.
func ModelTx(ctx context.Context, tx *postgres.Tx, sessionID string, asOf time.Time) (Model, error) {
	var rows []resultRow
	if err := tx.Select(ctx, &rows, q.Q("Peers"), sessionID, asOf); err != nil {
		return nil, err
	}
	var m Model
	for _, r := range rows {
		m = append(m, Peer{r.results(), r.Passed})
	}
	return m, nil
}

// ResultsTx are the results of enrolments as of an instant.
func ResultsTx(ctx context.Context, tx *postgres.Tx, asOf time.Time, enrolments ...string) (map[string]Results, error) {
	var rows []resultRow
	if err := tx.Select(ctx, &rows, q.Q("Results"), pq.Array(enrolments), asOf); err != nil {
		return nil, err
	}
	out := make(map[string]Results, len(rows))
	for _, r := range rows {
		out[r.EnrolmentID] = r.results()
	}
	return out, nil
}

// ReadinessTx tells how the learner of an enrolment stands, as of an instant (zero: now). It is asked as the house, of an enrolment that the caller
// may see.
func ReadinessTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, asOf time.Time) (r Readiness, err error) {
	if asOf.IsZero() {
		asOf = tx.Now()
	}
	r = Readiness{EnrolmentID: e.ID, AsOf: asOf, Definition: Definition, Weeks: []Week{}}
	mine, err := ResultsTx(ctx, tx, asOf, e.ID)
	if err != nil {
		return r, err
	}
	m, err := ModelTx(ctx, tx, e.SessionID, asOf)
	if err != nil {
		return r, err
	}
	r.Results = mine[e.ID]
	r.Standing = m.Of(r.Results)
	r.Weeks, err = weeksTx(ctx, tx, e, asOf)
	return r, err
}

func weeksTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, asOf time.Time) ([]Week, error) {
	s, err := catalog.SessionTx(ctx, tx, e.SessionID)
	if err != nil {
		return nil, err
	}
	var passed []string
	if err := tx.Select(ctx, &passed, q.Q("WhoPassed"), e.SessionID, asOf); err != nil {
		return nil, err
	}
	var rows []struct {
		EnrolmentID string `db:"enrolment_id"`
		Week        int    `db:"week"`
		PPM         int    `db:"ppm"`
		Done        int    `db:"done"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Weeks"), pq.Array(append(passed, e.ID)), asOf); err != nil {
		return nil, err
	}
	var mine []WeekResult
	theirs := map[int][]int{}
	for _, r := range rows {
		if r.EnrolmentID == e.ID {
			mine = append(mine, WeekResult{r.Week, r.PPM, r.Done})
		} else {
			theirs[r.Week] = append(theirs[r.Week], r.PPM)
		}
	}
	var started time.Time
	if s.StartsAt != nil {
		started = *s.StartsAt
	}
	return weeksOf(mine, theirs, started, asOf), nil
}

// MockInCourseTx says whether a session has its mock exam among the exercises of its course.
func MockInCourseTx(ctx context.Context, tx *postgres.Tx, sessionID string) (has bool, err error) {
	return has, tx.Get(ctx, &has, q.Q("MockInCourse"), sessionID)
}
