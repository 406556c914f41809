package exams

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// said is a message of a provider, as far as it moves an attempt.
type said struct {
	event   ProctorEvent
	verdict Verdict
	at      int
}

// hear moves a state by messages, in their order, as applyTx does.
func hear(messages []said, onViolation string) AttemptState {
	state, counts := Created, review{}
	for _, m := range messages {
		e := AttemptEvent(m.event)
		if m.event == ProctorReviewed {
			r := review{m.verdict, time.Unix(int64(m.at), 0)}
			if !r.supersedes(counts) {
				continue
			}
			counts, e = r, m.verdict.event(onViolation)
		}
		for _, step := range told(state, e) {
			to, refused := next(state, step)
			if refused != nil {
				panic(refused)
			}
			state = to
		}
	}
	return state
}

// What breaks: a message that comes late, early, or twice leaves an attempt elsewhere than one delivery of each in its order.
func TestMessagesOfAProviderConvergeInAnyOrderAndNumber(t *testing.T) {
	order := []ProctorEvent{ProctorReady, ProctorStarted, ProctorSubmits, ProctorFailed, ProctorReviewed}
	ends := map[AttemptState]bool{}
	rapid.Check(t, func(t *rapid.T) {
		onViolation := rapid.SampledFrom([]string{ViolationRejects, ViolationIsLooked, ViolationIsIgnored}).Draw(t, "on violation")
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) said {
			m := said{event: rapid.SampledFrom(append(order, ProctorReviewed, ProctorReviewed)).Draw(t, "event")}
			if m.event == ProctorReviewed {
				m.verdict = rapid.SampledFrom([]Verdict{VerdictPassed, VerdictViolation, VerdictSuspicious, VerdictNotReviewed}).Draw(t, "verdict")
				m.at = rapid.IntRange(1, 4).Draw(t, "at")
			}
			return m
		}), 1, 8).Draw(t, "messages")
		inOrder := slices.Clone(all)
		slices.SortStableFunc(inOrder, func(a, b said) int {
			if d := slices.Index(order, a.event) - slices.Index(order, b.event); d != 0 {
				return d
			}
			if a.at != b.at {
				return a.at - b.at
			}
			return gravity[a.verdict] - gravity[b.verdict]
		})
		want := hear(inOrder, onViolation)
		ends[want] = true
		again := rapid.SliceOfN(rapid.SampledFrom(all), 0, 6).Draw(t, "again")
		got := rapid.Permutation(append(slices.Clone(all), again...)).Draw(t, "as they came")
		if to := hear(got, onViolation); to != want {
			t.Fatalf("%v ends in %s, and in their order in %s", got, to, want)
		}
	})
	for _, s := range []AttemptState{ReadyToStart, Started, Submitted, Errored, Verified, Rejected, SecondReview} {
		if !ends[s] {
			t.Error("none of the walks ended in", s)
		}
	}
}

// What a verdict makes of an attempt that was submitted, by what the provider's violations do.
func TestVerdicts(t *testing.T) {
	for _, x := range []struct {
		v    Verdict
		on   string
		want AttemptState
	}{
		{VerdictPassed, ViolationRejects, Verified}, {VerdictViolation, ViolationRejects, Rejected}, {VerdictSuspicious, ViolationRejects, SecondReview},
		{VerdictNotReviewed, ViolationRejects, Errored}, {VerdictViolation, ViolationIsLooked, SecondReview}, {VerdictViolation, ViolationIsIgnored, Verified},
	} {
		if to, refused := next(Submitted, x.v.event(x.on)); refused != nil || to != x.want {
			t.Errorf("%s with %s: %s %v", x.v, x.on, to, refused)
		}
	}
}

// A provider is told of a start before it is told of a submission, and nothing after the end.
func TestWhatAProviderIsToldNext(t *testing.T) {
	for _, x := range []struct {
		was  string
		a    AttemptState
		want string
	}{
		{"", Created, ""}, {"", Started, "started"}, {"started", Started, ""}, {"", Verified, "started"}, {"started", Submitted, "submitted"}, {"submitted", Rejected, ""},
		{"submitted", Started, ""}, {"started", Errored, "error"}, {"error", Resumed, ""}, {"error", Verified, "submitted"}, {"", Declined, "canceled"}, {"canceled", Expired, ""},
		{"submitted", Errored, "error"},
	} {
		if got := nextWord(x.was, x.a); got != x.want {
			t.Errorf("told %q, %s: %q instead of %q", x.was, x.a, got, x.want)
		}
	}
}
