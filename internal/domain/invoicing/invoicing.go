// Package invoicing gives invoices and credit notes their numbers: 1 to n in each series, without a gap, never changed.
//
// A series is an issuer and a year. Its counter row is locked from the taking of a number until the transaction ends, so
// take the number late. What a document says is frozen in it.
package invoicing

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("invoicing", queriesSQL)

// Every fault of this room.
var (
	ErrIssued    = fault.New(fault.Conflict, "document-issued-already", "The document for this was issued already.")
	ErrNoInvoice = fault.New(fault.NotFound, "no-such-invoice", "There is no invoice for this order.")
)

func init() {
	postgres.RegisterConstraint("document_reference_once", ErrIssued)
	postgres.RegisterConstraint("one_invoice_per_order", ErrIssued)
}

// Issuer is in whose name invoices are written. Code begins the number of its series.
type Issuer struct{ Code, Name string }

// Facts are what a document says, frozen.
type Facts struct {
	BuyerID   string `json:"buyer_id"`
	BuyerName string `json:"buyer_name"`
	Line      string `json:"line"`
	Demo      bool   `json:"demo"`
}

// Document is an invoice or a credit note.
type Document struct {
	ID, Number string
	Amount     money.Amount
	IssuedAt   time.Time
}

// InvoiceTx issues the invoice of an order. Twice is ErrIssued.
func InvoiceTx(ctx context.Context, tx *postgres.Tx, by Issuer, orderID string, a money.Amount, f Facts) (Document, error) {
	return issue(ctx, tx, by, "invoice", orderID, orderID, nil, a, f)
}

// CreditTx issues a credit note for a part of an order's invoice; reference is what it is for, such as a refund.
func CreditTx(ctx context.Context, tx *postgres.Tx, by Issuer, orderID, reference string, a money.Amount) (Document, error) {
	var invoice struct {
		ID    string `db:"id"`
		Facts []byte `db:"facts"`
	}
	err := tx.Get(ctx, &invoice, q.Q("InvoiceOf"), orderID)
	if errors.Is(err, sql.ErrNoRows) {
		return Document{}, ErrNoInvoice
	}
	if err != nil {
		return Document{}, err
	}
	var f Facts
	if err := json.Unmarshal(invoice.Facts, &f); err != nil {
		return Document{}, err
	}
	return issue(ctx, tx, by, "credit_note", orderID, reference, &invoice.ID, a, f)
}

func issue(ctx context.Context, tx *postgres.Tx, by Issuer, kind, orderID, reference string, corrects *string, a money.Amount, f Facts) (Document, error) {
	facts, err := json.Marshal(f)
	if err != nil {
		return Document{}, err
	}
	series := fmt.Sprintf("%s-%d", by.Code, tx.Now().Year())
	if f.Demo {
		series = "DEMO-" + series
	}
	var taken struct {
		Number   int64     `db:"number"`
		IssuedAt time.Time `db:"issued_at"`
	}
	d := Document{ID: ident.New("inv"), Amount: a}
	// The date is never before that of the number before, whatever the clocks of two processes say.
	if err := tx.Get(ctx, &taken, q.Q("Issue"), series, by.Name, tx.Now(), d.ID, kind, reference, orderID, f.BuyerID, corrects, a.Minor, a.Currency, string(facts)); err != nil {
		return Document{}, err
	}
	d.Number, d.IssuedAt = numberOf(series, taken.Number), taken.IssuedAt
	return d, nil
}

func numberOf(series string, n int64) string { return fmt.Sprintf("%s-%06d", series, n) }

// NumberTx gives the number of an order's invoice, as far as the actor may see it; empty where there is none.
func NumberTx(ctx context.Context, tx *postgres.Tx, orderID string) (string, error) {
	var row struct {
		Series string `db:"series"`
		Number int64  `db:"number"`
	}
	err := tx.Get(ctx, &row, q.Q("NumberOfOrder"), orderID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return numberOf(row.Series, row.Number), err
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "16", Name: "numbers are 1 to n in each series", Query: q.Q("CheckGapless")},
		{Invariant: "16", Name: "dates do not decrease", Query: q.Q("CheckDates")},
		{Invariant: "16", Name: "credit notes do not exceed their invoice", Query: q.Q("CheckCredits")},
		{Invariant: "17", Name: "invoices less credit notes are the ledger's revenue", Query: q.Q("CheckRevenue")},
	}
}
