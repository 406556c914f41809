package web

import (
	"context"
	"time"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/money"
	paging "cursus/internal/kernel/page"
)

// AccountHouse is what the pages ask of the rooms about documents, statements, exports and reconciliation. It speaks in the rooms' own types. Who may not do a
// thing is Forbidden.
type AccountHouse interface {
	Documents(ctx context.Context, who Viewer, f invoicing.Filter, p paging.Request) (all []invoicing.Full, next string, err error)
	// OrderDocuments are the documents of an order of the viewer.
	OrderDocuments(ctx context.Context, who Viewer, order string) ([]invoicing.Full, error)
	// Issuers are those in whose name documents are written.
	Issuers(ctx context.Context, who Viewer) ([]invoicing.IssuerDetails, error)
	// SaveIssuer writes an issuer over the version that it carries, or makes one that must not be there.
	SaveIssuer(ctx context.Context, who Viewer, d invoicing.IssuerDetails, isNew bool) error
	// OrderBilling is to whom an order of the viewer is billed; SaveOrderBilling writes over the version that it carries.
	OrderBilling(ctx context.Context, who Viewer, order string) (invoicing.Billing, error)
	SaveOrderBilling(ctx context.Context, who Viewer, order string, b invoicing.Billing) error
	// DocumentFile is a document as pdf or xml.
	DocumentFile(ctx context.Context, who Viewer, id, format string) (File, error)

	Accounts(ctx context.Context, who Viewer, asOf time.Time) ([]accounting.Row, error)
	AccountEntries(ctx context.Context, who Viewer, f accounting.Filter, p paging.Request) (all []accounting.Entry, next string, err error)
	OrderStatement(ctx context.Context, who Viewer, order string) (accounting.OrderStatement, error)
	// Journal is the journal of a period as csv or fec.
	Journal(ctx context.Context, who Viewer, format string, p accounting.Period, c money.Currency) (File, error)

	Agreements(ctx context.Context, who Viewer) ([]accounting.Agreement, []identity.Organisation, error)
	// Partner finds an organisation whose money the viewer sees, with its agreements.
	Partner(ctx context.Context, who Viewer, partner string) (identity.Managed, []accounting.Agreement, error)
	PartnerStatement(ctx context.Context, who Viewer, partner string, p accounting.Period, c money.Currency) (accounting.PartnerStatement, error)
	// PartnerPaper is the statement on paper, in a language.
	PartnerPaper(ctx context.Context, who Viewer, partner string, p accounting.Period, c money.Currency, lang string) (File, error)
	// RecordSettlement records it once per key.
	RecordSettlement(ctx context.Context, who Viewer, key string, s accounting.Settlement) error

	// Reconciliations gives the last comparisons and the differences of a state.
	Reconciliations(ctx context.Context, who Viewer, state string, p paging.Request) (runs []accounting.Run, all []accounting.Difference, next string, err error)
	StartReconciliation(ctx context.Context, who Viewer, key string) error
	Investigate(ctx context.Context, who Viewer, id string) (accounting.Investigation, error)
}

// accountRoutes are the addresses of these pages.
func (w *Web) accountRoutes() []route {
	return []route{
		{method: "GET", path: "/orders/:id/documents", who: signedIn, handle: w.orderDocuments},
		{method: "GET", path: "/orders/:id/billing", who: signedIn, handle: w.billing},
		{method: "POST", path: "/orders/:id/billing", who: signedIn, handle: w.saveBilling},
		{method: "GET", path: "/console/issuers", who: staff, handle: w.issuerList},
		{method: "GET", path: "/console/issuers/:key", who: staff, handle: w.editIssuer},
		{method: "POST", path: "/console/issuers/:key", who: staff, handle: w.saveIssuer, large: true, fresh: always},
		{method: "GET", path: "/documents/:id.:format", who: signedIn, handle: w.documentFile},
		{method: "GET", path: "/console/documents", who: staff, handle: w.documentList},
		{method: "GET", path: "/console/accounts", who: staff, handle: w.accountList},
		{method: "GET", path: "/console/accounts/journal.:format", who: staff, handle: w.journalFile},
		{method: "GET", path: "/console/accounts/orders/:id", who: staff, handle: w.orderStatement},
		{method: "GET", path: "/console/partners", who: staff, handle: w.partnerPage},
		{method: "GET", path: "/console/partners/statement.csv", who: staff, handle: w.partnerFile},
		{method: "GET", path: "/console/partners/statement.pdf", who: staff, handle: w.partnerPaper},
		{method: "GET", path: "/partners/:key/statement", who: signedIn, handle: w.ownStatement},
		{method: "GET", path: "/partners/:key/statement.csv", who: signedIn, handle: w.partnerFile},
		{method: "GET", path: "/partners/:key/statement.pdf", who: signedIn, handle: w.partnerPaper},
		{method: "POST", path: "/console/partners/settlements", who: staff, handle: w.recordSettlement},
		{method: "GET", path: "/console/reconciliation", who: staff, handle: w.reconciliation},
		{method: "POST", path: "/console/reconciliation", who: staff, handle: w.startReconciliation},
		{method: "GET", path: "/console/reconciliation/:id", who: staff, handle: w.difference},
	}
}
