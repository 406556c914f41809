package app_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cursus/internal/app"
	"cursus/internal/books/ledger"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/postgres/cluster"
	"cursus/internal/testkit"
)

// script runs a script of docs/deploy against a database, as an operator would.
func script(t *testing.T, name, dsn, file string) (string, error) {
	t.Helper()
	bin, err := cluster.FindBin(os.Getenv("PG_BIN"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "../../docs/deploy/"+name, file)
	cmd.Env = append(os.Environ(), "CURSUS_DATABASE_URL="+dsn, "PG_BIN="+bin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// emptyDatabase makes a database beside another, with nothing in it.
func emptyDatabase(t *testing.T, beside string, owner *sql.DB) string {
	t.Helper()
	name := "restored_" + strings.ToLower(ident.Secret(8))
	if _, err := owner.Exec(fmt.Sprintf(`CREATE DATABASE %q`, name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = owner.Exec(fmt.Sprintf(`DROP DATABASE IF EXISTS %q WITH (FORCE)`, name)) })
	u, err := url.Parse(beside)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// contents gives each table outside the system's schemas with its number of rows and a hash of all of them.
func contents(t *testing.T, owner *sql.DB) map[string]string {
	t.Helper()
	rows, err := owner.Query(`SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		var digest string
		if err := owner.QueryRow(`SELECT count(*) || ' ' || md5(coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '')) FROM ` + name + ` r`).Scan(&digest); err != nil {
			t.Fatal(name, err)
		}
		all[name] = digest
	}
	return all
}

func post(t *testing.T, db *postgres.DB, reference string) {
	t.Helper()
	p := ledger.Posting{Reference: reference, Kind: "test", Currency: "EUR", OccurredAt: db.Now(), Entries: []ledger.Entry{
		{Account: ledger.Receivable, Minor: 15000}, {Account: ledger.Clearing("desk"), Minor: -15000}}}
	if err := db.InTx(context.Background(), "post", func(ctx context.Context, tx *postgres.Tx) error { return ledger.PostTx(ctx, tx, p) }); err != nil {
		t.Fatal(err)
	}
}

// livedIn fills every book of a new database with something.
func livedIn(t *testing.T) (dsn string) {
	t.Helper()
	dsn = testkit.OwnerDSN(t)
	db, ctx := testkit.Open(t, dsn, testkit.Clock()), postgres.WithActor(context.Background(), "system")
	post(t, db, "before the backup")
	exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHW 01,1\nHW 02,2\n"))
	if err != nil {
		t.Fatal(err)
	}
	var session catalog.Session
	if err := db.InTx(ctx, "session", func(ctx context.Context, tx *postgres.Tx) (err error) {
		session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-7", CourseKey: "PRD", Title: catalog.Text{EN: "PRD session 7"},
			Platform: "fun", ThresholdPPM: 500_000, Exercises: exercises})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	report := "id,email,username,grade,HW 01,HW 02,Cohort Name,Enrollment Track,Verification Status,Certificate Eligible,Certificate Delivered,Certificate Type\n" +
		"1,awa@example.org,Awa Ndèye,0.75,1.0,0.5,,honor,N/A,N,N,N/A\n2,li@example.org,李 🎓,0.0,Not Attempted,Not Attempted,,honor,N/A,N,N,N/A\n"
	c, err := gradebook.New(db, jobs.New(db, nil)).Import(ctx, gradebook.Intake{SessionID: session.ID, FileName: "x_grade_report_2018-10-31-2100.csv", Content: []byte(report)})
	if err != nil || c.RowsRead != 2 || c.RowsRejected != 0 {
		t.Fatal(c, err)
	}
	return dsn
}

// A backup read into an empty database is the same Cursus: every row, the rights, the triggers, the invariants.
func TestBackupIsRestored(t *testing.T) {
	dsn, file := livedIn(t), filepath.Join(t.TempDir(), "cursus.dump")
	owner := testkit.Owner(t, dsn)
	if out, err := script(t, "backup", dsn, file); err != nil {
		t.Fatal(err, out)
	}
	if left, _ := filepath.Glob(file + ".*"); len(left) > 0 {
		t.Error("left behind:", left)
	}
	want := contents(t, owner)
	target := emptyDatabase(t, dsn, owner)
	if out, err := script(t, "restore", target, file); err != nil {
		t.Fatal(err, out)
	}
	restoredOwner := testkit.Owner(t, target)
	if got := contents(t, restoredOwner); fmt.Sprint(got) != fmt.Sprint(want) || want["ledger.entries"] == "" || strings.HasPrefix(want["journey.changes"], "0 ") {
		t.Errorf("restored %v\nwant %v", got, want)
	}
	if err := postgres.Migrate(context.Background(), target); err != nil {
		t.Fatal(err)
	}
	db := testkit.Open(t, target, testkit.Clock())
	testkit.Verify(t, db, app.Checks())
	post(t, db, "after the restore")
	if _, err := restoredOwner.Exec(`update ledger.entries set minor = minor + 1`); err == nil {
		t.Error("the restored ledger can be edited")
	}
}

// A restore never overwrites, and a cut file restores nothing.
func TestRestoreRefuses(t *testing.T) {
	dsn, folder := livedIn(t), t.TempDir()
	owner, file := testkit.Owner(t, dsn), filepath.Join(folder, "cursus.dump")
	if out, err := script(t, "backup", dsn, file); err != nil {
		t.Fatal(err, out)
	}
	before := contents(t, owner)
	if out, err := script(t, "restore", dsn, file); err == nil || !strings.Contains(out, "already holds Cursus") {
		t.Error("a lived-in database was not refused:", err, out)
	}
	if fmt.Sprint(contents(t, owner)) != fmt.Sprint(before) {
		t.Error("the refused restore changed something")
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	target := emptyDatabase(t, dsn, owner)
	for _, size := range []int{0, len(whole) / 2, len(whole) - 20} { // the last cut is found only after tables were made
		cut := filepath.Join(folder, "cut.dump")
		if err := os.WriteFile(cut, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := script(t, "restore", target, cut); err == nil {
			t.Error("a cut file was restored:", out)
		}
		if left := contents(t, testkit.Owner(t, target)); len(left) != 0 {
			t.Error("a cut file left", left)
		}
	}
	if out, err := script(t, "backup", strings.Replace(dsn, "/test_", "/none_", 1), file+".new"); err == nil {
		t.Error("a database that is not there was saved:", out)
	}
	if made, _ := filepath.Glob(file + ".new*"); len(made) > 0 {
		t.Error("a failed backup left", made)
	}
}
