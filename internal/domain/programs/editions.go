package programs

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

type editionRow struct {
	ID         string              `db:"id"`
	Key        string              `db:"key"`
	ProgramID  string              `db:"program_id"`
	ProgramKey string              `db:"program_key"`
	Version    int                 `db:"version_number"`
	TitleEN    string              `db:"title_en"`
	TitleFR    string              `db:"title_fr"`
	Lang       string              `db:"lang"`
	Partner    string              `db:"partner"`
	Capacity   *int                `db:"capacity"`
	StartsAt   *time.Time          `db:"starts_at"`
	EndsAt     *time.Time          `db:"ends_at"`
	EnrolFrom  *time.Time          `db:"enrol_from"`
	EnrolUntil *time.Time          `db:"enrol_until"`
	State      catalog.Publication `db:"state"`
	Edited     int                 `db:"version"`
	Promised   bool                `db:"promised"`
}

func (r editionRow) edition() Edition {
	return Edition{
		ID: r.ID, Key: r.Key, ProgramID: r.ProgramID, ProgramKey: r.ProgramKey, Version: r.Version, Title: catalog.Text{EN: r.TitleEN, FR: r.TitleFR},
		Lang: r.Lang, Partner: r.Partner, Capacity: r.Capacity, StartsAt: r.StartsAt, EndsAt: r.EndsAt, EnrolFrom: r.EnrolFrom, EnrolUntil: r.EnrolUntil,
		State: r.State, Edited: r.Edited, Promised: r.Promised, Sessions: []EditionSession{},
	}
}

// EditionTx finds an edition by id or key, whatever its state of publication.
func EditionTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Edition, error) {
	all, err := editions(ctx, tx, "Edition", idOrKey)
	if err == nil && len(all) == 0 {
		err = ErrNoEdition
	}
	if err != nil {
		return Edition{}, err
	}
	return all[0], nil
}

// EditionsTx lists the editions of a program, or of all where it is "", the newest of each program first.
func EditionsTx(ctx context.Context, tx *postgres.Tx, program string) ([]Edition, error) {
	return editions(ctx, tx, "Editions", program)
}

// PublicEditionsTx lists at most p.Limit published editions after the one whose id p.After is, and the id to go on after: of a program by
// id or key, or of all where it is "", by the key of the program, the newest first.
func PublicEditionsTx(ctx context.Context, tx *postgres.Tx, program string, p page.Request) ([]Edition, string, error) {
	all, err := editions(ctx, tx, "PublicEditions", program, p.After, p.Limit+1)
	if err != nil || len(all) <= p.Limit {
		return all, "", err
	}
	return all[:p.Limit], all[p.Limit-1].ID, nil
}

// PublishedEditionsOfTx lists the published editions of programs by their ids, the newest of each program first.
func PublishedEditionsOfTx(ctx context.Context, tx *postgres.Tx, programIDs ...string) ([]Edition, error) {
	return editions(ctx, tx, "PublishedEditionsOf", pq.Array(programIDs))
}

func editions(ctx context.Context, tx *postgres.Tx, statement string, args ...any) ([]Edition, error) {
	var rows []editionRow
	if err := tx.Select(ctx, &rows, q.Q(statement), args...); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	out, ids, at := make([]Edition, len(rows)), make([]string, len(rows)), map[string]int{}
	for i, r := range rows {
		out[i], ids[i], at[r.ID] = r.edition(), r.ID, i
	}
	if len(out) == 0 {
		return out, nil
	}
	var sessions []struct {
		EditionID  string     `db:"edition_id"`
		CourseKey  string     `db:"course_key"`
		SessionID  string     `db:"session_id"`
		SessionKey string     `db:"session_key"`
		Opening    Opening    `db:"opening"`
		OpensAt    *time.Time `db:"opens_at"`
		StartsAt   *time.Time `db:"starts_at"`
		EndsAt     *time.Time `db:"ends_at"`
		Closed     bool       `db:"closed"`
	}
	if err := tx.Select(ctx, &sessions, q.Q("EditionSessions"), pq.Array(ids)); err != nil {
		return nil, err
	}
	for _, s := range sessions {
		e := &out[at[s.EditionID]]
		e.Sessions = append(e.Sessions, EditionSession{s.CourseKey, s.SessionID, s.SessionKey, s.Opening, s.OpensAt, s.StartsAt, s.EndsAt, s.Closed})
	}
	return out, nil
}
