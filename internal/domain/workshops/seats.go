package workshops

import (
	"context"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// RegisterTx gives an enrolment a seat on a day that is planned and has not begun. learnerID is who asks for herself: another learner's
// enrolment is then enrolment.ErrNoEnrolment, and a formula without workshops ErrNoWorkshop; empty: staff decide. Errors: ErrNoDay, ErrDayOver,
// ErrNotEnrolled, ErrFull, ErrRegistered.
func RegisterTx(ctx context.Context, tx *postgres.Tx, dayID, enrolmentID, learnerID string) (Day, error) {
	d, err := lock(ctx, tx, dayID)
	if err != nil {
		return d, err
	}
	e, err := enrolment.OneTx(ctx, tx, enrolmentID)
	if err != nil {
		return d, err
	}
	if learnerID != "" && e.LearnerID != learnerID {
		return d, enrolment.ErrNoEnrolment
	}
	ways, err := journey.RowsTx(ctx, tx, e.ID)
	if err != nil {
		return d, err
	}
	switch {
	case e.SessionID != d.SessionID, !ways[e.ID].State.Has(journey.Enrolled):
		return d, ErrNotEnrolled
	case learnerID != "" && !e.Has(entitlement):
		return d, ErrNoWorkshop
	case d.State != Planned, learnerID != "" && !tx.Now().Before(d.StartsAt):
		return d, ErrDayOver
	}
	var has bool
	if err := tx.Get(ctx, &has, q.Q("HasSeat"), d.ID, e.ID); err != nil {
		return d, err
	}
	if has {
		return d, ErrRegistered
	}
	if d.Registered >= d.Capacity {
		return d, ErrFull
	}
	if _, err := tx.Exec(ctx, q.Q("Register"), ident.New("wrg"), d.ID, e.ID, e.LearnerID, tx.Now(), postgres.Actor(ctx)); err != nil {
		return d, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "workshop_day.registered", Object: d.ID, Detail: map[string]string{"enrolment": e.ID}}); err != nil {
		return d, err
	}
	return DayTx(ctx, tx, d.ID)
}

// LeaveTx gives a seat back; learnerID as in RegisterTx. Errors: ErrNoSeat, ErrDayOver.
func LeaveTx(ctx context.Context, tx *postgres.Tx, dayID, enrolmentID, learnerID string) (Day, error) {
	d, err := lock(ctx, tx, dayID)
	if err != nil {
		return d, err
	}
	if d.State != Planned || learnerID != "" && !tx.Now().Before(d.StartsAt) {
		return d, ErrDayOver
	}
	n, err := tx.Exec(ctx, q.Q("Leave"), d.ID, enrolmentID, learnerID, tx.Now())
	if err != nil {
		return d, err
	}
	if n == 0 {
		return d, ErrNoSeat
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "workshop_day.left", Object: d.ID, Detail: map[string]string{"enrolment": enrolmentID}}); err != nil {
		return d, err
	}
	return DayTx(ctx, tx, d.ID)
}

// Seat is a line of the attendance sheet of a day. Status is empty until somebody recorded it.
type Seat struct {
	EnrolmentID   string `db:"enrolment_id"`
	LearnerID     string `db:"learner_id"`
	FullName      string `db:"full_name"`
	Status        string `db:"status"`
	ProductionPPM *int   `db:"production_ppm"`
	Corrections   int    `db:"corrections"` // how often her attendance was recorded anew
}

// SheetTx lists who has a seat on a day, by name.
func SheetTx(ctx context.Context, tx *postgres.Tx, dayID string) ([]Seat, error) {
	out := []Seat{}
	err := tx.Select(ctx, &out, q.Q("Sheet"), dayID)
	return out, err
}

// CandidatesTx lists the enrolments in force of the day's session that have no seat on it, by name.
func CandidatesTx(ctx context.Context, tx *postgres.Tx, dayID string) ([]Seat, error) {
	out := []Seat{}
	err := tx.Select(ctx, &out, q.Q("Candidates"), dayID)
	return out, err
}

// SeatsOfTx lists the days on which enrolments have a seat: enrolment → day.
func SeatsOfTx(ctx context.Context, tx *postgres.Tx, enrolmentIDs ...string) (map[string][]string, error) {
	var rows []struct {
		EnrolmentID string `db:"enrolment_id"`
		DayID       string `db:"day_id"`
	}
	err := tx.Select(ctx, &rows, q.Q("SeatsOf"), array(enrolmentIDs))
	out := map[string][]string{}
	for _, r := range rows {
		out[r.EnrolmentID] = append(out[r.EnrolmentID], r.DayID)
	}
	return out, err
}

func field(pointer string, f *fault.Fault) error {
	return f.At(pointer, f.Code, f.Detail)
}
