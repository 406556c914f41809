package dossier

import "cursus/internal/kernel/fault"

// Every fault of this room.
var (
	ErrNoExport    = fault.New(fault.NotFound, "no-such-export", "There is no such export, or its time is over.")
	ErrNotReady    = fault.New(fault.Conflict, "export-not-ready", "The export is still being made.")
	ErrNoErasure   = fault.New(fault.NotFound, "no-such-erasure", "There is no such request.")
	ErrDecided     = fault.New(fault.Conflict, "erasure-decided", "This request is not where that can be done: it was decided, carried out or taken back.")
	ErrInTheWay    = fault.New(fault.Unprocessable, "erasure-not-yet", "Something of hers is still open.")
	ErrOther       = fault.New(fault.Unprocessable, "other-person", "The person named is not the one who is to be erased.")
	ErrNoRule      = fault.New(fault.NotFound, "no-such-records", "No such kind of records stands in the retention schedule.")
	ErrRuleChanged = fault.New(fault.Precondition, "changed-meanwhile", "Somebody else changed this line of the schedule. Look at it again and decide again.")
	ErrWhy         = fault.InvalidInput(fault.Field{Pointer: "/note", Code: "missing", Detail: "Who refuses says why."})
)
