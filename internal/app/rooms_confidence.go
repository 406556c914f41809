package app

import (
	"context"
	"time"

	"cursus/internal/domain/confidence"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// seenEnrolment finds an enrolment that the actor may see.
func (h *House) seenEnrolment(ctx context.Context, id string) (e enrolment.Enrolment, err error) {
	err = h.DB.View(ctx, "enrolment", func(ctx context.Context, tx *postgres.Tx) error {
		e, err = enrolment.OneTx(ctx, tx, id)
		return err
	})
	return e, err
}

// Readiness tells how the learner of an enrolment stands. It is counted by the house, over everybody.
func (r Rooms) Readiness(ctx context.Context, _ api.Principal, enrolmentID string, asOf time.Time) (x confidence.Readiness, err error) {
	e, err := r.h.seenEnrolment(ctx, enrolmentID)
	if err != nil {
		return x, err
	}
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "readiness", func(ctx context.Context, tx *postgres.Tx) error {
		x, err = confidence.ReadinessTx(ctx, tx, e, asOf)
		return err
	})
	return x, err
}

// BookMockExam books the practice exam.
func (r Rooms) BookMockExam(ctx context.Context, who api.Principal, enrolmentID, key string) (api.Sitting, error) {
	learner := who.PersonID
	if herself(who, "exams:book") == "" {
		e, err := r.h.seenEnrolment(ctx, enrolmentID)
		if err != nil {
			return api.Sitting{}, err
		}
		learner = e.LearnerID
	}
	x, err := r.h.Exams.Book(ctx, exams.BookSitting{LearnerID: learner, EnrolmentID: enrolmentID, Kind: exams.Practice, IdempotencyKey: key})
	return apiSitting(x), err
}
