// Package invoicing writes documents: invoices, credit notes, proformas and receipts, numbered 1 to n in each series, without a
// gap, never changed.
//
// A series is an issuer, a kind and a year. Its counter row is locked from the taking of a number until the transaction ends, so
// take the number late. What a document says is frozen in it; on paper and as a file it is made of these facts alone.
package invoicing

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("invoicing", queriesSQL)

// The kinds of document.
const (
	KindInvoice    = "invoice"
	KindCreditNote = "credit_note"
	KindProforma   = "proforma" // what an invoice would say; not revenue
	KindReceipt    = "receipt"  // that money came; not revenue
)

// Document is one, without what it says.
type Document struct {
	ID       string
	Kind     string
	Number   string
	Amount   money.Amount
	IssuedAt time.Time
}

// NewDocument is what a room above has to say for a document of an order. What concerns the issuer and the tax is added here.
type NewDocument struct {
	OrderID      string
	Organisation string // key of the one that buys, or whose members alone are offered this; empty: none
	Lang         string // en or fr
	Currency     money.Currency
	Buyer        Buyer // what the buyer wrote for this order goes before it
	Lines        []NewLine
	OrderedAt    time.Time
	Reference    string // the buyer's own
	Payment      Payment
	Demo         bool
}

// NewLine is a line before its tax is known. Prices include it.
type NewLine struct {
	OfferID        string
	Description    string
	Quantity       int64
	UnitMinor      int64
	DiscountMinor  int64 // of the whole line
	DiscountReason string
}

// Issuer is in whose name the house writes where nobody else is named.
type Issuer struct{ Code, Name string }

// InvoiceTx issues the invoice of an order. by writes it where neither an offer nor the organisation has an issuer of its own.
// Errors: ErrIssued, ErrNoIssuer, ErrAmounts.
func InvoiceTx(ctx context.Context, tx *postgres.Tx, by Issuer, n NewDocument) (Document, error) {
	return newDocumentTx(ctx, tx, by, KindInvoice, n.OrderID, n)
}

// ProformaTx issues a proforma of an order, once per reference.
func ProformaTx(ctx context.Context, tx *postgres.Tx, by Issuer, reference string, n NewDocument) (Document, error) {
	return newDocumentTx(ctx, tx, by, KindProforma, reference, n)
}

// ReceiptTx issues a receipt; reference is the payment that it is for.
func ReceiptTx(ctx context.Context, tx *postgres.Tx, by Issuer, reference string, n NewDocument) (Document, error) {
	return newDocumentTx(ctx, tx, by, KindReceipt, reference+":receipt", n)
}

func newDocumentTx(ctx context.Context, tx *postgres.Tx, by Issuer, kind, reference string, n NewDocument) (Document, error) {
	source, err := sourceTx(ctx, tx, by, n)
	if err != nil {
		return Document{}, err
	}
	f, err := source.facts(kind, n)
	if err != nil {
		return Document{}, err
	}
	return issueTx(ctx, tx, source.issuer.SeriesOf(kind), kind, n.OrderID, reference, nil, f)
}

// Credit is a part of an order's invoice that is taken back. Reference is what it is for, such as a refund. Lines say of which
// lines; without them each line gives in proportion to what is left of it.
type Credit struct {
	OrderID   string
	Reference string
	Reason    string
	Amount    money.Amount
	Lines     []CreditLine
}

// CreditLine is an amount, with tax, that is taken back of a line of the invoice.
type CreditLine struct {
	Position int
	Minor    int64
}

// CreditTx issues a credit note. Errors: ErrNoInvoice, ErrIssued, ErrCredit.
func CreditTx(ctx context.Context, tx *postgres.Tx, c Credit) (Document, error) {
	var rows []documentRow
	if err := tx.Select(ctx, &rows, q.Q("Corrected"), c.OrderID); err != nil {
		return Document{}, err
	}
	if len(rows) == 0 {
		return Document{}, ErrNoInvoice
	}
	all, err := fulls(rows)
	if err != nil {
		return Document{}, err
	}
	f, err := credit(all[0], all[1:], c)
	if err != nil {
		return Document{}, err
	}
	return issueTx(ctx, tx, rows[0].CreditSeries, KindCreditNote, c.OrderID, c.Reference, &all[0].ID, f)
}

// issueTx takes the next number of a series and writes the document, in one statement, because its counter stays locked.
func issueTx(ctx context.Context, tx *postgres.Tx, pattern, kind, orderID, reference string, corrects *string, f Facts) (Document, error) {
	facts, err := json.Marshal(f)
	if err != nil {
		return Document{}, err
	}
	series := strings.NewReplacer("{issuer}", f.Seller.Key, "{year}", fmt.Sprint(tx.Now().Year())).Replace(pattern)
	if f.Demo {
		series = "DEMO-" + series
	}
	var taken struct {
		Number   int64     `db:"number"`
		IssuedAt time.Time `db:"issued_at"`
	}
	d := Document{ID: ident.New("inv"), Kind: kind, Amount: money.Of(f.Total, f.Currency)}
	// The date is never before that of the number before, whatever the clocks of two processes say.
	err = tx.Get(ctx, &taken, q.Q("Issue"), series, f.Seller.LegalName, tx.Now(), d.ID, kind, reference, orderID, f.Buyer.ID, corrects,
		f.Total, f.Currency, string(facts), f.Seller.Key)
	if errors.Is(err, sql.ErrNoRows) {
		return Document{}, ErrSeries.Because(fmt.Errorf("series %s, issuer %s", series, f.Seller.Key))
	}
	if err != nil {
		return Document{}, err
	}
	d.Number, d.IssuedAt = numberOf(series, taken.Number), taken.IssuedAt
	return d, postTax(ctx, tx, d, orderID, f)
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
		{Invariant: "16", Name: "the lines and taxes of a document sum to it", Query: q.Q("CheckSums")},
		{Invariant: "16", Name: "credit notes do not exceed a line of their invoice, nor its tax", Query: q.Q("CheckLineCredits")},
		{Invariant: "17", Name: "invoices less credit notes are the ledger's revenue", Query: q.Q("CheckRevenue")},
		{Invariant: "17", Name: "the tax of invoices less credit notes is that of the ledger", Query: q.Q("CheckTax")},
		{Invariant: "16", Name: "a kept paper has the hash that is shown", Query: q.Q("CheckHash")},
	}
}
