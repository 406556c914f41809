// Package demo fills an empty house with the collection of the paper: its sessions with synthetic learners whose counts are
// those of Figures 7, 9, 10 and 12, what they said of their skills (Figures 5 and 8), the paying learners of PRD sessions 7 and 8, who buy through the Stripe sandbox, pass and are
// certified, the hybrid course of §4.3, and the programs, one of them followed by the cohort of a partner school, and a company that gives its seats out. Everything goes through the doors that real learners use, on a clock that walks through the years.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/workshops"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
)

// The people who can sign in after the demo was made.
const (
	StaffEmail   = "officer@cursus.example"
	LearnerEmail = "prd8-01@learner.example" // paid, passed and certified
)

// ErrHalf refuses a folder in which an earlier demo was broken off.
var ErrHalf = fault.New(fault.Conflict, "half-a-demo", "An earlier demo was broken off in this folder. Remove the folder and begin again.")

// Progress is told how much of the work is done.
type Progress func(done, total int, what string)

// maker is a demo under way.
type maker struct {
	h        *app.House
	clock    *clock.Manual
	now      time.Time
	stripe   string
	served   string // where the sandbox will be
	casts    map[string][]learner
	buyers   map[string][]identity.Person
	open     map[string]catalog.Session
	offers   map[string][2]offers.Offer // free, paid
	days     []workshops.Day            // of the hybrid session
	dakar    desk
	progress Progress
}

// event is something that happens at a time.
type event struct {
	at   time.Time
	what string
	do   func(context.Context) error
}

// Seed fills the house of a configuration, unless that was done. now is the present, at which the last session is open.
func Seed(ctx context.Context, c config.Config, now time.Time, progress Progress) (err error) {
	manual := clock.NewManual(sessions[0].starts.AddDate(0, -3, 0))
	served := c.StripeURL // where it will be
	hook, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	stripe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, hook.Close())
	}
	c.StripeURL = "http://" + stripe.Addr().String()
	c.LMSInside = append(slices.Clone(c.LMSInside), stripe.Addr().String())
	c.Mail = "" // nobody reads mails of years ago: they are dropped below
	h, err := app.Open(ctx, c, app.Options{Clock: manual, Mail: silent{}, Wait: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		return errors.Join(err, hook.Close(), stripe.Close())
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	m := &maker{h: h, clock: manual, now: now, stripe: c.StripeURL, served: served, casts: cast(), buyers: map[string][]identity.Person{}, open: map[string]catalog.Session{}, offers: map[string][2]offers.Offer{}, progress: progress}
	ctx = postgres.WithActor(ctx, "system")
	done, err := m.done(ctx)
	if err != nil || done {
		return errors.Join(err, hook.Close(), stripe.Close())
	}
	sandbox, err := stripesandbox.Open(stripesandbox.Config{
		PublicURL: "http://" + stripe.Addr().String(), Folder: SandboxFolder(c), SecretKey: c.StripeKey, WebhookURL: "http://" + hook.Addr().String(), Fees: Fees,
		WebhookSecret: c.StripeWebhookSecret, Sign: stripegate.Sign, Clock: manual, RetryBase: 20 * time.Millisecond,
	})
	if err != nil {
		return errors.Join(err, hook.Close(), stripe.Close())
	}
	platform, err := OpenPlatform(c, manual)
	if err != nil {
		return errors.Join(err, hook.Close(), stripe.Close(), sandbox.Close())
	}
	stop := serve(hook, http.HandlerFunc(m.receive))
	stopStripe := serve(stripe, Beside(platform, http.NotFoundHandler(), http.NotFoundHandler(), sandbox))
	defer func() { err = errors.Join(err, stopStripe(), stop(), sandbox.Close(), platform.Close()) }()
	if err := h.Jobs.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Jobs.Stop(context.WithoutCancel(ctx))) }()
	if err := m.platforms(ctx, m.stripe); err != nil {
		return err
	}
	if err := m.play(ctx); err != nil {
		return err
	}
	for asked := 1; asked > 0; { // what was asked for while a worker was about to go home
		if asked, err = m.h.LMS.AskDue(ctx); err != nil {
			return err
		}
		if err := m.settle(ctx); err != nil {
			return err
		}
	}
	if err := m.proctor(ctx); err != nil {
		return err
	}
	if _, err := m.h.Payments.SweepFees(ctx); err != nil {
		return err
	}
	if _, err := m.h.Accounting.PostShares(ctx); err != nil {
		return err
	}
	if err := m.paidOut(ctx); err != nil {
		return err
	}
	return m.platforms(ctx, served)
}

// paidOut has the provider take its fee of the account and pay what is left out to the bank, as it does at the end of a month, and posts both.
func (m *maker) paidOut(ctx context.Context) error {
	for _, x := range [][2]string{{"account-fees", `{"currency":"eur","amount":1000}`}, {"payouts", `{"currency":"eur"}`}} {
		if err := m.tell(ctx, "/sandbox/"+x[0], []byte(x[1])); err != nil {
			return err
		}
	}
	_, err := m.h.Payments.SweepFees(ctx)
	return err
}

// Fees are what the demo's Stripe keeps of a payment: 1.5 % and 0.25 €, and 20 € of a dispute.
var Fees = stripesandbox.Fees{RatePPM: 15_000, Fixed: map[string]int64{"eur": 25}, Dispute: map[string]int64{"eur": 2000}}

// SandboxFolder is where the demo's Stripe keeps its book.
func SandboxFolder(c config.Config) string { return filepath.Join(c.DataDir, "stripe") }

func serve(l net.Listener, h http.Handler) (stop func() error) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(l) }()
	return s.Close
}

func (m *maker) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = m.h.Payments.Receive(r.Context(), body, r.Header.Get("Stripe-Signature"))
	}
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// done says whether the demo is there already. Its last act is the open session.
func (m *maker) done(ctx context.Context) (done bool, err error) {
	err = m.h.DB.View(ctx, "demo done", func(ctx context.Context, tx *postgres.Tx) error {
		all, err := catalog.CollectionsTx(ctx, tx)
		if err != nil || len(all) == 0 {
			return err
		}
		s, err := catalog.SessionTx(ctx, tx, openKey)
		if errors.Is(err, catalog.ErrNoSession) {
			return ErrHalf
		}
		if err != nil {
			return err
		}
		there, err := offers.OfSessionTx(ctx, tx, s.ID)
		if err == nil && len(there) < 2 {
			err = ErrHalf
		}
		done = err == nil
		return err
	})
	return done, err
}

// play lets everything happen in the order of time.
func (m *maker) play(ctx context.Context) error {
	if err := m.furnish(ctx); err != nil {
		return err
	}
	var events []event
	for _, s := range sessions {
		events = append(append(events, m.eventsOf(s)...), m.surveyEvents(s)...)
	}
	events = append(append(events, m.hybridEvents()...), m.programEvents()...)
	sort.SliceStable(events, func(i, j int) bool { return events[i].at.Before(events[j].at) })
	for i, e := range events {
		m.progress(i, len(events)+1, e.what)
		m.clock.Set(e.at)
		if err := e.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", e.what, err)
		}
	}
	m.clock.Set(m.now)
	if err := m.settle(ctx); err != nil {
		return err
	}
	if err := m.sellSeats(ctx); err != nil {
		return fmt.Errorf("%s: %w", seatsKey, err)
	}
	broken, err := m.h.Verify(ctx)
	if err != nil {
		return err
	}
	for _, v := range broken {
		return fmt.Errorf("the demo broke invariant %s, %s: %v", v.Check.Invariant, v.Check.Name, v.Rows)
	}
	m.progress(len(events), len(events)+1, openKey)
	return m.openSession(ctx)
}

// eventsOf is the story of one session.
func (m *maker) eventsOf(s session) (events []event) {
	add := func(at time.Time, what string, do func(context.Context) error) {
		events = append(events, event{at, s.key + ": " + what, do})
	}
	if s.paid != nil {
		for i := range s.paid.bought {
			at := s.starts.AddDate(0, 0, -20).Add(time.Duration(i) * 11 * time.Hour)
			add(at, "purchase", func(ctx context.Context) error { return m.buy(ctx, s, i, at) })
		}
		add(s.starts.AddDate(0, 0, 21), "grades, week 3", func(ctx context.Context) error { return m.grades(ctx, s, false) })
	}
	add(s.ends, "grades", func(ctx context.Context) error { return m.grades(ctx, s, true) })
	if s.paid != nil {
		for i := range s.paid.certified {
			at := s.ends.AddDate(0, 0, 3).Add(time.Duration(i) * 3 * time.Hour)
			add(at, "exam", func(ctx context.Context) error { return m.exam(ctx, s, at, i) })
		}
	}
	return events
}

// buy lets a learner buy the QUALIFYING formula; every third one had begun with the free one.
func (m *maker) buy(ctx context.Context, s session, i int, at time.Time) error {
	key, buyer := fmt.Sprintf("%s-%d", s.key, i), m.buyers[s.key][i]
	if i%3 == 0 {
		if _, err := m.h.Sales.PlaceOrder(ctx, sales.PlaceOrder{BuyerID: buyer.ID, OfferID: m.offers[s.key][0].ID, Lang: buyer.Lang, IdempotencyKey: key + "-free"}); err != nil {
			return err
		}
		m.clock.Set(at.Add(2 * time.Hour))
	}
	return m.purchase(ctx, buyer, m.offers[s.key][1], key)
}

// purchase lets somebody take an offer and pay for it in the sandbox.
func (m *maker) purchase(ctx context.Context, buyer identity.Person, offer offers.Offer, key string) error {
	o, err := m.h.Sales.PlaceOrder(ctx, sales.PlaceOrder{BuyerID: buyer.ID, OfferID: offer.ID, Lang: buyer.Lang, IdempotencyKey: key})
	if err != nil {
		return err
	}
	if err := m.pay(ctx, o); err != nil {
		return err
	}
	return m.until(ctx, func() (bool, error) {
		now, err := m.h.Sales.Order(ctx, o.ID)
		return now.State == sales.Paid, err
	})
}

func (m *maker) pay(ctx context.Context, o sales.Order) error {
	var p payments.Payment
	if err := m.h.DB.View(ctx, "demo payment", func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = payments.OneTx(ctx, tx, o.PaymentID)
		return err
	}); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"card": "4242424242424242"})
	if err != nil {
		return err
	}
	return m.tell(ctx, "/sandbox/pay/"+p.CheckoutID, body)
}

// tell has the sandbox do something.
func (m *maker) tell(ctx context.Context, path string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.stripe+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the sandbox refused %s: %s", path, answer.Status)
	}
	return nil
}

// grades imports a report of a session.
func (m *maker) grades(ctx context.Context, s session, final bool) error {
	email := func(buyer int) string { return m.buyers[s.key][buyer].Email }
	_, err := m.h.Gradebook.Import(ctx, gradebook.Intake{
		SessionID: m.open[s.key].ID, CollectedAt: m.clock.Now(), Content: report(s, m.casts[s.key], email, final),
		FileName: fmt.Sprintf("IMT_%s_grade_report_%s.csv", s.key, m.clock.Now().Format("2006-01-02-1504")),
	})
	if err != nil {
		return err
	}
	return m.settle(ctx)
}

// exam lets learners sit the exam together and pass it.
func (m *maker) exam(ctx context.Context, s session, at time.Time, seats ...int) error {
	var sat []exams.Sitting
	for _, i := range seats {
		o, err := m.enrolmentOf(ctx, m.buyers[s.key][i].ID, m.open[s.key].ID)
		if err != nil {
			return err
		}
		x, err := m.h.Exams.Book(ctx, exams.BookSitting{LearnerID: m.buyers[s.key][i].ID, EnrolmentID: o, IdempotencyKey: fmt.Sprintf("%s-exam-%d", s.key, i)})
		if err != nil {
			return err
		}
		sat = append(sat, x)
	}
	m.clock.Set(at.Add(90 * time.Minute))
	for n, x := range sat {
		score := 610_000 + seats[n]*17_000
		if _, err := m.h.Exams.RecordResult(ctx, exams.Result{SittingID: x.ID, State: exams.Passed, ScorePPM: &score, Reference: "proctor " + x.ID[len(x.ID)-4:]}); err != nil {
			return err
		}
	}
	return m.settle(ctx)
}

// settle waits until every job that can run has run.
func (m *maker) settle(ctx context.Context) error {
	return m.until(ctx, func() (bool, error) {
		c, err := m.h.Jobs.Count(ctx)
		return c.Ready == 0, err
	})
}

func (m *maker) until(ctx context.Context, holds func() (bool, error)) error {
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (m *maker) euros(n int64) money.Amount { return money.Of(n*100, "EUR") }

// address is that of a paying learner.
func address(s session, i int) string {
	return fmt.Sprintf("%s-%02d@learner.example", strings.ToLower(strings.ReplaceAll(s.key, "-", "")), i+1)
}
