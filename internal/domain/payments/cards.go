package payments

import (
	"context"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Site is the address of a page of ours.
func (s *Service) Site(path string) string { return s.baseURL + path }

// Charge takes a payment from the card that it names, once: called again after a crash it finds the first call's answer by the payment's id.
// The fact is that the card was refused, if it was: that the money is there is said by an event. It calls the provider, so it must not run
// inside a transaction.
func (s *Service) Charge(ctx context.Context, p Payment) (refused *Fact, err error) {
	if s.gateway == nil {
		return nil, ErrNoProvider
	}
	out, err := s.gateway.Charge(ctx, ChargeRequest{
		PaymentID: p.ID, OrderID: p.OrderID, Description: p.Description, Amount: p.Amount(), CustomerID: p.CustomerID, MethodID: p.MethodID, IdempotencyKey: p.ID + ":charge",
		AskedLongAgo: s.db.Now().Sub(p.CreatedAt) > keyLives,
	})
	if err != nil {
		return nil, err
	}
	failpoint.Here("charge answered")
	if out.Declined != "" {
		return &Fact{Kind: FactFailed, PaymentID: p.ID, PaymentIntentID: out.PaymentIntentID, Amount: p.Amount(), Declined: out.Declined}, nil
	}
	return nil, s.db.InTx(ctx, "charged", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("Charged"), p.ID, out.PaymentIntentID)
		return err
	})
}

// cardPage is how long a page on which a card is left stays open at least. Its key and its end are those of the hour, so that whoever asks
// twice gets one page.
const cardPage = time.Hour

// OpenSetup gives the address of a page on which the buyer of an order leaves a card. It calls the provider, so it must not run inside a
// transaction.
func (s *Service) OpenSetup(ctx context.Context, orderID, email, lang, customerID string, c money.Currency) (string, error) {
	if s.gateway == nil {
		return "", ErrNoProvider
	}
	hour := s.db.Now().UTC().Truncate(cardPage)
	page, err := s.gateway.OpenSetup(ctx, SetupRequest{
		OrderID: orderID, Email: email, CustomerID: customerID, Currency: c, Lang: lang, SuccessURL: s.baseURL + "/orders/" + orderID, CancelURL: s.baseURL + "/orders/" + orderID,
		ExpiresAt: hour.Add(2 * cardPage), IdempotencyKey: orderID + ":setup:" + customerID + ":" + hour.Format(time.RFC3339),
	})
	return page.URL, err
}

// Holding is what one payment of an order still holds, less what is on its way back.
type Holding struct {
	Payment
	Free int64
}

// HoldingsTx locks the payments of an order whose money counts, the newest first, with what each can still give back.
func HoldingsTx(ctx context.Context, tx *postgres.Tx, orderID string) ([]Holding, error) {
	var all []Payment
	if err := tx.Select(ctx, &all, q.Q("LockCaptured"), orderID); err != nil {
		return nil, err
	}
	slices.Reverse(all)
	return holdings(ctx, tx, all...)
}

// holdings says what each of some payments can still give back: what is left of it, less what goes back already or is owed.
func holdings(ctx context.Context, tx *postgres.Tx, all ...Payment) ([]Holding, error) {
	ids := make([]string, len(all))
	for i, p := range all {
		ids[i] = p.ID
	}
	var gone []struct {
		ID    string `db:"payment_id"`
		Minor int64  `db:"minor"`
	}
	if err := tx.Select(ctx, &gone, q.Q("UnderWay"), pq.Array(ids)); err != nil {
		return nil, err
	}
	underWay := map[string]int64{}
	for _, g := range gone {
		underWay[g.ID] = g.Minor
	}
	out := make([]Holding, len(all))
	for i, p := range all {
		out[i] = Holding{p, p.Left() - underWay[p.ID]}
	}
	return out, nil
}

// OpenPagesTx lists the payments of an instalment whose pay page is open.
func OpenPagesTx(ctx context.Context, tx *postgres.Tx, orderID string, n int) (ids []string, err error) {
	err = tx.Select(ctx, &ids, q.Q("OpenPages"), orderID, n, tx.Now())
	return ids, err
}
