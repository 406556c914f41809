package invoicing

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"cursus/internal/platform/postgres"
)

// Printer sets a document on paper. The same document gives the same bytes.
type Printer interface {
	Document(ctx context.Context, d Full) ([]byte, error)
}

// Issued says that a document was issued and is to be printed. The statement that issues it enqueues this, below the rank of
// what learners wait for.
type Issued struct {
	DocumentID string `json:"document_id"`
}

// Kind names the job.
func (Issued) Kind() string { return "invoicing.issued" }

// Service is the room.
type Service struct {
	db      *postgres.DB
	printer Printer
}

// New opens the room.
func New(db *postgres.DB, p Printer) *Service { return &Service{db: db, printer: p} }

// Document finds a document, as far as the actor may see it.
func (s *Service) Document(ctx context.Context, id string) (d Full, err error) {
	err = s.db.View(ctx, "document", func(ctx context.Context, tx *postgres.Tx) error {
		d, err = DocumentTx(ctx, tx, id)
		return err
	})
	return d, err
}

// PDF gives the paper of a document that the actor may see. It is made where that was not done yet, and is the same for ever.
func (s *Service) PDF(ctx context.Context, id string) (d Full, pdf []byte, err error) {
	if d, err = s.Document(ctx, id); err != nil {
		return d, nil, err
	}
	if err := s.Print(ctx, id); err != nil {
		return d, nil, err
	}
	err = s.db.View(ctx, "paper", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &pdf, q.Q("PDF"), id) })
	return d, pdf, err
}

// Print makes and keeps the paper of a document, once.
func (s *Service) Print(ctx context.Context, id string) error {
	ctx = postgres.WithGenericPlans(postgres.WithActor(ctx, "system"))
	var row documentRow
	err := s.db.Look(ctx, &row, q.Q("Document"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoDocument
	}
	if err != nil {
		return err
	}
	d, err := row.full()
	if err != nil || d.SHA256 != "" {
		return err
	}
	pdf, err := s.printer.Document(ctx, d)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(pdf)
	return s.db.InTx(ctx, "keep paper", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("KeepPDF"), id, pdf, sum[:], tx.Now())
		return err
	})
}
