package export

import "cursus/internal/kernel/fault"

// Every fault of this room.
var (
	ErrNoExport  = fault.New(fault.NotFound, "no-such-data-export", "There is no such export of data, or its time is over.")
	ErrNotReady  = fault.New(fault.Conflict, "data-export-not-ready", "The export is still being made.")
	ErrFormat    = fault.InvalidInput(fault.Field{Pointer: "/format", Code: "unknown-format", Detail: "csv or parquet."})
	errOvertaken = fault.New(fault.Conflict, "data-export-overtaken", "Somebody else makes this export.")
	errUnsaid    = fault.New(fault.Internal, "dictionary-incomplete", "A column of a view is not in the data dictionary.")
)
