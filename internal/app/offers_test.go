package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"pgregory.net/rapid"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// Random purchases and refunds of sessions and programs, whatever their order and size, leave every invariant whole: the shares
// of each order sum to it, and each is what the ledger says of its enrolment.
func TestRandomSalesAddUp(t *testing.T) {
	w := newWorld(t)
	programs := []edition{
		w.program("P1", nil, money.Of(9999, "EUR"), nil, 10000, 5000, 3700),
		w.program("P2", nil, money.Of(53, "EUR"), nil, 100, 0, 300, 900),
		w.program("P3", nil, money.Of(100_000, "XOF"), nil, 30_000, 20_000, 45_001),
	}
	on := []offers.Offer{w.paid, programs[0].offer, programs[1].offer, programs[2].offer}
	type act struct{ offer, refunds, part int }
	plan := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		return act{rapid.IntRange(0, 3).Draw(t, "offer"), rapid.IntRange(0, 3).Draw(t, "refunds"), rapid.IntRange(1, 99).Draw(t, "part")}
	}), 14, 14).Example(2026)
	for i, a := range plan {
		p := w.person(fmt.Sprintf("b%d@example.org", i), "B")
		o := w.order(p.ID, on[a.offer], "k")
		w.pay(o, visa)
		o = w.becomes(o, sales.Paid)
		for range a.refunds { // each gives back a part of what is left
			left := o.Total.Minor - o.Credited.Minor
			minor := max(1, left*int64(a.part)/100)
			if left == 0 {
				break
			}
			w.refund(o, minor)
			w.until("it went back", func() bool { return w.state(o).Credited.Minor == o.Credited.Minor+minor })
			o = w.state(o)
		}
		for _, part := range w.parts(o) {
			if part.Credited > part.Sold || o.Credited == o.Total && part.Credited != part.Sold {
				t.Errorf("order %d: %+v", i, part)
			}
		}
	}
	w.verify()
}

// A later edit of a formula, a withdrawal and a new price change no order that was placed.
func TestAnOrderKeepsWhatItPromised(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.person("zoe@example.org", "Zoé").ID, w.paid, "k")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		f, err := offers.FormulaTx(ctx, tx, offers.Qualifying)
		if err != nil {
			return err
		}
		f.Entitlements, f.Archived = []string{offers.Coaching}, true
		if f, err = offers.PutFormulaTx(ctx, tx, f, f.Version); err != nil {
			return err
		}
		if _, err := offers.WithdrawTx(ctx, tx, w.paid.ID); err != nil {
			return err
		}
		if _, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.Key, Formula: f.Key, Price: money.Of(1, "EUR")}); code(err) != "formula-archived" {
			t.Error("an archived formula was offered:", err)
		}
		if _, err = offers.PutFormulaTx(ctx, tx, f, 1); code(err) != "changed-meanwhile" {
			t.Error("an older version was written over:", err)
		}
		return nil
	})
	w.pay(o, visa)
	if o = w.becomes(o, sales.Paid); len(o.Lines[0].Entitlements) != 7 || o.Total != money.Of(15000, "EUR") {
		t.Errorf("the order became %+v", o)
	}
	_, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: w.person("late@example.org", "L").ID, OfferID: w.paid.ID, IdempotencyKey: "l"})
	if code(err) != "offer-not-valid" {
		t.Error("a withdrawn offer was taken:", err)
	}
	w.verify()
}

// Formulas side by side on a phone and a desktop; staff write a formula and an offer in the console; a learner sees it at once.
func TestOffersInABrowser(t *testing.T) {
	w, mails := newSite(t)
	until := w.h.Clock.Now().Add(30 * 24 * time.Hour)
	quota := 12
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.CreateTx(ctx, tx, offers.NewOffer{
			Session: w.session.Key, Formula: offers.Qualifying, Price: money.Of(98_000, "XOF"), ValidUntil: &until, Quota: &quota,
			Call: catalog.Text{EN: "Join from West Africa", FR: "Rejoindre depuis l’Afrique de l’Ouest"},
		})
		return err
	})
	b := newTab(t)
	w.staffTab(b, mails, "staff@example.org")
	b.open(w.cfg.BaseURL + "/console/formulas/new")
	for field, text := range map[string]string{"key": "TEAM", "title_en": "TEAM", "title_fr": "ÉQUIPE", "pitch_en": "For a whole team, with a report.", "position": "3"} {
		b.do(chromedp.SetValue(chromedp.CSS("#"+field), text))
	}
	for _, e := range []string{"knowledge", "practice", "manager_report", "coaching"} {
		b.do(chromedp.Click(chromedp.CSS("input[value=" + e + "]")))
	}
	b.press("main form[data-keep] button", "ul.cards")
	b.shows("For a whole team")
	b.axe("the formulas")
	b.open(w.cfg.BaseURL + "/console/offers")
	for field, text := range map[string]string{"on": w.session.Key, "formula": "TEAM", "amount": "490.00", "quota": "3"} {
		b.do(chromedp.SetValue(chromedp.CSS("form[data-keep] [name="+field+"]"), text))
	}
	b.press("form[data-keep] button", "table.edit tbody tr:nth-child(4)")
	b.shows("490.00", "0 of 3", "98,000")
	b.seen("console-offers")
	b.axe("the offers")
	b.open(w.cfg.BaseURL + "/console/formulas/TEAM")
	b.seen("console-formula")
	b.axe("a formula")
	b.open(w.cfg.BaseURL + "/sessions/" + w.session.Key)
	b.shows("490.00", "98,000", "TEAM", "Left: 12", "Join from West Africa")
	b.seen("comparison")
	b.axeEverywhere("the comparison")
	e := w.program("NET", nil, money.Of(100_000, "XOF"), nil, 30_000, 45_000)
	b.do(chromedp.EmulateViewport(390, 900))
	b.open(w.cfg.BaseURL + "/editions/" + e.Key)
	b.press(".compare .take button", "input[name=number]")
	b.fill("input[name=number]", visa)
	b.press("form button", "#state")
	b.do(chromedp.WaitVisible(chromedp.CSS(`#state[data-state=paid]`)))
	b.shows("Networks basics, Dakar", "100,000", "DEMO-IMT-")
	b.open(w.cfg.BaseURL + "/learning")
	b.shows("My programs", "Networks basics, Dakar", "NET-S0", "NET-S1")
	w.verify()
}

// Staff without the scope see nothing of the offers; the conflict of two editors loses no word of either.
func TestTheConsoleOfOffers(t *testing.T) {
	w := newWorld(t)
	site := app.NewPages(w.h)
	officer, reader := w.person("officer@example.org", "O"), w.person("reader@example.org", "R")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.GrantRoleTx(ctx, tx, reader.ID, "analytics"); err != nil {
			return err
		}
		return identity.GrantRoleTx(ctx, tx, officer.ID, "sales")
	})
	f := offers.Formula{Key: "TEAM", Title: catalog.Text{EN: "TEAM"}, Entitlements: []string{offers.Knowledge}}
	if err := site.SaveFormula(context.Background(), web.Viewer{PersonID: reader.ID, Staff: true}, f, 0); code(err) != "scope-missing" {
		t.Error("a reader wrote a formula:", err)
	}
	for _, c := range []struct {
		title   string
		version int
		want    string
	}{{"TEAM", 0, ""}, {"TEAM", 0, "formula-exists"}, {"first", 1, ""}, {"second", 1, "changed-meanwhile"}, {strings.Repeat("x", 81), 2, "invalid-input"}} {
		f.Title.EN = c.title
		if err := site.SaveFormula(context.Background(), web.Viewer{PersonID: officer.ID, Staff: true}, f, c.version); code(err) != c.want {
			t.Errorf("%.10s over version %d: %v, want %q", c.title, c.version, err, c.want)
		}
	}
	w.verify()
}
