package intakes

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"time"

	"cursus/internal/kernel/pieces"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/lean"
	"cursus/internal/platform/postgres"
)

// Work tries or applies a batch, as it stands. A batch that is gone, or done with, asks for nothing.
func (s *Service) Work(ctx context.Context, e Asked) error {
	b, err := s.Batch(ctx, e.BatchID)
	if errors.Is(err, ErrNoBatch) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lean.While()()
	ctx = asSystem(postgres.WithActor(ctx, b.AskedBy)) // the house does it for her
	switch b.State {
	case Trying:
		return s.try(ctx, b)
	case Applying:
		return s.apply(ctx, b)
	}
	return nil
}

// settled is what became of a file.
type settled struct {
	id      string
	state   string
	does    *Summary
	problem *Problem
}

// try tries all files in one transaction that is taken back, so that each says what it changes after those before it. A file that is refused leaves
// nothing for the next.
func (s *Service) try(ctx context.Context, b Batch) error {
	var all []settled
	err := s.db.InTx(postgres.WithOwnPlans(ctx), "try files", func(inside context.Context, tx *postgres.Tx) error {
		all = nil
		for _, f := range b.Files {
			if f.Skipped || f.State == FileRefused {
				continue
			}
			if _, err := tx.Raw().ExecContext(inside, "SAVEPOINT one"); err != nil {
				return err
			}
			x := settled{id: f.ID, state: FileTried}
			taken, err := s.one(ctx, inside, tx, b, f, true)
			if err != nil {
				if x.problem = ofFile(postgres.Faulted(inside, err)); x.problem == nil {
					return err
				}
				x.state = FileRefused
				if _, err := tx.Raw().ExecContext(inside, "ROLLBACK TO SAVEPOINT one"); err != nil {
					return err
				}
			} else {
				does := Summarise(taken)
				x.does = &does
			}
			all = append(all, x)
		}
		return errDryRun
	})
	if !errors.Is(err, errDryRun) {
		return err
	}
	return s.db.InTx(ctx, "files tried", func(ctx context.Context, tx *postgres.Tx) error {
		now, err := lockTx(ctx, tx, b.ID)
		if errors.Is(err, ErrNoBatch) || err == nil && (!Life.Allows(now.State, Tried) || now.Version != b.Version) {
			return nil // somebody left it, or another worker was faster
		}
		if err != nil {
			return err
		}
		for _, x := range all {
			if err := settleTx(ctx, tx, x); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, q.Q("Done"), b.ID, Tried, tx.Now())
		return err
	})
}

// apply takes the files in that were tried with success, each in its transaction, in which it is noted too: a worker that dies takes none twice.
func (s *Service) apply(ctx context.Context, b Batch) error {
	for _, f := range b.Files {
		if f.Skipped || f.State != FileTried {
			continue
		}
		err := s.db.InTx(postgres.WithOwnPlans(ctx), "take file of a batch", func(inside context.Context, tx *postgres.Tx) error {
			now, err := lockTx(inside, tx, b.ID)
			if errors.Is(err, ErrNoBatch) || err == nil && now.still(f.ID) != FileTried {
				return nil
			}
			if err != nil {
				return err
			}
			taken, err := s.one(ctx, inside, tx, b, f, false)
			if err != nil {
				return err
			}
			does := Summarise(taken)
			return settleTx(inside, tx, settled{f.ID, FileTaken, &does, nil})
		})
		if err == nil {
			continue
		}
		problem := ofFile(err)
		if problem == nil {
			return err
		}
		if err := s.db.InTx(ctx, "refuse file of a batch", func(ctx context.Context, tx *postgres.Tx) error {
			return settleTx(ctx, tx, settled{f.ID, FileRefused, nil, problem})
		}); err != nil {
			return err
		}
	}
	return s.db.InTx(ctx, "files applied", func(ctx context.Context, tx *postgres.Tx) error {
		now, err := lockTx(ctx, tx, b.ID)
		if errors.Is(err, ErrNoBatch) || err == nil && !Life.Allows(now.State, Applied) {
			return nil // another worker was faster
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("DropAllPieces"), b.ID); err != nil { // the rooms keep what they took in
			return err
		}
		_, err = tx.Exec(ctx, q.Q("Done"), b.ID, Applied, tx.Now())
		return err
	})
}

// still is the state of a file now.
func (b Batch) still(id string) string {
	for _, f := range b.Files {
		if f.ID == id {
			return f.State
		}
	}
	return ""
}

func settleTx(ctx context.Context, tx *postgres.Tx, x settled) error {
	var does, problem []byte
	var err error
	if x.does != nil {
		does, err = json.Marshal(x.does)
	}
	if err == nil && x.problem != nil {
		problem, err = json.Marshal(x.problem)
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, q.Q("Settle"), x.id, x.state, does, problem)
	return err
}

// one tries a file or takes it in. Its bytes are read, and its progress is told, outside of the transaction.
func (s *Service) one(outside, inside context.Context, tx *postgres.Tx, b Batch, f Staged, dry bool) (out Taken, err error) {
	if f.State == FileComing {
		return out, ErrCut
	}
	x := File{Session: b.SessionID, Kind: f.Kind, Name: f.Name, Via: ByPage, Source: s.source(outside, f.ID), DryRun: dry, Mappings: b.Mappings}
	if f.CollectedAt != nil {
		x.CollectedAt = f.CollectedAt.UTC()
	}
	if x.Guessed = x.Kind == ""; x.Guessed {
		if x.Kind, err = KindOf(x.Source); err != nil {
			return out, err
		}
	}
	if x.Kind == OfResults && !b.Exams {
		return out, ErrNotExams
	}
	var told time.Time
	x.Progress = func(done, of int) {
		now := s.db.Now()
		if now.Sub(told) < 200*time.Millisecond && !told.IsZero() {
			return
		}
		told = now
		_ = s.db.InTx(outside, "progress of a file", func(ctx context.Context, tx *postgres.Tx) error { // a bar that stands still harms nobody
			_, err := tx.Exec(ctx, q.Q("Progress"), f.ID, 100*done/max(of, 1))
			return err
		})
	}
	return s.takeTx(inside, tx, x)
}

// source reads a file that is kept, piece by piece.
func (s *Service) source(ctx context.Context, id string) sheet.Source {
	return func() (io.ReadCloser, error) {
		in, err := pieces.Read(func(n int) (piece []byte, err error) {
			err = s.db.View(ctx, "piece of a file", func(ctx context.Context, tx *postgres.Tx) error {
				return tx.Get(ctx, &piece, q.Q("Piece"), id, n)
			})
			if errors.Is(err, sql.ErrNoRows) {
				err = pieces.ErrNone
			}
			return piece, err
		})
		if errors.Is(err, pieces.ErrNone) {
			return nil, ErrCut
		}
		return io.NopCloser(in), err
	}
}
