package app_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A learner finds a session sold out, joins the list, sees her number, gets the place when it is free, and orders it; staff see the row.
func TestTheWaitingListInABrowser(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	last := w.few(1)
	o := w.order(w.person("holder@example.org", "Holder").ID, last, "h")
	if _, err := w.h.Sales.Wait(system, last.ID, w.person("first@example.org", "First").ID); err != nil {
		t.Fatal(err)
	}
	b.open(w.cfg.BaseURL + "/sessions/PRD-9")
	b.shows("This offer is sold out", "Sign in to join the waiting list.")
	w.signIn(b, mails, "zoe@example.org")
	b.open(w.cfg.BaseURL + "/sessions/PRD-9")
	b.press("form[action='/waiting'] button[value=join]", "form[action='/waiting'] button[value=leave]")
	b.shows("You are number 2 on the waiting list.")
	b.seen("waiting")
	b.axeEverywhere("a session with a waiting list")
	if err := w.h.Sales.LeaveRow(system, last.ID, w.person("first@example.org", "First").ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.CancelOrder(system, o.ID); err != nil {
		t.Fatal(err)
	}
	b.open(w.cfg.BaseURL + "/sessions/PRD-9?lang=fr")
	b.shows("Une place est gardée pour vous jusqu’au")
	b.open(w.cfg.BaseURL + "/sessions/PRD-9?lang=en")
	b.shows("A place is kept for you until")
	b.seen("waiting-kept")
	b.press("form[action='/checkout']:has(input[value='"+last.ID+"']) button", "input[name=number]")
	b.fill("input[name=number]", visa)
	b.press("form button", "#state")
	b.do(chromedp.WaitVisible(chromedp.CSS(`#state[data-state=paid]`)))
	if _, err := w.h.Sales.Wait(system, last.ID, w.person("first@example.org", "First").ID); err != nil {
		t.Fatal(err)
	}
	staff := newTab(t)
	w.staffTab(staff, mails, "staff@example.org")
	staff.open(w.cfg.BaseURL + "/console/seats")
	staff.shows("Places and waiting lists", "PRD-9", "no limit")
	staff.seen("console-seats")
	staff.axeEverywhere("places")
	w.verify()
}
