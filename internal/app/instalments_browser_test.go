package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/sales"
	"cursus/internal/testkit"
)

// An officer lets buyers pay an offer in instalments, at the console; a mistake is told beside what she wrote.
func TestAPlanOfInstalmentsInABrowser(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	w.staffTab(b, mails, "staff@example.org")
	b.open(w.cfg.BaseURL + "/console/offers/" + w.paid.ID)
	form := fmt.Sprintf("form[action='/console/offers/%s/plans'] ", w.paid.ID)
	write := func(fields map[string]string) {
		t.Helper()
		for field, text := range fields {
			b.do(chromedp.SetValue(chromedp.CSS(form+"[name="+field+"]"), text))
		}
	}
	write(map[string]string{"plan_currency": "EUR", "instalments": "3", "every": "13", "unit": "month", "on_default": "suspend"})
	b.press(form+"button", "[role=alert]")
	if n := ask[string](b, fmt.Sprintf("document.querySelector(%q).value", form+"[name=instalments]")); n != "3" {
		t.Errorf("what was written is gone: %q", n)
	}
	w.counts(map[string]int{"select count(*) from offers.plans": 0})
	b.seen("console-plan-refused")
	write(map[string]string{"every": "1", "first": "50"})
	b.press(form+"button", form+"[name=plan_currency][readonly]")
	b.seen("console-plan")
	b.axeEverywhere("a plan of instalments")
	w.counts(map[string]int{"select count(*) from offers.plans where currency = 'EUR' and instalments = 3 and first_ppm = 500000 and on_default = 'suspend'": 1})
	b.open(w.cfg.BaseURL + "/console/offers/" + w.paid.ID + "?lang=fr")
	b.shows("Ajouter un plan", "Part de la première", "EUR")
}

// A bank wants its owner: she comes by the link in her mail, reads what is wanted, confirms at the pay page, and the instalment is paid.
func TestAnInstalmentIsConfirmedInABrowser(t *testing.T) {
	w, mails := newSite(t)
	awa := w.person("awa@example.org", "Awa")
	o := w.begun(awa.ID, w.inParts("PARTS-1", "", 15000, "suspend"), wantsOwner)
	w.told()
	byHand(t, testkit.Owner(t, w.dsn), "update sales.instalments set due_at = now() - interval '1 minute', next_at = now() - interval '1 minute' where order_id = '"+o.ID+"' and n = 2")
	if _, err := w.h.Sales.ChargeDue(system); err != nil {
		t.Fatal(err)
	}
	w.until("the bank wants its owner", func() bool { return w.state(o).Schedule.Instalments[1].State == sales.NeedsOwner })
	at := "/orders/" + o.ID + "/instalments/2"
	w.until("the mail with the link", func() bool {
		files, _ := filepath.Glob(filepath.Join(mails, "*"))
		for _, f := range files {
			if raw, err := os.ReadFile(f); err == nil && strings.Contains(strings.ReplaceAll(strings.ReplaceAll(string(raw), "=\r\n", ""), "=\n", ""), at) {
				return true
			}
		}
		return false
	})
	b := newTab(t)
	w.signIn(b, mails, awa.Email)
	b.open(w.cfg.BaseURL + at)
	b.shows("To be confirmed", "Your bank wants you to confirm this payment yourself.", "50.00", "2 / 3")
	b.seen("instalment-to-confirm")
	b.axeEverywhere("an instalment that wants its owner")
	b.press("main form button", "input[name=number]")
	b.fill("input[name=number]", wantsOwner)
	b.press("form button", "button[name=authenticate][value=complete]")
	b.press("button[name=authenticate][value=complete]", "main")
	w.until("it is paid", func() bool { return w.state(o).Schedule.Instalments[1].State == sales.InstalmentIn })
	b.open(w.cfg.BaseURL + at)
	b.shows("Paid", "Thank you.")
	if ask[bool](b, `!!document.querySelector("main form[action*=instalments]")`) {
		t.Error("what is paid can be paid again")
	}
	w.verify()
}

// A statement of the bank is taken in two steps: what would become of each line, then all of it.
func TestAStatementOfTheBankInABrowser(t *testing.T) {
	w, mails := newSite(t)
	w.bank()
	awa := w.person("awa@example.org", "Awa")
	o := w.byTransfer(w.order(awa.ID, w.paid, "k"), awa.ID)
	file := filepath.Join(t.TempDir(), "statement.csv")
	day := w.h.Clock.Now().Format("02/01/2006")
	lines := []string{"Date;Montant;Devise;Libellé;Contrepartie;ID", day + ";150,00;EUR;mooc " + o.Next.Reference + ";A. Diop;B1", day + ";12,00;EUR;merci;Chi;B2"}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	w.staffTab(b, mails, "staff@example.org")
	b.open(w.cfg.BaseURL + "/console/money")
	b.shows("Statement of the bank")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	b.press("form[action='/console/money/statement'] button[value=check]", "button[value=record]")
	b.shows("Nothing is recorded yet.", "Its order", "No order", "A. Diop", o.ID)
	b.seen("statement-checked")
	b.axeEverywhere("a statement that was checked")
	if s := w.state(o); s.State != sales.AwaitingPayment {
		t.Error("looking at it paid the order:", s.State)
	}
	b.press("form[action='/console/money/statement'] button[value=record]", "#file")
	b.shows("Recorded.")
	b.seen("statement-recorded")
	w.becomes(o, sales.Paid)
	w.counts(map[string]int{"select count(*) from payments.receipts": 2})
	// The same file again does nothing.
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	b.press("form[action='/console/money/statement'] button[value=check]", "button[value=record]")
	b.shows("Recorded before")
	w.verify()
}
