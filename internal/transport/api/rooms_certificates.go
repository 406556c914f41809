package api

import (
	"context"

	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/page"
)

// CertificateRooms is what the API asks of the house about issuing certificates, in the room's own types. All but VerifyDocument and IssueMyTranscript is for staff.
type CertificateRooms interface {
	// VerifyDocument says what a file is, by its hash and, where it is not empty, the code that it carries. NotFound for neither. public
	VerifyDocument(ctx context.Context, sha256, code string) (Verification, error)
	CertificateKinds(ctx context.Context) ([]certificates.Kind, error)
	CertificateKind(ctx context.Context, key string) (certificates.Kind, error)
	PutCertificateKind(ctx context.Context, key string, version int, p certificates.KindPlan) (certificates.Kind, error)
	CertificateLayouts(ctx context.Context) ([]certificates.Layout, error)
	CertificateLayout(ctx context.Context, id string) (certificates.Layout, error)
	CreateCertificateLayout(ctx context.Context, key string, p certificates.LayoutPlan) (certificates.Layout, error)
	PutCertificateLayout(ctx context.Context, id string, version int, p certificates.LayoutPlan) (certificates.Layout, error)
	// PreviewCertificateLayout is a PDF.
	PreviewCertificateLayout(ctx context.Context, d certificates.Design, kind, lang string) ([]byte, error)
	AddCertificateImage(ctx context.Context, content []byte) (hash string, err error)
	Certificates(ctx context.Context, f certificates.Filter, p page.Request) ([]Certificate, string, error)
	AwardCertificate(ctx context.Context, key string, e certificates.Earned) (Certificate, error)
	// IssueMyTranscript is for the principal herself.
	IssueMyTranscript(ctx context.Context, who Principal, key, edition string) (Certificate, error)
	ReissueCertificate(ctx context.Context, id, key, reason string) (Certificate, error)
	ReinstateCertificate(ctx context.Context, id, reason string) (Certificate, error)
	CertificateHistory(ctx context.Context, id string) ([]certificates.Change, error)
	IssueCertificates(ctx context.Context, key string, n certificates.NewBatch) (certificates.Batch, error)
	CertificateBatch(ctx context.Context, id string) (certificates.Batch, error)
	CertificateBatches(ctx context.Context, p page.Request) ([]certificates.Batch, string, error)
}
