// Package certificates awards, prints, shows and revokes certificates.
//
// Every printed fact is stored first and never changes; the document is made from these facts alone, hashed and kept. A
// revoked certificate stays known as revoked.
package certificates

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("certificates", queriesSQL)

// Every fault of this room.
var (
	ErrNoCertificate = fault.New(fault.NotFound, "no-such-certificate", "There is no such certificate.")
	ErrNotEarned     = fault.New(fault.Unprocessable, "certificate-not-earned", "A certificate needs a passed exam and a formula in force that leads to it.")
	ErrRevoked       = fault.New(fault.Conflict, "certificate-revoked-already", "This certificate was revoked already.")
	ErrReason        = fault.New(fault.Invalid, "bad-reason", "A reason has 1 to 200 characters.")
)

// Issuer is in whose name certificates are given, and where they are verified.
type Issuer struct {
	Name, Signatory string
	BaseURL         string // of our site
}

// Certificate is what was awarded. SHA256 is empty until the document is made.
type Certificate struct {
	ID            string
	EnrolmentID   string
	LearnerID     string
	SessionID     string
	Code          string
	Facts         CertificateFacts
	IssuedAt      time.Time
	RevokedAt     *time.Time
	RevokedReason string
	SHA256        string
}

// Awarded says that a certificate was awarded and has to be printed and announced.
type Awarded struct {
	CertificateID string `json:"certificate_id"`
}

// Kind names the job.
func (Awarded) Kind() string { return "certificates.awarded" }

// Revoked says that a certificate was taken back.
type Revoked struct {
	CertificateID string `json:"certificate_id"`
}

// Kind names the job.
func (Revoked) Kind() string { return "certificates.revoked" }

// Service is the room.
type Service struct {
	db       *postgres.DB
	jobs     *jobs.Jobs
	renderer Renderer
	issuer   Issuer
	demo     bool
}

// New opens the room. In the demo everything that is printed says so.
func New(db *postgres.DB, j *jobs.Jobs, r Renderer, issuer Issuer, demo bool) *Service {
	return &Service{db: db, jobs: j, renderer: r, issuer: issuer, demo: demo}
}

type row struct {
	ID            string     `db:"id"`
	EnrolmentID   string     `db:"enrolment_id"`
	LearnerID     string     `db:"learner_id"`
	SessionID     string     `db:"session_id"`
	Code          string     `db:"code"`
	Facts         []byte     `db:"facts"`
	IssuedAt      time.Time  `db:"issued_at"`
	RevokedAt     *time.Time `db:"revoked_at"`
	RevokedReason string     `db:"revoked_reason"`
	SHA256        []byte     `db:"sha256"`
}

func (r row) certificate() (Certificate, error) {
	c := Certificate{
		ID: r.ID, EnrolmentID: r.EnrolmentID, LearnerID: r.LearnerID, SessionID: r.SessionID, Code: r.Code, IssuedAt: r.IssuedAt,
		RevokedAt: r.RevokedAt, RevokedReason: r.RevokedReason, SHA256: hex.EncodeToString(r.SHA256),
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

// CertificateTx finds a certificate, as far as the actor may see it. Errors: ErrNoCertificate.
func CertificateTx(ctx context.Context, tx *postgres.Tx, id string) (Certificate, error) {
	return one(ctx, tx, "One", id)
}

// Certificate finds a certificate that the actor may see.
func (s *Service) Certificate(ctx context.Context, id string) (c Certificate, err error) {
	err = s.db.View(ctx, "certificate", func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = one(ctx, tx, "One", id)
		return err
	})
	return c, err
}

// OfEnrolmentsTx gives the latest certificate of each enrolment that has one; a live one goes before a revoked one.
func OfEnrolmentsTx(ctx context.Context, tx *postgres.Tx, learnerID string) (map[string]Certificate, error) {
	var rows []row
	if err := tx.Select(ctx, &rows, q.Q("OfLearner"), learnerID); err != nil {
		return nil, err
	}
	out := map[string]Certificate{}
	for _, r := range rows {
		c, err := r.certificate()
		if err != nil {
			return nil, err
		}
		if _, ok := out[c.EnrolmentID]; !ok {
			out[c.EnrolmentID] = c
		}
	}
	return out, nil
}

// Verify finds a certificate by its code, for anybody: whoever holds the paper may know what is on it. Case and spaces do
// not matter.
func (s *Service) Verify(ctx context.Context, code string) (c Certificate, err error) {
	code = strings.ToLower(strings.Join(strings.Fields(code), ""))
	err = s.db.View(postgres.WithActor(ctx, "system"), "verify", func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = one(ctx, tx, "ByCode", code)
		return err
	})
	return c, err
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
	pdf, err := s.renderer.Certificate(ctx, c.Facts)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(pdf)
	return s.db.InTx(ctx, "keep document", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("KeepPDF"), id, pdf, sum[:], tx.Now())
		return err
	})
}

// enrolmentOf is the enrolment, held until the transaction ends.
func enrolmentOf(ctx context.Context, tx *postgres.Tx, id string) (enrolment.Enrolment, error) {
	return enrolment.LockTx(ctx, tx, id)
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "13", Name: "a certificate has a passed sitting and had a formula in force", Query: q.Q("CheckEarned")},
		{Invariant: "14", Name: "one live certificate per learner and session", Query: q.Q("CheckOneLive")},
		{Invariant: "15", Name: "a kept document has the hash that is shown", Query: q.Q("CheckHash")},
		{Invariant: "15", Name: "no certificate stays live after its formula was taken back", Query: q.Q("CheckReversed")},
		{Invariant: "18", Name: "the journey knows who is certified", Query: q.Q("CheckJourney")},
	}
}
