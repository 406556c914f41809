// Package cohorts holds the groups that partner organisations bring: who is in them under the school's own key, how they become learners, and
// how their places are paid.
//
// What a school says of its learners comes in as rows, all through one door, ApplyRowsTx: it writes what changes in a handful of statements,
// however many rows there are, and takes back at once what suspended and withdrawn learners may do. Whoever has to be enrolled, or leaves a
// seat or an unpaid order behind, is marked as due; a job works through them, one transaction each, over the doors of sales.
package cohorts

import (
	"context"
	_ "embed"

	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("cohorts", queriesSQL)

// Desks finds the desk of an organisation that takes a currency now; false where it has none. Accounting, above, knows the agreements.
type Desks func(ctx context.Context, tx *postgres.Tx, organisation string, c money.Currency) (sales.DeskOf, bool, error)

// Service is the room.
type Service struct {
	db      *postgres.DB
	jobs    *jobs.Jobs
	sales   *sales.Service
	desks   Desks
	secret  []byte
	ladder  []int
	replies *idempotency.Store
}

// New opens the room. The secret, of 32 bytes or more, makes the links of invitations, so that none stands in the database or in a job.
func New(db *postgres.DB, j *jobs.Jobs, s *sales.Service, desks Desks, secret []byte) (*Service, error) {
	if len(secret) < 32 {
		return nil, fault.New(fault.Internal, "weak-secret", "The secret has fewer than 32 bytes.")
	}
	return &Service{db: db, jobs: j, sales: s, desks: desks, secret: secret, replies: idempotency.New(db)}, nil
}

// By is who acts on cohorts: somebody with a role at their organisation, or staff who may for each.
type By struct{ PersonID string }

// What one has to be allowed at an organisation.
const (
	mayRead  = "cohorts:read"  // owners, registrars, teachers, managers
	mayWrite = "cohorts:write" // owners and registrars
)

// Stirred says that members of a cohort are due: to be enrolled, or to be let go.
type Stirred struct {
	CohortID string `json:"cohort_id"`
}

// Kind names the job.
func (Stirred) Kind() string { return "cohorts.stirred" }

// Rank lets what people wait for go first.
func (Stirred) Rank() int { return 1 }

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "9", Name: "an enrolled member of a cohort has her grant under a paid order", Query: q.Q("CheckEnrolled")},
		{Invariant: "10", Name: "what a school holds back is not open, and what it does not hold back is", Query: q.Q("CheckSuspended")},
		{Invariant: "11", Name: "a cohort has no more members than seats", Query: q.Q("CheckSeats")},
		{Invariant: "17", Name: "each enrolment of a cohort that is invoiced monthly stands in the order of one month", Query: q.Q("CheckBilled")},
		{Invariant: "22", Name: "the moves of a member end where she stands", Query: q.Q("CheckMoves")},
	}
}
