package payments

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrNoProvider     = fault.New(fault.Unavailable, "no-payment-provider", "Nothing can be sold: no payment provider is configured.")
	ErrUnknownPayment = fault.New(fault.NotFound, "no-such-payment", "There is no such payment.")
	ErrTooMuch        = fault.New(fault.Unprocessable, "refund-exceeds-payment", "More cannot be given back than was paid.")
	ErrNoEvent        = fault.New(fault.NotFound, "no-such-event", "There is no such event.")
	ErrRefundReason   = fault.New(fault.Invalid, "bad-reason", "A reason has 1 to 200 characters.")
	ErrRefundAmount   = fault.New(fault.Invalid, "bad-amount", "The amount to give back is more than nothing.")
	ErrRefundDecided  = fault.New(fault.Conflict, "refund-decided", "This refund does not wait for anybody's word.")
	ErrSecondPerson   = fault.New(fault.Forbidden, "second-person-needed", "Another person than the one who proposed it has to decide.")
	ErrNothingOwed    = fault.New(fault.Conflict, "nothing-owed", "Nothing is owed for this refund any more.")
	ErrRepaymentSaid  = fault.New(fault.Conflict, "repayment-said", "Somebody said already how this was paid; another person has to agree, or not.")
	ErrRepaidBefore   = fault.New(fault.Conflict, "repayment-reference-used", "Another refund was paid under this reference.")
	ErrRefundUnknown  = fault.New(fault.NotFound, "no-such-refund", "There is no such refund.")
)

func init() {
	postgres.RegisterConstraint("never_back_more_than_came", ErrTooMuch)
	postgres.RegisterConstraint("refund_decided_by_another", ErrSecondPerson)
	postgres.RegisterConstraint("repaid_by_another", ErrSecondPerson)
	postgres.RegisterConstraint("repaid_once", ErrRepaidBefore)
}
