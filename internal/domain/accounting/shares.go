package accounting

import (
	"context"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// shareBatch is how many shares are posted in one transaction.
const shareBatch = 500

// share is what of an order is a school's by an agreement and is not posted yet; negative where more is posted than is due.
type share struct {
	Agreement    string         `db:"agreement"`
	OrderID      string         `db:"order_id"`
	Organisation string         `db:"organisation"`
	Collects     string         `db:"collects"`
	Holder       string         `db:"holder"`
	Currency     money.Currency `db:"currency"`
	Minor        int64          `db:"minor"`
	MovedAt      *time.Time     `db:"moved_at"` // of the money; nil: no money moved since the last share, the agreement says something else
}

// sold is what of an order was sold to an enrolment; empty: to nobody yet.
type sold struct {
	OrderID     string `db:"order_id"`
	EnrolmentID string `db:"enrolment_id"`
	Minor       int64  `db:"minor"`
}

// PostShares posts what is due to partner schools by their agreements and is not in the ledger yet, each once however many post at once, and tells
// how many shares it posted.
func (s *Service) PostShares(ctx context.Context) (all int, err error) {
	ctx = postgres.WithActor(ctx, "system")
	var organisations []string
	if err := s.db.View(ctx, "sharers", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &organisations, q.Q("Sharers"))
	}); err != nil {
		return 0, err
	}
	for _, o := range organisations {
		for n := shareBatch; n == shareBatch; all += n {
			if err := s.db.InTx(ctx, "shares", func(ctx context.Context, tx *postgres.Tx) (err error) {
				n, err = postSharesTx(ctx, tx, o)
				return err
			}); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}

func postSharesTx(ctx context.Context, tx *postgres.Tx, organisation string) (int, error) {
	if _, err := tx.Exec(ctx, q.Q("LockPartner"), organisation); err != nil {
		return 0, err
	}
	var due []share
	if err := tx.Select(ctx, &due, q.Q("SharesDue"), organisation, shareBatch); err != nil || len(due) == 0 {
		return 0, err
	}
	var ids, agreements, orders, organisations, collects, holders, currencies, at []string
	var minors []int64
	for _, x := range due {
		occurred := tx.Now()
		if x.MovedAt != nil {
			occurred = *x.MovedAt
		}
		ids, agreements, orders, organisations = append(ids, ident.New("shr")), append(agreements, x.Agreement), append(orders, x.OrderID), append(organisations, x.Organisation)
		collects, holders, currencies = append(collects, x.Collects), append(holders, x.Holder), append(currencies, string(x.Currency))
		minors, at = append(minors, x.Minor), append(at, occurred.UTC().Format(time.RFC3339Nano))
	}
	if err := ledger.HoldKeptTx(ctx, tx, orders...); err != nil {
		return 0, err
	}
	var rows []sold
	if err := tx.Select(ctx, &rows, q.Q("SoldTo"), pq.Array(orders)); err != nil {
		return 0, err
	}
	to := map[string][]sold{}
	for _, r := range rows {
		to[r.OrderID] = append(to[r.OrderID], r)
	}
	var postings []ledger.Posting
	for i, x := range due {
		occurred, err := time.Parse(time.RFC3339Nano, at[i])
		if err != nil {
			return 0, err
		}
		p, err := x.posting(ids[i], occurred, to[x.OrderID])
		if err != nil {
			return 0, err
		}
		postings = append(postings, p)
	}
	if _, err := tx.Exec(ctx, q.Q("AddShares"), pq.Array(ids), pq.Array(agreements), pq.Array(orders), pq.Array(organisations), pq.Array(collects), pq.Array(holders),
		pq.Array(currencies), pq.Array(minors), pq.Array(at), tx.Now()); err != nil {
		return 0, err
	}
	if err := ledger.PostTx(ctx, tx, postings...); err != nil {
		return 0, err
	}
	return len(due), audit.AppendTx(ctx, tx, audit.Entry{Action: "shares.posted", Object: organisation, Detail: map[string]any{"shares": len(due)}})
}

// posting is a share as a cost of the enrolments that the order sold, in proportion to what each was sold for: taken off what the desk of the school
// holds for us where that collects, and owed to the school where the institute does.
func (x share) posting(id string, occurred time.Time, to []sold) (ledger.Posting, error) {
	p := ledger.Posting{Reference: id, Kind: "share", Currency: x.Currency, OccurredAt: occurred}
	if len(to) == 0 {
		to = []sold{{Minor: 1}}
	}
	sign, weights := int64(1), make([]int64, len(to))
	if x.Minor < 0 {
		sign = -1
	}
	for i, one := range to {
		weights[i] = one.Minor
	}
	parts, err := money.Of(sign*x.Minor, x.Currency).Allocate(weights)
	if err != nil {
		return p, err
	}
	for i, part := range parts {
		if !part.IsZero() {
			p.Entries = append(p.Entries, ledger.Entry{Account: ledger.PartnerShare(x.Organisation), Minor: sign * part.Minor, OrderID: x.OrderID, EnrolmentID: to[i].EnrolmentID})
		}
	}
	account := ledger.Clearing(x.Holder)
	if x.Collects == "institute" {
		account = owedTo(x.Organisation)
	}
	p.Entries = append(p.Entries, ledger.Entry{Account: account, Minor: -x.Minor})
	return p, nil
}

// owedTo is the account of what a school is owed of what the institute collected.
func owedTo(organisation string) string { return "partner:" + strings.ToLower(organisation) }
