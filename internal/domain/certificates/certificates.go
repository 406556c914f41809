// Package certificates awards, prints, shows, replaces and revokes certificates of sessions and of programs.
//
// Every printed fact is stored first and never changes; the document is made from these facts alone, hashed and kept. A
// revoked certificate stays known as revoked, and one that another took the place of as replaced.
package certificates

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("certificates", queriesSQL)

// Issuer is in whose name certificates are given, and where they are verified.
type Issuer struct {
	Name, Signatory string
	Code            string // under which programs name us among those that certify
	BaseURL         string // of our site
}

// How a certificate stands.
const (
	StateValid    = "valid"
	StateReplaced = "replaced"
	StateRevoked  = "revoked"
)

// Certificate is what was awarded, of a session or of an edition. SHA256 is empty until the document is made.
type Certificate struct {
	ID            string
	Kind          string
	EnrolmentID   string // of a session
	LearnerID     string
	SessionID     string
	EditionID     string
	SittingID     string // of an exam
	Code          string
	Facts         CertificateFacts
	IssuedAt      time.Time
	RevokedAt     *time.Time
	RevokedReason string
	ReplacedAt    *time.Time
	ReplacesID    string
	ReplacedByID  string
	SHA256        string
	Signed        bool // its document carries an electronic signature

	stage, entitlement string // that it was awarded by
}

// State is how it stands.
func (c Certificate) State() string {
	switch {
	case c.RevokedAt != nil:
		return StateRevoked
	case c.ReplacedAt != nil:
		return StateReplaced
	}
	return StateValid
}

// Awarded says that a certificate was awarded and has to be printed and announced. Those of a batch wait while other work is due.
type Awarded struct {
	CertificateID string `json:"certificate_id"`
	Bulk          bool   `json:"bulk,omitempty"`
}

// Kind names the job.
func (Awarded) Kind() string { return "certificates.awarded" }

// Rank lets those of a batch wait.
func (a Awarded) Rank() int {
	if a.Bulk {
		return 1
	}
	return 0
}

// Revoked says that a certificate was taken back.
type Revoked struct {
	CertificateID string `json:"certificate_id"`
}

// Kind names the job.
func (Revoked) Kind() string { return "certificates.revoked" }

// Reinstated says that a revoked certificate holds again.
type Reinstated struct {
	CertificateID string `json:"certificate_id"`
}

// Kind names the job.
func (Reinstated) Kind() string { return "certificates.reinstated" }

// Service is the room.
type Service struct {
	db       *postgres.DB
	jobs     *jobs.Jobs
	replies  *idempotency.Store
	renderer Renderer
	signer   Signer // nil: documents are not signed
	issuer   Issuer
	demo     bool
	known    sync.Map // images of the looks that were printed last
	misses   misses
}

// New opens the room. In the demo everything that is printed says so.
func New(db *postgres.DB, j *jobs.Jobs, r Renderer, issuer Issuer, demo bool) *Service {
	return &Service{db: db, jobs: j, replies: idempotency.New(db), renderer: r, issuer: issuer, demo: demo}
}

// SignWith has every document signed that is made from now on.
func (s *Service) SignWith(signer Signer) { s.signer = signer }

type row struct {
	ID            string     `db:"id"`
	Kind          string     `db:"kind"`
	Stage         string     `db:"stage"`
	Entitlement   string     `db:"entitlement"`
	EnrolmentID   string     `db:"enrolment_id"`
	LearnerID     string     `db:"learner_id"`
	SessionID     string     `db:"session_id"`
	EditionID     string     `db:"edition_id"`
	SittingID     string     `db:"sitting_id"`
	Code          string     `db:"code"`
	Facts         []byte     `db:"facts"`
	IssuedAt      time.Time  `db:"issued_at"`
	RevokedAt     *time.Time `db:"revoked_at"`
	RevokedReason string     `db:"revoked_reason"`
	ReplacedAt    *time.Time `db:"replaced_at"`
	ReplacesID    string     `db:"replaces_id"`
	ReplacedByID  string     `db:"replaced_by_id"`
	SHA256        []byte     `db:"sha256"`
	Signed        bool       `db:"signed"`
}

func (r row) certificate() (Certificate, error) {
	c := Certificate{
		ID: r.ID, Kind: r.Kind, EnrolmentID: r.EnrolmentID, LearnerID: r.LearnerID, SessionID: r.SessionID, EditionID: r.EditionID, SittingID: r.SittingID, Code: r.Code, IssuedAt: r.IssuedAt,
		RevokedAt: r.RevokedAt, RevokedReason: r.RevokedReason, ReplacedAt: r.ReplacedAt, ReplacesID: r.ReplacesID, ReplacedByID: r.ReplacedByID, SHA256: hex.EncodeToString(r.SHA256), Signed: r.Signed,
		stage: r.Stage, entitlement: r.Entitlement,
	}
	err := json.Unmarshal(r.Facts, &c.Facts)
	return c, err
}

func one(ctx context.Context, tx *postgres.Tx, statement string, args ...any) (Certificate, error) {
	var r row
	err := tx.Get(ctx, &r, q.Q(statement), args...)
	if errors.Is(err, sql.ErrNoRows) {
		return Certificate{}, ErrNoCertificate
	}
	if err != nil {
		return Certificate{}, err
	}
	return r.certificate()
}

func many(ctx context.Context, tx *postgres.Tx, statement string, args ...any) ([]Certificate, error) {
	var rows []row
	if err := tx.Select(ctx, &rows, q.Q(statement), args...); err != nil {
		return nil, err
	}
	out := make([]Certificate, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.certificate(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PDF gives the document of a certificate that the actor may see. It is made where that was not done yet.
func (s *Service) PDF(ctx context.Context, id string) (pdf []byte, err error) {
	if _, err := s.Certificate(ctx, id); err != nil {
		return nil, err
	}
	if err := s.Print(ctx, id); err != nil {
		return nil, err
	}
	err = s.db.View(ctx, "document", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &pdf, q.Q("PDF"), id) })
	if err == nil && len(pdf) == 0 { // its holder was erased
		err = ErrNoCertificate
	}
	return pdf, err
}

// Print makes and keeps the document of a certificate, once.
func (s *Service) Print(ctx context.Context, id string) error {
	ctx = postgres.WithActor(ctx, "system")
	c, err := s.Certificate(ctx, id)
	if err != nil || c.SHA256 != "" {
		return err
	}
	images, err := s.images(ctx, c.Facts.Look)
	if err != nil {
		return err
	}
	pdf, err := s.renderer.Certificate(ctx, c.Facts, images)
	if err != nil {
		return err
	}
	if s.signer != nil {
		if pdf, err = s.signer.Sign(ctx, pdf, c.IssuedAt); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(pdf)
	return s.db.InTx(ctx, "keep document", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("KeepPDF"), id, pdf, sum[:], tx.Now(), s.signer != nil)
		return err
	})
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "13", Name: "a certificate has what its kind asks for, and had a formula in force", Query: q.Q("CheckEarned")},
		{Invariant: "14", Name: "one live certificate per learner, kind and subject", Query: q.Q("CheckOneLive")},
		{Invariant: "14", Name: "a replaced certificate has one in its place, and the history says how each stands", Query: q.Q("CheckHistory")},
		{Invariant: "23", Name: "nobody waits in a batch that is done, and each certificate of a batch is its learner's", Query: q.Q("CheckBatches")},
		{Invariant: "15", Name: "a kept document has the hash that is shown", Query: q.Q("CheckHash")},
		{Invariant: "15", Name: "no certificate stays live after its formula was taken back", Query: q.Q("CheckReversed")},
		{Invariant: "18", Name: "the journey knows who is certified", Query: q.Q("CheckJourney")},
	}
}
