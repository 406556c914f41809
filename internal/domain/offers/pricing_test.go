package offers_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func pointer[T any](x T) *T { return &x }

// situation is everything that a quote depends on.
type situation struct {
	offer    offers.Offer
	prices   []offers.Price
	voucher  *offers.Presented
	buyer    offers.Buyer
	quantity int
	sold     int
}

func (s situation) quote() (offers.Quoted, []*fault.Fault) {
	return offers.Quote(s.offer, s.prices, s.voucher, s.buyer, s.quantity, noon, s.sold)
}

func window(t *rapid.T, name string) (from, until *time.Time) {
	if h := rapid.IntRange(-3, 3).Draw(t, name+" from"); h != 3 {
		from = pointer(noon.Add(time.Duration(h) * time.Hour))
	}
	if h := rapid.IntRange(-3, 3).Draw(t, name+" until"); h != 3 {
		until = pointer(noon.Add(time.Duration(h) * time.Hour))
	}
	return from, until
}

func minor(t *rapid.T, name string) int64 {
	return rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(0, 99_999_999)).Draw(t, name)
}

func limit(t *rapid.T, name string) *int {
	if n := rapid.IntRange(0, 6).Draw(t, name); n > 0 {
		return &n
	}
	return nil
}

func situations(currencies []money.Currency) *rapid.Generator[situation] {
	return rapid.Custom(func(t *rapid.T) situation {
		currency := rapid.SampledFrom(currencies)
		s := situation{
			offer:    offers.Offer{ID: "off_1", SessionID: "ses_1", SessionKey: "PRD-9", Formula: "QUALIFYING", Price: money.Of(minor(t, "list"), currencies[0])},
			buyer:    offers.Buyer{Organisations: rapid.SampledFrom([][]string{nil, {"ESP"}, {"IMT", "ESP"}}).Draw(t, "of")},
			quantity: rapid.OneOf(rapid.IntRange(1, 5), rapid.IntRange(1, offers.MaxQuantity)).Draw(t, "quantity"), sold: rapid.IntRange(0, 10).Draw(t, "sold"),
		}
		if rapid.Bool().Draw(t, "says the currency") {
			s.buyer.Currency = currency.Draw(t, "currency")
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "prices") {
			p := offers.Price{ID: fmt.Sprintf("prc_%d", i), Price: money.Of(minor(t, "price"), currency.Draw(t, "its currency")), EarlyUntil: limit(t, "early"),
				Archived: rapid.IntRange(0, 5).Draw(t, "archived") == 0, Audience: rapid.SampledFrom([]string{"", "ESP", "UCAD"}).Draw(t, "audience")}
			p.ValidFrom, p.ValidUntil = window(t, "price")
			s.prices = append(s.prices, p)
		}
		if rapid.IntRange(0, 4).Draw(t, "voucher") > 0 {
			v := offers.Voucher{
				ID: "vch_1", Kind: rapid.SampledFrom([]string{offers.OneCode, offers.Batch}).Draw(t, "kind"), Limit: limit(t, "limit"), PerPerson: limit(t, "per person"),
				Archived: rapid.IntRange(0, 8).Draw(t, "taken back") == 0,
				Scope: offers.Scope{
					Offers: rapid.SampledFrom([][]string{nil, nil, {"off_1"}, {"off_2"}}).Draw(t, "offers"), Sessions: rapid.SampledFrom([][]string{nil, nil, {"PRD-9"}, {"PRD-8"}}).Draw(t, "sessions"),
					Editions: rapid.SampledFrom([][]string{nil, nil, nil, {"NET-1"}}).Draw(t, "editions"), Formulas: rapid.SampledFrom([][]string{nil, nil, {"QUALIFYING"}, {"TEAM"}}).Draw(t, "formulas"),
					Organisation: rapid.SampledFrom([]string{"", "", "ESP", "UCAD"}).Draw(t, "organisation"),
				},
			}
			if rapid.Bool().Draw(t, "a share") {
				v.PercentPPM = pointer(rapid.IntRange(1, 1_000_000).Draw(t, "share"))
			} else {
				v.Amounts = []money.Amount{money.Of(1+minor(t, "off"), currency.Draw(t, "off in"))}
			}
			v.ValidFrom, v.ValidUntil = window(t, "voucher")
			s.voucher = &offers.Presented{Voucher: v, Code: "WELCOME", Used: rapid.IntRange(0, 6).Draw(t, "used"), UsedBy: rapid.IntRange(0, 3).Draw(t, "used by"), UsedCode: rapid.IntRange(0, 1).Draw(t, "code used")}
		}
		return s
	})
}

// available says by itself, from the words of the contract, whether a price can be had.
func available(p offers.Price, s situation, c money.Currency) bool {
	if p.Archived || p.Price.Currency != c || p.ValidFrom != nil && p.ValidFrom.After(noon) || p.ValidUntil != nil && !p.ValidUntil.After(noon) {
		return false
	}
	return (p.Audience == "" || slices.Contains(s.buyer.Organisations, p.Audience)) && (p.EarlyUntil == nil || *p.EarlyUntil >= s.sold+s.quantity)
}

// A quote is never below nothing nor above the list, its lines are its total, and its unit is the best of the prices that hold.
func TestAQuoteIsTheBestPriceAndAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations([]money.Currency{"EUR", "XOF", "TND"}).Draw(t, "situation")
		q, refused := s.quote()
		c := s.buyer.Currency
		if c == "" {
			c = s.offer.Price.Currency
		}
		var best *int64
		try := func(minor int64) {
			if best == nil || minor < *best {
				best = &minor
			}
		}
		if c == s.offer.Price.Currency {
			try(s.offer.Price.Minor)
		}
		for _, p := range s.prices {
			if available(p, s, c) {
				try(p.Price.Minor)
			}
		}
		if best == nil {
			if len(refused) != 1 || !errors.Is(refused[0], offers.ErrOtherCurrency) {
				t.Fatal("there is no price in", c, "and the answer is", refused)
			}
			return
		}
		if q.Unit != money.Of(*best, c) {
			t.Fatalf("the best price is %d, not %v", *best, q.Unit)
		}
		if q.PriceID == "" && q.Unit != s.offer.Price || q.PriceID != "" && q.Why == offers.WhyList {
			t.Fatalf("it does not say which price: %+v", q)
		}
		sum := int64(0)
		for i, l := range q.Lines {
			if sum += l.Amount.Minor; l.Amount.Currency != c || (l.Amount.Minor < 0) != (i > 0) && l.Amount.Minor != 0 {
				t.Fatalf("line %d is %+v", i, l)
			}
		}
		list := q.List.Minor * int64(s.quantity)
		if sum != q.Total.Minor || q.Total.Minor < 0 || q.Total.Minor > list || q.Discount.Minor != list-q.Total.Minor || q.Discount.Currency != c {
			t.Fatalf("it does not add up: %+v", q)
		}
		if c == s.offer.Price.Currency && q.List != s.offer.Price {
			t.Fatalf("the list price is %v", q.List)
		}
		if (q.Reason() == "") != (q.Discount.Minor == 0) || len(q.Reason()) > 200 {
			t.Fatalf("a discount has its reason: %q of %v", q.Reason(), q.Discount)
		}
		if len(refused) > 0 && (q.VoucherID != "" || q.Total.Minor != q.Unit.Minor*int64(s.quantity)) {
			t.Fatal("a refused voucher took something off")
		}
		if s.voucher != nil && len(refused) == 0 && (q.VoucherID == "" || q.Total.Minor >= q.Unit.Minor*int64(s.quantity)) {
			t.Fatal("a voucher was neither refused nor took something off")
		}
	})
}

// Each rule of a voucher, broken alone, is refused with its own reason, and one whole voucher is taken.
func TestAVoucherIsRefusedWithItsExactReason(t *testing.T) {
	base := func() situation {
		v := offers.Voucher{
			ID: "vch_1", Kind: offers.OneCode, Amounts: []money.Amount{money.Of(1000, "EUR"), money.Of(5000, "XOF")}, Limit: pointer(10), PerPerson: pointer(2),
			ValidFrom: pointer(noon), ValidUntil: pointer(noon.Add(time.Second)),
			Scope: offers.Scope{Offers: []string{"off_7"}, Sessions: []string{"PRD-9"}, Formulas: []string{"QUALIFYING"}, Organisation: "ESP"},
		}
		return situation{
			offer:    offers.Offer{ID: "off_1", SessionID: "ses_1", SessionKey: "PRD-9", Formula: "QUALIFYING", Price: money.Of(15000, "EUR")},
			prices:   []offers.Price{{ID: "prc_1", Price: money.Of(9000, "USD")}},
			voucher:  &offers.Presented{Voucher: v, Code: "WELCOME", Used: 9, UsedBy: 1, UsedCode: 9},
			buyer:    offers.Buyer{Organisations: []string{"ESP"}},
			quantity: 1,
		}
	}
	if q, refused := base().quote(); refused != nil || q.Total.Minor != 14000 || q.VoucherID != "vch_1" {
		t.Fatal(q, refused)
	}
	for want, breaks := range map[*fault.Fault]func(s *situation){
		offers.ErrVoucherArchived:  func(s *situation) { s.voucher.Voucher.Archived = true },
		offers.ErrVoucherEarly:     func(s *situation) { s.voucher.Voucher.ValidFrom = pointer(noon.Add(1)) },
		offers.ErrVoucherOver:      func(s *situation) { s.voucher.Voucher.ValidUntil = pointer(noon) },
		offers.ErrVoucherNotYours:  func(s *situation) { s.buyer.Organisations = []string{"IMT"} },
		offers.ErrVoucherElsewhere: func(s *situation) { s.offer.SessionKey = "PRD-8" },
		offers.ErrVoucherFormula:   func(s *situation) { s.offer.Formula = "TEAM" },
		offers.ErrVoucherCurrency:  func(s *situation) { s.buyer.Currency = "USD" },
		offers.ErrVoucherUsedUp:    func(s *situation) { s.voucher.Used = 10 },
		offers.ErrVoucherUsedByYou: func(s *situation) { s.quantity, s.voucher.Used = 2, 8 },
		offers.ErrCodeUsed:         func(s *situation) { s.voucher.Voucher.Kind, s.voucher.UsedCode = offers.Batch, 1 },
		offers.ErrVoucherNothing:   func(s *situation) { s.offer.Price.Minor = 0 },
	} {
		s := base()
		breaks(&s)
		if q, refused := s.quote(); len(refused) != 1 || refused[0].Code != want.Code || q.Discount.Minor != 0 {
			t.Errorf("%s: refused with %v, discount %v", want.Code, refused, q.Discount)
		}
	}
}

// A quote knows minor units alone: the same numbers in every currency come to the same numbers, so nothing in XOF, XAF or JPY is
// ever multiplied or divided by a hundred, and nothing in TND by a thousand.
func TestAQuoteIsTheSameInEveryCurrency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations([]money.Currency{"EUR"}).Draw(t, "situation")
		want, refused := s.quote()
		for _, c := range money.Currencies() {
			x := s
			x.offer.Price.Currency = c
			if x.buyer.Currency != "" {
				x.buyer.Currency = c
			}
			x.prices = slices.Clone(s.prices)
			for i := range x.prices {
				x.prices[i].Price.Currency = c
			}
			if s.voucher != nil {
				v := *s.voucher
				v.Voucher.Amounts = slices.Clone(v.Voucher.Amounts)
				for i := range v.Voucher.Amounts {
					v.Voucher.Amounts[i].Currency = c
				}
				x.voucher = &v
			}
			got, why := x.quote()
			if got.Total.Minor != want.Total.Minor || got.List.Minor != want.List.Minor || got.Total.Currency != c || len(why) != len(refused) {
				t.Fatalf("in %s it is %v of %v, in EUR %v of %v", c, got.Total, got.List, want.Total, want.List)
			}
		}
	})
}

// A share of francs is whole francs, half up, once per line.
func TestSharesAreRoundedHalfUpPerLine(t *testing.T) {
	for _, c := range []struct {
		price    money.Amount
		ppm, n   int
		decimals string
	}{
		{money.Of(100_000, "XOF"), 100_000, 1, "90000"}, {money.Of(99_999, "XOF"), 100_000, 1, "89999"}, {money.Of(5, "XOF"), 100_000, 1, "4"},
		{money.Of(5, "XOF"), 100_000, 3, "13"}, {money.Of(15000, "EUR"), 333_333, 1, "100.00"}, {money.Of(1, "TND"), 500_000, 1, "0.000"},
		{money.Of(99_999_999, "KWD"), 1_000_000, offers.MaxQuantity, "0.000"}, {money.Of(99_999_999, "JPY"), 1, offers.MaxQuantity, "999998990000"},
	} {
		s := situation{offer: offers.Offer{ID: "off_1", Price: c.price}, quantity: c.n, voucher: &offers.Presented{Voucher: offers.Voucher{ID: "vch_1", PercentPPM: &c.ppm}}}
		if q, refused := s.quote(); refused != nil || q.Total.Decimal() != c.decimals {
			t.Errorf("%v × %d less %d ppm is %s, not %s (%v)", c.price, c.n, c.ppm, q.Total.Decimal(), c.decimals, refused)
		}
	}
}

// However a code is typed, it is found; what is printed never holds two signs that look alike.
func TestCodesAreFoundHoweverTheyAreTyped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.StringMatching(`[0-9A-HJKMNP-TV-Z]{4,32}`).Draw(t, "code")
		want, ok := offers.FoldCode(code)
		if !ok || want != code {
			t.Fatal(code, want)
		}
		typed := ""
		for _, r := range code {
			typed += rapid.SampledFrom([]string{"", " ", "-", "\u00a0"}).Draw(t, "between")
			switch as := rapid.IntRange(0, 2).Draw(t, "as"); {
			case as == 1 && r == '0':
				typed += "o"
			case as == 1 && r == '1':
				typed += "l"
			case as == 2 && r == '1':
				typed += "I"
			case as == 1 && r == 'V':
				typed += "u"
			case as == 2:
				typed += string(r | 0x20) // lower case; digits have the bit already
			default:
				typed += string(r)
			}
		}
		if got, ok := offers.FoldCode(typed); !ok || got != code {
			t.Fatalf("%q is %q, not %q", typed, got, code)
		}
	})
	for _, bad := range []string{"", "abc", "AB!C", "é234", "ÀBCD", string(make([]byte, 200)), "0123456789012345678901234567890123"} {
		if got, ok := offers.FoldCode(bad); ok {
			t.Errorf("%q was taken for the code %q", bad, got)
		}
	}
}
