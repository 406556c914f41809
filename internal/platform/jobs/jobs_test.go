package jobs_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

type greet struct {
	Name string `json:"name"`
}

func (greet) Kind() string { return "test.greet" }

type unknown struct{}

func (unknown) Kind() string { return "test.unknown" }

// A job is done if and only if the transaction that enqueued it was committed, and again when it failed; its work acts as
// the system; Stop waits for what runs.
func TestJobsFollowTheirTransaction(t *testing.T) {
	db, ctx := testkit.DB(t), context.Background()
	j := jobs.New(db, nil)
	var mu sync.Mutex
	done, actors := map[string]int{}, map[string]bool{}
	jobs.Register(j, func(ctx context.Context, a greet) error {
		mu.Lock()
		defer mu.Unlock()
		done[a.Name]++
		actors[postgres.Actor(ctx)] = true
		if a.Name == "fails once" && done[a.Name] == 1 {
			return errors.New("the outside is dark")
		}
		return nil
	})
	enqueue := func(end error, all ...jobs.Args) error {
		return db.InTx(ctx, "enqueue", func(ctx context.Context, tx *postgres.Tx) error {
			return errors.Join(j.EnqueueTx(ctx, tx, all...), end)
		})
	}
	if err := enqueue(nil, greet{"ada"}, greet{"bob"}, greet{"fails once"}); err != nil {
		t.Fatal(err)
	}
	if err := enqueue(errors.New("changed my mind"), greet{"never"}); err == nil {
		t.Fatal("the transaction was not rolled back")
	}
	if err := enqueue(nil, unknown{}); err == nil {
		t.Error("a job that nobody can do was taken")
	}
	if c, err := j.Count(ctx); err != nil || c.Pending != 3 || c.Dead != 0 {
		t.Fatal(c, err)
	}
	if err := j.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := j.Count(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if c.Pending == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(c, done)
		}
	}
	if err := j.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if done["ada"] != 1 || done["bob"] != 1 || done["fails once"] != 2 || done["never"] != 0 || len(actors) != 1 || !actors["system"] {
		t.Error(done, actors)
	}
}
