package invoicing

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Full is a document with what it says.
type Full struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Number   string    `json:"number"`
	Issuer   string    `json:"issuer"` // key
	IssuedAt time.Time `json:"issued_at"`
	SHA256   string    `json:"sha256,omitempty"` // of the paper, once it is made
	Facts    Facts     `json:"facts"`
	BuyerID  string    `json:"-"`
}

// Amount is what the document is about, with tax.
func (f Full) Amount() money.Amount { return money.Of(f.Facts.Total, f.Facts.Currency) }

type documentRow struct {
	ID           string    `db:"id"`
	Series       string    `db:"series"`
	Number       int64     `db:"number"`
	Kind         string    `db:"kind"`
	OrderID      string    `db:"order_id"`
	BuyerID      string    `db:"buyer_id"`
	AmountMinor  int64     `db:"amount_minor"`
	Currency     string    `db:"currency"`
	Facts        []byte    `db:"facts"`
	IssuedAt     time.Time `db:"issued_at"`
	IssuerKey    string    `db:"issuer_key"`
	Issuer       string    `db:"issuer"`
	CreditSeries string    `db:"credit_series"` // pattern
	SHA256       []byte    `db:"sha256"`
}

func (r documentRow) full() (f Full, err error) {
	f = Full{
		ID: r.ID, Kind: r.Kind, Number: numberOf(r.Series, r.Number), Issuer: r.IssuerKey, IssuedAt: r.IssuedAt.UTC(), SHA256: hex.EncodeToString(r.SHA256), BuyerID: r.BuyerID,
	}
	f.Facts, err = readFacts(r.Facts, money.Of(r.AmountMinor, money.Currency(r.Currency)))
	if f.Facts.Seller.Key == "" { // one of the first documents
		f.Facts.Seller, f.Facts.OrderID = Seller{Key: r.IssuerKey, LegalName: r.Issuer}, r.OrderID
	}
	return f, err
}

func fulls(rows []documentRow) ([]Full, error) {
	out := make([]Full, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.full(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// DocumentTx finds a document, as far as the actor may see it.
func DocumentTx(ctx context.Context, tx *postgres.Tx, id string) (Full, error) {
	var r documentRow
	err := tx.Get(ctx, &r, q.Q("Document"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return Full{}, ErrNoDocument
	}
	if err != nil {
		return Full{}, err
	}
	return r.full()
}

// OfOrderTx lists the documents of an order, as far as the actor may see them, the first first.
func OfOrderTx(ctx context.Context, tx *postgres.Tx, orderID string) ([]Full, error) {
	var rows []documentRow
	if err := tx.Select(ctx, &rows, q.Q("OfOrder"), orderID); err != nil {
		return nil, err
	}
	return fulls(rows)
}

// Filter says which documents are listed; what is empty does not limit. Text is looked for in the number, the order and the buyer.
type Filter struct {
	Issuer, Kind, Text string
	From, Until        *time.Time // issued at or after, and before
	BuyerID            string
}

// ListTx lists documents, as far as the actor may see them, the newest first, and the key after which the list goes on.
func ListTx(ctx context.Context, tx *postgres.Tx, f Filter, p page.Request) (all []Full, next string, err error) {
	var rows []documentRow
	if err := tx.Select(ctx, &rows, q.Q("List"), f.Issuer, f.Kind, f.Text, f.From, f.Until, f.BuyerID, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(rows) > p.Limit {
		rows, next = rows[:p.Limit], rows[p.Limit-1].ID
	}
	all, err = fulls(rows)
	return all, next, err
}
