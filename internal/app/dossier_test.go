package app_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/dossier"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/privacy"
	"cursus/internal/domain/uploads"
	"cursus/internal/kernel/origin"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport/api/apitest"
)

// notOfPeople are the tables that the export of a person leaves out, each with the reason. A new table is here or has its statement in
// domain/dossier/export.sql; one in which something stands of a person is wiped in erase.sql too, or is part of what may stay.
var notOfPeople = map[string]string{
	"sales.accounts":        "which cohort and month an organisation’s order collects; who is in it stands in its seats",
	"accounting.agreements": "of schools", "accounting.chart": "of accounts", "accounting.differences": "of payments that are exported", "accounting.runs": "of nights", "accounting.settlements": "of schools", "accounting.shares": "of schools, of orders that are exported",
	"badges.credentials": "the certificate again, signed; the certificate is exported", "badges.keys": "of the house",
	"catalog.charters": "of the catalogue", "catalog.collection_versions": "of the catalogue", "catalog.collections": "of the catalogue", "catalog.conformance": "of the catalogue", "catalog.course_versions": "of the catalogue",
	"catalog.courses": "of the catalogue", "catalog.exercises": "of the catalogue", "catalog.moves": "of the catalogue", "catalog.session_versions": "of the catalogue", "catalog.sessions": "of the catalogue",
	"certificates.batches": "of sessions", "certificates.images": "of the house", "certificates.kinds": "of the house", "certificates.layouts": "of the house",
	"certificates.documents": "the papers themselves are in the file", "cohorts.cohorts": "of schools", "dossier.rules": "the schedule", "dossier.runs": "of nights",
	"exams.exams": "of sessions", "exams.result_files": "files of whole sessions, wiped with each of them, and what became of rows, by line", "exams.slots": "of exams",
	"confidence.plans":       "of sessions",
	"exams.provider_secrets": "of providers", "exams.providers": "of the house", "exams.registrations": "of exams", "exams.watched": "of exams",
	"export.bulk": "of the house", "export.pieces": "what views show, under pseudonyms, for days", "export.secret": "of the house",
	"gradebook.collections": "files of whole sessions; her cells are exported", "gradebook.columns": "of sessions", "gradebook.mappings": "of columns of sessions", "gradebook.runs": "counts", "gradebook.rejected_rows": "lines and codes", "gradebook.statements": "ids of events of sessions", "gradebook.issued": "counts",
	"gradebook.schedules": "of sessions", "gradebook.pages": "of whole courses, for hours at most, until they are imported", "gradebook.rechecks": "of sessions: ids of enrolments whose stages differ",
	"identity.clients": "of systems", "identity.keys": "of systems", "identity.organisations": "of schools", "identity.logout_tokens": "hashes of ids, for minutes", "identity.providers": "of the house", "identity.salt": "of the house",
	"invoicing.files": "the papers themselves are in the file", "invoicing.issuers": "of the house", "invoicing.regimes": "of the house", "invoicing.sellers": "of the house", "invoicing.series": "of the house",
	"analytics.cells": "counts", "analytics.couples": "ids and stages of her enrolments, which are exported", "analytics.totals": "counts and sums", "analytics.steps": "counts and sums of her enrolment, from books that are exported", "platform.touched": "ids, until they are summed up",
	"jobs.queue": "work that is done within minutes", "journey.days": "counts", "journey.stages": "of the house", "journey.summed": "of the house", "journey.headcounts": "counts", "journey.sums": "counts", "journey.tallies": "counts", "ledger.transactions": "her entries are exported",
	"labs.labs": "of sessions", "labs.providers": "of the house",
	"lms.comparisons": "of sessions", "lms.modes": "of platforms", "lms.platforms": "of platforms", "lms.secrets": "of platforms",
	"offers.codes": "of offers", "offers.formulas": "of offers", "offers.offers": "of offers", "offers.plans": "of offers", "offers.prices": "of offers", "offers.voucher_amounts": "of offers", "offers.vouchers": "of offers",
	"outreach.campaigns": "of mailings", "outreach.dead_addresses": "hashes of addresses that take no mail; hers goes with her", "outreach.pace": "of the house", "outreach.weekly": "of sessions", "outreach.inviting": "of sessions",
	"payments.events": "the provider's words on payments that are exported", "payments.fees": "what the provider kept of payments that are exported", "payments.fees_read": "of the house", "payments.movements": "of the account with the provider", "platform.audit_head": "of the chain", "platform.audit_origins": "exported with the audit", "platform.audit_said": "empty between transactions",
	"programs.edition_sessions": "of programs", "programs.editions": "of programs", "programs.programs": "of programs", "programs.version_courses": "of programs", "programs.versions": "of programs",
	"public.goose_db_version": "of the schema", "uploads.contents": "files of whole cohorts; her row is exported", "uploads.uploads": "of schools",
	"surveys.questionnaires": "of sessions", "surveys.versions": "of sessions", "surveys.imports": "of files", "surveys.outcomes": "lines and codes", "surveys.marks": "of threads",
	"surveys.pieces": "files of whole sessions; her answers and posts are exported", "intakes.batches": "of sessions", "intakes.files": "files of whole sessions that wait to be applied, for a week at most", "intakes.pieces": "the same",
	"webhooks.attempts": "of systems", "webhooks.deliveries": "of systems", "webhooks.endpoints": "of systems", "webhooks.events": "no name and no address is in an event; what it tells of is exported", "webhooks.secrets": "of systems",
	"workshops.costings": "of days", "workshops.days": "of days",
}

// archive are the tables in which an erased person is still named, each with the reason. Administrators and the house alone read there.
var archive = map[string]string{
	"invoicing.documents": "an invoice and what it was made of are kept for as long as the law of accounts asks",
	"invoicing.files":     "the same on paper",
	"invoicing.billing":   "to whom an invoice was made out",
	"payments.receipts":   "who paid by hand, as the bank or the desk wrote it: the voucher of an entry",
	"payments.proofs":     "the paper that proves it",
	"sales.withdrawals":   "her declaration of withdrawal, which proves why money went back",
}

// everywhere finds in which tables one of these clues stands, in any column of any type, as text, in bytes and in what is compressed.
func everywhere(t *testing.T, owner *sql.DB, clues ...string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	query := func(statement string, each func(cells []string)) {
		rows, err := owner.Query(statement)
		if err != nil {
			t.Fatal(statement, err)
		}
		defer func() { _ = rows.Close() }()
		columns, _ := rows.Columns()
		for rows.Next() {
			cells, at := make([]string, len(columns)), make([]any, len(columns))
			for i := range cells {
				at[i] = &cells[i]
			}
			if err := rows.Scan(at...); err != nil {
				t.Fatal(err)
			}
			each(cells)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	look := func(table, text string) {
		for _, clue := range clues {
			if strings.Contains(text, clue) && !slices.Contains(found[table], clue) {
				found[table] = append(found[table], clue)
			}
		}
	}
	var tables, binary [][]string
	query(`SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`, func(c []string) { tables = append(tables, c) })
	query(`SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns
	        WHERE data_type = 'bytea' AND table_schema NOT IN ('pg_catalog', 'information_schema')`, func(c []string) { binary = append(binary, c) })
	for _, c := range tables {
		query("SELECT x::text FROM "+c[0]+" x", func(row []string) { look(c[0], strings.ReplaceAll(row[0], `""`, `"`)) })
	}
	for _, c := range binary {
		query("SELECT "+c[1]+" FROM "+c[0]+" WHERE "+c[1]+" IS NOT NULL", func(row []string) {
			look(c[0], row[0])
			if z, err := gzip.NewReader(strings.NewReader(row[0])); err == nil {
				plain, err := io.ReadAll(z)
				if err != nil {
					t.Fatal(c, err)
				}
				look(c[0], string(plain))
			}
		})
	}
	return found
}

// leaveTraces writes a learner where no column says that it is of her: in a roster that was applied and in one that is refused, in a reply
// that her school may ask for again, in a job that was given up, in what a partner's server and a learning platform said, in billing that no
// invoice came of. It gives the clues by which all of it is found.
func (w *world) leaveTraces(t *testing.T, owner *sql.DB, learner, enrolment, email, name string) []string {
	t.Helper()
	const key = "ESP-UNMISTAKABLE-77"
	registrar := w.person("registrar@esp.example", "Registrar")
	cohort, by := w.cohortOf("ESP", registrar.ID), cohorts.By{PersonID: registrar.ID}
	head := "student_key,status,email,given_name,family_name\n"
	rows := key + ",suspended," + email + ",Zoé,Unmistakable\n"
	for i, file := range []string{head + rows + "K2,enrolled,,,\n", head + key + ",nonsense,,,\n"} {
		u, err := w.h.Uploads.Take(system, by, fmt.Sprint("roster ", i), uploads.NewUpload{CohortID: cohort.ID, FileName: "roster.csv", Mode: cohorts.Delta, Content: []byte(file)})
		if err != nil {
			t.Fatal(err)
		}
		w.quiet()
		if u, err = w.h.Uploads.Upload(system, by, cohort.ID, u.ID); err != nil || u.State != uploads.Checked {
			t.Fatal(u, err)
		}
		if i == 0 {
			if _, err := w.h.Uploads.Apply(system, by, "apply", uploads.Apply{CohortID: cohort.ID, UploadID: u.ID, Difference: u.Difference.SHA256}); err != nil {
				t.Fatal(err)
			}
			w.quiet()
		}
	}
	for _, s := range []string{
		`UPDATE cohorts.members SET person_id = '` + learner + `' WHERE student_key = '` + key + `'`,
		`INSERT INTO platform.idempotency VALUES ('cli_1', 'k', 'h', 201, convert_to('{"rows":[{"student_key":"` + key + `"}],"email":"` + email + `"}', 'UTF8'), now()),
			('cli_1', 'k2', 'h', 201, '{"student_key":"K2"}', now())`,
		`INSERT INTO jobs.queue (kind, args, created_at, due_at, failure, dead_at) VALUES ('identity.sign_in_link_asked', '{"email":"` + email + `"}', now(), now(), 'no mail for ` + email + `', now()),
			('outreach.send', '{"text":"to\n` + email + `\n"}', now(), now(), '', now()),
			('identity.sign_in_link_asked', '{"email":"ann.` + email + `"}', now(), now(), 'no mail for Jo` + name + `', now())`, // somebody else, whose address ends like hers
		`INSERT INTO lms.platforms (key, base_url, auth, per_minute, enabled, made_at) VALUES ('trace', 'https://lms.example', 'bearer', 1, false, now())`,
		`INSERT INTO lms.secrets VALUES ('trace', decode(repeat('00', 40), 'hex'))`,
		`INSERT INTO lms.syncs (enrolment_id, platform, state, asked_at, due_at, detail) VALUES ('` + enrolment + `', 'trace', 'refused', now(), now(), 'nobody is called ` + email + `')
			ON CONFLICT (enrolment_id) DO UPDATE SET detail = excluded.detail`,
		`INSERT INTO webhooks.endpoints (id, url, types, state, made_by, made_at) VALUES ('whe_trace', 'https://hooks.example', '{}', 'enabled', '` + registrar.ID + `', now())`,
		`INSERT INTO webhooks.secrets (endpoint_id, n, sealed, made_at) VALUES ('whe_trace', 1, decode(repeat('00', 40), 'hex'), now())`,
		`INSERT INTO webhooks.events (id, type, cause, at, body, made_at) VALUES ('evt_trace', 'order.paid', 'trace', now(), '{}', now())`,
		`INSERT INTO webhooks.deliveries (id, endpoint_id, event_id, state, tried, status, made_at, ended_at) VALUES ('whd_trace', 'whe_trace', 'evt_trace', 'delivered', 1, 200, now(), now())`,
		`INSERT INTO webhooks.attempts (delivery_id, n, at, duration_ms, status, response) VALUES ('whd_trace', 1, now(), 1, 200, 'welcome, ` + name + ` <` + email + `>')`,
		`INSERT INTO dossier.exports (id, person_id, asked_by, asked_at, total) VALUES ('exp_trace', '` + learner + `', '` + learner + `', now(), 1)`, // it is being made
		`INSERT INTO outreach.dead_addresses VALUES (sha256('` + email + `'), '5.1.1', now())`,
		`INSERT INTO confidence.contacts (enrolment_id, learner_id, session_id, how, outcome, note, by, at)
			SELECT id, learner_id, session_id, 'call', 'reached', 'spoke with ` + name + `', 'staff:per_x', now() FROM enrolment.enrolments WHERE id = '` + enrolment + `'`,
		`INSERT INTO confidence.numbers VALUES ('` + learner + `', '+221 33 999 88 77', now())`,
		`INSERT INTO invoicing.billing (order_id, person_id, buyer, updated_at) VALUES ('ord_trace', '` + learner + `', '{"name": "` + name + `"}', now())`,
	} {
		if _, err := owner.Exec(s); err != nil {
			t.Fatal(s, err)
		}
	}
	hash := sha256.Sum256([]byte(email)) // without a salt it says who she is to whoever knows her address
	clues := []string{email, name, key, "192.0.2.77", "+221 33 999 88 77", string(hash[:])}
	for table, want := range map[string]string{
		"uploads.contents": key, "uploads.uploads": key, "cohorts.members": key, "platform.idempotency": key, "jobs.queue": email, "lms.syncs": email, "webhooks.attempts": name,
		"invoicing.billing": name, "outreach.dead_addresses": string(hash[:]), "privacy.consents": "192.0.2.77", "confidence.contacts": name, "confidence.numbers": "+221 33 999 88 77",
	} {
		if got := everywhere(t, owner, clues...); !slices.Contains(got[table], want) {
			t.Fatalf("no trace of her in %s, so that it is not proven that it goes: %v", table, got)
		}
	}
	return clues
}

// Every table of the database is exported or excused.
func TestEveryTableIsExportedOrExcused(t *testing.T) {
	owner := testkit.Owner(t, testkit.OwnerDSN(t))
	found, err := owner.Query(`SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	left := maps.Clone(notOfPeople)
	exported := dossier.Tables()
	for found.Next() {
		var table string
		if err := found.Scan(&table); err != nil {
			t.Fatal(err)
		}
		_, excused := left[table]
		if read := slices.Contains(exported, table); excused == read {
			t.Errorf("%s: exported %v, excused %v. Something stands there of people: add a statement of that name to internal/domain/dossier/export.sql, and one to "+
				"erase.sql where names, addresses or free texts of theirs have to go; nothing does: add it to notOfPeople in dossier_test.go with the reason", table, read, excused)
		}
		delete(left, table)
		exported = slices.DeleteFunc(exported, func(s string) bool { return s == table })
	}
	if err := found.Err(); err != nil || len(left) > 0 || len(exported) > 0 {
		t.Error("there are no such tables:", left, exported, err)
	}
}

// A learner gets all that is kept of her as one file, and is erased: afterwards her name, her address and her number at the platform stand
// nowhere but in the accounting archive, which administrators alone read; she cannot sign in, and comes back as a stranger; no figure
// changes, the chain of the audit and every invariant hold, and a report that still carries her makes nobody anew.
func TestAPersonIsExportedAndErased(t *testing.T) {
	w := newWorld(t)
	const email, name = "zoe.the.erased@example.org", "Zoé Unmistakable"
	zoe := w.person(email, name)
	made := w.certified(zoe.ID)
	secret := w.token(zoe.ID)
	hers := origin.With(postgres.WithActor(context.Background(), "learner:"+zoe.ID), "192.0.2.77")
	w.quiet()
	if err := w.h.DB.InTx(postgres.WithActor(hers, "system"), "say", func(ctx context.Context, tx *postgres.Tx) error {
		return privacy.SayTx(ctx, tx, zoe.ID, privacy.News, true)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Certificates.PDF(system, made["certificate"]); err != nil {
		t.Fatal(err)
	}
	document := w.documents(made["order"])[0].ID
	if _, _, err := w.h.Invoicing.PDF(system, document); err != nil {
		t.Fatal(err)
	}
	self, staff := dossier.By{PersonID: zoe.ID}, dossier.By{PersonID: "per_staff", Any: true}
	in := func(ctx context.Context, work func(ctx context.Context, tx *postgres.Tx) error) error {
		return w.h.DB.InTx(postgres.WithActor(ctx, "system"), "dossier", work)
	}
	var export, erasure string
	if err := in(hers, func(ctx context.Context, tx *postgres.Tx) (err error) {
		export, err = w.h.Dossier.AskExportTx(ctx, tx, self, zoe.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	other := dossier.By{PersonID: w.person("other@example.org", "Other").ID}
	var file []byte
	if err := in(hers, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if _, err := w.h.Dossier.FileTx(ctx, tx, other, export); code(err) != "no-such-export" {
			t.Error("another learner's export:", err)
		}
		file, err = w.h.Dossier.FileTx(ctx, tx, self, export)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	files := unpacked(t, file)
	var whole map[string][]map[string]any
	if err := json.Unmarshal(files["person.json"], &whole); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"identity.people", "sales.orders", "gradebook.cells", "exams.sittings", "certificates.certificates", "journey.changes", "invoicing.documents", "payments.payments", "privacy.consents", "platform.audit"} {
		rows, err := csv.NewReader(bytes.NewReader(files["csv/"+table+".csv"])).ReadAll()
		if err != nil || len(rows) != len(whole[table])+1 || len(rows) < 2 {
			t.Errorf("%s: %d rows as JSON, %d lines as CSV, %v", table, len(whole[table]), len(rows), err)
		}
	}
	for _, paper := range []string{"documents/" + document + ".pdf", "certificates/" + made["certificate"] + ".pdf"} {
		if !bytes.HasPrefix(files[paper], []byte("%PDF")) {
			t.Error("no paper", paper, slices.Sorted(maps.Keys(files)))
		}
	}
	if strings.Contains(string(files["person.json"]), `"hash": "\\x`) && strings.Contains(string(files["csv/identity.tokens.csv"]), "hash") {
		t.Error("a secret is in the export")
	}

	owner := testkit.Owner(t, w.dsn)
	clues := w.leaveTraces(t, owner, zoe.ID, made["enrolment"], email, name)
	figures := func() any {
		t.Helper()
		f, err := analytics.FigureOf(system, w.h.DB, "comparison", analytics.Ask{AsOf: w.h.Clock.Now()})
		if err != nil || len(f.Rows) == 0 {
			t.Fatal(err, f.Rows)
		}
		return f.Rows
	}
	before := figures()
	step := func(want string, work func(ctx context.Context, tx *postgres.Tx) error) {
		t.Helper()
		if err := in(postgres.WithActor(context.Background(), "staff:per_staff"), work); code(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := in(hers, func(ctx context.Context, tx *postgres.Tx) (err error) {
		erasure, err = w.h.Dossier.AskErasureTx(ctx, tx, self, zoe.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	erase := func(ctx context.Context, tx *postgres.Tx) error { return w.h.Dossier.EraseTx(ctx, tx, erasure, zoe.ID) }
	step("erasure-decided", erase) // nobody approved it
	step("invalid-input", func(ctx context.Context, tx *postgres.Tx) error {
		return w.h.Dossier.DecideErasureTx(ctx, tx, erasure, false, " ")
	})
	step("", func(ctx context.Context, tx *postgres.Tx) error {
		return w.h.Dossier.DecideErasureTx(ctx, tx, erasure, true, "")
	})
	step("other-person", func(ctx context.Context, tx *postgres.Tx) error {
		return w.h.Dossier.EraseTx(ctx, tx, erasure, other.PersonID)
	})
	w.filesWith("42", email)
	if n := w.filesKept(); n != 6 {
		t.Errorf("%d files are kept, want 6", n)
	}
	open := w.order(zoe.ID, w.later("OPEN-1"), "open")
	step("erasure-not-yet", erase)
	if _, err := w.h.Sales.CancelOrder(system, open.ID); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	step("", erase)
	if n := w.filesKept(); n != 0 {
		t.Errorf("the bytes of %d files of her session are kept after the erasure", n)
	}
	step("erasure-decided", erase)
	step("", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := w.h.Dossier.ErasureTx(ctx, tx, staff, erasure)
		if err == nil && e.State != "done" {
			t.Error(e)
		}
		return err
	})

	if r, err := owner.Exec(`DELETE FROM jobs.queue WHERE args = jsonb_build_object('email', 'ann.' || $1::text)`, email); err != nil {
		t.Fatal(err)
	} else if n, _ := r.RowsAffected(); n != 1 {
		t.Error("the work for somebody else, whose address ends like hers, went with her")
	}
	for table, left := range everywhere(t, owner, clues...) {
		if archive[table] == "" {
			t.Errorf("%v stands in %s after the erasure: wipe it in domain/dossier, or say in archive why the law keeps it", left, table)
		}
	}
	var others, kept int
	if err := owner.QueryRow(`SELECT (SELECT count(*) FROM platform.idempotency WHERE key = 'k2') + (SELECT count(*) FROM cohorts.members WHERE student_key = 'K2')`).Scan(&others); err != nil || others != 2 {
		t.Error("what is of others went with her:", others, err)
	}
	if err := owner.QueryRow(`SELECT count(*) FROM dossier.exports WHERE person_id = $1 AND state <> 'expired'`, zoe.ID).Scan(&kept); err != nil || kept > 0 {
		t.Error("what was read of her for an export before is written after", err)
	}
	if err := owner.QueryRow(`SELECT count(*) FROM invoicing.billing WHERE order_id = 'ord_trace' AND buyer <> '{}'`).Scan(&kept); err != nil || kept > 0 {
		t.Error("billing without an invoice names her", err)
	}
	if err := owner.QueryRow(`SELECT count(*) FROM invoicing.documents x WHERE position($1 IN x.facts::text) > 0`, name).Scan(&kept); err != nil || kept == 0 {
		t.Error("the accounting archive is gone", err)
	}
	for actor, want := range map[string]bool{"staff:" + w.staffOf("sales").ID: false, "staff:" + w.staffOf("admin").ID: true, "system": true} {
		if err := w.h.DB.View(postgres.WithActor(context.Background(), actor), "archive", func(ctx context.Context, tx *postgres.Tx) error {
			var n int
			if err := tx.Get(ctx, &n, postgres.Query{Name: "archive", SQL: "select count(*) from invoicing.documents where buyer_id = $1"}, zoe.ID); err != nil || n > 0 != want {
				t.Errorf("%s reads %d documents of who was erased (%v)", actor, n, err)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	if after := figures(); !reflect.DeepEqual(before, after) {
		t.Errorf("figures changed:\n%+v\n%+v", before, after)
	}
	var badges int // a name is not found in them by looking: they are signed tokens
	if err := owner.QueryRow(`SELECT count(*) FROM badges.credentials b JOIN certificates.certificates c ON c.id = b.certificate_id WHERE c.learner_id = $1 AND b.jws <> ''`, zoe.ID).Scan(&badges); err != nil || badges > 0 {
		t.Error(badges, "badges name who was erased", err)
	}
	if _, err := w.h.Badges.Badge(system, made["code"]); code(err) != "no-such-certificate" {
		t.Error("her badge is there still:", err)
	}
	if _, err := w.h.Identity.OfBearer(system, secret); code(err) != "not-signed-in" {
		t.Error("her token still opens:", err)
	}
	if again := w.person(email, "Somebody New"); again.ID == zoe.ID {
		t.Error("her address is still hers")
	}
	w.clock.Advance(24 * time.Hour)
	people := func() (n int) {
		if err := owner.QueryRow(`SELECT count(*) FROM identity.people`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	was := people()
	w.imported(w.clock.Now(), "42,"+email+",zoe,0.6,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled")
	if now := people(); now != was {
		t.Error("a report made her anew:", was, now)
	}
	if v, err := w.h.Certificates.Verify(system, made["code"]); err != nil || v.Facts.HolderName == name || v.SHA256 == "" {
		t.Errorf("%+v %v", v, err)
	}
	w.quiet()
	w.verify()
}

// staffOf is an officer with a role.
func (w *world) staffOf(role string) identity.Person {
	p := w.person(role+"@staff.example.org", role)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.GrantRoleTx(ctx, tx, p.ID, role) })
	return p
}

func unpacked(t *testing.T, file []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err == nil {
			files[f.Name], err = io.ReadAll(r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// The night's work forgets what is older than the schedule says and nothing else, says so in the schedule and in the audit, and the chain
// holds without the addresses.
func TestTheRetentionScheduleIsApplied(t *testing.T) {
	w := newWorld(t)
	asked := origin.With(postgres.WithActor(context.Background(), "staff:per_1"), "192.0.2.78")
	put := func(key string) {
		t.Helper()
		if err := w.h.DB.InTx(asked, "put", func(ctx context.Context, tx *postgres.Tx) error { return identity.PutOrganisationTx(ctx, tx, key, key) }); err != nil {
			t.Fatal(err)
		}
	}
	put("OLD")
	w.clock.Advance(366 * 24 * time.Hour)
	put("NEW")
	for range 2 { // the second time is the same night
		if err := w.h.Dossier.AskNightly(system); err != nil {
			t.Fatal(err)
		}
	}
	w.quiet()
	owner := testkit.Owner(t, w.dsn)
	var left, noted int
	if err := owner.QueryRow(`SELECT (SELECT count(*) FROM platform.audit_origins o JOIN platform.audit a USING (seq) WHERE a.action = 'organisation.put'),
		(SELECT count(*) FROM platform.audit WHERE action = 'retention.applied' AND object = 'addresses')`).Scan(&left, &noted); err != nil || left != 1 || noted != 1 {
		t.Error(left, "addresses are left,", noted, "rows say so", err)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := dossier.ScheduleTx(ctx, tx)
		i := slices.IndexFunc(all, func(r dossier.Rule) bool { return r.Kind == "addresses" })
		if err == nil && (all[i].At == nil || all[i].Last != 1 || all[i].Total != 1) {
			t.Errorf("%+v", all[i])
		}
		return err
	})
	w.verify()
}

// Profiles and anonymised ids name people: the bytes of such a file go when the schedule says so, not a day before, with those of grades; an audit row
// says how many went. What was read of them stays, to the last row, and so do the bytes of a file that came later.
func TestRetentionWipesTheFilesOfAPlatform(t *testing.T) {
	w := newWorld(t)
	owner, walker := testkit.Owner(t, w.dsn), w.walk(w.h)
	w.filesWith("42", "zoe@example.org")
	w.anIntake("id,username,grade,Homework 1: Week 1\n42,zoe,0.5,1\n")
	staff := w.person("staff@example.org", "Staff Member")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, staff.ID, "admin")
	})
	type intake struct{ id, session, kind string }
	kept := func() (all []intake) {
		t.Helper()
		rows, err := owner.Query(`select c.id, s.key, c.kind from gradebook.collections c join catalog.sessions s on s.id = c.session_id where c.content <> '' order by c.id`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var i intake
			if err := rows.Scan(&i.id, &i.session, &i.kind); err != nil {
				t.Fatal(err)
			}
			all = append(all, i)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	night := func(days int) (noted string) {
		t.Helper()
		w.clock.Advance(time.Duration(days) * 24 * time.Hour)
		if err := w.h.Dossier.AskNightly(system); err != nil {
			t.Fatal(err)
		}
		w.quiet()
		if err := owner.QueryRow(`select coalesce(string_agg(detail::text, ' '), '') from platform.audit where action = 'retention.applied' and object = 'grade_files'`).Scan(&noted); err != nil {
			t.Fatal(err)
		}
		return noted
	}
	stands := func() string { // every row that was read of files, without the bytes
		t.Helper()
		return w.standing(owner, "gradebook", "enrolment", "journey") + w.standing(owner, "identity.external_ids")
	}
	old, before := kept(), stands()
	kinds := map[string]int{}
	for _, i := range old {
		kinds[i.kind]++
	}
	if kinds["profiles"] != 1 || kinds["anonymised_ids"] != 1 || kinds["grade_report"] != 1 {
		t.Fatal("the bytes that are kept: ", kinds)
	}
	if noted := night(3*365 - 1); noted != "" || len(kept()) != len(old) {
		t.Error("a day before: ", noted, kept())
	}
	later := w.anIntake("id,username,name,email\n43,yan,Yan,yan@example.org\n")
	after := stands()
	if noted := night(2); !strings.Contains(noted, fmt.Sprintf(`"records": %d`, len(old)+1)) { // and the results of an exam
		t.Errorf("the audit says %q of %d files and one of results", noted, len(old))
	}
	if left := kept(); len(left) != 1 || left[0].id != later.ID {
		t.Error("the bytes that are kept after it: ", left)
	}
	if now := stands(); now != after || after == before {
		t.Error("the retention of bytes changed rows")
	}
	token := w.token(staff.ID)
	for _, i := range append(old, intake{later.ID, w.session.Key, "profiles"}) {
		r := walker.Example("downloadIntake")
		r.Token, r.Path = token, map[string]string{"session": i.session, "intake": i.id}
		want := 404
		if i.id == later.ID {
			want = 200
		}
		if got := walker.Do(t, r); got.Status != want || want == 404 && !strings.Contains(string(got.Body), "file-not-kept") {
			t.Errorf("the file of %s: %d %.200s", i.kind, got.Status, got.Body)
		}
	}
	w.verify()
}

// standing is all that stands in tables, or in all tables of schemas, without the bytes of files.
func (w *world) standing(owner *sql.DB, names ...string) (all string) {
	w.t.Helper()
	var tables []string
	for _, name := range names {
		var some pq.StringArray
		if err := owner.QueryRow(`select array_agg(schemaname || '.' || tablename order by schemaname, tablename) from (select schemaname, tablename from pg_tables where $1::text in (schemaname, schemaname || '.' || tablename)) x`, name).Scan(&some); err != nil {
			w.t.Fatal(err)
		}
		tables = append(tables, some...)
	}
	if len(tables) < len(names) {
		w.t.Fatal("the tables of ", names, " are ", tables)
	}
	for _, table := range tables {
		var rows string
		if err := owner.QueryRow(`select coalesce(string_agg(r, E'\n' order by r), '') from (select (to_jsonb(t) - 'content')::text as r from ` + table + ` t) x`).Scan(&rows); err != nil {
			w.t.Fatal(table, err)
		}
		all += table + "\n" + rows + "\n"
	}
	return all
}

// A learner has her export made in two clicks and asks to be erased; an administrator approves it and carries it out by naming her again;
// she is signed out by that. Who may not look after privacy sees no page of it.
func TestPagesOfPrivacy(t *testing.T) {
	w, mails := newSite(t)
	zoe := w.signedIn(t, mails, "zoe@example.org")
	id := w.person("zoe@example.org", "").ID
	press := func(d *desk, page, field, do string, fill func(*filled)) {
		t.Helper()
		d.open(page)
		f := d.formWith(page, field)
		if fill != nil {
			fill(f)
		}
		f.press("do", do)
	}
	press(zoe, "/privacy", "do-consents", "consents", func(f *filled) { f.tick("news", "1") })
	press(zoe, "/privacy", "do-export", "export", nil)
	w.quiet()
	zoe.open("/privacy")
	zoe.says("Fetch the file", "Which mails I get")
	if !w.inMails("zoe@example.org", "all that is kept of you", "/privacy") || w.inMails("/privacy/exports/") {
		t.Error("no mail says that her export is ready, or one leads past the sign-in")
	}
	zoe.open("/preferences")
	zoe.says("all that is kept of me")
	zoe.open("/privacy")
	press(zoe, "/privacy", "do-erase", "erase", func(f *filled) { f.tick("sure", "1") })
	zoe.says("asked")
	admin := w.newDesk(t, mails, "admin@example.org")
	var request string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := dossier.OpenErasureTx(ctx, tx, id)
		request = e.ID
		return err
	})
	press(admin, "/console/privacy", "note-"+request, "approve", nil)
	press(admin, "/console/privacy", "person-"+request, "erase", func(f *filled) { f.set("person", "per_somebody"); admin.want = 422 })
	press(admin, "/console/privacy", "person-"+request, "erase", func(f *filled) { f.set("person", id) })
	admin.says("done", "Network addresses")
	press(admin, "/console/privacy", "days-guesses", "retention", func(f *filled) { f.set("days", "100"); admin.want = 400 })
	press(admin, "/console/privacy", "days-guesses", "retention", func(f *filled) { f.set("days", "14") })
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		r, err := dossier.RuleTx(ctx, tx, "guesses")
		if r.Days != 14 || r.Version != 2 {
			t.Errorf("%+v", r)
		}
		return err
	})
	zoe.open("/privacy")
	if zoe.at != "/sign-in" {
		t.Error("who was erased is still signed in:", zoe.at)
	}
	sales := w.newDeskOf(t, mails, "sales@example.org", "sales")
	sales.want = 403
	sales.open("/console/privacy")
	w.verify()
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		var id string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			if _, err = w.h.Dossier.AskErasureTx(ctx, tx, dossier.By{Any: true}, staff); err == nil {
				id, err = w.h.Dossier.AskExportTx(ctx, tx, dossier.By{Any: true}, staff)
			}
			return err
		})
		w.quiet()
		return map[string]string{"/privacy/exports/:id.zip": "/privacy/exports/" + id + ".zip"}
	})
}

// whileNoExportEnds keeps every export of a person from being made until it is let free, however fast the worker is: one of the tables that it reads is held.
func (w *world) whileNoExportEnds(ask func() map[string]any) (asked map[string]any, free func()) {
	w.t.Helper()
	owner, err := sql.Open("postgres", w.dsn)
	if err != nil {
		w.t.Fatal(err)
	}
	tx, err := owner.Begin()
	if err == nil {
		_, err = tx.Exec("lock table workshops.productions in access exclusive mode")
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return ask(), func() {
		if err := errors.Join(tx.Rollback(), owner.Close()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// privacyStory answers every operation about what is kept of people: a learner agrees and takes it back, has her file made, asks to be erased,
// thinks again and asks anew; staff refuse, approve, and carry it out; another learner sees none of it.
func (w *world) privacyStory(t *testing.T, walker *apitest.Walker, staff, stranger string) {
	t.Helper()
	leaver := w.person("leaver@example.org", "Lea Leaver")
	her := &asker{t: t, w: walker, token: w.token(leaver.ID)}
	other, officer := &asker{t: t, w: walker, token: stranger}, &asker{t: t, w: walker, token: staff}
	consents := her.ask(200, "listConsents", nil, nil)["consents"].([]any)
	text := consents[0].(map[string]any)["text"].(string)
	news := map[string]string{"purpose": "news"}
	her.ask(409, "giveConsent", news, map[string]any{"text": "1999-01"})
	if c := her.ask(200, "giveConsent", news, map[string]any{"text": text}); c["given"] != true || c["said_at"] == nil {
		t.Error(c)
	}
	her.ask(204, "withdrawConsent", news, nil)
	her.ask(204, "withdrawConsent", news, nil)
	if c := her.ask(200, "listConsents", nil, nil)["consents"].([]any)[0].(map[string]any); c["given"] != false || c["said_at"] == nil {
		t.Error(c)
	}

	asked, free := w.whileNoExportEnds(func() map[string]any { return her.ask(202, "requestMyExport", nil, nil) })
	if again := officer.ask(202, "requestExport", map[string]string{"person": leaver.ID}, nil); again["id"] != asked["id"] || again["state"] != "pending" {
		t.Error(asked, again)
	}
	export := map[string]string{"export": asked["id"].(string)}
	her.ask(409, "downloadExport", export, nil)
	free()
	w.quiet()
	if e := her.ask(200, "getExport", export, nil); e["state"] != "ready" || e["done"] != e["total"] || e["sha256"] == nil {
		t.Error(e)
	}
	other.ask(404, "getExport", export, nil)
	other.ask(404, "downloadExport", export, nil)
	officer.ask(404, "requestExport", map[string]string{"person": "per_01kb5t8kz9e0qv4m3r2x7nwhjd"}, nil)
	r := walker.Example("downloadExport")
	r.Token, r.Path = her.token, export
	if a := walker.Do(t, r); a.Status != 200 || unpacked(t, a.Body)["person.json"] == nil {
		t.Error(a.Status)
	}

	request := func() map[string]string {
		return map[string]string{"erasure": her.ask(201, "requestErasure", nil, nil)["id"].(string)}
	}
	first := request()
	if again := request(); again["erasure"] != first["erasure"] {
		t.Error(first, again)
	}
	other.ask(404, "getErasure", first, nil)
	other.ask(404, "withdrawErasure", first, nil)
	her.ask(204, "withdrawErasure", first, nil)
	officer.ask(409, "decideErasure", first, map[string]any{"approve": true})
	second := request()
	officer.ask(400, "decideErasure", second, map[string]any{"approve": false})
	if e := officer.ask(200, "decideErasure", second, map[string]any{"approve": false, "note": "A dispute is before a court."}); e["state"] != "refused" {
		t.Error(e)
	}
	her.ask(409, "withdrawErasure", second, nil)
	third, of := request(), map[string]any{"person": leaver.ID}
	officer.ask(409, "carryOutErasure", third, of)
	officer.ask(200, "decideErasure", third, map[string]any{"approve": true})
	officer.ask(422, "carryOutErasure", third, map[string]any{"person": "per_01kb5t8kz9e0qv4m3r2x7nwhjd"})
	her.ask(200, "getErasure", third, nil)
	if all := officer.ask(200, "listErasures", nil, nil, query("state=approved"))["erasures"].([]any); len(all) != 1 || all[0].(map[string]any)["id"] != third["erasure"] {
		t.Error(all)
	}
	if e := officer.ask(200, "carryOutErasure", third, of); e["state"] != "done" || e["done_at"] == nil {
		t.Error(e)
	}
	her.ask(401, "getErasure", third, nil)

	addresses := map[string]string{"records": "addresses"}
	if all := officer.ask(200, "listRetention", nil, nil)["rules"].([]any); len(all) < 10 {
		t.Error(all)
	}
	rule := walker.Example("getRetentionRule")
	rule.Token, rule.Path = staff, addresses
	read := walker.Do(t, rule)
	over := func(tag string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set("If-Match", tag) }
	}
	officer.ask(400, "putRetentionRule", addresses, map[string]any{"days": 4000}, over("*"))
	if x := officer.ask(200, "putRetentionRule", addresses, map[string]any{"days": 180}, over(read.Header.Get("ETag"))); x["days"] != 180.0 {
		t.Error(x)
	}
	officer.ask(412, "putRetentionRule", addresses, map[string]any{"days": 90}, over(read.Header.Get("ETag")))
	officer.ask(404, "getRetentionRule", map[string]string{"records": "nothing"}, nil)
	maps.Copy(walker.Values, map[string]string{"export": export["export"], "erasure": second["erasure"], "records": "addresses", "purpose": "news"})
}

// Between the asking for what is asked for already and the answer that names it, somebody ends it: the worker an export, she herself or staff a
// request to be erased. One waits for the other, and no answer says that it is not there, or that something broke.
func TestWhatIsAskedAgainWhileItEnds(t *testing.T) {
	w := newWorld(t)
	owner, walker := testkit.Owner(t, w.dsn), w.walk(w.h)
	zoe := w.person("zoe@example.org", "Zoé")
	her := &asker{t: t, w: walker, token: w.token(zoe.ID)}
	execute := func(statement string) {
		t.Helper()
		if _, err := owner.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	waits := func(what string, n int) { // for a lock
		t.Helper()
		w.until(what, func() bool {
			var waiting int
			err := owner.QueryRow(`select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`).Scan(&waiting)
			return err == nil && waiting >= n
		})
	}
	// Whoever asks stands still after her statement, whatever it did, while somebody holds the hook.
	execute(`create function public.stand_still() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(4711); return null; end $$`)
	for _, table := range []string{"dossier.exports", "dossier.erasures"} {
		execute(`create trigger stand_still after insert on ` + table + ` for each statement execute function public.stand_still()`)
	}
	race := func(ask, end func()) {
		t.Helper()
		hook, err := owner.Begin()
		if err == nil {
			_, err = hook.Exec("select pg_advisory_xact_lock(4711)")
		}
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(ask)
		waits("she stands at the hook", 1)
		both.Go(end)
		ended := make(chan struct{})
		go func() { both.Wait(); close(ended) }()
		w.until("who ends it is done, or waits for her", func() bool {
			var waiting int
			err := owner.QueryRow(`select (select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')
				+ (select count(*) from dossier.erasures where state = 'withdrawn') + (select count(*) from dossier.exports where state = 'ready')`).Scan(&waiting)
			return err == nil && waiting >= 2
		})
		if err := hook.Rollback(); err != nil {
			t.Fatal(err)
		}
		<-ended
	}

	first := her.ask(201, "requestErasure", nil, nil)["id"].(string)
	var again map[string]any
	race(func() { again = her.ask(201, "requestErasure", nil, nil) }, func() {
		(&asker{t: t, w: w.walk(w.h), token: her.token}).ask(204, "withdrawErasure", map[string]string{"erasure": first}, nil)
	})
	if again["id"] != first || again["state"] != "asked" {
		t.Errorf("%v, while %s was open", again, first)
	}
	if third := her.ask(201, "requestErasure", nil, nil)["id"]; third == first {
		t.Error("what was taken back is open again")
	}

	asked, free := w.whileNoExportEnds(func() map[string]any { return her.ask(202, "requestMyExport", nil, nil) })
	race(func() { again = her.ask(202, "requestMyExport", nil, nil) }, func() { free() })
	if again["id"] != asked["id"] || again["state"] != "pending" {
		t.Errorf("%v, while %v was made", again, asked)
	}
	w.until("the export is ready", func() bool {
		return her.ask(200, "getExport", map[string]string{"export": asked["id"].(string)}, nil)["state"] == "ready"
	})

	// And the other way round: who asks comes while it is being ended, and waits.
	second := her.ask(201, "requestErasure", nil, nil)["id"].(string)
	ending, err := owner.Begin()
	if err == nil {
		_, err = ending.Exec("update dossier.erasures set state = 'withdrawn' where id = $1", second)
	}
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Go(func() { again = her.ask(201, "requestErasure", nil, nil) })
	waits("she waits for what ends", 1)
	if err := ending.Commit(); err != nil {
		t.Fatal(err)
	}
	if both.Wait(); again["id"] == second || again["state"] != "asked" {
		t.Errorf("%v, where %s was over", again, second)
	}
	w.verify()
}
