package sales

import (
	"context"
	"errors"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Faults of quotes.
var (
	ErrEarlyGone    = fault.New(fault.Conflict, "early-price-gone", "The price of the first buyers was taken by others meanwhile.")
	ErrVoucherLimit = fault.New(fault.Unprocessable, "limit-below-uses", "The voucher was used more often than that already.")
)

// Quotation is what an order would cost and why, line by line. Refused is the code of why a voucher takes nothing off anything.
type Quotation struct {
	Currency money.Currency  `json:"currency"`
	Lines    []offers.Quoted `json:"lines"`
	Discount money.Amount    `json:"discount"`
	Total    money.Amount    `json:"total"`
	Refused  *fault.Fault    `json:"-"`
}

// pricing is everything that the quote of an order depends on.
type pricing struct {
	buyer   offers.Buyer
	prices  map[string][]offers.Price // by offer
	sold    map[string]int            // units sold or held by others of offers with a price for the first buyers
	voucher *offers.Presented
}

// pricingOf reads the prices of items, and finds the voucher. Nothing is counted yet: what has to be locked for that is in locks.
func pricingOf(ctx context.Context, tx *postgres.Tx, c PlaceOrder, items []wanted) (p pricing, err error) {
	p = pricing{buyer: offers.Buyer{Currency: c.Currency}, prices: map[string][]offers.Price{}, sold: map[string]int{}}
	ids := make([]string, len(items))
	for i, w := range items {
		ids[i] = w.OfferID
	}
	all, err := offers.PricesTx(ctx, tx, ids...)
	if err != nil {
		return p, err
	}
	for _, x := range all {
		p.prices[x.OfferID] = append(p.prices[x.OfferID], x)
	}
	if c.Voucher != "" {
		v, shown, err := offers.CodeTx(ctx, tx, c.Voucher)
		if err != nil {
			return p, err
		}
		p.voucher = &offers.Presented{Voucher: v, Code: shown}
	}
	if len(all) == 0 && c.Voucher == "" {
		return p, nil
	}
	p.buyer.Organisations, err = c.organisations(ctx, tx)
	return p, err
}

// locks names what must not change while it is counted.
func (p pricing) locks() (keys []string) {
	for offer, prices := range p.prices {
		if offers.Limited(prices) {
			keys = append(keys, offer)
		}
	}
	if p.voucher != nil {
		keys = append(keys, p.voucher.Voucher.ID)
	}
	return keys
}

// count counts what others bought at the prices of the first buyers and how often they used the voucher; the order itself does not
// count. It is another statement than the lock, so it sees what was committed while we waited.
func (p *pricing) count(ctx context.Context, tx *postgres.Tx, buyerID, orderID string) (err error) {
	for offer, prices := range p.prices {
		if !offers.Limited(prices) {
			continue
		}
		if p.sold[offer], err = soldToOthers(ctx, tx, offer, orderID, buyerID); err != nil {
			return err
		}
	}
	if p.voucher != nil {
		p.voucher, err = count(ctx, tx, p.voucher, buyerID, orderID)
	}
	return err
}

func soldToOthers(ctx context.Context, tx *postgres.Tx, offerID, orderID, buyerID string) (n int, err error) {
	err = tx.Get(ctx, &n, q.Q("SoldToOthers"), offerID, orderID, tx.Now(), buyerID)
	return n, err
}

// quote quotes items line by line: each takes what the lines before it left of the voucher. A voucher that takes something off one
// line is taken. Errors: offers.ErrOtherCurrency, ErrCurrencies.
func (p pricing) quote(tx *postgres.Tx, items []wanted) (out Quotation, err error) {
	var refused *fault.Fault
	taken := false
	for i, w := range items {
		x, why := offers.Quote(w.offer, p.prices[w.OfferID], p.voucher, p.buyer, w.Quantity, tx.Now(), p.sold[w.OfferID])
		for _, f := range why {
			if errors.Is(f, offers.ErrOtherCurrency) || errors.Is(f, offers.ErrQuantity) {
				return out, f
			}
			if refused == nil {
				refused = f
			}
		}
		if x.VoucherID != "" {
			used := *p.voucher
			used.Used, used.UsedBy, used.UsedCode = used.Used+w.Quantity, used.UsedBy+w.Quantity, used.UsedCode+w.Quantity
			p.voucher, taken = &used, true
		}
		if i == 0 {
			out.Currency, out.Total, out.Discount = x.Total.Currency, money.Zero(x.Total.Currency), money.Zero(x.Total.Currency)
		}
		if x.Total.Currency != out.Currency {
			return out, ErrCurrencies
		}
		if out.Total, err = out.Total.Add(x.Total); err != nil {
			return out, err
		}
		if out.Discount, err = out.Discount.Add(x.Discount); err != nil {
			return out, err
		}
		out.Lines = append(out.Lines, x)
	}
	if !taken {
		out.Refused = refused
	}
	return out, nil
}

// quoteTx quotes an order that is being placed, and holds what it counts, and more, until the transaction ends. A voucher that does not hold is
// an error: who gives one does not want to pay more. Errors: those of quote, offers.ErrNoCode and of vouchers.
func quoteTx(ctx context.Context, tx *postgres.Tx, c PlaceOrder, orderID string, items []wanted, more []string) (out Quotation, err error) {
	p, err := pricingOf(ctx, tx, c, items)
	if err != nil {
		return out, err
	}
	if err := lockLimits(ctx, tx, items, append(more, p.locks()...)); err != nil {
		return out, err
	}
	if err := p.count(ctx, tx, c.BuyerID, orderID); err != nil {
		return out, err
	}
	if out, err = p.quote(tx, items); err == nil && out.Refused != nil {
		return out, out.Refused
	}
	return out, err
}

// instead says whether an order that waits for its payment is the one that is asked for again. With another voucher or currency it
// is not: it is canceled, so that a new one takes its place; money that comes for it after all goes back. Errors: ErrOpenAlready
// where a payment is under way.
func (s *Service) instead(ctx context.Context, tx *postgres.Tx, open Order, c PlaceOrder) (same bool, err error) {
	held, err := favoursOf(ctx, tx, open.ID)
	if err != nil {
		return false, err
	}
	asked, _ := offers.FoldCode(c.Voucher)
	has := func(f favour) bool { return f.Code == asked && asked != "" }
	if (c.Voucher == "" || slices.ContainsFunc(held, has)) && (c.Currency == "" || c.Currency == open.Total.Currency) {
		return true, nil
	}
	if open, err = one(ctx, tx, "Lock", open.ID); err != nil {
		return false, err
	}
	if open.State != AwaitingPayment || open.PaymentID == "" {
		return false, ErrOpenAlready
	}
	p, err := payments.LockTx(ctx, tx, open.PaymentID)
	if err != nil {
		return false, err
	}
	if p.State != payments.Created && p.State != payments.Open {
		return false, ErrOpenAlready
	}
	if err := payments.MoveTx(ctx, tx, p, payments.Expired); err != nil {
		return false, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, payments.PageAbandoned{PaymentID: p.ID}); err != nil { // nobody is to pay the old price beside the new one
		return false, err
	}
	if err := s.change(ctx, tx, &open, Canceled); err != nil { // its place is not for who waits: the same buyer takes it again
		return false, err
	}
	return false, audit.AppendTx(ctx, tx, audit.Entry{Action: "order.canceled", Object: open.ID, Detail: map[string]any{"because": "ordered anew with another voucher or currency"}})
}

// QuoteOrder says what an order would cost and why, and stores nothing. Errors: those of an order, seats and enrolments apart. A
// voucher that does not hold is Refused, and the quote is without it. Errors: ErrGuesses too.
func (s *Service) QuoteOrder(ctx context.Context, c PlaceOrder) (out Quotation, err error) {
	c, err = c.normal()
	if err != nil {
		return out, err
	}
	if err := s.mayGuess(ctx, c); err != nil {
		return out, err
	}
	asked := c
	err = s.db.View(postgres.WithActor(ctx, "system"), "quote order", func(ctx context.Context, tx *postgres.Tx) error {
		items, err := wantedOf(ctx, tx, c.Items)
		if err == nil && c.Organisation != "" {
			err = identity.MustManageTx(ctx, tx, c.Organisation, c.BuyerID)
		}
		if err != nil {
			return err
		}
		for _, w := range items {
			if err := c.mayTake(ctx, tx, w.offer); err != nil {
				return err
			}
			if err := w.offer.ValidAt(tx.Now()); err != nil {
				return err
			}
		}
		var unknown *fault.Fault
		p, err := pricingOf(ctx, tx, c, items)
		if errors.Is(err, offers.ErrNoCode) {
			unknown, c.Voucher = fault.From(err), ""
			p, err = pricingOf(ctx, tx, c, items)
		}
		if err != nil {
			return err
		}
		if err := p.count(ctx, tx, c.BuyerID, ""); err != nil {
			return err
		}
		if out, err = p.quote(tx, items); unknown != nil {
			out.Refused = unknown
		}
		return err
	})
	if err == nil && out.Refused != nil && errors.Is(out.Refused, offers.ErrNoCode) {
		err = s.guessed(ctx, asked)
	}
	return out, err
}

// redeem notes the uses of a voucher by the lines of an order.
func redeem(ctx context.Context, tx *postgres.Tx, o Order, quoted Quotation) error {
	for i, x := range quoted.Lines {
		if x.VoucherID == "" {
			continue
		}
		off := x.Lines[len(x.Lines)-1].Amount // what a voucher takes off is the last step
		folded, _ := offers.FoldCode(x.Code)
		if _, err := tx.Exec(ctx, q.Q("Redeem"), o.ID, i+1, x.VoucherID, folded, o.BuyerID, x.Quantity, -off.Minor, off.Currency, tx.Now()); err != nil {
			return err
		}
	}
	return nil
}

// favour is what a line of an order was given that others may have taken meanwhile.
type favour struct {
	OfferID    string `db:"offer_id"`
	Quantity   int    `db:"quantity"`
	EarlyUntil *int   `db:"early_until"`
	VoucherID  string `db:"voucher_id"`
	Code       string `db:"code"`
}

func favoursOf(ctx context.Context, tx *postgres.Tx, orderID string) (all []favour, err error) {
	err = tx.Select(ctx, &all, q.Q("Favours"), orderID)
	return all, err
}

func favourLocks(all []favour) (keys []string) {
	for _, f := range all {
		if f.EarlyUntil != nil {
			keys = append(keys, f.OfferID)
		}
		if f.VoucherID != "" {
			keys = append(keys, f.VoucherID)
		}
	}
	return keys
}

// lateFavours says whether an order that is paid after its time can still have what it was quoted: the price of the first buyers,
// and the uses of its voucher. Its window and scope were frozen. The locks are held. Errors: ErrEarlyGone and those of a voucher
// that is used up.
func lateFavours(ctx context.Context, tx *postgres.Tx, o Order, all []favour) error {
	units := 0
	for _, f := range all {
		if f.VoucherID != "" {
			units += f.Quantity
		}
		if f.EarlyUntil == nil {
			continue
		}
		sold, err := soldToOthers(ctx, tx, f.OfferID, o.ID, o.BuyerID)
		if err != nil {
			return err
		}
		if sold+f.Quantity > *f.EarlyUntil {
			return ErrEarlyGone
		}
	}
	if i := slices.IndexFunc(all, func(f favour) bool { return f.VoucherID != "" }); i >= 0 {
		v, shown, err := offers.CodeTx(ctx, tx, all[i].Code)
		if err != nil {
			return err
		}
		p, err := count(ctx, tx, &offers.Presented{Voucher: v, Code: shown}, o.BuyerID, o.ID)
		if err != nil {
			return err
		}
		if f := p.Free(units); f != nil {
			return f
		}
	}
	return nil
}

// PutVoucherTx is offers.PutVoucherTx that refuses limits below what was used or is held. Errors: ErrVoucherLimit too.
func PutVoucherTx(ctx context.Context, tx *postgres.Tx, v offers.Voucher, version int) (VoucherStanding, error) {
	if _, err := tx.Exec(ctx, q.Q("LockSeats"), pq.Array([]string{v.ID})); err != nil {
		return VoucherStanding{}, err
	}
	var most struct {
		All int `db:"all_uses"`
		One int `db:"of_one"`
	}
	if err := tx.Get(ctx, &most, q.Q("MostUses"), v.ID, tx.Now()); err != nil {
		return VoucherStanding{}, err
	}
	if v.Limit != nil && *v.Limit < most.All || v.PerPerson != nil && *v.PerPerson < most.One {
		return VoucherStanding{}, ErrVoucherLimit
	}
	if _, err := offers.PutVoucherTx(ctx, tx, v, version); err != nil {
		return VoucherStanding{}, err
	}
	return VoucherTx(ctx, tx, v.ID)
}
