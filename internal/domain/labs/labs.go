// Package labs holds the machines on which learners work in their browser: what a lab is and costs, who may open it, who is in it now, and
// what her minutes cost.
package labs

import (
	"context"
	_ "embed"

	"cursus/internal/kernel/lifecycle"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("labs", queriesSQL)

// State is where a launch stands.
type State string

// The states of a launch.
const (
	Issued  State = "issued"  // a token was asked for; nobody came in yet
	Running State = "running" // she is in
	Ended   State = "ended"   // its cost is in the ledger
)

// LaunchLife is every move that a launch can make. Ended goes back to running when events that came late say that she was in all the time.
var LaunchLife = lifecycle.Table[State]{Name: "lab launch", Start: Issued, Moves: map[State][]State{
	Issued: {Running, Ended}, Running: {Ended}, Ended: {Running},
}}

// Signer signs tokens with the key of the house.
type Signer interface {
	// SignToken gives the compact form of a signed JSON Web Token.
	SignToken(ctx context.Context, claims any) (string, error)
}

// Door leads to the providers.
type Door interface {
	// Check refuses an address that no provider may have. Error: ErrURL.
	Check(address string) error
	// Stop asks a provider to stop a machine. A provider that has stopped it already says yes.
	Stop(ctx context.Context, s Message) error
}

// Message is what a provider is asked for, signed as Standard Webhooks wants it.
type Message struct{ URL, ID, Timestamp, Signature, Body string }

// StopDue asks for a stop request: work for the house itself.
type StopDue struct {
	LaunchID string `json:"launch_id"`
}

// Kind names the job.
func (StopDue) Kind() string { return "labs.stop_due" }

// Service is the room.
type Service struct {
	db      *postgres.DB
	jobs    *jobs.Jobs
	door    Door
	signer  Signer
	seal    seal.Sealer
	baseURL string
}

// New opens the room. The secret, of 32 bytes or more, seals those that are shared with providers; baseURL is the issuer of our tokens.
// Error: seal.ErrWeak.
func New(db *postgres.DB, j *jobs.Jobs, door Door, signer Signer, secret []byte, baseURL string) (*Service, error) {
	sealer, err := seal.New(secret, "cursus labs")
	return &Service{db: db, jobs: j, door: door, signer: signer, seal: sealer, baseURL: baseURL}, err
}

func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "18", Name: "what labs cost in the ledger is the sum of their launches", Query: q.Q("CheckCostInLedger")},
		{Invariant: "18", Name: "the cost of a launch is its minutes at its rate, and nothing while it runs", Query: q.Q("CheckCostByRule")},
		{Invariant: "18", Name: "the lab accounts hold nothing that no launch posted", Query: q.Q("CheckNothingElse")},
		{Invariant: "21", Name: "a launch has begun when its first event says so", Query: q.Q("CheckBegun")},
	}
}
