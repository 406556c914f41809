package exams

import (
	"fmt"

	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/fault"
)

// MaxAttempts is how often the exam of a session may be sat: once, and one retake.
const MaxAttempts = 2

// Condition is one thing that the exam asks for and whether it is met. Codes are stable; the texts for people follow them.
type Condition struct {
	Code   string `json:"code"`
	Met    bool   `json:"met"`
	Detail string `json:"detail"`
}

// The codes of the conditions.
const (
	NeedsFormula  = "formula"  // an entitlement to the proctored exam is in force
	NeedsGrade    = "grade"    // the global grade reaches the session's threshold
	NeedsAttempts = "attempts" // an attempt is left
	NeedsPending  = "pending"  // the exam is not passed already

	NeedsWorkshop   = "workshop_attended" // so many workshop days were attended; only where the session has some
	NeedsProduction = "production_graded" // the workshop production reaches its grade; only where the session asks for one
)

// Decision is the answer to "may she sit the exam", with every reason.
type Decision struct {
	Eligible   bool        `json:"eligible"`
	Conditions []Condition `json:"conditions"`
}

// standing is what the rule looks at.
type standing struct {
	entitled, succeeded, passed bool
	attempts                    int
	workshops                   workshops.Completion
}

// decide is the rule. It always gives every condition, so that a learner sees what is left to do and what she has done.
func decide(s standing) Decision {
	d := Decision{Eligible: true, Conditions: []Condition{
		{NeedsFormula, s.entitled, "A formula with the supervised exam is in force."},
		{NeedsGrade, s.succeeded, "The grade reaches the threshold of the session."},
		{NeedsAttempts, s.attempts < MaxAttempts, "An attempt is left."},
		{NeedsPending, !s.passed, "The exam has not been passed yet."},
	}}
	if w := s.workshops; w.AsksAttendance() {
		d.Conditions = append(d.Conditions, Condition{NeedsWorkshop, w.AttendedEnough(), fmt.Sprintf("%d of %d workshop days attended.", w.Attended, w.MinDays)})
	}
	if w := s.workshops; w.AsksProduction() {
		d.Conditions = append(d.Conditions, Condition{NeedsProduction, w.Produced(), "The workshop production is graded and reaches what the session asks for."})
	}
	for _, c := range d.Conditions {
		d.Eligible = d.Eligible && c.Met
	}
	return d
}

// refusal is ErrNotEligible with a field for each condition that is missing.
func (d Decision) refusal() *fault.Fault {
	f := ErrNotEligible
	for _, c := range d.Conditions {
		if !c.Met {
			f = f.At("/conditions/"+c.Code, c.Code, c.Detail)
		}
	}
	return f
}
