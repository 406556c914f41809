package sales

import (
	"context"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/platform/postgres"
)

// thing is what an offer is on: a session or an edition; the other is zero. Seats are the limits of the sessions of an edition.
type thing struct {
	session catalog.Session
	edition programs.Edition
	seats   []seat
}

// seat is a session in which the number of learners is limited.
type seat struct {
	ID       string `db:"id"`
	Capacity int    `db:"capacity"`
}

func thingOf(ctx context.Context, tx *postgres.Tx, offer offers.Offer) (t thing, err error) {
	if offer.EditionID == "" {
		t.session, err = catalog.SessionTx(ctx, tx, offer.SessionID)
		if offer.Capacity != nil && !offer.Retake() { // who sits again is in already
			t.seats = []seat{{offer.SessionID, *offer.Capacity}}
		}
		return t, err
	}
	if t.edition, err = programs.EditionTx(ctx, tx, offer.EditionID); err != nil {
		return t, err
	}
	t.seats, err = seatsOf(ctx, tx, t.edition)
	return t, err
}

func (t thing) title() catalog.Text {
	if t.edition.ID != "" {
		return t.edition.Title
	}
	return t.session.Title()
}

// begins is when the first of it is provided; nil: nobody knows.
func (t thing) begins() *time.Time {
	if t.edition.ID != "" {
		return t.edition.StartsAt
	}
	return t.session.StartsAt
}

// openAt says why nobody can join at an instant; nil when one can.
func (t thing) openAt(at time.Time) error {
	if t.edition.ID != "" {
		if len(t.edition.Sessions) == 0 || t.edition.StateAt(at) != catalog.Open {
			return ErrEditionClosed
		}
		return nil
	}
	if !t.session.Public() || t.session.StateAt(at) != catalog.Open {
		return ErrClosed
	}
	return nil
}

// held are the sets of entitlements that somebody has here: that of her enrolment, or those of her memberships.
func (t thing) held(ctx context.Context, tx *postgres.Tx, buyerID string) (sets []enrolment.Enrolment, err error) {
	if t.edition.ID == "" {
		e, enrolled, err := enrolment.FindTx(ctx, tx, buyerID, t.session.ID)
		if enrolled {
			sets = append(sets, e)
		}
		return sets, err
	}
	mine, err := enrolment.MembershipsInTx(ctx, tx, buyerID, t.edition.ID)
	for _, m := range mine {
		sets = append(sets, enrolment.Enrolment{Formula: m.Formula, Entitlements: m.Entitlements})
	}
	return sets, err
}

// opensNothing says whether an offer opens nothing that one of these sets does not.
func opensNothing(sets []enrolment.Enrolment, offer offers.Offer) bool {
	for _, e := range sets {
		if !addsAnything(e, offer) || e.Hold != enrolment.NoHold { // what is held back opens again by paying for it
			return true
		}
	}
	return false
}
