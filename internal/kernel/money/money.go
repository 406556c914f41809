// Package money holds amounts as int64 minor units with an ISO 4217 currency.
//
// The number of minor digits comes from the currency and from nothing else: 150.00 EUR is 15000, 100 000 XOF is 100000.
// No float appears here and no division loses a cent: Allocate hands out remainders by the largest-remainder rule.
package money

import (
	"database/sql/driver"
	"fmt"
	"math/bits"
	"sort"
	"strconv"
	"strings"

	"cursus/internal/kernel/fault"
)

// Currency is an ISO 4217 alphabetic code in upper case.
type Currency string

// Faults of this package.
var (
	ErrCurrency = fault.New(fault.Invalid, "unknown-currency", "The currency is not a code of ISO 4217 that people pay in.")
	ErrMismatch = fault.New(fault.Invalid, "currency-mismatch", "Amounts of two currencies cannot be added.")
	ErrOverflow = fault.New(fault.Invalid, "amount-too-large", "The amount is too large.")
)

// ParseCurrency accepts a code in either case.
func ParseCurrency(s string) (Currency, error) {
	c := Currency(strings.ToUpper(s))
	if _, ok := exponents[c]; !ok {
		return "", ErrCurrency
	}
	return c, nil
}

// Exponent is the number of digits after the decimal point: 2 for EUR, 0 for XOF, 3 for TND, 4 for CLF.
func (c Currency) Exponent() int { return exponents[c] }

// Known says whether ISO 4217 has the currency.
func (c Currency) Known() bool { _, ok := exponents[c]; return ok }

// Value lets database/sql store the code.
func (c Currency) Value() (driver.Value, error) { return string(c), nil }

// Amount is an int64 number of minor units of one currency.
type Amount struct {
	Minor    int64    `json:"amount_minor"`
	Currency Currency `json:"currency"`
}

// Of makes an amount.
func Of(minor int64, c Currency) Amount { return Amount{Minor: minor, Currency: c} }

// Zero is nothing of a currency.
func Zero(c Currency) Amount { return Amount{Currency: c} }

// Add gives a+b, or ErrMismatch, or ErrOverflow.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, ErrMismatch
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) && b.Minor != 0 { // it went round
		return Amount{}, ErrOverflow
	}
	return Amount{sum, a.Currency}, nil
}

// Neg gives −a.
func (a Amount) Neg() Amount { return Amount{-a.Minor, a.Currency} }

// Sub gives a−b.
func (a Amount) Sub(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, ErrMismatch
	}
	difference := a.Minor - b.Minor
	if (difference < a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{difference, a.Currency}, nil
}

// IsZero says whether nothing is owed either way.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// Allocate splits a non-negative amount in proportion to non-negative weights, by largest remainder, ties to the earlier
// part. The parts sum to the amount. All weights zero: equal parts.
func (a Amount) Allocate(weights []int64) ([]Amount, error) {
	if a.Minor < 0 || len(weights) == 0 {
		return nil, ErrOverflow
	}
	var total uint64
	w := make([]uint64, len(weights))
	for i, x := range weights {
		if x < 0 {
			return nil, ErrOverflow
		}
		w[i] = uint64(x)
		total += w[i]
	}
	if total == 0 {
		for i := range w {
			w[i] = 1
		}
		total = uint64(len(w))
	}
	parts := make([]Amount, len(w))
	rest := make([]uint64, len(w))
	left := a.Minor
	for i := range w {
		hi, lo := bits.Mul64(uint64(a.Minor), w[i])
		q, r := bits.Div64(hi, lo, total) // hi < total because w[i] <= total and Minor < 2^63
		parts[i] = Amount{int64(q), a.Currency}
		rest[i] = r
		left -= int64(q)
	}
	order := make([]int, len(w))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(x, y int) bool { return rest[order[x]] > rest[order[y]] })
	for i := 0; int64(i) < left; i++ {
		parts[order[i]].Minor++
	}
	return parts, nil
}

// Decimal prints the amount with a point and the currency's own number of digits: "150.00", "100000", "-0.05".
func (a Amount) Decimal() string {
	e := a.Currency.Exponent()
	neg := a.Minor < 0
	u := uint64(a.Minor)
	if neg {
		u = -u
	}
	s := strconv.FormatUint(u, 10)
	if e > 0 {
		for len(s) <= e {
			s = "0" + s
		}
		s = s[:len(s)-e] + "." + s[len(s)-e:]
	}
	if neg {
		s = "-" + s
	}
	return s
}

// String prints the amount as "150.00 EUR".
func (a Amount) String() string { return a.Decimal() + " " + string(a.Currency) }

// Format prints for people of a language: "en" gives "1,234.50 EUR", "fr" gives "1 234,50 EUR" with no-break spaces.
func (a Amount) Format(lang string) string {
	d := a.Decimal()
	neg := strings.HasPrefix(d, "-")
	d = strings.TrimPrefix(d, "-")
	whole, frac, hasFrac := strings.Cut(d, ".")
	group, point := ",", "."
	if lang == "fr" {
		group, point = "\u00a0", ","
	}
	var b strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(group)
		}
		b.WriteRune(r)
	}
	out := b.String()
	if hasFrac {
		out += point + frac
	}
	if neg {
		out = "\u2212" + out
	}
	return out + "\u00a0" + string(a.Currency)
}

// Per divides an amount by n people, half-up on integers, for display only ("revenue per certified"). n ≤ 0 gives false.
func (a Amount) Per(n int64) (Amount, bool) {
	if n <= 0 {
		return Amount{}, false
	}
	m := a.Minor
	if m < 0 {
		return Amount{-((-2*m + n) / (2 * n)), a.Currency}, true
	}
	return Amount{(2*m + n) / (2 * n), a.Currency}, true
}

// ParseDecimal reads "150.00" in a currency; more digits than the currency has are refused.
func ParseDecimal(s string, c Currency) (Amount, error) {
	if !c.Known() {
		return Amount{}, ErrCurrency
	}
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > c.Exponent() {
		return Amount{}, fault.New(fault.Invalid, "too-many-decimals", fmt.Sprintf("%s has %d decimals.", c, c.Exponent()))
	}
	frac += strings.Repeat("0", c.Exponent()-len(frac))
	m, err := strconv.ParseInt(whole+frac, 10, 64)
	if err != nil {
		return Amount{}, fault.New(fault.Invalid, "bad-amount", "The amount is not a decimal number.")
	}
	return Amount{m, c}, nil
}
