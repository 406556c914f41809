package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// bank gives the seller of everything a bank account.
func (w *world) bank() {
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := invoicing.IssuersTx(ctx, tx)
		if err != nil {
			return err
		}
		for _, d := range all {
			d.IBAN, d.BIC, d.Bank = "FR7630006000011234567890189", "AGRIFRPP", "Banque"
			if _, err := invoicing.PutIssuerTx(ctx, tx, d, d.Version); err != nil {
				return err
			}
		}
		return nil
	})
}

// desk gives ESP a desk that takes francs and euros, and two cashiers.
func (w *world) desk(members ...identity.Person) (ann, bob identity.Person) {
	ann, bob = w.person("ann@esp.example.org", "Ann"), w.person("bob@esp.example.org", "Bob")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"); err != nil {
			return err
		}
		for _, p := range members {
			if err := identity.JoinTx(ctx, tx, "ESP", p.ID); err != nil {
				return err
			}
		}
		for _, c := range []money.Currency{"XOF", "EUR"} {
			if _, err := accounting.PutAgreementTx(ctx, tx, accounting.Agreement{
				Key: "esp-" + string(c), Organisation: "ESP", Collects: "partner", Currency: c, SharePPM: 300000, ValidFrom: tx.Now().Add(-time.Hour),
			}, 0); err != nil && code(err) != "agreements-overlap" {
				return err
			}
		}
		for _, p := range []identity.Person{ann, bob} {
			if err := identity.PutCashierTx(ctx, tx, "ESP", p.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return ann, bob
}

func staffCtx(id string) context.Context {
	return postgres.WithActor(context.Background(), "staff:"+id)
}

func (w *world) balance(account string, c money.Currency) (minor int64) {
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &minor, postgres.Query{Name: "balance", SQL: `select coalesce(sum(e.minor), 0)::bigint from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
			where e.account = $1 and t.currency = $2`}, account, c)
	})
	return minor
}

func (w *world) byTransfer(o sales.Order, buyer string) sales.Order {
	w.t.Helper()
	o, err := w.h.ChooseWay(system, sales.ChooseWay{OrderID: o.ID, BuyerID: buyer, Way: sales.Transfer, IdempotencyKey: "way " + o.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// came records a transfer.
func (w *world) came(o sales.Order, minor int64, reference string) (sales.Received, error) {
	return w.h.Sales.Receive(staffCtx("acc"), sales.Receive{
		Amount: money.Of(minor, o.Total.Currency), Reference: reference, Label: "cursus " + o.Next.Reference, Payer: "A. Diop", ReceivedAt: w.clock.Now(), IdempotencyKey: "k" + reference,
	})
}

// An order is paid by transfer in parts: it says what is left, is paid with the last part, says so on the invoice; what is too much
// goes back by hand, and so does a refund.
func TestAnOrderIsPaidByTransferInParts(t *testing.T) {
	w := newWorld(t)
	w.bank()
	awa := w.person("awa@example.org", "Awa")
	o := w.order(awa.ID, w.run("PRD-1", "", 15000), "o1")
	o = w.byTransfer(o, awa.ID)
	n := o.Next
	if _, ok := payments.FindPayReference(n.Reference); !ok || n.Way != sales.Transfer || n.Left.Minor != 15000 || n.Account.IBAN == "" || !o.ExpiresAt.Equal(w.clock.Now().Add(14*24*time.Hour).Truncate(time.Microsecond)) && o.ExpiresAt.Sub(w.clock.Now()) < 13*24*time.Hour {
		t.Fatalf("%+v", n)
	}
	if r, err := w.came(o, 10000, "T1"); err != nil || r.OrderID != o.ID || r.State != "counted" {
		t.Fatal(r, err)
	}
	if s, err := w.h.Sales.Order(system, o.ID); err != nil || s.State != sales.AwaitingPayment || s.Next.Left.Minor != 5000 {
		t.Fatalf("%+v %v", s.Next, err)
	}
	if _, err := w.h.ChooseWay(system, sales.ChooseWay{OrderID: o.ID, BuyerID: awa.ID, Way: sales.Card, IdempotencyKey: "way card"}); code(err) != "payment-begun" {
		t.Error("left a way that was begun:", err)
	}
	w.verify()
	if r, err := w.came(o, 7000, "T2"); err != nil || r.Surplus != 2000 {
		t.Fatal(r, err)
	}
	o = w.becomes(o, sales.Paid)
	w.quiet()
	var invoice invoicing.Full
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := invoicing.OfOrderTx(ctx, tx, o.ID)
		kinds := map[string]bool{}
		for _, d := range all {
			if kinds[d.Kind] = true; d.Kind == invoicing.KindInvoice {
				invoice = d
			}
		}
		if !kinds[invoicing.KindProforma] {
			t.Error("no proforma")
		}
		return err
	})
	if invoice.Facts.Payment.Means != "transfer" {
		t.Errorf("the invoice says %q", invoice.Facts.Payment.Means)
	}
	if _, err := w.h.Sales.Refund(staffCtx("ref"), sales.RefundOrder{OrderID: o.ID, Reason: "asked for", IdempotencyKey: "r1"}); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	var queue []payments.PayBack
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		queue, _, err = payments.PayBacksTx(ctx, tx, page.Request{Limit: 10})
		return err
	})
	if len(queue) != 2 || queue[0].AmountMinor != 2000 || !queue[0].Surplus || queue[1].AmountMinor != 15000 || queue[1].Payer != "A. Diop" {
		t.Fatalf("%+v", queue)
	}
	for i, x := range queue {
		for range 2 {
			if err := w.h.Sales.PaidBack(staffCtx("acc"), x.ID, fmt.Sprint("B", i), fmt.Sprint("pay back ", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.becomes(o, sales.Refunded)
	if b := w.balance("clearing:bank", "EUR"); b != 0 {
		t.Error("the bank still holds", b)
	}
	w.verify()
}

// Money that names no order waits for a person, who matches it or sends it back; a reference counts once.
func TestMoneyWithoutAnOrder(t *testing.T) {
	w := newWorld(t)
	w.bank()
	awa := w.person("awa@example.org", "Awa")
	o := w.order(awa.ID, w.run("PRD-1", "", 15000), "o1")
	lost := sales.Receive{Amount: money.Of(15000, "EUR"), Reference: "T1", Label: "MOOC Awa", ReceivedAt: w.clock.Now(), IdempotencyKey: "a"}
	r, err := w.h.Sales.Receive(staffCtx("acc"), lost)
	if err != nil || r.State != "unmatched" {
		t.Fatal(r, err)
	}
	lost.IdempotencyKey = "b"
	if again, err := w.h.Sales.Receive(staffCtx("acc"), lost); err != nil || again.ID != r.ID {
		t.Fatal("the same money twice:", again, err)
	}
	lost.IdempotencyKey, lost.Amount.Minor = "c", 14000
	if _, err := w.h.Sales.Receive(staffCtx("acc"), lost); code(err) != "reference-used" {
		t.Fatal(err)
	}
	if b := w.balance("suspense", "EUR"); b != -15000 {
		t.Error("in suspense:", b)
	}
	w.verify()
	for i := range 2 {
		if _, err := w.h.Sales.Match(staffCtx("acc"), r.ID, o.ID, fmt.Sprint("match ", i)); err != nil {
			t.Fatal(err)
		}
	}
	w.becomes(o, sales.Paid)
	if _, err := w.h.Sales.SendBack(staffCtx("acc"), r.ID, "B1", "back"); code(err) != "receipt-settled" {
		t.Error("sent back what was matched:", err)
	}
	stray, err := w.h.Sales.Receive(staffCtx("acc"), sales.Receive{Amount: money.Of(700, "EUR"), Reference: "T2", ReceivedAt: w.clock.Now(), IdempotencyKey: "d"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if _, err := w.h.Sales.SendBack(staffCtx("acc"), stray.ID, "B1", fmt.Sprint("back ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if s, b := w.balance("suspense", "EUR"), w.balance("clearing:bank", "EUR"); s != 0 || b != 15000 {
		t.Error(s, b)
	}
	w.verify()
}

// 100 000 francs at the desk of ESP are 100000, whoever records them however often; the school owes them; two persons reverse them.
func TestMoneyAtTheDesk(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	ann, bob := w.desk(awa)
	offer := w.run("PRD-1", "", 15000)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.AddPriceTx(ctx, tx, offers.Price{OfferID: offer.ID, Price: money.Of(100000, "XOF")})
		return err
	})
	o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: awa.ID, OfferID: offer.ID, Currency: "XOF", IdempotencyKey: "o1"})
	if err != nil {
		t.Fatal(err)
	}
	ways, err := w.h.WaysToPay(system, o.ID)
	if err != nil || len(ways) != 2 || ways[1].Partner != "ESP" {
		t.Fatal(ways, err)
	}
	paper := append([]byte("%PDF-1.4\n"), make([]byte, 1000)...)
	in := func(key string, minor int64) sales.Receive {
		return sales.Receive{OrderID: o.ID, Amount: money.Of(minor, "XOF"), Reference: "QUIT-77", Payer: "Awa", ReceivedAt: w.clock.Now(), Proof: &payments.Proof{Name: "q.pdf", Content: paper}, IdempotencyKey: key}
	}
	if _, err := w.h.ReceiveAtDesk(staffCtx(awa.ID), awa.ID, "ESP", in("x", 100000)); code(err) != "not-a-cashier" {
		t.Fatal("a buyer recorded her own payment:", err)
	}
	if _, err := w.h.ReceiveAtDesk(staffCtx(ann.ID), ann.ID, "ESP", in("y", 1000)); code(err) != "not-the-sum" {
		t.Fatal(err)
	}
	bad := in("z", 100000)
	bad.Proof = &payments.Proof{Name: "q.exe", Content: []byte("MZ")}
	if _, err := w.h.ReceiveAtDesk(staffCtx(ann.ID), ann.ID, "ESP", bad); code(err) != "bad-receipt-file" {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			r, err := w.h.ReceiveAtDesk(staffCtx(ann.ID), ann.ID, "ESP", in(fmt.Sprint(i), 100000))
			if err != nil {
				t.Error(err)
			}
			ids[i] = r.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatal("the same reference twice:", ids)
		}
	}
	w.becomes(o, sales.Paid)
	if b := w.balance("clearing:desk:esp", "XOF"); b != 100000 {
		t.Fatal("the school owes", b)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		p, err := payments.PaperTx(ctx, tx, ids[0])
		if string(p.Content) != string(paper) || p.MediaType != "application/pdf" {
			t.Error("another paper:", p.MediaType)
		}
		all, _, err2 := payments.ReceiptsTx(ctx, tx, "ESP", "", page.Request{Limit: 5})
		sum := sha256.Sum256(paper)
		if len(all) != 1 || all[0].ProofSHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%+v %v", all, err2)
		}
		return err
	})
	if err := w.h.AskReversal(staffCtx(ann.ID), ann.ID, "ESP", ids[0], "typed for another student", "ask"); err != nil {
		t.Fatal(err)
	}
	if err := w.h.DecideReversal(staffCtx(ann.ID), ann.ID, "ESP", ids[0], true, "ann"); code(err) != "second-person-needed" {
		t.Fatal("one person reversed alone:", err)
	}
	if s := w.state(o).State; s != sales.Paid {
		t.Fatal(s)
	}
	if err := w.h.DecideReversal(staffCtx(bob.ID), bob.ID, "ESP", ids[0], true, "bob"); err != nil {
		t.Fatal(err)
	}
	w.becomes(o, sales.Refunded)
	if b := w.balance("clearing:desk:esp", "XOF"); b != 0 {
		t.Error("the school owes", b)
	}
	w.verify()
}

// Whatever comes in whatever parts and order, by bank, with time passing and orders cancelled: against a small model.
func TestRandomPartPayments(t *testing.T) {
	w := newWorld(t)
	w.bank()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		awa := w.person(fmt.Sprintf("p%d@example.org", round), "P")
		o := w.order(awa.ID, w.run(fmt.Sprintf("RND-%d", round), "", 15000), fmt.Sprint("o", round))
		o = w.byTransfer(o, awa.ID)
		bank := w.balance("clearing:bank", "EUR")
		collected, back, state := int64(0), int64(0), sales.AwaitingPayment
		for i := range rapid.IntRange(1, 6).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"money", "money", "money", "cancel", "expire"}).Draw(rt, "step") {
			case "money":
				minor := rapid.Int64Range(1, 16000).Draw(rt, "minor")
				r, err := w.came(o, minor, fmt.Sprintf("R%d-%d", round, i))
				if err != nil {
					rt.Fatal(err)
				}
				take := int64(0)
				if state == sales.AwaitingPayment {
					take = min(minor, 15000-collected)
				}
				if collected += take; r.Surplus != minor-take {
					rt.Fatalf("surplus %d, the model says %d", r.Surplus, minor-take)
				}
				if back += minor - take; collected == 15000 && state == sales.AwaitingPayment {
					state = sales.Paid
				}
			case "cancel":
				if _, err := w.h.Sales.CancelOrder(system, o.ID); (err == nil) == (state == sales.Paid || state == sales.Expired) {
					rt.Fatal(state, err)
				}
				if state == sales.AwaitingPayment {
					state, back, collected = sales.Canceled, back+collected, 0
				}
			case "expire":
				w.clock.Advance(15 * 24 * time.Hour)
				if _, err := w.h.Sales.ExpireByHand(system); err != nil {
					rt.Fatal(err)
				}
				if state == sales.AwaitingPayment {
					state, back, collected = sales.Expired, back+collected, 0
				}
			}
			if s := w.state(o); s.State != state {
				rt.Fatalf("%s, the model says %s", s.State, state)
			}
		}
		if b := w.balance("clearing:bank", "EUR") - bank; b != collected+back {
			rt.Fatalf("the bank holds %d, the model says %d and %d", b, collected, back)
		}
		var owed int64
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &owed, postgres.Query{Name: "owed", SQL: `select coalesce(sum(r.amount_minor), 0)::bigint from payments.refunds r join payments.payments p on p.id = r.payment_id
				where p.order_id = $1 and r.state = 'requested'`}, o.ID)
		})
		if owed != back {
			rt.Fatalf("to be paid back: %d, the model says %d", owed, back)
		}
	})
	w.verify()
}
