package app

import (
	"context"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Eligibility says whether a learner may sit the exam, and what a retake costs her where she needs one.
func (r Rooms) Eligibility(ctx context.Context, _ api.Principal, enrolmentID string) (out api.Eligibility, err error) {
	err = r.h.DB.View(ctx, "eligibility", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolment.OneTx(ctx, tx, enrolmentID)
		if err != nil {
			return err
		}
		d, _, err := exams.EligibilityTx(ctx, tx, e)
		if err != nil {
			return err
		}
		out = api.Eligibility{EnrolmentID: enrolmentID, Eligible: d.Eligible, Conditions: d.Conditions}
		out.Retakes, err = retakesTx(ctx, tx, e, d)
		return err
	})
	return out, err
}

// retakesTx is what the next attempt of an enrolment costs its learner, where a decision asks for a retake.
func retakesTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, d exams.Decision) ([]sales.RetakeOffer, error) {
	if !d.AsksForRetake() {
		return nil, nil
	}
	return sales.RetakesTx(ctx, tx, e.SessionID, e.LearnerID)
}
