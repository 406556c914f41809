package app_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// waysStory pays by hand through the API as buyers, cashiers and accountants do.
func (w *world) waysStory(t *testing.T, walker *apitest.Walker, staff identity.Person, learner string, token string) {
	t.Helper()
	w.bank()
	ann, bob := w.desk()
	buyer, desk, second, acc := &asker{t: t, w: walker, token: learner, seq: 60}, &asker{t: t, w: walker, token: w.tokens(ann)("desk:write")}, &asker{t: t, w: walker, token: w.tokens(bob)("desk:write")}, &asker{t: t, w: walker, token: token, seq: 60}
	acc.ask(204, "putCashier", map[string]string{"partner": "ESP", "person": staff.ID}, nil)
	shelf := []offers.Offer{w.run("WAY-1", "", 4300), w.run("WAY-2", "", 1900), w.run("WAY-3", "", 1900)}
	if o := buyer.ask(201, "placeOrder", nil, map[string]any{"offer_id": w.run("WAY-4", "", 2000).ID, "lang": "fr", "way": "purchase_order", "reference": "PO-4"}); o["way"] != "purchase_order" || o["next_action"].(map[string]any)["reference"] == "" {
		t.Fatal(o)
	}
	w.instalmentsStory(t, buyer, acc)
	sheet := []byte("date,amount,label,id\n" + w.clock.Now().Format(time.DateOnly) + ",12.00,nobody knows,STM-1\n")
	for i, want := range []string{"unmatched", "unmatched", "known"} {
		line := acc.ask(200, "recordStatement", nil, sheet, query(map[bool]string{true: "dry_run=true", false: "dry_run=false"}[i == 0]))["lines"].([]any)[0].(map[string]any)
		if line["outcome"] != want {
			t.Fatal(i, line)
		}
	}
	place := func(i int) map[string]string {
		o := buyer.ask(201, "placeOrder", nil, map[string]any{"items": []any{map[string]any{"offer_id": shelf[i].ID}}, "lang": "fr"})
		return map[string]string{"order": o["id"].(string)}
	}
	at := place(0)
	if ways := buyer.ask(200, "listWaysToPay", at, nil)["ways"].([]any); len(ways) != 3 {
		t.Fatal(ways)
	}
	next := buyer.ask(200, "chooseWayToPay", at, map[string]any{"way": "transfer"})["next_action"].(map[string]any)
	if next["reference"] == "" || next["amount_left"].(map[string]any)["amount_minor"] != 4300. || next["account"].(map[string]any)["iban"] == "" {
		t.Fatal(next)
	}
	now := w.clock.Now().UTC().Format(time.RFC3339)
	money := map[string]any{"amount_minor": 5000, "currency": "EUR", "reference": "API-1", "label": next["reference"], "received_at": now}
	if r := acc.ask(201, "recordTransfer", nil, money); r["state"] != "counted" || r["surplus_minor"] != 700. {
		t.Fatal(r)
	}
	owed := acc.ask(200, "listPayBacks", nil, nil)["pay_backs"].([]any)[0].(map[string]any)
	acc.ask(204, "markPaidBack", map[string]string{"refund": owed["id"].(string)}, map[string]any{"reference": "OUT-1"})
	stray := acc.ask(201, "recordTransfer", nil, map[string]any{"amount_minor": 1, "currency": "EUR", "reference": "API-2", "received_at": now})
	acc.ask(200, "sendReceiptBack", map[string]string{"receipt": stray["id"].(string)}, map[string]any{"reference": "OUT-2"})
	if all := acc.ask(200, "listReceipts", nil, nil)["receipts"].([]any); len(all) != 3 {
		t.Fatal(all)
	}
	at = place(1)
	receipt := map[string]any{"order": at["order"], "amount_minor": 1900, "currency": "EUR", "reference": "Q-1", "received_at": now, "file": map[string]any{"name": "q.pdf", "content": "JVBERi0xLjQK"}}
	took := desk.ask(201, "recordDeskReceipt", map[string]string{"partner": "ESP"}, receipt)
	of := map[string]string{"partner": "ESP", "receipt": took["id"].(string)}
	desk.ask(204, "askReversal", of, map[string]any{"reason": "the wrong student"})
	desk.ask(403, "decideReversal", of, map[string]any{"agree": true})
	second.ask(204, "decideReversal", of, map[string]any{"agree": true})
	if all := desk.ask(200, "listDeskReceipts", of, nil)["receipts"].([]any); all[0].(map[string]any)["reversal_state"] != "succeeded" {
		t.Fatal(all)
	}
	left := acc.ask(201, "recordTransfer", nil, map[string]any{"amount_minor": 1900, "currency": "EUR", "reference": "API-3", "received_at": now})
	acc.ask(200, "matchReceipt", map[string]string{"receipt": left["id"].(string)}, map[string]any{"order": place(2)["order"]})
	maps.Copy(walker.Values, map[string]string{"receipt": left["id"].(string), "refund": owed["id"].(string)})
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		o, paper := w.waysFurnished(staff)
		parts := w.planned("fatou@parts.example.org")
		return map[string]string{
			"/console/money/:id/file": "/console/money/" + paper + "/file", "/orders": "/orders /orders/" + o.ID + " /orders/" + parts.ID, "/orders/:id/instalments/:n": "/orders/" + parts.ID + "/instalments/2",
		}
	})
}

// waysFurnished makes staff a cashier of ESP and an order that waits for a transfer, money without an order, some to be paid
// back, and a receipt of the desk with its paper.
func (w *world) waysFurnished(staff string) (o sales.Order, receipt string) {
	w.t.Helper()
	w.bank()
	w.desk()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.PutCashierTx(ctx, tx, "ESP", staff) })
	first, other := w.person("fatou@ways.example.org", "Fatou"), w.person("awa@ways.example.org", "Awa")
	o = w.byTransfer(w.order(first.ID, w.paid, "ways-1"), first.ID)
	at := w.order(other.ID, w.paid, "ways-2")
	for i, c := range []sales.Receive{
		{Amount: money.Of(4000, "EUR"), Reference: "VIR-LOST", Label: "MOOC Awa", Payer: "A. Diop"},
		{Amount: at.Total, Reference: "QUIT-1", OrderID: at.ID, Desk: sales.DeskOf{Organisation: "ESP", Holder: "desk:esp"}, Proof: &payments.Proof{Name: "q.pdf", Content: []byte("%PDF-1.4\n")}},
		{Amount: money.Of(9000, "EUR"), Reference: "VIR-TWICE", OrderID: at.ID, Payer: "A. Diop"},
	} {
		c.ReceivedAt, c.IdempotencyKey = w.h.Clock.Now(), c.Reference
		r, err := w.h.Sales.Receive(staffCtx(other.ID), c)
		if err != nil {
			w.t.Fatal(err)
		}
		if i == 1 {
			receipt = r.ID
		}
	}
	return o, receipt
}

// The pages of money without the provider: a buyer reads how to pay and changes her mind, an accountant finds the order of lost
// money and notes what was paid back, a cashier records francs with a paper and another one reverses them.
func TestPagesOfMoneyByHand(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	staff := w.staffTab(b, mails, "officer@example.org")
	o, receipt := w.waysFurnished(staff.ID)
	b.open(w.cfg.BaseURL + "/orders/" + o.ID)
	b.shows(o.Next.Reference, "FR7630006000011234567890189", "150.00")
	b.seen("order-by-transfer")
	b.open(w.cfg.BaseURL + "/console/desk")
	b.shows("QUIT-1")
	b.seen("desk")
	b.fill("#amount", "10")
	b.fill("#reference", "QUIT-2")
	b.fill("#order", o.ID)
	b.set("on", w.clock.Now().UTC().Format(time.DateOnly))
	b.do(chromedp.SetValue(chromedp.CSS("#currency"), "EUR"))
	b.press(`form[action="/console/desk"] button`, ".notice.bad")
	b.do(chromedp.WaitVisible(chromedp.CSS(`#reference[value="QUIT-2"]`)))
	b.set("amount", "150")
	b.press(`form[action="/console/desk"] button`, "#last")
	b.shows("QUIT-2")
	w.becomes(o, sales.Paid)
	b.fill("#w-"+receipt, "the wrong student")
	b.press("#w-"+receipt+" + button", `button[value="agree"]`)
	b.press(`button[value="agree"]`, ".notice.bad") // she asked herself
	if err := w.h.DecideReversal(staffCtx("per_bob"), w.cashierOf("bob@esp.example.org"), "ESP", receipt, true, "bob"); err != nil {
		t.Fatal(err)
	}
	b.open(w.cfg.BaseURL + "/console/money")
	b.shows("VIR-LOST", "MOOC Awa")
	b.seen("money")
	b.fill(`[name="do"][value="paid"] ~ input[name="reference"]`, "VIR-OUT")
	b.press(`[name="do"][value="paid"] ~ button`, "#last")
	b.fill(`[name="do"][value="return"] ~ input[name="reference"]`, "VIR-BACK")
	b.press(`[name="do"][value="return"] ~ button`, "#last")
	if s, held := w.balance("suspense", "EUR"), w.balance("clearing:bank", "EUR"); s != 0 || held != 0 {
		t.Error(s, held)
	}
	w.verify()
}

func (w *world) cashierOf(email string) (id string) {
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &id, postgres.Query{Name: "person", SQL: "select id from identity.people where email = $1"}, email)
	})
	return id
}
