package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	paging "cursus/internal/kernel/page"
)

// certifying is a house with one certificate of each state, a layout and a batch.
type certifying struct {
	*fake
	plan   certificates.LayoutPlan
	issued certificates.NewBatch
	batch  certificates.Batch
}

func (c *certifying) one(id string) certificates.Certificate {
	out := certificates.Certificate{ID: id, Kind: "qualifying", Code: "7qx4pm2k", IssuedAt: day, SHA256: "0f", Facts: certificates.CertificateFacts{HolderName: "Zoé محمد", Heading: "Certificate", CourseTitle: "Networks", Session: "PRD-7", IssuedAt: day}}
	switch id {
	case "cer_revoked":
		out.RevokedAt, out.RevokedReason = &day, "by mistake"
	case "cer_replaced":
		out.ReplacedAt, out.ReplacedByID = &day, "cer_new"
	case "cer_new":
		out.ReplacesID, out.Facts.ReissuedAt, out.Signed = "cer_replaced", &day, true
	}
	return out
}

func (c *certifying) CertificateDesk(context.Context, Viewer, certificates.Filter, paging.Request) ([]certificates.Certificate, string, error) {
	return []certificates.Certificate{c.one("cer_new"), c.one("cer_revoked"), c.one("cer_replaced")}, "cer_replaced", nil
}

func (c *certifying) CertificateOf(_ context.Context, _ Viewer, id string) (certificates.Certificate, []certificates.Change, error) {
	return c.one(id), []certificates.Change{{Change: "awarded", By: "system", At: day}, {Change: "revoked", Reason: "by mistake", By: "staff:per_1", At: day}}, nil
}

func (c *certifying) CertificateKinds(context.Context, Viewer) ([]certificates.Kind, error) {
	t := catalog.Text{EN: "Program Certificate", FR: "Certificat de programme"}
	return []certificates.Kind{{Key: "program", Subject: certificates.OfEdition, Heading: t, Reason: t, Stage: certificates.PathComplete, Entitlement: "certificate", Cosigned: true, Version: 3}}, nil
}

func (c *certifying) CertificateBatches(context.Context, Viewer, paging.Request) ([]certificates.Batch, string, error) {
	return []certificates.Batch{c.batch}, "", nil
}

func (c *certifying) CertificateBatch(context.Context, Viewer, string) (certificates.Batch, error) {
	return c.batch, nil
}

func (c *certifying) IssueCertificates(_ context.Context, _ Viewer, _ string, n certificates.NewBatch) (certificates.Batch, error) {
	c.issued = n
	if n.Edition == "NOBODY" {
		return certificates.Batch{}, certificates.ErrNobody
	}
	return c.batch, nil
}

func (c *certifying) CertificateLayouts(context.Context, Viewer) ([]certificates.Layout, error) {
	l, err := c.CertificateLayout(context.Background(), Viewer{}, "lay_1")
	return []certificates.Layout{l}, err
}

func (c *certifying) CertificateLayout(_ context.Context, _ Viewer, id string) (certificates.Layout, error) {
	return certificates.Layout{ID: id, Name: "With Dakar", Organisation: "ESP", SavedAt: day, Version: 2, Design: certificates.Design{Accent: "#14304f", Logos: []string{strings.Repeat("a", 64)}, Signatures: []certificates.Signatory{{Name: "Pr. Awa Diop", Role: catalog.Text{EN: "Director"}}}}}, nil
}

func (c *certifying) CreateCertificateLayout(_ context.Context, _ Viewer, _ string, p certificates.LayoutPlan) (certificates.Layout, error) {
	c.plan = p
	return certificates.Layout{ID: "lay_2"}, nil
}

func (c *certifying) PreviewCertificateLayout(_ context.Context, _ Viewer, p certificates.LayoutPlan, kind, lang string, svg bool) ([]byte, error) {
	c.plan = p
	return []byte(map[bool]string{true: "<svg>", false: "%PDF-"}[svg] + kind + lang), nil
}

func TestTheCertificatePages(t *testing.T) {
	c := &certifying{fake: newFake(), batch: certificates.Batch{ID: "bat_1", Kind: "program", Of: "edition", Subject: "BASICS-1", State: "printing", Total: 10, Issued: 9, Refused: 1, Printed: 4, MadeAt: day, Refusals: []certificates.Refusal{{LearnerID: "per_9", Problem: "certificate-not-earned"}}}}
	app, _ := open(t, c, "http://127.0.0.1:8080")
	for path, says := range map[string]string{
		"/console/certificates": "Zoé", "/console/certificates/cer_new": "cer_replaced", "/console/certificates/cer_revoked": "reinstate", "/console/certificates/cer_replaced": "cer_new",
		"/console/certificate-batches/bat_1": `value="75"`, "/console/certificate-layouts": "With Dakar", "/console/certificate-layouts/lay_1": "Pr. Awa Diop", "/console/certificate-layouts/new": "preview.svg?",
	} {
		for _, lang := range languages {
			b := visitor(t, app, "staff-link")
			answer, body := b.send("GET", path+"?lang="+lang, "")
			if answer.StatusCode != http.StatusOK || !strings.Contains(body, says) {
				t.Errorf("%s (%s): %d, or it does not say %q\n%.600s", path, lang, answer.StatusCode, says, body)
			}
			for _, bad := range wrongIn(t, body) {
				t.Errorf("%s (%s): %s", path, lang, bad)
			}
		}
		if answer, _ := visitor(t, app, "learner-link").send("GET", path, ""); answer.StatusCode != http.StatusForbidden {
			t.Errorf("a learner is answered %d at %s", answer.StatusCode, path)
		}
	}
	b := visitor(t, app, "staff-link")
	if answer, body := b.send("GET", "/console/certificate-layouts/preview.svg?kind=program&language=fr&name1=Awa&role_fr1=Directrice&logo2="+strings.Repeat("b", 64), ""); answer.StatusCode != http.StatusOK || body != "<svg>programfr" ||
		!strings.Contains(answer.Header.Get("Content-Security-Policy"), "sandbox") || len(c.plan.Design.Logos) != 1 || c.plan.Design.Signatures[0].Role.FR != "Directrice" {
		t.Error(answer.StatusCode, body, answer.Header, c.plan)
	}
	if answer, body := b.send("GET", "/console/certificate-batches/bat_1/state", ""); answer.StatusCode != http.StatusOK || !strings.Contains(body, `"percent":75`) {
		t.Error(answer.StatusCode, body)
	}
	for on, status := range map[string]int{"BASICS-1": 303, "NOBODY": 422} {
		if answer, _ := b.post("/console/certificates", "/console/certificates", url.Values{"kind": {"program"}, "on": {on}, "key": {"k"}}); answer.StatusCode != status || c.issued.Edition != on || c.issued.Session != "" {
			t.Error(on, answer.StatusCode, c.issued)
		}
	}
}
