package api

import (
	"context"
	"slices"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/gradebook"
)

func (h handlers) GetCollection(ctx context.Context, r server.GetCollectionRequestObject) (server.GetCollectionResponseObject, error) {
	c, err := h.rooms.Collection(ctx, callerOf(ctx), r.Session, r.Intake)
	if err != nil {
		return nil, err
	}
	return server.GetCollection200JSONResponse(toCollection(c)), nil
}

// RecordStatements reads the bytes as they came: a score that went through a float would not be the one that was sent.
func (h handlers) RecordStatements(ctx context.Context, r server.RecordStatementsRequestObject) (server.RecordStatementsResponseObject, error) {
	c, err := h.rooms.RecordStatements(ctx, callerOf(ctx), r.Session, callOf(ctx).body)
	if err != nil {
		return nil, err
	}
	out := contract.StatementOutcomes{Collection: toCollection(c), Taken: c.RowsRead - c.RowsRejected - c.LinesIgnored, Others: []contract.StatementOutcome{}}
	say := func(outcome string, x gradebook.Reject) {
		o := contract.StatementOutcome{Position: max(x.Line, 1), Outcome: contract.StatementOutcomeOutcome(outcome), Code: x.Code}
		if x.ID != "" {
			o.Id = &x.ID
		}
		out.Others = append(out.Others, o)
	}
	for _, x := range c.Rejects {
		say("rejected", x)
	}
	for _, x := range c.Ignored {
		if x.Code == gradebook.Duplicate {
			say("duplicate", x)
		} else {
			say("ignored", x)
		}
	}
	slices.SortStableFunc(out.Others, func(a, b contract.StatementOutcome) int { return a.Position - b.Position })
	return server.RecordStatements200JSONResponse(out), nil
}

func (h handlers) GetCollectionSchedule(ctx context.Context, r server.GetCollectionScheduleRequestObject) (server.GetCollectionScheduleResponseObject, error) {
	s, err := h.rooms.CollectionSchedule(ctx, callerOf(ctx), r.Session)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.CollectionSchedule](s)
	return server.GetCollectionSchedule200JSONResponse{Body: out, Headers: server.GetCollectionSchedule200ResponseHeaders{ETag: etag(s.Version)}}, err
}

func (h handlers) PutCollectionSchedule(ctx context.Context, r server.PutCollectionScheduleRequestObject) (server.PutCollectionScheduleResponseObject, error) {
	out, now, err := put[contract.CollectionSchedule](r.Params.IfMatch, r.Body, func(n gradebook.NewSchedule, version int) (gradebook.Schedule, error) {
		return h.rooms.PutCollectionSchedule(ctx, callerOf(ctx), r.Session, version, n)
	})
	return server.PutCollectionSchedule200JSONResponse{Body: out, Headers: server.PutCollectionSchedule200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) CollectGrades(ctx context.Context, r server.CollectGradesRequestObject) (server.CollectGradesResponseObject, error) {
	out, err := answered[contract.CollectionSchedule](h.rooms.CollectGrades(ctx, callerOf(ctx), r.Session))
	return server.CollectGrades202JSONResponse(out), err
}
