package api

import (
	"context"
	"io"
	"slices"

	"github.com/gofiber/fiber/v2"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/kernel/page"
)

// IntakeRooms is what the API asks of the house about all files that were taken in.
type IntakeRooms interface {
	Intakes(ctx context.Context, who Principal, session string, p page.Request) (all []intakes.Intake, next string, err error)
	// IntakeOutcomes are what became of the rows of one.
	IntakeOutcomes(ctx context.Context, who Principal, session, intake string, p page.Request) (all []intakes.Outcome, next string, err error)
	// IntakeFile gives what is read while it is sent, after ctx has ended. Results of exams are Forbidden to who may not write exams.
	IntakeFile(ctx context.Context, who Principal, session, intake string) (intakes.Intake, io.Reader, error)
}

func (h handlers) ListIntakes(ctx context.Context, r server.ListIntakesRequestObject) (server.ListIntakesResponseObject, error) {
	rows, next, err := listed[contract.Intake](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]intakes.Intake, string, error) {
		all, next, err := h.rooms.Intakes(ctx, callerOf(ctx), r.Session, p)
		for i := range all {
			all[i].CollectedAt, all[i].RecordedAt = all[i].CollectedAt.UTC(), all[i].RecordedAt.UTC()
		}
		return all, next, err
	})
	return server.ListIntakes200JSONResponse{Intakes: rows, NextCursor: next}, err
}

func (h handlers) ListIntakeOutcomes(ctx context.Context, r server.ListIntakeOutcomesRequestObject) (server.ListIntakeOutcomesResponseObject, error) {
	rows, next, err := listed[contract.IntakeOutcome](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]intakes.Outcome, string, error) {
		return h.rooms.IntakeOutcomes(ctx, callerOf(ctx), r.Session, r.Intake, p)
	})
	return server.ListIntakeOutcomes200JSONResponse{Outcomes: rows, NextCursor: next}, err
}

// keptFile is a file that is sent as it is read.
type keptFile struct {
	intakes.Intake
	body io.Reader
}

func (f keptFile) VisitDownloadIntakeResponse(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentDisposition, attached(f.FileName))
	c.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
	size := -1 // it came before its length was kept
	if f.Bytes > 0 {
		size = int(f.Bytes)
	}
	return c.SendStream(f.body, size)
}

func (h handlers) DownloadIntake(ctx context.Context, r server.DownloadIntakeRequestObject) (server.DownloadIntakeResponseObject, error) {
	i, body, err := h.rooms.IntakeFile(ctx, callerOf(ctx), r.Session, r.Intake)
	if err != nil {
		return nil, err
	}
	return keptFile{i, body}, nil
}

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
