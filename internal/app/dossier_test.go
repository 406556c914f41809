package app_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/dossier"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/origin"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// notOfPeople are the tables that the export of a person leaves out, each with the reason. A new table is here or has its statement in
// domain/dossier/export.sql; one in which something stands of a person is wiped in erase.sql too, or is part of what may stay.
var notOfPeople = map[string]string{
	"accounting.agreements": "of schools", "accounting.chart": "of accounts", "accounting.differences": "of payments that are exported", "accounting.runs": "of nights", "accounting.settlements": "of schools",
	"badges.credentials": "the certificate again, signed; the certificate is exported", "badges.keys": "of the house",
	"catalog.charters": "of the catalogue", "catalog.collection_versions": "of the catalogue", "catalog.collections": "of the catalogue", "catalog.conformance": "of the catalogue", "catalog.course_versions": "of the catalogue",
	"catalog.courses": "of the catalogue", "catalog.exercises": "of the catalogue", "catalog.moves": "of the catalogue", "catalog.session_versions": "of the catalogue", "catalog.sessions": "of the catalogue",
	"certificates.documents": "the papers themselves are in the file", "cohorts.cohorts": "of schools", "dossier.runs": "of nights",
	"exams.exams": "of sessions", "exams.slots": "of exams",
	"gradebook.collections": "files of whole sessions; her cells are exported", "gradebook.columns": "of sessions", "gradebook.rejected_rows": "lines and codes",
	"identity.clients": "of systems", "identity.keys": "of systems", "identity.organisations": "of schools", "identity.logout_tokens": "hashes of ids, for minutes", "identity.providers": "of the house", "identity.salt": "of the house",
	"invoicing.files": "the papers themselves are in the file", "invoicing.issuers": "of the house", "invoicing.regimes": "of the house", "invoicing.sellers": "of the house", "invoicing.series": "of the house",
	"jobs.queue": "work that is done within minutes", "journey.stages": "of the house", "ledger.transactions": "her entries are exported",
	"lms.comparisons": "of sessions", "lms.modes": "of platforms", "lms.platforms": "of platforms", "lms.secrets": "of platforms",
	"offers.codes": "of offers", "offers.formulas": "of offers", "offers.offers": "of offers", "offers.plans": "of offers", "offers.prices": "of offers", "offers.voucher_amounts": "of offers", "offers.vouchers": "of offers",
	"outreach.campaigns": "of mailings", "outreach.dead_addresses": "hashes of addresses that take no mail", "outreach.pace": "of the house", "outreach.weekly": "of sessions",
	"payments.events": "the provider's words on payments that are exported", "platform.audit_head": "of the chain", "platform.audit_origins": "exported with the audit", "platform.audit_said": "empty between transactions",
	"programs.edition_sessions": "of programs", "programs.editions": "of programs", "programs.programs": "of programs", "programs.version_courses": "of programs", "programs.versions": "of programs",
	"public.goose_db_version": "of the schema", "uploads.contents": "files of whole cohorts; her row is exported", "uploads.uploads": "of schools",
	"webhooks.attempts": "of systems", "webhooks.deliveries": "of systems", "webhooks.endpoints": "of systems", "webhooks.events": "no name and no address is in an event; what it tells of is exported", "webhooks.secrets": "of systems",
	"workshops.costings": "of days", "workshops.days": "of days",
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

	figures := func() any {
		t.Helper()
		c, err := analytics.Compare(system, w.h.DB, w.h.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c
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
	open := w.order(zoe.ID, w.later("OPEN-1"), "open")
	step("erasure-not-yet", erase)
	if _, err := w.h.Sales.CancelOrder(system, open.ID); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	step("", erase)
	step("erasure-decided", erase)
	step("", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := w.h.Dossier.ErasureTx(ctx, tx, staff, erasure)
		if err == nil && e.State != "done" {
			t.Error(e)
		}
		return err
	})

	owner := testkit.Owner(t, w.dsn)
	archive := []string{"invoicing.documents", "invoicing.files", "invoicing.billing", "sales.withdrawals"}
	tables := append(dossier.Tables(), slices.Collect(maps.Keys(notOfPeople))...)
	for _, table := range tables {
		if slices.Contains(archive, table) {
			continue
		}
		for _, clue := range []string{email, name, "192.0.2.77"} {
			var n int
			if err := owner.QueryRow(`SELECT count(*) FROM `+table+` x WHERE position($1 IN x::text) > 0 OR position(encode(convert_to($1, 'UTF8'), 'hex') IN x::text) > 0`, clue).Scan(&n); err != nil || n > 0 {
				t.Errorf("%q stands in %d rows of %s (%v)", clue, n, table, err)
			}
		}
	}
	var kept int
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
	zoe.says("Fetch the file")
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
