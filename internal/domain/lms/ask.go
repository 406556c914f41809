package lms

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Ask notes that what a platform is to say of an enrolment may have changed. Where no platform is to know of it nothing is noted.
func (s *Service) Ask(ctx context.Context, enrolmentID string) error {
	return s.db.InTx(asSystem(ctx), "ask lms", func(ctx context.Context, tx *postgres.Tx) error {
		var asked []string
		if err := tx.Select(ctx, &asked, q.Q("Ask"), enrolmentID, tx.Now()); err != nil || len(asked) == 0 {
			return err
		}
		return s.rouseTx(ctx, tx, asked[0])
	})
}

// AskDiffering asks a platform, or with an empty key each of them, for what it does not say although it should: of sessions that are not
// over, and of what it was told before. It gives how many enrolments. It is what a new platform, another mode and another course of a
// session need, and it finds whatever nobody asked for.
func (s *Service) AskDiffering(ctx context.Context, platform string) (n int64, err error) {
	err = s.db.InTx(asSystem(ctx), "ask lms for what differs", func(ctx context.Context, tx *postgres.Tx) (err error) {
		n, err = s.askDifferingTx(ctx, tx, platform)
		return err
	})
	return n, err
}

func (s *Service) askDifferingTx(ctx context.Context, tx *postgres.Tx, platform string) (int64, error) {
	n, err := tx.Exec(ctx, q.Q("AskDiffering"), platform, tx.Now())
	if err != nil || n == 0 || platform == "" {
		return n, err // AskDue finds them
	}
	return n, s.rouseTx(ctx, tx, platform)
}

// rouseTx has a platform served, unless somebody does so already. Who is about to go home may be taken for somebody at work: AskDue finds
// what is left.
func (s *Service) rouseTx(ctx context.Context, tx *postgres.Tx, platform string) error {
	n, err := tx.Exec(ctx, q.Q("Idle"), platform, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, Due{platform})
}

// AskDue has every platform served that has something to be told, and gives their number. It is what finds the next attempt of what
// failed, and what a worker that died left behind.
func (s *Service) AskDue(ctx context.Context) (n int, err error) {
	err = s.db.InTx(asSystem(ctx), "lms due", func(ctx context.Context, tx *postgres.Tx) error {
		var keys []string
		if err := tx.Select(ctx, &keys, q.Q("AskDue"), tx.Now()); err != nil {
			return err
		}
		n = len(keys)
		for _, k := range keys {
			if err := s.jobs.EnqueueTx(ctx, tx, Due{k}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

const maxUsername = 150

// Retry has an enrolment told now, whatever failed. username, where given, is who the learner is there, for one whose account has
// another address. Errors: ErrNoSync, ErrUsername.
func (s *Service) Retry(ctx context.Context, enrolmentID, username string) (x Sync, err error) {
	if utf8.RuneCountInString(username) > maxUsername {
		return x, fault.InvalidInput(fault.Field{Pointer: "/username", Code: "bad-length", Detail: "At most 150 characters."})
	}
	err = s.db.InTx(asSystem(ctx), "retry lms", func(ctx context.Context, tx *postgres.Tx) error {
		if x, err = SyncTx(ctx, tx, enrolmentID); err != nil {
			return err
		}
		if username != "" && username != x.Username {
			if _, err := tx.Exec(ctx, q.Q("PutUsername"), x.Platform, x.LearnerID, username); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, q.Q("Ask"), enrolmentID, tx.Now()); err != nil {
			return err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "platform.retried", Object: enrolmentID, Detail: map[string]any{"platform": x.Platform, "username_given": username != ""}}); err != nil {
			return err
		}
		if err := s.rouseTx(ctx, tx, x.Platform); err != nil {
			return err
		}
		x, err = SyncTx(ctx, tx, enrolmentID)
		return err
	})
	return x, err
}

// RetryAll has all that a platform has not confirmed told now, at its rate, also where nothing was tried because it failed. It gives how many
// enrolments. Error: ErrNoPlatform.
func (s *Service) RetryAll(ctx context.Context, platform string) (n int64, err error) {
	err = s.db.InTx(asSystem(ctx), "retry platform", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := platformTx(ctx, tx, platform); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("Reopen"), platform); err != nil {
			return err
		}
		if n, err = tx.Exec(ctx, q.Q("AskUnconfirmed"), platform, tx.Now()); err != nil {
			return err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "platform.retried", Object: platform, Detail: map[string]any{"enrolments": n}}); err != nil {
			return err
		}
		return s.rouseTx(ctx, tx, platform)
	})
	return n, err
}

// Sync is what a platform is to say of an enrolment, what it said last, and what is to be done.
type Sync struct {
	EnrolmentID string     `json:"enrolment_id" db:"enrolment_id"`
	LearnerID   string     `json:"learner_id" db:"learner_id"`
	Session     string     `json:"session" db:"session"` // key
	Platform    string     `json:"platform" db:"platform"`
	State       State      `json:"state" db:"state"`
	Username    string     `json:"username,omitempty" db:"username"`
	WantedMode  string     `json:"wanted_mode,omitempty" db:"wanted_mode"` // none: she is not to be enrolled
	Course      string     `json:"course,omitempty" db:"course"`           // the rest is what it said last
	Mode        string     `json:"mode,omitempty" db:"mode"`
	Active      *bool      `json:"active,omitempty" db:"active"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty" db:"confirmed_at"`
	AskedAt     time.Time  `json:"asked_at" db:"asked_at"`
	Tried       int        `json:"attempts" db:"tried"`
	TriedAt     *time.Time `json:"tried_at,omitempty" db:"tried_at"`
	DueAt       *time.Time `json:"next_attempt_at,omitempty" db:"due_at"`
	Failure     string     `json:"failure,omitempty" db:"failure"`
	Detail      string     `json:"detail,omitempty" db:"detail"`
}

// On says whether the platform said last that she is enrolled.
func (x Sync) On() bool { return x.Active != nil && *x.Active }

// SyncTx finds what a platform is told of an enrolment. Error: ErrNoSync.
func SyncTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) (Sync, error) {
	var all []Sync
	if err := tx.Select(ctx, &all, q.Q("SyncsOf"), pq.Array([]string{enrolmentID})); err != nil {
		return Sync{}, err
	}
	if len(all) == 0 {
		return Sync{}, ErrNoSync
	}
	return all[0], nil
}

// StatesTx gives how far their platforms know of enrolments, for those of which one is told.
func StatesTx(ctx context.Context, tx *postgres.Tx, enrolments []string) (map[string]Sync, error) {
	var all []Sync
	err := tx.Select(ctx, &all, q.Q("SyncsOf"), pq.Array(enrolments))
	out := make(map[string]Sync, len(all))
	for _, x := range all {
		out[x.EnrolmentID] = x
	}
	return out, err
}
