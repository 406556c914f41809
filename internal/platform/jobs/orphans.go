package jobs

import (
	"context"
	"database/sql"
	"time"

	"cursus/internal/platform/postgres"
)

// A worker that dies leaves its running jobs behind. While it lives it holds an advisory lock under its name on a connection
// of its own; PostgreSQL lets go of the lock when the process is gone. Whoever finds the lock of a running job's worker free
// gives the job back to the queue, seconds after the death. A job that its workers do not survive is given up like one that fails.
// A worker whose connection was cut may thus see a job done twice: jobs are repeatable.

// patrol is how often orphans are looked for.
const patrol = 3 * time.Second

// announce takes this worker's lock and gives the connection that holds it.
func (j *Jobs) announce(ctx context.Context) (*sql.Conn, error) {
	live, err := j.db.SQL().Conn(ctx)
	if err != nil {
		return nil, postgres.ErrUnavailable.Because(err)
	}
	if _, err := live.ExecContext(ctx, q.Q("Announce").SQL, j.name); err != nil {
		_ = live.Close()
		return nil, postgres.ErrUnavailable.Because(err)
	}
	return live, nil
}

// watch gives orphans back until ctx ends, and takes the lock again where its connection was lost.
func (j *Jobs) watch(ctx context.Context, s *shift, live *sql.Conn) {
	defer close(s.watched)
	tick := time.NewTicker(patrol)
	defer tick.Stop()
	for {
		if live == nil || live.PingContext(ctx) != nil {
			if live != nil {
				_ = live.Close()
			}
			live, _ = j.announce(ctx) // nil until the database is back
		}
		if n, err := j.adopt(ctx); err != nil {
			j.log.WarnContext(ctx, "orphaned jobs cannot be looked for", "error", err)
		} else if n > 0 {
			j.log.WarnContext(ctx, "jobs of dead workers are given back", "jobs", n)
		}
		select {
		case <-ctx.Done():
			if live != nil {
				_, _ = live.ExecContext(context.WithoutCancel(ctx), q.Q("Retire").SQL, j.name)
				_ = live.Close()
			}
			return
		case <-tick.C:
		}
	}
}

// adopt gives the running jobs of dead workers back to the queue.
func (j *Jobs) adopt(ctx context.Context) (n int64, err error) {
	err = j.db.InTx(ctx, "adopt orphans", func(ctx context.Context, tx *postgres.Tx) (err error) {
		n, err = tx.Exec(ctx, q.Q("Adopt"), j.name, maxAttempts)
		return err
	})
	return n, err
}
