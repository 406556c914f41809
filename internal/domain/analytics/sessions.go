package analytics

import (
	"context"
	"math"
	"slices"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

var (
	ofSessions = Param{ID: "sessions", Title: catalog.Text{EN: "Sessions (none: all)", FR: "Sessions (aucune : toutes)"}, Many: true}
	withOther  = Param{ID: "other", Title: catalog.Text{EN: "Compared with", FR: "Comparée à"}, Required: true}
)

func sessionFigures() []Definition {
	return []Definition{{
		ID: "comparison", Paper: "7", Version: 3, Times: true, Params: []Param{ofSessions, byBasis, byRule}, answer: comparisonTx,
		Title: catalog.Text{EN: "Comparison of sessions", FR: "Comparaison des sessions"},
		Says: catalog.Text{
			EN: "The five indicators, session by session: enrolled; started, diligent and succeeded of the enrolled; succeeded of the diligent. Below, the plain mean of the columns, each session counting the same, and the weighted one, each learner counting the same.",
			FR: "Les cinq indicateurs, session par session : inscrits ; ont commencé, assidus et réussite, des inscrits ; réussite des assidus. En dessous, la moyenne simple des colonnes, où chaque session compte autant, et la moyenne pondérée, où chaque apprenant compte autant.",
		},
	}, {
		ID: "difference", Version: 1, Times: true, Params: []Param{ofSession, withOther, byBasis, byRule}, answer: differenceTx,
		Title: catalog.Text{EN: "Difference between two sessions", FR: "Différence entre deux sessions"},
		Says: catalog.Text{
			EN: "For each indicator the difference of two sessions, in points of per cent, with its 95 % interval (Newcombe, from the Wilson intervals of the two). Where the interval has nought in it, there is no provable difference.",
			FR: "Pour chaque indicateur la différence de deux sessions, en points de pourcentage, avec son intervalle à 95 % (Newcombe, des intervalles de Wilson des deux). Là où l’intervalle contient zéro, il n’y a pas de différence démontrable.",
		},
	}, {
		ID: "qualifying", Paper: "10", Version: 3, Times: true, Money: true, Params: []Param{ofSessions, byBasis, byRule}, answer: qualifyingTx,
		Title: catalog.Text{EN: "What the QUALIFYING formula became", FR: "Ce qu’est devenue la formule QUALIFYING"},
		Says: catalog.Text{
			EN: "Enrolments with a paid formula in force: their share of all enrolled, then of them who started, were diligent, were certified; certified of the diligent; and the net revenue of the same enrolments (sales − refunds − lost disputes) for each learner of each stage, and what they cost as far as it is booked. Where several currencies came in, the amounts for each learner are of those whose money, or most of it, is in the currency. Below, the plain mean of the sessions and the weighted one.",
			FR: "Les inscriptions avec une formule payante en vigueur : leur part des inscrits, puis parmi elles qui a commencé, a été assidu, a été certifié ; les certifiés des assidus ; et le revenu net des mêmes inscriptions (ventes − remboursements − litiges perdus) par apprenant de chaque étape, et ce qu’elles ont coûté pour autant que c’est comptabilisé. Quand plusieurs devises sont entrées, les montants par apprenant sont ceux des personnes dont l’argent, ou sa plus grande part, est dans la devise. En dessous, la moyenne simple des sessions et la moyenne pondérée.",
		},
	}}
}

// sessionsTx are the sessions that a figure is asked for, or all, in the order of the catalogue.
func (f *Figure) sessionsTx(ctx context.Context, tx *postgres.Tx) ([]catalog.Session, error) {
	asked := f.Ask.list("sessions")
	if len(asked) == 0 {
		return catalog.SessionsTx(ctx, tx)
	}
	var all []catalog.Session
	for _, key := range asked {
		s, err := catalog.SessionTx(ctx, tx, key)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func idsOf(sessions []catalog.Session) []string {
	ids := make([]string, len(sessions))
	for i, s := range sessions {
		ids[i] = s.ID
	}
	return ids
}

// question asks for a session with the basis, the rule and the times of the figure.
func (f *Figure) question(session string) journey.Question {
	f.Basis, f.Week1Rule = f.Ask.Params["basis"], f.Ask.Params["week1_rule"]
	return journey.Question{SessionID: session, AsOf: f.Ask.AsOf, KnownAt: f.Ask.KnownAt, Basis: f.Basis, Week1Rule: f.Week1Rule}
}

// indicatorsOf are the four shares of the five indicators.
func indicatorsOf(c journey.Counts) []Cell {
	var cells []Cell
	for _, m := range fiveIndicators(c) {
		cells = append(cells, Cell{Rate: &m.Rate})
	}
	return cells
}

var indicatorColumns = []Column{
	col("started", Share, "Started", "Ont commencé"), col("diligent", Share, "Diligent", "Assidus"), col("succeeded", Share, "Succeeded", "Réussite"),
	col("diligent_success", Share, "Diligent success", "Réussite des assidus"),
}

// means is the row of the plain means of the columns but the first; amounts and what is no share have none.
func (f *Figure) means() Row {
	row := Row{Summary: true, Cells: make([]Cell, len(f.Columns))}
	row.Cells[0] = saidCell("plain_mean", "Plain mean", "Moyenne simple")
	for i := 1; i < len(f.Columns); i++ {
		var all []*int64
		for k, r := range f.Rows {
			if k > 0 && r.Cells[0].Text == f.Rows[k-1].Cells[0].Text {
				continue // the same session in another currency
			}
			switch {
			case f.Columns[i].Kind == Share && r.Cells[i].Rate != nil:
				all = append(all, r.Cells[i].Rate.Tenths)
			case f.Columns[i].Kind == Count:
				all = append(all, r.Cells[i].Count)
			}
		}
		if mean := PlainMean(all); mean != nil && f.Columns[i].Kind == Share {
			row.Cells[i] = Cell{Mean: mean}
		} else if mean != nil {
			row.Cells[i] = Cell{Count: mean}
		}
	}
	return row
}

func comparisonTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	f.Columns = append([]Column{col("session", Text, "Session", "Session"), col("enrolled", Count, "Enrolled", "Inscrits")}, indicatorColumns...)
	for _, c := range f.Columns[1:] {
		f.Charts = append(f.Charts, Chart{Kind: "bars", Y: "session", Values: []string{c.ID}})
	}
	counts, err := journey.CountsOfTx(ctx, tx, f.question(""), idsOf(sessions)...)
	if err != nil {
		return err
	}
	var pooled journey.Counts
	for _, s := range sessions {
		n := counts[s.ID]
		if n.Enrolled == 0 {
			continue
		}
		open := openAt(tx, s, ask.AsOf)
		f.Open = f.Open || open
		f.Rows = append(f.Rows, Row{Open: open, Cells: append([]Cell{textCell(s.Key), countCell(n.Enrolled)}, indicatorsOf(n)...)})
		pooled = pooled.Plus(n)
	}
	f.base("enrolled", "enrolled", "inscrits", pooled.Enrolled)
	if len(f.Rows) > 0 {
		f.Rows = append(f.Rows, f.means(), Row{Summary: true, Cells: append([]Cell{saidCell("weighted_mean", "Weighted mean", "Moyenne pondérée"), {}}, indicatorsOf(pooled)...)})
	}
	return nil
}

// Difference is a − b of two shares in tenths of a per cent, with its 95 % interval by Newcombe's method 10 from the Wilson intervals of the
// two (Statistics in Medicine 17, 1998). Without an interval of both there is none.
func Difference(a, b Rate) (tenths, low, high *int64) {
	if a.Tenths == nil || b.Tenths == nil {
		return nil, nil, nil
	}
	d := *a.Tenths - *b.Tenths
	if a.Low == nil || b.Low == nil {
		return &d, nil, nil
	}
	la, ua := wilson(a.Count, a.Of)
	lb, ub := wilson(b.Count, b.Of)
	pa, pb := float64(a.Count)/float64(a.Of), float64(b.Count)/float64(b.Of)
	l := int64(math.Round(1000 * (pa - pb - math.Hypot(pa-la, ub-pb))))
	h := int64(math.Round(1000 * (pa - pb + math.Hypot(ua-pa, pb-lb))))
	return &d, &l, &h
}

var verdicts = map[string]catalog.Text{
	"no_interval":            {EN: "nobody to compare", FR: "personne à comparer"},
	"no_provable_difference": {EN: "no provable difference", FR: "pas de différence démontrable"},
	"provable_difference":    {EN: "provable difference", FR: "différence démontrable"},
}

// Verdict says what the interval of a difference shows: no_interval, no_provable_difference or provable_difference.
func Verdict(low, high *int64) string {
	switch {
	case low == nil:
		return "no_interval"
	case *low <= 0 && *high >= 0:
		return "no_provable_difference"
	}
	return "provable_difference"
}

var differenceColumns = []Column{
	col("difference", Tenths, "Difference", "Différence"), col("low", Tenths, "from", "de"), col("high", Tenths, "to", "à"), col("verdict", Text, "Verdict", "Verdict"),
}

// differenceCells are two shares, their difference and what it shows.
func differenceCells(a, b Rate) []Cell {
	d, low, high := Difference(a, b)
	verdict := Verdict(low, high)
	return []Cell{{Rate: &a}, {Rate: &b}, {Count: d}, {Count: low}, {Count: high}, {Text: verdict, Said: verdicts[verdict]}}
}

func differenceTx(ctx context.Context, tx *postgres.Tx, _ Ask, f *Figure) error {
	var counts [2]journey.Counts
	var keys [2]string
	for i, param := range []string{"session", "other"} {
		s, err := f.sessionTx(ctx, tx, param)
		if err != nil {
			return err
		}
		keys[i] = s.Key
		if counts[i], err = journey.CountsTx(ctx, tx, f.question(s.ID)); err != nil {
			return err
		}
		f.base("enrolled_"+param, "enrolled in "+s.Key, "inscrits à "+s.Key, counts[i].Enrolled)
	}
	f.Columns = append([]Column{
		col("indicator", Text, "Indicator", "Indicateur"), col("session_share", Share, keys[0], keys[0]), col("other_share", Share, keys[1], keys[1]),
	}, differenceColumns...)
	f.Charts = []Chart{{Kind: "bars", Y: "indicator", Values: []string{"session_share"}}, {Kind: "bars", Y: "indicator", Values: []string{"other_share"}}}
	a, b := fiveIndicators(counts[0]), fiveIndicators(counts[1])
	for i := range a {
		f.Rows = append(f.Rows, Row{Cells: append([]Cell{{Text: a[i].ID, Said: indicatorColumns[i].Title}}, differenceCells(a[i].Rate, b[i].Rate)...)})
	}
	return nil
}

func qualifyingTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("session", Text, "Session", "Session"), col("paid", Count, "Paid", "Ont payé"), col("share_of_enrolled", Share, "Of the enrolled", "Des inscrits"), col("started", Share, "Started", "Ont commencé"),
		col("diligent", Share, "Diligent", "Assidus"), col("certified_of_diligent", Share, "Certified of the diligent", "Certifiés des assidus"), col("certified", Share, "Certified", "Certifiés"),
		col("net", Amount, "Net", "Net"), col("net_per_started", Amount, "per started", "par commençant"), col("net_per_diligent", Amount, "per diligent", "par assidu"), col("net_per_certified", Amount, "per certified", "par certifié"),
		col("cost", Amount, "Cost", "Coût"), col("cost_per_certified", Amount, "Cost per certified", "Coût par certifié"), col("contribution", Amount, "Contribution", "Contribution"),
	}
	for _, id := range []string{"share_of_enrolled", "started", "diligent", "certified_of_diligent", "certified"} {
		f.Charts = append(f.Charts, Chart{Kind: "bars", Y: "session", Values: []string{id}})
	}
	slices.Reverse(sessions)
	var enrolled, paid, started, diligent, certified int64
	sums := map[money.Currency]CubeCell{}
	asked := f.question("")
	outcomes, err := outcomesTx(ctx, tx, Question{AsOf: ask.AsOf, KnownAt: ask.KnownAt, Basis: asked.Basis, Week1Rule: asked.Week1Rule}, sessions...)
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.Paid == 0 {
			continue
		}
		f.Open, f.Demo = f.Open || o.Open, f.Demo || o.Demo
		enrolled, paid, started, diligent, certified = enrolled+o.Enrolled, paid+o.Paid, started+o.Started.Count, diligent+o.Diligent.Count, certified+o.Certified.Count
		shares := []Cell{textCell(o.Session), countCell(o.Paid), {Rate: &o.Share}, {Rate: &o.Started}, {Rate: &o.Diligent}, {Rate: &o.DiligentCertified}, {Rate: &o.Certified}}
		for _, m := range o.Money {
			n := sums[m.Net.Currency]
			n.Currency, n.Gross = m.Net.Currency, n.Gross+m.Net.Minor
			n.Enrolled, n.Started, n.Diligent, n.Certified = n.Enrolled+m.Paid, n.Started+m.Started, n.Diligent+m.Diligent, n.Certified+m.Certified
			if m.Cost != nil {
				n.Costs += m.Cost.Minor
			}
			sums[n.Currency] = n
			f.Rows = append(f.Rows, Row{Open: o.Open, Cells: append(slices.Clone(shares), m.cells()...)})
		}
		if len(o.Money) == 0 {
			f.Rows = append(f.Rows, Row{Open: o.Open, Cells: append(shares, make([]Cell, 7)...)})
		}
	}
	f.base("enrolled", "enrolled in these sessions", "inscrits à ces sessions", enrolled)
	f.base("paid", "with a paid formula in force", "avec une formule payante en vigueur", paid)
	if len(f.Rows) == 0 {
		return nil
	}
	f.Rows = append(f.Rows, f.means())
	shares := []Cell{
		saidCell("weighted_mean", "Weighted mean", "Moyenne pondérée"), countCell(paid), shareCell(paid, enrolled), shareCell(started, paid), shareCell(diligent, paid), shareCell(certified, diligent), shareCell(certified, paid),
	}
	for _, c := range money.Currencies() {
		if n, ok := sums[c]; ok { // of the people of this currency alone: those of another brought nothing of it
			f.Rows = append(f.Rows, Row{Summary: true, Cells: append(slices.Clone(shares), revenueOf(n, n.Counts).cells()...)})
		}
	}
	return nil
}

// cells are the amounts of the figure of the paid formula.
func (r Revenue) cells() []Cell {
	return []Cell{{Amount: &r.Net}, {Amount: r.PerStarted}, {Amount: r.PerDiligent}, {Amount: r.PerCertified}, {Amount: r.Cost}, {Amount: r.CostPerCertified}, {Amount: r.Contribution}}
}
