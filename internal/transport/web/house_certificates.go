package web

import (
	"context"

	"cursus/internal/domain/certificates"
	paging "cursus/internal/kernel/page"
)

// CertificateHouse is what the pages ask of the rooms about issuing certificates: Forbidden to who may not write them.
type CertificateHouse interface {
	CertificateDesk(ctx context.Context, who Viewer, f certificates.Filter, p paging.Request) (some []certificates.Certificate, next string, err error)
	CertificateOf(ctx context.Context, who Viewer, id string) (certificates.Certificate, []certificates.Change, error)
	// ChangeCertificate does one of reissue, revoke and reinstate, and gives the id of the certificate to show.
	ChangeCertificate(ctx context.Context, who Viewer, do, id, key, reason string) (string, error)
	CertificateKinds(ctx context.Context, who Viewer) ([]certificates.Kind, error)
	PutCertificateKind(ctx context.Context, who Viewer, key string, version int, p certificates.KindPlan) error
	CertificateBatches(ctx context.Context, who Viewer, p paging.Request) ([]certificates.Batch, string, error)
	CertificateBatch(ctx context.Context, who Viewer, id string) (certificates.Batch, error)
	IssueCertificates(ctx context.Context, who Viewer, key string, n certificates.NewBatch) (certificates.Batch, error)
	CertificateLayouts(ctx context.Context, who Viewer) ([]certificates.Layout, error)
	CertificateLayout(ctx context.Context, who Viewer, id string) (certificates.Layout, error)
	CreateCertificateLayout(ctx context.Context, who Viewer, key string, p certificates.LayoutPlan) (certificates.Layout, error)
	PutCertificateLayout(ctx context.Context, who Viewer, id string, version int, p certificates.LayoutPlan) error
	PreviewCertificateLayout(ctx context.Context, who Viewer, p certificates.LayoutPlan, kind, lang string, svg bool) ([]byte, error)
	AddCertificateImage(ctx context.Context, who Viewer, content []byte) (string, error)
}
