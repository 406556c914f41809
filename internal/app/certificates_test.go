package app_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"cursus/internal/transport/api/apitest"
)

// certificatesStory walks every operation that issues certificates, and what happens to them later. It leaves a certificate that holds to the walker.
func (w *world) certificatesStory(t *testing.T, walker *apitest.Walker, admin, learner string) {
	t.Helper()
	n := 0
	ask := func(operation string, status int, body string, path map[string]string) (a apitest.Answer) {
		t.Helper()
		n++
		r := walker.Example(operation)
		r.Token = admin
		r.Header.Set("Idempotency-Key", fmt.Sprint("certificates-", n))
		if path != nil {
			r.Path = path
		}
		if body != "" {
			r.Body = []byte(body)
		}
		if a = walker.Do(t, r); a.Status != status {
			t.Errorf("%s: %d, not %d\n%.500s", operation, a.Status, status, a.Body)
		}
		return a
	}
	var image struct{ Sha256 string }
	ask("addCertificateImage", 201, "", nil).JSON(t, &image)
	ask("addCertificateImage", 400, `{"content":"AAAA"}`, nil)
	var layout struct{ ID string }
	ask("createCertificateLayout", 201, `{"name":"Walked","design":{"logos":["`+image.Sha256+`"],"signatures":[{"name":"Pr. Awa Diop","image":"`+image.Sha256+`"}]}}`, nil).JSON(t, &layout)
	walker.Values["certificate_layout"] = layout.ID
	ask("getCertificateLayout", 200, "", nil)
	ask("putCertificateLayout", 200, "", nil)
	ask("listCertificateLayouts", 200, "", nil)
	if a := ask("previewCertificateLayout", 200, "", nil); !strings.HasPrefix(string(a.Body), "%PDF-") {
		t.Errorf("%.80s", a.Body)
	}
	walker.Values["certificate_kind"] = "attestation"
	ask("listCertificateKinds", 200, "", nil)
	ask("getCertificateKind", 200, "", nil)
	ask("putCertificateKind", 200, "", nil)

	earned := `{"kind":"attestation","learner_id":"` + learner + `","session":"` + w.session.Key + `"}`
	var c, again struct{ ID, State, Code string }
	ask("awardCertificate", 201, earned, nil).JSON(t, &c)
	ask("awardCertificate", 409, earned, nil)
	ask("awardCertificate", 422, `{"kind":"program","learner_id":"`+learner+`","edition":"`+walker.Values["edition"]+`"}`, nil)
	of := map[string]string{"certificate": c.ID}
	ask("revokeCertificate", 200, "", of)
	var batch struct {
		ID    string
		Total int
	}
	ask("createCertificateBatch", 201, `{"kind":"attestation","session":"`+w.session.Key+`"}`, nil).JSON(t, &batch)
	walker.Values["certificate_batch"] = batch.ID
	ask("createCertificateBatch", 404, `{"kind":"attestation","session":"NOWHERE"}`, nil)
	w.quiet()
	if ask("getCertificateBatch", 200, "", nil).JSON(t, &batch); batch.Total == 0 {
		t.Error("nobody was in the batch")
	}
	ask("listCertificateBatches", 200, "", nil)
	ask("reinstateCertificate", 409, "", of) // the batch gave her another one
	hers := map[string]string{"certificate": walker.Values["certificate"]}
	ask("reissueCertificate", 201, "", hers).JSON(t, &again)
	ask("reissueCertificate", 409, "", hers)
	walker.Values["certificate"], walker.Values["code"] = again.ID, again.Code
	hers["certificate"] = again.ID
	ask("revokeCertificate", 200, "", hers)
	if ask("reinstateCertificate", 200, "", hers).JSON(t, &again); again.State != "valid" {
		t.Error(again)
	}
	ask("getCertificateHistory", 200, "", hers)
	ask("listCertificates", 200, "", nil)
	w.quiet()
	examine := func(sum, code string, status int, state string) {
		t.Helper()
		r := walker.Example("verifyDocument")
		r.Query = "sha256=" + sum
		if code != "" {
			r.Query += "&code=" + code
		}
		var v struct{ State string }
		a := walker.Do(t, r)
		if a.Status == 200 {
			a.JSON(t, &v)
		}
		if a.Status != status || v.State != state {
			t.Errorf("a file is %d %q, not %d %q", a.Status, v.State, status, state)
		}
	}
	pdf, err := w.h.Certificates.PDF(system, again.ID)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
	examine(sum(pdf), "", 200, "valid")
	pdf[len(pdf)/2] ^= 1
	examine(sum(pdf), again.Code, 200, "altered")
	examine(sum(pdf), "", 404, "")
	examine(sum(pdf), strings.Repeat("0", 26), 404, "")
}
