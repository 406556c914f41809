package app_test

import "testing"

// A learner orders, thinks again, cancels on the order's page, and finds it among her orders with all that happened to it.
func TestOrdersInABrowser(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	zoe := w.person("zoe@example.org", "Zoé")
	w.signIn(b, mails, "zoe@example.org")
	b.open(w.cfg.BaseURL + "/orders")
	b.shows("My orders", "not ordered anything yet")
	o := w.order(zoe.ID, w.paid, "k")
	b.open(w.cfg.BaseURL + "/orders/" + o.ID)
	b.shows("What happened", "Ordered", "150.00", "Cancel this order")
	b.seen("order-open")
	b.axeEverywhere("an open order")
	b.press("form[action$='/cancel'] button", "#state[data-state=canceled]")
	b.shows("Cancelled")
	bought := w.order(zoe.ID, w.paid, "k2")
	w.pay(bought, visa)
	w.becomes(bought, "paid")
	b.open(w.cfg.BaseURL + "/orders/" + bought.ID)
	b.shows("Paid", "Enrolled in PRD-9", "Invoice DEMO-")
	b.seen("order-paid")
	b.axeEverywhere("a paid order")
	b.open(w.cfg.BaseURL + "/learning")
	b.press("a[href='/orders']", "ul.cards li + li")
	b.shows("Cancelled", "Paid", "150.00")
	b.seen("orders")
	b.axeEverywhere("my orders")
	b.open(w.cfg.BaseURL + "/orders?lang=fr")
	b.shows("Annulée")
	w.verify()
}
