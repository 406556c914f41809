package journey

import (
	"context"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

// State is the set of stages that hold of an enrolment.
type State int

// Has says whether a stage holds.
func (s State) Has(stage Stage) bool { return int(s)&mask(stage) != 0 }

// With gives the state with a stage set or cleared.
func (s State) With(stage Stage, holds bool) State {
	if holds {
		return s | State(mask(stage))
	}
	return s &^ State(mask(stage))
}

// Step says that a stage holds, or not, since an instant.
type Step struct {
	At      time.Time
	Reached bool
}

// HistoryTx gives the steps of stages of enrolments of a session (nil: all) in the order of time, with everything that is recorded now: of
// several at one instant the last one, which counts.
func HistoryTx(ctx context.Context, tx *postgres.Tx, sessionID string, enrolments []string, stages ...Stage) (map[string]map[Stage][]Step, error) {
	var rows []struct {
		EnrolmentID string    `db:"enrolment_id"`
		Stage       Stage     `db:"stage"`
		At          time.Time `db:"at"`
		Reached     bool      `db:"reached"`
	}
	if err := tx.Select(ctx, &rows, q.Q("History"), pq.Array(enrolments), pq.Array(stages), sessionID); err != nil {
		return nil, err
	}
	all := make(map[string]map[Stage][]Step, len(enrolments))
	for _, r := range rows {
		if all[r.EnrolmentID] == nil {
			all[r.EnrolmentID] = map[Stage][]Step{}
		}
		steps := all[r.EnrolmentID][r.Stage]
		if n := len(steps); n > 0 && steps[n-1].At.Equal(r.At) {
			steps = steps[:n-1]
		}
		all[r.EnrolmentID][r.Stage] = append(steps, Step{r.At.UTC(), r.Reached})
	}
	return all, nil
}

// Row is one enrolment's way so far. First tells when each stage was first reached; it may not hold any more.
type Row struct {
	State State
	Ever  State
	First map[Stage]time.Time
}

// RowsTx gives the ways of enrolments; one without a journey is missing.
func RowsTx(ctx context.Context, tx *postgres.Tx, enrolments ...string) (map[string]Row, error) {
	var rows []struct {
		EnrolmentID string     `db:"enrolment_id"`
		Reached     int        `db:"reached"`
		Ever        int        `db:"ever"`
		Enrolled    *time.Time `db:"enrolled_at"`
		Started     *time.Time `db:"started_at"`
		Week2       *time.Time `db:"week2_at"`
		Succeeded   *time.Time `db:"succeeded_at"`
		Qualifying  *time.Time `db:"qualifying_at"`
		Booked      *time.Time `db:"exam_booked_at"`
		Sat         *time.Time `db:"exam_sat_at"`
		Passed      *time.Time `db:"exam_passed_at"`
		Certified   *time.Time `db:"certified_at"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Rows"), pq.Array(enrolments)); err != nil {
		return nil, err
	}
	out := make(map[string]Row, len(rows))
	for _, r := range rows {
		w := Row{State(r.Reached), State(r.Ever), map[Stage]time.Time{}}
		for stage, at := range map[Stage]*time.Time{
			Enrolled: r.Enrolled, Started: r.Started, Week2First: r.Week2, Succeeded: r.Succeeded, Qualifying: r.Qualifying,
			ExamBooked: r.Booked, ExamSat: r.Sat, ExamPassed: r.Passed, Certified: r.Certified,
		} {
			if at != nil {
				w.First[stage] = *at
			}
		}
		out[r.EnrolmentID] = w
	}
	return out, nil
}

// MembersTx lists the enrolments that a question counts as enrolled; with its Qualifying, those with a paid formula in force
// then. The basis ever counts who was so at some time.
func MembersTx(ctx context.Context, tx *postgres.Tx, question Question) ([]string, error) {
	of := []Stage{Enrolled}
	if question.Qualifying {
		of = append(of, Qualifying)
	}
	ids := []string{}
	err := tx.Select(ctx, &ids, q.Q("Members"), question.SessionID, mask(of...), question.Basis == "ever", orEnd(question.AsOf), orEnd(question.KnownAt))
	return ids, err
}

// Mask is the bits of stages in the rows of the book, for statements that join them with other books.
func Mask(stages ...Stage) int { return mask(stages...) }

// DiligentMask is what a week-1 rule asks of the diligent. Errors: ErrWeek1Rule.
func DiligentMask(week1Rule string) (int, error) {
	rule, ok := week1Rules[week1Rule]
	if !ok {
		return 0, ErrWeek1Rule
	}
	return mask(append(slices.Clone(rule), Week2First)...), nil
}

var week1Rules = map[string][]Stage{"": {Week1First}, "first": {Week1First}, "all": {Week1All}, "any": {Week1Any}, "none": {}}
