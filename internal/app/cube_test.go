package app_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// cubeAddsUp holds the cube of learners and money against the two books, along every set of dimensions, and against what is told of each movement by
// the rooms in which it came about; what is written until now is summed up for the next time.
func (w *world) cubeAddsUp() {
	w.t.Helper()
	w.cubeHolds()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		book := w.rowsOf(ctx, tx, `select t.currency || ' ' || concat_ws(' ', -coalesce(sum(e.minor) filter (where e.account = 'revenue'), 0), coalesce(sum(e.minor) filter (where e.account = 'refunds'), 0),
			       coalesce(sum(e.minor) filter (where e.account = 'disputes'), 0), coalesce(sum(e.minor) filter (where e.account like 'cost:fee%'), 0), coalesce(sum(e.minor) filter (where e.account like 'cost:%' and e.account not like 'cost:fee%'), 0))
			  from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
			 where e.account in ('revenue', 'refunds', 'disputes') or e.account like 'cost:%' group by t.currency order by t.currency`)
		sessions, err := catalog.SessionsTx(ctx, tx)
		if err != nil {
			return err
		}
		var people journey.Counts
		for _, s := range sessions {
			n, err := journey.CountsTx(ctx, tx, journey.Question{SessionID: s.ID})
			if err != nil {
				return err
			}
			people = people.Plus(n)
		}
		paying := w.rowsOf(ctx, tx, "select count(*)::text from journey.enrolments where reached & 4097 = 4097")
		for subset := range 1 << len(analytics.Dimensions) {
			var by []string
			for i, d := range analytics.Dimensions {
				if subset&(1<<i) != 0 {
					by = append(by, d)
				}
			}
			cells, err := analytics.CubeTx(ctx, tx, analytics.CubeQuestion{By: by})
			if err != nil {
				return err
			}
			sums, counted, pay := map[string][5]int64{}, journey.Counts{}, int64(0)
			for _, c := range cells {
				counted, pay = counted.Plus(c.Counts), pay+c.Paying
				if c.Currency != "" {
					sums[string(c.Currency)] = plus(sums[string(c.Currency)], amountsOf(c))
				}
			}
			var said []string
			for _, c := range slices.Sorted(maps.Keys(sums)) {
				said = append(said, c+" "+strings.Trim(fmt.Sprint(sums[c]), "[]"))
			}
			if got := strings.Join(said, "; "); got != strings.Join(book, "; ") || counted != people || fmt.Sprint(pay) != paying[0] {
				w.t.Errorf("along %v: %s of %+v (%d), the books have %s of %+v (%s)", by, got, counted, pay, book, people, paying[0])
			}
		}
		return nil
	})
}

// cubeHolds holds each cell of the cube, along all dimensions at once, against the entries of the ledger with what the rooms say of each: from which
// session, offer, program, buyer, desk and country its money came. A movement that is posted without what it belongs to, or a dimension that is not read,
// is in a cell in which it should not be, though the sums are right. It holds the sums against all that was written, too, now and earlier.
func (w *world) cubeHolds() {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		cells, err := analytics.CubeTx(ctx, tx, analytics.CubeQuestion{By: analytics.Dimensions})
		if err != nil {
			return err
		}
		got := map[string][5]int64{}
		for _, c := range cells {
			if key := strings.Join([]string{c.Month, c.Session, c.Offer, c.Program, c.Partner, c.Country, string(c.Currency)}, "|"); amountsOf(c) != [5]int64{} {
				got[key] = plus(got[key], amountsOf(c))
			}
		}
		want := w.saidOf(ctx, tx)
		for key := range want {
			if want[key] == [5]int64{} {
				delete(want, key)
			}
		}
		if !maps.Equal(got, want) {
			for _, key := range slices.Sorted(maps.Keys(got)) {
				if got[key] != want[key] {
					w.t.Errorf("the cube has %v in %s, what was told is %v", got[key], key, want[key])
				}
			}
			for _, key := range slices.Sorted(maps.Keys(want)) {
				if _, there := got[key]; !there {
					w.t.Errorf("the cube has nothing in %s, what was told is %v", key, want[key])
				}
			}
		}
		for _, asOf := range []time.Time{{}, tx.Now().Add(-time.Hour), tx.Now().AddDate(0, 0, -10)} {
			var said [2][]analytics.CubeCell
			for i, knownAt := range []time.Time{{}, tx.Now()} {
				if said[i], err = analytics.CubeTx(ctx, tx, analytics.CubeQuestion{By: append([]string{"edition"}, analytics.Dimensions...), AsOf: asOf, KnownAt: knownAt}); err != nil {
					return err
				}
			}
			if !slices.Equal(said[0], said[1]) {
				w.t.Errorf("of %s the sums say %+v, the history %+v", asOf, said[0], said[1])
			}
		}
		return nil
	})
	if _, err := analytics.SumUp(context.Background(), w.h.DB); err != nil {
		w.t.Fatal(err)
	}
}

func amountsOf(c analytics.CubeCell) [5]int64 {
	return [5]int64{c.Gross, c.Refunds, c.Disputes, c.Fees, c.Costs}
}

func plus(a, b [5]int64) [5]int64 {
	for i := range a {
		a[i] += b[i]
	}
	return a
}

func (w *world) rowsOf(ctx context.Context, tx *postgres.Tx, sql string) (all []string) {
	w.t.Helper()
	if err := tx.Select(ctx, &all, postgres.Query{Name: "test", SQL: sql}); err != nil {
		w.t.Fatal(err)
	}
	return all
}

// saidOf is what each movement of the ledger is of, by what the rooms say: the enrolment's session and first month, and of the order with which it was
// bought last (a paid one before others) the offer, the program, who ordered or took the money, and the country of the invoice; of an order without an
// enrolment, its own.
func (w *world) saidOf(ctx context.Context, tx *postgres.Tx) map[string][5]int64 {
	w.t.Helper()
	one := func(sql string) map[string]string {
		out := map[string]string{}
		for _, row := range w.rowsOf(ctx, tx, sql) {
			k, v, _ := strings.Cut(row, "|")
			out[k] = cmp.Or(out[k], v) // the first counts
		}
		return out
	}
	session := one(`select j.enrolment_id || '|' || s.key from journey.enrolments j join catalog.sessions s on s.id = j.session_id`)
	month := one(`select c.enrolment_id || '|' || to_char(min(c.at) at time zone 'UTC', 'YYYY-MM')
		  from (select distinct on (enrolment_id, at) enrolment_id, at, reached from journey.changes where stage = 'enrolled' order by enrolment_id, at, seq desc) c
		 where c.reached group by c.enrolment_id`) // who left in the instant in which she came never was there
	grant := one(`select enrolment_id || '|' || order_id from enrolment.grants where order_id is not null order by enrolment_id, qualifying desc, granted_at desc, id desc`)
	paid := one(`select id || '|' || to_char(paid_at at time zone 'UTC', 'YYYY-MM') from sales.orders where paid_at is not null`)
	organisation := one(`select id || '|' || organisation from sales.orders where organisation is not null`)
	desk := one(`select order_id || '|' || organisation from payments.receipts where order_id is not null and organisation is not null order by id`)
	country := one(`select order_id || '|' || coalesce(buyer -> 'address' ->> 'country', '') from invoicing.billing`)
	offer := one(`select p.order_id || ' ' || p.enrolment_id || '|' || l.offer_id from sales.parts p join sales.lines l on l.order_id = p.order_id and l.line = p.line where p.enrolment_id is not null order by l.line`)
	first := one(`select order_id || '|' || offer_id from sales.lines where line = 1`)
	program := one(`select f.id || '|' || p.key from offers.offers f join programs.editions e on e.id = f.edition_id join programs.programs p on p.id = e.program_id`)
	out := map[string][5]int64{}
	for _, row := range w.rowsOf(ctx, tx, `select concat_ws('|', t.currency, e.account, e.minor, e.order_id, e.enrolment_id) from (
			select transaction_id, account, minor, coalesce(order_id, '') as order_id, coalesce(enrolment_id, '') as enrolment_id from ledger.entries) e
			join ledger.transactions t on t.id = e.transaction_id where e.account in ('revenue', 'refunds', 'disputes') or e.account like 'cost:%'`) {
		f := strings.Split(row, "|")
		var minor int64
		if _, err := fmt.Sscan(f[2], &minor); err != nil {
			w.t.Fatal(row, err)
		}
		account, order, enrolment := f[1], f[3], f[4]
		key := []string{paid[order], "", first[order]}
		if enrolment != "" {
			order = grant[enrolment]
			key = []string{month[enrolment], session[enrolment], offer[order+" "+enrolment]}
		}
		key = append(key, program[key[2]], cmp.Or(organisation[order], desk[order]), country[order], f[0])
		amounts := [5]int64{}
		switch {
		case account == "revenue":
			amounts[0] = -minor
		case account == "refunds":
			amounts[1] = minor
		case account == "disputes":
			amounts[2] = minor
		case strings.HasPrefix(account, "cost:fee"):
			amounts[3] = minor
		default:
			amounts[4] = minor
		}
		out[strings.Join(key, "|")] = plus(out[strings.Join(key, "|")], amounts)
	}
	return out
}

// figure answers a figure of money, a line for each row: the first cell, then the amounts.
func (w *world) figure(id string, with map[string]string) (f analytics.Figure, said []string) {
	w.t.Helper()
	f, err := analytics.FigureOf(system, w.h.DB, id, analytics.Ask{Params: with})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range f.Rows {
		line := r.Cells[0].Text
		for _, c := range r.Cells {
			if c.Amount != nil {
				line += fmt.Sprint(" ", c.Amount.Minor)
			}
		}
		said = append(said, line)
	}
	return f, said
}
