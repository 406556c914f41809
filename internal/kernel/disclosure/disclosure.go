// Package disclosure keeps counts of few people from being told, or worked out, by those who may not know them (statistical disclosure
// control by suppression).
package disclosure

// Least is the smallest number of people that is told, other than nobody.
const Least = 10

// Suppress keeps back counts from 1 to 9 of groups that share a known total, and as many others as it takes that the total does not give them
// away: at least two are kept back, of ten people or more together. The others are chosen by their place and not by their size, which would
// tell something of what is kept back. Where nobody else is left, everything is kept back, with the total.
func Suppress[N int | int64](cells []N) (shown []*N, total *N) {
	hidden := make([]bool, len(cells))
	count, first := 0, -1
	var sum, all N
	for i, n := range cells {
		all += n
		if n > 0 && n < Least {
			if hidden[i], count, sum = true, count+1, sum+n; first < 0 {
				first = i
			}
		}
	}
	for k := 1; count > 0 && k < len(cells) && (count < 2 || sum < Least); k++ {
		if i := (first + k) % len(cells); !hidden[i] {
			hidden[i], count, sum = true, count+1, sum+cells[i]
		}
	}
	shown = make([]*N, len(cells))
	for i := range cells {
		if !hidden[i] {
			shown[i] = &cells[i]
		}
	}
	if all == 0 || all >= Least {
		total = &all
	}
	return shown, total
}
