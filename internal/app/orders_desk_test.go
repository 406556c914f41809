package app_test

import (
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"cursus/internal/app"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
	"cursus/internal/transport/web"
)

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		o := w.order(w.person("refund@example.org", "R").ID, w.paid, "walk refund")
		w.pay(o, visa)
		w.becomes(o, sales.Paid)
		if _, err := w.h.Sales.Refund(postgres.WithActor(context.Background(), "staff:"+staff), sales.RefundOrder{
			OrderID: o.ID, Lines: []sales.RefundLine{{Line: 1, Minor: 1000}}, Reason: "a gesture", IdempotencyKey: "walk",
		}); err != nil {
			w.t.Error(err)
		}
		w.order(w.person("unpaid@example.org", "U").ID, w.paid, "walk unpaid")
		return map[string]string{"/console/orders/:id": "/console/orders/" + o.ID, "/console/orders/:id/evidence.zip": "/console/orders/" + o.ID + "/evidence.zip", "/console/orders": "/console/orders /console/orders?state=lost"}
	})
}

// says fails unless the open page holds each of the texts.
func (d *desk) says(texts ...string) {
	d.t.Helper()
	all := words(d.page)
	for _, x := range texts {
		if !strings.Contains(all, x) {
			d.t.Errorf("%s does not say %q", d.at, x)
		}
	}
}

// Staff find an order, give money of one line back, too much of it is refused with what they wrote kept; a large refund is proposed by one
// person at her desk and agreed to by another at hers.
func TestTheDeskOfOrders(t *testing.T) {
	w, mails := newSite(t)
	dear, cheap := w.run("PRD-D", "", 90000), w.run("PRD-C", "", 15000)
	awa := w.person("awa@example.org", "=Awa")
	o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: awa.ID, Items: []sales.Item{{OfferID: dear.ID, Quantity: 1}, {OfferID: cheap.ID, Quantity: 1}}, IdempotencyKey: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	other := w.order(w.person("zoe@example.org", "Zoé").ID, w.paid, "k2")
	ann, bob := w.newDesk(t, mails, "ann@example.org"), w.newDeskOf(t, mails, "bob@example.org", "refund")

	ann.open("/console/orders?buyer=AWA%40&key=prd-c&way=card&state=paid")
	ann.says("=Awa", o.ID, "1,050.00")
	if strings.Contains(words(ann.page), other.ID) {
		t.Error("the filter lets another order through")
	}
	ann.open("/console/orders?until=2001-01-01")
	ann.says("No order is like this.")
	at := "/console/orders/" + o.ID
	ann.open(at)
	ann.says("Line 1", "Line 2", "Received", "Invoice")
	left := func(want string) {
		t.Helper()
		if all := ann.all(func(n *html.Node) bool { return attr(n, "id") == "left_2" }); len(all) != 1 || !strings.Contains(words(all[0]), want) {
			t.Errorf("line 2 has not %s left", want)
		}
	}
	left("150.00")
	f := ann.form(at + "/refunds")
	f.set("line_2", "150.01")
	f.set("reason", "a gesture")
	ann.want = http.StatusUnprocessableEntity
	f.press("", "")
	if kept := ann.all(func(n *html.Node) bool { return attr(n, "name") == "line_2" && attr(n, "value") == "150.01" }); len(kept) != 1 {
		t.Error("what was written is lost")
	}
	f = ann.form(at + "/refunds")
	f.set("line_2", "50,00")
	f.press("", "")
	w.until("the small refund is there", func() bool { return w.state(o).Credited.Minor == 5000 })
	ann.open(at)
	ann.says("Paid back", "a gesture", "Credit note")
	left("100.00")
	f = ann.form(at + "/refunds")
	f.set("line_1", "900")
	f.set("reason", "the course was cancelled")
	f.press("", "")
	ann.open("/console/refunds")
	ann.says("Proposed", "You proposed it", "the course was cancelled", other.ID, "The pay page is open")
	bob.open("/console/refunds")
	actions := bob.all(func(n *html.Node) bool {
		return n.Data == "form" && strings.HasPrefix(attr(n, "action"), "/console/refunds/")
	})
	if len(actions) != 1 {
		t.Fatal(len(actions), "proposals to decide")
	}
	decide := bob.form(attr(actions[0], "action"))
	decide.press("do", "agree")
	w.until("the large refund is there", func() bool { return w.state(o).Credited.Minor == 95000 })
	bob.want = http.StatusConflict
	decide.press("do", "refuse")
	bob.says("Somebody has decided this refund already.")
	if got := w.state(o); got.Lines[0].Credited.Minor != 90000 || got.Lines[1].Credited.Minor != 5000 {
		t.Error(got.Lines[0].Credited, got.Lines[1].Credited)
	}
	repayment := "/console/refunds/" + w.bounces(w.state(o)) + "/repayment"
	bob.want = http.StatusOK
	bob.open("/console/refunds")
	bob.says("We owe 900.00", "Reference of the transfer")
	f = bob.form(repayment)
	f.set("reference", "VIR-9")
	f.press("", "")
	bob.says("By transfer VIR-9", "You proposed it")
	ann.want = http.StatusOK
	ann.open("/console/refunds")
	ann.form(repayment).press("do", "agree")
	if strings.Contains(words(ann.page), "VIR-9") || w.balance("refunds_payable", "EUR") != 0 {
		t.Error("what was repaid is owed still", w.balance("refunds_payable", "EUR"))
	}
	w.verify()
}

// The file has all orders of the filter, whatever the pages show, and no cell begins a formula; who has none of the scopes sees and moves
// nothing, and who may only look gives nothing back.
func TestWhoSitsAtTheDesk(t *testing.T) {
	w := newWorld(t)
	site, ctx := app.NewPages(w.h), context.Background()
	viewer := func(email, role string) web.Viewer {
		p := w.person(email, "Staff")
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.GrantRoleTx(ctx, tx, p.ID, role) })
		return web.Viewer{PersonID: p.ID, Staff: true}
	}
	seller, reader := viewer("seller@example.org", "sales"), viewer("reader@example.org", "analytics")
	var ids []string
	for _, name := range []string{"=cmd", "Bea", "Cléo"} {
		ids = append(ids, w.order(w.person(strings.Trim(name, "=é")+"@example.org", name).ID, w.paid, "k").ID)
	}
	slices.Reverse(ids)
	var paged []string
	for r := (page.Request{Limit: 2}); ; {
		all, next, err := site.DeskOrders(ctx, seller, sales.OrderFilter{}, r)
		if err != nil || len(all) == 0 {
			t.Fatal(len(all), err)
		}
		for _, o := range all {
			paged = append(paged, o.ID)
		}
		if r.After = next; next == "" {
			break
		}
	}
	file, err := site.DeskOrdersFile(ctx, seller, sales.OrderFilter{Key: w.session.Key})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(file.Content))).ReadAll()
	if err != nil || len(rows) != 4 || rows[3][4] != "'=cmd" || rows[1][9] != "150.00" {
		t.Fatal(rows, err)
	}
	if !slices.Equal(paged, ids) || rows[1][0] != ids[0] {
		t.Error(paged, ids)
	}
	if _, _, err := site.DeskOrders(ctx, reader, sales.OrderFilter{}, page.Request{Limit: 1}); code(err) != "scope-missing" {
		t.Error("a reader sees orders:", err)
	}
	if _, _, err := site.DeskOrder(ctx, reader, ids[0]); code(err) != "scope-missing" {
		t.Error("a reader sees an order:", err)
	}
	if _, err := site.Desk(ctx, reader); code(err) != "scope-missing" {
		t.Error("a reader sees the desk:", err)
	}
	if err := site.GiveBack(ctx, seller, sales.RefundOrder{OrderID: ids[0], Reason: "x", IdempotencyKey: "k"}); code(err) != "scope-missing" {
		t.Error("a seller gives money back:", err)
	}
	if _, err := site.DecideRefund(ctx, seller, "ref_x", true, "k"); code(err) != "scope-missing" {
		t.Error("a seller decides:", err)
	}
}

// refundsStory orders to begin at once, asks for the pay page again, gives money of a line back by two persons, and withdraws in two
// steps, all through the API; the refund that was decided stays in the walker's values.
func (w *world) refundsStory(t *testing.T, walker *apitest.Walker, learner, ann, bob string) {
	t.Helper()
	a, first, second := &asker{t: t, w: walker, token: learner, seq: 20}, &asker{t: t, w: walker, token: ann, seq: 20}, &asker{t: t, w: walker, token: bob, seq: 20} // keys of their own
	dear := w.run("PRD-API", "", 90000)
	o := a.ask(201, "placeOrder", nil, map[string]any{"offer_id": dear.ID, "lang": "fr", "begin_now": true})
	at := map[string]string{"order": o["id"].(string)}
	if paying := a.ask(200, "payOrder", at, nil); paying["checkout_url"] != o["checkout_url"] || o["checkout_url"] == "" {
		t.Error("another pay page:", paying["checkout_url"], o["checkout_url"])
	}
	first.ask(404, "payOrder", at, nil)
	placed, err := w.h.Sales.Order(system, at["order"])
	if err != nil {
		t.Fatal(err)
	}
	w.pay(placed, visa)
	w.becomes(placed, sales.Paid)
	a.ask(409, "payOrder", at, nil)
	lines := []any{map[string]any{"line": 1, "amount_minor": 60000}}
	first.ask(400, "refundOrder", at, map[string]any{"amount_minor": 1, "lines": lines, "reason": "x"})
	first.ask(202, "refundOrder", at, map[string]any{"lines": lines, "reason": "the course was shortened"})
	refunds := second.ask(200, "listRefunds", nil, nil)["refunds"].([]any)
	if len(refunds) != 1 {
		t.Fatal(refunds)
	}
	proposed := refunds[0].(map[string]any)
	if l := proposed["lines"].([]any); proposed["state"] != "proposed" || len(l) != 1 || l[0].(map[string]any)["amount_minor"] != 60000.0 {
		t.Error(proposed)
	}
	which := map[string]string{"refund": proposed["id"].(string)}
	first.ask(403, "decideRefund", which, map[string]any{"agree": true})
	once := func(r *apitest.Request) { r.Header.Set("Idempotency-Key", "my word") }
	second.ask(200, "decideRefund", which, map[string]any{"agree": true}, once)
	second.ask(200, "decideRefund", which, map[string]any{"agree": true}, once)
	if other := second.ask(422, "decideRefund", which, map[string]any{"agree": false}, once); other["code"] != "idempotency-key-reused" {
		t.Error("a key said two things:", other)
	}
	second.ask(409, "decideRefund", which, map[string]any{"agree": false})
	walker.Values["refund"] = which["refund"]
	if a := walker.Do(t, apitest.Request{Operation: "getOrderEvidence", Token: ann, Path: at, Query: "lang=fr"}); a.Status != 200 || !strings.HasPrefix(string(a.Body), "PK") {
		t.Errorf("%d %.200s", a.Status, a.Body)
	}
	a.ask(403, "getOrderEvidence", at, nil)
	list := func(token, operation, query string, status int) (out struct {
		Orders, Disputes []struct{ ID, State string }
		NextCursor       string `json:"next_cursor"`
	}) {
		t.Helper()
		answer := walker.Do(t, apitest.Request{Operation: operation, Token: token, Query: query})
		if answer.Status != status {
			t.Errorf("%s?%s: %d %.300s", operation, query, answer.Status, answer.Body)
		} else if status == 200 {
			answer.JSON(t, &out)
		}
		return out
	}
	if x := list(ann, "listSoldOrders", "key=PRD-API&way=card", 200); len(x.Orders) != 1 || x.Orders[0].ID != placed.ID {
		t.Errorf("%+v", x)
	}
	if x := list(ann, "listSoldOrders", "limit=1", 200); len(x.Orders) != 1 || x.NextCursor == "" || list(ann, "listSoldOrders", "limit=1&cursor="+x.NextCursor, 200).Orders[0].ID >= x.Orders[0].ID {
		t.Errorf("%+v", x)
	}
	// What a list says can be done is what the order says alone, but for the address of the buyer's pay page.
	for _, x := range first.ask(200, "listSoldOrders", nil, nil, query("limit=200"))["orders"].([]any) {
		x := x.(map[string]any)
		o, err := w.h.Sales.Order(system, x["id"].(string))
		if err != nil {
			t.Fatal(err)
		}
		actions := map[string]any{}
		for _, a := range x["actions"].([]any) {
			a := a.(map[string]any)
			actions[a["action"].(string)] = a["allowed"]
		}
		for _, a := range o.Actions {
			if actions[a.Action] != a.Allowed {
				t.Errorf("%s %s: %s %v", o.ID, o.State, a.Action, actions[a.Action])
			}
		}
		if next := x["next_action"].(map[string]any); len(actions) != len(o.Actions) || next["kind"] != o.Next.Kind || next["url"] != nil {
			t.Errorf("%s: %v %v", o.ID, next, actions)
		}
	}
	list(learner, "listSoldOrders", "", 403)
	list(learner, "listDisputes", "", 403)
	if x := list(ann, "listDisputes", "", 200); len(x.Disputes) != 0 {
		t.Errorf("%+v", x)
	}
	w.until("the refund is there", func() bool { return w.state(placed).Credited.Minor == 60000 })
	owed := map[string]string{"refund": w.bounces(w.state(placed))}
	once2 := func(r *apitest.Request) { r.Header.Set("Idempotency-Key", "my second word") }
	first.ask(200, "sayRepaid", owed, map[string]any{"reference": "VIR-1"})
	first.ask(403, "decideRepaid", owed, map[string]any{"agree": true})
	second.ask(200, "decideRepaid", owed, map[string]any{"agree": true}, once2)
	second.ask(200, "decideRepaid", owed, map[string]any{"agree": true}, once2) // without its key it is a conflict
	second.ask(409, "decideRepaid", owed, map[string]any{"agree": true})
	second.ask(409, "sayRepaid", owed, map[string]any{"reference": "VIR-2"})
	before := a.ask(200, "getOrderWithdrawal", at, nil)
	if before["allowed"] != true || before["begin_now"] != true || before["refund"].(map[string]any)["amount_minor"] != 30000.0 {
		t.Error(before)
	}
	who := map[string]any{"name": "Zoé", "email": "zoe@example.org"}
	first.ask(404, "withdrawOrder", at, who)
	after := a.ask(200, "withdrawOrder", at, who)
	if after["allowed"] != false || after["reason"] != "withdrawn" || after["receipt"].(map[string]any)["name"] != "Zoé" {
		t.Error(after)
	}
	a.ask(409, "withdrawOrder", at, who)
	w.becomes(placed, sales.Refunded)
}
