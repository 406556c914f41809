package analytics

import (
	"slices"

	"cursus/internal/kernel/disclosure"
)

// suppress keeps back what would tell of few people: the rows are groups of which everybody is in one, so each column of counts is a list with
// a total that may be known. Of a row in which a count is kept back no amount is told either, since an amount over a price is a count.
func (f *Figure) suppress() {
	quiet := make([]bool, len(f.Rows))
	for i, c := range f.Columns {
		if c.Kind != Count {
			continue
		}
		counts := make([]int64, len(f.Rows))
		for r, row := range f.Rows {
			if n := row.Cells[i].Count; n != nil {
				counts[r] = *n
			}
		}
		shown, _ := disclosure.Suppress(counts)
		for r, n := range shown {
			if n == nil {
				f.Rows[r].Cells[i], quiet[r] = Cell{}, true
			}
		}
	}
	f.hideOneMore(quiet)
	for r := range f.Rows {
		for i, c := range f.Columns {
			if quiet[r] && c.Kind != Count && c.Kind != Text {
				f.Rows[r].Cells[i] = Cell{}
			}
		}
	}
	all := len(f.Base)
	if f.Base = slices.DeleteFunc(f.Base, func(b Base) bool { return b.N > 0 && b.N < disclosure.Least }); len(f.Base) < all {
		f.note("Of fewer than ten people nothing is told.", "De moins de dix personnes, rien n’est dit.")
	}
	f.note("For a partner: counts from 1 to 9 are kept back, with as many others as it takes that no total gives them away, and the amounts of these rows.", "Pour un partenaire : les comptes de 1 à 9 sont retenus, avec autant d’autres qu’il faut pour qu’aucun total ne les livre, et les montants de ces lignes.")
}

// hideOneMore sees to it that of the rows of a currency never one alone is without its amounts: the total would tell them.
func (f *Figure) hideOneMore(quiet []bool) {
	at := -1
	for i, c := range f.Columns {
		if c.ID == "currency" {
			at = i
		}
	}
	of := map[string][]int{}
	for r, row := range f.Rows {
		if at >= 0 {
			of[row.Cells[at].Text] = append(of[row.Cells[at].Text], r)
		}
	}
	for _, rows := range of {
		hidden, last := 0, 0
		for k, r := range rows {
			if quiet[r] {
				hidden, last = hidden+1, k
			}
		}
		if hidden == 1 {
			quiet[rows[(last+1)%len(rows)]] = true
		}
	}
}
