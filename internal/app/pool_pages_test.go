package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		w.managed("ACME")
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.PutManagerTx(ctx, tx, "ACME", staff) })
		o := w.bought(staff, "walk pool", sales.Item{OfferID: w.limited("WALK-1", 10, 900).ID, Quantity: 3})
		k := w.claimLink(o, 1, 2, staff)
		if _, err := w.h.Sales.ClaimSeat(system, k.Token, w.person("sits@example.org", "Sits").ID); err != nil {
			w.t.Error(err)
		}
		people, err := sales.ReadRoster([]byte("invited@example.org"))
		if err == nil {
			_, err = w.h.Sales.ApplyRoster(system, sales.Roster{OrderID: o.ID, Line: 1, People: people, By: sales.By{PersonID: staff}})
		}
		if err != nil {
			w.t.Error(err)
		}
		gift := w.order(staff, w.later("WALK-2"), "walk gift")
		w.pay(gift, visa)
		w.becomes(gift, sales.Paid)
		if _, err := w.h.Sales.OfferTransfer(system, gift.ID, 1, staff, "heir@example.org"); err != nil {
			w.t.Error(err)
		}
		giver := w.person("giver@example.org", "Giver")
		other := w.order(giver.ID, w.later("WALK-3"), "walk given")
		w.pay(other, visa)
		w.becomes(other, sales.Paid)
		if _, err := w.h.Sales.OfferTransfer(system, other.ID, 1, giver.ID, "officer@example.org"); err != nil {
			w.t.Error(err)
		}
		return map[string]string{"/orders/:id/transfer": "/orders/" + gift.ID + "/transfer", "/orders/:id/seats": "/orders/" + o.ID + "/seats", "/claim/:token": "/claim/" + k.Token}
	})
}

// A manager orders seats at her page, pays, gives them out by a list and by a link; staff name her manager and order for others.
func TestTheDeskOfPools(t *testing.T) {
	w, mails := newSite(t)
	offer := w.limited("PAGES-1", 10, 900)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ACME", "ACME SA")
	})
	ann := w.newDeskOf(t, mails, "ann@example.org", "sales")
	ann.open("/organisation")
	ann.says("You order for no organisation.")
	ann.open("/console/behalf")
	ann.says("Nobody manages it.")
	f := ann.formWith("/console/behalf", "m0")
	f.set("email", "ann@example.org")
	f.press("do", "put")
	ann.says("Staff Member", "Manager no more")

	ann.open("/organisation")
	f = ann.form("/organisation")
	f.set("offer", offer.ID)
	f.set("quantity", "11")
	ann.want = 409
	f.press("", "")
	ann.says("Every")
	f = ann.form("/organisation")
	f.set("quantity", "3")
	f.press("", "")
	id := strings.TrimPrefix(ann.at, "/orders/")
	w.pay(w.state(sales.Order{ID: id}), visa)
	w.becomes(sales.Order{ID: id}, sales.Paid)
	ann.open("/orders/" + id)
	ann.says("The seats are yours to give out.")
	to := "/orders/" + id + "/seats"
	ann.open(to)
	f = ann.formWith(to, "list1")
	f.set("list", "zoe@example.org\nnot an address")
	ann.want = 400
	f.press("do", "check")
	ann.says("line 2")
	f = ann.formWith(to, "list1")
	f.set("list", "zoe@example.org")
	f.press("do", "check")
	ann.says("What the list would change", "is invited, a seat is reserved", "Nobody has a seat yet.")
	f = ann.formWith(to, "list1")
	f.press("do", "apply")
	ann.says("The list was applied", "zoe@example.org")
	f = ann.formWith(to, "uses1")
	f.set("uses", "2")
	f.set("until", w.h.Clock.Now().AddDate(0, 0, 3).Format(time.DateOnly))
	f.press("do", "link")
	ann.says("it is shown this once")
	all := ann.all(func(n *html.Node) bool {
		return n.Data == "code" && strings.Contains(words(n), "/claim/")
	})
	if len(all) != 1 {
		t.Fatal("the link is not shown")
	}
	claim := strings.TrimSpace(strings.TrimPrefix(words(all[0]), w.cfg.BaseURL))

	// Zoé signs in for the first time and has the seat that was reserved for her; Bob takes one by the link.
	zoe := w.newDeskOf(t, mails, "zoe@example.org", "exams")
	zoe.open(claim)
	zoe.says("You have this place already.")
	bob := w.newDeskOf(t, mails, "bob@example.org", "exams")
	bob.open(claim)
	bob.says("ACME SA offers you a place in Optics.")
	bob.form(claim).press("", "")
	if bob.at != "/learning" {
		t.Error(bob.at)
	}
	ann.open(to)
	ann.says("bob@example.org", "Claimed")
	w.counts(map[string]int{"select count(*) from sales.seats where state = 'claimed'": 2})

	// Bob gives a place that he bought to Zoé, who takes it.
	o := w.order(w.person("bob@example.org", "").ID, w.later("PAGES-2"), "bob buys")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	gift := "/orders/" + o.ID + "/transfer"
	bob.open("/orders/" + o.ID)
	bob.says("Give a place to somebody else")
	bob.open(gift)
	f = bob.formWith(gift, "to1")
	f.set("email", "bob@example.org")
	bob.want = 422
	f.press("do", "give")
	bob.says("This is your own address.")
	f = bob.formWith(gift, "to1")
	f.set("email", "zoe@example.org")
	f.press("do", "give")
	bob.says("Offered to zoe@example.org")
	zoe.open("/transfers")
	zoe.says("Optics", "From Staff Member")
	zoe.form("/transfers").press("", "")
	bob.open(gift)
	bob.says("It was taken by zoe@example.org.")
	bob.open("/orders/" + o.ID)
	bob.says("Give a place to somebody else")
	begun := w.order(w.person("bob@example.org", "").ID, w.later("PAGES-3"), "bob begins")
	w.pay(begun, visa)
	w.becomes(begun, sales.Paid)
	byHand(t, testkit.Owner(t, w.dsn), "update catalog.sessions set starts_at = now() - interval '1 day' where key = 'PAGES-3'")
	bob.open("/orders/" + begun.ID)
	bob.says("A place of this order cannot be given to somebody else. It has begun: the place stays with who has it.")

	bob.want = 403
	bob.open("/console/behalf")
	ann.open("/console/behalf")
	f = ann.formWith("/console/behalf", "quantity")
	f.set("email", "new@example.org")
	f.set("name", "New")
	f.set("offer", offer.ID)
	f.press("do", "order")
	ann.says("New", "9.00")
	// The seat that is left goes back to the organisation, at the desk of refunds.
	office := w.newDesk(t, mails, "office@example.org")
	at := "/console/orders/" + id
	office.open(at)
	f = office.form(at + "/refunds")
	f.set("seats_1", "2")
	f.set("reason", "fewer came")
	office.want = 409
	f.press("", "")
	f = office.form(at + "/refunds")
	f.set("seats_1", "1")
	f.press("", "")
	w.until("the seat was given back", func() bool { return w.state(sales.Order{ID: id}).Credited.Minor == 900 })
	office.open(to)
	office.says("Given back")
	// Bob's seat goes back too, with what is left of its money, once the officer is sure; who only manages the pool cannot.
	if ann.open(to); len(ann.all(func(n *html.Node) bool { return attr(n, "value") == "giveback" })) != 0 {
		t.Error("who may not give money back is offered to")
	}
	back := func() *filled {
		for _, n := range office.all(func(n *html.Node) bool { return n.Data == "li" && strings.Contains(words(n), "bob@example.org") }) {
			for _, in := range nodes(n, func(n *html.Node) bool { return strings.HasPrefix(attr(n, "id"), "r-") }) {
				return office.formWith(to, attr(in, "id"))
			}
		}
		t.Fatal("no form to give Bob's seat back")
		return nil
	}
	f = back()
	f.set("reason", "he left the company")
	office.want = 422
	f.press("do", "giveback")
	office.says("Nothing was given back: say that you are sure.")
	f = back()
	f.tick("confirm", "1")
	f.press("do", "giveback")
	if office.at != at {
		t.Error(office.at)
	}
	office.says("he left the company")
	w.until("Bob's seat was given back", func() bool { return w.state(sales.Order{ID: id}).Credited.Minor == 1800 })
	w.counts(map[string]int{
		"select count(*) from sales.seats where state = 'claimed'": 1,
		"select count(*) from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id join identity.people p on p.id = e.learner_id where g.revoked_at is null and g.order_id = '" + id + "' and p.email = 'bob@example.org'": 0,
	})
	office.open(to + "?lang=fr")
	office.says("Rendre cette place")
	w.verify()
}
