package analytics

import (
	"context"

	"cursus/internal/books/journey"
	"cursus/internal/platform/postgres"
)

func heatTx(ctx context.Context, tx *postgres.Tx, _ Ask, f *Figure) error {
	cells, err := f.ofSessionTx(ctx, tx, "month")
	if err != nil {
		return err
	}
	months, order := map[string]*journey.Counts{}, []string{}
	var people int64
	for _, c := range cells { // of all currencies
		m := months[c.Month]
		if m == nil {
			m = &journey.Counts{}
			months[c.Month], order = m, append(order, c.Month)
		}
		*m = m.Plus(c.Counts)
		people += c.Enrolled
	}
	f.base("enrolled", "enrolled", "inscrits", people)
	f.Columns = []Column{col("month", Text, "Month", "Mois"), col("stage", Text, "Stage", "Étape"), col("reached", Share, "Reached it", "L’ont atteinte")}
	f.Charts = []Chart{{Kind: "matrix", Y: "month", X: "stage", Values: []string{"reached"}, Pivot: true}}
	for _, month := range order {
		m := months[month]
		if m.Enrolled == 0 {
			continue
		}
		for i, n := range cubeStages(*m) {
			f.Rows = append(f.Rows, Row{Cells: []Cell{textCell(month), {Text: stageColumns[i].ID, Said: stageColumns[i].Title}, shareCell(n, m.Enrolled)}})
		}
	}
	return nil
}
