// Package testkit gives tests real parts: a PostgreSQL database of their own, and a clock that they move.
package testkit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq" // for the owner's connection

	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/postgres/cluster"
	"cursus/migrations"
)

// Clock stands at Monday 2026-03-02 09:00 UTC.
func Clock() *clock.Manual { return clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)) }

// DB is a database of this test alone, migrated, under the application's role. It is dropped when the test ends.
func DB(t testing.TB) *postgres.DB { return Open(t, OwnerDSN(t), Clock()) }

// Open connects to a database under the application's role until the test ends.
func Open(t testing.TB, dsn string, c clock.Clock) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(context.Background(), dsn, postgres.Options{MaxConns: 8, Clock: c, Role: postgres.AppRole})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

var server = sync.OnceValues(startServer)

// startServer runs one server for all test programs of this user; it stays for the next run. It keeps nothing of value,
// so it does not wait for the disk.
func startServer() (*cluster.Cluster, error) {
	dir := os.Getenv("CURSUS_TEST_PG_DIR")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "cursus-test-pg-"+strconv.Itoa(os.Getuid()))
	}
	unlock, err := lockFile(dir + ".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	return cluster.Start(context.Background(), dir, cluster.Options{BinDir: os.Getenv("PG_BIN"), Settings: map[string]string{
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300",
	}})
}

func lockFile(path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// OwnerDSN makes a database for this test from the migrated template and gives its owner's address.
func OwnerDSN(t testing.TB) string {
	t.Helper()
	c, err := server()
	if err != nil {
		t.Fatal(err)
	}
	admin, err := sql.Open("postgres", c.OwnerDSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	admin.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = admin.Close() })
	template, err := migratedTemplate(admin, c)
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + ident.Secret(8)
	if err := locked(admin, func() error {
		_, err := admin.Exec(fmt.Sprintf(`CREATE DATABASE %q TEMPLATE %q`, name, template))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = admin.Exec(fmt.Sprintf(`DROP DATABASE IF EXISTS %q WITH (FORCE)`, name)) })
	return c.OwnerDSN(name)
}

// templateLock serialises the use of the template: PostgreSQL refuses to copy a database that somebody is connected to.
const templateLock = 7_140_331

func locked(admin *sql.DB, fn func() error) error {
	if _, err := admin.Exec(`SELECT pg_advisory_lock($1)`, templateLock); err != nil {
		return err
	}
	defer func() { _, _ = admin.Exec(`SELECT pg_advisory_unlock($1)`, templateLock) }()
	return fn()
}

func migratedTemplate(admin *sql.DB, c *cluster.Cluster) (string, error) {
	hash := sha256.New()
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		return "", err
	}
	for _, n := range names {
		b, err := migrations.Files.ReadFile(n)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", n, len(b), b)
	}
	name := "template_" + hex.EncodeToString(hash.Sum(nil))[:16]
	return name, locked(admin, func() error {
		var ready bool
		if err := admin.QueryRow(`SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate)`, name).Scan(&ready); err != nil || ready {
			return err
		}
		for _, s := range []string{`DROP DATABASE IF EXISTS %q WITH (FORCE)`, `CREATE DATABASE %q`} {
			if _, err := admin.Exec(fmt.Sprintf(s, name)); err != nil {
				return err
			}
		}
		if err := postgres.Migrate(context.Background(), c.OwnerDSN(name)); err != nil {
			return err
		}
		// Marking it last makes a template that a crash left half-made be made again.
		_, err := admin.Exec(fmt.Sprintf(`ALTER DATABASE %q IS_TEMPLATE true`, name))
		return err
	})
}

// Owner connects as the owner of a database, for a test that shows what even the owner's triggers refuse.
func Owner(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	if _, err := url.Parse(dsn); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
