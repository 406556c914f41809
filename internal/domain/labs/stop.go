package labs

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Why a machine is stopped.
const (
	ReasonIdle    = "idle"
	ReasonQuota   = "quota"
	ReasonAccess  = "access"  // what she bought is not in force any more
	ReasonTeacher = "teacher" // somebody on the board said so
)

// askAgain is how long after a stop request another one follows, while the machine runs on.
const askAgain = 5 * time.Minute

// AskStopTx has a provider asked to stop the machine of a running launch. Errors: ErrNoLaunch, ErrNotRunning.
func (s *Service) AskStopTx(ctx context.Context, tx *postgres.Tx, id string) error {
	l, err := lockTx(ctx, tx, id)
	if err != nil {
		return err
	}
	if l.State != Running {
		return ErrNotRunning
	}
	_, err = s.askStopTx(ctx, tx, l, ReasonTeacher)
	return err
}

// askStopTx says whether it asked: not again so soon.
func (s *Service) askStopTx(ctx context.Context, tx *postgres.Tx, l Launch, reason string) (asked bool, err error) {
	if l.StopAskedAt != nil && tx.Now().Before(l.StopAskedAt.Add(askAgain)) {
		return false, nil
	}
	if _, err := tx.Exec(ctx, q.Q("AskStop"), l.ID, tx.Now(), reason); err != nil {
		return false, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "lab_launch.stop_asked", Object: l.ID, Detail: map[string]string{"reason": reason}}); err != nil {
		return false, err
	}
	return true, s.jobs.EnqueueTx(ctx, tx, StopDue{l.ID})
}

// Stop asks the provider of a launch to stop its machine; one that has ended meanwhile is left. A provider that does not answer makes an error.
func (s *Service) Stop(ctx context.Context, id string) error {
	ctx = asSystem(ctx)
	var l Launch
	var p Provider
	if err := s.db.View(ctx, "lab to stop", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if l, err = LaunchOfTx(ctx, tx, id); err == nil {
			p, err = ProviderTx(ctx, tx, l.Provider)
		}
		return err
	}); err != nil {
		return err
	}
	if l.State == Ended || l.StopAskedAt == nil {
		return nil
	}
	secret, err := s.seal.Open(p.Sealed, p.Key)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"type": "lab.stop", "timestamp": l.StopAskedAt.UTC(), "data": map[string]string{"launch": l.ID, "reason": l.StopReason}})
	if err != nil {
		return err
	}
	m := Message{URL: p.StopURL, ID: l.ID + ".stop." + strconv.FormatInt(l.StopAskedAt.Unix(), 10), Timestamp: strconv.FormatInt(s.db.Now().Unix(), 10), Body: string(body)}
	m.Signature = sign(secret, m.ID, m.Timestamp, body)
	return s.door.Stop(ctx, m)
}

// Sweep looks at every running launch: one that is idle for too long, whose minutes are used or whose learner may not be there any more is
// asked to be stopped; one whose stop was lost is closed. It gives how many it changed.
func (s *Service) Sweep(ctx context.Context) (changed int, err error) {
	ctx = asSystem(ctx)
	var ids []string
	if err := s.db.View(ctx, "running labs", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &ids, q.Q("RunningLaunches"))
	}); err != nil {
		return 0, err
	}
	var failed []error
	for _, id := range ids { // each alone: one that fails keeps the others from nothing
		did := false
		if err := s.db.InTx(ctx, "sweep lab", func(ctx context.Context, tx *postgres.Tx) (err error) {
			did, err = s.sweepTx(ctx, tx, id)
			return err
		}); err != nil {
			failed = append(failed, err)
		} else if did {
			changed++
		}
	}
	return changed, errors.Join(failed...)
}

func (s *Service) sweepTx(ctx context.Context, tx *postgres.Tx, id string) (bool, error) {
	l, err := lockTx(ctx, tx, id)
	if err != nil || l.State != Running {
		return false, err
	}
	if l, err = s.settleTx(ctx, tx, l); err != nil || l.State != Running {
		return err == nil, err
	}
	e, err := enrolment.OneTx(ctx, tx, l.EnrolmentID)
	if err != nil {
		return false, err
	}
	stands, err := standingTx(ctx, tx, e, l.LabID)
	if err != nil {
		return false, err
	}
	reason := ""
	switch {
	case stands.Refused == ErrQuota:
		reason = ReasonQuota
	case stands.Refused != nil:
		reason = ReasonAccess
	case !tx.Now().Before(l.LastAt.Add(l.idle())):
		reason = ReasonIdle
	}
	if reason == "" {
		return false, nil
	}
	return s.askStopTx(ctx, tx, l, reason)
}
