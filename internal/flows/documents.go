package flows

import (
	"context"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/invoicing"
)

// documentIssued prints a document and keeps the paper.
func (h *House) documentIssued(ctx context.Context, e invoicing.Issued) error {
	return h.Invoicing.Print(ctx, e.DocumentID)
}

// reconciliationAsked compares the provider's book, the ledger, the orders, the enrolments and the documents.
func (h *House) reconciliationAsked(ctx context.Context, e accounting.Asked) error {
	return h.Accounting.Reconcile(ctx, e.RunID)
}
