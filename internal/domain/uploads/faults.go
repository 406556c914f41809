package uploads

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room, beside those of the files (package roster) and of cohorts.
var (
	ErrNoUpload   = fault.New(fault.NotFound, "no-such-upload", "There is no such upload.")
	ErrForgotten  = fault.New(fault.NotFound, "upload-forgotten", "The rows of this upload are not kept any more.")
	ErrMode       = fault.New(fault.Unprocessable, "mode-contradicts", "The file says itself whether it is bulk or delta, and says the other.")
	ErrBusy       = fault.New(fault.Conflict, "upload-running", "Another upload of this cohort is being applied. Wait until it is done.")
	ErrUnchecked  = fault.New(fault.Conflict, "upload-not-checked", "This upload is not one that can be applied: its difference is not made yet, or it failed.")
	ErrDifference = fault.New(fault.Conflict, "difference-changed", "The cohort was changed meanwhile, and this file would change something else now. Look at the difference again, and decide again.")
	ErrInHand     = fault.New(fault.Conflict, "roster-in-hand", "A roster that names her is being checked or applied. Try again in a minute.")
	ErrAbsent     = fault.New(fault.Unprocessable, "absent-not-confirmed", "Learners who are not in the file would be withdrawn. Say how many.")
)

func init() { postgres.RegisterConstraint("one_upload_at_a_time", ErrBusy) }
