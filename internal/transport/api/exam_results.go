package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/intakes"
)

func toResults(r exams.Results) contract.ExamResults {
	return contract.ExamResults{
		Id: r.ID, Session: r.SessionKey, Kind: contract.ExamKind(r.Kind), FileName: r.FileName, New: r.Count(exams.RowNew), Changed: r.Count(exams.RowChanged),
		Unchanged: r.Count(exams.RowUnchanged), Refused: r.Count(exams.RowRefused), Replayed: r.Replayed, DryRun: r.DryRun,
		Rows: each(r.Rows, func(x exams.RowOutcome) contract.ExamResultRow {
			out := contract.ExamResultRow{Line: x.Line, Outcome: contract.ExamResultRowOutcome(x.Outcome), Code: given(x.Code), Detail: given(clip(x.Detail, 499)),
				SittingId: given(x.SittingID), From: given(string(x.From)), To: given(string(x.To))}
			if x.Column > 0 {
				out.Column = &x.Column
			}
			return out
		}),
	}
}

func (h handlers) ImportExamResults(ctx context.Context, r server.ImportExamResultsRequestObject) (server.ImportExamResultsResponseObject, error) {
	in := exams.ResultsIntake{Session: r.Session, FileName: r.Params.FileName, Content: callOf(ctx).body, DryRun: value(r.Params.DryRun), Via: intakes.ByAPI}
	if r.Params.Kind != nil {
		in.Kind = exams.Kind(*r.Params.Kind)
	}
	out, err := h.rooms.ImportExamResults(ctx, callerOf(ctx), in)
	if err != nil {
		return nil, err
	}
	if out.DryRun || out.Replayed {
		return server.ImportExamResults200JSONResponse(toResults(out)), nil
	}
	return server.ImportExamResults201JSONResponse(toResults(out)), nil
}
