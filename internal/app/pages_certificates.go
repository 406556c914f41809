package app

import (
	"context"

	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var errNoCertificates = fault.New(fault.Forbidden, "certificates-only", "These pages are for who issues certificates.")

// certifying says as whom the viewer acts on certificates, if she may.
func (p Pages) certifying(ctx context.Context, who web.Viewer) (context.Context, error) {
	ctx = as(ctx, who)
	return ctx, p.h.DB.View(ctx, "may certify", func(ctx context.Context, tx *postgres.Tx) error {
		return mayTx(ctx, tx, who, errNoCertificates, "certificates:write")
	})
}

// certified asks the room of certificates for somebody who may.
func certified[A any](ctx context.Context, p Pages, who web.Viewer, ask func(context.Context, *certificates.Service) (A, error)) (out A, err error) {
	ctx, err = p.certifying(ctx, who)
	if err != nil {
		return out, err
	}
	return ask(ctx, p.h.Certificates)
}

// CertificateDesk lists certificates.
func (p Pages) CertificateDesk(ctx context.Context, who web.Viewer, f certificates.Filter, r page.Request) (some []certificates.Certificate, next string, err error) {
	if ctx, err = p.certifying(ctx, who); err != nil {
		return nil, "", err
	}
	return p.h.Certificates.List(ctx, f, r)
}

// CertificateOf finds a certificate with its history.
func (p Pages) CertificateOf(ctx context.Context, who web.Viewer, id string) (c certificates.Certificate, history []certificates.Change, err error) {
	if ctx, err = p.certifying(ctx, who); err != nil {
		return c, nil, err
	}
	if c, err = p.h.Certificates.Certificate(ctx, id); err != nil {
		return c, nil, err
	}
	history, err = p.h.Certificates.History(ctx, id)
	return c, history, err
}

// ChangeCertificate reissues, revokes or reinstates a certificate.
func (p Pages) ChangeCertificate(ctx context.Context, who web.Viewer, do, id, key, reason string) (string, error) {
	c, err := certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) (certificates.Certificate, error) {
		switch do {
		case "reissue":
			return room.Reissue(ctx, id, key, reason)
		case "revoke":
			return room.Revoke(ctx, id, reason)
		case "reinstate":
			return room.Reinstate(ctx, id, reason)
		}
		return certificates.Certificate{}, fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown", Detail: "reissue, revoke or reinstate."})
	})
	return c.ID, err
}

// CertificateKinds lists the kinds.
func (p Pages) CertificateKinds(ctx context.Context, who web.Viewer) ([]certificates.Kind, error) {
	return certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) ([]certificates.Kind, error) {
		return room.Kinds(ctx)
	})
}

// PutCertificateKind words a kind.
func (p Pages) PutCertificateKind(ctx context.Context, who web.Viewer, key string, version int, plan certificates.KindPlan) error {
	_, err := certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) (certificates.Kind, error) {
		return room.PutKind(ctx, key, version, plan)
	})
	return err
}

// CertificateBatches lists batches.
func (p Pages) CertificateBatches(ctx context.Context, who web.Viewer, r page.Request) (all []certificates.Batch, next string, err error) {
	if ctx, err = p.certifying(ctx, who); err != nil {
		return nil, "", err
	}
	return p.h.Certificates.Batches(ctx, r)
}

// CertificateBatch finds a batch.
func (p Pages) CertificateBatch(ctx context.Context, who web.Viewer, id string) (certificates.Batch, error) {
	return certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) (certificates.Batch, error) {
		return room.Batch(ctx, id)
	})
}

// IssueCertificates issues certificates in bulk.
func (p Pages) IssueCertificates(ctx context.Context, who web.Viewer, key string, n certificates.NewBatch) (certificates.Batch, error) {
	return certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) (certificates.Batch, error) {
		return room.Issue(ctx, key, n)
	})
}

// CertificateLayouts lists the layouts.
func (p Pages) CertificateLayouts(ctx context.Context, who web.Viewer) ([]certificates.Layout, error) {
	return certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) ([]certificates.Layout, error) {
		return room.Layouts(ctx)
	})
}

// CertificateLayout finds a layout.
func (p Pages) CertificateLayout(ctx context.Context, who web.Viewer, id string) (certificates.Layout, error) {
	return certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) (certificates.Layout, error) {
		return room.Layout(ctx, id)
	})
}

// CreateCertificateLayout makes a layout.
func (p Pages) CreateCertificateLayout(ctx context.Context, who web.Viewer, key string, plan certificates.LayoutPlan) (certificates.Layout, error) {
	return certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) (certificates.Layout, error) {
		return room.CreateLayout(ctx, key, plan)
	})
}

// PutCertificateLayout rewrites a layout.
func (p Pages) PutCertificateLayout(ctx context.Context, who web.Viewer, id string, version int, plan certificates.LayoutPlan) error {
	_, err := certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) (certificates.Layout, error) {
		return room.PutLayout(ctx, id, version, plan)
	})
	return err
}

// PreviewCertificateLayout shows a layout.
func (p Pages) PreviewCertificateLayout(ctx context.Context, who web.Viewer, plan certificates.LayoutPlan, kind, lang string, svg bool) ([]byte, error) {
	return certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) ([]byte, error) {
		return room.Preview(ctx, plan, kind, lang, svg)
	})
}

// AddCertificateImage keeps an image.
func (p Pages) AddCertificateImage(ctx context.Context, who web.Viewer, content []byte) (string, error) {
	return certified(ctx, p, who, func(ctx context.Context, room *certificates.Service) (string, error) {
		return room.AddImage(ctx, content)
	})
}
