package gradebook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// PullCohort is a group of learners on a platform.
type PullCohort struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// NewSchedule is how often what a platform says of a session is collected.
type NewSchedule struct {
	EveryDays int          `json:"every_days"`
	Enabled   *bool        `json:"enabled"` // nil: it is
	NextAt    time.Time    `json:"next_at"`
	Cohorts   []PullCohort `json:"cohorts"`
}

// Schedule is one as it stands.
type Schedule struct {
	EveryDays    int          `json:"every_days"`
	Enabled      bool         `json:"enabled"`
	NextAt       time.Time    `json:"next_at"`
	Cohorts      []PullCohort `json:"cohorts"`
	Version      int          `json:"version"`
	BegunAt      *time.Time   `json:"begun_at,omitempty"` // it is being collected
	PagesRead    int          `json:"pages_read"`         // of what is being collected
	LearnersRead int          `json:"learners_read"`
	RetryAt      *time.Time   `json:"retry_at,omitempty"` // it waits for its platform
	Attempts     int          `json:"-"`                  // in vain, in a row
	LastAt       *time.Time   `json:"last_at,omitempty"`
	CollectionID string       `json:"collection_id,omitempty"` // that was made last
	Unchanged    bool         `json:"unchanged"`               // it said what was known
	Failure      string       `json:"failure,omitempty"`       // of the last attempt
}

// ScheduleOf gives the schedule of a session. Errors: catalog.ErrNoSession, ErrNoSchedule.
func (s *Service) ScheduleOf(ctx context.Context, session string) (out Schedule, err error) {
	err = s.db.View(ctx, "schedule", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		out, err = scheduleTx(ctx, tx, of.ID)
		return err
	})
	return out, err
}

func scheduleTx(ctx context.Context, tx *postgres.Tx, sessionID string) (out Schedule, err error) {
	var row struct {
		EveryDays    int        `db:"every_days"`
		Enabled      bool       `db:"enabled"`
		NextAt       time.Time  `db:"next_at"`
		Cohorts      []byte     `db:"cohorts"`
		Version      int        `db:"version"`
		BegunAt      *time.Time `db:"begun_at"`
		RetryAt      *time.Time `db:"retry_at"`
		Attempts     int        `db:"attempts"`
		LastAt       *time.Time `db:"last_at"`
		CollectionID string     `db:"collection_id"`
		Unchanged    bool       `db:"unchanged"`
		Failure      string     `db:"failure"`
		Pages        int        `db:"pages"`
		Learners     int        `db:"learners"`
	}
	if err := tx.Get(ctx, &row, q.Q("Schedule"), sessionID); errors.Is(err, sql.ErrNoRows) {
		return out, ErrNoSchedule
	} else if err != nil {
		return out, err
	}
	out = Schedule{EveryDays: row.EveryDays, Enabled: row.Enabled, NextAt: row.NextAt.UTC(), Version: row.Version, BegunAt: row.BegunAt, RetryAt: row.RetryAt, Attempts: row.Attempts,
		LastAt: row.LastAt, CollectionID: row.CollectionID, Unchanged: row.Unchanged, Failure: row.Failure, PagesRead: row.Pages, LearnersRead: row.Learners}
	for _, at := range []*time.Time{out.BegunAt, out.RetryAt, out.LastAt} {
		if at != nil {
			*at = at.UTC()
		}
	}
	return out, json.Unmarshal(row.Cohorts, &out.Cohorts)
}

const maxPullCohorts = 50

func (n NewSchedule) check() error {
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	refuse(n.EveryDays < 1 || n.EveryDays > 31, "/every_days", "out-of-range", "1 to 31 days.")
	refuse(n.NextAt.Year() < 2000 || n.NextAt.Year() > 2200, "/next_at", "bad-time", "The next time is an instant of these days.")
	refuse(len(n.Cohorts) > maxPullCohorts, "/cohorts", "too-many", "At most 50 cohorts.")
	for i, c := range n.Cohorts {
		refuse(c.ID < 1 || c.Name == "" || utf8.RuneCountInString(c.Name) > 255, fmt.Sprintf("/cohorts/%d", i), "bad-cohort", "A cohort has the number that the platform gives it, and a name of 1 to 255 characters.")
	}
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// PutSchedule says how often what its platform says of a session is collected. version is the one that was read, 0 for any. Errors:
// catalog.ErrNoSession, ErrNoSchedule, ErrNoCourseThere, catalog.ErrChanged.
func (s *Service) PutSchedule(ctx context.Context, session string, version int, n NewSchedule) (out Schedule, err error) {
	if err := n.check(); err != nil {
		return out, err
	}
	if n.Cohorts == nil {
		n.Cohorts = []PullCohort{}
	}
	cohorts, err := json.Marshal(n.Cohorts)
	if err != nil {
		return out, err
	}
	err = s.db.InTx(ctx, "put schedule", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		if of.PlatformKey == "" {
			return ErrNoCourseThere
		}
		before, err := scheduleTx(ctx, tx, of.ID)
		if err != nil && (version > 0 || !errors.Is(err, ErrNoSchedule)) {
			return err
		}
		done, err := tx.Exec(ctx, q.Q("PutSchedule"), of.ID, n.EveryDays, n.Enabled == nil || *n.Enabled, n.NextAt.UTC(), cohorts, version)
		if err != nil {
			return err
		}
		if done == 0 {
			return catalog.ErrChanged
		}
		if out, err = scheduleTx(ctx, tx, of.ID); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "grades.scheduled", Object: of.ID, Before: before, After: out})
	})
	return out, err
}
