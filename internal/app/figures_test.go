package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/programs"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// figuresAsked is what figures can be asked with in the world of the tests.
func (w *world) figuresAsked(d analytics.Definition) url.Values {
	q := url.Values{}
	for _, p := range d.Params {
		switch {
		case d.ID == "sequence_flow" && p.ID == "sessions":
			w.other()
			q.Set(p.ID, w.session.Key+","+otherSession)
		case p.ID == "session" || p.ID == "other":
			q.Set(p.ID, w.session.Key)
		case p.ID == "enrolment":
			q.Set(p.ID, w.anEnrolment())
		case p.ID == "program":
			q.Set(p.ID, w.aProgram())
		case p.ID == "partner":
			q.Set(p.ID, w.aPartner())
		case p.Required && p.Instant:
			q.Set(p.ID, "2018-10-31")
		case p.Required && p.Of != nil:
			q.Set(p.ID, p.Of[0])
		case p.Required:
			q.Set(p.ID, w.session.Key)
		}
	}
	return q
}

// otherSession is a session in which nobody is.
const otherSession = "OTHER-1"

// other makes it where it is not there yet.
func (w *world) other() {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.SessionTx(ctx, tx, otherSession)
		if errors.Is(err, catalog.ErrNoSession) {
			_, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: otherSession, CourseKey: "OTHER", Title: catalog.Text{EN: "Another"}, Platform: "fun", ThresholdPPM: 500_000})
		}
		return err
	})
}

// aProgram is a draft of one that nobody bought.
func (w *world) aProgram() string {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := programs.SaveDraftTx(ctx, tx, "SEEN", programs.Content{Title: catalog.Text{EN: "Seen", FR: "Vu"}, Language: "en"}, 0)
		return err
	})
	return "SEEN"
}

// aPartner is some organisation.
func (w *world) aPartner() string {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "SEEN", "Seen")
	})
	return "SEEN"
}

// anEnrolment is the first one of the session.
func (w *world) anEnrolment() (id string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &id, postgres.Query{Name: "test", SQL: "select min(enrolment_id) from journey.enrolments where session_id = $1"}, w.session.ID)
	})
	return id
}

// figuresStory asks for every figure, as JSON and as a file, and for who stands behind a number.
func (w *world) figuresStory(t *testing.T, walker *apitest.Walker, staff string) {
	t.Helper()
	s := &asker{t: t, w: walker, token: staff}
	if all := s.ask(200, "listFigures", nil, nil, query("limit=200"))["figures"].([]any); len(all) != len(analytics.Definitions()) {
		t.Error(len(all), "figures are listed")
	}
	for _, d := range analytics.Definitions() {
		var pairs []string
		for name, v := range w.figuresAsked(d) {
			pairs = append(pairs, name+":"+v[0])
		}
		with := url.Values{}
		if len(pairs) > 0 {
			with.Set("parameters", strings.Join(pairs, ";"))
		}
		at := map[string]string{"figure": d.ID}
		f := s.ask(200, "getFigure", at, nil, query(with.Encode()))
		if f["id"] != d.ID || f["version"] != float64(d.Version) {
			t.Errorf("%s answers %v", d.ID, f["id"])
		}
		r := walker.Example("exportFigure")
		r.Token, r.Path["figure"], r.Query = staff, d.ID, with.Encode()
		a := walker.Do(t, r)
		if rows := len(f["rows"].([]any)); a.Status != 200 || strings.Count(string(a.Body), "\n") != rows+1 || !strings.HasPrefix(string(a.Body), "figure,version,basis,") {
			t.Errorf("%s as a file: %d, not %d rows:\n%.400s", d.ID, a.Status, rows, a.Body)
		}
	}
	asked := func(with string) func(*apitest.Request) { return query(url.Values{"parameters": {with}}.Encode()) }
	at := map[string]string{"figure": "exercise_quality"}
	s.ask(400, "getFigure", at, nil, asked("session:"+w.session.Key+";mode:first_done"))
	s.ask(400, "getFigure", at, nil, asked("session:"+w.session.Key+";session:"+w.session.Key))
	s.ask(400, "getFigure", map[string]string{"figure": "temporal_progression"}, nil, asked("session:"+w.session.Key+";mode:last"))
	s.ask(404, "getFigure", at, nil, asked("session:NONE-1"))
	listed := s.ask(200, "listListedLearners", map[string]string{"list": "paid_silent"}, nil, query("limit=1&session="+w.session.Key))["learners"].([]any)
	if n := len(listed); n > 1 {
		t.Errorf("a page of one has %d", n)
	}
	s.ask(404, "listListedLearners", map[string]string{"list": "paid_silently"}, nil)
	s.ask(404, "listListedLearners", map[string]string{"list": "paid_silent"}, nil, query("session=NONE-1"))
	who := s.ask(200, "listExerciseLearners", map[string]string{"session": w.session.Key}, nil, query(url.Values{"exercise": {firstExercise}}.Encode()))["learners"].([]any)
	if len(who) != 1 || who[0].(map[string]any)["name"] != "Zoé N’Diaye 🎓" {
		t.Errorf("behind the exercise: %v", who)
	}
	succeeded := s.ask(200, "listExerciseLearners", map[string]string{"session": w.session.Key}, nil, query("stage=succeeded"))["learners"].([]any)
	if len(succeeded) != 1 || succeeded[0].(map[string]any)["enrolment_id"] != who[0].(map[string]any)["enrolment_id"] {
		t.Errorf("behind the grade: %v", succeeded)
	}
	for _, wrong := range []string{"", "stage=started", "exercise=HW+01&stage=succeeded"} {
		s.ask(400, "listExerciseLearners", map[string]string{"session": w.session.Key}, nil, query(wrong))
	}
	s.ask(404, "listExerciseLearners", map[string]string{"session": w.session.Key}, nil, query("exercise=HW+99"))
}

// firstExercise is the one that the learner of the tests did.
const firstExercise = "Homework 1: Week 1"

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		var pages []string
		for _, d := range analytics.Definitions() { // one of each kind: the page is the same for all
			if slices.Contains([]string{"temporal_progression", "qualifying", "dual_matrix", "bilan", "indicators", "comparison", "sequence_flow"}, d.ID) {
				pages = append(pages, "/staff/figures/"+d.ID+"?"+w.figuresAsked(d).Encode())
			}
		}
		first := "/staff/figures/exercise_quality/file.csv?session=" + w.session.Key
		return map[string]string{
			"/staff/sessions/:key": "/staff/sessions/" + w.session.Key, "/staff/programs/:key": "/staff/programs/BASICS", "/staff/partners/:key": "/staff/partners/ESP",
			"/partners/:key/figures": "/partners/ESP/figures",
			"/staff/figures/:figure": strings.Join(pages, " "), "/staff/figures/:figure/file.:format": first,
			"/staff/figures/learners": "/staff/figures/learners?" + url.Values{"session": {w.session.Key}, "exercise": {firstExercise}}.Encode() + " /staff/figures/learners?stage=succeeded&session=" + w.session.Key + " /staff/figures/learners?list=paid_silent&of=all",
		}
	})
}

// A figure is drawn where there is a script, its marks lead to the learners behind them by mouse and by keyboard, and the table says the same
// where there is none; on a phone nothing is wider than the page. What the browser complains of (a policy that forbids something) fails.
func TestEveryFigureInABrowser(t *testing.T) {
	w, mails := newSite(t)
	b := newTabFor(t, 90*time.Second)
	staff := w.staffTab(b, mails, "officer@example.org")
	w.certified(staff.ID)
	page := w.cfg.BaseURL + "/staff/figures/temporal_progression?session=" + w.session.Key
	b.open(page + "&lang=en")
	for _, width := range []int64{390, 1200} { // a phone draws too
		b.do(chromedp.EmulateViewport(width, 900), chromedp.WaitVisible(chromedp.CSS(".plotted svg a circle")))
	}
	b.seen("figure-bubbles")
	// A figure is drawn anew where the width changes: it is clicked when its marks stand still.
	b.do(chromedp.Poll[chromedp.Void](`(() => { const at = document.querySelector(".plotted svg a circle").getBoundingClientRect(), now = at.x + "," + at.y; return [window.stood, window.stood = now][0] === now })()`, chromedp.WithPollingInterval(300*time.Millisecond)))
	b.arrives(func() { b.do(chromedp.Click(chromedp.CSS(".plotted svg a circle"))) }, "table tbody th")
	b.shows("Staff Member")
	b.open(page + "&lang=fr")
	b.do(chromedp.WaitVisible(chromedp.CSS(".plotted svg a circle")))
	b.shows("Progression temporelle", "n = ", "100,0")
	looked := map[string]bool{}
	for _, d := range analytics.Definitions() {
		b.open(w.cfg.BaseURL + "/staff/figures/" + d.ID + "?lang=en&" + w.figuresAsked(d).Encode())
		if drawn := ask[int](b, `document.querySelectorAll("[data-plot]").length`); drawn > 0 {
			b.do(chromedp.WaitVisible(chromedp.CSS(".plotted svg")))
			b.nothingIsCut(d.ID)
		}
		b.fitsPaper(d.ID)
		if kinds := fmt.Sprint(kindsOf(b)); !looked[kinds] || os.Getenv("CURSUS_SHOTS") != "" {
			looked[kinds] = true
			b.seen("figure-" + d.ID)
		}
	}
	b.open(w.cfg.BaseURL + "/staff/figures/outcome_cube?lang=fr&by=" + strings.Join(analytics.Dimensions, ","))
	b.shows("Coût par certifié")
	b.shows("QUALIFYING · " + w.session.Key) // an offer is said in words
	b.fitsPaper("the cube along all dimensions")
}

// kindsOf are the drawings of the open page.
func kindsOf(b tab) string {
	b.t.Helper()
	return ask[string](b, `[...new Set([...document.querySelectorAll("script[type='application/json']")].map(s => JSON.parse(s.textContent).kind))].join()`)
}
