package analytics

import (
	"cmp"
	"context"
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
		ID: "skill_gain", Paper: "8", Version: 2, Times: true, Params: []Param{ofSessions, bySkill, forWhom}, answer: gainTx,
		Title: catalog.Text{EN: "Skill gain", FR: "Gain de compétence"},
		Says: catalog.Text{
			EN: "The mean of what learners said of their skills before and after each session, 0 to 10, and the mean gain: after − before of the same learner and skill. Beside each session, whom it is for: what it says itself, or the level of its course. Pairs alone; an answer without its other half is left out and counted. The interval is that of learners, however many skills each was asked for.",
			FR: "La moyenne de ce que les apprenants ont dit de leurs compétences avant et après chaque session, de 0 à 10, et le gain moyen : après − avant du même apprenant pour la même compétence. À côté de chaque session, à qui elle s’adresse : ce qu’elle en dit, ou le niveau de son cours. Seulement les paires ; une réponse sans l’autre est laissée de côté et comptée. L’intervalle est celui des apprenants, quel que soit le nombre de compétences demandées.",
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

// askedAs is what a question was called when it was last published.
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
	return textCell(cmp.Or(part, code))
}

// place is where a question or a choice stands among the others.
func (t titles) place(session, code, part string) int {
	return slices.IndexFunc(t, func(a askedAs) bool { return a.SessionID == session && a.Code == code && a.Part == part })
}

func few(n int64) bool { return n > 0 && n < disclosure.Least }

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
	ids := idsOf(sessions)
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
	kept, partner, said := false, ask.forPartner(), int64(0)
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
			if partner && few(n) {
				kept = true
				continue
			}
			said += n
			open := openAt(tx, s, ask.AsOf)
			f.Open = f.Open || open
			row := Row{Open: open, Cells: []Cell{textCell(s.Key), called.cell(s.ID, mine[0].Question, ""), countCell(n), {Points: meanOf(values)}, {}, {}, {}, {}}}
			if mine[0].Kind == "recommend" {
				if partner && slices.ContainsFunc(third[:], few) {
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
	kept, partner := false, ask.forPartner()
	for i := 0; i < len(all); {
		from := i
		for i++; i < len(all) && all[i].Moment == all[from].Moment && all[i].Question == all[from].Question; i++ {
		}
		mine := all[from:i]
		if partner && slices.ContainsFunc(mine, func(a answered) bool { return few(a.Learners) || few(a.Of-a.Learners) }) {
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
