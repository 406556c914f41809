package app_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"cursus/internal/domain/sales"
)

// A manager orders seats, and gives them out from a list and by a link, with the keyboard alone; a learner takes one by the link, and
// another place is offered and taken.
func TestAManagerGivesSeatsOutInABrowser(t *testing.T) {
	w, mails := newSite(t)
	boss := w.managed("ACME")
	offer := w.limited("POOLS-1", 30, 15000)
	b := newTab(t)
	w.signIn(b, mails, boss.Email)
	b.open(w.cfg.BaseURL + "/organisation?lang=en")
	b.shows("ACME SA", "Order seats", "A voucher is used once for each seat.")
	b.seen("organisation")
	b.axeEverywhere("an organisation")
	b.types("#quantity", "4")
	b.reach("form[action='/organisation'] button")
	b.follow(kb.Enter, "#state")
	o := sales.Order{ID: ask[string](b, `document.querySelector("#state").dataset.order`)}
	if got := w.state(o); got.Lines[0].OfferID != offer.ID || got.Lines[0].Quantity != 4 {
		t.Fatalf("%+v", got.Lines)
	}
	w.pay(w.state(o), visa)
	w.becomes(o, sales.Paid)
	b.open(w.cfg.BaseURL + "/orders/" + o.ID + "/seats")
	b.shows("Seats of an order", "Nobody has a seat yet.")
	b.reach("summary")
	b.keys(kb.Enter)
	b.types("#list1", "zoe@example.org\rbob@example.org")
	b.reach("button[value=check]")
	b.follow(kb.Enter, "#result")
	b.shows("What the list would change", "0 enrolled, 2 invited")
	b.seen("seats-checked")
	b.axeEverywhere("a list that was checked")
	b.reach("button[value=apply]")
	b.follow(kb.Enter, "form button[value=release]")
	b.shows("The list was applied", "zoe@example.org", "Reserved")
	b.seen("seats")
	b.axeEverywhere("seats")
	b.open(w.cfg.BaseURL + "/orders/" + o.ID + "/seats?lang=fr")
	b.shows("Places d’une commande", "Qui a une place")
	k := w.claimLink(w.state(o), 1, 2, boss.ID)
	learner := newTab(t)
	w.signIn(learner, mails, "awa@example.org")
	learner.open(w.cfg.BaseURL + "/claim/" + k.Token + "?lang=en")
	learner.shows("ACME SA offers you a place in Optics.")
	learner.seen("claim")
	learner.axeEverywhere("a claim")
	learner.reach("main form button")
	learner.follow(kb.Enter, "form[action='/learning/name']")
	learner.shows("Optics")
	w.verify()
}
