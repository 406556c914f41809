package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// wordsCut are words of drawings that stand outside the frame of their figure.
const wordsCut = `[...document.querySelectorAll(".plotted svg text")].filter(t => {
  const r = t.getBoundingClientRect(), f = t.closest("figure").getBoundingClientRect();
  return r.width > 0 && (r.right > f.right + 1 || r.left < f.left - 1);
}).map(t => t.textContent).join(", ")`

// nothingIsCut fails where a drawing of the open page loses words at its edge, on a phone or on a desktop.
func (b tab) nothingIsCut(name string) {
	b.t.Helper()
	for _, width := range []int64{390, 1200} {
		b.do(chromedp.EmulateViewport(width, 900))
		if cut := ask[string](b, wordsCut); cut != "" {
			b.t.Errorf("%s, %d px: cut are %s", name, width, cut)
		}
	}
}

// fitsPaper fails where a table of the open page loses a column at the edge of a sheet of A4.
func (b tab) fitsPaper(name string) {
	b.t.Helper()
	b.media("print")
	b.do(chromedp.EmulateViewport(717, 1000))
	if lost := ask[string](b, `[...document.querySelectorAll("main table :is(th, td)")].filter(c => c.getBoundingClientRect().right > innerWidth + 1 || (c.closest("table").classList.contains("broad") && c.scrollWidth > c.clientWidth + 1)).slice(0, 5).map(c => c.dataset.under || c.textContent).join(", ")`); lost != "" {
		b.t.Errorf("%s: paper ends before %s", name, lost)
	}
	// What stands in no column any more says what it is.
	if bare := ask[int](b, `[...document.querySelectorAll("main table.broad tbody td")].filter(c => !/[^"]/.test(getComputedStyle(c, "::before").content)).length`); bare != 0 {
		b.t.Errorf("%s: on paper %d values have no head", name, bare)
	}
	b.media("screen")
}

// Who points at a bubble reads the two shares of the paper, with what they are of and their intervals; who has a keyboard alone comes by the total
// to the learners behind it; a sequence is drawn as a flow whose ribbons say how many went where.
func TestFiguresAnswerToPointerAndKeyboard(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	staff := w.staffTab(b, mails, "officer@example.org")
	w.certified(staff.ID)
	w.other()
	at := w.cfg.BaseURL + "/staff/figures/"
	b.open(at + "temporal_progression?lang=en&session=" + w.session.Key)
	b.do(chromedp.WaitVisible(chromedp.CSS(".plotted svg a circle")))
	said := ask[string](b, `[...document.querySelectorAll(".plotted svg a")].map(a => a.querySelector("title").textContent + (a.getAttribute("aria-label") === a.querySelector("title").textContent)).join("\n")`)
	for _, want := range []string{" · 1 · Of the enrolled: 100.0% (1 of 1; 20.7% to 100.0%) · Of the active: 100.0% (1 of 1; 20.7% to 100.0%)true", " · Total · 1 · "} {
		if !strings.Contains(said, want) {
			t.Errorf("no bubble says %q:\n%s", want, said)
		}
	}
	b.shows("Succeeded (grade)", "Below each number, in this order: Of the enrolled, Of the active.")
	if !ask[bool](b, `(a => { a.focus(); return document.activeElement === a; })([...document.querySelectorAll(".plotted svg a")].find(a => a.textContent.includes("Total")))`) {
		t.Fatal("the total takes no focus")
	}
	b.arrives(func() { b.keys("\r") }, "table tbody th")
	b.shows("Staff Member")
	b.open(at + "temporal_progression?lang=fr&session=" + w.session.Key + "&as_of=" + w.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	b.do(chromedp.WaitVisible(chromedp.CSS(".plotted svg a circle")))
	if !ask[bool](b, `(a => { a.focus(); return document.activeElement === a; })([...document.querySelectorAll(".plotted svg a")].find(a => a.textContent.includes("Réussite (note)")))`) {
		t.Fatal("who succeeded by the grade takes no focus")
	}
	b.arrives(func() { b.keys("\r") }, "table tbody th")
	b.shows("Réussite (note)", "Dernière note globale", "Staff Member", "À la date du")
	if said := ask[string](b, `location.search`); !strings.Contains(said, "as_of=") || !strings.Contains(said, "stage=succeeded") {
		t.Error("the list is asked with", said)
	}
	b.open(at + "sequence_flow?lang=en&sessions=" + w.session.Key + "," + otherSession)
	b.do(chromedp.WaitVisible(chromedp.CSS(".plotted svg.flow path")))
	if got := ask[string](b, `[...document.querySelectorAll(".plotted svg.flow path title")].map(t => t.textContent).join("\n")`); got != w.session.Key+": started · "+otherSession+": not started · Started in "+w.session.Key+" · 1 · Of those on the left: 100.0% (1 of 1; 20.7% to 100.0%)" &&
		!strings.Contains(got, "Of those on the left: 100.0% (1 of 1; 20.7% to 100.0%)") {
		t.Errorf("the ribbons say %q", got)
	}
	if nodes := ask[int](b, `document.querySelectorAll(".plotted svg.flow rect").length`); nodes != 2 {
		t.Error(nodes, "nodes, not where she was and where she went")
	}
	b.nothingIsCut("the flow")
	b.open(at + "individual_path?lang=fr&enrolment=" + w.anEnrolment())
	b.do(chromedp.WaitVisible(chromedp.CSS(".plotted svg circle")))
	b.shows("Staff Member · "+w.session.Key, "Note globale") // a way says whose it is, and no word of the file
	b.axeEverywhere("the flow")
}

// What carries the costs, what lies between two dates, and who was reminded are drawn too, with the numbers of the table: where the lines of break-even
// meet is the number of learners that it says, and a bridge ends where its steps lead.
func TestMoneyAndChangeAreDrawn(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	staff := w.staffTab(b, mails, "officer@example.org")
	w.certified(staff.ID)
	at := w.cfg.BaseURL + "/staff/figures/"
	for _, x := range []struct{ at, marks, want string }{
		{"break_even?lang=en&fixed_minor=9000", ".plotted svg circle", "Net less fees: 150.00 EUR|Costs to carry: 90.00 EUR|Paying learners|Learners that carry them: 1|Paying learners: 1|100|EUR"},
		{"break_even?lang=fr&fixed_minor=45000", ".plotted svg circle", "Net moins les frais : 150,00 EUR|Coûts à porter : 450,00 EUR|Apprenants qui les portent : 3"},
		{"break_even?lang=fr&fixed_minor=18000", ".plotted svg circle", "Apprenants qui les portent : 2|Apprenants payants : 1"},
		{"change_money?lang=en&since=2018-10-31", ".plotted svg rect", "Net then|0.00 EUR|Sales|+150.00 EUR|Lost disputes|Net now|150.00 EUR"},
		{"change?lang=fr&since=2018-10-31", ".plotted svg rect", "Inscrits|Alors|Nouveaux|+1|Reprise|Maintenant"},
	} {
		b.open(at + x.at + "&session=" + w.session.Key)
		b.do(chromedp.WaitVisible(chromedp.CSS(x.marks)))
		said := ask[string](b, `[...document.querySelectorAll("figure.plot figcaption, .plotted .legend span, .plotted svg text")].map(e => e.textContent.replace(/[\u00a0\u202f]/g, " ")).join("|") + "|"`)
		for _, want := range strings.Split(x.want, "|") {
			if !strings.Contains(said, want+"|") {
				t.Errorf("%s is drawn without %q: %s", x.at, want, said)
			}
		}
		b.nothingIsCut(x.at)
		b.fitsPaper(x.at)
	}
	b.axeEverywhere("the changes")
}

// On paper a dashboard says of each figure what is counted, when, and the numbers of its drawing, whatever was folded on the screen; drawings stand
// side by side, no figure begins a page for itself, and no word is cut.
func TestADashboardOnPaper(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	staff := w.staffTab(b, mails, "officer@example.org")
	w.certified(staff.ID)
	b.open(w.cfg.BaseURL + "/staff/sessions/" + w.session.Key + "?lang=en")
	b.do(chromedp.WaitVisible(chromedp.CSS(".plotted svg")))
	ask[int](b, `document.querySelectorAll("main details").forEach(d => d.open = false) || 0`)
	b.media("print")
	if wide := ask[string](b, `(dispatchEvent(new Event("beforeprint")), [...new Set([...document.querySelectorAll(".plotted svg")].map(s => s.getAttribute("width")))].sort().join())`); wide != "330,680" {
		t.Errorf("drawings for paper are %s wide, not 330 beside another and 680 alone", wide)
	}
	for what, script := range map[string]string{
		"a table that stays folded":      `[...document.querySelectorAll("main section[aria-labelledby]")].filter(s => s.querySelector("table") && !s.querySelector("table").checkVisibility({contentVisibilityAuto: true})).length`,
		"a figure that says no meaning":  `[...document.querySelectorAll("main section[aria-labelledby]")].filter(s => !s.querySelector(".says p").checkVisibility({contentVisibilityAuto: true})).length`,
		"a figure without its time":      `[...document.querySelectorAll("main section dl.facts")].filter(d => !d.textContent.includes("UTC (now)")).length`,
		"a figure that begins a page":    `[...document.querySelectorAll("main section[aria-labelledby]")].filter(s => getComputedStyle(s).breakBefore !== "auto").length`,
		"a form or a link to go on with": `[...document.querySelectorAll("main form, main .noprint")].filter(e => e.checkVisibility()).length`,
	} {
		if n := ask[int](b, script); n != 0 {
			t.Error("on paper there is", what, n, "times")
		}
	}
	if cut := ask[string](b, wordsCut); cut != "" {
		t.Error("on paper are cut:", cut)
	}
	ask[bool](b, `dispatchEvent(new Event("afterprint"))`)
	b.media("screen")
	if ask[bool](b, `[...document.querySelectorAll(".plotted svg")].some(s => s.getAttribute("width") === "330" || s.getAttribute("width") === "680")`) {
		t.Error("after printing the screen keeps the drawings of paper")
	}
}

// Sessions of a figure are found by words and ticked, by keyboard alone; the address is a list that can be passed on, in the order of their start or in one
// that is given. Without scripts the boxes do the same.
func TestSessionsOfAFigureAreTicked(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	staff := w.staffTab(b, mails, "officer@example.org")
	w.certified(staff.ID)
	w.other()
	const last = "ZED-1" // in the catalogue; it is the only one that says when it starts
	w.later(last)
	at := w.cfg.BaseURL + "/staff/figures/"
	box := func(key string) string { return `input[name="sessions"][value="` + key + `"]` }
	b.open(at + "common_enrolment?lang=en")
	b.seen("figure-sessions")
	b.axeEverywhere("the choice of sessions")
	b.types("#f-filter", "zed ÓPTICS")
	if seen := ask[string](b, `[...document.querySelectorAll("fieldset.pick .all input")].filter(i => i.checkVisibility()).map(i => i.value).join()`); seen != last {
		t.Errorf("found among the sessions: %s", seen)
	}
	b.reach(box(last))
	b.keys(" ")
	ask[int](b, `(f => { f.value = ""; f.dispatchEvent(new Event("input")); f.focus(); return 0; })(document.getElementById("f-filter"))`)
	b.reach(box(w.session.Key))
	b.keys(" ")
	b.reach("main form button")
	b.follow("\r", "table.figure")
	if said := ask[string](b, `location.search`); said != "?basis=current&sessions="+last+","+w.session.Key+"&stage=enrolled" {
		t.Errorf("the address says %s", said)
	}
	if folded := ask[string](b, `document.querySelector("details.pick").open + " " + document.querySelector("details.pick summary").textContent`); !strings.HasPrefix(folded, "false ") || !strings.HasSuffix(folded, last+", "+w.session.Key) {
		t.Error("above the figure stands", folded)
	}
	for _, js := range []bool{true, false} {
		b.scripts(js)
		b.open(at + "common_enrolment?lang=fr&sessions=" + w.session.Key + "," + last)
		b.press("details.pick summary", box(last))
		b.press("main form button", "table.figure")
		if said := ask[string](b, `location.search`); said != "?basis=current&sessions="+w.session.Key+","+last+"&stage=enrolled" {
			t.Errorf("an order that was given is lost: %s", said)
		}
	}
	b.scripts(true)
	b.open(at + "outcome_cube?lang=fr")
	b.seen("figure-dimensions")
	b.axeEverywhere("the dimensions of the cube")
	for _, js := range []bool{false, true} { // dimensions have an order: the columns and the rows have it too
		b.scripts(js)
		b.open(at + "outcome_cube?lang=fr")
		b.do(chromedp.SetValue(chromedp.CSS("#f-by-0"), "offer"), chromedp.SetValue(chromedp.CSS("#f-by-2"), "session"))
		b.press("main form button", "table.figure")
		if said := ask[string](b, `location.search + " " + [...document.querySelectorAll("table.figure thead th")].slice(0, 2).map(h => h.textContent).join() + " " + [...document.querySelectorAll("#f-by select")].slice(0, 3).map(s => s.value).join()`); !strings.Contains(said, "by=offer,session") || !strings.HasSuffix(said, " Offre,Session offer,session,") {
			t.Errorf("the cube is asked by %s", said)
		}
	}
}
