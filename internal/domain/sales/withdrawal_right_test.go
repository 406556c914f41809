package sales

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/kernel/money"
)

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestThePeriodEndsByTheCalendar(t *testing.T) {
	for _, c := range []struct {
		right              Withdrawal
		concluded, ends, y string
	}{
		{Consumer, "2026-09-07 10:00", "2026-09-22 00:00", "Monday 21 is a working day, and counts to its end"},
		{Consumer, "2026-09-05 10:00", "2026-09-22 00:00", "Saturday 19 gives way to Monday"},
		{Consumer, "2026-09-06 10:00", "2026-09-22 00:00", "Sunday 20 gives way to Monday"},
		{Consumer, "2026-09-07 22:30", "2026-09-23 00:00", "in Paris it is the 8th already"},
		{Consumer, "2026-12-11 10:00", "2026-12-29 00:00", "Christmas is a Friday: the next working day is Monday"},
		{Consumer, "2026-04-30 10:00", "2026-05-16 00:00", "the 14th of May is Ascension"},
		{Consumer, "2027-03-15 10:00", "2027-03-31 00:00", "the 29th of March is Easter Monday"},
		{Vocational, "2026-09-07 10:00", "2026-09-18 00:00", "ten days"},
	} {
		if got := c.right.EndsAt(at(c.concluded)); !got.Equal(at(c.ends)) {
			t.Errorf("%s of %s: %s, want %s (%s)", c.right, c.concluded, got, c.ends, c.y)
		}
	}
	if !NoWithdrawal.EndsAt(at("2026-09-07 10:00")).IsZero() {
		t.Error("there is an end of what is not there")
	}
}

func TestEasterOfKnownYears(t *testing.T) { // from the tables of the Bureau des longitudes
	for year, day := range map[int]string{1961: "1961-04-02", 2000: "2000-04-23", 2008: "2008-03-23", 2018: "2018-04-01", 2024: "2024-03-31", 2025: "2025-04-20", 2026: "2026-04-05", 2038: "2038-04-25"} {
		if got := easter(year).Format(time.DateOnly); got != day {
			t.Errorf("Easter of %d: %s, want %s", year, got, day)
		}
	}
}

func contract() Contract {
	return Contract{Right: Consumer, ConcludedAt: at("2026-09-07 10:00"), Paid: money.Of(15000, "EUR"), Credited: money.Zero("EUR"),
		Parts: []Performed{{LeftMinor: 15000, StartsAt: at("2026-09-10 10:00"), EndsAt: at("2026-10-10 10:00")}}}
}

func TestWhoMayWithdrawAndWhatComesBack(t *testing.T) {
	for name, c := range map[string]struct {
		change       func(*Contract)
		now          string
		reason       string
		refund, kept int64
	}{
		"before it begins":                      {func(c *Contract) { c.BeginNow = true }, "2026-09-08 10:00", "", 15000, 0},
		"used without an express request":       {func(*Contract) {}, "2026-09-21 23:59", "", 15000, 0},
		"three days of thirty on her request":   {func(c *Contract) { c.BeginNow = true }, "2026-09-13 10:00", "", 13500, 1500},
		"a part of a day costs nothing":         {func(c *Contract) { c.BeginNow = true }, "2026-09-13 09:59", "", 14000, 1000},
		"too late":                              {func(*Contract) {}, "2026-09-22 00:00", "over", 0, 0},
		"an organisation":                       {func(c *Contract) { c.Business = true }, "2026-09-08 10:00", "business", 0, 0},
		"sold without":                          {func(c *Contract) { c.Right = NoWithdrawal }, "2026-09-08 10:00", "no_right", 0, 0},
		"certified on her request":              {func(c *Contract) { c.BeginNow, c.Certified = true, true }, "2026-09-12 10:00", "certified", 0, 0},
		"what went back before goes back once":  {func(c *Contract) { c.Credited.Minor, c.Parts[0].LeftMinor = 5000, 10000 }, "2026-09-08 10:00", "", 10000, 0},
		"vocational, though begun":              {func(c *Contract) { c.Right, c.BeginNow = Vocational, true }, "2026-09-13 10:00", "", 15000, 0},
		"over before the period is, on request": {func(c *Contract) { c.BeginNow, c.Parts[0].EndsAt = true, at("2026-09-12 10:00") }, "2026-09-14 10:00", "", 0, 15000},
	} {
		x := contract()
		c.change(&x)
		got := x.MayWithdraw(at(c.now))
		if got.Reason != c.reason || got.Allowed != (c.reason == "") || got.Refund.Minor != c.refund || got.Kept.Minor != c.kept {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Whatever the contract: what goes back and what is kept is what was left, neither is negative, and waiting never gives more.
func TestNothingIsLostInAWithdrawal(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := Contract{Right: rapid.SampledFrom([]Withdrawal{Consumer, Vocational}).Draw(r, "right"), ConcludedAt: at("2026-09-07 10:00"), BeginNow: rapid.Bool().Draw(r, "begin")}
		var sum int64
		for range rapid.IntRange(1, 5).Draw(r, "parts") {
			p := Performed{LeftMinor: rapid.Int64Range(0, 9_000_000_000_000).Draw(r, "left"), StartsAt: c.ConcludedAt.Add(time.Duration(rapid.IntRange(-500, 500).Draw(r, "start")) * time.Hour)}
			p.EndsAt = p.StartsAt.Add(time.Duration(rapid.IntRange(1, 3000).Draw(r, "hours")) * time.Hour)
			sum += p.LeftMinor
			c.Parts = append(c.Parts, p)
		}
		c.Paid, c.Credited = money.Of(sum+70, "XOF"), money.Of(70, "XOF")
		before := sum
		for h := range 15 {
			a := c.MayWithdraw(c.ConcludedAt.Add(time.Duration(h) * 23 * time.Hour))
			if !a.Allowed {
				continue
			}
			if a.Refund.Minor+a.Kept.Minor != sum || a.Refund.Minor < 0 || a.Kept.Minor < 0 || a.Refund.Minor > before {
				r.Fatalf("%+v of %d, before %d", a, sum, before)
			}
			before = a.Refund.Minor
		}
	})
}
