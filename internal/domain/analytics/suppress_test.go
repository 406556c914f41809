package analytics

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/kernel/disclosure"
	"cursus/internal/kernel/money"
)

// What a partner is given has no count from 1 to 9 and none that is not so, no amount and no share in a row that keeps one back, and of no currency one row alone without amounts.
func TestAPartnerIsToldOfNobodyAlone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := &Figure{Columns: []Column{col("session", Text, "", ""), col("currency", Text, "", ""), col("enrolled", Count, "", ""), col("certified", Count, "", ""), col("net", Amount, "", ""), col("certified_share", Share, "", "")}}
		for range rapid.IntRange(1, 8).Draw(r, "rows") {
			c := rapid.SampledFrom([]money.Currency{"EUR", "XOF"}).Draw(r, "currency")
			enrolled, certified := rapid.Int64Range(0, 30).Draw(r, "enrolled"), rapid.Int64Range(0, 30).Draw(r, "certified")
			f.Rows = append(f.Rows, Row{Cells: []Cell{textCell("S"), textCell(string(c)), countCell(enrolled), countCell(certified), amountCell(150, c), shareCell(certified, enrolled)}})
		}
		var total int64
		for _, row := range f.Rows {
			total += *row.Cells[2].Count
		}
		f.base("enrolled", "", "", total)
		f.suppress()
		if told := len(f.Base) == 1; told != (total == 0 || total >= 10) || told && f.Base[0].N != total {
			r.Fatalf("of %d people the figure says that it is of %v", total, f.Base)
		}
		quiet, rows := map[string]int{}, map[string]int{}
		for _, row := range f.Rows {
			kept := false
			for _, c := range row.Cells[2:4] {
				if kept = kept || c.Count == nil; c.Count != nil && *c.Count > 0 && *c.Count < 10 {
					r.Fatalf("%d people are told of", *c.Count)
				}
			}
			if kept && (row.Cells[4].Amount != nil || row.Cells[5].Rate != nil) {
				r.Fatal("the amount or the share tells how many")
			}
			if a, b := row.Cells[2].Count, row.Cells[3].Count; a != nil && b != nil && *a != *b && max(*a-*b, *b-*a) < 10 {
				r.Fatalf("%d less %d people", *a, *b)
			}
			rows[row.Cells[1].Text]++
			if row.Cells[4].Amount == nil {
				quiet[row.Cells[1].Text]++
			}
		}
		for c, n := range quiet {
			if n == 1 && rows[c] > 1 {
				r.Fatal("the total tells the one amount that is kept back in", c)
			}
		}
	})
}

// Of the stages of a row, which are one within the other, no two that are told differ by 1 to 9 people, and none tells of a group by the furthest stage
// that is kept back elsewhere; nor does who has paid, nor the sum of a column.
func TestNoTwoStagesTellOfFew(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := &Figure{Columns: []Column{col("session", Text, "", ""), col("currency", Text, "", ""), col("paying", Count, "", "")}}
		for _, id := range nested {
			f.Columns = append(f.Columns, col(id, Count, "", ""))
		}
		var truth [][]int64
		for range rapid.IntRange(1, 4).Draw(r, "rows") {
			counts := []int64{rapid.Int64Range(0, 120).Draw(r, "enrolled")}
			for range nested[1:] {
				counts = append(counts, counts[len(counts)-1]-min(counts[len(counts)-1], rapid.SampledFrom([]int64{0, 0, 1, 4, 9, 10, 15, 30}).Draw(r, "fewer")))
			}
			row := Row{Cells: []Cell{textCell("S"), textCell("EUR"), countCell(rapid.Int64Range(0, counts[0]).Draw(r, "paying"))}}
			for _, n := range counts {
				row.Cells = append(row.Cells, countCell(n))
			}
			f.Rows, truth = append(f.Rows, row), append(truth, counts)
		}
		f.suppress()
		for i, row := range f.Rows {
			var told []int64
			for _, c := range row.Cells[2:] {
				if c.Count != nil {
					told = append(told, *c.Count)
				}
			}
			for _, a := range told {
				for _, b := range told {
					if a > b && a-b < 10 {
						r.Fatalf("of %v row %d tells %d and %d", truth[i], i, a, b)
					}
				}
			}
			groups := slices.Clone(truth[i]) // by how far somebody is at the most, as the school is told of its cohort
			for k := range groups[1:] {
				groups[k] -= truth[i][k+1]
			}
			shown, _ := disclosure.Suppress(groups)
			for k, c := range row.Cells[3:] {
				if c.Count == nil {
					continue
				}
				left, hidden := *c.Count, int64(0)
				for g := k; g < len(groups); g++ {
					if shown[g] != nil {
						left -= *shown[g]
					} else {
						hidden++
					}
				}
				if hidden > 0 && left > 0 && left < 10 {
					r.Fatalf("%s of %v less the groups %v that are told: %d", nested[k], truth[i], groups, left)
				}
			}
		}
		for c := 3; c < len(f.Columns); c++ {
			hidden := 0
			for _, row := range f.Rows {
				if row.Cells[c].Count == nil {
					hidden++
				}
			}
			if hidden == 1 && len(f.Rows) > 1 {
				r.Fatalf("the sum of %s tells the one that is kept back: %v", f.Columns[c].ID, truth)
			}
		}
	})
}
