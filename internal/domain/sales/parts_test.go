package sales

import (
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/kernel/money"
)

// Whatever is bought and whatever goes back of it, parts sum to lines and lines to the order, and no part gives more than it had.
func TestPartsSumWhateverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(money.Currencies()).Draw(t, "currency")
		var parts []Part
		var total int64
		for n := range rapid.IntRange(1, 20).Draw(t, "lines") {
			quantity := rapid.Int64Range(1, 1000).Draw(t, "quantity")
			list := rapid.Int64Range(0, 100_000).Draw(t, "list")
			l := Line{N: n + 1, EditionID: "edn_x", Total: money.Of(quantity*list-rapid.Int64Range(0, quantity*list).Draw(t, "discount"), c)}
			weights := rapid.SliceOfN(rapid.Int64Range(0, 50_000), 1, 12).Draw(t, "weights")
			of, err := split(l, make([]string, len(weights)), weights)
			if err != nil {
				t.Fatal(err)
			}
			var sum int64
			for _, p := range of {
				if p.Sold < 0 || p.Line != l.N {
					t.Fatalf("a part: %+v", p)
				}
				sum += p.Sold
			}
			if sum != l.Total.Minor {
				t.Fatalf("the parts of %s sum to %d", l.Total, sum)
			}
			parts, total = append(parts, of...), total+sum
		}
		for left := total; left > 0; {
			back := rapid.Int64Range(1, left).Draw(t, "refund")
			if rapid.Bool().Draw(t, "the rest") {
				back = left
			}
			minors, err := credits(parts, money.Of(back, c))
			if err != nil {
				t.Fatal(err)
			}
			var sum int64
			for i := range parts {
				parts[i].Credited += minors[i]
				sum += minors[i]
				if minors[i] < 0 || parts[i].Credited > parts[i].Sold {
					t.Fatalf("of %+v went %d", parts[i], minors[i])
				}
			}
			if sum != back {
				t.Fatalf("%d went back as %d", back, sum)
			}
			left -= back
		}
		for _, p := range parts {
			if p.Credited != p.Sold {
				t.Fatalf("when all went back there is something left: %+v", p)
			}
		}
	})
}
