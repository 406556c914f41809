// Package journey is the book of how far each enrolment got.
//
// It keeps an append-only history of changes and, beside it, one row per enrolment with what holds now and when each stage
// was first reached. A change has two times: `at`, since when it is true, and `recorded_at`, when we learnt it. For each
// stage the history is a step function: what holds at t is the last change with at ≤ t, and of two changes at one instant
// the one written later. Hence changes may arrive in any order of `at`, and a question with the same pair (as of, known at)
// has the same answer for ever.
package journey

import (
	"context"
	_ "embed"
	"sort"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("journey", queriesSQL)

// Stage is one thing that can hold of an enrolment.
type Stage string

// The stages. Diligence is not one of them: it is Week2First and what a report's week-1 rule asks for.
const (
	Enrolled   Stage = "enrolled"    // false after leaving, true again after a return
	Started    Stage = "started"     // has a score in a scored exercise
	Week1First Stage = "week1_first" // did the first scored exercise of week 1
	Week1All   Stage = "week1_all"   // did all of them
	Week1Any   Stage = "week1_any"   // did one of them
	Week2First Stage = "week2_first" // did the first scored exercise of week 2
	Succeeded  Stage = "succeeded"   // global grade ≥ the session's threshold
	Eligible   Stage = "eligible"    // may sit the exam
	ExamBooked Stage = "exam_booked"
	ExamSat    Stage = "exam_sat"
	ExamPassed Stage = "exam_passed"
	Certified  Stage = "certified"  // a certificate is issued and not revoked
	Qualifying Stage = "qualifying" // a paid QUALIFYING formula is in force
)

// bits repeats journey.stages for the masks of questions; a test compares the two.
var bits = map[Stage]int{
	Enrolled: 0, Started: 1, Week1First: 2, Week1All: 3, Week1Any: 4, Week2First: 5, Succeeded: 6,
	Eligible: 7, ExamBooked: 8, ExamSat: 9, ExamPassed: 10, Certified: 11, Qualifying: 12,
}

func mask(stages ...Stage) (m int) {
	for _, s := range stages {
		m |= 1 << bits[s]
	}
	return m
}

// Faults of this book.
var (
	ErrUnknownEnrolment = fault.New(fault.Internal, "journey-not-open", "A change was told of an enrolment that has no journey.")
	ErrWeek1Rule        = fault.New(fault.Invalid, "bad-week1-rule", "The week-1 rule is first, all, any or none.")
	ErrBasis            = fault.New(fault.Invalid, "bad-basis", "The basis is current or ever.")
)

// Opening starts the journey of an enrolment: it is enrolled, and may be qualifying from the start.
type Opening struct {
	EnrolmentID, SessionID, LearnerID string
	At                                time.Time
	Cause                             string
	Qualifying                        bool
}

// changes are what an opening says of its enrolment.
func (o Opening) changes() []Change {
	all := []Change{{o.EnrolmentID, Enrolled, o.At, true, o.Cause}}
	if o.Qualifying {
		all = append(all, Change{o.EnrolmentID, Qualifying, o.At, true, o.Cause})
	}
	return all
}

// Change says that a stage holds or no longer holds since At.
type Change struct {
	EnrolmentID string
	Stage       Stage
	At          time.Time
	Reached     bool
	Cause       string // the id of what caused it: a collection, an order, a sitting
}

// OpenTx opens journeys with what holds of them from the start. One that is open already goes on with it: somebody came back, or
// upgraded.
func OpenTx(ctx context.Context, tx *postgres.Tx, openings []Opening) error {
	if len(openings) == 0 {
		return nil
	}
	var ids, sessions, learners, ats, causes []string
	var qualifying []bool
	for _, o := range openings {
		ids, sessions, learners = append(ids, o.EnrolmentID), append(sessions, o.SessionID), append(learners, o.LearnerID)
		ats, causes, qualifying = append(ats, o.At.UTC().Format(time.RFC3339Nano)), append(causes, o.Cause), append(qualifying, o.Qualifying)
	}
	var opened []string
	if err := tx.Select(ctx, &opened, q.Q("Open"), pq.Array(ids), pq.Array(sessions), pq.Array(learners), pq.Array(ats), pq.Array(causes),
		pq.Array(qualifying), mask(Enrolled), mask(Enrolled, Qualifying), tx.Now()); err != nil {
		return err
	}
	fresh := make(map[string]bool, len(opened))
	for _, id := range opened {
		fresh[id] = true
	}
	var rest []Change
	for _, o := range openings {
		if !fresh[o.EnrolmentID] {
			rest = append(rest, o.changes()...)
		}
	}
	return RecordTx(ctx, tx, rest)
}

// RecordTx writes changes into the history, in the order given, and brings the rows of their enrolments up to date.
// The rows are locked in the order of their ids, so that two writers wait for each other instead of deadlocking.
func RecordTx(ctx context.Context, tx *postgres.Tx, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	touched := map[string]bool{}
	var ids, stages, causes []string
	var reached []bool
	var ats []string
	for _, c := range changes {
		touched[c.EnrolmentID] = true
		ids, stages, causes = append(ids, c.EnrolmentID), append(stages, string(c.Stage)), append(causes, c.Cause)
		reached, ats = append(reached, c.Reached), append(ats, c.At.UTC().Format(time.RFC3339Nano))
	}
	unique := make([]string, 0, len(touched))
	for id := range touched {
		unique = append(unique, id)
	}
	sort.Strings(unique)
	var written struct {
		Changes int64 `db:"changes"`
		First   int64 `db:"first"` // its place in the history
	}
	if err := tx.Get(ctx, &written, q.Q("Record"), pq.Array(ids), pq.Array(stages), pq.Array(reached), pq.Array(ats), pq.Array(causes), tx.Now()); err != nil {
		return err
	}
	if written.Changes != int64(len(changes)) {
		return ErrUnknownEnrolment
	}
	if _, err := tx.Exec(ctx, q.Q("Tally"), pq.Array(unique), written.First); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, q.Q("Refresh"), pq.Array(unique), tx.Now())
	return err
}

// Question asks for the counts of one session.
type Question struct {
	SessionID  string
	AsOf       time.Time // effective time; zero: now, with everything that is recorded
	KnownAt    time.Time // what had been recorded by then; zero: everything
	Basis      string    // "current" (default): what holds of those who have not left; "ever": what ever held, of everybody
	Week1Rule  string    // "first" (default), "all", "any", "none"
	Qualifying bool      // only enrolments with a paid formula in force
	Enrolments []string  // only these; nil: all
}

// Counts are numbers of enrolments; every count is of a subset of Enrolled.
type Counts struct {
	Enrolled  int64 `db:"enrolled" json:"enrolled"`
	Started   int64 `db:"started" json:"started"`
	Diligent  int64 `db:"diligent" json:"diligent"`
	Succeeded int64 `db:"succeeded" json:"succeeded"`
	Eligible  int64 `db:"eligible" json:"eligible"`
	Booked    int64 `db:"booked" json:"booked"`
	Sat       int64 `db:"sat" json:"sat"`
	Passed    int64 `db:"passed" json:"passed"`
	Certified int64 `db:"certified" json:"certified"`
}

// Plus counts the people of both; somebody who is in both counts twice.
func (c Counts) Plus(d Counts) Counts {
	return Counts{
		Enrolled: c.Enrolled + d.Enrolled, Started: c.Started + d.Started, Diligent: c.Diligent + d.Diligent, Succeeded: c.Succeeded + d.Succeeded, Eligible: c.Eligible + d.Eligible,
		Booked: c.Booked + d.Booked, Sat: c.Sat + d.Sat, Passed: c.Passed + d.Passed, Certified: c.Certified + d.Certified,
	}
}

// Minus leaves the people who are not in d, who are all in c.
func (c Counts) Minus(d Counts) Counts {
	return Counts{
		Enrolled: c.Enrolled - d.Enrolled, Started: c.Started - d.Started, Diligent: c.Diligent - d.Diligent, Succeeded: c.Succeeded - d.Succeeded, Eligible: c.Eligible - d.Eligible,
		Booked: c.Booked - d.Booked, Sat: c.Sat - d.Sat, Passed: c.Passed - d.Passed, Certified: c.Certified - d.Certified,
	}
}

// endOfTime stands for "no bound" where a question gives only the other one of its two times.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// CountsTx answers a question: of a whole session by its tallies, which are few; of chosen enrolments by their rows, and with times by
// their history.
func CountsTx(ctx context.Context, tx *postgres.Tx, question Question) (Counts, error) {
	if question.Enrolments == nil {
		all, err := CountsOfTx(ctx, tx, question, question.SessionID)
		return all[question.SessionID], err
	}
	var c Counts
	of, diligent, err := question.masks()
	if err != nil {
		return c, err
	}
	args := []any{question.SessionID, of, diligent, pq.Array(question.Enrolments), question.Basis == "ever"}
	if question.AsOf.IsZero() && question.KnownAt.IsZero() {
		err := tx.Get(ctx, &c, q.Q("CountsNow"), args...)
		return c, err
	}
	err = tx.Get(ctx, &c, q.Q("CountsAsOf"), append(args, orEnd(question.AsOf), orEnd(question.KnownAt))...)
	return c, err
}

// fewSessions are those that are counted from the sums of states, which are found by session.
const fewSessions = 10

// CountsOfTx answers one question for each of several whole sessions, by their ids; its own session does not matter. One without
// enrolments is missing.
func CountsOfTx(ctx context.Context, tx *postgres.Tx, question Question, sessions ...string) (map[string]Counts, error) {
	if question.KnownAt.IsZero() && len(sessions) > fewSessions { // of few, their states are as near
		all, paying, err := headsTx(ctx, tx, question, sessions)
		if question.Qualifying {
			return paying, err
		}
		return all, err
	}
	of, diligent, err := question.masks()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		SessionID string `db:"session_id"`
		Counts
	}
	err = tx.Select(ctx, &rows, q.Q("Counts"), pq.Array(sessions), of, diligent, question.Basis == "ever", orEnd(question.AsOf), orEnd(question.KnownAt))
	all := make(map[string]Counts, len(rows))
	for _, r := range rows {
		all[r.SessionID] = r.Counts
	}
	return all, err
}

// CountsAndPayingTx is CountsOfTx of everybody and of those with a paid formula.
func CountsAndPayingTx(ctx context.Context, tx *postgres.Tx, question Question, sessions ...string) (all, paying map[string]Counts, err error) {
	if question.KnownAt.IsZero() && len(sessions) > fewSessions {
		return headsTx(ctx, tx, question, sessions)
	}
	question.Qualifying = false
	if all, err = CountsOfTx(ctx, tx, question, sessions...); err != nil {
		return nil, nil, err
	}
	question.Qualifying = true
	paying, err = CountsOfTx(ctx, tx, question, sessions...)
	return all, paying, err
}

// headsTx counts everybody and those with a paid formula, with all that is known, from the sums by heads.
func headsTx(ctx context.Context, tx *postgres.Tx, question Question, sessions []string) (all, paying map[string]Counts, err error) {
	_, diligent, err := question.masks()
	if err != nil {
		return nil, nil, err
	}
	var rows []struct {
		SessionID string `db:"session_id"`
		Paying    bool   `db:"paying"`
		Counts
	}
	err = tx.Select(ctx, &rows, q.Q("Heads"), pq.Array(sessions), diligent, question.Basis == "ever", orEnd(question.AsOf))
	all, paying = make(map[string]Counts, len(rows)), make(map[string]Counts, len(rows))
	for _, r := range rows {
		if r.Paying {
			paying[r.SessionID] = r.Counts
		}
		all[r.SessionID] = all[r.SessionID].Plus(r.Counts)
	}
	return all, paying, err
}

// masks are the stages of who is counted, and of the diligent. Errors: ErrBasis, ErrWeek1Rule.
func (question Question) masks() (of, diligent int, err error) {
	var stages []Stage
	switch question.Basis {
	case "", "current":
		stages = append(stages, Enrolled)
	case "ever":
	default:
		return 0, 0, ErrBasis
	}
	if question.Qualifying {
		stages = append(stages, Qualifying)
	}
	diligent, err = DiligentMask(question.Week1Rule)
	return mask(stages...), diligent, err
}

func orEnd(t time.Time) time.Time {
	if t.IsZero() {
		return endOfTime
	}
	return t
}

// UnlikeHistoryTx gives the enrolments of a session whose rows are not what their histories say.
func UnlikeHistoryTx(ctx context.Context, tx *postgres.Tx, sessionID string) (ids []string, err error) {
	err = tx.Select(ctx, &ids, q.Q("UnlikeHistory"), sessionID)
	return ids, err
}

// Checks are this book's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "18", Name: "the row of an enrolment is what its history says", Query: q.Q("CheckRowsEqualHistory")},
		{Invariant: "18", Name: "the tallies of a session add up to its history", Query: q.Q("CheckTalliesEqualHistory")},
		{Invariant: "18", Name: "the days of a session are the sums of its tallies", Query: q.Q("CheckDaysEqualTallies")},
		{Invariant: "18", Name: "the years and months of a session are the sums of its days", Query: q.Q("CheckSumsEqualDays")},
		{Invariant: "18", Name: "the heads of a session are the sums of its states", Query: q.Q("CheckHeadsEqualSums")},
		{Invariant: "18", Name: "stages reached imply the earlier ones", Query: q.Q("CheckStagesImplyEarlierOnes")},
	}
}
