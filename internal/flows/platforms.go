package flows

import (
	"context"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/lms"
)

// enrolmentChanged has the learning platform of a session say what the grants of an enrolment say now.
func (h *House) enrolmentChanged(ctx context.Context, e enrolment.Changed) error {
	return h.LMS.Ask(ctx, e.EnrolmentID)
}

// platformListDue reads what a learning platform lists of a session.
func (h *House) platformListDue(ctx context.Context, e lms.ListDue) error {
	return h.LMS.List(ctx, e)
}

// platformDue tells a learning platform what is due.
func (h *House) platformDue(ctx context.Context, e lms.Due) error {
	return h.LMS.Serve(ctx, e.Platform)
}
