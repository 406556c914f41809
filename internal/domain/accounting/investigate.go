package accounting

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Investigation is everything that is known about a difference.
type Investigation struct {
	Difference Difference       `json:"difference"`
	Order      *KnownOrder      `json:"order,omitempty"`
	Payments   []KnownPayment   `json:"payments"`
	Events     []KnownEvent     `json:"events"`
	Entries    []Entry          `json:"entries"`
	Documents  []invoicing.Full `json:"documents"`
	Grants     []KnownGrant     `json:"grants"`
	Audit      []KnownAct       `json:"audit"`
}

// KnownOrder is an order as far as money goes.
type KnownOrder struct {
	ID       string         `json:"id" db:"id"`
	State    string         `json:"state" db:"state"`
	Total    int64          `json:"total_minor" db:"total_minor"`
	Credited int64          `json:"credited_minor" db:"credited_minor"`
	Currency money.Currency `json:"currency" db:"currency"`
	Way      string         `json:"way" db:"way"`
	PlacedAt time.Time      `json:"placed_at" db:"placed_at"`
	PaidAt   *time.Time     `json:"paid_at,omitempty" db:"paid_at"`
}

// KnownPayment is an attempt to pay.
type KnownPayment struct {
	ID         string         `json:"id" db:"id"`
	OrderID    string         `json:"order" db:"order_id"`
	Provider   string         `json:"provider" db:"provider"`
	State      string         `json:"state" db:"state"`
	Amount     int64          `json:"amount_minor" db:"amount_minor"`
	Currency   money.Currency `json:"currency" db:"currency"`
	Captured   int64          `json:"captured_minor" db:"captured_minor"`
	Refunded   int64          `json:"refunded_minor" db:"refunded_minor"`
	Lost       int64          `json:"lost_minor" db:"lost_minor"`
	Method     string         `json:"method,omitempty" db:"method"`
	CreatedAt  time.Time      `json:"created_at" db:"created_at"`
	CapturedAt *time.Time     `json:"captured_at,omitempty" db:"captured_at"`
}

// KnownEvent is an event of the provider.
type KnownEvent struct {
	ID         string     `json:"id" db:"id"`
	Type       string     `json:"type" db:"type"`
	State      string     `json:"state" db:"state"`
	Note       string     `json:"note,omitempty" db:"note"`
	CreatedAt  time.Time  `json:"created_at" db:"created_at"`
	ReceivedAt time.Time  `json:"received_at" db:"received_at"`
	HandledAt  *time.Time `json:"handled_at,omitempty" db:"handled_at"`
}

// KnownGrant is what an order opened.
type KnownGrant struct {
	ID          string     `json:"id" db:"id"`
	EnrolmentID string     `json:"enrolment" db:"enrolment_id"`
	SessionID   string     `json:"session" db:"session_id"`
	Formula     string     `json:"formula" db:"formula"`
	GrantedAt   time.Time  `json:"granted_at" db:"granted_at"`
	RevokedAt   *time.Time `json:"revoked_at,omitempty" db:"revoked_at"`
}

// KnownAct is a line of the audit.
type KnownAct struct {
	At     time.Time `json:"at" db:"at"`
	Actor  string    `json:"actor" db:"actor"`
	Action string    `json:"action" db:"action"`
	Detail string    `json:"detail" db:"detail"`
}

// InvestigateTx gathers everything that is known about a difference. It reads the events that name its payments, so it is for a
// person who looks at one. Error: ErrNoDifference.
func InvestigateTx(ctx context.Context, tx *postgres.Tx, id string) (v Investigation, err error) {
	v = Investigation{Payments: []KnownPayment{}, Events: []KnownEvent{}, Entries: []Entry{}, Documents: []invoicing.Full{}, Grants: []KnownGrant{}, Audit: []KnownAct{}}
	err = tx.Get(ctx, &v.Difference, q.Q("Difference"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return v, ErrNoDifference
	}
	if err != nil {
		return v, err
	}
	d := v.Difference
	if err := tx.Select(ctx, &v.Payments, q.Q("InvestigatedPayments"), d.OrderID, d.PaymentID); err != nil {
		return v, err
	}
	objects := []string{d.Object}
	ids := []string{}
	for _, p := range v.Payments {
		objects, ids = append(objects, p.ID), append(ids, p.ID)
	}
	if len(ids) == 0 && d.PaymentID != "" {
		ids = append(ids, d.PaymentID)
	}
	if err := tx.Select(ctx, &v.Events, q.Q("InvestigatedEvents"), d.Object, pq.Array(ids)); err != nil {
		return v, err
	}
	if d.OrderID != "" {
		if err := v.orderTx(ctx, tx, d.OrderID); err != nil {
			return v, err
		}
		objects = append(objects, d.OrderID)
	}
	err = tx.Select(ctx, &v.Audit, q.Q("InvestigatedAudit"), pq.Array(objects))
	return v, err
}

func (v *Investigation) orderTx(ctx context.Context, tx *postgres.Tx, orderID string) error {
	var o KnownOrder
	err := tx.Get(ctx, &o, q.Q("InvestigatedOrder"), orderID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // the ledger names an order that is not there: that is the difference
	}
	if err != nil {
		return err
	}
	v.Order = &o
	if err := tx.Select(ctx, &v.Entries, q.Q("OfOrder"), orderID); err != nil {
		return err
	}
	if err := tx.Select(ctx, &v.Grants, q.Q("InvestigatedGrants"), orderID); err != nil {
		return err
	}
	v.Documents, err = invoicing.OfOrderTx(ctx, tx, orderID)
	return err
}
