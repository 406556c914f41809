package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/exchange"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/transport/api/apitest"
)

func flirt(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile("../demo/flirt.json")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// catalogue brings the paper's catalogue in.
func (w *world) catalogue() {
	w.t.Helper()
	if _, err := exchange.Import(system, w.h.DB, flirt(w.t), false); err != nil {
		w.t.Fatal(err)
	}
}

// imports sends the catalogue through the API, with and without a dry run, twice each.
func (w *world) imports(t *testing.T, walker *apitest.Walker, token string) {
	t.Helper()
	r := walker.Example("importCatalogue")
	r.Token, r.Body = token, flirt(t)
	for i, query := range []string{"dry_run=true", "", ""} {
		r.Query = query
		r.Header.Set("Idempotency-Key", fmt.Sprint("whole-file-", i)) // that of the example is used up by other bodies
		if a := walker.Do(t, r); a.Status != 200 {
			t.Errorf("importCatalogue %s: %d %s", query, a.Status, a.Body)
		}
	}
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		w.catalogue()
		return map[string]string{"/console/exchange/file": "/console/exchange/file?collection=FLIRT&format=json"}
	})
}

// An officer takes a collection out, breaks it, is told where, puts it right, sees the difference and brings it in.
func TestExchangeInABrowser(t *testing.T) {
	w, mails := newSite(t)
	w.catalogue()
	b := newTab(t)
	w.staffTab(b, mails, "officer@example.org")
	b.open(w.cfg.BaseURL + "/console/exchange")
	b.seen("exchange")
	folder := t.TempDir()
	send := func(content []byte, then string) {
		t.Helper()
		file := folder + "/flirt.json"
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
		b.press("button[value=try]", then)
	}
	whole := flirt(t)
	send(bytes.Replace(whole, []byte(`"level": "bachelor"`), []byte(`"level": "beginner"`), 1), "section.bad")
	b.shows("bad-level", "Line ")
	b.seen("exchange-refused")
	b.axeEverywhere("a refused import")
	send(whole, "section[role=status]")
	b.shows("nothing changes")
	changed := bytes.Replace(whole, []byte(`"en": "Principles of data networks"`), []byte(`"en": "Principles of networks"`), 1)
	send(changed, "button[value=apply]")
	b.shows("Course PRD: changed")
	b.seen("exchange-difference")
	b.axeEverywhere("the difference of an import")
	b.press("button[value=apply]", "section[role=status]")
	b.shows("was brought into FLIRT")
	if r, err := exchange.Import(system, w.h.DB, changed, true); err != nil || !r.Same {
		t.Error("what is in the house is not what was brought in", r, err)
	}
	w.verify()
}

// An offer that was sold stays as it was sold; one that was not gives way to what the file says.
func TestASoldOfferIsNotChangedByAFile(t *testing.T) {
	w := newWorld(t)
	w.catalogue() // the course of the world's session is one of its collection
	o := w.order(w.person("zoe@example.org", "Zoé").ID, w.paid, "k")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	raw, _, _, err := w.h.ExportCatalogue(system, "FLIRT", "json")
	if err != nil {
		t.Fatal(err)
	}
	change := func(formula string) (changed []byte, at string) {
		var d exchange.Document
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatal(err)
		}
		for i := range d.Offers {
			if d.Offers[i].Session == w.session.Key && d.Offers[i].Formula == formula {
				d.Offers[i].PriceMinor, at = d.Offers[i].PriceMinor+500, fmt.Sprint("/offers/", i)
			}
		}
		changed, err := d.JSON()
		if err != nil || at == "" {
			t.Fatal("no offer is changed", err)
		}
		return changed, at
	}
	changed, at := change(offers.Qualifying)
	_, err = exchange.Import(system, w.h.DB, changed, false)
	if f := fault.From(err).Fields; code(err) != "catalogue-refused" || len(f) != 1 || f[0].Pointer != at || f[0].Code != "offer-sold" || !strings.Contains(f[0].Detail, "Line ") {
		t.Errorf("%v %+v", err, f)
	}
	if again, _, _, err := w.h.ExportCatalogue(system, "FLIRT", "json"); err != nil || !bytes.Equal(raw, again) {
		t.Error("the house was changed", err)
	}
	changed, _ = change(offers.Discovery)
	if r, err := exchange.Import(system, w.h.DB, changed, false); err != nil || len(r.Changes) != 1 || r.Changes[0].Kind != "offer" || r.Changes[0].Change != exchange.Changed {
		t.Error(r, err)
	}
	if again, _, _, err := w.h.ExportCatalogue(system, "FLIRT", "json"); err != nil || !bytes.Equal(changed, again) {
		t.Error("what is in the house is not what was brought in", err)
	}
	w.verify()
}
