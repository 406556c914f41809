// Package intakes takes in what learning platforms write of a session, whatever it is: grades, rosters, scores, statements, answers, posts, results
// of exams.
//
// A file is told by what stands in it and handed to the room of its kind, which keeps it as it came. Of what all of them took in there is one
// history here. Files that come together are a batch: they are kept until they are applied, tried as one in the order of their collection, so
// that each says what it changes after those before it, and then taken in one after the other, each whole or not at all.
package intakes

import (
	"context"
	_ "embed"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/surveys"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("intakes", queriesSQL)

// Service is the room.
type Service struct {
	db        *postgres.DB
	jobs      *jobs.Jobs
	gradebook *gradebook.Service
	surveys   *surveys.Service
	exams     *exams.Service
}

// New opens the room.
func New(db *postgres.DB, j *jobs.Jobs, g *gradebook.Service, s *surveys.Service, e *exams.Service) *Service {
	return &Service{db: db, jobs: j, gradebook: g, surveys: s, exams: e}
}

// By which way a file came.
const (
	ByPage    = "page"
	ByAPI     = "api"
	ByCommand = "command"
)

// Asked says that a batch is to be tried, or applied: it says itself which.
type Asked struct {
	BatchID string `json:"batch_id"`
}

// Kind names the job.
func (Asked) Kind() string { return "intakes.asked" }

// Lasts says how long it may take: a batch can have sixty files, one of them of a quarter of a gigabyte.
func (Asked) Lasts() time.Duration { return 30 * time.Minute }

func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }
