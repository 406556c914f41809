package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/progress"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/proctordouble"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var namedPlace = regexp.MustCompile(`failpoint\.Here\("([^"]+)"\)`)

// diedEverywhere holds the places at which the process was killed against those that the code names: one that nobody dies at proves nothing.
func (p *program) diedEverywhere() {
	p.t.Helper()
	places := 0
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path) //nolint:gosec // our own code
		for _, m := range namedPlace.FindAllSubmatch(b, -1) {
			if places++; !p.died[string(m[1])] {
				p.t.Errorf("%s names %q, where no process was killed", path, m[1])
			}
		}
		return err
	})
	if err != nil || places < 25 {
		p.t.Error("only", places, "places are named:", err)
	}
}

// twice asks for something while the process dies at a place, and again, with the same key, of the process that follows, which is left running.
func (p *program) twice(place, path, key, body string, want int) map[string]any {
	p.t.Helper()
	p.start(place)
	if status, answer := p.post(path, key, body); status != 0 {
		p.t.Fatalf("%s: it is answered %d: %v", place, status, answer)
	}
	p.dies(place)
	p.start("")
	status, answer := p.post(path, key, body)
	if status != want {
		p.t.Fatalf("%s: asked again it is answered %d: %v", place, status, answer)
	}
	return answer
}

// paysOtherwise opens the pay page anew, pays by hand and withdraws while the process dies on its way: one payment, one effect.
func (p *program) paysOtherwise() {
	p.t.Helper()
	once := func(o sales.Order) {
		p.t.Helper()
		p.quiet()
		p.counts(map[string]int{
			"select count(*) from payments.payments where order_id = '" + o.ID + "' and captured_minor > 0":    1,
			"select count(*) from enrolment.enrolments where learner_id = '" + o.BuyerID + "'":                 1,
			"select count(*) from invoicing.documents where order_id = '" + o.ID + "' and kind = 'invoice'":    1,
			"select count(*) from ledger.transactions where kind = 'sale' and reference = '" + o.ID + ":sale'": 1,
		})
	}
	who := p.become("again@example.org")
	o := p.order(who.ID, p.paid, "k")
	p.twice("payment asked again", "/v1/orders/"+o.ID+"/pay", "again", "", http.StatusOK)
	p.pay(o, visa)
	p.becomes(o, sales.Paid)
	once(o)
	p.stop()

	who = p.become("desk@example.org")
	cashier, _ := p.desk(who)
	o = p.order(who.ID, p.paid, "k")
	if way := p.twice("way chosen", "/v1/orders/"+o.ID+"/way", "way", `{"way":"desk","partner":"ESP"}`, http.StatusOK); way["way"] != "desk" {
		p.t.Errorf("way chosen: %v", way["way"])
	}
	p.quiet()
	p.stop()
	p.become(cashier.Email)
	p.twice("money received", "/v1/partners/ESP/receipts", "cash", fmt.Sprintf(`{"order":%q,"amount_minor":%d,"currency":"EUR","reference":"R-1","received_at":%q}`,
		o.ID, o.Total.Minor, time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)), http.StatusCreated)
	p.becomes(o, sales.Paid)
	once(o)
	p.counts(map[string]int{"select count(*) from payments.receipts where order_id = '" + o.ID + "'": 1})
	p.stop()

	who = p.become("leaves@example.org")
	p.start("")
	o = p.order(who.ID, p.world.run("WDR-1", "", 15000), "k")
	p.pay(o, visa)
	p.becomes(o, sales.Paid)
	p.quiet()
	p.stop()
	p.twice("withdrawn", "/v1/orders/"+o.ID+"/withdrawal", "leave", `{"name":"Awa Diop","email":"leaves@example.org"}`, http.StatusOK)
	p.becomes(o, sales.Refunded)
	p.quiet()
	p.counts(map[string]int{
		"select count(*) from sales.withdrawals where order_id = '" + o.ID + "'":                                                    1,
		"select count(*) from payments.refunds r join payments.payments y on y.id = r.payment_id where y.order_id = '" + o.ID + "'": 1,
		"select count(*) from enrolment.grants g where g.order_id = '" + o.ID + "' and g.revoked_at is null":                        0,
		"select count(*) from invoicing.documents where order_id = '" + o.ID + "' and kind = 'credit_note'":                         1,
		"select coalesce(sum(captured_minor - refunded_minor), 0)::int from payments.payments where order_id = '" + o.ID + "'":      0,
	})
	p.stop()
}

// chargesThrough takes an instalment from a card that was kept, and opens a page for another, while the process dies on its way: each is paid once.
func (p *program) chargesThrough() {
	p.t.Helper()
	who := p.become("parts@example.org")
	p.start("")
	o := p.begun(who.ID, p.inParts("PRT-9", "", 9000, offers.SuspendAccess), visa)
	p.quiet()
	p.stop()
	due := func(n int) {
		if _, err := testkit.Owner(p.t, p.dsn).Exec("update sales.instalments set due_at = now() - interval '1 minute', next_at = now() - interval '1 minute' where order_id = $1 and n = $2", o.ID, n); err != nil {
			p.t.Fatal(err)
		}
	}
	paid := func(n int) {
		p.t.Helper()
		p.until(fmt.Sprint("instalment ", n, " is paid"), func() bool { return p.state(o).Schedule.Instalments[n-1].State == sales.InstalmentIn })
		p.quiet()
		p.counts(map[string]int{
			fmt.Sprintf("select count(*) from payments.payments where order_id = '%s' and captured_minor > 0", o.ID):                              n,
			fmt.Sprintf("select count(*) from payments.payments where order_id = '%s' and instalment = %d", o.ID, n):                              1,
			fmt.Sprintf("select coalesce(sum(captured_minor), 0)::int from payments.payments where order_id = '%s' and instalment = %d", o.ID, n): 3000,
		})
	}
	due(2)
	p.start("charge answered")
	p.dies("charge answered")
	p.start("")
	paid(2)
	p.stop()
	p.twice("instalment asked", "/v1/orders/"+o.ID+"/instalments/3/pay", "third", "", http.StatusOK)
	p.paysInstalment(o, 3, visa)
	paid(3)
	p.stop()
}

// claimsThrough takes a seat of a school while the process dies before it is answered: she has one.
func (p *program) claimsThrough() {
	p.t.Helper()
	boss := p.managed("ACME")
	p.start("")
	o := p.bought(boss.ID, "k", sales.Item{OfferID: p.paid.ID, Quantity: 2})
	k := p.claimLink(o, 1, 2, boss.ID)
	p.quiet()
	p.stop()
	who := p.become("claims@example.org")
	p.twice("seat claimed", "/v1/seat-claims", "claim", fmt.Sprintf(`{"token":%q}`, k.Token), http.StatusOK)
	p.quiet()
	p.counts(map[string]int{
		"select count(*) from sales.seats where person_id = '" + who.ID + "'":                      1,
		"select count(*) from enrolment.enrolments where learner_id = '" + who.ID + "'":            1,
		"select count(*) from sales.seats where order_id = '" + o.ID + "' and link_id is not null": 1,
	})
	p.stop()
}

// digestsThrough mails what a week changed for a cohort while the process dies before and after the mail server has it: nobody gets it twice.
func (p *program) digestsThrough() {
	p.t.Helper()
	reader := p.person("reader@digest.example", "Reader")
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return errors.Join(identity.PutOrganisationTx(ctx, tx, "DIGEST", "Digest"), identity.PutPartnerRoleTx(ctx, tx, "DIGEST", reader.ID, identity.RoleRegistrar))
	})
	days := 30
	c, err := p.h.Cohorts.Create(system, cohorts.By{PersonID: reader.ID}, "digest", cohorts.NewCohort{Organisation: "DIGEST", Key: "D1", Name: "Digest 1", OfferID: p.paid.ID, Agreement: cohorts.InvoicedMonthly, DueDays: &days})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.h.Progress.Read(system, reader.ID, c.ID, true); err != nil {
		p.t.Fatal(err)
	}
	for i, place := range []string{"digest intended", "digest handed over"} {
		id := fmt.Sprint("dig_killed", i)
		if _, err := testkit.Owner(p.t, p.dsn).Exec("insert into progress.digests (id, group_id, person_id, week, state, made_at) values ($1, $2, $3, date '2026-01-05' + 7 * $4::int, 'waiting', now())", id, c.ID, reader.ID, i); err != nil {
			p.t.Fatal(err)
		}
		p.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return p.h.Jobs.EnqueueTx(ctx, tx, progress.DigestDue{DigestID: id})
		})
		p.start(place)
		p.dies(place)
		p.start("")
		p.until("nobody knows whether it came", func() (done bool) {
			p.inTx(func(ctx context.Context, tx *postgres.Tx) error {
				return tx.Get(ctx, &done, postgres.Query{Name: "test", SQL: "select state = 'uncertain' from progress.digests where id = $1"}, id)
			})
			return done
		})
		p.quiet()
		if n := len(p.digests(reader.Email)); n != i {
			p.t.Errorf("%s: %d digests came, not %d", place, n, i)
		}
		p.stop()
	}
}

// proctorsThrough tells a provider of an attempt, and hears of it, while the process dies between its word and our note of it: the provider knows
// one attempt, and what it said counts once.
func (p *program) proctorsThrough() {
	p.t.Helper()
	secret, double := "", proctordouble.New(proctordouble.Config{ClientID: "cursus", ClientSecret: "client secret", Secret: func() string { return "" }})
	proctors.double.Store(double)
	_, err := p.h.Exams.PutProvider(system, "acme", -1, exams.NewProvider{Name: "Acme", Kind: exams.ProctorREST, BaseURL: proctors.URL, ClientID: "cursus", Secret: "client secret"})
	if err == nil {
		secret, _, err = p.h.Exams.RotateProvider(system, "test", "k", "acme")
	}
	if err != nil {
		p.t.Fatal(err)
	}
	who := p.become("watched@example.org")
	p.start("")
	enrolment := p.fit(who, "ord_watched", "7001")
	p.quiet()
	p.stop()
	x, err := p.h.Exams.Book(system, exams.BookSitting{LearnerID: who.ID, EnrolmentID: enrolment, IdempotencyKey: "b"})
	if err != nil {
		p.t.Fatal(err)
	}
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := p.h.Exams.WatchTx(ctx, tx, p.session.ID, exams.Proctored, "acme"); err != nil {
			return err
		}
		_, err := p.h.Exams.ActAsLearnerTx(ctx, tx, exams.Act{SittingID: x.ID, Event: exams.EvDownload}, who.ID)
		return err
	})
	p.start("proctor told")
	p.dies("proctor told")
	if n := double.Exams(); n != 1 {
		p.t.Errorf("proctor told: the provider knows %d exams", n)
	}
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error { // as after two minutes, for which the dead worker still has it
		_, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "update exams.proctorings set leased_until = now()"})
		return err
	})
	p.start("")
	p.until("the provider knows the attempt", func() bool { return len(double.Attempts()) == 1 })
	p.quiet()
	p.stop()
	if n := double.Exams(); n != 1 || len(double.Attempts()) != 1 {
		p.t.Errorf("proctor told: the provider knows %d exams and %d attempts", n, len(double.Attempts()))
	}
	there := double.Attempts()[0].ID
	ready := func() int {
		body := []byte(`{"attempt":"` + there + `","status":"ready"}`)
		at := fmt.Sprint(time.Now().Unix())
		signature, err := proctordouble.Sign(secret, "msg_killed", at, body)
		if err != nil {
			p.t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, "http://"+p.addr+"/v1/proctoring-providers/acme/attempts/"+there+"/ready", bytes.NewReader(body)) //nolint:noctx // a test
		if err != nil {
			p.t.Fatal(err)
		}
		for name, value := range map[string]string{"Content-Type": "application/json", "webhook-id": "msg_killed", "webhook-timestamp": at, "webhook-signature": signature} {
			r.Header.Set(name, value)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0
		}
		_ = a.Body.Close()
		return a.StatusCode
	}
	p.start("provider event stored")
	ready()
	p.dies("provider event stored")
	p.start("")
	if status := ready(); status != http.StatusNoContent {
		p.t.Errorf("provider event stored: said again it is answered %d", status)
	}
	p.quiet()
	p.counts(map[string]int{
		"select count(*) from exams.provider_events where provider = 'acme'":                                 1,
		"select count(*) from exams.attempts where sitting_id = '" + x.ID + "' and state = 'ready_to_start'": 1,
	})
	p.stop()
}
