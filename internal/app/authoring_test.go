package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// written makes a course that its authors wrote whole, in a collection, published.
func (w *world) written(key string) {
	w.t.Helper()
	yes, name := true, func(s string) catalog.Text { return catalog.Text{EN: s, FR: s} }
	d := catalog.Draft{
		Title: name("Data networks"), Summary: name("How packets find their way."), Collection: "FLIRT", Level: "bachelor", Language: "fr", ECTSHundredths: 100,
		Skills:        []catalog.Skill{{Key: "capture", Title: name("Read a capture")}},
		Prerequisites: []catalog.Prerequisite{{Course: "PRD", Text: name("or the like")}},
		Team:          []catalog.Member{{Name: "Ada Diop", Role: catalog.ScientificLeader, School: "IMT"}, {Name: "Bo Sy", Role: catalog.PedagogicalEngineer}},
		Opening:       &catalog.Opening{WhoAreYou: true, Motivations: true, PrerequisiteQuiz: true, TeamPresentation: true, Recommendations: true},
		Closing:       &catalog.Closing{Satisfaction: true, Scales: []string{"capture"}}, Look: catalog.Look{Logo: &yes, TextPoints: 24, Template: "FLIRT"},
	}
	for range 2 {
		d.Chapters = append(d.Chapters, catalog.Chapter{
			Title: name("Packets"), CaseStudy: &catalog.Activity{Scored: true, Minutes: 60}, Lab: &catalog.Activity{Title: name("Simulator"), Minutes: 90},
			Lectures: []catalog.Lecture{{Title: name("Layers"), VideoSeconds: 421, Concepts: []string{"layer"}, Quiz: &catalog.Activity{Scored: true}}, {Title: name("Delay")}},
		})
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := catalog.PutCollectionTx(ctx, tx, catalog.Collection{Key: "FLIRT", Title: name("Networks"), Summary: name("Short courses.")}); err != nil {
			return err
		}
		if _, err := catalog.PutDraftTx(ctx, tx, key, d, catalog.NoVersion); err != nil {
			return err
		}
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if _, _, err := catalog.MoveCourseTx(ctx, tx, key, to, "read", catalog.AnyVersion); err != nil {
				return err
			}
		}
		return nil
	})
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		w.written("NET")
		return map[string]string{
			"/console/courses/:key": "/console/courses/NET", "/console/courses/:key/versions/:version": "/console/courses/NET/versions/1",
			"/console/collections/:key": "/console/collections/FLIRT", "/collections/:key": "/collections/FLIRT", "/courses/:key": "/courses/PRD /courses/NET",
			"/search": "/search?q=reseau /search?q=networks",
		}
	})
}

// set gives a field of a form another value.
func (b tab) set(id, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.CSS("#"+id), text))
}

// save presses the first button that saves.
func (b tab) save(then string) {
	b.t.Helper()
	b.press("main form button[value=save]", then)
}

// Two officers edit one course. The second one sees what the first one changed, keeps his own words, and saves both. A course is written
// from nothing by buttons, goes through review, and is found by the public.
func TestTwoEditorsInABrowser(t *testing.T) {
	w, mails := newSite(t)
	w.written("NET")
	first, second := w.twoEditors(t, mails)
	page := w.cfg.BaseURL + "/console/courses/NET"
	first.open(page)
	second.open(page)
	first.seen("console-course")
	first.shows("7:01", "Conformance")
	w.foldsItsChapters(first, page)
	first.set("at-title-en", "Networks of data")
	first.set("at-chapters-0-lectures-1-video_seconds", "6:20")
	first.save("p.notice.good")
	second.set("at-title-en", "My own title")
	second.set("at-team-0-name", "Ada Diop-Ndiaye")
	second.save("#clashes")
	second.shows("Networks of data", "My own title", "Data networks", "Lecture 1.2")
	second.seen("console-conflict")
	second.axe("conflict")
	second.save("p.notice.good")
	var now catalog.Working
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		now, err = catalog.DraftTx(ctx, tx, "NET")
		return err
	})
	if d := now.Document; now.Version != 3 || d.Title.EN != "My own title" || d.Team[0].Name != "Ada Diop-Ndiaye" || d.Chapters[0].Lectures[1].VideoSeconds != 380 {
		t.Errorf("version %d: %+v", now.Version, d)
	}
	first.open(w.cfg.BaseURL + "/courses/NET")
	first.shows("Data networks", "Read a capture", "Ada Diop", "1.00")
	first.seen("course-public")
	w.writesACourse(second)
	w.verify()
}

// foldsItsChapters looks at a course of two chapters: one is unfolded, a link or a fault unfolds the other, and paper both; without a script too.
func (w *world) foldsItsChapters(b tab, page string) {
	w.t.Helper()
	sees := func(when, second string) {
		w.t.Helper()
		if got := ask[string](b, `["#at-chapters-0-minutes", "#at-chapters-1-minutes"].map(f => document.querySelector(f).checkVisibility()).join(" ")`); got != second {
			w.t.Errorf("%s: the two chapters are visible: %s", when, got)
		}
	}
	for _, scripts := range []bool{true, false} {
		b.scripts(scripts)
		b.open(page)
		sees("at first", "true false")
		b.media("print")
		sees("on paper", "true true")
		b.media("screen")
		b.reach("a[href='#at-chapters-1-in']")
		b.keys(kb.Enter)
		sees("by its link", "true true")
		b.open(page)
		ask[string](b, `document.getElementById("at-chapters-1-lectures-0-video_seconds").value = "seven"`)
		b.reach(".sticky button")
		b.follow(kb.Enter, "#at-chapters-1-lectures-0-video_seconds-wrong")
		sees("with a fault in it", "true true")
		b.reach("button[value='add /chapters/1/lectures']")
		b.follow(kb.Enter, "#at-chapters-1-lectures-2")
		if at := ask[string](b, `document.activeElement.id`); at != "at-chapters-1-lectures-2-title-en" {
			w.t.Errorf("after a lecture was added the keyboard is at %q", at)
		}
	}
	b.scripts(true)
	b.seen("console-course-unfolded")
	b.axeEverywhere("a course unfolded")
	b.open(page)
	first := ask[bool](b, `(() => { const s = document.querySelector(".sticky").getBoundingClientRect(); return s.top >= 0 && s.bottom <= innerHeight; })()`)
	if !first {
		w.t.Error("the button that saves is out of sight")
	}
}

// media shows the page as on a screen or on paper.
func (b tab) media(name string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: name})
		return err
	}))
}

func (w *world) writesACourse(b tab) {
	w.t.Helper()
	b.open(w.cfg.BaseURL + "/console/courses/new")
	b.fill("#at-key", "NEW-1")
	b.set("at-title-fr", "Réseaux de cœur")
	b.press("button[value='add /prerequisites']", "#at-prerequisites-0")
	if said := ask[string](b, `[...document.getElementById("at-prerequisites-0-course").list.options].map(o => o.value + " " + o.text).join("|")`); !strings.Contains("|"+said+"|", "|NET Data networks|") {
		w.t.Errorf("a prerequisite is suggested from %q", said)
	}
	b.press("button[value='remove /prerequisites/0']", "body:not(:has(#at-prerequisites-0))")
	b.press("button[value='add /chapters']", "#at-chapters-0")
	b.press("button[value='add /chapters']", "#at-chapters-1")
	b.set("at-chapters-0-title-en", "Second")
	b.set("at-chapters-1-title-en", "First")
	b.set("at-chapters-0-lectures-0-title-en", "Lecture")
	b.set("at-chapters-1-lectures-0-title-en", "Lecture")
	b.press("button[value='up /chapters/1']", "#at-chapters-0")
	b.set("at-chapters-0-lectures-0-video_seconds", "seven")
	b.save("#at-chapters-0-lectures-0-video_seconds-wrong")
	b.shows("seven")
	b.set("at-chapters-0-lectures-0-video_seconds", "7")
	b.do(chromedp.Click(chromedp.CSS("#at-opening"))) // described, and nothing of it is there: that blocks
	b.save("p.notice.good")
	b.press("button[value=review]", "button[value=published]")
	b.press("button[value=published]", "div.notice.bad")
	b.shows("block")
	b.seen("console-refused")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		c, err := catalog.DraftTx(ctx, tx, "NEW-1")
		if d := c.Document; err == nil && (c.State != catalog.InReview || d.Chapters[0].Title.EN != "First" || d.Chapters[0].Lectures[0].VideoSeconds != 420) {
			w.t.Errorf("%s %+v", c.State, d)
		}
		return err
	})
	b.open(w.cfg.BaseURL + "/console/courses?q=coeur&state=review")
	b.shows("NEW-1")
	b.seen("console-courses")
	b.open(w.cfg.BaseURL + "/console/charter")
	b.seen("console-charter")
	b.open(w.cfg.BaseURL + "/console/charter/edit")
	b.set("at-rules-0-most", "480")
	b.save("ol.rows")
	b.shows("Version 2")
}

var dataBlock = regexp.MustCompile(`<script type="application/ld\+json">(.*?)</script>`)

// collectionByAPI prepares a collection beside what the public sees of it, publishes it and takes it back.
func (w *world) collectionByAPI(ask func(operation string, status int, change func(*apitest.Request)) apitest.Answer) {
	w.t.Helper()
	shelf := func(tag, body string) func(*apitest.Request) {
		return func(r *apitest.Request) {
			if r.Path["collection"] = "SHELF"; tag != "" {
				r.Header.Set("If-Match", tag)
			}
			if body != "" {
				r.Body = []byte(body)
			}
		}
	}
	listed := func(operation, words string, wanted bool) {
		w.t.Helper()
		if body := string(ask(operation, 200, nil).Body); strings.Contains(body, words) != wanted {
			w.t.Errorf("%s lists %q: %v\n%s", operation, words, !wanted, body)
		}
	}
	first, second := `{"title":{"en":"First words"},"summary":{}}`, `{"title":{"en":"Second words"},"summary":{"fr":"Dit plus."}}`
	ask("putCourseCollectionDraft", 404, shelf(`"1"`, first))
	ask("putCourseCollectionDraft", 200, shelf("*", first))
	ask("getCourseCollection", 404, shelf("", ""))
	listed("listCourseCollections", "SHELF", false)
	listed("listCourseCollectionDrafts", "First words", true)
	ask("moveCourseCollection", 409, shelf(`"1"`, `{"state":"published"}`))
	ask("moveCourseCollection", 200, shelf(`"1"`, `{"state":"review","note":"Please read."}`))
	ask("moveCourseCollection", 200, shelf(`"1"`, `{"state":"published"}`))
	listed("listCourseCollections", "First words", true)

	ask("putCourseCollectionDraft", 412, shelf(`"2"`, second))
	ask("putCourseCollectionDraft", 200, shelf(`"1"`, second))
	listed("listCourseCollections", "First words", true) // the public goes on seeing what was published
	listed("listCourseCollections", "Second words", false)
	if body := string(ask("getCourseCollectionDraft", 200, shelf("", "")).Body); !strings.Contains(body, "Second words") || !strings.Contains(body, `"state":"draft"`) || !strings.Contains(body, `"published_version":1`) {
		w.t.Error(body)
	}
	ask("moveCourseCollection", 412, shelf(`"1"`, `{"state":"review"}`)) // nobody moves what she did not read
	ask("moveCourseCollection", 200, shelf(`"2"`, `{"state":"review"}`))
	ask("moveCourseCollection", 200, shelf(`"2"`, `{"state":"published"}`))
	if body := string(ask("getCourseCollection", 200, shelf("", "")).Body); !strings.Contains(body, "Second words") {
		w.t.Error(body)
	}
	ask("moveCourseCollection", 200, shelf(`"2"`, `{"state":"archived"}`))
	ask("getCourseCollection", 404, shelf("", ""))
	ask("putCourseCollectionDraft", 409, shelf(`"2"`, first))
	var past struct {
		Versions   []struct{ Version int }
		Moves      []struct{ From, To, Note, By string }
		NextCursor string `json:"next_cursor"`
	}
	ask("listCourseCollectionHistory", 200, func(r *apitest.Request) { shelf("", "")(r); r.Query = "limit=1" }).JSON(w.t, &past)
	if len(past.Moves) != 6 || past.Moves[0].To != "archived" || past.Moves[5].Note != "Please read." || past.Versions[0].Version != 2 || !strings.HasPrefix(past.Moves[0].By, "staff:") {
		w.t.Errorf("%+v", past)
	}
	ask("listCourseCollectionHistory", 200, func(r *apitest.Request) { shelf("", "")(r); r.Query = "limit=1&cursor=" + past.NextCursor }).JSON(w.t, &past)
	if len(past.Versions) != 1 || past.Versions[0].Version != 1 {
		w.t.Errorf("%+v", past)
	}
}

// The public finds what is published and nothing else; engines read the course as data, and the addresses of the sitemap.
func TestThePublicReadsTheCatalogue(t *testing.T) {
	w := newWorld(t)
	w.written("NET")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.PutDraftTx(ctx, tx, "SECRET", catalog.Draft{Title: catalog.Text{EN: "Secret networks"}}, catalog.NoVersion)
		return err
	})
	server, err := app.NewServer(w.h, contract.YAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (int, string) {
		answer, err := server.Test(httptest.NewRequest(http.MethodGet, path, nil))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	for path, want := range map[string]string{
		"/search?q=packets": "/courses/NET", "/collections/FLIRT": "/courses/NET", "/sitemap.xml": "http://cursus.test/courses/NET</loc>", "/robots.txt": "Sitemap: http://cursus.test/sitemap.xml",
		"/courses/NET": `<link rel="canonical" href="http://cursus.test/courses/NET">`, "/search?q=zzz": "Nothing was found.",
	} {
		status, body := get(path)
		if status != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "SECRET") {
			t.Errorf("%s: %d, no %q in\n%.2000s", path, status, want, body)
		}
	}
	for _, path := range []string{"/courses/SECRET", "/collections/NONE", "/v1/courses/SECRET", "/search?after=x"} {
		if status, _ := get(path); status == http.StatusOK {
			t.Errorf("%s is answered", path)
		}
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.MoveCollectionTx(ctx, tx, "FLIRT", catalog.Archived, "", catalog.AnyVersion)
		return err
	})
	for path, status := range map[string]int{"/collections/FLIRT": 404, "/v1/course-collections/FLIRT": 404, "/courses/NET": 200, "/v1/courses": 200, "/": 200, "/sitemap.xml": 200} {
		if is, body := get(path); is != status || is == 200 && (strings.Contains(body, "/collections/FLIRT") || strings.Contains(body, `"collection":"FLIRT"`)) {
			t.Errorf("%s of an archived collection: %d\n%.2000s", path, is, body)
		}
	}
	_, body := get("/courses/NET?lang=fr")
	var data map[string]any
	found := dataBlock.FindStringSubmatch(body)
	if found == nil || json.Unmarshal([]byte(found[1]), &data) != nil || data["@type"] != "Course" || data["inLanguage"] != "fr" || data["courseCode"] != "NET" {
		t.Errorf("%v\n%.1000s", found, body)
	}
}

// authoringStory writes a course through the API, from nothing to what the public reads, and changes the charter.
func (w *world) authoringStory(t *testing.T, walker *apitest.Walker, token string) {
	t.Helper()
	ask := func(operation string, status int, change func(r *apitest.Request)) (a apitest.Answer) {
		t.Helper()
		r := walker.Example(operation)
		r.Token = token
		if r.Header.Get("If-Match") != "" {
			r.Header.Set("If-Match", "*")
		}
		if change != nil {
			change(&r)
		}
		if a = walker.Do(t, r); a.Status != status {
			t.Errorf("%s: %d, not %d\n%.500s", operation, a.Status, status, a.Body)
		}
		return a
	}
	net := func(r *apitest.Request) { r.Path["course"] = "NET" }
	match := func(tag string) func(*apitest.Request) {
		return func(r *apitest.Request) { net(r); r.Header.Set("If-Match", tag) }
	}
	to := func(state, tag string) func(*apitest.Request) {
		return func(r *apitest.Request) { match(tag)(r); r.Body = []byte(`{"state":"` + state + `"}`) }
	}
	w.collectionByAPI(ask)
	ask("putCourseDraft", 404, match(`"1"`))
	tag := ask("putCourseDraft", 200, net).Header.Get("ETag")
	ask("putCourseDraft", 412, match(`"2"`))
	ask("putCourseDraft", 200, match(tag))
	ask("getCourse", 404, net)
	ask("moveCourse", 409, to("published", tag))
	ask("moveCourse", 200, to("review", tag))
	ask("moveCourse", 412, to("published", `"7"`))
	var refused struct {
		Errors []struct{ Pointer, Code string }
	}
	ask("moveCourse", 422, to("published", tag)).JSON(t, &refused)
	if len(refused.Errors) != 1 || refused.Errors[0].Code != "engineer" {
		t.Errorf("%+v", refused)
	}
	ask("putCourseDraft", 200, func(r *apitest.Request) {
		match(tag)(r)
		r.Body = []byte(strings.Replace(string(r.Body), `"team":[`, `"team":[{"name":"Bo Sy","role":"pedagogical_engineer"},`, 1))
	})
	ask("moveCourse", 200, to("review", `"2"`))
	if body := string(ask("moveCourse", 200, to("published", `"2"`)).Body); !strings.Contains(body, `"verdict":"broken"`) || !strings.Contains(body, `"published_version":2`) {
		t.Error(body)
	}
	if body := string(ask("getCourse", 200, net).Body); !strings.Contains(body, "pedagogical_engineer") || !strings.Contains(body, `"language":"fr"`) {
		t.Error(body)
	}
	found := func(query string, wanted bool) {
		t.Helper()
		body := ask("listCourses", 200, func(r *apitest.Request) { r.Query = query }).Body
		if strings.Contains(string(body), `"NET"`) != wanted {
			t.Errorf("%s: %s", query, body)
		}
	}
	found("q=reseaux+de&language=fr", true)
	found("q=router&level=bachelor", true)
	found("collection=NONE", false)
	for _, operation := range []string{"getCourseDraft", "getCourseConformance", "listCourseHistory", "getCourseVersion"} {
		ask(operation, 200, net)
	}
	ask("getCourseConformance", 200, func(r *apitest.Request) { net(r); r.Query = "version=1&charter=1" })
	ask("getCourseVersion", 404, func(r *apitest.Request) { net(r); r.Path["version"] = "9" })
	first := ask("listCourseHistory", 200, func(r *apitest.Request) { net(r); r.Query = "limit=1" })
	var history struct {
		NextCursor string `json:"next_cursor"`
	}
	first.JSON(t, &history)
	if second := ask("listCourseHistory", 200, func(r *apitest.Request) { net(r); r.Query = "limit=1&cursor=" + history.NextCursor }); !strings.Contains(string(second.Body), `"version":1`) {
		t.Errorf("%s", second.Body)
	}
	ask("listCourseDrafts", 200, func(r *apitest.Request) { r.Query = "state=published&q=data" })
	ask("putCharter", 412, func(r *apitest.Request) { r.Header.Set("If-Match", `"9"`) })
	ask("getCharter", 200, nil)
	ask("putCharter", 200, func(r *apitest.Request) { r.Header.Set("If-Match", `"1"`) })
	ask("getCharter", 200, func(r *apitest.Request) { r.Query = "version=1" })
	ask("listCharters", 200, func(r *apitest.Request) { r.Query = "limit=1" })
}
