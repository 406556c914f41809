package lms

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// task is an enrolment that a platform is to be told of.
type task struct {
	EnrolmentID string  `db:"enrolment_id"`
	LearnerID   string  `db:"learner_id"`
	Asked       int     `db:"asked"`
	Step        int     `db:"step"`
	Touched     bool    `db:"touched"` // a call may have had an effect before
	Wanted      bool    `db:"wanted"`  // false: no grant opens anything there that it knows a mode of
	Over        bool    `db:"over"`    // the session
	Course      string  `db:"course"`
	Mode        string  `db:"mode"` // empty: she is not to be enrolled
	Username    string  `db:"username"`
	ByStaff     bool    `db:"by_staff"` // the username
	Email       string  `db:"email"`
	ToldMode    *string `db:"told_mode"`
}

// outcome is what became of a task.
type outcome struct {
	state    State
	username string  // as the platform says it
	seen     *Record // what it said last
	trouble  *Trouble
	forget   bool // the username that was known
}

func (o outcome) in(err error) outcome {
	var t *Trouble
	if !errors.As(err, &t) {
		t = &Trouble{Code: BrokenAnswer, Detail: err.Error()}
	}
	o.trouble = t
	switch {
	case t.Code == NoAccount:
		o.state = Waiting
	case t.Code == ModeMismatch || !ofLearner[t.Code]:
		o.state = Pending
	default:
		o.state = Refused
	}
	return o
}

// caller makes the calls of a task to one platform, each in its turn.
type caller struct {
	door  Door
	a     Access
	modes []string // that the platform has a formula of
	turn  func(ctx context.Context) error
	stop  error // why there was no turn: what was tell's outcome then means nothing
}

func (c *caller) put(ctx context.Context, l Learner, course, mode string, active bool) (Record, error) {
	if c.stop = c.turn(ctx); c.stop != nil {
		return Record{}, c.stop
	}
	return c.door.Put(ctx, c.a, l, course, mode, active)
}

func (c *caller) read(ctx context.Context, username, course string) (Record, bool, error) {
	if c.stop = c.turn(ctx); c.stop != nil {
		return Record{}, false, c.stop
	}
	return c.door.Read(ctx, c.a, username, course)
}

// tell has the platform say what is wanted.
func (c *caller) tell(ctx context.Context, t task) outcome {
	o := c.once(ctx, t)
	if o.trouble != nil && o.trouble.Code == NoAccount && t.Username != "" && !t.ByStaff && t.Email != "" {
		t.Username = "" // the name was the platform's own word, and she has another one now
		o = c.once(ctx, t)
		o.forget = true
	}
	return o
}

func (c *caller) once(ctx context.Context, t task) outcome {
	l := Learner{Username: t.Username}
	if l.Username == "" {
		l.Email = t.Email
	}
	switch {
	case t.Mode == "" && !t.Touched:
		return outcome{state: Confirmed, seen: &Record{Course: t.Course}} // nothing was ever opened there by us
	case l == Learner{}:
		return outcome{}.in(&Trouble{Code: NoAccount, Detail: "Neither a username nor an address of the learner is known."})
	case t.Mode != "":
		return c.open(ctx, t, l)
	case l.Username != "":
		return c.shut(ctx, t, l)
	}
	return c.shutUnknown(ctx, t, l)
}

// open enrols a learner, or changes her mode. An answer of 200 proves nothing: a platform answers with the enrolment as it is, so it is
// compared, and read again.
func (c *caller) open(ctx context.Context, t task, l Learner) outcome {
	r, err := c.put(ctx, l, t.Course, t.Mode, true)
	if err != nil {
		return outcome{}.in(err)
	}
	return c.proven(ctx, t, l, r, func(r Record, there bool) bool { return there && r.Active && r.Mode == t.Mode })
}

// shut ends the enrolment of a learner whose username is known, in the mode in which it is: with another one the platform refuses.
func (c *caller) shut(ctx context.Context, t task, l Learner) outcome {
	r, there, err := c.read(ctx, l.Username, t.Course)
	if err != nil {
		return outcome{}.in(err)
	}
	if !there || !r.Active {
		r.Course, r.Active = t.Course, false
		return outcome{state: Confirmed, username: l.Username, seen: &r}
	}
	if r, err = c.put(ctx, l, t.Course, r.Mode, false); err != nil {
		return outcome{}.in(err)
	}
	return c.proven(ctx, t, l, r, shutNow)
}

func shutNow(r Record, there bool) bool { return !there || !r.Active }

// shutUnknown ends what may have been opened by a call whose answer was lost, so that the platform never told the username: each mode
// is tried, since it refuses all but the right one.
func (c *caller) shutUnknown(ctx context.Context, t task, l Learner) (o outcome) {
	for _, mode := range firstly(c.modes, t.ToldMode) {
		r, err := c.put(ctx, l, t.Course, mode, false)
		if err == nil {
			return c.proven(ctx, t, l, r, shutNow)
		}
		o = outcome{}.in(err)
		switch o.trouble.Code {
		case NoAccount:
			return outcome{state: Confirmed, seen: &Record{Course: t.Course}} // nobody is enrolled who is not there
		case ModeMismatch, ModeUnavailable:
		default:
			return o
		}
	}
	return o
}

// proven reads again what a platform answered to a change.
func (c *caller) proven(ctx context.Context, t task, l Learner, r Record, right func(Record, bool) bool) outcome {
	if r.Username == "" || r.Course != t.Course || l.Username != "" && !strings.EqualFold(r.Username, l.Username) {
		return outcome{}.in(&Trouble{Code: OtherAccount, Detail: "The answer is about " + r.Username + " in " + r.Course + "."})
	}
	again, there, err := c.read(ctx, r.Username, t.Course)
	if err != nil {
		return outcome{username: r.Username}.in(err)
	}
	if !there {
		again = Record{Username: r.Username, Course: t.Course}
	}
	if !right(again, there) {
		return outcome{username: r.Username, seen: &again}.in(&Trouble{Code: NotChanged, Detail: "It answered 200, and the enrolment is as it was."})
	}
	return outcome{state: Confirmed, username: r.Username, seen: &again}
}

// firstly puts the mode that was said last in front.
func firstly(modes []string, last *string) []string {
	if last == nil || !slices.Contains(modes, *last) {
		return modes
	}
	return append([]string{*last}, slices.DeleteFunc(slices.Clone(modes), func(m string) bool { return m == *last })...)
}
