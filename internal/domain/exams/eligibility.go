package exams

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/fault"
)

// MaxAttempts is how often an exam may be sat where nobody says otherwise: once, and one retake.
const MaxAttempts = 2

// Condition is one thing that the exam asks for and whether it is met. Codes are stable; the texts for people follow them. Next says what to
// do about one that is not met.
type Condition struct {
	Code   string     `json:"code"`
	Met    bool       `json:"met"`
	Detail string     `json:"detail"`
	Next   Next       `json:"next,omitempty"`
	At     *time.Time `json:"at,omitempty"` // until when it is met, or from when on
}

// The codes of the conditions.
const (
	NeedsFormula  = "formula"  // an entitlement to the exam is in force
	NeedsGrade    = "grade"    // the global grade reaches the exam's threshold
	NeedsAttempts = "attempts" // an attempt is left
	NeedsRetake   = "retake"   // the next attempt is paid for; only where it is not included
	NeedsPending  = "pending"  // the exam is not passed already

	NeedsArrears       = "arrears"       // no instalment is in default; only while one is
	NeedsSettled       = "dispute"       // the bank does not ask for the money back; only while it does
	NeedsUnblocked     = "blocked"       // staff have not blocked her; only while they have
	NeedsIdentity      = "identity"      // she proved who she is
	NeedsDiligence     = "diligence"     // she followed the first two weeks
	NeedsPrerequisites = "prerequisites" // she followed other courses with success
	NeedsPractice      = "practice"      // she sat the practice exam
	NeedsWindow        = "window"        // the exam is open now
	NeedsWait          = "wait"          // enough days have passed since the last attempt
	NeedsWorkshop      = "workshop_attended"
	NeedsProduction    = "production_graded"
)

// Next is what somebody can do about a condition.
type Next string

// What somebody can do.
const (
	NextBuy      Next = "buy"
	NextPay      Next = "pay"
	NextRetake   Next = "buy_retake"
	NextLearn    Next = "learn"
	NextVerify   Next = "verify_identity"
	NextFollow   Next = "follow_course"
	NextPractise Next = "practise"
	NextWait     Next = "wait"
	NextContact  Next = "contact"
	NextAttend   Next = "attend_workshop"
	NextHandIn   Next = "hand_in"
)

// Decision is the answer to "may she sit the exam", with every reason. ReviewAt is when time alone may change it.
type Decision struct {
	Kind       Kind
	Eligible   bool
	Conditions []Condition
	ReviewAt   *time.Time
	Retake     bool // the next attempt is not included: a retake pays for it
}

// facts is what the rule looks at: all that is true of one enrolment at one instant.
type facts struct {
	entitled      bool
	hold          enrolment.Hold
	disputed      bool
	blocked       bool
	blockedUntil  *time.Time
	way           journey.State
	gradePPM      *int
	identityUntil *time.Time // the latest check said yes, until then
	followed      []string   // keys of courses
	practised     bool
	taken         int
	paid          int // of these, by a retake
	retakes       int // in force, and not used by a sitting that is over
	lastResult    *time.Time
	passed        bool
	workshops     workshops.Completion
}

// decide is the rule: the conditions of an exam, held against the facts. It gives every condition that the exam asks for, met or not, so that a
// learner sees what is left to do and what she has done; what is asked of everybody and seldom missing shows only where it is missing.
func decide(e Exam, f facts, now time.Time) Decision {
	b := builder{Decision: Decision{Kind: e.Kind, Eligible: true}, now: now}
	b.ask(NeedsFormula, f.entitled, NextBuy, "A formula with the exam is in force.")
	if f.hold == enrolment.HoldAll {
		b.ask(NeedsArrears, false, NextPay, "What is due is paid.")
	}
	if f.disputed {
		b.ask(NeedsSettled, false, NextContact, "The payment is not contested at the bank.")
	}
	if f.blocked && (f.blockedUntil == nil || f.blockedUntil.After(now)) {
		b.review(f.blockedUntil)
		b.ask(NeedsUnblocked, false, NextContact, "Staff have not blocked the exam.").At = f.blockedUntil
	}
	if e.Kind == Proctored {
		b.ask(NeedsGrade, f.reaches(e), NextLearn, "The grade reaches what the exam asks for.")
	}
	if e.Diligence {
		b.ask(NeedsDiligence, f.way.Has(journey.Week1First) && f.way.Has(journey.Week2First), NextLearn, "The exercises of the first two weeks were begun.")
	}
	if e.Identity {
		b.review(f.identityUntil)
		b.ask(NeedsIdentity, f.identityUntil != nil && f.identityUntil.After(now), NextVerify, "Her identity is verified.").At = f.identityUntil
	}
	var missing []string
	for _, p := range e.Prerequisites {
		if !slices.Contains(f.followed, p) {
			missing = append(missing, p)
		}
	}
	if len(e.Prerequisites) > 0 {
		b.ask(NeedsPrerequisites, len(missing) == 0, NextFollow, "Followed with success: "+strings.Join(e.Prerequisites, ", ")+".")
	}
	if e.Practice {
		b.ask(NeedsPractice, f.practised, NextPractise, "The practice exam was sat.")
	}
	b.workshops(e, f.workshops)
	b.window(e)
	b.attempts(e, f)
	return b.Decision
}

// reaches holds the grade against the exam's own threshold, or against what the journey says of the session's.
func (f facts) reaches(e Exam) bool {
	if e.GradePPM == nil {
		return f.way.Has(journey.Succeeded)
	}
	return f.gradePPM != nil && *f.gradePPM >= *e.GradePPM
}

type builder struct {
	Decision
	now time.Time
}

func (b *builder) ask(code string, met bool, next Next, detail string) *Condition {
	c := Condition{Code: code, Met: met, Detail: detail}
	if !met {
		c.Next = next
	}
	b.Eligible = b.Eligible && met
	b.Conditions = append(b.Conditions, c)
	return &b.Conditions[len(b.Conditions)-1]
}

// review notes a time to come at which the decision may change by itself.
func (b *builder) review(at *time.Time) {
	if at != nil && at.After(b.now) && (b.ReviewAt == nil || at.Before(*b.ReviewAt)) {
		b.ReviewAt = at
	}
}

func (b *builder) window(e Exam) {
	if e.OpensAt == nil && e.ClosesAt == nil {
		return
	}
	b.review(e.OpensAt)
	b.review(e.ClosesAt)
	early := e.OpensAt != nil && b.now.Before(*e.OpensAt)
	late := e.ClosesAt != nil && !b.now.Before(*e.ClosesAt)
	switch c := b.ask(NeedsWindow, !early && !late, NextWait, "The exam is open."); {
	case early:
		c.At = e.OpensAt
	case late:
		c.At, c.Next = e.ClosesAt, NextContact
	default:
		c.At = e.ClosesAt
	}
}

func (b *builder) attempts(e Exam, f facts) {
	if e.Kind == Practice {
		return // as often as she likes
	}
	b.ask(NeedsAttempts, f.taken < e.MaxAttempts, NextContact, "An attempt is left.")
	if e.Included != nil && f.taken-f.paid >= *e.Included && f.taken < e.MaxAttempts && !f.passed {
		b.Retake = true
		b.ask(NeedsRetake, f.retakes > 0, NextRetake, "The retake is paid for.")
	}
	b.ask(NeedsPending, !f.passed, "", "The exam has not been passed yet.")
	if e.WaitDays > 0 && f.lastResult != nil && !f.passed {
		again := f.lastResult.AddDate(0, 0, e.WaitDays)
		b.review(&again)
		b.ask(NeedsWait, !b.now.Before(again), NextWait, fmt.Sprintf("%d days have passed since the last attempt.", e.WaitDays)).At = &again
	}
}

func (b *builder) workshops(e Exam, w workshops.Completion) {
	if e.Kind == Practice {
		return
	}
	if w.AsksAttendance() {
		b.ask(NeedsWorkshop, w.AttendedEnough(), NextAttend, fmt.Sprintf("%d of %d workshop days attended.", w.Attended, w.MinDays))
	}
	if e.Kind == Proctored && w.AsksProduction() {
		b.ask(NeedsProduction, w.Produced(), NextHandIn, "The workshop production is graded and reaches what the session asks for.")
	}
}

// once are the conditions that do not take back that somebody had been fit to sit: having passed, having spent an attempt, what the next one costs, and the calendar.
var once = []string{NeedsAttempts, NeedsRetake, NeedsPending, NeedsWait, NeedsWindow}

// Fit says whether she may sit but for the calendar and her attempts.
func (d Decision) Fit() bool {
	return !slices.ContainsFunc(d.Conditions, func(c Condition) bool { return !c.Met && !slices.Contains(once, c.Code) })
}

// AsksForRetake says whether the next attempt is to be paid for, and is not.
func (d Decision) AsksForRetake() bool {
	return slices.ContainsFunc(d.Conditions, func(c Condition) bool { return c.Code == NeedsRetake && !c.Met })
}

// marks is every condition with its sign, to see whether anything changed.
func (d Decision) marks() string {
	var b strings.Builder
	for _, c := range d.Conditions {
		b.WriteString(c.Code + map[bool]string{true: "+", false: "-"}[c.Met] + " ")
	}
	return strings.TrimSpace(b.String())
}

// refusal is ErrNotEligible with a field for each condition that is missing; enrolment.ErrNoRetake where that is the payment of the attempt alone.
func (d Decision) refusal() *fault.Fault {
	f := ErrNotEligible
	if missing := func(c Condition) bool { return !c.Met && c.Code != NeedsRetake }; !d.Eligible && !slices.ContainsFunc(d.Conditions, missing) {
		f = enrolment.ErrNoRetake
	}
	for _, c := range d.Conditions {
		if !c.Met {
			f = f.At("/conditions/"+c.Code, c.Code, c.Detail)
		}
	}
	return f
}
