package sales

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Accounts of money that came in without being owed to us.
const (
	overpaid  = "overpaid"        // owed back to the buyer; below nothing: she has more than she was owed, and owes it to us
	suspense  = "suspense"        // another amount than was asked for; a person decides
	returning = "refunds_payable" // a refund that did not reach the buyer: we still owe it
)

// Apply applies a stored event of a payment provider, once. An event about a payment that is not known yet is an error, so
// that its job tries again: events come in any order.
func (s *Service) Apply(ctx context.Context, eventID string) error {
	ctx = postgres.WithGenericPlans(ctx)
	_, fact, pending, err := s.payments.Pending(ctx, eventID)
	if err != nil || !pending {
		return err
	}
	failpoint.Here("event read")
	err = s.db.InTx(ctx, "apply event", func(ctx context.Context, tx *postgres.Tx) error {
		mine, err := payments.ClaimTx(ctx, tx, eventID)
		if err != nil || !mine {
			return err
		}
		return s.applyTx(ctx, tx, fact)
	})
	failpoint.Here("event applied")
	return err
}

// BookRefund asks the provider for a requested refund and books its answer.
func (s *Service) BookRefund(ctx context.Context, refundID string) error {
	fact, book, err := s.payments.SendRefund(ctx, refundID)
	if err != nil || !book {
		return err
	}
	failpoint.Here("refund sent")
	return s.db.InTx(ctx, "book refund", func(ctx context.Context, tx *postgres.Tx) error { return s.applyTx(ctx, tx, fact) })
}

// applyTx locks the order, then its payment, in that order everywhere.
func (s *Service) applyTx(ctx context.Context, tx *postgres.Tx, f payments.Fact) error {
	if f.Kind == payments.FactCardKept {
		return s.takeCard(ctx, tx, f)
	}
	p, err := payments.OfFactTx(ctx, tx, f)
	if err != nil {
		return err
	}
	o, err := one(ctx, tx, "Lock", p.OrderID)
	if err != nil {
		return err
	}
	if p, err = payments.LockTx(ctx, tx, p.ID); err != nil {
		return err
	}
	switch f.Kind {
	case payments.FactCaptured:
		return s.captured(ctx, tx, o, p, f)
	case payments.FactPending:
		return s.pending(ctx, tx, o, p)
	case payments.FactFailed:
		if err := s.unpaid(ctx, tx, o, p, payments.Failed); err != nil || p.Instalment == 0 {
			return err
		}
		return s.instalmentRefused(ctx, tx, o, p, f.Declined)
	case payments.FactExpired:
		return s.unpaid(ctx, tx, o, p, payments.Expired)
	case payments.FactRefunded:
		return s.refunded(ctx, tx, o, p, f)
	case payments.FactRefundFailed:
		return s.refundFailed(ctx, tx, o, p, f)
	case payments.FactInquiry, payments.FactInquiryClosed, payments.FactDisputeOpened, payments.FactDisputeWon, payments.FactDisputeLost:
		return s.disputed(ctx, tx, o, p, f)
	case payments.FactUninteresting, payments.FactCardKept:
	}
	return nil
}

// pending notes that a bank is asked for the money, and that the order keeps its places as long as that takes. Told when its time was over
// it keeps only what nobody took meanwhile: otherwise it goes on as it was, and what comes is looked at when it comes.
func (s *Service) pending(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment) error {
	if p.State != payments.Created && p.State != payments.Open {
		return nil
	}
	if o.State == AwaitingPayment && o.ExpiresAt != nil && !tx.Now().Before(*o.ExpiresAt) {
		if err := s.lateSeats(ctx, tx, o); taken(err) {
			return nil
		} else if err != nil {
			return err
		}
	}
	if err := s.tell(ctx, tx, o, "payment_pending", p.ID, o.Total); err != nil {
		return err
	}
	return payments.MoveTx(ctx, tx, p, payments.Pending)
}

// captured books money that came in: as the order's, as a surplus that goes back, or as a mismatch that waits for a person.
func (s *Service) captured(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if p.Instalment > 0 {
		return s.instalmentIn(ctx, tx, o, p, f)
	}
	if p.State.Paid() {
		return nil
	}
	kept, err := s.yield(ctx, tx, &o)
	if err != nil {
		return err
	}
	state, counter := payments.Captured, ledger.Receivable
	switch {
	case f.Amount != o.Total || f.Amount != p.Amount():
		state, counter = payments.Mismatch, suspense
	case o.State != AwaitingPayment, o.superseded, kept:
		state, counter = payments.Surplus, overpaid
	case (p.State != payments.Pending || o.PaymentID != p.ID) && o.ExpiresAt != nil && !tx.Now().Before(*o.ExpiresAt):
		err := s.lateSeats(ctx, tx, o)
		if taken(err) {
			state, counter = payments.Surplus, overpaid
		} else if err != nil {
			return err
		}
	}
	if err := payments.CaptureTx(ctx, tx, p, state, f); err != nil {
		return err
	}
	if state == payments.Captured {
		if o.PaymentID != p.ID { // an earlier page was paid after all
			if _, err := tx.Exec(ctx, q.Q("SetPayment"), o.ID, p.ID); err != nil {
				return err
			}
			o.PaymentID = p.ID
		}
		if o.Way == Instalments { // all of it was paid on a page that was open when the plan was made
			if err := o.dropSchedule(ctx, tx); err != nil {
				return err
			}
			if err := s.setWay(ctx, tx, &o, Card, p); err != nil {
				return err
			}
		}
		p.Method = f.Method
		o.paidBy(p)
		return s.settle(ctx, tx, o)
	}
	return s.setAside(ctx, tx, o, p, f, state, counter, kept)
}

// setAside books money that is not the order's: a surplus goes back, a mismatch waits for a person. An order that waited for it ends, unless
// it is kept.
func (s *Service) setAside(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact, state payments.State, counter string, kept bool) error {
	if err := s.post(ctx, tx, p.ID+":capture", string(state), f.Amount, o, s.clearing(p), counter); err != nil {
		return err
	}
	if state == payments.Surplus {
		p.CapturedMinor = f.Amount.Minor
		if _, err := s.payments.RequestRefundTx(ctx, tx, p, payments.NewRefund{Minor: f.Amount.Minor, Reason: "paid twice or too late"}); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, o, "surplus_returned", p.ID, f.Amount); err != nil {
			return err
		}
	}
	if to := map[payments.State]State{payments.Surplus: Canceled, payments.Mismatch: PaymentMismatch}[state]; o.State == AwaitingPayment && !kept {
		if err := s.move(ctx, tx, &o, to); err != nil {
			return err
		}
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "payment." + string(state), Object: p.ID, Detail: map[string]any{"order": o.ID, "came": f.Amount, "asked": o.Total}})
}

// settle is the one transaction in which an order becomes paid, enrolled and invoiced.
func (s *Service) settle(ctx context.Context, tx *postgres.Tx, o Order) error {
	if o.State == Billed {
		return s.paidBill(ctx, tx, &o)
	}
	return s.fulfilTx(ctx, tx, &o)
}

// fulfilTx grants the enrolments of every line, posts sale and payment, and issues the invoice, last, because its counter is
// locked. The seats of an organisation are granted to who claims them.
func (s *Service) fulfilTx(ctx context.Context, tx *postgres.Tx, o *Order) (err error) {
	if !o.Pool() {
		if err := admit(ctx, tx, o); err != nil {
			return err
		}
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "order.paid", Object: o.ID, Detail: map[string]any{"total": o.Total, "enrolments": o.Enrolments()}}); err != nil {
		return err
	}
	if !o.Total.IsZero() {
		came := o.Total
		if o.Schedule != nil {
			came = o.Schedule.received(came.Currency)
		}
		if err := ledger.PostTx(ctx, tx, s.posting(tx, o.ID+":sale", "sale", o.Total, *o, ledger.Receivable, ledger.Revenue, o.shares()...),
			s.posting(tx, o.PaymentID+":capture", "capture", came, *o, s.paidFrom(*o), ledger.Receivable)); err != nil {
			return err
		}
	}
	if err := paid(ctx, tx, o); err != nil {
		return err
	}
	s.jobs.WakeTx(tx)
	if !o.Total.IsZero() {
		buyer, err := o.buyerTx(ctx, tx)
		if err != nil {
			return err
		}
		document, err := invoicing.InvoiceTx(ctx, tx, s.issuer, o.document(buyer))
		if err != nil {
			return err
		}
		o.InvoiceNumber = document.Number
	}
	failpoint.Here("settled, not committed")
	return nil
}

// admit grants what each line opens: an enrolment, a further attempt at its exam, or a membership and an enrolment in each session of its edition.
func admit(ctx context.Context, tx *postgres.Tx, o *Order) (err error) {
	var parts []*Part
	line := map[*Part]*Line{}
	for i := range o.Lines {
		l := &o.Lines[i]
		if l.EditionID != "" {
			l.MembershipID, err = enrolment.AdmitTx(ctx, tx, enrolment.Membership{
				LearnerID: o.BuyerID, EditionID: l.EditionID, Version: l.Version, OrderID: o.ID, Formula: l.Formula, Entitlements: l.Entitlements, Qualifying: l.paidFor(),
			})
			if err != nil {
				return err
			}
		}
		for j := range l.Parts {
			parts, line[&l.Parts[j]] = append(parts, &l.Parts[j]), l
		}
	}
	// Enrolments are locked in one order, whatever that of lines and programs.
	slices.SortFunc(parts, func(a, b *Part) int { return strings.Compare(a.SessionID, b.SessionID) })
	for _, p := range parts {
		l := line[p]
		if l.Retake() {
			if p.EnrolmentID, err = enrolment.GrantRetakeTx(ctx, tx, o.BuyerID, p.SessionID, o.ID); err != nil {
				return err
			}
			continue
		}
		p.EnrolmentID, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{
			LearnerID: o.BuyerID, SessionID: p.SessionID, OrderID: o.ID, Formula: l.Formula, Entitlements: l.Entitlements, Qualifying: l.paidFor(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// paid moves an order to paid, notes what each of its parts opened, and enqueues OrderPaid.
func paid(ctx context.Context, tx *postgres.Tx, o *Order) error {
	if !Life.Allows(o.State, Paid) {
		return errNotInLife.Because(fmt.Errorf("%s: %s to %s", o.ID, o.State, Paid))
	}
	now := tx.Now()
	o.State, o.PaidAt = Paid, &now
	var lines, positions, joined []int64
	var enrolments, memberships []string
	for _, l := range o.Lines {
		if l.MembershipID != "" {
			joined, memberships = append(joined, int64(l.N)), append(memberships, l.MembershipID)
		}
		for _, p := range l.Parts {
			if p.EnrolmentID != "" {
				lines, positions, enrolments = append(lines, int64(l.N)), append(positions, int64(p.Position)), append(enrolments, p.EnrolmentID)
			}
		}
	}
	_, err := tx.Exec(ctx, q.Q("Settle"), o.ID, o.State, o.PaidAt, pq.Array(lines), pq.Array(positions), pq.Array(enrolments), pq.Array(joined), pq.Array(memberships))
	return err
}

// post writes one amount from an account to another.
func (s *Service) post(ctx context.Context, tx *postgres.Tx, reference, kind string, a money.Amount, o Order, debit, credit string, shares ...share) error {
	return ledger.PostTx(ctx, tx, s.posting(tx, reference, kind, a, o, debit, credit, shares...))
}

// posting is one amount from an account to another, carrying the order, and the enrolments of its shares.
func (*Service) posting(tx *postgres.Tx, reference, kind string, a money.Amount, o Order, debit, credit string, shares ...share) ledger.Posting {
	return ledger.Posting{
		Reference: reference, Kind: kind, Currency: a.Currency, OccurredAt: tx.Now(),
		Entries: append(o.side(debit, 1, a, shares), o.side(credit, -1, a, shares)...),
	}
}

// paidFrom is the account on which the money of an order stands when it is settled.
func (s *Service) paidFrom(o Order) string {
	if o.Way.ByHand() {
		return advances
	}
	return ledger.Clearing(s.payments.Holder())
}

func (s *Service) clearing(p payments.Payment) string { return ledger.Clearing(p.Provider) }

// move takes an order to a state of its table and stores what changed with it. What ends unpaid frees its places for who waits.
func (s *Service) move(ctx context.Context, tx *postgres.Tx, o *Order, to State) error {
	if err := s.change(ctx, tx, o, to); err != nil || o.ClosedAt == nil {
		return err
	}
	return s.freed(ctx, tx, *o)
}

// change is move without what follows.
func (*Service) change(ctx context.Context, tx *postgres.Tx, o *Order, to State) error {
	if !Life.Allows(o.State, to) {
		return errNotInLife.Because(fmt.Errorf("%s: %s to %s", o.ID, o.State, to))
	}
	switch o.State = to; to {
	case Expired, Canceled, PaymentMismatch:
		now := tx.Now()
		o.ClosedAt = &now
		if o.Way == Instalments {
			if _, err := tx.Exec(ctx, q.Q("DropOpenInstalments"), o.ID, now); err != nil {
				return err
			}
		}
	default:
	}
	return store(ctx, tx, *o)
}

// store writes what can change of an order.
func store(ctx context.Context, tx *postgres.Tx, o Order) error {
	_, err := tx.Exec(ctx, q.Q("Move"), o.ID, o.State, o.Credited.Minor, o.PaidAt, o.ClosedAt)
	return err
}

// unpaid closes an order whose pay page closed without money. What was paid meanwhile stays paid.
func (s *Service) unpaid(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, state payments.State) error {
	if p.State.Paid() {
		return nil
	}
	if p.State == payments.Pending && state == payments.Expired {
		return nil // a delayed method is on its way; it succeeds or fails
	}
	if err := payments.MoveTx(ctx, tx, p, state); err != nil {
		return err
	}
	if o.State != AwaitingPayment || o.PaymentID != p.ID {
		return nil
	}
	if state == payments.Failed {
		if err := s.tell(ctx, tx, o, "payment_failed", p.ID, o.Total); err != nil {
			return err
		}
	}
	if o.ExpiresAt != nil && o.ExpiresAt.After(p.ExpiresAt) && tx.Now().Before(*o.ExpiresAt) {
		return nil // the order outlives this pay page; another one can be opened
	}
	return s.move(ctx, tx, &o, Expired)
}
