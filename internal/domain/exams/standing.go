package exams

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// identityLife is how long a proof of identity holds where nobody says otherwise.
const identityLife = 365 * 24 * time.Hour

// methods are the ways in which somebody proves who she is.
var methods = []string{"document", "in_person", "provider", "platform"}

// StandingChanged says that something of a learner changed which her exams ask for.
type StandingChanged struct {
	LearnerID   string `json:"learner_id,omitempty"`
	EnrolmentID string `json:"enrolment_id,omitempty"` // empty: all of hers
	Cause       string `json:"cause"`
}

// Kind names the job.
func (StandingChanged) Kind() string { return "exams.standing_changed" }

// IdentityCheck says whether somebody proved who she is. ValidUntil zero: for a year.
type IdentityCheck struct {
	Method     string    `db:"method"`
	Verified   bool      `db:"verified"`
	ValidUntil time.Time `db:"valid_until"`
	Note       string    `db:"note"`
	By         string    `db:"recorded_by"`
	At         time.Time `db:"recorded_at"`
}

func noteFault(pointer, note string) *fault.Field {
	if utf8.RuneCountInString(note) <= 500 {
		return nil
	}
	return &fault.Field{Pointer: pointer, Code: "bad-length", Detail: "At most 500 characters."}
}

// CheckIdentityTx records whether a learner proved who she is; the latest record holds. Errors: identity.ErrNoPerson.
func (s *Service) CheckIdentityTx(ctx context.Context, tx *postgres.Tx, learnerID string, c IdentityCheck) (IdentityCheck, error) {
	if _, err := identity.PersonTx(ctx, tx, learnerID); err != nil {
		return c, err
	}
	if c.ValidUntil.IsZero() {
		c.ValidUntil = tx.Now().Add(identityLife)
	}
	switch f := noteFault("/note", c.Note); {
	case f != nil:
		return c, fault.InvalidInput(*f)
	case !slices.Contains(methods, c.Method):
		return c, fault.InvalidInput(fault.Field{Pointer: "/method", Code: "unknown-method", Detail: "document, in_person, provider or platform."})
	case c.ValidUntil.Year() > 2200 || c.ValidUntil.Before(tx.Now()):
		return c, fault.InvalidInput(fault.Field{Pointer: "/valid_until", Code: "out-of-range", Detail: "A time to come."})
	}
	c.By, c.At = postgres.Author(ctx), tx.Now()
	if _, err := tx.Exec(ctx, q.Q("CheckIdentity"), learnerID, c.Method, c.Verified, c.ValidUntil, c.Note, c.By, c.At); err != nil {
		return c, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "identity.checked", Object: learnerID, Detail: map[string]any{"method": c.Method, "verified": c.Verified}}); err != nil {
		return c, err
	}
	return c, s.jobs.EnqueueTx(ctx, tx, StandingChanged{LearnerID: learnerID, Cause: "identity"})
}

// IdentityOfTx is the latest record of a learner; of one that has none everything is empty.
func IdentityOfTx(ctx context.Context, tx *postgres.Tx, learnerID string) (c IdentityCheck, err error) {
	var all []IdentityCheck
	err = tx.Select(ctx, &all, q.Q("IdentityChecks"), learnerID)
	if len(all) > 0 {
		c = all[0]
	}
	return c, err
}

// Block says that somebody may not sit, or may again. Until nil: for ever.
type Block struct {
	Blocked bool       `db:"blocked"`
	Until   *time.Time `db:"until"`
	Reason  string     `db:"reason"`
	By      string     `db:"recorded_by"`
	At      time.Time  `db:"recorded_at"`
}

// said is a block as the audit says it.
func (b Block) said() map[string]any {
	return map[string]any{"blocked": b.Blocked, "until": b.Until, "reason": b.Reason}
}

// blocksTx lists what was said of an enrolment, the latest first; who was never blocked has one word, that she is not.
func blocksTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) (all []Block, err error) {
	err = tx.Select(ctx, &all, q.Q("Blocks"), enrolmentID)
	if len(all) == 0 {
		all = []Block{{}}
	}
	return all, err
}

// BlockTx blocks the exams of an enrolment, or lets them go; the latest word holds. Errors: enrolment.ErrNoEnrolment.
func (s *Service) BlockTx(ctx context.Context, tx *postgres.Tx, enrolmentID string, b Block) (Block, error) {
	e, err := enrolment.LockTx(ctx, tx, enrolmentID)
	if err != nil {
		return b, err
	}
	switch f := noteFault("/reason", b.Reason); {
	case f != nil:
		return b, fault.InvalidInput(*f)
	case b.Blocked && b.Reason == "":
		return b, fault.InvalidInput(fault.Field{Pointer: "/reason", Code: "missing", Detail: "Say why."})
	case b.Until != nil && (!b.Blocked || !b.Until.After(tx.Now()) || b.Until.Year() > 2200):
		return b, fault.InvalidInput(fault.Field{Pointer: "/until", Code: "out-of-range", Detail: "A time to come, of a block."})
	}
	b.By, b.At = postgres.Author(ctx), tx.Now()
	before, err := blocksTx(ctx, tx, e.ID)
	if err != nil {
		return b, err
	}
	if _, err := tx.Exec(ctx, q.Q("Block"), e.ID, e.LearnerID, b.Blocked, b.Until, b.Reason, b.By, b.At); err != nil {
		return b, err
	}
	action := map[bool]string{true: "exam.blocked", false: "exam.unblocked"}[b.Blocked]
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: e.ID, Before: before[0].said(), After: b.said(), Personal: []string{"reason"}}); err != nil {
		return b, err
	}
	return b, s.jobs.EnqueueTx(ctx, tx, StandingChanged{EnrolmentID: e.ID, Cause: action})
}

// Accommodation is more time for somebody who needs it: the usual time × percent / 100, and minutes on top.
type Accommodation struct {
	ExtraMinutes int       `db:"extra_minutes"`
	Percent      int       `db:"percent"`
	Reason       string    `db:"reason"`
	By           string    `db:"recorded_by"`
	At           time.Time `db:"recorded_at"`
}

// said is an accommodation as the audit says it.
func (a Accommodation) said() map[string]any {
	return map[string]any{"extra_minutes": a.ExtraMinutes, "percent": a.Percent, "reason": a.Reason}
}

// Limit is how many minutes an attempt may take.
func (a Accommodation) Limit(minutes int) int {
	return (minutes*max(a.Percent, 100)+99)/100 + a.ExtraMinutes
}

// AccommodateTx gives an enrolment more time; the latest word holds, for attempts that begin later. Errors: enrolment.ErrNoEnrolment.
func (s *Service) AccommodateTx(ctx context.Context, tx *postgres.Tx, enrolmentID string, a Accommodation) (Accommodation, error) {
	e, err := enrolment.LockTx(ctx, tx, enrolmentID)
	if err != nil {
		return a, err
	}
	switch f := noteFault("/reason", a.Reason); {
	case f != nil:
		return a, fault.InvalidInput(*f)
	case a.ExtraMinutes < 0 || a.ExtraMinutes > 1440:
		return a, fault.InvalidInput(fault.Field{Pointer: "/extra_minutes", Code: "out-of-range", Detail: "0 to 1,440."})
	case a.Percent < 100 || a.Percent > 400:
		return a, fault.InvalidInput(fault.Field{Pointer: "/percent", Code: "out-of-range", Detail: "100 to 400."})
	}
	a.By, a.At = postgres.Author(ctx), tx.Now()
	before, err := accommodationTx(ctx, tx, e.ID)
	if err != nil {
		return a, err
	}
	if _, err := tx.Exec(ctx, q.Q("Accommodate"), e.ID, e.LearnerID, a.ExtraMinutes, a.Percent, a.Reason, a.By, a.At); err != nil {
		return a, err
	}
	return a, audit.AppendTx(ctx, tx, audit.Entry{Action: "exam.accommodated", Object: e.ID, Before: before.said(), After: a.said(), Personal: []string{"reason"}})
}

// accommodationTx gives what holds now; 100 percent and no minutes where nobody said anything.
func accommodationTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) (Accommodation, error) {
	all, err := accommodationsTx(ctx, tx, enrolmentID)
	if err != nil || len(all) == 0 {
		return Accommodation{Percent: 100}, err
	}
	return all[0], nil
}

func accommodationsTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) (all []Accommodation, err error) {
	err = tx.Select(ctx, &all, q.Q("Accommodations"), enrolmentID)
	return all, err
}

// MinutesTx is how long an attempt of an enrolment at the exam that leads to the certificate may take, with what holds for her now.
func MinutesTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment) (int, error) {
	x, err := ExamTx(ctx, tx, e.SessionID, Proctored)
	if err != nil {
		return 0, err
	}
	a, err := accommodationTx(ctx, tx, e.ID)
	return a.Limit(x.LimitMinutes), err
}

// File is all that is known of an enrolment and its exams, each list the latest first.
type File struct {
	Enrolment      enrolment.Enrolment
	Now            []Decision // one per exam of the session
	Decisions      []Decided
	Identity       []IdentityCheck
	Blocks         []Block
	Accommodations []Accommodation
	Sittings       []Sitting // of every kind
}

// FileTx gathers the file of an enrolment. Errors: enrolment.ErrNoEnrolment.
func FileTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) (f File, err error) {
	if f.Enrolment, err = enrolment.OneTx(ctx, tx, enrolmentID); err != nil {
		return f, err
	}
	all, err := ExamsTx(ctx, tx, f.Enrolment.SessionID)
	if err != nil {
		return f, err
	}
	for _, e := range all {
		d, _, err := decideTx(ctx, tx, e, []enrolment.Enrolment{f.Enrolment})
		if err != nil {
			return f, err
		}
		f.Now = append(f.Now, d...)
	}
	if f.Decisions, err = DecisionsTx(ctx, tx, enrolmentID); err != nil {
		return f, err
	}
	if err = tx.Select(ctx, &f.Identity, q.Q("IdentityChecks"), f.Enrolment.LearnerID); err != nil {
		return f, err
	}
	if err = tx.Select(ctx, &f.Blocks, q.Q("Blocks"), enrolmentID); err != nil {
		return f, err
	}
	if f.Accommodations, err = accommodationsTx(ctx, tx, enrolmentID); err != nil {
		return f, err
	}
	err = tx.Select(ctx, &f.Sittings, q.Q("AllOfEnrolment"), enrolmentID)
	return f, err
}
