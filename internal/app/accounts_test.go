package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/text/unicode/norm"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport/api/apitest"
)

// documents are those of an order, once they are printed.
func (w *world) documents(order string) (all []invoicing.Full) {
	w.t.Helper()
	w.quiet()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		all, err = invoicing.OfOrderTx(ctx, tx, order)
		return err
	})
	return all
}

// accountsStory makes what the operations of accounts are about, and names it: a document, an agreement with a school, a comparison, and
// a difference that stood and was resolved.
func (w *world) accountsStory(t *testing.T, walker *apitest.Walker, token string) {
	t.Helper()
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "École supérieure polytechnique"); err != nil {
			return err
		}
		_, err := accounting.PutAgreementTx(ctx, tx, accounting.Agreement{Key: "esp-desk", Organisation: "ESP", Collects: "partner", Currency: "XOF", SharePPM: 300_000, ValidFrom: day}, 0)
		return err
	})
	order := walker.Values["order"]
	d := w.documents(order)[0]
	owner := testkit.Owner(t, w.dsn)
	byHand(t, owner, "update payments.payments set captured_minor = captured_minor - 1 where order_id = '"+order+"'")
	w.reconcile()
	var stood []accounting.Difference
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		stood, _, err = accounting.DifferencesTx(ctx, tx, "payment_ledger", "open", page.Request{Limit: 1})
		return err
	})
	byHand(t, owner, "update payments.payments set captured_minor = captured_minor + 1 where order_id = '"+order+"'")
	run, standing := w.reconcile()
	if len(stood) != 1 || len(standing) != 0 {
		t.Fatal(stood, standing)
	}
	w.billedStory(t, walker, token)
	for range 2 { // the same key starts one comparison
		r := walker.Example("startReconciliation")
		r.Token = token
		r.Header.Set("Idempotency-Key", "story-reconciliation")
		if a := walker.Do(t, r); a.Status != http.StatusAccepted {
			t.Errorf("startReconciliation: %d %s", a.Status, a.Body)
		}
	}
	var asked int
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &asked, postgres.Query{Name: "asked", SQL: "select count(*) from accounting.runs"})
	})
	if asked != 3 {
		t.Error(asked, "comparisons were asked for, not 3")
	}
	maps.Copy(walker.Values, map[string]string{
		"document": d.ID, "issuer": "IMT", "account": "revenue", "agreement": "esp-desk", "partner": "ESP", "reconciliation": run.ID, "difference": stood[0].ID,
	})
}

// billedStory has an order billed to a company before it is paid: the proforma and the invoice say so, and after that it is too late. A
// proforma and a receipt are issued once, however often they are asked for, and are no revenue.
func (w *world) billedStory(t *testing.T, walker *apitest.Walker, token string) {
	t.Helper()
	o := w.order(w.person("buyer@example.org", "A Buyer").ID, w.paid, "k-billed")
	ask := func(operation string, status int, change func(r *apitest.Request)) (a apitest.Answer) {
		t.Helper()
		r := walker.Example(operation)
		r.Token, r.Path["order"] = token, o.ID
		change(&r)
		if a = walker.Do(t, r); a.Status != status {
			t.Errorf("%s: %d, not %d: %s", operation, a.Status, status, a.Body)
		}
		return a
	}
	paper := func(kind, key string) func(*apitest.Request) {
		return func(r *apitest.Request) {
			r.Body = []byte(`{"kind": "` + kind + `"}`)
			r.Header.Set("Idempotency-Key", key)
		}
	}
	match := func(tag string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set("If-Match", tag) }
	}
	ask("issueOrderDocument", 409, paper("receipt", "doc-0"))
	tag := ask("putOrderBilling", 200, match("*")).Header.Get("ETag")
	ask("putOrderBilling", 412, match(`"7"`))
	ask("putOrderBilling", 200, match(tag))
	ask("getOrderBilling", 200, func(*apitest.Request) {})
	first, again := ask("issueOrderDocument", 201, paper("proforma", "doc-1")), ask("issueOrderDocument", 201, paper("proforma", "doc-2"))
	if string(first.Body) != string(again.Body) && !strings.Contains(string(again.Body), "sha256") {
		t.Errorf("a second proforma:\n%s\n%s", first.Body, again.Body)
	}
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	ask("putOrderBilling", 409, match("*"))
	ask("issueOrderDocument", 201, paper("receipt", "doc-3"))
	var kinds []string
	for _, d := range w.documents(o.ID) {
		kinds = append(kinds, d.Kind+" "+d.Facts.Buyer.Company+" "+d.Facts.Payment.Means)
	}
	if got := strings.Join(kinds, ", "); got != "proforma Réseaux & Cie card, invoice Réseaux & Cie card, receipt Réseaux & Cie card" {
		t.Error(got)
	}
}

// A learner's invoice and credit note over the API: hers alone, the paper byte for byte the same at every download, its hash the one that
// is shown, and the text on it, read by another program, that of the data; staff without the accounts do not see it.
func TestDocumentsOverTheAPI(t *testing.T) {
	w := newWorld(t)
	walker := w.walk(w.h)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := invoicing.PutIssuerTx(ctx, tx, issuerForTests(), 0)
		return err
	})
	zoe, other, examiner := w.person("zoe@example.org", "Zoé N’Diaye 王"), w.person("other@example.org", "Other"), w.person("examiner@example.org", "Examiner")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, examiner.ID, "exams")
	})
	o := w.order(zoe.ID, w.paid, "k")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	minor := int64(5000)
	if _, err := w.h.Sales.Refund(system, sales.RefundOrder{OrderID: o.ID, AmountMinor: &minor, Reason: "Rétractation", IdempotencyKey: "r"}); err != nil {
		t.Fatal(err)
	}
	w.becomes(o, sales.PartiallyRefunded)
	all := w.documents(o.ID)
	if len(all) != 2 || all[0].Kind != invoicing.KindInvoice || all[1].Kind != invoicing.KindCreditNote || all[0].SHA256 == "" || all[1].SHA256 == "" {
		t.Fatalf("%+v", all)
	}
	if all[0].Facts.TaxMinor != 2500 || all[1].Facts.TaxMinor != 833 || all[1].Facts.Corrects.Number != all[0].Number { // 20 % within 150.00, and within 50.00 of it
		t.Errorf("tax of %d, then of %d", all[0].Facts.TaxMinor, all[1].Facts.TaxMinor)
	}
	if f, _ := w.figure("waterfall", nil); len(f.Notes) == 0 || !strings.Contains(f.Notes[0].EN, "16.67 EUR are tax") {
		t.Errorf("the waterfall says nothing of the tax in it: %v", f.Notes)
	}
	get := func(operation, document string, who identity.Person, scopes ...string) apitest.Answer {
		r := walker.Example(operation)
		r.Path["document"], r.Token = document, w.tokens(who)(scopes...)
		return walker.Do(t, r)
	}
	for _, d := range all {
		first, again := get("getDocumentPdf", d.ID, zoe, "orders:read"), get("getDocumentPdf", d.ID, zoe, "orders:read")
		sum := sha256.Sum256(first.Body)
		if first.Status != http.StatusOK || string(first.Body) != string(again.Body) || hex.EncodeToString(sum[:]) != d.SHA256 {
			t.Errorf("%s: %d, or two downloads differ, or the hash is another", d.Number, first.Status)
		}
		text := onPaper(t, first.Body)
		for _, want := range []string{d.Number, "Zoé N’Diaye 王", d.Facts.Seller.LegalName, "SIRET 180 092 025 00014", d.Amount().Format("en"), o.ID, "Data networks, QUALIFYING"} {
			if !strings.Contains(text, together(want)) {
				t.Errorf("%s does not say %q", d.Number, want)
			}
		}
		var said struct{ Facts json.RawMessage }
		if a := get("getDocument", d.ID, zoe, "orders:read"); a.Status != http.StatusOK || json.Unmarshal(a.Body, &said) != nil || !strings.Contains(string(said.Facts), `"Zoé N’Diaye 王"`) {
			t.Errorf("as JSON: %d %s", a.Status, a.Body)
		}
		if a := get("getDocumentXml", d.ID, zoe, "orders:read"); a.Status != http.StatusOK || !strings.Contains(string(a.Body), "<ram:ID>"+d.Number+"</ram:ID>") {
			t.Errorf("as XML: %d %s", a.Status, a.Body)
		}
		for _, operation := range []string{"getDocument", "getDocumentPdf", "getDocumentXml"} {
			if a := get(operation, d.ID, other, "orders:read"); a.Status != http.StatusNotFound {
				t.Errorf("%s of another learner: %d", operation, a.Status)
			}
			if a := get(operation, d.ID, examiner, "orders:read"); a.Status != http.StatusNotFound {
				t.Errorf("%s for an examiner: %d", operation, a.Status)
			}
		}
	}
	w.verify()
}

func issuerForTests() invoicing.IssuerDetails {
	return invoicing.IssuerDetails{
		Seller: invoicing.Seller{
			Key: "IMT", LegalName: "Institut Mines-Télécom", Address: invoicing.Address{Street: "19 place Marguerite Perey", PostCode: "91120", City: "Palaiseau", Country: "FR"},
			Registration: "180 092 025 00014", RegistrationLabel: "SIRET", VATNumber: "FR12180092025",
		},
		Terms:   invoicing.Text{EN: "Paid on order.", FR: "Payé à la commande."},
		Series:  invoicing.Series{Invoice: "{issuer}-{year}", CreditNote: "A-{issuer}-{year}", Proforma: "PF-{issuer}-{year}", Receipt: "R-{issuer}-{year}"},
		Regimes: []invoicing.Regime{{Key: "standard", ValidFrom: "2020-01-01", Category: "S", RatePPM: 200_000, Fallback: true}},
	}
}

func together(s string) string { return strings.Join(strings.Fields(norm.NFKC.String(s)), "") }

// onPaper is the text of a PDF as poppler reads it.
func onPaper(t *testing.T, pdf []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "d.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("pdftotext", "-enc", "UTF-8", "-layout", file, "-").CombinedOutput()
	if err != nil {
		t.Fatal(err, string(text))
	}
	return together(string(text))
}

// An issuer is edited over the version that was read, and never so that a document could not be written.
func TestIssuersAreEdited(t *testing.T) {
	w := newWorld(t)
	put := func(d invoicing.IssuerDetails, version int) (out invoicing.IssuerDetails, err error) {
		err = w.h.DB.InTx(system, "put", func(ctx context.Context, tx *postgres.Tx) error {
			out, err = invoicing.PutIssuerTx(ctx, tx, d, version)
			return err
		})
		return out, err
	}
	d, err := put(issuerForTests(), 1)
	if err != nil || d.Version != 2 || len(d.Regimes) != 1 || len(d.Missing) != 0 {
		t.Fatalf("%+v %v", d, err)
	}
	if _, err := put(issuerForTests(), 1); code(err) != "issuer-changed" {
		t.Error("an old version was written over:", err)
	}
	for name, break_ := range map[string]func(*invoicing.IssuerDetails){
		"no fallback": func(d *invoicing.IssuerDetails) { d.Regimes[0].Fallback = false }, "an end": func(d *invoicing.IssuerDetails) { d.Regimes[0].ValidUntil = "2030-01-01" },
		"no such day": func(d *invoicing.IssuerDetails) { d.Regimes[0].ValidFrom = "2026-02-30" }, "a rate on what is exempt": func(d *invoicing.IssuerDetails) { d.Regimes[0].Category = "E" },
		"proformas among invoices": func(d *invoicing.IssuerDetails) { d.Series.Proforma = d.Series.Invoice }, "a series of no issuer": func(d *invoicing.IssuerDetails) { d.Series.Invoice = "X-{year}" },
	} {
		d := issuerForTests()
		break_(&d)
		if _, err := put(d, 0); err == nil || code(err) == "internal" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What an issuer sells is invoiced by it, in its series; what another one sells already is not taken from it.
func TestAnIssuerSellsAnOffer(t *testing.T) {
	w := newWorld(t)
	put := func(d invoicing.IssuerDetails) (out invoicing.IssuerDetails, err error) {
		err = w.h.DB.InTx(system, "put", func(ctx context.Context, tx *postgres.Tx) error {
			out, err = invoicing.PutIssuerTx(ctx, tx, d, 0)
			return err
		})
		return out, err
	}
	esp := issuerForTests()
	esp.Key, esp.Sells = "ESP", []invoicing.Sold{{Kind: "offer", Ref: w.paid.ID, Regime: "standard"}, {Kind: "organisation", Ref: "UCAD"}}
	if d, err := put(esp); err != nil || !slices.Equal(d.Sells, esp.Sells) {
		t.Fatal(d.Sells, err)
	}
	o := w.order(w.person("a@example.org", "A").ID, w.paid, "k1")
	w.pay(o, visa)
	if o = w.becomes(o, sales.Paid); o.InvoiceNumber != "DEMO-ESP-2026-000001" {
		t.Error("invoiced by another:", o.InvoiceNumber)
	}
	imt := issuerForTests()
	imt.Sells = []invoicing.Sold{{Kind: "organisation", Ref: "UCAD"}}
	if _, err := put(imt); !errors.Is(err, invoicing.ErrSoldByAnother) {
		t.Error(err)
	}
	imt.Sells = []invoicing.Sold{{Kind: "organisation", Ref: "IMT", Regime: "standard"}}
	if _, err := put(imt); code(err) != "invalid-input" || len(fault.From(err).Fields) != 1 || fault.From(err).Fields[0].Pointer != "/sells/0/regime" {
		t.Error("an organisation has a regime of an offer:", err)
	}
	esp.Sells = nil
	if d, err := put(esp); err != nil || len(d.Sells) != 0 {
		t.Error(d.Sells, err)
	}
	w.verify()
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		o, d := w.accountsFurnished()
		return map[string]string{
			"/orders/:id/billing": "/orders/" + o.ID + "/billing", "/console/issuers/:key": "/console/issuers/IMT /console/issuers/new",
			"/orders/:id/documents": "/orders/" + o.ID + "/documents", "/documents/:id.:format": "/documents/" + w.documents(o.ID)[0].ID + ".pdf",
			"/console/accounts":                 "/console/accounts /console/accounts?account=revenue&currency=EUR",
			"/console/accounts/journal.:format": "/console/accounts/journal.txt /console/accounts/journal.csv", "/console/accounts/orders/:id": "/console/accounts/orders/" + o.ID,
			"/console/partners":               "/console/partners /console/partners?partner=ESP&currency=EUR",
			"/console/partners/statement.csv": "/console/partners/statement.csv?partner=ESP&currency=EUR",
			"/console/partners/statement.pdf": "/console/partners/statement.pdf?partner=ESP&currency=EUR",
			"/console/reconciliation":         "/console/reconciliation /console/reconciliation?state=resolved", "/console/reconciliation/:id": "/console/reconciliation/" + d,
		}
	})
}

// accountsFurnished sells something, refunds a part, agrees with a school, and leaves one difference that stands.
func (w *world) accountsFurnished() (o sales.Order, difference string) {
	w.t.Helper()
	buyer := w.person("aissatou@example.org", "Aïssatou N’Diaye")
	o = w.order(buyer.ID, w.paid, "k-accounts")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	minor := int64(4500)
	if _, err := w.h.Sales.Refund(system, sales.RefundOrder{OrderID: o.ID, AmountMinor: &minor, Reason: "x", IdempotencyKey: "r-accounts"}); err != nil {
		w.t.Fatal(err)
	}
	o = w.becomes(o, sales.PartiallyRefunded)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "École supérieure polytechnique"); err != nil {
			return err
		}
		if _, err := accounting.PutAgreementTx(ctx, tx, accounting.Agreement{
			Key: "esp-desk", Organisation: "ESP", Collects: "partner", Currency: "EUR", SharePPM: 300_000, ValidFrom: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}, 0); err != nil {
			return err
		}
		_, err := accounting.RecordSettlementTx(ctx, tx, accounting.Settlement{
			Organisation: "ESP", Direction: "from_partner", Currency: "EUR", AmountMinor: 70_000, Reference: "VIR-2026-1", SettledAt: tx.Now().Add(-time.Hour)})
		return err
	})
	owner, ok := w.t.(*testing.T)
	if !ok {
		w.t.Fatal("not a test")
	}
	byHand(owner, testkit.Owner(w.t, w.dsn), `insert into payments.events (id, type, api_version, live, created_at, received_at, raw)
		values ('evt_nobody_applied', 'charge.refunded', '2024', false, now(), '2020-01-01', 'x')`)
	w.reconcile()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, _, err := accounting.DifferencesTx(ctx, tx, "event_waiting", "open", page.Request{Limit: 1})
		if len(all) == 1 {
			difference = all[0].ID
		}
		return err
	})
	return o, difference
}

// The pages of the accounts, as staff see them on a phone and on a desktop; a settlement is recorded by form, and one that is wrong
// keeps what was written.
func TestPagesOfTheAccounts(t *testing.T) {
	w, mails := newSite(t)
	o, d := w.accountsFurnished()
	b := newTab(t)
	w.staffTab(b, mails, "officer@example.org")
	for _, x := range []struct{ name, path, says string }{
		{"documents", "/console/documents", "Aïssatou N’Diaye"}, {"issuer", "/console/issuers/IMT", "VATEX"}, {"issuers", "/console/issuers", "registration"}, {"billing", "/orders/" + o.ID + "/billing", "VAT number"}, {"accounts", "/console/accounts?account=revenue&currency=EUR", "706000"}, {"order-statement", "/console/accounts/orders/" + o.ID, "clearing:stripe"},
		{"partners", "/console/partners?partner=ESP&currency=EUR", "VIR-2026-1"}, {"reconciliation", "/console/reconciliation", "evt_nobody_applied"}, {"difference", "/console/reconciliation/" + d, "evt_nobody_applied"},
		{"my-documents", "/orders/" + o.ID + "/documents", "IMT-"},
	} {
		b.open(w.cfg.BaseURL + x.path)
		b.shows(x.says)
		b.seen(x.name)
	}
	b.open(w.cfg.BaseURL + "/console/issuers/IMT")
	b.set("legal_name", "Institut Mines-Télécom, Palaiseau")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { // somebody else meanwhile
		_, err := invoicing.PutIssuerTx(ctx, tx, issuerForTests(), 1)
		return err
	})
	save := `main form[action="/console/issuers/IMT"] button`
	b.press(save, `.notice.bad`)
	b.shows("19 place Marguerite Perey")
	b.do(chromedp.WaitVisible(chromedp.CSS(`#legal_name[value="Institut Mines-Télécom, Palaiseau"]`)))
	b.press(save, `.cards`)
	b.shows("Institut Mines-Télécom, Palaiseau")
	b.open(w.cfg.BaseURL + "/console/partners?partner=ESP&currency=EUR")
	b.fill("#amount", "12,345")
	b.fill("#reference", "VIR-2026-2")
	b.set("on", w.clock.Now().UTC().Format(time.DateOnly))
	button := `form[action="/console/partners/settlements"] button`
	b.press(button, `.notice.bad`) // the euro has two decimals
	b.do(chromedp.WaitVisible(chromedp.CSS(`#amount[value="12,345"]`)))
	b.set("amount", "12,34")
	b.press(button, `#statement`)
	b.shows("VIR-2026-2", "12.34")
	w.verify()
}
