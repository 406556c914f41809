package app

import (
	"context"

	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/api"
)

// CertificateKinds lists what certificates can be of.
func (r Rooms) CertificateKinds(ctx context.Context) ([]certificates.Kind, error) {
	return r.h.Certificates.Kinds(ctx)
}

// CertificateKind finds one kind.
func (r Rooms) CertificateKind(ctx context.Context, key string) (certificates.Kind, error) {
	return r.h.Certificates.Kind(ctx, key)
}

// PutCertificateKind words a kind.
func (r Rooms) PutCertificateKind(ctx context.Context, key string, version int, p certificates.KindPlan) (certificates.Kind, error) {
	return r.h.Certificates.PutKind(ctx, key, version, p)
}

// CertificateLayouts lists the layouts.
func (r Rooms) CertificateLayouts(ctx context.Context) ([]certificates.Layout, error) {
	return r.h.Certificates.Layouts(ctx)
}

// CertificateLayout finds a layout.
func (r Rooms) CertificateLayout(ctx context.Context, id string) (certificates.Layout, error) {
	return r.h.Certificates.Layout(ctx, id)
}

// CreateCertificateLayout makes a layout.
func (r Rooms) CreateCertificateLayout(ctx context.Context, key string, p certificates.LayoutPlan) (certificates.Layout, error) {
	return r.h.Certificates.CreateLayout(ctx, key, p)
}

// PutCertificateLayout rewrites a layout.
func (r Rooms) PutCertificateLayout(ctx context.Context, id string, version int, p certificates.LayoutPlan) (certificates.Layout, error) {
	return r.h.Certificates.PutLayout(ctx, id, version, p)
}

// PreviewCertificateLayout is the page that a layout is printed as.
func (r Rooms) PreviewCertificateLayout(ctx context.Context, d certificates.Design, kind, lang string) ([]byte, error) {
	return r.h.Certificates.Preview(ctx, certificates.LayoutPlan{Design: d}, kind, lang, false)
}

// AddCertificateImage keeps a logo or a signature.
func (r Rooms) AddCertificateImage(ctx context.Context, content []byte) (string, error) {
	return r.h.Certificates.AddImage(ctx, content)
}

// Certificates lists certificates.
func (r Rooms) Certificates(ctx context.Context, f certificates.Filter, p page.Request) ([]api.Certificate, string, error) {
	some, next, err := r.h.Certificates.List(ctx, f, p)
	out := make([]api.Certificate, len(some))
	for i, c := range some {
		out[i] = apiCertificate(c)
	}
	return out, next, err
}

// AwardCertificate awards what was earned.
func (r Rooms) AwardCertificate(ctx context.Context, key string, e certificates.Earned) (api.Certificate, error) {
	c, err := r.h.Certificates.AwardOne(ctx, key, e)
	return apiCertificate(c), err
}

// IssueMyTranscript gives the principal the transcript of a program that she follows.
func (r Rooms) IssueMyTranscript(ctx context.Context, who api.Principal, key, edition string) (api.Certificate, error) {
	c, err := r.h.Certificates.Transcribe(ctx, key, who.PersonID, edition)
	return apiCertificate(c), err
}

// ReissueCertificate issues a certificate anew.
func (r Rooms) ReissueCertificate(ctx context.Context, id, key, reason string) (api.Certificate, error) {
	c, err := r.h.Certificates.Reissue(ctx, id, key, reason)
	return apiCertificate(c), err
}

// ReinstateCertificate lets a certificate hold again.
func (r Rooms) ReinstateCertificate(ctx context.Context, id, reason string) (api.Certificate, error) {
	c, err := r.h.Certificates.Reinstate(ctx, id, reason)
	return apiCertificate(c), err
}

// CertificateHistory is what happened to a certificate.
func (r Rooms) CertificateHistory(ctx context.Context, id string) ([]certificates.Change, error) {
	return r.h.Certificates.History(ctx, id)
}

// IssueCertificates issues certificates in bulk.
func (r Rooms) IssueCertificates(ctx context.Context, key string, n certificates.NewBatch) (certificates.Batch, error) {
	return r.h.Certificates.Issue(ctx, key, n)
}

// CertificateBatch finds a batch.
func (r Rooms) CertificateBatch(ctx context.Context, id string) (certificates.Batch, error) {
	return r.h.Certificates.Batch(ctx, id)
}

// CertificateBatches lists batches.
func (r Rooms) CertificateBatches(ctx context.Context, p page.Request) ([]certificates.Batch, string, error) {
	return r.h.Certificates.Batches(ctx, p)
}
