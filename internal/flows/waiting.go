package flows

import (
	"context"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// placeOffered tells somebody who waited that a place is kept for her, and until when. Where she took it or let it go meanwhile there is
// nothing to say.
func (h *House) placeOffered(ctx context.Context, e sales.PlaceOffered) error {
	l := letter{name: "place_offered", reference: e.WaitingID + ".offered"}
	var w sales.Waiting
	var o offers.Offer
	if err := h.DB.View(ctx, "place offered", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if w, o, err = sales.WaitTx(ctx, tx, e.WaitingID); err != nil || o.EditionID == "" {
			return err
		}
		edition, err := programs.EditionTx(ctx, tx, o.EditionID)
		l.title = edition.Title
		return err
	}); err != nil || w.State != sales.PlaceKept {
		return err
	}
	l.person, l.session, l.path, l.facts = w.PersonID, o.SessionID, "/sessions/"+o.SessionKey, mails.Facts{Until: *w.Until}
	if o.EditionID != "" {
		l.path = "/editions/" + o.EditionKey
	}
	return h.post(ctx, l)
}
