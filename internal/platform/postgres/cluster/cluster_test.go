package cluster

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
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

// A copy of Cursus in the home of root, or deep in somebody's folders, starts all the same: its server runs in a folder of its own, and the next
// process finds it there. A folder that is removed begins anew, and one whose server ran inside never gets an empty one elsewhere.
func TestAServerThatCannotRunInItsFolderRunsElsewhere(t *testing.T) {
	base, err := os.MkdirTemp("", "pgs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if err := os.Chmod(base, 0o755); err != nil { //nolint:gosec // as a folder of the system is
		t.Fatal(err)
	}
	given := shelter
	shelter = func() (string, error) { return filepath.Join(base, "shelter"), nil }
	t.Cleanup(func() { shelter = given })
	unfit := map[string]string{"long": filepath.Join(base, strings.Repeat("deep/", 20), "data")}
	if os.Getuid() == 0 {
		unfit["closed"] = filepath.Join(base, "home", "data")
	}
	if err := os.Mkdir(filepath.Join(base, "home"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, dir := range unfit {
		c, err := Start(context.Background(), dir, Options{BinDir: os.Getenv("PG_BIN")})
		if err != nil {
			t.Fatal(name, err)
		}
		if filepath.Dir(c.dir) != filepath.Join(base, "shelter") {
			t.Error(name, "runs in", c.dir)
		}
		twin, err := Start(context.Background(), dir, Options{BinDir: os.Getenv("PG_BIN")})
		if err != nil || twin.pid() != c.pid() {
			t.Fatal(name, "is not found again:", err)
		}
		if err := errors.Join(twin.Stop(), c.Stop()); err != nil || c.running() {
			t.Fatal(name, err)
		}
		if again, err := place(dir); err != nil || again != c.dir {
			t.Error(name, again, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if fresh, err := place(dir); err != nil || fresh == c.dir {
			t.Error(name, "was removed and goes on as it was:", err)
		}
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(filepath.Join(dir, "pg"), 0o700), os.WriteFile(filepath.Join(dir, "pg", "PG_VERSION"), []byte("15"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if other, err := place(dir); err == nil {
			t.Error(name, "held a server, and an empty one takes its place in", other)
		}
	}
}
