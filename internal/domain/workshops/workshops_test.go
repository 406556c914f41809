package workshops_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/money"
)

// Whatever the cost and whoever came, the shares add up to the cent, fall on those who came, and differ by one unit at most.
func TestCostsAddUpToTheCent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "registered")
		var present, registered []string
		for i := range n {
			id := fmt.Sprintf("enr_%02d", i)
			registered = append(registered, id)
			if rapid.Bool().Draw(t, "came") {
				present = append(present, id)
			}
		}
		cost, head := rapid.Int64Range(0, 1_000_000_000).Draw(t, "cost"), rapid.Int64Range(0, 100_000).Draw(t, "per head")
		carriers, shares, err := workshops.Split(money.Of(cost, "EUR"), head, present, registered)
		if n == 0 {
			if (err == nil) != (cost == 0) || len(carriers) != 0 {
				t.Fatal("nobody carries", carriers, err)
			}
			return
		}
		want := len(present)
		if want == 0 {
			want = n
		}
		if err != nil || len(carriers) != want || len(shares) != want {
			t.Fatal(carriers, shares, err)
		}
		sum, low, high := int64(0), shares[0].Minor, shares[0].Minor
		for _, s := range shares {
			sum, low, high = sum+s.Minor, min(low, s.Minor), max(high, s.Minor)
		}
		if sum != cost+head*int64(len(present)) || high-low > 1 {
			t.Fatal(sum, low, high)
		}
	})
}
