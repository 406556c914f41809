package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/migrations"
)

// site is a queue with its owner's view of it.
type site struct {
	*testing.T
	dsn   string
	db    *postgres.DB
	owner *sql.DB
}

func newSite(t *testing.T) *site {
	dsn := testkit.OwnerDSN(t)
	return &site{t, dsn, testkit.Open(t, dsn, testkit.Clock()), testkit.Owner(t, dsn)}
}

func (s *site) enqueue(j *jobs.Jobs, all ...jobs.Args) {
	s.Helper()
	if err := s.db.InTx(context.Background(), "enqueue", func(ctx context.Context, tx *postgres.Tx) error { return j.EnqueueTx(ctx, tx, all...) }); err != nil {
		s.Fatal(err)
	}
}

func (s *site) exec(statement string) {
	s.Helper()
	if _, err := s.owner.Exec(statement); err != nil {
		s.Fatal(err)
	}
}

func (s *site) ask(question string) (answer string) {
	s.Helper()
	if err := s.owner.QueryRow(question).Scan(&answer); err != nil && !errors.Is(err, sql.ErrNoRows) {
		s.Fatal(err)
	}
	return answer
}

func (s *site) until(what string, holds func() bool) {
	s.Helper()
	for range 2000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Fatal("in vain waited for:", what, "\n", s.ask("select coalesce(string_agg(q::text, e'\n'), '') from jobs.queue q"))
}

func (s *site) start(j *jobs.Jobs) {
	s.Helper()
	if err := j.Start(context.Background()); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = j.Stop(context.Background()) })
}

// Three workers share what four writers enqueue meanwhile: each job is done once, and none by two at the same time.
func TestWorkersShareTheQueue(t *testing.T) {
	s := newSite(t)
	var running, done sync.Map
	var twice, finished atomic.Int64
	work := func(_ context.Context, a greet) error {
		if _, other := running.LoadOrStore(a.Name, true); other {
			twice.Add(1)
		}
		time.Sleep(time.Millisecond)
		running.Delete(a.Name)
		if _, again := done.LoadOrStore(a.Name, true); again {
			twice.Add(1)
		}
		finished.Add(1)
		return nil
	}
	workers := make([]*jobs.Jobs, 3)
	for i := range workers {
		workers[i] = jobs.New(testkit.Open(t, s.dsn, testkit.Clock()), nil)
		jobs.Register(workers[i], work)
		s.start(workers[i])
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 100 {
				s.enqueue(workers[w%3], greet{fmt.Sprint(w, " ", i)}, greet{fmt.Sprint(w, " ", i, " too")})
			}
		})
	}
	writers.Wait()
	s.until("all are done", func() bool { return s.ask("select count(*) from jobs.queue") == "0" })
	if finished.Load() != 800 || twice.Load() != 0 {
		t.Error(finished.Load(), "were done,", twice.Load(), "of them twice")
	}
}

// A job that fails waits longer each time, keeps what it said, and is given up in the end; a panic is a failure like others.
// One that came too early is asked again without counting as failed.
func TestFailuresWaitAndEnd(t *testing.T) {
	s := newSite(t)
	j := jobs.New(s.db, nil)
	var seen sync.Map
	j.Observe(func(_, result string) { seen.Store(result, true) })
	var early atomic.Int64
	jobs.Register(j, func(_ context.Context, a greet) error {
		switch a.Name {
		case "early":
			if early.Add(1) < 3 {
				return jobs.NotYet(errors.New("not there"))
			}
			return nil
		case "panic":
			panic("at the disco")
		}
		return errors.New("no " + strings.Repeat("é\x00", 2000))
	})
	s.enqueue(j, greet{"early"}, greet{"panic"}, greet{"never"})
	s.exec(`update jobs.queue set attempts = 24 where args ->> 'name' = 'never'; update jobs.queue set attempts = 2 where args ->> 'name' = 'panic'`)
	s.start(j)
	s.until("one is given up", func() bool { c, err := j.Count(context.Background()); return err == nil && c.Dead == 1 })
	s.until("one was early twice", func() bool { return s.ask(`select count(*) from jobs.queue where args ->> 'name' = 'early'`) == "0" })
	if failure := s.ask(`select failure from jobs.queue where dead_at is not null and args ->> 'name' = 'never' and attempts = 25`); !strings.HasPrefix(failure, "no é") {
		t.Errorf("%.40q", failure)
	}
	waits := s.ask(`select failure || ' ' || attempts || ' ' || (due_at - now() between interval '60 seconds' and interval '90 seconds') from jobs.queue where args ->> 'name' = 'panic'`)
	if waits != "panic: at the disco 3 true" { // 3⁴ seconds, give or take a tenth
		t.Error(waits)
	}
	if c, err := j.Count(context.Background()); err != nil || c.Pending != 1 || c.Ready != 0 {
		t.Error("a job that waits for a minute is not ready:", c, err)
	}
	for _, result := range []string{"done", "early", "failed"} {
		if _, ok := seen.Load(result); !ok {
			t.Error("nobody was told of", result)
		}
	}
}

// What a dead worker was at is done by another one within seconds, unless it has killed too many; what a live one is at is left.
func TestDeadWorkersAreFollowed(t *testing.T) {
	s := newSite(t)
	j := jobs.New(s.db, nil)
	var done sync.Map
	jobs.Register(j, func(_ context.Context, a greet) error { done.Store(a.Name, true); return nil })
	s.enqueue(j, greet{"orphan"}, greet{"killer"}, greet{"in good hands"})
	s.exec(`update jobs.queue set worker = case when args ->> 'name' = 'in good hands' then 'wrk_alive' else 'wrk_dead' end, attempts = case when args ->> 'name' = 'killer' then 25 else 1 end`)
	other, err := s.owner.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(context.Background(), `select pg_advisory_lock(hashtextextended('worker:wrk_alive', 0))`); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	s.start(j)
	s.until("the orphan is done", func() bool { _, ok := done.Load("orphan"); return ok })
	if got := s.ask(`select string_agg(args ->> 'name' || ' ' || coalesce(worker, 'dead'), ', ' order by id) from jobs.queue where args ->> 'name' <> 'orphan'`); got != "killer dead, in good hands wrk_alive" {
		t.Error(got)
	}
	if _, err := other.ExecContext(context.Background(), `select pg_advisory_unlock_all()`); err != nil { // as its death would
		t.Fatal(err)
	}
	s.until("the second orphan is done", func() bool { _, ok := done.Load("in good hands"); return ok })
}

// Stop waits for what runs and takes nothing more; when it may not wait it says so. A queue may be started again.
func TestStopWaits(t *testing.T) {
	s := newSite(t)
	j := jobs.New(s.db, nil)
	begun, hold := make(chan struct{}, 9), make(chan struct{})
	jobs.Register(j, func(ctx context.Context, _ greet) error {
		begun <- struct{}{}
		select {
		case <-hold:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	s.enqueue(j, greet{"long"})
	s.start(j)
	<-begun
	if err := j.Start(context.Background()); err == nil {
		t.Error("it was started twice")
	}
	soon, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := j.Stop(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	s.exec(`update jobs.queue set worker = null, due_at = now()`)
	s.start(j)
	<-begun
	s.enqueue(j) // nothing
	stopped := make(chan error, 1)
	go func() { stopped <- j.Stop(context.Background()) }()
	const lying = `select count(*) from jobs.queue where worker is null`
	for range 5 { // a look that began before it was asked to stop may still take one
		s.enqueue(j, greet{"too late"})
		if time.Sleep(200 * time.Millisecond); s.ask(lying) == "1" {
			break
		}
	}
	close(hold)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if s.ask(lying) != "1" || s.ask(`select count(*) from jobs.queue`) != "1" {
		t.Error("it took a job although it was to end")
	}
	if err := j.Drain(context.Background()); err != nil || s.ask(`select count(*) from jobs.queue`) != "0" {
		t.Error("not drained:", err)
	}
}

// When the answer of the queue is lost, what it believes that a live worker is at is given back by that worker.
func TestALostAnswerLosesNoJob(t *testing.T) {
	s := newSite(t)
	j := jobs.New(s.db, nil)
	begun, hold := make(chan struct{}), make(chan struct{})
	var lost, slow atomic.Int64
	jobs.Register(j, func(_ context.Context, a greet) error {
		if a.Name == "slow" {
			slow.Add(1)
			close(begun)
			<-hold
			return nil
		}
		lost.Add(1)
		return nil
	})
	s.enqueue(j, greet{"slow"})
	s.start(j)
	<-begun
	s.exec(`insert into jobs.queue (kind, args, created_at, due_at, worker) select kind, '{"name": "lost"}', now(), now(), worker from jobs.queue`)
	s.exec(`alter table jobs.queue rename to away`)
	time.Sleep(100 * time.Millisecond)
	s.exec(`alter table jobs.away rename to queue`)
	s.until("the lost one is done", func() bool { return lost.Load() == 1 })
	close(hold)
	s.until("both are done", func() bool { return s.ask("select count(*) from jobs.queue") == "0" })
	if slow.Load() != 1 {
		t.Error("a job in hand was done", slow.Load(), "times")
	}
}

// What waited in the queue that was there before goes on in this one.
func TestRiversJobsGoOn(t *testing.T) {
	s := newSite(t)
	s.exec(`drop table jobs.queue;
		create type jobs.river_job_state as enum ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled');
		create table jobs.river_job (id bigserial primary key, state jobs.river_job_state not null, attempt smallint not null, attempted_at timestamptz, attempted_by text[],
			created_at timestamptz not null, finalized_at timestamptz, scheduled_at timestamptz not null, args jsonb not null, errors jsonb[], kind text not null);
		create function jobs.river_job_state_in_bitmask(bitmask bit(8), state jobs.river_job_state) returns boolean language sql immutable as 'select true';
		create table jobs.river_leader (name text primary key);
		insert into jobs.river_job (state, attempt, created_at, scheduled_at, args, kind, errors, finalized_at)
		select x.state::jobs.river_job_state, 3, now(), now() + interval '1 hour' * (x.state = 'retryable')::int, jsonb_build_object('name', x.state), 'test.greet', array['{"error": "first"}', '{"error": "last"}']::jsonb[], x.ended
		  from (values ('available', null::timestamptz), ('running', null), ('retryable', null), ('completed', now()), ('discarded', now()), ('cancelled', now())) x(state, ended)`)
	for _, name := range []string{"00045_queue.sql", "00061_job_rank.sql"} {
		b, err := fs.ReadFile(migrations.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		s.exec(string(b)) // its marks are comments
	}
	j := jobs.New(s.db, nil)
	var done sync.Map
	jobs.Register(j, func(_ context.Context, a greet) error { done.Store(a.Name, true); return nil })
	if err := j.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, available := done.Load("available")
	_, running := done.Load("running")
	if left := s.ask(`select string_agg(args ->> 'name' || ' ' || failure || ' ' || attempts || ' ' || (dead_at is not null), ', ' order by id) from jobs.queue`); !available || !running || left != "retryable last 3 false, discarded last 3 true" {
		t.Error(available, running, left)
	}
	if n := s.ask(`select count(*) from pg_class where relnamespace = 'jobs'::regnamespace and relname like 'river%'`); n != "0" {
		t.Error(n, "things of River are left")
	}
}

// errand is a job that nobody waits for.
type errand struct {
	Name string `json:"name"`
}

func (errand) Kind() string { return "test.errand" }
func (errand) Rank() int    { return 1 }

// What has a rank waits while others are due, however long it has been due itself.
func TestARankedJobLetsOthersPass(t *testing.T) {
	s := newSite(t)
	j := jobs.New(s.db, nil)
	var mu sync.Mutex
	var order []string
	note := func(kind string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, kind)
		time.Sleep(time.Millisecond)
	}
	jobs.Register(j, func(context.Context, greet) error { note("greet"); return nil })
	jobs.Register(j, func(context.Context, errand) error { note("errand"); return nil })
	for i := range 80 {
		if err := s.db.InTx(context.Background(), "enqueue", func(ctx context.Context, tx *postgres.Tx) error {
			if i < 40 {
				return j.EnqueueTx(ctx, tx, errand{"late"})
			}
			return j.EnqueueTx(ctx, tx, greet{"early"})
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, kind := range order {
		if kind == "errand" && i < 40-16 { // those that run at the same time may end in any order
			t.Fatalf("an errand was the %d. of %d: %v", i+1, len(order), order)
		}
	}
	if len(order) != 80 {
		t.Error(len(order), "of 80 were done")
	}
}
