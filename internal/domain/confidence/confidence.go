// Package confidence brings learners who may sit the exam to it: it tells them how those fared who stood where they stand, finds whom to remind
// and to call before it is too late, keeps what came of that, and measures it against those who were left out by lot.
package confidence

import (
	_ "embed"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("confidence", queriesSQL)

// Every fault of this room.
var (
	ErrChanged = fault.New(fault.Precondition, "changed-meanwhile", "It was changed since it was read.")
	ErrNoCoach = fault.New(fault.Unprocessable, "no-coach", "She has no role with which learners are called.")
	ErrHeldOut = fault.New(fault.Conflict, "held-out", "She was drawn by lot to be left alone, so that it can be seen what calls do.")
)

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "13", Name: "a reminder or a call is of who is enrolled there", Query: q.Q("CheckContacts")},
	}
}
