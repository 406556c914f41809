package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"cursus/internal/platform/postgres"
)

// SessionVersion is what a session said at one of its versions, with its exercises, and who made it say so. A session that the public sees
// is in force as it stands: an edit holds at once, and what stood there before stays here.
type SessionVersion struct {
	Version int
	By      string
	At      time.Time
	Says    NewSession
}

type sessionVersionRow struct {
	Version  int       `db:"version"`
	Document []byte    `db:"document"`
	By       string    `db:"written_by"`
	At       time.Time `db:"written_at"`
}

func (r sessionVersionRow) version() (SessionVersion, error) {
	v := SessionVersion{Version: r.Version, By: r.By, At: r.At}
	return v, json.Unmarshal(r.Document, &v.Says)
}

// keepSession keeps what a session says now as its version, and gives the session. Whatever counts the version up ends with it.
func keepSession(ctx context.Context, tx *postgres.Tx, id string) (Session, error) {
	s, err := SessionTx(ctx, tx, id)
	if err != nil {
		return s, err
	}
	says := s.Sheet(tx.Now()).NewSession
	if says.Exercises, err = ExercisesTx(ctx, tx, id); err != nil {
		return s, err
	}
	raw, err := json.Marshal(says)
	if err != nil {
		return s, err
	}
	_, err = tx.Exec(ctx, q.Q("KeepSession"), id, s.Version, string(raw), postgres.Actor(ctx), tx.Now())
	return s, err
}

// SessionVersionsTx lists the last versions of a session, the newest first.
func SessionVersionsTx(ctx context.Context, tx *postgres.Tx, sessionID string, limit int) ([]SessionVersion, error) {
	var rows []sessionVersionRow
	if err := tx.Select(ctx, &rows, q.Q("SessionVersions"), sessionID, limit); err != nil {
		return nil, err
	}
	out := make([]SessionVersion, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.version(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SessionVersionTx finds one version of a session; ErrNoVersion where there is none.
func SessionVersionTx(ctx context.Context, tx *postgres.Tx, sessionID string, version int) (SessionVersion, error) {
	var r sessionVersionRow
	err := tx.Get(ctx, &r, q.Q("SessionVersion"), sessionID, version)
	if errors.Is(err, sql.ErrNoRows) {
		return SessionVersion{}, ErrNoVersion
	}
	if err != nil {
		return SessionVersion{}, err
	}
	return r.version()
}
