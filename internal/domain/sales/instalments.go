package sales

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Instalments is the way to pay an order in parts, by a card that the provider keeps.
const Instalments Way = "instalments"

// InstalmentState is where an instalment stands.
type InstalmentState string

// The states of an instalment.
const (
	Planned      InstalmentState = "planned"
	Charging     InstalmentState = "charging" // the card is being charged; an event says how it ends
	Refused      InstalmentState = "refused"  // the card was; it is tried again
	NeedsOwner   InstalmentState = "needs_authentication"
	InDefault    InstalmentState = "defaulted" // tried as often as we do; the access policy holds until it is paid
	InstalmentIn InstalmentState = "paid"
	Dropped      InstalmentState = "canceled" // nobody owes it any more
)

// InstalmentLife is every move that an instalment can make. It can be paid on a page from everywhere before its end.
var InstalmentLife = lifecycle.Table[InstalmentState]{Name: "instalment", Start: Planned, Moves: map[InstalmentState][]InstalmentState{
	Planned:    {Charging, Refused, InstalmentIn, Dropped},
	Charging:   {Refused, NeedsOwner, InDefault, InstalmentIn, Dropped},
	Refused:    {Charging, Refused, InDefault, InstalmentIn, Dropped},
	NeedsOwner: {Charging, InDefault, InstalmentIn, Dropped},
	InDefault:  {InstalmentIn, Dropped},
}}

// Open says whether it is still owed.
func (s InstalmentState) Open() bool { return s != InstalmentIn && s != Dropped }

// Instalment is one part of what an order costs.
type Instalment struct {
	N         int             `json:"n"` // from 1
	Amount    money.Amount    `json:"amount"`
	DueAt     time.Time       `json:"due_at"`
	State     InstalmentState `json:"state"`
	Attempts  int             `json:"attempts"`
	Why       string          `json:"why,omitempty"`     // the code of the last refusal
	NextAt    *time.Time      `json:"next_at,omitempty"` // when something follows by itself
	SettledAt *time.Time      `json:"settled_at,omitempty"`
	paymentID string
}

// Asks says whether it wants something of the buyer.
func (i Instalment) Asks() bool {
	return i.State == Refused || i.State == NeedsOwner || i.State == InDefault
}

// Schedule are the instalments of an order, in the order in which they are due, and what was agreed about them.
type Schedule struct {
	Instalments  []Instalment
	OnDefault    string // keep, suspend or end
	EndAfterDays *int   // of the last
	CardKept     bool
	customerID   string
	methodID     string
}

// Owed is what is not paid yet.
func (s Schedule) Owed(c money.Currency) money.Amount {
	a := money.Zero(c)
	for _, i := range s.Instalments {
		if i.State.Open() {
			a.Minor += i.Amount.Minor
		}
	}
	return a
}

// Next is the instalment that is owed first.
func (s Schedule) Next() *Instalment {
	i := slices.IndexFunc(s.Instalments, func(i Instalment) bool { return i.State.Open() })
	if i < 0 {
		return nil
	}
	return &s.Instalments[i]
}

// Asking is the first instalment that wants something of the buyer; one that is in default before others.
func (s Schedule) Asking() *Instalment {
	var found *Instalment
	for i := range s.Instalments {
		x := &s.Instalments[i]
		if x.Asks() && (found == nil || x.State == InDefault && found.State != InDefault) {
			found = x
		}
	}
	return found
}

// Defaulted says whether an instalment is in default.
func (s Schedule) Defaulted() bool {
	return slices.ContainsFunc(s.Instalments, func(i Instalment) bool { return i.State == InDefault })
}

func (s Schedule) number(n int) *Instalment {
	i := slices.IndexFunc(s.Instalments, func(i Instalment) bool { return i.N == n })
	if i < 0 {
		return nil
	}
	return &s.Instalments[i]
}

// vocationalFirst is how much of the price vocational training may ask for at first: what is left follows while it runs (code du travail
// L6353-6).
const vocationalFirst = 300_000

// Split makes a schedule of a total: so many instalments as the plan says, but none of less than one minor unit. The first has its share
// and the others what is left in equal parts, to the cent: no cent is lost, and the earlier ones have the odd cents. from is when the
// first is due; a month later is the same day of the next month, or its last.
func Split(total money.Amount, p offers.Plan, right Withdrawal, from time.Time) ([]Instalment, error) {
	n := min(p.Instalments, int(min(total.Minor, 24)))
	first := int64(0)
	if p.FirstPPM != nil {
		first = int64(*p.FirstPPM)
	}
	if right == Vocational && (first == 0 && n <= 3 || first > vocationalFirst) {
		first = vocationalFirst
	}
	weights := slices.Repeat([]int64{1}, n)
	if first > 0 && n > 1 {
		for i := range weights {
			weights[i] = 1_000_000 - first
		}
		weights[0] = first * int64(n-1)
	}
	amounts, err := total.Allocate(weights)
	if err != nil {
		return nil, err
	}
	if right == Vocational && n > 1 { // the odd cent may not lead above the share of the law
		if over := amounts[0].Minor - total.Minor*vocationalFirst/1_000_000; over > 0 {
			amounts[0].Minor -= over
			amounts[1].Minor += over
		}
	}
	out := make([]Instalment, 0, n)
	for i, a := range amounts {
		if a.Minor == 0 { // a first share that is less than a cent
			continue
		}
		out = append(out, Instalment{N: len(out) + 1, Amount: a, DueAt: later(from, p.Unit, p.Every*i), State: Planned})
	}
	return out, nil
}

// later is so many days or months after an instant. A month has no 31st: it is the last day then.
func later(from time.Time, unit string, n int) time.Time {
	if unit == "day" {
		return from.AddDate(0, 0, n)
	}
	t := from.AddDate(0, n, 0)
	if t.Day() != from.Day() {
		t = t.AddDate(0, 0, -t.Day())
	}
	return t
}

// ErrNoPlan refuses instalments for what cannot be paid so.
var ErrNoPlan = fault.New(fault.Unprocessable, "no-instalments", "This cannot be paid in instalments.")

// planOf is the plan of an order: each of its offers has one in its currency, and it costs enough. Where they differ, it is the one with
// the fewest instalments. Errors: ErrNoPlan.
func planOf(ctx context.Context, tx *postgres.Tx, offerIDs []string, total money.Amount) (offers.Plan, error) {
	all, err := offers.PlansTx(ctx, tx, offerIDs...)
	if err != nil {
		return offers.Plan{}, err
	}
	all = slices.DeleteFunc(all, func(p offers.Plan) bool {
		return p.Archived || p.Currency != total.Currency || total.Minor < p.LeastMinor
	})
	have := map[string]bool{}
	for _, p := range all {
		have[p.OfferID] = true
	}
	for _, id := range offerIDs {
		if !have[id] {
			return offers.Plan{}, ErrNoPlan
		}
	}
	return slices.MinFunc(all, func(a, b offers.Plan) int {
		return cmp.Or(a.Instalments-b.Instalments, cmp.Compare(a.OfferID, b.OfferID))
	}), nil
}

// plan makes the plan of an order that is about to be paid in instalments; store it with addSchedule.
func (o *Order) plan(ctx context.Context, tx *postgres.Tx, terms Terms) error {
	if o.Pool() { // an organisation pays on its purchase order
		return ErrNoPlan
	}
	ids := make([]string, len(o.Lines))
	for i, l := range o.Lines {
		ids[i] = l.OfferID
	}
	p, err := planOf(ctx, tx, ids, o.Total)
	if err != nil {
		return err
	}
	from := tx.Now()
	if terms.PayableFrom != nil && terms.PayableFrom.After(from) {
		from = *terms.PayableFrom
	}
	s := &Schedule{OnDefault: p.OnDefault, EndAfterDays: p.EndAfterDays}
	if s.Instalments, err = Split(o.Total, p, terms.Withdrawal, from); err != nil {
		return err
	}
	if len(s.Instalments) < 2 {
		return ErrNoPlan
	}
	for i := range s.Instalments {
		s.Instalments[i].NextAt = &s.Instalments[i].DueAt
	}
	o.Way, o.Schedule = Instalments, s
	return nil
}

func addSchedule(ctx context.Context, tx *postgres.Tx, o Order) error {
	s := o.Schedule
	if _, err := tx.Exec(ctx, q.Q("AddPlan"), o.ID, s.OnDefault, s.EndAfterDays, tx.Now()); err != nil {
		return err
	}
	for _, i := range s.Instalments {
		if _, err := tx.Exec(ctx, q.Q("AddInstalment"), o.ID, i.N, i.Amount.Minor, i.DueAt, i.State, i.NextAt); err != nil {
			return err
		}
	}
	return nil
}

// dropSchedule forgets the plan of an order that will be paid otherwise, and of which nothing was paid.
func (o *Order) dropSchedule(ctx context.Context, tx *postgres.Tx) error {
	o.Schedule = nil
	_, err := tx.Exec(ctx, q.Q("DropInstalments"), o.ID)
	if err == nil {
		_, err = tx.Exec(ctx, q.Q("DropPlan"), o.ID)
	}
	return err
}

type instalmentRow struct {
	OrderID      string     `db:"order_id"`
	OnDefault    string     `db:"on_default"`
	EndAfterDays *int       `db:"end_after_days"`
	CustomerID   string     `db:"customer_id"`
	MethodID     string     `db:"method_id"`
	N            int        `db:"n"`
	Minor        int64      `db:"amount_minor"`
	DueAt        time.Time  `db:"due_at"`
	State        string     `db:"state"`
	Attempts     int        `db:"attempts"`
	Why          string     `db:"why"`
	NextAt       *time.Time `db:"next_at"`
	PaymentID    string     `db:"payment_id"`
	SettledAt    *time.Time `db:"settled_at"`
}

// schedulesTx reads the plans of those of some orders that are paid in instalments.
func schedulesTx(ctx context.Context, tx *postgres.Tx, orders []Order) error {
	at, ids := map[string]*Order{}, []string{}
	for i := range orders {
		if orders[i].Way == Instalments {
			at[orders[i].ID], ids = &orders[i], append(ids, orders[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []instalmentRow
	if err := tx.Select(ctx, &rows, q.Q("Schedules"), pq.Array(ids)); err != nil {
		return err
	}
	for _, r := range rows {
		o := at[r.OrderID]
		if o.Schedule == nil {
			o.Schedule = &Schedule{OnDefault: r.OnDefault, EndAfterDays: r.EndAfterDays, CardKept: r.MethodID != "", customerID: r.CustomerID, methodID: r.MethodID}
		}
		o.Schedule.Instalments = append(o.Schedule.Instalments, Instalment{
			N: r.N, Amount: money.Of(r.Minor, o.Total.Currency), DueAt: r.DueAt, State: InstalmentState(r.State), Attempts: r.Attempts, Why: r.Why, NextAt: r.NextAt, SettledAt: r.SettledAt,
			paymentID: r.PaymentID,
		})
	}
	return nil
}

// schedule reads the plan of an order that was locked.
func (o *Order) schedule(ctx context.Context, tx *postgres.Tx) error {
	if o.Way != Instalments || o.Schedule != nil {
		return nil
	}
	one := []Order{*o}
	err := schedulesTx(ctx, tx, one)
	if o.Schedule = one[0].Schedule; err == nil && o.Schedule == nil {
		err = errNoSchedule
	}
	return err
}

var errNoSchedule = fault.New(fault.Internal, "no-schedule", "An order in instalments has no plan.")

// moveInstalment takes an instalment of a locked order to a state and stores what changed with it.
func moveInstalment(ctx context.Context, tx *postgres.Tx, o Order, i *Instalment, to InstalmentState) error {
	if !InstalmentLife.Allows(i.State, to) {
		return errNotInLife.Because(errors.New(o.ID + ": an instalment from " + string(i.State) + " to " + string(to)))
	}
	if i.State = to; !to.Open() {
		now := tx.Now()
		i.SettledAt, i.NextAt = &now, nil
	}
	_, err := tx.Exec(ctx, q.Q("MoveInstalment"), o.ID, i.N, i.State, i.Attempts, i.Why, i.NextAt, i.paymentID, i.SettledAt)
	return err
}

// keepCard notes which card the provider keeps for an order, unless a later one is kept already.
func keepCard(ctx context.Context, tx *postgres.Tx, orderID string, f payments.Fact) error {
	if f.CustomerID == "" || f.MethodID == "" {
		return nil
	}
	_, err := tx.Exec(ctx, q.Q("KeepCard"), orderID, f.CustomerID, f.MethodID, f.LeftAt)
	return err
}

// heldTx is what we hold of an order, in minor units: what came and counts, less what went back.
func heldTx(ctx context.Context, tx *postgres.Tx, orderID string) (minor int64, err error) {
	err = tx.Get(ctx, &minor, q.Q("Held"), orderID)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return minor, err
}
