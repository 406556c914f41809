package intakes

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/kernel/pieces"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/lean"
	"cursus/internal/platform/postgres"
)

// State is where a batch stands.
type State string

// The states.
const (
	Coming   State = "coming" // its files are being sent
	Trying   State = "trying"
	Tried    State = "tried" // it can be looked at, tried again with what was said of it, and applied
	Applying State = "applying"
	Applied  State = "applied"
)

// Life is every move of a batch.
var Life = lifecycle.Table[State]{Name: "batch of files", Start: Coming, Moves: map[State][]State{
	Coming:   {Trying},
	Trying:   {Tried},
	Tried:    {Trying, Applying},
	Applying: {Applied},
}}

// Where a file of a batch stands.
const (
	FileComing  = "coming"
	FileWaiting = "waiting"
	FileTried   = "tried"
	FileRefused = "refused" // Problem says why
	FileTaken   = "taken"
)

// Limits of a batch.
const (
	MaxFiles     = 60
	MaxFileBytes = 256 << 20
	keptDays     = 7
)

// Batch are files that came together.
type Batch struct {
	ID        string              `db:"id"`
	Session   string              `db:"session"` // key
	SessionID string              `db:"session_id"`
	State     State               `db:"state"`
	Version   int                 `db:"version"`
	Exams     bool                `db:"exams"` // who asked may take results of exams in
	AskedBy   string              `db:"asked_by"`
	MadeAt    time.Time           `db:"made_at"`
	Said      []byte              `db:"mappings"`
	Mappings  []gradebook.Mapping `db:"-"`
	Files     []Staged            `db:"-"` // in the order of their collection
}

// Staged is a file of a batch, kept until it is applied.
type Staged struct {
	ID          string     `db:"id"`
	Place       int        `db:"place"`
	Name        string     `db:"file_name"`
	Bytes       int64      `db:"bytes"`
	Kind        string     `db:"kind"`         // as it was said; empty: as it seems
	CollectedAt *time.Time `db:"collected_at"` // as it was said; nil: as its name says
	Skipped     bool       `db:"skipped"`
	State       string     `db:"state"`
	Percent     int        `db:"percent"`
	Does        *Summary   `db:"-"`
	Problem     *Problem   `db:"-"`
	RawTaken    []byte     `db:"taken"`
	RawProblem  []byte     `db:"problem"`
}

// made is when a file was made, as far as anybody says so.
func (f Staged) made() time.Time {
	if f.CollectedAt != nil {
		return *f.CollectedAt
	}
	if at, ok := sheet.MadeAt(f.Name); ok {
		return at
	}
	return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) // what says nothing comes last
}

// Runs says that something is under way.
func (b Batch) Runs() bool { return b.State == Trying || b.State == Applying }

// Percent is how far it is.
func (b Batch) Percent() int {
	sum, of := 0, 0
	for _, f := range b.Files {
		if f.Skipped {
			continue
		}
		if of++; f.State == FileTaken || f.State == FileRefused {
			sum += 100
		} else {
			sum += f.Percent
		}
	}
	return sum / max(of, 1)
}

// Takes says whether there is a file that would be taken in.
func (b Batch) Takes() bool {
	return slices.ContainsFunc(b.Files, func(f Staged) bool { return !f.Skipped && f.State == FileTried && f.Does != nil && !f.Does.Replayed })
}

// Begin opens a batch for a session (id or key). Error: catalog.ErrNoSession.
func (s *Service) Begin(ctx context.Context, session string, mayExams bool) (id string, err error) {
	id = ident.New("itb")
	return id, s.db.InTx(asSystem(ctx), "begin batch", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, q.Q("AddBatch"), id, of.ID, Coming, mayExams, postgres.Author(ctx), tx.Now())
		return err
	})
}

// Receive keeps a file of a batch that is coming, as it is read. Errors: ErrNoBatch, ErrTooMany, ErrTooLarge, ErrCut.
func (s *Service) Receive(ctx context.Context, batch, name string, from io.Reader) error {
	defer lean.While()() // each piece is garbage a moment later
	ctx = asSystem(ctx)
	id := ident.New("itf")
	if err := s.db.InTx(ctx, "begin file", func(ctx context.Context, tx *postgres.Tx) error {
		b, err := lockTx(ctx, tx, batch)
		switch {
		case err != nil:
			return err
		case b.State != Coming:
			return ErrNoBatch
		case len(b.Files) >= MaxFiles:
			return ErrTooMany
		}
		_, err = tx.Exec(ctx, q.Q("AddFile"), id, batch, len(b.Files), sheet.PlainName(name, "file.csv"))
		return err
	}); err != nil {
		return err
	}
	hash := sha256.New()
	in := &counted{in: io.TeeReader(io.LimitReader(from, MaxFileBytes+1), hash)}
	err := pieces.Write(in, func(n int, piece []byte) error {
		return s.db.InTx(ctx, "keep piece", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, q.Q("AddPiece"), id, n, piece)
			return err
		})
	})
	switch {
	case in.failed:
		return ErrCut.Because(err)
	case err != nil:
		return err
	case in.n > MaxFileBytes:
		return s.refuse(ctx, id, ErrTooLarge)
	}
	return s.db.InTx(ctx, "end file", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("FileCame"), id, in.n, hash.Sum(nil), FileWaiting)
		return err
	})
}

// refuse keeps a file among the others, with the reason why it is none.
func (s *Service) refuse(ctx context.Context, id string, f *fault.Fault) error {
	problem, err := json.Marshal(ofFile(f))
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, "refuse file", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("DropPieces"), id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, q.Q("Settle"), id, FileRefused, nil, problem)
		return err
	})
}

// counted counts what is read, and tells a reader that failed from what failed behind it.
type counted struct {
	in     io.Reader
	n      int64
	failed bool
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n += int64(n)
	c.failed = err != nil && !errors.Is(err, io.EOF)
	return n, err
}

// Said is what was said of a file that was looked at.
type Said struct {
	Kind        string
	CollectedAt *time.Time
	Skipped     bool
}

// Decision is what somebody decides about a batch.
type Decision struct {
	Version  int  // that she looked at; 0: any
	Apply    bool // as it was tried, with what is said of columns; otherwise, and where a file is said to be another one, it is tried again
	Exams    bool // she may take results of exams in
	Files    map[string]Said
	Mappings []gradebook.Mapping
}

// Decide has a batch tried, with what is said of it, or applied as it was tried. Errors: ErrNoBatch, ErrBusy, ErrDone, ErrChanged, ErrNothing.
func (s *Service) Decide(ctx context.Context, id string, d Decision) error {
	return s.db.InTx(asSystem(ctx), "decide about files", func(ctx context.Context, tx *postgres.Tx) error {
		b, err := lockTx(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case b.State == Applied:
			return ErrDone
		case b.Runs():
			return ErrBusy
		case d.Version > 0 && d.Version != b.Version:
			return ErrChanged
		case d.Apply && !Life.Allows(b.State, Applying):
			return ErrNothing
		}
		to, say := Trying, "Say"
		if d.Apply && !b.other(d.Files) {
			to, say = Applying, "Skip"
		}
		for i, f := range b.Files {
			said, there := d.Files[f.ID]
			if !there {
				said = Said{f.Kind, f.CollectedAt, f.Skipped}
			}
			b.Files[i].Skipped = said.Skipped
			if _, err := tx.Exec(ctx, q.Q(say), f.ID, said.Kind, said.CollectedAt, said.Skipped); err != nil {
				return err
			}
		}
		if !Life.Allows(b.State, to) {
			return ErrBusy
		}
		if to == Applying && !b.Takes() {
			return ErrNothing
		}
		mappings, err := json.Marshal(append([]gradebook.Mapping{}, d.Mappings...))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("Move"), id, to, mappings, d.Exams, postgres.Author(ctx), tx.Now()); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(ctx, tx, Asked{id})
	})
}

// other says that a file is said to be something else than it was tried as, or made at another time: what it would do then nobody has seen.
func (b Batch) other(said map[string]Said) bool {
	return slices.ContainsFunc(b.Files, func(f Staged) bool {
		s, there := said[f.ID]
		at := s.CollectedAt == nil && f.CollectedAt == nil || s.CollectedAt != nil && f.CollectedAt != nil && s.CollectedAt.Equal(*f.CollectedAt)
		return there && (s.Kind != f.Kind || !at || f.Skipped && !s.Skipped)
	})
}

// Leave forgets a batch that nobody applies. Errors: ErrNoBatch, ErrBusy.
func (s *Service) Leave(ctx context.Context, id string) error {
	return s.db.InTx(asSystem(ctx), "leave files", func(ctx context.Context, tx *postgres.Tx) error {
		b, err := lockTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if b.State == Applying {
			return ErrBusy
		}
		_, err = tx.Exec(ctx, q.Q("DropBatch"), id)
		return err
	})
}

// Batch finds one. Error: ErrNoBatch.
func (s *Service) Batch(ctx context.Context, id string) (b Batch, err error) {
	err = s.db.View(asSystem(ctx), "batch", func(ctx context.Context, tx *postgres.Tx) (err error) {
		b, err = batchTx(ctx, tx, id)
		return err
	})
	return b, err
}

// WaitingTx are the batches of a session that were not applied yet, the newest first.
func WaitingTx(ctx context.Context, tx *postgres.Tx, sessionID string) (all []Batch, err error) {
	err = tx.Select(ctx, &all, q.Q("Waiting"), sessionID)
	return all, err
}

// Forget drops what nobody looked at for a week, with its files, and tells of how many batches.
func (s *Service) Forget(ctx context.Context) (n int64, err error) {
	err = s.db.InTx(asSystem(ctx), "forget batches", func(ctx context.Context, tx *postgres.Tx) (err error) {
		n, err = tx.Exec(ctx, q.Q("Forget"), tx.Now().AddDate(0, 0, -keptDays))
		return err
	})
	return n, err
}

func lockTx(ctx context.Context, tx *postgres.Tx, id string) (b Batch, err error) {
	if _, err := tx.Exec(ctx, q.Q("Lock"), id); err != nil {
		return b, err
	}
	return batchTx(ctx, tx, id)
}

func batchTx(ctx context.Context, tx *postgres.Tx, id string) (b Batch, err error) {
	if err = tx.Get(ctx, &b, q.Q("Batch"), id); errors.Is(err, sql.ErrNoRows) {
		return b, ErrNoBatch
	} else if err != nil {
		return b, err
	}
	if err := json.Unmarshal(b.Said, &b.Mappings); err != nil {
		return b, err
	}
	if err := tx.Select(ctx, &b.Files, q.Q("Files"), id); err != nil {
		return b, err
	}
	for i := range b.Files {
		f := &b.Files[i]
		if len(f.RawTaken) > 0 {
			err = errors.Join(err, json.Unmarshal(f.RawTaken, &f.Does))
		}
		if len(f.RawProblem) > 0 {
			err = errors.Join(err, json.Unmarshal(f.RawProblem, &f.Problem))
		}
	}
	slices.SortStableFunc(b.Files, func(a, c Staged) int { return cmp.Or(a.made().Compare(c.made()), a.Place-c.Place) })
	return b, err
}
