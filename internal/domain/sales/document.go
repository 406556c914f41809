package sales

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// document is what an order has to say for its invoice.
func (o Order) document(buyer invoicing.Buyer) invoicing.NewDocument {
	n := invoicing.NewDocument{
		OrderID: o.ID, Lang: o.Lang, Currency: o.Total.Currency, OrderedAt: o.PlacedAt, Demo: o.Demo,
		Buyer:        buyer,
		Organisation: o.Organisation,
	}
	for _, l := range o.Lines {
		n.Lines = append(n.Lines, invoicing.NewLine{
			OfferID: l.OfferID, Description: fmt.Sprintf("%s, %s", l.Title.In(o.Lang), l.Formula), Quantity: int64(l.Quantity), UnitMinor: l.List.Minor,
			DiscountMinor: l.Discount.Minor, DiscountReason: l.Reason,
		})
	}
	n.Payment = invoicing.Payment{Means: cmp.Or(o.means, string(o.Way)), Reference: cmp.Or(o.payReference, o.PaymentID), DueAt: o.ExpiresAt}
	n.Reference = o.buyerReference
	if o.Schedule != nil && len(o.Schedule.Instalments) > 0 {
		for _, i := range o.Schedule.Instalments {
			n.Payment.Schedule = append(n.Payment.Schedule, invoicing.Due{At: i.DueAt, Minor: i.Amount.Minor})
		}
		n.Payment.DueAt = &o.Schedule.Instalments[len(o.Schedule.Instalments)-1].DueAt
	} else if o.DueAt != nil && o.PaidAt == nil {
		n.Payment.DueAt = o.DueAt
	} else if o.PaidAt != nil {
		n.Payment.PaidAt, n.Payment.DueAt = o.PaidAt, nil
	}
	return n
}

// ErrNoSuchPaper refuses a proforma of what is paid already, and a receipt of what is not.
var ErrNoSuchPaper = fault.New(fault.Conflict, "document-not-due", "A proforma is for an order that waits for its payment, a receipt for one that was paid.")

// IssueTx issues the proforma of an order that waits for its payment, or the receipt of one that was paid, once: again it gives the
// same. The caller has seen that the order is the buyer's or that she may see all. Errors: ErrNoOrder, ErrNoSuchPaper.
func (s *Service) IssueTx(ctx context.Context, tx *postgres.Tx, orderID, kind string) (id string, err error) {
	o, err := one(ctx, tx, "Lock", orderID)
	if err != nil {
		return "", err
	}
	all, err := invoicing.OfOrderTx(ctx, tx, orderID)
	if err != nil {
		return "", err
	}
	if o.PaymentID != "" {
		p, err := payments.OneTx(ctx, tx, o.PaymentID)
		if err != nil {
			return "", err
		}
		o.paidBy(p)
	}
	for _, d := range all { // a proforma with another reference than the one to quote now would mislead
		if d.Kind == kind && (kind != invoicing.KindProforma || o.payReference == "" || d.Facts.Payment.Reference == o.payReference) {
			return d.ID, nil
		}
	}
	if err := o.schedule(ctx, tx); err != nil {
		return "", err
	}
	buyer, err := o.buyerTx(ctx, tx)
	if err != nil {
		return "", err
	}
	var d invoicing.Document
	switch {
	case kind == invoicing.KindProforma && o.State == AwaitingPayment:
		d, err = s.proformaTx(ctx, tx, o, buyer)
	case kind == invoicing.KindReceipt && o.PaidAt != nil && !o.Total.IsZero() && (o.Schedule == nil || o.Schedule.Owed(o.Total.Currency).IsZero()):
		d, err = invoicing.ReceiptTx(ctx, tx, s.issuer, o.PaymentID, o.document(buyer))
	default:
		err = ErrNoSuchPaper
	}
	if err != nil {
		return "", err
	}
	return d.ID, audit.AppendTx(ctx, tx, audit.Entry{Action: "document.issued", Object: d.ID, Detail: map[string]string{"order": orderID, "kind": kind}})
}

// proformaTx issues a proforma: one for each reference that the buyer is to quote, and one before there is any.
func (s *Service) proformaTx(ctx context.Context, tx *postgres.Tx, o Order, buyer invoicing.Buyer) (invoicing.Document, error) {
	return invoicing.ProformaTx(ctx, tx, s.issuer, strings.TrimSuffix(o.ID+":proforma:"+o.payReference, ":"), o.document(buyer))
}

// LockTx finds an order and holds it until the transaction ends: nothing is settled meanwhile.
func LockTx(ctx context.Context, tx *postgres.Tx, id string) (Order, error) {
	return one(ctx, tx, "Lock", id)
}
