package gradebook

import (
	"context"
	"encoding/json"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Difference is something that the books hold of an enrolment and that its facts do not say.
type Difference struct {
	Kind        string     `json:"kind"` // stage, row or run
	EnrolmentID string     `json:"enrolment_id,omitempty"`
	Stage       string     `json:"stage,omitempty"`
	At          *time.Time `json:"at,omitempty"`
	Reached     bool       `json:"reached"` // what the facts say
}

// The kinds of differences.
const (
	StageDiffers = "stage" // the history of the journey is not what the scores say
	RowDiffers   = "row"   // the row of the journey, with its times, is not what its history says
	RunDiffers   = "run"   // the kept counts of an exercise are not what the scores say
)

// Recheck is what the last comparison of a session found.
type Recheck struct {
	Session      string       `json:"session" db:"session"` // key
	CheckedAt    *time.Time   `json:"checked_at,omitempty" db:"checked_at"`
	Pending      bool         `json:"pending" db:"pending"` // a comparison is asked for
	Learners     int          `json:"learners" db:"learners"`
	Differences  int          `json:"differences" db:"differences"`
	Examples     []Difference `json:"examples" db:"-"` // the first of them
	DiffersSince *time.Time   `json:"differs_since,omitempty" db:"differs_since"`
}

// RecheckDue has the stages of a session compared with its facts.
type RecheckDue struct {
	SessionID string `json:"session_id"`
}

// Kind names the job.
func (RecheckDue) Kind() string { return "gradebook.recheck_due" }

// Rank lets everything else go first.
func (RecheckDue) Rank() int { return 2 }

const (
	recheckEvery = 24 * time.Hour // the time from one comparison of a session to the next, where there are not more sessions than minutes in it
	maxExamples  = 20
)

// AskRecheck has the session compared whose last comparison is the longest ago, a day at least, and says whether there was one; several
// workers may call it. One session at a time is enough: nobody waits for it.
func (s *Service) AskRecheck(ctx context.Context) (asked bool, err error) {
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "ask recheck", func(ctx context.Context, tx *postgres.Tx) error {
		var due []string
		if err := tx.Select(ctx, &due, q.Q("BeginRecheck"), tx.Now(), tx.Now().Add(-recheckEvery)); err != nil || len(due) == 0 {
			return err
		}
		asked = true
		return s.jobs.EnqueueTx(ctx, tx, RecheckDue{due[0]})
	})
	return asked, err
}

// RecheckNow has a session (id or key) compared as soon as somebody is free. Error: catalog.ErrNoSession.
func (s *Service) RecheckNow(ctx context.Context, session string) (out Recheck, err error) {
	err = s.db.InTx(ctx, "recheck now", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("AskRecheck"), of.ID, tx.Now()); err != nil {
			return err
		}
		if err := s.jobs.EnqueueTx(ctx, tx, RecheckDue{of.ID}); err != nil {
			return err
		}
		if out, err = recheckTx(ctx, tx, of.Key); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "stages.check_asked", Object: of.ID})
	})
	return out, err
}

// Recheck derives the stages of a session (id or key) from all its facts anew, compares them with what the journey holds, and writes down what
// differs: it mends nothing, since what is wrong is to be understood first. A difference is audited. A map of exercises that was changed since
// the last intake shows as one, until the next intake or a Rebuild. Error: catalog.ErrNoSession.
func (s *Service) Recheck(ctx context.Context, session string) (out Recheck, err error) {
	err = s.db.InTx(postgres.WithOwnPlans(ctx), "recheck stages", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		members, found, err := compareTx(ctx, tx, of)
		if err != nil {
			return err
		}
		examples, err := json.Marshal(found[:min(len(found), maxExamples)])
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("Rechecked"), of.ID, tx.Now(), members, len(found), examples); err != nil {
			return err
		}
		if out, err = recheckTx(ctx, tx, of.Key); err != nil || len(found) == 0 {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "stages.differ", Object: of.ID, Detail: out})
	})
	return out, err
}

// compareTx gives the number of learners of a session, and what of them the books hold and the facts do not say.
func compareTx(ctx context.Context, tx *postgres.Tx, session catalog.Session) (members int, found []Difference, err error) {
	members, changes, err := derivedTx(ctx, tx, session)
	if err != nil {
		return 0, nil, err
	}
	found = []Difference{}
	for _, c := range changes {
		at := c.At.UTC()
		found = append(found, Difference{Kind: StageDiffers, EnrolmentID: c.EnrolmentID, Stage: string(c.Stage), At: &at, Reached: c.Reached})
	}
	rows, err := journey.UnlikeHistoryTx(ctx, tx, session.ID)
	if err != nil {
		return 0, nil, err
	}
	for _, id := range rows {
		found = append(found, Difference{Kind: RowDiffers, EnrolmentID: id})
	}
	var runs int
	if err := tx.Get(ctx, &runs, q.Q("RunsUnlikeCells"), session.ID); err != nil {
		return 0, nil, err
	}
	for range runs {
		found = append(found, Difference{Kind: RunDiffers})
	}
	return members, found, nil
}

type recheckRow struct {
	Recheck
	Examples []byte `db:"examples"`
}

func (r recheckRow) said() (Recheck, error) {
	out := r.Recheck
	for _, at := range []*time.Time{out.CheckedAt, out.DiffersSince} {
		if at != nil {
			*at = at.UTC()
		}
	}
	out.Examples = []Difference{}
	return out, json.Unmarshal(r.Examples, &out.Examples)
}

func recheckTx(ctx context.Context, tx *postgres.Tx, key string) (Recheck, error) {
	var row recheckRow
	if err := tx.Get(ctx, &row, q.Q("Recheck"), key); err != nil {
		return Recheck{}, err
	}
	return row.said()
}

// RecheckOf gives the last comparison of a session (id or key). Error: catalog.ErrNoSession.
func (s *Service) RecheckOf(ctx context.Context, session string) (out Recheck, err error) {
	err = s.db.View(ctx, "recheck", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		out, err = recheckTx(ctx, tx, of.Key)
		return err
	})
	return out, err
}

// Rechecks lists the sessions with the last comparison of each, by key.
func (s *Service) Rechecks(ctx context.Context, p page.Request) (all []Recheck, next string, err error) {
	err = s.db.View(ctx, "rechecks", func(ctx context.Context, tx *postgres.Tx) error {
		var rows []recheckRow
		if err := tx.Select(ctx, &rows, q.Q("Rechecks"), p.After, p.Limit+1); err != nil {
			return err
		}
		all, next = []Recheck{}, ""
		if len(rows) > p.Limit {
			rows = rows[:p.Limit]
			next = rows[p.Limit-1].Session
		}
		for _, r := range rows {
			said, err := r.said()
			if err != nil {
				return err
			}
			all = append(all, said)
		}
		return nil
	})
	return all, next, err
}

// Figures are what an alarm looks at.
type Figures struct {
	Differing     int64 `db:"differing"`      // sessions whose stages are not what their facts say
	OldestSeconds int64 `db:"oldest_seconds"` // since the session that was compared the longest ago was
}

// Figures counts.
func (s *Service) Figures(ctx context.Context) (f Figures, err error) {
	err = s.db.View(ctx, "gradebook figures", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &f, q.Q("Figures"), tx.Now()) })
	return f, err
}
