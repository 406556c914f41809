package offers

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Price is a further price of an offer, beside the offer's own, which always holds. Each condition that is set must hold.
type Price struct {
	ID         string       `json:"id"`
	OfferID    string       `json:"offer_id"`
	Label      catalog.Text `json:"label"` // "Early bird"; may be empty
	Price      money.Amount `json:"price"`
	ValidFrom  *time.Time   `json:"valid_from,omitempty"`
	ValidUntil *time.Time   `json:"valid_until,omitempty"`
	Audience   string       `json:"audience,omitempty"`    // key of the organisation whose members have it
	EarlyUntil *int         `json:"early_until,omitempty"` // until so many of the offer are sold or held
	Archived   bool         `json:"archived"`
	Version    int          `json:"version"`
	CreatedAt  time.Time    `json:"created_at"`
}

// holds says whether the price can be had for a quantity. The last early ones are not sold to who wants more of them than are left.
func (p Price) holds(b Buyer, quantity int, now time.Time, sold int) bool {
	return !p.Archived && (p.ValidFrom == nil || !now.Before(*p.ValidFrom)) && (p.ValidUntil == nil || now.Before(*p.ValidUntil)) &&
		(p.Audience == "" || slices.Contains(b.Organisations, p.Audience)) && (p.EarlyUntil == nil || sold+quantity <= *p.EarlyUntil)
}

func (p Price) why() string {
	switch {
	case p.EarlyUntil != nil:
		return WhyEarly
	case p.Audience != "":
		return WhyOrganisation
	case p.ValidFrom != nil || p.ValidUntil != nil:
		return WhyWindow
	}
	return WhyCurrency
}

func (p Price) left(sold int) *int {
	if p.EarlyUntil == nil {
		return nil
	}
	n := max(0, *p.EarlyUntil-sold)
	return &n
}

// Limited says whether one of the prices is for the first buyers, so that who quotes must count them.
func Limited(prices []Price) bool {
	return slices.ContainsFunc(prices, func(p Price) bool { return p.EarlyUntil != nil && !p.Archived })
}

// CurrenciesOf lists the currencies in which an offer may have a price, its own first.
func CurrenciesOf(o Offer, prices []Price) []money.Currency {
	out := []money.Currency{o.Price.Currency}
	for _, p := range prices {
		if !p.Archived && !slices.Contains(out, p.Price.Currency) {
			out = append(out, p.Price.Currency)
		}
	}
	return out
}

type priceRow struct {
	ID         string     `db:"id"`
	OfferID    string     `db:"offer_id"`
	LabelEN    string     `db:"label_en"`
	LabelFR    string     `db:"label_fr"`
	PriceMinor int64      `db:"price_minor"`
	Currency   string     `db:"currency"`
	ValidFrom  *time.Time `db:"valid_from"`
	ValidUntil *time.Time `db:"valid_until"`
	Audience   string     `db:"audience"`
	EarlyUntil *int       `db:"early_until"`
	Archived   bool       `db:"archived"`
	Version    int        `db:"version"`
	CreatedAt  time.Time  `db:"created_at"`
}

func (r priceRow) price() Price {
	return Price{
		ID: r.ID, OfferID: r.OfferID, Label: catalog.Text{EN: r.LabelEN, FR: r.LabelFR}, Price: money.Of(r.PriceMinor, money.Currency(r.Currency)),
		ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil, Audience: r.Audience, EarlyUntil: r.EarlyUntil, Archived: r.Archived, Version: r.Version,
		CreatedAt: r.CreatedAt,
	}
}

func (p Price) validate() error {
	if !p.Price.Currency.Known() {
		return money.ErrCurrency
	}
	if p.Price.Minor < 0 || p.Price.Minor > 99_999_999 {
		return ErrPrice
	}
	if p.EarlyUntil != nil && (*p.EarlyUntil < 1 || *p.EarlyUntil > 1_000_000) {
		return errEarly
	}
	if utf8.RuneCountInString(p.Label.EN) > 80 || utf8.RuneCountInString(p.Label.FR) > 80 {
		return fault.InvalidInput(fault.Field{Pointer: "/label", Code: "too-long", Detail: "At most 80 characters."})
	}
	return nil
}

// AddPriceTx adds a price to an offer; its id, version and times are made here. Errors: ErrNoOffer, ErrNotValid where the offer is
// withdrawn, and the faults of bad values.
func AddPriceTx(ctx context.Context, tx *postgres.Tx, p Price) (Price, error) {
	if err := p.validate(); err != nil {
		return Price{}, err
	}
	o, err := OfferTx(ctx, tx, p.OfferID)
	if err != nil {
		return Price{}, err
	}
	if o.Publication == catalog.Archived {
		return Price{}, ErrNotValid
	}
	p.ID = ident.New("prc")
	if _, err := tx.Exec(ctx, q.Q("AddPrice"), p.ID, p.OfferID, p.Label.EN, p.Label.FR, p.Price.Minor, p.Price.Currency, p.ValidFrom, p.ValidUntil,
		nullable(p.Audience), p.EarlyUntil, tx.Now()); err != nil {
		return Price{}, err
	}
	return priced(ctx, tx, "price.added", nil, p)
}

// PutPriceTx rewrites a price over the version that was read, 0 for whatever stands there; another one is ErrPriceChanged. What
// was ordered keeps its price. Errors: ErrNoPrice.
func PutPriceTx(ctx context.Context, tx *postgres.Tx, p Price, version int) (Price, error) {
	if err := p.validate(); err != nil {
		return Price{}, err
	}
	if err := audit.HoldTx(ctx, tx, p.ID); err != nil {
		return Price{}, err
	}
	before, err := PriceTx(ctx, tx, p.OfferID, p.ID)
	if err != nil {
		return Price{}, err
	}
	n, err := tx.Exec(ctx, q.Q("PutPrice"), p.ID, p.OfferID, p.Label.EN, p.Label.FR, p.Price.Minor, p.Price.Currency, p.ValidFrom, p.ValidUntil,
		nullable(p.Audience), p.EarlyUntil, p.Archived, tx.Now(), version)
	if err != nil {
		return Price{}, err
	}
	if n == 0 {
		return Price{}, ErrPriceChanged
	}
	return priced(ctx, tx, "price.put", before, p)
}

func priced(ctx context.Context, tx *postgres.Tx, action string, before any, p Price) (Price, error) {
	p, err := PriceTx(ctx, tx, p.OfferID, p.ID)
	if err != nil {
		return p, err
	}
	return p, audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: p.ID, Before: before, After: p})
}

// PriceTx finds a price of an offer.
func PriceTx(ctx context.Context, tx *postgres.Tx, offerID, id string) (Price, error) {
	var r priceRow
	err := tx.Get(ctx, &r, q.Q("Price"), id, offerID)
	if errors.Is(err, sql.ErrNoRows) {
		return Price{}, ErrNoPrice
	}
	return r.price(), err
}

// PricesTx lists the further prices of offers, the oldest first, the archived ones too.
func PricesTx(ctx context.Context, tx *postgres.Tx, offerIDs ...string) ([]Price, error) {
	var rows []priceRow
	err := tx.Select(ctx, &rows, q.Q("Prices"), pq.Array(offerIDs))
	out := make([]Price, len(rows))
	for i, r := range rows {
		out[i] = r.price()
	}
	return out, err
}
