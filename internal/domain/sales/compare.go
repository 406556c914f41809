package sales

import (
	"context"
	"errors"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Standing is an offer with what became of it.
type Standing struct {
	ID           string              `json:"id"`
	Session      string              `json:"session,omitempty"` // key; one of the two is there
	Edition      string              `json:"edition,omitempty"`
	Formula      string              `json:"formula"`
	Price        money.Amount        `json:"price"`
	Entitlements []string            `json:"entitlements"`
	ValidFrom    *time.Time          `json:"valid_from,omitempty"`
	ValidUntil   *time.Time          `json:"valid_until,omitempty"`
	Audience     string              `json:"audience,omitempty"`
	Quota        *int                `json:"quota,omitempty"`
	Call         catalog.Text        `json:"call"`
	Withdrawal   string              `json:"withdrawal"` // the right of its buyers to leave the contract
	State        string              `json:"state"`      // draft, review, waiting, standing, ended, withdrawn
	Sold         int                 `json:"sold"`
	Held         int                 `json:"held"` // orders that can still be paid
	Offered      int                 `json:"-"`    // places that are kept for who waited
	CreatedAt    time.Time           `json:"created_at"`
	WithdrawnAt  *time.Time          `json:"withdrawn_at,omitempty"`
	Publication  catalog.Publication `json:"publication"`
	Moves        []catalog.Move      `json:"moves"` // of its publication, the newest first
}

// StandingsTx adds to offers how they sell. The actor sees all orders, or the numbers are too small.
func StandingsTx(ctx context.Context, tx *postgres.Tx, all []offers.Offer) ([]Standing, error) {
	ids := make([]string, len(all))
	for i, o := range all {
		ids[i] = o.ID
	}
	sold, err := SoldTx(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	rows, err := rowsTx(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	moves, err := offers.MovesTx(ctx, tx, ids)
	out := make([]Standing, len(all))
	for i, o := range all {
		out[i] = Standing{
			ID: o.ID, Session: o.SessionKey, Edition: o.EditionKey, Formula: o.Formula, Price: o.Price, Entitlements: o.Entitlements, ValidFrom: o.ValidFrom,
			ValidUntil: o.ValidUntil, Audience: o.Audience, Quota: o.Quota, Call: o.Call, State: o.StateAt(tx.Now()), Sold: sold[o.ID].Sold, Held: sold[o.ID].Held, Offered: rows[o.ID].Offered,
			CreatedAt: o.CreatedAt, WithdrawnAt: o.WithdrawnAt, Withdrawal: o.Withdrawal, Publication: o.Publication, Moves: append([]catalog.Move{}, moves[o.ID]...),
		}
	}
	return out, err
}

// ListStandingTx lists offers with what became of them, the newest first.
func ListStandingTx(ctx context.Context, tx *postgres.Tx, f offers.Filter, p page.Request) ([]Standing, string, error) {
	all, next, err := offers.ListTx(ctx, tx, f, p)
	if err != nil {
		return nil, "", err
	}
	out, err := StandingsTx(ctx, tx, all)
	return out, next, err
}

// Comparison sets the formulas of a session or an edition side by side: a column for each, a row for each entitlement that one
// of them opens.
type Comparison struct {
	Session string       `json:"session,omitempty"` // key; one of the two is there
	Edition string       `json:"edition,omitempty"`
	Title   catalog.Text `json:"title"`
	Columns []Column     `json:"columns"`
	Rows    []Row        `json:"rows"`
	Has     string       `json:"-"` // the formula that the person who asks has here; empty: none
	Closed  string       `json:"-"` // the code of why nothing that costs can be sold; empty: it can
	Voucher string       `json:"-"` // the code that was presented, as it is printed or typed; empty: none
	Refused string       `json:"-"` // the code of why it takes nothing off anything here; empty: it does
}

// Column is one formula with its prices: one offer for each currency and audience.
type Column struct {
	Formula    string       `json:"formula"`
	Title      catalog.Text `json:"title"`
	Pitch      catalog.Text `json:"pitch"`
	Qualifying bool         `json:"qualifying"`
	Offers     []Choice     `json:"offers"`
}

// Choice is an offer as somebody may take it now, or the code of why not. Left is how many of a limited one can still be taken.
//
// Price is the best one that holds, less the voucher that was presented; List is the list price where that is higher.
type Choice struct {
	ID         string        `json:"id"`
	Price      money.Amount  `json:"price"`
	List       *money.Amount `json:"list_price,omitempty"`
	Label      catalog.Text  `json:"label,omitzero"`
	Voucher    string        `json:"-"`                     // the code of the voucher that takes something off it; empty: none
	PriceUntil *time.Time    `json:"price_until,omitempty"` // when that price ends
	PriceLeft  *int          `json:"price_left,omitempty"`  // how many are left at it
	Call       catalog.Text  `json:"call"`
	ValidFrom  *time.Time    `json:"valid_from,omitempty"`
	ValidUntil *time.Time    `json:"valid_until,omitempty"`
	Audience   string        `json:"audience,omitempty"`
	Left       *int          `json:"left,omitempty"`
	Available  bool          `json:"available"`
	Reason     string        `json:"reason,omitempty"`
	Waiting    *Waiting      `json:"-"` // where the person who asks stands in the row for it; nil: not in it
	CanWait    bool          `json:"-"` // it is sold out, and she may join the row
	LeaveUntil *time.Time    `json:"-"` // the last second in which a buyer of now could withdraw; nil: never
	Early      bool          `json:"-"` // it begins before that, and she may ask for it expressly
	ByBank     bool          `json:"-"` // its seller has a bank account; known to who can buy
	InParts    []Instalment  `json:"-"` // how it would be paid in instalments; known to who can buy, none: it is not
}

// PriceEnds is when the price ends at the latest: with its own time or with that of the offer. Nil: nobody knows.
func (c Choice) PriceEnds() *time.Time {
	if c.PriceUntil == nil || c.ValidUntil != nil && c.ValidUntil.Before(*c.PriceUntil) {
		return c.ValidUntil
	}
	return c.PriceUntil
}

// Row is an entitlement; Open says which columns open it, in their order.
type Row struct {
	Entitlement string `json:"entitlement"`
	Open        []bool `json:"open"`
}

// Compare compares the formulas of a session or an edition (an id or a key; the other is empty) as a person may take them; an
// empty person is the public, who does not see what is for organisations and cannot present the code of a voucher. Errors: catalog.ErrNoSession, programs.ErrNoEdition.
func (s *Service) Compare(ctx context.Context, session, edition, personID, voucher string) (c Comparison, err error) {
	if (session == "") == (edition == "") {
		return c, fault.InvalidInput(fault.Field{Pointer: "/session", Code: "one-of", Detail: "Either a session or an edition."})
	}
	err = s.db.View(postgres.WithActor(ctx, "system"), "compare offers", func(ctx context.Context, tx *postgres.Tx) error {
		c, err = s.compareTx(ctx, tx, session, edition, PlaceOrder{BuyerID: personID, Voucher: voucher})
		return err
	})
	return c, err
}

func (s *Service) compareTx(ctx context.Context, tx *postgres.Tx, session, edition string, as PlaceOrder) (c Comparison, err error) {
	personID := as.BuyerID
	var on thing
	if edition != "" {
		on.edition, err = programs.EditionTx(ctx, tx, edition)
		if err == nil && on.edition.State != catalog.Published {
			err = programs.ErrNoEdition
		}
	} else {
		on.session, err = catalog.SessionTx(ctx, tx, session)
		if err == nil && personID == "" && !on.session.Public() {
			err = catalog.ErrNoSession
		}
	}
	if err != nil {
		return c, err
	}
	c = Comparison{Session: on.session.Key, Edition: on.edition.Key, Title: on.title(), Columns: []Column{}, Rows: []Row{}}
	all, err := offers.ForTx(ctx, tx, on.session.ID+on.edition.ID, personID)
	if err != nil || len(all) == 0 {
		return c, err
	}
	left, err := on.leftTx(ctx, tx, all)
	if err != nil {
		return c, err
	}
	stands, err := StandingsTx(ctx, tx, all)
	if err != nil {
		return c, err
	}
	formulas, err := offers.FormulasTx(ctx, tx)
	if err != nil {
		return c, err
	}
	prices, err := c.price(ctx, tx, as, all)
	if err != nil {
		return c, err
	}
	row, err := waitsOf(ctx, tx, personID, all)
	if err != nil {
		return c, err
	}
	var has []enrolment.Enrolment
	if personID != "" {
		if has, err = on.held(ctx, tx, personID); err != nil {
			return c, err
		}
		for _, e := range has {
			c.Has = e.Formula
		}
	}
	for _, o := range all {
		if err := s.payments.CanTake(); err != nil && !o.Price.IsZero() {
			c.Closed = fault.From(err).Code
		}
	}
	for _, f := range formulas {
		column := Column{Formula: f.Key, Title: f.Title, Pitch: f.Pitch, Qualifying: f.Qualifying}
		for i, o := range all {
			if o.Formula != f.Key || o.StateAt(tx.Now()) == offers.Ended {
				continue
			}
			for n, x := range prices[o.ID] {
				mine, waits := row[o.ID]
				choice := s.choose(tx.Now(), on, o, x, stands[i], left, waits && mine.State == PlaceKept)
				if choice.Reason == ErrSoldOut.Code || choice.Reason == ErrQuota.Code {
					choice.CanWait = n == 0 && personID != "" && !waits
				}
				if waits && n == 0 {
					choice.Waiting = &mine
				}
				if choice.Call == (catalog.Text{}) {
					choice.Call = f.Call
				}
				if opensNothing(has, o) {
					choice.Available, choice.Reason, choice.CanWait, choice.Waiting = false, ErrEnrolled.Code, false, nil
				}
				if personID != "" && choice.Available && !choice.Price.IsZero() {
					seller, err := s.sellerOf(ctx, tx, o)
					if err != nil {
						return c, err
					}
					choice.ByBank = seller.IBAN != "" && o.Withdrawal != string(Vocational) // which nobody may ask to be paid yet
					if plan, err := planOf(ctx, tx, []string{o.ID}, choice.Price); err == nil {
						if choice.InParts, err = Split(choice.Price, plan, Withdrawal(o.Withdrawal), tx.Now()); err != nil {
							return c, err
						}
					} else if !errors.Is(err, ErrNoPlan) {
						return c, err
					}
				}
				column.Offers = append(column.Offers, choice)
			}
		}
		if column.Offers != nil {
			c.add(column, f)
		}
	}
	return c, nil
}

// price quotes one unit of each offer in each currency that it has a price in, and says what became of the voucher.
func (c *Comparison) price(ctx context.Context, tx *postgres.Tx, as PlaceOrder, all []offers.Offer) (map[string][]offers.Quoted, error) {
	items := make([]wanted, len(all))
	for i, o := range all {
		items[i] = wanted{Item: Item{o.ID, 1}, offer: o}
	}
	if as.BuyerID == "" {
		as.Voucher = ""
	}
	p, err := pricingOf(ctx, tx, as, items)
	if errors.Is(err, offers.ErrNoCode) {
		c.Voucher, c.Refused, as.Voucher = as.Voucher, offers.ErrNoCode.Code, ""
		p, err = pricingOf(ctx, tx, as, items)
	}
	if err == nil {
		err = p.count(ctx, tx, as.BuyerID, "")
	}
	if err != nil {
		return nil, err
	}
	if p.voucher != nil {
		c.Voucher = p.voucher.Code
	}
	out, takes := map[string][]offers.Quoted{}, false
	for _, o := range all {
		for _, p.buyer.Currency = range offers.CurrenciesOf(o, p.prices[o.ID]) {
			x, refused := offers.Quote(o, p.prices[o.ID], p.voucher, p.buyer, 1, tx.Now(), p.sold[o.ID])
			if len(refused) > 0 && errors.Is(refused[0], offers.ErrOtherCurrency) {
				continue
			}
			if takes = takes || x.VoucherID != ""; len(refused) > 0 && c.Refused == "" {
				c.Refused = refused[0].Code
			}
			out[o.ID] = append(out[o.ID], x)
		}
	}
	if takes {
		c.Refused = ""
	}
	return out, nil
}

// add puts a column to the right of the others.
func (c *Comparison) add(column Column, f offers.Formula) {
	c.Columns = append(c.Columns, column)
	for _, e := range offers.Entitlements {
		i := slices.IndexFunc(c.Rows, func(r Row) bool { return r.Entitlement == e })
		if i < 0 && f.Has(e) {
			i = len(c.Rows)
			c.Rows = append(c.Rows, Row{e, make([]bool, len(c.Columns)-1)})
		}
		if i >= 0 {
			c.Rows[i].Open = append(c.Rows[i].Open, f.Has(e))
		}
	}
	slices.SortStableFunc(c.Rows, func(a, b Row) int {
		return slices.Index(offers.Entitlements, a.Entitlement) - slices.Index(offers.Entitlements, b.Entitlement)
	})
}

// leftTx counts the seats that are left, the fewest of all that limit them; nil where nothing does.
func (t *thing) leftTx(ctx context.Context, tx *postgres.Tx, all []offers.Offer) (left *int, err error) {
	seats := []seat{}
	if t.edition.ID != "" {
		if t.seats, err = seatsOf(ctx, tx, t.edition); err != nil {
			return nil, err
		}
		seats = append(seats, t.seats...)
		if t.edition.Capacity != nil {
			seats = append(seats, seat{t.edition.ID, *t.edition.Capacity})
		}
	} else if all[0].Capacity != nil {
		seats = append(seats, seat{t.session.ID, *all[0].Capacity})
	}
	for _, x := range seats {
		var taken int
		if err := tx.Get(ctx, &taken, q.Q("Taken"), x.ID, tx.Now()); err != nil {
			return nil, err
		}
		n := max(0, x.Capacity-taken)
		if left == nil || n < *left {
			left = &n
		}
	}
	return left, nil
}

// choose says whether an offer can be taken now, apart from who asks. left are the seats of what it is on; kept, that one of them is
// kept for who asks.
func (s *Service) choose(now time.Time, on thing, o offers.Offer, x offers.Quoted, sells Standing, left *int, kept bool) Choice {
	c := Choice{
		ID: o.ID, Price: x.Total, Label: x.Label, Voucher: x.Code, PriceUntil: x.Until, PriceLeft: x.Left, Call: o.Call, ValidFrom: o.ValidFrom, ValidUntil: o.ValidUntil, Audience: o.Audience, Left: left,
	}
	if x.Total != x.List {
		c.List = &x.List
	}
	if right := Withdrawal(o.Withdrawal); right.days() > 0 && !x.Total.IsZero() {
		last, begins := right.EndsAt(now).Add(-time.Second), on.begins()
		c.LeaveUntil, c.Early = &last, right == Consumer && (begins == nil || begins.Before(last))
	}
	refuse := func(err error) {
		if c.Reason == "" && err != nil {
			c.Reason = fault.From(err).Code
		}
	}
	refuse(on.openAt(now))
	refuse(o.ValidAt(now))
	if left != nil && *left == 0 && !kept {
		refuse(ErrSoldOut)
	}
	if o.Quota != nil {
		n := max(0, *o.Quota-sells.Sold-sells.Held-sells.Offered)
		if n == 0 && !kept {
			refuse(ErrQuota)
		}
		if left == nil || n < *left {
			c.Left = &n
		}
	}
	if !c.Price.IsZero() {
		refuse(s.payments.CanTake())
	}
	c.Available = c.Reason == ""
	return c
}
