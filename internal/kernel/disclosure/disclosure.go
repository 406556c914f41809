// Package disclosure keeps counts of few people from being told, or worked out, by those who may not know them (statistical disclosure
// control by suppression).
package disclosure

// Least is the smallest number of people that is told, other than nobody.
const Least = 10

// Suppress keeps back counts from 1 to 9 of groups that share a known total, and as many others as it takes that the total does not give them
// away: at least two are kept back, of ten people or more together. The others are chosen by their place and not by their size, which would
// tell something of what is kept back. Where nobody else is left, everything is kept back, with the total.
func Suppress[N int | int64](cells []N) (shown []*N, total *N) {
	return SuppressBeside(cells, make([]N, len(cells)))
}

// SuppressBeside is Suppress for who knows some of the people of each group by name, as many as known says: the others of a group are what is left
// when these are taken away, and are kept back in the same way.
func SuppressBeside[N int | int64](cells, known []N) (shown []*N, total *N) {
	few := func(n N) bool { return n > 0 && n < Least }
	hidden := make([]bool, len(cells))
	count, first := 0, -1
	var sum, others, all N // of what is hidden, and of all
	hide := func(i int) {
		hidden[i], count, sum, others = true, count+1, sum+cells[i], others+cells[i]-known[i]
	}
	for i, n := range cells {
		all += n
		if few(n) || few(n-known[i]) {
			if hide(i); first < 0 {
				first = i
			}
		}
	}
	for k := 1; count > 0 && k < len(cells) && (count < 2 || sum < Least || few(others)); k++ {
		if i := (first + k) % len(cells); !hidden[i] {
			hide(i)
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
