package offers

import (
	"slices"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

// Why a price is the one that is taken.
const (
	WhyList         = "list"         // the offer's own price
	WhyEarly        = "early"        // of the first buyers
	WhyWindow       = "window"       // of a time
	WhyOrganisation = "organisation" // of an organisation's members
	WhyCurrency     = "currency"     // the standing price in another currency
)

// MaxQuantity bounds what one line can ask for, so that no product below overflows: 10^8 minor units × 10^4 × 10^6 ppm < 2^63.
const MaxQuantity = 10_000

// Buyer is what a quote asks of who buys.
type Buyer struct {
	Organisations []string       // keys of those that she is a member of, or buys for
	Currency      money.Currency // in which she pays; empty: that of the offer
}

// Presented is a voucher with the code that was given and how often it was used by others, open orders counted.
type Presented struct {
	Voucher  Voucher
	Code     string // as it is printed
	Used     int    // of the voucher
	UsedBy   int    // of it, by this buyer
	UsedCode int    // of this code
}

// Quoted is what a line costs and why. List is the price of one without any favour, Unit the best price of one that holds; both
// are of Quantity 1. Lines sum to Total; Discount is Quantity × List − Total.
type Quoted struct {
	OfferID   string       `json:"offer_id"`
	Quantity  int          `json:"quantity"`
	List      money.Amount `json:"list"`
	Unit      money.Amount `json:"unit"`
	PriceID   string       `json:"price_id,omitempty"` // empty: the offer's own price
	Label     catalog.Text `json:"label"`              // of that price
	Why       string       `json:"why"`
	Until     *time.Time   `json:"until,omitempty"` // when that price ends
	Left      *int         `json:"left,omitempty"`  // how many are left at that price
	Lines     []QuoteLine  `json:"lines"`
	Discount  money.Amount `json:"discount"`
	Total     money.Amount `json:"total"`
	VoucherID string       `json:"voucher_id,omitempty"` // of a voucher that takes something off
	Code      string       `json:"code,omitempty"`
}

// QuoteLine is one step from the list price to the total: list, price or voucher.
type QuoteLine struct {
	Kind   string       `json:"kind"`
	Amount money.Amount `json:"amount"` // what is taken off is negative
}

// Reason is the discount in words for whoever keeps the books; empty where there is none.
func (q Quoted) Reason() string {
	if q.Discount.IsZero() {
		return ""
	}
	var why []string
	if q.Unit != q.List {
		why = append(why, strings.TrimSpace(q.Why+" "+q.Label.In("en")))
	}
	if q.VoucherID != "" {
		why = append(why, "voucher "+q.Code)
	}
	return strings.Join(why, ", ")
}

// Quote says what quantity units of an offer cost a buyer at an instant, when sold of it are sold or held: the best price that
// holds, less what the voucher takes off. Nil reasons: everything that was asked for is in it. Otherwise each says why the voucher
// was left out, or that the offer has no price in the currency, and then nothing else of the quote means anything. Whole minor
// units throughout, a share rounded half-up once per line, so it knows nothing of exponents; 0 ≤ Total ≤ Quantity × List.
func Quote(o Offer, prices []Price, v *Presented, b Buyer, quantity int, now time.Time, sold int) (Quoted, []*fault.Fault) {
	c := b.Currency
	if c == "" {
		c = o.Price.Currency
	}
	q := Quoted{OfferID: o.ID, Quantity: quantity, Why: WhyList}
	if quantity < 1 || quantity > MaxQuantity {
		return q, []*fault.Fault{ErrQuantity}
	}
	found := c == o.Price.Currency
	if found {
		q.List, q.Unit = o.Price, o.Price
	}
	for _, p := range inPriceOrder(prices) {
		if p.Price.Currency != c || !p.holds(b, quantity, now, sold) {
			continue
		}
		if !found || p.Price.Minor < q.Unit.Minor {
			q.Unit, q.PriceID, q.Label, q.Why, q.Until, q.Left = p.Price, p.ID, p.Label, p.why(), p.ValidUntil, p.left(sold)
		}
		if !found || c != o.Price.Currency && p.Price.Minor > q.List.Minor {
			q.List = p.Price
		}
		found = true
	}
	if !found {
		return q, []*fault.Fault{ErrOtherCurrency}
	}
	n := int64(quantity)
	list, after := q.List.Minor*n, q.Unit.Minor*n
	q.add("list", list, c)
	q.add("price", after-list, c)
	off, refused := v.off(o, b, money.Of(after, c), quantity, now)
	if refused == nil && off > 0 {
		q.VoucherID, q.Code = v.Voucher.ID, v.Code
		q.add("voucher", -off, c)
	}
	q.Total = money.Of(after-off, c)
	q.Discount = money.Of(list-q.Total.Minor, c)
	if refused != nil {
		return q, []*fault.Fault{refused}
	}
	return q, nil
}

func (q *Quoted) add(kind string, minor int64, c money.Currency) {
	if minor != 0 || kind == "list" {
		q.Lines = append(q.Lines, QuoteLine{kind, money.Of(minor, c)})
	}
}

// inPriceOrder sorts prices by id, so that of two equal ones the older is taken, however they were read.
func inPriceOrder(prices []Price) []Price {
	return slices.SortedFunc(slices.Values(prices), func(a, b Price) int { return strings.Compare(a.ID, b.ID) })
}

// off is what a voucher takes off a line, never more than the line; or why it takes off nothing. No voucher takes off nothing
// without a reason.
func (v *Presented) off(o Offer, b Buyer, line money.Amount, quantity int, now time.Time) (int64, *fault.Fault) {
	if v == nil {
		return 0, nil
	}
	if err := v.refusal(o, b, line.Currency, quantity, now); err != nil {
		return 0, err
	}
	var off int64
	if v.Voucher.PercentPPM != nil {
		off = (line.Minor*int64(*v.Voucher.PercentPPM) + 500_000) / 1_000_000
	} else {
		each, _ := v.Voucher.amountIn(line.Currency)
		off = min(each*int64(quantity), line.Minor)
	}
	if off == 0 {
		return 0, ErrVoucherNothing
	}
	return off, nil
}

// refusal says why a voucher does not hold for a line; nil when it does.
func (v *Presented) refusal(o Offer, b Buyer, c money.Currency, quantity int, now time.Time) *fault.Fault {
	w := v.Voucher
	switch {
	case w.Archived:
		return ErrVoucherArchived
	case w.ValidFrom != nil && now.Before(*w.ValidFrom):
		return ErrVoucherEarly
	case w.ValidUntil != nil && !now.Before(*w.ValidUntil):
		return ErrVoucherOver
	case w.Scope.Organisation != "" && !slices.Contains(b.Organisations, w.Scope.Organisation):
		return ErrVoucherNotYours
	case !w.Scope.on(o):
		return ErrVoucherElsewhere
	case len(w.Scope.Formulas) > 0 && !slices.Contains(w.Scope.Formulas, o.Formula):
		return ErrVoucherFormula
	}
	if f := v.Free(quantity); f != nil {
		return f
	}
	if _, ok := w.amountIn(c); w.PercentPPM == nil && !ok {
		return ErrVoucherCurrency
	}
	return nil
}

// Free says whether so many uses are left: nil, or which limit stands against them.
func (v *Presented) Free(uses int) *fault.Fault {
	within := func(limit *int, used int) bool { return limit == nil || used+uses <= *limit }
	once := 1
	switch {
	case v.Voucher.Kind == Batch && !within(&once, v.UsedCode):
		return ErrCodeUsed
	case !within(v.Voucher.Limit, v.Used):
		return ErrVoucherUsedUp
	case !within(v.Voucher.PerPerson, v.UsedBy):
		return ErrVoucherUsedByYou
	}
	return nil
}

// on says whether the scope has an offer in it, its formula apart.
func (s Scope) on(o Offer) bool {
	return len(s.Offers)+len(s.Sessions)+len(s.Editions) == 0 || slices.Contains(s.Offers, o.ID) ||
		o.SessionID != "" && (slices.Contains(s.Sessions, o.SessionKey) || slices.Contains(s.Sessions, o.SessionID)) ||
		o.EditionID != "" && (slices.Contains(s.Editions, o.EditionKey) || slices.Contains(s.Editions, o.EditionID))
}
