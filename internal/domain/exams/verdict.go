package exams

import "time"

// Verdict is what the review of a provider found.
type Verdict string

// The verdicts of providers.
const (
	VerdictPassed      Verdict = "passed"
	VerdictViolation   Verdict = "violation" // of the rules; what it makes of an attempt stands with the provider
	VerdictSuspicious  Verdict = "suspicious"
	VerdictNotReviewed Verdict = "not_reviewed"
)

// What a violation that a provider found makes of an attempt.
const (
	ViolationRejects   = "reject"
	ViolationIsLooked  = "second_review" // a person decides
	ViolationIsIgnored = "pass"          // as edx-proctoring does: the rules were broken in a way that voids nothing
)

// gravity orders verdicts of one instant.
var gravity = map[Verdict]int{"": 0, VerdictNotReviewed: 1, VerdictPassed: 2, VerdictSuspicious: 3, VerdictViolation: 4}

// event is what a verdict makes happen, where a violation does what onViolation says.
func (v Verdict) event(onViolation string) AttemptEvent {
	switch v {
	case VerdictSuspicious:
		return EvSuspect
	case VerdictNotReviewed:
		return EvNotReviewed
	case VerdictViolation:
		switch onViolation {
		case ViolationIsLooked:
			return EvSuspect
		case ViolationRejects:
			return EvViolate
		}
	}
	return EvPass
}

// review is what a provider found, and when.
type review struct {
	verdict Verdict
	at      time.Time
}

// supersedes says whether a review counts beside the one that counted so far: one that looked goes before one that did not, then the later, then
// the graver. So of any number of reviews, told in any order, the same one counts in the end.
func (r review) supersedes(known review) bool {
	looked := func(v Verdict) bool { return v != "" && v != VerdictNotReviewed }
	switch {
	case known.verdict == "" || looked(r.verdict) && !looked(known.verdict):
		return true
	case looked(known.verdict) && !looked(r.verdict):
		return false
	case !r.at.Equal(known.at):
		return r.at.After(known.at)
	}
	return gravity[r.verdict] > gravity[known.verdict]
}

// told gives the events that bring an attempt to what a provider says, in their order; none: it is told late, and moves nothing. Whatever was told,
// in whatever order and how often, ends in the same state: an event implies those that must have come before it, and one of a lower rank is
// late.
func told(from AttemptState, e AttemptEvent) (events []AttemptEvent) {
	review := e == EvPass || e == EvSuspect || e == EvViolate || e == EvNotReviewed
	if (review || e == EvSubmit) && rank[from] < rank[Started] {
		events, from = append(events, EvStart), Started
	}
	if review && rank[from] == rank[Started] {
		events, from = append(events, EvSubmit), Submitted
	}
	if _, refused := next(from, e); refused != nil {
		return nil
	}
	return append(events, e)
}
