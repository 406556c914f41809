package app

import (
	"context"
	"time"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
)

func holdsOf(c config.Config) sales.Holds {
	const day = 24 * time.Hour
	return sales.Holds{Desk: time.Duration(c.HoldDeskDays) * day, Transfer: time.Duration(c.HoldTransferDays) * day, PurchaseOrder: time.Duration(c.HoldPODays) * day}
}

// desksFor are the desks at which a buyer can pay an order: those of her schools that take its currency.
func (h *House) desksFor(ctx context.Context, order string) (desks []sales.DeskOf, err error) {
	return h.desksOf(ctx, func(ctx context.Context, tx *postgres.Tx) (string, money.Currency, error) {
		o, err := sales.OrderTx(ctx, tx, order)
		return o.BuyerID, o.Total.Currency, err
	})
}

func (h *House) desksOf(ctx context.Context, who func(context.Context, *postgres.Tx) (string, money.Currency, error)) (desks []sales.DeskOf, err error) {
	err = h.DB.View(postgres.WithActor(ctx, "system"), "desks", func(ctx context.Context, tx *postgres.Tx) error {
		buyer, currency, err := who(ctx, tx)
		if err != nil {
			return err
		}
		schools, err := identity.OrganisationsOfTx(ctx, tx, buyer)
		if err != nil {
			return err
		}
		all, err := accounting.DesksTx(ctx, tx, schools, currency)
		desks = nil
		for _, d := range all {
			desks = append(desks, sales.DeskOf{Organisation: d.Organisation, Holder: d.Holder})
		}
		return err
	})
	return desks, err
}

// WaysToPay lists how an order can be paid.
func (h *House) WaysToPay(ctx context.Context, order string) ([]sales.OfferedWay, error) {
	desks, err := h.desksFor(ctx, order)
	if err != nil {
		return nil, err
	}
	return h.Sales.Ways(ctx, order, desks)
}

// PlaceOrder places an order; desk is the school of the way Desk.
func (h *House) PlaceOrder(ctx context.Context, c sales.PlaceOrder) (sales.Order, error) {
	if c.Way != sales.Desk {
		return h.Sales.PlaceOrder(ctx, c)
	}
	quote, err := h.Sales.QuoteOrder(ctx, c)
	if err != nil {
		return sales.Order{}, err
	}
	desks, err := h.desksOf(ctx, func(context.Context, *postgres.Tx) (string, money.Currency, error) {
		return c.BuyerID, quote.Currency, nil
	})
	if err != nil {
		return sales.Order{}, err
	}
	c.Desk = deskAt(desks, c.Desk.Organisation)
	return h.Sales.PlaceOrder(ctx, c)
}

// deskAt is the desk of a school among some; none: it is not there.
func deskAt(desks []sales.DeskOf, school string) sales.DeskOf {
	for _, d := range desks {
		if d.Organisation == school {
			return d
		}
	}
	return sales.DeskOf{}
}

// ChooseWay chooses how an order is paid; desk is the school of the way Desk.
func (h *House) ChooseWay(ctx context.Context, c sales.ChooseWay) (sales.Order, error) {
	if c.Way == sales.Desk {
		desks, err := h.desksFor(ctx, c.OrderID)
		if err != nil {
			return sales.Order{}, err
		}
		c.Desk = deskAt(desks, c.Desk.Organisation)
	}
	return h.Sales.ChooseWay(ctx, c)
}

// cashier says that a person takes money at the desk of a school, and gives the desk in a currency. Errors: identity.ErrNotCashier,
// accounting.ErrNoAgreement.
func (h *House) cashier(ctx context.Context, person, school string, c money.Currency) (d sales.DeskOf, err error) {
	err = h.DB.View(postgres.WithActor(ctx, "system"), "cashier", func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.MustTakeTx(ctx, tx, school, person); err != nil {
			return err
		}
		all, err := accounting.DesksTx(ctx, tx, []string{school}, c)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return accounting.ErrNoAgreement
		}
		d = sales.DeskOf{Organisation: school, Holder: all[0].Holder}
		return nil
	})
	return d, err
}

// ReceiveAtDesk records money at the desk of a school, by a cashier of it, in a currency that the school takes.
func (h *House) ReceiveAtDesk(ctx context.Context, person, school string, c sales.Receive) (sales.Received, error) {
	desk, err := h.cashier(ctx, person, school, c.Amount.Currency)
	if err != nil {
		return sales.Received{}, err
	}
	c.Desk = desk
	return h.Sales.Receive(ctx, c)
}

// AskReversal has a cashier ask that a receipt of her desk be reversed.
func (h *House) AskReversal(ctx context.Context, person, school, receipt, reason, key string) error {
	if _, err := h.cashier(ctx, person, school, ""); err != nil {
		return err
	}
	_, err := h.Sales.AskReversal(ctx, school, receipt, reason, key)
	return err
}

// DecideReversal has another cashier of the desk confirm a reversal, or not.
func (h *House) DecideReversal(ctx context.Context, person, school, receipt string, agree bool, key string) error {
	if _, err := h.cashier(ctx, person, school, ""); err != nil {
		return err
	}
	return h.Sales.DecideReversal(ctx, school, receipt, agree, key)
}
