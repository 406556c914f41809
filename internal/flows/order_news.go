package flows

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/domain/webhooks"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// orderNews writes to the buyer of an order what became of a payment or a refund.
func (h *House) orderNews(ctx context.Context, e sales.OrderNews) error {
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil {
		return err
	}
	if e.Instalment != 0 { // one that is in default may close the exam
		if err := h.refresh(ctx, o.Enrolments(), o.ID); err != nil {
			return err
		}
	}
	if e.News == "refunded_partly" || e.News == "withdrawal_refunded" {
		if err := h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) {
			return refundedNews(ctx, tx, o, e.About)
		}); err != nil {
			return err
		}
	}
	l := letter{
		name: e.News, reference: e.About + "." + e.News, person: o.BuyerID, title: o.Title(), path: "/orders/" + o.ID,
		facts: mails.Facts{Demo: o.Demo, Total: o.Total, Amount: money.Of(e.Minor, e.Currency), Invoice: o.InvoiceNumber, Order: o.ID},
	}
	if e.News == "pay_by_transfer" && !howToTransfer(o, e.About, &l) {
		return nil
	}
	if (e.News == "account_reminder" || e.News == "account_last_notice") && !howToPayBill(o, &l) {
		return nil
	}
	tellOfInstalment(o, e, &l)
	return h.post(ctx, l)
}

// howToTransfer fills in where to transfer what is left of an order; false when that way was left meanwhile, or everything is there.
func howToTransfer(o sales.Order, payment string, l *letter) bool {
	n := o.Next
	if o.PaymentID != payment || n.Left == nil || n.Account == nil || n.Until == nil {
		return false
	}
	l.path += "/documents"
	l.facts.Amount, l.facts.Reference, l.facts.Until = *n.Left, n.Reference, *n.Until
	l.facts.Account, l.facts.IBAN, l.facts.BIC = n.Account.Name, n.Account.IBAN, n.Account.BIC
	return true
}

// orderBilled sends the invoice of a month to who pays it.
func (h *House) orderBilled(ctx context.Context, e sales.OrderBilled) error {
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil {
		return err
	}
	l := letter{
		name: "account_billed", reference: o.ID + ".billed", person: o.BuyerID, title: o.Title(), path: "/orders/" + o.ID,
		facts: mails.Facts{Demo: o.Demo, Total: o.Total, Invoice: o.InvoiceNumber, Order: o.ID, Count: o.Seats()},
	}
	if !howToPayBill(o, &l) {
		return nil
	}
	return h.post(ctx, l)
}

// howToPayBill fills in where to transfer what is left of the invoice of a month; false when it was paid meanwhile.
func howToPayBill(o sales.Order, l *letter) bool {
	n := o.Next
	if o.State != sales.Billed || n.Left == nil || n.Until == nil {
		return false
	}
	l.path += "/documents"
	l.facts.Amount, l.facts.Reference, l.facts.Until, l.facts.Count = *n.Left, n.Reference, *n.Until, o.Seats()
	if n.Account != nil {
		l.facts.Account, l.facts.IBAN, l.facts.BIC = n.Account.Name, n.Account.IBAN, n.Account.BIC
	}
	return true
}

// orderPayable asks for a payment that the law did not allow to be asked for before.
func (h *House) orderPayable(ctx context.Context, e sales.OrderPayable) error {
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil || o.State != sales.AwaitingPayment {
		return err
	}
	f := mails.Facts{Demo: o.Demo, Total: o.Total, Order: o.ID}
	if o.ExpiresAt != nil {
		f.Until = *o.ExpiresAt
	}
	return h.post(ctx, letter{name: "order_payable", reference: o.ID + ".payable", person: o.BuyerID, title: o.Title(), path: "/orders/" + o.ID, facts: f})
}

// orderWithdrawn sends the receipt of a withdrawal to the address that was given for it: what the law calls a durable medium.
func (h *House) orderWithdrawn(ctx context.Context, e sales.OrderWithdrawn) error {
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil {
		return err
	}
	l, err := h.Sales.Withdrawal(ctx, e.OrderID)
	if err != nil || l.Receipt == nil {
		return err
	}
	r := l.Receipt
	return h.send(ctx, "withdrawal", o.Lang, r.Email, r.ID, mails.Facts{
		Name: r.Name, Title: o.Title().In(o.Lang), URL: h.BaseURL + "/orders/" + o.ID + "/withdrawal", Order: o.ID, Demo: o.Demo, Total: o.Total, Amount: r.Refund, Kept: r.Kept,
		At: r.DeclaredAt, Reference: r.ID,
	})
}
