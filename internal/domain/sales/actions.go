package sales

import (
	"context"
	"fmt"
	"time"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Action is something that can be done with an order, or the code of why not.
type Action struct {
	Action  string `json:"action"`
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason,omitempty"`
}

// The actions. Who may take one is another question than whether it can be taken.
const (
	ActPay      = "pay"
	ActCancel   = "cancel"
	ActRefund   = "refund"
	ActTransfer = "transfer" // give a place that has not begun to somebody else

	// Of an organisation's order.
	ActWithdraw      = "withdraw"
	ActSeats         = "give_out_seats"
	ActPayInstalment = "pay_instalment"
)

// Next is what the buyer has to do now, if anything.
type Next struct {
	Kind  string     `json:"kind"`
	URL   string     `json:"url,omitempty"`   // where, outside of this API
	Until *time.Time `json:"until,omitempty"` // until when

	// Without the provider: how, what to quote, how much is left to pay, and where.
	Way       Way           `json:"way,omitempty"`
	Reference string        `json:"reference,omitempty"`
	Left      *money.Amount `json:"amount_left,omitempty"`
	Account   *Account      `json:"account,omitempty"` // of a transfer
	Desk      string        `json:"-"`                 // the holder's name, of the desk

	Instalment int `json:"instalment,omitempty"` // that is owed first, or that wants something of the buyer
}

// Account is where to transfer money to.
type Account struct {
	Name string `json:"name"`
	IBAN string `json:"iban"`
	BIC  string `json:"bic,omitempty"`
	Bank string `json:"bank,omitempty"`
}

// tellHow says how an order is paid by hand.
func (o *Order) tellHow(p payments.Payment) {
	if o.Next.Kind != NextPay || !p.ByHand {
		return
	}
	left := money.Of(p.AmountMinor-p.CapturedMinor, o.Total.Currency)
	o.Next.Way, o.Next.Reference, o.Next.Left, o.Next.URL = o.Way, p.PayReference, &left, ""
	if o.Way == Desk {
		o.Next.Desk = p.Provider
	}
}

// account adds to an order that is paid by transfer where to: the account of its seller.
func (s *Service) account(ctx context.Context, o *Order) error {
	if o.Next.Way != Transfer && o.Next.Way != PurchaseOrder {
		return nil
	}
	return s.db.View(postgres.WithActor(ctx, "system"), "seller's account", func(ctx context.Context, tx *postgres.Tx) error {
		seller, err := s.sellerTx(ctx, tx, *o)
		o.Next.Account = &Account{Name: seller.LegalName, IBAN: seller.IBAN, BIC: seller.BIC, Bank: seller.Bank}
		return err
	})
}

// The kinds of a next action.
const (
	NextPay        = "pay"
	NextAwaitBank  = "wait_for_bank"  // a delayed method was chosen; it pays or fails by itself
	NextAwaitUs    = "wait_for_staff" // a person of ours decides
	NextInstalment = "pay_instalment" // its card was refused, or its owner has to confirm
	NextLearn      = "learn"
	NextSeats      = "give_out_seats" // they wait for the learners of an organisation
	NextOrderAgain = "order_again"
	NextNothing    = "nothing"
)

// Why something cannot be done.
const (
	whyPaid     = "paid-already"
	whyNotPaid  = "not-paid"
	whyExpired  = "order-expired"
	whyCanceled = "order-canceled"
	whyMismatch = "payment-mismatch"
	whyUnderWay = "payment-under-way"
	whyNotYet   = "not-payable-yet" // the law lets nothing be asked for before the time to withdraw is over
	whyOver     = "time-is-over"
	whyFree     = "costs-nothing"
	whyAllBack  = "all-given-back"
	whyDisputed = "disputed-at-the-bank"
	whyBusiness = "bought-by-an-organisation" // the law lets consumers withdraw
	whyEnded    = "instalments-not-paid"
	whyLeft     = "withdrawn-from"
	whyGiven    = "given-away"
	whyAccount  = "on-account" // its learners are enrolled: who leaves is taken off it while it collects its month
)

// standing is all that decides what can be done with an order.
type standing struct {
	state    State
	payment  payments.State // of the payment that is open or was; empty: there is none
	payURL   string
	free     bool // it costs nothing
	openTill *time.Time
	now      time.Time
	asking   bool   // an instalment wants something of the buyer
	owing    bool   // an instalment is not paid
	fixed    string // why none of its places can be given to somebody else although they stand; empty: one can
}

// unasked says that no money was asked for yet.
func (s standing) unasked() bool { return s.payment == "" && !s.free }

// inForce says whether the order was paid and what it opened is open; one of an account opens before it is paid.
func (s State) inForce() bool { return s == Paid || s == PartiallyRefunded || s == Disputed }

// decide says what is to be done next, and of every action whether it can be taken. It is the one place that does.
func decide(s standing) (Next, []Action) {
	over := s.openTill != nil && !s.now.Before(*s.openTill)
	act := func(name, reason string) Action { return Action{name, reason == "", reason} }
	var pay, cancel, refund, transfer string
	switch s.state {
	case AwaitingPayment:
		switch {
		case s.payment == payments.Pending:
			pay, cancel = whyUnderWay, whyUnderWay
		case over:
			pay = whyOver
		case s.unasked():
			pay = whyNotYet
		}
		refund, transfer = whyNotPaid, whyNotPaid
	case Expired, Canceled:
		why := map[State]string{Expired: whyExpired, Canceled: whyCanceled}[s.state]
		pay, cancel, refund, transfer = why, why, why, why
	case PaymentMismatch:
		pay, cancel, transfer = whyMismatch, whyMismatch, whyMismatch
	case Accruing:
		pay, cancel, refund, transfer = whyNotYet, whyAccount, whyNotPaid, whyNotPaid
	case Billed:
		cancel, refund, transfer = whyAccount, whyNotPaid, whyNotPaid
	case Paid, PartiallyRefunded:
		pay, cancel, transfer = whyPaid, whyPaid, s.fixed
		if s.free {
			refund = whyFree
		}
	case Withdrawn:
		pay, cancel, transfer = whyPaid, whyPaid, whyLeft
	case Defaulted:
		pay, cancel, transfer = whyEnded, whyEnded, whyEnded
	case Disputed:
		pay, cancel, refund, transfer = whyPaid, whyPaid, whyDisputed, whyDisputed
	case Refunded, Lost:
		fallthrough
	default: // a state that is new here allows nothing
		pay, cancel, refund, transfer = whyAllBack, whyAllBack, whyAllBack, whyAllBack
	}
	actions := []Action{act(ActPay, pay), act(ActCancel, cancel), act(ActRefund, refund), act(ActTransfer, transfer)}
	if s.state.inForce() && (s.owing || s.asking) {
		actions = append(actions, act(ActPayInstalment, ""))
	}
	return s.next(over), actions
}

// tellOwed says of an order in force what is owed of its instalments: until when, and where, if its buyer has to do something.
func (o *Order) tellOwed(site string) {
	next := o.Schedule.Next()
	if next == nil {
		return
	}
	if asking := o.Schedule.Asking(); asking != nil {
		next = asking
		o.Next.URL = fmt.Sprintf("%s/orders/%s/instalments/%d", site, o.ID, next.N)
	}
	left := o.Schedule.Owed(o.Total.Currency)
	o.Next.Way, o.Next.Left, o.Next.Until, o.Next.Instalment = Instalments, &left, &next.DueAt, next.N
}

func (s standing) next(over bool) Next {
	switch {
	case s.state == AwaitingPayment && s.payment == payments.Pending:
		return Next{Kind: NextAwaitBank}
	case s.state == AwaitingPayment && !over && s.unasked():
		return Next{Kind: NextNothing}
	case s.state == AwaitingPayment && !over:
		return Next{Kind: NextPay, URL: s.payURL, Until: s.openTill}
	case s.state == Billed:
		return Next{Kind: NextPay, Until: s.openTill}
	case s.state == PaymentMismatch:
		return Next{Kind: NextAwaitUs}
	case s.state == Expired, s.state == Canceled, s.state == AwaitingPayment:
		return Next{Kind: NextOrderAgain}
	case s.state.inForce() && s.asking:
		return Next{Kind: NextInstalment}
	case s.state.inForce():
		return Next{Kind: NextLearn}
	}
	return Next{Kind: NextNothing}
}

// ofPool says what an organisation can do besides: give its seats out while they stand. It cannot withdraw nor
// transfer a place as a learner does (its seats are moved), and is told why.
func ofPool(state State, next Next, actions []Action) (Next, []Action) {
	if next.Kind == NextLearn {
		next.Kind = NextSeats
	}
	seats := map[State]string{AwaitingPayment: whyNotPaid, Accruing: whyAccount, Billed: whyNotPaid, Expired: whyExpired, Canceled: whyCanceled, PaymentMismatch: whyMismatch, Disputed: whyDisputed}[state]
	if seats == "" && !state.inForce() {
		seats = whyAllBack
	}
	for i, a := range actions {
		if a.Action == ActTransfer {
			actions[i] = Action{ActTransfer, false, whyBusiness}
		}
	}
	return next, append(actions, Action{ActWithdraw, false, whyBusiness}, Action{ActSeats, seats == "", seats})
}
