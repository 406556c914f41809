package app

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// WaysToPay lists how an order can be paid.
func (r Rooms) WaysToPay(ctx context.Context, _ api.Principal, order string) ([]sales.OfferedWay, error) {
	return r.h.WaysToPay(ctx, order)
}

// ChooseWay chooses how an order of the caller is paid.
func (r Rooms) ChooseWay(ctx context.Context, who api.Principal, c sales.ChooseWay) (sales.Order, error) {
	c.BuyerID = who.PersonID
	return r.h.ChooseWay(ctx, c)
}

// RecordStatement records a statement of the bank.
func (r Rooms) RecordStatement(ctx context.Context, _ api.Principal, c sales.TakeStatement) (sales.Statement, error) {
	return r.h.Sales.TakeStatement(ctx, c)
}

// PayInstalment opens a pay page for an instalment.
func (r Rooms) PayInstalment(ctx context.Context, who api.Principal, order string, n int, key string) (sales.Order, error) {
	return r.h.Sales.PayInstalment(ctx, order, who.PersonID, n, key)
}

// LeaveCard opens a page on which a card is left.
func (r Rooms) LeaveCard(ctx context.Context, who api.Principal, order string) (string, error) {
	return r.h.Sales.LeaveCard(ctx, order, who.PersonID)
}

// RecordDeskReceipt records money at a desk.
func (r Rooms) RecordDeskReceipt(ctx context.Context, who api.Principal, partner string, c sales.Receive) (payments.Receipt, error) {
	return r.h.ReceiveAtDesk(ctx, who.PersonID, partner, c)
}

// DeskReceipts lists what the desk of a school recorded.
func (r Rooms) DeskReceipts(ctx context.Context, who api.Principal, partner string, p page.Request) (all []payments.Receipt, next string, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "desk receipts", func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.MustTakeTx(ctx, tx, partner, who.PersonID); err != nil {
			return err
		}
		all, next, err = payments.ReceiptsTx(ctx, tx, partner, "", p)
		return err
	})
	return all, next, err
}

// AskReversal asks that a receipt be reversed.
func (r Rooms) AskReversal(ctx context.Context, who api.Principal, partner, receipt, reason, key string) error {
	return r.h.AskReversal(ctx, who.PersonID, partner, receipt, reason, key)
}

// DecideReversal confirms a reversal or not.
func (r Rooms) DecideReversal(ctx context.Context, who api.Principal, partner, receipt string, agree bool, key string) error {
	return r.h.DecideReversal(ctx, who.PersonID, partner, receipt, agree, key)
}

// PutCashier lets a person take money at a desk.
func (r Rooms) PutCashier(ctx context.Context, _ api.Principal, partner, person string) error {
	return r.h.DB.InTx(ctx, "put cashier", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := identity.PersonTx(ctx, tx, person); err != nil {
			return err
		}
		return identity.PutCashierTx(ctx, tx, partner, person)
	})
}

// RecordTransfer records money on the bank account.
func (r Rooms) RecordTransfer(ctx context.Context, _ api.Principal, c sales.Receive) (payments.Receipt, error) {
	return r.h.Sales.Receive(ctx, c)
}

// Receipts lists money that came by hand.
func (r Rooms) Receipts(ctx context.Context, _ api.Principal, state string, p page.Request) (all []payments.Receipt, next string, err error) {
	err = r.h.DB.View(ctx, "receipts", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = payments.ReceiptsTx(ctx, tx, "", state, p)
		return err
	})
	return all, next, err
}

// MatchReceipt says which order money is for.
func (r Rooms) MatchReceipt(ctx context.Context, _ api.Principal, receipt, order, key string) (payments.Receipt, error) {
	return r.h.Sales.Match(ctx, receipt, order, key)
}

// SendReceiptBack says that money was sent back.
func (r Rooms) SendReceiptBack(ctx context.Context, _ api.Principal, receipt, reference, key string) (payments.Receipt, error) {
	return r.h.Sales.SendBack(ctx, receipt, reference, key)
}

// PayBacks lists what is to be paid back by hand.
func (r Rooms) PayBacks(ctx context.Context, _ api.Principal, p page.Request) (all []payments.PayBack, next string, err error) {
	err = r.h.DB.View(ctx, "pay-backs", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = payments.PayBacksTx(ctx, tx, p)
		return err
	})
	return all, next, err
}

// MarkPaidBack says that money was paid back.
func (r Rooms) MarkPaidBack(ctx context.Context, _ api.Principal, refund, reference, key string) error {
	return r.h.Sales.PaidBack(ctx, refund, reference, key)
}
