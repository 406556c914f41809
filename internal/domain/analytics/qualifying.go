package analytics

import (
	"context"
	"slices"
	"strings"

	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

func qualifyingTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("session", Text, "Session", "Session"), col("paid", Count, "Paid", "Ont payé"), col("share_of_enrolled", Share, "Share of the enrolled", "Part des inscrits"), col("started", Share, "Started", "Ont commencé"),
		col("diligent", Share, "Diligent", "Assidus"), col("certified_of_diligent", Share, "Certified of the diligent", "Certifiés des assidus"), col("certified", Share, "Certified", "Certifiés"),
		col("net", Amount, "Net", "Net"), col("net_per_started", Amount, "per started", "par commençant"), col("net_per_diligent", Amount, "per diligent", "par assidu"), col("net_per_certified", Amount, "per certified", "par certifié"),
		col("cost", Amount, "Cost", "Coût"), col("cost_per_certified", Amount, "Cost per certified", "Coût par certifié"), col("contribution", Amount, "Contribution", "Contribution"),
	}
	for _, id := range []string{"share_of_enrolled", "started", "diligent", "certified_of_diligent", "certified"} {
		f.Charts = append(f.Charts, Chart{Kind: "bars", Y: "session", Values: []string{id}})
	}
	slices.Reverse(sessions)
	asked := f.question("")
	outcomes, err := outcomesTx(ctx, tx, Question{AsOf: ask.AsOf, KnownAt: ask.KnownAt, Basis: asked.Basis, Week1Rule: asked.Week1Rule}, sessions...)
	if err != nil {
		return err
	}
	all, of := pool{}, map[money.Currency]*pool{}
	for _, o := range outcomes {
		if o.Paid == 0 {
			continue
		}
		f.Open, f.Demo = f.Open || o.Open, f.Demo || o.Demo
		all.add(o)
		shares := []Cell{textCell(o.Session), countCell(o.Paid), {Rate: &o.Share}, {Rate: &o.Started}, {Rate: &o.Diligent}, {Rate: &o.DiligentCertified}, {Rate: &o.Certified}}
		for _, m := range o.Money {
			f.Rows = append(f.Rows, Row{Open: o.Open, Cells: append(slices.Clone(shares), m.cells()...)})
			if of[m.Net.Currency] == nil {
				of[m.Net.Currency] = &pool{}
			}
			p := of[m.Net.Currency]
			p.enrolled, p.Heads, p.bearing = p.enrolled+o.Enrolled, p.plus(Heads{m.Paid, m.Started, m.Diligent, m.Certified}), p.bearing.plus(m.Bearing)
			p.net += m.Net.Minor
			if m.Cost != nil {
				p.cost += m.Cost.Minor
			}
		}
		if len(o.Money) == 0 {
			f.Rows = append(f.Rows, Row{Open: o.Open, Cells: append(shares, make([]Cell, 7)...)})
		}
	}
	f.base("enrolled", "enrolled in these sessions", "inscrits à ces sessions", all.enrolled)
	f.base("paid", "with a paid formula in force", "avec une formule payante en vigueur", all.Paid)
	if len(f.Rows) == 0 {
		return nil
	}
	// The mean of all has money where there is one currency; of several each has a mean of the sessions that took it, since net of the one over the
	// certified of another says nothing.
	f.Rows = append(f.Rows, f.means())
	if len(of) != 1 {
		f.Rows = append(f.Rows, Row{Summary: true, Cells: append(all.shares(saidCell("weighted_mean", "Weighted mean", "Moyenne pondérée")), make([]Cell, 7)...)})
	}
	for _, c := range money.Currencies() {
		p := of[c]
		if p == nil {
			continue
		}
		head := all.shares(saidCell("weighted_mean", "Weighted mean", "Moyenne pondérée"))
		if len(of) > 1 {
			head = p.shares(saidCell("weighted_mean_"+strings.ToLower(string(c)), "Weighted, "+string(c), "Pondérée, "+string(c)))
		}
		f.Rows = append(f.Rows, Row{Summary: true, Cells: append(head, p.money(c)...)})
	}
	return nil
}

// cells are the amounts of the figure of the paid formula.
func (r Revenue) cells() []Cell {
	return []Cell{{Amount: &r.Net}, {Amount: r.PerStarted}, {Amount: r.PerDiligent}, {Amount: r.PerCertified}, {Amount: r.Cost}, {Amount: r.CostPerCertified}, {Amount: r.Contribution}}
}

// pool is what several sessions add up to: all, or those that took one currency, with the people who paid in it.
type pool struct {
	Heads
	enrolled  int64
	bearing   Heads // whom the cost is of
	net, cost int64 // minor units of one currency
}

func (p *pool) add(o Outcomes) {
	p.enrolled, p.Heads = p.enrolled+o.Enrolled, p.plus(Heads{o.Paid, o.Started.Count, o.Diligent.Count, o.Certified.Count})
}

func (p *pool) shares(head Cell) []Cell {
	return []Cell{head, countCell(p.Paid), shareCell(p.Paid, p.enrolled), shareCell(p.Started, p.Paid), shareCell(p.Diligent, p.Paid), shareCell(p.Certified, p.Diligent), shareCell(p.Certified, p.Paid)}
}

// money is what those brought and cost.
func (p *pool) money(c money.Currency) []Cell {
	n := CubeCell{CubeKey: CubeKey{Currency: c}, Gross: p.net, Costs: p.cost}
	return revenueOf(n, p.Heads, p.bearing).cells()
}
