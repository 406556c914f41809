package api

import (
	"context"
	"time"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/confidence"
)

func toRate(r analytics.Rate) contract.Rate {
	return contract.Rate{Count: r.Count, Of: r.Of, TenthsOfPercent: r.Tenths, Wilson95LowTenths: r.Low, Wilson95HighTenths: r.High}
}

func toReadiness(r confidence.Readiness) contract.Readiness {
	out := contract.Readiness{
		EnrolmentId: r.EnrolmentID, AsOf: r.AsOf.UTC(), Definition: r.Definition, GradePpm: r.GradePPM, MockPpm: r.MockPPM,
		Weeks: each(r.Weeks, func(w confidence.Week) contract.ReadinessWeek {
			x := contract.ReadinessWeek{Week: w.Week, Ppm: w.PPM, Done: w.Done, MedianPpm: w.MedianPPM, Review: w.Review}
			if w.MedianPPM != nil {
				x.Passed = &w.Passed
			}
			return x
		}),
	}
	if r.By != "" {
		by, rate := contract.ReadinessBy(r.By), toRate(analytics.NewRate(int64(r.Passed), int64(r.Sat)))
		out.By, out.FromPpm, out.ToPpm, out.Passed = &by, &r.FromPPM, &r.ToPPM, &rate
	}
	return out
}

func (h handlers) GetReadiness(ctx context.Context, r server.GetReadinessRequestObject) (server.GetReadinessResponseObject, error) {
	var asOf time.Time
	if r.Params.AsOf != nil {
		asOf = *r.Params.AsOf
	}
	x, err := h.rooms.Readiness(ctx, callerOf(ctx), r.Enrolment, asOf)
	if err != nil {
		return nil, err
	}
	return server.GetReadiness200JSONResponse(toReadiness(x)), nil
}

func (h handlers) BookMockExam(ctx context.Context, r server.BookMockExamRequestObject) (server.BookMockExamResponseObject, error) {
	x, err := h.rooms.BookMockExam(ctx, callerOf(ctx), r.Enrolment, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return server.BookMockExam201JSONResponse(toSitting(x)), nil
}
