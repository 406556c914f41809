package app_test

import (
	"context"
	"errors"
	"testing"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// ordersStory orders through the API as a learner does, changes her mind, and reads what happened.
func (w *world) ordersStory(t *testing.T, walker *apitest.Walker, learner string) {
	t.Helper()
	a := &asker{t: t, w: walker, token: learner}
	shelf := w.shelf(4200, 1800)
	items := []any{map[string]any{"offer_id": shelf[0].ID, "quantity": 1}, map[string]any{"offer_id": shelf[1].ID}}
	o := a.ask(201, "placeOrder", nil, map[string]any{"items": items, "lang": "fr"})
	at := map[string]string{"order": o["id"].(string)}
	if next := o["next_action"].(map[string]any); next["kind"] != "pay" || next["url"] == "" || len(o["lines"].([]any)) != 2 {
		t.Fatal(o)
	}
	a.ask(400, "placeOrder", nil, map[string]any{"items": items, "offer_id": shelf[0].ID, "lang": "fr"})
	o = a.ask(200, "cancelOrder", at, nil)
	if o["state"] != "canceled" || o["next_action"].(map[string]any)["kind"] != "order_again" {
		t.Fatal(o)
	}
	a.ask(200, "cancelOrder", at, nil) // again changes nothing
	a.ask(409, "cancelOrder", map[string]string{"order": walker.Values["order"]}, nil)
	happened := a.ask(200, "getOrderHistory", at, nil)["happened"].([]any)
	if len(happened) != 2 || happened[0].(map[string]any)["what"] != "placed" || happened[1].(map[string]any)["what"] != "canceled" {
		t.Fatal(happened)
	}
	var said []any
	for _, h := range a.ask(200, "getOrderHistory", map[string]string{"order": walker.Values["order"]}, nil)["happened"].([]any) {
		said = append(said, h.(map[string]any)["what"])
	}
	if len(said) != 4 || said[0] != "placed" || said[1] != "captured" || said[2] != "enrolled" || said[3] != "invoice" {
		t.Error("of a paid order:", said)
	}
}

// Whoever cancels gives the place to the next at once; her pay page closes, and money that comes nevertheless goes back.
func TestAnUnpaidOrderIsCancelled(t *testing.T) {
	w := newWorld(t)
	one := 1
	var last offers.Offer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		last, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.ID, Formula: offers.Qualifying, Price: money.Of(100_000, "XOF"), Quota: &one})
		return err
	})
	zoe, awa := w.person("zoe@example.org", "Zoé"), w.person("awa@example.org", "Awa")
	o := w.order(zoe.ID, last, "k1")
	if _, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: awa.ID, OfferID: last.ID, Lang: "en", IdempotencyKey: "a1"}); code(err) != "offer-quota-reached" {
		t.Fatal("the last place was not held:", err)
	}
	asAwa, asZoe := postgres.WithActor(context.Background(), "learner:"+awa.ID), postgres.WithActor(context.Background(), "learner:"+zoe.ID)
	if _, err := w.h.Sales.CancelOrder(asAwa, o.ID); !errors.Is(err, sales.ErrNoOrder) {
		t.Error("somebody else cancelled:", err)
	}
	if o, err := w.h.Sales.CancelOrder(asZoe, o.ID); err != nil || o.State != sales.Canceled || o.ClosedAt == nil {
		t.Fatal(o, err)
	}
	theirs := w.order(awa.ID, last, "a2") // at once
	w.quiet()
	r := w.tell("/sandbox/pay/"+w.payment(theirs).CheckoutID, map[string]any{"card": visa})
	w.becomes(theirs, sales.Paid)
	if r["status"] == "" {
		t.Error(r)
	}
	if p := w.payment(o); p.State != payments.Expired {
		t.Error("the payment of what was cancelled:", p.State)
	}
	// Who pays in the moment in which she cancels has either paid or gets it back.
	race := w.order(zoe.ID, w.paid, "k2")
	w.pay(race, visa)
	_, err := w.h.Sales.CancelOrder(asZoe, race.ID)
	w.quiet()
	switch got := w.state(race); {
	case err == nil && got.State == sales.Canceled:
		w.until("the money goes back", func() bool {
			p := w.payment(race)
			return p.State == payments.Surplus && p.RefundedMinor == p.CapturedMinor
		})
	case errors.Is(err, sales.ErrNotOpen) && got.State == sales.Paid, errors.Is(err, sales.ErrUnderWay) && got.State == sales.Paid:
	default:
		t.Error(got.State, err)
	}
	w.verify()
}
