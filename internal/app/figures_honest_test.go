package app_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// A figure is open where a session that it is of is open, and not because any session of the house is; a program in which nobody started says so
// instead of drawing nothing; and whether anything came through a sandbox is of the time that is asked for, so that both times have one answer for ever.
func TestAFigureSaysWhatIsTrueOfItselfAlone(t *testing.T) {
	w := newWorld(t)
	over, running, unsold := w.program("OVER", nil, money.Of(9_000, "EUR"), nil, 100, 100), w.program("RUNNING", nil, money.Of(9_000, "EUR"), nil, 100, 100), w.program("UNSOLD", nil, money.Of(9_000, "EUR"), nil, 100, 100)
	before := w.clock.Now()
	figure := func(id string, at time.Time, params map[string]string) analytics.Figure {
		t.Helper()
		f, err := analytics.FigureOf(system, w.h.DB, id, analytics.Ask{AsOf: at, KnownAt: at, Params: params})
		if err != nil {
			t.Fatal(id, err)
		}
		return f
	}
	asked := []struct {
		id     string
		params map[string]string
	}{
		{"outcome_cube", nil}, {"certificate_lists", nil}, {"waterfall", nil}, {"price_points", map[string]string{"session": w.session.Key}}, {"qualifying", map[string]string{"sessions": w.session.Key}},
		{"program_earnings", map[string]string{"program": "RUNNING"}},
	}
	sandboxed := func(at time.Time, want bool) {
		t.Helper()
		for _, a := range asked {
			if f := figure(a.id, at, a.params); f.Demo != want {
				t.Errorf("%s as of %s: sold through a sandbox is %t", a.id, at, f.Demo)
			}
		}
	}
	sandboxed(before, false)
	w.clock.Advance(time.Hour)
	buyer := w.person("buyer@example.org", "Buyer")
	for key, e := range map[string]edition{"over": over, "running": running} {
		o := w.order(buyer.ID, e.offer, key)
		w.pay(o, visa)
		w.becomes(o, sales.Paid)
	}
	o := w.order(buyer.ID, w.paid, "alone")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	w.quiet()
	w.clock.Advance(time.Hour)
	sandboxed(before, false)
	sandboxed(w.clock.Now(), true)

	owner, err := sql.Open("postgres", w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = owner.Close() }()
	if _, err := owner.Exec("update catalog.sessions set starts_at = $1, ends_at = $2 where key like 'OVER-%'", before.AddDate(0, 0, -30), before.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for program, open := range map[string]bool{"OVER": false, "RUNNING": true, "UNSOLD": false} {
		for _, id := range []string{"program_earnings", "program_learners"} {
			f := figure(id, time.Time{}, map[string]string{"program": program})
			if f.Open != open || slices.ContainsFunc(f.Rows, func(r analytics.Row) bool { return r.Open != open }) {
				t.Errorf("%s of %s: open is %t %v", id, program, f.Open, f.Rows)
			}
		}
	}
	if f := figure("outcome_cube", time.Time{}, map[string]string{"by": "program"}); !f.Open {
		t.Error("learners of open sessions are in the cube, and it is not open")
	}

	for program, e := range map[string]edition{"OVER": over, "UNSOLD": unsold} {
		var d analytics.Dashboard
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			d, err = analytics.DashboardTx(ctx, tx, analytics.OfProgram, program, time.Time{})
			return err
		})
		if !slices.Equal(d.Silent, []string{e.Key}) || len(d.Panels) != 2 {
			t.Errorf("nobody started in %s: %+v", e.Key, d)
		}
	}
}
