package surveys_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

// course is a session with two learners, known here and at the platform.
type course struct {
	t       *testing.T
	db      *postgres.DB
	clock   *clock.Manual
	room    *surveys.Service
	session catalog.Session
	awa     string // enrolment
	awaID   string
	ben     string
}

func newCourse(t *testing.T) *course {
	c := &course{t: t, clock: clock.NewManual(time.Date(2019, 3, 4, 9, 0, 0, 0, time.UTC))}
	c.db = testkit.Open(t, testkit.OwnerDSN(t), c.clock)
	c.room = surveys.New(c.db)
	c.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		start := c.clock.Now()
		if c.session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-8", CourseKey: "PRD", Title: title("PRD"), Platform: "fun", PlatformKey: "course-v1:MinesTelecom+04003+session08", ThresholdPPM: 500_000, StartsAt: &start}); err != nil {
			return err
		}
		for i, name := range []string{"awa", "ben"} {
			p, err := identity.PutPersonTx(ctx, tx, name+"@example.org", name, "en")
			if err != nil {
				return err
			}
			if err := identity.LinkTx(ctx, tx, p.ID, "fun", fmt.Sprint(101+i)); err != nil {
				return err
			}
			id, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: c.session.ID, OrderID: "ord_" + name, Formula: "DISCOVERY", Entitlements: []string{"videos"}})
			if err != nil {
				return err
			}
			if i == 0 {
				c.awa, c.awaID = id, p.ID
			} else {
				c.ben = id
			}
		}
		return nil
	})
	return c
}

func (c *course) inTx(work func(ctx context.Context, tx *postgres.Tx) error) {
	c.t.Helper()
	if err := c.db.InTx(system, "test", work); err != nil {
		c.t.Fatal(err)
	}
}

func (c *course) publish(m surveys.Moment, content surveys.Content) (x surveys.Questionnaire) {
	c.t.Helper()
	c.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if _, err = c.room.PutTx(ctx, tx, "PRD-8", m, content, 0); err == nil {
			x, err = c.room.PublishTx(ctx, tx, "PRD-8", m, 0)
		}
		return err
	})
	return x
}

func (c *course) answer(enrolment, learner string, answers ...surveys.Answer) (s surveys.Sheet, err error) {
	err = c.db.InTx(system, "answer", func(ctx context.Context, tx *postgres.Tx) error {
		s, err = c.room.AnswerTx(ctx, tx, enrolment, learner, surveys.Closing, answers)
		return err
	})
	return s, err
}

func (c *course) count(table string) (n int) {
	c.t.Helper()
	if err := c.db.View(system, "count", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &n, postgres.Query{Name: "test", SQL: "select count(*) from " + table})
	}); err != nil {
		c.t.Fatal(err)
	}
	return n
}

func codeOf(err error) string {
	if f := fault.From(err); f != nil {
		if len(f.Fields) > 0 {
			return f.Fields[0].Code
		}
		return f.Code
	}
	return ""
}

func number(n int) *int { return &n }

// A working copy changes nothing of what people answer until it is published; edits hold against each other; a code keeps its kind.
func TestAPublishedQuestionnaireIsFrozen(t *testing.T) {
	c := newCourse(t)
	put := func(content surveys.Content, version int) error {
		return c.db.InTx(system, "put", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := c.room.PutTx(ctx, tx, "PRD-8", surveys.Closing, content, version)
			return err
		})
	}
	if _, err := c.answer(c.awa, c.awaID); codeOf(err) != "no-such-questionnaire" {
		t.Error("answered what nobody asked:", err)
	}
	if err := put(surveys.Content{}, 0); err != nil {
		t.Fatal(err)
	}
	if err := c.db.InTx(system, "publish", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := c.room.PublishTx(ctx, tx, "PRD-8", surveys.Closing, 0)
		return err
	}); codeOf(err) != "questionnaire-empty" {
		t.Error("published an empty one:", err)
	}
	if x := c.publish(surveys.Closing, closing); x.Published != 1 {
		t.Error(x.Published)
	}
	if x := c.publish(surveys.Closing, closing); x.Published != 1 {
		t.Error("published twice without a change:", x.Published)
	}
	fewer := surveys.Content{Questions: closing.Questions[:1]}
	if err := put(fewer, 1); !errors.Is(err, surveys.ErrChanged) {
		t.Error("over a version that was not read:", err)
	}
	if err := put(fewer, 0); err != nil {
		t.Fatal(err)
	}
	if s, err := c.answer(c.awa, c.awaID, surveys.Answer{Question: "content", Value: number(9)}); err != nil || len(s.Questionnaire.Questions) != len(closing.Questions) {
		t.Error("the working copy is answered:", err)
	}
	for _, bad := range []surveys.Question{{Code: "s1", Kind: surveys.Words, Title: title("x")}, {Code: "S1", Kind: surveys.Words, Title: title("x")}, {Code: "a", Kind: "mood", Title: title("x")}, {Code: "a", Kind: surveys.Words},
		{Code: "a", Kind: surveys.Single, Title: title("x")}, {Code: "a", Kind: surveys.Words, Title: title("x"), Choices: []surveys.Choice{{Code: "b", Title: title("b")}}}} {
		if err := put(surveys.Content{Questions: []surveys.Question{bad}}, 0); codeOf(err) == "" {
			t.Errorf("taken: %+v", bad)
		}
	}
	testkit.Verify(t, c.db, surveys.Checks())
}

// Her answers are hers, may change until it closes, and each time that she said them is kept.
func TestALearnerAnswersUntilItCloses(t *testing.T) {
	c := newCourse(t)
	closes := c.clock.Now().Add(48 * time.Hour)
	content := closing
	content.ClosesAt = &closes
	c.publish(surveys.Closing, content)
	if _, err := c.answer(c.ben, c.awaID); !errors.Is(err, enrolment.ErrNoEnrolment) {
		t.Error("answered for another:", err)
	}
	for _, bad := range []surveys.Answer{{Question: "nothing"}, {Question: "s1", Value: number(3)}, {Question: "s1", Before: number(11)}, {Question: "time", Choices: []string{"few", "many"}}, {Question: "motives", Choices: []string{"fun", "fun"}},
		{Question: "words", Choices: []string{"fun"}}, {Question: "content", Text: "good"}} {
		if _, err := c.answer(c.awa, c.awaID, bad); codeOf(err) == "" {
			t.Errorf("taken: %+v", bad)
		}
	}
	said := []surveys.Answer{{Question: "s1", Before: number(4), After: number(7)}, {Question: "motives", Choices: []string{"fun", "career"}}, {Question: "words", Text: " The labs. "}}
	for range 2 {
		if _, err := c.answer(c.awa, c.awaID, said...); err != nil {
			t.Fatal(err)
		}
	}
	c.clock.Advance(time.Hour)
	s, err := c.answer(c.awa, c.awaID, said[0], said[1], surveys.Answer{Question: "words", Text: "The case studies."})
	if err != nil || s.Of("words").Text != "The case studies." || *s.Of("s1").After != 7 || fmt.Sprint(s.Of("motives").Choices) != "[career fun]" || !s.AnsweredAt.Equal(c.clock.Now()) {
		t.Errorf("%+v %v", s, err)
	}
	if n := c.count("surveys.responses"); n != 2 {
		t.Error("the same twice and a change are", n, "responses, want 2")
	}
	c.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		open, err := surveys.OpenTx(ctx, tx, c.awaID)
		if len(open[c.awa]) != 1 || !open[c.awa][0].Answered {
			t.Error(open)
		}
		return err
	})
	c.clock.Advance(48 * time.Hour)
	if _, err := c.answer(c.awa, c.awaID); !errors.Is(err, surveys.ErrNotOpen) {
		t.Error("answered after it closed:", err)
	}
	testkit.Verify(t, c.db, surveys.Checks())
}

// What was taken back with its order is answered no more, and nobody is asked for it.
func TestWhoLeftIsNotAsked(t *testing.T) {
	c := newCourse(t)
	c.publish(surveys.Closing, closing)
	c.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if open, err := surveys.OpenTx(ctx, tx, c.awaID); err != nil || len(open) != 1 {
			t.Error(open, err)
		}
		if _, err := enrolment.RevokeTx(ctx, tx, "ord_awa", "refund"); err != nil {
			return err
		}
		open, err := surveys.OpenTx(ctx, tx, c.awaID)
		if len(open) != 0 {
			t.Error("asked for what she cannot answer:", open)
		}
		return err
	})
	if _, err := c.answer(c.awa, c.awaID); !errors.Is(err, surveys.ErrNotOpen) {
		t.Error("answered what was taken back:", err)
	}
}

func (c *course) take(m surveys.Moment, file string, more ...func(*surveys.Intake)) surveys.Import {
	c.t.Helper()
	in := surveys.Intake{Session: "PRD-8", FileName: "x/survey.csv", CollectedAt: c.clock.Now(), Content: []byte(file)}
	for _, m := range more {
		m(&in)
	}
	i, err := c.room.ImportAnswers(system, m, in)
	if err != nil {
		c.t.Fatal(err)
	}
	return i
}

// A file is taken in once; a row that cannot be is told with its place and changes nothing; a dry run says the same and keeps nothing; a longer
// export of the same answers adds what is new alone.
func TestAnswersComeInOnce(t *testing.T) {
	c := newCourse(t)
	c.publish(surveys.Closing, closing)
	const file = "User ID,User Name,Email,s1_before,s1_after,time,motives\n101,awa,,4,7,Up to 3,career; For fun\n999,who,,4,7,,\n102,,,4,eleven,,\n,,ben@example.org,5,8,never,\n,,ben@example.org,,,,\n"
	want := func(i surveys.Import, fresh, changed, unchanged, rejected int) {
		t.Helper()
		if i.New != fresh || i.Changed != changed || i.Unchanged != unchanged || i.Rejected != rejected {
			t.Errorf("%d new, %d changed, %d unchanged, %d rejected: %+v", i.New, i.Changed, i.Unchanged, i.Rejected, i.Outcomes)
		}
	}
	dry := c.take(surveys.Closing, file, func(in *surveys.Intake) { in.DryRun = true })
	if want(dry, 1, 0, 0, 4); c.count("surveys.imports")+c.count("surveys.responses") != 0 {
		t.Error("a dry run was kept")
	}
	got := ""
	for _, o := range dry.Outcomes {
		got += fmt.Sprintf("%d:%d %s;", o.Line, o.Column, o.Code)
	}
	if got != "3:0 not-enrolled;4:5 out-of-range;5:6 no-such-choice;6:0 empty;2:0 answered;" {
		t.Error(got)
	}
	at := c.clock.Now()
	want(c.take(surveys.Closing, file), 1, 0, 0, 4)
	c.clock.Advance(time.Hour)
	if again := c.take(surveys.Closing, file); !again.Replayed || again.New != 1 {
		t.Errorf("the same file again: %+v", again)
	}
	if c.count("surveys.responses") != 1 || c.count("surveys.answers") != 5 {
		t.Error(c.count("surveys.responses"), c.count("surveys.answers"))
	}
	longer := "User ID,s1_before,s1_after,time,motives\n101,4,7,few,career;fun\n102,3,9,,\n"
	want(c.take(surveys.Closing, longer, func(in *surveys.Intake) { in.CollectedAt = at }), 1, 0, 1, 0)
	want(c.take(surveys.Closing, "User ID,s1_before,s1_after\n101,4,8\n"), 0, 1, 0, 0)
	// A token is nobody here, and the same person each time.
	want(c.take(surveys.Closing, limeSurvey, func(in *surveys.Intake) { in.CollectedAt = time.Time{} }), 0, 0, 0, 2) // answered later than now
	c.clock.Advance(2000 * time.Hour)
	want(c.take(surveys.Closing, limeSurvey+"\n"), 1, 0, 0, 1)
	if c.count("surveys.responses where respondent like 'anon:%' and enrolment_id is null") != 1 || c.count("surveys.responses where respondent like '%tok%'") != 0 {
		t.Error("a token is kept as it stands")
	}
	testkit.Verify(t, c.db, surveys.Checks())
}

// Posts are known by their ids, whatever export brings them; a thread is answered from the export on that says so, in whatever order they come.
func TestPostsAreKnownByTheirIDs(t *testing.T) {
	c := newCourse(t)
	c.clock.Advance(60 * 24 * time.Hour)
	take := func(file string, day int) surveys.Import {
		t.Helper()
		i, err := c.room.ImportForum(system, surveys.Intake{Session: "PRD-8", FileName: fmt.Sprintf("forum_2019-03-%02d-1200.csv", day), Content: []byte(file)})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	const head = "id,thread_id,author_id,author,created_at,cohort,type,answered\n"
	const one = head + "t1,,101,awa,2019-03-05T10:00:00Z,FREE,question,false\n"
	if i := take(one+"r0,t0,101,,2019-03-05T10:00:00Z,,,\n", 10); i.New != 1 || i.Outcomes[0].Code != "no-thread" {
		t.Errorf("%+v", i)
	}
	later := head + "t1,,101,awa,2019-03-05T10:00:00Z,FREE,question,yes\nr1,t1,777,prof,2019-03-06T10:00:00Z,,,\nr2,t1,102,,2019-03-30T10:00:00Z,,,\n"
	if i := take(later, 24); i.New != 1 || i.Changed != 1 || i.Rejected != 1 {
		t.Errorf("%+v", i)
	}
	if i := take(later, 24); !i.Replayed || c.count("surveys.posts") != 2 {
		t.Error("the same export again")
	}
	if i := take(one, 17); i.Unchanged != 1 || i.Changed != 0 { // it says what was known then
		t.Errorf("an older export that comes later: %+v", i)
	}
	if i := take(head+"t1,,102,,2019-03-05T10:00:00Z,,question,\nt1x,t1,101,,2019-03-07T10:00:00Z,,,\n", 26); i.Unchanged != 1 || i.New != 1 {
		t.Errorf("%+v", i)
	}
	if i := take(head+"t1,,101,,2019-03-05T11:00:00Z,,question,\n", 27); i.Outcomes[0].Code != "another-post" {
		t.Errorf("%+v", i)
	}
	for day, more := range []string{"", "n2,n1,101,,2019-03-08T10:00:00Z,,,\n"} { // exact to more than the books are
		if i := take(head+"n1,,101,,2019-03-07T10:00:00.123456789Z,,question,\n"+more, 28+day); i.Rejected != 0 {
			t.Errorf("the same post is another one: %+v", i)
		}
	}
	if c.count("surveys.posts where enrolment_id = '"+c.awa+"'") != 4 || c.count("surveys.posts where author like 'anon:%' and learner_id is null") != 1 {
		t.Error("the authors are others")
	}
	testkit.Verify(t, c.db, surveys.Checks())
}
