package exams

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/lifecycle"
)

// AttemptState is where an attempt stands. The names are those of edx-proctoring.
type AttemptState string

// The states of an attempt. (Its "eligible" is a decision here, and its onboarding the proof of identity.)
const (
	Created       AttemptState = "created"
	Downloading   AttemptState = "download_software_clicked"
	ReadyToStart  AttemptState = "ready_to_start"
	Started       AttemptState = "started"
	ReadyToSubmit AttemptState = "ready_to_submit"
	TimedOut      AttemptState = "timed_out"
	Submitted     AttemptState = "submitted"
	SecondReview  AttemptState = "second_review_required"
	Verified      AttemptState = "verified"
	Rejected      AttemptState = "rejected"
	Errored       AttemptState = "error"
	ReadyToResume AttemptState = "ready_to_resume"
	Resumed       AttemptState = "resumed" // another attempt goes on with the time that was left
	Declined      AttemptState = "declined"
	Expired       AttemptState = "expired"
)

// AttemptEvent is what can happen to an attempt.
type AttemptEvent string

// The events of an attempt.
const (
	EvDownload    AttemptEvent = "download_software"
	EvReady       AttemptEvent = "ready"
	EvStart       AttemptEvent = "start"
	EvFinish      AttemptEvent = "finish" // she says that she is done, and confirms next
	EvGoOn        AttemptEvent = "go_on"
	EvSubmit      AttemptEvent = "submit"
	EvTimeOut     AttemptEvent = "time_out"
	EvFail        AttemptEvent = "fail"
	EvDecline     AttemptEvent = "decline"
	EvExpire      AttemptEvent = "expire"
	EvPass        AttemptEvent = "review_passed"       // or rules were broken in a way that voids nothing
	EvSuspect     AttemptEvent = "review_suspicious"   // a person looks
	EvViolate     AttemptEvent = "review_violation"    // of the rules, which voids the attempt
	EvNotReviewed AttemptEvent = "review_not_reviewed" // the provider could not
	EvVerify      AttemptEvent = "verify"              // a person decides
	EvReject      AttemptEvent = "reject"
	EvAllowResume AttemptEvent = "allow_resume"
	EvResume      AttemptEvent = "resume"
)

// Events lists what can happen to an attempt.
func Events() []AttemptEvent {
	return []AttemptEvent{EvDownload, EvReady, EvStart, EvFinish, EvGoOn, EvSubmit, EvTimeOut, EvFail, EvDecline, EvExpire, EvPass, EvSuspect, EvViolate, EvNotReviewed,
		EvVerify, EvReject, EvAllowResume, EvResume}
}

// edges is what each event makes of each state. An attempt that is reviewed can be reviewed otherwise, by a provider that looks again or by a
// person; a review that arrives after an error shows that the provider had only lost its way. What a person decided no review of a provider moves
// (applyTx), although the table has its edge: a later review of a provider goes before its earlier one.
var edges = map[AttemptState]map[AttemptEvent]AttemptState{
	Created:       {EvDownload: Downloading, EvReady: ReadyToStart, EvStart: Started, EvDecline: Declined, EvExpire: Expired, EvFail: Errored},
	Downloading:   {EvReady: ReadyToStart, EvStart: Started, EvDecline: Declined, EvExpire: Expired, EvFail: Errored},
	ReadyToStart:  {EvStart: Started, EvDecline: Declined, EvExpire: Expired, EvFail: Errored},
	Started:       {EvFinish: ReadyToSubmit, EvSubmit: Submitted, EvTimeOut: TimedOut, EvFail: Errored},
	ReadyToSubmit: {EvGoOn: Started, EvSubmit: Submitted, EvTimeOut: TimedOut, EvFail: Errored},
	TimedOut: {EvSubmit: Submitted, EvFail: Errored, EvPass: Verified, EvSuspect: SecondReview, EvViolate: Rejected, EvNotReviewed: Errored, EvVerify: Verified,
		EvReject: Rejected},
	Submitted: {EvFail: Errored, EvPass: Verified, EvSuspect: SecondReview, EvViolate: Rejected, EvNotReviewed: Errored, EvVerify: Verified,
		EvReject: Rejected},
	SecondReview: {EvPass: Verified, EvViolate: Rejected, EvVerify: Verified, EvReject: Rejected},
	Verified:     {EvSuspect: SecondReview, EvViolate: Rejected, EvReject: Rejected},
	Rejected:     {EvPass: Verified, EvSuspect: SecondReview, EvVerify: Verified},
	Errored: {EvPass: Verified, EvSuspect: SecondReview, EvViolate: Rejected, EvVerify: Verified, EvReject: Rejected, EvAllowResume: ReadyToResume,
		EvExpire: Expired},
	ReadyToResume: {EvResume: Resumed, EvExpire: Expired},
}

// AttemptLife is every move that an attempt can make.
var AttemptLife = attemptLife()

func attemptLife() lifecycle.Table[AttemptState] {
	t := lifecycle.Table[AttemptState]{Name: "attempt", Start: Created, Moves: map[AttemptState][]AttemptState{}}
	for from, events := range edges {
		for _, e := range Events() {
			if to, ok := events[e]; ok && !t.Allows(from, to) {
				t.Moves[from] = append(t.Moves[from], to)
			}
		}
	}
	return t
}

// rank is how far along an attempt is: what a provider tells late, of a lower rank, moves nothing.
var rank = map[AttemptState]int{
	Created: 0, Downloading: 1, ReadyToStart: 2, Started: 3, ReadyToSubmit: 3, TimedOut: 4, Submitted: 4, Errored: 4, ReadyToResume: 5, SecondReview: 5, Verified: 5,
	Rejected: 5, Resumed: 6, Declined: 6, Expired: 6,
}

// leads is the rank to which an event leads.
var leads = map[AttemptEvent]int{
	EvDownload: 1, EvReady: 2, EvStart: 3, EvFinish: 3, EvGoOn: 3, EvSubmit: 4, EvTimeOut: 4, EvFail: 4, EvPass: 5, EvSuspect: 5, EvViolate: 5, EvNotReviewed: 4, EvVerify: 5, EvReject: 5,
	EvAllowResume: 5, EvResume: 6, EvDecline: 6, EvExpire: 6,
}

// next is the state that an event makes of another. Where there is no edge the refusal says why: the attempt is over (ErrAttemptOver), past
// that already (ErrPast), or not so far yet (ErrNotYet).
func next(from AttemptState, e AttemptEvent) (AttemptState, *fault.Fault) {
	if to, ok := edges[from][e]; ok {
		return to, nil
	}
	switch {
	case AttemptLife.Terminal(from):
		return from, ErrAttemptOver
	case leads[e] <= rank[from] || e == EvDecline || e == EvExpire:
		return from, ErrPast
	}
	return from, ErrNotYet
}
