package webhooks

import "cursus/internal/kernel/fault"

// Every fault of this room.
var (
	ErrNoEndpoint  = fault.New(fault.NotFound, "no-such-webhook", "There is no such webhook.")
	ErrNoDelivery  = fault.New(fault.NotFound, "no-such-delivery", "There is no such delivery.")
	ErrChanged     = fault.New(fault.Precondition, "changed-meanwhile", "The webhook was changed since it was read.")
	ErrDisabled    = fault.New(fault.Conflict, "webhook-disabled", "The webhook is disabled. Enable it first.")
	ErrTooMany     = fault.New(fault.Unprocessable, "too-many-webhooks", "There are 20 webhooks already. Delete one first.")
	errUnknownType = fault.New(fault.Internal, "unknown-event-type", "An event of a type that is not documented was to be told.")
)
