package flows

import (
	"context"

	"cursus/internal/domain/intakes"
	"cursus/internal/domain/uploads"
)

// rosterSent makes the difference of a roster that came as a file.
func (h *House) rosterSent(ctx context.Context, e uploads.CheckAsked) error {
	return h.Uploads.Check(ctx, e)
}

// rosterDecided applies a roster.
func (h *House) rosterDecided(ctx context.Context, e uploads.ApplyAsked) error {
	return h.Uploads.Run(ctx, e)
}

// filesAsked tries files of learning platforms, or takes them in.
func (h *House) filesAsked(ctx context.Context, e intakes.Asked) error {
	return h.Intakes.Work(ctx, e)
}
