package gradebook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// platform answers two pages of each part, and does what it is told before it does.
type platform struct {
	asked  []string
	before func(page string) error
	lists  [2]string // pages of the list of enrolments
	score  string    // of ada
}

func (p *platform) page(_ context.Context, _, part string, cohort int64, cursor string) (json.RawMessage, string, error) {
	page := fmt.Sprint(part, cohort, cursor)
	if p.before != nil {
		if err := p.before(page); err != nil {
			return nil, "", err
		}
	}
	p.asked = append(p.asked, page)
	grades := func(id int, user, score string) string {
		return fmt.Sprintf(`[{"user_id":%d,"username":%q,"percent":%s,"section_breakdown":[{"label":"HW 01","attempted":true,"percent":%s},{"label":"HW 02"}]}]`, id, user, score, score)
	}
	switch {
	case cohort > 0:
		return json.RawMessage(`[{"username":"bob"}]`), "", nil
	case part == gradebook.PartEnrolments && cursor == "":
		return json.RawMessage(p.lists[0]), "2", nil
	case part == gradebook.PartEnrolments:
		return json.RawMessage(p.lists[1]), "", nil
	case part == gradebook.PartGrades:
		return json.RawMessage(`[{"username":"ada","percent":0.6}]`), "", nil
	case cursor == "":
		return json.RawMessage(grades(1, "ada", p.score)), "2", nil
	}
	return json.RawMessage(grades(2, "bob", "0.25")), "", nil
}

const ada, bob = `[{"user":"ada","mode":"honor","is_active":true}]`, `[{"user":"bob","mode":"honor","is_active":true}]`

// A collection goes on at the page where it stood, whatever ends a worker or keeps the platform silent; where that does not pass it is given up,
// and what the platform shuts is done without.
func TestACollectionGoesOnWhereItStood(t *testing.T) {
	c := testkit.Clock()
	db := testkit.Open(t, testkit.OwnerDSN(t), c)
	exercises, err := catalog.ReadExerciseMap(strings.NewReader(weeks))
	if err != nil {
		t.Fatal(err)
	}
	var session catalog.Session
	if err := db.InTx(system, "session", func(ctx context.Context, tx *postgres.Tx) (err error) {
		session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PULL", CourseKey: "PRD", Title: catalog.Text{EN: "Pulled"}, Platform: "fun", PlatformKey: "course-v1:a+b+c", ThresholdPPM: 500_000, Exercises: exercises})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	book := gradebook.New(db, jobs.New(db, nil))
	if _, err := book.CollectNow(system, "PULL"); !errors.Is(err, gradebook.ErrNoSchedule) {
		t.Fatal(err)
	}
	first := c.Now().Add(time.Hour)
	made, err := book.PutSchedule(system, "PULL", 0, gradebook.NewSchedule{EveryDays: 7, NextAt: first, Cohorts: []gradebook.PullCohort{{ID: 9, Name: "PRO"}}})
	if err != nil || !made.Enabled {
		t.Fatal(made, err)
	}
	if _, err := book.PutSchedule(system, "PULL", 7, gradebook.NewSchedule{EveryDays: 7, NextAt: first}); !errors.Is(err, catalog.ErrChanged) {
		t.Fatal(err)
	}
	p := &platform{lists: [2]string{ada, bob}, score: "0.5"}
	state := func() gradebook.Schedule {
		t.Helper()
		s, err := book.ScheduleOf(system, "PULL")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ask := func(want int) {
		t.Helper()
		if n, err := book.AskCollections(system); err != nil || n != want {
			t.Fatalf("%d asked for, want %d: %v", n, want, err)
		}
	}
	read := func() error {
		return book.Collect(system, gradebook.CollectDue{SessionID: session.ID, BegunAt: *state().BegunAt}, p.page)
	}
	counts := func() journey.Counts { return countsOf(t, db, journey.Question{SessionID: session.ID}) }

	ask(0)
	c.Advance(time.Hour)
	ask(1)
	// A worker dies after the first page of the list; another goes on with the second.
	died := errors.New("died")
	p.before = func(page string) error {
		if page == "enrolments02" {
			return died
		}
		return nil
	}
	if err := read(); !errors.Is(err, died) {
		t.Fatal(err)
	}
	// The platform is out of reach in the middle of the gradebook, and asks for ten minutes.
	p.before = func(page string) error {
		if page == "gradebook02" {
			return &gradebook.Refusal{Code: "throttled", Passes: true, Later: 10 * time.Minute}
		}
		return nil
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if s := state(); s.Failure != "throttled" || s.RetryAt == nil || !s.RetryAt.Equal(c.Now().Add(10*time.Minute)) || s.PagesRead != 3 || s.LearnersRead != 1 || !s.NextAt.Equal(first.Add(7*24*time.Hour)) {
		t.Fatalf("%+v", s)
	}
	c.Advance(9 * time.Minute)
	ask(0)
	c.Advance(2 * time.Minute)
	ask(1)
	p.before = nil
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"enrolments0", "enrolments02", "gradebook0", "gradebook02", "gradebook9"}; !slices.Equal(p.asked, want) {
		t.Errorf("read %v, want each page once: %v", p.asked, want)
	}
	s := state()
	if s.BegunAt != nil || s.Failure != "" || s.Unchanged || s.LastAt == nil || !s.LastAt.Equal(first) || s.PagesRead != 0 {
		t.Fatalf("%+v", s)
	}
	if n := counts(); n.Enrolled != 2 || n.Started != 2 || n.Succeeded != 1 {
		t.Fatalf("%+v", n)
	}
	made1, err := book.Collection(system, "PULL", s.CollectionID)
	if err != nil || !made1.CollectedAt.Equal(first) || made1.Kind != gradebook.Pulled || made1.Origin != "system" || made1.RowsRead != 2 {
		t.Fatalf("%+v %v", made1, err)
	}

	// The same again is another collection, of its own time, that says that nothing changed.
	c.Advance(24 * time.Hour)
	if _, err := book.CollectNow(system, "PULL"); err != nil {
		t.Fatal(err)
	}
	begun := *state().BegunAt
	c.Advance(time.Minute)
	if s, err := book.CollectNow(system, "PULL"); err != nil || !s.BegunAt.Equal(begun) {
		t.Fatalf("what is being collected is collected once: %+v %v", s, err)
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if s := state(); !s.Unchanged || s.CollectionID == made1.ID || !s.LastAt.Equal(begun) {
		t.Fatalf("%+v", s)
	}
	// Who is not active any more has left. The list is shut for a key: then nobody leaves, and nobody comes back.
	collect := func() {
		t.Helper()
		c.Advance(24 * time.Hour)
		if _, err := book.CollectNow(system, "PULL"); err != nil {
			t.Fatal(err)
		}
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	p.lists[1] = `[{"user":"bob","mode":"honor","is_active":false}]`
	collect()
	if n := counts(); n.Enrolled != 1 {
		t.Fatalf("%+v", n)
	}
	p.score = "0.4"
	shut := map[string]bool{"enrolments0": true}
	p.before = func(page string) error {
		if shut[page] {
			return &gradebook.Refusal{Code: "not_permitted", Shut: true}
		}
		return nil
	}
	collect()
	if n := counts(); n.Enrolled != 1 || n.Succeeded != 0 || state().Unchanged {
		t.Fatalf("%+v %+v", n, state())
	}
	// The gradebook is shut too: the totals are read, and the scores stay.
	shut["gradebook0"] = true
	collect()
	if n := counts(); n.Enrolled != 1 || n.Started != 1 || n.Succeeded != 1 {
		t.Fatalf("%+v", n)
	}
	// All is shut.
	last := state().CollectionID
	shut["grades0"] = true
	collect()
	if s := state(); s.BegunAt != nil || s.Failure != "not_permitted" || s.CollectionID != last {
		t.Fatalf("%+v", s)
	}
	// Nobody answers, until it is given up.
	p.before = func(string) error { return &gradebook.Refusal{Code: "server_error", Passes: true} }
	collect()
	for range 40 {
		if s := state(); s.BegunAt == nil {
			if s.Failure != "server_error" || s.CollectionID != last {
				t.Fatalf("%+v", s)
			}
			break
		}
		c.Advance(30 * time.Minute)
		ask(1)
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	if state().BegunAt != nil {
		t.Fatal("it is never given up")
	}
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}
