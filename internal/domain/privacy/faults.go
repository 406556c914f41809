package privacy

import "cursus/internal/kernel/fault"

// Every fault of this room.
var (
	ErrText    = fault.New(fault.Conflict, "consent-text-changed", "The text that asks for this was changed since.")
	ErrPurpose = fault.New(fault.NotFound, "no-such-purpose", "There is no such purpose to agree to.")
)
