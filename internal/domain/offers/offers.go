// Package offers holds the formulas in which a session can be followed and the prices at which they are sold.
//
// A formula is data: the entitlements that it opens. An offer is a formula of one session at a price, in a time window. It
// is never edited: a new price is a new offer, and what an order froze does not move.
package offers

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("offers", queriesSQL)

// The formulas of the paper. Others are rows of offers.formulas.
const (
	Discovery  = "DISCOVERY"
	Qualifying = "QUALIFYING"
)

// Entitlements, in the order of the pedagogical framework.
const (
	Knowledge     = "knowledge"
	Practice      = "practice"
	KnowHow       = "know_how"
	Labs          = "labs"
	ExtraContent  = "extra_content"
	ProctoredExam = "proctored_exam"
	Certificate   = "certificate"
)

// Entitlements lists all of them in the order to show.
var Entitlements = []string{Knowledge, Practice, KnowHow, Labs, ExtraContent, ProctoredExam, Certificate}

// Every fault of this room.
var (
	ErrNoOffer  = fault.New(fault.NotFound, "no-such-offer", "There is no such offer.")
	ErrFormula  = fault.New(fault.Invalid, "no-such-formula", "There is no such formula.")
	ErrTaken    = fault.New(fault.Conflict, "offer-exists", "This formula of the session has a price in this currency already. Withdraw it first.")
	ErrNotValid = fault.New(fault.Unprocessable, "offer-not-valid", "This offer cannot be taken now: its time has not come or is over.")
	ErrPrice    = fault.New(fault.Invalid, "bad-price", "A price is zero or more, and below a million.")
	errWindow   = fault.New(fault.Invalid, "bad-window", "The offer ends before it begins.")
)

func init() {
	postgres.RegisterConstraint("offer_formula_known", ErrFormula)
	postgres.RegisterConstraint("one_offer_per_formula_and_currency", ErrTaken)
	postgres.RegisterConstraint("offer_window_ordered", errWindow)
}

// Offer is a formula of a session at a price.
type Offer struct {
	ID           string
	SessionID    string
	SessionKey   string
	Formula      string
	Price        money.Amount
	Entitlements []string
	Qualifying   bool
	ValidFrom    *time.Time
	ValidUntil   *time.Time
	Withdrawn    bool
}

// ValidAt says why an offer cannot be taken at an instant; nil when it can.
func (o Offer) ValidAt(t time.Time) error {
	if o.Withdrawn || o.ValidFrom != nil && t.Before(*o.ValidFrom) || o.ValidUntil != nil && !t.Before(*o.ValidUntil) {
		return ErrNotValid
	}
	return nil
}

type row struct {
	ID           string         `db:"id"`
	SessionID    string         `db:"session_id"`
	SessionKey   string         `db:"session_key"`
	Formula      string         `db:"formula"`
	PriceMinor   int64          `db:"price_minor"`
	Currency     string         `db:"currency"`
	Entitlements pq.StringArray `db:"entitlements"`
	Qualifying   bool           `db:"qualifying"`
	ValidFrom    *time.Time     `db:"valid_from"`
	ValidUntil   *time.Time     `db:"valid_until"`
	Withdrawn    bool           `db:"withdrawn"`
}

func (r row) offer() Offer {
	return Offer{r.ID, r.SessionID, r.SessionKey, r.Formula, money.Of(r.PriceMinor, money.Currency(r.Currency)), r.Entitlements, r.Qualifying,
		r.ValidFrom, r.ValidUntil, r.Withdrawn}
}

// NewOffer is what CreateTx needs. Session is an id or a key.
type NewOffer struct {
	Session    string
	Formula    string
	Price      money.Amount
	ValidFrom  *time.Time
	ValidUntil *time.Time
}

// CreateTx makes an offer. Errors: catalog.ErrNoSession and the faults of this room.
func CreateTx(ctx context.Context, tx *postgres.Tx, n NewOffer) (Offer, error) {
	if !n.Price.Currency.Known() {
		return Offer{}, money.ErrCurrency
	}
	if n.Price.Minor < 0 || n.Price.Minor > 99_999_999 {
		return Offer{}, ErrPrice
	}
	s, err := catalog.SessionTx(ctx, tx, n.Session)
	if err != nil {
		return Offer{}, err
	}
	id := ident.New("off")
	if _, err := tx.Exec(ctx, q.Q("Add"), id, s.ID, n.Formula, n.Price.Minor, n.Price.Currency, n.ValidFrom, n.ValidUntil, tx.Now()); err != nil {
		return Offer{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "offer.made", Object: id, Detail: map[string]any{"session": s.Key, "formula": n.Formula, "price": n.Price}}); err != nil {
		return Offer{}, err
	}
	return OfferTx(ctx, tx, id)
}

// OfferTx finds an offer by id.
func OfferTx(ctx context.Context, tx *postgres.Tx, id string) (Offer, error) {
	var r row
	err := tx.Get(ctx, &r, q.Q("Offer"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return Offer{}, ErrNoOffer
	}
	return r.offer(), err
}

// OfSessionTx lists the offers of a session that are not withdrawn, the simplest formula first.
func OfSessionTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Offer, error) {
	var rows []row
	err := tx.Select(ctx, &rows, q.Q("OfSession"), sessionID)
	out := make([]Offer, len(rows))
	for i, r := range rows {
		out[i] = r.offer()
	}
	return out, err
}
