package flows

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
)

// orderPaid confirms an enrolment by mail, and looks whether its learner may sit the exam already.
func (h *House) orderPaid(ctx context.Context, e sales.OrderPaid) error {
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil {
		return err
	}
	if o.Qualifying {
		if err := h.Exams.RefreshOne(ctx, o.EnrolmentID, o.ID); err != nil {
			return err
		}
	}
	return h.DB.InTx(ctx, "mail: order paid", func(ctx context.Context, tx *postgres.Tx) error {
		return h.mailTx(ctx, tx, o.BuyerID, mailDue{
			Letter: "order_paid", Reference: o.ID + ".paid", Session: o.SessionID, Demo: o.Demo, Path: "/learning",
			Formula: o.Formula, Total: o.Total, Invoice: o.InvoiceNumber,
		})
	})
}

// orderReversed takes back what a refunded or lost order had led to, and says so.
func (h *House) orderReversed(ctx context.Context, e sales.OrderReversed) error {
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil {
		return err
	}
	if err := h.Certificates.RevokeUnpaid(ctx, e.EnrolmentID, "the payment was "+e.Reason); err != nil {
		return err
	}
	return h.DB.InTx(ctx, "mail: order reversed", func(ctx context.Context, tx *postgres.Tx) error {
		return h.mailTx(ctx, tx, o.BuyerID, mailDue{
			Letter: "order_reversed", Reference: o.ID + ".reversed", Session: o.SessionID, Demo: o.Demo, Path: "/orders/" + o.ID, Total: o.Total,
		})
	})
}
