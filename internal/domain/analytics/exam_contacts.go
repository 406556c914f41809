package analytics

import (
	"context"
	"strconv"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/confidence"
	"cursus/internal/platform/postgres"
)

var withinDays = Param{ID: "days", Title: catalog.Text{EN: "Counted for (days)", FR: "Compté pendant (jours)"}, Default: "30"}

func contactFigures() []Definition {
	return []Definition{{
		ID: "exam_contacts", Version: 2, Times: true, Params: []Param{ofSessions, withinDays}, answer: contactsTx,
		Title: catalog.Text{EN: "What reminders and calls before exams did", FR: "Ce qu’ont fait les relances et les appels avant les examens"},
		Says: catalog.Text{
			EN: "Who booked and who sat the exam within so many days. Before and since: of those who came to be fit for it before anybody of these sessions was reminded or called, counted only where their days were over by then, and since. Reminded and held out: from the first reminder, against those whom a lot left alone on the same day. Called and held out: from the first call. Who has not had all her days is not counted. With the 95 % interval of the difference (Newcombe, from Wilson’s); where it has nought in it, there is no provable difference.",
			FR: "Qui a réservé et qui a passé l’examen en tant de jours. Avant et depuis : de ceux qui y sont devenus aptes avant que quiconque de ces sessions ne soit relancé ou appelé, comptés seulement si leurs jours étaient alors passés, et depuis. Relancés et laissés : à partir de la première relance, face à ceux qu’un tirage au sort a laissés le même jour. Appelés et laissés : à partir du premier appel. Qui n’a pas eu tous ses jours n’est pas compté. Avec l’intervalle à 95 % de la différence (Newcombe, de ceux de Wilson) ; là où il contient zéro, il n’y a pas de différence démontrable.",
		},
	}}
}

// armTitles are the groups as people read them.
var armTitles = map[string]catalog.Text{
	confidence.ArmSince: {EN: "since", FR: "depuis"}, confidence.ArmBefore: {EN: "before", FR: "avant"}, confidence.ArmReminded: {EN: "reminded", FR: "relancés"},
	confidence.ArmHeldOut: {EN: "held out by lot", FR: "laissés par tirage au sort"}, confidence.ArmCalled: {EN: "called", FR: "appelés"},
}

func armCell(arm string) Cell { return Cell{Text: arm, Said: armTitles[arm]} }

// contactsTx holds the arms of the measure against each other.
func contactsTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	days, err := strconv.Atoi(ask.Params["days"])
	if err != nil || days < 1 || days > 365 {
		return badParam("days", "A whole number of days, 1 to 365.")
	}
	for _, s := range sessions {
		f.Open = f.Open || openAt(tx, s, ask.AsOf)
	}
	arms, err := confidence.EffectTx(ctx, tx, idsOf(sessions), days, ask.AsOf, ask.KnownAt)
	if err != nil {
		return err
	}
	f.Columns = append([]Column{
		col("comparison", Text, "Comparison", "Comparaison"), col("measure", Text, "Measure", "Mesure"), col("with", Share, "The first", "Les premiers"), col("with_group", Text, "Who the first are", "Qui sont les premiers"),
		col("without", Share, "The others", "Les autres"), col("without_group", Text, "Who the others are", "Qui sont les autres"),
	}, differenceColumns...)
	f.Columns[3].Beside, f.Columns[5].Beside = "with", "without"
	f.Charts = []Chart{{Kind: "bars", Values: []string{"with", "without"}, Facet: "measure"}}
	for _, c := range []struct {
		with, without string
		said          Cell
	}{
		{confidence.ArmSince, confidence.ArmBefore, saidCell("since_before", "Since, and before", "Depuis, et avant")},
		{confidence.ArmReminded, confidence.ArmHeldOut, saidCell("reminded_held_out", "Reminded, and held out by lot", "Relancés, et laissés par tirage au sort")},
		{confidence.ArmCalled, confidence.ArmHeldOut, saidCell("called_held_out", "Called, and held out by lot", "Appelés, et laissés par tirage au sort")},
	} {
		a, b, groups := arms[c.with], arms[c.without], [2]Cell{armCell(c.with), armCell(c.without)}
		for _, m := range []struct {
			said Cell
			a, b Rate
		}{
			{saidCell("booked", "Booked", "Ont réservé"), NewRate(a.Booked, a.People), NewRate(b.Booked, b.People)},
			{saidCell("sat", "Sat", "L’ont passé"), NewRate(a.Sat, a.People), NewRate(b.Sat, b.People)},
		} {
			cells := differenceCells(m.a, m.b)
			f.Rows = append(f.Rows, Row{Open: f.Open, Cells: append([]Cell{c.said, m.said, cells[0], groups[0], cells[1], groups[1]}, cells[2:]...)})
		}
	}
	if arms[confidence.ArmReminded].People+arms[confidence.ArmCalled].People == 0 {
		f.note("Nobody of these sessions was reminded or called for an exam and has had all her days since: there is nothing to compare yet.", "Personne de ces sessions n’a été relancé ou appelé pour un examen et n’a eu tous ses jours depuis : il n’y a encore rien à comparer.")
	}
	f.base("reminded", "reminded", "relancés", arms[confidence.ArmReminded].People)
	f.base("held_out", "held out by lot", "laissés par tirage au sort", arms[confidence.ArmHeldOut].People)
	f.base("called", "called", "appelés", arms[confidence.ArmCalled].People)
	f.note("Reminded and held out were drawn by lot, and differ by the reminders alone. Before and since differ by all that changed meanwhile, and coaches choose whom they call.",
		"Relancés et laissés ont été tirés au sort, et ne diffèrent que par les relances. Avant et depuis diffèrent par tout ce qui a changé entre-temps, et les accompagnateurs choisissent qui ils appellent.")
	return nil
}
