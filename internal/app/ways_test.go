package app_test

import (
	"context"
	"testing"

	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// papers are the documents of an order of one kind.
func (w *world) papers(o sales.Order, kind string) (found []invoicing.Full) {
	w.t.Helper()
	for _, d := range w.documents(o.ID) {
		if d.Kind == kind {
			found = append(found, d)
		}
	}
	return found
}

// A school orders on a purchase order in one step: the proforma quotes both references, the mail says where to pay, half of the money
// opens nothing, all of it opens everything, and the invoice carries the number of the purchase order.
func TestAPurchaseOrderFromEndToEnd(t *testing.T) {
	w := newWorld(t)
	w.bank()
	awa := w.person("awa@example.org", "Awa")
	offer := w.run("PRD-1", "", 15000)
	c := sales.PlaceOrder{BuyerID: awa.ID, OfferID: offer.ID, Lang: "en", Way: sales.PurchaseOrder, IdempotencyKey: "o1"}
	if _, err := w.h.Sales.PlaceOrder(system, c); code(err) != "invalid-input" {
		t.Fatal("a purchase order without a number:", err)
	}
	c.Reference = "PO-2026-17"
	var o sales.Order
	for range 2 {
		again, err := w.h.PlaceOrder(system, c)
		if err != nil || o.ID != "" && again.ID != o.ID {
			t.Fatal(again, err)
		}
		o = again
	}
	n := o.Next
	if o.Way != sales.PurchaseOrder || n.Reference == "" || n.Left.Minor != 15000 || n.Account == nil || o.PayURL != "" {
		t.Fatalf("%+v", o)
	}
	w.quiet()
	all := w.papers(o, invoicing.KindProforma)
	if len(all) != 1 || all[0].Facts.Reference != "PO-2026-17" || all[0].Facts.Payment.Reference != n.Reference || all[0].Facts.Payment.DueAt == nil {
		t.Fatalf("%+v", all)
	}
	if !w.inMails(n.Reference, "FR7630006000011234567890189", "AGRIFRPP", "150.00", "/documents") {
		t.Error("no mail says how to pay")
	}
	if _, err := w.came(o, 7500, "T1"); err != nil {
		t.Fatal(err)
	}
	if s := w.state(o); s.State != sales.AwaitingPayment || len(s.Enrolments()) != 0 {
		t.Fatal("half of the money:", s.State, s.Enrolments())
	}
	if _, err := w.came(o, 7500, "T2"); err != nil {
		t.Fatal(err)
	}
	o = w.becomes(o, sales.Paid)
	if !w.granted(o.Enrolments()[0]) {
		t.Error("paid and not enrolled")
	}
	invoice := w.papers(o, invoicing.KindInvoice)
	if len(invoice) != 1 || invoice[0].Facts.Reference != "PO-2026-17" || invoice[0].Facts.Payment.Means != "transfer" {
		t.Fatalf("%+v", invoice)
	}
	w.verify()
}

// A proforma from before the way was chosen does not quote its reference: another one does. Who asks for it gets that one.
func TestAProformaQuotesTheReference(t *testing.T) {
	w := newWorld(t)
	w.bank()
	awa := w.person("awa@example.org", "Awa")
	o := w.order(awa.ID, w.run("PRD-1", "", 15000), "o1")
	issue := func() (id string) {
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			id, err = w.h.Sales.IssueTx(ctx, tx, o.ID, invoicing.KindProforma)
			return err
		})
		return id
	}
	first := issue()
	o = w.byTransfer(o, awa.ID)
	second := issue()
	all := w.papers(o, invoicing.KindProforma)
	if len(all) != 2 || first == second || issue() != second {
		t.Fatal(first, second, len(all))
	}
	for _, d := range all {
		if d.ID == second && d.Facts.Payment.Reference != o.Next.Reference {
			t.Errorf("it quotes %q, not %q", d.Facts.Payment.Reference, o.Next.Reference)
		}
	}
	w.verify()
}

// A page of the provider that was open when the buyer chose to transfer is paid all the same. While nothing came by hand the order is
// the page's; once something did, the order stays by hand and the card's money goes back.
func TestCardMoneyOnAnOrderByHand(t *testing.T) {
	w := newWorld(t)
	w.bank()
	for _, begun := range []bool{false, true} {
		awa := w.person("awa"+map[bool]string{true: "2"}[begun]+"@example.org", "Awa")
		o := w.order(awa.ID, w.run(map[bool]string{false: "HND-1", true: "HND-2"}[begun], "", 15000), "o"+awa.ID)
		checkout := w.payment(o).CheckoutID
		w.setHook(w.receive)
		w.tell("/sandbox/webhooks", map[string]any{"hold": true})
		w.tell("/sandbox/pay/"+checkout, map[string]any{"card": visa})
		o = w.byTransfer(o, awa.ID)
		if begun {
			if _, err := w.came(o, 5000, "T1"); err != nil {
				t.Fatal(err)
			}
		}
		w.tell("/sandbox/webhooks", map[string]any{})
		if !begun {
			o = w.becomes(o, sales.Paid)
			if o.Way != sales.Card {
				t.Error("paid by", o.Way)
			}
			if r, err := w.came(w.state(o), 15000, "late"); err != nil || r.State == "counted" && r.Surplus != 15000 {
				t.Error("a transfer for an order that the page took:", r, err)
			}
			continue
		}
		w.until("the card's money goes back", func() bool { return w.inMails(awa.Email, "goes back to you") })
		if s := w.state(o); s.State != sales.AwaitingPayment || s.Next.Left.Minor != 10000 {
			t.Fatalf("%s %+v", s.State, s.Next)
		}
		if _, err := w.came(o, 10000, "T2"); err != nil {
			t.Fatal(err)
		}
		w.becomes(o, sales.Paid)
	}
	if b := w.balance("overpaid", "EUR"); b != 0 {
		t.Error("still owed:", money.Of(b, "EUR"))
	}
	w.verify()
}
