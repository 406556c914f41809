package certificates

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrNoCertificate = fault.New(fault.NotFound, "no-such-certificate", "There is no such certificate.")
	ErrNoKind        = fault.New(fault.NotFound, "no-such-kind", "There is no such kind of certificates.")
	ErrNoLayout      = fault.New(fault.NotFound, "no-such-layout", "There is no such layout.")
	ErrNotEarned     = fault.New(fault.Unprocessable, "certificate-not-earned", "Not everything that this certificate asks for is done, or no formula in force leads to it.")
	ErrNotCosigned   = fault.New(fault.Unprocessable, "certificate-not-cosigned", "A certificate of this kind is signed together with an organisation, and the program names none.")
	ErrExists        = fault.New(fault.Conflict, "certificate-exists", "This learner has a certificate of this kind already.")
	ErrRevoked       = fault.New(fault.Conflict, "certificate-revoked-already", "This certificate was revoked already.")
	ErrReplaced      = fault.New(fault.Conflict, "certificate-replaced", "Another certificate took the place of this one.")
	ErrHolds         = fault.New(fault.Conflict, "certificate-holds", "This certificate is not revoked.")
	ErrReason        = fault.New(fault.Invalid, "bad-reason", "A reason has 1 to 200 characters.")
	ErrChanged       = fault.New(fault.Precondition, "changed-meanwhile", "Somebody changed this since you read it. Read it again and decide again.")
	ErrImage         = fault.New(fault.Invalid, "bad-image", "An image is a PNG or JPEG of at most 500 kB and 2,000 × 2,000 points.")
)

func init() {
	postgres.RegisterConstraint("one_live_certificate", ErrExists)
	postgres.RegisterConstraint("layout_name_once", fault.New(fault.Conflict, "layout-name-taken", "Another layout has this name."))
	postgres.RegisterConstraint("one_layout_per_organisation", fault.New(fault.Conflict, "layout-of-organisation", "This organisation has a layout already."))
}
