// Package badges gives certificates the form that wallets and machines read: Open Badges 3.0, as credentials of the W3C data model 2.0 that are
// signed as JSON Web Tokens (RS256), with their revocation in a Bitstring Status List.
//
// What a badge says is what its certificate says, and no more. It is signed once and kept; whether it still holds is said by its list.
package badges

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("badges", queriesSQL)

// Every fault of this room.
var (
	ErrNoKey  = fault.New(fault.NotFound, "no-such-key", "No badge was ever signed with this key.")
	ErrNoList = fault.New(fault.NotFound, "no-such-list", "There is no such list.")
)

// Service is the room.
type Service struct {
	db           *postgres.DB
	certificates *certificates.Service
	replies      *idempotency.Store
	issuer       certificates.Issuer
	seal         seal.Sealer
}

// New opens the room. The secret, of 32 bytes or more, seals the keys that sign. Error: seal.ErrWeak.
func New(db *postgres.DB, c *certificates.Service, issuer certificates.Issuer, secret []byte) (*Service, error) {
	s, err := seal.New(secret, "cursus badges")
	return &Service{db: db, certificates: c, replies: idempotency.New(db), issuer: issuer, seal: s}, err
}

// Profile is who issues, as Open Badges name it.
type Profile struct {
	ID   string   `json:"id"`
	Type []string `json:"type"`
	Name string   `json:"name"`
	URL  string   `json:"url"`
}

// Issuer is the institute.
func (s *Service) Issuer() Profile { return s.profile(s.issuer.Name) }

func (s *Service) profile(name string) Profile {
	return Profile{ID: s.at("issuer"), Type: []string{"Profile"}, Name: name, URL: s.issuer.BaseURL}
}

// at is an address of ours below that of badges.
func (s *Service) at(path string) string { return s.issuer.BaseURL + "/v1/badges/" + path }

// Badge is the badge of the certificate with a code, for anybody: whoever has the code may know what it says. It is signed where that was not
// done yet. Errors: certificates.ErrNoCertificate.
func (s *Service) Badge(ctx context.Context, code string) (string, error) {
	c, err := s.certificates.Verify(ctx, code)
	if err != nil {
		return "", err
	}
	return s.Sign(ctx, c)
}

// Sign signs the badge of a certificate, once, and gives it. Error: certificates.ErrNoCertificate, where its holder was erased, and of a transcript,
// which also says what was not achieved.
func (s *Service) Sign(ctx context.Context, c certificates.Certificate) (jws string, err error) {
	if c.Facts.Transcript != nil {
		return "", certificates.ErrNoCertificate
	}
	ctx = postgres.WithActor(ctx, "system")
	read := func(ctx context.Context, tx *postgres.Tx) error {
		err := tx.Get(ctx, &jws, q.Q("Credential"), c.ID)
		if err == nil && jws == "" {
			err = certificates.ErrNoCertificate
		}
		return err
	}
	if err = s.db.View(ctx, "badge", read); !errors.Is(err, sql.ErrNoRows) {
		return jws, err
	}
	for { // until a free place was drawn, and the key was not rotated meanwhile
		key, err := s.signingKey(ctx)
		if err != nil {
			return "", err
		}
		kept := false
		err = s.db.InTx(ctx, "sign badge", func(ctx context.Context, tx *postgres.Tx) error {
			var still bool
			if err := tx.Get(ctx, &still, q.Q("StillSigns"), key.ID); err != nil || !still {
				return err
			}
			p, err := draw(ctx, tx)
			if err != nil {
				return err
			}
			if jws, err = key.sign(s.credential(c, p)); err != nil {
				return err
			}
			n, err := tx.Exec(ctx, q.Q("AddCredential"), c.ID, p.list, p.index, key.ID, jws, tx.Now())
			kept = n == 1
			return err
		})
		if err != nil || kept {
			return jws, err
		}
		if err = s.db.View(ctx, "badge", read); !errors.Is(err, sql.ErrNoRows) { // another one was faster
			return jws, err
		}
	}
}

// Status is the list with a number as a signed credential, as it stands now. Error: ErrNoList.
func (s *Service) Status(ctx context.Context, list int) (jws string, err error) {
	ctx = postgres.WithActor(ctx, "system")
	var revoked []int
	var now time.Time
	err = s.db.View(ctx, "status list", func(ctx context.Context, tx *postgres.Tx) error {
		var there bool
		if err := tx.Get(ctx, &there, q.Q("HasList"), list); err != nil {
			return err
		}
		if !there {
			return ErrNoList
		}
		now = tx.Now()
		return tx.Select(ctx, &revoked, q.Q("Revoked"), list)
	})
	if err != nil {
		return "", err
	}
	key, err := s.signingKey(ctx)
	if err != nil {
		return "", err
	}
	said, err := s.statusList(list, revoked, now)
	if err != nil {
		return "", err
	}
	return key.sign(said)
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{{Invariant: "15", Name: "a badge was signed while its key signed", Query: q.Q("CheckSigned")}}
}

// claims are what a credential says as a token too.
type claims struct {
	Issuer    string `json:"iss"`
	ID        string `json:"jti"`
	Subject   string `json:"sub"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp,omitempty"`
}
