package analytics

import (
	"context"
	"slices"
	"strings"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Dashboard is some figures on one page: those of the house (of nothing), of a session, of a program, or of a partner school.
type Dashboard struct {
	Of, Key  string // Of: house, session, program, partner
	Title    catalog.Text
	Panels   []Panel
	Silent   []string // editions of a program in whose sessions nobody started yet: there is nothing to draw
	Sessions []string // of the house: what there are dashboards of
	Programs []string
	Partners []string
}

// Panel is a figure with what it is asked with.
type Panel struct {
	Figure string
	With   map[string]string
}

// Kinds of dashboards.
const (
	OfHouse   = "house"
	OfSession = "session"
	OfProgram = "program"
	OfPartner = "partner"
)

// DashboardTx says what a dashboard shows at an instant; zero is now. Errors: catalog.ErrNoSession, programs.ErrNoProgram, identity.ErrNoOrganisation.
func DashboardTx(ctx context.Context, tx *postgres.Tx, of, key string, asOf time.Time) (d Dashboard, err error) {
	d = Dashboard{Of: of, Key: key}
	switch of {
	case OfSession:
		s, err := catalog.SessionTx(ctx, tx, key)
		if err != nil {
			return d, err
		}
		with := map[string]string{"session": s.Key}
		d.Key, d.Title = s.Key, s.Title()
		week := map[string]string{"session": s.Key, "since": instantOf(tx, asOf).Add(-7 * 24 * time.Hour).UTC().Format(time.RFC3339)}
		d.Panels = []Panel{{"indicators", with}, {"temporal_progression", with}, {"change", week}, {"certificate_lists", with}, {"low_exercises", with}, {"exercise_quality", with}}
	case OfProgram:
		p, err := programs.ProgramTx(ctx, tx, key)
		if err != nil {
			return d, err
		}
		d.Key, d.Title = p.Key, p.Draft.Title
		if p.Published != nil {
			d.Title = p.Published.Title
		}
		d.Panels = []Panel{{"program_learners", map[string]string{"program": p.Key}}, {"program_earnings", map[string]string{"program": p.Key}}}
		return d, d.sequencesTx(ctx, tx, asOf)
	case OfPartner:
		o, err := identity.OrganisationTx(ctx, tx, key)
		if err != nil {
			return d, err
		}
		d.Title = catalog.Text{EN: o.Name, FR: o.Name}
		d.Panels = []Panel{{"partner_outcomes", map[string]string{"partner": o.Key}}}
	default:
		d.Panels = []Panel{{"comparison", nil}, {"qualifying", nil}, {"certificate_lists", nil}, {"waterfall", nil}, {"partner_share", nil}}
		return d, d.choicesTx(ctx, tx)
	}
	return d, nil
}

// sequencesTx adds, for each edition of a program, how many went from its first session to the next ones; where nobody started, that alone is said.
func (d *Dashboard) sequencesTx(ctx context.Context, tx *postgres.Tx, asOf time.Time) error {
	var rows []struct {
		Edition string `db:"edition"`
		Session string `db:"session"`
		ID      string `db:"session_id"`
	}
	if err := tx.Select(ctx, &rows, q.Q("SessionsOfEditions"), d.Key, false); err != nil {
		return err
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	counts, _, err := journey.CountsAndPayingTx(ctx, tx, journey.Question{AsOf: asOf, Basis: "current", Week1Rule: "first"}, ids...)
	if err != nil {
		return err
	}
	for i := 0; i < len(rows); {
		var sessions []string
		of, started := rows[i].Edition, int64(0)
		for ; i < len(rows) && rows[i].Edition == of; i++ {
			sessions = append(sessions, rows[i].Session)
			started += counts[rows[i].ID].Started
		}
		if len(sessions) > 1 && started == 0 {
			d.Silent = append(d.Silent, of)
		} else if len(sessions) > 1 {
			with := map[string]string{"sessions": strings.Join(sessions, ",")}
			d.Panels = append(d.Panels, Panel{"started_sequence", with})
			if len(sessions) <= mostFlow {
				d.Panels = append(d.Panels, Panel{"sequence_flow", with})
			}
		}
	}
	return nil
}

// choicesTx names what there are dashboards of.
func (d *Dashboard) choicesTx(ctx context.Context, tx *postgres.Tx) error {
	sessions, err := catalog.GlimpsesTx(ctx, tx, time.Time{})
	if err != nil {
		return err
	}
	for _, s := range sessions {
		d.Sessions = append(d.Sessions, s.Key)
	}
	if err := tx.Select(ctx, &d.Programs, q.Q("ProgramKeys")); err != nil {
		return err
	}
	return tx.Select(ctx, &d.Partners, q.Q("PartnerKeys"))
}

func dashboardFigures() []Definition {
	return []Definition{{
		ID: "low_exercises", Version: 1, Times: true, Params: []Param{ofSession}, answer: lowTx,
		Title: catalog.Text{EN: "Exercises with low results", FR: "Exercices aux résultats bas"},
		Says: catalog.Text{
			EN: "The ten exercises of which the largest share of those who did them have a last score up to 0.5, the largest first; only exercises that ten learners or more did.",
			FR: "Les dix exercices dont la plus grande part de ceux qui les ont faits ont une dernière note jusqu’à 0,5, la plus grande d’abord ; seuls les exercices faits par dix apprenants ou plus.",
		},
	}, {
		ID: "program_learners", Version: 1, Times: true, Money: true, answer: programLearnersTx,
		Params: []Param{ofProgram, byBasis},
		Title:  catalog.Text{EN: "Learners of a program", FR: "Apprenants d’un programme"},
		Says: catalog.Text{
			EN: "For each edition of a program its members, each learner once: those who started in one of its sessions, those certified in one, and those certified in every one; the net of the edition and what it came to for each learner, and for each certified in every session. Where an edition took two currencies no amount is divided by people, since who paid in which is not told apart here.",
			FR: "Pour chaque édition d’un programme ses membres, chaque apprenant une fois : ceux qui ont commencé dans une de ses sessions, ceux qui sont certifiés dans une, et ceux qui le sont dans toutes ; le net de l’édition et ce qu’il représente par apprenant, et par certifié de toutes les sessions. Là où une édition a encaissé deux devises, aucun montant n’est divisé par des personnes, puisque qui a payé en laquelle n’est pas distingué ici.",
		},
	}, {
		ID: "program_earnings", Version: 4, Times: true, Money: true, answer: earningsTx,
		Params: []Param{ofProgram, fixedCosts, fixedCurrency, byBasis},
		Title:  catalog.Text{EN: "Does a program earn its cost?", FR: "Un programme couvre-t-il son coût ?"},
		Says: catalog.Text{
			EN: "For each edition of a program, by currency: enrolments, paying and certified ones (a learner has one in each session; what became of learners says the figure of learners of a program), net, fees and costs as far as they are booked, what is left, and how many paying enrolments carry the costs (costs without fees, over the mean net less the mean fees of a paying one, rounded up). The line of all editions carries the fixed costs that are given, too.",
			FR: "Pour chaque édition d’un programme, par devise : inscriptions, payantes et certifiées (un apprenant en a une par session ; ce que sont devenus les apprenants se lit dans la figure des apprenants d’un programme), net, frais et coûts pour autant qu’ils sont comptabilisés, ce qui reste, et combien d’inscriptions payantes portent les coûts (les coûts sans les frais, sur le net moyen moins les frais moyens d’une payante, arrondi vers le haut). La ligne de toutes les éditions porte aussi les coûts fixes donnés.",
		},
	}, {
		ID: "partner_outcomes", Version: 3, Times: true, Money: true, answer: partnerOutcomesTx,
		Params: []Param{{ID: "partner", Title: catalog.Text{EN: "Organisation", FR: "Organisation"}, Required: true}, byBasis, byRule},
		Title:  catalog.Text{EN: "Learners of an organisation", FR: "Apprenants d’une organisation"},
		Says: catalog.Text{
			EN: "For each session, those whom the organisation enrolled, bought a place for or took the money of, by stage, the share that is certified, and their net, as the organisation itself may be told: numbers of one to nine people are kept back, with as many others as it takes that no total, no other stage and no amount gives them away.",
			FR: "Pour chaque session, ceux que l’organisation a inscrits, à qui elle a acheté une place ou dont elle a encaissé l’argent, par étape, la part certifiée, et leur net, tels que l’organisation elle-même peut les connaître : les nombres de une à neuf personnes sont tus, avec autant d’autres qu’il faut pour qu’aucun total, aucune autre étape ni aucun montant ne les trahisse.",
		},
	}}
}

var ofProgram = Param{ID: "program", Title: catalog.Text{EN: "Program", FR: "Programme"}, Required: true}

const (
	mostLow  = 10 // exercises that are shown
	leastLow = 10 // learners who did one that is
)

func lowTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	if err := qualityTx(ctx, tx, ask, f); err != nil {
		return err
	}
	all := f.Rows
	f.Rows, f.Columns = nil, []Column{
		col("exercise", Text, "Exercise", "Exercice"), col("week", Count, "Week", "Semaine"), col("low", Share, "Up to 0.5", "Jusqu’à 0,5"), col("to_025", Share, bands[0][1], bands[0][2]), col("to_050", Share, bands[1][1], bands[1][2]),
	}
	f.Charts = []Chart{{Kind: "bars", Y: "exercise", Values: []string{"low"}}}
	low := func(r Row) (n, of int64) { return r.Cells[4].Rate.Count + r.Cells[5].Rate.Count, *r.Cells[2].Count }
	all = slices.DeleteFunc(all, func(r Row) bool { n, of := low(r); return n == 0 || of < leastLow })
	slices.SortStableFunc(all, func(a, b Row) int {
		an, aof := low(a)
		bn, bof := low(b)
		return int(min(1, max(-1, bn*aof-an*bof)))
	})
	for _, r := range all[:min(len(all), mostLow)] {
		n, of := low(r)
		f.Rows = append(f.Rows, Row{Cells: []Cell{r.Cells[0], r.Cells[1], shareCell(n, of), r.Cells[4], r.Cells[5]}})
	}
	return nil
}

func partnerOutcomesTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	o, err := identity.OrganisationTx(ctx, tx, ask.Params["partner"])
	if err != nil {
		return err
	}
	open, err := f.openSessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	cells, err := f.cubesTx(ctx, tx, "partner", "session")
	if err != nil {
		return err
	}
	f.Columns = slices.Concat([]Column{col("session", Text, "Session", "Session"), col("currency", Text, "Currency", "Devise"), col("enrolled", Count, "Enrolled", "Inscrits"), col("paying", Count, "Paying", "Payants")},
		stageColumns, []Column{col("certified_share", Share, "Certified of the enrolled", "Certifiés des inscrits"), col("net", Amount, "Net", "Net"), col("net_per_certified", Amount, "Net per certified", "Net par certifié")})
	f.Charts = []Chart{{Kind: "bars", Y: "session", Values: []string{"enrolled"}, Facet: "currency"}, {Kind: "bars", Y: "session", Values: []string{"certified_share"}, Facet: "currency"}}
	f.Open = false
	var back []bool
	for _, c := range cells {
		if c.Partner != o.Key {
			continue
		}
		back = append(back, c.Refunds != 0 || c.Disputes != 0)
		who := c.payers()
		row := Row{Open: slices.Contains(open, c.Session), Cells: []Cell{textCell(c.Session), textCell(string(c.Currency)), countCell(who.Enrolled), countCell(who.Paying)}}
		f.Open = f.Open || row.Open
		for _, n := range cubeStages(who.Counts) {
			row.Cells = append(row.Cells, countCell(n))
		}
		row.Cells = append(row.Cells, shareCell(who.Certified, who.Enrolled))
		if c.Currency == "" {
			row.Cells = append(row.Cells, Cell{}, Cell{})
		} else {
			row.Cells = append(row.Cells, amountCell(c.Net(), c.Currency), Cell{Amount: per(money.Of(c.Net(), c.Currency), who.Certified)})
		}
		f.Rows = append(f.Rows, row)
	}
	f.suppress(back...)
	f.base("sessions", "sessions", "sessions", int64(len(f.Rows)))
	return nil
}
