package privacy

import "cursus/internal/kernel/fault"

// Every fault of this room.
var (
	ErrPurpose = fault.New(fault.NotFound, "no-such-purpose", "There is no such purpose to agree to.")
)
