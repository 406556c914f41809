// Package uploads takes rosters as files: what a school sends is read whole or refused whole, looked at without changing anything, and
// then applied to its cohort by a second word.
//
// A file is applied in one transaction, by the one door of cohorts that writes rows: whoever looks sees none of it or all of it, whatever
// dies meanwhile. What follows for each learner, her enrolment, her order, her invitation, is work of its own; how far it has come is the
// progress of the upload.
//
// What is kept of a file are the rows that were read of it, and the hash of the very bytes: a file of a school has columns that are not
// ours to keep, such as the passwords of OneRoster.
package uploads

import (
	"context"
	_ "embed"

	"cursus/internal/domain/cohorts"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("uploads", queriesSQL)

// Service is the room.
type Service struct {
	db      *postgres.DB
	jobs    *jobs.Jobs
	cohorts *cohorts.Service
	replies *idempotency.Store
	absent  int
}

// New opens the room. absentPercent is the share of a cohort that a bulk file may withdraw without somebody saying how many they are.
func New(db *postgres.DB, j *jobs.Jobs, c *cohorts.Service, absentPercent int) *Service {
	return &Service{db: db, jobs: j, cohorts: c, replies: idempotency.New(db), absent: absentPercent}
}

// CheckAsked says that the difference of an upload is to be made.
type CheckAsked struct {
	UploadID string `json:"upload_id"`
}

// Kind names the job.
func (CheckAsked) Kind() string { return "uploads.check_asked" }

// ApplyAsked says that an upload is to be applied.
type ApplyAsked struct {
	UploadID string `json:"upload_id"`
}

// Kind names the job.
func (ApplyAsked) Kind() string { return "uploads.apply_asked" }

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "23", Name: "what an upload moved belongs to one that was applied whole", Query: q.Q("CheckMoves")},
		{Invariant: "23", Name: "the rows that are kept of an upload are those that were read", Query: q.Q("CheckContents")},
	}
}

func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }
