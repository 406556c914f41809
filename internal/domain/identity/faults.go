package identity

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrNobody   = fault.New(fault.Unauthenticated, "not-signed-in", "The credentials are missing, wrong, expired or revoked.")
	ErrLink     = fault.New(fault.Unauthenticated, "sign-in-link-spent", "This link was used already or is too old. Please ask for another one.")
	ErrNoPerson = fault.New(fault.NotFound, "no-such-person", "There is no such person.")
	ErrEmail    = fault.New(fault.Invalid, "bad-email", "This is not an e-mail address.")
	ErrRole     = fault.New(fault.Invalid, "bad-role", "The roles are catalogue, sales, refund, exams, certificates, analytics and admin.")
	ErrScope    = fault.New(fault.Invalid, "bad-scope", "A token cannot do what its owner may not do.")
	ErrTooMany  = fault.New(fault.TooMany, "too-many-links", "Several links were sent to this address just now. Please wait a quarter of an hour.")
	ErrName     = fault.New(fault.Invalid, "bad-name", "A name has 1 to 255 characters.")
)

func init() {
	postgres.RegisterConstraint("person_name_length", ErrName)
	postgres.RegisterConstraint("role_known", ErrRole)
}
