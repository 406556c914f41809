package flows

import (
	"cmp"
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/webhooks"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// orderPlaced writes to the buyer of an order who is not at a pay page that it waits for her payment.
func (h *House) orderPlaced(ctx context.Context, e sales.OrderPlaced) error {
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil || o.State != sales.AwaitingPayment {
		return err
	}
	f := mails.Facts{Demo: o.Demo, Total: o.Total, Order: o.ID, Count: o.Seats()}
	if o.ExpiresAt != nil {
		f.Until = *o.ExpiresAt
	}
	return h.post(ctx, letter{name: "order_placed", reference: o.ID + ".placed", person: o.BuyerID, title: o.Title(), path: "/orders/" + o.ID, facts: f})
}

// seatGiven writes to who has a seat that she is enrolled, and looks whether she may sit the exam already.
func (h *House) seatGiven(ctx context.Context, e sales.SeatGiven) error {
	x, o, enrolments, err := h.seat(ctx, e.SeatID)
	if err != nil {
		return err
	}
	if err := h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) {
		return seatNews(ctx, tx, x)
	}); err != nil || x.State != sales.SeatClaimed {
		return err
	}
	for _, id := range enrolments {
		if err := h.Exams.RefreshOne(ctx, id, o.ID); err != nil {
			return err
		}
	}
	return h.post(ctx, letter{name: "seat_claimed", reference: x.ID + ".claimed", person: x.PersonID, title: lineOf(o, x).Title, path: "/learning",
		facts: mails.Facts{Demo: o.Demo, Formula: lineOf(o, x).Formula, Reason: h.organisation(ctx, o)}})
}

// seatKept invites somebody whom nobody knew to the seat that is reserved for her address: signing in with it claims it.
func (h *House) seatKept(ctx context.Context, e sales.SeatKept) error {
	x, o, _, err := h.seat(ctx, e.SeatID)
	if err != nil || x.State != sales.SeatReserved {
		return err
	}
	name := x.Name
	if name == "" {
		name = x.Email
	}
	return h.send(ctx, "seat_reserved", o.Lang, x.Email, x.ID+".reserved", mails.Facts{
		Name: name, Title: lineOf(o, x).Title.In(o.Lang), URL: h.BaseURL + "/learning", Demo: o.Demo, Formula: lineOf(o, x).Formula, Reason: h.organisation(ctx, o), Reference: x.Email,
	})
}

// seatLost takes back what a seat had led to, and says so.
func (h *House) seatLost(ctx context.Context, e sales.SeatLost) error {
	if err := h.Cohorts.FollowSeat(ctx, e.SeatID); err != nil {
		return err
	}
	x, o, _, err := h.seat(ctx, e.SeatID)
	if err != nil {
		return err
	}
	if err := h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) {
		return grantNews(ctx, tx, o.ID, x.ID, e.Enrolments, ended)
	}); err != nil {
		return err
	}
	for _, id := range e.Enrolments {
		if err := h.Certificates.RevokeUnpaid(ctx, id, "the seat was taken back"); err != nil {
			return err
		}
	}
	return h.post(ctx, letter{name: "seat_ended", reference: x.ID + ".ended", person: x.PersonID, title: lineOf(o, x).Title, path: "/learning",
		facts: mails.Facts{Demo: o.Demo, Formula: lineOf(o, x).Formula, Reason: h.organisation(ctx, o)}})
}

// seat finds a seat with its order, and the enrolments of a qualifying one.
func (h *House) seat(ctx context.Context, id string) (x sales.Seat, o sales.Order, enrolments []string, err error) {
	err = h.DB.View(ctx, "seat", func(ctx context.Context, tx *postgres.Tx) error {
		if x, o, err = sales.SeatTx(ctx, tx, id); err != nil || !lineOf(o, x).Qualifying {
			return err
		}
		parts, err := sales.PartsTx(ctx, tx, o.ID)
		enrolments = nil
		for _, p := range parts {
			if p.Line == x.Line && p.Seat == x.N && p.EnrolmentID != "" {
				enrolments = append(enrolments, p.EnrolmentID)
			}
		}
		return err
	})
	return x, o, enrolments, err
}

func lineOf(o sales.Order, x sales.Seat) (l sales.Line) {
	for _, l := range o.Lines {
		if l.N == x.Line {
			return l
		}
	}
	return l
}

// organisation is the name of who bought the seats; its key where the name cannot be read.
func (h *House) organisation(ctx context.Context, o sales.Order) string {
	name := o.Organisation
	if err := h.DB.View(ctx, "organisation", func(ctx context.Context, tx *postgres.Tx) error {
		m, err := identity.OrganisationTx(ctx, tx, o.Organisation)
		name = cmp.Or(m.Name, name)
		return err
	}); err != nil {
		return o.Organisation
	}
	return name
}

// nameOf is the name of a person; her id where it cannot be read.
func (h *House) nameOf(ctx context.Context, personID string) string {
	name := personID
	if err := h.DB.View(ctx, "name", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PersonTx(ctx, tx, personID)
		name = cmp.Or(p.FullName, name)
		return err
	}); err != nil {
		return personID
	}
	return name
}

// transferMade writes to whom a place is offered, and, once she took it, to both.
func (h *House) transferMade(ctx context.Context, e sales.TransferMade) error {
	var t sales.Handover
	var o sales.Order
	if err := h.DB.View(ctx, "transfer", func(ctx context.Context, tx *postgres.Tx) (err error) {
		t, o, err = sales.TransferTx(ctx, tx, e.TransferID)
		return err
	}); err != nil || t.State != e.State {
		return err
	}
	f := mails.Facts{Demo: o.Demo, Formula: t.Formula, Until: t.Until, Reference: t.Email, Reason: t.From}
	if e.State == sales.TransferOffered {
		f.Name, f.Title, f.URL = t.Email, t.Title.In(o.Lang), h.BaseURL+"/transfers"
		return h.send(ctx, "transfer_offered", o.Lang, t.Email, t.ID+".offered", f)
	}
	if err := h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) {
		return transferNews(ctx, tx, t, o)
	}); err != nil {
		return err
	}
	for _, l := range o.Lines {
		for _, p := range l.Parts {
			if l.N == t.Line && l.Qualifying {
				if err := h.Exams.RefreshOne(ctx, p.EnrolmentID, o.ID); err != nil {
					return err
				}
			}
		}
	}
	if err := h.post(ctx, letter{name: "transfer_taken", reference: t.ID + ".taken", person: t.ToID, title: t.Title, path: "/learning", facts: f}); err != nil {
		return err
	}
	return h.post(ctx, letter{name: "transfer_gone", reference: t.ID + ".gone", person: t.FromID, title: t.Title, path: "/orders/" + o.ID, facts: f})
}
