package exams

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// resultFile is a taking of a file as it is kept.
type resultFile struct {
	ID          string    `db:"id"`
	FileName    string    `db:"file_name"`
	Kind        Kind      `db:"kind"`
	Outcomes    []byte    `db:"outcomes"`
	Refused     int       `db:"refused"`
	CollectedAt time.Time `db:"collected_at"`
	ImportedAt  time.Time `db:"imported_at"`
	By          string    `db:"imported_by"`
	Via         string    `db:"via"`
	Bytes       int64     `db:"bytes"`
	SHA256      string    `db:"sha256"`
}

func (f resultFile) results(session string) (out Results, err error) {
	out = Results{ID: f.ID, SessionKey: session, Kind: f.Kind, FileName: f.FileName, CollectedAt: f.CollectedAt, ImportedAt: f.ImportedAt, By: f.By, Via: f.Via, Bytes: f.Bytes, SHA256: f.SHA256}
	return out, json.Unmarshal(f.Outcomes, &out.Rows)
}

// ResultsTx finds a file of results of a session (id or key), with what became of its rows. Errors: catalog.ErrNoSession, ErrNoResults.
func ResultsTx(ctx context.Context, tx *postgres.Tx, session, id string) (Results, error) {
	of, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return Results{}, err
	}
	var f resultFile
	if err := tx.Get(ctx, &f, q.Q("ResultFileByID"), of.ID, id); errors.Is(err, sql.ErrNoRows) {
		return Results{}, ErrNoResults
	} else if err != nil {
		return Results{}, err
	}
	return f.results(of.Key)
}

// ResultsFileTx gives the bytes of a file of results as they came. Errors: those of ResultsTx, ErrResultsNotKept.
func ResultsFileTx(ctx context.Context, tx *postgres.Tx, session, id string) (Results, []byte, error) {
	r, err := ResultsTx(ctx, tx, session, id)
	if err != nil {
		return r, nil, err
	}
	of, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return r, nil, err
	}
	var packed []byte
	if err := tx.Get(ctx, &packed, q.Q("ResultFileContent"), of.ID, id); errors.Is(err, sql.ErrNoRows) {
		return r, nil, ErrResultsNotKept
	} else if err != nil {
		return r, nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return r, nil, err
	}
	content, err := io.ReadAll(z)
	return r, content, err
}

func packed(content []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}
