package analytics

import (
	"testing"
	"time"
)

// Ten places in ten days at 100 and twenty in ten at 50: places per day double while the price halves, which by the mid-point is −1. Places
// that came in twice the time count half. One price has no elasticity.
func TestElasticityIsOfPlacesPerDay(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(minor, places int64, days int) pricePoint {
		return pricePoint{Currency: "EUR", Minor: minor, Places: places, First: from, Last: from.AddDate(0, 0, days-1)}
	}
	for _, x := range []struct {
		a, b pricePoint
		want int64
	}{{at(100, 10, 10), at(50, 20, 10), -1000}, {at(100, 10, 10), at(50, 40, 20), -1000}, {at(100, 10, 10), at(50, 10, 10), 0}} {
		if got, ok := elasticity(x.a, x.b); !ok || got != x.want {
			t.Errorf("%d %v, want %d", got, ok, x.want)
		}
	}
	if _, ok := elasticity(at(100, 10, 10), at(100, 5, 5)); ok {
		t.Error("one price has an elasticity")
	}
}

// From the evening of the 12th to the morning of the 21st there are ten days with sales, though not ten times 24 hours.
func TestDaysOfSalesAreDays(t *testing.T) {
	p := pricePoint{First: time.Date(2026, 2, 12, 18, 0, 0, 0, time.UTC), Last: time.Date(2026, 2, 21, 9, 0, 0, 0, time.UTC)}
	if n := p.days(); n != 10 {
		t.Errorf("%d days", n)
	}
	if p.Last = p.First; p.days() != 1 {
		t.Errorf("%d days", p.days())
	}
}
