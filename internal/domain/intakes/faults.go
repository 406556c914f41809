package intakes

import "cursus/internal/kernel/fault"

// Every fault of this room, beside those of the rooms that take files in.
var (
	ErrNoIntake = fault.New(fault.NotFound, "no-such-intake", "The session has no such intake.")
	ErrNoBatch  = fault.New(fault.NotFound, "no-such-batch", "There is no such batch of files; what is not applied is kept for a week.")
	ErrBusy     = fault.New(fault.Conflict, "batch-running", "These files are being tried or taken in. Wait until that is done.")
	ErrChanged  = fault.New(fault.Precondition, "changed-meanwhile", "Somebody else decided about these files since you looked. Look at them again, and decide again.")
	ErrDone     = fault.New(fault.Conflict, "batch-applied", "These files were taken in already.")
	ErrNothing  = fault.New(fault.Unprocessable, "nothing-to-take", "None of these files can be taken in.")
	ErrTooMany  = fault.New(fault.TooLarge, "too-many-files", "At most 60 files come together.")
	ErrTooLarge = fault.New(fault.TooLarge, "file-too-large", "A file is at most 256 MiB, as it comes.")
	ErrCut      = fault.New(fault.Invalid, "file-cut", "The file did not come whole. Send it again.")
	ErrNotExams = fault.New(fault.Forbidden, "no-exams", "Results of exams are taken in by who looks after exams.")
)
