package payments

import (
	"context"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// PageAbandoned says that the pay page of a payment is to be closed at the provider.
type PageAbandoned struct {
	PaymentID string `json:"payment_id"`
}

// Kind names the job.
func (PageAbandoned) Kind() string { return "payments.page_abandoned" }

// ClosePage closes the pay page of a payment, where one was opened. One that is finished stays as it is: what was paid on it
// comes as an event and goes back. It calls the provider, so it must not run inside a transaction.
func (s *Service) ClosePage(ctx context.Context, paymentID string) error {
	if s.gateway == nil {
		return ErrNoProvider
	}
	var p Payment
	if err := s.db.View(ctx, "payment", func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = OneTx(ctx, tx, paymentID)
		return err
	}); err != nil || p.CheckoutID == "" || p.State.Paid() {
		return err
	}
	err := s.gateway.ExpireCheckout(ctx, p.CheckoutID, p.ID+":close")
	if k := fault.From(err).Kind; err != nil && (k == fault.Conflict || k == fault.NotFound) {
		return nil
	}
	return err
}

// SomeTx finds payments by id; one that is not there is not in the answer.
func SomeTx(ctx context.Context, tx *postgres.Tx, ids []string) (map[string]Payment, error) {
	var rows []Payment
	err := tx.Select(ctx, &rows, q.Q("Some"), pq.Array(ids))
	out := map[string]Payment{}
	for _, p := range rows {
		out[p.ID] = p
	}
	return out, err
}
