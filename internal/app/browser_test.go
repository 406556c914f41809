package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image/png"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// newSite is a furnished world that browsers can reach; inside are addresses that webhooks may go to, and learning platforms may have.
func newSite(t *testing.T, inside ...string) (w *world, mails string) {
	t.Helper()
	w, mails = bareSite(t, inside...)
	w.furnish()
	return w, mails
}

// bareSite is a world without any course that browsers can reach, on the machine's own clock: cookies and the pay page live by it.
func bareSite(t *testing.T, inside ...string) (w *world, mails string) {
	t.Helper()
	mails = t.TempDir()
	return siteThatMails(t, mails, "file://"+mails, inside...), mails
}

// siteThatMails is bareSite with mails that go to an address; from the folder the links in them are read.
func siteThatMails(t *testing.T, mails, to string, inside ...string) (w *world) {
	t.Helper()
	w = &world{t: t, clock: clock.NewManual(clock.System{}.Now()), dsn: testkit.OwnerDSN(t)}
	site, stripe := listen(t), listen(t)
	w.stripe = "http://" + stripe.Addr().String()
	w.cfg = testConfig(w.dsn, w.stripe, mails)
	w.cfg.Mail = to
	w.cfg.BaseURL = "http://" + site.Addr().String()
	w.cfg.WebhookInside, w.cfg.OpenIDInside, w.cfg.LMSInside, w.cfg.LabInside, w.cfg.ProctorInside = inside, inside, inside, inside, inside
	var err error
	w.sandbox, err = stripesandbox.Open(stripesandbox.Config{
		PublicURL: w.stripe, Folder: t.TempDir(), SecretKey: stripeKey, WebhookURL: w.cfg.BaseURL + "/v1/webhooks/stripe", WebhookSecret: hookSecret,
		Sign: stripegate.Sign, RetryBase: 20 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	pay := &http.Server{Handler: w.sandbox, ReadHeaderTimeout: time.Second}
	go func() { _ = pay.Serve(stripe) }()
	t.Cleanup(func() { _ = pay.Close(); _ = w.sandbox.Close() })
	if w.h, err = app.Open(context.Background(), w.cfg, app.Options{}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(system)
	ended := make(chan error, 1)
	go func() { ended <- w.h.Serve(ctx, app.Serving{Contract: contract.YAML, Listen: site, Worker: true}) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = w.h.Close()
	})
	return w
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// tab is one tab of a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T) tab { t.Helper(); return newTabFor(t, 90*time.Second) }

func newTabFor(t *testing.T, most time.Duration) tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(chromedp.Headless, chromedp.NoSandbox, chromedp.NoFirstRun))
	ctx, cancelTime := context.WithTimeout(ctx, most)
	t.Cleanup(func() { cancelTime(); cancel() })
	b := tab{t, ctx}
	b.do(chromedp.EmulateViewport(1200, 900))
	b.scheme("light")
	return b
}

func (b tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, step := range steps {
		b.step(step)
	}
}

// between is what the browser says when the page that something was meant for had just been left: nothing was done.
var between = []string{"Cannot find context with specified id", "No node with given id found", "Could not find node with given id", "Node is detached from document"}

// drive does one thing in the browser, again where it came between two pages.
func drive[T any](b tab, action chromedp.Action[T]) (v T, err error) {
	for try := 0; ; try++ {
		v, err = chromedp.Run(b.ctx, action)
		if err == nil || try == 20 || !slices.ContainsFunc(between, func(said string) bool { return strings.Contains(err.Error(), said) }) {
			return v, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (b tab) step(step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := drive(b, step); err != nil {
		at, _ := chromedp.Run(b.ctx, chromedp.Location())
		body, _ := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("body")))
		b.t.Fatalf("at %s: %v\n%s", at, err, body)
	}
}

func (b tab) open(address string) { b.t.Helper(); b.do(chromedp.Navigate(address)) }

// leads says whether a click on something leaves the page: a link does, and so does a button of a form that is not of another type.
const leads = `(e => e.matches("a[href]:not([href^='#'])") || e.matches("button:not([type]), [type=submit]") && !!e.form)(document.querySelector(%q))`

// press clicks and waits for what follows: for another page that has it where the click leaves this one, even if this one has it too.
func (b tab) press(css, then string) {
	b.t.Helper()
	click := func() { b.t.Helper(); b.do(chromedp.Click(chromedp.CSS(css))) }
	b.do(chromedp.WaitVisible(chromedp.CSS(css)))
	if ask[bool](b, fmt.Sprintf(leads, css)) {
		b.arrives(click, then)
		return
	}
	click()
	b.do(chromedp.WaitVisible(chromedp.CSS(then)))
}

func (b tab) fill(css, text string) { b.t.Helper(); b.do(chromedp.SendKeys(chromedp.CSS(css), text)) }

func (b tab) text() string {
	b.t.Helper()
	s, err := drive(b, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b tab) shows(words ...string) {
	b.t.Helper()
	body := b.text()
	for _, word := range words {
		if !strings.Contains(body, word) {
			b.t.Fatalf("%q is not on the page:\n%s", word, body)
		}
	}
}

// seen takes a picture for people to look at where CURSUS_SHOTS names a folder, on a desktop and on a phone, and fails where
// the page is wider than the phone.
func (b tab) seen(name string) {
	b.t.Helper()
	for device, width := range map[string]int64{"phone": 390, "desktop": 1200} {
		b.do(chromedp.EmulateViewport(width, 900))
		wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
		if err != nil || int64(wide) > width {
			b.t.Errorf("%s is %d pixels wide on a %s of %d (%v)", name, wide, device, width, err)
		}
		picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := png.DecodeConfig(bytes.NewReader(picture)); err != nil {
			b.t.Errorf("the picture of %s: %v", name, err)
		}
		if folder := os.Getenv("CURSUS_SHOTS"); folder != "" {
			if err := os.WriteFile(filepath.Join(folder, name+"-"+device+".png"), picture, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.do(chromedp.EmulateViewport(1200, 900))
}

var linkInMail = regexp.MustCompile(`http://127\.0\.0\.1:\d+/sign-in/[a-z0-9=\r\n]+`)

// link waits for the mail with a sign-in link to an address.
func (w *world) link(folder, to string) (found string) {
	w.t.Helper()
	w.until("the mail to "+to, func() bool {
		files, _ := filepath.Glob(filepath.Join(folder, "*"))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil || !bytes.Contains(b, []byte(to)) {
				continue
			}
			if l := linkInMail.Find(bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("=\r\n"), nil), []byte("=\n"), nil)); l != nil {
				found = strings.TrimSpace(string(l))
				return true
			}
		}
		return false
	})
	return found
}

// signIn signs somebody in in a tab by the link that she is mailed, in English. mails is the folder of newSite.
func (w *world) signIn(b tab, mails, email string) {
	w.t.Helper()
	b.open(w.cfg.BaseURL + "/sign-in?lang=en&next=/verify")
	b.fill("input[name=email]", email)
	b.press("main form button", "h1")
	b.open(w.link(mails, email))
	b.press("main form button", "form[action='/sign-out']")
}

// staffTab is a tab in which somebody who may do everything is signed in.
func (w *world) staffTab(b tab, mails, email string) identity.Person {
	w.t.Helper()
	p := w.person(email, "Staff Member")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.GrantRoleTx(ctx, tx, p.ID, "admin") })
	w.signIn(b, mails, email)
	return p
}

// twoEditors are the tabs of two officers who are signed in.
func (w *world) twoEditors(t *testing.T, mails string) (first, second tab) {
	t.Helper()
	first, second = newTabFor(t, 5*time.Minute), newTabFor(t, 5*time.Minute)
	w.staffTab(first, mails, "first@example.org")
	w.staffTab(second, mails, "second@example.org")
	return first, second
}

// A learner buys in a browser, learns, sits the exam, gets her certificate, and anybody verifies it.
func TestBuyPassAndVerifyInABrowser(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	b.open(w.cfg.BaseURL + "/sessions/PRD-9")
	b.shows("150.00", "DISCOVERY", "QUALIFYING")
	b.seen("session")
	b.press(".compare .take td:last-child button", "input[name=email]")
	b.fill("input[name=email]", "zoe@example.org")
	b.press("main form button", "h1")
	b.open(w.link(mails, "zoe@example.org"))
	b.press("main form button", "table.compare")
	b.shows("You can withdraw until", "I ask that the course begin before")
	b.do(chromedp.Click(chromedp.CSS(".compare .take input[name=begin_now]")))
	b.press(".compare .take td:last-child button", "input[name=number]")
	w.counts(map[string]int{"select count(*) from sales.terms where begin_now": 1})
	b.seen("pay")
	b.fill("input[name=number]", declined)
	b.press("form button", "[role=alert], .error, .problem")
	b.fill("input[name=number]", visa)
	b.press("form button", "#state")
	b.do(chromedp.WaitVisible(chromedp.CSS(`#state[data-state=paid]`)))
	b.shows("DEMO-IMT-", "150.00")
	b.seen("order")
	zoe, enrolment := w.buyer("zoe@example.org")
	b.open(w.cfg.BaseURL + "/learning")
	b.do(chromedp.SetValue(chromedp.CSS("#name"), "Zoé N’Diaye 🎓"))
	b.press("form[action='/learning/name'] button", "form[action='/learning/name']")
	b.seen("learning-begun")
	w.grades(w.h.Clock.Now(), "42,zoe@example.org,zoe,0.8,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled")
	b.open(w.cfg.BaseURL + "/learning")
	b.press("form[action$='/exam'] button", "p.notice[role=status]")
	w.pass(enrolment)
	w.until("the certificate", func() bool { return w.certificate(zoe, enrolment).SHA256 != "" })
	b.open(w.cfg.BaseURL + "/learning")
	b.seen("learning-certified")
	c := w.certificate(zoe, enrolment)
	var pdf []byte
	b.press("a[href^='/verify/']", "#drop")
	b.seen("verify")
	b.shows(c.Code, "Zoé N’Diaye 🎓", "PRD-9")
	sum, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf(
		`fetch("/certificates/%s.pdf").then(r => r.arrayBuffer()).then(b => crypto.subtle.digest("SHA-256", b)).then(d => [...new Uint8Array(d)].map(x => x.toString(16).padStart(2, "0")).join(""))`, c.ID), chromedp.EvalAwaitPromise))
	if err != nil || sum != c.SHA256 {
		t.Errorf("the certificate that is downloaded has another hash: %s, %v", sum, err)
	}
	if pdf, err = w.h.Certificates.PDF(system, c.ID); err != nil {
		t.Fatal(err)
	}
	if own := sha256.Sum256(pdf); hex.EncodeToString(own[:]) != c.SHA256 {
		t.Error("the hash that is shown is not that of the document")
	}
	w.verify()
}

// The officer reads the figures; a learner is not let in.
func TestFiguresInABrowser(t *testing.T) {
	w, mails := newSite(t)
	for i := range 5 {
		o := w.order(w.person(fmt.Sprintf("p%d@example.org", i), "P").ID, w.paid, "k")
		w.pay(o, visa)
		w.becomes(o, sales.Paid)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PutPersonTx(ctx, tx, "officer@example.org", "Officer", "en")
		if err != nil {
			return err
		}
		return identity.GrantRoleTx(ctx, tx, p.ID, "analytics")
	})
	b := newTab(t)
	for _, who := range []string{"p1@example.org", "officer@example.org"} {
		b.open(w.cfg.BaseURL + "/sign-in?next=/staff")
		b.fill("input[name=email]", who)
		b.press("main form button", "h1")
		b.open(w.link(mails, who))
		b.press("main form button", "form[action='/sign-out']")
		if who == "p1@example.org" {
			b.shows("staff")
			b.press("header form button", "a[href='/sign-in']")
		}
	}
	b.shows("750.00", "PRD-9")
	b.seen("staff")
	w.verify()
}

func (w *world) buyer(email string) (learner, enrolment string) {
	w.t.Helper()
	learner = w.person(email, "").ID
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &enrolment, postgres.Query{Name: "test", SQL: "select id from enrolment.enrolments where learner_id = $1"}, learner)
	})
	return learner, enrolment
}

// eligibility is what is decided of an enrolment and its exam now, with its sittings.
func (w *world) eligibility(enrolmentID string) (d exams.Decision, sittings []exams.Sitting, err error) {
	w.t.Helper()
	err = w.h.DB.View(system, "eligibility", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolment.OneTx(ctx, tx, enrolmentID)
		if err != nil {
			return err
		}
		d, sittings, err = exams.EligibilityTx(ctx, tx, e)
		return err
	})
	return d, sittings, err
}

// pass records that the booked exam of an enrolment was passed.
func (w *world) pass(enrolment string) {
	w.t.Helper()
	_, sittings, err := w.eligibility(enrolment)
	if err == nil && len(sittings) == 0 {
		err = errors.New("no exam is booked")
	}
	if err != nil {
		w.t.Fatal(err)
	}
	score := 900_000
	if _, err := w.h.Exams.RecordResult(system, exams.Result{SittingID: sittings[0].ID, State: exams.Passed, ScorePPM: &score}); err != nil {
		w.t.Fatal(err)
	}
}
