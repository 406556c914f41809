package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

// shift is the time from a Start to its Stop. Its books are kept by one goroutine, work; each job runs in one of its own.
type shift struct {
	asked   chan struct{} // closed: take nothing new
	ended   chan struct{} // closed: everything that ran is done and noted
	watched chan struct{} // closed: nobody looks for orphans any more
	cut     context.CancelFunc
	results chan result
	busy    map[int64]bool
	done    []int64 // done, and not taken out of the queue yet
	unsure  bool    // the queue may believe that we work on jobs of which we do not know
}

// result tells how one attempt ended.
type result struct {
	id   int64
	done bool // false: it is to be tried again, or given up
	lost bool // and that could not be written down
}

// taken is one attempt at one job.
type taken struct {
	ID       int64  `db:"id"`
	Kind     string `db:"kind"`
	Args     []byte `db:"args"`
	Attempts int    `db:"attempts"` // with this one
	AgeMS    int64  `db:"age_ms"`
}

// Start works until Stop.
func (j *Jobs) Start(ctx context.Context) error {
	j.at.Lock()
	defer j.at.Unlock()
	if j.shift != nil {
		return errors.New("jobs: started already")
	}
	ctx, cut := context.WithCancel(postgres.WithActor(context.WithoutCancel(ctx), "system")) // only Stop ends it, so that running jobs finish
	live, err := j.announce(ctx)
	if err != nil {
		cut()
		return err
	}
	s := &shift{
		asked: make(chan struct{}), ended: make(chan struct{}), watched: make(chan struct{}), cut: cut,
		results: make(chan result, hands), busy: map[int64]bool{},
	}
	j.shift = s
	go j.watch(ctx, s, live)
	go j.work(ctx, s)
	return nil
}

// Stop takes no new job and waits for the running ones, until ctx ends.
func (j *Jobs) Stop(ctx context.Context) (err error) {
	j.at.Lock()
	defer j.at.Unlock()
	s := j.shift
	if s == nil {
		return nil
	}
	close(s.asked)
	select {
	case <-s.ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.cut()
	<-s.watched
	j.shift = nil
	return err
}

// work looks into the queue when it is woken, when a job has ended and every poll, but never more often than the pace.
func (j *Jobs) work(ctx context.Context, s *shift) {
	defer close(s.ended)
	tick := time.NewTicker(poll)
	defer tick.Stop()
	asked, stopping := s.asked, false
	for !stopping || len(s.busy)+len(s.done) > 0 {
		select {
		case <-j.wake:
		case <-tick.C:
		case r := <-s.results:
			s.note(r)
		case <-asked:
			asked, stopping = nil, true
		case <-ctx.Done():
			return
		}
		for more := true; more; {
			select {
			case r := <-s.results:
				s.note(r)
			case <-j.wake:
			default:
				more = false
			}
		}
		free := hands - len(s.busy)
		if stopping {
			free = 0
		}
		j.look(ctx, s, free)
		time.Sleep(pace)
	}
}

func (s *shift) note(r result) {
	delete(s.busy, r.id)
	if r.done {
		s.done = append(s.done, r.id)
	}
	s.unsure = s.unsure || r.lost
}

// look takes the done jobs out of the queue and up to so many others in hand.
func (j *Jobs) look(ctx context.Context, s *shift, free int) {
	if free == 0 && len(s.done) == 0 && !s.unsure {
		return
	}
	var jobs []taken
	err := j.db.InTx(postgres.WithGenericPlans(ctx), "take jobs", func(ctx context.Context, tx *postgres.Tx) error {
		jobs = nil
		if s.unsure {
			ours := append(slices.Collect(maps.Keys(s.busy)), s.done...)
			if _, err := tx.Exec(ctx, q.Q("Release"), j.name, pq.Array(ours)); err != nil {
				return err
			}
		}
		return tx.Select(ctx, &jobs, q.Q("Take"), pq.Array(s.done), j.name, free)
	})
	if s.unsure = err != nil; s.unsure { // the answer of a commit may be what was lost
		if ctx.Err() == nil {
			j.log.WarnContext(ctx, "the queue cannot be looked into", "error", err)
		}
		return
	}
	s.done = s.done[:0]
	for _, t := range jobs {
		s.busy[t.ID] = true
		go func() { s.results <- j.attempt(ctx, t) }()
	}
}

// attempt works on a job, and writes down when it failed.
func (j *Jobs) attempt(ctx context.Context, t taken) result {
	err := j.do(ctx, t)
	if j.observe != nil {
		j.observe(t.Kind, resultOf(err))
	}
	if err == nil {
		return result{id: t.ID, done: true}
	}
	note := j.db.InTx(ctx, "job again", func(ctx context.Context, tx *postgres.Tx) error {
		var early *notYet
		age, why := time.Duration(t.AgeMS)*time.Millisecond, clip(err.Error())
		switch {
		case errors.As(err, &early) && age <= patience:
			_, err := tx.Exec(ctx, q.Q("Again"), t.ID, j.name, max(firstWait, age/2).Milliseconds(), why, 1)
			return err
		case t.Attempts >= maxAttempts:
			j.log.ErrorContext(ctx, "a job was given up", "job", t.ID, "kind", t.Kind, "error", err)
			_, err := tx.Exec(ctx, q.Q("GiveUp"), t.ID, j.name, why)
			return err
		}
		j.log.WarnContext(ctx, "a job failed", "job", t.ID, "kind", t.Kind, "attempts", t.Attempts, "error", err)
		_, err := tx.Exec(ctx, q.Q("Again"), t.ID, j.name, backOff(t.Attempts).Milliseconds(), why, 0)
		return err
	})
	return result{id: t.ID, lost: note != nil}
}

// do runs the work of a job. A panic is an error of this job alone.
func (j *Jobs) do(ctx context.Context, t taken) (err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(j.lasts[t.Kind], limit))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			j.log.ErrorContext(ctx, "a job panicked", "job", t.ID, "kind", t.Kind, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	work := j.kinds[t.Kind]
	if work == nil {
		return errUnknownKind
	}
	return work(ctx, t.Args)
}

// backOff is the wait after a failed attempt: its number to the fourth, in seconds, give or take a tenth, so that jobs that
// failed together do not come back together.
func backOff(attempts int) time.Duration {
	d := time.Duration(attempts*attempts*attempts*attempts) * time.Second
	return d - d/10 + rand.N(d/5)
}

// clip makes what an error said fit for the table.
func clip(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	if r := []rune(s); len(r) > 1000 {
		return string(r[:1000]) + "…"
	}
	return s
}
