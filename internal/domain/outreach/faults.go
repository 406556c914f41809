package outreach

import "cursus/internal/kernel/fault"

// Every fault of this room.
var (
	ErrNoCampaign = fault.New(fault.NotFound, "no-such-campaign", "There is no such campaign.")
	ErrNoLink     = fault.New(fault.NotFound, "no-such-link", "This link to unsubscribe is not one of ours.")
	ErrNoLearner  = fault.New(fault.NotFound, "no-such-learner", "There is no such learner.")
	ErrNobody     = fault.New(fault.Forbidden, "no-person", "Only people get mails.")
	ErrChanged    = fault.New(fault.Precondition, "changed-meanwhile", "It was changed since it was read.")
	ErrNotDraft   = fault.New(fault.Conflict, "campaign-not-a-draft", "Only a draft can be changed or scheduled.")
	ErrOver       = fault.New(fault.Conflict, "campaign-over", "The campaign is over.")
	ErrDone       = fault.New(fault.Conflict, "nudged-already", "The people on this list were reminded already.")
	ErrNoAddress  = fault.New(fault.Unprocessable, "no-mail-address", "You have no mail address.")
	ErrNotABounce = fault.New(fault.Unprocessable, "not-a-bounce", "This is no report on the delivery of a mail (RFC 3464).")
)
