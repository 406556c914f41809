package flows

import (
	"context"

	"cursus/internal/domain/labs"
)

// labStopDue asks the provider of a lab to stop a machine.
func (h *House) labStopDue(ctx context.Context, e labs.StopDue) error {
	return h.Labs.Stop(ctx, e.LaunchID)
}
