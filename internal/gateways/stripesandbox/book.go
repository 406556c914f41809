package stripesandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"cursus/internal/kernel/ident"
)

// shelf holds the objects of one kind in the order of their making.
type shelf[T any] struct {
	place map[string]int
	rows  []*T
}

func (s *shelf[T]) get(id string) (*T, bool) {
	i, ok := s.place[id]
	if !ok {
		return nil, false
	}
	return s.rows[i], true
}

func (s *shelf[T]) put(id string, v *T) {
	if s.place == nil {
		s.place = map[string]int{}
	}
	if i, ok := s.place[id]; ok {
		s.rows[i] = v
		return
	}
	s.place[id] = len(s.rows)
	s.rows = append(s.rows, v)
}

// book is everything that the sandbox remembers. One lock guards it: an operation takes microseconds.
type book struct {
	mu        sync.Mutex
	journal   *journal
	broken    error // set when the journal could not be written; nothing is promised after that
	sessions  shelf[sessionRow]
	intents   shelf[intent]
	charges   shelf[charge]
	refunds   shelf[refund]
	disputes  shelf[dispute]
	txns      shelf[balanceTx]
	methods   shelf[method]
	setups    shelf[setupIntent]
	events    shelf[eventRow]
	replies   map[string]reply // by idempotency key
	byIntent  map[string]string
	customers []string
	open      map[string]struct{} // sessions that the sweep looks at
}

// reply is the stored answer under an idempotency key.
type reply struct {
	Fingerprint string          `json:"f"` // method, path and parameters
	Status      int             `json:"status"`
	Body        json.RawMessage `json:"body"`
	RequestID   string          `json:"req"`
	At          int64           `json:"at"`
}

func openBook(folder string, fsync bool) (*book, error) {
	b := &book{replies: map[string]reply{}, byIntent: map[string]string{}, open: map[string]struct{}{}}
	j, err := openJournal(folder, fsync, b.replay)
	if err != nil {
		return nil, err
	}
	b.journal = j
	return b, nil
}

func (b *book) closeJournal() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.journal.file.Close()
}

func (b *book) replay(r record) error {
	switch r.Kind {
	case "session":
		return restore(r, b.putSession)
	case "intent":
		return restore(r, func(v *intent) { b.intents.put(v.ID, v) })
	case "charge":
		return restore(r, func(v *charge) { b.charges.put(v.ID, v) })
	case "refund":
		return restore(r, func(v *refund) { b.refunds.put(v.ID, v) })
	case "dispute":
		return restore(r, func(v *dispute) { b.disputes.put(v.ID, v) })
	case "method":
		return restore(r, func(v *method) { b.methods.put(v.ID, v) })
	case "setup":
		return restore(r, func(v *setupIntent) { b.setups.put(v.ID, v) })
	case "customer":
		b.customers = append(b.customers, r.ID)
		return nil
	case "txn":
		return restore(r, func(v *balanceTx) { b.txns.put(v.ID, v) })
	case "event":
		return restore(r, func(v *eventRow) { b.events.put(v.ID, v) })
	case "delivered":
		if e, ok := b.events.get(r.ID); ok {
			e.Pending = 0
		}
		return nil
	case "reply":
		return restore(r, func(v *reply) { b.replies[r.ID] = *v })
	}
	return fmt.Errorf("unknown kind %q", r.Kind)
}

func restore[T any](r record, put func(*T)) error {
	v := new(T)
	if err := json.Unmarshal(r.Value, v); err != nil {
		return err
	}
	put(v)
	return nil
}

func (b *book) putSession(row *sessionRow) {
	b.sessions.put(row.S.ID, row)
	if row.S.PaymentIntent != nil {
		b.byIntent[*row.S.PaymentIntent] = row.S.ID
	}
	if row.S.Status == "open" || row.SettleAt != 0 {
		b.open[row.S.ID] = struct{}{}
	} else {
		delete(b.open, row.S.ID)
	}
}

func (b *book) undelivered() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, e := range b.events.rows {
		if e.Pending > 0 {
			out = append(out, e.ID)
		}
	}
	return out
}

// change is one commit in the making. It lives under the book's lock.
type change struct {
	*book
	cfg       *Config
	now       time.Time
	requestID string
	key       string // the request's idempotency key
	touched   []touch
	seen      map[string]struct{}
	events    []string // made by this change, in order
}

type touch struct {
	kind, id string
	value    any
}

func (c *change) touch(kind, id string, v any) {
	if _, twice := c.seen[kind+id]; twice {
		return // values are pointers: the newest state is written at the end
	}
	if c.seen == nil {
		c.seen = map[string]struct{}{}
	}
	c.seen[kind+id] = struct{}{}
	c.touched = append(c.touched, touch{kind, id, v})
}

func (c *change) saveSession(v *sessionRow) { c.putSession(v); c.touch("session", v.S.ID, v) }
func (c *change) saveIntent(v *intent)      { c.intents.put(v.ID, v); c.touch("intent", v.ID, v) }
func (c *change) saveCharge(v *charge)      { c.charges.put(v.ID, v); c.touch("charge", v.ID, v) }
func (c *change) saveRefund(v *refund)      { c.refunds.put(v.ID, v); c.touch("refund", v.ID, v) }
func (c *change) saveMethod(v *method)      { c.methods.put(v.ID, v); c.touch("method", v.ID, v) }
func (c *change) saveSetup(v *setupIntent)  { c.setups.put(v.ID, v); c.touch("setup", v.ID, v) }
func (c *change) saveDispute(v *dispute)    { c.disputes.put(v.ID, v); c.touch("dispute", v.ID, v) }

// post writes a balance transaction, with the fee that is taken of it.
func (c *change) post(kind, category, source, currency string, amount int64) *balanceTx {
	fee := c.cfg.Fees.of(category, currency, amount)
	var of *string
	if source != "" {
		of = &source
	}
	t := &balanceTx{
		ID: newID("txn"), Object: "balance_transaction", Amount: amount, AvailableOn: c.now.Unix(), Created: c.now.Unix(),
		Currency: currency, Fee: fee, FeeDetails: []feeDetail{}, Net: amount - fee, ReportingCategory: category, Source: of,
		Status: "available", Type: kind,
	}
	if fee != 0 {
		t.FeeDetails = append(t.FeeDetails, feeDetail{Amount: fee, Currency: currency, Description: "Stripe processing fees", Type: "stripe_fee"})
	}
	c.txns.put(t.ID, t)
	c.touch("txn", t.ID, t)
	return t
}

// commit appends what was touched. A failure breaks the book: memory is ahead of the file and no answer can be trusted.
func (c *change) commit() (int64, error) {
	if len(c.touched) == 0 {
		return 0, nil
	}
	commit := make([]record, 0, len(c.touched))
	for _, t := range c.touched {
		raw, err := json.Marshal(t.value)
		if err != nil {
			c.broken = err
			return 0, err
		}
		commit = append(commit, record{t.kind, t.id, raw})
	}
	n, err := c.journal.append(commit)
	if err != nil {
		c.broken = err
	}
	return n, err
}

// newID makes an identifier of Stripe's form: prefix, underscore, letters and digits without meaning.
func newID(prefix string) string {
	return prefix + "_1" + strings.ToUpper(ident.Secret(15))
}
