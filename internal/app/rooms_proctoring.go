package app

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// proctored is a slot with its candidates, for who may proctor it.
func (h *House) proctored(ctx context.Context, personID, slot string) (exams.ProctoredSlot, error) {
	return view(postgres.WithActor(ctx, "system"), h, "proctored slot", func(ctx context.Context, tx *postgres.Tx) (exams.ProctoredSlot, error) {
		return exams.ProctoredTx(ctx, tx, personID, slot)
	})
}

func (h *House) proctoredSlots(ctx context.Context, personID string) ([]exams.Slot, error) {
	return view(postgres.WithActor(ctx, "system"), h, "proctored slots", func(ctx context.Context, tx *postgres.Tx) ([]exams.Slot, error) {
		return exams.ProctoredSlotsTx(ctx, tx, personID)
	})
}

// ProctoredSlots lists the slots of the caller's schools.
func (r Rooms) ProctoredSlots(ctx context.Context, who api.Principal) ([]exams.Slot, error) {
	return r.h.proctoredSlots(ctx, who.PersonID)
}

// ProctoredSlot gives one of them with its candidates.
func (r Rooms) ProctoredSlot(ctx context.Context, who api.Principal, slot string) (exams.ProctoredSlot, error) {
	return r.h.proctored(ctx, who.PersonID, slot)
}

// ProctorSitting starts or ends an attempt.
func (r Rooms) ProctorSitting(ctx context.Context, who api.Principal, slot string, act exams.Act) (a exams.Attempt, err error) {
	err = r.h.asHouse(ctx, "proctor sitting", func(ctx context.Context, tx *postgres.Tx) error {
		a, err = r.h.Exams.ProctorTx(ctx, tx, who.PersonID, slot, act)
		return err
	})
	return a, err
}

// ProposeResult proposes what a sitting is worth.
func (r Rooms) ProposeResult(ctx context.Context, who api.Principal, slot string, p exams.Proposal) (a exams.Attempt, err error) {
	err = r.h.asHouse(ctx, "propose result", func(ctx context.Context, tx *postgres.Tx) error {
		a, err = r.h.Exams.ProposeTx(ctx, tx, who.PersonID, slot, p)
		return err
	})
	return a, err
}

// CheckCandidate records whether a candidate showed who she is, once per key.
func (r Rooms) CheckCandidate(ctx context.Context, who api.Principal, key, slot, sitting string, c exams.IdentityCheck) (exams.IdentityCheck, error) {
	said := struct {
		Slot, Sitting string
		exams.IdentityCheck
	}{slot, sitting, c}
	if _, err := r.once(postgres.WithActor(ctx, "system"), who, key, "check candidate", said, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		_, err := r.h.Exams.CheckCandidateTx(ctx, tx, who.PersonID, slot, sitting, c)
		return sitting, err
	}); err != nil {
		return c, err
	}
	return view(postgres.WithActor(ctx, "system"), r.h, "identity check", func(ctx context.Context, tx *postgres.Tx) (exams.IdentityCheck, error) {
		x, err := exams.SittingTx(ctx, tx, sitting)
		if err != nil {
			return c, err
		}
		return exams.IdentityOfTx(ctx, tx, x.LearnerID)
	})
}

// ReportOfCandidate notes what happened at a sitting, once per key.
func (r Rooms) ReportOfCandidate(ctx context.Context, who api.Principal, key, slot, sitting string, i exams.Incident) (exams.Incident, error) {
	said := struct {
		Slot, Sitting string
		exams.Incident
	}{slot, sitting, i}
	if _, err := r.once(postgres.WithActor(ctx, "system"), who, key, "report of candidate", said, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		_, err := r.h.Exams.ReportOfCandidateTx(ctx, tx, who.PersonID, slot, sitting, i)
		return sitting, err
	}); err != nil {
		return i, err
	}
	return view(postgres.WithActor(ctx, "system"), r.h, "incidents", func(ctx context.Context, tx *postgres.Tx) (exams.Incident, error) {
		y, err := exams.StoryTx(ctx, tx, sitting)
		if err == nil && len(y.Incidents) > 0 {
			return y.Incidents[0], nil
		}
		return i, err
	})
}

// ProctoredSlots lists the slots of the viewer's schools.
func (p Pages) ProctoredSlots(ctx context.Context, who web.Viewer) ([]exams.Slot, error) {
	return p.h.proctoredSlots(ctx, who.PersonID)
}

// ProctoredSlot gives one of them with its candidates.
func (p Pages) ProctoredSlot(ctx context.Context, who web.Viewer, slot string) (exams.ProctoredSlot, error) {
	return p.h.proctored(ctx, who.PersonID, slot)
}

// Proctor does one thing with a candidate.
func (p Pages) Proctor(ctx context.Context, who web.Viewer, key, slot string, w web.ProctorWork) (err error) {
	ctx = as(ctx, who)
	rooms, caller := NewRooms(p.h), api.Principal{PersonID: who.PersonID, Actor: postgres.Actor(ctx)}
	switch w.Do {
	case "identity", "doubt":
		_, err = rooms.CheckCandidate(ctx, caller, key, slot, w.Sitting, exams.IdentityCheck{Method: "document", Verified: w.Do == "identity", Note: w.Note})
	case "incident":
		_, err = rooms.ReportOfCandidate(ctx, caller, key, slot, w.Sitting, exams.Incident{Kind: w.Kind, Severity: w.Severity, Note: w.Note})
	case "verify", "reject":
		_, err = rooms.ProposeResult(ctx, caller, slot, exams.Proposal{SittingID: w.Sitting, Verdict: w.Do, ScorePPM: w.ScorePPM, Note: w.Note})
	case "start", "submit", "fail":
		_, err = rooms.ProctorSitting(ctx, caller, slot, exams.Act{SittingID: w.Sitting, Event: exams.AttemptEvent(w.Do), Note: w.Note})
	default:
		err = fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown-act", Detail: "Not something that can be done here."})
	}
	return err
}
