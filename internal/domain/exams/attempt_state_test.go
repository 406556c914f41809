package exams

import (
	"errors"
	"slices"
	"testing"
)

// Every pair of a state and an event is an edge or a refusal that says why; the table is closed, everything can be reached, and who is done never
// goes back to work.
func TestEveryEventOfAnAttemptIsAnEdgeOrARefusal(t *testing.T) {
	states := AttemptLife.States()
	if len(states) != len(rank) || len(leads) != len(Events()) {
		t.Fatal(len(states), len(rank), len(leads), len(Events()))
	}
	reached, edgesSeen, refusals := map[AttemptState]bool{Created: true}, 0, map[string]int{}
	done := []AttemptState{TimedOut, Submitted, SecondReview, Verified, Rejected, Errored, Declined, Expired, Resumed, ReadyToResume}
	for _, from := range states {
		for _, e := range Events() {
			to, refused := next(from, e)
			if (refused == nil) != AttemptLife.Allows(from, to) && to != from {
				t.Errorf("%s %s: %s, and the drawing says otherwise", from, e, to)
			}
			if refused != nil {
				if to != from || !errors.Is(refused, ErrAttemptOver) && !errors.Is(refused, ErrPast) && !errors.Is(refused, ErrNotYet) {
					t.Errorf("%s %s: %s %v", from, e, to, refused)
				}
				refusals[refused.Code]++
				continue
			}
			edgesSeen++
			reached[to] = true
			if slices.Contains(done, from) && !slices.Contains(done, to) {
				t.Errorf("%s %s: %s goes back to work", from, e, to)
			}
		}
	}
	for _, s := range states {
		if !reached[s] {
			t.Error(s, "is never reached")
		}
	}
	if edgesSeen != 57 || edgesSeen+refusals[ErrAttemptOver.Code]+refusals[ErrPast.Code]+refusals[ErrNotYet.Code] != len(states)*len(Events()) {
		t.Error(edgesSeen, refusals)
	}
	// The edges that edx-proctoring knows.
	for _, x := range []struct {
		from AttemptState
		to   []AttemptState
	}{
		{Created, []AttemptState{Downloading, Declined, Expired}}, {Downloading, []AttemptState{ReadyToStart}}, {ReadyToStart, []AttemptState{Started}},
		{Started, []AttemptState{ReadyToSubmit, TimedOut, Errored, Submitted}}, {ReadyToSubmit, []AttemptState{Submitted, Started}},
		{TimedOut, []AttemptState{Submitted}}, {Submitted, []AttemptState{Verified, Rejected, SecondReview, Errored}}, {SecondReview, []AttemptState{Verified, Rejected}},
		{Verified, []AttemptState{Rejected}}, {Rejected, []AttemptState{Verified}}, {Errored, []AttemptState{ReadyToResume}}, {ReadyToResume, []AttemptState{Resumed}},
	} {
		for _, to := range x.to {
			if !AttemptLife.Allows(x.from, to) {
				t.Errorf("%s to %s is missing", x.from, to)
			}
		}
	}
}
