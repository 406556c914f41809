package lms

import (
	"context"
	"errors"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

// ListDue says that what a platform lists of a session is to be read, from a cursor on; empty: from the beginning.
type ListDue struct {
	SessionID string `json:"session_id"`
	Cursor    string `json:"cursor,omitempty"`
}

// Kind names the job.
func (ListDue) Kind() string { return "lms.list_due" }

// Rank lets everything else go first.
func (ListDue) Rank() int { return 2 }

// everyNight is how long after a comparison the next one begins.
const everyNight = 24 * time.Hour

// AskNightly has the lists of all sessions read that are not over, a day after they were read last, and gives their number. A platform that
// knows us by a server key does not give its lists.
func (s *Service) AskNightly(ctx context.Context) (n int, err error) {
	err = s.db.InTx(asSystem(ctx), "ask lists of platforms", func(ctx context.Context, tx *postgres.Tx) error {
		var sessions []string
		if err := tx.Select(ctx, &sessions, q.Q("BeginComparisons"), tx.Now(), tx.Now().Add(-everyNight)); err != nil {
			return err
		}
		n = len(sessions)
		for _, id := range sessions {
			if err := s.jobs.EnqueueTx(ctx, tx, ListDue{SessionID: id}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

type comparison struct {
	Platform string `db:"platform"`
	Course   string `db:"course"`
	served
}

// List reads what a platform lists of a session, page by page at its rate, for twenty seconds at most; what is left then is asked for anew.
// Where a page cannot be read the comparison ends without a finding, and that of the next night begins anew.
func (s *Service) List(ctx context.Context, e ListDue) error {
	ctx = asSystem(ctx)
	var c []comparison
	if err := s.db.View(ctx, "comparison", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &c, q.Q("Comparison"), e.SessionID)
	}); err != nil || len(c) == 0 || !c[0].Enabled {
		return err
	}
	secret, err := s.seal.Open(c[0].Sealed, c[0].Platform)
	if errors.Is(err, seal.ErrNotReadable) {
		return s.endList(ctx, e.SessionID, SecretUnusable)
	}
	if err != nil {
		return err
	}
	a := Access{Platform: c[0].Platform, Version: c[0].Version, BaseURL: c[0].BaseURL, Auth: c[0].Auth, ClientID: c[0].ClientID, Secret: string(secret)}
	for over := time.After(turn); ; {
		if err := s.turn(ctx, a.Platform); err != nil {
			return err
		}
		rows, next, err := s.door.List(ctx, a, c[0].Course, e.Cursor)
		if err != nil {
			var t *Trouble
			if errors.As(err, &t) {
				return s.endList(ctx, e.SessionID, t.Code)
			}
			return err
		}
		if err := s.keepList(ctx, e.SessionID, rows); err != nil {
			return err
		}
		if e.Cursor = next; next == "" {
			return s.endList(ctx, e.SessionID, "")
		}
		select {
		case <-over:
			return s.db.InTx(ctx, "list on", func(ctx context.Context, tx *postgres.Tx) error { return s.jobs.EnqueueTx(ctx, tx, e) })
		default:
		}
	}
}

// keepList notes what was listed of learners whom we know there.
func (s *Service) keepList(ctx context.Context, sessionID string, rows []Record) error {
	names, modes, active := make([]string, len(rows)), make([]string, len(rows)), make([]bool, len(rows))
	for i, r := range rows {
		names[i], modes[i], active[i] = r.Username, r.Mode, r.Active
	}
	return s.db.InTx(ctx, "keep list", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("KeepList"), sessionID, pq.Array(names), pq.Array(modes), pq.Array(active), tx.Now())
		return err
	})
}

func (s *Service) endList(ctx context.Context, sessionID, failure string) error {
	return s.db.InTx(ctx, "end list", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("EndComparison"), sessionID, tx.Now(), failure)
		return err
	})
}

// Difference is an enrolment of which a platform lists something else than it had confirmed before the comparison began, and that nobody
// has asked about since.
type Difference struct {
	EnrolmentID string    `json:"enrolment_id" db:"enrolment_id"`
	Session     string    `json:"session" db:"session"` // key
	Username    string    `json:"username" db:"username"`
	Mode        string    `json:"mode,omitempty" db:"mode"`               // that it confirmed; none: not enrolled
	ListedMode  string    `json:"listed_mode,omitempty" db:"listed_mode"` // that it lists; none: not enrolled
	ComparedAt  time.Time `json:"compared_at" db:"compared_at"`
}

// Differences lists those of a platform, by enrolment. Error: ErrNoPlatform.
func (s *Service) Differences(ctx context.Context, platform string, p page.Request) (all []Difference, next string, err error) {
	err = s.db.View(ctx, "differences of platform", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := platformTx(ctx, tx, platform); err != nil {
			return err
		}
		all, next = []Difference{}, ""
		if err := tx.Select(ctx, &all, q.Q("Differences"), platform, p.After, p.Limit+1); err != nil {
			return err
		}
		if len(all) > p.Limit {
			all, next = all[:p.Limit], all[p.Limit-1].EnrolmentID
		}
		return nil
	})
	return all, next, err
}
