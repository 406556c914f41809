package analytics

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/disclosure"
	"cursus/internal/platform/postgres"
)

var (
	ofSkill = Param{ID: "skill", Title: catalog.Text{EN: "Skill (its code; none: all)", FR: "Compétence (son code ; aucune : toutes)"}}
	bySkill = Param{ID: "by", Title: catalog.Text{EN: "A row for each", FR: "Une ligne pour chaque"}, Of: []string{"session", "skill"}, Default: "session"}
)

func surveyFigures() []Definition {
	return []Definition{{
		ID: "skill_scale", Paper: "5", Version: 1, Times: true, Params: []Param{ofSession, ofSkill, forWhom}, answer: scaleTx,
		Title: catalog.Text{EN: "Skills before and after", FR: "Compétences avant et après"},
		Says: catalog.Text{
			EN: "How learners place themselves from 0 to 10 before and after the session, skill by skill, by the last answers they gave. Who said only one of the two is left out and counted. The gain is the mean of after − before of the same people, from unrounded values, with a 95 % interval by the t distribution.",
			FR: "Où les apprenants se situent de 0 à 10 avant et après la session, compétence par compétence, selon leurs dernières réponses. Qui n’a dit que l’un des deux est laissé de côté et compté. Le gain est la moyenne de après − avant des mêmes personnes, à partir de valeurs non arrondies, avec un intervalle à 95 % selon la loi de Student.",
		},
	}, {
		ID: "skill_gain", Paper: "8", Version: 1, Times: true, Params: []Param{ofSessions, bySkill, forWhom}, answer: gainTx,
		Title: catalog.Text{EN: "Skill gain", FR: "Gain de compétence"},
		Says: catalog.Text{
			EN: "The mean of what learners said of their skills before and after each session, 0 to 10, and the mean gain: after − before of the same learner and skill. Pairs alone; an answer without its other half is left out and counted. The interval is that of learners, however many skills each was asked for.",
			FR: "La moyenne de ce que les apprenants ont dit de leurs compétences avant et après chaque session, de 0 à 10, et le gain moyen : après − avant du même apprenant pour la même compétence. Seulement les paires ; une réponse sans l’autre est laissée de côté et comptée. L’intervalle est celui des apprenants, quel que soit le nombre de compétences demandées.",
		},
	}, {
		ID: "satisfaction", Version: 1, Times: true, Params: []Param{ofSessions, forWhom}, answer: satisfactionTx,
		Title: catalog.Text{EN: "Satisfaction", FR: "Satisfaction"},
		Says: catalog.Text{
			EN: "What learners said of a session on scales of 0 to 10, by the last answers they gave. Of who would recommend it: promoters said 9 or 10, passives 7 or 8, detractors less; the net promoter score is promoters − detractors in points of a hundred.",
			FR: "Ce que les apprenants ont dit d’une session sur des échelles de 0 à 10, selon leurs dernières réponses. De qui la recommanderait : les promoteurs ont dit 9 ou 10, les passifs 7 ou 8, les détracteurs moins ; le score net est promoteurs − détracteurs en points sur cent.",
		},
	}, {
		ID: "questionnaire_answers", Version: 1, Times: true, Params: []Param{ofSession, forWhom}, answer: choicesTx,
		Title: catalog.Text{EN: "Answers to the questionnaires", FR: "Réponses aux questionnaires"},
		Says: catalog.Text{
			EN: "For each question with choices, who chose what, of those who answered the question, by the last answers they gave. Where several could be chosen the shares add up to more than the whole.",
			FR: "Pour chaque question à choix, qui a choisi quoi, de ceux qui ont répondu à la question, selon leurs dernières réponses. Là où l’on pouvait choisir plusieurs réponses, les parts dépassent le tout.",
		},
	}}
}

// pairs are learners who said alike of how well they mastered Values skills before and after.
type pairs struct {
	SessionID string `db:"session_id"`
	Question  string `db:"question"` // empty: of all skills
	Values    int64  `db:"pairs"`
	Before    int64  `db:"before"`
	After     int64  `db:"after"`
	Learners  int64  `db:"learners"`
}

// asked is what a question was called when it was last published.
type askedAs struct {
	SessionID string `db:"session_id"`
	Moment    string `db:"moment"`
	Code      string `db:"code"`
	Part      string `db:"part"` // the code of a choice, or empty
	EN        string `db:"en"`
	FR        string `db:"fr"`
	Place     int    `db:"place"`
}

func (a askedAs) cell() Cell { return Cell{Text: a.Code, Said: catalog.Text{EN: a.EN, FR: a.FR}} }

// titles are the words of questions and choices.
type titles []askedAs

func titlesTx(ctx context.Context, tx *postgres.Tx, knownAt time.Time, ids ...string) (t titles, err error) {
	err = tx.Select(ctx, &t, q.Q("Titles"), array(ids), given(knownAt))
	return t, err
}

func (t titles) cell(session, code, part string) Cell {
	if i := slices.IndexFunc(t, func(a askedAs) bool { return a.SessionID == session && a.Code == code && a.Part == part }); i >= 0 {
		if c := t[i].cell(); c.Said != (catalog.Text{}) {
			if part != "" {
				c.Text = part
			}
			return c
		}
	}
	return textCell(first(part, code))
}

// place is where a question or a choice stands among the others.
func (t titles) place(session, code, part string) int {
	return slices.IndexFunc(t, func(a askedAs) bool { return a.SessionID == session && a.Code == code && a.Part == part })
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// three are the means of before, after and gain.
func three(all []pairs) (before, after, gain Cell, people int64) {
	var b, a, g []sample
	for _, p := range all {
		b, a, g = append(b, sample{p.Learners, p.Values, p.Before}), append(a, sample{p.Learners, p.Values, p.After}), append(g, sample{p.Learners, p.Values, p.After - p.Before})
		people += p.Learners
	}
	return Cell{Points: meanOf(b)}, Cell{Points: meanOf(a)}, Cell{Points: meanOf(g)}, people
}

// pairsTx asks what learners said of their skills, of each skill or of all together, and how many answers have no other half.
func (f *Figure) pairsTx(ctx context.Context, tx *postgres.Tx, each bool, sessions ...string) (all []pairs, unpaired map[string]int64, err error) {
	if err = tx.Select(ctx, &all, q.Q("SkillPairs"), array(sessions), given(f.Ask.AsOf), given(f.Ask.KnownAt), each); err != nil {
		return nil, nil, err
	}
	unpaired = map[string]int64{}
	for _, p := range all {
		if p.Values == 0 {
			unpaired[p.SessionID+" "+p.Question] += p.Learners
		}
	}
	return slices.DeleteFunc(all, func(p pairs) bool { return p.Values == 0 }), unpaired, nil
}

func scaleTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	all, unpaired, err := f.pairsTx(ctx, tx, true, s.ID)
	if err != nil {
		return err
	}
	called, err := titlesTx(ctx, tx, ask.KnownAt, s.ID)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("skill", Text, "Skill", "Compétence"), col("value", Text, "Scale", "Échelle"), col("before", Count, "Before", "Avant"), col("after", Count, "After", "Après"),
		col("mean_before", Points, "Mean before", "Moyenne avant"), col("mean_after", Points, "Mean after", "Moyenne après"), col("gain", Points, "Gain", "Gain"),
	}
	f.Charts = []Chart{{Kind: "columns", X: "value", Values: []string{"before", "after"}, Facet: "skill"}}
	skills := []string{}
	for _, p := range all {
		if !slices.Contains(skills, p.Question) && (ask.Params["skill"] == "" || ask.Params["skill"] == p.Question) {
			skills = append(skills, p.Question)
		}
	}
	slices.SortStableFunc(skills, func(a, b string) int { return called.place(s.ID, a, "") - called.place(s.ID, b, "") })
	kept := false
	for _, skill := range skills {
		mine := slices.DeleteFunc(slices.Clone(all), func(p pairs) bool { return p.Question != skill })
		before, after, gain, n := three(mine)
		var bars [2][11]int64
		for _, p := range mine {
			bars[0][p.Before] += p.Learners
			bars[1][p.After] += p.Learners
		}
		if ask.Params["audience"] == "partner" && few(n) {
			kept = true
			continue
		}
		f.base("paired_"+skill, called.cell(s.ID, skill, "").in("en")+": before and after", called.cell(s.ID, skill, "").in("fr")+" : avant et après", n)
		if u := unpaired[s.ID+" "+skill]; ask.Params["audience"] != "partner" {
			f.base("unpaired_"+skill, "only one of both", "l’un des deux seulement", u)
		}
		if ask.Params["audience"] == "partner" && tells(bars) { // with the means, counts that are kept back could be worked out
			kept = true
		} else {
			for v := range bars[0] {
				f.Rows = append(f.Rows, Row{Cells: []Cell{called.cell(s.ID, skill, ""), textCell(fmt.Sprint(v)), countCell(bars[0][v]), countCell(bars[1][v]), {}, {}, {}}})
			}
		}
		f.Rows = append(f.Rows, Row{Summary: true, Cells: []Cell{called.cell(s.ID, skill, ""), saidCell("mean", "Mean", "Moyenne"), {}, {}, before, after, gain}})
	}
	f.keptBack(kept)
	return nil
}

func few(n int64) bool { return n > 0 && n < disclosure.Least }

func tells(bars [2][11]int64) bool {
	return slices.ContainsFunc(bars[0][:], few) || slices.ContainsFunc(bars[1][:], few)
}

// in is what a cell says in a language.
func (c Cell) in(lang string) string {
	if c.Said != (catalog.Text{}) {
		return c.Said.In(lang)
	}
	return c.Text
}

func (f *Figure) keptBack(kept bool) {
	if kept {
		f.note("For a partner: what fewer than ten people said is kept back, with whatever would give it away.", "Pour un partenaire : ce que moins de dix personnes ont dit est retenu, avec tout ce qui le livrerait.")
	}
}

func gainTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	ids := make([]string, len(sessions))
	for i, s := range sessions {
		ids[i] = s.ID
	}
	each := ask.Params["by"] == "skill"
	all, unpaired, err := f.pairsTx(ctx, tx, each, ids...)
	if err != nil {
		return err
	}
	called, err := titlesTx(ctx, tx, ask.KnownAt, ids...)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("session", Text, "Session", "Session"), col("skill", Text, "Skill", "Compétence"), col("learners", Count, "Learners", "Apprenants"), col("unpaired", Count, "Answers left out", "Réponses laissées de côté"),
		col("before", Points, "Before", "Avant"), col("after", Points, "After", "Après"), col("gain", Points, "Gain", "Gain"),
	}
	f.Charts = []Chart{{Kind: "dumbbell", Y: "session", Values: []string{"before", "after"}, Hover: []string{"gain"}}}
	if each {
		f.Charts[0].Facet = "skill"
	}
	var pooled []pairs
	var plain [3][]int64
	kept := false
	for _, s := range sessions {
		var skills []string
		for _, p := range all {
			if p.SessionID == s.ID && !slices.Contains(skills, p.Question) {
				skills = append(skills, p.Question)
			}
		}
		slices.SortStableFunc(skills, func(a, b string) int { return called.place(s.ID, a, "") - called.place(s.ID, b, "") })
		for _, skill := range skills {
			mine := slices.DeleteFunc(slices.Clone(all), func(p pairs) bool { return p.SessionID != s.ID || p.Question != skill })
			before, after, gain, n := three(mine)
			if ask.Params["audience"] == "partner" && few(n) {
				kept = true
				continue
			}
			name, left := saidCell("all", "all", "toutes"), countCell(unpaired[s.ID+" "+skill])
			if each {
				name = called.cell(s.ID, skill, "")
			}
			if ask.Params["audience"] == "partner" {
				left = Cell{}
			}
			open := openAt(tx, s, ask.AsOf)
			f.Open = f.Open || open
			f.Rows = append(f.Rows, Row{Open: open, Cells: []Cell{textCell(s.Key), name, countCell(n), left, before, after, gain}})
			pooled = append(pooled, mine...)
			for i, c := range []Cell{before, after, gain} {
				plain[i] = append(plain[i], c.Points.Hundredths)
			}
		}
	}
	f.keptBack(kept)
	if len(f.Rows) == 0 || each || kept { // one row alone that is kept back would come out of the mean of all
		return nil
	}
	before, after, gain, n := three(pooled)
	f.base("learners", "learners who said both", "apprenants qui ont dit les deux", n)
	means := Row{Summary: true, Cells: []Cell{saidCell("plain_mean", "Plain mean", "Moyenne simple"), {}, {}, {}, {}, {}, {}}}
	for i, list := range plain {
		var sum int64
		for _, h := range list {
			sum += h
		}
		means.Cells[4+i] = Cell{Points: &Mean{Hundredths: halfUp(sum, int64(len(list))), N: int64(len(list))}}
	}
	f.Rows = append(f.Rows, means, Row{Summary: true, Cells: []Cell{saidCell("weighted_mean", "Weighted mean", "Moyenne pondérée"), {}, countCell(n), {}, before, after, gain}})
	f.note("The plain mean is that of the sessions, and its n is how many they are.", "La moyenne simple est celle des sessions, et son n est leur nombre.")
	return nil
}

// answered is how many said a value of a scale, or chose something.
type answered struct {
	SessionID string `db:"session_id"`
	Moment    string `db:"moment"`
	Question  string `db:"question"`
	Kind      string `db:"kind"`
	Part      string `db:"part"`
	Value     int64  `db:"value"`
	Learners  int64  `db:"learners"`
	Of        int64  `db:"answered"` // who answered the question
}

func (f *Figure) answersTx(ctx context.Context, tx *postgres.Tx, kinds []string, sessions ...string) (all []answered, err error) {
	err = tx.Select(ctx, &all, q.Q("Answers"), array(sessions), given(f.Ask.AsOf), given(f.Ask.KnownAt), array(kinds))
	return all, err
}

func satisfactionTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	ids := make([]string, len(sessions))
	for i, s := range sessions {
		ids[i] = s.ID
	}
	all, err := f.answersTx(ctx, tx, []string{"satisfaction", "recommend"}, ids...)
	if err != nil {
		return err
	}
	called, err := titlesTx(ctx, tx, ask.KnownAt, ids...)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("session", Text, "Session", "Session"), col("question", Text, "Question", "Question"), col("answers", Count, "Answers", "Réponses"), col("mean", Points, "Mean", "Moyenne"),
		col("promoters", Share, "Promoters", "Promoteurs"), col("passives", Share, "Passives", "Passifs"), col("detractors", Share, "Detractors", "Détracteurs"), col("net", Count, "Net promoter score", "Score net de recommandation"),
	}
	f.Charts = []Chart{{Kind: "bars", Y: "session", Values: []string{"mean"}, Facet: "question"}}
	kept, said := false, int64(0)
	for _, s := range sessions {
		for i := 0; i < len(all); {
			from := i
			for i++; i < len(all) && all[i].SessionID == all[from].SessionID && all[i].Moment == all[from].Moment && all[i].Question == all[from].Question; i++ {
			}
			mine := all[from:i]
			if mine[0].SessionID != s.ID {
				continue
			}
			var values []sample
			var third [3]int64 // detractors, passives, promoters
			for _, a := range mine {
				values = append(values, sample{a.Learners, 1, a.Value})
				third[max(0, min(2, (a.Value-5)/2))] += a.Learners
			}
			n := mine[0].Of
			if ask.Params["audience"] == "partner" && few(n) {
				kept = true
				continue
			}
			said += n
			open := openAt(tx, s, ask.AsOf)
			f.Open = f.Open || open
			row := Row{Open: open, Cells: []Cell{textCell(s.Key), called.cell(s.ID, mine[0].Question, ""), countCell(n), {Points: meanOf(values)}, {}, {}, {}, {}}}
			if mine[0].Kind == "recommend" {
				if ask.Params["audience"] == "partner" && slices.ContainsFunc(third[:], few) {
					kept = true
				} else {
					row.Cells[4], row.Cells[5], row.Cells[6] = shareCell(third[2], n), shareCell(third[1], n), shareCell(third[0], n)
					row.Cells[7] = countCell(halfUp(100*(third[2]-third[0]), n))
				}
			}
			f.Rows = append(f.Rows, row)
		}
	}
	f.base("answers", "answers", "réponses", said)
	f.keptBack(kept)
	return nil
}

func choicesTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	all, err := f.answersTx(ctx, tx, []string{"single", "multiple"}, s.ID)
	if err != nil {
		return err
	}
	called, err := titlesTx(ctx, tx, ask.KnownAt, s.ID)
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b answered) int {
		if a.Question != b.Question || a.Moment != b.Moment {
			return 0
		}
		return called.place(s.ID, a.Question, a.Part) - called.place(s.ID, b.Question, b.Part)
	})
	f.Columns = []Column{
		col("questionnaire", Text, "Questionnaire", "Questionnaire"), col("question", Text, "Question", "Question"), col("choice", Text, "Choice", "Choix"), col("learners", Share, "Of who answered", "De qui a répondu"),
	}
	f.Charts = []Chart{{Kind: "bars", Y: "choice", Values: []string{"learners"}, Facet: "question"}}
	kept := false
	for i := 0; i < len(all); {
		from := i
		for i++; i < len(all) && all[i].Moment == all[from].Moment && all[i].Question == all[from].Question; i++ {
		}
		mine := all[from:i]
		if ask.Params["audience"] == "partner" && slices.ContainsFunc(mine, func(a answered) bool { return few(a.Learners) || few(a.Of-a.Learners) }) {
			kept = true
			continue
		}
		moment := saidCell("opening", "Before the session", "Avant la session")
		if mine[0].Moment == "closing" {
			moment = saidCell("closing", "After the session", "Après la session")
		}
		for _, a := range mine {
			f.Rows = append(f.Rows, Row{Cells: []Cell{moment, called.cell(s.ID, a.Question, ""), called.cell(s.ID, a.Question, a.Part), shareCell(a.Learners, a.Of)}})
		}
	}
	f.base("questions", "rows", "lignes", int64(len(f.Rows)))
	f.keptBack(kept)
	return nil
}
