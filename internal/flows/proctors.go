package flows

import (
	"context"

	"cursus/internal/domain/exams"
)

// proctorDue tells the provider that watches over an attempt what became of it.
func (h *House) proctorDue(ctx context.Context, e exams.ProctorDue) error {
	return h.Exams.TellProctor(ctx, e.AttemptID)
}

// proctorHeard does what a provider said of an attempt.
func (h *House) proctorHeard(ctx context.Context, e exams.ProctorHeard) error {
	return h.Exams.WorkOnProctorEvent(ctx, e.EventID)
}
