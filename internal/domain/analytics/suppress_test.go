package analytics

import (
	"testing"

	"pgregory.net/rapid"

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
