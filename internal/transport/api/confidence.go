package api

import (
	"bytes"
	"context"
	"time"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/confidence"
	"cursus/internal/kernel/page"
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

func (h handlers) GetExamReminders(ctx context.Context, r server.GetExamRemindersRequestObject) (server.GetExamRemindersResponseObject, error) {
	p, err := h.rooms.ExamReminders(ctx, callerOf(ctx), r.Session)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.ExamReminders](p)
	return server.GetExamReminders200JSONResponse{Body: out, Headers: server.GetExamReminders200ResponseHeaders{ETag: etag(p.Version)}}, err
}

func (h handlers) PutExamReminders(ctx context.Context, r server.PutExamRemindersRequestObject) (server.PutExamRemindersResponseObject, error) {
	out, now, err := put[contract.ExamReminders](r.Params.IfMatch, r.Body, func(p confidence.Plan, version int) (confidence.Plan, error) {
		return h.rooms.PutExamReminders(ctx, callerOf(ctx), r.Session, version, p)
	})
	return server.PutExamReminders200JSONResponse{Body: out, Headers: server.PutExamReminders200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func toExamCall(c confidence.Call, at time.Time) contract.ExamCall {
	out := contract.ExamCall{
		EnrolmentId: c.EnrolmentID, LearnerId: c.LearnerID, Session: c.SessionKey, Name: c.Name, Reason: contract.ExamCallReason(c.Reason), Since: c.Since.UTC(), ClosesAt: utc(c.ClosesAt),
		Email: given(c.Email), Number: given(c.Number), LastHow: given(contract.ExamCallLastHow(c.LastHow)), LastOutcome: given(c.LastOutcome), LastAt: utc(c.LastAt), CoachId: given(c.Coach), Coach: given(c.CoachName),
	}
	if left := c.DaysLeft(at); left >= 0 {
		out.DaysLeft = &left
	}
	if c.Standing.By != "" {
		by, rate := contract.ExamCallBy(c.Standing.By), toRate(analytics.NewRate(int64(c.Standing.Passed), int64(c.Standing.Sat)))
		out.By, out.Passed = &by, &rate
	}
	return out
}

func (h handlers) ListExamCalls(ctx context.Context, r server.ListExamCallsRequestObject) (server.ListExamCallsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, at, next, err := h.rooms.ExamCalls(ctx, callerOf(ctx), confidence.CallFilter{SessionID: value(r.Params.Session), Coach: value(r.Params.Coach), Reason: string(value(r.Params.Reason))}, p)
	if err != nil {
		return nil, err
	}
	return server.ListExamCalls200JSONResponse{Calls: each(all, func(c confidence.Call) contract.ExamCall { return toExamCall(c, at) }), NextCursor: given(page.Cursor(next))}, nil
}

func (h handlers) ExportExamCalls(ctx context.Context, r server.ExportExamCallsRequestObject) (server.ExportExamCallsResponseObject, error) {
	var file bytes.Buffer
	err := h.rooms.WriteExamCalls(ctx, callerOf(ctx), confidence.CallFilter{SessionID: value(r.Params.Session), Coach: value(r.Params.Coach), Reason: string(value(r.Params.Reason))}, &file)
	return server.ExportExamCalls200TextcsvResponse{
		Body: &file, ContentLength: int64(file.Len()), Headers: server.ExportExamCalls200ResponseHeaders{ContentDisposition: attached("exam-calls.csv")},
	}, err
}

func toContacts(all []confidence.Contact) []contract.ExamContact {
	return each(all, func(c confidence.Contact) contract.ExamContact {
		return contract.ExamContact{How: contract.ExamContactHow(c.How), DaysBefore: c.Step, Outcome: contract.ExamContactOutcome(c.Outcome), Note: given(c.Note), By: c.By, At: c.At.UTC()}
	})
}

func (h handlers) ListExamContacts(ctx context.Context, r server.ListExamContactsRequestObject) (server.ListExamContactsResponseObject, error) {
	all, err := h.rooms.ExamContacts(ctx, callerOf(ctx), r.Enrolment)
	return server.ListExamContacts200JSONResponse{Contacts: toContacts(all)}, err
}

func (h handlers) NoteExamCall(ctx context.Context, r server.NoteExamCallRequestObject) (server.NoteExamCallResponseObject, error) {
	all, err := h.rooms.NoteExamCall(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Enrolment, confidence.NewCall{Outcome: string(r.Body.Outcome), Note: value(r.Body.Note)})
	return server.NoteExamCall201JSONResponse{Contacts: toContacts(all)}, err
}

func (h handlers) AssignExamCoach(ctx context.Context, r server.AssignExamCoachRequestObject) (server.AssignExamCoachResponseObject, error) {
	return server.AssignExamCoach204Response{}, h.rooms.AssignExamCoach(ctx, callerOf(ctx), r.Enrolment, value(r.Body.Coach))
}

func (h handlers) GetCallNumber(ctx context.Context, _ server.GetCallNumberRequestObject) (server.GetCallNumberResponseObject, error) {
	n, err := h.rooms.CallNumber(ctx, callerOf(ctx))
	return server.GetCallNumber200JSONResponse{Number: given(n)}, err
}

func (h handlers) PutCallNumber(ctx context.Context, r server.PutCallNumberRequestObject) (server.PutCallNumberResponseObject, error) {
	n, err := h.rooms.PutCallNumber(ctx, callerOf(ctx), value(r.Body.Number))
	return server.PutCallNumber200JSONResponse{Number: given(n)}, err
}
