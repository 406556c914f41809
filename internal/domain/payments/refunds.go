package payments

import (
	"context"
	"database/sql"
	"errors"
	"unicode/utf8"

	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// RefundRequested says that the provider has to be asked to give money back.
type RefundRequested struct {
	RefundID string `json:"refund_id"`
}

// Kind names the job.
func (RefundRequested) Kind() string { return "payments.refund_requested" }

// Refund is money that goes back, or was announced to.
type Refund struct {
	ID             string `db:"id"`
	PaymentID      string `db:"payment_id"`
	AmountMinor    int64  `db:"amount_minor"`
	State          string `db:"state"` // proposed, rejected, requested, pending, succeeded, failed
	ProviderRefund string `db:"provider_refund"`
	Reason         string `db:"reason"`
	RequestedBy    string `db:"requested_by"`
	Reversal       bool   `db:"reversal"` // undoes what a desk recorded; known where it was found by id
}

// NewRefund is what RequestRefundTx needs. One that is proposed waits for a second person before anything is sent.
type NewRefund struct {
	Minor   int64
	Reason  string
	Propose bool
}

// RequestRefundTx notes that an amount goes back and enqueues the call, or proposes it. The payment must be locked by the caller.
// What was requested or proposed before and is not settled counts as gone.
func (s *Service) RequestRefundTx(ctx context.Context, tx *postgres.Tx, p Payment, n NewRefund) (Refund, error) {
	if n.Reason == "" || utf8.RuneCountInString(n.Reason) > 200 {
		return Refund{}, ErrRefundReason
	}
	if n.Minor <= 0 {
		return Refund{}, ErrRefundAmount
	}
	var underWay int64
	if err := tx.Get(ctx, &underWay, q.Q("RefundsUnderWay"), p.ID); err != nil {
		return Refund{}, err
	}
	if n.Minor > p.Left()-underWay {
		return Refund{}, ErrTooMuch
	}
	r := Refund{ID: ident.New("ref"), PaymentID: p.ID, AmountMinor: n.Minor, State: "requested", Reason: n.Reason, RequestedBy: postgres.Actor(ctx)}
	if n.Propose {
		r.State = "proposed"
	}
	if _, err := tx.Exec(ctx, q.Q("AddRefund"), r.ID, p.ID, n.Minor, r.State, nil, n.Reason, r.RequestedBy, tx.Now()); err != nil || n.Propose {
		return r, err
	}
	return r, s.jobs.EnqueueTx(ctx, tx, RefundRequested{r.ID})
}

// DecideRefundTx has a second person agree to a proposed refund, or not. The payment must be locked by the caller. Errors:
// ErrRefundUnknown, ErrRefundDecided, ErrSecondPerson.
func (s *Service) DecideRefundTx(ctx context.Context, tx *postgres.Tx, refundID string, agree bool) (Refund, error) {
	r, err := RefundTx(ctx, tx, refundID)
	switch {
	case err != nil:
		return r, err
	case r.State != "proposed":
		return r, ErrRefundDecided
	case r.RequestedBy == postgres.Actor(ctx):
		return r, ErrSecondPerson
	}
	if r.State = "rejected"; agree {
		r.State = "requested"
	}
	if _, err := tx.Exec(ctx, q.Q("DecideRefund"), r.ID, r.State, postgres.Actor(ctx), tx.Now()); err != nil || !agree {
		return r, err
	}
	return r, s.jobs.EnqueueTx(ctx, tx, RefundRequested{r.ID})
}

// RejectProposedTx refuses every refund of a payment that waits for a second person, because something else gives the money back. A
// reversal stays: it says that the money never came. It gives their ids. The payment must be locked by the caller, who is none of those that proposed.
func (s *Service) RejectProposedTx(ctx context.Context, tx *postgres.Tx, paymentID string) (ids []string, err error) {
	err = tx.Select(ctx, &ids, q.Q("RejectProposed"), paymentID, postgres.Actor(ctx), tx.Now())
	return ids, err
}

// RefundTx finds a refund by id.
func RefundTx(ctx context.Context, tx *postgres.Tx, id string) (r Refund, err error) {
	if err = tx.Get(ctx, &r, q.Q("Refund"), id); errors.Is(err, sql.ErrNoRows) {
		err = ErrRefundUnknown
	}
	return r, err
}

// SendRefund asks the provider to give the money of a requested refund back, and gives the fact that follows from its
// answer; false when nothing is to be booked (yet). It must not run inside a transaction.
func (s *Service) SendRefund(ctx context.Context, refundID string) (f Fact, book bool, err error) {
	var r Refund
	var p Payment
	err = s.db.View(ctx, "refund", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err = tx.Get(ctx, &r, q.Q("Refund"), refundID); err != nil {
			return err
		}
		p, err = OneTx(ctx, tx, r.PaymentID)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, ErrRefundUnknown
	}
	if err != nil || r.State != "requested" && r.State != "pending" || p.ByHand { // what came by hand goes back by hand
		return f, false, err
	}
	if s.gateway == nil {
		return f, false, ErrNoProvider
	}
	amount := money.Of(r.AmountMinor, money.Currency(p.CapturedCurrency))
	got, err := s.gateway.Refund(ctx, RefundRequest{
		RefundID: r.ID, PaymentID: p.ID, PaymentIntentID: p.IntentID, Amount: amount, IdempotencyKey: r.ID + ":refund",
	})
	failpoint.Here("refund answered")
	if fault.From(err).Kind == fault.Unprocessable { // refused for good: to ask again would not help, and staff sees it failed
		return Fact{Kind: FactRefundFailed, PaymentID: p.ID, PaymentIntentID: p.IntentID, RefundID: r.ID, Amount: amount}, true, nil
	}
	if err != nil {
		return f, false, err
	}
	f = Fact{Kind: FactRefunded, PaymentID: p.ID, PaymentIntentID: p.IntentID, RefundID: r.ID, ProviderRefund: got.ID, Amount: amount}
	if got.Status == "failed" || got.Status == "canceled" {
		f.Kind = FactRefundFailed
	}
	return f, true, nil
}

// BookRefundTx books the refund of a fact once, and says whether it was this call that did. A refund that we did not ask
// for was made in the provider's dashboard.
func BookRefundTx(ctx context.Context, tx *postgres.Tx, p Payment, f Fact) (r Refund, booked bool, err error) {
	if r, err = refundOf(ctx, tx, p, f); err != nil {
		return r, false, err
	}
	n, err := tx.Exec(ctx, q.Q("SettleRefund"), r.ID, "succeeded", f.ProviderRefund, tx.Now())
	if err != nil || n == 0 {
		return r, false, err
	}
	_, err = tx.Exec(ctx, q.Q("AddRefunded"), p.ID, r.AmountMinor)
	return r, true, err
}

// FailRefundTx notes that an announced refund did not reach the buyer: the money is back with us. booked says whether it
// had been booked, so that the caller books it back.
func FailRefundTx(ctx context.Context, tx *postgres.Tx, p Payment, f Fact) (r Refund, booked bool, err error) {
	if r, err = refundOf(ctx, tx, p, f); err != nil {
		return r, false, err
	}
	var before string
	if err := tx.Get(ctx, &before, q.Q("FailRefund"), r.ID, f.ProviderRefund, tx.Now()); err != nil || before != "succeeded" {
		return r, false, err
	}
	_, err = tx.Exec(ctx, q.Q("AddRefunded"), p.ID, -r.AmountMinor)
	return r, true, err
}

// refundOf finds the refund of a fact by our id or the provider's; one that nobody here asked for is made.
func refundOf(ctx context.Context, tx *postgres.Tx, p Payment, f Fact) (r Refund, err error) {
	err = tx.Get(ctx, &r, q.Q("RefundOfFact"), f.RefundID, f.ProviderRefund, p.ID)
	if !errors.Is(err, sql.ErrNoRows) {
		return r, err
	}
	r = Refund{ID: ident.New("ref"), PaymentID: p.ID, AmountMinor: f.Amount.Minor, State: "pending", ProviderRefund: f.ProviderRefund, Reason: "made at the provider"}
	_, err = tx.Exec(ctx, q.Q("AddRefund"), r.ID, p.ID, r.AmountMinor, r.State, f.ProviderRefund, r.Reason, "provider", tx.Now())
	return r, err
}

// DisputeTx notes a dispute's turn (inquiry, closed, opened, won, lost) once and says whether it was this call that did. Lost is the end
// of it, and so is won, unless the bank says lost after all; a question that was closed may be opened.
func DisputeTx(ctx context.Context, tx *postgres.Tx, p Payment, f Fact, state string) (bool, error) {
	n, err := tx.Exec(ctx, q.Q("PutDispute"), f.DisputeID, p.ID, f.Amount.Minor, state, tx.Now(), f.Reason[:min(len(f.Reason), 100)], f.AnswerBy)
	if err != nil || n == 0 || state != "lost" {
		return n > 0, err
	}
	_, err = tx.Exec(ctx, q.Q("AddLost"), p.ID, f.Amount.Minor)
	return true, err
}
