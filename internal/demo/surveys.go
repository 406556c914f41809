package demo

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/surveys"
	"cursus/internal/platform/postgres"
)

// opinion is what the learners of a session said of their skills: the means of Figure 8 in hundredths, over three skills. Of PRD-8 the second skill
// is that of Figure 5.
type opinion struct{ before, after int }

var opinions = map[string]opinion{
	"PRD-6": {392, 630}, "PRD-7": {391, 562}, "PRD-8": {417, 595}, "RO-1": {553, 755}, "FTTH-1": {268, 803}, "PROPAG-1": {535, 803}, "SR-1": {461, 672}, "SR-2": {454, 684}, "LAN-1": {543, 724},
}

// sums are those of the answers to three skills of so many learners.
func (o opinion) sums(key string) (people int, before, after [3]int) {
	if key == "PRD-8" { // 1081 and 1482 of 220 are 4.91 and 6.74, and their difference is 1.82
		return 220, [3]int{835, 1081, 836}, [3]int{1222, 1482, 1223}
	}
	return 100, [3]int{o.before + 30, o.before, o.before - 30}, [3]int{o.after + 20, o.after, o.after - 20}
}

// spread makes n whole numbers from 0 to 10 with a sum: even at first, then some give to others.
func spread(r *rand.Rand, n, sum int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = sum*(i+1)/n - sum*i/n
	}
	for range 3 * n {
		from, to := r.IntN(n), r.IntN(n)
		if all[from] > 0 && all[to] < surveys.Scale && all[to]-all[from] < 5 {
			all[from]--
			all[to]++
		}
	}
	return all
}

// answersOf is what LimeSurvey or Open edX would have collected after a session.
func (o opinion) answersOf(s session, list []learner) []byte {
	r := rand.New(rand.NewPCG(uint64(s.number), uint64(o.after))) //nolint:gosec // made-up answers are no secret
	people, before, after := o.sums(s.key)
	var b bytes.Buffer
	b.WriteString("User ID,s1_before,s1_after,s2_before,s2_after,s3_before,s3_after,recommend,satisfied\n")
	var columns [][]int
	for i := range before {
		columns = append(columns, spread(r, people, before[i]), spread(r, people, after[i]))
	}
	for i := range people {
		fmt.Fprint(&b, list[i].number)
		for _, c := range columns {
			fmt.Fprintf(&b, ",%d", c[i])
		}
		fmt.Fprintf(&b, ",%d,%d\n", 10-min(r.IntN(6), r.IntN(11)), 10-min(r.IntN(5), r.IntN(11)))
	}
	return b.Bytes()
}

// forumOf is an export of a forum in which few write: questions, some of which nobody answers, by week and cohort.
func forumOf(s session, list []learner) []byte {
	r := rand.New(rand.NewPCG(uint64(s.number), 7)) //nolint:gosec // made-up posts are no secret
	var b bytes.Buffer
	b.WriteString("id,thread_id,author_id,created_at,cohort,type,answered\n")
	for i := range 60 {
		asks, at := list[r.IntN(s.started/12)], s.starts.Add(time.Duration(i*20+r.IntN(18))*time.Hour)
		cohort := func(l learner) string {
			if l.buyer >= 0 {
				return "QUALIFYING"
			}
			return "DISCOVERY"
		}
		kind := "question"
		if i%5 == 4 {
			kind = "discussion"
		}
		fmt.Fprintf(&b, "t%02d,,%d,%s,%s,%s,%t\n", i, asks.number, at.Format(time.RFC3339), cohort(asks), kind, i%4 == 0)
		for k := range r.IntN(4) {
			by := list[r.IntN(s.started/12)]
			fmt.Fprintf(&b, "t%02dr%d,t%02d,%d,%s,%s,,\n", i, k, i, by.number, at.Add(time.Duration(3*k+2)*time.Hour).Format(time.RFC3339), cohort(by))
		}
	}
	return b.Bytes()
}

// surveyEvents are the questionnaires of a session: asked from its beginning on, collected two days after it.
func (m *maker) surveyEvents(s session) (events []event) {
	o, asked := opinions[s.key]
	if !asked {
		return nil
	}
	return []event{
		{s.starts, s.key + ": questionnaires", func(ctx context.Context) error { return m.ask(ctx, s) }},
		{s.ends.AddDate(0, 0, 2), s.key + ": answers", func(ctx context.Context) error {
			in := surveys.Intake{Session: s.key, CollectedAt: m.clock.Now(), Content: o.answersOf(s, m.casts[s.key]), FileName: fmt.Sprintf("IMT_%s_course_survey_results_%s.csv", s.key, m.clock.Now().Format("2006-01-02-1504"))}
			i, err := m.h.Surveys.ImportAnswers(ctx, surveys.Closing, in)
			if err == nil && i.Rejected > 0 {
				err = fmt.Errorf("%d answers are of nobody: %v", i.Rejected, i.Outcomes[0])
			}
			if err != nil || s.key != "PRD-8" {
				return err
			}
			in.Content, in.FileName = forumOf(s, m.casts[s.key]), "IMT_PRD-8_forum.csv"
			_, err = m.h.Surveys.ImportForum(ctx, in)
			return err
		}},
	}
}

// skills are those that every session of the demo asks for.
var skills = []catalog.Text{
	{EN: "Explain how the parts work together", FR: "Expliquer comment les parties fonctionnent ensemble"},
	{EN: "Choose a solution and say why", FR: "Choisir une solution et dire pourquoi"},
	{EN: "Apply it to equipment", FR: "L’appliquer sur des équipements"},
}

// ask publishes both questionnaires of a session.
func (m *maker) ask(ctx context.Context, s session) error {
	opening := surveys.Content{Questions: []surveys.Question{
		{Code: "status", Kind: surveys.Single, Title: catalog.Text{EN: "What do you do?", FR: "Que faites-vous ?"}, Choices: []surveys.Choice{
			{Code: "large", Title: catalog.Text{EN: "I work in a large company", FR: "Je travaille dans une grande entreprise"}}, {Code: "small", Title: catalog.Text{EN: "I work in a small or middle company", FR: "Je travaille dans une petite ou moyenne entreprise"}},
			{Code: "student", Title: catalog.Text{EN: "I study", FR: "J’étudie"}}, {Code: "other", Title: catalog.Text{EN: "Something else", FR: "Autre chose"}},
		}},
		{Code: "motives", Kind: surveys.Multiple, Title: catalog.Text{EN: "Why do you take this course?", FR: "Pourquoi suivez-vous ce cours ?"}, Choices: []surveys.Choice{
			{Code: "position", Title: catalog.Text{EN: "For a better position", FR: "Pour un meilleur poste"}}, {Code: "up_to_date", Title: catalog.Text{EN: "To keep my skills up to date", FR: "Pour tenir mes compétences à jour"}},
			{Code: "studies", Title: catalog.Text{EN: "For my studies", FR: "Pour mes études"}}, {Code: "interest", Title: catalog.Text{EN: "Out of interest", FR: "Par intérêt"}},
		}},
	}}
	closing := surveys.Content{}
	for i, title := range skills {
		q := surveys.Question{Code: fmt.Sprintf("s%d", i+1), Kind: surveys.Skill, Title: title}
		opening.Questions, closing.Questions = append(opening.Questions, q), append(closing.Questions, q)
	}
	closing.Questions = append(closing.Questions,
		surveys.Question{Code: "satisfied", Kind: surveys.Satisfaction, Title: catalog.Text{EN: "How satisfied are you with the course?", FR: "Êtes-vous satisfait du cours ?"}},
		surveys.Question{Code: "recommend", Kind: surveys.Recommend, Title: catalog.Text{EN: "Would you recommend it to a colleague?", FR: "Le recommanderiez-vous à un collègue ?"}},
		surveys.Question{Code: "words", Kind: surveys.Words, Title: catalog.Text{EN: "Your opinion, in your words", FR: "Votre avis, avec vos mots"}})
	return m.h.DB.InTx(ctx, "demo questionnaires", func(ctx context.Context, tx *postgres.Tx) error {
		for moment, content := range map[surveys.Moment]surveys.Content{surveys.Opening: opening, surveys.Closing: closing} {
			if _, err := m.h.Surveys.PutTx(ctx, tx, s.key, moment, content, 0); err != nil {
				return err
			}
			if _, err := m.h.Surveys.PublishTx(ctx, tx, s.key, moment, 0); err != nil {
				return err
			}
		}
		return nil
	})
}
