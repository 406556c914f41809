package app_test

import (
	"fmt"
	"strings"
	"testing"

	"cursus/internal/domain/sales"
)

// A statement pays the orders that its lines quote, by reference or by number, in parts and too much; what names none waits with suggestions;
// a dry run says the same and changes nothing; the same statement again does nothing.
func TestAStatementOfTheBank(t *testing.T) {
	w := newWorld(t)
	w.bank()
	awa, binta, chi := w.person("awa@example.org", "Awa"), w.person("binta@example.org", "Binta"), w.person("chi@example.org", "Chi")
	a := w.byTransfer(w.order(awa.ID, w.run("PRD-1", "", 15000), "a"), awa.ID)
	b := w.order(binta.ID, w.run("PRD-2", "", 9000), "b")
	c := w.byTransfer(w.order(chi.ID, w.run("PRD-3", "", 7000), "c"), chi.ID)
	day := w.clock.Now().Format("02/01/2006")
	lines := []string{
		"Date;Montant;Devise;Libellé;Contrepartie;ID",
		fmt.Sprintf("%s;100,00;EUR;mooc %s;A. Diop;B1", day, a.Next.Reference),
		fmt.Sprintf("%s;55,00;EUR;solde %s;A. Diop;B2", day, strings.ToLower(a.Next.Reference)),
		fmt.Sprintf("%s;90,00;EUR;commande %s;Binta;B3", day, b.ID),
		fmt.Sprintf("%s;70,00;EUR;merci;Chi;B4", day),
		fmt.Sprintf("%s;-12,00;EUR;frais;;B5", day),
		fmt.Sprintf("%s;beaucoup;EUR;x;;B6", day),
		fmt.Sprintf("%s;10,00;EUR;x;;", day), // without a reference of the bank
		"01/01/2999;10,00;EUR;x;;B7",
	}
	take := func(dry bool, key string) sales.Statement {
		t.Helper()
		out, err := w.h.Sales.TakeStatement(staffCtx("acc"), sales.TakeStatement{Content: []byte(strings.Join(lines, "\n")), Currency: "EUR", DryRun: dry, IdempotencyKey: key})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	said := func(s sales.Statement) string {
		var all []string
		for _, l := range s.Lines {
			all = append(all, l.Outcome)
		}
		return strings.Join(all, " ")
	}
	want := "matched surplus matched unmatched outgoing refused unmatched refused"
	dry := take(true, "")
	if said(dry) != want || dry.Lines[1].Surplus != 500 || len(dry.Lines[3].Suggestions) != 1 || dry.Lines[3].Suggestions[0] != c.ID || dry.Lines[5].Wrong.Column != "amount" {
		t.Fatalf("%s\n%+v", said(dry), dry)
	}
	if w.state(a).State != sales.AwaitingPayment || w.balance("clearing:bank", "EUR") != 0 {
		t.Fatal("a dry run changed something")
	}
	if done := take(false, "k1"); said(done) != want {
		t.Fatal(said(done))
	}
	w.becomes(a, sales.Paid)
	w.becomes(b, sales.Paid)
	held := w.balance("clearing:bank", "EUR")
	if held != 10000+5500+9000+7000+1000 {
		t.Error("the bank holds", held)
	}
	w.verify()
	if again := take(false, "k2"); said(again) != "known known known known outgoing refused known refused" || w.balance("clearing:bank", "EUR") != held {
		t.Error(said(again))
	}
	lines[4] = fmt.Sprintf("%s;71,00;EUR;merci;Chi;B4", day) // another amount under a reference that is known
	if changed := take(false, "k3"); changed.Lines[3].Outcome != "refused" || changed.Lines[3].Wrong.Code != "reference-used" {
		t.Errorf("%+v", changed.Lines[3])
	}
	w.verify()
}
