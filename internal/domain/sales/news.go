package sales

import (
	"context"
	"time"

	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// OrderNews is something about an order that its buyer should hear of and that changes nothing by itself.
type OrderNews struct {
	OrderID  string         `json:"order_id"`
	News     string         `json:"news"`  // payment_pending, payment_failed, surplus_returned, refunded_partly, withdrawal_refunded, refund_failed, pay_by_transfer
	About    string         `json:"about"` // the payment or refund
	Minor    int64          `json:"minor"`
	Currency money.Currency `json:"currency"`

	Instalment int        `json:"instalment,omitempty"` // instalment_reminder, _charged, _refused, _authenticate, access_suspended, access_restored, last_notice
	Until      *time.Time `json:"until,omitempty"`
}

// Kind names the job.
func (OrderNews) Kind() string { return "sales.order_news" }

func (s *Service) tell(ctx context.Context, tx *postgres.Tx, o Order, news, about string, a money.Amount) error {
	return s.jobs.EnqueueTx(ctx, tx, OrderNews{OrderID: o.ID, News: news, About: about, Minor: a.Minor, Currency: a.Currency})
}
