package analytics

import (
	"context"
	"strconv"
	"strings"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

func bilanFigures() []Definition {
	return []Definition{{
		ID: "bilan", Version: 2, Times: true, Form: true, answer: bilanTx,
		Params: []Param{
			ofSession, {ID: "closed_on", Title: catalog.Text{EN: "Evaluations closed on (none: as of)", FR: "Clôture des évaluations le (sinon à la date)"}, Instant: true},
			{ID: "own_cohort", Title: catalog.Text{EN: "Cohort of own students", FR: "Cohorte des étudiants de l’établissement"}},
			{ID: "hours", Title: catalog.Text{EN: "Hours, as management/design=12", FR: "Heures, comme management/design=12"}, Many: true},
			{ID: "budget", Title: catalog.Text{EN: "Budget in the smallest unit (cents), as staff=1200000", FR: "Budget dans la plus petite unité (centimes), comme staff=1200000"}, Many: true},
			{ID: "budget_currency", Title: catalog.Text{EN: "Currency of the budget", FR: "Devise du budget"}, Of: currencyCodes(), Default: "EUR"},
		},
		Title: catalog.Text{EN: "Bilan of a MOOC", FR: "Bilan du MOOC"},
		Says: catalog.Text{
			EN: "The yearly report form of the institute. The as-of date is that of the generation of attestations; an attestation is a global grade that reaches the threshold of the session. Hours of staff and the budget are what is given: no book has them; the balance is receipts less all other items. Beside stand the targets: 20,000 enrolled, 7,000 active, 2,000 attested.",
			FR: "Le formulaire annuel de l’institut. La date demandée est celle de la génération des attestations ; une attestation est une note globale qui atteint le seuil de la session. Les heures du personnel et le budget sont ce qui est donné : aucun livre ne les a ; le solde est les recettes moins tous les autres postes. À côté se trouvent les cibles : 20 000 inscrits, 7 000 actifs, 2 000 attestés.",
		},
	}, {
		ID: "individual_path", Version: 2, Times: true, Personal: true, answer: wayTx,
		Params: []Param{{ID: "enrolment", Title: catalog.Text{EN: "Enrolment", FR: "Inscription"}, Required: true}},
		Title:  catalog.Text{EN: "Way of one learner", FR: "Parcours d’un apprenant"},
		Says: catalog.Text{
			EN: "All that became of one enrolment, in the order of time: stages reached and lost, exercises done and regraded, the global grade.",
			FR: "Tout ce qu’est devenue une inscription, dans l’ordre du temps : étapes atteintes et perdues, exercices faits et renotés, la note globale.",
		},
	}}
}

// Functions and phases of the staff hours of a Bilan, and what its budget is made of.
var (
	bilanFunctions = []string{"management", "design", "media", "tutoring"}
	bilanBudget    = []string{"staff", "equipment", "services", "communication", "certification", "receipts"}
)

var bilanFrench = map[string]string{
	"management": "pilotage", "design": "conception", "media": "médias", "tutoring": "tutorat", "staff": "personnel", "equipment": "équipement", "services": "prestations", "communication": "communication",
	"certification": "certification", "receipts": "recettes",
}

// inFrench is a name of hours or of the budget; a phase stays as it was written.
func inFrench(name string) string {
	known, phase, found := strings.Cut(name, "/")
	if found {
		return bilanFrench[known] + " / " + phase
	}
	return bilanFrench[known]
}

// given reads name=number pairs; a name begins with one of those that are known.
func (a Ask) given(param string, known []string) (names []string, values []int64, err error) {
	for _, one := range a.list(param) {
		name, value, _ := strings.Cut(one, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		ok := false
		for _, k := range known {
			ok = ok || name == k || strings.HasPrefix(name, k+"/")
		}
		if err != nil || n < 0 || !ok || len(name) > 60 {
			return nil, nil, badParam(param, "Names with whole numbers, as "+known[0]+"=12, of: "+strings.Join(known, ", ")+".")
		}
		names, values = append(names, name), append(values, n)
	}
	return names, values, nil
}

func bilanTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	closed, err := ask.instant("closed_on")
	if err != nil {
		return err
	}
	if closed.IsZero() {
		closed = ask.AsOf
	}
	hours, worked, err := ask.given("hours", bilanFunctions)
	if err != nil {
		return err
	}
	posts, amounts, err := ask.given("budget", bilanBudget)
	if err != nil {
		return err
	}
	f.Basis = "current"
	question := journey.Question{SessionID: s.ID, AsOf: ask.AsOf, KnownAt: ask.KnownAt, Week1Rule: "none"}
	n, err := journey.CountsTx(ctx, tx, question) // its diligent are those who did the first exercise of week 2
	if err != nil {
		return err
	}
	atClose, err := journey.CountsTx(ctx, tx, journey.Question{SessionID: s.ID, AsOf: closed, KnownAt: ask.KnownAt})
	if err != nil {
		return err
	}
	week1, err := journey.SetsTx(ctx, tx, []string{s.ID}, journey.Week1First, "current", ask.AsOf, ask.KnownAt)
	if err != nil {
		return err
	}
	members, err := journey.MembersTx(ctx, tx, question)
	if err != nil {
		return err
	}
	var repeaters int64
	if err := tx.Get(ctx, &repeaters, q.Q("Repeaters"), array(members), given(ask.KnownAt)); err != nil {
		return err
	}
	question.Enrolments = []string{}
	if err := tx.Select(ctx, &question.Enrolments, q.Q("DidAll"), s.ID, array(members), given(ask.AsOf), given(ask.KnownAt)); err != nil {
		return err
	}
	all, err := journey.CountsTx(ctx, tx, question)
	if err != nil {
		return err
	}
	own := Cell{}
	if cohort := ask.Params["own_cohort"]; cohort != "" {
		if question.Enrolments, err = gradebook.CohortTx(ctx, tx, s.ID, cohort, ask.AsOf, ask.KnownAt); err != nil {
			return err
		}
		of, err := journey.CountsTx(ctx, tx, question)
		if err != nil {
			return err
		}
		own = countCell(of.Enrolled)
	}
	f.base("enrolled", "enrolled when attestations are generated", "inscrits à la génération des attestations", n.Enrolled)
	f.Columns = []Column{col("code", Text, "Code", "Code"), col("what", Text, "What", "Intitulé"), col("number", Count, "Number", "Nombre"), col("rate", Share, "Rate", "Taux"), col("target", Count, "Target", "Cible"), col("amount", Amount, "Amount", "Montant")}
	f.Charts = []Chart{{Kind: "bars", Y: "what", Values: []string{"rate"}}}
	add := func(code, en, fr string, number, share, target Cell) {
		f.Rows = append(f.Rows, Row{Cells: []Cell{textCell(code), saidCell(strings.ToLower(code), en, fr), number, share, target, {}}})
	}
	none, c1 := Cell{}, week1.In(1)
	without, attested := all.Enrolled-all.Succeeded, n.Succeeded
	add("A1", "Enrolled when attestations are generated", "Inscrits à la génération des attestations", countCell(n.Enrolled), none, countCell(20000))
	add("A2", "Enrolled when evaluations close", "Inscrits à la clôture des évaluations", countCell(atClose.Enrolled), none, none)
	add("A3", "of them own students", "dont étudiants de l’établissement", own, none, none)
	add("A4", "Repeaters: enrolled in an earlier session before", "Redoublants : déjà inscrits à une session antérieure", countCell(repeaters), none, none)
	add("ACT", "Active: did a scored exercise", "Actifs : ont fait un exercice noté", countCell(n.Started), none, countCell(7000))
	add("C1", "Did the first exercise of week 1", "Ont fait le premier exercice de la semaine 1", countCell(c1), none, none)
	add("C2", "Did the first exercise of week 2", "Ont fait le premier exercice de la semaine 2", countCell(n.Diligent), none, none)
	add("E1", "Did all evaluations, without attestation", "Ont fait toutes les évaluations, sans attestation", countCell(without), none, none)
	add("E2", "Attested", "Attestés", countCell(attested), none, countCell(2000))
	add("E3", "E1 + E2", "E1 + E2", countCell(without+attested), none, none)
	add("E4", "Certified", "Certifiés", countCell(n.Certified), none, none)
	add("E5", "Attested, of the enrolled (E2 / A1)", "Attestés, des inscrits (E2 / A1)", none, shareCell(attested, n.Enrolled), none)
	add("E6", "Week 1, of the enrolled (C1 / A1)", "Semaine 1, des inscrits (C1 / A1)", none, shareCell(c1, n.Enrolled), none)
	add("E7", "Week 2, of the enrolled (C2 / A1)", "Semaine 2, des inscrits (C2 / A1)", none, shareCell(n.Diligent, n.Enrolled), none)
	add("E8", "Attested, of week 2 (E2 / C2)", "Attestés, de la semaine 2 (E2 / C2)", none, shareCell(attested, n.Diligent), none)
	add("E9", "Without attestation, of E3 (E1 / E3)", "Sans attestation, de E3 (E1 / E3)", none, shareCell(without, without+attested), none)
	var total int64
	for i, name := range hours {
		total += worked[i]
		add("H", "Hours: "+name, "Heures : "+inFrench(name), countCell(worked[i]), none, none)
	}
	if len(hours) > 1 {
		add("H", "Hours: all", "Heures : total", countCell(total), none, none)
	}
	var spent, received int64
	currency := money.Currency(ask.Params["budget_currency"])
	item := func(en, fr string, minor int64) {
		f.Rows = append(f.Rows, Row{Cells: []Cell{textCell("B"), saidCell("b", en, fr), none, none, none, amountCell(minor, currency)}})
	}
	for i, name := range posts {
		if post, _, _ := strings.Cut(name, "/"); post == "receipts" {
			received += amounts[i]
		} else {
			spent += amounts[i]
		}
		item("Budget: "+name, "Budget : "+inFrench(name), amounts[i])
	}
	if len(posts) > 0 {
		item("Budget: all but receipts", "Budget : total hors recettes", spent)
		item("Balance", "Solde", received-spent)
	}
	return nil
}

// instant reads a parameter that is a time, as a question writes it.
func (a Ask) instant(param string) (time.Time, error) {
	t, err := clock.Instant(a.Params[param])
	if err != nil {
		return t, badParam(param, "A day such as 2018-10-31, or a time such as 2018-10-31T21:00:00Z.")
	}
	return t, nil
}

func wayTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	e, err := enrolment.OneTx(ctx, tx, ask.Params["enrolment"])
	if err != nil {
		return err
	}
	s, err := catalog.GlimpseTx(ctx, tx, e.SessionID, ask.KnownAt)
	if err != nil {
		return err
	}
	f.Open = openAt(tx, s, ask.AsOf)
	var rows []struct {
		At       time.Time  `db:"at"`
		Recorded *time.Time `db:"recorded_at"`
		What     string     `db:"what"`
		Reached  bool       `db:"reached"`
		Value    *int64     `db:"value"`
		Exercise string     `db:"exercise"`
	}
	if err := tx.Select(ctx, &rows, q.Q("WayOf"), e.ID, given(ask.AsOf), given(ask.KnownAt)); err != nil {
		return err
	}
	f.Columns = []Column{
		col("at", Instant, "When", "Quand"), col("what", Text, "What", "Quoi"), col("exercise", Text, "Exercise", "Exercice"), col("score", Tenths, "Score", "Note"), col("reached", Text, "State", "État"),
		col("learnt_at", Instant, "Learnt at", "Appris le"),
	}
	f.Charts = []Chart{{Kind: "bubble", X: "at", Y: "exercise", Values: []string{"score"}}}
	people, err := learnersOfTx(ctx, tx, []string{e.ID})
	if err != nil {
		return err
	}
	f.About = strings.TrimPrefix(people[e.ID].FullName+" · ", " · ") + s.Key
	f.base("steps", "steps in "+s.Key, "pas dans "+s.Key, int64(len(rows)))
	for _, r := range rows {
		row := Row{Cells: []Cell{timeCell(r.At.UTC()), {Text: r.What, Said: stepTitles[r.What]}, textCell(r.Exercise), {}, saidCell("reached", "reached", "atteint"), {}}}
		if r.What == "grade" {
			row.Cells[2] = Cell{Text: r.Exercise, Said: stepTitles[r.What]}
		}
		if !r.Reached {
			row.Cells[4] = saidCell("lost", "no longer", "plus maintenant")
		}
		if r.Value != nil && *r.Value >= 0 {
			ppm, _ := gradebook.GradePPM(*r.Value)
			row.Cells[3] = countCell(int64(ppm) / 1000)
		}
		if r.Recorded != nil {
			row.Cells[5] = timeCell(r.Recorded.UTC())
		}
		f.Rows = append(f.Rows, row)
	}
	return nil
}

var stepTitles = map[string]catalog.Text{
	"enrolled": {EN: "Enrolled", FR: "Inscrit"}, "started": {EN: "Started", FR: "A commencé"}, "week1_first": {EN: "First exercise of week 1", FR: "Premier exercice de la semaine 1"},
	"week1_all": {EN: "All exercises of week 1", FR: "Tous les exercices de la semaine 1"}, "week1_any": {EN: "An exercise of week 1", FR: "Un exercice de la semaine 1"},
	"week2_first": {EN: "First exercise of week 2", FR: "Premier exercice de la semaine 2"}, "succeeded": {EN: "Succeeded", FR: "Réussite"}, "eligible": {EN: "May sit the exam", FR: "Peut passer l’examen"},
	"exam_booked": {EN: "Exam booked", FR: "Examen réservé"}, "exam_sat": {EN: "Exam sat", FR: "Examen passé"}, "exam_passed": {EN: "Exam passed", FR: "Examen réussi"}, "certified": {EN: "Certified", FR: "Certifié"},
	"qualifying": {EN: "Paid formula", FR: "Formule payante"}, "exercise": {EN: "Exercise", FR: "Exercice"}, "grade": {EN: "Global grade", FR: "Note globale"},
}
