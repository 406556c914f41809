package sales

import (
	"fmt"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/platform/postgres"
)

// document is what an order has to say for its invoice.
func (o Order) document(tx *postgres.Tx, buyer identity.Person) invoicing.NewDocument {
	n := invoicing.NewDocument{
		OrderID: o.ID, Lang: o.Lang, Currency: o.Total.Currency, OrderedAt: o.PlacedAt, Demo: o.Demo,
		Buyer:        invoicing.Buyer{ID: buyer.ID, Name: buyer.FullName, Email: buyer.Email},
		Organisation: o.Organisation,
	}
	for _, l := range o.Lines {
		n.Lines = append(n.Lines, invoicing.NewLine{
			OfferID: l.OfferID, Description: fmt.Sprintf("%s, %s", l.Title.In(o.Lang), l.Formula), Quantity: int64(l.Quantity), UnitMinor: l.List.Minor,
			DiscountMinor: l.Discount.Minor, DiscountReason: l.Reason,
		})
	}
	if o.PaidAt != nil {
		now := tx.Now()
		n.Payment = invoicing.Payment{Reference: o.PaymentID, PaidAt: &now}
	}
	return n
}
