package flows

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/sales"
)

// examRulesChanged decides anew for everybody of a session after its exam came to ask for something else.
func (h *House) examRulesChanged(ctx context.Context, e exams.RulesChanged) error {
	return h.Exams.Refresh(ctx, e.SessionID, e.ExamID)
}

// examStandingChanged decides anew for a learner after something of herself changed.
func (h *House) examStandingChanged(ctx context.Context, e exams.StandingChanged) error {
	if e.EnrolmentID == "" {
		return h.Exams.RefreshLearner(ctx, e.LearnerID, e.Cause)
	}
	return h.Exams.RefreshOne(ctx, e.EnrolmentID, e.Cause)
}

// orderContested closes the exams of an order while the bank asks for its money, and opens them again.
func (h *House) orderContested(ctx context.Context, e sales.OrderContested) error {
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil {
		return err
	}
	return h.refresh(ctx, o.Enrolments(), o.ID)
}
