package app_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/labs"
	"cursus/internal/domain/lms"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/uploads"
	hooks "cursus/internal/domain/webhooks"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// personal are the tables in which a row belongs to somebody.
var personal = []string{
	"identity.people", "identity.external_ids", "identity.roles", "identity.tokens", "identity.members", "enrolment.enrolments", "enrolment.grants", "enrolment.retakes", "enrolment.memberships", "sales.orders", "sales.lines", "sales.parts",
	"invoicing.documents", "invoicing.files", "invoicing.billing", "payments.payments", "payments.refunds", "payments.disputes", "payments.events", "payments.fees", "exams.sittings", "exams.decisions", "exams.identity_checks", "exams.blocks", "exams.accommodations", "certificates.certificates", "certificates.documents", "certificates.changes", "certificates.batch_items",
	"badges.credentials", "identity.managers", "sales.seats", "sales.claim_links", "sales.transfers", "identity.clients", "identity.keys", "identity.cashiers", "identity.partner_roles", "identity.role_hints", "identity.provider_sessions",
	"outreach.recipients", "outreach.invitations", "progress.readers", "progress.digests",
	"surveys.responses", "surveys.answers", "surveys.posts",
	"exams.waiting", "exams.attempts", "exams.attempt_events", "exams.incidents", "exams.appeals", "exams.sitting_moves",
	"confidence.contacts", "confidence.coaches", "confidence.numbers",
	"exams.proctorings", "exams.proctor_launches", "exams.provider_events", "exams.provider_secrets",
	"labs.launches", "labs.events",
}

// Whatever a handler forgets, the database does not show one learner's rows to another, and the application owns no table.
func TestTheDatabaseHoldsTheWalls(t *testing.T) {
	w := newWorld(t)
	zoe, other := w.person("zoe@example.org", "Zoé"), w.person("other@example.org", "Other")
	o := w.order(zoe.ID, w.paid, "k")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	w.grades(w.clock.Now(), "1,zoe@example.org,z,0.9,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled")
	enrolled := w.state(o).Lines[0].Enrolment()
	if _, err := w.h.Exams.Book(context.Background(), exams.BookSitting{LearnerID: zoe.ID, EnrolmentID: enrolled, IdempotencyKey: "b"}); err != nil {
		t.Fatal(err)
	}
	w.pass(enrolled)
	w.quiet()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"); err != nil {
			return err
		}
		for _, role := range []string{identity.RoleManager, identity.RoleTeacher, identity.RoleCashier} {
			if err := identity.PutPartnerRoleTx(ctx, tx, "ESP", zoe.ID, role); err != nil {
				return err
			}
		}
		return identity.JoinTx(ctx, tx, "ESP", zoe.ID)
	})
	pool, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: zoe.ID, Organisation: "ESP", Items: []sales.Item{{OfferID: w.free.ID, Quantity: 2}}, IdempotencyKey: "pool"})
	if err != nil {
		t.Fatal(err)
	}
	third := w.person("third@example.org", "Third")
	if _, err := w.h.Sales.ClaimSeat(context.Background(), w.claimLink(pool, 1, 1, zoe.ID).Token, third.ID); err != nil {
		t.Fatal(err)
	}
	gift := w.order(zoe.ID, w.later("WALL-1"), "gift")
	w.pay(gift, visa)
	w.becomes(gift, sales.Paid)
	if _, err := w.h.Sales.OfferTransfer(context.Background(), gift.ID, 1, zoe.ID, "heir@example.org"); err != nil {
		t.Fatal(err)
	}
	w.nudged(zoe.ID)
	sso, err := w.h.Identity.CreateProvider(system, identity.NewProvider{Name: "SSO", Issuer: "https://sso.example.org", ClientID: "c", Secret: "s", People: identity.Everybody})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := testkit.Owner(t, w.dsn).Exec("insert into identity.role_hints values ($1, $2, 'exams', 'examiners', now())", sso, zoe.ID); err != nil {
		t.Fatal(err)
	}
	rows := func(actor, table string) (n int) {
		if err := w.h.DB.View(postgres.WithActor(context.Background(), actor), "rows", func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &n, postgres.Query{Name: table, SQL: "select count(*) from " + table})
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	own := map[string]bool{
		"identity.people": true, "identity.external_ids": true, "identity.members": true, "enrolment.enrolments": true, "enrolment.grants": true, "sales.orders": true, "sales.lines": true, "sales.parts": true,
		"invoicing.documents": true, "invoicing.files": true, "exams.sittings": true, "exams.decisions": true, "certificates.certificates": true, "certificates.documents": true, "certificates.changes": true, "badges.credentials": true,
		"identity.managers": true, "identity.cashiers": true, "identity.partner_roles": true, "identity.role_hints": true, "sales.seats": true, "sales.claim_links": true, "sales.transfers": true,
	}
	for _, table := range personal {
		if n := rows("learner:"+other.ID, table); n != 0 && (table != "identity.people" || n != 1) {
			t.Errorf("another learner sees %d rows of %s", n, table)
		}
		if n := rows("public", table); n != 0 {
			t.Errorf("the public sees %d rows of %s", n, table)
		}
		if n := rows("learner:"+zoe.ID, table); (n > 0) != own[table] {
			t.Errorf("she sees %d rows of %s", n, table)
		}
	}
	if n, links := rows("learner:"+third.ID, "sales.seats"), rows("learner:"+third.ID, "sales.claim_links"); n != 1 || links != 0 {
		t.Error("who holds a seat sees", n, "seats and", links, "links")
	}
	var unwalled []string
	if err := w.h.DB.View(system, "tables", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &unwalled, postgres.Query{Name: "tables", SQL: `
			select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
			 where c.relkind = 'r' and n.nspname || '.' || c.relname = any($1::text[]) and not c.relrowsecurity
			union all
			select tablename from pg_tables where tableowner in ('cursus_app', 'cursus_house')`}, "{"+joined(personal)+"}")
	}); err != nil || len(unwalled) > 0 {
		t.Error("without row-level security, or owned by the application:", unwalled, err)
	}
	w.verify()
}

func joined(list []string) (s string) {
	for i, x := range list {
		if i > 0 {
			s += ","
		}
		s += x
	}
	return s
}

// Numbers have no gap however many issue at once and however many of them fail, and a document cannot be changed.
func TestInvoiceNumbersHaveNoGap(t *testing.T) {
	dsn := testkit.OwnerDSN(t)
	db := testkit.Open(t, dsn, testkit.Clock())
	issuer := invoicing.Issuer{Code: "ESP", Name: "ESP"}
	var buyer identity.Person
	if err := db.InTx(system, "buyer", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if buyer, err = identity.PutPersonTx(ctx, tx, "b@example.org", "B", "en"); err != nil {
			return err
		}
		return invoicing.EnsureIssuerTx(ctx, tx, issuer)
	}); err != nil {
		t.Fatal(err)
	}
	changedMind := errors.New("changed its mind")
	var group sync.WaitGroup
	for i := range 60 {
		group.Go(func() {
			err := db.InTx(system, "invoice", func(ctx context.Context, tx *postgres.Tx) error {
				if _, err := invoicing.InvoiceTx(ctx, tx, issuer, invoicing.NewDocument{
					OrderID: fmt.Sprintf("ord_%d", i), Currency: "XOF", Buyer: invoicing.Buyer{ID: buyer.ID, Name: "B"},
					Lines: []invoicing.NewLine{{Description: "A course", Quantity: 1, UnitMinor: 100}},
				}); err != nil {
					return err
				}
				if i%3 == 0 {
					return changedMind
				}
				return nil
			})
			if err != nil && !errors.Is(err, changedMind) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	testkit.Verify(t, db, invoicing.Checks()[:3])
	var last int
	if err := db.View(system, "last", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &last, postgres.Query{Name: "last", SQL: "select max(number) from invoicing.documents where series = 'ESP-2026'"})
	}); err != nil || last != 40 {
		t.Error("the last number is", last, err)
	}
	if _, err := testkit.Owner(t, dsn).Exec("update invoicing.documents set amount_minor = 1"); err == nil {
		t.Error("even the owner changed an invoice")
	}
	err := db.InTx(system, "credit", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := invoicing.CreditTx(ctx, tx, invoicing.Credit{OrderID: "ord_never", Reference: "ref_1", Amount: money.Of(1, "XOF")})
		return err
	})
	if !errors.Is(err, invoicing.ErrNoInvoice) {
		t.Error("a credit note without an invoice:", err)
	}
}

// An order grants once; a revocation falls back to what other orders opened.
func TestGrantsAddUpAndFallBack(t *testing.T) {
	w := newWorld(t)
	p := w.person("a@example.org", "A")
	grant := func(order, formula string, qualifying bool, entitlements ...string) (id string, err error) {
		err = w.h.DB.InTx(system, "grant", func(ctx context.Context, tx *postgres.Tx) (err error) {
			id, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: w.session.ID, OrderID: order, Formula: formula, Entitlements: entitlements, Qualifying: qualifying})
			return err
		})
		return id, err
	}
	free, err := grant("ord_1", "DISCOVERY", false, "knowledge")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := grant("ord_1", "DISCOVERY", false, "knowledge"); !errors.Is(err, enrolment.ErrGranted) {
		t.Error("an order granted twice:", err)
	}
	if paid, err := grant("ord_2", "QUALIFYING", true, "knowledge", "certificate"); err != nil || paid != free {
		t.Error("an upgrade is another enrolment:", paid, err)
	}
	for _, c := range []struct {
		revoke, formula string
		revoked         bool
	}{{"ord_2", "DISCOVERY", false}, {"ord_2", "DISCOVERY", false}, {"ord_1", "", true}} {
		var e enrolment.Enrolment
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			if _, err := enrolment.RevokeTx(ctx, tx, c.revoke, "test"); err != nil {
				return err
			}
			e, err = enrolment.OneTx(ctx, tx, free)
			return err
		})
		if e.Formula != c.formula || e.Revoked != c.revoked || e.Has("certificate") {
			t.Errorf("after the revocation of %s: %+v", c.revoke, e)
		}
	}
}

var update = flag.Bool("update", false, "write docs/states.md")

// The drawings of the life cycles are made of the tables that the code obeys.
func TestStatesPageIsThatOfTheTables(t *testing.T) {
	const page = "../../docs/states.md"
	want := "# Life cycles\n\nDrawn by `make generate` from the tables that the code obeys. What no arrow allows is refused.\n\n" +
		"## Order\n\n```mermaid\n" + sales.Life.Mermaid() + "```\n\n## Sitting\n\n```mermaid\n" + exams.Life.Mermaid() + "```\n\n## Attempt at an exam\n\n```mermaid\n" + exams.AttemptLife.Mermaid() + "```\n" +
		"\n## Instalment\n\n```mermaid\n" + sales.InstalmentLife.Mermaid() + "```\n" +
		"\n## Workshop day\n\n```mermaid\n" + workshops.DayLife.Mermaid() + "```\n" +
		"\n## Lab launch\n\n```mermaid\n" + labs.LaunchLife.Mermaid() + "```\n" +
		"\n## Webhook delivery\n\n```mermaid\n" + hooks.DeliveryLife.Mermaid() + "```\n" +
		"\n## Member of a cohort\n\n```mermaid\n" + cohorts.Life.Mermaid() + "```\n" +
		"\n## Enrolment on a learning platform\n\n```mermaid\n" + lms.Life.Mermaid() + "```\n" +
		"\n## Upload of a roster\n\n```mermaid\n" + uploads.Life.Mermaid() + "```\n" +
		"\n## Batch of files of a platform\n\n```mermaid\n" + intakes.Life.Mermaid() + "```\n" +
		"\n## Campaign\n\n```mermaid\n" + outreach.Life.Mermaid() + "```\n" +
		"\n## Recipient of a campaign\n\n```mermaid\n" + outreach.RecipientLife.Mermaid() + "```\n" +
		"\n## Publication\n\nOf courses, sessions, programs and editions.\n\n```mermaid\n" + catalog.PublicationLife.Mermaid() + "```\n"
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("docs/states.md is stale, run make generate (%v)", err)
	}
}
