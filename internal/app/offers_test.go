package app_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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

// market is what random sales are held against: what each offer may sell, who can still pay, and what each paid order is worth.
type market struct {
	w      *world
	stalls []*stall
	open   []purchase // can still be paid
	paid   []purchase
}

// stall is one offer with its limits; nil: none.
type stall struct {
	offer           offers.Offer
	capacity, quota *int
	sold, held      int
}

type purchase struct {
	at    *stall
	order sales.Order
}

var buyers atomic.Int64

// order places an order of somebody new and says whether it had to be refused.
func (m *market) order(t *rapid.T, x *stall) {
	n := buyers.Add(1)
	p := m.w.person(fmt.Sprintf("buyer%d@example.org", n), "B")
	o, err := m.w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: p.ID, OfferID: x.offer.ID, Lang: "en", IdempotencyKey: "k"})
	want, full := "", func(limit *int) bool { return limit != nil && x.sold+x.held >= *limit }
	switch {
	case full(x.quota) && full(x.capacity):
		want = "either"
	case full(x.quota):
		want = "offer-quota-reached"
	case full(x.capacity):
		want = "sold-out"
	}
	if got := code(err); got != want && (want != "either" || got != "offer-quota-reached" && got != "sold-out") {
		t.Fatalf("an order where %d are sold, %d held of %v, %v: %q, want %q", x.sold, x.held, x.capacity, x.quota, got, want)
	}
	if err == nil {
		x.held++
		m.open = append(m.open, purchase{x, o})
	}
}

func (m *market) pay(i int) {
	b := m.open[i]
	m.open = slices.Delete(m.open, i, i+1)
	m.w.pay(b.order, visa)
	b.order = m.w.becomes(b.order, sales.Paid)
	b.at.held, b.at.sold = b.at.held-1, b.at.sold+1
	m.paid = append(m.paid, b)
}

// refund gives a share of what is left back; all of it frees the place.
func (m *market) refund(i, percent int) {
	b := &m.paid[i]
	left := b.order.Total.Minor - b.order.Credited.Minor
	minor := max(1, left*int64(percent)/100)
	m.w.refund(b.order, minor)
	m.w.until("it went back", func() bool { return m.w.state(b.order).Credited.Minor == b.order.Credited.Minor+minor })
	if b.order = m.w.state(b.order); minor == left {
		b.at.sold--
		m.paid = slices.Delete(m.paid, i, i+1)
	}
}

// lapse lets the time of every order that was not paid run out.
func (m *market) lapse() {
	m.w.clock.Advance(46 * time.Minute)
	for _, b := range m.open {
		b.at.held--
	}
	m.open = nil
}

// compare holds the shares of each paid order against it.
func (m *market) compare(t *rapid.T) {
	for _, b := range m.paid {
		var sold, credited int64
		for _, part := range m.w.parts(b.order) {
			if sold, credited = sold+part.Sold, credited+part.Credited; part.Credited > part.Sold || part.EnrolmentID == "" {
				t.Fatalf("a part of %s: %+v", b.order.ID, part)
			}
		}
		if sold != b.order.Total.Minor || credited != b.order.Credited.Minor {
			t.Fatalf("the parts of %s come to %d, %d of %v, %v", b.order.ID, sold, credited, b.order.Total, b.order.Credited)
		}
	}
}

// Whatever is ordered, paid, left to run out and refunded, on sessions and editions with and without limits: an order is refused exactly
// when a limit is reached, the shares of each order sum to it, and at the end every invariant holds.
func TestRandomSalesAddUp(t *testing.T) {
	fewer(t, 20)
	w := newWorld(t)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		m := &market{w: w}
		limit := func(name string) *int {
			if n := rapid.IntRange(0, 3).Draw(t, name); n > 0 {
				return &n
			}
			return nil
		}
		for range rapid.IntRange(1, 2).Draw(t, "offers") {
			number++
			currency := rapid.SampledFrom([]money.Currency{"EUR", "XOF"}).Draw(t, "currency")
			x := &stall{capacity: limit("capacity"), quota: limit("quota")}
			prices := rapid.SliceOfN(rapid.Int64Range(0, 30_000), 1, 4).Draw(t, "list prices")
			x.offer = w.program(fmt.Sprint("R", number), x.capacity, money.Of(rapid.Int64Range(100, 99_999).Draw(t, "price"), currency), x.quota, prices...).offer
			m.stalls = append(m.stalls, x)
		}
		if rapid.Bool().Draw(t, "a session too") {
			m.stalls = append(m.stalls, &stall{offer: w.paid})
		}
		for range rapid.IntRange(3, 9).Draw(t, "steps") {
			switch act := rapid.IntRange(0, 9).Draw(t, "act"); {
			case act < 4:
				m.order(t, m.stalls[rapid.IntRange(0, len(m.stalls)-1).Draw(t, "at")])
			case act < 7 && len(m.open) > 0:
				m.pay(rapid.IntRange(0, len(m.open)-1).Draw(t, "whose"))
			case act < 9 && len(m.paid) > 0:
				m.refund(rapid.IntRange(0, len(m.paid)-1).Draw(t, "whose"), rapid.SampledFrom([]int{1, 33, 50, 100}).Draw(t, "percent"))
			case act == 9:
				m.lapse()
			}
			m.compare(t)
		}
	})
	w.verify()
}

// fewer has rapid look at fewer cases than by default, where each is a walk through the whole house; -rapid.checks asks for more.
func fewer(t *testing.T, n int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() != checks.DefValue {
		return
	}
	if err := flag.Set("rapid.checks", strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("rapid.checks", checks.DefValue) })
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
	for field, text := range map[string]string{"on": w.session.Key, "formula": "TEAM", "amount": "490.00", "quota": "3", "publication": "draft"} {
		b.do(chromedp.SetValue(chromedp.CSS("form[data-keep] [name="+field+"]"), text))
	}
	b.press("form[data-keep] button", "table.edit tbody tr:nth-child(4)")
	b.shows("draft")
	other := newTab(t) // nobody but staff sees it until it was read and published
	other.open(w.cfg.BaseURL + "/sessions/" + w.session.Key)
	if strings.Contains(other.text(), "490.00") {
		t.Error("the public sees a draft")
	}
	b.press("tbody tr:first-child button[value=review]", "tbody tr:first-child button[value=published]")
	b.axe("an offer in review")
	b.press("tbody tr:first-child button[value=published]", "tbody tr:first-child details")
	b.do(chromedp.Click(chromedp.CSS("tbody tr:first-child details summary")))
	b.shows("in review → published", "Staff Member")
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
	path := "main a[href='/learning/programs/" + e.Key + "']"
	b.press("main a[href='/learning/programs']", path)
	b.press(path, "ol.path")
	b.shows("What next", "For the certificate")
	b.seen("path-bought")
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

// An offer is prepared beside the one that is on sale, read by somebody else, and put on sale when the other one was withdrawn. Until
// then it is nobody's: it is neither listed nor sold, however well its id is known. Who moved it and when is kept.
func TestAnOfferIsPreparedAndRead(t *testing.T) {
	w := newWorld(t)
	next := offers.NewOffer{Session: w.session.ID, Formula: offers.Qualifying, Price: money.Of(18_000, "EUR"), Publication: catalog.Drafted}
	var o offers.Offer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		o, err = offers.CreateTx(ctx, tx, next)
		return err
	})
	move := func(to catalog.Publication, want string) {
		t.Helper()
		err := w.h.DB.InTx(postgres.WithActor(context.Background(), "staff:ada"), "move", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := offers.MoveTx(ctx, tx, o.ID, to, "")
			return err
		})
		if got := code(err); got != want {
			t.Fatalf("to %s: %q, not %q (%v)", to, got, want, err)
		}
	}
	sold := func(want string) {
		t.Helper()
		_, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: w.person("early@example.org", "E").ID, OfferID: o.ID, Lang: "en", IdempotencyKey: "k"})
		if got := code(err); got != want {
			t.Fatalf("sold: %q, not %q (%v)", got, want, err)
		}
	}
	listed := func() (found bool) {
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			all, err := offers.ForTx(ctx, tx, w.session.ID, "")
			found = slices.ContainsFunc(all, func(x offers.Offer) bool { return x.ID == o.ID })
			return err
		})
		return found
	}
	move(catalog.Published, "move-not-allowed")
	move(catalog.InReview, "")
	sold("offer-not-valid")
	move(catalog.Archived, "move-not-allowed")
	move(catalog.Published, "offer-exists")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.WithdrawTx(ctx, tx, w.paid.ID)
		return err
	})
	if listed() {
		t.Error("what is read by staff is listed to the public")
	}
	move(catalog.Published, "")
	if !listed() {
		t.Error("what is published is not listed")
	}
	sold("")
	move(catalog.Drafted, "move-not-allowed")
	move(catalog.Archived, "")
	move(catalog.Drafted, "move-not-allowed")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := offers.MovesTx(ctx, tx, []string{o.ID, w.paid.ID})
		way := ""
		for _, m := range all[o.ID] {
			way += string(m.To) + " by " + m.By + ", "
		}
		if way != "archived by staff:ada, published by staff:ada, review by staff:ada, " || len(all[w.paid.ID]) != 1 {
			t.Error(way, all)
		}
		return err
	})
	w.verify()
}
