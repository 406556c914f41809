package sales

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// OrderFilter chooses orders for staff; what is empty chooses all.
type OrderFilter struct {
	State string
	Way   string
	Buyer string     // a part of the buyer's address, or the number of an order
	Key   string     // of a session or an edition
	From  *time.Time // placed then or later
	Until *time.Time // placed before
}

// Listed is an order as it stands in a list: whose, what and how much.
type Listed struct {
	ID            string         `db:"id"`
	State         State          `db:"state"`
	Way           Way            `db:"way"`
	Buyer         string         `db:"buyer"`
	Email         string         `db:"email"`
	Organisation  string         `db:"organisation"`
	TitleEN       string         `db:"title_en"` // of its first line
	TitleFR       string         `db:"title_fr"`
	Keys          pq.StringArray `db:"keys"` // of the sessions and editions of its lines
	TotalMinor    int64          `db:"total_minor"`
	CreditedMinor int64          `db:"credited_minor"`
	Currency      money.Currency `db:"currency"`
	PlacedAt      time.Time      `db:"placed_at"`
	PaidAt        *time.Time     `db:"paid_at"`
	Next          Next           `db:"-"` // what its buyer has to do, without the address of her pay page, and what can be done with it; Find says them
	Actions       []Action       `db:"-"`
}

// Title is that of its first line.
func (l Listed) Title() catalog.Text { return catalog.Text{EN: l.TitleEN, FR: l.TitleFR} }

// Total is what it costs.
func (l Listed) Total() money.Amount { return money.Of(l.TotalMinor, l.Currency) }

// Credited is what was given back so far.
func (l Listed) Credited() money.Amount { return money.Of(l.CreditedMinor, l.Currency) }

// mostRows is how many orders a file may have.
const mostRows = 100_000

// ErrTooManyOrders refuses a file that no spreadsheet opens.
var ErrTooManyOrders = fault.New(fault.Unprocessable, "too-many-orders", "These are more than 100,000 orders. Name a shorter time.")

// FindTx lists orders of any buyer, the newest first, and the key after which the list goes on.
func FindTx(ctx context.Context, tx *postgres.Tx, f OrderFilter, r page.Request) (out []Listed, next string, err error) {
	if err := tx.Select(ctx, &out, q.Q("Find"), r.After, f.State, f.Way, strings.ToLower(f.Buyer), f.Key, f.From, f.Until, r.Limit+1); err != nil {
		return nil, "", err
	}
	if len(out) > r.Limit {
		out, next = out[:r.Limit], out[r.Limit-1].ID
	}
	return out, next, nil
}

// Find is FindTx with what can be done with each order, in as many statements however many they are.
func (s *Service) Find(ctx context.Context, f OrderFilter, r page.Request) (out []Listed, next string, err error) {
	var orders []Order
	if err := s.db.View(ctx, "find orders", func(ctx context.Context, tx *postgres.Tx) error {
		if out, next, err = FindTx(ctx, tx, f, r); err != nil {
			return err
		}
		ids := make([]string, len(out))
		for i, o := range out {
			ids[i] = o.ID
		}
		var rows []row
		if err := tx.Select(ctx, &rows, q.Q("Some"), pq.Array(ids)); err != nil {
			return err
		}
		orders = ordersOf(rows)
		return nil
	}); err != nil {
		return nil, "", err
	}
	if err := s.say(ctx, orders); err != nil {
		return nil, "", err
	}
	for i, o := range orders { // both lists have the newest first
		out[i].Next, out[i].Actions = o.Next, o.Actions
		out[i].Next.URL = ""
	}
	return out, next, nil
}

// WriteOrdersTx writes the orders that a filter chooses as CSV, the newest first; amounts are decimals of their currency, times are
// those of UTC. Errors: ErrTooManyOrders.
func WriteOrdersTx(ctx context.Context, tx *postgres.Tx, w io.Writer, f OrderFilter) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"order", "placed", "state", "way", "buyer", "email", "organisation", "for", "currency", "total", "credited", "paid"}) // Flush tells
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	for r, written := (page.Request{Limit: 2000}), 0; ; {
		all, next, err := FindTx(ctx, tx, f, r)
		if err != nil {
			return err
		}
		if written += len(all); written > mostRows {
			return ErrTooManyOrders
		}
		for _, o := range all {
			paid := ""
			if o.PaidAt != nil {
				paid = at(*o.PaidAt)
			}
			_ = out.Write([]string{
				o.ID, at(o.PlacedAt), string(o.State), string(o.Way), cell(o.Buyer), cell(o.Email), cell(o.Organisation), cell(strings.Join(o.Keys, " ")),
				string(o.Currency), o.Total().Decimal(), o.Credited().Decimal(), paid,
			})
		}
		if r.After = next; next == "" {
			out.Flush()
			return out.Error()
		}
	}
}

// cell is a text that no spreadsheet takes for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// cased is what a case of the desk says of its order: whose, and how much.
type cased struct {
	OrderID  string         `db:"order_id"`
	Minor    int64          `db:"minor"`
	Currency money.Currency `db:"currency"`
	Buyer    string         `db:"buyer"`
	Email    string         `db:"email"`
}

// Amount is what the case is about.
func (c cased) Amount() money.Amount { return money.Of(c.Minor, c.Currency) }

// RefundCase is a refund with whose order it is of. What of it came back to us and is owed to the buyer is OwedMinor.
type RefundCase struct {
	cased
	ID          string        `db:"id"`
	State       string        `db:"state"`
	Reason      string        `db:"reason"`
	LineNumbers pq.Int64Array `db:"lines"` // none: of the whole order
	LineMinors  pq.Int64Array `db:"minors"`
	RequestedBy string        `db:"requested_by"` // actor
	Proposer    string        `db:"proposer"`     // her name, or the actor
	Decider     string        `db:"decider"`
	RequestedAt time.Time     `db:"requested_at"`
	SettledAt   *time.Time    `db:"settled_at"`
	OwedMinor   int64         `db:"owed_minor"`
	RepaymentBy string        `db:"repayment_by"` // actor who says that it was paid otherwise
	RepaidAs    string        `db:"repaid_reference"`
	ByHand      bool          `db:"by_hand"` // a person sends the money, no provider
	Rank        int           `db:"rank"`    // 0 is the most urgent
}

// Owed says whether its money came back to us and nobody has paid it otherwise.
func (c RefundCase) Owed() bool { return c.OwedMinor > 0 }

// OwedAmount is what is owed.
func (c RefundCase) OwedAmount() money.Amount { return money.Of(c.OwedMinor, c.Currency) }

// Lines are those that it takes from, and how much; none: it is of the whole order.
func (c RefundCase) Lines() []RefundLine {
	out := make([]RefundLine, len(c.LineNumbers))
	for i, n := range c.LineNumbers {
		out[i] = RefundLine{Line: int(n), Minor: c.LineMinors[i]}
	}
	return out
}

// Of says of which lines a refund is, for people; nothing where it is of the whole order.
func (c RefundCase) Of() string {
	of := make([]string, len(c.LineNumbers))
	for i, n := range c.LineNumbers {
		of[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(of, ", ")
}

// DisputeCase is a dispute with whose order it is of.
type DisputeCase struct {
	cased
	ID       string     `db:"id"`
	State    string     `db:"state"`  // inquiry (nothing was taken), closed (nor will be), opened, won, lost
	Reason   string     `db:"reason"` // the bank's: fraudulent, product_not_received …
	AnswerBy *time.Time `db:"answer_by"`
	OpenedAt time.Time  `db:"opened_at"`
	ClosedAt *time.Time `db:"closed_at"`
}

// UnpaidCase is an order that waits for its money, or whose money is not what was asked for. Why: mismatch, failed, pending, not_asked,
// by_hand (the money is to come without the provider) or open.
type UnpaidCase struct {
	cased
	Why       string     `db:"why"`
	PlacedAt  time.Time  `db:"placed_at"`
	ExpiresAt *time.Time `db:"expires_at"`
}

// Attempt is one payment of an order, whatever became of it.
type Attempt struct {
	ID            string         `db:"id"`
	State         string         `db:"state"` // expected: the money is to come without the provider
	Method        string         `db:"method"`
	AskedMinor    int64          `db:"amount_minor"`
	AskedIn       money.Currency `db:"currency"`
	CapturedMinor int64          `db:"captured_minor"`
	CapturedIn    money.Currency `db:"captured_currency"`
	BackMinor     int64          `db:"back_minor"` // refunded and lost
	CreatedAt     time.Time      `db:"created_at"`
	CapturedAt    *time.Time     `db:"captured_at"`
}

// mostOfAKind are the most of one kind that a page of staff shows.
const mostOfAKind = 200

// ToDo is what somebody of staff has to look at, the most urgent first, 200 of a kind at most.
type ToDo struct {
	Refunds  []RefundCase
	Disputes []DisputeCase
	Unpaid   []UnpaidCase
	Defaults []DefaultCase
}

// DefaultCase is an instalment that was not paid when it was due. Its amount is that of the instalment; Owed is all that is left of the order.
type DefaultCase struct {
	cased
	N         int             `db:"n"`
	DueAt     time.Time       `db:"due_at"`
	State     InstalmentState `db:"state"`
	Why       string          `db:"why"` // the provider's code
	Attempts  int             `db:"attempts"`
	NextAt    *time.Time      `db:"next_at"` // it is tried again, or access ends
	OnDefault string          `db:"on_default"`
	OwedMinor int64           `db:"owed_minor"`
}

// Owed is what is left to pay of the order.
func (c DefaultCase) Owed() money.Amount { return money.Of(c.OwedMinor, c.Currency) }

// ToDoTx gathers what waits for staff.
func ToDoTx(ctx context.Context, tx *postgres.Tx) (d ToDo, err error) {
	if d.Refunds, _, err = OpenRefundsTx(ctx, tx, page.Request{Limit: mostOfAKind}); err != nil {
		return d, err
	}
	if err := tx.Select(ctx, &d.Disputes, q.Q("DisputeCases"), ""); err != nil {
		return d, err
	}
	if err = tx.Select(ctx, &d.Unpaid, q.Q("UnpaidCases")); err != nil {
		return d, err
	}
	err = tx.Select(ctx, &d.Defaults, q.Q("DefaultCases"))
	return d, err
}

// DisputesTx lists the disputes, the newest first, and the id after which the list goes on.
func DisputesTx(ctx context.Context, tx *postgres.Tx, r page.Request) (all []DisputeCase, next string, err error) {
	if err := tx.Select(ctx, &all, q.Q("Disputes"), r.After, r.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > r.Limit {
		all, next = all[:r.Limit], all[r.Limit-1].ID
	}
	return all, next, nil
}

// OpenRefundsTx lists the refunds that wait for somebody, the most urgent first, and the key after which the list goes on. Errors:
// page.ErrCursor.
func OpenRefundsTx(ctx context.Context, tx *postgres.Tx, r page.Request) (all []RefundCase, next string, err error) {
	rank, id, err := afterRefund(r.After)
	if err != nil {
		return nil, "", err
	}
	if err := tx.Select(ctx, &all, q.Q("RefundCases"), "", true, id, rank, r.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > r.Limit {
		last := all[r.Limit-1]
		all, next = all[:r.Limit], fmt.Sprintf("%d:%s", last.Rank, last.ID)
	}
	return all, next, nil
}

// afterRefund reads the place after which the list of refunds goes on: how urgent the last one was when it was listed, and its id.
func afterRefund(key string) (rank int, id string, err error) {
	if key == "" {
		return 0, "", nil
	}
	at, id, found := strings.Cut(key, ":")
	if rank, err = strconv.Atoi(at); err != nil || !found || rank < 0 || rank > 2 {
		return 0, "", page.ErrCursor
	}
	return rank, id, nil
}

// Case is all that staff sees of an order.
type Case struct {
	Order    Order
	Buyer    identity.Person
	Parts    []Part // those of claimed seats too
	Left     map[int]int64
	Payments []Attempt
	Refunds  []RefundCase
	Disputes []DisputeCase
	History  []Happening
}

// PartsOf are the parts of a line.
func (c Case) PartsOf(line int) (out []Part) {
	for _, p := range c.Parts {
		if p.Line == line {
			out = append(out, p)
		}
	}
	return out
}

// Case gathers what staff sees of an order. Left is what can still be given back of each line, in minor units. Errors: ErrNoOrder.
func (s *Service) Case(ctx context.Context, id string) (c Case, err error) {
	if c.Order, err = s.Order(ctx, id); err != nil {
		return c, err
	}
	if c.History, _, err = s.History(ctx, id, page.Request{Limit: mostHappenings}); err != nil {
		return c, err
	}
	err = s.db.View(ctx, "case of an order", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if c.Buyer, err = identity.PersonTx(ctx, tx, c.Order.BuyerID); err != nil {
			return err
		}
		if c.Parts, err = PartsTx(ctx, tx, id); err != nil {
			return err
		}
		if c.Left, err = c.Order.left(ctx, tx); err != nil {
			return err
		}
		if err := tx.Select(ctx, &c.Payments, q.Q("Attempts"), id); err != nil {
			return err
		}
		if err := tx.Select(ctx, &c.Disputes, q.Q("DisputeCases"), id); err != nil {
			return err
		}
		return tx.Select(ctx, &c.Refunds, q.Q("RefundCases"), id, false, "", 0, mostOfAKind)
	})
	return c, err
}
