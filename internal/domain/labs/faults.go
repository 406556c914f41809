package labs

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room. Those from ErrClosed on say why a lab cannot be opened.
var (
	ErrNoProvider   = fault.New(fault.NotFound, "no-such-lab-provider", "There is no such provider of labs.")
	ErrNoLab        = fault.New(fault.NotFound, "no-such-lab", "There is no such lab.")
	ErrNoLaunch     = fault.New(fault.NotFound, "no-such-lab-launch", "There is no such launch of a lab.")
	ErrChanged      = fault.New(fault.Precondition, "changed-meanwhile", "It was changed since you read it. Read it again and decide again.")
	ErrURL          = fault.New(fault.Invalid, "bad-lab-url", "The address is that of a public server: https://, a name with a dot or a public address, port 443 or 8443. The operator names those that are inside (CURSUS_LAB_INSIDE).")
	ErrUnknown      = fault.InvalidInput(fault.Field{Pointer: "/provider", Code: "no-such-lab-provider", Detail: "There is no such provider of labs."})
	ErrSignature    = fault.New(fault.Unauthenticated, "bad-signature", "The signature is not one of this provider over this body, or its time is not now.")
	ErrProvider     = fault.New(fault.Unavailable, "lab-provider-unreachable", "The provider of the lab did not take the request.")
	ErrNotRunning   = fault.New(fault.Conflict, "lab-not-running", "Nobody is in the lab by this launch.")
	ErrSpent        = fault.New(fault.Conflict, "lab-link-spent", "This link to the lab was used already, or its minute is over. Open the lab again.")
	ErrClosed       = fault.New(fault.Unprocessable, "lab-closed", "This lab is closed.")
	ErrOff          = fault.New(fault.Unprocessable, "lab-provider-off", "The provider of this lab is switched off.")
	ErrOutOfSession = fault.New(fault.Unprocessable, "lab-session-not-running", "The session has not begun, or is over.")
	ErrLeft         = fault.New(fault.Unprocessable, "lab-access-ended", "The enrolment is not in force any more.")
	ErrArrears      = fault.New(fault.Unprocessable, "lab-payment-due", "A payment is due, or your school holds this place back.")
	ErrContested    = fault.New(fault.Unprocessable, "lab-payment-contested", "The payment is contested at the bank.")
	ErrFormula      = fault.New(fault.Unprocessable, "formula-without-labs", "The formula of this enrolment does not open the labs.")
	ErrQuota        = fault.New(fault.Unprocessable, "lab-quota-used", "All minutes of this lab are used.")
)

func init() {
	postgres.RegisterConstraint("lab_provider_known", ErrUnknown)
}
