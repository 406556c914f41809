package analytics_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// asked is a house that asks for skills, with files of answers.
type asked struct {
	t     *testing.T
	db    *postgres.DB
	clock *clock.Manual
	room  *surveys.Service
}

func (a *asked) session(key string, skills ...string) {
	a.t.Helper()
	if err := a.db.InTx(system, "session", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: key, CourseKey: "C" + key, Title: catalog.Text{EN: key}, Platform: "fun", ThresholdPPM: 500_000}); err != nil {
			return err
		}
		c := surveys.Content{Questions: []surveys.Question{
			{Code: "again", Kind: surveys.Recommend, Title: catalog.Text{EN: "Would you recommend it?", FR: "La recommanderiez-vous ?"}},
			{Code: "why", Kind: surveys.Multiple, Title: catalog.Text{EN: "Why?"}, Choices: []surveys.Choice{{Code: "work", Title: catalog.Text{EN: "For work"}}, {Code: "fun", Title: catalog.Text{EN: "For fun"}}}},
		}}
		for _, s := range skills {
			c.Questions = append(c.Questions, surveys.Question{Code: s, Kind: surveys.Skill, Title: catalog.Text{EN: "Skill " + s}})
		}
		for _, m := range surveys.Moments() {
			if _, err := a.room.PutTx(ctx, tx, key, m, c, 0); err != nil {
				return err
			}
			if _, err := a.room.PublishTx(ctx, tx, key, m, 0); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		a.t.Fatal(err)
	}
}

func (a *asked) take(key string, m surveys.Moment, file string) {
	a.t.Helper()
	i, err := a.room.ImportAnswers(system, m, surveys.Intake{Session: key, FileName: "f.csv", CollectedAt: a.clock.Now(), Content: []byte(file)})
	if err != nil || i.Rejected > 0 {
		a.t.Fatal(key, err, i.Outcomes)
	}
}

// takeForum imports posts of session A, as they stood at a time.
func (a *asked) takeForum(file, at string) {
	a.t.Helper()
	made, err := time.Parse(time.RFC3339, at)
	if err != nil {
		a.t.Fatal(err)
	}
	if i, err := a.room.ImportForum(system, surveys.Intake{Session: "A", FileName: "f.csv", CollectedAt: made, Content: []byte("id,thread_id,author,created_at,cohort,type,answered\n" + file)}); err != nil || i.Rejected > 0 {
		a.t.Fatal(err, i.Outcomes)
	}
}

func (a *asked) figure(id string, asOf, knownAt time.Time, params string) (f analytics.Figure, all string) {
	a.t.Helper()
	ask := analytics.Ask{AsOf: asOf, KnownAt: knownAt, Params: map[string]string{}}
	for _, p := range strings.Fields(params) {
		name, v, _ := strings.Cut(p, "=")
		ask.Params[name] = v
	}
	f, err := analytics.FigureOf(system, a.db, id, ask)
	if err != nil {
		a.t.Fatal(id, err)
	}
	var b bytes.Buffer
	if err := f.JSON(&b); err != nil {
		a.t.Fatal(err)
	}
	return f, b.String()
}

// lines gives rows as people read them.
func lines(f analytics.Figure, columns ...int) (out []string) {
	for _, r := range f.Rows {
		var cells []string
		for _, c := range columns {
			said := f.Columns[c].Said(r.Cells[c], "en")
			said, _, _ = strings.Cut(said, " (n = ")
			cells = append(cells, said)
		}
		out = append(out, strings.Join(cells, " "))
	}
	return out
}

// spread makes n whole numbers from 0 to 10 with a sum, as even as they can be.
func spread(n, sum int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = sum*(i+1)/n - sum*i/n
	}
	return all
}

// Figures 5 and 8 of the paper, fed as files: nine courses, and of one of them one skill with its histogram and a gain from unrounded values.
func TestSkillsAreThoseOfThePaper(t *testing.T) {
	a := &asked{t: t, clock: clock.NewManual(time.Date(2019, 12, 1, 9, 0, 0, 0, time.UTC))}
	a.db = testkit.Open(t, testkit.OwnerDSN(t), a.clock)
	a.room = surveys.New(a.db)
	var want []string
	for _, c := range []struct {
		key           string
		before, after int // hundredths
		gain          string
	}{
		{"PRD_6", 392, 630, "2.38"}, {"PRD_7", 391, 562, "1.71"}, {"PRD_8", 417, 595, "1.78"}, {"RO", 553, 755, "2.02"}, {"FTTH", 268, 803, "5.35"}, {"PROPAG", 535, 803, "2.68"}, {"SR_1", 461, 672, "2.11"}, {"SR_2", 454, 684, "2.30"}, {"LAN_1", 543, 724, "1.81"},
	} {
		a.session(c.key, "s1")
		file := "token,s1_before,s1_after\n"
		before, after := spread(100, c.before), spread(100, c.after)
		for i := range before {
			file += fmt.Sprintf("t%d,%d,%d\n", i, before[i], after[i])
		}
		a.take(c.key, surveys.Closing, file)
		want = append(want, fmt.Sprintf("%s %d.%02d %d.%02d %s", c.key, c.before/100, c.before%100, c.after/100, c.after%100, c.gain))
	}
	f, _ := a.figure("skill_gain", time.Time{}, time.Time{}, "")
	got := lines(f, 0, 5, 6, 7)
	if len(got) != 11 || got[9] != "Plain mean 4.46 6.92 2.46" || got[10] != "Weighted mean 4.46 6.92 2.46" {
		t.Error(got)
	}
	for _, w := range want {
		if !strings.Contains(strings.Join(got, "\n")+"\n", w+"\n") {
			t.Errorf("%s is not in\n%s", w, strings.Join(got, "\n"))
		}
	}

	a.session("PRD-8", "s1", "s2")
	file := "token,s1_before,s2_before,s2_after\n"
	before, after := spread(220, 1081), spread(220, 1482)
	for i := range before {
		file += fmt.Sprintf("t%d,4,%d,%d\n", i, before[i], after[i])
	}
	a.take("PRD-8", surveys.Closing, file+"odd,,9,\n")
	f, _ = a.figure("skill_scale", time.Time{}, time.Time{}, "session=PRD-8 skill=s2")
	if got := lines(f, 1, 4, 5, 6); len(got) != 12 || got[11] != "Mean 4.91 6.74 1.82" {
		t.Error(got)
	}
	people := [2]int64{}
	for _, r := range f.Rows[:11] {
		people[0], people[1] = people[0]+*r.Cells[2].Count, people[1]+*r.Cells[3].Count
	}
	if people != [2]int64{220, 220} || f.Base[0].N != 220 || f.Base[1].N != 1 {
		t.Error("of 220 pairs and one answer without its other half:", people, f.Base)
	}
	if c := f.Rows[11].Cells[6].Points; c.N != 220 || *c.Low >= 182 || *c.High <= 182 {
		t.Errorf("%+v", c)
	}
	if f, _ = a.figure("skill_scale", time.Time{}, time.Time{}, "session=PRD-8 skill=s1"); len(f.Rows) != 0 {
		t.Error("before without after is a pair:", lines(f, 0, 1))
	}
}

// A past pair of times answers the same for ever; what is said before the course and after it is one pair; the last word counts.
func TestWhatWasSaidStaysSaid(t *testing.T) {
	a := &asked{t: t, clock: clock.NewManual(time.Date(2019, 3, 1, 9, 0, 0, 0, time.UTC))}
	a.db = testkit.Open(t, testkit.OwnerDSN(t), a.clock)
	a.room = surveys.New(a.db)
	a.session("A", "s1")
	a.take("A", surveys.Opening, "token,s1\nx,2\ny,5\n")
	a.clock.Advance(24 * time.Hour)
	a.take("A", surveys.Closing, "token,s1_after,again,why\nx,6,10,work;fun\ny,8,6,fun\n")
	then := a.clock.Now()
	asked := map[string]string{"skill_scale": "session=A", "skill_gain": "sessions=A by=skill", "satisfaction": "sessions=A", "questionnaire_answers": "session=A"}
	before := map[string]string{}
	for id, with := range asked {
		_, before[id] = a.figure(id, then, then, with)
	}
	if f, _ := a.figure("skill_gain", then, then, asked["skill_gain"]); lines(f, 2, 3, 5, 6, 7)[0] != "Skill s1 2 3.50 7.00 3.50" {
		t.Error(lines(f, 2, 3, 5, 6, 7))
	}
	if f, _ := a.figure("satisfaction", then, then, asked["satisfaction"]); lines(f, 1, 2, 3, 7)[0] != "Would you recommend it? 2 8.00 0" {
		t.Error(lines(f, 1, 2, 3, 7))
	}
	if f, _ := a.figure("questionnaire_answers", then, then, asked["questionnaire_answers"]); strings.Join(lines(f, 0, 2, 3), "; ") != "After the session For work 50.0 % (1/2; 9.5 % to 90.5 %); After the session For fun 100.0 % (2/2; 34.2 % to 100.0 %)" {
		t.Error(lines(f, 0, 2, 3))
	}
	a.clock.Advance(24 * time.Hour)
	a.take("A", surveys.Closing, "token,s1_before,s1_after\nx,4,6\nz,1,2\n") // she says now that she began at 4
	if f, _ := a.figure("skill_gain", time.Time{}, time.Time{}, asked["skill_gain"]); lines(f, 2, 3, 5, 6, 7)[0] != "Skill s1 3 3.33 5.33 2.00" {
		t.Error(lines(f, 2, 3, 5, 6, 7))
	}
	if err := a.db.InTx(system, "for whom", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.PutSessionTx(ctx, tx, "A", catalog.NewSession{Key: "A", CourseKey: "CA", Title: catalog.Text{EN: "A"}, Platform: "fun", ThresholdPPM: 500_000, Audience: "MOOC PRD"}, 1)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if f, _ := a.figure("skill_gain", time.Time{}, time.Time{}, asked["skill_gain"]); lines(f, 0, 1)[0] != "A MOOC PRD" {
		t.Error("whom the session is for:", lines(f, 0, 1))
	}
	for id, with := range asked {
		if _, now := a.figure(id, then, then, with); now != before[id] {
			t.Errorf("%s answered\n%s\nand now\n%s", id, before[id], now)
		}
		if _, partner := a.figure(id, time.Time{}, time.Time{}, with+" audience=partner"); strings.Contains(partner, "hundredths") || strings.Contains(partner, `"count": 1`) {
			t.Errorf("%s tells a partner of three people:\n%s", id, partner)
		}
	}
}

// The forum by week and cohort, what waits for an answer and since when, and who writes most; at any past time.
func TestTheForumIsCounted(t *testing.T) {
	a := &asked{t: t, clock: clock.NewManual(time.Date(2019, 4, 1, 9, 0, 0, 0, time.UTC))}
	a.db = testkit.Open(t, testkit.OwnerDSN(t), a.clock)
	a.room = surveys.New(a.db)
	a.session("A", "s1")
	take := a.takeForum
	take("q1,,awa,2019-03-04T10:00:00Z,FREE,question,\nq1a,q1,awa,2019-03-04T11:00:00Z,FREE,,\nq2,,ben,2019-03-10T23:00:00Z,PRO,question,\nd1,,ben,2019-03-11T00:00:00Z,PRO,discussion,\nq2r,q2,prof,2019-03-12T11:00:00Z,,,\nq3,,cleo,2019-03-12T10:00:00Z,FREE,question,\n", "2019-03-13T12:00:00Z")
	weeks := func(asOf, knownAt time.Time) string {
		f, _ := a.figure("forum_weeks", asOf, knownAt, "session=A")
		return strings.Join(lines(f, 0, 2, 3, 4, 5), "; ")
	}
	then, known := time.Date(2019, 3, 13, 12, 0, 0, 0, time.UTC), a.clock.Now()
	const want = "2019-03-04 FREE 2 1 1; 2019-03-04 PRO 1 1 0; 2019-03-11 no cohort 1 0 0; 2019-03-11 FREE 1 1 1; 2019-03-11 PRO 1 0 0"
	if got := weeks(then, known); got != want {
		t.Error(got)
	}
	if got := weeks(time.Date(2019, 3, 12, 9, 0, 0, 0, time.UTC), time.Time{}); got != "2019-03-04 FREE 2 1 1; 2019-03-04 PRO 1 1 1; 2019-03-11 PRO 1 0 0" {
		t.Error("before anybody answered:", got)
	}
	a.clock.Advance(time.Hour)
	take("q1,,awa,2019-03-04T10:00:00Z,FREE,question,true\nq3r,q3,awa,2019-03-13T10:00:00Z,FREE,,\n", "2019-03-20T12:00:00Z")
	if got := weeks(then, known); got != want {
		t.Error("what was said of then has changed:", got)
	}
	if f, _ := a.figure("forum_unanswered", then, known, "session=A"); strings.Join(lines(f, 0, 3, 4), "; ") != "q1 9 1; q3 1 0" {
		t.Error(lines(f, 0, 3, 4))
	}
	if f, _ := a.figure("forum_unanswered", time.Time{}, time.Time{}, "session=A"); len(f.Rows) != 0 {
		t.Error(lines(f, 0, 3, 4))
	}
	f, _ := a.figure("forum_active", time.Time{}, time.Time{}, "session=A")
	if got := lines(f, 0, 2, 3, 4); !f.Personal || strings.Join(got, "; ") != "Not enrolled, 1 3 1 2; Not enrolled, 2 2 1 0; Not enrolled, 3 1 1 0; Not enrolled, 4 1 0 1" {
		t.Error(f.Personal, got)
	}
}

// A list of the forum ends after five hundred, and says so; what it counts does not.
func TestALongForumIsCountedWhole(t *testing.T) {
	a := &asked{t: t, clock: clock.NewManual(time.Date(2019, 4, 1, 9, 0, 0, 0, time.UTC))}
	a.db = testkit.Open(t, testkit.OwnerDSN(t), a.clock)
	a.room = surveys.New(a.db)
	a.session("A", "s1")
	var file strings.Builder
	for i := range 501 {
		fmt.Fprintf(&file, "q%d,,who%d,2019-03-04T10:00:00Z,FREE,question,\n", i, i)
	}
	a.takeForum(file.String(), "2019-03-05T12:00:00Z")
	for _, id := range []string{"forum_unanswered", "forum_active"} {
		f, _ := a.figure(id, time.Time{}, time.Time{}, "session=A")
		if len(f.Rows) != 500 || f.Base[0].N != 501 || len(f.Notes) != 1 {
			t.Errorf("%s lists %d, is of %v, and notes %v", id, len(f.Rows), f.Base, f.Notes)
		}
	}
}
