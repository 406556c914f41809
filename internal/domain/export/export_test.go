package export_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"cursus/internal/bench"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/export"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var update = flag.Bool("update", false, "write docs/export.md")

var system = postgres.WithActor(context.Background(), "system")

// network is a database with thousands of enrolments, their stages, results and money.
type network struct {
	dsn   string
	db    *postgres.DB
	owner *sql.DB
}

func TestTheExport(t *testing.T) {
	n := network{dsn: testkit.OwnerDSN(t)}
	as, err := postgres.Open(system, n.dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = as.Close() }()
	if _, err := bench.Network(system, as, 20_000, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	n.db, n.owner = testkit.Open(t, n.dsn, testkit.Clock()), testkit.Owner(t, n.dsn)
	t.Run("adds up", n.theExportAddsUp)
	t.Run("as files", n.filesHoldWhatTheViewsShow)
	t.Run("in the background", n.aFileIsMadeInTheBackground)
	t.Run("under its role", n.theRoleSeesTheViewsAndNothingElse) // last: it takes something away
}

func dictionary(t *testing.T, db *postgres.DB) (views []export.View) {
	t.Helper()
	if err := db.View(system, "dictionary", func(ctx context.Context, tx *postgres.Tx) (err error) {
		views, err = export.DictionaryTx(ctx, tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return views
}

// The page of the data dictionary is what the database says of its views. A view or a column without a word fails here.
func TestTheDictionaryIsThatOfTheViews(t *testing.T) {
	const page, mark = "../../../docs/export.md", "\n<!-- from here on written by make generate -->\n"
	views := dictionary(t, testkit.DB(t))
	if len(views) < 10 {
		t.Fatal(len(views), "views")
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text, _, found := strings.Cut(string(got), mark)
	if want := text + mark + export.Markdown(views); !found || string(got) != want {
		if *update {
			if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Error("docs/export.md is stale, run make generate")
	}
}

// A login for the export reads every view and nothing else: no table, no function of the house, and it writes nothing, also where it says that it
// wants to. The owner of the views could not show a name if it wanted to.
func (n network) theRoleSeesTheViewsAndNothingElse(t *testing.T) {
	dsn, db, owner := n.dsn, n.db, n.owner
	name, password := "export_"+strings.ToLower(ident.Secret(6)), ident.Secret(16)
	t.Cleanup(func() { _, _ = owner.Exec(fmt.Sprintf("DROP ROLE IF EXISTS %q", name)) })
	for range 2 { // the second time it is a new password
		if err := postgres.ExportLogin(system, dsn, name, password); err != nil {
			t.Fatal(err)
		}
	}
	if err := postgres.ExportLogin(system, dsn, postgres.AppRole, password); !errors.Is(err, postgres.ErrNotOurs) {
		t.Error("a role of the house was made a login:", err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(name, password)
	reader, err := sql.Open("postgres", u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	reader.SetMaxOpenConns(1)
	views := dictionary(t, db)
	for _, v := range views {
		var n int64
		if err := reader.QueryRow("SELECT count(*) FROM " + v.Name + " v").Scan(&n); err != nil { // search_path finds it
			t.Error(v.Name, err)
		}
	}
	ask := func(question string) (answer []string) {
		rows, err := owner.Query(question, name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			answer = append(answer, s)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	const ours = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_t%'"
	readable := ask(`SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE ` + ours + ` AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND has_any_column_privilege($1, c.oid, 'SELECT') ORDER BY 1`)
	var named []string
	for _, v := range views {
		named = append(named, v.Name)
	}
	if !slices.Equal(readable, named) {
		t.Errorf("it can read %v, the dictionary has %v", readable, named)
	}
	if can := ask(`SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ` + ours + ` AND c.relkind IN ('r', 'v', 'm', 'p')
		AND (has_table_privilege($1, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege($1, c.oid, 'INSERT, UPDATE, REFERENCES'))`); len(can) > 0 {
		t.Error("it can write", can)
	}
	if can := ask(`SELECT n.nspname FROM pg_namespace n WHERE ` + ours + ` AND n.nspname NOT IN ('export', 'public') AND has_schema_privilege($1, n.oid, 'USAGE, CREATE')
		UNION ALL SELECT n.nspname FROM pg_namespace n WHERE ` + ours + ` AND has_schema_privilege($1, n.oid, 'CREATE')`); len(can) > 0 {
		t.Error("it can reach or fill the schemas", can)
	}
	if can := ask(`SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('export', 'public') AND p.prosecdef AND has_function_privilege($1, p.oid, 'EXECUTE')`); len(can) > 0 {
		t.Error("it can call what works under another role:", can)
	}
	for _, s := range []string{
		"SELECT * FROM identity.people", "SELECT * FROM export.secret", "SELECT * FROM export.pieces", "SELECT * FROM ledger.entries", "SELECT platform.actor()",
		"SET ROLE cursus_app", "SET ROLE cursus_views", "SET cursus.actor = 'system'; SELECT email FROM identity.people",
		"UPDATE offers SET price_minor = 1", "SET default_transaction_read_only = off; DELETE FROM export.ledger_entries", "SET default_transaction_read_only = off; CREATE TABLE export.mine (a int)",
		"SET default_transaction_read_only = off; COMMIT; CREATE TEMPORARY TABLE mine (a int)", "SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'a')",
	} {
		if _, err := reader.Exec(s); err == nil {
			t.Error("it could", s)
		}
	}
	// What the views may be made of: not one column that says who somebody is.
	for _, column := range []string{
		"identity.people.email", "identity.people.full_name", "identity.external_ids.subject", "certificates.certificates.code", "certificates.certificates.facts", "invoicing.billing.buyer", "payments.payments.email",
		"payments.payments.buyer_reference", "payments.receipts.payer", "payments.refunds.reason", "surveys.answers.words", "sales.orders.buyer_id",
	} {
		table, name, _ := strings.Cut(column[strings.Index(column, ".")+1:], ".")
		var may bool
		if err := owner.QueryRow("SELECT has_column_privilege('cursus_views', $1, $2, 'SELECT')", column[:strings.Index(column, ".")+1]+table, name).Scan(&may); err != nil || may {
			t.Error("a view could show", column, err)
		}
	}
	var bypasses int
	if err := owner.QueryRow(`SELECT count(*) FROM pg_views v JOIN pg_roles r ON r.rolname = v.viewowner WHERE v.schemaname = 'export' AND (v.viewowner <> 'cursus_views' OR r.rolsuper OR r.rolbypassrls)
		OR v.schemaname = 'export' AND EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid AND c.relkind = 'r')`).Scan(&bypasses); err != nil || bypasses > 0 {
		t.Error(bypasses, "views ask row-level security nothing:", err)
	}
	if _, err := owner.Exec("DROP POLICY views ON enrolment.grants"); err != nil {
		t.Fatal(err)
	}
	var sold int
	if err := reader.QueryRow("SELECT count(*) FROM enrolments WHERE formula IS NOT NULL").Scan(&sold); err != nil || sold != 0 {
		t.Error("without a policy for its owner a view still shows", sold, "grants", err)
	}
}

// The sums of the export are those of the books: every account, every stage of every session, every cell of the cube.
func (n network) theExportAddsUp(t *testing.T) {
	db, owner := n.db, n.owner
	same := func(what, export, books string) {
		var differ, all int
		export, books = "SELECT * FROM ("+export+") x", "SELECT * FROM ("+books+") x"
		if err := owner.QueryRow("SELECT (SELECT count(*) FROM (("+export+" EXCEPT ALL "+books+") UNION ALL ("+books+" EXCEPT ALL "+export+")) d), (SELECT count(*) FROM ("+books+") b)").Scan(&differ, &all); err != nil || differ != 0 || all == 0 {
			t.Errorf("%s: %d of %d differ (%v)", what, differ, all, err)
		}
	}
	same("accounts", "SELECT account, currency, sum(amount_minor), count(*) FROM export.ledger_entries GROUP BY 1, 2",
		"SELECT e.account, t.currency, sum(e.minor), count(*) FROM ledger.entries e JOIN ledger.transactions t ON t.id = e.transaction_id GROUP BY 1, 2")
	same("enrolments", "SELECT enrolment, (enrolled::int + 2 * started::int + 64 * succeeded::int + 2048 * certified::int + 4096 * paying::int), certified_at FROM export.enrolments",
		"SELECT enrolment_id, reached & (1 + 2 + 64 + 2048 + 4096), certified_at FROM journey.enrolments")
	same("learners", "SELECT count(DISTINCT learner), count(*) FROM export.enrolments", "SELECT count(DISTINCT learner_id), count(*) FROM journey.enrolments")
	same("changes", "SELECT enrolment, stage, reached, at FROM export.stage_changes", "SELECT enrolment_id, stage, reached, at FROM journey.changes")
	same("results", "SELECT enrolment, exercise, score_ppb FROM export.exercise_results", `SELECT DISTINCT ON (c.enrolment_id, c.column_id) c.enrolment_id, k.label, c.value FROM gradebook.cells c
		JOIN gradebook.columns k ON k.id = c.column_id AND k.kind = 'exercise' WHERE c.value >= 0 ORDER BY c.enrolment_id, c.column_id, c.at DESC, c.seq DESC`)
	var want, got []analytics.CubeCell
	if err := db.View(system, "cube", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if want, err = analytics.CubeTx(ctx, tx, analytics.CubeQuestion{By: analytics.Dimensions}); err != nil {
			return err
		}
		return tx.Select(ctx, &got, postgres.Query{Name: "cube", SQL: `SELECT acquisition_month AS month, session_key AS session, offer, program_key AS program, partner, country, currency, enrolled, started, diligent,
			succeeded, eligible, exam_booked AS booked, exam_sat AS sat, exam_passed AS passed, certified, paying, gross_minor AS gross, refunds_minor AS refunds, disputes_minor AS disputes, fees_minor AS fees,
			costs_minor AS costs FROM export.outcome_cube ORDER BY month, session, offer, program, partner, country, currency`})
	}); err != nil || len(want) < 2 || !slices.Equal(want, got) {
		t.Errorf("the view has %d rows, the figure %d cells (%v)", len(got), len(want), err)
	}
}

// Both formats hold what the views show, to the last cell and in the types that are promised, and the manifest says what they hold.
func (n network) filesHoldWhatTheViewsShow(t *testing.T) {
	db, owner := n.db, n.owner
	var entries, sum int64
	if err := owner.QueryRow("SELECT count(*), sum(minor) FILTER (WHERE account = 'revenue') FROM ledger.entries").Scan(&entries, &sum); err != nil {
		t.Fatal(err)
	}
	views, texts := dictionary(t, db), map[string][][]string{}
	for _, format := range []string{export.CSV, export.Parquet} {
		dir := t.TempDir()
		told := 0
		m, err := export.WriteFiles(system, db, format, func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(dir, name)) }, func(p export.Progress) error {
			told++
			return nil
		})
		if err != nil || told < len(views) || len(m.Files) != len(views)+1 {
			t.Fatal(err, told, m)
		}
		for i, f := range m.Files {
			content, err := os.ReadFile(filepath.Join(dir, f.Name))
			if s := sha256.Sum256(content); err != nil || hex.EncodeToString(s[:]) != f.SHA256 {
				t.Error(f, err)
			}
			if f.View == "" {
				if rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll(); err != nil || len(rows) < 100 {
					t.Error(f, len(rows), err)
				}
				continue
			}
			rows := asCSV(t, content)
			if format == export.Parquet {
				rows = asParquet(t, content, views[i])
			}
			if int64(len(rows)) != f.Rows+1 {
				t.Errorf("%s has %d rows, the manifest says %d", f.Name, len(rows)-1, f.Rows)
			}
			for j, c := range views[i].Columns {
				if rows[0][j] != c.Name {
					t.Errorf("column %d of %s is %s", j, f.Name, rows[0][j])
				}
			}
			lines := make([]string, 0, len(rows))
			for _, r := range rows[1:] {
				lines = append(lines, strings.Join(r, "|"))
			}
			slices.Sort(lines)
			if texts[f.View] == nil {
				texts[f.View] = [][]string{lines}
			} else if !slices.Equal(texts[f.View][0], lines) {
				t.Errorf("%s is not what the CSV has", f.Name)
			}
			if f.View == "ledger_entries" && f.Rows != entries {
				t.Errorf("%d entries, want %d", f.Rows, entries)
			}
		}
		var said export.Manifest
		if b, err := os.ReadFile(filepath.Join(dir, "manifest.json")); err != nil || json.Unmarshal(b, &said) != nil || said.Format != format || len(said.Files) != len(m.Files) || !said.AsOf.Equal(db.Now()) {
			t.Error(said, err)
		}
	}
	if _, err := export.WriteFiles(system, db, "xlsx", nil, nil); !errors.Is(err, export.ErrFormat) {
		t.Error(err)
	}
}

func asCSV(t *testing.T, content []byte) [][]string {
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil // it is the other format
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// asParquet reads a file back, and holds its types against those of the view.
func asParquet(t *testing.T, content []byte, v export.View) [][]string {
	f, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	fields := f.Schema().Fields()
	rows := [][]string{{}}
	for i, c := range v.Columns {
		rows[0] = append(rows[0], fields[i].Name())
		want := map[export.Kind]string{export.Text: "BYTE_ARRAY STRING", export.Integer: "INT32 INT(32,true)", export.Big: "INT64 INT(64,true)", export.Boolean: "BOOLEAN", export.Time: "INT64 TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)"}[c.Kind]
		got := fields[i].Type().Kind().String()
		if l := fields[i].Type().LogicalType(); l != nil {
			got += " " + l.String()
		}
		if got != want || !fields[i].Optional() {
			t.Errorf("%s.%s is %s, want %s", v.Name, c.Name, got, want)
		}
	}
	for _, g := range f.RowGroups() {
		r := g.Rows()
		held := make([]parquet.Row, 100)
		for {
			n, err := r.ReadRows(held)
			for _, row := range held[:n] {
				line := make([]string, len(row))
				for i, cell := range row {
					switch {
					case cell.IsNull():
					case v.Columns[i].Kind == export.Time:
						line[i] = time.UnixMicro(cell.Int64()).UTC().Format(time.RFC3339Nano)
					default:
						line[i] = cell.String()
					}
				}
				rows = append(rows, line)
			}
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		_ = r.Close()
	}
	return rows
}

// A file is asked for once, made in the background, and fetched until its time is over. Whoever was overtaken writes no more.
func (n network) aFileIsMadeInTheBackground(t *testing.T) {
	clock, owner := testkit.Clock(), n.owner
	db := testkit.Open(t, n.dsn, clock)
	j := jobs.New(db, nil)
	s := export.New(db, j)
	one, err := s.Ask(system, "key-1", export.Parquet)
	if err != nil || one.State != "pending" {
		t.Fatal(one, err)
	}
	for _, key := range []string{"key-1", "key-2"} {
		if again, err := s.Ask(system, key, export.Parquet); err != nil || again.ID != one.ID {
			t.Error(key, again, err)
		}
	}
	if _, err := s.Ask(system, "key-3", "xlsx"); !errors.Is(err, export.ErrFormat) {
		t.Error(err)
	}
	if _, _, err := s.Open(system, one.ID); !errors.Is(err, export.ErrNotReady) {
		t.Error(err)
	}
	if _, err := owner.Exec("UPDATE export.bulk SET attempt = 7; INSERT INTO export.pieces SELECT id, 7, n, 'left by one that died' FROM export.bulk, generate_series(0, 50) n"); err != nil {
		t.Fatal(err)
	}
	if err := j.Drain(system); err != nil {
		t.Fatal(err)
	}
	made, file, err := s.Open(system, one.ID)
	if err != nil || made.State != "ready" || made.Done != made.Total || made.Percent() != 100 {
		t.Fatal(made, err)
	}
	content, err := io.ReadAll(file)
	if sum := sha256.Sum256(content); err != nil || hex.EncodeToString(sum[:]) != made.SHA256 || int64(len(content)) != made.Bytes {
		t.Fatal(len(content), made, err)
	}
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(z.File) != made.Total+2 {
		t.Fatal(len(z.File), err)
	}
	var acts string
	if err := owner.QueryRow("SELECT string_agg(action, ' ' ORDER BY seq) FROM platform.audit WHERE object = $1", one.ID).Scan(&acts); err != nil || acts != "data_export.asked data_export.made data_export.fetched" {
		t.Error(acts, err)
	}
	clock.Advance(4 * 24 * time.Hour)
	if _, _, err := s.Open(system, one.ID); !errors.Is(err, export.ErrNoExport) {
		t.Error("after its time:", err)
	}
	if next, err := s.Ask(system, "key-4", export.Parquet); err != nil || next.ID == one.ID {
		t.Error(next, err)
	}
	if err := j.Drain(system); err != nil {
		t.Fatal(err)
	}
}
