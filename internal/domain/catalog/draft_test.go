package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

func pointsTo(err error, pointer string) bool {
	return err != nil && slices.ContainsFunc(fault.From(err).Fields, func(f fault.Field) bool { return f.Pointer == pointer })
}

// house is a catalogue in a database of its own.
type house struct {
	t  *testing.T
	db *postgres.DB
}

func (h house) in(work func(ctx context.Context, tx *postgres.Tx) error) error {
	return h.db.InTx(postgres.WithActor(context.Background(), "staff:psn_1"), "test", work)
}

func (h house) must(work func(ctx context.Context, tx *postgres.Tx) error) {
	h.t.Helper()
	if err := h.in(work); err != nil {
		h.t.Fatal(err)
	}
}

func (h house) put(key string, d catalog.Draft, expected int) (w catalog.Working, err error) {
	err = h.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		w, err = catalog.PutDraftTx(ctx, tx, key, d, expected)
		return err
	})
	return w, err
}

func (h house) move(key string, to catalog.Publication, expected int) (w catalog.Working, r catalog.Report, err error) {
	err = h.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		w, r, err = catalog.MoveCourseTx(ctx, tx, key, to, "a note", expected)
		return err
	})
	return w, r, err
}

func (h house) published(key string) (d catalog.Draft, err error) {
	err = h.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		d, err = catalog.PublishedTx(ctx, tx, key)
		return err
	})
	return d, err
}

// Values that are none are refused with their place.
func TestBadDocumentsAreRefusedWithTheirPlace(t *testing.T) {
	for pointer, spoil := range map[string]func(d *catalog.Draft){
		"/title": func(d *catalog.Draft) { d.Title.EN = "" }, "/title/fr": func(d *catalog.Draft) { d.Title.FR = strings.Repeat("é", 201) },
		"/level": func(d *catalog.Draft) { d.Level = "phd" }, "/language": func(d *catalog.Draft) { d.Language = "French" },
		"/workload_hours": func(d *catalog.Draft) { d.WorkloadHours = 2001 }, "/ects_hundredths": func(d *catalog.Draft) { d.ECTSHundredths = -1 },
		"/skills/1/key": func(d *catalog.Draft) { d.Skills[1].Key = "route" }, "/team/0/role": func(d *catalog.Draft) { d.Team[0].Role = "king" },
		"/closing/scales/0": func(d *catalog.Draft) { d.Closing.Scales[0] = "swim" }, "/prerequisites/0/text": func(d *catalog.Draft) { d.Prerequisites = []catalog.Prerequisite{{}} },
		"/chapters/0/title":                    func(d *catalog.Draft) { d.Chapters[0].Title = say("") },
		"/chapters/4/lectures/3/video_seconds": func(d *catalog.Draft) { d.Chapters[4].Lectures[3].VideoSeconds = -1 },
		"/chapters/2/lab/weight":               func(d *catalog.Draft) { d.Chapters[2].Lab.Weight = 3 },
		"/chapters/1/lectures/0/concepts/0":    func(d *catalog.Draft) { d.Chapters[1].Lectures[0].Concepts[0] = "" },
		"/collection":                          func(d *catalog.Draft) { d.Collection = "a b" }, "/look/text_points": func(d *catalog.Draft) { d.Look.TextPoints = 201 },
	} {
		d := good()
		spoil(&d)
		if err := d.Validate(); !pointsTo(err, pointer) {
			t.Errorf("%s: %v", pointer, err)
		}
	}
	d := good()
	if err := d.Validate(); err != nil || d.WorkloadMinutes() != 1500 || d.SuggestedECTS() != 100 || d.Hours() != 25 {
		t.Error(err, d.WorkloadMinutes(), d.SuggestedECTS(), d.Hours())
	}
}

// A course is written, read, published, written again while the public sees what was published, archived and taken up again. Every
// version and every move can be read afterwards.
func TestACourseFromDraftToArchive(t *testing.T) {
	h := house{t, testkit.DB(t)}
	w, err := h.put("NET", good(), catalog.NoVersion)
	if err != nil || w.State != catalog.Drafted || w.Visible || w.Version != 1 || w.By != "staff:psn_1" {
		t.Fatal(w, err)
	}
	if _, err := h.published("NET"); !errors.Is(err, catalog.ErrNoCourse) {
		t.Error("a draft is seen:", err)
	}
	if _, _, err := h.move("NET", catalog.Published, 1); !errors.Is(err, catalog.ErrMove) {
		t.Error("published unread:", err)
	}
	bad := good()
	bad.Team = bad.Team[:1]
	if w, err = h.put("NET", bad, 1); err != nil || w.Version != 2 {
		t.Fatal(w, err)
	}
	for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
		_, _, err = h.move("NET", to, 2)
	}
	if !errors.Is(err, catalog.ErrCharter) || !pointsTo(err, "/team") {
		t.Error("a blocking rule does not block:", err)
	}
	warned := good()
	warned.Chapters[0].Lectures[0].VideoSeconds = 500
	if w, err = h.put("NET", warned, 2); err != nil || w.State != catalog.Drafted {
		t.Fatal("what was in review and is edited is a draft:", w.State, err)
	}
	if _, _, err = h.move("NET", catalog.InReview, 2); !errors.Is(err, catalog.ErrCourseChanged) {
		t.Error("somebody moved what she had not read:", err)
	}
	var r catalog.Report
	for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
		if w, r, err = h.move("NET", to, 3); err != nil {
			t.Fatal(err)
		}
	}
	if !w.Visible || w.PublishedVersion != 3 || w.CharterVersion != 1 || r.Count(catalog.Broken) != 1 {
		t.Error(w, r)
	}
	h.afterPublishing(w)
}

func (h house) afterPublishing(w catalog.Working) {
	t := h.t
	t.Helper()
	later := good()
	later.Title = say("Later")
	w, err := h.put("NET", later, 3)
	if d, errSeen := h.published("NET"); err != nil || errSeen != nil || d.Title.EN != "Networks" || w.State != catalog.Drafted || !w.Visible {
		t.Error("the public does not see what was published:", d.Title, w.State, err, errSeen)
	}
	again, err := h.put("NET", later, 4)
	if err != nil || again.Version != 4 {
		t.Error("the same document is a new version:", again.Version, err)
	}
	if w, _, err = h.move("NET", catalog.Archived, 4); err != nil || w.Visible {
		t.Error(w, err)
	}
	if _, err := h.published("NET"); !errors.Is(err, catalog.ErrNoCourse) {
		t.Error("what is archived is seen:", err)
	}
	if _, err := h.put("NET", good(), 4); !errors.Is(err, catalog.ErrArchived) {
		t.Error("what is archived is edited:", err)
	}
	if _, _, err = h.move("NET", catalog.Drafted, 4); err != nil {
		t.Error(err)
	}
	h.must(func(ctx context.Context, tx *postgres.Tx) error {
		moves, err := catalog.MovesTx(ctx, tx, "course", w.ID)
		versions, errVersions := catalog.VersionsTx(ctx, tx, w.ID, 0, 10)
		second, errSecond := catalog.VersionTx(ctx, tx, "NET", 2)
		report, errReport := keptReport(ctx, tx, w.ID)
		if len(moves) != 7 || moves[0].To != catalog.Drafted || moves[6].Note != "a note" || moves[6].By != "staff:psn_1" || moves[6].To != catalog.InReview {
			t.Errorf("%d moves: %+v", len(moves), moves)
		}
		if len(versions) != 4 || versions[0].Title.EN != "Later" || len(second.Document.Team) != 1 || report.Charter != 1 {
			t.Errorf("%+v %+v %+v", versions, second.Document.Team, report)
		}
		return errors.Join(err, errVersions, errSecond, errReport)
	})
}

// keptReport is what was kept of the charter when the published version of a course was published.
func keptReport(ctx context.Context, tx *postgres.Tx, courseID string) (r catalog.Report, err error) {
	var raw []byte
	err = tx.Get(ctx, &raw, postgres.Query{Name: "test", SQL: `
		select r.report from catalog.conformance r join catalog.courses c on c.id = r.course_id and c.published_version = r.version where c.id = $1`}, courseID)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(raw, &r)
}

// Of two who edit at once, one is told; none is lost.
func TestTwoAuthorsAtOnce(t *testing.T) {
	h := house{t, testkit.DB(t)}
	for _, expected := range []int{catalog.NoVersion, 1} {
		var all sync.WaitGroup
		var mu sync.Mutex
		won, told := 0, 0
		for i := range 8 {
			all.Go(func() {
				d := good()
				d.Title.EN = fmt.Sprint("By ", expected, i)
				_, err := h.put("NET", d, expected)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case errors.Is(err, catalog.ErrCourseChanged), errors.Is(err, catalog.ErrCourseKey):
					told++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won != 1 || told != 7 {
			t.Error(expected, won, told)
		}
	}
	if _, err := h.put("OTHER", good(), 3); !errors.Is(err, catalog.ErrNoCourse) {
		t.Error("an edit of nothing makes something:", err)
	}
	in := good()
	in.Collection = "NONE"
	if _, err := h.put("OTHER", in, catalog.AnyVersion); !errors.Is(err, catalog.ErrNoCollection) || fault.From(err).Kind != fault.Unprocessable {
		t.Error(err)
	}
	in = good()
	in.Prerequisites = []catalog.Prerequisite{{Course: "OTHER"}}
	if _, err := h.put("OTHER", in, catalog.AnyVersion); !pointsTo(err, "/prerequisites/0/course") {
		t.Error("a course comes before itself:", err)
	}
}

// Collections are edited by version, too; the older door overwrites, and courses of the older doors are published.
func TestCollectionsAndOlderDoors(t *testing.T) {
	h := house{t, testkit.DB(t)}
	save := func(title string, expected int) (c catalog.Collection, err error) {
		err = h.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
			c, err = catalog.SaveCollectionTx(ctx, tx, catalog.Collection{Key: "FLIRT", Title: say(title)}, expected)
			return err
		})
		return c, err
	}
	if _, err := save("A", 1); !errors.Is(err, catalog.ErrNoCollection) {
		t.Error(err)
	}
	if c, err := save("A", catalog.NoVersion); err != nil || c.Version != 1 {
		t.Error(c, err)
	}
	if _, err := save("B", catalog.NoVersion); !errors.Is(err, catalog.ErrCollectionKey) {
		t.Error(err)
	}
	if c, err := save("B", 1); err != nil || c.Version != 2 {
		t.Error(c, err)
	}
	if _, err := save("C", 1); !errors.Is(err, catalog.ErrCollection) {
		t.Error(err)
	}
	h.must(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := catalog.PublicCollectionTx(ctx, tx, "FLIRT"); !errors.Is(err, catalog.ErrNoCollection) {
			t.Error("the public sees a draft:", err)
		}
		if err := catalog.PutCollectionTx(ctx, tx, catalog.Collection{Key: "FLIRT", Title: say("B")}); err != nil {
			return err
		}
		if c, err := catalog.PublicCollectionTx(ctx, tx, "FLIRT"); err != nil || c.Version != 2 || c.State != catalog.Published {
			t.Error("the very words are published as they stand:", c, err)
		}
		return nil
	})
	put := func(title string) {
		h.must(func(ctx context.Context, tx *postgres.Tx) error {
			return catalog.PutCourseTx(ctx, tx, catalog.Course{Key: "OLD", CollectionKey: "FLIRT", Title: say(title), WorkloadHours: 30})
		})
	}
	put("One")
	d := good()
	d.Title = say("One")
	if _, err := h.put("OLD", d, 1); err != nil {
		t.Fatal(err)
	}
	put("Two")
	put("Two")
	h.must(func(ctx context.Context, tx *postgres.Tx) error {
		w, err := catalog.DraftTx(ctx, tx, "OLD")
		if w.State != catalog.Published || w.Version != 3 || w.PublishedVersion != 3 || w.Document.Title.EN != "Two" || len(w.Document.Chapters) != 5 || w.Document.Collection != "FLIRT" {
			t.Errorf("%+v", w)
		}
		return err
	})
}

// A new version of the charter changes no old report.
func TestChartersAreVersions(t *testing.T) {
	h := house{t, testkit.DB(t)}
	h.must(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := catalog.PutDraftTx(ctx, tx, "NET", good(), 0); err != nil {
			return err
		}
		if _, _, err := catalog.MoveCourseTx(ctx, tx, "NET", catalog.InReview, "", 0); err != nil {
			return err
		}
		w, _, err := catalog.MoveCourseTx(ctx, tx, "NET", catalog.Published, "", 0)
		if err != nil {
			return err
		}
		six := 6
		rules := []catalog.Rule{{Key: "six", Text: say("Six chapters"), Check: "chapters", Least: &six, Severity: catalog.Block}}
		if _, err := catalog.PutCharterTx(ctx, tx, rules, "", 7); !errors.Is(err, catalog.ErrCharterChanged) {
			t.Error(err)
		}
		c, err := catalog.PutCharterTx(ctx, tx, rules, "six are better", 1)
		if err != nil || c.Version != 2 || catalog.Conform(c, w.Document).Findings[0].Verdict != catalog.Broken {
			t.Error(c, err)
		}
		kept, err := keptReport(ctx, tx, w.ID)
		if err != nil || kept.Charter != 1 || kept.Count(catalog.Kept) != 16 {
			t.Error(kept, err)
		}
		all, err := catalog.ChartersTx(ctx, tx, 0, 10)
		if len(all) != 2 || all[0].Version != 2 || len(all[1].Rules) != 16 {
			t.Error(all)
		}
		return err
	})
}

// What a rule cannot check warns, unless the rule says that it blocks: then the refusal points to what the course does not say.
func TestWhatIsNotCheckableWarnsOrBlocksByRule(t *testing.T) {
	h := house{t, testkit.DB(t)}
	h.must(func(ctx context.Context, tx *postgres.Tx) error {
		d := good()
		d.Look.TextPoints = 0
		if _, err := catalog.PutDraftTx(ctx, tx, "NET", d, 0); err != nil {
			return err
		}
		least := 20
		publish := func(unchecked string) (catalog.Report, error) {
			rules := []catalog.Rule{{Key: "text-size", Text: say("20 points"), Check: "text_points", Least: &least, Severity: catalog.Block, Unchecked: unchecked}}
			c, err := catalog.PutCharterTx(ctx, tx, rules, "", 0)
			if err != nil || c.Rules[0].Unchecked == catalog.Warn { // the default is not said
				t.Error(c, err)
			}
			if _, _, err := catalog.MoveCourseTx(ctx, tx, "NET", catalog.InReview, "", 0); err != nil {
				return catalog.Report{}, err
			}
			_, r, err := catalog.MoveCourseTx(ctx, tx, "NET", catalog.Published, "", 0)
			return r, err
		}
		r, err := publish(catalog.Block)
		if !pointsTo(err, "/look/text_points") || len(r.Blocking()) != 1 || r.Count(catalog.NotCheckable) != 1 {
			t.Errorf("%+v %v", r, err)
		}
		for _, unchecked := range []string{"", catalog.Warn} {
			if r, err = publish(unchecked); err != nil || r.Blocking() != nil || r.Count(catalog.NotCheckable) != 1 {
				t.Errorf("%q: %+v %v", unchecked, r, err)
			}
			if _, _, err := catalog.MoveCourseTx(ctx, tx, "NET", catalog.Drafted, "", 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// Words are found by their beginnings, without accents, in both languages, in skills and summaries; pages add up to the whole list.
func TestCoursesAreFound(t *testing.T) {
	h := house{t, testkit.DB(t)}
	h.must(func(ctx context.Context, tx *postgres.Tx) error {
		if err := catalog.PutCollectionTx(ctx, tx, catalog.Collection{Key: "FLIRT", Title: say("F")}); err != nil {
			return err
		}
		for i := range 23 {
			c := catalog.Course{Key: fmt.Sprintf("C%02d", i), Title: catalog.Text{EN: "Networks", FR: fmt.Sprint("Réseaux ", i)}, Position: i % 3, Level: catalog.Levels[i%3]}
			if i%2 == 0 {
				c.CollectionKey = "FLIRT"
			}
			if i == 7 {
				c.Summary.FR = "Le cœur d’un réseau ; L'Été"
			}
			if err := catalog.PutCourseTx(ctx, tx, c); err != nil {
				return err
			}
		}
		d := good()
		d.Title = say("Hidden networks")
		if _, err := catalog.PutDraftTx(ctx, tx, "HIDDEN", d, 0); err != nil {
			return err
		}
		w, err := catalog.DraftTx(ctx, tx, "C08") // the public sees its older words, staff find the newer ones
		if err != nil {
			return err
		}
		w.Document.Title.EN = "Zebra crossing"
		_, err = catalog.PutDraftTx(ctx, tx, "C08", w.Document, 0)
		return err
	})
	list := func(f catalog.Filter, limit int) (keys []string) {
		h.must(func(ctx context.Context, tx *postgres.Tx) error {
			for p := (page.Request{Limit: limit}); ; {
				some, next, err := catalog.CourseListTx(ctx, tx, f, p)
				for _, c := range some {
					keys = append(keys, c.Key)
				}
				if p.After = next; next == "" {
					return err
				}
			}
		})
		return keys
	}
	for want, f := range map[int][]catalog.Filter{
		23: {{}, {Query: "reseaux"}, {Query: "RÉS"}, {Query: "netw res"}}, 24: {{All: true}, {All: true, Query: "network"}}, 12: {{Collection: "FLIRT"}},
		8: {{Level: "pre_bachelor"}}, 1: {{Query: "coeur"}, {Query: "CŒUR"}, {Query: "ete"}, {Query: "c07"}, {All: true, Query: "route"}, {All: true, State: catalog.Drafted, Query: "hidden"}, {All: true, Query: "zebr"}, {All: true, Query: "networks reseaux 8"}},
		2: {{All: true, State: catalog.Drafted}},
		0: {{Query: "route"}, {Query: "zebra"}, {Query: "xyz"}, {Query: "!!! & | ' :*"}, {Language: "de"}, {Collection: "X"}},
	} {
		for _, f := range f {
			all := list(f, 200)
			if len(all) != want {
				t.Errorf("%+v: %v", f, all)
			}
			if paged := list(f, 5); !slices.Equal(paged, all) {
				t.Errorf("%+v in pages: %v, at once: %v", f, paged, all)
			}
		}
	}
}

// What breaks: a course is published whose prerequisite is a slip of the pen, or two courses ask for each other and nobody can begin.
func TestPrerequisitesAreThereAndLeadNowhereBack(t *testing.T) {
	h := house{t, testkit.DB(t)}
	publish := func(key string, after ...string) error {
		return h.in(func(ctx context.Context, tx *postgres.Tx) error {
			d := good()
			d.Prerequisites = []catalog.Prerequisite{{Text: say("A good night's sleep")}}
			for _, a := range after {
				d.Prerequisites = append(d.Prerequisites, catalog.Prerequisite{Course: a, Text: say(a)})
			}
			if _, err := catalog.PutDraftTx(ctx, tx, key, d, catalog.AnyVersion); err != nil {
				return err
			}
			for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
				if _, _, err := catalog.MoveCourseTx(ctx, tx, key, to, "", catalog.AnyVersion); err != nil {
					return err
				}
			}
			return nil
		})
	}
	is := func(err error, code, pointer string) bool {
		return errors.Is(err, catalog.ErrPrerequisites) && fault.From(err).Kind == fault.Unprocessable && fault.From(err).Fields[0].Code == code && pointsTo(err, pointer)
	}
	if err := publish("B", "A"); !is(err, "no-such-course", "/prerequisites/1/course") {
		t.Error("a course that is not there:", err)
	}
	for key, after := range map[string][]string{"A": nil, "X": nil} {
		if err := publish(key, after...); err != nil {
			t.Fatal(err)
		}
	}
	if err := publish("B", "A"); err != nil {
		t.Fatal(err)
	}
	if err := publish("C", "X", "B"); err != nil {
		t.Fatal(err)
	}
	if err := publish("A", "X", "C"); !is(err, "prerequisite-cycle", "/prerequisites/2/course") {
		t.Error("A after C after B after A:", err)
	}
	if err := publish("B", "X"); err != nil {
		t.Fatal(err)
	}
	if err := publish("A", "X", "C"); err != nil {
		t.Error("the cycle is no more:", err)
	}
}
