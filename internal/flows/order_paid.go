package flows

import (
	"context"
	"fmt"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/webhooks"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// orderPaid confirms an enrolment, or those of a program, by mail, and looks whether its learner may sit the exam already.
func (h *House) orderPaid(ctx context.Context, e sales.OrderPaid) error {
	ctx = postgres.WithGenericPlans(ctx)
	if err := h.Cohorts.FollowOrder(ctx, e.OrderID); err != nil {
		return err
	}
	var o sales.Order
	var buyer identity.Person
	var heard bool
	if err := h.DB.View(ctx, "order paid", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if o, err = sales.OrderTx(ctx, tx, e.OrderID); err != nil {
			return err
		}
		if buyer, err = identity.PersonTx(ctx, tx, o.BuyerID); err != nil {
			return err
		}
		if o.InvoiceNumber, err = invoicing.NumberTx(ctx, tx, o.ID); err != nil {
			return err
		}
		heard, err = webhooks.HeardTx(ctx, tx, webhooks.OrderPaid, webhooks.EnrolmentGranted)
		return err
	}); err != nil {
		return err
	}
	if heard {
		if err := h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) { return paidNews(ctx, tx, o) }); err != nil {
			return err
		}
	}
	if o.Pool() && o.DueAt != nil { // the invoice of a month: its learners are enrolled
		return h.post(ctx, letter{
			name: "account_paid", reference: o.ID + ".paid", to: buyer, title: o.Title(), path: "/orders/" + o.ID,
			facts: mails.Facts{Demo: o.Demo, Count: o.Seats(), Total: o.Total, Invoice: o.InvoiceNumber, Order: o.ID},
		})
	}
	if o.Pool() {
		return h.post(ctx, letter{
			name: "pool_paid", reference: o.ID + ".paid", to: buyer, title: o.Title(), path: "/orders/" + o.ID + "/seats",
			facts: mails.Facts{Demo: o.Demo, Count: o.Seats(), Total: o.Total, Invoice: o.InvoiceNumber, Order: o.ID},
		})
	}
	for _, l := range o.Lines {
		for _, part := range l.Parts {
			if !l.Qualifying && !l.Retake() {
				break
			}
			if err := h.Exams.RefreshOne(ctx, part.EnrolmentID, o.ID); err != nil {
				return err
			}
		}
	}
	if l := o.Lines[0]; l.Retake() {
		return h.post(ctx, letter{
			name: "retake_paid", reference: o.ID + ".paid", to: buyer, title: o.Title(), path: "/learning/" + l.Parts[0].EnrolmentID + "/exam",
			facts: mails.Facts{Demo: o.Demo, Total: o.Total, Invoice: o.InvoiceNumber, Order: o.ID},
		})
	}
	return h.post(ctx, letter{
		name: "order_paid", reference: o.ID + ".paid", to: buyer, title: o.Title(), path: "/learning",
		facts: mails.Facts{Demo: o.Demo, Formula: o.Lines[0].Formula, Total: o.Total, Invoice: o.InvoiceNumber, Order: o.ID},
	})
}

// orderReversed takes back what a refunded or lost order had led to, and says so.
func (h *House) orderReversed(ctx context.Context, e sales.OrderReversed) error {
	if err := h.Cohorts.FollowOrder(ctx, e.OrderID); err != nil {
		return err
	}
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil {
		return err
	}
	enrolments := e.Enrolments
	if len(enrolments) == 0 && e.EnrolmentID != "" { // the job is older than programs
		enrolments = []string{e.EnrolmentID}
	}
	if err := h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) {
		return reversedNews(ctx, tx, o, e.Reason, enrolments)
	}); err != nil {
		return err
	}
	because := "the payment was " + e.Reason
	switch e.Reason {
	case "withdrawn":
		because = "its learner withdrew from the contract"
	case "defaulted":
		because = "an instalment was not paid"
	}
	unpaid, err := h.Exams.RetakeGone(ctx, o.ID)
	if err == nil && unpaid != "" {
		err = h.Certificates.RevokeFailed(ctx, unpaid)
	}
	if err != nil {
		return err
	}
	for _, id := range enrolments {
		if err := h.Certificates.RevokeUnpaid(ctx, id, because); err != nil {
			return err
		}
		if err := h.Exams.RefreshOne(ctx, id, o.ID); err != nil {
			return err
		}
	}
	for _, l := range o.Lines { // who has a place that the buyer gave her
		if l.HolderID == "" {
			continue
		}
		if err := h.post(ctx, letter{name: "seat_ended", reference: fmt.Sprintf("%s.%d.ended", o.ID, l.N), person: l.HolderID, title: l.Title, path: "/learning",
			facts: mails.Facts{Demo: o.Demo, Formula: l.Formula, Reason: h.nameOf(ctx, o.BuyerID)}}); err != nil {
			return err
		}
	}
	if e.Reason == "withdrawn" {
		return nil // the receipt says so, and the refund will
	}
	name := "order_reversed"
	switch o.State { //nolint:exhaustive // the others say that the money went back
	case sales.Lost:
		name = "order_lost"
	case sales.Defaulted:
		name = "plan_ended"
	}
	return h.post(ctx, letter{
		name: name, reference: o.ID + ".reversed", person: o.BuyerID, title: o.Title(), path: "/orders/" + o.ID, facts: mails.Facts{Demo: o.Demo, Total: o.Total, Order: o.ID},
	})
}
