package accounting

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

// Run is one comparison of everything with everything.
type Run struct {
	ID       string     `json:"id" db:"id"`
	AskedBy  string     `json:"asked_by" db:"asked_by"`
	State    string     `json:"state" db:"state"` // waiting, done, failed
	AskedAt  time.Time  `json:"asked_at" db:"asked_at"`
	EndedAt  *time.Time `json:"ended_at,omitempty" db:"ended_at"`
	CaughtUp int        `json:"caught_up" db:"caught_up"` // events of the provider that had not reached us
	Standing int        `json:"standing" db:"standing"`
	Fresh    int        `json:"fresh" db:"fresh"`
	Resolved int        `json:"resolved" db:"resolved"`
	Note     string     `json:"note,omitempty" db:"note"`
}

// Difference is what does not agree. Ours and theirs are minor units: of the provider's kinds theirs is the provider's, otherwise
// ours is the ledger's or the documents'.
type Difference struct {
	ID         string         `json:"id" db:"id"`
	Kind       string         `json:"kind" db:"kind"`
	Object     string         `json:"object" db:"object"`
	OrderID    string         `json:"order,omitempty" db:"order_id"`
	PaymentID  string         `json:"payment,omitempty" db:"payment_id"`
	Currency   money.Currency `json:"currency,omitempty" db:"currency"`
	Ours       int64          `json:"ours_minor" db:"ours_minor"`
	Theirs     int64          `json:"theirs_minor" db:"theirs_minor"`
	FirstSeen  time.Time      `json:"first_seen" db:"first_seen"`
	LastSeen   time.Time      `json:"last_seen" db:"last_seen"`
	ResolvedAt *time.Time     `json:"resolved_at,omitempty" db:"resolved_at"`
}

// Kinds are all kinds of difference. What to do about each stands in the words of the pages.
var Kinds = []string{
	"provider_book",     // a currency: the sum of the provider's book is not our clearing account
	"provider_only",     // a payment: the provider has money that we do not know of
	"provider_missing",  // a payment: we have money that the provider does not know of
	"provider_amount",   // a payment: both know of it, with other amounts
	"payment_ledger",    // an order: its payments are not what the ledger holds
	"order_ledger",      // an order: it is not what the ledger says of it
	"paid_not_enrolled", // an order
	"enrolled_not_paid", // an order
	"document_ledger",   // an order: its invoices less credit notes are not its revenue
	"event_waiting",     // an event of the provider that waits for more than 15 minutes
}

// Asked says that a comparison was asked for.
type Asked struct {
	RunID string `json:"run_id"`
}

// Kind names the job.
func (Asked) Kind() string { return "accounting.reconciliation_asked" }

// Rank lets settlements pass.
func (Asked) Rank() int { return 1 }

// AskTx asks for a comparison; a job makes it.
func (s *Service) AskTx(ctx context.Context, tx *postgres.Tx, by string) (Run, error) {
	r := Run{ID: ident.New("rec"), AskedBy: by, State: "waiting", AskedAt: tx.Now()}
	if _, err := tx.Exec(ctx, q.Q("AddRun"), r.ID, by, tx.Now()); err != nil {
		return r, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "reconciliation.asked", Object: r.ID}); err != nil {
		return r, err
	}
	return r, s.jobs.EnqueueTx(ctx, tx, Asked{r.ID})
}

// nightly is the hour, in UTC, after which a night's comparison is asked for, once.
const nightly = 3

// AskNightly asks for the comparison of this night where nobody did; several workers may call it.
func (s *Service) AskNightly(ctx context.Context) error {
	now := s.db.Now().UTC()
	due := time.Date(now.Year(), now.Month(), now.Day(), nightly, 0, 0, 0, time.UTC)
	if now.Before(due) {
		due = due.AddDate(0, 0, -1)
	}
	return s.db.InTx(postgres.WithActor(ctx, "system"), "ask nightly", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("LockRuns")); err != nil {
			return err
		}
		var last *time.Time
		if err := tx.Get(ctx, &last, q.Q("LastNightly")); err != nil || last != nil && !last.Before(due) {
			return err
		}
		_, err := s.AskTx(ctx, tx, "nightly")
		return err
	})
}

// The provider keeps its events for 30 days; a run waits a minute for those that it fetched to be applied.
const (
	lookBack = 30 * 24 * time.Hour
	patience = time.Minute
)

var errApplying = errors.New("fetched events are being applied")

// Reconcile makes a comparison: it fetches the events that never reached us, reads the provider's whole book, and notes what does
// not agree. What vanished is resolved. A provider that does not answer leaves its differences as they were, and the run says so.
func (s *Service) Reconcile(ctx context.Context, runID string) error {
	ctx = postgres.WithActor(ctx, "system")
	r, err := s.Run(ctx, runID)
	if err != nil || r.State != "waiting" {
		return err
	}
	note := ""
	caught, err := s.payments.CatchUp(ctx, s.db.Now().Add(-lookBack))
	if err != nil {
		note = "events: " + err.Error()
	}
	waiting := 0
	if err := s.db.InTx(ctx, "caught up", func(ctx context.Context, tx *postgres.Tx) error {
		if caught > 0 {
			if _, err := tx.Exec(ctx, q.Q("CaughtUp"), runID, caught); err != nil {
				return err
			}
		}
		return tx.Get(ctx, &waiting, q.Q("EventsWaiting"))
	}); err != nil {
		return err
	}
	if (caught > 0 || waiting > 0) && s.db.Now().Sub(r.AskedAt) < patience && r.CaughtUp+caught > 0 {
		return jobs.NotYet(errApplying)
	}
	book, err := s.payments.Book(ctx)
	answered := err == nil
	if err != nil {
		note += " book: " + err.Error()
	}
	return s.db.InTx(ctx, "reconcile", func(ctx context.Context, tx *postgres.Tx) error {
		found, err := s.compareTx(ctx, tx, book, answered)
		if err != nil {
			return err
		}
		return noteTx(ctx, tx, r, found, answered, note)
	})
}

// found is a difference before it is noted.
type found struct {
	Kind      string         `db:"kind"`
	Object    string         `db:"object"`
	OrderID   string         `db:"order_id"`
	PaymentID string         `db:"payment_id"`
	Currency  money.Currency `db:"currency"`
	Ours      int64          `db:"ours"`
	Theirs    int64          `db:"theirs"`
}

func (s *Service) compareTx(ctx context.Context, tx *postgres.Tx, book []payments.Charge, answered bool) (all []found, err error) {
	if err := tx.Select(ctx, &all, q.Q("Inside"), tx.Now()); err != nil || !answered || s.payments.CanTake() != nil {
		return all, err
	}
	theirs, ids := map[string]payments.Charge{}, []string{}
	sums := map[money.Currency]int64{}
	for _, c := range book {
		sum := theirs[c.PaymentID]
		sum.PaymentID, sum.Currency = c.PaymentID, c.Currency
		sum.CapturedMinor, sum.RefundedMinor, sum.LostMinor = sum.CapturedMinor+c.CapturedMinor, sum.RefundedMinor+c.RefundedMinor, sum.LostMinor+c.LostMinor
		theirs[c.PaymentID], sums[c.Currency] = sum, sums[c.Currency]+c.Left()
		ids = append(ids, c.PaymentID)
	}
	var ours []struct {
		ID       string         `db:"id"`
		OrderID  string         `db:"order_id"`
		Currency money.Currency `db:"currency"`
		Kept     int64          `db:"kept"`
	}
	if err := tx.Select(ctx, &ours, q.Q("OurPayments"), s.payments.Holder(), pq.Array(ids)); err != nil {
		return nil, err
	}
	for _, p := range ours {
		c, there := theirs[p.ID]
		delete(theirs, p.ID)
		kind := "provider_amount"
		switch {
		case !there:
			kind = "provider_missing"
		case c.Left() == p.Kept && c.Currency == p.Currency:
			continue
		case p.Kept == 0:
			kind = "provider_only"
		}
		if there || p.Kept != 0 {
			all = append(all, found{kind, p.ID, p.OrderID, p.ID, p.Currency, p.Kept, c.Left()})
		}
	}
	for id, c := range theirs { // none of our rows has this id
		all = append(all, found{Kind: "provider_only", Object: id, PaymentID: id, Currency: c.Currency, Theirs: c.Left()})
	}
	var clearing []struct {
		Currency money.Currency `db:"currency"`
		Minor    int64          `db:"minor"`
	}
	if err := tx.Select(ctx, &clearing, q.Q("ClearingOf"), ledger.Clearing(s.payments.Holder())); err != nil {
		return nil, err
	}
	balances := map[money.Currency]int64{}
	for _, b := range clearing {
		balances[b.Currency], sums[b.Currency] = b.Minor, sums[b.Currency]+0 // a currency that only we know of is compared too
	}
	for c, minor := range sums {
		if balances[c] != minor {
			all = append(all, found{Kind: "provider_book", Object: string(c), Currency: c, Ours: balances[c], Theirs: minor})
		}
	}
	return all, nil
}

// noteTx stores what was found, resolves what vanished and ends the run.
func noteTx(ctx context.Context, tx *postgres.Tx, r Run, all []found, answered bool, note string) error {
	var ids, kinds, objects, orders, ofPayments, currencies []string
	var ours, theirs []int64
	for _, f := range all {
		ids, kinds, objects = append(ids, ident.New("dif")), append(kinds, f.Kind), append(objects, f.Object)
		orders, ofPayments, currencies = append(orders, f.OrderID), append(ofPayments, f.PaymentID), append(currencies, string(f.Currency))
		ours, theirs = append(ours, f.Ours), append(theirs, f.Theirs)
	}
	if _, err := tx.Exec(ctx, q.Q("PutDifference"), pq.Array(ids), pq.Array(kinds), pq.Array(objects), pq.Array(orders), pq.Array(ofPayments), pq.Array(currencies), pq.Array(ours),
		tx.Now(), r.ID, pq.Array(theirs)); err != nil {
		return err
	}
	resolved, err := tx.Exec(ctx, q.Q("Resolve"), r.ID, tx.Now(), answered)
	if err != nil {
		return err
	}
	var count struct {
		Standing int `db:"standing"`
		Fresh    int `db:"fresh"`
	}
	if err := tx.Get(ctx, &count, q.Q("Standing"), tx.Now()); err != nil {
		return err
	}
	state := "done"
	if note != "" {
		state = "failed"
	}
	_, err = tx.Exec(ctx, q.Q("EndRun"), r.ID, state, tx.Now(), count.Standing, count.Fresh, resolved, note)
	return err
}

// Run finds a comparison.
func (s *Service) Run(ctx context.Context, id string) (r Run, err error) {
	err = s.db.View(ctx, "run", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &r, q.Q("Run"), id) })
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoRun
	}
	return r, err
}

// RunsTx lists the last comparisons, the newest first.
func RunsTx(ctx context.Context, tx *postgres.Tx, limit int) (all []Run, err error) {
	err = tx.Select(ctx, &all, q.Q("Runs"), limit)
	return all, err
}

// DifferencesTx lists differences of a kind and a state (open, resolved; empty: all), the newest first.
func DifferencesTx(ctx context.Context, tx *postgres.Tx, kind, state string, p page.Request) (all []Difference, next string, err error) {
	all = []Difference{}
	if err := tx.Select(ctx, &all, q.Q("Differences"), kind, state, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all, next = all[:p.Limit], all[p.Limit-1].ID
	}
	return all, next, nil
}
