package flows

import (
	"context"

	"cursus/internal/domain/sales"
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
	return h.post(ctx, letter{
		name: "order_paid", reference: o.ID + ".paid", person: o.BuyerID, session: o.SessionID, demo: o.Demo, path: "/learning",
		formula: o.Formula, total: o.Total, invoice: o.InvoiceNumber,
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
	return h.post(ctx, letter{
		name: "order_reversed", reference: o.ID + ".reversed", person: o.BuyerID, session: o.SessionID, demo: o.Demo, path: "/orders/" + o.ID, total: o.Total,
	})
}
