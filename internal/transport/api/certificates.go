package api

import (
	"bytes"
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/page"
)

func (h handlers) ListCertificateKinds(ctx context.Context, _ server.ListCertificateKindsRequestObject) (server.ListCertificateKindsResponseObject, error) {
	all, err := h.rooms.CertificateKinds(ctx)
	if err != nil {
		return nil, err
	}
	out, err := turned[contract.CertificateKind](all)
	return server.ListCertificateKinds200JSONResponse{Kinds: out}, err
}

func (h handlers) GetCertificateKind(ctx context.Context, r server.GetCertificateKindRequestObject) (server.GetCertificateKindResponseObject, error) {
	k, err := h.rooms.CertificateKind(ctx, r.CertificateKind)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.CertificateKind](k)
	return server.GetCertificateKind200JSONResponse{Body: out, Headers: server.GetCertificateKind200ResponseHeaders{ETag: etag(k.Version)}}, err
}

func (h handlers) PutCertificateKind(ctx context.Context, r server.PutCertificateKindRequestObject) (server.PutCertificateKindResponseObject, error) {
	out, now, err := put[contract.CertificateKind](r.Params.IfMatch, r.Body, func(p certificates.KindPlan, version int) (certificates.Kind, error) {
		return h.rooms.PutCertificateKind(ctx, r.CertificateKind, version, p)
	})
	return server.PutCertificateKind200JSONResponse{Body: out, Headers: server.PutCertificateKind200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) ListCertificateLayouts(ctx context.Context, _ server.ListCertificateLayoutsRequestObject) (server.ListCertificateLayoutsResponseObject, error) {
	all, err := h.rooms.CertificateLayouts(ctx)
	if err != nil {
		return nil, err
	}
	out, err := turned[contract.CertificateLayout](all)
	return server.ListCertificateLayouts200JSONResponse{Layouts: out}, err
}

func (h handlers) CreateCertificateLayout(ctx context.Context, r server.CreateCertificateLayoutRequestObject) (server.CreateCertificateLayoutResponseObject, error) {
	p, err := as[certificates.LayoutPlan](r.Body)
	if err != nil {
		return nil, err
	}
	l, err := h.rooms.CreateCertificateLayout(ctx, r.Params.IdempotencyKey, p)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.CertificateLayout](l)
	return server.CreateCertificateLayout201JSONResponse{
		Body: out, Headers: server.CreateCertificateLayout201ResponseHeaders{ETag: etag(l.Version), Location: "/v1/certificate-layouts/" + l.ID},
	}, err
}

func (h handlers) GetCertificateLayout(ctx context.Context, r server.GetCertificateLayoutRequestObject) (server.GetCertificateLayoutResponseObject, error) {
	l, err := h.rooms.CertificateLayout(ctx, r.CertificateLayout)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.CertificateLayout](l)
	return server.GetCertificateLayout200JSONResponse{Body: out, Headers: server.GetCertificateLayout200ResponseHeaders{ETag: etag(l.Version)}}, err
}

func (h handlers) PutCertificateLayout(ctx context.Context, r server.PutCertificateLayoutRequestObject) (server.PutCertificateLayoutResponseObject, error) {
	out, now, err := put[contract.CertificateLayout](r.Params.IfMatch, r.Body, func(p certificates.LayoutPlan, version int) (certificates.Layout, error) {
		return h.rooms.PutCertificateLayout(ctx, r.CertificateLayout, version, p)
	})
	return server.PutCertificateLayout200JSONResponse{Body: out, Headers: server.PutCertificateLayout200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) PreviewCertificateLayout(ctx context.Context, r server.PreviewCertificateLayoutRequestObject) (server.PreviewCertificateLayoutResponseObject, error) {
	d, err := as[certificates.Design](r.Body.Design)
	if err != nil {
		return nil, err
	}
	pdf, err := h.rooms.PreviewCertificateLayout(ctx, d, r.Body.Kind, string(r.Body.Language))
	if err != nil {
		return nil, err
	}
	return server.PreviewCertificateLayout200ApplicationpdfResponse{
		Body: bytes.NewReader(pdf), ContentLength: int64(len(pdf)), Headers: server.PreviewCertificateLayout200ResponseHeaders{ContentDisposition: `attachment; filename="preview.pdf"`},
	}, nil
}

func (h handlers) AddCertificateImage(ctx context.Context, r server.AddCertificateImageRequestObject) (server.AddCertificateImageResponseObject, error) {
	hash, err := h.rooms.AddCertificateImage(ctx, r.Body.Content)
	return server.AddCertificateImage201JSONResponse{Sha256: hash}, err
}

func (h handlers) ListCertificates(ctx context.Context, r server.ListCertificatesRequestObject) (server.ListCertificatesResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	some, next, err := h.rooms.Certificates(ctx, certificates.Filter{
		Kind: value(r.Params.Kind), Session: value(r.Params.Session), Edition: value(r.Params.Edition), State: string(value(r.Params.State)), Text: value(r.Params.Text),
	}, p)
	return server.ListCertificates200JSONResponse{Certificates: each(some, toCertificate), NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) AwardCertificate(ctx context.Context, r server.AwardCertificateRequestObject) (server.AwardCertificateResponseObject, error) {
	c, err := h.rooms.AwardCertificate(ctx, r.Params.IdempotencyKey, certificates.Earned{Kind: r.Body.Kind, LearnerID: r.Body.LearnerId, Session: value(r.Body.Session), Edition: value(r.Body.Edition)})
	return server.AwardCertificate201JSONResponse{Body: toCertificate(c), Headers: server.AwardCertificate201ResponseHeaders{Location: "/v1/certificates/" + c.ID}}, err
}

func (h handlers) IssueMyTranscript(ctx context.Context, r server.IssueMyTranscriptRequestObject) (server.IssueMyTranscriptResponseObject, error) {
	c, err := h.rooms.IssueMyTranscript(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Edition)
	return server.IssueMyTranscript201JSONResponse{Body: toCertificate(c), Headers: server.IssueMyTranscript201ResponseHeaders{Location: "/v1/certificates/" + c.ID}}, err
}

func (h handlers) ReissueCertificate(ctx context.Context, r server.ReissueCertificateRequestObject) (server.ReissueCertificateResponseObject, error) {
	c, err := h.rooms.ReissueCertificate(ctx, r.Certificate, r.Params.IdempotencyKey, r.Body.Reason)
	return server.ReissueCertificate201JSONResponse{Body: toCertificate(c), Headers: server.ReissueCertificate201ResponseHeaders{Location: "/v1/certificates/" + c.ID}}, err
}

func (h handlers) ReinstateCertificate(ctx context.Context, r server.ReinstateCertificateRequestObject) (server.ReinstateCertificateResponseObject, error) {
	c, err := h.rooms.ReinstateCertificate(ctx, r.Certificate, r.Body.Reason)
	return server.ReinstateCertificate200JSONResponse(toCertificate(c)), err
}

func (h handlers) GetCertificateHistory(ctx context.Context, r server.GetCertificateHistoryRequestObject) (server.GetCertificateHistoryResponseObject, error) {
	all, err := h.rooms.CertificateHistory(ctx, r.Certificate)
	if err != nil {
		return nil, err
	}
	out, err := turned[contract.CertificateChange](all)
	return server.GetCertificateHistory200JSONResponse{Changes: out}, err
}

func (h handlers) CreateCertificateBatch(ctx context.Context, r server.CreateCertificateBatchRequestObject) (server.CreateCertificateBatchResponseObject, error) {
	b, err := h.rooms.IssueCertificates(ctx, r.Params.IdempotencyKey, certificates.NewBatch{Kind: r.Body.Kind, Session: value(r.Body.Session), Edition: value(r.Body.Edition)})
	if err != nil {
		return nil, err
	}
	out, err := as[contract.CertificateBatch](b)
	return server.CreateCertificateBatch201JSONResponse{Body: out, Headers: server.CreateCertificateBatch201ResponseHeaders{Location: "/v1/certificate-batches/" + b.ID}}, err
}

func (h handlers) GetCertificateBatch(ctx context.Context, r server.GetCertificateBatchRequestObject) (server.GetCertificateBatchResponseObject, error) {
	out, err := answered[contract.CertificateBatch](h.rooms.CertificateBatch(ctx, r.CertificateBatch))
	return server.GetCertificateBatch200JSONResponse(out), err
}

func (h handlers) ListCertificateBatches(ctx context.Context, r server.ListCertificateBatchesRequestObject) (server.ListCertificateBatchesResponseObject, error) {
	rows, next, err := listed[contract.CertificateBatch](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]certificates.Batch, string, error) {
		return h.rooms.CertificateBatches(ctx, p)
	})
	return server.ListCertificateBatches200JSONResponse{Batches: rows, NextCursor: next}, err
}
