package api

import (
	"context"
	"slices"
	"time"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exams"
	"cursus/internal/kernel/page"
)

// examScope lets a caller see what happened at a sitting.
const examScope = "exams:write"

func toExam(e exams.Exam, session string) contract.Exam {
	out := contract.Exam{
		Session: session, Kind: contract.ExamKind(e.Kind), OpensAt: utc(e.OpensAt), ClosesAt: utc(e.ClosesAt), GradePpm: e.GradePPM, Diligence: e.Diligence, Identity: e.Identity,
		Practice: e.Practice, Prerequisites: each(e.Prerequisites, func(k string) contract.Key { return k }), MaxAttempts: e.MaxAttempts, WaitDays: e.WaitDays,
		IncludedAttempts: e.Included, LimitMinutes: e.LimitMinutes, PassPpm: e.PassPPM, CancelHours: e.CancelHours, OfferHours: e.OfferHours, AppealDays: e.AppealDays, HouseVerifies: e.HouseVerifies, Version: e.Version,
	}
	if t := (Text{EN: e.TitleEN, FR: e.TitleFR}); t != (Text{}) {
		text := toText(t)
		out.Title = &text
	}
	return out
}

func fromExam(b *contract.NewExam) exams.NewExam {
	or := func(p *int, usual int) int {
		if p == nil {
			return usual
		}
		return *p
	}
	n := exams.NewExam{Rules: exams.Rules{
		OpensAt: b.OpensAt, ClosesAt: b.ClosesAt, GradePPM: b.GradePpm, Diligence: value(b.Diligence), Identity: value(b.Identity), Practice: value(b.Practice),
		MaxAttempts: b.MaxAttempts, Included: b.IncludedAttempts, WaitDays: value(b.WaitDays), LimitMinutes: b.LimitMinutes, PassPPM: b.PassPpm, CancelHours: or(b.CancelHours, 24), OfferHours: or(b.OfferHours, 24),
		AppealDays: or(b.AppealDays, 14), HouseVerifies: b.HouseVerifies == nil || *b.HouseVerifies,
	}}
	for _, k := range value(b.Prerequisites) {
		n.Prerequisites = append(n.Prerequisites, k)
	}
	if b.Title != nil {
		n.Title = catalog.Text{EN: value(b.Title.En), FR: value(b.Title.Fr)}
	}
	return n
}

func toSlot(x exams.Slot) contract.ExamSlot {
	return contract.ExamSlot{
		Id: x.ID, Session: x.SessionKey, Kind: contract.ExamKind(x.Kind), Place: x.Place, Zone: x.Zone, StartsAt: x.StartsAt.UTC(), EndsAt: x.EndsAt.UTC(), Capacity: x.Capacity,
		Organisation: given(x.Organisation), Left: x.Left(), Waiting: x.Waiting, LeaveBy: x.LeaveBy().UTC(), State: contract.ExamSlotState(x.State), Version: x.Version,
	}
}

func fromSlot(b *contract.NewExamSlot) exams.NewSlot {
	return exams.NewSlot{Organisation: value(b.Organisation), Place: b.Place, Zone: b.Zone, StartsAt: b.StartsAt, EndsAt: b.EndsAt, Capacity: b.Capacity}
}

func toCondition(c exams.Condition) contract.Condition {
	out := contract.Condition{Code: c.Code, Met: c.Met, Detail: clip(c.Detail, 499), At: utc(c.At)}
	if c.Next != "" {
		next := contract.ConditionNext(c.Next)
		out.Next = &next
	}
	return out
}

func toAttempt(a exams.Attempt) contract.ExamAttempt {
	return contract.ExamAttempt{
		Id: a.ID, Number: a.N, State: contract.ExamAttemptState(a.State), LimitMinutes: max(a.LimitSeconds/60, 1), CreatedAt: a.CreatedAt.UTC(), StartedAt: utc(a.StartedAt),
		DeadlineAt: utc(a.DeadlineAt), SubmittedAt: utc(a.SubmittedAt),
	}
}

func toIncident(i exams.Incident) contract.Incident {
	return contract.Incident{Kind: contract.IncidentKind(i.Kind), Severity: i.Severity, Note: i.Note, HappenedAt: i.HappenedAt.UTC(), By: i.By, At: i.At.UTC()}
}

func toAppeal(a exams.Appeal) contract.Appeal {
	return contract.Appeal{Id: a.ID, SittingId: a.SittingID, Reason: a.Reason, State: contract.AppealState(a.State), AskedAt: a.AskedAt.UTC(), DecidedAt: utc(a.DecidedAt), Answer: given(a.Answer)}
}

func toBlock(b exams.Block) contract.ExamBlock {
	return contract.ExamBlock{Blocked: b.Blocked, Until: utc(b.Until), Reason: b.Reason, By: b.By, At: b.At.UTC()}
}

func toAccommodation(a exams.Accommodation) contract.ExamAccommodation {
	return contract.ExamAccommodation{ExtraMinutes: a.ExtraMinutes, Percent: a.Percent, Reason: a.Reason, By: a.By, At: a.At.UTC()}
}

func toIdentityCheck(c exams.IdentityCheck) contract.IdentityCheck {
	return contract.IdentityCheck{Method: contract.IdentityCheckMethod(c.Method), Verified: c.Verified, ValidUntil: c.ValidUntil.UTC(), Note: c.Note, By: c.By, At: c.At.UTC()}
}

func (h handlers) GetExam(ctx context.Context, r server.GetExamRequestObject) (server.GetExamResponseObject, error) {
	e, session, err := h.rooms.Exam(ctx, callerOf(ctx), r.Session, exams.Kind(r.Kind))
	if err != nil {
		return nil, err
	}
	return server.GetExam200JSONResponse{Body: toExam(e, session), Headers: server.GetExam200ResponseHeaders{ETag: etag(e.Version)}}, nil
}

func (h handlers) PutExam(ctx context.Context, r server.PutExamRequestObject) (server.PutExamResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	e, session, err := h.rooms.PutExam(ctx, callerOf(ctx), r.Session, exams.Kind(r.Kind), fromExam(r.Body), version)
	if err != nil {
		return nil, err
	}
	return server.PutExam200JSONResponse{Body: toExam(e, session), Headers: server.PutExam200ResponseHeaders{ETag: etag(e.Version)}}, nil
}

func (h handlers) ListExamSlots(ctx context.Context, r server.ListExamSlotsRequestObject) (server.ListExamSlotsResponseObject, error) {
	all, err := h.rooms.ExamSlots(ctx, callerOf(ctx), r.Session)
	if err != nil {
		return nil, err
	}
	return server.ListExamSlots200JSONResponse{Slots: each(all, toSlot)}, nil
}

func (h handlers) CreateExamSlot(ctx context.Context, r server.CreateExamSlotRequestObject) (server.CreateExamSlotResponseObject, error) {
	kind := exams.Proctored
	if r.Body.Kind != nil {
		kind = exams.Kind(*r.Body.Kind)
	}
	x, err := h.rooms.CreateExamSlot(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Session, kind, fromSlot(r.Body))
	if err != nil {
		return nil, err
	}
	return server.CreateExamSlot201JSONResponse{Body: toSlot(x), Headers: server.CreateExamSlot201ResponseHeaders{Location: "/v1/sessions/" + x.SessionKey + "/exam-slots", ETag: etag(x.Version)}}, nil
}

func (h handlers) PutExamSlot(ctx context.Context, r server.PutExamSlotRequestObject) (server.PutExamSlotResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	x, err := h.rooms.PutExamSlot(ctx, callerOf(ctx), r.Slot, fromSlot(r.Body), version)
	if err != nil {
		return nil, err
	}
	return server.PutExamSlot200JSONResponse{Body: toSlot(x), Headers: server.PutExamSlot200ResponseHeaders{ETag: etag(x.Version)}}, nil
}

func (h handlers) CancelExamSlot(ctx context.Context, r server.CancelExamSlotRequestObject) (server.CancelExamSlotResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	x, err := h.rooms.CancelExamSlot(ctx, callerOf(ctx), r.Slot, version)
	if err != nil {
		return nil, err
	}
	return server.CancelExamSlot200JSONResponse{Body: toSlot(x), Headers: server.CancelExamSlot200ResponseHeaders{ETag: etag(x.Version)}}, nil
}

func (h handlers) BookExamSlot(ctx context.Context, r server.BookExamSlotRequestObject) (server.BookExamSlotResponseObject, error) {
	x, err := h.rooms.BookExamSlot(ctx, callerOf(ctx), r.Enrolment, r.Slot, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return server.BookExamSlot201JSONResponse(toSitting(x)), nil
}

func (h handlers) WaitForExamSlot(ctx context.Context, r server.WaitForExamSlotRequestObject) (server.WaitForExamSlotResponseObject, error) {
	w, err := h.rooms.WaitForExamSlot(ctx, callerOf(ctx), r.Enrolment, r.Slot)
	if err != nil {
		return nil, err
	}
	return server.WaitForExamSlot200JSONResponse{Slot: w.SlotID, State: contract.ExamWaitState(w.State), Ahead: w.Ahead, AskedAt: w.AskedAt.UTC(), OfferUntil: utc(w.OfferUntil)}, nil
}

func (h handlers) LeaveExamWaiting(ctx context.Context, r server.LeaveExamWaitingRequestObject) (server.LeaveExamWaitingResponseObject, error) {
	if err := h.rooms.LeaveExamWaiting(ctx, callerOf(ctx), r.Enrolment, r.Slot); err != nil {
		return nil, err
	}
	return server.LeaveExamWaiting204Response{}, nil
}

func (h handlers) GetExamFile(ctx context.Context, r server.GetExamFileRequestObject) (server.GetExamFileResponseObject, error) {
	f, sittings, err := h.rooms.ExamFile(ctx, callerOf(ctx), r.Enrolment)
	if err != nil {
		return nil, err
	}
	return server.GetExamFile200JSONResponse{
		EnrolmentId: f.Enrolment.ID, LearnerId: f.Enrolment.LearnerID,
		Now: each(f.Now, func(d exams.Decision) contract.ExamDecision {
			return contract.ExamDecision{Kind: contract.ExamKind(d.Kind), Eligible: d.Eligible, Conditions: each(d.Conditions, toCondition)}
		}),
		Decisions: each(f.Decisions, func(d exams.Decided) contract.ExamDecision {
			at := d.DecidedAt.UTC()
			return contract.ExamDecision{Kind: contract.ExamKind(d.Kind), Eligible: d.Eligible, Conditions: each(d.Conditions, toCondition), Cause: &d.Cause, At: &at}
		}),
		Identity: each(f.Identity, toIdentityCheck), Blocks: each(f.Blocks, toBlock), Accommodations: each(f.Accommodations, toAccommodation), Sittings: each(sittings, toSitting),
	}, nil
}

func (h handlers) PutExamBlock(ctx context.Context, r server.PutExamBlockRequestObject) (server.PutExamBlockResponseObject, error) {
	b, err := h.rooms.BlockExam(ctx, callerOf(ctx), r.Enrolment, exams.Block{Blocked: r.Body.Blocked, Until: r.Body.Until, Reason: value(r.Body.Reason)})
	if err != nil {
		return nil, err
	}
	return server.PutExamBlock200JSONResponse(toBlock(b)), nil
}

func (h handlers) PutExamAccommodation(ctx context.Context, r server.PutExamAccommodationRequestObject) (server.PutExamAccommodationResponseObject, error) {
	a, err := h.rooms.AccommodateExam(ctx, callerOf(ctx), r.Enrolment, exams.Accommodation{ExtraMinutes: r.Body.ExtraMinutes, Percent: r.Body.Percent, Reason: value(r.Body.Reason)})
	if err != nil {
		return nil, err
	}
	return server.PutExamAccommodation200JSONResponse(toAccommodation(a)), nil
}

func (h handlers) RecordIdentityCheck(ctx context.Context, r server.RecordIdentityCheckRequestObject) (server.RecordIdentityCheckResponseObject, error) {
	c := exams.IdentityCheck{Method: string(r.Body.Method), Verified: r.Body.Verified, Note: value(r.Body.Note)}
	if r.Body.ValidUntil != nil {
		c.ValidUntil = *r.Body.ValidUntil
	}
	c, err := h.rooms.CheckIdentity(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Person, c)
	if err != nil {
		return nil, err
	}
	return server.RecordIdentityCheck201JSONResponse(toIdentityCheck(c)), nil
}

func (h handlers) ListSittings(ctx context.Context, r server.ListSittingsRequestObject) (server.ListSittingsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	state := ""
	if r.Params.State != nil {
		state = string(*r.Params.State)
	}
	all, next, err := h.rooms.Sittings(ctx, callerOf(ctx), state, p)
	if err != nil {
		return nil, err
	}
	return server.ListSittings200JSONResponse{Sittings: each(all, toSitting), NextCursor: given(page.Cursor(next))}, nil
}

func (h handlers) GetSitting(ctx context.Context, r server.GetSittingRequestObject) (server.GetSittingResponseObject, error) {
	y, x, err := h.rooms.Sitting(ctx, callerOf(ctx), r.Sitting)
	if err != nil {
		return nil, err
	}
	out := contract.SittingStory{Sitting: toSitting(x), Attempts: each(y.Attempts, toAttempt)}
	if y.Slot != nil {
		slot := toSlot(*y.Slot)
		out.Slot = &slot
	}
	if y.Appeal != nil {
		appeal := toAppeal(*y.Appeal)
		out.Appeal = &appeal
	}
	if slices.Contains(callerOf(ctx).Scopes, examScope) {
		incidents := each(y.Incidents, toIncident)
		out.Incidents = &incidents
	}
	return server.GetSitting200JSONResponse(out), nil
}

func (h handlers) MoveSitting(ctx context.Context, r server.MoveSittingRequestObject) (server.MoveSittingResponseObject, error) {
	x, err := h.rooms.MoveSitting(ctx, callerOf(ctx), r.Sitting, r.Slot)
	if err != nil {
		return nil, err
	}
	return server.MoveSitting200JSONResponse(toSitting(x)), nil
}

func (h handlers) CancelSitting(ctx context.Context, r server.CancelSittingRequestObject) (server.CancelSittingResponseObject, error) {
	x, err := h.rooms.CancelSitting(ctx, callerOf(ctx), r.Sitting)
	if err != nil {
		return nil, err
	}
	return server.CancelSitting200JSONResponse(toSitting(x)), nil
}

func (h handlers) ActOnSitting(ctx context.Context, r server.ActOnSittingRequestObject) (server.ActOnSittingResponseObject, error) {
	act := exams.Act{SittingID: r.Sitting, ScorePPM: r.Body.ScorePpm, Note: value(r.Body.Note)}
	if r.Body.Event != nil {
		act.Event = exams.AttemptEvent(*r.Body.Event)
	}
	a, err := h.rooms.ActOnSitting(ctx, callerOf(ctx), act)
	if err != nil {
		return nil, err
	}
	return server.ActOnSitting200JSONResponse(toAttempt(a)), nil
}

func (h handlers) ReportIncident(ctx context.Context, r server.ReportIncidentRequestObject) (server.ReportIncidentResponseObject, error) {
	i, err := h.rooms.ReportIncident(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Sitting, exams.Incident{
		Kind: string(r.Body.Kind), Severity: r.Body.Severity, Note: value(r.Body.Note), HappenedAt: time.Time{},
	})
	if err != nil {
		return nil, err
	}
	return server.ReportIncident201JSONResponse(toIncident(i)), nil
}

func (h handlers) AppealSitting(ctx context.Context, r server.AppealSittingRequestObject) (server.AppealSittingResponseObject, error) {
	a, err := h.rooms.AppealSitting(ctx, callerOf(ctx), r.Sitting, r.Body.Reason)
	if err != nil {
		return nil, err
	}
	return server.AppealSitting201JSONResponse(toAppeal(a)), nil
}

func (h handlers) ListAppeals(ctx context.Context, _ server.ListAppealsRequestObject) (server.ListAppealsResponseObject, error) {
	all, err := h.rooms.Appeals(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	return server.ListAppeals200JSONResponse{Appeals: each(all, toAppeal)}, nil
}

func (h handlers) DecideAppeal(ctx context.Context, r server.DecideAppealRequestObject) (server.DecideAppealResponseObject, error) {
	a, err := h.rooms.DecideAppeal(ctx, callerOf(ctx), exams.Ruling{AppealID: r.Appeal, Upheld: r.Body.Upheld, ScorePPM: r.Body.ScorePpm, Answer: r.Body.Answer})
	if err != nil {
		return nil, err
	}
	return server.DecideAppeal200JSONResponse(toAppeal(a)), nil
}
