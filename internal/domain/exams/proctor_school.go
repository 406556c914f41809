package exams

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// mayProctor is what one has to be allowed at the school that holds a slot: its owners and teachers are.
const mayProctor = "exams:proctor"

// ErrOwnExam refuses who would proctor herself.
var ErrOwnExam = fault.New(fault.Forbidden, "own-exam", "This is your own exam: somebody else proctors it.")

// Candidate is somebody who booked a place in a slot, as who proctors it sees her: with the minutes that she has, not with why she has them.
type Candidate struct {
	SittingID     string       `db:"sitting_id"`
	LearnerID     string       `db:"learner_id"`
	FullName      string       `db:"full_name"`
	State         State        `db:"state"` // a result that is withheld reads as booked
	Attempt       AttemptState `db:"attempt_state"`
	DeadlineAt    *time.Time   `db:"deadline_at"`
	ScorePPM      *int         `db:"score_ppm"`
	Proposal      string       `db:"proposal"` // verify or reject; empty: nothing was proposed
	LimitMinutes  int          `db:"limit_minutes"`
	IdentityUntil *time.Time   `db:"identity_until"` // her identity is verified until then; nil: it is not
	Incidents     int          `db:"incidents"`
	ExtraMinutes  int          `db:"extra_minutes"`
	Percent       int          `db:"percent"`
}

// ProctoredSlot is a slot that a school holds, with who booked it.
type ProctoredSlot struct {
	Slot          Slot
	HouseVerifies bool // what is proposed is verified by the institute
	Candidates    []Candidate
}

// ProctoredSlotsTx lists the slots that are held by the schools at which a person may proctor, from two weeks before now on, in the order of time. The
// actor has to be the house: the database shows them to nobody else.
func ProctoredSlotsTx(ctx context.Context, tx *postgres.Tx, personID string) ([]Slot, error) {
	held, err := identity.HeldTx(ctx, tx, personID, mayProctor)
	if err != nil || len(held) == 0 {
		return []Slot{}, err
	}
	keys := make([]string, len(held))
	for i, o := range held {
		keys[i] = o.Key
	}
	var ids []string
	if err := tx.Select(ctx, &ids, q.Q("ProctoredSlots"), pq.Array(keys), tx.Now().Add(-proctoredFor)); err != nil {
		return nil, err
	}
	all := make([]Slot, len(ids))
	for i, id := range ids {
		if all[i], err = SlotTx(ctx, tx, id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// proctoredFor is how long after a slot who proctored it may still say what came of it.
const proctoredFor = 14 * 24 * time.Hour

// ProctoredTx gives a slot to who may proctor at the school that holds it. A slot of another school is not there for her. Errors: ErrNoSlot,
// identity.ErrNoPartnerRole.
func ProctoredTx(ctx context.Context, tx *postgres.Tx, personID, slotID string) (p ProctoredSlot, err error) {
	if p.Slot, err = proctoredTx(ctx, tx, personID, slotID); err != nil {
		return p, err
	}
	exam, err := ExamTx(ctx, tx, p.Slot.SessionID, p.Slot.Kind)
	if err != nil {
		return p, err
	}
	p.HouseVerifies, p.Candidates = exam.HouseVerifies, []Candidate{}
	if err := tx.Select(ctx, &p.Candidates, q.Q("Candidates"), slotID, tx.Now()); err != nil {
		return p, err
	}
	for i, c := range p.Candidates {
		if c.LimitMinutes == 0 { // no attempt yet
			p.Candidates[i].LimitMinutes = Accommodation{ExtraMinutes: c.ExtraMinutes, Percent: c.Percent}.Limit(exam.LimitMinutes)
		}
	}
	return p, nil
}

func proctoredTx(ctx context.Context, tx *postgres.Tx, personID, slotID string) (Slot, error) {
	x, err := SlotTx(ctx, tx, slotID)
	if err != nil {
		return x, err
	}
	if x.Organisation == "" {
		return x, ErrNoSlot
	}
	err = identity.MustHoldTx(ctx, tx, x.Organisation, personID, mayProctor)
	if errors.Is(err, identity.ErrNoOrganisation) {
		err = ErrNoSlot
	}
	return x, err
}

// candidateTx is a sitting in a slot that a person proctors, within the time in which she may say something of it.
func candidateTx(ctx context.Context, tx *postgres.Tx, personID, slotID, sittingID string) (Slot, Sitting, error) {
	slot, err := proctoredTx(ctx, tx, personID, slotID)
	if err != nil {
		return slot, Sitting{}, err
	}
	x, err := SittingTx(ctx, tx, sittingID)
	switch {
	case err != nil:
		return slot, x, err
	case x.SlotID != slotID || x.State == Canceled:
		return slot, x, ErrNoSitting
	case x.LearnerID == personID:
		return slot, x, ErrOwnExam
	case tx.Now().Before(slot.StartsAt.Add(-early)):
		return slot, x, ErrTooEarly
	case !tx.Now().Before(slot.EndsAt.Add(proctoredFor)):
		return slot, x, ErrSlotOver
	}
	return slot, x, nil
}

// ProctorTx does something with the attempt of a candidate as who proctors her slot: ready, start, finish, go_on, submit, fail, decline. What it is
// worth she proposes. Errors: those of ProctoredTx and ActTx, ErrNoSitting, ErrOwnExam, ErrTooEarly, ErrSlotOver.
func (s *Service) ProctorTx(ctx context.Context, tx *postgres.Tx, personID, slotID string, act Act) (Attempt, error) {
	if _, _, err := candidateTx(ctx, tx, personID, slotID, act.SittingID); err != nil {
		return Attempt{}, err
	}
	act.ScorePPM = nil
	return s.actTx(ctx, tx, act, proctorsActs, "")
}

// CheckCandidateTx records whether a candidate showed who she is, from an hour before her slot until it ends. A proof that holds for longer
// keeps its time. Errors: those of ProctorTx.
func (s *Service) CheckCandidateTx(ctx context.Context, tx *postgres.Tx, personID, slotID, sittingID string, c IdentityCheck) (IdentityCheck, error) {
	slot, x, err := candidateTx(ctx, tx, personID, slotID, sittingID)
	switch {
	case err != nil:
		return c, err
	case !tx.Now().Before(slot.EndsAt):
		return c, ErrSlotOver
	case c.Method != "document" && c.Method != "in_person":
		return c, fault.InvalidInput(fault.Field{Pointer: "/method", Code: "unknown-method", Detail: "document or in_person."})
	}
	before, err := IdentityOfTx(ctx, tx, x.LearnerID)
	if err != nil {
		return c, err
	}
	c.ValidUntil = slot.EndsAt
	if before.Verified && before.ValidUntil.After(c.ValidUntil) {
		c.ValidUntil = before.ValidUntil
	}
	return s.CheckIdentityTx(ctx, tx, x.LearnerID, c)
}

// ReportOfCandidateTx notes what happened at a candidate's sitting. Errors: those of ProctorTx.
func (s *Service) ReportOfCandidateTx(ctx context.Context, tx *postgres.Tx, personID, slotID, sittingID string, i Incident) (Incident, error) {
	if _, _, err := candidateTx(ctx, tx, personID, slotID, sittingID); err != nil {
		return i, err
	}
	return s.ReportTx(ctx, tx, sittingID, i)
}

// Proposal is what who proctored says of an attempt: that all was in order and what it is worth, or that it should be rejected, and why.
type Proposal struct {
	SittingID string
	Verdict   string // verify or reject
	ScorePPM  *int   // of verify
	Note      string // of reject
}

func (p Proposal) validate() error {
	switch n := utf8.RuneCountInString(p.Note); {
	case p.Verdict != "verify" && p.Verdict != "reject":
		return fault.InvalidInput(fault.Field{Pointer: "/verdict", Code: "unknown-verdict", Detail: "verify or reject."})
	case (p.Verdict == "verify") != (p.ScorePPM != nil) || p.ScorePPM != nil && (*p.ScorePPM < 0 || *p.ScorePPM > 1_000_000):
		return fault.InvalidInput(fault.Field{Pointer: "/score_ppm", Code: "out-of-range", Detail: "0 to 1,000,000, where all was in order."})
	case p.Verdict == "reject" && n == 0:
		return fault.InvalidInput(fault.Field{Pointer: "/note", Code: "missing", Detail: "Say why."})
	case n > 2000:
		return fault.InvalidInput(fault.Field{Pointer: "/note", Code: "bad-length", Detail: "At most 2,000 characters."})
	}
	return nil
}

// ProposeTx proposes the result of an attempt that was handed in, or ran out of time; what is proposed later stands. Where the exam asks for it a
// person of the institute verifies it, with what is proposed before her eyes; else it is the result. Errors: those of ProctorTx, ErrNoAttempt,
// ErrNotYet, ErrPast where it was reviewed.
func (s *Service) ProposeTx(ctx context.Context, tx *postgres.Tx, personID, slotID string, p Proposal) (Attempt, error) {
	if _, _, err := candidateTx(ctx, tx, personID, slotID, p.SittingID); err != nil {
		return Attempt{}, err
	}
	if err := p.validate(); err != nil {
		return Attempt{}, err
	}
	x, _, err := lockedSitting(ctx, tx, p.SittingID, "")
	if err != nil {
		return Attempt{}, err
	}
	exam, err := ExamTx(ctx, tx, x.SessionID, x.Kind)
	if err != nil {
		return Attempt{}, err
	}
	a, found, err := lastAttemptTx(ctx, tx, x.ID)
	switch {
	case err != nil:
		return a, err
	case !found:
		return a, ErrNoAttempt
	case rank[a.State] < rank[Submitted]:
		return a, ErrNotYet
	case !slices.Contains([]AttemptState{Submitted, TimedOut}, a.State):
		return a, ErrPast
	}
	a.ScorePPM = p.ScorePPM
	if err := storeAttempt(ctx, tx, &a); err != nil {
		return a, err
	}
	if _, err := tx.Exec(ctx, q.Q("Propose"), a.ID, p.Verdict); err != nil {
		return a, err
	}
	if err := noteEvent(ctx, tx, a, "propose_"+AttemptEvent(p.Verdict), a.State, p.Note); err != nil {
		return a, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "attempt.proposed", Object: a.ID, Detail: map[string]any{"verdict": p.Verdict, "score_ppm": p.ScorePPM}}); err != nil {
		return a, err
	}
	if !exam.HouseVerifies {
		a.Reviewer = postgres.Author(ctx)
		if err := s.moveAttemptTx(ctx, tx, &a, map[string]AttemptEvent{"verify": EvVerify, "reject": EvReject}[p.Verdict], p.Note); err != nil {
			return a, err
		}
		if err := s.settleTx(ctx, tx, &x, a); err != nil {
			return a, err
		}
	}
	return AttemptTx(ctx, tx, a.ID)
}
