package app_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/api/apitest"
)

// poolsStory has a manager order seats through the API and give them out, and staff order on behalf of others.
func (w *world) poolsStory(t *testing.T, walker *apitest.Walker, manager identity.Person, learner, staff string) {
	t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ACME", "ACME SA")
	})
	a, s := &asker{t: t, w: walker, token: learner, seq: 70}, &asker{t: t, w: walker, token: staff, seq: 70}
	at := map[string]string{"organisation": "ACME", "person": manager.ID}
	s.ask(204, "putManager", at, nil)
	if all := s.ask(200, "listManagers", at, nil)["managers"].([]any); len(all) != 1 || all[0].(map[string]any)["person"] != manager.ID {
		t.Fatal(all)
	}
	if all := a.ask(200, "listMyOrganisations", nil, nil)["organisations"].([]any); len(all) != 1 {
		t.Fatal(all)
	}
	offer := w.limited("POOL-1", 10, 1000)
	items := []any{map[string]any{"offer_id": offer.ID, "quantity": 3}}
	if q := a.ask(200, "quoteOrder", nil, map[string]any{"organisation": "ACME", "items": items}); q["total"].(map[string]any)["amount_minor"] != 3000. {
		t.Fatal(q)
	}
	o := a.ask(201, "placeOrder", nil, map[string]any{"organisation": "ACME", "items": items, "lang": "fr"})
	if o["organisation"] != "ACME" {
		t.Fatal(o)
	}
	if all := a.ask(200, "listOrganisationOrders", at, nil)["orders"].([]any); len(all) != 1 {
		t.Fatal(all)
	}
	if b := s.ask(201, "placeOrderOnBehalf", nil, map[string]any{"items": []any{map[string]any{"offer_id": offer.ID}}, "email": "new@example.org", "lang": "fr"}); b["placed_by"] == nil {
		t.Fatal(b)
	}
	if b := s.ask(201, "placeOrderOnBehalf", nil, map[string]any{"items": items, "person": manager.ID, "organisation": "ACME", "lang": "fr"}); b["organisation"] != "ACME" {
		t.Fatal(b)
	}
	of := map[string]string{"order": o["id"].(string), "line": "1"}
	a.ask(409, "makeClaimLink", of, map[string]any{"max_uses": 1, "expires_at": w.clock.Now().Add(time.Hour)})
	w.pay(w.state(sales.Order{ID: of["order"]}), visa)
	w.becomes(sales.Order{ID: of["order"]}, sales.Paid)
	k := a.ask(201, "makeClaimLink", of, map[string]any{"max_uses": 1, "expires_at": w.clock.Now().Add(time.Hour)})
	x := a.ask(200, "claimSeat", nil, map[string]any{"token": k["token"]})
	if x["state"] != "claimed" || k["token"] == nil {
		t.Fatal(x, k)
	}
	if all := a.ask(200, "listClaimLinks", of, nil)["links"].([]any); len(all) != 1 || all[0].(map[string]any)["token"] != nil || all[0].(map[string]any)["uses"] != 1. {
		t.Fatal(all)
	}
	of["seat"], of["link"] = x["id"].(string), k["id"].(string)
	a.ask(204, "revokeClaimLink", of, nil)
	if x := a.ask(200, "moveSeat", of, map[string]any{"email": "seat@example.org"}); x["state"] != "reserved" {
		t.Fatal(x)
	} else {
		a.ask(404, "releaseSeat", of, nil)
		of["seat"] = x["id"].(string)
	}
	list := map[string]any{"people": []any{map[string]any{"email": "seat@example.org"}, map[string]any{"email": "two@example.org", "name": "Two"}}}
	if x := a.ask(200, "applyRoster", of, list, query("dry_run=true")); x["keep"] != 1. || x["invite"] != 1. || x["dry_run"] != true {
		t.Fatal(x)
	}
	if x := a.ask(200, "applyRoster", of, list); x["invite"] != 1. {
		t.Fatal(x)
	}
	if x := a.ask(200, "uploadRoster", of, []byte("name;email\nTwo;TWO@example.org\n")); x["keep"] != 1. || x["others"] != 1. {
		t.Fatal(x)
	}
	a.ask(204, "releaseSeat", of, nil)
	if x := a.ask(200, "listOrderSeats", of, nil); x["pools"].([]any)[0].(map[string]any)["free"] != 2. || len(x["seats"].([]any)) != 1 {
		t.Fatal(x)
	}
	mine := w.order(manager.ID, w.later("POOL-LATER"), "story-later")
	w.pay(mine, visa)
	w.becomes(mine, sales.Paid)
	place := map[string]string{"order": mine.ID, "line": "1"}
	a.ask(200, "offerTransfer", place, map[string]any{"email": "heir@example.org"})
	a.ask(204, "withdrawTransfer", place, nil)
	t1 := a.ask(200, "offerTransfer", place, map[string]any{"email": "heir@example.org"})
	if all := a.ask(200, "listOrderTransfers", place, nil)["lines"].([]any); all[0].(map[string]any)["allowed"] != true || all[0].(map[string]any)["offer"] == nil {
		t.Fatal(all)
	}
	heir := &asker{t: t, w: walker, token: w.tokens(w.person("heir@example.org", "Heir"))("orders:write", "orders:read")}
	if all := heir.ask(200, "listMyTransfers", nil, nil)["transfers"].([]any); len(all) != 1 {
		t.Fatal(all)
	}
	if x := heir.ask(200, "acceptTransfer", map[string]string{"transfer": t1["id"].(string)}, nil); x["state"] != "accepted" {
		t.Fatal(x)
	}
	walker.Values["transfer"] = t1["id"].(string)
	maps.Copy(walker.Values, map[string]string{"seat": of["seat"], "link": of["link"]})
	s.ask(400, "placeOrderOnBehalf", nil, map[string]any{"items": items, "lang": "fr"})
	s.ask(204, "dropManager", map[string]string{"organisation": "ACME", "person": "per_nobody"}, nil)
	maps.Copy(walker.Values, map[string]string{"organisation": "ACME"})
}

// managed makes an organisation with a manager.
func (w *world) managed(key string) (boss identity.Person) {
	w.t.Helper()
	boss = w.person("boss@"+strings.ToLower(key)+".example.org", "Boss of "+key)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, key, key+" SA"); err != nil {
			return err
		}
		return identity.PutManagerTx(ctx, tx, key, boss.ID)
	})
	return boss
}

// seatsOf orders so many seats of an offer for an organisation.
func (w *world) seatsOf(organisation, boss string, o offers.Offer, n int, key string) (sales.Order, error) {
	return w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{
		BuyerID: boss, Organisation: organisation, Items: []sales.Item{{OfferID: o.ID, Quantity: n}}, Lang: "fr", IdempotencyKey: key,
	})
}

// limited is a paid offer on a session of its own with so many places.
func (w *world) limited(key string, capacity int, minor int64) (o offers.Offer) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: key, CourseKey: key + "-C", Title: catalog.Text{EN: "Optics", FR: "Optique"}, Platform: "fun", ThresholdPPM: 500_000, Capacity: &capacity,
		})
		if err != nil {
			return err
		}
		o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Qualifying, Price: money.Of(minor, "EUR")})
		return err
	})
	return o
}

// mailed counts the mails of the house whose text holds all of these words.
func (w *world) mailed(words ...string) (n int) {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(strings.TrimPrefix(w.cfg.Mail, "file://"), "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			w.t.Fatal(err)
		}
		if !slices.ContainsFunc(words, func(x string) bool { return !strings.Contains(string(b), x) }) {
			n++
		}
	}
	return n
}

// An organisation buys seats at its own price; they are held against what limits them, nobody is enrolled, and the invoice is its own.
func TestAnOrganisationOrdersSeats(t *testing.T) {
	w := newWorld(t)
	w.bank()
	boss := w.managed("ACME")
	offer := w.limited("OPT-1", 10, 15000)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.AddPriceTx(ctx, tx, offers.Price{OfferID: offer.ID, Price: money.Of(9999, "EUR"), Audience: "ACME"})
		return err
	})
	other := w.person("other@example.org", "Other")
	if _, err := w.seatsOf("ACME", other.ID, offer, 2, "k"); code(err) != "no-such-organisation" {
		t.Error("somebody else ordered:", err)
	}
	if _, err := w.seatsOf("ACME", boss.ID, offer, 11, "k"); code(err) != "sold-out" {
		t.Error("more seats than there are:", err)
	}
	o, err := w.seatsOf("ACME", boss.ID, offer, 7, "k1")
	if err != nil {
		t.Fatal(err)
	}
	if o.Total != money.Of(7*9999, "EUR") || o.Organisation != "ACME" || o.Lines[0].Quantity != 7 {
		t.Fatalf("%+v", o)
	}
	if again, err := w.seatsOf("ACME", boss.ID, offer, 7, "k1"); err != nil || again.ID != o.ID {
		t.Error("the same key placed two orders:", err)
	}
	if _, err := w.seatsOf("ACME", boss.ID, offer, 4, "k2"); code(err) != "sold-out" {
		t.Error("held seats were sold:", err)
	}
	withdraw, seats := action(o, sales.ActWithdraw), action(o, sales.ActSeats)
	if withdraw.Reason != "bought-by-an-organisation" || seats.Reason != "not-paid" {
		t.Error(withdraw, seats)
	}
	if _, err := w.h.ChooseWay(system, sales.ChooseWay{OrderID: o.ID, BuyerID: other.ID, Way: sales.Transfer, IdempotencyKey: "x"}); code(err) != "no-such-order" {
		t.Error("somebody else chose how it is paid:", err)
	}
	second := w.person("second@acme.example.org", "Second")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutManagerTx(ctx, tx, "ACME", second.ID)
	})
	o = w.byTransferOf(o, second.ID)
	if _, err := w.came(o, o.Total.Minor, "VIR-ACME"); err != nil {
		t.Fatal(err)
	}
	o = w.becomes(o, sales.Paid)
	if len(o.Enrolments()) != 0 || o.Next.Kind != sales.NextSeats || !action(o, sales.ActSeats).Allowed || o.InvoiceNumber == "" {
		t.Errorf("%+v", o)
	}
	w.counts(map[string]int{"select count(*) from enrolment.enrolments": 0, "select count(*) from enrolment.grants": 0})
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := invoicing.OfOrderTx(ctx, tx, o.ID)
		for _, d := range all {
			if d.Facts.Buyer.Company != "ACME SA" || d.Facts.Lines[0].Quantity != 7 {
				t.Errorf("%+v", d.Facts)
			}
		}
		if len(all) < 2 {
			t.Error("of proforma and invoice there are", len(all))
		}
		return err
	})
	l, err := w.h.Sales.Withdrawal(system, o.ID)
	if err != nil || l.Allowed || l.Reason != "business" {
		t.Errorf("an organisation may withdraw: %+v %v", l, err)
	}
	w.quiet()
	if w.mailed("boss@acme.example.org", o.ID) != 3 { // placed, where to transfer to, paid
		t.Error("mails to the manager:", w.mailed("boss@acme.example.org", o.ID))
	}
	mine, _, err := w.h.Sales.OrganisationOrders(postgres.WithActor(context.Background(), "learner:"+second.ID), "ACME", second.ID, page.Request{Limit: 10})
	if err != nil || len(mine) != 1 {
		t.Error(mine, err)
	}
	as := func(p identity.Person) (string, error) {
		got, err := w.h.Sales.Order(postgres.WithActor(context.Background(), "learner:"+p.ID), o.ID)
		return got.ID, err
	}
	if id, err := as(second); err != nil || id != o.ID {
		t.Error("another manager does not see it:", err)
	}
	theirs := func(p identity.Person) (n int) {
		who := api.Principal{PersonID: p.ID, Actor: "learner:" + p.ID}
		ctx := postgres.WithActor(context.Background(), who.Actor)
		all, err := app.NewRooms(w.h).OrderDocuments(ctx, who, o.ID)
		for _, d := range all {
			if _, pdf, err := app.NewRooms(w.h).DocumentPDF(ctx, who, d.ID); err != nil || len(pdf) == 0 {
				t.Error("a paper that is theirs:", err)
			}
		}
		if (len(all) == 0) != (err != nil) {
			t.Error(all, err)
		}
		return len(all)
	}
	if a, b, c := theirs(boss), theirs(second), theirs(other); a < 2 || b != a || c != 0 {
		t.Error("documents of the order:", a, b, c)
	}
	if now, err := w.h.Sales.Order(postgres.WithActor(context.Background(), "learner:"+second.ID), o.ID); err != nil || now.InvoiceNumber != o.InvoiceNumber {
		t.Error("the number of the invoice:", now.InvoiceNumber, err)
	}
	if _, err := as(other); code(err) != "no-such-order" {
		t.Error("somebody else sees it:", err)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.DropManagerTx(ctx, tx, "ACME", boss.ID)
	})
	if _, err := as(boss); code(err) != "no-such-order" {
		t.Error("who manages no more sees it still:", err)
	}
	w.verify()
}

func action(o sales.Order, name string) sales.Action {
	for _, a := range o.Actions {
		if a.Action == name {
			return a
		}
	}
	return sales.Action{}
}

func (w *world) byTransferOf(o sales.Order, manager string) sales.Order {
	w.t.Helper()
	o, err := w.h.ChooseWay(system, sales.ChooseWay{OrderID: o.ID, BuyerID: manager, Way: sales.PurchaseOrder, Reference: "PO 42", IdempotencyKey: "po"})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// A voucher is used once for each seat, by its organisation; the per-person limit is one of seats.
func TestAnOrganisationUsesAVoucherForEachSeat(t *testing.T) {
	w := newWorld(t)
	boss := w.managed("ACME")
	five, percent := 5, 100_000
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.CreateVoucherTx(ctx, tx, offers.NewVoucher{Voucher: offers.Voucher{Code: "TEAM", Name: "t", PercentPPM: &percent, Limit: &five, Scope: offers.Scope{Organisation: "ACME"}}})
		return err
	})
	place := func(n int, key string) (sales.Order, error) {
		return w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{
			BuyerID: boss.ID, Organisation: "ACME", Items: []sales.Item{{OfferID: w.paid.ID, Quantity: n}}, Voucher: "team", IdempotencyKey: key,
		})
	}
	if _, err := place(6, "k1"); code(err) != "voucher-used-up" {
		t.Error("six uses of five:", err)
	}
	o, err := place(4, "k2")
	if err != nil || o.Total != money.Of(54000, "EUR") {
		t.Fatal(o.Total, err)
	}
	if _, err := place(2, "k3"); code(err) != "voucher-used-up" {
		t.Error("two uses of the one that is left:", err)
	}
	if _, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: boss.ID, OfferID: w.paid.ID, Voucher: "team", IdempotencyKey: "k4"}); code(err) == "" {
		t.Error("the manager used it for herself")
	}
	w.verify()
}

// However many learners and organisations want the last places at once, they are sold once.
func TestSeatsOfOrganisationsAndLearnersInAStampede(t *testing.T) {
	w := newWorld(t)
	boss := w.managed("ACME")
	offer := w.limited("OPT-2", 10, 15000)
	var sold atomic.Int64
	var group sync.WaitGroup
	for i := range 40 {
		learner := w.person(fmt.Sprintf("s%d@example.org", i), "S")
		group.Go(func() {
			if i%4 == 0 {
				if _, err := w.seatsOf("ACME", boss.ID, offer, 3, fmt.Sprint("k", i)); err == nil {
					sold.Add(3)
				} else if code(err) != "sold-out" {
					t.Error(err)
				}
				return
			}
			if _, err := w.tryOrder(learner.ID, offer, fmt.Sprint("k", i)); err == nil {
				sold.Add(1)
			} else if code(err) != "sold-out" {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := sold.Load(); n > 10 || n < 8 {
		t.Error(n, "of 10 places were sold")
	}
	w.verify()
}

// Staff order for a learner whom nobody knew, and for an organisation; the buyer pays, and the books say who placed it.
func TestStaffOrderOnBehalf(t *testing.T) {
	w := newWorld(t)
	boss, staff := w.managed("ACME"), w.person("staff@example.org", "Ann Staff")
	place := func(c sales.PlaceOrder) (sales.Order, error) {
		c.PlacedBy, c.Lang = staff.ID, "fr"
		return w.h.Sales.PlaceOrder(staffCtx(staff.ID), c)
	}
	o, err := place(sales.PlaceOrder{BuyerEmail: "Awa@example.org", BuyerName: "Awa", Items: []sales.Item{{OfferID: w.paid.ID, Quantity: 1}}, IdempotencyKey: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := place(sales.PlaceOrder{BuyerEmail: "Awa@example.org", BuyerName: "Awa", Items: []sales.Item{{OfferID: w.paid.ID, Quantity: 1}}, IdempotencyKey: "k1"}); err != nil || again.ID != o.ID {
		t.Error("the same key placed two orders:", err)
	}
	if o.PlacedBy != staff.ID || o.BuyerID == staff.ID || o.ExpiresAt == nil || o.ExpiresAt.Sub(w.clock.Now()) < 6*24*time.Hour {
		t.Fatalf("%+v", o)
	}
	for want, c := range map[string]sales.PlaceOrder{
		"contact-not-manager":  {BuyerEmail: "awa@example.org", Organisation: "ACME"},
		"no-such-organisation": {BuyerEmail: boss.Email, Organisation: "NONE"},
		"bad-email":            {BuyerEmail: "nobody"},
	} {
		c.Items, c.IdempotencyKey = []sales.Item{{OfferID: w.paid.ID, Quantity: 1}}, want
		if _, err := place(c); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	pool, err := place(sales.PlaceOrder{BuyerEmail: boss.Email, Organisation: "ACME", Items: []sales.Item{{OfferID: w.paid.ID, Quantity: 3}}, IdempotencyKey: "k2"})
	if err != nil || pool.BuyerID != boss.ID || pool.Organisation != "ACME" {
		t.Fatal(pool, err)
	}
	w.clock.Advance(2 * time.Hour) // the pay page is closed, the order is not
	if o, err = w.h.Sales.Pay(context.Background(), o.ID, o.BuyerID); err != nil || o.PayURL == "" {
		t.Fatal("the buyer cannot pay:", err)
	}
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	if len(o.Enrolments()) != 1 {
		t.Error(o.Enrolments())
	}
	history, _, err := w.h.Sales.History(postgres.WithActor(context.Background(), "learner:"+o.BuyerID), o.ID, page.Request{Limit: 50})
	if err != nil || history[0].What != "placed" || history[0].Detail != "Ann Staff" {
		t.Error("the history does not say who placed it:", history, err)
	}
	w.counts(map[string]int{"select count(*) from platform.audit where action = 'order.placed' and detail->>'placed_by' = '" + staff.ID + "'": 2})
	w.quiet()
	if w.mailed("awa@example.org", o.ID) != 2 {
		t.Error("mails to the learner:", w.mailed("awa@example.org", o.ID))
	}
	if p := w.payment(o); p.State != payments.Captured {
		t.Error(p.State)
	}
	w.verify()
}
