package analytics

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// The lists of learners whom a word at the right time may bring to a certificate, or whose certificate is in question.
const (
	PaidSilent             = "paid_silent"
	EligibleNotBooked      = "eligible_not_booked"
	BookedNotSat           = "booked_not_sat"
	BehindSchedule         = "behind_schedule"
	AtRisk                 = "at_risk"
	RefundAfterCertificate = "refund_after_certificate"
	StuckInWeek2           = "stuck_in_week_2"
)

// certificateList is one list: what the state of an enrolment must have and must not have, and the stage since whose time she is on it. What
// else its rule asks for (weeks, scores, refunds) is in the statement.
type certificateList struct {
	id          string
	title, says catalog.Text
	has, lacks  int
	since       journey.Stage
	judged      string // for the statement, where it judges for several lists at once; empty: the id
}

// Numbers of the rule of those at risk. They are fixed, so that it works in the first session of a course, and is the same in each.
const (
	idleDays    = 14          // days before the last report without a score that is new or changed
	lastScores  = 3           // of so many exercises the mean is taken
	lowBillions = 500_000_000 // a mean below it is low; in billionths
	riskSigns   = 2           // so many of the three signs put her on the list
)

func certificateLists() []certificateList {
	done := journey.Mask(journey.ExamSat, journey.ExamPassed, journey.Certified)
	studies := journey.Mask(journey.Enrolled, journey.Started, journey.Qualifying)
	return []certificateList{{
		id: PaidSilent, has: journey.Mask(journey.Enrolled, journey.Qualifying), lacks: done | journey.Mask(journey.Started, journey.Succeeded), since: journey.Qualifying,
		title: catalog.Text{EN: "Paid but silent", FR: "Payé mais silencieux"},
		says:  catalog.Text{EN: "a paid formula is in force and no scored exercise is done", FR: "une formule payante est en vigueur et aucun exercice noté n’est fait"},
	}, {
		id: EligibleNotBooked, has: journey.Mask(journey.Enrolled, journey.Eligible), lacks: done | journey.Mask(journey.ExamBooked), since: journey.Eligible,
		title: catalog.Text{EN: "Eligible but not booked", FR: "Éligible sans réservation"},
		says:  catalog.Text{EN: "may sit the exam and has booked no time", FR: "peut passer l’examen et n’a rien réservé"},
	}, {
		id: BookedNotSat, has: journey.Mask(journey.Enrolled, journey.ExamBooked), lacks: done, since: journey.ExamBooked,
		title: catalog.Text{EN: "Booked but not sat", FR: "Réservé sans être passé"},
		says:  catalog.Text{EN: "has booked an exam and has not sat one, missed ones included", FR: "a réservé un examen et n’en a passé aucun, absences comprises"},
	}, {
		id: BehindSchedule, has: studies, lacks: done | journey.Mask(journey.Succeeded), since: journey.Started,
		title: catalog.Text{EN: "Behind schedule", FR: "En retard"},
		says: catalog.Text{
			EN: "paying, started, not succeeded, and in a week that is over none of its scored exercises is done; weeks count from the start of the session (without one, from its first report) to its last report",
			FR: "payant, a commencé, pas de réussite, et dans une semaine terminée aucun de ses exercices notés n’est fait ; les semaines comptent du début de la session (sinon de son premier relevé) à son dernier relevé",
		},
	}, {
		id: AtRisk, has: studies, lacks: done | journey.Mask(journey.Succeeded), since: journey.Started,
		title: catalog.Text{EN: "At risk", FR: "À risque"},
		says: catalog.Text{
			EN: "paying, started, not succeeded, and at least two of three signs: behind schedule; no score new or changed in the 14 days before the last report; the mean of the last three exercises done is below 0.5. Nothing is learnt from earlier sessions, so it works in the first",
			FR: "payant, a commencé, pas de réussite, et au moins deux signes sur trois : en retard ; aucune note nouvelle ou changée dans les 14 jours avant le dernier relevé ; la moyenne des trois derniers exercices faits est sous 0,5. Rien n’est appris de sessions antérieures : elle vaut dès la première",
		},
	}, {
		id: RefundAfterCertificate, since: journey.Certified,
		title: catalog.Text{EN: "Refund after certificate", FR: "Remboursé après certificat"},
		says:  catalog.Text{EN: "money went back, by refund or lost dispute, at or after the time of her first certificate", FR: "de l’argent est reparti, par remboursement ou litige perdu, au moment de son premier certificat ou après"},
	}, {
		id: StuckInWeek2, has: journey.Mask(journey.Enrolled, journey.Week1First), lacks: done | journey.Mask(journey.Week2First, journey.Succeeded), since: journey.Week1First,
		title: catalog.Text{EN: "Stuck in week 2", FR: "Arrêtés en semaine 2"},
		says:  catalog.Text{EN: "did the first exercise of week 1 and not that of week 2, whatever the formula", FR: "a fait le premier exercice de la semaine 1 et non celui de la semaine 2, quelle que soit la formule"},
	}}
}

// stateAlone is true of a list whose rule asks for nothing beside the state of an enrolment.
func (l certificateList) stateAlone() bool {
	return l.id != BehindSchedule && l.id != AtRisk && l.id != RefundAfterCertificate
}

// holds is true of a state with which an enrolment is on the list.
func (l certificateList) holds(reached int) bool {
	return l.stateAlone() && reached&l.has == l.has && reached&l.lacks == 0
}

// ListTitle is what a list is called; empty where there is none.
func ListTitle(id string) (title catalog.Text) {
	for _, l := range certificateLists() {
		if l.id == id {
			title = l.title
		}
	}
	return title
}

func listIDs() (ids []string) {
	for _, l := range certificateLists() {
		ids = append(ids, l.id)
	}
	return ids
}

var (
	maybeSession = Param{ID: "session", Title: catalog.Text{EN: "Session (none: several)", FR: "Session (aucune : plusieurs)"}}
	whichOf      = Param{ID: "of", Title: catalog.Text{EN: "Without a session", FR: "Sans session"}, Of: []string{"open", "all"}, Default: "open"}
)

func listFigures() []Definition {
	says := catalog.Text{
		EN: "Lists of learners whom a word at the right time may bring to a certificate, or whose certificate is in question. Value at stake is the net that was paid of their enrolments: gross − refunds − lost disputes, a line for each currency; the learners of a list are counted in its first line alone. A learner can be on several lists.",
		FR: "Listes d’apprenants qu’un mot au bon moment peut mener au certificat, ou dont le certificat est en question. La valeur en jeu est le net payé de leurs inscriptions : brut − remboursements − litiges perdus, une ligne par devise ; les apprenants d’une liste ne sont comptés que dans sa première ligne. On peut être sur plusieurs listes.",
	}
	for _, l := range certificateLists() {
		says.EN += " " + l.title.EN + ": " + l.says.EN + "."
		says.FR += " " + l.title.FR + " : " + l.says.FR + "."
	}
	return []Definition{{
		ID: "certificate_lists", Version: 2, Times: true, Money: true, Params: []Param{maybeSession, whichOf}, answer: listsTx, Says: says,
		Title: catalog.Text{EN: "Lists that make certificates", FR: "Listes qui mènent au certificat"},
	}, {
		ID: "listed_learners", Version: 1, Times: true, Money: true, Personal: true, answer: listedTx,
		Params: []Param{{ID: "list", Title: catalog.Text{EN: "List", FR: "Liste"}, Required: true, Of: listIDs()}, maybeSession, whichOf},
		Title:  catalog.Text{EN: "Learners on a list", FR: "Apprenants d’une liste"},
		Says: catalog.Text{
			EN: "Who is on one of the lists that make certificates, why, and the money of the enrolment. A line for each currency.",
			FR: "Qui est sur une des listes qui mènent au certificat, pourquoi, et l’argent de l’inscription. Une ligne par devise.",
		},
	}}
}

// listed prepares a figure of lists: who is asked for, and in which sessions.
func (f *Figure) listedTx(ctx context.Context, tx *postgres.Tx) (w WhoIsListed, sessions []string, err error) {
	w = WhoIsListed{List: f.Ask.Params["list"], Session: f.Ask.Params["session"], Of: f.Ask.Params["of"], AsOf: f.Ask.AsOf, KnownAt: f.Ask.KnownAt}
	all, err := w.sessionsTx(ctx, tx)
	if err != nil {
		return w, nil, err
	}
	if w.Session != "" {
		f.Ask.Params["session"] = all[0].Key
	}
	for _, s := range all {
		f.Open = f.Open || openAt(tx, s, f.Ask.AsOf)
	}
	f.Basis = "current"
	return w, idsOf(all), f.demoTx(ctx, tx)
}

var paidColumns = []Column{
	col("gross", Amount, "Paid", "Payé"), col("back", Amount, "Went back", "Reparti"), col("net", Amount, "Value at stake", "Valeur en jeu"),
}

func listsTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	f.Columns = append([]Column{col("list", Text, "List", "Liste"), col("learners", Count, "Learners", "Apprenants"), col("currency", Text, "Currency", "Devise")}, paidColumns...)
	f.Charts = []Chart{{Kind: "bars", Y: "list", Values: []string{"net"}, Facet: "currency"}}
	w, sessions, err := f.listedTx(ctx, tx)
	if err != nil {
		return err
	}
	sizes, on, err := w.sizesTx(ctx, tx, sessions)
	if err != nil {
		return err
	}
	for _, l := range certificateLists() {
		of := sizes[l.id]
		size := countCell(of.learners)
		if of.learners > 0 {
			size.Who = &WhoDid{Session: f.Ask.Params["session"], List: l.id, Of: ask.Params["of"], AsOf: ask.AsOf, KnownAt: ask.KnownAt}
		}
		head := []Cell{{Text: l.id, Said: l.title}, size}
		if len(of.paid) == 0 {
			f.Rows = append(f.Rows, Row{Cells: append(head, make([]Cell, 4)...)})
		}
		for i, c := range slices.Sorted(maps.Keys(of.paid)) {
			if i == 1 { // people are counted once, whatever they paid in: whoever adds up a column finds as many as there are
				head = []Cell{head[0], {Said: catalog.Text{EN: "counted above", FR: "comptés ci-dessus"}}}
			}
			m := of.paid[c]
			f.Rows = append(f.Rows, Row{Cells: append(slices.Clone(head), textCell(string(c)), Cell{Amount: &m.Gross}, Cell{Amount: &m.Back}, Cell{Amount: &m.Net})})
		}
	}
	f.base("listed", "enrolments on some list", "inscriptions sur une liste", on)
	return nil
}

func listedTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	w, sessions, err := f.listedTx(ctx, tx)
	if err != nil {
		return err
	}
	l, err := listOf(w.List)
	if err != nil {
		return err
	}
	all, err := w.allTx(ctx, tx, l, sessions)
	if err != nil {
		return err
	}
	if err := w.moneyTx(ctx, tx, all); err != nil {
		return err
	}
	f.base("listed", "enrolments on the list", "inscriptions sur la liste", int64(len(all)))
	f.Columns = append([]Column{
		col("learner", Text, "Learner", "Apprenant"), col("enrolment", Text, "Enrolment", "Inscription"), col("session", Text, "Session", "Session"), col("since", Instant, "Since", "Depuis"),
		col("why", Text, "Why", "Pourquoi"), col("weeks_missed", Count, "Weeks missed", "Semaines manquées"),
	}, paidColumns...)
	for _, x := range all {
		why := Cell{Text: strings.Join(x.Reasons, " "), Said: x.Why()}
		head := []Cell{textCell(cmp.Or(x.Name, x.LearnerID)), textCell(x.EnrolmentID), textCell(x.Session), timeCell(x.Since), why, countCell(x.WeeksMissed)}
		if len(x.Money) == 0 {
			f.Rows = append(f.Rows, Row{Cells: append(head, make([]Cell, 3)...)})
		}
		for _, m := range x.Money {
			f.Rows = append(f.Rows, Row{Cells: append(slices.Clone(head), Cell{Amount: &m.Gross}, Cell{Amount: &m.Back}, Cell{Amount: &m.Net})})
		}
	}
	return nil
}
