package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/kernel/page"
)

func (h handlers) CreateSession(ctx context.Context, r server.CreateSessionRequestObject) (server.CreateSessionResponseObject, error) {
	b := r.Body
	s, err := h.rooms.CreateSession(ctx, callerOf(ctx), NewSession{
		Key: r.Params.IdempotencyKey, SessionKey: b.Key, CourseKey: b.Course, Number: value(b.Number),
		Title: Text{EN: value(b.Title.En), FR: value(b.Title.Fr)}, Platform: b.Platform, CourseURL: value(b.CourseUrl), ThresholdPPM: b.ThresholdPpm,
		StartsAt: b.StartsAt, EndsAt: b.EndsAt, EnrolFrom: b.EnrolFrom, EnrolUntil: b.EnrolUntil, Exercises: each(value(b.Exercises), fromExercise),
		Kind: enum(b.Kind), PlatformKey: value(b.PlatformKey), Audience: value(b.Audience), Language: value(b.Language), Capacity: b.Capacity,
		Publication: enum(b.Publication),
	})
	if err != nil {
		return nil, err
	}
	return server.CreateSession201JSONResponse{
		Body: toSession(s), Headers: server.CreateSession201ResponseHeaders{Location: "/v1/sessions/" + s.Key, ETag: etag(s.Version)},
	}, nil
}

func (h handlers) PutExercises(ctx context.Context, r server.PutExercisesRequestObject) (server.PutExercisesResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	s, err := h.rooms.PutExercises(ctx, callerOf(ctx), r.Session, each(r.Body.Exercises, fromExercise), version)
	if err != nil {
		return nil, err
	}
	return server.PutExercises200JSONResponse{Body: toSession(s), Headers: server.PutExercises200ResponseHeaders{ETag: etag(s.Version)}}, nil
}

func (h handlers) CreateOffer(ctx context.Context, r server.CreateOfferRequestObject) (server.CreateOfferResponseObject, error) {
	n := newOffer(*r.Body)
	o, err := h.rooms.CreateOffer(ctx, callerOf(ctx), NewOffer{
		Key: r.Params.IdempotencyKey, Session: r.Session, Formula: n.Formula, ValidFrom: n.ValidFrom, ValidUntil: n.ValidUntil, Price: n.Price,
		Audience: n.Audience, Quota: n.Quota, Call: Text(n.Call), Withdrawal: n.Withdrawal,
	})
	if err != nil {
		return nil, err
	}
	return server.CreateOffer201JSONResponse(toOffer(o)), nil
}

func (h handlers) ImportGrades(ctx context.Context, r server.ImportGradesRequestObject) (server.ImportGradesResponseObject, error) {
	c, err := h.rooms.ImportGrades(ctx, callerOf(ctx), Intake{
		Session: r.Session, FileName: r.Params.FileName, CollectedAt: r.Params.CollectedAt, DryRun: value(r.Params.DryRun), Content: callOf(ctx).body,
	})
	if err != nil {
		return nil, err
	}
	out := toCollection(c)
	out.DryRun = value(r.Params.DryRun)
	if out.DryRun || out.Replayed {
		return server.ImportGrades200JSONResponse(out), nil
	}
	return server.ImportGrades201JSONResponse(out), nil
}

func (h handlers) ListCollections(ctx context.Context, r server.ListCollectionsRequestObject) (server.ListCollectionsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	collections, next, err := h.rooms.Collections(ctx, callerOf(ctx), r.Session, p)
	if err != nil {
		return nil, err
	}
	return server.ListCollections200JSONResponse{Collections: each(collections, toCollection), NextCursor: given(page.Cursor(next))}, nil
}

func (h handlers) RecordResult(ctx context.Context, r server.RecordResultRequestObject) (server.RecordResultResponseObject, error) {
	s, err := h.rooms.RecordResult(ctx, callerOf(ctx), NewResult{
		SittingID: r.Sitting, State: string(r.Body.State), ScorePPM: r.Body.ScorePpm, Reference: value(r.Body.Reference),
	})
	if err != nil {
		return nil, err
	}
	return server.RecordResult200JSONResponse(toSitting(s)), nil
}

func (h handlers) RefundOrder(ctx context.Context, r server.RefundOrderRequestObject) (server.RefundOrderResponseObject, error) {
	o, err := h.rooms.Refund(ctx, callerOf(ctx), NewRefund{
		Key: r.Params.IdempotencyKey, OrderID: r.Order, AmountMinor: r.Body.AmountMinor, Lines: refundLines(r.Body.Lines), Reason: r.Body.Reason,
	})
	if err != nil {
		return nil, err
	}
	return server.RefundOrder202JSONResponse(toOrder(o)), nil
}

func (h handlers) RevokeCertificate(ctx context.Context, r server.RevokeCertificateRequestObject) (server.RevokeCertificateResponseObject, error) {
	c, err := h.rooms.RevokeCertificate(ctx, callerOf(ctx), r.Certificate, r.Body.Reason)
	if err != nil {
		return nil, err
	}
	return server.RevokeCertificate200JSONResponse(toCertificate(c)), nil
}

func (h handlers) GetIndicators(ctx context.Context, r server.GetIndicatorsRequestObject) (server.GetIndicatorsResponseObject, error) {
	q := IndicatorsQuestion{
		Session: r.Session, AsOf: value(r.Params.AsOf), KnownAt: value(r.Params.KnownAt), Cohort: value(r.Params.Cohort),
		Basis: string(contract.GetIndicatorsParamsBasisCurrent), Week1Rule: string(contract.GetIndicatorsParamsWeek1RuleFirst),
	}
	if r.Params.Basis != nil {
		q.Basis = string(*r.Params.Basis)
	}
	if r.Params.Week1Rule != nil {
		q.Week1Rule = string(*r.Params.Week1Rule)
	}
	i, err := h.rooms.Indicators(ctx, callerOf(ctx), q)
	if err != nil {
		return nil, err
	}
	return server.GetIndicators200JSONResponse{
		Session: i.Session, Course: i.Course, Title: toText(i.Title), Open: i.Open, Basis: contract.IndicatorsBasis(i.Basis),
		Week1Rule: contract.IndicatorsWeek1Rule(i.Week1Rule), Cohort: given(i.Cohort), AsOf: utc(i.AsOf), KnownAt: utc(i.KnownAt),
		Enrolled: i.Enrolled, Metrics: each(i.Metrics, toMetric),
	}, nil
}

// qualifying is the formula that outcomes are of when none is named; the contract says so too.
const qualifying = "QUALIFYING"

func (h handlers) GetOutcomes(ctx context.Context, r server.GetOutcomesRequestObject) (server.GetOutcomesResponseObject, error) {
	q := OutcomesQuestion{
		Session: r.Session, AsOf: value(r.Params.AsOf), KnownAt: value(r.Params.KnownAt), Formula: qualifying,
		Basis: string(contract.GetOutcomesParamsBasisCurrent), Week1Rule: string(contract.GetOutcomesParamsWeek1RuleFirst),
	}
	if r.Params.Formula != nil {
		q.Formula = *r.Params.Formula
	}
	if r.Params.Basis != nil {
		q.Basis = string(*r.Params.Basis)
	}
	if r.Params.Week1Rule != nil {
		q.Week1Rule = string(*r.Params.Week1Rule)
	}
	o, err := h.rooms.Outcomes(ctx, callerOf(ctx), q)
	if err != nil {
		return nil, err
	}
	return server.GetOutcomes200JSONResponse{
		Session: o.Session, Course: o.Course, Title: toText(o.Title), Open: o.Open, Formula: o.Formula, Basis: contract.OutcomesBasis(o.Basis),
		Week1Rule: contract.OutcomesWeek1Rule(o.Week1Rule), AsOf: utc(o.AsOf), KnownAt: utc(o.KnownAt),
		Holders: o.Holders, Metrics: each(o.Metrics, toMetric), Revenue: each(o.Revenue, toRevenue), Demo: o.Demo,
	}, nil
}

func (h handlers) GetQueue(ctx context.Context, _ server.GetQueueRequestObject) (server.GetQueueResponseObject, error) {
	q, err := h.rooms.Queue(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	return server.GetQueue200JSONResponse{Pending: q.Pending, Dead: q.Dead}, nil
}
