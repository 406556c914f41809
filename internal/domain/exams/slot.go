package exams

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// SlotState is where a slot stands.
type SlotState string

// The states of a slot.
const (
	SlotPlanned  SlotState = "planned"
	SlotCanceled SlotState = "canceled"
)

// Slot is a place and a time at which so many may sit an exam. Times are UTC; Zone says what clock hangs on the wall there.
type Slot struct {
	ID           string    `db:"id"`
	ExamID       string    `db:"exam_id"`
	SessionID    string    `db:"session_id"`
	SessionKey   string    `db:"session_key"`
	Kind         Kind      `db:"kind"`
	Organisation string    `db:"organisation"` // the partner school that proctors; empty: the institute
	Place        string    `db:"place"`
	Zone         string    `db:"zone"`
	StartsAt     time.Time `db:"starts_at"`
	EndsAt       time.Time `db:"ends_at"`
	Capacity     int       `db:"capacity"`
	State        SlotState `db:"state"`
	Version      int       `db:"version"`
	Taken        int       `db:"taken"`   // sittings that were not canceled
	Offered      int       `db:"offered"` // places that are kept for who waits
	Waiting      int       `db:"waiting"`
	CancelHours  int       `db:"cancel_hours"`
	OfferHours   int       `db:"offer_hours"`
}

// Left is how many places can be booked.
func (x Slot) Left() int { return max(x.Capacity-x.Taken-x.Offered, 0) }

// Location is the zone of the place.
func (x Slot) Location() *time.Location {
	l, err := time.LoadLocation(x.Zone)
	if err != nil { // it was checked when it was written; a zone that was dropped since is shown in UTC
		return time.UTC
	}
	return l
}

// LeaveBy is until when a booking of this slot can be left or changed.
func (x Slot) LeaveBy() time.Time { return x.StartsAt.Add(-time.Duration(x.CancelHours) * time.Hour) }

// NewSlot is what a slot is made of.
type NewSlot struct {
	Organisation     string
	Place, Zone      string
	StartsAt, EndsAt time.Time
	Capacity         int
}

func (n NewSlot) validate() error {
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	refuse(strings.TrimSpace(n.Place) == "" || utf8.RuneCountInString(n.Place) > 300, "/place", "bad-length", "1 to 300 characters.")
	_, err := time.LoadLocation(n.Zone)
	refuse(err != nil || n.Zone == "" || n.Zone == "Local" || len(n.Zone) > 60, "/zone", "unknown-zone", "A name of the time zone database, such as Africa/Dakar.")
	refuse(n.StartsAt.Year() < 1990 || n.StartsAt.Year() > 2200, "/starts_at", "out-of-range", "A time.")
	refuse(!n.EndsAt.After(n.StartsAt) || n.EndsAt.Sub(n.StartsAt) > 24*time.Hour, "/ends_at", "before-start", "A slot ends after it begins, within 24 hours.")
	refuse(n.Capacity < 1 || n.Capacity > 10_000, "/capacity", "out-of-range", "1 to 10,000.")
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

func organisationTx(ctx context.Context, tx *postgres.Tx, key string) error {
	if key == "" {
		return nil
	}
	_, err := identity.OrganisationTx(ctx, tx, key)
	if errors.Is(err, identity.ErrNoOrganisation) {
		return fault.InvalidInput(fault.Field{Pointer: "/organisation", Code: "no-such-organisation", Detail: "There is no such organisation."})
	}
	return err
}

// PlanSlotTx makes a slot of the exam of a kind of a session; the proctored exam is written with its usual rules where nobody wrote it.
// Errors: catalog.ErrNoSession, ErrNoExam.
func (s *Service) PlanSlotTx(ctx context.Context, tx *postgres.Tx, session string, kind Kind, n NewSlot) (Slot, error) {
	x, err := catalog.LockSessionTx(ctx, tx, session)
	if err != nil {
		return Slot{}, err
	}
	if err := n.validate(); err != nil {
		return Slot{}, err
	}
	if err := organisationTx(ctx, tx, n.Organisation); err != nil {
		return Slot{}, err
	}
	e, err := ExamTx(ctx, tx, x.ID, kind)
	if err == nil && e.ID == "" {
		e, err = s.PutTx(ctx, tx, x.ID, kind, NewExam{Rules: e.Rules}, 0)
	}
	if err != nil {
		return Slot{}, err
	}
	id := ident.New("slt")
	if _, err := tx.Exec(ctx, q.Q("AddSlot"), id, e.ID, n.Organisation, n.Place, n.Zone, n.StartsAt, n.EndsAt, n.Capacity, tx.Now()); err != nil {
		return Slot{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_slot.planned", Object: id, Detail: map[string]any{"session": x.ID, "kind": kind, "capacity": n.Capacity}}); err != nil {
		return Slot{}, err
	}
	return SlotTx(ctx, tx, id)
}

// SlotTx finds a slot. Who counts its places reads it as the house: a learner sees her own sittings alone.
func SlotTx(ctx context.Context, tx *postgres.Tx, id string) (Slot, error) {
	var x Slot
	err := tx.Get(ctx, &x, q.Q("Slot"), id, tx.Now())
	if errors.Is(err, sql.ErrNoRows) {
		return x, ErrNoSlot
	}
	return x, err
}

// lockSlots holds slots in the order of their ids, so that whoever takes, leaves or counts places follows the other.
func lockSlots(ctx context.Context, tx *postgres.Tx, ids ...string) error {
	var found []string
	return tx.Select(ctx, &found, q.Q("LockSlots"), pq.Array(ids))
}

// HasSlotsTx says whether the exam of a session that leads to the certificate has slots to come: one of them is chosen then.
func HasSlotsTx(ctx context.Context, tx *postgres.Tx, sessionID string) (has bool, err error) {
	err = tx.Get(ctx, &has, q.Q("SessionHasSlots"), sessionID, tx.Now())
	return has, err
}

// SlotFilter chooses slots: of a session (its id), of an organisation, from a time on. Empty: all.
type SlotFilter struct {
	SessionID    string
	Organisation string
	From         time.Time
	After        string // id of the slot after which the list goes on
	Limit        int    // 0: 500
}

// SlotsTx lists slots in the order of time.
func SlotsTx(ctx context.Context, tx *postgres.Tx, f SlotFilter) ([]Slot, error) {
	all := []Slot{}
	if f.Limit == 0 {
		f.Limit = 500
	}
	err := tx.Select(ctx, &all, q.Q("Slots"), f.SessionID, f.Organisation, f.From, tx.Now(), f.After, f.Limit)
	return all, err
}

// Slots is SlotsTx as the house.
func (s *Service) Slots(ctx context.Context, f SlotFilter) (all []Slot, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "exam slots", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = SlotsTx(ctx, tx, f)
		return err
	})
	return all, err
}

// PutSlotTx rewrites a slot that has not begun; expected is the version that the caller read, 0 for any. More places are offered to who
// waits. Errors: ErrNoSlot, ErrChanged, ErrSlotOver, ErrTooFewPlaces.
func (s *Service) PutSlotTx(ctx context.Context, tx *postgres.Tx, id string, n NewSlot, expected int) (Slot, error) {
	x, err := lockedSlot(ctx, tx, id)
	if err != nil {
		return x, err
	}
	if expected != 0 && expected != x.Version {
		return x, ErrChanged
	}
	if err := n.validate(); err != nil {
		return x, err
	}
	if err := organisationTx(ctx, tx, n.Organisation); err != nil {
		return x, err
	}
	if x.State != SlotPlanned || !tx.Now().Before(x.StartsAt) {
		return x, ErrSlotOver
	}
	if n.Capacity < x.Taken+x.Offered {
		return x, ErrTooFewPlaces
	}
	if _, err := tx.Exec(ctx, q.Q("EditSlot"), x.ID, n.Organisation, n.Place, n.Zone, n.StartsAt, n.EndsAt, n.Capacity); err != nil {
		return x, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_slot.changed", Object: x.ID, Detail: map[string]any{"version": x.Version + 1},
		Before: NewSlot{x.Organisation, x.Place, x.Zone, x.StartsAt, x.EndsAt, x.Capacity}, After: n}); err != nil {
		return x, err
	}
	if !n.StartsAt.Equal(x.StartsAt) || !n.EndsAt.Equal(x.EndsAt) || n.Place != x.Place || n.Zone != x.Zone {
		if err := s.tellOfSlotTx(ctx, tx, x.ID, "moved"); err != nil {
			return x, err
		}
	}
	if err := s.serveWaitingTx(ctx, tx, x.ID); err != nil {
		return x, err
	}
	return SlotTx(ctx, tx, x.ID)
}

func lockedSlot(ctx context.Context, tx *postgres.Tx, id string) (Slot, error) {
	if err := lockSlots(ctx, tx, id); err != nil {
		return Slot{}, err
	}
	return SlotTx(ctx, tx, id)
}

// tellOfSlotTx tells everybody who is booked in a slot what became of it.
func (s *Service) tellOfSlotTx(ctx context.Context, tx *postgres.Tx, slotID, news string) error {
	var booked []string
	if err := tx.Select(ctx, &booked, q.Q("BookedIn"), slotID); err != nil {
		return err
	}
	for _, id := range booked {
		if err := s.jobs.EnqueueTx(ctx, tx, SittingMoved{SittingID: id, News: news, At: tx.Now()}); err != nil {
			return err
		}
	}
	return nil
}

// CancelSlotTx calls a slot off: its bookings are canceled, and everybody is told. Errors: ErrNoSlot, ErrChanged, ErrSlotOver.
func (s *Service) CancelSlotTx(ctx context.Context, tx *postgres.Tx, id string, expected int) (Slot, error) {
	x, err := lockedSlot(ctx, tx, id)
	if err != nil {
		return x, err
	}
	switch {
	case expected != 0 && expected != x.Version:
		return x, ErrChanged
	case x.State != SlotPlanned || !tx.Now().Before(x.StartsAt):
		return x, ErrSlotOver
	}
	var booked []string
	if err := tx.Select(ctx, &booked, q.Q("BookedIn"), x.ID); err != nil {
		return x, err
	}
	for _, id := range booked {
		sitting, err := SittingTx(ctx, tx, id)
		if err != nil {
			return x, err
		}
		if err := s.endBookingTx(ctx, tx, sitting, "slot_canceled"); err != nil {
			return x, err
		}
	}
	if _, err := tx.Exec(ctx, q.Q("CancelSlot"), x.ID); err != nil {
		return x, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_slot.canceled", Object: x.ID, Detail: map[string]any{"sittings": booked}}); err != nil {
		return x, err
	}
	return SlotTx(ctx, tx, x.ID)
}
