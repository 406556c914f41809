package export

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"hash"
	"io"
	"net/http"
	"time"

	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

const (
	life      = 3 * 24 * time.Hour // of a file
	pieceSize = 1 << 20            // bytes
	longest   = 2 * time.Hour      // that one attempt to make a file may take
	patience  = 10 * time.Second   // for one piece
)

// Bulk is a file with all that the views show: a ZIP with a file for each view, dictionary.csv and manifest.json. Done of Total views are
// written.
type Bulk struct {
	ID        string     `db:"id" json:"id"`
	Format    string     `db:"format" json:"format"` // csv or parquet
	AskedAt   time.Time  `db:"asked_at" json:"asked_at"`
	State     string     `db:"state" json:"state"` // pending, ready, expired
	Done      int        `db:"done" json:"done"`
	Total     int        `db:"total" json:"total"`
	Rows      int64      `db:"rows" json:"rows"`
	Bytes     int64      `db:"bytes" json:"bytes"`
	SHA256    string     `db:"sha256" json:"sha256,omitempty"` // hexadecimal
	AsOf      *time.Time `db:"as_of" json:"as_of,omitempty"`   // the moment that all of it shows
	ReadyAt   *time.Time `db:"ready_at" json:"ready_at,omitempty"`
	ExpiresAt *time.Time `db:"expires_at" json:"expires_at,omitempty"`
}

// Percent is how far the file is, in views.
func (b Bulk) Percent() int { return 100 * b.Done / max(1, b.Total) }

// BulkAsked has a file made.
type BulkAsked struct {
	BulkID string `json:"bulk_id"`
}

// Kind names the job.
func (BulkAsked) Kind() string { return "export.bulk" }

// Rank lets what people wait for go first.
func (BulkAsked) Rank() int { return 5 }

// Lasts is how long one attempt may take.
func (BulkAsked) Lasts() time.Duration { return longest }

// Ask has everything written into one file, once per key. While one of that format is being made, it is that one.
// Error: ErrFormat.
func (s *Service) Ask(ctx context.Context, key, format string) (Bulk, error) {
	if format != CSV && format != Parquet {
		return Bulk{}, ErrFormat
	}
	reply, _, err := s.replies.Do(ctx, postgres.Author(ctx), key, "export data "+format, func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		id := ident.New("bex")
		for try := 0; ; try++ { // where one is being made until we look which, it is ready by then, and another one is asked for
			n, err := tx.Exec(ctx, q.Q("AddBulk"), id, format, postgres.Author(ctx), tx.Now())
			if err != nil {
				return idempotency.Reply{}, err
			}
			if n > 0 {
				break
			}
			var pending string
			if err := tx.Get(ctx, &pending, q.Q("PendingBulk"), format); err == nil || !errors.Is(err, sql.ErrNoRows) || try == 10 {
				return idempotency.Reply{Status: http.StatusAccepted, Body: []byte(pending)}, err
			}
		}
		if err := s.jobs.EnqueueTx(ctx, tx, BulkAsked{id}); err != nil {
			return idempotency.Reply{}, err
		}
		return idempotency.Reply{Status: http.StatusAccepted, Body: []byte(id)},
			audit.AppendTx(ctx, tx, audit.Entry{Action: "data_export.asked", Object: id, Detail: map[string]string{"format": format}})
	})
	if err != nil {
		return Bulk{}, err
	}
	return s.Bulk(ctx, string(reply.Body))
}

// Bulk finds a file. Error: ErrNoExport.
func (s *Service) Bulk(ctx context.Context, id string) (b Bulk, err error) {
	err = s.db.View(ctx, "data export", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &b, q.Q("Bulk"), id) })
	if errors.Is(err, sql.ErrNoRows) {
		return b, ErrNoExport
	}
	return b, err
}

// Bulks lists files, the newest first.
func (s *Service) Bulks(ctx context.Context, r page.Request) (all []Bulk, next string, err error) {
	err = s.db.View(ctx, "data exports", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &all, q.Q("Bulks"), r.After, r.Limit+1)
	})
	if len(all) > r.Limit {
		all = all[:r.Limit]
		next = all[r.Limit-1].ID
	}
	return all, next, err
}

// Open gives the bytes of a file, piece by piece as they are read, which may be after ctx has ended, and notes who took them. Errors: ErrNoExport, ErrNotReady.
func (s *Service) Open(ctx context.Context, id string) (Bulk, io.Reader, error) {
	b, err := s.Bulk(ctx, id)
	if err != nil {
		return b, nil, err
	}
	if b.State == "pending" {
		return b, nil, ErrNotReady
	}
	first := &pieces{s: s, ctx: context.WithoutCancel(ctx), id: id}
	if first.held, err = s.piece(ctx, id, 0); err != nil {
		return b, nil, err
	}
	first.next = 1
	return b, first, s.db.InTx(ctx, "fetch data export", func(ctx context.Context, tx *postgres.Tx) error {
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "data_export.fetched", Object: id})
	})
}

func (s *Service) piece(ctx context.Context, id string, n int) (content []byte, err error) {
	err = s.db.View(ctx, "piece of an export", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &content, q.Q("Piece"), id, n, tx.Now())
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoExport
	}
	return content, err
}

// pieces reads a file.
type pieces struct {
	s    *Service
	ctx  context.Context //nolint:containedctx // who acts
	id   string
	next int
	held []byte
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.held) == 0 {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		defer cancel()
		var err error
		if p.held, err = p.s.piece(ctx, p.id, p.next); errors.Is(err, ErrNoExport) {
			return 0, io.EOF // Open found the first one; a file that expired meanwhile ends too early, which its length tells
		} else if err != nil {
			return 0, err
		}
		p.next++
	}
	n := copy(b, p.held)
	p.held = p.held[n:]
	return n, nil
}

// makeBulk writes a file. Whoever runs it again makes it anew, and whoever is still at it then writes no more.
func (s *Service) makeBulk(ctx context.Context, a BulkAsked) error {
	var mine struct {
		Attempt int    `db:"attempt"`
		Format  string `db:"format"`
	}
	err := s.db.InTx(ctx, "data export", func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.Get(ctx, &mine, q.Q("Attempt"), a.BulkID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, q.Q("DropPieces"), a.BulkID, mine.Attempt)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil // made already
	} else if err != nil {
		return err
	}
	// One side reads the views in a transaction of its own, the other writes the pieces in one each.
	reader, writer := io.Pipe()
	var m Manifest
	written := make(chan error, 1)
	go func() {
		err := s.intoZip(ctx, writer, a.BulkID, mine.Attempt, mine.Format, &m)
		written <- err
		_ = writer.CloseWithError(err)
	}()
	sum, err := s.keep(ctx, reader, a.BulkID, mine.Attempt)
	_ = reader.CloseWithError(err) // who writes stops where who keeps has failed
	if err == nil {
		err = <-written // the end of what was read is not told from a connection that broke off
	}
	if err != nil {
		return err
	}
	var rows int64
	for _, f := range m.Files {
		rows += f.Rows
	}
	return s.db.InTx(ctx, "data export ready", func(ctx context.Context, tx *postgres.Tx) error {
		n, err := tx.Exec(ctx, q.Q("BulkReady"), a.BulkID, mine.Attempt, rows, sum, m.AsOf, tx.Now(), tx.Now().Add(life))
		if err != nil || n == 0 {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "data_export.made", Object: a.BulkID, Detail: map[string]any{"rows": rows}})
	})
}

// intoZip writes all files into one.
func (s *Service) intoZip(ctx context.Context, w io.Writer, id string, attempt int, format string, m *Manifest) (err error) {
	z := zip.NewWriter(w)
	if *m, err = WriteFiles(ctx, s.db, format, zipped(z), func(p Progress) error {
		return s.goes(ctx, id, attempt, p)
	}); err != nil {
		return err
	}
	return z.Close()
}

// goes notes how far a file is.
func (s *Service) goes(ctx context.Context, id string, attempt int, p Progress) error {
	return s.db.InTx(ctx, "data export goes", func(ctx context.Context, tx *postgres.Tx) error {
		n, err := tx.Exec(ctx, q.Q("BulkGoes"), id, attempt, p.Done, p.Rows)
		if err == nil && n == 0 {
			return errOvertaken
		}
		return err
	})
}

// keep stores what it reads piece by piece, and gives its SHA-256.
func (s *Service) keep(ctx context.Context, r io.Reader, id string, attempt int) ([]byte, error) {
	sum, piece := sha256.New(), make([]byte, pieceSize)
	for n := 0; ; n++ {
		size, err := io.ReadFull(r, piece)
		if size > 0 {
			if err := s.addPiece(ctx, id, attempt, n, piece[:size], sum); err != nil {
				return nil, err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return sum.Sum(nil), nil
		case err != nil:
			return nil, err
		}
	}
}

func (s *Service) addPiece(ctx context.Context, id string, attempt, n int, content []byte, sum hash.Hash) error {
	_, _ = sum.Write(content) // a hash takes everything
	return s.db.InTx(ctx, "piece of an export", func(ctx context.Context, tx *postgres.Tx) error {
		added, err := tx.Exec(ctx, q.Q("AddPiece"), id, attempt, n, content)
		if err == nil && added == 0 {
			return errOvertaken
		}
		return err
	})
}

var _ jobs.Args = BulkAsked{}
