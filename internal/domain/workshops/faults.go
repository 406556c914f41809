package workshops

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrNoDay       = fault.New(fault.NotFound, "no-such-workshop-day", "There is no such workshop day.")
	ErrNotHybrid   = fault.New(fault.Unprocessable, "session-not-hybrid", "Only a hybrid session has workshop days.")
	ErrChanged     = fault.New(fault.Precondition, "changed-meanwhile", "The day was changed since you read it. Read it again and decide again.")
	ErrDayOver     = fault.New(fault.Conflict, "workshop-day-over", "The day was held or canceled.")
	ErrTooEarly    = fault.New(fault.Conflict, "workshop-day-ahead", "The day has not begun yet.")
	ErrFull        = fault.New(fault.Conflict, "workshop-day-full", "Every seat of this day is taken.")
	ErrRegistered  = fault.New(fault.Conflict, "registered-already", "She has a seat on this day.")
	ErrNoSeat      = fault.New(fault.NotFound, "not-registered", "She has no seat on this day.")
	ErrNotEnrolled = fault.New(fault.Unprocessable, "not-enrolled", "The enrolment is not one in force of this session.")
	ErrNoWorkshop  = fault.New(fault.Unprocessable, "formula-without-workshop", "The formula of this enrolment does not open the workshops.")
	ErrTooFewSeats = fault.New(fault.Conflict, "seats-taken", "More seats are taken than the day would have.")
	ErrNobody      = fault.New(fault.Conflict, "nobody-to-carry-cost", "Nobody registered for the day, so that no enrolment can carry its cost. Cancel it, or set its cost to nothing.")
)

func init() {
	postgres.RegisterConstraint("one_seat_per_day", ErrRegistered)
	postgres.RegisterConstraint("day_ends_after_start", fault.InvalidInput(fault.Field{Pointer: "/ends_at", Code: "before-start", Detail: "A day ends after it begins, within 24 hours."}))
}
