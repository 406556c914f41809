package labs

import (
	"time"

	"cursus/internal/kernel/money"
)

// Kind is what an event tells.
type Kind string

// The kinds of events.
const (
	Started   Kind = "started"
	Activity  Kind = "activity"
	HelpAsked Kind = "help_asked"
	HelpGiven Kind = "help_given"
	Stopped   Kind = "stopped"
)

var kinds = map[string]Kind{"lab.started": Started, "lab.activity": Activity, "lab.help_asked": HelpAsked, "lab.help_given": HelpGiven, "lab.stopped": Stopped}

// Event is one thing that happened in a lab.
type Event struct {
	Kind Kind      `db:"kind"`
	At   time.Time `db:"happened_at"`
}

// Sum is what all events of a launch say together. Each of them is a least or a greatest time, so that neither the order in which events
// come nor how often the same one comes matters.
type Sum struct {
	StartedAt *time.Time // nil: nobody came in
	LastAt    time.Time  // of the last sign of the learner
	StoppedAt *time.Time // nil: nobody said so
	HelpSince *time.Time // the first call for help after the last help; nil: none
}

// Fold sums events up. A launch whose start was lost begins with its first event; a stop before the start is of another machine.
func Fold(events []Event) Sum {
	var s Sum
	var first, helped *time.Time
	least := func(at *time.Time, t time.Time) *time.Time {
		if at == nil || t.Before(*at) {
			return &t
		}
		return at
	}
	for _, e := range events {
		if e.Kind == Started {
			s.StartedAt = least(s.StartedAt, e.At)
		}
		if e.Kind != HelpGiven { // that is not a sign of hers
			first = least(first, e.At)
		} else if helped == nil || e.At.After(*helped) {
			helped = &e.At
		}
	}
	if s.StartedAt == nil {
		s.StartedAt = first
	}
	if s.StartedAt == nil {
		return s
	}
	s.LastAt = *s.StartedAt
	for _, e := range events {
		if e.Kind == Stopped && !e.At.Before(*s.StartedAt) {
			s.StoppedAt = least(s.StoppedAt, e.At)
		}
	}
	for _, e := range events {
		if s.StoppedAt != nil && e.At.After(*s.StoppedAt) {
			continue // of a machine that is not there any more
		}
		if e.Kind != HelpGiven && e.Kind != Stopped && e.At.After(s.LastAt) {
			s.LastAt = e.At
		}
		if e.Kind == HelpAsked && (helped == nil || e.At.After(*helped)) {
			s.HelpSince = least(s.HelpSince, e.At)
		}
	}
	if s.StoppedAt != nil {
		s.HelpSince = nil // she is gone
	}
	return s
}

// stopGrace is how long after the idle time we wait for a provider to say that it stopped; then we say so.
const stopGrace = 10 * time.Minute

// End says when a launch ended, as far as is known now; nil: it runs. Without a stop it ended its idle time after the last sign of the learner.
func (s Sum) End(idle time.Duration, now time.Time) *time.Time {
	if s.StoppedAt != nil || s.StartedAt == nil {
		return s.StoppedAt
	}
	if end := s.LastAt.Add(idle); !now.Before(end.Add(stopGrace)) {
		return &end
	}
	return nil
}

// Minutes is how many minutes have begun in a time: that is what providers count.
func Minutes(d time.Duration) int { return int((max(d, 0) + time.Minute - 1) / time.Minute) }

// CostOf is what minutes cost at a rate in thousandths of a minor unit, rounded half up, once per launch.
func CostOf(minutes int, milli int64, c money.Currency) money.Amount {
	return money.Of((int64(minutes)*milli+500)/1000, c)
}
