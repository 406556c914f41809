package labs_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/labs"
)

// In whatever order and however often events come, and whenever the sweep looks, a launch says and costs what one delivery in order says, and the ledger has it once.
func TestEventsAddUpInAnyOrder(t *testing.T) {
	s := newSite(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		begin := s.clock.Now()
		type sent struct {
			id, kind string
			at       time.Time
		}
		var all []sent
		kinds := []string{"activity", "activity", "help_asked", "help_given", "stopped", "started"}
		if rapid.IntRange(0, 9).Draw(t, "start is lost") > 0 {
			all = append(all, sent{"0", "started", begin})
		}
		for i := range rapid.IntRange(1, 7).Draw(t, "events") {
			all = append(all, sent{fmt.Sprint(i + 1), rapid.SampledFrom(kinds).Draw(t, "kind"), begin.Add(time.Duration(rapid.IntRange(0, 40*60).Draw(t, "second")) * time.Second)})
		}
		deliver := func(l labs.Launch, list []sent) {
			for _, e := range list {
				if err := s.say(fmt.Sprint(round, "-", l.ID, "-", e.id), e.kind, l.ID, e.at); err != nil {
					t.Fatal(err)
				}
			}
		}
		one, two := s.launched(), s.launched()
		s.clock.Advance(45 * time.Minute)
		ordered := slices.Clone(all)
		slices.SortStableFunc(ordered, func(a, b sent) int { return a.at.Compare(b.at) })
		deliver(one, ordered)
		shuffled := rapid.Permutation(append(slices.Clone(all), all[:rapid.IntRange(0, len(all)).Draw(t, "again")]...)).Draw(t, "order")
		half := rapid.IntRange(0, len(shuffled)).Draw(t, "half")
		deliver(two, shuffled[:half])
		if rapid.Bool().Draw(t, "the sweep looks in between") {
			s.clock.Advance(time.Duration(rapid.IntRange(0, 30).Draw(t, "minutes")) * time.Minute)
			s.sweep()
		}
		deliver(two, shuffled[half:])
		s.clock.Advance(time.Hour)
		s.sweep()
		a, b := s.of(one.ID), s.of(two.ID)
		times := func(l labs.Launch) string {
			if l.EndedAt == nil {
				return string(l.State)
			}
			return fmt.Sprint(l.State, l.StartedAt.Sub(begin), l.LastAt.Sub(begin), l.EndedAt.Sub(begin), l.Minutes, l.CostMinor)
		}
		if times(a) != times(b) || s.posted(a.EnrolmentID) != a.CostMinor || s.posted(b.EnrolmentID) != b.CostMinor {
			t.Fatalf("in order %s, ledger %d; otherwise %s, ledger %d\n%v", times(a), s.posted(a.EnrolmentID), times(b), s.posted(b.EnrolmentID), shuffled)
		}
		if a.State == labs.Ended && a.CostMinor != labs.CostOf(a.Minutes, 1250, "EUR").Minor {
			t.Fatal(a.Minutes, a.CostMinor)
		}
	})
	s.verify()
}

// Only what a provider signed just now is taken, each event once; what cannot be applied is kept and tells of nobody.
func TestOnlySignedEventsAreTaken(t *testing.T) {
	s := newSite(t)
	l := s.launched()
	good := s.signed("e1", `{"type":"lab.started","timestamp":"`+s.clock.Now().Format(time.RFC3339)+`","data":{"launch":"`+l.ID+`"}}`)
	for name, spoil := range map[string]func(*labs.Delivery){
		"another body": func(d *labs.Delivery) { d.Body = append(slices.Clone(d.Body), ' ') }, "another id": func(d *labs.Delivery) { d.ID = "e2" }, "another time": func(d *labs.Delivery) { d.Timestamp = fmt.Sprint(s.clock.Now().Unix() + 1) },
		"no signature": func(d *labs.Delivery) { d.Signature = "" }, "no time": func(d *labs.Delivery) { d.Timestamp = "now" }, "another version": func(d *labs.Delivery) { d.Signature = "v2" + d.Signature[2:] },
	} {
		bad := good
		spoil(&bad)
		if err := s.room.Receive(system, "cloud", bad); !errors.Is(err, labs.ErrSignature) {
			t.Error(name, err)
		}
	}
	if err := s.room.Receive(system, "nobody", good); !errors.Is(err, labs.ErrNoProvider) {
		t.Error(err)
	}
	rotated := good
	rotated.Signature = "v1,AAAA " + good.Signature
	s.must(s.room.Receive(system, "cloud", rotated))
	s.must(s.room.Receive(system, "cloud", good))
	foreign, err := s.launch(s.lab.ID, l.EnrolmentID, l.LearnerID)
	s.must(err)
	if foreign.ID != l.ID {
		t.Fatal("another machine")
	}
	now := s.clock.Now().Format(time.RFC3339)
	for problem, body := range map[string]string{
		"unreadable": "{", "unknown-kind": `{"type":"lab.exploded","timestamp":"` + now + `","data":{"launch":"` + l.ID + `"}}`, "unknown-launch": `{"type":"lab.started","timestamp":"` + now + `","data":{"launch":"lln_x"}}`,
		"out-of-time": `{"type":"lab.activity","timestamp":"2031-01-01T00:00:00Z","data":{"launch":"` + l.ID + `"}}`,
	} {
		s.must(s.room.Receive(system, "cloud", s.signed("p-"+problem, body)))
		var got, raw string
		s.must(s.owner.QueryRow(`SELECT problem, convert_from(raw, 'UTF8') FROM labs.events WHERE event_id = $1 AND launch_id IS NULL`, "p-"+problem).Scan(&got, &raw))
		if got != problem || raw != body {
			t.Error(problem, got, raw)
		}
	}
	var stored int
	s.must(s.owner.QueryRow(`SELECT count(*) FROM labs.events WHERE launch_id = $1`, l.ID).Scan(&stored))
	if stored != 1 {
		t.Error("the same event is stored", stored, "times")
	}
	s.clock.Advance(6 * time.Minute)
	if err := s.room.Receive(system, "cloud", good); !errors.Is(err, labs.ErrSignature) {
		t.Error("a signature of six minutes ago:", err)
	}
	if _, err := s.owner.Exec(`UPDATE labs.events SET kind = 'stopped'`); err == nil {
		t.Error("an event was rewritten")
	}
	s.verify()
}
