package payments

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

const (
	// feeWindow is how much of the provider's record is read and posted at once.
	feeWindow = 7 * 24 * time.Hour
	// feeLag is how long a fee waits for the money of its payment to be settled here, and how much is listed again: what a provider
	// writes late is not missed.
	feeLag = 15 * time.Minute
	// feeBatch is how many fees are posted in one transaction.
	feeBatch = 500
)

// SweptFees counts what a sweep did.
type SweptFees struct {
	Posted  int
	Foreign int // of payments that are none of ours: another system uses the account
	Moved   int // payouts, fees of the account and what others moved
}

// SweepFees posts what the provider kept of our payments, and what else moved its balance (payouts, fees of the account), and is not posted yet, each once
// however many sweep at once. It goes on where the last one
// ended. It calls the provider, so it must not run inside a transaction.
func (s *Service) SweepFees(ctx context.Context) (swept SweptFees, err error) {
	if s.gateway == nil {
		return swept, nil
	}
	read, err := s.feesRead(ctx, false)
	start := cmp.Or(read.Until, read.Since)
	if err != nil || start == nil {
		return swept, err
	}
	ctx = postgres.WithActor(ctx, "system")
	for from, now := *start, s.db.Now(); ; {
		until, last := from.Add(feeWindow), false
		if until.After(now) {
			until, last = time.Time{}, true
		}
		fees, moved, err := s.gateway.Balance(ctx, from, until)
		if err != nil {
			return swept, err
		}
		for batch := range slices.Chunk(fees, feeBatch) {
			n, foreign, moved, err := s.postFees(ctx, batch)
			if swept.Posted, swept.Foreign, swept.Moved = swept.Posted+n, swept.Foreign+foreign, swept.Moved+moved; err != nil {
				return swept, err
			}
		}
		for batch := range slices.Chunk(moved, feeBatch) {
			n, err := s.postMovements(ctx, batch)
			if swept.Moved += n; err != nil {
				return swept, err
			}
		}
		if settled := now.Add(-feeLag); last || until.After(settled) {
			until = settled
		}
		if last {
			if err := s.placeKept(ctx); err != nil {
				return swept, err
			}
		}
		if err := s.db.InTx(ctx, "fees read", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, q.Q("FeesRead"), s.gateway.Name(), until)
			return err
		}); err != nil || last {
			return swept, err
		}
		from = until
	}
}

// feesRead is how far the provider's fees were read (nil: never), and since when there may be any (nil: nothing was ever to be paid).
type feesRead struct {
	Since *time.Time `db:"since"`
	Until *time.Time `db:"read_until"`
}

// feesRead reads it; since when only where they were never read, or with first.
func (s *Service) feesRead(ctx context.Context, first bool) (r feesRead, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "fees read", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &r, q.Q("FeesReadUntil"), s.gateway.Name(), first)
	})
	return r, err
}

// payer is the payment that a fee was taken of.
type payer struct {
	N          int        `db:"n"` // place of the fee, from 1
	ID         string     `db:"id"`
	OrderID    string     `db:"order_id"`
	State      State      `db:"state"`
	CapturedAt *time.Time `db:"captured_at"`
}

// payersTx finds the payments of fees, by place in the list; those of others are not in the answer.
func (s *Service) payersTx(ctx context.Context, tx *postgres.Tx, fees []Fee) (map[int]payer, error) {
	var ids, intents []string
	for _, f := range fees {
		ids, intents = append(ids, f.PaymentID), append(intents, f.PaymentIntentID)
	}
	var rows []payer
	err := tx.Select(ctx, &rows, q.Q("PayersOfFees"), s.gateway.Name(), pq.Array(ids), pq.Array(intents))
	out := map[int]payer{}
	for _, r := range rows {
		out[r.N-1] = r
	}
	return out, err
}

func (s *Service) postFees(ctx context.Context, fees []Fee) (posted, foreign, moved int, err error) {
	err = s.db.InTx(ctx, "fees", func(ctx context.Context, tx *postgres.Tx) error {
		posted, foreign, moved = 0, 0, 0
		payers, err := s.payersTx(ctx, tx, fees)
		if err != nil {
			return err
		}
		foreign = len(fees) - len(payers)
		if moved, err = s.postMovementsTx(ctx, tx, foreignMovements(fees, payers)); err != nil {
			return err
		}
		var ids, ofPayments, kinds, currencies, at, orders []string
		var minors []int64
		for i, f := range fees {
			p, ours := payers[i]
			if !ours || f.Amount.IsZero() || !p.State.Paid() && tx.Now().Sub(f.At) < feeLag { // what it was paid for is not known yet
				continue
			}
			ids, ofPayments, kinds = append(ids, f.ID), append(ofPayments, p.ID), append(kinds, string(f.Kind))
			minors, currencies, at = append(minors, f.Amount.Minor), append(currencies, string(f.Amount.Currency)), append(at, f.At.Format(time.RFC3339Nano))
			orders = append(orders, p.OrderID)
		}
		if len(ids) == 0 {
			return nil
		}
		var fresh []string
		if err := tx.Select(ctx, &fresh, q.Q("AddFees"), s.gateway.Name(), pq.Array(ids), pq.Array(ofPayments), pq.Array(kinds), pq.Array(minors), pq.Array(currencies),
			pq.Array(at), tx.Now()); err != nil || len(fresh) == 0 {
			return err
		}
		posted = len(fresh)
		if err := ledger.HoldKeptTx(ctx, tx, orders...); err != nil {
			return err
		}
		shares, err := sharesTx(ctx, tx, orders)
		if err != nil {
			return err
		}
		var postings []ledger.Posting
		for i, f := range fees {
			if !slices.Contains(fresh, f.ID) {
				continue
			}
			p, err := s.feePosting(f, payers[i], shares[payers[i].OrderID])
			if err != nil {
				return err
			}
			postings = append(postings, p)
		}
		if err := ledger.PostTx(ctx, tx, postings...); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "fees.posted", Object: s.gateway.Name(), Detail: map[string]any{"fees": posted}})
	})
	return posted, foreign, moved, err
}

// share is what was sold of an order to an enrolment.
type share struct {
	OrderID     string `db:"order_id"`
	EnrolmentID string `db:"enrolment_id"` // empty: to none yet
	Minor       int64  `db:"minor"`
}

func sharesTx(ctx context.Context, tx *postgres.Tx, orders []string) (map[string][]share, error) {
	var rows []share
	err := tx.Select(ctx, &rows, q.Q("SoldShares"), pq.Array(orders))
	out := map[string][]share{}
	for _, r := range rows {
		out[r.OrderID] = append(out[r.OrderID], r)
	}
	return out, err
}

// placeKept gives what was kept of orders before they were sold (their payment was told late, or came in parts) to those to whom they were sold since.
func (s *Service) placeKept(ctx context.Context) error {
	return s.db.InTx(ctx, "place kept", func(ctx context.Context, tx *postgres.Tx) error {
		var orders []string
		if err := tx.Select(ctx, &orders, q.Q("KeptOfNobody"), feeBatch); err != nil || len(orders) == 0 {
			return err
		}
		return placeKeptTx(ctx, tx, orders)
	})
}

func placeKeptTx(ctx context.Context, tx *postgres.Tx, orders []string) error {
	if err := ledger.HoldKeptTx(ctx, tx, orders...); err != nil {
		return err
	}
	var kept []struct {
		OrderID  string         `db:"order_id"`
		Account  string         `db:"account"`
		Currency money.Currency `db:"currency"`
		Minor    int64          `db:"minor"`
	}
	if err := tx.Select(ctx, &kept, q.Q("KeptAtOrders"), pq.Array(orders)); err != nil {
		return err
	}
	sold, err := sharesTx(ctx, tx, orders)
	if err != nil {
		return err
	}
	var postings []ledger.Posting
	for _, k := range kept {
		to, weights, sign := sold[k.OrderID], []int64{}, int64(cmp.Compare(k.Minor, 0))
		if len(to) == 0 || slices.ContainsFunc(to, func(x share) bool { return x.EnrolmentID == "" }) { // somebody else was faster, or took it back
			continue
		}
		for _, x := range to {
			weights = append(weights, x.Minor)
		}
		parts, err := money.Of(sign*k.Minor, k.Currency).Allocate(weights)
		if err != nil {
			return err
		}
		p := ledger.Posting{Reference: ident.New("kpt"), Kind: "kept_placed", Currency: k.Currency, OccurredAt: tx.Now(), Entries: []ledger.Entry{{Account: k.Account, Minor: -k.Minor, OrderID: k.OrderID}}}
		for i, part := range parts {
			if !part.IsZero() {
				p.Entries = append(p.Entries, ledger.Entry{Account: k.Account, Minor: sign * part.Minor, OrderID: k.OrderID, EnrolmentID: to[i].EnrolmentID})
			}
		}
		postings = append(postings, p)
	}
	return ledger.PostTx(ctx, tx, postings...)
}

// feePosting is a fee as a cost of the enrolments that the order sold, in proportion to what each was sold for. Its other side carries no order: the
// provider keeps a fee of what it holds for us, and not of what the buyer has paid.
func (s *Service) feePosting(f Fee, of payer, shares []share) (ledger.Posting, error) {
	p := ledger.Posting{Reference: "fee:" + f.ID, Kind: "fee", Currency: f.Amount.Currency, OccurredAt: f.At}
	if of.CapturedAt != nil && of.CapturedAt.After(p.OccurredAt) { // no cost stands before the sale that it is a cost of
		p.OccurredAt = *of.CapturedAt
	}
	if len(shares) == 0 {
		shares = []share{{OrderID: of.OrderID, Minor: 1}}
	}
	sign, weights := int64(1), make([]int64, len(shares))
	if f.Amount.Minor < 0 {
		sign = -1
	}
	for i, x := range shares {
		weights[i] = x.Minor
	}
	parts, err := money.Of(sign*f.Amount.Minor, f.Amount.Currency).Allocate(weights)
	if err != nil {
		return p, err
	}
	for i, part := range parts {
		if !part.IsZero() {
			p.Entries = append(p.Entries, ledger.Entry{Account: ledger.Fee(s.gateway.Name()), Minor: sign * part.Minor, OrderID: of.OrderID, EnrolmentID: shares[i].EnrolmentID})
		}
	}
	p.Entries = append(p.Entries, ledger.Entry{Account: ledger.Clearing(s.gateway.Name()), Minor: -f.Amount.Minor})
	return p, nil
}

// compareFeesTx compares each fee that is posted with what the provider says, and finds those that should be and are not. It gives what the
// provider kept of the posted ones, per currency, what payments of others moved, and the differences.
func (s *Service) compareFeesTx(ctx context.Context, tx *postgres.Tx, read feesRead, fees []Fee) (kept map[money.Currency]int64, foreign []Movement, differences []string, err error) {
	var posted []struct {
		ID       string         `db:"id"`
		Minor    int64          `db:"minor"`
		Currency money.Currency `db:"currency"`
	}
	if err := tx.Select(ctx, &posted, q.Q("Fees"), s.gateway.Name()); err != nil {
		return nil, nil, nil, err
	}
	payers, err := s.payersTx(ctx, tx, fees)
	if err != nil {
		return nil, nil, nil, err
	}
	differ := func(id string, theirs, ours int64) {
		differences = append(differences, fmt.Sprintf(`{"fee":%q,"provider_minor":%d,"posted_minor":%d}`, id, theirs, ours))
	}
	theirs, known := map[string]money.Amount{}, map[string]bool{}
	for _, f := range fees {
		theirs[f.ID] = f.Amount
	}
	kept = map[money.Currency]int64{}
	for _, p := range posted {
		known[p.ID] = true
		a := theirs[p.ID]
		if a != money.Of(p.Minor, p.Currency) {
			differ(p.ID, a.Minor, p.Minor)
		}
		kept[a.Currency] += a.Minor
	}
	delete(kept, "") // the provider does not know it
	for i, f := range fees {
		if _, ours := payers[i]; ours && !f.Amount.IsZero() && !known[f.ID] && f.At.Before(*read.Until) {
			differ(f.ID, f.Amount.Minor, 0)
		}
	}
	return kept, foreignMovements(fees, payers), differences, nil
}
