// Package dossier is about all that is kept of a person, whichever room keeps it: it is handed to her as one file, erased when she asks
// for it and staff agree, and forgotten when its time has come. It stands above the rooms whose tables it reads and wipes, and each of its
// statements names one table, so that a test can hold that no table is forgotten.
package dossier

import (
	"context"
	_ "embed"

	"cursus/internal/domain/uploads"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

var (
	//go:embed queries.sql
	queriesSQL string
	//go:embed export.sql
	exportSQL string
	//go:embed erase.sql
	eraseSQL string

	q       = postgres.MustLoad("dossier", queriesSQL)
	exports = postgres.MustLoad("dossier.export", exportSQL)
	erases  = postgres.MustLoad("dossier.erase", eraseSQL)
)

// Service is the room.
type Service struct {
	db      *postgres.DB
	jobs    *jobs.Jobs
	uploads *uploads.Service
}

// New opens the room and takes its own jobs on.
func New(db *postgres.DB, j *jobs.Jobs, u *uploads.Service) *Service {
	s := &Service{db: db, jobs: j, uploads: u}
	jobs.Register(j, s.makeExport)
	jobs.Register(j, s.applyRetention)
	return s
}

// asSystem is for what somebody may do for herself and the database lets the house alone do.
func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }

// By is who acts: somebody for herself, or staff who look after the privacy of everybody.
type By struct {
	PersonID string
	Any      bool
}

func (b By) may(personID string) bool { return b.Any || b.PersonID == personID && personID != "" }

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{{Invariant: "27", Name: "who was erased has no name, no address, no sign-in and no role", Query: q.Q("CheckErased")}}
}
