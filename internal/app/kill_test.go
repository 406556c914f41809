package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	hooks "cursus/internal/domain/webhooks"
	"cursus/internal/gateways/openedxdouble"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// program is Cursus as a process of its own, compiled with its failpoints.
type program struct {
	*world
	binary, addr string
	child        *exec.Cmd
	ended        chan struct{} // closed when it has
	token        string
	receiver     *heeds // of webhooks
	platform     *openedxdouble.Double
	died         map[string]bool // the places at which it was killed
}

// start runs the server; place names where it dies.
func (p *program) start(place string) {
	p.t.Helper()
	child, ended := p.run(place, p.addr, "serve"), make(chan struct{})
	go func() { _ = child.Wait(); close(ended) }()
	p.child, p.ended = child, ended
	p.until("the server at "+p.addr+" answers", func() bool {
		select {
		case <-ended: // it came to its place before it was asked anything
			return place != ""
		default:
			return statusOf("http://"+p.addr+"/readyz") == http.StatusOK
		}
	})
}

// answers waits until a server takes requests.
func (p *program) answers(addr string) {
	p.t.Helper()
	p.until("the server at "+addr+" answers", func() bool { return statusOf("http://"+addr+"/readyz") == http.StatusOK })
}

// statusOf is 0 where nobody answers.
func statusOf(url string) int {
	r, err := http.Get(url) //nolint:noctx,gosec // a test
	if err != nil {
		return 0
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// run starts the program as a process of its own.
func (p *program) run(place, addr string, args ...string) *exec.Cmd {
	p.t.Helper()
	child := exec.Command(p.binary, args...) //nolint:gosec,noctx // our own program
	c := p.cfg
	child.Env = append(os.Environ(), "CURSUS_FAILPOINT="+place, "CURSUS_DATABASE_URL="+c.DatabaseURL, "CURSUS_ADDR="+addr, "CURSUS_BASE_URL="+c.BaseURL,
		"CURSUS_SECRET="+c.Secret, "CURSUS_STRIPE_KEY="+c.StripeKey, "CURSUS_STRIPE_WEBHOOK_SECRET="+c.StripeWebhookSecret, "CURSUS_STRIPE_URL="+c.StripeURL,
		"CURSUS_MAIL="+c.Mail, "CURSUS_DEMO=true", "CURSUS_WEBHOOK_INSIDE="+strings.Join(c.WebhookInside, ","), "CURSUS_LMS_INSIDE="+strings.Join(c.LMSInside, ","),
		"CURSUS_PROCTOR_INSIDE="+strings.Join(c.ProctorInside, ","), "CURSUS_DATA_DIR="+p.t.TempDir())
	child.Stderr = io.Discard
	if testing.Verbose() {
		child.Stderr = os.Stderr
	}
	if err := child.Start(); err != nil {
		p.t.Fatal(err)
	}
	return child
}

// dies waits for the end of a process that must not have ended by itself.
func (p *program) dies(place string) {
	p.t.Helper()
	select {
	case <-p.ended:
		p.t.Log(place, p.child.ProcessState)
		if s, ok := p.child.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
			p.t.Fatalf("at %q the process ended with %v", place, p.child.ProcessState)
		}
		p.died[place] = true
	case <-time.After(15 * time.Second):
		p.stop()
		p.t.Fatalf("the process never came to %q", place)
	}
}

func (p *program) stop() {
	_ = p.child.Process.Signal(syscall.SIGTERM)
	<-p.ended
}

// post asks the API; an answer that never came is the zero answer.
func (p *program) post(path, key, body string) (status int, answer map[string]any) {
	r, err := http.NewRequest(http.MethodPost, "http://"+p.addr+path, strings.NewReader(body)) //nolint:noctx // a test
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = a.Body.Close() }()
	_ = json.NewDecoder(a.Body).Decode(&answer)
	return a.StatusCode, answer
}

func newProgram(t *testing.T) *program {
	t.Helper()
	p := &program{world: &world{t: t, clock: clock.NewManual(clock.System{}.Now()), dsn: testkit.OwnerDSN(t)}, binary: filepath.Join(t.TempDir(), "cursus"), died: map[string]bool{}}
	build := exec.Command("go", "build", "-tags", "failpoints", "-o", p.binary, "../../cmd/cursus") //nolint:noctx // a test
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	site, stripe := listen(t), listen(t)
	p.addr, p.stripe = site.Addr().String(), "http://"+stripe.Addr().String()
	_ = site.Close()
	p.cfg = testConfig(p.dsn, p.stripe, t.TempDir())
	p.cfg.BaseURL = "http://" + p.addr
	p.receiver = newHeeds(t)
	p.cfg.WebhookInside = []string{p.receiver.Listener.Addr().String()}
	p.cfg.ProctorInside = []string{proctors.at()}
	double, at := newDouble(t)
	p.platform, p.cfg.LMSInside = double, []string{at}
	var err error
	p.sandbox, err = stripesandbox.Open(stripesandbox.Config{
		PublicURL: p.stripe, Folder: t.TempDir(), SecretKey: stripeKey, WebhookURL: p.cfg.BaseURL + "/v1/webhooks/stripe", WebhookSecret: hookSecret,
		Sign: stripegate.Sign, RetryBase: 50 * time.Millisecond, RetryMax: 200 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: p.sandbox, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(stripe) }()
	t.Cleanup(func() { _ = server.Close(); _ = p.sandbox.Close() })
	// This house only looks; what has to happen is done by the process.
	if p.h, err = app.Open(context.Background(), p.cfg, app.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.h.Close() })
	p.furnish()
	return p
}

// The process is killed at each step that the code names, on the main way and beside it; the next one finishes what was begun, once.
func TestKilledAtEachStep(t *testing.T) {
	p := newProgram(t)
	for i, place := range []string{
		"order placed", "checkout answered", "checkout opened", "event stored", "event read", "settled, not committed", "event applied",
	} {
		p.buysThrough(place, fmt.Sprintf("l%d@example.org", i))
	}
	p.passesThrough()
	p.refundsThrough()
	p.paysOtherwise()
	p.chargesThrough()
	p.claimsThrough()
	p.digestsThrough()
	p.proctorsThrough()
	p.tellsThrough()
	p.writesThrough("mail intended")
	p.writesThrough("mail handed over")
	p.opensThrough()
	p.billsThrough()
	p.certifiesThrough(crowd())
	p.diedEverywhere()
	p.verify()
}

func (p *program) become(email string, roles ...string) identity.Person {
	p.t.Helper()
	who := p.person(email, "Learner")
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for _, r := range roles {
			if err := identity.GrantRoleTx(ctx, tx, who.ID, r); err != nil {
				return err
			}
		}
		return nil
	})
	token, _, err := p.h.Identity.NewToken(system, who.ID, "test", nil, time.Hour)
	if err != nil {
		p.t.Fatal(err)
	}
	p.token = token
	return who
}

func (p *program) buysThrough(place, email string) {
	t := p.t
	t.Helper()
	who, body := p.become(email), fmt.Sprintf(`{"offer_id":%q,"lang":"en"}`, p.paid.ID)
	p.start(place)
	ordering := strings.HasPrefix(place, "order") || strings.HasPrefix(place, "checkout")
	status, _ := p.post("/v1/orders", "k", body)
	if ordering {
		p.dies(place)
		p.start("")
		status, _ = p.post("/v1/orders", "k", body) // she sends it again, with the same key
	}
	if status != http.StatusCreated {
		t.Fatalf("%s: the order is answered %d", place, status)
	}
	o := p.onlyOrder(who.ID)
	p.pay(o, visa)
	if !ordering {
		p.dies(place)
		p.start("")
	}
	p.becomes(o, sales.Paid)
	p.quiet()
	p.counts(map[string]int{
		"select count(*) from sales.orders where buyer_id = '" + who.ID + "'":                                                   1,
		"select count(*) from payments.payments p join sales.orders o on o.id = p.order_id where o.buyer_id = '" + who.ID + "'": 1,
		"select count(*) from enrolment.enrolments where learner_id = '" + who.ID + "'":                                         1,
	})
	p.stop()
}

func (p *program) onlyOrder(buyer string) (o sales.Order) {
	p.t.Helper()
	var id string
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &id, postgres.Query{Name: "test", SQL: "select id from sales.orders where buyer_id = $1"}, buyer)
	})
	return p.state(sales.Order{ID: id})
}

// passesThrough lets the first learner pass while the process dies at the award and at the print.
func (p *program) passesThrough() {
	for i, place := range []string{"certificate awarded", "certificate printed"} {
		learner, enrolment := p.buyer(fmt.Sprintf("l%d@example.org", i))
		p.imported(time.Now().UTC().Add(time.Duration(i)*time.Second), fmt.Sprintf("%d,l%d@example.org,l,0.8,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled", 42+i, i))
		if _, err := p.h.Exams.Book(context.Background(), exams.BookSitting{LearnerID: learner, EnrolmentID: enrolment, IdempotencyKey: "b"}); err != nil {
			p.t.Fatal(err)
		}
		p.pass(enrolment)
		p.start(place)
		p.dies(place)
		p.start("")
		p.until("the certificate", func() bool { return p.certificate(learner, enrolment).SHA256 != "" })
		p.quiet()
		p.counts(map[string]int{"select count(*) from certificates.certificates where enrolment_id = '" + enrolment + "'": 1})
		p.stop()
	}
}

// refundsThrough gives money back while the process dies before and after the provider was asked.
func (p *program) refundsThrough() {
	for i, place := range []string{"refund requested", "refund answered", "refund sent"} {
		who := p.person(fmt.Sprintf("l%d@example.org", i+2), "")
		o := p.onlyOrder(who.ID)
		p.become("refunds@example.org", "refund")
		p.start(place)
		p.post("/v1/orders/"+o.ID+"/refunds", "r"+o.ID, `{"reason":"withdrawal"}`)
		p.dies(place)
		p.start("")
		p.post("/v1/orders/"+o.ID+"/refunds", "r"+o.ID, `{"reason":"withdrawal"}`)
		p.becomes(o, sales.Refunded)
		p.quiet()
		p.counts(map[string]int{"select count(*) from payments.refunds r join payments.payments p on p.id = r.payment_id where p.order_id = '" + o.ID + "'": 1})
		p.stop()
	}
}

// tellsThrough tells of a payment while the process dies between the receiver's answer and our note of it: the receiver hears it again
// under the same id, and the log has the one attempt that is known.
func (p *program) tellsThrough() {
	p.t.Helper()
	place, who := "webhook sent", p.become("told@example.org")
	e, err := p.h.Webhooks.Create(system, hooks.By{PersonID: who.ID, Any: true}, "hook", hooks.NewEndpoint{URL: p.receiver.URL, Types: []string{hooks.OrderPaid}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.start(place)
	if status, _ := p.post("/v1/orders", "k", fmt.Sprintf(`{"offer_id":%q,"lang":"en"}`, p.paid.ID)); status != http.StatusCreated {
		p.t.Fatalf("%s: the order is answered %d", place, status)
	}
	o := p.onlyOrder(who.ID)
	p.pay(o, visa)
	p.dies(place)
	if ids := p.receiver.heard(); len(ids) != 1 {
		p.t.Fatalf("%s: heard %v", place, ids)
	}
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error { // as after two minutes, for which the dead worker still has it
		_, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "update webhooks.endpoints set busy_until = now(), asked_at = null where id = $1"}, e.ID)
		return err
	})
	p.start("")
	p.becomes(o, sales.Paid)
	p.until("it is told again", func() bool { return len(p.receiver.heard()) == 2 })
	p.quiet()
	if ids := p.receiver.heard(); len(ids) != 2 || ids[0] != ids[1] {
		p.t.Errorf("%s: heard %v", place, ids)
	}
	p.counts(map[string]int{
		"select count(*) from webhooks.deliveries where endpoint_id = '" + e.ID + "' and state = 'delivered' and tried = 1": 1,
		"select count(*) from webhooks.attempts": 1,
	})
	p.stop()
}

// billsThrough invoices the month of a cohort while the process dies before and after the invoice is written: there is one.
func (p *program) billsThrough() {
	p.t.Helper()
	registrar := p.person("registrar@monthly.example", "Registrar")
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return errors.Join(identity.PutOrganisationTx(ctx, tx, "MONTHLY", "Monthly"), identity.PutPartnerRoleTx(ctx, tx, "MONTHLY", registrar.ID, identity.RoleRegistrar))
	})
	by, days := cohorts.By{PersonID: registrar.ID}, 30
	c, err := p.h.Cohorts.Create(system, by, "monthly", cohorts.NewCohort{Organisation: "MONTHLY", Key: "M1", Name: "Master 1", OfferID: p.paid.ID, Agreement: cohorts.InvoicedMonthly, DueDays: &days})
	if err != nil {
		p.t.Fatal(err)
	}
	var rows []cohorts.Row
	for i := range 3 {
		rows = append(rows, cohorts.Row{StudentKey: fmt.Sprint("k", i), Email: p.person(fmt.Sprintf("monthly%d@example.org", i), "Learner").Email})
	}
	if _, err := p.h.Cohorts.Enrol(system, by, c.ID, "monthly rows", cohorts.Delta, rows); err != nil {
		p.t.Fatal(err)
	}
	p.start("")
	p.quiet()
	p.stop()
	if _, err := testkit.Owner(p.t, p.dsn).Exec("update sales.accounts set ends_at = now() - interval '1 minute'"); err != nil { // the month is over
		p.t.Fatal(err)
	}
	for _, place := range []string{"month invoiced, not committed", "month billed"} {
		p.start(place)
		p.dies(place)
	}
	p.start("")
	p.quiet()
	p.counts(map[string]int{
		"select count(*) from sales.orders where organisation = 'MONTHLY'":                                                                                     1,
		"select quantity from sales.lines l join sales.orders o on o.id = l.order_id where o.organisation = 'MONTHLY' and o.state = 'billed'":                  3,
		"select count(*) from invoicing.documents d join sales.orders o on o.id = d.order_id where o.organisation = 'MONTHLY'":                                 1,
		"select count(*) from payments.payments y join sales.orders o on o.id = y.order_id where o.organisation = 'MONTHLY'":                                   1,
		"select count(*) from ledger.transactions where kind = 'sale' and reference = (select id || ':sale' from sales.orders where organisation = 'MONTHLY')": 1,
	})
	p.stop()
}
