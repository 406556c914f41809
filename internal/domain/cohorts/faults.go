package cohorts

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrNoCohort    = fault.New(fault.NotFound, "no-such-cohort", "There is no such cohort.")
	ErrChanged     = fault.New(fault.Precondition, "changed-meanwhile", "The cohort was changed since you read it. Read it again and decide again.")
	ErrKey         = fault.New(fault.Conflict, "cohort-key-taken", "The organisation has another cohort with this key.")
	ErrPool        = fault.New(fault.Unprocessable, "no-such-pool", "A prepaid cohort takes its seats from a line of an order of its organisation that was paid, and is on the same offer.")
	ErrPoolTaken   = fault.New(fault.Conflict, "pool-taken", "Another cohort takes its seats from this line.")
	ErrClosed      = fault.New(fault.Conflict, "cohort-closed", "The cohort was closed: nobody comes in any more.")
	ErrTooMany     = fault.New(fault.TooLarge, "too-many-rows", "At most 1,000 rows at a time.")
	ErrFewSeats    = fault.New(fault.Conflict, "cohort-seats-taken", "More learners are in the cohort than it would have seats.")
	ErrElsewhere   = fault.New(fault.Conflict, "conflict", "She is in another cohort of this organisation for the same.")
	ErrNotTransfer = fault.New(fault.Unprocessable, "no-transfer", "Learners are transferred to another open cohort of the same organisation.")
	errNotInLife   = fault.New(fault.Internal, "not-in-life", "A member was to make a move that there is not.")
	ErrNoInvite    = fault.New(fault.NotFound, "no-such-invitation", "This link invites nobody: it is not whole, or it was never made.")
	ErrInviteOver  = fault.New(fault.Conflict, "invitation-over", "This invitation was used, or its time is over. Ask your school for another one.")
)

func init() {
	postgres.RegisterConstraint("cohort_key_once", ErrKey)
	postgres.RegisterConstraint("one_cohort_per_pool", ErrPoolTaken)
	postgres.RegisterConstraint("student_in_one_cohort", ErrElsewhere)
	postgres.RegisterConstraint("address_in_one_cohort", ErrElsewhere)
	postgres.RegisterConstraint("person_in_one_cohort", ErrElsewhere)
}
