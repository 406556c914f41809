package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/lms"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/openedxdouble"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport/api/apitest"
)

const courseKey = "course-v1:IMT+PRD+9"

// onPlatform gives the session of the world a course on its platform.
func (w *world) onPlatform() {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, w.session.ID)
		if err != nil {
			return err
		}
		n := s.Says()
		n.PlatformKey = courseKey
		_, err = catalog.PutSessionTx(ctx, tx, s.ID, n, 0)
		return err
	})
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		off := false // nobody is called
		if _, err := w.h.LMS.Put(system, "fun", 0, lms.NewPlatform{BaseURL: "https://lms.example.org", Auth: lms.APIKey, Secret: "secret", Enabled: &off, Modes: map[string]string{"QUALIFYING": "verified"}}); err != nil {
			w.t.Fatal(err)
		}
		return map[string]string{"/console/platforms/:key": "/console/platforms/fun"}
	})
}

func newDouble(t *testing.T) (d *openedxdouble.Double, address string) {
	t.Helper()
	d, err := openedxdouble.Open(openedxdouble.Config{ClientID: "cursus", ClientSecret: "client secret", Worker: "worker"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return d, strings.TrimPrefix(server.URL, "http://")
}

// An officer adds a platform; a learner takes the free formula, has no account there and is told so; she buys, her account appears, and the
// platform says what she paid for; a refund takes it back. The officer sees each of these and has it told now.
func TestALearningPlatformInABrowser(t *testing.T) {
	double, at := newDouble(t)
	w, mails := newSite(t, at)
	w.onPlatform()
	officer := newTab(t)
	w.staffTab(officer, mails, "staff@example.org")
	officer.open(w.cfg.BaseURL + "/console/platforms")
	officer.shows("There is no platform.")
	officer.axeEverywhere("no platform")
	officer.fill("input[name=key]", "fun")
	officer.fill("input[name=base_url]", "http://10.1.2.3")
	officer.fill("input[name=client_id]", "cursus")
	officer.fill("input[name=secret]", "client secret")
	officer.press("section[aria-labelledby=make] form button", "#faults")
	officer.shows("/base_url", "CURSUS_LMS_INSIDE")
	officer.do(chromedp.SetValue(chromedp.CSS("input[name=base_url]"), "http://"+at), chromedp.SetValue(chromedp.CSS("input[name=calls_per_minute]"), "6000"))
	officer.fill("input[name=secret]", "client secret")
	officer.press("section[aria-labelledby=make] form button", "#told")
	officer.shows("fun", "There is none.")

	learner := newTab(t)
	zoe := w.person("zoe@example.org", "Zoé")
	o := w.order(zoe.ID, w.free, "free")
	id := w.becomes(o, sales.Paid).Lines[0].Enrolment()
	told := func(what string, s lms.State, mode string) {
		t.Helper()
		var x lms.Sync
		w.until(what, func() bool {
			w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
				x, err = lms.SyncTx(ctx, tx, id)
				if err == lms.ErrNoSync { //nolint:errorlint // it is told bare
					err = nil
				}
				return err
			})
			return x.State == s && (s != lms.Confirmed || x.Mode == mode)
		})
	}
	told("no account", lms.Waiting, "")
	w.signIn(learner, mails, "zoe@example.org")
	learner.open(w.cfg.BaseURL + "/learning?lang=en")
	learner.shows("You have no account on the platform with the address zoe@example.org yet.")
	learner.axeEverywhere("no account on the platform")
	learner.open(w.cfg.BaseURL + "/learning?lang=fr")
	learner.shows("Créez-en un")

	officer.open(w.cfg.BaseURL + "/console/platforms/fun?state=waiting")
	officer.shows("PRD-9", "There is no account", "without an account (1)")
	officer.seen("console-platform")
	officer.axeEverywhere("a platform")
	double.Register("zoe_there", "other@example.org")
	officer.fill("#u-"+id, "zoe_there")
	officer.press("button[value=one]", "#told")
	told("with the username that the officer knows", lms.Confirmed, "audit")
	paid := w.order(zoe.ID, w.paid, "paid")
	w.pay(paid, visa)
	w.becomes(paid, sales.Paid)
	told("what she paid for", lms.Confirmed, "verified")
	learner.open(w.cfg.BaseURL + "/learning?lang=en")
	learner.do(chromedp.WaitNotPresent(".enrolment .notice[role=status]"))
	if _, err := w.h.Sales.Refund(system, sales.RefundOrder{OrderID: paid.ID, Reason: "test", IdempotencyKey: "back"}); err != nil {
		t.Fatal(err)
	}
	told("a refund", lms.Confirmed, "audit")
	if e, there := double.Of("other@example.org", courseKey); !there || e.Mode != "audit" || !e.Active {
		t.Error(e)
	}
	double.Put(openedxdouble.Enrolment{User: "zoe_there", Course: courseKey, Mode: "audit"})              // somebody ends it there
	if _, err := testkit.Owner(t, w.dsn).ExecContext(system, "delete from lms.comparisons"); err != nil { // whenever the house compared by itself
		t.Fatal(err)
	}
	if n, err := w.h.LMS.AskNightly(system); err != nil || n != 1 {
		t.Error(n, err)
	}
	w.quiet()
	officer.open(w.cfg.BaseURL + "/console/platforms/fun?lang=en")
	officer.shows("What it lists otherwise", "zoe_there")
	officer.axeEverywhere("a platform that lists otherwise")
	officer.press("section[aria-labelledby=differ] button[value=one]", "#told")
	w.until("what was ended there is there again", func() bool { e, _ := double.Of("other@example.org", courseKey); return e.Active })
	officer.open(w.cfg.BaseURL + "/console/platforms?lang=fr")
	officer.shows("Plateformes d’apprentissage", "répond")
	officer.axeEverywhere("platforms")
	w.verify()
}

// lmsStory adds a platform that nobody can reach, so that what waits for it can be asked about.
func (w *world) lmsStory(t *testing.T, walker *apitest.Walker, learner, staff, stranger string) {
	t.Helper()
	ask := func(operation string, status int, token string, change func(r *apitest.Request)) (a apitest.Answer) {
		t.Helper()
		r := walker.Example(operation)
		r.Token, r.Query = token, ""
		if change != nil {
			change(&r)
		}
		if a = walker.Do(t, r); a.Status != status {
			t.Errorf("%s: %d, not %d\n%.500s", operation, a.Status, status, a.Body)
		}
		return a
	}
	header := func(value string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set("If-Match", value) }
	}
	body := func(text string) func(*apitest.Request) { return func(r *apitest.Request) { r.Body = []byte(text) } }
	w.onPlatform()
	for _, bad := range []string{"http://lms.school.org", "https://127.0.0.1", "https://metadata.internal"} {
		ask("putLMSPlatform", 400, staff, body(`{"base_url":"`+bad+`","auth":"api_key","secret":"k","modes":{}}`))
	}
	ask("putLMSPlatform", 404, staff, header(`"7"`))
	tag := ask("putLMSPlatform", 200, staff, header("*")).Header.Get("ETag")
	ask("putLMSPlatform", 200, staff, header(tag))
	ask("putLMSPlatform", 412, staff, header(tag))
	var p lms.Platform
	if ask("getLMSPlatform", 200, staff, nil).JSON(t, &p); p.Counts.Pending < 1 || p.Modes["QUALIFYING"] != "verified" || p.PerMinute != 40 {
		t.Errorf("%+v", p)
	}
	w.quiet()
	var page struct {
		Platforms  []lms.Platform
		Enrolments []lms.Sync
	}
	if ask("listLMSPlatforms", 200, staff, nil).JSON(t, &page); len(page.Platforms) != 1 || page.Platforms[0].Failure != "no_such_host" {
		t.Errorf("%+v", page)
	}
	if ask("listLMSEnrolments", 200, staff, nil).JSON(t, &page); int64(len(page.Enrolments)) != p.Counts.Pending || page.Enrolments[0].State != lms.Pending || page.Enrolments[0].WantedMode != "verified" {
		t.Errorf("%+v", page)
	}
	var x lms.Sync
	if ask("getLMSEnrolment", 200, learner, nil).JSON(t, &x); x.Failure != "no_such_host" || x.Detail != "" || x.DueAt == nil || x.DueAt.Sub(w.clock.Now()) > time.Minute {
		t.Errorf("%+v", x)
	}
	ask("getLMSEnrolment", 200, staff, nil)
	ask("getLMSEnrolment", 404, stranger, nil)
	var mine struct {
		Enrolments []struct {
			State string `json:"lms_state"`
		}
	}
	ask("listEnrolments", 200, learner, nil).JSON(t, &mine)
	known := 0
	for _, e := range mine.Enrolments {
		if e.State == "pending" {
			known++
		}
	}
	if known != 1 {
		t.Errorf("%+v", mine)
	}
	var differences struct{ Differences []lms.Difference }
	if ask("listLMSDifferences", 200, staff, nil).JSON(t, &differences); differences.Differences == nil || len(differences.Differences) != 0 {
		t.Errorf("%+v", differences)
	}
	ask("retryLMSEnrolment", 200, staff, nil)
	ask("retryLMSEnrolment", 404, staff, func(r *apitest.Request) {
		r.Path["enrolment"] = "enr_00000000000000000000000000"
	})
	var retried struct{ Enrolments int }
	if ask("retryLMSPlatform", 200, staff, nil).JSON(t, &retried); retried.Enrolments != int(p.Counts.Pending) {
		t.Error(retried)
	}
	w.quiet()
}

// opensThrough has a learning platform told of a free formula while the process dies between its answer and our note of it: it is told again,
// and what it did once is done once.
func (p *program) opensThrough() {
	p.t.Helper()
	place, who := "lms told", p.become("opened@example.org")
	p.platform.Register("opened", who.Email)
	p.onPlatform()
	if _, err := p.h.LMS.Put(system, "fun", 0, lms.NewPlatform{
		BaseURL: "http://" + p.cfg.LMSInside[0], Auth: lms.OAuth2, ClientID: "cursus", Secret: "client secret", Modes: map[string]string{"DISCOVERY": "audit"}, // of whom nobody is there yet
	}); err != nil {
		p.t.Fatal(err)
	}
	p.start(place)
	if status, _ := p.post("/v1/orders", "k", fmt.Sprintf(`{"offer_id":%q,"lang":"en"}`, p.free.ID)); status != http.StatusCreated {
		p.t.Fatalf("%s: the order is answered %d", place, status)
	}
	p.dies(place)
	e, there := p.platform.Of(who.Email, courseKey)
	calls, _ := p.platform.Calls()
	if !there || !e.Active {
		p.t.Fatalf("%s: %+v", place, e)
	}
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error { // as after two minutes, for which the dead worker still has it
		_, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "update lms.platforms set busy_until = now()"})
		return err
	})
	p.start("")
	p.until("it is confirmed", func() bool {
		now, err := p.h.LMS.Platform(system, "fun")
		return err == nil && now.Counts.Confirmed == 1
	})
	p.quiet()
	if now, changes := p.platform.Calls(); len(now) < len(calls)+2 || changes != 1 {
		p.t.Errorf("%s: %d calls, then %d, and %d changes", place, len(calls), len(now), changes)
	}
	p.stop()
}
