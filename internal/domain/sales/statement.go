package sales

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Statement is what becomes of the lines of a statement of the bank.
type Statement struct {
	DryRun bool            `json:"dry_run"`
	Lines  []StatementLine `json:"lines"`
}

// StatementLine is a line of a statement, and what became of it: matched (an order takes it), surplus (an order, and some or all goes back),
// unmatched, known (it was recorded before), outgoing (money that left; nothing follows) or refused.
type StatementLine struct {
	Line        int           `json:"line"`
	Outcome     string        `json:"outcome"`
	Amount      *money.Amount `json:"amount,omitempty"`
	Reference   string        `json:"reference,omitempty"`
	Payer       string        `json:"payer,omitempty"`
	Label       string        `json:"label,omitempty"`
	OrderID     string        `json:"order,omitempty"`
	Surplus     int64         `json:"surplus_minor,omitempty"`
	Suggestions []string      `json:"suggestions,omitempty"` // orders that wait for this very amount
	Wrong       *WrongCell    `json:"wrong,omitempty"`
}

// TakeStatement is a statement to record.
type TakeStatement struct {
	Content        []byte
	Currency       money.Currency // of lines that name none
	DryRun         bool           // say what would become of it, and change nothing
	IdempotencyKey string
}

// orderNumber is the number of an order in a label.
var orderNumber = regexp.MustCompile(`ord_[0-9a-hjkmnp-tv-z]{26}`)

var errDryRun = errors.New("a dry run changes nothing")

// TakeStatement records the money of a statement as Receive does, all lines in one transaction: what names an order pays it, what names none
// stays unmatched. A line that was recorded before is known, so that the same statement again does nothing. Errors: ErrStatement, those of
// idempotency.
func (s *Service) TakeStatement(ctx context.Context, c TakeStatement) (out Statement, err error) {
	entries, err := ReadStatement(c.Content, c.Currency)
	if err != nil {
		return out, err
	}
	refused := map[int]*WrongCell{}
	for i, e := range entries { // each alone first: what cannot be recorded is left out, and says why
		if e.Wrong != nil || e.Amount.Minor <= 0 {
			continue
		}
		err := s.db.InTx(ctx, "try a line", func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := s.takeLine(ctx, tx, e); err != nil {
				return err
			}
			return errDryRun
		})
		if f := fault.From(err); !errors.Is(err, errDryRun) {
			if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
				return out, err
			}
			refused[i] = &WrongCell{"amount", f.Code, f.Detail}
		}
	}
	take := func(ctx context.Context, tx *postgres.Tx) (out Statement, err error) {
		out = Statement{DryRun: c.DryRun, Lines: make([]StatementLine, len(entries))}
		for i, e := range entries {
			l := &out.Lines[i]
			if *l = (StatementLine{Line: e.Line, Reference: e.Reference, Payer: e.Payer, Label: e.Label, Wrong: e.Wrong}); e.Wrong == nil {
				l.Amount = &entries[i].Amount
			}
			switch {
			case e.Wrong != nil:
				l.Outcome = "refused"
			case e.Amount.Minor <= 0:
				l.Outcome = "outgoing"
			case refused[i] != nil:
				l.Outcome, l.Wrong = "refused", refused[i]
			default:
				if *l, err = s.takeLine(ctx, tx, e); err != nil {
					return out, err
				}
			}
		}
		return out, nil
	}
	if c.DryRun {
		err = s.db.InTx(ctx, "try a statement", func(ctx context.Context, tx *postgres.Tx) (err error) {
			if out, err = take(ctx, tx); err == nil {
				err = errDryRun
			}
			return err
		})
		if errors.Is(err, errDryRun) {
			err = nil
		}
		return out, err
	}
	sum := sha256.Sum256(c.Content)
	return once(ctx, s, postgres.Actor(ctx), c.IdempotencyKey, "statement", []string{hex.EncodeToString(sum[:]), string(c.Currency)}, take)
}

// takeLine records the money of one line.
func (s *Service) takeLine(ctx context.Context, tx *postgres.Tx, e Entry) (StatementLine, error) {
	l := StatementLine{Line: e.Line, Reference: e.Reference, Payer: e.Payer, Label: e.Label, Amount: &e.Amount}
	known, err := payments.KnownTx(ctx, tx, payments.Bank, e.Reference)
	if err != nil {
		return l, err
	}
	c := Receive{Amount: e.Amount, Reference: e.Reference, Payer: e.Payer, Label: e.Label, ReceivedAt: e.On}
	if err := c.validate(tx.Now()); err != nil {
		return l, err
	}
	if number := orderNumber.FindString(e.Label); number != "" && !known {
		if o, err := one(ctx, tx, "Lock", number); err == nil && o.Total.Currency == e.Amount.Currency {
			c.OrderID = number
		} else if err != nil && !errors.Is(err, ErrNoOrder) {
			return l, err
		}
	}
	r, err := s.receiveTx(ctx, tx, c)
	if err != nil {
		return l, err
	}
	l.OrderID, l.Surplus = r.OrderID, r.Surplus
	switch {
	case known:
		l.Outcome = "known"
	case r.State == "unmatched":
		l.Outcome = "unmatched"
		err = tx.Select(ctx, &l.Suggestions, q.Q("WaitForAmount"), e.Amount.Minor, e.Amount.Currency)
	case r.Surplus > 0:
		l.Outcome = "surplus"
	default:
		l.Outcome = "matched"
	}
	return l, err
}
