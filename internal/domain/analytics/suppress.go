package analytics

import (
	"slices"
	"strings"

	"cursus/internal/kernel/disclosure"
)

// suppress keeps back what would tell of few people: the rows are groups of which everybody is in one, so each column of counts is a list with
// a total that may be known, and the stages of a row are one within the other, so that the one less the next are people, too. Of a row in which a count
// is kept back no amount is told either, since an amount over a price is a count, and no share of what is kept back; nor of a row of which money went
// back: what is missing of the price of all is how many were paid back.
func (f *Figure) suppress(back ...bool) {
	quiet, kept := make([]bool, len(f.Rows)), make([]map[int]int64, len(f.Rows))
	copy(quiet, back)
	for r := range f.Rows {
		kept[r] = f.suppressStages(r, f.namedIn(r))
	}
	for i, c := range f.Columns {
		if c.Kind != Count {
			continue
		}
		counts, known := make([]int64, len(f.Rows)), make([]int64, len(f.Rows))
		for r, row := range f.Rows {
			if n := row.Cells[i].Count; n != nil {
				counts[r] = *n
			} else if n, ok := kept[r][i]; ok { // kept back by its stages: it has to have company here
				counts[r], known[r] = n, n-1
			}
		}
		shown, _ := disclosure.SuppressBeside(counts, known)
		for r, n := range shown {
			if n == nil {
				f.Rows[r].Cells[i], quiet[r] = Cell{}, true
			}
		}
	}
	f.hideOneMore(quiet)
	for r := range f.Rows {
		for i, c := range f.Columns {
			of, share := strings.CutSuffix(c.ID, "_share")
			if told := share && f.tells(r, of) && f.tells(r, "enrolled"); quiet[r] && c.Kind != Count && c.Kind != Text && !told {
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

// nested are the columns of people each of which are among those before.
var nested = []string{"enrolled", "started", "diligent", "succeeded", "eligible", "booked", "sat", "passed", "certified"}

// suppressStages keeps back the stages of a row between which there are few people: how many have a stage is told only where it is the total less
// groups that are told, or groups that are told alone, by how far somebody is at the most; so a school that is told of these groups elsewhere learns
// nothing of the others. Whom a school knows by name it takes away from each group: what is left is kept back alike. It gives what it kept back, by
// column.
func (f *Figure) suppressStages(r int, named []int64) map[int]int64 {
	cells := f.Rows[r].Cells
	var at []int
	var stages, by, groups, known []int64 // by: of whom by name
	for k, id := range nested {
		if i := f.column(id); i >= 0 && cells[i].Count != nil {
			at, stages, by = append(at, i), append(stages, *cells[i].Count), append(by, 0)
			if named != nil {
				by[len(by)-1] = named[k]
			}
		}
	}
	few := func(n int64) bool { return n != 0 && n > -disclosure.Least && n < disclosure.Least }
	if len(at) < 2 {
		return nil
	}
	for i, n := range stages {
		m := by[i]
		if i+1 < len(stages) {
			n, m = n-stages[i+1], m-by[i+1]
		}
		group := max(n, -n) // a regrade can leave more people behind a stage than before it
		groups, known = append(groups, group), append(known, group-max(n-m, m-n))
	}
	shown, _ := disclosure.SuppressBeside(groups, known)
	first, last := -1, -1
	for i, n := range shown {
		if n == nil {
			if last = i; first < 0 {
				first = i
			}
		}
	}
	kept := map[int]int64{}
	keep := func(i int) { kept[i], cells[i].Count = *cells[i].Count, nil }
	for i := range at {
		if i > first && i <= last {
			keep(at[i])
		}
	}
	if p := f.column("paying"); p >= 0 && cells[p].Count != nil {
		paying := *cells[p].Count
		for i := range at {
			if n := cells[at[i]].Count; n != nil && cells[p].Count != nil && few(*n-paying) {
				keep(p)
			}
		}
	}
	return kept
}

// namedIn are those in a row whom the partner knows by name. Where a session has several rows, nobody says in which they are: all of them are taken to
// be in each, so that every group of which few are left in some way is kept back.
func (f *Figure) namedIn(r int) []int64 {
	if i := slices.IndexFunc(f.Columns, func(c Column) bool { return c.ID == "session" }); i >= 0 && f.Ask.Named != nil {
		return f.Ask.Named(f.Rows[r].Cells[i].Text)
	}
	return nil
}

// column is the place of a column of counts; -1: there is none.
func (f *Figure) column(id string) int {
	return slices.IndexFunc(f.Columns, func(c Column) bool { return c.ID == id && c.Kind == Count })
}

// tells says whether a row tells a count.
func (f *Figure) tells(r int, id string) bool {
	i := f.column(id)
	return i >= 0 && f.Rows[r].Cells[i].Count != nil
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
