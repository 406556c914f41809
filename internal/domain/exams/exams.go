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
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("exams", queriesSQL)

// Every fault of this room.
var (
	ErrNotEligible = fault.New(fault.Unprocessable, "not-eligible", "The conditions of the exam are not met.")
	ErrBooked      = fault.New(fault.Conflict, "exam-booked-already", "The exam is booked already.")
	ErrNoSitting   = fault.New(fault.NotFound, "no-such-sitting", "There is no such sitting.")
	ErrResult      = fault.New(fault.Invalid, "bad-result", "A result is passed, failed or no_show; passed and failed carry a score from 0 to 1,000,000 ppm.")
	ErrNoExam      = fault.New(fault.NotFound, "no-such-exam", "The session has no exam of this kind.")
	ErrChanged     = fault.New(fault.Precondition, "changed-meanwhile", "This was changed since you read it. Read it again and decide again.")
	ErrDecided     = fault.New(fault.Conflict, "result-recorded-already", "Another result was recorded for this sitting.")
)

func init() {
	postgres.RegisterConstraint("one_open_sitting", ErrBooked)
	postgres.RegisterConstraint("one_sitting_per_attempt", ErrBooked)
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
)

// Life is every move that a sitting can make.
var Life = lifecycle.Table[State]{Name: "sitting", Start: Booked, Moves: map[State][]State{Booked: {Passed, Failed, NoShow, Canceled}}}

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
	}
}
