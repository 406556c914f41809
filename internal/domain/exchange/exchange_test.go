package exchange_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exchange"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var staff = postgres.WithActor(context.Background(), "staff:per_1")

func flirt(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile("../../demo/flirt.json")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func export(t testing.TB, db *postgres.DB) (d exchange.Document, raw []byte) {
	t.Helper()
	err := db.View(staff, "export", func(ctx context.Context, tx *postgres.Tx) (err error) {
		var left []string
		if d, left, err = exchange.ExportTx(ctx, tx, "FLIRT"); len(left) > 0 {
			t.Errorf("left out: %v", left)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = d.JSON(); err != nil {
		t.Fatal(err)
	}
	return d, raw
}

func take(t testing.TB, db *postgres.DB, raw []byte, dryRun bool) exchange.Result {
	t.Helper()
	r, err := exchange.Import(staff, db, raw, dryRun)
	if err != nil {
		for _, f := range fault.From(err).Fields {
			t.Error(f)
		}
		t.Fatal(err)
	}
	return r
}

// What goes out comes in again, as JSON and as tables: the same bytes out of an empty house. The same file again changes nothing.
func TestRoundTrip(t *testing.T) {
	db := testkit.DB(t)
	take(t, db, flirt(t), false)
	d, first := export(t, db)
	if os.Getenv("CURSUS_UPDATE") != "" {
		if err := os.WriteFile("../../demo/flirt.json", first, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := d.CSV()
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"json": first, "csv": tables} {
		other := testkit.DB(t)
		if r := take(t, other, raw, true); r.Same || !r.DryRun {
			t.Errorf("%s: a dry run says %+v", name, r)
		}
		take(t, other, raw, false)
		if _, again := export(t, other); !bytes.Equal(first, again) {
			t.Errorf("%s: it came out as something else\n%s", name, difference(first, again))
		}
		if r := take(t, other, raw, false); !r.Same {
			t.Errorf("%s: the same file again: %+v", name, r)
		}
	}
}

// Prices come and go on an offer that stays the one that was sold: the file that has another early bird archives the old one.
func TestPricesOfAnOfferThatStands(t *testing.T) {
	db := testkit.DB(t)
	take(t, db, flirt(t), false)
	d, _ := export(t, db)
	first := 20
	with := func(prices ...exchange.Price) exchange.Result {
		t.Helper()
		d.Offers[1].Prices = prices
		raw, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		r := take(t, db, raw, false)
		if now, _ := export(t, db); len(now.Offers[1].Prices) != len(prices) || len(now.Offers) != len(d.Offers) {
			t.Errorf("%+v", now.Offers[1])
		}
		return r
	}
	rows := func() (offer string, all []offers.Price) {
		t.Helper()
		err := db.View(staff, "prices", func(ctx context.Context, tx *postgres.Tx) error {
			some, _, err := offers.ListTx(ctx, tx, offers.Filter{On: d.Offers[1].Session + d.Offers[1].Edition, State: ""}, page.Request{Limit: 100})
			for _, o := range some {
				if o.Formula == d.Offers[1].Formula && err == nil {
					offer = o.ID
					all, err = offers.PricesTx(ctx, tx, o.ID)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return offer, all
	}
	was, _ := rows()
	early := exchange.Price{Label: catalog.Text{EN: "Early bird", FR: "Tôt inscrits"}, PriceMinor: 12_000, Currency: "EUR", EarlyUntil: &first}
	with(early, exchange.Price{PriceMinor: 98_000, Currency: "XOF"})
	later := early
	later.PriceMinor = 13_000
	with(later)
	if r := with(later); !r.Same {
		t.Errorf("the same file again: %+v", r)
	}
	is, all := rows()
	if is != was || len(all) != 3 {
		t.Errorf("%s became %s with %+v", was, is, all)
	}
	for _, p := range all {
		if p.Archived != (p.Price.Minor != 13_000) {
			t.Errorf("%+v", p)
		}
	}
	d.Offers[1].Prices = []exchange.Price{{PriceMinor: 1, Currency: "EUR", Audience: "NOBODY"}}
	raw, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	_, err = exchange.Import(staff, db, raw, true)
	if f := fault.From(err).Fields; err == nil || len(f) != 1 || f[0].Pointer != "/offers/1/prices/0" || f[0].Code == "" {
		t.Errorf("a price for an organisation that is not known: %v %+v", err, f)
	}
}

// difference shows the first lines that differ.
func difference(a, b []byte) string {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return string(bytes.Join(x[max(0, i-3):min(len(x), i+3)], []byte("\n"))) + "\n---\n" + string(bytes.Join(y[max(0, i-3):min(len(y), i+3)], []byte("\n")))
		}
	}
	return "one is longer"
}
