package badges

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// keyBits is the length of a key: RS256 is what every reader of Open Badges has to know.
const keyBits = 2048

// Key is a key that signs, or signed.
type Key struct {
	ID        string     `json:"id" db:"id"`
	JWK       JWK        `json:"jwk" db:"-"`
	MadeAt    time.Time  `json:"made_at" db:"made_at"`
	RetiredAt *time.Time `json:"retired_at,omitempty" db:"retired_at"`

	private *rsa.PrivateKey
}

// JWK is the public half of a key (RFC 7517). Kid is the address where it is found.
type JWK struct {
	Kty string `json:"kty"`
	Kid string `json:"kid"`
	Use string `json:"use"`
	Alg string `json:"alg"`
	N   string `json:"n"`
	E   string `json:"e"`
}

type keyRow struct {
	Key
	Public []byte `db:"jwk"`
	Sealed []byte `db:"sealed"`
}

func (s *Service) read(r keyRow) (Key, error) {
	err := json.Unmarshal(r.Public, &r.JWK)
	r.JWK.Kid = s.at("keys/" + r.ID)
	return r.Key, err
}

// Keys are all keys that ever signed, the newest first.
func (s *Service) Keys(ctx context.Context) (all []Key, err error) {
	var rows []keyRow
	if err := s.db.View(postgres.WithActor(ctx, "system"), "badge keys", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &rows, q.Q("Keys"))
	}); err != nil {
		return nil, err
	}
	all = make([]Key, len(rows))
	for i, r := range rows {
		if all[i], err = s.read(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Key finds one. Error: ErrNoKey.
func (s *Service) Key(ctx context.Context, id string) (k Key, err error) {
	var rows []keyRow
	err = s.db.View(postgres.WithActor(ctx, "system"), "badge key", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &rows, q.Q("Key"), id)
	})
	switch {
	case err != nil:
		return k, err
	case len(rows) == 0:
		return k, ErrNoKey
	}
	return s.read(rows[0])
}

// signingKey is the key that signs now; the first is made when it is asked for.
func (s *Service) signingKey(ctx context.Context) (Key, error) {
	for {
		var r keyRow
		err := s.db.View(ctx, "signing key", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &r, q.Q("SigningKey")) })
		if errors.Is(err, sql.ErrNoRows) {
			if err = s.firstKey(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return Key{}, err
		}
		k, err := s.read(r)
		if err != nil {
			return k, err
		}
		der, err := s.seal.Open(r.Sealed, r.ID)
		if err != nil {
			return k, err
		}
		k.private, err = x509.ParsePKCS1PrivateKey(der)
		return k, err
	}
}

// Rotate has another key sign from now on, once per key of idempotency. What the one before it signed stays as valid as it was.
func (s *Service) Rotate(ctx context.Context, personID, key string) (Key, error) {
	k, public, sealed, err := s.newKey()
	if err != nil {
		return k, err
	}
	reply, _, err := s.replies.Do(postgres.WithActor(ctx, "staff:"+personID), "person:"+personID, key, "rotate badge key", func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		if _, err := tx.Exec(ctx, q.Q("LockKeys")); err != nil {
			return idempotency.Reply{}, err
		}
		return idempotency.Reply{Status: http.StatusCreated, Body: []byte(k.ID)}, addKey(ctx, tx, k, public, sealed)
	})
	if err != nil {
		return k, err
	}
	return s.Key(ctx, string(reply.Body))
}

// firstKey makes a key where none signs.
func (s *Service) firstKey(ctx context.Context) error {
	k, public, sealed, err := s.newKey()
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, "first badge key", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("LockKeys")); err != nil {
			return err
		}
		var there []keyRow
		if err := tx.Select(ctx, &there, q.Q("SigningKey")); err != nil || len(there) > 0 {
			return err
		}
		return addKey(ctx, tx, k, public, sealed)
	})
}

// newKey makes a key, outside of any transaction: it takes its time.
func (s *Service) newKey() (k Key, public string, sealed []byte, err error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return k, "", nil, fault.New(fault.Internal, "no-key", "A key could not be made.").Because(err)
	}
	e := binary.BigEndian.AppendUint32(nil, uint32(private.E)) //nolint:gosec // 65537
	k = Key{ID: ident.New("bky"), JWK: JWK{Kty: "RSA", Use: "sig", Alg: "RS256", N: base64url(private.N.Bytes()), E: base64url(bytes.TrimLeft(e, "\x00"))}}
	text, err := json.Marshal(k.JWK)
	return k, string(text), s.seal.Seal(x509.MarshalPKCS1PrivateKey(private), k.ID), err
}

func addKey(ctx context.Context, tx *postgres.Tx, k Key, public string, sealed []byte) error {
	if _, err := tx.Exec(ctx, q.Q("RetireKeys"), tx.Now()); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("AddKey"), k.ID, public, sealed, tx.Now()); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "badge_key.made", Object: k.ID})
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign gives the compact form of a signature (RFC 7515): what is signed, in the token itself.
func (k Key) sign(x any) (string, error) {
	payload, err := json.Marshal(x)
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(map[string]string{"alg": "RS256", "kid": k.JWK.Kid, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	text := base64url(header) + "." + base64url(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, k.private, crypto.SHA256, sum[:])
	return strings.Join([]string{text, base64url(signature)}, "."), err
}

// SignToken signs the claims of a JSON Web Token with the key that signs now. Who verifies it finds the key where those of badges are; a
// token names whom it is for and ends soon, and so is never a badge.
func (s *Service) SignToken(ctx context.Context, claims any) (string, error) {
	k, err := s.signingKey(postgres.WithActor(ctx, "system"))
	if err != nil {
		return "", err
	}
	return k.sign(claims)
}
