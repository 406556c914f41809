package exams

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ProctorHeard says that a message of a provider waits to be worked on.
type ProctorHeard struct {
	EventID string `json:"event_id"`
}

// Kind names the job.
func (ProctorHeard) Kind() string { return "exams.proctor_heard" }

// HearProctor proves a message of a provider and stores it, once. When it returns nil the message is durably stored and its job is written: only
// then may the provider be told so. The same message again changes nothing. Errors: ErrNoProvider, ErrForged (also for another word under
// an id that was used), ErrProviderDark.
func (s *Service) HearProctor(ctx context.Context, provider string, m ProctorMessage) error {
	_, _, err := s.hear(asHouse(ctx), provider, m)
	return err
}

// hear is HearProctor that gives what was said, and the id under which it was stored; empty: it was stored before.
func (s *Service) hear(ctx context.Context, provider string, m ProctorMessage) (h Heard, id string, err error) {
	a, p, err := s.access(ctx, provider)
	if err == nil && !p.Enabled {
		err = ErrNoProvider
	}
	if err != nil {
		return h, "", err
	}
	h, err = s.proctor.Hear(ctx, a, m)
	if errors.Is(err, ErrForged) {
		return h, "", errors.Join(err, s.refused(ctx, provider))
	}
	if err != nil {
		return h, "", err
	}
	digest := digestOf(m)
	forged := false
	err = s.db.InTx(ctx, "store provider event", func(ctx context.Context, tx *postgres.Tx) error {
		forged, id = false, ident.New("pev")
		n, err := tx.Exec(ctx, q.Q("AddProviderEvent"), id, provider, h.Message, digest, h.Attempt, h.Subject, h.Event, h.Verdict, h.Severity, h.At, clip(h.Note, 2000), m.Body, tx.Now(), h.Ends)
		if err != nil {
			return err
		}
		if n == 0 {
			id = ""
			var known []byte
			if err := tx.Get(ctx, &known, q.Q("ProviderEventDigest"), provider, h.Message); err != nil {
				return err
			}
			forged = !bytes.Equal(known, digest)
			return nil
		}
		if _, err := tx.Exec(ctx, q.Q("ProviderHeard"), provider, tx.Now()); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(ctx, tx, ProctorHeard{id})
	})
	if err == nil && forged {
		err = errors.Join(ErrForged, s.refused(ctx, provider))
	}
	failpoint.Here("provider event stored")
	return h, id, err
}

// digestOf is what was said, and of what.
func digestOf(m ProctorMessage) []byte {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%s\x00%s\x00%s", m.Call, m.Attempt, m.Body) // a hash takes everything
	return sum.Sum(nil)
}

// refused notes that somebody sent what the provider did not sign: at most once a minute, or who sends such things writes into our book at will.
func (s *Service) refused(ctx context.Context, provider string) error {
	return s.db.InTx(ctx, "provider refused", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("ProviderRefused"), provider, tx.Now(), tx.Now().Add(-time.Minute))
		return err
	})
}

// storedEvent is a message that waits.
type storedEvent struct {
	ID       string       `db:"id"`
	Provider string       `db:"provider"`
	Attempt  string       `db:"attempt"`
	Subject  string       `db:"subject"`
	Event    ProctorEvent `db:"event"`
	Verdict  Verdict      `db:"verdict"`
	Severity int          `db:"severity"`
	SaidAt   time.Time    `db:"said_at"`
	Note     string       `db:"note"`
	State    string       `db:"state"`
	Tried    int          `db:"tried"`
	Ends     bool         `db:"wants_end"`
}

// How long after it was looked for an attempt is looked for again of which a provider spoke and that nobody here knows; the last one for ever.
var afterParked = []time.Duration{time.Minute, 5 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

// WorkOnProctorEvent does what a message of a provider says, once.
func (s *Service) WorkOnProctorEvent(ctx context.Context, id string) error {
	return s.db.InTx(asHouse(ctx), "work on provider event", func(ctx context.Context, tx *postgres.Tx) error {
		var v storedEvent
		if err := tx.Get(ctx, &v, q.Q("LockProviderEvent"), id); errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		if v.State == "applied" || v.State == "late" {
			return nil
		}
		var attempts []string
		if err := tx.Select(ctx, &attempts, q.Q("AttemptOfProvider"), v.Provider, v.Attempt); err != nil {
			return err
		}
		if len(attempts) == 0 {
			return parkTx(ctx, tx, v)
		}
		return s.applyTx(postgres.WithActor(postgres.WithActor(ctx, "provider:"+v.Provider), "system"), tx, v, attempts[0])
	})
}

func parkTx(ctx context.Context, tx *postgres.Tx, v storedEvent) error {
	_, err := tx.Exec(ctx, q.Q("Park"), v.ID, tx.Now().Add(afterParked[min(v.Tried, len(afterParked)-1)]))
	return err
}

// applyTx moves the attempt that a message is about as far as it says.
func (s *Service) applyTx(ctx context.Context, tx *postgres.Tx, v storedEvent, attemptID string) error {
	a, err := AttemptTx(ctx, tx, attemptID)
	if err != nil {
		return err
	}
	if v.Subject != "" && v.Subject != obscured(v.Provider, a.LearnerID) { // it is of somebody else: whoever reads the list of what is parked looks
		return parkTx(ctx, tx, v)
	}
	x, _, err := lockedSitting(ctx, tx, a.SittingID, "")
	if err != nil {
		return err
	}
	if a, err = AttemptTx(ctx, tx, attemptID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("ProviderEventWorked"), v.ID, "applied", a.LearnerID, tx.Now()); err != nil {
		return err
	}
	if v.Event == ProctorFlagged {
		i := Incident{Kind: "other", Severity: v.Severity, Note: v.Note, HappenedAt: v.SaidAt}
		if i.HappenedAt.After(tx.Now()) || i.HappenedAt.Before(x.BookedAt) { // its clock is another one
			i.HappenedAt = tx.Now()
		}
		_, err := s.ReportTx(ctx, tx, x.ID, i)
		return err
	}
	if v.Ends {
		if _, err := tx.Exec(ctx, q.Q("WantsEnd"), a.ID); err != nil {
			return err
		}
	}
	events, err := s.movesTx(ctx, tx, &a, v)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		if _, err := tx.Exec(ctx, q.Q("ProviderEventWorked"), v.ID, "late", a.LearnerID, tx.Now()); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "attempt.told_late", Object: a.ID, Detail: map[string]any{"event": v.Event, "verdict": v.Verdict}})
	}
	for i, e := range events {
		note := ""
		if i == len(events)-1 {
			note = v.Note
		}
		if err := s.moveAttemptTx(ctx, tx, &a, e, note); err != nil {
			return err
		}
	}
	return s.settleTx(ctx, tx, &x, a)
}

// movesTx gives the events that a message makes happen, none where it is late, and notes the review that counts. What a person decided no
// provider moves any more.
func (s *Service) movesTx(ctx context.Context, tx *postgres.Tx, a *Attempt, v storedEvent) ([]AttemptEvent, error) {
	if v.Event != ProctorReviewed {
		return told(a.State, AttemptEvent(v.Event)), nil
	}
	if a.Reviewer != "" {
		return nil, nil
	}
	p, _, err := ProctoringTx(ctx, tx, a.ID)
	if err != nil {
		return nil, err
	}
	counts := review{verdict: p.Verdict}
	if p.VerdictAt != nil {
		counts.at = *p.VerdictAt
	}
	if !(review{v.Verdict, v.SaidAt}).supersedes(counts) {
		return nil, nil
	}
	if _, err := tx.Exec(ctx, q.Q("Reviewed"), a.ID, v.Verdict, v.SaidAt); err != nil {
		return nil, err
	}
	now := tx.Now()
	a.ReviewedAt = &now
	provider, err := ProviderTx(ctx, tx, p.Provider)
	if err != nil {
		return nil, err
	}
	return told(a.State, v.Verdict.event(provider.OnViolation)), nil
}
