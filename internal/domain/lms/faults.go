package lms

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrNoPlatform = fault.New(fault.NotFound, "no-such-platform", "There is no such learning platform.")
	ErrNoSync     = fault.New(fault.NotFound, "not-on-a-platform", "This enrolment is not one that a learning platform is told of.")
	ErrChanged    = fault.New(fault.Precondition, "changed-meanwhile", "The platform was changed since it was read.")
	ErrUsername   = fault.New(fault.Conflict, "username-taken", "This username is another learner's.")
	ErrFormula    = fault.InvalidInput(fault.Field{Pointer: "/modes", Code: "no-such-formula", Detail: "There is no such formula."})
	ErrURL        = fault.New(fault.Invalid, "bad-platform-url", "The address is that of a public server: https://, a name with a dot or a public address, port 443 or 8443. The operator names those that are inside (CURSUS_LMS_INSIDE).")
)

func init() {
	postgres.RegisterConstraint("username_of_one_person", ErrUsername)
	postgres.RegisterConstraint("mode_of_known_formula", ErrFormula)
}
