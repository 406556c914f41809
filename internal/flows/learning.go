package flows

import (
	"context"
	"errors"

	"cursus/internal/domain/certificates"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/webhooks"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/platform/postgres"
)

// gradesImported looks who may sit the exam now.
func (h *House) gradesImported(ctx context.Context, e gradebook.Imported) error {
	if err := h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) {
		return stageNews(ctx, tx, e)
	}, webhooks.StageReached, webhooks.StageLost); err != nil {
		return err
	}
	return h.Exams.Refresh(ctx, e.SessionID, e.CollectionID)
}

// standingChanged looks who may sit the exam after attendance or productions were recorded, and awards what was passed before and waited
// for them.
func (h *House) standingChanged(ctx context.Context, e workshops.StandingChanged) error {
	return h.refresh(ctx, e.Enrolments, e.Cause)
}

func (h *House) refresh(ctx context.Context, enrolments []string, cause string) error {
	for _, id := range enrolments {
		if err := h.Exams.RefreshOne(ctx, id, cause); err != nil {
			return err
		}
		sitting, err := h.Exams.PassedSitting(ctx, id)
		if errors.Is(err, exams.ErrNoSitting) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := h.Certificates.Award(ctx, sitting.ID); err != nil && !errors.Is(err, certificates.ErrNotEarned) {
			return err
		}
	}
	return nil
}

// sittingBooked confirms the exam by mail.
func (h *House) sittingBooked(ctx context.Context, e exams.SittingBooked) error {
	var x exams.Sitting
	if err := h.DB.View(ctx, "sitting", func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = exams.SittingTx(ctx, tx, e.SittingID)
		return err
	}); err != nil {
		return err
	}
	if err := h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) { return bookedNews(ctx, tx, x) }, webhooks.ExamBooked); err != nil {
		return err
	}
	l := letter{name: "exam_booked", reference: x.ID + ".booked", person: x.LearnerID, session: x.SessionID, path: "/learning#" + x.EnrolmentID}
	if err := h.whereAndWhen(ctx, x.SlotID, &l); err != nil {
		return err
	}
	return h.post(ctx, l)
}

// resultRecorded awards the certificate that a passed exam has earned.
func (h *House) resultRecorded(ctx context.Context, e exams.ResultRecorded) error {
	if err := h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) {
		return resultNews(ctx, tx, e.SittingID)
	}, webhooks.ExamResult); err != nil {
		return err
	}
	_, err := h.Certificates.Award(ctx, e.SittingID)
	failpoint.Here("certificate awarded")
	if errors.Is(err, certificates.ErrNotEarned) { // failed, perhaps after all, or the formula was taken back meanwhile
		return h.notPassed(ctx, e.SittingID)
	}
	return err
}
