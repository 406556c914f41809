package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/accounting"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

func (w *world) sharesPosted(want int) {
	w.t.Helper()
	var n [2]int
	var both sync.WaitGroup
	for i := range n { // two workers at once
		both.Go(func() {
			var err error
			if n[i], err = w.h.Accounting.PostShares(system); err != nil {
				w.t.Error(err)
			}
		})
	}
	both.Wait()
	if n[0]+n[1] != want {
		w.t.Errorf("%v shares are posted, want %d", n, want)
	}
}

// owes is what a school owes the institute by its statement of all time; negative: it is owed.
func (w *world) owes(organisation string, c money.Currency) (s accounting.PartnerStatement) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = accounting.PartnerTx(ctx, tx, organisation, accounting.Period{From: tx.Now().AddDate(-1, 0, 0), Until: tx.Now().AddDate(1, 0, 0)}, c)
		return err
	})
	return s
}

// kept is what fees and shares are of a session in the cube, by currency.
func (w *world) kept(session string) map[money.Currency]int64 {
	w.t.Helper()
	out := map[money.Currency]int64{}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		cells, err := analytics.CubeTx(ctx, tx, analytics.CubeQuestion{By: []string{"session"}})
		for _, c := range cells {
			if c.Session == session && c.Currency != "" {
				out[c.Currency] += c.Fees
			}
		}
		return err
	})
	return out
}

// What is a school's by its agreement is a cost of what was sold, once, on the side that collects: its desk holds less for us, or the institute owes it.
// It comes with the seat that a learner takes, as the provider's fee does; it goes back with money that goes back; another agreement corrects it; and
// what the ledger has is what the statement says.
func TestSharesOfPartnersAreCosts(t *testing.T) {
	w := newWorldOf(t, stripesandbox.Fees{RatePPM: 15_000, Fixed: map[string]int64{"eur": 25}})
	awa := w.person("awa@example.org", "Awa")
	w.desk(awa)
	seats, francs := w.limited("SEATS", 20, 10_000), w.run("FRANCS", "", 15_000)
	boss := w.person("boss@esp.example.org", "Boss")
	card := accounting.Agreement{Key: "esp-card", Organisation: "ESP", Collects: "institute", Currency: "EUR", SharePPM: 100_000, ValidFrom: w.clock.Now().Add(-time.Hour)}
	agree := func() {
		t.Helper()
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := accounting.PutAgreementTx(ctx, tx, card, 0)
			return err
		})
	}
	agree()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := offers.AddPriceTx(ctx, tx, offers.Price{OfferID: francs.ID, Price: money.Of(100_000, "XOF")}); err != nil {
			return err
		}
		return identity.PutManagerTx(ctx, tx, "ESP", boss.ID)
	})
	hers, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: awa.ID, OfferID: francs.ID, Currency: "XOF", IdempotencyKey: "hers"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.Receive(staffCtx("per_ann"), sales.Receive{
		Amount: hers.Total, Reference: "QUIT-1", OrderID: hers.ID, Payer: "Awa", ReceivedAt: w.clock.Now(), IdempotencyKey: "q1",
		Desk: sales.DeskOf{Organisation: "ESP", Holder: "desk:esp"}, Proof: &payments.Proof{Name: "q.pdf", Content: []byte("%PDF-1.4\n")},
	}); err != nil {
		t.Fatal(err)
	}
	w.becomes(hers, sales.Paid)
	pool, err := w.seatsOf("ESP", boss.ID, seats, 4, "pool")
	if err != nil {
		t.Fatal(err)
	}
	w.pay(pool, visa)
	w.becomes(pool, sales.Paid)
	w.quiet()
	w.sharesPosted(2)
	w.sharesPosted(0)
	if _, err := w.h.Payments.SweepFees(system); err != nil {
		t.Fatal(err)
	}
	share := ledger.PartnerShare("ESP")
	holds := func(what string, account string, c money.Currency, want int64) {
		t.Helper()
		if got := w.balance(account, c); got != want {
			t.Errorf("%s: %s has %d %s, want %d", what, account, got, c, want)
		}
	}
	holds("collected at the desk", share, "XOF", 30_000)
	holds("what the desk holds for us", "clearing:desk:esp", "XOF", 70_000)
	holds("collected by card", share, "EUR", 4000)
	holds("owed to the school", "partner:esp", "EUR", -4000)
	for c, want := range map[money.Currency]int64{"XOF": 70_000, "EUR": -4000} {
		if s := w.owes("ESP", c); s.Closing != want {
			t.Errorf("the statement says %d %s, want %d", s.Closing, c, want)
		}
	}
	if got := w.kept("FRANCS"); got["XOF"] != 30_000 {
		t.Errorf("the cube has %v of the session that was paid at the desk", got)
	}
	// 6.25 € of fees and 40.00 € are of nobody until a seat is claimed: a fourth of both comes with it.
	if got := w.kept("SEATS"); len(got) != 0 {
		t.Errorf("before a seat is claimed its session has %v", got)
	}
	link, err := w.h.Sales.MakeClaimLink(system, sales.NewClaimLink{OrderID: pool.ID, Line: 1, MaxUses: 4, ExpiresAt: w.clock.Now().Add(time.Hour), By: sales.By{PersonID: boss.ID}, IdempotencyKey: "link"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.ClaimSeat(system, link.Token, w.person("bea@example.org", "Bea").ID); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	if got := w.kept("SEATS"); got["EUR"] != 1000+156 {
		t.Errorf("with a seat come %v", got)
	}
	w.verify()
	_, said := w.figure("partner_share", nil) // gross and net are equal, a provider's fee and the school's share are not the network's
	if got, want := strings.Join(said, "; "), fmt.Sprintf("ESP %d %d 0 %d; ESP 100000 30000 0 70000", 40_000, 4000+625, 40_000-4000-625); got != want {
		t.Errorf("of the partner: %s, want %s", got, want)
	}
	if _, said = w.figure("waterfall", nil); !slices.Contains(said, "shares -4000") || !slices.Contains(said, "shares -30000") || !slices.Contains(said, "fees -625") {
		t.Errorf("the waterfall says %v", said)
	}
	if _, said = w.figure("waterfall", map[string]string{"session": "FRANCS"}); !slices.Contains(said, "shares -30000") || !slices.Contains(said, "contribution 70000") {
		t.Errorf("the waterfall of the session says %v", said)
	}

	// A hundred euros go back, and ten of the share with them; then the school is promised a fifth instead of a tenth.
	w.clock.Advance(time.Hour)
	w.refund(pool, 10_000)
	w.becomes(pool, sales.PartiallyRefunded)
	w.quiet()
	w.sharesPosted(1)
	holds("after a refund", share, "EUR", 3000)
	w.clock.Advance(24 * time.Hour)
	card.SharePPM = 200_000
	agree()
	corrected := w.clock.Now()
	w.sharesPosted(1)
	holds("by another agreement", "partner:esp", "EUR", -6000)
	if s := w.owes("ESP", "EUR"); s.Closing != -6000 {
		t.Errorf("the statement says %d", s.Closing)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		costs := func(at time.Time) (minor int64) {
			cells, err := analytics.CubeTx(ctx, tx, analytics.CubeQuestion{AsOf: at})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cells {
				if c.Currency == "EUR" {
					minor = c.Fees
				}
			}
			return minor
		}
		if before, after := costs(corrected.Add(-time.Second)), costs(corrected); before != 3000+625 || after != 6000+625 {
			t.Errorf("the correction stands at its own time: %d before, %d after", before, after)
		}
		return nil
	})
	w.verify()
	w.cubeAddsUp()
}

// A place that is given to somebody else takes with it what the provider kept of its price: who left costs nothing, and the sum stays.
func TestWhatWasKeptGoesWithTheTransfer(t *testing.T) {
	w := newWorldOf(t, stripesandbox.Fees{RatePPM: 15_000, Fixed: map[string]int64{"eur": 25}})
	giver, heir := w.person("giver@example.org", "Giver"), w.person("heir@example.org", "Heir")
	o := w.order(giver.ID, w.paid, "o")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	w.quiet()
	if _, err := w.h.Payments.SweepFees(system); err != nil {
		t.Fatal(err)
	}
	x, err := w.h.Sales.OfferTransfer(context.Background(), o.ID, 1, giver.ID, heir.Email)
	if err != nil {
		t.Fatal(err)
	}
	left := w.state(o).Lines[0].Enrolment()
	if _, err := w.h.Sales.AcceptTransfer(context.Background(), x.ID, heir.ID); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	for id, want := range map[string]int64{left: 0, w.state(o).Lines[0].Enrolment(): 250} {
		if cost := w.cost(id); cost != want {
			t.Errorf("%s costs %d, want %d", id, cost, want)
		}
	}
	w.verify()
	w.cubeAddsUp()
}

// Price points are of a time: a price that came later was not there before. With one price, and with none, it is said why there is no elasticity.
func TestPricePointsHaveAPast(t *testing.T) {
	w := newWorld(t)
	pays := func(key, voucher string) {
		t.Helper()
		o, err := w.buy(w.person(key+"@example.org", key).ID, w.paid, voucher, key)
		if err != nil {
			t.Fatal(err)
		}
		w.pay(o, visa)
		w.becomes(o, sales.Paid)
	}
	points := func(at time.Time) (rows []string, elastic, why string) {
		t.Helper()
		f, err := analytics.FigureOf(system, w.h.DB, "price_points", analytics.Ask{AsOf: at, KnownAt: at, Params: map[string]string{"session": w.session.Key}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range f.Rows {
			rows, elastic = append(rows, fmt.Sprint(r.Cells[0].Amount, " ", *r.Cells[1].Count)), r.Cells[5].Text
		}
		return rows, elastic, f.Notes[0].EN
	}
	if rows, _, why := points(time.Time{}); len(rows) != 0 || !strings.HasPrefix(why, "No place") {
		t.Error(rows, why)
	}
	pays("awa", "")
	then := w.clock.Now()
	if rows, elastic, why := points(time.Time{}); fmt.Sprint(rows) != "[150.00 EUR 1]" || elastic != "" || !strings.HasPrefix(why, "Everybody paid the same price") {
		t.Error(rows, elastic, why)
	}
	w.clock.Advance(time.Hour)
	w.voucher(offers.Voucher{PercentPPM: ptr(500_000), Code: "HALF2026", Scope: offers.Scope{Offers: []string{w.paid.ID}}}, 0)
	pays("bea", "HALF2026")
	pays("cleo", "HALF2026")
	// twice the places a day at half of the price: by the mid-point (2−1)/1.5 over (75−150)/112.5
	if rows, elastic, _ := points(time.Time{}); fmt.Sprint(rows) != "[150.00 EUR 1 75.00 EUR 2]" || elastic != "−1.000" {
		t.Error(rows, elastic)
	}
	if rows, _, _ := points(then); fmt.Sprint(rows) != "[150.00 EUR 1]" {
		t.Error("before that price it had been sold at", rows)
	}
}
