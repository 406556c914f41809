package sales_test

import (
	"io/fs"
	"strings"
	"testing"

	"cursus/internal/domain/sales"
	"cursus/internal/testkit"
	"cursus/migrations"
)

// What was ordered before orders had lines has one line each now, and parts that sum to it, whatever became of it.
func TestOrdersOfOneOfferGetTheirLine(t *testing.T) {
	owner := testkit.Owner(t, testkit.OwnerDSN(t))
	owner.SetMaxOpenConns(1)
	exec := func(sql string) {
		t.Helper()
		if _, err := owner.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		b, err := fs.ReadFile(migrations.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	_, since, _ := strings.Cut(read("00032_edition_sales.sql"), "-- An order is for a session or for an edition")
	exec("drop schema sales cascade; set session_replication_role = replica")
	exec(read("00014_sales.sql"))
	exec("--" + since)
	exec(`insert into sales.orders (id, buyer_id, offer_id, session_id, edition_id, program_version, formula, entitlements, qualifying, total_minor, currency, credited_minor, state, lang, demo, enrolment_id, placed_at, paid_at)
		select 'ord_' || x.id, 'per_x', 'off_x', x.session, x.edition, x.version, 'QUALIFYING', '{labs}', true, x.total, 'EUR', x.credited, x.state, 'en', false, x.enrolment, now(), x.paid
		  from (values ('alone', 'ses_a', null, null::int, 15000, 4000, 'partially_refunded', 'enr_a', now()), ('free', 'ses_a', null, null, 0, 0, 'paid', 'enr_f', now()),
		               ('open', null, 'edn_a', 1, 9999, 0, 'awaiting_payment', null, null::timestamptz), ('equal', null, 'edn_a', 1, 100, 0, 'expired', null, null),
		               ('whole', null, 'edn_a', 2, 100, 10, 'partially_refunded', null, now())) as x(id, session, edition, version, total, credited, state, enrolment, paid)`)
	exec(`insert into sales.parts (order_id, position, session_id, weight, enrolment_id, sold_minor, credited_minor)
		values ('ord_open', 1, 'ses_1', 10000, null, 0, 0), ('ord_open', 2, 'ses_2', 5000, null, 0, 0), ('ord_open', 3, 'ses_3', 3700, null, 0, 0),
		       ('ord_equal', 1, 'ses_1', 0, null, 0, 0), ('ord_equal', 2, 'ses_2', 0, null, 0, 0), ('ord_equal', 3, 'ses_3', 0, null, 0, 0),
		       ('ord_whole', 1, 'ses_1', 1, 'enr_1', 60, 6), ('ord_whole', 2, 'ses_2', 1, 'enr_2', 40, 4)`)
	exec("drop index enrolment.one_membership_per_order; alter table enrolment.memberships add constraint one_membership_per_order unique (order_id)") // as it was then
	exec(read("00050_lines.sql"))
	exec("set session_replication_role = default")
	var got string
	if err := owner.QueryRow(`select string_agg(concat_ws(' ', p.order_id, l.line, l.list_minor, l.credited_minor, p.position, p.session_id, p.sold_minor, p.credited_minor, p.enrolment_id, o.way), ', ' order by p.order_id, p.position)
		from sales.orders o join sales.lines l on l.order_id = o.id join sales.parts p on p.order_id = o.id and p.line = l.line`).Scan(&got); err != nil {
		t.Fatal(err)
	}
	want := "ord_alone 1 15000 4000 1 ses_a 15000 4000 enr_a card, ord_equal 1 100 0 1 ses_1 34 0 card, ord_equal 1 100 0 2 ses_2 33 0 card, ord_equal 1 100 0 3 ses_3 33 0 card, " +
		"ord_free 1 0 0 1 ses_a 0 0 enr_f free, ord_open 1 9999 0 1 ses_1 5347 0 card, ord_open 1 9999 0 2 ses_2 2674 0 card, ord_open 1 9999 0 3 ses_3 1978 0 card, " +
		"ord_whole 1 100 10 1 ses_1 60 6 enr_1 card, ord_whole 1 100 10 2 ses_2 40 4 enr_2 card"
	if got != want {
		t.Errorf("\n%s\n%s", got, want)
	}
	for _, c := range sales.Checks() {
		if c.Query.Name != "sales.CheckPartsSum" {
			continue
		}
		rows, err := owner.Query(c.Query.SQL)
		if err != nil || rows.Next() {
			t.Error(c.Name, err)
		}
		_ = rows.Close()
	}
}
