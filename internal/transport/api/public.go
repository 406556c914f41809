package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/page"
)

func (h handlers) ListCourses(ctx context.Context, r server.ListCoursesRequestObject) (server.ListCoursesResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	courses, next, err := h.rooms.Courses(ctx, catalog.Filter{
		Query: value(r.Params.Q), Collection: value(r.Params.Collection), Level: string(value(r.Params.Level)), Language: value(r.Params.Language),
	}, p)
	if err != nil {
		return nil, err
	}
	return server.ListCourses200JSONResponse{Courses: each(courses, toCourse), NextCursor: given(page.Cursor(next))}, nil
}

func (h handlers) GetCourse(ctx context.Context, r server.GetCourseRequestObject) (server.GetCourseResponseObject, error) {
	c, err := h.rooms.Course(ctx, r.Course)
	if err != nil {
		return nil, err
	}
	out := toCourse(c)
	if c.Document != nil {
		d, err := as[contract.CourseDocument](c.Document)
		if err != nil {
			return nil, err
		}
		out.Document = &d
	}
	return server.GetCourse200JSONResponse(out), nil
}

func (h handlers) GetSession(ctx context.Context, r server.GetSessionRequestObject) (server.GetSessionResponseObject, error) {
	s, err := h.rooms.Session(ctx, r.Session)
	if err != nil {
		return nil, err
	}
	return server.GetSession200JSONResponse{Body: toSession(s), Headers: server.GetSession200ResponseHeaders{ETag: etag(s.Version)}}, nil
}

func (h handlers) VerifyCertificate(ctx context.Context, r server.VerifyCertificateRequestObject) (server.VerifyCertificateResponseObject, error) {
	v, err := h.rooms.VerifyCertificate(ctx, r.Code)
	if err != nil {
		return nil, err
	}
	return server.VerifyCertificate200JSONResponse(toVerification(v)), nil
}

func (h handlers) VerifyDocument(ctx context.Context, r server.VerifyDocumentRequestObject) (server.VerifyDocumentResponseObject, error) {
	v, err := h.rooms.VerifyDocument(ctx, r.Params.Sha256, value(r.Params.Code))
	return server.VerifyDocument200JSONResponse(toVerification(v)), err
}

func toVerification(v Verification) contract.Verification {
	return contract.Verification{
		Kind: given(v.Kind), Heading: given(v.Heading), Partners: some(v.Partners), ReplacedAt: utc(v.ReplacedAt), Signed: v.Signed,
		State: contract.VerificationState(v.State), Code: v.Code, HolderName: v.HolderName, Issuer: v.Issuer, CourseTitle: v.CourseTitle,
		Session: v.Session, Formula: v.Formula, Grade: given(v.Grade), IssuedAt: v.IssuedAt.UTC(), RevokedAt: utc(v.RevokedAt),
		RevokedReason: given(v.RevokedReason), Sha256: given(v.SHA256), Demo: v.Demo, Transcript: toTranscript(v.Transcript),
	}
}

func (h handlers) ReceiveStripeEvent(ctx context.Context, r server.ReceiveStripeEventRequestObject) (server.ReceiveStripeEventResponseObject, error) {
	if err := h.rooms.ReceiveStripeEvent(ctx, callOf(ctx).body, r.Params.StripeSignature); err != nil {
		return nil, err
	}
	return server.ReceiveStripeEvent204Response{}, nil
}
