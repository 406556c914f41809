package app_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		w.price(offers.Price{OfferID: w.paid.ID, Label: catalog.Text{EN: "Early bird", FR: "Tarif anticipé"}, Price: money.Of(9900, "EUR"), EarlyUntil: ptr(20)})
		one := w.voucher(offers.Voucher{Name: "Autumn fair", PercentPPM: ptr(125_000), Limit: ptr(10)}, 0)
		batch := w.voucher(offers.Voucher{Name: "School", Amounts: []money.Amount{money.Of(1000, "EUR")}}, 3)
		if _, err := w.buy(w.person("voucher@example.org", "V").ID, w.paid, one.Code, "walk"); err != nil {
			w.t.Error(err)
		}
		return map[string]string{
			"/console/offers/:id": "/console/offers/" + w.paid.ID, "/console/vouchers/:id": "/console/vouchers/" + one.ID + " /console/vouchers/" + batch.ID,
			"/console/vouchers/:id/codes.csv": "/console/vouchers/" + batch.ID + "/codes.csv", "/sessions/:key": "/sessions/PRD-9 /sessions/PRD-9?voucher=" + one.Code + " /sessions/PRD-9?voucher=none",
		}
	})
}

// Staff set an early price and make a voucher in the console; a learner sees the price struck through, tries a code that is none and one
// that is, and pays what she was shown.
func TestVouchersInABrowser(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	w.staffTab(b, mails, "staff@example.org")
	b.open(w.cfg.BaseURL + "/console/offers/" + w.paid.ID)
	for field, text := range map[string]string{"amount": "99.00", "label_en": "Early bird", "label_fr": "Tarif anticipé", "early": "20"} {
		b.do(chromedp.SetValue(chromedp.CSS("form[data-keep] [name="+field+"]"), text))
	}
	b.press("form[data-keep] button", "input[value=\"Early bird\"]")
	b.seen("console-prices")
	b.axeEverywhere("the prices of an offer")
	b.open(w.cfg.BaseURL + "/console/vouchers")
	for field, text := range map[string]string{"name": "Autumn fair", "percent": "12.5", "code": "autumn-26", "limit": "10", "per_person": "1", "formulas": "QUALIFYING"} {
		b.do(chromedp.SetValue(chromedp.CSS("form[data-keep] [name="+field+"]"), text))
	}
	b.press("form[data-keep] button", "#uses")
	b.shows("AUTUMN-26", "12.5%", "Nobody has used it.")
	b.open(w.cfg.BaseURL + "/console/vouchers")
	b.shows("Autumn fair", "0 of 10")
	b.seen("console-vouchers")
	b.axeEverywhere("the vouchers")
	b.open(w.cfg.BaseURL + "/sessions/" + w.session.Key)
	b.shows("99.00", "150.00", "Early bird", "Left at this price: 20")
	b.do(chromedp.SetValue(chromedp.CSS("#voucher"), "nothing"))
	b.press("form:has(#voucher) button", ".notice.bad")
	b.shows("There is no voucher with this code.")
	b.do(chromedp.SetValue(chromedp.CSS("#voucher"), "autumn 26"))
	b.press("form:has(#voucher) button", ".notice.good")
	b.shows("86.62", "The prices above are with it.")
	b.seen("session-voucher")
	b.axeEverywhere("a session with a voucher")
	b.press(".compare .take form:has(input[name=voucher]):has(button:not(.plain)) button", "input[name=number]")
	b.fill("input[name=number]", visa)
	b.press("form button", "#state")
	b.do(chromedp.WaitVisible(chromedp.CSS(`#state[data-state=paid]`)))
	b.shows("86.62")
	b.open(w.cfg.BaseURL + "/console/vouchers")
	b.shows("1 of 10")
	w.verify()
}

// Staff without the scope see no voucher; two who write one at once lose no word; limits do not fall below what was used.
func TestTheConsoleOfVouchers(t *testing.T) {
	w := newWorld(t)
	site, ctx := app.NewPages(w.h), context.Background()
	officer, reader := w.person("officer@example.org", "O"), w.person("reader@example.org", "R")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.GrantRoleTx(ctx, tx, reader.ID, "analytics"); err != nil {
			return err
		}
		return identity.GrantRoleTx(ctx, tx, officer.ID, "sales")
	})
	may, mayNot := web.Viewer{PersonID: officer.ID, Staff: true}, web.Viewer{PersonID: reader.ID, Staff: true}
	n := offers.NewVoucher{Voucher: offers.Voucher{Name: "Fair", PercentPPM: ptr(100_000), Limit: ptr(5)}}
	if _, err := site.MakeVoucher(ctx, mayNot, "k", n); code(err) != "scope-missing" {
		t.Error("a reader made a voucher:", err)
	}
	id, err := site.MakeVoucher(ctx, may, "k", n)
	if again, twice := site.MakeVoucher(ctx, may, "k", n); err != nil || twice != nil || again != id {
		t.Fatal(id, again, err, twice)
	}
	v, _, err := site.Voucher(ctx, may, id)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if _, err := w.buy(w.person(fmt.Sprintf("b%d@example.org", i), "B").ID, w.paid, v.Code, "k"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		limit, version int
		want           string
	}{{1, 1, "limit-below-uses"}, {2, 1, ""}, {3, 1, "changed-meanwhile"}, {3, 2, ""}} {
		edit := v.Voucher
		edit.Limit, edit.Version = ptr(c.limit), c.version
		if err := site.SaveVoucher(ctx, may, edit); code(err) != c.want {
			t.Errorf("limit %d over version %d: %v, want %q", c.limit, c.version, err, c.want)
		}
	}
	if err := site.SaveVoucher(ctx, mayNot, v.Voucher); code(err) != "scope-missing" {
		t.Error("a reader wrote a voucher:", err)
	}
	now, uses, err := site.Voucher(ctx, may, id)
	if err != nil || now.Held != 2 || len(uses) != 2 || uses[0].State != "held" || uses[0].Off != money.Of(1500, "EUR") || *now.Limit != 3 {
		t.Errorf("%+v %+v %v", now, uses, err)
	}
	w.clock.Advance(time.Hour)
	if now, uses, _ = site.Voucher(ctx, may, id); now.Held != 0 || uses[0].State != "free" {
		t.Errorf("%+v %+v", now, uses)
	}
	p := offers.Price{OfferID: w.paid.ID, Price: money.Of(9900, "EUR")}
	if err := site.SavePrice(ctx, mayNot, "p", p); code(err) != "scope-missing" {
		t.Error("a reader added a price:", err)
	}
	if err := site.SavePrice(ctx, may, "p", p); err != nil {
		t.Error(err)
	}
	_, prices, err := site.Priced(ctx, may, w.paid.ID)
	if err != nil || len(prices) != 1 {
		t.Fatal(prices, err)
	}
	for _, want := range []string{"", "changed-meanwhile"} {
		if err := site.SavePrice(ctx, may, "", prices[0]); code(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	c, err := w.h.Sales.Compare(ctx, w.session.Key, "", reader.ID, v.Code)
	if err != nil || c.Refused != "" || c.Voucher != v.Code {
		t.Errorf("%+v %v", c, err)
	}
	for _, column := range c.Columns {
		if x := column.Offers[0]; column.Formula == offers.Qualifying && (x.Price != money.Of(8910, "EUR") || x.List == nil || *x.List != w.paid.Price) {
			t.Errorf("%+v", x)
		} else if want := map[bool]string{true: v.Code}[column.Formula == offers.Qualifying]; x.Voucher != want {
			t.Errorf("%s would be ordered with the voucher %q: what is free cannot be", column.Formula, x.Voucher)
		}
	}
	if c, err = w.h.Sales.Compare(ctx, w.session.Key, "", "", v.Code); err != nil || c.Voucher != "" {
		t.Error("the public tries codes:", c.Voucher, err)
	}
	w.verify()
}
