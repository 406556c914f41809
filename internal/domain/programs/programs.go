// Package programs holds the programs: courses in an order with rules, their numbered versions, the editions in which a version is
// followed, and the engine that says what is open to a learner, what is locked and why, and what is missing for the certificate.
//
// The engine (path.go) is pure: it reads no database and no clock. What it knows of a learner it is given as Facts, by a room above.
package programs

import (
	_ "embed"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("programs", queriesSQL)

// Every fault of this room.
var (
	ErrNoProgram       = fault.New(fault.NotFound, "no-such-program", "There is no such program.")
	ErrNoVersion       = fault.New(fault.NotFound, "no-such-version", "The program has no version with this number.")
	ErrNoEdition       = fault.New(fault.NotFound, "no-such-edition", "There is no such edition.")
	ErrChanged         = fault.New(fault.Precondition, "changed-meanwhile", "Somebody changed this since you read it. Read it again and decide again.")
	ErrKey             = fault.New(fault.Conflict, "key-taken", "Another program or edition has this key.")
	ErrKeptPlan        = fault.New(fault.Conflict, "edition-keeps-its-version", "The edition was published: it keeps the version of the program that it was sold with.")
	ErrKeptCourse      = fault.New(fault.Conflict, "edition-keeps-its-sessions", "The edition was published: it keeps its courses and their sessions. When each opens may still be changed.")
	ErrIncomplete      = fault.New(fault.Unprocessable, "edition-incomplete", "An edition is published when each course of its version that is not optional has a session.")
	ErrHidden          = fault.New(fault.Unprocessable, "session-not-published", "An edition is published when its sessions are.")
	ErrInEdition       = fault.New(fault.Conflict, "session-in-edition", "A published edition is followed in this session, which stays published until the edition is over or archived.")
	ErrCourseInUse     = fault.New(fault.Conflict, "course-in-use", "The course is used by published sessions, programs or editions. Archive these first, or wait until they are over.")
	ErrCourseHidden    = fault.New(fault.Unprocessable, "course-not-public", "A program is published when the public sees its courses.")
	ErrImpossible      = fault.New(fault.Unprocessable, "edition-cannot-be-followed", "An edition is published when each of its courses can open before it is over, and nobody enrols after its end.")
	ErrArchived        = fault.New(fault.Conflict, "program-archived", "The program is archived. Move it back to draft before you edit it.")
	ErrEditionArchived = fault.New(fault.Conflict, "edition-archived", "The edition is archived. Move it back to draft before you edit it.")
	ErrProgramInUse    = fault.New(fault.Conflict, "program-in-use", "Editions of the program are in force. Archive these first, or wait until they are over.")
	ErrProgramHidden   = fault.New(fault.Unprocessable, "program-not-public", "An edition is published when its program is not archived.")
	ErrUnknown         = fault.New(fault.Unprocessable, "no-such-course", "A course of the program is not in the catalogue.")
	ErrPreview         = fault.New(fault.Invalid, "bad-results", "The results to try are not of the documented form.")
)

func init() {
	postgres.RegisterConstraint("program_key_once", ErrKey)
	postgres.RegisterConstraint("edition_key_once", ErrKey)
	postgres.RegisterConstraint("edition_version_known", ErrNoVersion)
	postgres.RegisterConstraint("edition_keeps_its_version", ErrKeptPlan)
	postgres.RegisterConstraint("edition_keeps_its_sessions", ErrKeptCourse)
	postgres.RegisterConstraint("edition_session_once", fault.InvalidInput(fault.Field{Pointer: "/sessions", Code: "duplicate", Detail: "A session stands twice in the edition."}))
	postgres.RegisterConstraint("edition_dates_ordered", fault.InvalidInput(fault.Field{Pointer: "/ends_at", Code: "before-start", Detail: "A period ends after it begins."}))
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "28", Name: "a session of an edition is one of its course", Query: q.Q("CheckSessionOfCourse")},
		{Invariant: "28", Name: "a published edition has a session for each course of its version that is not optional", Query: q.Q("CheckEditionWhole")},
		{Invariant: "28", Name: "the courses of a version are those of its content", Query: q.Q("CheckVersionCourses")},
	}
}
