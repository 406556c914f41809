package sales

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// Terms are what was agreed with an order beside its lines.
type Terms struct {
	Withdrawal  Withdrawal `db:"withdrawal"`
	BeginNow    bool       `db:"begin_now"`
	PayableFrom *time.Time `db:"payable_from"`
}

// termsOf are the terms of an order that is placed now. Where lines have different rights the buyer has the longest. An organisation has
// none: the law gives them to consumers and to learners who pay for themselves.
func termsOf(o Order, items []wanted, beginNow bool, now time.Time) Terms {
	t := Terms{Withdrawal: NoWithdrawal, BeginNow: beginNow}
	if o.Pool() {
		return t
	}
	for _, w := range items {
		if right := Withdrawal(w.offer.Withdrawal); right.days() > t.Withdrawal.days() {
			t.Withdrawal = right
		}
	}
	if t.Withdrawal == Vocational {
		from := Vocational.EndsAt(now)
		t.PayableFrom = &from
	}
	return t
}

// usual says whether the terms are those of an order of which none are stored.
func (t Terms) usual() bool { return t.Withdrawal == Consumer && !t.BeginNow }

func addTerms(ctx context.Context, tx *postgres.Tx, orderID string, t Terms) error {
	if t.usual() {
		return nil
	}
	_, err := tx.Exec(ctx, q.Q("AddTerms"), orderID, t.Withdrawal, t.BeginNow, t.PayableFrom, tx.Now())
	return err
}

func termsTx(ctx context.Context, tx *postgres.Tx, orderID string) (t Terms, err error) {
	err = tx.Get(ctx, &t, q.Q("Terms"), orderID)
	if errors.Is(err, sql.ErrNoRows) {
		return Terms{Withdrawal: Consumer}, nil
	}
	return t, err
}

// Receipt is a withdrawal as it was declared.
type Receipt struct {
	ID          string
	OrderID     string
	Name, Email string
	PeriodEnds  time.Time
	Refund      money.Amount
	Kept        money.Amount
	DeclaredAt  time.Time
}

// Leaving is where an order stands with the right to leave it.
type Leaving struct {
	Answer
	Right    Withdrawal
	BeginNow bool
	Receipt  *Receipt // once it was declared
}

// Withdrawal says whether the buyer of an order may withdraw now, and gives the receipt once she did. Errors: ErrNoOrder.
func (s *Service) Withdrawal(ctx context.Context, orderID string) (l Leaving, err error) {
	var o Order
	if err := s.db.View(ctx, "order to leave", func(ctx context.Context, tx *postgres.Tx) (err error) {
		o, err = OrderTx(ctx, tx, orderID)
		return err
	}); err != nil {
		return l, err
	}
	// Who sees the order may know what is on its way back to her; refunds are the house's to read.
	err = s.db.View(postgres.WithActor(ctx, "system"), "withdrawal", func(ctx context.Context, tx *postgres.Tx) (err error) {
		l, err = leavingTx(ctx, tx, o)
		return err
	})
	return l, err
}

func leavingTx(ctx context.Context, tx *postgres.Tx, o Order) (l Leaving, err error) {
	var r struct {
		ID         string    `db:"id"`
		Name       string    `db:"name"`
		Email      string    `db:"email"`
		PeriodEnds time.Time `db:"period_ends"`
		Refund     int64     `db:"refund_minor"`
		Kept       int64     `db:"kept_minor"`
		DeclaredAt time.Time `db:"declared_at"`
	}
	terms, err := termsTx(ctx, tx, o.ID)
	if err != nil {
		return l, err
	}
	l.Right, l.BeginNow = terms.Withdrawal, terms.BeginNow
	err = tx.Get(ctx, &r, q.Q("WithdrawalOf"), o.ID)
	if err == nil {
		c := o.Total.Currency
		l.Receipt = &Receipt{ID: r.ID, OrderID: o.ID, Name: r.Name, Email: r.Email, PeriodEnds: r.PeriodEnds, Refund: money.Of(r.Refund, c), Kept: money.Of(r.Kept, c), DeclaredAt: r.DeclaredAt}
		l.Answer = Answer{Reason: "withdrawn", Until: r.PeriodEnds, Refund: l.Receipt.Refund, Kept: l.Receipt.Kept}
		return l, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return l, err
	}
	c, err := contractOf(ctx, tx, o, terms)
	if err != nil {
		return l, err
	}
	l.Answer = c.MayWithdraw(tx.Now())
	if reason := map[State]string{Disputed: "disputed", Refunded: "refunded", Lost: "lost", Expired: "not_ordered", Canceled: "not_ordered", PaymentMismatch: "payment_mismatch"}[o.State]; reason != "" {
		l.Allowed, l.Reason = false, reason
	} else if o.Way == Free {
		l.Allowed, l.Reason = false, "free"
	}
	return l, nil
}

// contractOf gathers what decides about a withdrawal. A contract stands since its order; a consumer who paid later has her time
// from then, which is better for her. A session without dates keeps nothing: nobody could say how much of it was provided.
func contractOf(ctx context.Context, tx *postgres.Tx, o Order, t Terms) (Contract, error) {
	c := Contract{
		Right: t.Withdrawal, ConcludedAt: o.PlacedAt, BeginNow: t.BeginNow, Business: o.Pool(), Paid: money.Zero(o.Total.Currency), Credited: o.Credited,
	}
	if o.PaidAt == nil {
		return c, nil
	}
	var err error
	if c.Paid, err = o.paid(ctx, tx); err != nil {
		return c, err
	}
	if t.Withdrawal != Vocational { // which is paid for when its period is over
		c.ConcludedAt = *o.PaidAt
	}
	parts, back, err := goingBack(ctx, tx, o, "")
	if err != nil {
		return c, err
	}
	c.Credited.Minor = min(c.Credited.Minor+back, c.Paid.Minor) // no more goes back than came: the provider refuses what is asked beyond
	if o.retake() {                                             // it has no days of its own: it was used or it was not
		c.Used, err = enrolment.RetakeUsedTx(ctx, tx, o.ID)
		return c, err
	}
	left, ids := map[string]int64{}, []string{}
	for _, p := range parts {
		left[p.SessionID] += p.Sold - p.Credited
		ids = append(ids, p.SessionID)
	}
	var runs []struct {
		ID     string    `db:"id"`
		Starts time.Time `db:"starts_at"`
		Ends   time.Time `db:"ends_at"`
	}
	if err := tx.Select(ctx, &runs, q.Q("SessionRuns"), pq.Array(ids)); err != nil {
		return c, err
	}
	for _, r := range runs {
		c.Parts = append(c.Parts, Performed{LeftMinor: left[r.ID], StartsAt: r.Starts, EndsAt: r.Ends})
	}
	return c, tx.Get(ctx, &c.Certified, q.Q("Certified"), pq.Array(o.Enrolments()))
}

// goingBack gives the parts of an order as they are when all that is on its way back has arrived, and how much that is. What was
// only proposed is not on its way: a withdrawal takes its place. but is a refund that does not count.
func goingBack(ctx context.Context, tx *postgres.Tx, o Order, but string) (parts []Part, sum int64, err error) {
	for _, l := range o.Lines {
		parts = append(parts, l.Parts...)
	}
	var refunds []struct {
		ID    string `db:"id"`
		Minor int64  `db:"minor"`
	}
	if err := tx.Select(ctx, &refunds, q.Q("GoingBack"), o.ID, but); err != nil {
		return nil, 0, err
	}
	for _, r := range refunds {
		var of []RefundLine
		if err := tx.Select(ctx, &of, q.Q("RefundLines"), r.ID); err != nil {
			return nil, 0, err
		}
		// The provider's dashboard can give back what was on its way already: that will be refused.
		take := min(r.Minor, leftOf(parts))
		if take == 0 {
			break
		}
		minors, err := creditsOf(parts, money.Of(take, o.Total.Currency), of)
		if err != nil {
			return nil, 0, err
		}
		for i, m := range minors {
			parts[i].Credited += m
		}
		sum += take
	}
	return parts, sum, nil
}

// leftOf is what parts have left to give back, in minor units.
func leftOf(parts []Part) (minor int64) {
	for _, p := range parts {
		minor += p.Sold - p.Credited
	}
	return minor
}

// WithdrawOrder declares that a buyer leaves the contract: who she is, and where the receipt goes.
type WithdrawOrder struct {
	OrderID        string
	BuyerID        string
	Name           string
	Email          string
	IdempotencyKey string
}

func (c *WithdrawOrder) validate() error {
	c.Name, c.Email = strings.TrimSpace(c.Name), strings.TrimSpace(c.Email)
	if n := utf8.RuneCountInString(c.Name); n < 1 || n > 200 {
		return fault.InvalidInput(fault.Field{Pointer: "/name", Code: "bad-length", Detail: "1 to 200 characters."})
	}
	if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email || len(c.Email) > 254 {
		return fault.InvalidInput(fault.Field{Pointer: "/email", Code: "bad-address", Detail: "An address that mail reaches."})
	}
	return nil
}

// Withdraw declares a withdrawal: the contract ends, what it opened closes, and what is due goes back, in one transaction. An order
// that was not paid ends there and then. Errors: ErrNoOrder, ErrNoWithdrawal with the reason, and those of idempotency.
func (s *Service) Withdraw(ctx context.Context, c WithdrawOrder) (l Leaving, err error) {
	if err := c.validate(); err != nil {
		return l, err
	}
	_, _, err = s.replies.Do(postgres.WithActor(ctx, "system"), "buyer:"+c.BuyerID, c.IdempotencyKey, requestHash("withdraw", c),
		func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
			id, err := s.withdrawTx(ctx, tx, c)
			if err != nil {
				return idempotency.Reply{}, err
			}
			b, err := json.Marshal(id)
			return idempotency.Reply{Status: http.StatusCreated, Body: b}, err
		})
	if err != nil {
		return l, err
	}
	failpoint.Here("withdrawn")
	return s.Withdrawal(postgres.WithActor(ctx, "system"), c.OrderID)
}

func (s *Service) withdrawTx(ctx context.Context, tx *postgres.Tx, c WithdrawOrder) (id string, err error) {
	o, err := one(ctx, tx, "Lock", c.OrderID)
	if err != nil {
		return "", err
	}
	if o.BuyerID != c.BuyerID {
		return "", ErrNoOrder
	}
	l, err := leavingTx(ctx, tx, o)
	if err != nil {
		return "", err
	}
	if !l.Allowed {
		return "", ErrNoWithdrawal.At("/order", l.Reason, noWithdrawal[l.Reason])
	}
	id = ident.New("wdr")
	if _, err := tx.Exec(ctx, q.Q("AddWithdrawal"), id, o.ID, c.Name, c.Email, l.Until, l.Refund.Minor, l.Kept.Minor, o.Total.Currency, tx.Now()); err != nil {
		return "", err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "order.withdrawn", Object: o.ID, Detail: map[string]any{"withdrawal": id, "refund": l.Refund, "kept": l.Kept}}); err != nil {
		return "", err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, OrderWithdrawn{OrderID: o.ID}); err != nil {
		return "", err
	}
	if o.State == AwaitingPayment && o.Way.ByHand() {
		if err := s.giveUp(ctx, tx, o); err != nil {
			return "", err
		}
	}
	if o.State == AwaitingPayment { // what comes all the same is a surplus, and goes back
		return id, s.move(ctx, tx, &o, Canceled)
	}
	if o.Way == Instalments {
		if err := s.endPlan(ctx, tx, &o, "withdrawal"); err != nil {
			return "", err
		}
	}
	all, err := payments.HoldingsTx(ctx, tx, o.ID)
	if err != nil {
		return "", err
	}
	for _, p := range all {
		rejected, err := s.payments.RejectProposedTx(ctx, tx, p.ID)
		if err != nil {
			return "", err
		}
		for _, r := range rejected {
			if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "refund.rejected", Object: o.ID, Detail: map[string]any{"refund": r, "because": id}}); err != nil {
				return "", err
			}
		}
	}
	if all, err = payments.HoldingsTx(ctx, tx, o.ID); err != nil { // what was rejected is free again
		return "", err
	}
	for rest := l.Refund; rest.Minor > 0 && len(all) > 0; all = all[1:] {
		part := money.Of(min(rest.Minor, all[0].Free), rest.Currency)
		if part.Minor <= 0 {
			continue
		}
		if err := s.giveBack(ctx, tx, o, all[0].Payment, part, "withdrawal "+id); err != nil {
			return "", err
		}
		rest.Minor -= part.Minor
	}
	if err := s.reverse(ctx, tx, o, "withdrawn"); err != nil {
		return "", err
	}
	return id, s.move(ctx, tx, &o, o.ends(Withdrawn))
}

// giveBack requests the refund of a withdrawal, of each line in proportion to what it has left when all that is on its way has
// arrived: whichever arrives first, each takes from the lines that were meant.
func (s *Service) giveBack(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, a money.Amount, reason string) error {
	r, err := s.payments.RequestRefundTx(ctx, tx, p, payments.NewRefund{Minor: a.Minor, Reason: reason})
	if err != nil {
		return err
	}
	parts, _, err := goingBack(ctx, tx, o, r.ID)
	if err != nil {
		return err
	}
	minors, err := credits(parts, a)
	if err != nil {
		return err
	}
	of := make(map[int]int64, len(o.Lines))
	for i, p := range parts {
		of[p.Line] += minors[i]
	}
	for _, l := range o.Lines {
		if of[l.N] == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, q.Q("AddRefundLine"), r.ID, o.ID, l.N, of[l.N], 0); err != nil {
			return err
		}
	}
	return nil
}

// noWithdrawal are the reasons in words.
var noWithdrawal = map[string]string{
	"business": "The law gives this right to consumers; an organisation bought.", "no_right": "This was sold without a right to withdraw.",
	"over": "The time to withdraw is over.", "certified": "What was bought is done: its certificate was issued.",
	"retake_used": "An exam is booked with it, or was sat: cancel the booking first.", "withdrawn": "This order was withdrawn from already.",
	"disputed": "The bank is giving the money back already.", "refunded": "Everything was given back already.", "lost": "The bank gave the money back already.",
	"not_ordered": "This order ended without being paid.", "free": "Nothing was paid: leave the session instead.",
	"payment_mismatch": "The payment is being looked into.",
}

// OrderWithdrawn says that the buyer of an order left the contract.
type OrderWithdrawn struct {
	OrderID string `json:"order_id"`
}

// Kind names the job.
func (OrderWithdrawn) Kind() string { return "sales.order_withdrawn" }
