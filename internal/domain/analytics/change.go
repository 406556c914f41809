package analytics

import (
	"context"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

var since = Param{ID: "since", Title: catalog.Text{EN: "Compared with (day or instant, UTC)", FR: "Comparé à (jour ou instant, UTC)"}, Required: true, Instant: true}

func changeFigures() []Definition {
	return []Definition{{
		ID: "change", Version: 1, Times: true, Params: []Param{ofSession, since, byRule}, answer: changeTx,
		Title: catalog.Text{EN: "What changed between two dates", FR: "Ce qui a changé entre deux dates"},
		Says: catalog.Text{
			EN: "For each stage the learners then and now, and why the two differ: new learners who have it, those who had left and came back with it, those who left, those who reached it meanwhile, and those of whom it was taken back (a regrade, a refund, a revocation). Then + new + back − left + reached − taken back = now. Of those who are there at each time.",
			FR: "Pour chaque étape les apprenants alors et maintenant, et pourquoi les deux diffèrent : nouveaux apprenants qui l’ont, ceux qui étaient partis et sont revenus avec elle, ceux qui sont partis, ceux qui l’ont atteinte entre-temps, et ceux à qui elle a été reprise (une nouvelle note, un remboursement, une révocation). Alors + nouveaux + revenus − partis + atteinte − reprise = maintenant. De ceux qui sont présents.",
		},
	}, {
		ID: "change_money", Version: 1, Times: true, Money: true, Params: []Param{ofSession, since}, answer: changeMoneyTx,
		Title: catalog.Text{EN: "What changed in the money between two dates", FR: "Ce qui a changé dans l’argent entre deux dates"},
		Says: catalog.Text{
			EN: "The net of a session then and now, and what lies between: sales, refunds and lost disputes that occurred meanwhile. By currency.",
			FR: "Le net d’une session alors et maintenant, et ce qui est entre les deux : ventes, remboursements et litiges perdus survenus entre-temps. Par devise.",
		},
	}}
}

// sinceOf reads the earlier of the two instants.
func (a Ask) sinceOf() (time.Time, error) {
	t, err := a.instant("since")
	if err != nil {
		return t, err
	}
	if !a.AsOf.IsZero() && t.After(a.AsOf) {
		return t, badParam("since", "It is before the other date.")
	}
	return t, nil
}

type changedStage struct {
	id     string
	title  catalog.Text
	stages int // a mask
}

// changed are the stages whose change is explained, each by what has to hold.
func changed(rule string) []changedStage {
	diligent, _ := journey.DiligentMask(rule) // the rule is one of the parameter
	return []changedStage{
		{"enrolled", catalog.Text{EN: "Enrolled", FR: "Inscrits"}, 0}, {"started", stageColumns[0].Title, journey.Mask(journey.Started)}, {"diligent", stageColumns[1].Title, diligent},
		{"succeeded", stageColumns[2].Title, journey.Mask(journey.Succeeded)}, {"certified", stageColumns[7].Title, journey.Mask(journey.Certified)},
		{"paying", catalog.Text{EN: "Paying", FR: "Payants"}, journey.Mask(journey.Qualifying)},
	}
}

func changeTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	from, err := ask.sinceOf()
	if err != nil {
		return err
	}
	moves, err := journey.MovesTx(ctx, tx, s.ID, from, ask.AsOf, ask.KnownAt)
	if err != nil {
		return err
	}
	f.Basis, f.Week1Rule = "current", ask.Params["week1_rule"]
	f.Columns = []Column{
		col("stage", Text, "Stage", "Étape"), col("then", Count, "Then", "Alors"), col("new", Count, "New", "Nouveaux"), col("back", Count, "Came back", "Revenus"), col("left", Count, "Left", "Partis"),
		col("reached", Count, "Reached it", "L’ont atteinte"), col("taken_back", Count, "Taken back", "Reprise"), col("now", Count, "Now", "Maintenant"),
	}
	f.Charts = []Chart{{Kind: "bridge", Values: []string{"then", "new", "back", "left", "reached", "taken_back", "now"}, Less: []string{"left", "taken_back"}, Facet: "stage"}}
	enrolled := journey.State(journey.Mask(journey.Enrolled))
	for _, x := range changed(f.Week1Rule) {
		var then, fresh, back, left, reached, taken, now int64
		has := func(state journey.State) bool {
			want := journey.State(x.stages) | enrolled
			return state&want == want
		}
		for _, m := range moves {
			before, after := has(m.Before), has(m.After)
			if before {
				then += m.N
			}
			if after {
				now += m.N
			}
			switch {
			case before == after:
			case after && !m.Been:
				fresh += m.N
			case after && !m.Before.Has(journey.Enrolled):
				back += m.N
			case after:
				reached += m.N
			case !m.After.Has(journey.Enrolled):
				left += m.N
			default:
				taken += m.N
			}
		}
		f.Rows = append(f.Rows, Row{Cells: []Cell{{Text: x.id, Said: x.title}, countCell(then), countCell(fresh), countCell(back), countCell(left), countCell(reached), countCell(taken), countCell(now)}})
		if x.id == "enrolled" {
			f.base("then", "enrolled then", "inscrits alors", then)
			f.base("now", "enrolled now", "inscrits maintenant", now)
		}
	}
	return nil
}

func changeMoneyTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	from, err := ask.sinceOf()
	if err != nil {
		return err
	}
	to := f.Ask
	f.Ask.AsOf = from
	before, err := f.ofSessionTx(ctx, tx)
	f.Ask.AsOf, f.Open = to.AsOf, false
	if err != nil {
		return err
	}
	after, err := f.ofSessionTx(ctx, tx)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("currency", Text, "Currency", "Devise"), col("then", Amount, "Net then", "Net alors"), col("sales", Amount, "Sales", "Ventes"), col("refunds", Amount, "Refunds", "Remboursements"),
		col("disputes", Amount, "Lost disputes", "Litiges perdus"), col("now", Amount, "Net now", "Net maintenant"),
	}
	f.Charts = []Chart{{Kind: "bridge", Values: []string{"then", "sales", "refunds", "disputes", "now"}, Facet: "currency"}}
	earlier, still := map[money.Currency]CubeCell{}, true
	for _, c := range before {
		earlier[c.Currency] = c
	}
	for _, c := range after {
		if c.Currency == "" {
			continue
		}
		b := earlier[c.Currency]
		still = still && c.Gross == b.Gross && c.Refunds == b.Refunds && c.Disputes == b.Disputes
		f.Rows = append(f.Rows, Row{Cells: []Cell{
			textCell(string(c.Currency)), amountCell(b.Net(), c.Currency), amountCell(c.Gross-b.Gross, c.Currency), amountCell(b.Refunds-c.Refunds, c.Currency), amountCell(b.Disputes-c.Disputes, c.Currency),
			amountCell(c.Net(), c.Currency),
		}})
	}
	if still {
		f.note("Nothing changed in the money between the two dates.", "Rien n’a changé dans l’argent entre les deux dates.")
	}
	f.base("currencies", "currencies", "devises", int64(len(f.Rows)))
	return nil
}
