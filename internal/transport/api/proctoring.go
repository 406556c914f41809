package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/exams"
)

// ProctorRooms is what the API asks of the house for who proctors at a school. What another school holds is not there for her.
type ProctorRooms interface {
	ProctoredSlots(ctx context.Context, who Principal) ([]exams.Slot, error)
	ProctoredSlot(ctx context.Context, who Principal, slot string) (exams.ProctoredSlot, error)
	ProctorSitting(ctx context.Context, who Principal, slot string, act exams.Act) (exams.Attempt, error)
	ProposeResult(ctx context.Context, who Principal, slot string, p exams.Proposal) (exams.Attempt, error)
	// CheckCandidate and ReportOfCandidate do it once per key.
	CheckCandidate(ctx context.Context, who Principal, key, slot, sitting string, c exams.IdentityCheck) (exams.IdentityCheck, error)
	ReportOfCandidate(ctx context.Context, who Principal, key, slot, sitting string, i exams.Incident) (exams.Incident, error)
}

func toCandidate(c exams.Candidate) contract.Candidate {
	out := contract.Candidate{
		SittingId: c.SittingID, Name: c.FullName, State: contract.CandidateState(c.State), Attempt: given(string(c.Attempt)), DeadlineAt: utc(c.DeadlineAt),
		LimitMinutes: max(c.LimitMinutes, 1), IdentityUntil: utc(c.IdentityUntil), ScorePpm: c.ScorePPM, Incidents: c.Incidents,
	}
	if c.Proposal != "" {
		p := contract.CandidateProposal(c.Proposal)
		out.Proposal = &p
	}
	return out
}

func (h handlers) ListProctoredSlots(ctx context.Context, _ server.ListProctoredSlotsRequestObject) (server.ListProctoredSlotsResponseObject, error) {
	all, err := h.rooms.ProctoredSlots(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	return server.ListProctoredSlots200JSONResponse{Slots: each(all, toSlot)}, nil
}

func (h handlers) GetProctoredSlot(ctx context.Context, r server.GetProctoredSlotRequestObject) (server.GetProctoredSlotResponseObject, error) {
	p, err := h.rooms.ProctoredSlot(ctx, callerOf(ctx), r.Slot)
	if err != nil {
		return nil, err
	}
	return server.GetProctoredSlot200JSONResponse{Slot: toSlot(p.Slot), HouseVerifies: p.HouseVerifies, Candidates: each(p.Candidates, toCandidate)}, nil
}

func (h handlers) ProctorSitting(ctx context.Context, r server.ProctorSittingRequestObject) (server.ProctorSittingResponseObject, error) {
	a, err := h.rooms.ProctorSitting(ctx, callerOf(ctx), r.Slot, exams.Act{SittingID: r.Sitting, Event: exams.AttemptEvent(r.Body.Event), Note: value(r.Body.Note)})
	if err != nil {
		return nil, err
	}
	return server.ProctorSitting200JSONResponse(toAttempt(a)), nil
}

func (h handlers) ProposeResult(ctx context.Context, r server.ProposeResultRequestObject) (server.ProposeResultResponseObject, error) {
	a, err := h.rooms.ProposeResult(ctx, callerOf(ctx), r.Slot, exams.Proposal{SittingID: r.Sitting, Verdict: string(r.Body.Verdict), ScorePPM: r.Body.ScorePpm, Note: value(r.Body.Note)})
	if err != nil {
		return nil, err
	}
	return server.ProposeResult200JSONResponse(toAttempt(a)), nil
}

func (h handlers) CheckCandidate(ctx context.Context, r server.CheckCandidateRequestObject) (server.CheckCandidateResponseObject, error) {
	c, err := h.rooms.CheckCandidate(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Slot, r.Sitting, exams.IdentityCheck{Method: string(r.Body.Method), Verified: r.Body.Verified, Note: value(r.Body.Note)})
	if err != nil {
		return nil, err
	}
	return server.CheckCandidate201JSONResponse(toIdentityCheck(c)), nil
}

func (h handlers) ReportCandidateIncident(ctx context.Context, r server.ReportCandidateIncidentRequestObject) (server.ReportCandidateIncidentResponseObject, error) {
	i, err := h.rooms.ReportOfCandidate(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Slot, r.Sitting, exams.Incident{Kind: string(r.Body.Kind), Severity: r.Body.Severity, Note: value(r.Body.Note)})
	if err != nil {
		return nil, err
	}
	return server.ReportCandidateIncident201JSONResponse(toIncident(i)), nil
}
