package invoicing

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room, beside ErrAmounts.
var (
	ErrIssued        = fault.New(fault.Conflict, "document-issued-already", "The document for this was issued already.")
	ErrNoInvoice     = fault.New(fault.NotFound, "no-such-invoice", "There is no invoice for this order.")
	ErrNoDocument    = fault.New(fault.NotFound, "no-such-document", "There is no such document.")
	ErrCredit        = fault.New(fault.Unprocessable, "credit-exceeds-invoice", "More cannot be credited than stands in the invoice.")
	ErrNoIssuer      = fault.New(fault.NotFound, "no-such-issuer", "There is no issuer with this key.")
	ErrIssuerChanged = fault.New(fault.Precondition, "issuer-changed", "Somebody changed this issuer meanwhile.")
	ErrSeries        = fault.New(fault.Internal, "series-of-another", "This series belongs to another issuer.")
	ErrRegime        = fault.New(fault.Unprocessable, "bad-regime", "A regime has dates in order, a rate where tax is due, and says in both languages why where none is.")
	ErrSoldByAnother = fault.New(fault.Conflict, "sold-by-another", "Another issuer sells this.")
	ErrNoExport      = fault.New(fault.Unprocessable, "not-exported", "Only invoices and credit notes are exported as files.")
	ErrBillingLate   = fault.New(fault.Conflict, "invoice-issued-already", "The invoice is issued; it cannot be made out to anybody else.")
	ErrBilling       = fault.New(fault.Precondition, "billing-changed", "The billing details were changed meanwhile.")
)

func init() {
	postgres.RegisterConstraint("document_reference_once", ErrIssued)
	postgres.RegisterConstraint("one_invoice_per_order", ErrIssued)
	postgres.RegisterConstraint("issuer_known", ErrNoIssuer)
	postgres.RegisterConstraint("issuer_series", fault.InvalidInput(fault.Field{
		Pointer: "/series", Code: "bad-series", Detail: "Capital letters and digits, then {issuer}-{year}, such as PF-{issuer}-{year}; proformas and receipts have series of their own."}))
	for _, c := range []string{"regime_dates", "regime_rate", "regime_says_why", "regimes_pkey"} {
		postgres.RegisterConstraint(c, ErrRegime)
	}
}
