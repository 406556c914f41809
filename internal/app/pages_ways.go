package app

import (
	"context"
	"slices"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// ChooseWay chooses how an order of the viewer is paid.
func (p Pages) ChooseWay(ctx context.Context, who web.Viewer, c sales.ChooseWay) (string, error) {
	c.BuyerID = who.PersonID
	o, err := p.h.ChooseWay(hers(ctx, who, "orders:write"), c)
	return o.PayURL, err
}

// ByHand gives what of money without the provider waits for a person.
func (p Pages) ByHand(ctx context.Context, who web.Viewer) (out web.ByHand, err error) {
	ctx, _, err = p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return out, err
	}
	err = p.h.DB.View(ctx, "by hand", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if out.Unmatched, _, err = payments.ReceiptsTx(ctx, tx, "", "unmatched", page.Request{Limit: page.MaxLimit}); err != nil {
			return err
		}
		if out.Last, _, err = payments.ReceiptsTx(ctx, tx, "", "counted", page.Request{Limit: 20}); err != nil {
			return err
		}
		out.PayBacks, _, err = payments.PayBacksTx(ctx, tx, page.Request{Limit: page.MaxLimit})
		return err
	})
	return out, err
}

// booking does what needs the scope to change accounts.
func (p Pages) booking(ctx context.Context, who web.Viewer, do func(ctx context.Context) error) error {
	ctx, _, err := p.accountant(ctx, who, "accounts:write")
	if err != nil {
		return err
	}
	return do(ctx)
}

// RecordTransfer records money on the bank account.
func (p Pages) RecordTransfer(ctx context.Context, who web.Viewer, c sales.Receive) error {
	return p.booking(ctx, who, func(ctx context.Context) error { _, err := p.h.Sales.Receive(ctx, c); return err })
}

// TakeStatement records a statement of the bank, or says what would become of it.
func (p Pages) TakeStatement(ctx context.Context, who web.Viewer, c sales.TakeStatement) (out sales.Statement, err error) {
	err = p.booking(ctx, who, func(ctx context.Context) error { out, err = p.h.Sales.TakeStatement(ctx, c); return err })
	return out, err
}

// MatchReceipt says which order money is for.
func (p Pages) MatchReceipt(ctx context.Context, who web.Viewer, receipt, order, key string) error {
	return p.booking(ctx, who, func(ctx context.Context) error { _, err := p.h.Sales.Match(ctx, receipt, order, key); return err })
}

// SendReceiptBack says that money was sent back.
func (p Pages) SendReceiptBack(ctx context.Context, who web.Viewer, receipt, reference, key string) error {
	return p.booking(ctx, who, func(ctx context.Context) error {
		_, err := p.h.Sales.SendBack(ctx, receipt, reference, key)
		return err
	})
}

// MarkPaidBack says that money was paid back.
func (p Pages) MarkPaidBack(ctx context.Context, who web.Viewer, refund, reference, key string) error {
	return p.booking(ctx, who, func(ctx context.Context) error { return p.h.Sales.PaidBack(ctx, refund, reference, key) })
}

// Desks lists the desks of the viewer, and what was recorded at one of them; the first where none is named.
func (p Pages) Desks(ctx context.Context, who web.Viewer, partner string, r page.Request) (desks []string, all []payments.Receipt, next string, err error) {
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "desks", func(ctx context.Context, tx *postgres.Tx) error {
		if desks, err = identity.DesksOfTx(ctx, tx, who.PersonID); err != nil {
			return err
		}
		if partner == "" && len(desks) > 0 {
			partner = desks[0]
		}
		if partner == "" {
			return nil
		}
		if !slices.Contains(desks, partner) {
			return identity.ErrNotCashier.Of(fault.Forbidden) // there is a desk page, and none for her
		}
		all, next, err = payments.ReceiptsTx(ctx, tx, partner, "", r)
		return err
	})
	return desks, all, next, err
}

// atDesk is who takes money at a desk: each of these acts asks first whether it is hers.
func atDesk(ctx context.Context, who web.Viewer) context.Context {
	return postgres.WithActor(ctx, "staff:"+who.PersonID)
}

// RecordDeskReceipt records money at a desk.
func (p Pages) RecordDeskReceipt(ctx context.Context, who web.Viewer, partner string, c sales.Receive) error {
	_, err := p.h.ReceiveAtDesk(atDesk(ctx, who), who.PersonID, partner, c)
	return err
}

// AskReversal asks that a receipt be reversed.
func (p Pages) AskReversal(ctx context.Context, who web.Viewer, partner, receipt, reason, key string) error {
	return p.h.AskReversal(atDesk(ctx, who), who.PersonID, partner, receipt, reason, key)
}

// DecideReversal confirms a reversal or not.
func (p Pages) DecideReversal(ctx context.Context, who web.Viewer, partner, receipt string, agree bool, key string) error {
	return p.h.DecideReversal(atDesk(ctx, who), who.PersonID, partner, receipt, agree, key)
}

// DeskFile gives the paper of a receipt.
func (p Pages) DeskFile(ctx context.Context, who web.Viewer, receipt string) (f web.File, err error) {
	_, _, reads := p.accountant(ctx, who, "accounts:read")
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "receipt file", func(ctx context.Context, tx *postgres.Tx) error {
		paper, err := payments.PaperTx(ctx, tx, receipt)
		if err != nil {
			return err
		}
		if reads != nil && (paper.Organisation == "" || identity.MustTakeTx(ctx, tx, paper.Organisation, who.PersonID) != nil) {
			return payments.ErrNoReceipt
		}
		ending := map[string]string{"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}[paper.MediaType]
		f = web.File{Name: receipt + ending, ContentType: paper.MediaType, Content: paper.Content}
		return nil
	})
	return f, err
}
