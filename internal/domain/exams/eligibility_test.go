package exams

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/workshops"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// drawn gives an exam and facts at random, times within days of noon.
func drawn(t *rapid.T) (Exam, facts) {
	near := func(name string) *time.Time {
		if rapid.Bool().Draw(t, name+"?") {
			return nil
		}
		at := noon.Add(time.Duration(rapid.IntRange(-100, 100).Draw(t, name)) * time.Hour)
		return &at
	}
	e := Exam{Kind: rapid.SampledFrom(Kinds()).Draw(t, "kind"), Rules: Rules{
		OpensAt: near("opens"), ClosesAt: near("closes"), Diligence: rapid.Bool().Draw(t, "diligence"), Identity: rapid.Bool().Draw(t, "identity"),
		Practice: rapid.Bool().Draw(t, "practice"), MaxAttempts: rapid.IntRange(1, 3).Draw(t, "max"), WaitDays: rapid.IntRange(0, 4).Draw(t, "wait"),
	}}
	if rapid.Bool().Draw(t, "retakes are sold") {
		n := rapid.IntRange(1, 3).Draw(t, "included")
		e.Included = &n
	}
	if rapid.Bool().Draw(t, "own threshold") {
		g := rapid.IntRange(0, 4).Draw(t, "threshold")
		e.GradePPM = &g
	}
	if rapid.Bool().Draw(t, "asks") {
		e.Prerequisites = []string{"A", "B"}
	}
	way := journey.State(0)
	for _, s := range []journey.Stage{journey.Succeeded, journey.Week1First, journey.Week2First} {
		way = way.With(s, rapid.Bool().Draw(t, string(s)))
	}
	f := facts{
		entitled: rapid.Bool().Draw(t, "entitled"), hold: rapid.SampledFrom([]enrolment.Hold{"", enrolment.HoldAll, enrolment.HoldCertificate}).Draw(t, "hold"),
		disputed: rapid.Bool().Draw(t, "disputed"), blocked: rapid.Bool().Draw(t, "blocked"), blockedUntil: near("block"), way: way, identityUntil: near("proof"),
		followed: rapid.SampledFrom([][]string{nil, {"A"}, {"B", "A"}}).Draw(t, "followed"), practised: rapid.Bool().Draw(t, "practised"),
		taken: rapid.IntRange(0, 4).Draw(t, "taken"), lastResult: near("result"), passed: rapid.Bool().Draw(t, "passed"),
		workshops: workshops.Completion{Days: 1, Attended: rapid.IntRange(0, 1).Draw(t, "attended"), MinDays: rapid.IntRange(0, 1).Draw(t, "days")},
	}
	f.paid, f.retakes = rapid.IntRange(0, f.taken).Draw(t, "paid"), rapid.IntRange(0, 1).Draw(t, "retakes")
	if rapid.Bool().Draw(t, "graded") {
		g := rapid.IntRange(0, 4).Draw(t, "grade")
		f.gradePPM = &g
	}
	return e, f
}

// She may sit if and only if every condition is met; one that is not says what to do; each is named once; and nothing changes before the
// time that the decision names for itself.
func TestADecisionIsTheSumOfItsReasons(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, f := drawn(t)
		d := decide(e, f, noon)
		all, seen := true, []string{}
		for _, c := range d.Conditions {
			all = all && c.Met
			if slices.Contains(seen, c.Code) {
				t.Fatal(c.Code, "twice")
			}
			seen = append(seen, c.Code)
			if c.Met && c.Next != "" || !c.Met && c.Next == "" && c.Code != NeedsPending {
				t.Fatalf("%+v", c)
			}
		}
		if all != d.Eligible || d.Eligible && !d.Fit() {
			t.Fatalf("%+v", d)
		}
		if d.Eligible != (d.refusal() == ErrNotEligible) {
			t.Fatal(d.refusal())
		}
		// Each fact for itself shuts the door.
		for what, shut := range map[string]bool{
			"no formula": !f.entitled, "dispute": f.disputed, "arrears": f.hold == enrolment.HoldAll, "identity": e.Identity && (f.identityUntil == nil || !f.identityUntil.After(noon)),
			"early": e.OpensAt != nil && noon.Before(*e.OpensAt), "late": e.ClosesAt != nil && !noon.Before(*e.ClosesAt), "prerequisite": len(e.Prerequisites) > len(f.followed),
			"spent": e.Kind != Practice && f.taken >= e.MaxAttempts, "passed": e.Kind != Practice && f.passed, "block": f.blocked && (f.blockedUntil == nil || f.blockedUntil.After(noon)),
			"not paid for": e.Kind != Practice && e.Included != nil && f.taken-f.paid >= *e.Included && f.retakes == 0,
			"grade":        e.Kind == Proctored && e.GradePPM != nil && (f.gradePPM == nil || *f.gradePPM < *e.GradePPM),
		} {
			if shut && d.Eligible {
				t.Fatal(what, "does not shut the door")
			}
		}
		until := noon.Add(1000 * time.Hour)
		if d.ReviewAt != nil {
			if !d.ReviewAt.After(noon) {
				t.Fatal(d.ReviewAt)
			}
			until = *d.ReviewAt
		}
		for _, at := range []time.Time{noon.Add(until.Sub(noon) / 3), until.Add(-time.Second)} {
			if at.After(noon) && decide(e, f, at).marks() != d.marks() {
				t.Fatalf("it changed at %s, before %s: %s, %s", at, until, d.marks(), decide(e, f, at).marks())
			}
		}
	})
}

// What breaks: somebody who passed, or whose window closed, loses the stage that she had reached.
func TestTheCalendarTakesNobodyBack(t *testing.T) {
	closed := noon.Add(-time.Hour)
	e := Exam{Kind: Proctored, Rules: Rules{MaxAttempts: 1, ClosesAt: &closed}}
	d := decide(e, facts{entitled: true, way: journey.State(0).With(journey.Succeeded, true), taken: 1, passed: true}, noon)
	if d.Eligible || !d.Fit() {
		t.Errorf("%+v", d)
	}
	if d := decide(e, facts{entitled: true, disputed: true, way: journey.State(0).With(journey.Succeeded, true)}, noon); d.Fit() {
		t.Errorf("%+v", d)
	}
}
