// Package gradebook takes in the grade reports of learning platforms and derives from them how far each learner got.
//
// A report is an immutable collection, known by its content. From it the gradebook keeps the cells that changed and writes
// the stages reached into the journey, in one transaction. Cells, cohorts and stages are step functions over the time of
// collection, so the order in which reports are imported does not matter: an older report that comes later takes its place
// in the past and changes nothing after the next report.
package gradebook

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("gradebook", queriesSQL)

// Service is the room.
type Service struct {
	db   *postgres.DB
	jobs *jobs.Jobs
}

// New opens the room.
func New(db *postgres.DB, j *jobs.Jobs) *Service { return &Service{db: db, jobs: j} }

// Imported says that a collection was taken in and the stages of its session may have changed.
type Imported struct {
	SessionID    string `json:"session_id"`
	CollectionID string `json:"collection_id"`
}

// Kind names the job.
func (Imported) Kind() string { return "gradebook.imported" }

// Collection is what an import did. Counts are of rows, learners and cells.
type Collection struct {
	ID           string    `db:"id" json:"id"`
	CollectedAt  time.Time `db:"collected_at" json:"collected_at"`
	RecordedAt   time.Time `db:"recorded_at" json:"recorded_at"`
	FileName     string    `db:"file_name" json:"file_name"`
	Kind         Kind      `db:"kind" json:"kind"`
	Family       string    `db:"family" json:"family"`
	Origin       string    `db:"origin" json:"origin"` // who gave it
	Via          string    `db:"via" json:"via"`       // by which way it came; empty: before that was kept
	Bytes        int64     `db:"bytes" json:"bytes"`   // as they came; 0: likewise
	Kept         bool      `db:"kept" json:"-"`        // these bytes still are
	SHA256       string    `db:"sha256" json:"sha256"` // of the bytes as they came, in hexadecimal
	RowsRead     int       `db:"rows_read" json:"rows_read"`
	RowsRejected int       `db:"rows_rejected" json:"rows_rejected"`
	LinesIgnored int       `db:"lines_ignored" json:"lines_ignored"` // what is of no concern here
	Duplicates   int       `db:"duplicates" json:"duplicates"`       // of these, statements that had come before
	LearnersNew  int       `db:"learners_new" json:"learners_new"`
	LearnersLeft int       `db:"learners_left" json:"learners_left"`
	LearnersBack int       `db:"learners_back" json:"learners_back"`
	CellsChanged int       `db:"cells_changed" json:"cells_changed"`
	Replayed     bool      `json:"replayed"` // the same bytes were imported before; nothing was done
	Unmapped     []string  `json:"unmapped"` // exercises that the session's map does not place in a week
	Rejects      []Reject  `json:"rejects"`

	// The difference, said when it is made.
	ScoresFirst   int             `db:"scores_first" json:"scores_first"` // where there was none
	ScoresRaised  int             `db:"scores_raised" json:"scores_raised"`
	ScoresLowered int             `db:"scores_lowered" json:"scores_lowered"` // and not to nought
	ScoresDropped int             `db:"scores_dropped" json:"scores_dropped"` // to nought, or taken back
	NewColumns    []string        `json:"new_columns"`                        // exercises that no intake had before
	AbsentColumns []string        `json:"absent_columns"`                     // that earlier ones had: renamed, or gone
	Ignored       []Reject        `json:"ignored"`
	Learners      []LearnerChange `json:"learners"`  // of whom it changes something
	Questions     []Question      `json:"questions"` // columns of which nobody has said what they are
	Warnings      []string        `json:"warnings"`  // what to look at before it is applied

	sessionID string
}

// Collections lists what was imported into a session (id or key), oldest collection first. Error: catalog.ErrNoSession.
func (s *Service) Collections(ctx context.Context, session string) (out []Collection, err error) {
	err = s.db.View(ctx, "collections", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		out = nil
		return tx.Select(ctx, &out, q.Q("Collections"), of.ID)
	})
	return out, err
}

// Collection finds one of a session (id or key), with the rows that could not be read. Errors: catalog.ErrNoSession, ErrNoCollection.
func (s *Service) Collection(ctx context.Context, session, id string) (c Collection, err error) {
	err = s.db.View(ctx, "collection", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		if err := tx.Get(ctx, &c, q.Q("Collection"), of.ID, id); errors.Is(err, sql.ErrNoRows) {
			return ErrNoCollection
		} else if err != nil {
			return err
		}
		c.Rejects = nil
		return tx.Select(ctx, &c.Rejects, q.Q("Rejects"), id)
	})
	return c, err
}

// File gives the bytes of an intake as they came. Errors: catalog.ErrNoSession, ErrNoCollection, ErrNotKept where they were wiped, or are of profiles or
// ids that came before these were kept.
func (s *Service) File(ctx context.Context, session, id string) (name string, content []byte, err error) {
	c, err := s.Collection(ctx, session, id)
	if err != nil {
		return "", nil, err
	}
	err = s.db.View(ctx, "file of an intake", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		return tx.Get(ctx, &content, q.Q("Content"), of.ID, id)
	})
	if err == nil {
		content, err = unpack(content)
	}
	if err == nil && len(content) == 0 {
		err = ErrNotKept
	}
	return c.FileName, content, err
}

func cohortsAsOf(ctx context.Context, tx *postgres.Tx, sessionID string, at time.Time, knownAt *time.Time) (map[string]string, error) {
	var rows []struct {
		EnrolmentID string `db:"enrolment_id"`
		Cohort      string `db:"cohort"`
	}
	if err := tx.Select(ctx, &rows, q.Q("CohortsAsOf"), sessionID, at, knownAt); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.EnrolmentID] = r.Cohort
	}
	return out, nil
}

// CohortTx gives the enrolments that were in a cohort of a session at an instant, with what had been recorded by another (zero: now,
// everything).
func CohortTx(ctx context.Context, tx *postgres.Tx, sessionID, cohort string, at, knownAt time.Time) ([]string, error) {
	if at.IsZero() {
		at = tx.Now()
	}
	all, err := cohortsAsOf(ctx, tx, sessionID, at, given(knownAt))
	ids := []string{}
	for id, c := range all {
		if c == cohort {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// GradePPM turns a global grade as it is kept into millionths; false: there is none.
func GradePPM(value int64) (ppm int, graded bool) { return int(value / (one / 1_000_000)), value >= 0 }

// GradesTx gives the latest global grades of enrolments in millionths; one without a grade is missing.
func GradesTx(ctx context.Context, tx *postgres.Tx, enrolments ...string) (map[string]int, error) {
	var rows []struct {
		EnrolmentID string `db:"enrolment_id"`
		Value       int64  `db:"value"`
	}
	err := tx.Select(ctx, &rows, q.Q("Grades"), pq.Array(enrolments))
	out := map[string]int{}
	for _, r := range rows {
		if ppm, graded := GradePPM(r.Value); graded {
			out[r.EnrolmentID] = ppm
		}
	}
	return out, err
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "18", Name: "who is in a report of a session is enrolled in it", Query: q.Q("CheckMembersAreEnrolled")},
		{Invariant: "18", Name: "the kept counts of exercises are what the cells say", Query: q.Q("CheckRunsAreTheCells")},
	}
}
