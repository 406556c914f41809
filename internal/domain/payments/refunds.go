package payments

import (
	"context"
	"database/sql"
	"errors"
	"time"
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
	ID             string    `db:"id"`
	PaymentID      string    `db:"payment_id"`
	AmountMinor    int64     `db:"amount_minor"`
	State          string    `db:"state"` // proposed, rejected, requested, pending, succeeded, failed
	ProviderRefund string    `db:"provider_refund"`
	Reason         string    `db:"reason"`
	RequestedBy    string    `db:"requested_by"`
	Reversal       bool      `db:"reversal"`   // undoes what a desk recorded; known where it was found by id
	OwedMinor      int64     `db:"owed_minor"` // of one that came back; this and the two below are known where it was found by id
	RequestedAt    time.Time `db:"requested_at"`
	RepaymentBy    string    `db:"repayment_by"`     // who says that it was paid otherwise
	Repaid         bool      `db:"repaid"`           // and somebody else agreed
	RepaidAs       string    `db:"repaid_reference"` // of the transfer
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
	held, err := holdings(ctx, tx, p)
	if err != nil {
		return Refund{}, err
	}
	if n.Minor > held[0].Free {
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

// keyLives is how long a provider surely knows an idempotency key, with a margin: Stripe forgets them after a day.
const keyLives = 12 * time.Hour

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
		AskedLongAgo: s.db.Now().Sub(r.RequestedAt) > keyLives,
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

// Booking says what a refund of a fact came to: Owed of it had been owed to the buyer since an earlier refund came back, Excess is more
// than anybody owed her (what was owed had been paid otherwise, and then the provider paid it too), and the rest is given back only now.
type Booking struct {
	Refund Refund
	Fresh  bool // it was this call that booked it
	Owed   int64
	Excess int64
}

// BookRefundTx books the refund of a fact once. One that we did not ask for was made in the provider's dashboard, and pays first what is
// owed; one that we asked for does so as far as it is more than what the order still has to give back, mayGive in minor units.
func BookRefundTx(ctx context.Context, tx *postgres.Tx, p Payment, f Fact, mayGive int64) (b Booking, err error) {
	if b.Refund, err = refundOf(ctx, tx, p, f); err != nil {
		return b, err
	}
	if b.Refund.State != "requested" && b.Refund.State != "pending" {
		return b, nil
	}
	if p.State != Captured {
		if mayGive, err = UnowedTx(ctx, tx, p); err != nil {
			return b, err
		}
	}
	first := max(0, b.Refund.AmountMinor-mayGive)
	if b.Refund.RequestedBy == atProvider {
		first = b.Refund.AmountMinor
	}
	if b.Owed, err = SettleOwedTx(ctx, tx, p, first); err != nil {
		return b, err
	}
	b.Excess = max(0, b.Refund.AmountMinor-b.Owed-max(0, mayGive))
	n, err := tx.Exec(ctx, q.Q("SettleRefund"), b.Refund.ID, "succeeded", f.ProviderRefund, tx.Now(), b.Owed, b.Excess)
	if b.Fresh = n > 0; err != nil || !b.Fresh {
		return b, err
	}
	_, err = tx.Exec(ctx, q.Q("AddRefunded"), p.ID, b.Refund.AmountMinor)
	return b, err
}

// SettleOwedTx pays so much of what is owed for a payment since refunds of it came back, the oldest first, and says how much that was:
// less where less is owed. The payment must be locked by the caller.
func SettleOwedTx(ctx context.Context, tx *postgres.Tx, p Payment, minor int64) (paid int64, err error) {
	if minor <= 0 {
		return 0, nil
	}
	owed, _, err := owedTx(ctx, tx, p)
	if err != nil || owed == 0 {
		return 0, err
	}
	paid = min(owed, minor)
	_, err = tx.Exec(ctx, q.Q("SettleOwed"), p.ID, paid)
	return paid, err
}

// SayRepaidTx notes that what is owed for a refund was paid otherwise, under the reference of a transfer; another person has to agree. The
// payment must be locked by the caller. Errors: ErrNothingOwed, ErrRepaymentSaid, ErrRepaidBefore.
func SayRepaidTx(ctx context.Context, tx *postgres.Tx, refundID, reference string) (Refund, error) {
	r, err := RefundTx(ctx, tx, refundID)
	switch {
	case err != nil:
		return r, err
	case r.OwedMinor == 0:
		return r, ErrNothingOwed
	case r.RepaymentBy != "":
		return r, ErrRepaymentSaid
	}
	r.RepaymentBy, r.RepaidAs = postgres.Actor(ctx), reference
	_, err = tx.Exec(ctx, q.Q("SayRepaid"), r.ID, r.RepaymentBy, reference)
	return r, err
}

// DecideRepaidTx has another person agree that what is owed for a refund was paid otherwise, or not; minor is what is owed no more. The
// payment must be locked by the caller. Errors: ErrRefundDecided, ErrSecondPerson, ErrNothingOwed.
func DecideRepaidTx(ctx context.Context, tx *postgres.Tx, refundID string, agree bool) (r Refund, minor int64, err error) {
	r, err = RefundTx(ctx, tx, refundID)
	switch {
	case err != nil:
		return r, 0, err
	case r.RepaymentBy == "" || r.Repaid:
		return r, 0, ErrRefundDecided
	case r.RepaymentBy == postgres.Actor(ctx):
		return r, 0, ErrSecondPerson
	case !agree:
		_, err = tx.Exec(ctx, q.Q("UnsayRepaid"), r.ID)
		return r, 0, err
	case r.OwedMinor == 0:
		return r, 0, ErrNothingOwed
	}
	_, err = tx.Exec(ctx, q.Q("Repaid"), r.ID, postgres.Actor(ctx), tx.Now())
	return r, r.OwedMinor, err
}

func owedTx(ctx context.Context, tx *postgres.Tx, p Payment) (owed, repaid int64, err error) {
	var sums struct {
		Owed   int64 `db:"owed"`
		Repaid int64 `db:"repaid"`
	}
	err = tx.Get(ctx, &sums, q.Q("Owed"), p.ID)
	return sums.Owed, sums.Repaid, err
}

// UnowedTx is what is left of a payment that was not its order's, less what stands among what is owed already.
func UnowedTx(ctx context.Context, tx *postgres.Tx, p Payment) (int64, error) {
	owed, repaid, err := owedTx(ctx, tx, p)
	return p.Left() - owed - repaid, err
}

// Failure says what a refund that failed leaves: whether it had been booked, so that the caller books it back, what is Owed of it now, and
// what of it had been too much.
type Failure struct {
	Refund Refund
	Booked bool
	Owed   int64
	Excess int64
}

// FailRefundTx notes that an announced refund did not reach the buyer: the money is back with us, and owed where it had been booked. Of a
// payment that was not its order's owed is what nobody else gives back, though it was not booked: what we asked for and was refused is
// not asked for again. The payment must be locked by the caller.
func FailRefundTx(ctx context.Context, tx *postgres.Tx, p Payment, f Fact) (out Failure, err error) {
	if out.Refund, err = refundOf(ctx, tx, p, f); err != nil {
		return out, err
	}
	most := int64(0)
	if p.State != Captured && out.Refund.RequestedBy != atProvider {
		if most, err = UnowedTx(ctx, tx, p); err != nil {
			return out, err
		}
	}
	var was struct {
		State  string `db:"state"`
		Owed   int64  `db:"owed_minor"`
		Excess int64  `db:"excess_minor"`
	}
	if err := tx.Get(ctx, &was, q.Q("FailRefund"), out.Refund.ID, f.ProviderRefund, tx.Now(), max(0, most)); err != nil || was.State == "failed" {
		return out, err
	}
	if out.Owed = was.Owed; was.State != "succeeded" {
		return out, nil
	}
	out.Booked, out.Excess = true, was.Excess
	_, err = tx.Exec(ctx, q.Q("AddRefunded"), p.ID, -out.Refund.AmountMinor)
	return out, err
}

// atProvider is who requested a refund that was made in the provider's dashboard.
const atProvider = "provider"

// refundOf finds the refund of a fact by our id or the provider's; one that nobody here asked for is made.
func refundOf(ctx context.Context, tx *postgres.Tx, p Payment, f Fact) (r Refund, err error) {
	err = tx.Get(ctx, &r, q.Q("RefundOfFact"), f.RefundID, f.ProviderRefund, p.ID)
	if !errors.Is(err, sql.ErrNoRows) {
		return r, err
	}
	r = Refund{ID: ident.New("ref"), PaymentID: p.ID, AmountMinor: f.Amount.Minor, State: "pending", ProviderRefund: f.ProviderRefund, Reason: "made at the provider", RequestedBy: atProvider}
	_, err = tx.Exec(ctx, q.Q("AddRefund"), r.ID, p.ID, r.AmountMinor, r.State, f.ProviderRefund, r.Reason, atProvider, tx.Now())
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
