package app_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/page"
)

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		some, _, err := w.h.Certificates.List(system, certificates.Filter{}, page.Request{Limit: 1})
		if err != nil || len(some) == 0 {
			w.t.Fatal("no certificate to look at:", err)
		}
		layout, err := w.h.Certificates.CreateLayout(system, "axe", certificates.LayoutPlan{Name: "Axe", Design: certificates.Design{Signatures: []certificates.Signatory{{Name: "Pr. Awa Diop", Role: catalog.Text{EN: "Director"}}}}})
		if err != nil {
			w.t.Fatal(err)
		}
		batch, err := w.h.Certificates.Issue(system, "axe-batch", certificates.NewBatch{Kind: "attestation", Session: w.session.Key})
		if err != nil {
			w.t.Fatal(err)
		}
		return map[string]string{
			"/console/certificates/:id": "/console/certificates/" + some[0].ID, "/console/certificate-batches/:id": "/console/certificate-batches/" + batch.ID,
			"/console/certificate-batches/:id/state": "/console/certificate-batches/" + batch.ID + "/state", "/console/certificate-layouts/:id": "/console/certificate-layouts/new /console/certificate-layouts/" + layout.ID,
			"/console/certificate-layouts/preview.:format": "/console/certificate-layouts/preview.svg /console/certificate-layouts/preview.pdf",
		}
	})
}

// Staff design a layout with its preview beside it, issue in bulk and see it go on; then anybody drops the file: it is valid, a changed one is altered,
// and after it was issued anew it is replaced.
func TestCertificatesInABrowser(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	staff := w.staffTab(b, mails, "officer@example.org")
	made := w.certified(staff.ID)
	b.open(w.cfg.BaseURL + "/console/certificate-layouts/new")
	b.fill("#name", "With Dakar")
	b.fill("#name1", "Pr. Awa Diop")
	w.until("the preview follows what is typed", func() bool {
		return ask[bool](b, `(i => i.complete && i.naturalWidth > 0 && i.src.includes("Awa+Diop"))(document.getElementById("preview"))`)
	})
	b.seen("certificate-layout")
	b.press("#save", "#images")
	b.shows("With Dakar")

	b.open(w.cfg.BaseURL + "/console/certificates")
	b.set("bulkkind", "attestation")
	b.fill("#on", w.session.Key)
	b.press("#issue", "#bar")
	w.until("the batch is done", func() bool {
		all, _, err := w.h.Certificates.Batches(system, page.Request{Limit: 1})
		return err == nil && len(all) == 1 && all[0].State == "done" && all[0].Printed == 1
	})
	b.do(chromedp.WaitVisible(chromedp.CSS("#state.good"))) // the page finds it by itself
	b.seen("certificate-batch")
	pdf, err := w.h.Certificates.PDF(system, made["certificate"])
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	drops := func(name string, content []byte, said string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		b.open(w.cfg.BaseURL + "/verify")
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path}), chromedp.WaitVisible(chromedp.CSS("#said-"+said)))
	}
	drops("valid.pdf", pdf, "valid")
	altered := append([]byte(nil), pdf...)
	altered[len(altered)-20] ^= 1
	drops("altered.pdf", altered, "altered")
	drops("other.pdf", []byte("%PDF-1.4 of somebody else"), "unknown")
	b.open(w.cfg.BaseURL + "/console/certificates/" + made["certificate"])
	b.seen("certificate")
	b.fill("#reason", "She married.")
	b.press("#reissue", "#revoke")
	w.until("the old one is replaced", func() bool {
		c, err := w.h.Certificates.Certificate(system, made["certificate"])
		return err == nil && c.State() == certificates.StateReplaced
	})
	drops("valid.pdf", pdf, "replaced")
	w.verify()
}
