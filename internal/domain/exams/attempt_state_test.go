package exams

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
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
	if edgesSeen != 50 || edgesSeen+refusals[ErrAttemptOver.Code]+refusals[ErrPast.Code]+refusals[ErrNotYet.Code] != len(states)*len(Events()) {
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

// word is one thing that a provider can say.
type word struct {
	event  AttemptEvent
	review review
}

// hear brings a state and the review that is known to what a word makes of them, as Service.hearTx does.
func hear(t *rapid.T, s AttemptState, known review, w word) (AttemptState, review) {
	if w.review.verdict != "" {
		if !w.review.supersedes(known) {
			return s, known
		}
		known = w.review
	}
	for _, e := range told(s, w.event) {
		to, refused := next(s, e)
		if refused != nil {
			t.Fatal(s, e, refused)
		}
		s = to
	}
	return s, known
}

// Any number of words of a provider, in any order, end in the state of one telling in order. What breaks: a late "started" takes a review
// back, or a review that comes before "submitted" is lost.
func TestProviderEventsConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) word {
			if rapid.Bool().Draw(t, "review?") {
				v := rapid.SampledFrom([]Verdict{VerdictPassed, VerdictViolation, VerdictSuspicious, VerdictNotReviewed}).Draw(t, "verdict")
				return word{v.event(), review{v, int64(rapid.IntRange(1, 3).Draw(t, "at"))}}
			}
			return word{event: rapid.SampledFrom([]AttemptEvent{EvDownload, EvReady, EvStart, EvSubmit, EvFail}).Draw(t, "event")}
		}), 1, 8).Draw(t, "words")
		end := func(words []word) AttemptState {
			s, known := Created, review{}
			for _, w := range words {
				s, known = hear(t, s, known, w)
			}
			return s
		}
		want := end(words)
		more := slices.Concat(words, words[:rapid.IntRange(0, len(words)).Draw(t, "again")])
		if got := end(rapid.Permutation(more).Draw(t, "order")); got != want {
			t.Fatalf("%s, and in another order %s", want, got)
		}
	})
}
