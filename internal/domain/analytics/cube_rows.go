package analytics

import (
	"cmp"
	"context"
	"slices"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// cubeStages are the people by stage.
func cubeStages(c journey.Counts) []int64 {
	return []int64{c.Started, c.Diligent, c.Succeeded, c.Eligible, c.Booked, c.Sat, c.Passed, c.Certified}
}

var stageColumns = []Column{
	col("started", Count, "Started", "Ont commencé"), col("diligent", Count, "Diligent", "Assidus"), col("succeeded", Count, "Succeeded", "Réussite"), col("eligible", Count, "Eligible", "Éligibles"),
	col("booked", Count, "Booked", "Ont réservé"), col("sat", Count, "Sat", "Ont passé l’examen"), col("passed", Count, "Passed", "Reçus"), col("certified", Count, "Certified", "Certifiés"),
}

var dimensionTitles = map[string]catalog.Text{
	"month": {EN: "Month", FR: "Mois"}, "session": {EN: "Session", FR: "Session"}, "offer": {EN: "Offer", FR: "Offre"}, "program": {EN: "Program", FR: "Programme"},
	"partner": {EN: "Partner", FR: "Partenaire"}, "country": {EN: "Country", FR: "Pays"},
}

// noneOf says in words that a cell has nothing of a dimension.
var noneOf = map[string]catalog.Text{
	"session": {EN: "no session", FR: "sans session"}, "offer": {EN: "no offer", FR: "sans offre"}, "program": {EN: "no program", FR: "sans programme"},
	"partner": {EN: "by themselves", FR: "d’eux-mêmes"}, "country": {EN: "not said", FR: "non dit"},
}

func cubeTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	by := once(ask.list("by"))
	cells, err := f.cubesTx(ctx, tx, by...)
	if err != nil {
		return err
	}
	open, err := f.openSessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	for _, d := range by {
		f.Columns = append(f.Columns, Column{ID: d, Kind: Text, Title: dimensionTitles[d]})
	}
	f.Columns = slices.Concat(f.Columns, []Column{col("currency", Text, "Currency", "Devise"), col("enrolled", Count, "Enrolled", "Inscrits"), col("paying", Count, "Paying", "Payants")}, stageColumns, []Column{
		col("gross", Amount, "Gross", "Brut"), col("refunds", Amount, "Refunds", "Remboursements"), col("disputes", Amount, "Lost disputes", "Litiges perdus"), col("net", Amount, "Net", "Net"),
		col("fees", Amount, "Fees", "Frais"), col("costs", Amount, "Costs", "Coûts"), col("contribution", Amount, "Contribution", "Contribution"),
		col("net_per_started", Amount, "Net per started", "Net par commençant"), col("net_per_diligent", Amount, "Net per diligent", "Net par assidu"), col("net_per_certified", Amount, "Net per certified", "Net par certifié"),
		col("cost_per_started", Amount, "Cost per started", "Coût par commençant"), col("cost_per_diligent", Amount, "Cost per diligent", "Coût par assidu"), col("cost_per_certified", Amount, "Cost per certified", "Coût par certifié"),
	})
	offers, err := offersOfTx(ctx, tx, cells)
	if err != nil {
		return err
	}
	var everybody, twice int64
	var back []bool // money of a row went back
	for _, c := range cells {
		everybody += c.Enrolled
		if c.Currency != "" {
			twice += c.bearers().Enrolled - c.Enrolled
		}
		back = append(back, c.Refunds != 0 || c.Disputes != 0)
	}
	f.base("enrolled", "enrolments", "inscriptions", everybody)
	if twice > 0 {
		f.note("Some enrolments have money in two currencies: they count once, in the currency in which they paid first, and amounts per learner are over all whose money is in that currency.", "Des inscriptions ont de l’argent dans deux devises : elles comptent une fois, dans la devise dans laquelle elles ont payé d’abord, et les montants par apprenant sont sur tous ceux dont l’argent est dans cette devise.")
	}
	rows := cubeRows{by: by, offers: offers, open: open, width: len(f.Columns), partner: ask.forPartner()}
	ordered := func() {
		slices.SortStableFunc(cells, func(a, b CubeCell) int {
			for _, d := range by {
				if c := cmp.Compare(a.of(d), b.of(d)); c != 0 {
					return c
				}
			}
			return 0
		})
	}
	switch {
	case rows.partner: // what is kept back is chosen first: another order must not tell what this one hides
		f.Rows = rows.all(cells)
		f.suppress(back...)
		slices.SortStableFunc(f.Rows, func(a, b Row) int {
			return slices.CompareFunc(a.Cells[:len(by)], b.Cells[:len(by)], func(x, y Cell) int { return cmp.Compare(x.Text, y.Text) })
		})
	case ask.OneByOne:
		ordered()
		f.laid, f.lay = len(cells), func(do func(Row)) { rows.each(cells, do) }
	default:
		ordered()
		f.Rows = rows.all(cells)
	}
	if len(by) == 1 {
		f.Charts = []Chart{{Kind: "bars", Y: by[0], Values: []string{"net"}, Facet: "currency"}}
	}
	return nil
}

// cubeRows writes cells of the cube as rows.
type cubeRows struct {
	by      []string
	offers  map[string]catalog.Text
	open    []string
	width   int
	partner bool
}

// cubeNumbers are the numbers of a row, which its cells point to.
type cubeNumbers struct {
	cells   []Cell
	counts  [10]int64
	amounts [13]money.Amount
}

// all gives the rows beside each other.
func (x cubeRows) all(cells []CubeCell) []Row {
	rows, numbers := make([]Row, 0, len(cells)), make([]cubeNumbers, len(cells))
	values := make([]Cell, len(cells)*x.width)
	for i, c := range cells {
		numbers[i].cells, values = values[:0:x.width], values[x.width:]
		rows = append(rows, x.row(c, &numbers[i]))
	}
	return rows
}

// each gives one row after the other in the same place: a row is gone when the next comes.
func (x cubeRows) each(cells []CubeCell, do func(Row)) {
	n := cubeNumbers{cells: make([]Cell, 0, x.width)}
	for _, c := range cells {
		do(x.row(c, &n))
	}
}

func (x cubeRows) row(c CubeCell, n *cubeNumbers) Row {
	cells := n.cells[:0]
	for _, d := range x.by {
		cell := textCell(c.of(d))
		if d == "offer" {
			cell.Said = x.offers[c.Offer]
		}
		if cell.Text == "" {
			cell.Said = noneOf[d]
		}
		cells = append(cells, cell)
	}
	n.counts = [...]int64{c.Enrolled, c.Paying, c.Started, c.Diligent, c.Succeeded, c.Eligible, c.Booked, c.Sat, c.Passed, c.Certified}
	cells = appendCounts(append(cells, textCell(string(c.Currency))), n.counts[:])
	if c.Currency != "" {
		for i, minor := range [...]int64{c.Gross, c.Refunds, c.Disputes, c.Net(), c.Fees, c.Costs, c.Contribution()} {
			n.amounts[i] = money.Of(minor, c.Currency)
			cells = append(cells, Cell{Amount: &n.amounts[i]})
		}
		came, spent := c.payers(), c.bearers()
		if spent.Enrolled == c.Enrolled || !x.partner { // with the amounts beside them these would say how few they are
			net, cost := money.Of(c.Net(), c.Currency), money.Of(c.Fees+c.Costs, c.Currency)
			for i, of := range [...]int64{came.Started, came.Diligent, came.Certified, spent.Started, spent.Diligent, spent.Certified} {
				sum := net
				if i > 2 {
					sum = cost
				}
				var cell Cell
				if each, ok := sum.Per(of); ok {
					n.amounts[7+i] = each
					cell.Amount = &n.amounts[7+i]
				}
				cells = append(cells, cell)
			}
		}
	}
	for len(cells) < x.width {
		cells = append(cells, Cell{})
	}
	n.cells = cells
	return Row{Open: c.Session != "" && slices.Contains(x.open, c.Session), Cells: cells}
}

// offersOfTx says in words what the offers of cells are: a formula of a session or an edition, at a price.
func offersOfTx(ctx context.Context, tx *postgres.Tx, cells []CubeCell) (map[string]catalog.Text, error) {
	var ids []string
	for _, c := range cells {
		if c.Offer != "" {
			ids = append(ids, c.Offer)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	words := map[string]catalog.Text{}
	if len(ids) == 0 {
		return words, nil
	}
	var rows []struct {
		ID       string         `db:"id"`
		Formula  string         `db:"formula"`
		Of       string         `db:"of_key"`
		Minor    int64          `db:"price_minor"`
		Currency money.Currency `db:"currency"`
	}
	err := tx.Select(ctx, &rows, q.Q("Offers"), array(ids))
	for _, r := range rows {
		price, head := money.Of(r.Minor, r.Currency), r.Formula+" · "+r.Of+" · "
		words[r.ID] = catalog.Text{EN: head + price.Format("en"), FR: head + price.Format("fr")}
	}
	return words, err
}
