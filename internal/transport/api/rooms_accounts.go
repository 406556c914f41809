package api

import (
	"context"
	"time"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

// AccountRooms is what the API asks of the house about documents, statements, exports and reconciliation, in the rooms' own types.
type AccountRooms interface {
	Documents(ctx context.Context, who Principal, f invoicing.Filter, p page.Request) (all []invoicing.Full, next string, err error)
	// Document finds a document of the caller, or any where she may read the accounts.
	Document(ctx context.Context, who Principal, id string) (invoicing.Full, error)
	DocumentPDF(ctx context.Context, who Principal, id string) (invoicing.Full, []byte, error)
	OrderDocuments(ctx context.Context, who Principal, order string) ([]invoicing.Full, error)
	// IssueOrderDocument issues a proforma or a receipt, once.
	IssueOrderDocument(ctx context.Context, who Principal, key, order, kind string) (invoicing.Full, error)
	OrderBilling(ctx context.Context, who Principal, order string) (invoicing.Billing, error)
	PutOrderBilling(ctx context.Context, who Principal, order string, b invoicing.Buyer, version int) (invoicing.Billing, error)
	Issuers(ctx context.Context, who Principal) ([]invoicing.IssuerDetails, error)
	PutIssuer(ctx context.Context, who Principal, d invoicing.IssuerDetails, version int) (invoicing.IssuerDetails, error)

	// Accounts gives the balances as of a time, or of now where it is zero, and that time.
	Accounts(ctx context.Context, who Principal, asOf time.Time) ([]accounting.Row, time.Time, error)
	AccountEntries(ctx context.Context, who Principal, f accounting.Filter, p page.Request) (all []accounting.Entry, next string, err error)
	OrderStatement(ctx context.Context, who Principal, order string) (accounting.OrderStatement, error)
	// Journal writes the journal of a period, as FEC or as CSV.
	Journal(ctx context.Context, who Principal, fec bool, p accounting.Period, c money.Currency) ([]byte, error)

	Agreements(ctx context.Context, who Principal) ([]accounting.Agreement, error)
	PutAgreement(ctx context.Context, who Principal, a accounting.Agreement, version int) (accounting.Agreement, error)
	PartnerStatement(ctx context.Context, who Principal, partner string, p accounting.Period, c money.Currency) (accounting.PartnerStatement, error)
	RecordSettlement(ctx context.Context, who Principal, key string, s accounting.Settlement) (accounting.Settlement, error)

	StartReconciliation(ctx context.Context, who Principal, key string) (accounting.Run, error)
	Reconciliation(ctx context.Context, who Principal, id string) (accounting.Run, error)
	Differences(ctx context.Context, who Principal, kind, state string, p page.Request) (all []accounting.Difference, next string, err error)
	Investigate(ctx context.Context, who Principal, id string) (accounting.Investigation, error)
}
