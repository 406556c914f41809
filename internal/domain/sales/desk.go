package sales

import (
	"context"
	"encoding/csv"
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
	ID           string
	State        State
	Way          Way
	Buyer        string
	Email        string
	Organisation string
	Title        catalog.Text // of its first line
	Keys         []string     // of the sessions and editions of its lines
	Total        money.Amount
	Credited     money.Amount
	PlacedAt     time.Time
	PaidAt       *time.Time
}

// mostRows is how many orders a file may have.
const mostRows = 100_000

// ErrTooManyOrders refuses a file that no spreadsheet opens.
var ErrTooManyOrders = fault.New(fault.Unprocessable, "too-many-orders", "These are more than 100,000 orders. Name a shorter time.")

// FindTx lists orders of any buyer, the newest first, and the key after which the list goes on.
func FindTx(ctx context.Context, tx *postgres.Tx, f OrderFilter, r page.Request) (out []Listed, next string, err error) {
	var rows []struct {
		ID           string         `db:"id"`
		State        string         `db:"state"`
		Way          string         `db:"way"`
		Buyer        string         `db:"buyer"`
		Email        string         `db:"email"`
		Organisation string         `db:"organisation"`
		TitleEN      string         `db:"title_en"`
		TitleFR      string         `db:"title_fr"`
		Keys         pq.StringArray `db:"keys"`
		Total        int64          `db:"total_minor"`
		Credited     int64          `db:"credited_minor"`
		Currency     string         `db:"currency"`
		PlacedAt     time.Time      `db:"placed_at"`
		PaidAt       *time.Time     `db:"paid_at"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Find"), r.After, f.State, f.Way, strings.ToLower(f.Buyer), f.Key, f.From, f.Until, r.Limit+1); err != nil {
		return nil, "", err
	}
	if len(rows) > r.Limit {
		rows, next = rows[:r.Limit], rows[r.Limit-1].ID
	}
	for _, x := range rows {
		c := money.Currency(x.Currency)
		out = append(out, Listed{
			ID: x.ID, State: State(x.State), Way: Way(x.Way), Buyer: x.Buyer, Email: x.Email, Organisation: x.Organisation,
			Title: catalog.Text{EN: x.TitleEN, FR: x.TitleFR}, Keys: x.Keys, Total: money.Of(x.Total, c), Credited: money.Of(x.Credited, c),
			PlacedAt: x.PlacedAt, PaidAt: x.PaidAt,
		})
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
				string(o.Total.Currency), o.Total.Decimal(), o.Credited.Decimal(), paid,
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

// RefundCase is a refund with whose order it is of. Owed says that its credit note is written and its money came back to us.
type RefundCase struct {
	ID, OrderID   string
	State, Reason string
	Amount        money.Amount
	Lines         []RefundLine // empty: of the whole order
	RequestedBy   string       // actor
	Proposer      string       // her name, or the actor
	Decider       string
	RequestedAt   time.Time
	SettledAt     *time.Time
	Buyer, Email  string
	Owed          bool
	ByHand        bool // a person sends the money, no provider
}

// DisputeCase is a dispute with whose order it is of.
type DisputeCase struct {
	ID, OrderID  string
	State        string // opened, won, lost
	Amount       money.Amount
	OpenedAt     time.Time
	ClosedAt     *time.Time
	Buyer, Email string
}

// UnpaidCase is an order that waits for its money, or whose money is not what was asked for. Why: mismatch, failed, pending, not_asked,
// by_hand (the money is to come without the provider) or open.
type UnpaidCase struct {
	OrderID, Why string
	Total        money.Amount
	PlacedAt     time.Time
	ExpiresAt    *time.Time
	Buyer, Email string
}

// Attempt is one payment of an order, whatever became of it.
type Attempt struct {
	ID, State, Method string // expected: the money is to come without the provider
	Asked, Captured   money.Amount
	Back              money.Amount // refunded and lost
	CreatedAt         time.Time
	CapturedAt        *time.Time
}

// ToDo is what somebody of staff has to look at, the most urgent first, 200 of a kind at most.
type ToDo struct {
	Refunds  []RefundCase
	Disputes []DisputeCase
	Unpaid   []UnpaidCase
}

// ToDoTx gathers what waits for staff.
func ToDoTx(ctx context.Context, tx *postgres.Tx) (d ToDo, err error) {
	if d.Refunds, err = refundCases(ctx, tx, "", true); err != nil {
		return d, err
	}
	if d.Disputes, err = disputeCases(ctx, tx, ""); err != nil {
		return d, err
	}
	var rows []struct {
		OrderID   string     `db:"order_id"`
		Why       string     `db:"why"`
		Minor     int64      `db:"minor"`
		Currency  string     `db:"currency"`
		PlacedAt  time.Time  `db:"placed_at"`
		ExpiresAt *time.Time `db:"expires_at"`
		Buyer     string     `db:"buyer"`
		Email     string     `db:"email"`
	}
	err = tx.Select(ctx, &rows, q.Q("UnpaidCases"))
	for _, x := range rows {
		d.Unpaid = append(d.Unpaid, UnpaidCase{x.OrderID, x.Why, money.Of(x.Minor, money.Currency(x.Currency)), x.PlacedAt, x.ExpiresAt, x.Buyer, x.Email})
	}
	return d, err
}

func refundCases(ctx context.Context, tx *postgres.Tx, orderID string, open bool) (out []RefundCase, err error) {
	var rows []struct {
		ID          string        `db:"id"`
		OrderID     string        `db:"order_id"`
		State       string        `db:"state"`
		Reason      string        `db:"reason"`
		Minor       int64         `db:"minor"`
		Currency    string        `db:"currency"`
		Lines       pq.Int64Array `db:"lines"`
		Minors      pq.Int64Array `db:"minors"`
		RequestedBy string        `db:"requested_by"`
		Proposer    string        `db:"proposer"`
		Decider     string        `db:"decider"`
		RequestedAt time.Time     `db:"requested_at"`
		SettledAt   *time.Time    `db:"settled_at"`
		Buyer       string        `db:"buyer"`
		Email       string        `db:"email"`
		Owed        bool          `db:"owed"`
		ByHand      bool          `db:"by_hand"`
	}
	err = tx.Select(ctx, &rows, q.Q("RefundCases"), orderID, open)
	for _, x := range rows {
		c := RefundCase{
			ID: x.ID, OrderID: x.OrderID, State: x.State, Reason: x.Reason, Amount: money.Of(x.Minor, money.Currency(x.Currency)), RequestedBy: x.RequestedBy,
			Proposer: x.Proposer, Decider: x.Decider, RequestedAt: x.RequestedAt, SettledAt: x.SettledAt, Buyer: x.Buyer, Email: x.Email, Owed: x.Owed, ByHand: x.ByHand,
		}
		for i, n := range x.Lines {
			c.Lines = append(c.Lines, RefundLine{Line: int(n), Minor: x.Minors[i]})
		}
		out = append(out, c)
	}
	return out, err
}

func disputeCases(ctx context.Context, tx *postgres.Tx, orderID string) (out []DisputeCase, err error) {
	var rows []struct {
		ID       string     `db:"id"`
		OrderID  string     `db:"order_id"`
		State    string     `db:"state"`
		Minor    int64      `db:"minor"`
		Currency string     `db:"currency"`
		OpenedAt time.Time  `db:"opened_at"`
		ClosedAt *time.Time `db:"closed_at"`
		Buyer    string     `db:"buyer"`
		Email    string     `db:"email"`
	}
	err = tx.Select(ctx, &rows, q.Q("DisputeCases"), orderID)
	for _, x := range rows {
		out = append(out, DisputeCase{x.ID, x.OrderID, x.State, money.Of(x.Minor, money.Currency(x.Currency)), x.OpenedAt, x.ClosedAt, x.Buyer, x.Email})
	}
	return out, err
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
	if c.History, err = s.History(ctx, id); err != nil {
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
		if c.Payments, err = attempts(ctx, tx, id); err != nil {
			return err
		}
		if c.Refunds, err = refundCases(ctx, tx, id, false); err != nil {
			return err
		}
		c.Disputes, err = disputeCases(ctx, tx, id)
		return err
	})
	return c, err
}

func attempts(ctx context.Context, tx *postgres.Tx, orderID string) (out []Attempt, err error) {
	var rows []struct {
		ID         string     `db:"id"`
		State      string     `db:"state"`
		Method     string     `db:"method"`
		Minor      int64      `db:"amount_minor"`
		Currency   string     `db:"currency"`
		Captured   int64      `db:"captured_minor"`
		CapturedIn string     `db:"captured_currency"`
		Back       int64      `db:"back_minor"`
		CreatedAt  time.Time  `db:"created_at"`
		CapturedAt *time.Time `db:"captured_at"`
	}
	err = tx.Select(ctx, &rows, q.Q("Attempts"), orderID)
	for _, x := range rows {
		in := money.Currency(x.CapturedIn)
		out = append(out, Attempt{x.ID, x.State, x.Method, money.Of(x.Minor, money.Currency(x.Currency)), money.Of(x.Captured, in), money.Of(x.Back, in), x.CreatedAt, x.CapturedAt})
	}
	return out, err
}

// Of says of which line a refund takes how much, for people; nothing where it is of the whole order.
func (c RefundCase) Of() string {
	var of []string
	for _, l := range c.Lines {
		of = append(of, strconv.Itoa(l.Line))
	}
	return strings.Join(of, ", ")
}
