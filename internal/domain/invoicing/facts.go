package invoicing

import (
	"encoding/json"
	"math/bits"
	"slices"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

// Facts are all that a document says beside its number and date. They are frozen in it; amounts are minor units of the currency,
// rates are millionths. Prices include the tax.
type Facts struct {
	Lang      string         `json:"lang"` // of the document, en or fr
	Currency  money.Currency `json:"currency"`
	Seller    Seller         `json:"seller"`
	Buyer     Buyer          `json:"buyer"`
	Lines     []Line         `json:"lines"`
	Taxes     []TaxTotal     `json:"taxes"`
	NetMinor  int64          `json:"net_minor"`
	TaxMinor  int64          `json:"tax_minor"`
	Total     int64          `json:"total_minor"`
	OrderID   string         `json:"order"`
	OrderedAt *time.Time     `json:"ordered_at,omitempty"`
	Reference string         `json:"buyer_reference,omitempty"` // the buyer's own, such as a purchase order
	Payment   Payment        `json:"payment"`
	Corrects  *Corrected     `json:"corrects,omitempty"` // of a credit note
	Reason    string         `json:"reason,omitempty"`   // of a credit note
	Mentions  []string       `json:"mentions"`
	Demo      bool           `json:"demo"`
}

// Seller is an issuer as a document names it.
type Seller struct {
	Key               string  `json:"key"`
	LegalName         string  `json:"legal_name"`
	LegalForm         string  `json:"legal_form,omitempty"`
	Address           Address `json:"address"`
	Registration      string  `json:"registration,omitempty"`
	RegistrationLabel string  `json:"registration_label,omitempty"`
	ActivityNumber    string  `json:"activity_number,omitempty"`
	VATNumber         string  `json:"vat_number,omitempty"`
	Email             string  `json:"email,omitempty"`
	Phone             string  `json:"phone,omitempty"`
	Bank              string  `json:"bank,omitempty"`
	IBAN              string  `json:"iban,omitempty"`
	BIC               string  `json:"bic,omitempty"`
}

// Address is where somebody is; the country is an ISO 3166 code.
type Address struct {
	Street   string `json:"street,omitempty"` // lines
	PostCode string `json:"post_code,omitempty"`
	City     string `json:"city,omitempty"`
	Country  string `json:"country,omitempty"`
}

// Buyer is to whom a document is made out. Name is that of a person; where a company buys, Company is the buyer.
type Buyer struct {
	ID        string  `json:"id,omitempty"` // of the person
	Name      string  `json:"name"`
	Company   string  `json:"company,omitempty"`
	Address   Address `json:"address"`
	VATNumber string  `json:"vat_number,omitempty"`
	Email     string  `json:"email,omitempty"`
}

// Line is one thing that was sold. Total = Quantity × Unit − Discount; Net = Total − Tax.
type Line struct {
	Description    string `json:"description"`
	Quantity       int64  `json:"quantity"`
	UnitMinor      int64  `json:"unit_minor"`
	DiscountMinor  int64  `json:"discount_minor"`
	DiscountReason string `json:"discount_reason,omitempty"`
	TaxCategory    string `json:"tax_category"`
	RatePPM        int64  `json:"rate_ppm"`
	NetMinor       int64  `json:"net_minor"`
	TaxMinor       int64  `json:"tax_minor"`
	Total          int64  `json:"total_minor"`
	Reason         string `json:"reason,omitempty"`      // why no tax is due
	ReasonCode     string `json:"reason_code,omitempty"` // the same, of the list VATEX
	Position       int    `json:"position"`              // of the invoice's line, in a credit note too
	OfferID        string `json:"offer,omitempty"`
}

// TaxTotal sums the lines of one category and rate. Reason and ReasonCode (VATEX) say why no tax is due.
type TaxTotal struct {
	TaxCategory string `json:"tax_category"`
	RatePPM     int64  `json:"rate_ppm"`
	NetMinor    int64  `json:"net_minor"`
	TaxMinor    int64  `json:"tax_minor"`
	Total       int64  `json:"total_minor"`
	Reason      string `json:"reason,omitempty"`
	ReasonCode  string `json:"reason_code,omitempty"`
}

// Payment says how a document was or is to be paid.
type Payment struct {
	Means     string     `json:"means"`               // card, sepa_debit, transfer, desk, …; empty: not known yet
	Reference string     `json:"reference,omitempty"` // the payment's
	PaidAt    *time.Time `json:"paid_at,omitempty"`
	DueAt     *time.Time `json:"due_at,omitempty"`
	Schedule  []Due      `json:"schedule,omitempty"` // of instalments
}

// Due is an instalment: when it is due, and how much.
type Due struct {
	At    time.Time `json:"at"`
	Minor int64     `json:"minor"`
}

// Corrected names the invoice that a credit note corrects.
type Corrected struct {
	Number   string    `json:"number"`
	IssuedAt time.Time `json:"issued_at"`
}

// ErrAmounts answers lines that do not add up: our own failure.
var ErrAmounts = fault.New(fault.Internal, "document-does-not-add-up", "The lines of a document do not add up.")

// taxIn is the tax that a price with tax contains, half-up: total × rate ÷ (1 + rate), of a total that is not negative.
func taxIn(total, ratePPM int64) int64 {
	whole := uint64(1_000_000 + ratePPM)
	hi, lo := bits.Mul64(uint64(total), uint64(ratePPM)*2)
	lo, carry := bits.Add64(lo, whole, 0)
	tax, _ := bits.Div64(hi+carry, lo, whole*2) // hi < whole*2 because rate < whole and total < 2^63
	return int64(tax)
}

// share is part × of ÷ whole, half-up, for 0 ≤ part ≤ whole: how much of a line's tax is in a part of its total.
func share(part, of, whole int64) int64 {
	if whole == 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(part)*2, uint64(of))
	lo, carry := bits.Add64(lo, uint64(whole), 0)
	s, _ := bits.Div64(hi+carry, lo, uint64(whole)*2)
	return int64(s)
}

// add sums the lines: the totals, and those of each category and rate in the order in which they first appear.
func (f *Facts) add() error {
	f.Taxes, f.NetMinor, f.TaxMinor, f.Total = nil, 0, 0, 0
	for _, l := range f.Lines {
		gross, err := money.Of(l.Total, f.Currency).Add(money.Of(f.Total, f.Currency))
		if err != nil || l.Total < 0 || l.TaxMinor < 0 || l.NetMinor < 0 || l.NetMinor+l.TaxMinor != l.Total {
			return ErrAmounts
		}
		f.NetMinor, f.TaxMinor, f.Total = f.NetMinor+l.NetMinor, f.TaxMinor+l.TaxMinor, gross.Minor
		i := slices.IndexFunc(f.Taxes, func(t TaxTotal) bool {
			return t.TaxCategory == l.TaxCategory && t.RatePPM == l.RatePPM && t.ReasonCode == l.ReasonCode && t.Reason == l.Reason
		})
		if i < 0 {
			i = len(f.Taxes)
			f.Taxes = append(f.Taxes, TaxTotal{TaxCategory: l.TaxCategory, RatePPM: l.RatePPM, Reason: l.Reason, ReasonCode: l.ReasonCode})
		}
		t := &f.Taxes[i]
		t.NetMinor, t.TaxMinor, t.Total = t.NetMinor+l.NetMinor, t.TaxMinor+l.TaxMinor, t.Total+l.Total
	}
	if len(f.Lines) == 0 || f.Total <= 0 {
		return ErrAmounts
	}
	return nil
}

// readFacts reads what a document says. The first documents of the house named their buyer and one line alone; nothing was
// written about tax then, and none was taken.
func readFacts(raw []byte, total money.Amount) (f Facts, err error) {
	var first struct {
		BuyerID   string `json:"buyer_id"`
		BuyerName string `json:"buyer_name"`
		Line      string `json:"line"`
	}
	if err := json.Unmarshal(raw, &f); err != nil || len(f.Lines) > 0 {
		return f, err
	}
	if err := json.Unmarshal(raw, &first); err != nil {
		return f, err
	}
	f.Lang, f.Currency, f.Mentions = "en", total.Currency, []string{}
	f.Buyer = Buyer{ID: first.BuyerID, Name: first.BuyerName}
	f.Lines = []Line{{
		Description: first.Line, Quantity: 1, UnitMinor: total.Minor, TaxCategory: "O", NetMinor: total.Minor, Total: total.Minor, Position: 1,
	}}
	return f, f.add()
}
