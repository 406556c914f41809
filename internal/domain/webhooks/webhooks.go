// Package webhooks tells partner schools and the institute, over HTTP, what happened to what is theirs, by the rules of Standard
// Webhooks (https://www.standardwebhooks.com).
//
// What happened is kept once, in the very bytes that are signed, and beside it one delivery for each endpoint that hears of it: both are
// written in one transaction, so that nothing is told twice and nothing is lost. A delivery is tried until the receiver says yes, under
// the same id, over three days. The receiver may hear the same id again and in any order.
package webhooks

import (
	"context"
	_ "embed"
	"time"

	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("webhooks", queriesSQL)

// Message is what is posted. Signature is the value of its header.
type Message struct {
	URL, ID, Body, Signature string
	At                       time.Time
}

// Answer is what became of a message: the status of the answer, or a word for why there was none.
type Answer struct {
	Status   int
	Failure  string // timeout, refused_address, no_such_host, no_connection, bad_tls, broken_answer; secret_not_readable is ours
	Response string // the beginning of the answer
	Took     time.Duration
	Later    time.Duration // for which the receiver asks us to wait; 0: it says nothing
}

// yes says whether the receiver took the message.
func (a Answer) yes() bool { return a.Status >= 200 && a.Status < 300 }

// Courier is the way out of the house.
type Courier interface {
	// Check refuses an address that nothing may be sent to.
	Check(url string) error
	// Send posts a message once. It never fails: what went wrong is in the answer.
	Send(ctx context.Context, m Message) Answer
}

// Service is the room.
type Service struct {
	db      *postgres.DB
	jobs    *jobs.Jobs
	courier Courier
	replies *idempotency.Store
	seal    seal.Sealer
	hands   chan struct{} // endpoints that this process sends to at the same time
}

// New opens the room. The secret, of 32 bytes or more, seals what signs. Error: seal.ErrWeak.
func New(db *postgres.DB, j *jobs.Jobs, c Courier, secret []byte) (*Service, error) {
	sealer, err := seal.New(secret, "cursus webhooks")
	return &Service{db: db, jobs: j, courier: c, replies: idempotency.New(db), seal: sealer, hands: make(chan struct{}, endpointsAtOnce)}, err
}

// By is who acts: staff who may for anybody, or an owner or manager of an organisation.
type By struct {
	PersonID string
	Any      bool // of staff: the institute's own, and those of every organisation
}

// Due says that an endpoint has something to be sent.
type Due struct {
	EndpointID string `json:"endpoint_id"`
}

// Kind names the job.
func (Due) Kind() string { return "webhooks.due" }

// Rank lets what people wait for go first.
func (Due) Rank() int { return 1 }

// Disabled says that an endpoint was disabled because of what its receiver answered.
type Disabled struct {
	EndpointID string    `json:"endpoint_id"`
	Because    string    `json:"because"`
	At         time.Time `json:"at"`
}

// Kind names the job.
func (Disabled) Kind() string { return "webhooks.disabled" }

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "23", Name: "every webhook has a secret that signs", Query: q.Q("CheckSecrets")},
		{Invariant: "23", Name: "what was delivered was answered with yes, what failed was tried, and the log has every attempt", Query: q.Q("CheckAttempts")},
		{Invariant: "23", Name: "what waits to be sent has a webhook that is enabled", Query: q.Q("CheckPending")},
	}
}
