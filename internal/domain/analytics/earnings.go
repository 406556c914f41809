package analytics

import (
	"context"
	"slices"
	"strconv"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

func programLearnersTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	p, err := programs.ProgramTx(ctx, tx, ask.Params["program"])
	if err != nil {
		return err
	}
	open, err := f.openEditionsTx(ctx, tx, p.Key)
	if err != nil {
		return err
	}
	cells, err := f.cubesTx(ctx, tx, "program", "edition")
	if err != nil {
		return err
	}
	var editions []struct {
		Edition   string `db:"edition"`
		Learners  int64  `db:"learners"`
		Started   int64  `db:"started"`
		Certified int64  `db:"certified"`
		InAll     int64  `db:"certified_in_all"`
	}
	if err := tx.Select(ctx, &editions, q.Q("ProgramLearners"), p.Key, f.Basis == "ever", orEnd(ask.AsOf), orEnd(ask.KnownAt)); err != nil {
		return err
	}
	f.Columns = []Column{
		col("edition", Text, "Edition", "Édition"), col("learners", Count, "Learners", "Apprenants"), col("started", Share, "Started in one session", "Ont commencé dans une session"),
		col("certified", Share, "Certified in one session", "Certifiés dans une session"), col("certified_in_all", Share, "Certified in every session", "Certifiés dans toutes les sessions"),
		col("net", Amount, "Net", "Net"), col("net_per_learner", Amount, "per learner", "par apprenant"), col("net_per_certified", Amount, "per certified in every session", "par certifié de toutes les sessions"),
	}
	for _, c := range []string{"started", "certified", "certified_in_all"} {
		f.Charts = append(f.Charts, Chart{Kind: "bars", Y: "edition", Values: []string{c}, Alike: true})
	}
	var people int64
	for _, e := range editions {
		people += e.Learners
		row := Row{Cells: []Cell{textCell(e.Edition), countCell(e.Learners), shareCell(e.Started, e.Learners), shareCell(e.Certified, e.Learners), shareCell(e.InAll, e.Learners)}}
		row.Open = open[e.Edition]
		f.Open = f.Open || row.Open
		var nets []money.Amount
		for _, c := range cells {
			if c.Program == p.Key && c.Edition == e.Edition && c.Currency != "" {
				nets = append(nets, money.Of(c.Net(), c.Currency))
			}
		}
		if len(nets) == 0 {
			row.Cells = append(row.Cells, make([]Cell, 3)...)
			f.Rows = append(f.Rows, row)
		}
		for _, net := range nets {
			line := row
			line.Cells = append(slices.Clone(row.Cells), Cell{Amount: &net}, Cell{}, Cell{})
			if len(nets) == 1 {
				line.Cells[6], line.Cells[7] = Cell{Amount: per(net, e.Learners)}, Cell{Amount: per(net, e.InAll)}
			}
			f.Rows = append(f.Rows, line)
		}
	}
	f.base("learners", "members of an edition of "+p.Key, "membres d’une édition de "+p.Key, people)
	return nil
}

func earningsTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	fixed, err := ask.fixed()
	if err != nil {
		return err
	}
	p, err := programs.ProgramTx(ctx, tx, ask.Params["program"])
	if err != nil {
		return err
	}
	open, err := f.openEditionsTx(ctx, tx, p.Key)
	if err != nil {
		return err
	}
	cells, err := f.cubesTx(ctx, tx, "program", "edition")
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("edition", Text, "Edition", "Édition"), col("currency", Text, "Currency", "Devise"), col("enrolled", Count, "Enrolments", "Inscriptions"), col("paying", Count, "Paying", "Payantes"),
		col("certified", Count, "Certified", "Certifiées"), col("net", Amount, "Net", "Net"), col("costs", Amount, "Fees and costs", "Frais et coûts"), col("left", Amount, "Left", "Reste"),
		col("break_even", Count, "Paying that carry the costs", "Payantes qui portent les coûts"), col("margin", Count, "Paying above it", "Payantes au-dessus"),
	}
	f.Charts = []Chart{{Kind: "bars", Y: "edition", Values: []string{"left"}, Facet: "currency"}}
	sums, everybody := map[money.Currency]CubeCell{}, int64(0)
	for _, c := range cells {
		if c.Program != p.Key {
			continue
		}
		everybody += c.Enrolled
		row := earned(textCell(c.Edition), c, 0)
		row.Open = open[c.Edition]
		f.Open = f.Open || row.Open
		f.Rows = append(f.Rows, row)
		s := sums[c.Currency]
		who := c.payers()
		s.Currency, s.people = c.Currency, s.plus(&who)
		s.Gross, s.Refunds, s.Disputes, s.Fees, s.Costs = s.Gross+c.Gross, s.Refunds+c.Refunds, s.Disputes+c.Disputes, s.Fees+c.Fees, s.Costs+c.Costs
		sums[c.Currency] = s
	}
	if fixed.Minor != 0 {
		s := sums[fixed.Currency]
		s.Currency = fixed.Currency
		sums[fixed.Currency] = s
	}
	for _, c := range money.Currencies() {
		if s, there := sums[c]; there {
			row := earned(saidCell("all", "All editions", "Toutes les éditions"), s, fixed.in(c))
			row.Summary, row.Open = true, f.Open
			f.Rows = append(f.Rows, row)
		}
	}
	f.base("enrolled", "enrolments by an edition of "+p.Key, "inscriptions par une édition de "+p.Key, everybody)
	return nil
}

// openEditionsTx are the editions of a program of which a session may still grow.
func (f *Figure) openEditionsTx(ctx context.Context, tx *postgres.Tx, program string) (map[string]bool, error) {
	keys, err := f.openSessionsTx(ctx, tx)
	f.Open = false // by the rows
	if err != nil {
		return nil, err
	}
	var all []struct {
		Edition   string `db:"edition"`
		Session   string `db:"session"`
		SessionID string `db:"session_id"`
	}
	open := map[string]bool{}
	err = tx.Select(ctx, &all, q.Q("SessionsOfEditions"), program, true)
	for _, x := range all {
		open[x.Edition] = open[x.Edition] || slices.Contains(keys, x.Session)
	}
	return open, err
}

// earned is what a cell of the cube brought beside what it cost.
func earned(head Cell, c CubeCell, fixed int64) Row {
	who := c.payers()
	row := Row{Cells: []Cell{head, textCell(string(c.Currency)), countCell(who.Enrolled), countCell(who.Paying), countCell(who.Certified), {}, {}, {}, {}, {}}}
	if c.Currency == "" {
		return row
	}
	net, costs := c.Net(), c.Fees+c.Costs+fixed
	row.Cells[5], row.Cells[6], row.Cells[7] = amountCell(net, c.Currency), amountCell(costs, c.Currency), amountCell(net-costs, c.Currency)
	if needed, ok := carrying(net-c.Fees, costs-c.Fees, who.Paying); ok {
		row.Cells[8], row.Cells[9] = countCell(needed), countCell(who.Paying-needed)
	}
	return row
}

// carrying is how many paying enrolments carry the costs: costs ÷ (left ÷ paying), rounded up on integers. left is what all of them brought less
// what comes with each of them.
func carrying(left, costs, paying int64) (int64, bool) {
	if left <= 0 || paying <= 0 {
		return 0, false
	}
	return (costs*paying + left - 1) / left, true
}

var (
	fixedCosts    = Param{ID: "fixed_minor", Title: catalog.Text{EN: "Other fixed costs, in the smallest unit (cents)", FR: "Autres coûts fixes, dans la plus petite unité (centimes)"}, Default: "0"}
	fixedCurrency = Param{ID: "fixed_currency", Title: catalog.Text{EN: "Currency of the fixed costs", FR: "Devise des coûts fixes"}, Of: currencyCodes(), Default: "EUR"}
)

func currencyCodes() (codes []string) {
	for _, c := range money.Currencies() {
		codes = append(codes, string(c))
	}
	return codes
}

// fixedCost is what somebody says that was spent beside the books. It is of one currency: what was spent in euros is carried by no francs.
type fixedCost struct {
	Minor    int64
	Currency money.Currency
}

func (x fixedCost) in(c money.Currency) int64 {
	if c != x.Currency {
		return 0
	}
	return x.Minor
}

func (a Ask) fixed() (fixedCost, error) {
	minor, err := strconv.ParseInt(a.Params["fixed_minor"], 10, 64)
	if err != nil || minor < 0 || minor > maxFixedMinor {
		return fixedCost{}, badParam("fixed_minor", "A whole number of minor units, not below nought.")
	}
	return fixedCost{minor, money.Currency(a.Params["fixed_currency"])}, nil
}

// withFixed adds a cell without people for costs in a currency in which nothing came.
func withFixed(cells []CubeCell, fixed fixedCost) []CubeCell {
	if fixed.Minor == 0 || slices.ContainsFunc(cells, func(c CubeCell) bool { return c.Currency == fixed.Currency }) {
		return cells
	}
	return append(slices.Clone(cells), CubeCell{CubeKey: CubeKey{Currency: fixed.Currency}})
}
