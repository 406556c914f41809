// Package jobs is durable work: what has to happen later is enqueued in the transaction that caused it, so that it happens
// if and only if that transaction is committed, and at least once. Work must therefore be repeatable.
//
// The queue is River over lib/pq. Nothing wakes a worker but its poll, every 25 ms, because LISTEN needs another driver.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"

	_ "embed"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("jobs", queriesSQL)

const (
	schema      = "jobs"
	poll        = 10 * time.Millisecond
	maxWorkers  = 16
	maxAttempts = 25 // with River's back-off the last one is about three weeks after the first
)

// Args is what a job carries; Kind names it for ever.
type Args interface{ Kind() string }

// Migrate makes or updates the tables of the queue, after postgres.Migrate. It may run in several processes at once.
func Migrate(ctx context.Context, ownerDSN string) error {
	db, err := sql.Open("postgres", ownerDSN)
	if err != nil {
		return postgres.ErrUnavailable.Because(err)
	}
	defer func() { _ = db.Close() }()
	one, err := db.Conn(ctx)
	if err != nil {
		return postgres.ErrUnavailable.Because(err)
	}
	defer func() { _ = one.Close() }() // lets go of the lock
	if _, err := one.ExecContext(ctx, q.Q("LockMigration").SQL); err != nil {
		return postgres.ErrUnavailable.Because(err)
	}
	m, err := rivermigrate.New(riverdatabasesql.New(db), &rivermigrate.Config{Schema: schema, Logger: quiet()})
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate jobs: %w", err)
	}
	return nil
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Jobs is the queue of one process. Register the work first, then Start.
type Jobs struct {
	db      *postgres.DB
	workers *river.Workers
	kinds   int
	observe func(kind, result string)
	log     *slog.Logger

	opening sync.Mutex
	client  *river.Client[*sql.Tx]
	name    string // of this process among the workers
	stop    context.CancelFunc
	stopped chan struct{}
}

// New prepares a queue; a nil log says nothing.
func New(db *postgres.DB, log *slog.Logger) *Jobs {
	if log == nil {
		log = quiet()
	}
	return &Jobs{db: db, workers: river.NewWorkers(), log: log, name: ident.New("wrk")}
}

// Register says what to do with a kind of job. The context acts as "system". An error makes the job be tried again later.
func Register[A Args](j *Jobs, work func(ctx context.Context, args A) error) {
	j.kinds++
	river.AddWorker(j.workers, river.WorkFunc(func(ctx context.Context, job *river.Job[A]) error {
		err := work(postgres.WithActor(ctx, "system"), job.Args)
		var early *notYet
		if j.observe != nil {
			j.observe(job.Args.Kind(), resultOf(err))
		}
		if !errors.As(err, &early) || job.AttemptedAt == nil || job.AttemptedAt.Sub(job.CreatedAt) > patience {
			return err
		}
		return river.JobSnooze(max(firstWait, job.AttemptedAt.Sub(job.CreatedAt)/2))
	}))
}

func resultOf(err error) string {
	var early *notYet
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &early):
		return "early"
	}
	return "failed"
}

// Observe has every job that was worked on told: its kind, and done, early or failed. Call it before Start.
func (j *Jobs) Observe(tell func(kind, result string)) { j.observe = tell }

// How long a job that came too early is asked again without counting as failed, and after which wait for the first time.
// The waits grow with the age of the job.
const (
	patience  = 3 * 24 * time.Hour
	firstWait = 200 * time.Millisecond
)

type notYet struct{ cause error }

func (n *notYet) Error() string { return "not yet: " + n.cause.Error() }
func (n *notYet) Unwrap() error { return n.cause }

// NotYet marks an error of a job that came before what it is about: it is tried again soon, and then ever more rarely for
// three days, after which it counts as failing.
func NotYet(err error) error { return &notYet{err} }

// open makes the client once the kinds are known.
func (j *Jobs) open() (err error) {
	j.opening.Lock()
	defer j.opening.Unlock()
	if j.client != nil {
		return nil
	}
	if j.kinds == 0 { // a process that works nothing may still ask others to
		j.client, err = river.NewClient(riverdatabasesql.New(j.db.SQL()), &river.Config{Schema: schema, Logger: j.log, MaxAttempts: maxAttempts})
		return err
	}
	j.client, err = river.NewClient(riverdatabasesql.New(j.db.SQL()), &river.Config{
		ID: j.name, Schema: schema, Workers: j.workers, Logger: j.log, FetchCooldown: poll, FetchPollInterval: poll, MaxAttempts: maxAttempts,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: maxWorkers}},
	})
	return err
}

// EnqueueTx writes jobs into the caller's transaction. A kind that nobody registered is an error here, not a dead job later,
// except where nothing at all is registered.
func (j *Jobs) EnqueueTx(ctx context.Context, tx *postgres.Tx, jobs ...Args) error {
	if err := j.open(); err != nil {
		return err
	}
	many := make([]river.InsertManyParams, len(jobs))
	for i, a := range jobs {
		many[i] = river.InsertManyParams{Args: a}
	}
	_, err := j.client.InsertManyFastTx(ctx, tx.Raw(), many)
	return err
}

// Start works until Stop.
func (j *Jobs) Start(ctx context.Context) error {
	if err := j.open(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // only Stop ends it, so that running jobs finish
	live, err := j.announce(ctx)
	if err != nil {
		stop()
		return err
	}
	j.stop, j.stopped = stop, make(chan struct{})
	go j.watch(ctx, live)
	return j.client.Start(ctx)
}

// Stop takes no new job and waits for the running ones, until ctx ends.
func (j *Jobs) Stop(ctx context.Context) error {
	if j.stop == nil {
		return nil
	}
	err := j.client.Stop(ctx)
	j.stop()
	<-j.stopped
	j.stop = nil
	return err
}

// Drain works until nothing waits any more, for commands that end. Jobs that wait for later are left.
func (j *Jobs) Drain(ctx context.Context) error {
	if err := j.Start(ctx); err != nil {
		return err
	}
	defer func() { _ = j.Stop(context.WithoutCancel(ctx)) }()
	for {
		c, err := j.Count(ctx)
		if err != nil || c.Ready == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll):
		}
	}
}

// Count is how many jobs wait or run, and how many were given up and need a person.
type Count struct {
	Pending int64 `db:"pending"`
	Ready   int64 `db:"ready"` // of the pending ones: those whose time has come or comes within seconds
	Dead    int64 `db:"dead"`
}

// Count looks at the queue.
func (j *Jobs) Count(ctx context.Context) (c Count, err error) {
	err = j.db.View(ctx, "count jobs", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &c, q.Q("Count")) })
	return c, err
}
