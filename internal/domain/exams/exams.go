// Package exams decides who may sit the supervised exam of a session, with every reason, and keeps the sittings and their results.
package exams

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("exams", queriesSQL)

// Every fault of this room.
var (
	ErrNotEligible  = fault.New(fault.Unprocessable, "not-eligible", "The conditions of the exam are not met.")
	ErrBooked       = fault.New(fault.Conflict, "exam-booked-already", "The exam is booked already.")
	ErrNoSitting    = fault.New(fault.NotFound, "no-such-sitting", "There is no such sitting.")
	ErrResult       = fault.New(fault.Invalid, "bad-result", "A result is passed, failed or no_show; passed and failed carry a score from 0 to 1,000,000 ppm.")
	ErrNoExam       = fault.New(fault.NotFound, "no-such-exam", "The session has no exam of this kind.")
	ErrChanged      = fault.New(fault.Precondition, "changed-meanwhile", "This was changed since you read it. Read it again and decide again.")
	ErrNoSlot       = fault.New(fault.NotFound, "no-such-exam-slot", "There is no such slot of this exam.")
	ErrSlotNeeded   = fault.New(fault.Unprocessable, "exam-slot-needed", "This exam has times to choose from: choose one.")
	ErrSlotOver     = fault.New(fault.Conflict, "exam-slot-over", "The slot has begun or was called off.")
	ErrSlotFull     = fault.New(fault.Conflict, "exam-slot-full", "Every place of this slot is taken.")
	ErrPlaceLeft    = fault.New(fault.Conflict, "exam-place-left", "This slot has a place left: book it.")
	ErrTooFewPlaces = fault.New(fault.Conflict, "places-taken", "More places are taken than the slot would have.")
	ErrOverlap      = fault.New(fault.Conflict, "exam-overlaps", "Another exam of hers is at that time.")
	ErrNotWaiting   = fault.New(fault.NotFound, "not-waiting", "She does not wait for this slot.")
	ErrTooLate      = fault.New(fault.Conflict, "too-late-to-leave", "The time until which the booking can be left or changed is over.")
	ErrBegun        = fault.New(fault.Conflict, "exam-begun", "The exam was begun.")
	ErrNotVerified  = fault.New(fault.Conflict, "attempt-not-verified", "The attempt is not reviewed yet.")
	ErrNoAttempt    = fault.New(fault.NotFound, "no-such-attempt", "The sitting has no such attempt.")
	ErrAttemptOver  = fault.New(fault.Conflict, "attempt-over", "The attempt is over: nothing moves it.")
	ErrPast         = fault.New(fault.Conflict, "attempt-past-that", "The attempt is past that already.")
	ErrNotYet       = fault.New(fault.Conflict, "attempt-not-so-far", "The attempt is not so far yet.")
	ErrTooEarly     = fault.New(fault.Conflict, "exam-ahead", "The exam does not begin yet.")
	ErrSameReviewer = fault.New(fault.Forbidden, "same-reviewer", "Who decided first does not decide about the appeal: somebody else has to.")
	ErrNoAppeal     = fault.New(fault.NotFound, "no-such-appeal", "There is no such appeal.")
	ErrAppealed     = fault.New(fault.Conflict, "appealed-already", "There is an appeal already.")
	ErrNoAppealDue  = fault.New(fault.Unprocessable, "nothing-to-appeal", "There is no result against which an appeal is open now.")
	ErrDecided      = fault.New(fault.Conflict, "result-recorded-already", "Another result was recorded for this sitting.")
)

func init() {
	postgres.RegisterConstraint("one_open_sitting", ErrBooked)
	postgres.RegisterConstraint("one_sitting_per_attempt", ErrBooked)
	postgres.RegisterConstraint("one_appeal", ErrAppealed)
	postgres.RegisterConstraint("second_reviewer", ErrSameReviewer)
}

// State is where a sitting stands.
type State string

// The states of a sitting.
const (
	Booked   State = "booked"
	Passed   State = "passed"
	Failed   State = "failed"
	NoShow   State = "no_show"
	Canceled State = "canceled"
	Withheld State = "withheld" // it has a result that nobody is told: its payment is contested or gone
)

// Life is every move that a sitting can make.
// A result changes only by a later review of its attempt or an appeal.
var Life = lifecycle.Table[State]{Name: "sitting", Start: Booked, Moves: map[State][]State{
	Booked: {Passed, Failed, NoShow, Canceled, Withheld}, Withheld: {Passed, Failed, NoShow, Canceled}, Passed: {Failed, Withheld}, Failed: {Passed, Withheld},
}}

// Sitting is one attempt at the exam of one enrolment. The score is in millionths.
type Sitting struct {
	ID          string     `db:"id"`
	EnrolmentID string     `db:"enrolment_id"`
	LearnerID   string     `db:"learner_id"`
	SessionID   string     `db:"session_id"`
	Kind        Kind       `db:"kind"`
	Attempt     int        `db:"attempt"`
	State       State      `db:"state"`
	ScorePPM    *int       `db:"score_ppm"`
	Reference   string     `db:"reference"`
	BookedAt    time.Time  `db:"booked_at"`
	ResultAt    *time.Time `db:"result_at"`
	SlotID      string     `db:"slot_id"`    // empty: no slot
	HeldState   string     `db:"held_state"` // the result that is withheld; not for the learner
}

// What happened to sittings, and to who may have one.
type (
	// SittingBooked and ResultRecorded say what happened to a sitting.
	SittingBooked struct {
		SittingID string `json:"sitting_id"`
	}
	ResultRecorded struct {
		SittingID string `json:"sitting_id"`
	}
	// EligibilityChanged says who may sit the exam now, and who may not any more.
	EligibilityChanged struct {
		Eligible []string  `json:"eligible"` // enrolments
		Lost     []string  `json:"lost"`
		At       time.Time `json:"at"`
	}
)

// Kind names the job.
func (SittingBooked) Kind() string { return "exams.sitting_booked" }

// Kind names the job.
func (ResultRecorded) Kind() string { return "exams.result_recorded" }

// Kind names the job.
func (EligibilityChanged) Kind() string { return "exams.eligibility_changed" }

// Service is the room.
type Service struct {
	db      *postgres.DB
	jobs    *jobs.Jobs
	replies *idempotency.Store
	proctor Proctor // nil until ProctorWith
	seal    seal.Sealer
	base    string // address of our site
}

// New opens the room.
func New(db *postgres.DB, j *jobs.Jobs) *Service {
	return &Service{db: db, jobs: j, replies: idempotency.New(db)}
}

// OfEnrolmentTx lists the sittings of an enrolment at the exam that leads to the certificate, the latest first.
func OfEnrolmentTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) ([]Sitting, error) {
	return ofEnrolmentTx(ctx, tx, enrolmentID, Proctored)
}

func ofEnrolmentTx(ctx context.Context, tx *postgres.Tx, enrolmentID string, kind Kind) ([]Sitting, error) {
	out := []Sitting{}
	err := tx.Select(ctx, &out, q.Q("OfEnrolment"), enrolmentID, kind)
	return out, err
}

// SittingsTx lists the sittings of everybody, the latest first, and the id after which the list goes on. State empty: all; review: those whose
// attempt waits for a person.
func SittingsTx(ctx context.Context, tx *postgres.Tx, state string, p page.Request) (all []Sitting, next string, err error) {
	if err := tx.Select(ctx, &all, q.Q("Sittings"), state, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all = all[:p.Limit]
		next = all[p.Limit-1].ID
	}
	return all, next, nil
}

// SittingTx finds a sitting by id.
func SittingTx(ctx context.Context, tx *postgres.Tx, id string) (Sitting, error) {
	var x Sitting
	err := tx.Get(ctx, &x, q.Q("One"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return x, ErrNoSitting
	}
	return x, err
}

// PassedSitting finds the sitting that an enrolment passed. Errors: ErrNoSitting.
func (s *Service) PassedSitting(ctx context.Context, enrolmentID string) (x Sitting, err error) {
	err = s.db.View(ctx, "passed sitting", func(ctx context.Context, tx *postgres.Tx) error {
		all, err := OfEnrolmentTx(ctx, tx, enrolmentID)
		for _, x = range all {
			if x.State == Passed {
				return err
			}
		}
		if err == nil {
			err = ErrNoSitting
		}
		return err
	})
	return x, err
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "13", Name: "nobody sat an exam without having been eligible", Query: q.Q("CheckEligible")},
		{Invariant: "18", Name: "the journey knows who passed", Query: q.Q("CheckPassed")},
		{Invariant: "13", Name: "who passed was verified, where she was proctored", Query: q.Q("CheckAttempts")},
		{Invariant: "13", Name: "an attempt that is not included was paid for by a retake of its own", Query: q.Q("CheckRetakes")},
		{Invariant: "11", Name: "no slot of an exam has more places taken than it has", Query: q.Q("CheckPlaces")},
		{Invariant: "21", Name: "an attempt that no person decided is what the review of its provider says that counts", Query: q.Q("CheckProctors")},
		{Invariant: "14", Name: "an appeal is decided by another person than the result", Query: q.Q("CheckAppeals")},
	}
}
