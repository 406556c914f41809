package flows

import (
	"context"
	"strconv"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// examRulesChanged decides anew for everybody of a session after its exam came to ask for something else.
func (h *House) examRulesChanged(ctx context.Context, e exams.RulesChanged) error {
	return h.Exams.Refresh(ctx, e.SessionID, e.ExamID)
}

// examStandingChanged decides anew for a learner after something of herself changed.
func (h *House) examStandingChanged(ctx context.Context, e exams.StandingChanged) error {
	if e.EnrolmentID == "" {
		return h.Exams.RefreshLearner(ctx, e.LearnerID, e.Cause)
	}
	return h.Exams.RefreshOne(ctx, e.EnrolmentID, e.Cause)
}

// orderContested closes the exams of an order while the bank asks for its money, and opens them again.
func (h *House) orderContested(ctx context.Context, e sales.OrderContested) error {
	o, err := h.Sales.Order(ctx, e.OrderID)
	if err != nil {
		return err
	}
	return h.refresh(ctx, o.Enrolments(), o.ID)
}

// whereAndWhen says in a letter where a slot is, and when by the clock that hangs there.
func (h *House) whereAndWhen(ctx context.Context, slotID string, l *letter) error {
	if slotID == "" {
		return nil
	}
	return h.DB.View(ctx, "slot of letter", func(ctx context.Context, tx *postgres.Tx) error {
		slot, err := exams.SlotTx(ctx, tx, slotID)
		if err != nil {
			return err
		}
		if l.to, err = identity.PersonTx(ctx, tx, l.person); err != nil {
			return err
		}
		session, err := catalog.SessionTx(ctx, tx, l.session)
		l.title = session.Title()
		l.facts.Reference = Slotted(slot, l.to.Lang)
		return err
	})
}

// Slotted says a slot in words: the day and the hours by the clock of its place, the name of that clock, and the place.
func Slotted(x exams.Slot, lang string) string {
	at := x.Location()
	starts, ends := x.StartsAt.In(at), x.EndsAt.In(at)
	day := time.Date(starts.Year(), starts.Month(), starts.Day(), 0, 0, 0, 0, time.UTC) // of the place, not of UTC
	return clock.Day(day, lang) + ", " + starts.Format("15:04") + "–" + ends.Format("15:04") + " (" + x.Zone + "), " + x.Place
}

// sittingMoved tells a learner that her exam is canceled, or at another time or place.
func (h *House) sittingMoved(ctx context.Context, e exams.SittingMoved) error {
	var x exams.Sitting
	if err := h.DB.View(ctx, "sitting", func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = exams.SittingTx(ctx, tx, e.SittingID)
		return err
	}); err != nil {
		return err
	}
	l := letter{
		name: "exam_moved", reference: x.ID + "." + e.News + "." + strconv.FormatInt(e.At.UnixMicro(), 10), person: x.LearnerID, session: x.SessionID, path: "/learning#" + x.EnrolmentID,
		facts: mails.Facts{Reason: e.News},
	}
	if err := h.whereAndWhen(ctx, x.SlotID, &l); err != nil {
		return err
	}
	if e.News != "moved" {
		if err := h.Exams.RefreshOne(ctx, x.EnrolmentID, x.ID); err != nil {
			return err
		}
	}
	return h.post(ctx, l)
}

// placeInSlotOffered tells who waits for a slot that a place is kept for her.
func (h *House) placeInSlotOffered(ctx context.Context, e exams.PlaceOffered) error {
	var l letter
	if err := h.DB.View(ctx, "waits", func(ctx context.Context, tx *postgres.Tx) error {
		x, err := enrolment.OneTx(ctx, tx, e.EnrolmentID)
		l = letter{
			name: "exam_place", reference: e.SlotID + "." + e.EnrolmentID + "." + strconv.FormatInt(e.Until.Unix(), 10), person: x.LearnerID, session: x.SessionID,
			path: "/learning/" + e.EnrolmentID + "/exam", facts: mails.Facts{Until: e.Until},
		}
		return err
	}); err != nil {
		return err
	}
	if err := h.whereAndWhen(ctx, e.SlotID, &l); err != nil {
		return err
	}
	return h.post(ctx, l)
}

// appealDecided tells a learner that her appeal was answered.
func (h *House) appealDecided(ctx context.Context, e exams.AppealDecided) error {
	var l letter
	if err := h.DB.View(ctx, "appeal", func(ctx context.Context, tx *postgres.Tx) error {
		a, err := exams.AppealOneTx(ctx, tx, e.AppealID)
		if err != nil {
			return err
		}
		x, err := exams.SittingTx(ctx, tx, a.SittingID)
		l = letter{name: "exam_appeal", reference: a.ID, person: x.LearnerID, session: x.SessionID, path: "/learning/" + x.EnrolmentID + "/exam", facts: mails.Facts{Reason: a.State}}
		return err
	}); err != nil {
		return err
	}
	return h.post(ctx, l)
}

// notPassed takes back the certificate of a sitting that a later review found not passed, and looks whether it can be sat again.
func (h *House) notPassed(ctx context.Context, sittingID string) error {
	var x exams.Sitting
	if err := h.DB.View(ctx, "sitting", func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = exams.SittingTx(ctx, tx, sittingID)
		return err
	}); err != nil {
		return err
	}
	if !x.Kind.Counts() || x.State == exams.Passed {
		return h.Exams.RefreshOne(ctx, x.EnrolmentID, x.ID)
	}
	if err := h.Certificates.RevokeFailed(ctx, x.EnrolmentID); err != nil {
		return err
	}
	return h.Exams.RefreshOne(ctx, x.EnrolmentID, x.ID)
}
