package workshops

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// What can be said of somebody who has a seat.
const (
	Present = "present"
	Absent  = "absent"
	Excused = "excused" // absent with a reason; it does not count as attended
)

// Mark says whether somebody came.
type Mark struct {
	EnrolmentID string
	Status      string
}

const maxMarks = 1000

func array(s []string) any { return pq.Array(s) }

// RecordAttendanceTx writes who came to a day that has begun; a mark that says what is known already writes nothing, another one is
// a correction and the earlier one stays in the history. Of a day that was held the cost is split anew. Errors: ErrNoDay, ErrTooEarly,
// ErrDayOver of a canceled day, ErrNoSeat with the place.
func (s *Service) RecordAttendanceTx(ctx context.Context, tx *postgres.Tx, dayID string, marks []Mark) (Day, error) {
	d, err := lock(ctx, tx, dayID)
	if err != nil {
		return d, err
	}
	if err := checkMarks(marks); err != nil {
		return d, err
	}
	switch {
	case d.State == Canceled:
		return d, ErrDayOver
	case tx.Now().Before(d.StartsAt):
		return d, ErrTooEarly
	}
	sheet, err := SheetTx(ctx, tx, d.ID)
	if err != nil {
		return d, err
	}
	seats := map[string]Seat{}
	for _, x := range sheet {
		seats[x.EnrolmentID] = x
	}
	var enrolments, learners, statuses []string
	for i, m := range marks {
		seat, ok := seats[m.EnrolmentID]
		if !ok {
			return d, field(fmt.Sprintf("/marks/%d/enrolment_id", i), ErrNoSeat)
		}
		if seat.Status != m.Status {
			enrolments, learners, statuses = append(enrolments, m.EnrolmentID), append(learners, seat.LearnerID), append(statuses, m.Status)
		}
	}
	if len(enrolments) == 0 {
		return d, nil
	}
	if _, err := tx.Exec(ctx, q.Q("Attend"), d.ID, array(enrolments), array(learners), array(statuses), postgres.Actor(ctx), tx.Now()); err != nil {
		return d, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "workshop_day.attendance", Object: d.ID, Detail: map[string]any{"enrolments": enrolments, "statuses": statuses}}); err != nil {
		return d, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, StandingChanged{d.SessionID, enrolments, d.ID}); err != nil {
		return d, err
	}
	if d, err = DayTx(ctx, tx, d.ID); err != nil || d.State != Held {
		return d, err
	}
	return d, recostTx(ctx, tx, d)
}

func checkMarks(marks []Mark) error {
	if len(marks) > maxMarks {
		return fault.InvalidInput(fault.Field{Pointer: "/marks", Code: "too-many", Detail: "At most 1,000."})
	}
	seen := map[string]bool{}
	for i, m := range marks {
		if m.Status != Present && m.Status != Absent && m.Status != Excused {
			return fault.InvalidInput(fault.Field{Pointer: fmt.Sprintf("/marks/%d/status", i), Code: "unknown-status", Detail: "present, absent or excused."})
		}
		if seen[m.EnrolmentID] {
			return fault.InvalidInput(fault.Field{Pointer: fmt.Sprintf("/marks/%d/enrolment_id", i), Code: "duplicate", Detail: "An enrolment stands twice."})
		}
		seen[m.EnrolmentID] = true
	}
	return nil
}

// HoldTx says that a day took place: its cost is posted, once. A day that was held already stays as it is. Errors: ErrNoDay, ErrTooEarly,
// ErrDayOver, ErrNobody.
func HoldTx(ctx context.Context, tx *postgres.Tx, dayID string) (Day, error) {
	d, err := lock(ctx, tx, dayID)
	if err != nil || d.State == Held {
		return d, err
	}
	if tx.Now().Before(d.StartsAt) {
		return d, ErrTooEarly
	}
	if d, err = moveTx(ctx, tx, d, Held); err != nil {
		return d, err
	}
	return d, recostTx(ctx, tx, d)
}

// Production is what a learner made in the workshops, in millionths.
type Production struct {
	EnrolmentID string
	GradePPM    int
	Note        string
}

// RecordProductionsTx grades the productions of enrolments of a session; the same grade again writes nothing, another one is a correction.
// Errors: catalog.ErrNoSession, ErrNotHybrid, ErrNotEnrolled with the place.
func (s *Service) RecordProductionsTx(ctx context.Context, tx *postgres.Tx, session string, all []Production) error {
	x, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return err
	}
	if x.Kind != catalog.Hybrid {
		return ErrNotHybrid
	}
	if len(all) > maxMarks {
		return fault.InvalidInput(fault.Field{Pointer: "/productions", Code: "too-many", Detail: "At most 1,000."})
	}
	var changed []string
	for i, p := range all {
		at := fmt.Sprintf("/productions/%d/", i)
		if p.GradePPM < 0 || p.GradePPM > 1_000_000 {
			return fault.InvalidInput(fault.Field{Pointer: at + "grade_ppm", Code: "out-of-range", Detail: "0 to 1,000,000."})
		}
		if utf8.RuneCountInString(p.Note) > 500 {
			return fault.InvalidInput(fault.Field{Pointer: at + "note", Code: "bad-length", Detail: "At most 500 characters."})
		}
		e, err := enrolment.LockTx(ctx, tx, p.EnrolmentID)
		if err != nil || e.SessionID != x.ID {
			return field(at+"enrolment_id", ErrNotEnrolled)
		}
		n, err := tx.Exec(ctx, q.Q("Produce"), x.ID, e.ID, e.LearnerID, p.GradePPM, p.Note, postgres.Actor(ctx), tx.Now())
		if err != nil {
			return err
		}
		if n > 0 {
			changed = append(changed, e.ID)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "production.graded", Object: x.ID, Detail: map[string]any{"enrolments": changed}}); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, StandingChanged{x.ID, changed, x.ID})
}
