package app

import (
	"bytes"
	"context"

	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var (
	errNoDesk  = fault.New(fault.Forbidden, "scope-missing", "This needs the scope operations:read, accounts:read or refunds:write.")
	errNoGiver = fault.New(fault.Forbidden, "scope-missing", "This needs the scope refunds:write.")
)

// atDesk does something as a viewer who may see the orders of everybody.
func (p Pages) atDesk(ctx context.Context, who web.Viewer, name string, look func(ctx context.Context, tx *postgres.Tx) error) error {
	return p.h.DB.View(as(ctx, who), name, func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoDesk, "operations:read", "accounts:read", "refunds:write"); err != nil {
			return err
		}
		return look(ctx, tx)
	})
}

// giver refuses who may not give money back.
func (p Pages) giver(ctx context.Context, who web.Viewer) error {
	return p.h.DB.View(as(ctx, who), "may give back", func(ctx context.Context, tx *postgres.Tx) error {
		return mayTx(ctx, tx, who, errNoGiver, "refunds:write")
	})
}

// DeskOrders lists the orders of everybody.
func (p Pages) DeskOrders(ctx context.Context, who web.Viewer, f sales.OrderFilter, r page.Request) (all []sales.Listed, next string, err error) {
	err = p.atDesk(ctx, who, "desk orders", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = sales.FindTx(ctx, tx, f, r)
		return err
	})
	return all, next, err
}

// DeskOrdersFile writes the orders of everybody as CSV.
func (p Pages) DeskOrdersFile(ctx context.Context, who web.Viewer, f sales.OrderFilter) (web.File, error) {
	var b bytes.Buffer
	err := p.atDesk(ctx, who, "desk orders file", func(ctx context.Context, tx *postgres.Tx) error {
		b.Reset()
		return sales.WriteOrdersTx(ctx, tx, &b, f)
	})
	return web.File{Name: "orders.csv", ContentType: "text/csv; charset=utf-8", Content: b.Bytes()}, err
}

// DeskOrder shows all of an order to staff.
func (p Pages) DeskOrder(ctx context.Context, who web.Viewer, id string) (c sales.Case, docs []invoicing.Full, err error) {
	if err = p.atDesk(ctx, who, "desk order", func(ctx context.Context, tx *postgres.Tx) error {
		docs, err = invoicing.OfOrderTx(ctx, tx, id)
		return err
	}); err != nil {
		return c, nil, err
	}
	c, err = p.h.Sales.Case(as(ctx, who), id)
	return c, docs, err
}

// OrderEvidence puts together what can be shown to the bank of an order's buyer.
func (p Pages) OrderEvidence(ctx context.Context, who web.Viewer, id, lang string) (web.File, error) {
	if err := p.atDesk(ctx, who, "evidence", func(context.Context, *postgres.Tx) error { return nil }); err != nil {
		return web.File{}, err
	}
	content, err := p.h.Evidence.Bundle(as(ctx, who), id, lang)
	return web.File{Name: "evidence-" + id + ".zip", ContentType: "application/zip", Content: content}, err
}

// GiveBack gives money of an order back, or proposes it.
func (p Pages) GiveBack(ctx context.Context, who web.Viewer, c sales.RefundOrder) error {
	if err := p.giver(ctx, who); err != nil {
		return err
	}
	_, err := p.h.Sales.Refund(as(ctx, who), c)
	return err
}

// Desk gathers what waits for staff.
func (p Pages) Desk(ctx context.Context, who web.Viewer) (d sales.ToDo, err error) {
	err = p.atDesk(ctx, who, "desk", func(ctx context.Context, tx *postgres.Tx) error {
		d, err = sales.ToDoTx(ctx, tx)
		return err
	})
	return d, err
}

// DecideRefund is the second person's word on a proposed refund.
func (p Pages) DecideRefund(ctx context.Context, who web.Viewer, id string, agree bool, key string) (string, error) {
	if err := p.giver(ctx, who); err != nil {
		return "", err
	}
	o, err := p.h.Sales.DecideRefund(as(ctx, who), id, agree, key)
	return o.ID, err
}

// SayRepaid says that what a refund left owed was paid otherwise.
func (p Pages) SayRepaid(ctx context.Context, who web.Viewer, id, reference, key string) error {
	if err := p.giver(ctx, who); err != nil {
		return err
	}
	_, err := p.h.Sales.SayRepaid(as(ctx, who), id, reference, key)
	return err
}

// DecideRepaid is a second person's word on that.
func (p Pages) DecideRepaid(ctx context.Context, who web.Viewer, id string, agree bool, key string) error {
	if err := p.giver(ctx, who); err != nil {
		return err
	}
	_, err := p.h.Sales.DecideRepaid(as(ctx, who), id, agree, key)
	return err
}
