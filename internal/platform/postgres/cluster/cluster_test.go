package cluster

import (
	"context"
	"database/sql"
	"os"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq"
)

// A server killed with -9 starts again from its folder with what was committed, and a running one is adopted.
func TestServerSurvivesKillAndIsAdopted(t *testing.T) {
	dir, err := os.MkdirTemp("", "pgc") // not t.TempDir: a socket's path must be short, its parents open
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ctx := context.Background()
	start := func() *Cluster {
		c, err := Start(ctx, dir+"/c", Options{BinDir: os.Getenv("PG_BIN")})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := start()
	db, err := sql.Open("postgres", c.OwnerDSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(`create table kept (n int); insert into kept values (7)`); err != nil {
		t.Fatal(err)
	}
	twin := start()
	if twin.pid() != c.pid() {
		t.Fatal("the running server was not adopted")
	}
	if err := twin.Stop(); err != nil || !c.running() {
		t.Fatal("a process that ends took the server from another one:", err)
	}
	// A child that is at work outlives its server, and holds what the next one needs, until it has done.
	var child int
	busy, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := busy.QueryRowContext(ctx, `select pg_backend_pid()`).Scan(&child); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(child, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, func() { _ = syscall.Kill(child, syscall.SIGCONT) })
	if err := syscall.Kill(c.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for c.running() {
		time.Sleep(5 * time.Millisecond)
	}
	first := c
	c = start()
	if err := first.Stop(); err != nil || !c.running() {
		t.Fatal("a process that ends took the server from another one:", err)
	}
	var n int
	for try := 0; ; try++ { // the pool's old connection is dead once
		if err = db.QueryRow(`select n from kept`).Scan(&n); err == nil || try == 3 {
			break
		}
	}
	if err != nil || n != 7 {
		t.Fatal(n, err)
	}
	if err := c.Stop(); err != nil || c.running() {
		t.Fatal(err)
	}
}
