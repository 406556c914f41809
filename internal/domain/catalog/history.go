package catalog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"cursus/internal/platform/postgres"
)

// CourseVersion is a working copy as it was written: every one can be read for ever. The title is that of the document.
type CourseVersion struct {
	Version int       `json:"version"`
	By      string    `json:"written_by"`
	At      time.Time `json:"written_at"`
	Title   Text      `json:"title"`
}

// VersionsTx lists the versions of a course before one, the newest first; 0 begins with the last.
func VersionsTx(ctx context.Context, tx *postgres.Tx, courseID string, before, limit int) ([]CourseVersion, error) {
	var rows []struct {
		Version int       `db:"version"`
		By      string    `db:"written_by"`
		At      time.Time `db:"written_at"`
		EN      string    `db:"title_en"`
		FR      string    `db:"title_fr"`
	}
	err := tx.Select(ctx, &rows, q.Q("Versions"), courseID, before, limit)
	out := make([]CourseVersion, len(rows))
	for i, r := range rows {
		out[i] = CourseVersion{r.Version, r.By, r.At, Text{r.EN, r.FR}}
	}
	return out, err
}

// VersionTx finds a version of a course by id or key, with its whole document.
func VersionTx(ctx context.Context, tx *postgres.Tx, idOrKey string, version int) (Working, error) {
	var r workingRow
	err := tx.Get(ctx, &r, q.Q("Version"), idOrKey, version)
	if errors.Is(err, sql.ErrNoRows) {
		return Working{}, ErrNoVersion
	}
	if err != nil {
		return Working{}, err
	}
	return r.working()
}

// PublishedTx finds the document that the public sees of a course; ErrNoCourse where it sees none.
func PublishedTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Draft, error) {
	w, err := working(ctx, tx, q.Q("PublishedDocument"), idOrKey)
	return w.Document, err
}
