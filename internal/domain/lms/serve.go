package lms

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/failpoint"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

const (
	platformsAtOnce = 2 // that one process speaks to at the same time: slow platforms do not take all hands of the queue
	turn            = 20 * time.Second
	lease           = 2 * time.Minute // longer than a turn and its last calls
	burst           = 5               // calls that may follow one another at once after a pause
	patience        = 3               // calls in vain, in a row, after which a platform is left alone for a while
)

// How long after an attempt the next one is made, by the number of attempts; the last one for ever. Up to a fifth is added, so that what
// failed together does not come back together.
var (
	afterFailure = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}
	afterNobody  = []time.Duration{10 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour}
	afterRefusal = []time.Duration{10 * time.Minute, 2 * time.Hour, 24 * time.Hour}
	leftAlone    = []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute}
)

// afterTheEnd is how long after an attempt the next one is made of a session that is over, where the learner or the platform is what is missing:
// those who never come do not use up the calls of the others.
const afterTheEnd = 30 * 24 * time.Hour

// longest is the longest that a platform may ask us to wait.
const longest = time.Hour

func wait(schedule []time.Duration, n int) time.Duration {
	d := schedule[min(max(n, 0), len(schedule)-1)]
	return d + rand.N(d/5)
}

type served struct {
	BaseURL  string         `db:"base_url"`
	Auth     Auth           `db:"auth"`
	ClientID string         `db:"client_id"`
	Version  int            `db:"version"`
	Enabled  bool           `db:"enabled"`
	Failures int            `db:"failures"`
	Sealed   []byte         `db:"sealed"`
	Modes    pq.StringArray `db:"modes"`
}

// Serve tells a platform what is due, one enrolment after another at its rate, for twenty seconds at most; what is left then is asked for
// anew. While another worker does so, while the platform is left alone, or where too many are served here, it does nothing: what is due
// is asked for again.
func (s *Service) Serve(ctx context.Context, platform string) error {
	select {
	case s.hands <- struct{}{}:
		defer func() { <-s.hands }()
	default:
		return nil
	}
	ctx = asSystem(ctx)
	mine, err := s.lease(ctx, platform)
	if err != nil || !mine {
		return err
	}
	for over := time.After(turn); ; {
		t, c, err := s.take(ctx, platform)
		if err != nil || t == nil {
			return err
		}
		o := s.tellOne(ctx, c, *t)
		failpoint.Here("lms told")
		if c != nil && c.stop != nil {
			return c.stop // the lease ends by itself, and nothing is lost
		}
		alone, err := s.record(ctx, platform, *t, o)
		if err != nil || alone {
			return err
		}
		select {
		case <-over:
			return s.release(ctx, platform)
		default:
		}
	}
}

func (s *Service) tellOne(ctx context.Context, c *caller, t task) outcome {
	if c == nil {
		return outcome{}.in(&Trouble{Code: SecretUnusable, Detail: "The key of this server is another one than the one that sealed the secret. Enter the secret again."})
	}
	return c.tell(ctx, t)
}

// lease takes a platform for this worker. It ends by itself where the worker dies.
func (s *Service) lease(ctx context.Context, platform string) (mine bool, err error) {
	err = s.db.InTx(ctx, "lease platform", func(ctx context.Context, tx *postgres.Tx) error {
		n, err := tx.Exec(ctx, q.Q("Lease"), platform, tx.Now(), tx.Now().Add(lease))
		mine = n == 1
		return err
	})
	return mine, err
}

// release gives a platform back and has it asked for again.
func (s *Service) release(ctx context.Context, platform string) error {
	return s.db.InTx(ctx, "release platform", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("Release"), platform); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(ctx, tx, Due{platform})
	})
}

// take gives the enrolment that is due first and who is to speak of it: nobody (nil) where the secret cannot be read. Where nothing is
// due the platform is given back in the same transaction.
func (s *Service) take(ctx context.Context, platform string) (t *task, c *caller, err error) {
	err = s.db.InTx(ctx, "take lms", func(ctx context.Context, tx *postgres.Tx) error {
		t, c = nil, nil
		var p served
		if err := tx.Get(ctx, &p, q.Q("Serve"), platform); err != nil {
			return err
		}
		for p.Enabled && t == nil {
			var due []task
			if err := tx.Select(ctx, &due, q.Q("Take"), platform, tx.Now()); err != nil {
				return err
			}
			if len(due) == 0 {
				break
			}
			if due[0].Wanted {
				t = &due[0]
			} else if _, err := tx.Exec(ctx, q.Q("Drop"), due[0].EnrolmentID); err != nil {
				return err
			}
		}
		if t == nil {
			_, err := tx.Exec(ctx, q.Q("Release"), platform)
			return err
		}
		secret, err := s.seal.Open(p.Sealed, platform)
		if errors.Is(err, seal.ErrNotReadable) {
			return nil
		}
		if err != nil {
			return err
		}
		a := Access{Platform: platform, Version: p.Version, BaseURL: p.BaseURL, Auth: p.Auth, ClientID: p.ClientID, Secret: string(secret)}
		c = &caller{door: s.door, a: a, modes: p.Modes, turn: func(ctx context.Context) error { return s.turn(ctx, platform) }}
		_, err = tx.Exec(ctx, q.Q("Touch"), platform, t.EnrolmentID, tx.Now().Add(lease))
		return err
	})
	return t, c, err
}

// turn waits for the next free place among the calls to a platform. The places are given out in the database, so that several workers
// together, and one that begins anew, keep to the rate.
func (s *Service) turn(ctx context.Context, platform string) error {
	var at, now time.Time
	err := s.db.InTx(ctx, "turn at platform", func(ctx context.Context, tx *postgres.Tx) error {
		now = tx.Now()
		return tx.Get(ctx, &at, q.Q("Turn"), platform, now, burst)
	})
	if err != nil || !at.After(now) {
		return err
	}
	return s.sleep(ctx, at.Sub(now))
}

// record writes down what became of a task, and says whether the platform is left alone now.
func (s *Service) record(ctx context.Context, platform string, t task, o outcome) (alone bool, err error) {
	err = s.db.InTx(ctx, "record lms", func(ctx context.Context, tx *postgres.Tx) error {
		var p served
		if err := tx.Get(ctx, &p, q.Q("Serve"), platform); err != nil {
			return err
		}
		if alone, err = s.recordPlatform(ctx, tx, platform, p, o.trouble); err != nil {
			return err
		}
		if o.forget {
			if _, err := tx.Exec(ctx, q.Q("ForgetUsername"), platform, t.LearnerID); err != nil {
				return err
			}
		}
		if o.username != "" && o.username != t.Username {
			if _, err := tx.Exec(ctx, q.Q("LearnUsername"), platform, t.LearnerID, o.username); err != nil {
				return err
			}
		}
		failure, detail, due := "", "", (*time.Time)(nil)
		if o.trouble != nil {
			failure, detail = o.trouble.Code, clip(o.trouble.Detail)
			at := tx.Now().Add(max(wait(schedules[o.state], t.Step), min(o.trouble.Later, longest)))
			if t.Over && o.state != Pending {
				at = tx.Now().Add(afterTheEnd)
			}
			due = &at
		}
		var seen struct {
			course, mode *string
			active       *bool
		}
		if r := o.seen; r != nil {
			seen.course, seen.mode, seen.active = &r.Course, &r.Mode, &r.Active
		}
		_, err := tx.Exec(ctx, q.Q("Record"), t.EnrolmentID, t.Asked, o.state, due, failure, detail, seen.course, seen.mode, seen.active, tx.Now())
		return err
	})
	return alone, err
}

var schedules = map[State][]time.Duration{Pending: afterFailure, Waiting: afterNobody, Refused: afterRefusal}

// recordPlatform notes how a platform goes. After a few calls in vain, or one that says that all others will be, it is left alone, ever
// longer; the first call afterwards is a trial, and only its success lets others follow.
func (s *Service) recordPlatform(ctx context.Context, tx *postgres.Tx, platform string, p served, t *Trouble) (alone bool, err error) {
	if t == nil || ofLearner[t.Code] {
		_, err := tx.Exec(ctx, q.Q("Well"), platform, tx.Now())
		return false, err
	}
	failures := p.Failures + 1
	if at := t.Code; at == Throttled || at == BadCredentials || at == SecretUnusable {
		failures = max(failures, patience)
	}
	var until *time.Time
	if failures >= patience {
		at := tx.Now().Add(max(wait(leftAlone, failures-patience), min(t.Later, longest)))
		until = &at
	}
	_, err = tx.Exec(ctx, q.Q("Ill"), platform, failures, t.Code, until)
	return until != nil, err
}

// clip makes what a platform said fit for the table.
func clip(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), 300)])
}
