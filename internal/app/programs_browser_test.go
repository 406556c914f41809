package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
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
			"/programs/:key": "/programs/BASICS", "/editions/:key": "/editions/BASICS-1", "/console/formulas/:key": "/console/formulas/QUALIFYING", "/learning/programs/:edition": "/learning/programs/BASICS-1", "/console/programs/:key": "/console/programs/BASICS",
			"/console/editions/new": "/console/editions/new?program=BASICS", "/console/editions/:key": "/console/editions/BASICS-1",
		}
	})
}

// keys sends keys to whatever has the focus.
func (b tab) keys(keys string) { b.t.Helper(); b.do(chromedp.KeyEvent(keys)) }

// ask evaluates an expression that changes nothing in the page.
func ask[T any](b tab, expression string) T {
	b.t.Helper()
	v, err := drive(b, chromedp.Evaluate[T](expression))
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
	// A page gives the keyboard to the field that asks for it with a frame that it paints, after it is complete.
	for range 80 {
		if ask[bool](b, `!document.querySelector("[autofocus]") || document.activeElement !== document.body`) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	b.t.Fatal("nothing got the keyboard on the page with", then)
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
	if e.State != catalog.Published || e.Version != 1 || e.Partner != "ESP Dakar" || e.StartsAt == nil || !e.StartsAt.Equal(time.Date(2027, 1, 5, 7, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", e)
	}
	w.offersTheEdition(b)
	b.open(w.cfg.BaseURL + "/programs/NETB")
	b.shows("Networks basics", "NETB-7", "ESP Dakar", "150 h", "100,000")
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

// offersTheEdition offers it for 100,000 XOF, by keyboard alone too.
func (w *world) offersTheEdition(b tab) {
	w.t.Helper()
	b.open(w.cfg.BaseURL + "/console/offers")
	b.reach("input[name=kind]")
	b.keys(kb.ArrowDown)
	b.types("#on", "NETB-7")
	b.reach("#formula")
	b.keys("QUAL")
	b.types("#amount", "100000")
	b.reach("#currency")
	b.keys("XOF")
	b.reach("#publication")
	b.keys("on sale")
	b.seen("offer-written")
	b.reach("main form[action='/console/offers'] button:not(.plain)")
	b.follow(kb.Enter, "table.edit")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := programs.EditionTx(ctx, tx, "NETB-7")
		if err != nil {
			return err
		}
		all, err := offers.ForTx(ctx, tx, e.ID, "")
		if err == nil && (len(all) != 1 || all[0].Price != money.Of(100_000, "XOF") || all[0].Formula != offers.Qualifying) {
			w.t.Errorf("%+v", all)
		}
		return err
	})
}

func (w *world) draft(key string) (p programs.Program) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = programs.ProgramTx(ctx, tx, key)
		return err
	})
	return p
}

// Two officers edit one program at once. The second sees what the first changed, keeps his own words, and saves both; he does not publish what
// he has not read either.
func TestTwoEditorsOfAProgram(t *testing.T) {
	w, mails := newSite(t)
	w.basics(w.h.DB.Now())
	first, second := w.twoEditors(t, mails)
	page := w.cfg.BaseURL + "/console/programs/BASICS"
	first.open(page)
	second.open(page)
	first.set("hours1", "45")
	first.set("title_en", "Basics of networks")
	first.press("#remove3", "#add-course")
	first.follow(kb.Enter, "#key3") // the keyboard stands on "Add a course"
	first.keys("FIBRE")
	first.types("#hours3", "20")
	first.press("#save", "p.notice.good")
	second.set("title_en", "My own title")
	second.set("hours0", "41")
	second.press("#up3", "#key0")
	second.press("#save", "#clashes")
	second.shows("Basics of networks", "My own title", "Hours of work", "PRD", "FIBRE", "Staff Member")
	second.seen("program-conflict")
	second.axeEverywhere("the conflict of a program")
	second.press("#save", "p.notice.good")
	var got []string
	p := w.draft("BASICS")
	for _, c := range p.Draft.Courses() {
		got = append(got, fmt.Sprint(c.Key, " ", c.WorkloadHours))
	}
	if p.Draft.Title.EN != "My own title" || !slices.Equal(got, []string{"ALDDT 41", "PRD 45", "LAN 40", "FIBRE 20"}) {
		t.Errorf("after both saved: %q %v", p.Draft.Title.EN, got)
	}
	first.open(page)
	second.open(page)
	first.set("title_en", "A third title")
	first.press("#save", "p.notice.good")
	second.set("note", "good as it is")
	second.press("#to-review", "#clashes")
	second.shows("A third title")
	if note := ask[string](second, `document.getElementById("note").value`); note != "good as it is" || w.draft("BASICS").State != catalog.Drafted {
		t.Errorf("the note %q, the state %s", note, w.draft("BASICS").State)
	}
	first.open(page)
	second.open(page)
	first.set("title_en", "A fourth title")
	first.press("#save", "p.notice.good")
	second.set("hours0", "many")
	second.press("#save", "#faults") // what is wrong with the form does not hide that somebody else saved
	second.shows("A whole number.", "A fourth title", "Staff Member saved this program meanwhile")
	second.axeEverywhere("a fault and a conflict of a program")
	second.seen("program-fault-and-conflict")
	second.set("hours0", "42")
	second.press("#save", "#conflict")
	second.press("#save", "p.notice.good")
	if d := w.draft("BASICS").Draft; d.Title.EN != "A fourth title" || d.Courses()[0].WorkloadHours != 42 {
		t.Errorf("%+v", d)
	}
	edition := w.cfg.BaseURL + "/console/editions/BASICS-1"
	first.open(edition)
	second.open(edition)
	first.set("partner", "ESP, Dakar")
	first.press("#save", "p.notice.good")
	second.set("capacity", "30")
	second.press("#save", "#clashes")
	second.shows("ESP, Dakar")
	second.axeEverywhere("the conflict of an edition")
	second.seen("edition-conflict")
	second.press("#save", "p.notice.good")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := programs.EditionTx(ctx, tx, "BASICS-1")
		if err == nil && (e.Partner != "ESP, Dakar" || e.Capacity == nil || *e.Capacity != 30 || len(e.Sessions) != 4) {
			t.Errorf("%+v", e)
		}
		return err
	})
	w.verify()
}

func (b tab) order() string {
	b.t.Helper()
	return ask[string](b, `[...document.querySelectorAll("[data-row]")].map(r => r.querySelector("[name=key]").value + ":" + r.querySelector("[name=depth]").value).join(" ")`)
}

// drag takes the line at a place by its head and lets it go over another one, so many per cent of its height from above; then the lines
// stand as is said. Each case begins with the lines of the one before.
func (b tab) drag(from, to, share int, what, then string) {
	b.t.Helper()
	at := ask[[]float64](b, fmt.Sprintf(`(() => {
		const row = (n) => document.querySelector("li[data-row]:nth-child(" + n + ")");
		const head = row(%d).querySelector("legend").getBoundingClientRect(), over = row(%d).getBoundingClientRect();
		return [head.left + 20, head.top + head.height / 2, over.left + 40, over.top + over.height * %d / 100];
	})()`, from, to, share))
	b.do(chromedp.DragAndDropXY(at[0], at[1], at[2], at[3]))
	if got := b.order(); got != then {
		b.t.Fatalf("after dragging %s: %s, not %s", what, got, then)
	}
}

// scripts switches the scripts of pages on or off.
func (b tab) scripts(on bool) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

// With a script lines are dragged and the preview follows; without one the buttons do the same. A learner sees her path.
func TestTheBuilderWithAndWithoutAScript(t *testing.T) {
	w, mails := newSite(t)
	_, o := w.basics(w.h.DB.Now().AddDate(0, -1, -1))
	b := newTabFor(t, 5*time.Minute)
	officer := w.staffTab(b, mails, "officer@example.org")
	page := w.cfg.BaseURL + "/console/programs/BASICS"
	b.open(page)
	b.press("#add-group", "#key4:focus")
	b.keys("Choice")
	b.types("#titlefr4", "Au choix")
	b.do(chromedp.EmulateViewport(1200, 3600))
	b.press("#down3", "#key4")
	b.press("#in4", "#key4")
	if got := b.order(); got != "ALDDT:0 PRD:0 LAN:0 Choice:0 FTTH:1" {
		t.Error("after a course was moved into the group:", got)
	}
	b.do(chromedp.DragAndDrop(chromedp.CSS("li[data-row]:nth-child(4) legend"), chromedp.CSS("li[data-row]:nth-child(1) legend")))
	if got := b.order(); got != "Choice:0 FTTH:1 ALDDT:0 PRD:0 LAN:0" {
		t.Error("after a course was dragged to the front:", got)
	}
	b.drag(3, 1, 80, "a course onto a group", "Choice:0 ALDDT:1 FTTH:1 PRD:0 LAN:0")
	b.drag(4, 3, 80, "a course below the last one of a group", "Choice:0 ALDDT:1 FTTH:1 PRD:1 LAN:0")
	b.drag(4, 1, 10, "a course out of a group, before it", "PRD:0 Choice:0 ALDDT:1 FTTH:1 LAN:0")
	b.drag(5, 3, 20, "a course into the middle of a group", "PRD:0 Choice:0 LAN:1 ALDDT:1 FTTH:1")
	b.drag(4, 5, 105, "a course below everything, out of the group", "PRD:0 Choice:0 LAN:1 FTTH:1 ALDDT:0")
	b.drag(3, 5, 80, "a course behind another one", "PRD:0 Choice:0 FTTH:1 ALDDT:0 LAN:0")
	b.drag(1, 4, 80, "back as it was, first", "Choice:0 FTTH:1 ALDDT:0 PRD:0 LAN:0")
	b.set("hours2", "50")
	w.until("the preview follows", func() bool {
		return ask[bool](b, `[...document.querySelectorAll("#preview li")].some(l => l.innerText.includes("50 h"))`)
	})
	b.press("li[data-row]:nth-child(3) button[value^=up]", "#key0")
	if got := b.order(); got != "ALDDT:0 Choice:0 FTTH:1 PRD:0 LAN:0" {
		t.Error("a button after a drag moved another line:", got)
	}
	b.seen("program-group")
	for typed, want := range map[string]string{"": "ALDDT", "LAN, ": "LAN, ALDDT", "ALDDT L": "ALDDT LAN"} {
		said := ask[string](b, fmt.Sprintf(`(() => {
			const field = document.getElementById("after3"), was = field.value;
			field.value = %q;
			field.dispatchEvent(new Event("input"));
			const all = [...field.list.options].map(o => o.value);
			field.value = was;
			return all.join("|");
		})()`, typed))
		if all := strings.Split(said, "|"); !slices.Contains(all, want) || slices.Contains(all, "ALDDT ALDDT") || slices.Contains(all, "LAN, LAN") {
			t.Errorf("behind %q it suggests %q", typed, all)
		}
	}
	b.scripts(false)
	b.open(page)
	b.types("#passed", "ALDDT")
	b.press("#preview-button", "#preview")
	b.shows("needs PRD to be passed")
	b.press("#up3", "#up2")
	b.scripts(true)
	w.follows(officer.ID, o, "the officer learns")
	b.open(w.cfg.BaseURL + "/learning/programs/BASICS-1")
	b.shows("Follow ALDDT", "needs ALDDT to be passed", "opens on")
	b.seen("learner-path")
	verify := "section[aria-labelledby=transcript] a[href^='/verify/']"
	b.press("#issue", verify)
	b.press(verify, "table.records")
	b.shows("This transcript is genuine", "Not begun", "In progress", "The program is not complete.")
	b.seen("transcript-verified")
	b.open(w.cfg.BaseURL + "/learning/programs")
	b.seen("learner-paths")
	b.open(w.cfg.BaseURL + "/learning")
	b.shows("needs ALDDT to be passed")
	for _, path := range []string{"/programs", "/console/programs", "/console/editions", "/search?q=RESEAUX+fibre"} {
		b.open(w.cfg.BaseURL + path)
		b.shows("Networks basics")
		b.seen("at" + strings.NewReplacer("/", "-", "?", "-", "=", "-", "+", "-").Replace(path))
	}
	w.verify()
}
