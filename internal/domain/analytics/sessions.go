package analytics

import (
	"context"
	"math"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

var (
	ofSessions = Param{ID: "sessions", Title: catalog.Text{EN: "Sessions (none: all)", FR: "Sessions (aucune : toutes)"}, Many: true}
	against    = Param{ID: "against", Title: catalog.Text{EN: "Compared with (none: the others together)", FR: "Comparées à (aucune : les autres ensemble)"}}
	withOther  = Param{ID: "other", Title: catalog.Text{EN: "Compared with", FR: "Comparée à"}, Required: true}
)

func sessionFigures() []Definition {
	return []Definition{{
		ID: "indicators", Paper: "4", Version: 1, Times: true, Params: []Param{ofSession, byRule}, answer: indicatorsTx,
		Title: catalog.Text{EN: "The five indicators of a session", FR: "Les cinq indicateurs d’une session"},
		Says: catalog.Text{
			EN: "Enrolled; started, diligent and succeeded, each of the enrolled; and succeeded of the diligent, which may pass 100 % since who succeeded need not be diligent. Strictly: succeeded and diligent, of the diligent. Side by side of who has not left (current) and of everybody who ever enrolled (ever).",
			FR: "Inscrits ; ont commencé, assidus et réussite, chacun des inscrits ; et réussite des assidus, qui peut dépasser 100 % puisque qui réussit n’est pas forcément assidu. Au sens strict : réussite et assidu, des assidus. Côte à côte de ceux qui ne sont pas partis (présents) et de tous ceux qui se sont inscrits un jour.",
		},
	}, {
		ID: "comparison", Paper: "7", Version: 4, Times: true, Params: []Param{ofSessions, against, byBasis, byRule}, answer: comparisonTx,
		Title: catalog.Text{EN: "Comparison of sessions", FR: "Comparaison des sessions"},
		Says: catalog.Text{
			EN: "The five indicators, session by session: enrolled; started, diligent and succeeded of the enrolled; succeeded of the diligent. Below, the plain mean of the columns, each session counting the same, and the weighted one, each learner counting the same. Beside each share, whether it is provably above or below that of the session it is compared with, or of the other sessions together; where the 95 % interval of the difference (Newcombe, from the two Wilson intervals) has nought in it, there is no provable difference.",
			FR: "Les cinq indicateurs, session par session : inscrits ; ont commencé, assidus et réussite, des inscrits ; réussite des assidus. En dessous, la moyenne simple des colonnes, où chaque session compte autant, et la moyenne pondérée, où chaque apprenant compte autant. À côté de chaque part, si elle est démontrablement au-dessus ou au-dessous de celle de la session à laquelle on compare, ou des autres sessions ensemble ; là où l’intervalle à 95 % de la différence (Newcombe, des deux intervalles de Wilson) contient zéro, il n’y a pas de différence démontrable.",
		},
	}, {
		ID: "difference", Version: 1, Times: true, Params: []Param{ofSession, withOther, byBasis, byRule}, answer: differenceTx,
		Title: catalog.Text{EN: "Difference between two sessions", FR: "Différence entre deux sessions"},
		Says: catalog.Text{
			EN: "For each indicator the difference of two sessions, in points of per cent, with its 95 % interval (Newcombe, from the Wilson intervals of the two). Where the interval has nought in it, there is no provable difference.",
			FR: "Pour chaque indicateur la différence de deux sessions, en points de pourcentage, avec son intervalle à 95 % (Newcombe, des intervalles de Wilson des deux). Là où l’intervalle contient zéro, il n’y a pas de différence démontrable.",
		},
	}, {
		ID: "qualifying", Paper: "10", Version: 4, Times: true, Money: true, Params: []Param{ofSessions, byBasis, byRule}, answer: qualifyingTx,
		Title: catalog.Text{EN: "What the QUALIFYING formula became", FR: "Ce qu’est devenue la formule QUALIFYING"},
		Says: catalog.Text{
			EN: "Enrolments with a paid formula in force: their share of all enrolled, then of them who started, were diligent, were certified; certified of the diligent; and the net revenue of the same enrolments (sales − refunds − lost disputes) for each learner of each stage, and what they cost as far as it is booked. Where there is money in several currencies, what came to a learner is of those who paid in the currency, and what she cost of those who paid or cost something in it: who paid in two is one of each. Below, the plain mean of the sessions and the weighted one.",
			FR: "Les inscriptions avec une formule payante en vigueur : leur part des inscrits, puis parmi elles qui a commencé, a été assidu, a été certifié ; les certifiés des assidus ; et le revenu net des mêmes inscriptions (ventes − remboursements − litiges perdus) par apprenant de chaque étape, et ce qu’elles ont coûté pour autant que c’est comptabilisé. Quand il y a de l’argent dans plusieurs devises, ce qui revient à un apprenant est de ceux qui ont payé dans la devise, et ce qu’il coûte de ceux qui y ont payé ou coûté quelque chose : qui a payé dans deux est l’un de chacune. En dessous, la moyenne simple des sessions et la moyenne pondérée.",
		},
	}}
}

// sessionsTx are the sessions that a figure is asked for, or all, in the order of the catalogue.
func (f *Figure) sessionsTx(ctx context.Context, tx *postgres.Tx) ([]catalog.Glimpse, error) {
	asked := f.Ask.list("sessions")
	if len(asked) == 0 {
		return catalog.GlimpsesTx(ctx, tx, f.Ask.KnownAt)
	}
	var all []catalog.Glimpse
	for _, key := range asked {
		s, err := catalog.GlimpseTx(ctx, tx, key, f.Ask.KnownAt)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func idsOf(sessions []catalog.Glimpse) []string {
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

// indicatorsTx answers for one session by both bases, since which of the two a reader has in mind changes the number.
func indicatorsTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	var of [2]journey.Counts
	var strict [2]Rate
	for i, basis := range []string{"current", "ever"} {
		question := journey.Question{SessionID: s.ID, AsOf: ask.AsOf, KnownAt: ask.KnownAt, Basis: basis, Week1Rule: ask.Params["week1_rule"]}
		if of[i], err = journey.CountsTx(ctx, tx, question); err != nil {
			return err
		}
		diligent, err := journey.DiligentMask(question.Week1Rule)
		if err != nil {
			return err
		}
		var both int64
		if err := tx.Get(ctx, &both, q.Q("HoldingBoth"), s.ID, maskOf(journey.Succeeded, basis)|diligent, basis == "ever", orEnd(ask.AsOf), orEnd(ask.KnownAt)); err != nil {
			return err
		}
		strict[i] = NewRate(both, of[i].Diligent)
	}
	f.Week1Rule = ask.Params["week1_rule"]
	f.base("current", "enrolled (current)", "inscrits (présents)", of[0].Enrolled)
	f.base("ever", "enrolled (ever)", "inscrits (un jour)", of[1].Enrolled)
	f.Columns = []Column{col("indicator", Text, "Indicator", "Indicateur"), col("current", Share, "Current", "Présents"), col("ever", Share, "Ever", "Un jour")}
	f.Charts = []Chart{{Kind: "bars", Y: "indicator", Values: []string{"current"}, Alike: true}, {Kind: "bars", Y: "indicator", Values: []string{"ever"}, Alike: true}}
	current, ever := fiveIndicators(of[0]), fiveIndicators(of[1])
	for i, m := range current {
		f.Rows = append(f.Rows, Row{Open: f.Open, Cells: []Cell{{Text: m.ID, Said: indicatorColumns[i].Title}, {Rate: &m.Rate}, {Rate: &ever[i].Rate}}})
	}
	f.Rows = append(f.Rows, Row{Open: f.Open, Cells: []Cell{saidCell("diligent_success_strict", "The same, strictly", "Idem, au sens strict"), {Rate: &strict[0]}, {Rate: &strict[1]}}})
	return nil
}

func comparisonTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	f.Columns = []Column{col("session", Text, "Session", "Session"), targeted(), col("enrolled", Count, "Enrolled", "Inscrits")}
	for _, c := range indicatorColumns {
		beside := col(c.ID+"_verdict", Text, c.Title.EN+", compared", c.Title.FR+", comparé")
		beside.Beside = c.ID
		f.Columns = append(f.Columns, c, beside)
	}
	for _, c := range f.Columns[1:] {
		if c.Beside == "" {
			f.Charts = append(f.Charts, Chart{Kind: "bars", Y: "session", Values: []string{c.ID}})
		}
	}
	ids := idsOf(sessions)
	var other catalog.Glimpse
	if f.Ask.Params["against"] != "" {
		if other, err = f.sessionTx(ctx, tx, "against"); err != nil {
			return err
		}
		ids = append(ids, other.ID)
	}
	counts, err := journey.CountsOfTx(ctx, tx, f.question(""), ids...)
	if err != nil {
		return err
	}
	var pooled journey.Counts
	for _, s := range sessions {
		pooled = pooled.Plus(counts[s.ID])
	}
	f.base("enrolled", "enrolled", "inscrits", pooled.Enrolled)
	f.Rows = make([]Row, 0, len(sessions)+2)
	for _, s := range sessions {
		n := counts[s.ID]
		if n.Enrolled == 0 {
			continue
		}
		open := openAt(tx, s, ask.AsOf)
		f.Open = f.Open || open
		with := counts[other.ID]
		switch other.ID {
		case "":
			with = pooled.Minus(n)
		case s.ID: // of itself there is nothing to say
			with = journey.Counts{}
		}
		f.Rows = append(f.Rows, Row{Open: open, Cells: append([]Cell{textCell(s.Key), targetedCell(s.For), countCell(n.Enrolled)}, compared(fiveIndicators(n), fiveIndicators(with))...)})
	}
	if len(f.Rows) > 0 {
		f.Rows = append(f.Rows, f.means(), Row{Summary: true, Cells: append([]Cell{saidCell("weighted_mean", "Weighted mean", "Moyenne pondérée"), {}, {}}, compared(fiveIndicators(pooled), nil)...)})
	}
	return nil
}

// levels are words for the levels of courses; an audience that a session names itself is said as it is written.
var levels = map[string]catalog.Text{
	"pre_bachelor": {EN: "before the bachelor", FR: "avant la licence"}, "bachelor": {EN: "bachelor", FR: "licence"}, "post_bachelor": {EN: "after the bachelor", FR: "après la licence"},
}

// targeted is the column that says whom a session is for; for people it stands in the cell of the session.
func targeted() Column {
	c := col("audience", Text, "Targeted audience", "Public visé")
	c.Beside = "session"
	return c
}

func targetedCell(audience string) Cell { return Cell{Text: audience, Said: levels[audience]} }

var comparedWords = map[string]catalog.Text{
	"higher": {EN: "provably above", FR: "démontrablement au-dessus"}, "lower": {EN: "provably below", FR: "démontrablement au-dessous"}, "no_provable_difference": verdicts["no_provable_difference"],
}

// compared are shares, each followed by what its difference to the other shows; nothing where there is nobody to compare with, or no interval.
func compared(all, with []Metric) []Cell {
	cells := make([]Cell, 0, 2*len(all))
	for i, m := range all {
		beside := Cell{}
		if with != nil {
			d, low, high := Difference(m.Rate, with[i].Rate)
			switch verdict := Verdict(low, high); {
			case verdict == "no_provable_difference":
				beside.Text = verdict
			case verdict == "provable_difference" && *d > 0:
				beside.Text = "higher"
			case verdict == "provable_difference":
				beside.Text = "lower"
			}
			beside.Said = comparedWords[beside.Text]
		}
		cells = append(cells, Cell{Rate: &m.Rate}, beside)
	}
	return cells
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
	pointsCol("difference", "Difference, in points", "Différence, en points"), pointsCol("low", "from", "de"), pointsCol("high", "to", "à"), col("verdict", Text, "Verdict", "Verdict"),
}

// pointsCol is of points of per cent.
func pointsCol(id, en, fr string) Column {
	c := col(id, Tenths, en, fr)
	c.Points = true
	return c
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
	f.Charts = []Chart{{Kind: "bars", Y: "indicator", Values: []string{"session_share"}, Alike: true}, {Kind: "bars", Y: "indicator", Values: []string{"other_share"}, Alike: true}}
	a, b := fiveIndicators(counts[0]), fiveIndicators(counts[1])
	for i := range a {
		f.Rows = append(f.Rows, Row{Cells: append([]Cell{{Text: a[i].ID, Said: indicatorColumns[i].Title}}, differenceCells(a[i].Rate, b[i].Rate)...)})
	}
	return nil
}
