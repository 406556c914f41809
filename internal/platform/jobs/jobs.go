// Package jobs is durable work: what has to happen later is enqueued in the transaction that caused it, so that it happens
// if and only if that transaction is committed, and at least once. Work must therefore be repeatable.
//
// The queue is one table, taken from with SKIP LOCKED, and not a library's: River over lib/pq cost a third of the round
// trips of a purchase, because it finds new work by polling alone, and takes and completes it in several statements. Here
// a look takes as many jobs as there are free hands and, in the same statement, takes those away that are done. A commit
// in this process wakes its worker at once; what other processes enqueue, and what has become due, is found by a poll.
// NOTIFY is not used: its senders wait for each other when they commit.
//
// The queue goes by the database's clock, which is one for all workers.
package jobs

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("jobs", queriesSQL)

// How the queue is worked on.
const (
	hands       = 16                    // jobs that one process works on at the same time
	pace        = 10 * time.Millisecond // between two looks into the queue, so that many jobs share one
	poll        = 20 * time.Millisecond // the longest time between two looks
	limit       = time.Minute           // for one attempt at one job that says nothing else
	maxAttempts = 25                    // the last one is about three weeks after the first
)

// How long a job that came too early is asked again without counting as failed, and after which wait for the first time.
// The waits grow with the age of the job.
const (
	patience  = 3 * 24 * time.Hour
	firstWait = 200 * time.Millisecond
)

var errUnknownKind = fault.New(fault.Internal, "unknown-job", "Nobody here knows how to do this job.")

// Args is what a job carries; Kind names it for ever.
type Args interface{ Kind() string }

// Ranked is a job that waits while others of a lower rank are due; without it the rank is 0.
type Ranked interface{ Rank() int }

// Lasting is a job of which one attempt may take another time than a minute.
type Lasting interface{ Lasts() time.Duration }

// Jobs is the queue of one process. Register the work first, then Start.
type Jobs struct {
	db      *postgres.DB
	kinds   map[string]func(ctx context.Context, args []byte) error
	lasts   map[string]time.Duration // by kind, of those that may not take a minute
	observe func(kind, result string)
	log     *slog.Logger
	name    string        // of this process among the workers
	wake    chan struct{} // something was enqueued here
	at      sync.Mutex
	shift   *shift // while it works
}

// New prepares a queue; a nil log says nothing.
func New(db *postgres.DB, log *slog.Logger) *Jobs {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Jobs{db: db, kinds: map[string]func(context.Context, []byte) error{}, lasts: map[string]time.Duration{}, log: log, name: ident.New("wrk"), wake: make(chan struct{}, 1)}
}

// Register says what to do with a kind of job. The context acts as "system" and ends after a minute, or what a Lasting kind says. An error makes the
// job be tried again later, ever more rarely, until it is given up for a person to look at.
func Register[A Args](j *Jobs, work func(ctx context.Context, args A) error) {
	var kind A
	if l, ok := any(kind).(Lasting); ok {
		j.lasts[kind.Kind()] = l.Lasts()
	}
	j.kinds[kind.Kind()] = func(ctx context.Context, raw []byte) error {
		var args A
		if err := json.Unmarshal(raw, &args); err != nil {
			return err
		}
		return work(ctx, args)
	}
}

// Observe has every job that was worked on told: its kind, and done, early or failed. Call it before Start.
func (j *Jobs) Observe(tell func(kind, result string)) { j.observe = tell }

type notYet struct{ cause error }

func (n *notYet) Error() string { return "not yet: " + n.cause.Error() }
func (n *notYet) Unwrap() error { return n.cause }

// NotYet marks an error of a job that came before what it is about: it is tried again soon, and then ever more rarely for
// three days, after which it counts as failing.
func NotYet(err error) error { return &notYet{err} }

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

// EnqueueTx writes jobs into the caller's transaction. A kind that nobody registered is an error here, not a dead job later,
// except where nothing at all is registered: a process that works nothing may still ask others to.
func (j *Jobs) EnqueueTx(ctx context.Context, tx *postgres.Tx, jobs ...Args) error {
	if len(jobs) == 0 {
		return nil
	}
	kinds, args, ranks := make([]string, len(jobs)), make([]string, len(jobs)), make([]int64, len(jobs))
	for i, a := range jobs {
		if kinds[i] = a.Kind(); len(j.kinds) > 0 && j.kinds[kinds[i]] == nil {
			return errUnknownKind.Because(fmt.Errorf("%q was enqueued", kinds[i]))
		}
		b, err := json.Marshal(a)
		if err != nil {
			return err
		}
		args[i] = string(b)
		if r, ok := a.(Ranked); ok {
			ranks[i] = int64(r.Rank())
		}
	}
	if _, err := tx.Exec(ctx, q.Q("Enqueue"), pq.Array(kinds), pq.Array(args), pq.Array(ranks)); err != nil {
		return err
	}
	j.WakeTx(tx)
	return nil
}

// WakeTx is for the few rooms that enqueue in a statement of their own, beside what causes the job.
func (j *Jobs) WakeTx(tx *postgres.Tx) { tx.Committed(j.rouse) }

// rouse makes the worker of this process look at once.
func (j *Jobs) rouse() {
	select {
	case j.wake <- struct{}{}:
	default: // it will look already
	}
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
	Ready   int64 `db:"ready"` // of the pending ones: those that run, and whose time has come or comes within seconds
	Dead    int64 `db:"dead"`
}

// Count looks at the queue.
func (j *Jobs) Count(ctx context.Context) (c Count, err error) {
	err = j.db.View(ctx, "count jobs", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &c, q.Q("Count")) })
	return c, err
}
