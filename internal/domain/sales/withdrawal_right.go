package sales

import (
	"time"

	"cursus/internal/kernel/money"
)

// Withdrawal is the right to leave a contract that an offer is sold with.
type Withdrawal string

// The rights to withdraw.
const (
	// Consumer: 14 days from the contract (Directive 2011/83/EU, articles 9 to 16; code de la consommation L221-18).
	Consumer Withdrawal = "consumer"
	// Vocational: 10 days from the contract, and nothing may be asked for before (code du travail L6353-5 and L6353-6).
	Vocational Withdrawal = "vocational"
	// NoWithdrawal: sold to those whom the law gives no such right.
	NoWithdrawal Withdrawal = "none"
)

func (w Withdrawal) days() int {
	switch w {
	case Consumer:
		return 14
	case Vocational:
		return 10
	case NoWithdrawal:
	}
	return 0
}

// EndsAt is the first instant after the period of a contract that was concluded at an instant; zero where there is no right. The
// day of the contract does not count, and a period that would end on a Saturday, a Sunday or a public holiday ends with the next
// working day (Regulation 1182/71, article 3). Days are those of UTC for a contract of two hours later: so the period never ends
// earlier than by the clocks of Paris or of Dakar.
func (w Withdrawal) EndsAt(concluded time.Time) time.Time {
	if w.days() == 0 {
		return time.Time{}
	}
	last := midnight(concluded.UTC().Add(2*time.Hour)).AddDate(0, 0, w.days())
	for last.Weekday() == time.Saturday || last.Weekday() == time.Sunday || holiday(last) {
		last = last.AddDate(0, 0, 1)
	}
	return last.AddDate(0, 0, 1)
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// holiday says whether a day is a public holiday in France (code du travail L3133-1).
func holiday(day time.Time) bool {
	switch day.Format("01-02") {
	case "01-01", "05-01", "05-08", "07-14", "08-15", "11-01", "11-11", "12-25":
		return true
	}
	e := easter(day.Year())
	return day.Equal(e.AddDate(0, 0, 1)) || day.Equal(e.AddDate(0, 0, 39)) || day.Equal(e.AddDate(0, 0, 50)) // Easter Monday, Ascension, Whit Monday
}

// easter is Easter Sunday of a year, by the Gregorian rule of 1582 in the form of Butcher (1876).
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e, f := b/4, b%4, (b+8)/25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}

// Contract is what decides about a withdrawal.
type Contract struct {
	Right       Withdrawal
	ConcludedAt time.Time
	BeginNow    bool // the buyer asked at the order that it begin before the period is over, and knows what she owes then
	Business    bool // an organisation bought
	Certified   bool // what was bought is fully done
	Used        bool // it is a retake of an exam, and a sitting was booked with it
	Paid        money.Amount
	Credited    money.Amount // of it, given back before
	Parts       []Performed
}

// Performed is one session of a contract: what was paid for it and not given back, in minor units, and when it runs.
type Performed struct {
	LeftMinor int64
	StartsAt  time.Time
	EndsAt    time.Time
}

// Answer says whether a buyer may withdraw now, why not, until when, and what she gets.
type Answer struct {
	Allowed bool         `json:"allowed"`
	Reason  string       `json:"reason,omitempty"` // business, no_right, withdrawn, certified, retake_used, over
	Until   time.Time    `json:"until"`
	Refund  money.Amount `json:"refund"`
	Kept    money.Amount `json:"kept"` // for what was provided on her express request
}

// MayWithdraw judges a contract at an instant. Without an express request to begin early, everything goes back, whatever was
// used; with it, each session keeps its price in proportion to the whole days that it has run since the contract, rounded down:
// the buyer never pays for a part of a day (articles 14(3) and 14(4)(a)(ii) of the directive).
func (c Contract) MayWithdraw(now time.Time) Answer {
	left := money.Of(c.Paid.Minor-c.Credited.Minor, c.Paid.Currency)
	a := Answer{Until: c.Right.EndsAt(c.ConcludedAt), Refund: money.Zero(left.Currency), Kept: money.Zero(left.Currency)}
	switch {
	case c.Business:
		a.Reason = "business"
	case c.Right.days() == 0:
		a.Reason = "no_right"
	case !now.Before(a.Until):
		a.Reason = "over"
	case c.Certified && c.BeginNow:
		a.Reason = "certified"
	case c.Used:
		a.Reason = "retake_used"
	default:
		a.Allowed = true
	}
	if !a.Allowed {
		return a
	}
	var kept int64
	if c.BeginNow && c.Right == Consumer {
		for _, p := range c.Parts {
			kept += p.kept(c.ConcludedAt, now)
		}
	}
	kept = min(kept, left.Minor) // of instalments less was paid than was provided, and no more is asked for
	a.Kept.Minor, a.Refund.Minor = kept, left.Minor-kept
	return a
}

// kept is what a session keeps of its price: nothing before it starts, everything once it is over.
func (p Performed) kept(concluded, now time.Time) int64 {
	begin := p.StartsAt
	if concluded.After(begin) {
		begin = concluded
	}
	whole := int64(p.EndsAt.Sub(begin) / (24 * time.Hour))
	switch {
	case now.Before(begin) || p.LeftMinor <= 0:
		return 0
	case !now.Before(p.EndsAt) || whole == 0:
		return p.LeftMinor
	}
	run := int64(now.Sub(begin) / (24 * time.Hour))
	return p.LeftMinor/whole*run + p.LeftMinor%whole*run/whole
}
