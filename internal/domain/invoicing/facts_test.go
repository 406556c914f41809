package invoicing

import (
	"errors"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/kernel/money"
)

// The tax in a price is what exact arithmetic says, rounded half up, for every price and rate.
func TestTaxIsHalfUpAgainstExactArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(0, 1<<62).Draw(t, "total")
		rate := rapid.SampledFrom([]int64{0, 1, 21_000, 55_000, 100_000, 180_000, 200_000, 999_999, 1_000_000}).Draw(t, "rate")
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(total), big.NewInt(rate)), big.NewInt(1_000_000+rate))
		exact.Add(exact, big.NewRat(1, 2))
		want := new(big.Int).Div(exact.Num(), exact.Denom()).Int64()
		if got := taxIn(total, rate); got != want {
			t.Fatalf("the tax in %d at %d is %d, exactly %d", total, rate, got, want)
		}
	})
}

// 120.00 at 20 % contain 20.00; 100 000 XOF at 18 % contain 15 254; what is exempt contains none.
func TestTaxOfKnownPrices(t *testing.T) {
	for _, x := range []struct{ total, rate, tax int64 }{{12000, 200_000, 2000}, {100_000, 180_000, 15254}, {15000, 0, 0}, {1, 200_000, 0}, {3, 200_000, 1}} {
		if got := taxIn(x.total, x.rate); got != x.tax {
			t.Errorf("%d at %d: %d, want %d", x.total, x.rate, got, x.tax)
		}
	}
}

func drawInvoice(t *rapid.T) Full {
	s := source{byOffer: map[string]string{}, issuer: IssuerDetails{Seller: Seller{Key: "IMT", LegalName: "IMT"}, Regimes: []Regime{
		{Key: "exempt", Category: "E", Mention: Text{"exempt", "exonéré"}, Fallback: true}, {Key: "full", Category: "S", RatePPM: 200_000}, {Key: "low", Category: "S", RatePPM: 55_000}}}}
	n := NewDocument{OrderID: "ord_1", Currency: "EUR", Lang: rapid.SampledFrom([]string{"en", "fr"}).Draw(t, "lang"), Buyer: Buyer{ID: "per_1"}}
	for i := range rapid.IntRange(1, 5).Draw(t, "lines") {
		l := NewLine{OfferID: string(rune('a' + i)), Description: "x", Quantity: rapid.Int64Range(1, 30).Draw(t, "quantity"), UnitMinor: rapid.Int64Range(1, 50_000).Draw(t, "unit")}
		l.DiscountMinor = rapid.Int64Range(0, l.Quantity*l.UnitMinor-1).Draw(t, "discount")
		n.Lines = append(n.Lines, l)
		s.byOffer[l.OfferID] = rapid.SampledFrom([]string{"", "full", "low", "unknown"}).Draw(t, "regime")
	}
	f, err := s.facts(KindInvoice, n)
	if err != nil {
		t.Fatal(err)
	}
	return Full{ID: "inv_1", Number: "IMT-2026-000001", IssuedAt: time.Unix(0, 0), Facts: f}
}

// Whatever is credited, in however many pieces: each note adds up, no line gives more than it had, nor its tax, and when all went
// back all of the tax did.
func TestCreditsTakeBackExactlyWhatWasInvoiced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		invoice := drawInvoice(t)
		left, tax := invoice.Facts.Total, int64(0)
		if invoice.Facts.NetMinor+invoice.Facts.TaxMinor != left {
			t.Fatal("the invoice does not add up")
		}
		var notes []Full
		for left > 0 {
			minor := rapid.Int64Range(1, left).Draw(t, "credit")
			if len(notes) > 5 {
				minor = left
			}
			f, err := credit(invoice, notes, Credit{OrderID: "ord_1", Amount: money.Of(minor, "EUR")})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range f.Lines {
				if l.Total != l.Quantity*l.UnitMinor-l.DiscountMinor || l.NetMinor+l.TaxMinor != l.Total || l.TaxMinor < 0 || l.NetMinor < 0 {
					t.Fatalf("a line that does not add up: %+v", l)
				}
			}
			if f.Total != minor {
				t.Fatal(f.Total, minor)
			}
			left, tax, notes = left-minor, tax+f.TaxMinor, append(notes, Full{Facts: f})
		}
		if tax != invoice.Facts.TaxMinor {
			t.Fatalf("%d of tax went back, the invoice had %d", tax, invoice.Facts.TaxMinor)
		}
		if _, err := credit(invoice, notes, Credit{Amount: money.Of(1, "EUR")}); !errors.Is(err, ErrCredit) {
			t.Fatal("more was credited than invoiced:", err)
		}
	})
}

// A credit by line takes of these lines alone, and not more than they have.
func TestCreditByLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		invoice := drawInvoice(t)
		l := rapid.SampledFrom(invoice.Facts.Lines).Draw(t, "line")
		minor := rapid.Int64Range(1, l.Total).Draw(t, "minor")
		f, err := credit(invoice, nil, Credit{Amount: money.Of(minor, "EUR"), Lines: []CreditLine{{l.Position, minor}}})
		if err != nil || len(f.Lines) != 1 || f.Lines[0].Position != l.Position || f.Total != minor {
			t.Fatalf("%+v %v", f, err)
		}
		for _, c := range []Credit{
			{Amount: money.Of(l.Total+1, "EUR"), Lines: []CreditLine{{l.Position, l.Total + 1}}}, {Amount: money.Of(minor, "USD"), Lines: []CreditLine{{l.Position, minor}}},
			{Amount: money.Of(minor, "EUR"), Lines: []CreditLine{{99, minor}}}, {Amount: money.Of(minor, "EUR"), Lines: []CreditLine{}},
		} {
			if _, err := credit(invoice, nil, c); err == nil {
				t.Fatalf("%+v was credited", c)
			}
		}
	})
}

// The first documents of the house are read as what they said.
func TestFirstDocumentsAreRead(t *testing.T) {
	f, err := readFacts([]byte(`{"buyer_id": "per_1", "buyer_name": "Aïcha", "line": "Networks, QUALIFYING", "demo": true}`), money.Of(15000, "EUR"))
	if err != nil || f.Buyer.Name != "Aïcha" || f.Total != 15000 || len(f.Lines) != 1 || f.Lines[0].Description != "Networks, QUALIFYING" || !f.Demo || len(f.Taxes) != 1 {
		t.Errorf("%+v %v", f, err)
	}
}
