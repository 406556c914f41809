package pdf

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/accounting"
	"cursus/internal/kernel/money"
)

// Every figure of a school's statement is read from the paper by another program, in both languages, over more than one page; the same
// statement is the same bytes whenever it is printed.
func TestAnotherProgramReadsTheStatementOfASchool(t *testing.T) {
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	s := accounting.PartnerStatement{
		Organisation: "ESP", Currency: "XOF", From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), Opening: 1_234_567,
		Lines:       []accounting.PartnerLine{{Agreement: "ESP-2026", Collects: "partner", SharePPM: 355_000, Orders: 42, Collected: 4_200_000, Share: 1_491_000, Owed: 2_709_000}},
		Settlements: []accounting.Settlement{{Direction: "from_partner", Currency: "XOF", AmountMinor: 1_000_000, Reference: "VIR-Žilina-1", SettledAt: time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)}},
		Settled:     1_000_000, Closing: 2_943_567,
	}
	for i := range 60 {
		s.Settlements = append(s.Settlements, accounting.Settlement{Direction: "to_partner", Currency: "XOF", AmountMinor: int64(100 + i), Reference: fmt.Sprint("BACK-", i), SettledAt: s.From.AddDate(0, 0, i)})
	}
	is := func(minor int64) string { return money.Of(minor, "XOF").Format("fr") }
	for _, x := range []struct {
		lang    string
		demo    bool
		closing int64
		said    []string
	}{
		{"fr", false, 2_943_567, []string{"Relevé de reversement", "École supérieure polytechnique (ESP)", "1er janvier 2026 au 31 mars 2026", "Encaissé par le partenaire", "ESP-2026 · 35,5 %", "42", is(4_200_000), is(1_491_000), is(2_709_000), is(1_234_567), "VIR-Žilina-1 · 3 février 2026", is(-1_000_000), "BACK-59", "Le partenaire doit à l’institut", is(2_943_567)}},
		{"en", true, -77, []string{"Settlement statement", "1 January 2026 to 31 March 2026", "Collected by the partner", "ESP-2026 · 35.5 %", "Paid to the partner", "The institute owes the partner", money.Of(77, "XOF").Format("en")}},
	} {
		s.Closing = x.closing
		printed := func() []byte {
			t.Helper()
			out, err := r.Statement(context.Background(), s, "École supérieure polytechnique", x.lang, x.demo)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		doc := printed()
		if !bytes.Equal(doc, printed()) {
			t.Error(x.lang, "two printings differ")
		}
		if folder := os.Getenv("CURSUS_SHOTS"); folder != "" {
			if err := os.WriteFile(fmt.Sprintf("%s/statement-%s.pdf", folder, x.lang), doc, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		text := squash(judge(t, "pdftotext", doc, "-enc", "UTF-8", "-layout"))
		for _, want := range x.said {
			if !strings.Contains(text, squash(want)) {
				t.Errorf("%s does not say %q", x.lang, want)
			}
		}
		if info := judge(t, "pdfinfo", doc); !strings.Contains(info, "A4") || strings.Contains(info, "Pages:           1\n") {
			t.Error(info)
		}
	}
}
