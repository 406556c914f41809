package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// basicsCourses are the courses of "Networks basics", in their order, with their hours: 150 in all.
var basicsCourses = []struct {
	key, after string
	hours      int
}{{"ALDDT", "", 40}, {"PRD", "ALDDT", 40}, {"LAN", "PRD", 40}, {"FTTH", "", 30}}

// basicsSessions makes a session of each of these courses, and says their keys; that of PRD is there already.
func (w *world) basicsSessions() (keys []string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for _, c := range basicsCourses {
			if c.key == w.session.CourseKey {
				keys = append(keys, w.session.Key)
				continue
			}
			keys = append(keys, c.key+"-7")
			if _, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
				Key: c.key + "-7", CourseKey: c.key, Title: catalog.Text{EN: "Course " + c.key, FR: "Cours " + c.key}, Platform: "fun", ThresholdPPM: 500_000, Kind: catalog.Spoc,
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return keys
}

// basics publishes the program "Networks basics" and an edition of it that opens one course a month from a date, at 100,000 XOF.
func (w *world) basics(starts time.Time) (e programs.Edition, o offers.Offer) {
	w.t.Helper()
	sessions := w.basicsSessions()
	content := programs.Content{
		Title: catalog.Text{EN: "Networks basics", FR: "Bases des réseaux"}, Summary: catalog.Text{EN: "From the copper pair to the fibre.", FR: "De la paire de cuivre à la fibre."},
		Language: "fr", Organisations: []string{"IMT", "ESP"},
	}
	plan := programs.EditionPlan{Program: "BASICS", Lang: "fr", Partner: "ESP Dakar", StartsAt: &starts}
	for i, c := range basicsCourses {
		rule := &programs.CourseRule{Key: c.key, WorkloadHours: c.hours, ECTSHundredths: 150}
		if c.after != "" {
			rule.After = []string{c.after}
		}
		if c.key == "FTTH" {
			rule.Equivalents = []programs.Equivalence{{Key: "FIBRE", Certified: true}}
		}
		content.Parts = append(content.Parts, programs.Node{Course: rule})
		plan.Sessions = append(plan.Sessions, programs.SessionPlan{Session: sessions[i], Opening: programs.Monthly})
	}
	plan.Sessions[3].Opening = programs.AfterPrevious
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if _, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "FIBRE-1", CourseKey: "FIBRE", Title: catalog.Text{EN: "The old course of fibres"}, Platform: "fun", ThresholdPPM: 500_000}); err != nil {
			return err
		}
		if _, err := programs.SaveDraftTx(ctx, tx, "BASICS", content, programs.New); err != nil {
			return err
		}
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if _, err := programs.MoveProgramTx(ctx, tx, "BASICS", to, "read", 0); err != nil {
				return err
			}
		}
		if _, err := programs.PutEditionTx(ctx, tx, "BASICS-1", plan, programs.New); err != nil {
			return err
		}
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if e, err = programs.MoveEditionTx(ctx, tx, "BASICS-1", to, "", 0); err != nil {
				return err
			}
		}
		o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Edition: e.ID, Formula: offers.Qualifying, Price: money.Of(100_000, "XOF")})
		return err
	})
	return e, o
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		_, o := w.basics(w.h.DB.Now().AddDate(0, -1, 0))
		w.follows(staff, o, "follows-basics")
		return map[string]string{
			"/programs/:key": "/programs/BASICS", "/learning/programs/:edition": "/learning/programs/BASICS-1", "/console/programs/:key": "/console/programs/BASICS",
			"/console/editions/new": "/console/editions/new?program=BASICS", "/console/editions/:key": "/console/editions/BASICS-1",
		}
	})
}

// keys sends keys to whatever has the focus.
func (b tab) keys(keys string) { b.t.Helper(); b.do(chromedp.KeyEvent(keys)) }

// ask evaluates an expression that changes nothing in the page.
func ask[T any](b tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// reach presses Tab until a control has the focus.
func (b tab) reach(css string) {
	b.t.Helper()
	for range 250 {
		if ask[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, css)) {
			return
		}
		b.keys(kb.Tab)
	}
	b.t.Fatalf("no Tab leads to %s, at %s", css, ask[string](b, `location.href + " " + document.body.innerText.slice(0, 2000)`))
}

// follow presses a key that leads to another page, and waits for that.
func (b tab) follow(key, then string) {
	b.t.Helper()
	b.arrives(func() { b.keys(key) }, then)
}

func (b tab) arrives(act func(), then string) {
	b.t.Helper()
	ask[bool](b, `window.left = true`)
	act()
	for range 400 {
		v, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](fmt.Sprintf(`!window.left && document.readyState === "complete" && !!document.querySelector(%q)`, then)))
		if err == nil && v {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	b.t.Fatalf("no page with %s came, but %s", then, ask[string](b, `location.href + " " + document.body.innerText.slice(0, 4000)`))
}

// types goes to a field and types there.
func (b tab) types(css, text string) { b.t.Helper(); b.reach(css); b.keys(text) }

// "Networks basics" of the paper, and an edition of it that opens one course a month, by keyboard alone, up to what the public sees.
func TestAProgramIsBuiltByKeyboardAlone(t *testing.T) {
	w, mails := newSite(t)
	w.basicsSessions()
	b := newTabFor(t, 6*time.Minute)
	w.staffTab(b, mails, "officer@example.org")
	b.open(w.cfg.BaseURL + "/console/programs")
	b.reach("a[href='/console/programs/new']")
	b.follow(kb.Enter, "#builder")
	if at := ask[string](b, `document.activeElement.id`); at != "program" {
		t.Error("a new program begins at", at)
	}
	b.keys("NETB")
	b.types("#title_en", "Networks basics")
	b.types("#title_fr", "Bases des réseaux")
	b.reach("details summary")
	b.keys(" ")
	b.types("#organisations", "IMT\rESP")
	for i, n := range []int{0, 2, 1, 3} { // in a wrong order, to be moved
		c := basicsCourses[n]
		b.reach("#add-course")
		b.follow(kb.Enter, fmt.Sprintf("#key%d", i))
		if at := ask[string](b, `document.activeElement.id`); at != fmt.Sprintf("key%d", i) {
			t.Errorf("after a line was added the keyboard is at %q", at)
		}
		b.keys(c.key)
		b.types(fmt.Sprintf("#hours%d", i), fmt.Sprint(c.hours))
		b.types(fmt.Sprintf("#ects%d", i), "1.5")
		b.types(fmt.Sprintf("#after%d", i), c.after)
	}
	b.reach("#up2")
	b.follow(" ", "#up1")
	if at := ask[string](b, `document.activeElement.id`); at != "up1" {
		t.Errorf("after a line was moved the keyboard is at %q", at)
	}
	b.reach("#optional3") // by arrows, there and back
	b.keys(kb.ArrowDown + kb.ArrowUp)
	b.seen("program-written")
	b.reach("#save")
	b.follow(kb.Enter, "p.notice.good")
	b.shows("150 h", "6.00")
	b.seen("program-built")
	b.axeEverywhere("the builder")
	b.types("#note", "Please read.")
	b.reach("#to-review")
	b.follow(kb.Enter, "#to-published")
	b.reach("#to-published")
	b.follow(kb.Enter, "a[href='/console/editions/new?program=NETB']")
	w.buildsAnEdition(b)
	var p programs.Program
	var e programs.Edition
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if p, err = programs.PublicProgramTx(ctx, tx, "NETB"); err != nil {
			return err
		}
		e, err = programs.EditionTx(ctx, tx, "NETB-7")
		return err
	})
	courses := p.Published.Courses()
	for i, c := range basicsCourses {
		if got := courses[i]; got.Key != c.key || strings.Join(got.After, " ") != c.after || got.WorkloadHours != c.hours || got.ECTSHundredths != 150 || got.Optional {
			t.Errorf("course %d: %+v", i, got)
		}
		if s := e.Sessions[i]; s.CourseKey != c.key || s.Opening != programs.Monthly {
			t.Errorf("session %d: %+v", i, s)
		}
	}
	if p.Published.Totals().WorkloadHours != (programs.Span{Min: 150, Max: 150}) || !slices.Equal(p.Published.Organisations, []string{"IMT", "ESP"}) || p.Published.Title.FR != "Bases des réseaux" {
		t.Errorf("%+v", p.Published)
	}
	if e.State != catalog.Published || e.Version != 1 || e.Partner != "ESP Dakar" || e.StartsAt == nil || !e.StartsAt.Equal(time.Date(2027, 1, 5, 8, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", e)
	}
	b.open(w.cfg.BaseURL + "/programs/NETB")
	b.shows("Networks basics", "NETB-7", "ESP Dakar", "150 h")
	b.seen("program-public")
	w.verify()
}

func (w *world) buildsAnEdition(b tab) {
	w.t.Helper()
	b.reach("a[href='/console/editions/new?program=NETB']")
	b.follow(kb.Enter, "#edition")
	b.types("#edition", "NETB-7")
	b.types("#partner", "ESP Dakar")
	b.reach("#starts_at")
	b.keys("01052027" + kb.Tab + "0800AM")
	for i := range basicsCourses {
		b.reach(fmt.Sprintf("#opening%d", i))
		b.keys(kb.ArrowDown + kb.ArrowDown)
	}
	b.reach("#save")
	b.follow(kb.Enter, "p.notice.good")
	b.seen("edition-built")
	b.axeEverywhere("the edition")
	b.reach("#to-review")
	b.follow(kb.Enter, "#to-published")
	b.reach("#to-published")
	b.follow(kb.Enter, "#to-archived")
}
