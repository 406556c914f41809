package sales

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// maxLinkLife is how long a claim link lives at most.
const maxLinkLife = 366 * 24 * time.Hour

// ClaimLink is a link by which seats of a line are claimed. Token is there once, when it is made.
type ClaimLink struct {
	ID        string     `json:"id" db:"id"`
	OrderID   string     `json:"order_id" db:"order_id"`
	Line      int        `json:"line" db:"line"`
	Token     string     `json:"token,omitempty" db:"-"`
	MaxUses   int        `json:"max_uses" db:"max_uses"`
	Uses      int        `json:"uses" db:"uses"` // seats that were claimed by it, released ones too
	MadeAt    time.Time  `json:"made_at" db:"made_at"`
	ExpiresAt time.Time  `json:"expires_at" db:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty" db:"revoked_at"`
}

// live says whether the link gives a seat at an instant.
func (k ClaimLink) live(at time.Time) bool {
	return k.RevokedAt == nil && at.Before(k.ExpiresAt) && k.Uses < k.MaxUses
}

// NewClaimLink is a link to make. It gives MaxUses seats at most, and none at or after ExpiresAt.
type NewClaimLink struct {
	OrderID        string
	Line           int
	MaxUses        int
	ExpiresAt      time.Time
	By             By
	IdempotencyKey string
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// MakeClaimLink makes a link, once per key: again it gives the link without its token, which is kept nowhere. Errors: ErrNoOrder,
// ErrNoPool, ErrNoLine, ErrNoSeatLeft where the line has fewer seats, invalid fields.
func (s *Service) MakeClaimLink(ctx context.Context, c NewClaimLink) (k ClaimLink, err error) {
	now := s.db.Now()
	if !c.ExpiresAt.After(now) || c.ExpiresAt.After(now.Add(maxLinkLife)) {
		return k, fault.InvalidInput(fault.Field{Pointer: "/expires_at", Code: "out-of-range", Detail: "Later than now, within a year."})
	}
	var fresh string
	reply, _, err := s.replies.Do(postgres.WithActor(ctx, "system"), "pool:"+c.By.PersonID, c.IdempotencyKey, requestHash("claim link", c),
		func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
			o, err := poolTx(ctx, tx, c.OrderID, c.By)
			if err != nil {
				return idempotency.Reply{}, err
			}
			l, err := o.pool(c.Line)
			if err != nil {
				return idempotency.Reply{}, err
			}
			if c.MaxUses < 1 || c.MaxUses > l.Quantity {
				return idempotency.Reply{}, fault.InvalidInput(fault.Field{Pointer: "/max_uses", Code: "out-of-range", Detail: "1 to the number of seats of the line."})
			}
			id := ident.New("lnk")
			fresh = ident.Secret(32)
			if _, err := tx.Exec(ctx, q.Q("AddLink"), id, o.ID, c.Line, hashOf(fresh), c.MaxUses, c.By.PersonID, tx.Now(), c.ExpiresAt); err != nil {
				return idempotency.Reply{}, err
			}
			b, err := json.Marshal(id)
			if err != nil {
				return idempotency.Reply{}, err
			}
			return idempotency.Reply{Status: http.StatusCreated, Body: b}, audit.AppendTx(ctx, tx, audit.Entry{
				Action: "claim_link.made", Object: id, Detail: map[string]any{"order": o.ID, "line": c.Line, "max_uses": c.MaxUses, "expires_at": c.ExpiresAt, "by": c.By.PersonID},
			})
		})
	if err != nil {
		return k, err
	}
	var id string
	if err := json.Unmarshal(reply.Body, &id); err != nil {
		return k, err
	}
	err = s.db.View(postgres.WithActor(ctx, "system"), "claim link", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &k, q.Q("LinkByID"), id)
	})
	k.Token = fresh
	return k, err
}

// ClaimLinks lists the links of an order, the newest first, and the key after which the list goes on. Errors: ErrNoOrder, ErrNoPool.
func (s *Service) ClaimLinks(ctx context.Context, orderID string, by By, r page.Request) (all []ClaimLink, next string, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "claim links", func(ctx context.Context, tx *postgres.Tx) error {
		o, err := OrderTx(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if err := o.mustManage(ctx, tx, by); err != nil {
			return err
		}
		all, next = nil, ""
		if err := tx.Select(ctx, &all, q.Q("LinksOf"), orderID, r.After, r.Limit+1); err != nil {
			return err
		}
		if len(all) > r.Limit {
			all, next = all[:r.Limit], all[r.Limit-1].ID
		}
		return nil
	})
	return all, next, err
}

// RevokeClaimLink takes a link back: it gives no seat any more. Again it does nothing. Errors: ErrNoOrder, ErrNoPool, ErrClaimLink.
func (s *Service) RevokeClaimLink(ctx context.Context, orderID, linkID string, by By) error {
	return s.db.InTx(postgres.WithActor(ctx, "system"), "revoke claim link", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := poolTx(ctx, tx, orderID, by); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, q.Q("RevokeLink"), linkID, orderID, tx.Now())
		if err == nil && n == 0 {
			err = ErrClaimLink
		}
		if err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "claim_link.revoked", Object: linkID, Detail: map[string]any{"order": orderID, "by": by.PersonID}})
	})
}

func linkTx(ctx context.Context, tx *postgres.Tx, token string) (k ClaimLink, err error) {
	var found []ClaimLink
	if err := tx.Select(ctx, &found, q.Q("LinkByHash"), hashOf(token)); err != nil {
		return k, err
	}
	if len(found) == 0 {
		return k, ErrClaimLink
	}
	return found[0], nil
}
