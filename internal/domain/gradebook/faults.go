package gradebook

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrUnreadable     = fault.New(fault.Invalid, "unreadable-file", "The file is not readable as comma-separated text.")
	ErrWorkbook       = fault.New(fault.Invalid, "workbook", "The file is a workbook of a spreadsheet. Save its sheet as CSV.")
	ErrTooLarge       = fault.New(fault.TooLarge, "file-too-large", "The file is larger than 256 MiB.")
	ErrNotAReport     = fault.New(fault.Invalid, "not-a-grade-report", "The file is none that is known: its header is not that of a grade report, of another file of Open edX or FUN, or of a plain form.")
	ErrOtherKind      = fault.New(fault.Invalid, "other-kind", "The file is of another kind.")
	ErrNobody         = fault.New(fault.Invalid, "report-without-learners", "The report has no readable row: taken at its word, everybody would have left.")
	ErrNotGraded      = fault.New(fault.Invalid, "errors-of-a-report", "The file lists whom the platform failed to grade. They are not in the report, and keep what they had: there is nothing to take in.")
	ErrScale          = fault.New(fault.Invalid, "scores-above-one", "Most scores of the file are above 1. Write them from 0 to 1, or with the sign of a per cent: of points without it nobody can say whether a 1 is all or nearly nothing.")
	ErrIsMap          = fault.New(fault.Invalid, "map-of-exercises", "The file is a map of exercises, and says nothing of learners. It is taken in on the page of the session, or by `cursus import session --exercises`.")
	ErrNoTime         = fault.New(fault.Invalid, "collection-time-missing", "The file name does not say when the report was made; give the time.")
	ErrTimeTaken      = fault.New(fault.Conflict, "collection-time-taken", "Another report of this session was made at the same time.")
	ErrTwoColumns     = fault.New(fault.Unprocessable, "two-columns-one-exercise", "Two columns of a file are one exercise, by what was said of them.")
	ErrMappingChanged = fault.New(fault.Precondition, "changed-meanwhile", "Somebody else said what columns are since you read it. Read it again and decide again.")
	ErrNotKept        = fault.New(fault.NotFound, "file-not-kept", "The bytes of this file are not kept.")
	ErrRows           = fault.New(fault.Unprocessable, "rows-rejected", "Some rows cannot be read; nothing was changed.")
	ErrNoSchedule     = fault.New(fault.NotFound, "no-schedule", "Nothing is collected of the session.")
	ErrNoCourseThere  = fault.New(fault.Unprocessable, "no-course-there", "The session does not say which course of its platform it is.")
	ErrNoCollection   = fault.New(fault.NotFound, "no-such-collection", "The session has no such intake.")
	ErrNoExercise     = fault.New(fault.NotFound, "no-such-exercise", "The session has no such exercise in its reports.")
)

func init() { postgres.RegisterConstraint("collection_time_once", ErrTimeTaken) }
