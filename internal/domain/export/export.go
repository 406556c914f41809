// Package export is how other tools read the house: documented views in a schema of their own, and files with all that these show, as CSV
// or Parquet. It reads the views alone, as anybody may who was given a login for them, and knows no table of another room.
package export

import (
	_ "embed"

	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("export", queriesSQL)

// Service is the room.
type Service struct {
	db      *postgres.DB
	jobs    *jobs.Jobs
	replies *idempotency.Store
}

// New opens the room and takes its own jobs on.
func New(db *postgres.DB, j *jobs.Jobs) *Service {
	s := &Service{db: db, jobs: j, replies: idempotency.New(db)}
	jobs.Register(j, s.makeBulk)
	return s
}
