package programs_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var staff = postgres.WithActor(context.Background(), "staff:prs_one")

// house is a catalogue of courses C00 …, each with a session C00-1.
func house(t testing.TB, courses int) *postgres.DB {
	db := testkit.DB(t)
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		for i := range courses {
			for _, n := range []string{"1", "2"} {
				if _, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
					Key: course(i) + "-" + n, CourseKey: course(i), Title: catalog.Text{EN: "Session"}, Platform: "fun", ThresholdPPM: 500_000,
				}); err != nil {
					return err
				}
			}
		}
		for i := range outsiders {
			if err := catalog.PutCourseTx(ctx, tx, catalog.Course{Key: outside(i), Title: catalog.Text{EN: "Outside"}}); err != nil {
				return err
			}
		}
		return nil
	})
	return db
}

func inTx(t testing.TB, db *postgres.DB, fn func(ctx context.Context, tx *postgres.Tx) error) {
	t.Helper()
	if err := db.InTx(staff, "test", fn); err != nil {
		t.Fatalf("%v %+v", err, fault.From(err).Fields)
	}
}

func sequence(keys ...string) programs.Content {
	c := programs.Content{Title: catalog.Text{EN: "Networks basics"}, Language: "fr", Organisations: []string{"IMT", "ESP"}}
	for i, key := range keys {
		rule := &programs.CourseRule{Key: key, WorkloadHours: 25, ECTSHundredths: 100}
		if i > 0 {
			rule.After = keys[i-1 : i]
		}
		c.Parts = append(c.Parts, programs.Node{Course: rule})
	}
	return c
}

func publish(ctx context.Context, tx *postgres.Tx, key string, c programs.Content, expected int) (programs.Program, error) {
	if _, err := programs.SaveDraftTx(ctx, tx, key, c, expected); err != nil {
		return programs.Program{}, err
	}
	if _, err := programs.MoveProgramTx(ctx, tx, key, catalog.InReview, "", 0); err != nil {
		return programs.Program{}, err
	}
	return programs.MoveProgramTx(ctx, tx, key, catalog.Published, "good", 0)
}

func plan(c programs.Content) programs.EditionPlan {
	n := programs.EditionPlan{Program: "P", Lang: "fr"}
	for _, x := range c.Courses() {
		n.Sessions = append(n.Sessions, programs.SessionPlan{Session: x.Key + "-1", Opening: programs.AtOnce})
	}
	return n
}

// What breaks: a learner bought an edition of four courses, and an officer who edits the program makes it five.
func TestAVersionEditNeverChangesAnEditionInForce(t *testing.T) {
	db := house(t, 40)
	number := 0
	rapid.Check(t, func(r *rapid.T) {
		number++
		key := fmt.Sprintf("P%d", number)
		first, second := drawContent(r, 40), drawContent(r, 40)
		first.Parts[0] = require(first.Parts[0])
		second.Parts[0] = require(second.Parts[0])
		at, p := noon, plan(first)
		p.Program, p.StartsAt = key, &at
		var before, after programs.Path
		var old programs.Edition
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := publish(ctx, tx, key, first, programs.New); err != nil {
				return err
			}
			if _, err := programs.PutEditionTx(ctx, tx, key+"-E", p, programs.New); err != nil {
				return err
			}
			if _, err := programs.MoveEditionTx(ctx, tx, key+"-E", catalog.InReview, "", 0); err != nil {
				return err
			}
			var err error
			old, err = programs.MoveEditionTx(ctx, tx, key+"-E", catalog.Published, "", 0)
			return err
		})
		facts := drawFacts(r, first)
		judge := func() (out programs.Path) {
			inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
				e, err := programs.EditionTx(ctx, tx, key+"-E")
				if err != nil {
					return err
				}
				v, err := programs.VersionTx(ctx, tx, e.ProgramID, e.Version)
				out = programs.PathOf(v.Content, e, facts, noon)
				return err
			})
			return out
		}
		before = judge()
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			now, err := publish(ctx, tx, key, second, 0)
			if err == nil && now.Current != 2 {
				r.Fatal("the second version has number", now.Current)
			}
			return err
		})
		if after = judge(); !reflect.DeepEqual(before, after) {
			r.Fatalf("%+v\n%+v", before, after)
		}
		// The doors refuse to take the edition to the other version, and so does the database behind them.
		p.Version = 2
		refused := func(want error, fn func(ctx context.Context, tx *postgres.Tx) error) {
			if err := db.InTx(staff, "refused", fn); !errors.Is(err, want) {
				r.Fatalf("%v in place of %v", err, want)
			}
		}
		refused(programs.ErrKeptPlan, func(ctx context.Context, tx *postgres.Tx) error {
			p.Sessions = nil
			_, err := programs.PutEditionTx(ctx, tx, key+"-E", p, 0)
			return err
		})
		for want, text := range map[error]string{
			programs.ErrKeptPlan: `update programs.editions set version_number = 2 where id = $1`, programs.ErrKeptCourse: `delete from programs.edition_sessions where edition_id = $1`,
		} {
			refused(want, func(ctx context.Context, tx *postgres.Tx) error {
				_, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: text}, old.ID)
				return err
			})
		}
	})
	for _, c := range programs.Checks() {
		if rows, err := postgres.RunCheck(context.Background(), db, c); err != nil || len(rows) > 0 {
			t.Error(c.Name, rows, err)
		}
	}
}

// require makes a part count, so that the program can be published.
func require(n programs.Node) programs.Node {
	if n.Course != nil {
		rule := *n.Course
		rule.Optional = false
		n.Course = &rule
	}
	return n
}

// Two officers edit one program: the second is told, and nothing is written over.
func TestTwoEditorsGetAConflict(t *testing.T) {
	db := house(t, 4)
	content := sequence("C00", "C01", "C02", "C03")
	var p programs.Program
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = programs.SaveDraftTx(ctx, tx, "P", content, programs.New)
		return err
	})
	save := func(content programs.Content, expected int) error {
		return db.InTx(staff, "save", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := programs.SaveDraftTx(ctx, tx, "P", content, expected)
			return err
		})
	}
	first, second := sequence("C00", "C01"), sequence("C02", "C03")
	if err := save(first, p.Version); err != nil {
		t.Fatal(err)
	}
	if err := save(second, p.Version); !errors.Is(err, programs.ErrChanged) {
		t.Error("the second editor was not told:", err)
	}
	if err := save(second, programs.New); !errors.Is(err, programs.ErrKey) {
		t.Error("a program was made twice:", err)
	}
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		p, err := programs.ProgramTx(ctx, tx, "P")
		if !reflect.DeepEqual(p.Draft.Courses()[0].Key, "C00") || len(p.Draft.Parts) != 2 {
			t.Errorf("%+v", p.Draft)
		}
		if _, err := programs.PublicProgramTx(ctx, tx, "P"); !errors.Is(err, programs.ErrNoProgram) {
			t.Error("the public sees a draft:", err)
		}
		return err
	})
	// An edit of what is published makes a draft again, while the public sees what it saw.
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := publish(ctx, tx, "P", first, 0); err != nil {
			return err
		}
		if _, err := programs.SaveDraftTx(ctx, tx, "P", second, 0); err != nil {
			return err
		}
		p, err := programs.PublicProgramTx(ctx, tx, "P")
		if err != nil || p.State != catalog.Drafted || p.Published.Courses()[0].Key != "C00" {
			t.Errorf("%v %+v", err, p)
		}
		moves, err := programs.HistoryTx(ctx, tx, "program", p.ID)
		if err != nil || len(moves) != 3 || moves[1].By != "staff:prs_one" {
			t.Errorf("%v %+v", err, moves)
		}
		if _, err = programs.MoveProgramTx(ctx, tx, "P", catalog.Archived, "", 0); err != nil {
			return err
		}
		if _, err = programs.PublicProgramTx(ctx, tx, "P"); !errors.Is(err, programs.ErrNoProgram) {
			t.Error("the public sees what is archived:", err)
		}
		return nil
	})
}

// Each rule names the place at which it is broken.
func TestBadContentsAreRefusedWithTheirPlace(t *testing.T) {
	known := func(key string) bool { return strings.HasPrefix(key, "C") || strings.HasPrefix(key, "X") }
	grade := func(n int) *int { return &n }
	group := func(need int, parts ...programs.Node) programs.Node {
		return programs.Node{Group: &programs.Group{Need: need, Parts: parts}}
	}
	for name, x := range map[string]struct {
		pointer, code string
		spoil         func(c *programs.Content)
	}{
		"no title":        {"/title", "bad-title", func(c *programs.Content) { c.Title = catalog.Text{} }},
		"no language":     {"/language", "bad-language", func(c *programs.Content) { c.Language = "French" }},
		"twice certified": {"/organisations/1", "bad-name", func(c *programs.Content) { c.Organisations = []string{"IMT", "IMT"} }},
		"unknown course":  {"/parts/1/course/key", "unknown-course", func(c *programs.Content) { c.Parts[1].Course.Key = "Z"; c.Parts[2].Course.After = nil }},
		"a course twice": {"/parts/3/group/parts/0/course/key", "duplicate", func(c *programs.Content) {
			c.Parts = append(c.Parts, group(1, programs.Node{Course: &programs.CourseRule{Key: "C01"}}))
		}},
		"k above n": {"/parts/3/group/need", "more-than-there-are", func(c *programs.Content) {
			c.Parts = append(c.Parts, group(2, programs.Node{Course: &programs.CourseRule{Key: "C07"}}, programs.Node{Course: &programs.CourseRule{Key: "C08", Optional: true}}))
		}},
		"k of nothing": {"/parts/3/group/need", "out-of-range", func(c *programs.Content) { c.Parts = append(c.Parts, group(0)) }},
		"two kinds":    {"/parts/0", "one-kind", func(c *programs.Content) { c.Parts[0].Group = &programs.Group{Need: 1}; c.Parts[1].Course.After = nil }},
		"a cycle":      {"/parts/0/course/after", "prerequisite-cycle", func(c *programs.Content) { c.Parts[0].Course.After = []string{"C02"} }},
		"itself":       {"/parts/0/course/after", "prerequisite-cycle", func(c *programs.Content) { c.Parts[0].Course.After = []string{"C00"} }},
		"later":        {"/parts/0/course/after/0", "prerequisite-later", func(c *programs.Content) { c.Parts[0].Course.After, c.Parts[1].Course.After = []string{"C01"}, nil }},
		"later any": {"/parts/0/course/after_any", "prerequisite-later", func(c *programs.Content) {
			c.Parts[0].Course.AfterAny, c.Parts[1].Course.After, c.Parts[2].Course.After = []string{"C01", "C02"}, nil, nil
		}},
		"outside": {"/parts/1/course/after/0", "not-in-program", func(c *programs.Content) { c.Parts[1].Course.After = []string{"X0"} }},
		"its own equivalence": {"/parts/1/course/equivalents/0/key", "in-program", func(c *programs.Content) {
			c.Parts[1].Course.Equivalents = []programs.Equivalence{{Key: "C00"}}
		}},
		"two bars": {"/parts/1/course/equivalents/0", "asked-otherwise", func(c *programs.Content) {
			c.Parts[0].Course.Equivalents = []programs.Equivalence{{Key: "X0"}}
			c.Parts[1].Course.Equivalents = []programs.Equivalence{{Key: "X0", Certified: true}}
		}},
		"grade": {"/parts/0/course/min_grade_ppm", "out-of-range", func(c *programs.Content) { c.Parts[0].Course.MinGradePPM = grade(1_000_001) }},
		"hours": {"/parts/0/course/workload_hours", "out-of-range", func(c *programs.Content) { c.Parts[0].Course.WorkloadHours = -1 }},
		"no workshop": {"/parts/3/workshop/key", "not-in-program", func(c *programs.Content) {
			c.Parts = append(c.Parts, programs.Node{Workshop: &programs.WorkshopRule{Key: "C09", Days: 1}})
		}},
		"no days": {"/parts/3/workshop/days", "out-of-range", func(c *programs.Content) {
			c.Parts = append(c.Parts, programs.Node{Workshop: &programs.WorkshopRule{Key: "C00"}})
		}},
	} {
		c := sequence("C00", "C01", "C02")
		x.spoil(&c)
		err := c.Validate(known)
		f := fault.From(err)
		found := false
		for _, field := range f.Fields {
			found = found || field.Pointer == x.pointer && field.Code == x.code
		}
		if f.Kind != fault.Invalid || !found {
			t.Errorf("%s: %v %+v", name, err, f.Fields)
		}
	}
	if err := sequence("C00", "C01", "C02").Validate(known); err != nil {
		t.Error(err)
	}
}

// The paper's program: one course a month, the next after the one before it, a grade, a workshop.
func TestNetworksBasicsMonthByMonth(t *testing.T) {
	c := sequence("ALDDT", "PRD", "LAN", "FTTH")
	bar := 600_000
	c.Parts[0].Course.MinGradePPM = &bar
	c.Parts = append(c.Parts, programs.Node{Workshop: &programs.WorkshopRule{Key: "LAN", Days: 2, MinProductionPPM: &bar, WorkloadHours: 14}})
	start := time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)
	e := programs.Edition{StartsAt: &start}
	f := programs.Facts{Enrolled: map[string]bool{}}
	for _, x := range c.Courses() {
		e.Sessions = append(e.Sessions, programs.EditionSession{CourseKey: x.Key, SessionKey: x.Key + "-1", Opening: programs.Monthly})
		f.Enrolled[x.Key] = true
	}
	grade := 575_000
	f.Results = []programs.Result{{Course: "ALDDT", Session: "ALDDT-1", GradePPM: &grade, Passed: true}}
	f.Workshops = []programs.WorkshopFact{{Course: "LAN", Session: "LAN-1", Days: 1}}
	p := programs.PathOf(c, e, f, start.AddDate(0, 0, 1))
	prd := p.Courses[1]
	february := time.Date(2026, 2, 28, 8, 0, 0, 0, time.UTC)
	want := []programs.Reason{{Code: programs.NeedsPassed, Courses: []string{"ALDDT"}, NeedPPM: bar, ByPPM: 25_000}, {Code: programs.OpensOn, At: &february}}
	if p.Courses[0].Standing != programs.Open || prd.Standing != programs.Locked || !reflect.DeepEqual(prd.Reasons, want) {
		t.Errorf("%+v\n%+v", p.Courses[0], prd)
	}
	if p.Next[0].Code != "follow" || p.Next[0].Course != "ALDDT" || p.Next[1].Code != "attend" || p.HoursLeft != 114 || p.Totals.ECTSHundredths.Min != 400 {
		t.Errorf("%+v %d", p.Next, p.HoursLeft)
	}
	if r := p.Requirements; r.Need != 5 || r.Have != 0 || r.Parts[0].Missing[0].ByPPM != 25_000 || len(r.Parts[4].Missing) != 2 {
		t.Errorf("%+v", r)
	}
	if p.Behind() || !programs.PathOf(c, e, f, february).Behind() {
		t.Error("she is behind when the next course opens and this one is not done")
	}
	grade = 600_000
	p = programs.PathOf(c, e, f, start.AddDate(0, 0, 1))
	if p.Courses[0].Standing != programs.Done || p.Courses[1].Standing != programs.Upcoming || p.HoursDone != 25 {
		t.Errorf("%+v", p.Courses[:2])
	}
}

// What breaks: an officer archives a session, or takes it back to draft, and an edition that is on sale sends its learners to a page that
// is not there; or an edition goes on sale with a session that nobody sees.
func TestASessionOfAnEditionInForceStaysPublished(t *testing.T) {
	db := house(t, 3)
	c := sequence("C00", "C01", "C02")
	move := func(to catalog.Publication) error {
		return db.InTx(staff, "move session", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := programs.MoveSessionTx(ctx, tx, "C01-1", to, "", 0)
			return err
		})
	}
	edition := func(to catalog.Publication) error {
		return db.InTx(staff, "move edition", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := programs.MoveEditionTx(ctx, tx, "E", to, "", 0)
			return err
		})
	}
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := publish(ctx, tx, "P", c, programs.New); err != nil {
			return err
		}
		_, err := programs.PutEditionTx(ctx, tx, "E", plan(c), programs.New)
		return err
	})
	for _, step := range []struct {
		what string
		do   error
		want error
	}{
		{"a session of a draft edition is archived", move(catalog.Archived), nil},
		{"the edition is read", edition(catalog.InReview), nil},
		{"the edition is published", edition(catalog.Published), programs.ErrHidden},
		{"the session comes back", cmp.Or(move(catalog.Drafted), move(catalog.InReview), move(catalog.Published)), nil},
		{"the edition is published with it", edition(catalog.Published), nil},
		{"its session is archived", move(catalog.Archived), programs.ErrInEdition},
		{"its session is a draft again", move(catalog.Drafted), programs.ErrInEdition},
		{"the edition is archived", edition(catalog.Archived), nil},
		{"and then its session", move(catalog.Archived), nil},
	} {
		if !errors.Is(step.do, step.want) {
			t.Errorf("%s: %v in place of %v", step.what, step.do, step.want)
		}
	}
	var fields []fault.Field
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		for _, to := range []catalog.Publication{catalog.Drafted, catalog.InReview} {
			if _, err := programs.MoveEditionTx(ctx, tx, "E", to, "", 0); err != nil {
				return err
			}
		}
		_, err := programs.MoveEditionTx(ctx, tx, "E", catalog.Published, "", 0)
		fields = fault.From(err).Fields
		return nil
	})
	if len(fields) != 1 || fields[0].Pointer != "/sessions/1/session" || fields[0].Code != "not-published" {
		t.Errorf("%+v", fields)
	}
	// What is over may be taken in from a file with what was archived since.
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		past := plan(c)
		from, until := tx.Now().AddDate(-1, 0, 0), tx.Now()
		past.StartsAt, past.EndsAt = &from, &until
		if _, err := programs.PutEditionTx(ctx, tx, "E", past, 0); err != nil {
			return err
		}
		if _, err := programs.MoveEditionTx(ctx, tx, "E", catalog.InReview, "", 0); err != nil {
			return err
		}
		_, err := programs.MoveEditionTx(ctx, tx, "E", catalog.Published, "", 0)
		return err
	})
}

// refusal gives the code of what a step is refused with, and the places; "" where it is done.
func refusal(db *postgres.DB, step func(ctx context.Context, tx *postgres.Tx) error) (code string, at []string) {
	err := db.InTx(staff, "step", step)
	if err == nil {
		return "", nil
	}
	f := fault.From(err)
	for _, field := range f.Fields {
		at = append(at, field.Pointer+" "+field.Code)
	}
	return f.Code, at
}

func moveCourse(key string, to catalog.Publication) func(ctx context.Context, tx *postgres.Tx) error {
	return func(ctx context.Context, tx *postgres.Tx) error {
		_, _, err := programs.MoveCourseTx(ctx, tx, key, to, "", 0)
		return err
	}
}

func moveSession(key string, to catalog.Publication) func(ctx context.Context, tx *postgres.Tx) error {
	return func(ctx context.Context, tx *postgres.Tx) error {
		_, err := programs.MoveSessionTx(ctx, tx, key, to, "", 0)
		return err
	}
}

func moveProgram(to catalog.Publication) func(ctx context.Context, tx *postgres.Tx) error {
	return func(ctx context.Context, tx *postgres.Tx) error {
		_, err := programs.MoveProgramTx(ctx, tx, "P", to, "", 0)
		return err
	}
}

func moveEdition(to catalog.Publication) func(ctx context.Context, tx *postgres.Tx) error {
	return func(ctx context.Context, tx *postgres.Tx) error {
		_, err := programs.MoveEditionTx(ctx, tx, "E", to, "", 0)
		return err
	}
}

// What breaks: a course is archived and its page is gone, while a program leads there, its sessions are sold and new versions name it; a
// program is archived while its editions are sold; what is archived is edited as if it were there.
func TestWhatIsInUseIsNotArchivedAndWhatIsArchivedStays(t *testing.T) {
	db := house(t, 3)
	c := sequence("C00", "C01")
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := publish(ctx, tx, "P", c, programs.New); err != nil {
			return err
		}
		_, err := programs.PutEditionTx(ctx, tx, "E", plan(c), programs.New)
		return err
	})
	save := func(ctx context.Context, tx *postgres.Tx) error {
		_, err := programs.SaveDraftTx(ctx, tx, "P", c, 0)
		return err
	}
	put := func(ctx context.Context, tx *postgres.Tx) error {
		_, err := programs.PutEditionTx(ctx, tx, "E", plan(c), 0)
		return err
	}
	for _, step := range []struct {
		what string
		do   func(ctx context.Context, tx *postgres.Tx) error
		code string
		at   []string
	}{
		{"a course with a session on sale", moveCourse("C02", catalog.Archived), "course-in-use", []string{" course-in-use"}},
		{"the session", moveSession("C02-1", catalog.Archived), "", nil},
		{"and the other one", moveSession("C02-2", catalog.Archived), "", nil},
		{"and then the course", moveCourse("C02", catalog.Archived), "", nil},
		{"the session is a draft", moveSession("C02-1", catalog.Drafted), "", nil},
		{"and read", moveSession("C02-1", catalog.InReview), "", nil},
		{"but not published without its course", moveSession("C02-1", catalog.Published), "course-archived", []string{"/course course-archived"}},
		{"a version that names what is archived", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := publish(ctx, tx, "P", sequence("C00", "C02"), 0)
			return err
		}, "course-not-public", []string{"/parts/1/course/key course-not-public"}},
		{"the edition is read", moveEdition(catalog.InReview), "", nil},
		{"and published", moveEdition(catalog.Published), "", nil},
		{"its program is archived", moveProgram(catalog.Archived), "program-in-use", []string{" program-in-use"}},
		{"the edition is archived", moveEdition(catalog.Archived), "", nil},
		{"and edited", put, "edition-archived", nil},
		{"a session that nobody follows", moveSession("C01-1", catalog.Archived), "", nil},
		{"and the other one", moveSession("C01-2", catalog.Archived), "", nil},
		{"its course, in the program", moveCourse("C01", catalog.Archived), "course-in-use", []string{" course-in-use"}},
		{"the program", moveProgram(catalog.Archived), "", nil},
		{"is edited", save, "program-archived", nil},
		{"its course", moveCourse("C01", catalog.Archived), "", nil},
		{"the edition again", moveEdition(catalog.Drafted), "", nil},
		{"is edited", put, "", nil},
		{"is read", moveEdition(catalog.InReview), "", nil},
		{"and not published without its program", moveEdition(catalog.Published), "program-not-public", []string{"/program program-not-public"}},
		{"the program again", moveProgram(catalog.Drafted), "", nil},
		{"is edited", save, "", nil},
	} {
		if code, at := refusal(db, step.do); code != step.code || !reflect.DeepEqual(at, step.at) {
			t.Errorf("%s: %q %q in place of %q %q", step.what, code, at, step.code, step.at)
		}
	}
}

// What breaks: an edition goes on sale whose courses open for nobody, and its buyers are told so one by one.
func TestAnEditionThatNobodyCanFollowIsNotPublished(t *testing.T) {
	day := func(n int) *time.Time { at := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n); return &at }
	db := house(t, 2)
	c := sequence("C00", "C01")
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, "C01-1")
		if err != nil {
			return err
		}
		n := s.Says()
		n.StartsAt, n.EndsAt = day(10), day(40)
		if _, err := catalog.PutSessionTx(ctx, tx, "C01-1", n, 0); err != nil {
			return err
		}
		_, err = publish(ctx, tx, "P", c, programs.New)
		return err
	})
	number := 0
	for name, x := range map[string]struct {
		spoil func(p *programs.EditionPlan)
		at    []string
	}{
		"as it should be":                  {func(*programs.EditionPlan) {}, nil},
		"it ends before a session begins":  {func(p *programs.EditionPlan) { p.EndsAt = day(10) }, []string{"/sessions/1/session begins-after-end"}},
		"a session is over when it begins": {func(p *programs.EditionPlan) { p.StartsAt = day(40) }, []string{"/sessions/1/session over-before-start"}},
		"a course opens after its session": {func(p *programs.EditionPlan) { p.Sessions[1].Opening, p.Sessions[1].OpensAt = programs.OnDate, day(41) }, []string{"/sessions/1/opens_at opens-after-end"}},
		"a course opens when all is over":  {func(p *programs.EditionPlan) { p.Sessions[0].Opening, p.Sessions[0].OpensAt = programs.OnDate, day(60) }, []string{"/sessions/0/opens_at opens-after-end"}},
		"its month comes after its session": {func(p *programs.EditionPlan) {
			p.StartsAt = day(15)
			p.Sessions[0].Opening, p.Sessions[1].Opening = programs.Monthly, programs.Monthly
		}, []string{"/sessions/1/opening opens-after-end"}},
		"enrolment goes on after the end":    {func(p *programs.EditionPlan) { p.EnrolUntil = day(61) }, []string{"/enrol_until after-end"}},
		"enrolment begins after the end":     {func(p *programs.EditionPlan) { p.EnrolFrom = day(60) }, []string{"/enrol_from after-end"}},
		"what is over may say what it likes": {func(p *programs.EditionPlan) { p.StartsAt, p.EndsAt = day(-9999), day(-9000) }, nil},
	} {
		number++
		key := fmt.Sprintf("E%d", number)
		p := plan(c)
		p.StartsAt, p.EndsAt = day(0), day(60)
		x.spoil(&p)
		code, at := refusal(db, func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := programs.PutEditionTx(ctx, tx, key, p, programs.New); err != nil {
				return err
			}
			if _, err := programs.MoveEditionTx(ctx, tx, key, catalog.InReview, "", 0); err != nil {
				return err
			}
			_, err := programs.MoveEditionTx(ctx, tx, key, catalog.Published, "", 0)
			return err
		})
		if !reflect.DeepEqual(at, x.at) || (code == "") != (x.at == nil) || code != "" && code != "edition-cannot-be-followed" {
			t.Errorf("%s: %q %q in place of %q", name, code, at, x.at)
		}
		if name != "as it should be" {
			continue
		}
		p.EndsAt = day(5) // and no edit takes it there
		if _, at := refusal(db, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := programs.PutEditionTx(ctx, tx, key, p, 0)
			return err
		}); !reflect.DeepEqual(at, []string{"/sessions/1/session begins-after-end"}) {
			t.Errorf("edited: %q", at)
		}
	}
}
