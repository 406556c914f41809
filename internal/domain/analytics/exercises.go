package analytics

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

func exerciseFigures() []Definition {
	return []Definition{{
		ID: "exercise_quality", Paper: "2", Version: 1, Times: true, Params: []Param{ofSession}, answer: qualityTx,
		Title: catalog.Text{EN: "Progress and quality of results", FR: "Progression et qualité des résultats"},
		Says: catalog.Text{
			EN: "For each exercise, the learners who did it by the last score they had: up to 0.25, up to 0.5, up to 0.75, above. Each bound belongs to the lower band. The shares are of those who did the exercise; everybody who ever did it counts.",
			FR: "Pour chaque exercice, les apprenants qui l’ont fait selon leur dernière note : jusqu’à 0,25, jusqu’à 0,5, jusqu’à 0,75, au-dessus. Chaque borne appartient à la tranche inférieure. Les parts sont de ceux qui ont fait l’exercice ; quiconque l’a fait un jour compte.",
		},
	}, {
		ID: "temporal_progression", Paper: "3", Version: 2, Times: true, Params: []Param{ofSession, byMode}, answer: progressionTx,
		Title: catalog.Text{EN: "Temporal progression", FR: "Progression temporelle"},
		Says: catalog.Text{
			EN: "For each exercise and each collection of grades, the learners whose score first appeared in that collection, or last changed in it. The total of an exercise is of all who did it: that of the first exercise of week 2 are, by the rule of week 1, the diligent ones. The last line is of who succeeded by the global grade. The shares are of all who were ever enrolled, and of all who ever started.",
			FR: "Pour chaque exercice et chaque relevé de notes, les apprenants dont la note y est apparue pour la première fois, ou y a changé pour la dernière fois. Le total d’un exercice est de tous ceux qui l’ont fait : ceux du premier exercice de la semaine 2 sont, par la règle de la semaine 1, les assidus. La dernière ligne est de ceux qui ont réussi par la note globale. Les parts sont de tous ceux qui ont été inscrits un jour, et de tous ceux qui ont commencé un jour.",
		},
	}}
}

// Bands of scores, each with its upper bound.
var bands = [4][3]string{
	{"to_025", "0 to 0.25", "0 à 0,25"}, {"to_050", "0.25 to 0.5", "0,25 à 0,5"}, {"to_075", "0.5 to 0.75", "0,5 à 0,75"}, {"above_075", "above 0.75", "plus de 0,75"},
}

// didTx asks what became of the exercises of the session that the figure is of, and how many ever were enrolled and started. The exercises are in
// the order of the weeks; those that the map of the session does not name come last, as the reports have them.
func (f *Figure) didTx(ctx context.Context, tx *postgres.Tx) (ever journey.Counts, did []gradebook.Did, weeks map[string]int, err error) {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return ever, nil, nil, err
	}
	f.Basis = "ever"
	if ever, err = journey.CountsTx(ctx, tx, journey.Question{SessionID: s.ID, AsOf: f.Ask.AsOf, KnownAt: f.Ask.KnownAt, Basis: f.Basis}); err != nil {
		return ever, nil, nil, err
	}
	if did, err = gradebook.ProgressionTx(ctx, tx, s.ID, f.Ask.AsOf, f.Ask.KnownAt); err != nil {
		return ever, nil, nil, err
	}
	weeks, err = catalog.WeeksTx(ctx, tx, s.ID, f.Ask.KnownAt)
	late := func(d gradebook.Did) int {
		if w := weeks[d.Label]; w > 0 {
			return w
		}
		return 1 << 20
	}
	slices.SortStableFunc(did, func(a, b gradebook.Did) int { return late(a) - late(b) })
	return ever, did, weeks, err
}

func qualityTx(ctx context.Context, tx *postgres.Tx, _ Ask, f *Figure) error {
	ever, did, weeks, err := f.didTx(ctx, tx)
	if err != nil {
		return err
	}
	f.base("started", "started (ever)", "ont commencé (un jour)", ever.Started)
	f.Columns = []Column{col("exercise", Text, "Exercise", "Exercice"), col("week", Count, "Week", "Semaine"), col("done", Count, "Did it", "L’ont fait"), col("of_started", Share, "Of those who started", "De ceux qui ont commencé")}
	for _, b := range bands {
		f.Columns = append(f.Columns, col(b[0], Share, b[1], b[2]))
	}
	f.Charts = []Chart{{Kind: "stack", Y: "exercise", Values: []string{"to_025", "to_050", "to_075", "above_075"}}}
	for i := 0; i < len(did); {
		one, n, total := did[i], [4]int64{}, int64(0)
		for ; i < len(did) && did[i].ColumnID == one.ColumnID; i++ {
			for b, learners := range did[i].Bands {
				n[b] += learners
				total += learners
			}
		}
		if total == 0 {
			continue
		}
		row := Row{Cells: []Cell{textCell(labelOf(one.Label, one.Occurrence)), weekCell(weeks[one.Label]), countCell(total), shareCell(total, ever.Started)}}
		for b, learners := range n {
			cell := shareCell(learners, total)
			if learners > 0 {
				cell.Who = f.who(one, bands[b][0], time.Time{})
			}
			row.Cells = append(row.Cells, cell)
		}
		f.Rows = append(f.Rows, row)
	}
	return nil
}

// who asks for the learners behind a number of an exercise.
func (f *Figure) who(d gradebook.Did, band string, at time.Time) *WhoDid {
	return &WhoDid{
		Session: f.Ask.Params["session"], Exercise: labelOf(d.Label, d.Occurrence), CollectedAt: at, Mode: f.Ask.Params["mode"], Band: band, AsOf: f.Ask.AsOf, KnownAt: f.Ask.KnownAt,
	}
}

func weekCell(week int) Cell {
	if week == 0 {
		return Cell{}
	}
	return countCell(int64(week))
}

func progressionTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	ever, did, weeks, err := f.didTx(ctx, tx)
	if err != nil {
		return err
	}
	f.base("enrolled", "enrolled (ever)", "inscrits (un jour)", ever.Enrolled)
	f.base("started", "active: started (ever)", "actifs : ont commencé (un jour)", ever.Started)
	f.Columns = []Column{
		col("exercise", Text, "Exercise", "Exercice"), col("week", Count, "Week", "Semaine"), col("collected_at", Instant, "Collection", "Relevé"), col("learners", Count, "Learners", "Apprenants"),
		col("of_enrolled", Share, "Of the enrolled", "Des inscrits"), col("of_active", Share, "Of the active", "Des actifs"),
	}
	f.Charts = []Chart{{Kind: "bubble", X: "collected_at", Y: "exercise", Values: []string{"learners"}, Hover: []string{"of_enrolled", "of_active"}, Pivot: true}}
	row := func(exercise, week, at Cell, n int64, who *WhoDid) Row {
		learners := countCell(n)
		learners.Who = who
		return Row{Cells: []Cell{exercise, week, at, learners, shareCell(n, ever.Enrolled), shareCell(n, ever.Started)}}
	}
	total := saidCell("total", "Total", "Total")
	for i := 0; i < len(did); {
		one, sum := did[i], int64(0)
		name, week := textCell(labelOf(one.Label, one.Occurrence)), weekCell(weeks[one.Label])
		for ; i < len(did) && did[i].ColumnID == one.ColumnID; i++ {
			n := did[i].FirstDone
			if ask.Params["mode"] == gradebook.LastChange {
				n = did[i].LastChange
			}
			if sum += n; n > 0 {
				f.Rows = append(f.Rows, row(name, week, timeCell(did[i].At), n, f.who(did[i], "", did[i].At)))
			}
		}
		if sum > 0 {
			all := row(name, week, total, sum, f.who(one, "", time.Time{}))
			all.Summary = true
			f.Rows = append(f.Rows, all)
		}
	}
	if len(f.Rows) > 0 {
		var who *WhoDid
		if ever.Succeeded > 0 {
			who = &WhoDid{Session: ask.Params["session"], Stage: string(journey.Succeeded), AsOf: ask.AsOf, KnownAt: ask.KnownAt}
		}
		all := row(saidCell("succeeded", "Succeeded (grade)", "Réussite (note)"), Cell{}, total, ever.Succeeded, who)
		all.Summary = true
		f.Rows = append(f.Rows, all)
	}
	return nil
}

// WhoDid asks who stands behind a bubble of the temporal progression, or a band of the quality of results; or, where it names one, who is on a
// list that makes certificates.
type WhoDid struct {
	List, Of      string // of WhoIsListed
	Session       string // id or key
	Exercise      string // as the figures name it; empty with a Stage
	Stage         string // journey.Succeeded: whoever succeeded by the global grade
	CollectedAt   time.Time
	Mode          string // gradebook.FirstDone (default) or LastChange
	Band          string // as the figure names its columns, or empty
	AsOf, KnownAt time.Time
}

// Listed is the question for a list, where it names one.
func (w WhoDid) Listed() WhoIsListed {
	return WhoIsListed{List: w.List, Session: w.Session, Of: w.Of, AsOf: w.AsOf, KnownAt: w.KnownAt}
}

// Doer is a learner who did an exercise; of a stage, one who reached it, since when, and with which grade.
type Doer struct {
	EnrolmentID string    `json:"enrolment_id"`
	LearnerID   string    `json:"learner_id"`
	Name        string    `json:"name"`
	FirstAt     time.Time `json:"first_done_at"`
	LastAt      time.Time `json:"last_change_at"`
	ScorePPM    int       `json:"score_ppm"` // the last score
}

// DoersTx lists the learners, a page at a time. Errors: catalog.ErrNoSession, gradebook.ErrNoExercise, and a fault of input where neither or
// both of exercise and stage are given, or a stage that the progression has no line of.
func DoersTx(ctx context.Context, tx *postgres.Tx, w WhoDid, p page.Request) (all []Doer, next string, err error) {
	s, err := catalog.SessionTx(ctx, tx, w.Session)
	if err != nil {
		return nil, "", err
	}
	if w.Stage == "" && w.Exercise == "" {
		return nil, "", badParam("exercise", "An exercise or a stage.")
	}
	if w.Stage != "" {
		return succeededTx(ctx, tx, s, w, p)
	}
	ask := gradebook.Doers{SessionID: s.ID, Label: w.Exercise, CollectedAt: w.CollectedAt, Mode: cmp.Or(w.Mode, gradebook.FirstDone), AsOf: w.AsOf, KnownAt: w.KnownAt}
	for i, b := range bands {
		if w.Band == b[0] {
			ask.Band = &i
		}
	}
	did, next, err := gradebook.DoersTx(ctx, tx, ask, p)
	if label, number, found := cutLast(w.Exercise, " #"); errors.Is(err, gradebook.ErrNoExercise) && found {
		ask.Label, ask.Occurrence = label, number-1
		did, next, err = gradebook.DoersTx(ctx, tx, ask, p)
	}
	if err != nil {
		return nil, "", err
	}
	all, err = namedTx(ctx, tx, did)
	return all, next, err
}

// succeededTx lists whom the last line of the progression counts: everybody of whom it was true at some time up to as_of, as it was known.
func succeededTx(ctx context.Context, tx *postgres.Tx, s catalog.Session, w WhoDid, p page.Request) (all []Doer, next string, err error) {
	if w.Stage != string(journey.Succeeded) {
		return nil, "", badParam("stage", "One of: succeeded.")
	}
	if w.Exercise != "" {
		return nil, "", badParam("stage", "An exercise or a stage, not both.")
	}
	did := []gradebook.Doer{}
	if err := tx.Select(ctx, &did, q.Q("Succeeded"), s.ID, orEnd(w.AsOf), orEnd(w.KnownAt), p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(did) > p.Limit {
		did = did[:p.Limit]
		next = did[p.Limit-1].EnrolmentID
	}
	all, err = namedTx(ctx, tx, did)
	return all, next, err
}

// namedTx says who they are.
func namedTx(ctx context.Context, tx *postgres.Tx, did []gradebook.Doer) ([]Doer, error) {
	ids := make([]string, len(did))
	for i, d := range did {
		ids[i] = d.EnrolmentID
	}
	people, err := learnersOfTx(ctx, tx, ids)
	all := make([]Doer, len(did))
	for i, d := range did {
		who := people[d.EnrolmentID]
		ppm, _ := gradebook.GradePPM(d.Score)
		all[i] = Doer{d.EnrolmentID, who.ID, who.FullName, d.FirstAt.UTC(), d.LastAt.UTC(), ppm}
	}
	return all, err
}

func cutLast(s, sep string) (before string, number int, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, 0, false
	}
	n, err := strconv.ParseUint(s[i+len(sep):], 10, 31)
	return s[:i], int(n), err == nil
}

// learnersOfTx finds the people of enrolments.
func learnersOfTx(ctx context.Context, tx *postgres.Tx, enrolments []string) (map[string]identity.Person, error) {
	var rows []struct {
		EnrolmentID string `db:"id"`
		LearnerID   string `db:"learner_id"`
		Name        string `db:"full_name"`
	}
	err := tx.Select(ctx, &rows, q.Q("Learners"), array(enrolments))
	out := make(map[string]identity.Person, len(rows))
	for _, r := range rows {
		out[r.EnrolmentID] = identity.Person{ID: r.LearnerID, FullName: r.Name}
	}
	return out, err
}
