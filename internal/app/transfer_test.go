package app_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// later is a paid offer on a session of one place that begins in ten days.
func (w *world) later(key string) (o offers.Offer) {
	w.t.Helper()
	from, until, one := w.h.Clock.Now().AddDate(0, 0, 10), w.h.Clock.Now().AddDate(0, 0, 40), 1
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: key, CourseKey: key + "-C", Title: catalog.Text{EN: "Optics", FR: "Optique"}, Platform: "fun", ThresholdPPM: 500_000, Capacity: &one, StartsAt: &from, EndsAt: &until,
		})
		if err != nil {
			return err
		}
		o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Qualifying, Price: money.Of(9999, "EUR")})
		return err
	})
	return o
}

// mayTransfer says whether an order allows a place to be given away, or why it does not, alone and in its buyer's list.
func (w *world) mayTransfer(o sales.Order, why string) {
	w.t.Helper()
	one, err := w.h.Sales.Order(system, o.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	all, _, err := w.h.Sales.Orders(system, o.BuyerID, page.Request{Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(x sales.Order) bool { return x.ID == o.ID })
	for where, x := range map[string]sales.Order{"alone": one, "in a list": all[i]} {
		if !slices.Contains(x.Actions, sales.Action{Action: sales.ActTransfer, Allowed: why == "", Reason: why}) {
			w.t.Errorf("%s, expected %q: %+v", where, why, x.Actions)
		}
	}
}

// A learner gives a place that she has not begun to somebody else: right and money follow, the invoice and what goes back stay hers.
func TestATransferOfAnUnusedPlace(t *testing.T) {
	w := newWorld(t)
	awa, zoe, bob := w.person("awa@example.org", "Awa"), w.person("zoe@example.org", "Zoé"), w.person("bob@example.org", "Bob")
	offer := w.later("LATER-1")
	e := w.program("NET", nil, money.Of(9998, "EUR"), nil, 10000, 5000, 3700)
	o, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: awa.ID, Items: []sales.Item{{OfferID: offer.ID, Quantity: 1}, {OfferID: e.offer.ID, Quantity: 1}}, Lang: "fr", IdempotencyKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	give := func(line int, by, email string) (sales.Handover, error) {
		return w.h.Sales.OfferTransfer(context.Background(), o.ID, line, by, email)
	}
	if _, err := give(1, awa.ID, "zoe@example.org"); code(err) != "not-transferable" {
		t.Error("a place that is not paid:", err)
	}
	w.mayTransfer(o, "not-paid")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	w.refund(o, 100)
	o.Credited.Minor += 100
	w.mayTransfer(o, "")
	w.until("a part went back", func() bool { return w.state(o).Credited.Minor == 100 })
	for want, x := range map[string][2]string{"no-such-order": {zoe.ID, "bob@example.org"}, "to-herself": {awa.ID, " AWA@example.org"}, "bad-email": {awa.ID, "nobody"}} {
		if _, err := give(1, x[0], x[1]); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	first, err := give(1, awa.ID, "bob@example.org")
	if err != nil {
		t.Fatal(err)
	}
	second, err := give(1, awa.ID, "Zoe@example.org")
	if err != nil || second.ID == first.ID {
		t.Fatal("another address is another offer:", err)
	}
	if again, err := give(1, awa.ID, "zoe@example.org"); err != nil || again.ID != second.ID {
		t.Error("the same offer is made twice:", err)
	}
	if _, err := w.h.Sales.AcceptTransfer(context.Background(), first.ID, bob.ID); code(err) != "no-such-transfer" {
		t.Error("an offer that was taken back was taken:", err)
	}
	if _, err := w.h.Sales.AcceptTransfer(context.Background(), second.ID, bob.ID); code(err) != "no-such-transfer" {
		t.Error("somebody else took it:", err)
	}
	if mine, _, err := w.h.Sales.OfferedTo(context.Background(), zoe.ID, page.Request{Limit: 50}); err != nil || len(mine) != 1 || mine[0].From != "Awa" || mine[0].Title.EN != "Optics" {
		t.Error(mine, err)
	}
	for range 2 {
		if x, err := w.h.Sales.AcceptTransfer(context.Background(), second.ID, zoe.ID); err != nil || x.State != sales.TransferAccepted {
			t.Fatal(x, err)
		}
	}
	w.verify()
	if _, err := give(1, awa.ID, "bob@example.org"); code(err) != "not-transferable" {
		t.Error("a place was given away twice:", err)
	}
	w.counts(map[string]int{
		"select count(*) from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id where g.revoked_at is null and e.learner_id = '" + zoe.ID + "'": 1,
		"select count(*) from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id where g.revoked_at is null and e.learner_id = '" + awa.ID + "'": 3,
		"select count(*) from invoicing.documents where kind = 'invoice'":                                                                                             1,
	})
	w.mayTransfer(o, "") // the other line
	// The one place is Zoé's now: nobody else can buy it, its first buyer neither.
	if _, err := w.tryOrder(awa.ID, offer, "again"); code(err) != "sold-out" {
		t.Error("the place was sold twice:", err)
	}
	if _, err := w.tryOrder(zoe.ID, offer, "again"); code(err) != "already-enrolled" {
		t.Error("who was given a place can buy it:", err)
	}
	t2, err := give(2, awa.ID, "zoe@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.AcceptTransfer(context.Background(), t2.ID, zoe.ID); err != nil {
		t.Fatal(err)
	}
	w.verify()
	w.mayTransfer(o, "given-away")
	if w.mailed("zoe@example.org", "Awa") != 6 || /* four to her, two about her */ w.mailed("awa@example.org", "zoe@example.org") != 2 {
		t.Error("mails:", w.mailed("zoe@example.org", "Awa"), w.mailed("awa@example.org", "zoe@example.org"))
	}
	w.refund(o, 0)
	o = w.becomes(o, sales.Refunded)
	w.mayTransfer(o, "all-given-back")
	w.verify()
	if w.mailed("zoe@example.org", "Awa has taken back") != 2 {
		t.Error("who had the places was not told that they ended:", w.mailed("zoe@example.org", "Awa has taken back"))
	}
	w.counts(map[string]int{"select count(*) from enrolment.grants where revoked_at is null": 0, "select count(*) from enrolment.memberships where revoked_at is null": 0})
}

// What has begun, by the calendar or by its learner's work, is not given away; nor is what she has anyway.
func TestATransferOfWhatHasBegun(t *testing.T) {
	w := newWorld(t)
	awa, zoe := w.person("awa@example.org", "Awa"), w.person("zoe@example.org", "Zoé")
	offer := w.later("LATER-1")
	buy := func(o offers.Offer, key string) sales.Order {
		x := w.order(awa.ID, o, key)
		w.pay(x, visa)
		return w.becomes(x, sales.Paid)
	}
	o, worked := buy(offer, "k1"), buy(w.paid, "k2")
	x, err := w.h.Sales.OfferTransfer(context.Background(), o.ID, 1, awa.ID, "zoe@example.org")
	if err != nil {
		t.Fatal(err)
	}
	y, err := w.h.Sales.OfferTransfer(context.Background(), worked.ID, 1, awa.ID, "zoe@example.org")
	if err != nil {
		t.Fatal(err)
	}
	open := w.order(zoe.ID, w.paid, "hers")
	if _, err := w.h.Sales.AcceptTransfer(context.Background(), y.ID, zoe.ID); code(err) != "order-open-already" {
		t.Error("beside an order that waits:", err)
	}
	if _, err := w.h.Sales.CancelOrder(system, open.ID); err != nil {
		t.Fatal(err)
	}
	w.grades(w.clock.Now(), "7,awa@example.org,awa,0.9,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled")
	if _, err := w.h.Sales.AcceptTransfer(context.Background(), y.ID, zoe.ID); code(err) != "begun-already" {
		t.Error("who has worked gave her place away:", err)
	}
	w.mayTransfer(worked, "begun-already")
	w.mayTransfer(o, "")
	w.clock.Advance(10 * 24 * time.Hour)
	w.mayTransfer(o, "begun-already")
	if _, err := w.h.Sales.AcceptTransfer(context.Background(), x.ID, zoe.ID); code(err) != "begun-already" {
		t.Error("after the first day:", err)
	}
	all, err := w.h.Sales.Transfers(context.Background(), o.ID, awa.ID)
	if err != nil || len(all) != 1 || all[0].Allowed || all[0].Reason != "begun-already" {
		t.Error(all, err)
	}
	if mine, _, err := w.h.Sales.OfferedTo(context.Background(), zoe.ID, page.Request{Limit: 50}); err != nil || len(mine) != 0 {
		t.Error(mine, err)
	}
	w.verify()
}

// A place that stands with another than its transfer says is found.
func TestABrokenTransferIsFound(t *testing.T) {
	w := newWorld(t)
	awa, zoe := w.person("awa@example.org", "Awa"), w.person("zoe@example.org", "Zoé")
	o := w.order(awa.ID, w.later("LATER-1"), "k")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	x, err := w.h.Sales.OfferTransfer(context.Background(), o.ID, 1, awa.ID, zoe.Email)
	if err == nil {
		_, err = w.h.Sales.AcceptTransfer(context.Background(), x.ID, zoe.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.verify()
	owner := testkit.Owner(t, w.dsn)
	byHand(t, owner, "update sales.lines set holder_id = null")
	broken, err := w.h.Verify(system)
	if err != nil || len(broken) < 2 {
		t.Error(broken, err)
	}
	byHand(t, owner, "update sales.lines set holder_id = '"+zoe.ID+"'")
	w.verify()
}
