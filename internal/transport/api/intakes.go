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
