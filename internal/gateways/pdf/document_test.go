package pdf

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/money"
)

// paperOf is a document with everything that one can have, in lines lines.
func paperOf(kind, lang, name string, currency money.Currency, lines int) invoicing.Full {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	f := invoicing.Facts{
		Lang: lang, Currency: currency, OrderID: "ord_01kb5t8kz9e0qv4m3r2x7nwhjd", OrderedAt: &at, Reference: "BC-2026/17", Demo: kind == invoicing.KindProforma,
		Seller: invoicing.Seller{
			Key: "ESP", LegalName: "École supérieure polytechnique", LegalForm: "Établissement public", Address: invoicing.Address{Street: "Route de l’Université\nBP 5085", PostCode: "10700", City: "Dakar", Country: "SN"},
			Registration: "SN.DKR.2026.A.1", RegistrationLabel: "NINEA", ActivityNumber: "11 91 00000 91", VATNumber: "SN123456789", Email: "compta@esp.example", Phone: "+221 33 000 00 00",
			Bank: "Banque de l’Atlantique", IBAN: "FR7630006000011234567890189", BIC: "AGRIFRPP",
		},
		Buyer: invoicing.Buyer{ID: "per_1", Name: name, Company: "Société des Réseaux & Cie", Address: invoicing.Address{Street: "12 rue de l’Œuvre", PostCode: "13000", City: "Marseille", Country: "FR"},
			VATNumber: "FR40303265045", Email: "aicha@example.org"},
		Payment:  invoicing.Payment{Means: "card", Reference: "pay_01kb5t8kz9e0qv4m3r2x7nwhjd", PaidAt: &at},
		Mentions: []string{"TVA non applicable : exonération, article 261-4-4° du CGI.", "Pénalités de retard : trois fois le taux d’intérêt légal. Indemnité forfaitaire : 40 €."},
	}
	for i := range lines {
		n := int64(i + 1)
		l := invoicing.Line{Description: fmt.Sprintf("Réseaux de données, session %d, QUALIFYING – un intitulé assez long pour prendre deux lignes de la colonne", i+1), Quantity: n,
			UnitMinor: 15_000, TaxCategory: "S", RatePPM: 200_000, Total: n * 15_000, Position: i + 1}
		if i%3 == 0 {
			l.DiscountMinor, l.DiscountReason, l.Total = 1_500, "Tarif réduit", l.Total-1_500
		}
		if i%2 == 1 {
			l.TaxCategory, l.RatePPM, l.Reason, l.ReasonCode = "E", 0, f.Mentions[0], "VATEX-EU-132-1I"
		}
		l.TaxMinor = l.Total * l.RatePPM / (1_000_000 + l.RatePPM)
		l.NetMinor = l.Total - l.TaxMinor
		f.Lines, f.NetMinor, f.TaxMinor, f.Total = append(f.Lines, l), f.NetMinor+l.NetMinor, f.TaxMinor+l.TaxMinor, f.Total+l.Total
	}
	sums := map[string]*invoicing.TaxTotal{}
	for _, l := range f.Lines {
		t := sums[l.TaxCategory]
		if t == nil {
			t = &invoicing.TaxTotal{TaxCategory: l.TaxCategory, RatePPM: l.RatePPM, Reason: l.Reason, ReasonCode: l.ReasonCode}
			sums[l.TaxCategory] = t
		}
		t.NetMinor, t.TaxMinor, t.Total = t.NetMinor+l.NetMinor, t.TaxMinor+l.TaxMinor, t.Total+l.Total
	}
	for _, c := range []string{"S", "E"} {
		if sums[c] != nil {
			f.Taxes = append(f.Taxes, *sums[c])
		}
	}
	if kind == invoicing.KindCreditNote {
		f.Corrects, f.Reason = &invoicing.Corrected{Number: "ESP-2026-000012", IssuedAt: at}, "Rétractation du 2 mars"
	}
	return invoicing.Full{ID: "inv_1", Kind: kind, Number: "ESP-2026-000041", Issuer: "ESP", IssuedAt: at.AddDate(0, 0, 1), Facts: f}
}

func renderDocument(t testing.TB, d invoicing.Full) []byte {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Document(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Every fact of every kind of document, in both languages and in a currency with and without decimals, is read from the paper by
// another program; twice the same document is twice the same bytes.
func TestAnotherProgramReadsTheDocuments(t *testing.T) {
	for _, x := range []struct {
		kind, lang, name string
		currency         money.Currency
		lines, pages     int
	}{
		{invoicing.KindInvoice, "fr", "Aïcha N’Diaye-Œuvrard", "EUR", 2, 1}, {invoicing.KindCreditNote, "en", "محمد عبد السلام", "EUR", 1, 1},
		{invoicing.KindProforma, "fr", "王小明", "XOF", 3, 2}, {invoicing.KindReceipt, "en", "Ли Wang 王", "TND", 1, 1},
		{invoicing.KindInvoice, "en", "Zoë O’Hara-Łukasiewicz", "XOF", 60, 6},
	} {
		d := paperOf(x.kind, x.lang, x.name, x.currency, x.lines)
		doc := renderDocument(t, d)
		if !bytes.Equal(doc, renderDocument(t, d)) {
			t.Errorf("%s: two printings differ", x.kind)
		}
		if folder := os.Getenv("CURSUS_SHOTS"); folder != "" {
			if err := os.WriteFile(fmt.Sprintf("%s/%s-%s-%d.pdf", folder, x.kind, x.lang, x.lines), doc, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if info := judge(t, "pdfinfo", doc); !strings.Contains(info, fmt.Sprintf("Pages:           %d\n", x.pages)) || !strings.Contains(info, "A4") {
			t.Errorf("%s, %d lines:\n%s", x.kind, x.lines, info)
		}
		text := squash(judge(t, "pdftotext", doc, "-enc", "UTF-8", "-layout"))
		for _, want := range expected(d) {
			if !strings.Contains(text, squash(want)) {
				t.Errorf("%s in %s does not say %q", x.kind, x.lang, want)
			}
		}
		if got := strings.Count(text, squash("Page")); x.pages > 1 && !strings.Contains(text, squash(fmt.Sprintf("Page %d / %d", x.pages, x.pages))) {
			t.Error("pages are not counted:", got)
		}
	}
}

// expected are the facts as the paper has to say them.
func expected(d invoicing.Full) []string {
	f := d.Facts
	say := func(minor int64) string { return money.Of(minor, f.Currency).Format(f.Lang) }
	all := []string{d.Number, f.Seller.LegalName, f.Seller.Registration, f.Seller.VATNumber, f.Seller.ActivityNumber, f.Buyer.Name, f.Buyer.Company, f.Buyer.VATNumber,
		f.Buyer.Address.Street, "13000 Marseille", "BP 5085", f.OrderID, f.Reference, f.Reason, clock.Day(d.IssuedAt, f.Lang), say(f.NetMinor), say(f.TaxMinor), say(f.Total), f.Buyer.Email}
	all = append(all, f.Mentions[0][:30])
	for _, l := range f.Lines {
		all = append(all, say(l.Total), say(l.UnitMinor), l.DiscountReason)
		all = append(all, strings.Fields(l.Description)...)
	}
	for _, t := range f.Taxes {
		all = append(all, rate(t.RatePPM, f.Lang), say(t.NetMinor), say(t.TaxMinor))
	}
	if f.Corrects != nil {
		all = append(all, f.Corrects.Number)
	}
	if d.Kind != invoicing.KindReceipt {
		all = append(all, f.Seller.IBAN)
	}
	return all
}

// A demonstration says so across each page, and only it does.
func TestDemoDocumentsSaySo(t *testing.T) {
	for kind, want := range map[string]int{invoicing.KindProforma: 1, invoicing.KindInvoice: 0} {
		if got := strings.Count(squash(judge(t, "pdftotext", renderDocument(t, paperOf(kind, "fr", "A", "EUR", 1)), "-raw", "-enc", "UTF-8")), "DÉMO–sansvaleur"); got != want {
			t.Errorf("%s says it %d times", kind, got)
		}
	}
}

func BenchmarkDocument(b *testing.B) {
	d := paperOf(invoicing.KindInvoice, "fr", "Aïcha N’Diaye", "EUR", 2)
	r, err := New()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := r.Document(context.Background(), d); err != nil {
			b.Fatal(err)
		}
	}
}
