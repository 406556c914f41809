package app_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/emersion/go-smtp"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
)

// letterbox is a mail server that keeps mails as files, and how many came to whom.
type letterbox struct {
	folder string
	mu     sync.Mutex
	came   map[string]int
	all    int
}

func (p *letterbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{box: p}, nil }

type delivery struct {
	box *letterbox
	to  []string
}

func (*delivery) Mail(string, *smtp.MailOptions) error        { return nil }
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error { d.to = append(d.to, to); return nil }
func (d *delivery) Reset()                                    { d.to = nil }
func (*delivery) Logout() error                               { return nil }
func (d *delivery) Data(body io.Reader) error {
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	d.box.all++
	if strings.Contains(string(b), "List-Unsubscribe") { // others are what people must know
		for _, to := range d.to {
			d.box.came[to]++
		}
	}
	return os.WriteFile(filepath.Join(d.box.folder, fmt.Sprintf("%04d.eml", d.box.all)), b, 0o600)
}

// mailed is how many mails that may be refused came to somebody.
func (p *letterbox) mailed(to string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.came[to]
}

// bought is a paid order of somebody, with her enrolment.
func (w *world) boughtBy(email string) (o sales.Order, learner, enrolment string) {
	w.t.Helper()
	p := w.person(email, strings.ToUpper(email[:1])+email[1:strings.Index(email, "@")])
	o = w.order(p.ID, w.paid, "k")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	return o, p.ID, o.Lines[0].Enrolment()
}

// listed furnishes the six lists: 25 paid and are silent, of whom one refuses reminders; one may sit the exam, one has booked it, one is behind and
// at risk, and one had her money back after her certificate. It gives the rows of the report, which later reports have too.
func (w *world) listed(silent int) (rows []string) {
	w.t.Helper()
	for i := range silent {
		w.boughtBy(fmt.Sprintf("silent%02d@example.org", i))
	}
	row := func(id int, name, grade, first, second string) string {
		return fmt.Sprintf("%d,%s@example.org,%s,%s,%s,%s,0.5,,honor,N/A,Y,N,N/A,enrolled", id, name, name, grade, first, second)
	}
	_, _, _ = w.boughtBy("eligible@example.org")
	_, booker, booked := w.boughtBy("booked@example.org")
	_, _, _ = w.boughtBy("risky@example.org")
	back, holder, certified := w.boughtBy("back@example.org")
	rows = []string{row(1, "eligible", "0.8", "1.0", "0.9"), row(2, "booked", "0.8", "1.0", "0.9"), row(3, "risky", "0.1", "0.2", "Not Attempted"), row(4, "back", "0.8", "1.0", "0.9")}
	w.grades(w.h.Clock.Now().AddDate(0, 0, -30), rows...)
	rows[0] = row(1, "eligible", "0.9", "1.0", "1.0") // the same file again would be no report of today
	w.grades(w.h.Clock.Now(), rows...)
	for learner, enrolment := range map[string]string{booker: booked, holder: certified} {
		if _, err := w.h.Exams.Book(context.Background(), exams.BookSitting{LearnerID: learner, EnrolmentID: enrolment, IdempotencyKey: enrolment}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.pass(certified)
	w.until("the certificate", func() bool { return w.certificate(holder, certified).SHA256 != "" })
	w.refund(back, 0)
	w.becomes(back, sales.Refunded)
	w.quiet()
	return rows
}

// The learning officer opens each list that makes certificates from the staff home, sees its size and what is at stake, takes it out as a file and
// comes to a reminder. She reminds those who paid and are silent: she is told before whom it reaches and who refuses, each of the others gets one mail
// from a real mail server but those held out, and the page of the mailing says what it did, as of a day, the same for ever.
func TestListsThatMakeCertificatesInABrowser(t *testing.T) {
	box := &letterbox{folder: t.TempDir(), came: map[string]int{}}
	at, server := listen(t), smtp.NewServer(box)
	go func() { _ = server.Serve(at) }()
	t.Cleanup(func() { _ = server.Close() })
	w := siteThatMails(t, box.folder, "smtp://"+at.Addr().String()+"?tls=none")
	w.furnish()
	const silent = 25
	rows := w.listed(silent)
	refuses := w.person("silent07@example.org", "").ID
	if err := w.h.Outreach.Prefer(system, refuses, outreach.Preferences{News: true}); err != nil {
		t.Fatal(err)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PutPersonTx(ctx, tx, "officer@example.org", "Officer", "en")
		for _, role := range []string{"analytics", "outreach"} {
			if err == nil {
				err = identity.GrantRoleTx(ctx, tx, p.ID, role)
			}
		}
		return err
	})
	b := newTabFor(t, 5*time.Minute)
	w.signIn(b, box.folder, "officer@example.org")

	for _, l := range []struct{ id, title, size, stake, who string }{
		{"eligible_not_booked", "Eligible but not booked", "1", "150.00 EUR", "Eligible"}, {"booked_not_sat", "Booked but not sat", "1", "150.00 EUR", "Booked"},
		{"behind_schedule", "Behind schedule", "1", "150.00 EUR", "Risky"}, {"at_risk", "At risk", "1", "150.00 EUR", "Risky"},
		{"refund_after_certificate", "Refund after certificate", "1", "0.00 EUR", "Back"}, {"paid_silent", "Paid but silent", "25", "3,750.00 EUR", "Silent00"},
	} {
		b.open(w.cfg.BaseURL + "/staff?lang=en")
		link := fmt.Sprintf(`a[href*="list=%s&"]`, l.id)
		b.do(chromedp.WaitReady(chromedp.CSS(link)))
		if line := ask[string](b, fmt.Sprintf(`document.querySelector(%q).closest("tr").innerText.replaceAll("\u00a0", " ")`, link)); !strings.Contains(line, l.title) || !strings.Contains(line, l.size) || !strings.Contains(line, l.stake) {
			t.Errorf("%s on the staff home: %q", l.id, line)
		}
		b.open(w.cfg.BaseURL + ask[string](b, fmt.Sprintf(`document.querySelector(%q).getAttribute("href")`, link)))
		b.shows(l.title, l.who, "Remind these learners")
		b.press(`td a[href*="session=PRD-9"]`, "#remind")
		file := ask[string](b, `new URL(document.querySelector(".files a").href).pathname + new URL(document.querySelector(".files a").href).search`)
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf(`fetch(%q).then(r => r.text())`, file), chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got, "\ufeff"))).ReadAll()
		if err != nil || fmt.Sprint(len(lines)-1) != l.size {
			t.Errorf("%s as a file: %d lines, %v\n%.500s", l.id, len(lines), err, got)
		}
	}

	b.seen("list")
	b.press("#remind", "#nudge")
	if reach := ask[string](b, `document.querySelector("#reach").innerText`); !strings.Contains(reach, "May be written to\n24") || !strings.Contains(reach, "Refused\n1") {
		t.Errorf("before it is sent she is told %q", reach)
	}
	b.seen("nudge")
	b.axeEverywhere("a reminder")
	for _, lang := range []string{"en", "fr"} {
		b.fill("#subject_"+lang, "{title}")
		b.fill("#body_"+lang, "Hello {name}, begin with the first quiz.")
	}
	b.set("hold_out", "50")
	b.press("#nudge", "#nudged")
	id := ask[string](b, `location.pathname.split("/").pop()`)
	w.until("it is sent", func() bool {
		if _, err := w.h.Outreach.AskDue(context.Background()); err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(w.found(id), func(r outreach.Recipient) bool { return r.State == "waiting" || r.State == "sending" })
	})
	groups := map[string][]string{}
	for _, r := range w.found(id) {
		groups[r.State] = append(groups[r.State], r.Email)
		if want := map[string]int{"sent": 1}[r.State]; box.mailed(r.Email) != want {
			t.Errorf("%s, who is %s, got %d mails", r.Email, r.State, box.mailed(r.Email))
		}
	}
	written, held := groups["sent"], groups["held_out"]
	if len(written)+len(held) != silent-1 || len(written) < 3 || len(held) < 3 || !slices.Equal(groups["skipped"], []string{"silent07@example.org"}) {
		t.Fatal(groups)
	}
	w.moveOn(rows, append(slices.Clone(written), held[0]))

	then := w.h.Clock.Now().UTC().Format(time.RFC3339Nano)
	times := "&" + url.Values{"as_of": {then}, "known_at": {then}}.Encode()
	started := func(times string) string {
		b.open(w.cfg.BaseURL + "/console/campaigns/" + id + "?lang=en" + times)
		return ask[string](b, `document.querySelector("tr[data-stage=started]").innerText`)
	}
	first := started(times)
	for _, want := range []string{"100.0", fmt.Sprintf("%d/%d [", len(written), len(written)), fmt.Sprintf("1/%d [", len(held))} {
		if !strings.Contains(first, want) {
			t.Errorf("%q is not in %q", want, first)
		}
	}
	if !strings.HasSuffix(first, "provable difference") || strings.Contains(first, "no provable") {
		t.Error(first)
	}
	b.shows("on the same list at the same moment", fmt.Sprintf("%d were to be written to, %d were held out.", len(written), len(held)), "Refused\n1", "Wilson")
	b.seen("nudge-effect")
	b.axeEverywhere("what a reminder did")

	w.moveOn(rows, append(slices.Clone(written), held...))
	if again := started(times); again != first {
		t.Errorf("the answer for the same two times was %q and is %q", first, again)
	}
	if now := started(""); !strings.HasSuffix(now, "no provable difference") {
		t.Error(now)
	}
	b.open(w.cfg.BaseURL + "/console/campaigns/" + id + "?lang=en&as_of=2020-01-01")
	b.shows("It had not begun then.")
	b.open(w.cfg.BaseURL + "/console/campaigns/" + id + "?lang=fr" + times)
	b.shows("différence démontrable", "sur la même liste au même moment")
	w.verify()
}

// moveOn has some of the silent do their first exercise, by a report of their platform.
func (w *world) moveOn(rows, who []string) {
	w.t.Helper()
	for _, email := range who {
		name := email[:strings.Index(email, "@")]
		rows = append(rows, fmt.Sprintf("1%s,%s,%s,0.4,0.9,Not Attempted,0.5,,honor,N/A,N,N,N/A,enrolled", strings.TrimPrefix(name, "silent"), email, name))
	}
	w.grades(w.h.Clock.Now(), rows...)
}
