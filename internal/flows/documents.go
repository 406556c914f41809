package flows

import (
	"context"

	"cursus/internal/domain/invoicing"
)

// documentIssued prints a document and keeps the paper.
func (h *House) documentIssued(ctx context.Context, e invoicing.Issued) error {
	return h.Invoicing.Print(ctx, e.DocumentID)
}
