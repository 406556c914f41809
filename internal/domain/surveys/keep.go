package surveys

import (
	"context"
	"database/sql"
	"errors"
	"io"

	"cursus/internal/kernel/pieces"
	"cursus/internal/platform/postgres"
)

// keep keeps the bytes as they came.
func (k *intake) keep(ctx context.Context, tx *postgres.Tx) error {
	f, err := k.source()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return pieces.Write(f, func(n int, piece []byte) error {
		_, err := tx.Exec(ctx, q.Q("AddPiece"), k.ID, n, piece)
		return err
	})
}

// ImportTx finds an import of a session (id or key), with what became of its rows. Errors: catalog.ErrNoSession, ErrNoImport.
func ImportTx(ctx context.Context, tx *postgres.Tx, sessionRef, id string) (i Import, err error) {
	if i, err = importTx(ctx, tx, sessionRef, id); err != nil {
		return i, err
	}
	i.Outcomes, err = OutcomesTx(ctx, tx, id)
	return i, err
}

// File gives the bytes of an import of a session (id or key) as they came, a piece at a time: whoever reads slowly holds no connection. Errors:
// catalog.ErrNoSession, ErrNoImport, ErrNotKept where they were wiped, or came before they were kept.
func (s *Service) File(ctx context.Context, sessionRef, id string) (i Import, body io.Reader, err error) {
	err = s.db.View(ctx, "import", func(ctx context.Context, tx *postgres.Tx) (err error) {
		i, err = importTx(ctx, tx, sessionRef, id)
		return err
	})
	if err != nil {
		return i, nil, err
	}
	later := context.WithoutCancel(ctx) // the answer is written after the handler has returned
	body, err = pieces.Read(func(n int) (piece []byte, err error) {
		err = s.db.View(later, "piece of an import", func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &piece, q.Q("Piece"), id, n)
		})
		if errors.Is(err, sql.ErrNoRows) {
			err = pieces.ErrNone
		}
		return piece, err
	})
	if errors.Is(err, pieces.ErrNone) {
		err = ErrNotKept
	}
	return i, body, err
}

func importTx(ctx context.Context, tx *postgres.Tx, sessionRef, id string) (i Import, err error) {
	s, err := session(ctx, tx, sessionRef)
	if err != nil {
		return i, err
	}
	if err = tx.Get(ctx, &i, q.Q("Import"), s.ID, id); errors.Is(err, sql.ErrNoRows) {
		err = ErrNoImport
	}
	return i, err
}
