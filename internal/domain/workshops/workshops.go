// Package workshops holds the days on which the learners of a hybrid session meet in a room: seats, attendance, productions, and what
// a day cost.
package workshops

import (
	_ "embed"

	"cursus/internal/kernel/lifecycle"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("workshops", queriesSQL)

// State is where a day stands.
type State string

// The states of a day.
const (
	Planned  State = "planned"
	Held     State = "held"
	Canceled State = "canceled"
)

// DayLife is every move that a day can make.
var DayLife = lifecycle.Table[State]{Name: "workshop day", Start: Planned, Moves: map[State][]State{Planned: {Held, Canceled}}}

// entitlement is what a formula opens that leads into the room.
const entitlement = "workshop"

// StandingChanged says that attendance or productions of enrolments were recorded: who may sit the exam may have changed.
type StandingChanged struct {
	SessionID  string   `json:"session_id"`
	Enrolments []string `json:"enrolments"`
	Cause      string   `json:"cause"`
}

// Kind names the job.
func (StandingChanged) Kind() string { return "workshops.standing_changed" }

// Service is the room.
type Service struct {
	db   *postgres.DB
	jobs *jobs.Jobs
}

// New opens the room.
func New(db *postgres.DB, j *jobs.Jobs) *Service { return &Service{db, j} }

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "11", Name: "no workshop day has more seats taken than it has", Query: q.Q("CheckSeats")},
		{Invariant: "18", Name: "what a workshop day cost is what the ledger says", Query: q.Q("CheckCostInLedger")},
		{Invariant: "18", Name: "the shares of a workshop day's cost sum to it", Query: q.Q("CheckShares")},
		{Invariant: "18", Name: "the cost of a held workshop day is the one that its terms and its attendance make", Query: q.Q("CheckCostByRule")},
		{Invariant: "18", Name: "a workshop day was attended by learners of its session", Query: q.Q("CheckAttendance")},
	}
}
