package sales

import (
	"context"
	"slices"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Faults of retakes.
var (
	ErrRetakeAlone = fault.New(fault.Unprocessable, "retake-alone", "A retake of an exam is ordered by itself, by who sits it.")
	ErrRetakeLeft  = fault.New(fault.Conflict, "retake-left", "A retake is paid for and was not used: book the exam.")
)

// Retaking is the word of who stands above on whether somebody needs a retake of the exam of an enrolment now: an error says why not.
type Retaking func(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment) error

// RetakeWith has the room ask before it sells a retake. Without it none is sold.
func (s *Service) RetakeWith(ask Retaking) { s.retaking = ask }

// Retake says whether the line is a further attempt at an exam.
func (l Line) Retake() bool { return slices.Contains(l.Entitlements, offers.ExamRetake) }

// retake says whether the order is that of a retake.
func (o Order) retake() bool { return o.Lines[0].Retake() }

// mayRetake says why somebody cannot order a retake: it is sold alone, to who is enrolled with a formula that counts, has no unused one, and needs it.
// Orders of hers wait for each other, so that two do not both find that she has none.
func (s *Service) mayRetake(ctx context.Context, tx *postgres.Tx, c PlaceOrder, w wanted) error {
	if s.retaking == nil || len(c.Items) != 1 || c.Organisation != "" {
		return ErrRetakeAlone
	}
	e, enrolled, err := enrolment.FindTx(ctx, tx, c.BuyerID, w.offer.SessionID)
	if err == nil && !enrolled {
		err = enrolment.ErrNoEnrolment
	}
	if err != nil {
		return err
	}
	left, err := enrolment.HasRetakeTx(ctx, tx, e.ID)
	if err == nil && left {
		err = ErrRetakeLeft
	}
	if err != nil {
		return err
	}
	return s.retaking(ctx, tx, e)
}

// RetakeOffer is a retake as somebody can order it: an offer in one of its currencies, and what she pays for it without a voucher.
type RetakeOffer struct {
	OfferID string
	Price   money.Amount
}

// RetakesTx lists the retakes that a session (an id) offers a person now, each in every currency that it has a price in.
func RetakesTx(ctx context.Context, tx *postgres.Tx, sessionID, personID string) (out []RetakeOffer, err error) {
	all, err := offers.RetakesTx(ctx, tx, sessionID, personID)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	prices, err := new(Comparison).price(ctx, tx, PlaceOrder{BuyerID: personID}, all)
	for _, o := range all {
		for _, x := range prices[o.ID] {
			out = append(out, RetakeOffer{o.ID, x.Total})
		}
	}
	return out, err
}
