package exams

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// What secrets are for.
const (
	forClient   = "client"
	forCallback = "callback"
	forKey      = "key"
)

const (
	maxSecret     = 4000
	callbackBytes = 32
	secretPrefix  = "whsec_"
)

// overlap is how long a replaced secret, or key, holds beside the new one, so that the other side can change over.
const overlap = 24 * time.Hour

// firstSecretsTx seals what was said, and makes what a new provider needs.
func (s *Service) firstSecretsTx(ctx context.Context, tx *postgres.Tx, key string, n NewProvider, there bool) error {
	if n.Secret != "" {
		if _, err := s.addSecretTx(ctx, tx, key, forClient, []byte(n.Secret), 0); err != nil {
			return err
		}
	}
	if there {
		return nil
	}
	_, err := s.renewTx(ctx, tx, key, n.Kind)
	return err
}

// renewTx makes another secret of a provider and gives its number: of rest the one that signs its messages, of lti the key that signs ours.
func (s *Service) renewTx(ctx context.Context, tx *postgres.Tx, key string, kind ProctorKind) (n int, err error) {
	if kind == ProctorLTI {
		k, err := s.proctor.NewKey()
		if err != nil {
			return 0, err
		}
		return s.addSecretTx(ctx, tx, key, forKey, k, overlap)
	}
	plain := make([]byte, callbackBytes)
	_, _ = rand.Read(plain) // crypto/rand.Read never returns an error; it ends the process instead
	return s.addSecretTx(ctx, tx, key, forCallback, plain, overlap)
}

// place is where a secret belongs: one row cannot stand in for another.
func place(provider, purpose string, n int) string {
	return provider + "/" + purpose + "/" + strconv.Itoa(n)
}

// addSecretTx seals a secret and gives its number. The one before it holds for overlap still.
func (s *Service) addSecretTx(ctx context.Context, tx *postgres.Tx, key, purpose string, plain []byte, overlap time.Duration) (n int, err error) {
	if err := tx.Get(ctx, &n, q.Q("NextProviderSecret"), key, purpose); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, q.Q("AddProviderSecret"), key, purpose, n, s.seal.Seal(plain, place(key, purpose, n)), tx.Now(), tx.Now().Add(overlap))
	return n, err
}

// RotateProvider makes another secret, once per idempotency key of who asks, and shows it here alone; of lti another key, which is published and
// not shown. The one before holds beside it for 24 hours. Errors: ErrNoProvider.
func (s *Service) RotateProvider(ctx context.Context, who, idempotencyKey, key string) (secret string, p Provider, err error) {
	ctx = asHouse(ctx)
	reply, _, err := s.replies.Do(ctx, who, idempotencyKey, "rotate provider "+key, func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		if _, err := tx.Exec(ctx, q.Q("LockProvider"), key); err != nil {
			return idempotency.Reply{}, err
		}
		p, err := ProviderTx(ctx, tx, key)
		if err != nil {
			return idempotency.Reply{}, err
		}
		n, err := s.renewTx(ctx, tx, key, p.Kind)
		if err != nil {
			return idempotency.Reply{}, err
		}
		return idempotency.Reply{Status: http.StatusCreated, Body: []byte(strconv.Itoa(n))}, audit.AppendTx(ctx, tx, audit.Entry{Action: "provider.rotated", Object: key, Detail: map[string]any{"secret": n}})
	})
	if err != nil {
		return "", p, err
	}
	n, err := strconv.Atoi(string(reply.Body))
	if err != nil {
		return "", p, err
	}
	err = s.db.View(ctx, "provider with its secret", func(ctx context.Context, tx *postgres.Tx) error {
		if p, err = ProviderTx(ctx, tx, key); err != nil || p.Kind == ProctorLTI {
			return err
		}
		var sealed []byte
		if err := tx.Get(ctx, &sealed, q.Q("ProviderSecret"), key, forCallback, n); err != nil {
			return err
		}
		plain, err := s.seal.Open(sealed, place(key, forCallback, n))
		secret = secretPrefix + base64.StdEncoding.EncodeToString(plain)
		return err
	})
	return secret, p, err
}

// accessTx opens what a call to a provider needs. Errors: ErrNoProvider, seal.ErrNotReadable.
func (s *Service) accessTx(ctx context.Context, tx *postgres.Tx, key string) (a ProctorAccess, p Provider, err error) {
	if p, err = ProviderTx(ctx, tx, key); err != nil {
		return a, p, err
	}
	a = ProctorAccess{Provider: key, Version: p.Version, Kind: p.Kind, BaseURL: p.BaseURL, TargetURL: p.TargetURL, Deployment: p.Deployment, ClientID: p.ClientID, Issuer: p.Issuer, KeysURL: p.KeysURL,
		Audience: s.audience(key)}
	secrets, err := s.secretsTx(ctx, tx, key)
	if err != nil {
		return a, p, err
	}
	a.Callback = secrets[forCallback]
	if of := secrets[forClient]; len(of) > 0 {
		a.Client = string(of[0])
	}
	if of := secrets[forKey]; len(of) > 0 {
		a.Key = of[0]
	}
	return a, p, nil
}

// secretsTx opens what holds now, by purpose, the newest first.
func (s *Service) secretsTx(ctx context.Context, tx *postgres.Tx, key string) (map[string][][]byte, error) {
	var rows []struct {
		Purpose string `db:"purpose"`
		N       int    `db:"n"`
		Sealed  []byte `db:"sealed"`
	}
	if err := tx.Select(ctx, &rows, q.Q("ProviderSecrets"), key, tx.Now()); err != nil {
		return nil, err
	}
	out := map[string][][]byte{}
	for _, r := range rows {
		plain, err := s.seal.Open(r.Sealed, place(key, r.Purpose, r.N))
		if err != nil {
			return nil, err
		}
		out[r.Purpose] = append(out[r.Purpose], plain)
	}
	return out, nil
}

// access opens what a call to a provider needs, before the call.
func (s *Service) access(ctx context.Context, key string) (a ProctorAccess, p Provider, err error) {
	err = s.db.View(asHouse(ctx), "access to provider", func(ctx context.Context, tx *postgres.Tx) error {
		a, p, err = s.accessTx(ctx, tx, key)
		return err
	})
	return a, p, err
}

// ProviderKeys publishes the keys with which we sign what we say to a provider. Errors: ErrNoProvider.
func (s *Service) ProviderKeys(ctx context.Context, key string) (set []byte, err error) {
	var keys [][]byte
	if err := s.db.View(asHouse(ctx), "keys of provider", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := ProviderTx(ctx, tx, key); err != nil {
			return err
		}
		secrets, err := s.secretsTx(ctx, tx, key)
		keys = secrets[forKey]
		return err
	}); err != nil {
		return nil, err
	}
	return s.proctor.Keys(keys)
}

// GrantProvider gives a provider that proves itself a token for the Assessment Control Service. Errors: ErrNoProvider, ErrForged.
func (s *Service) GrantProvider(ctx context.Context, key, form string) ([]byte, error) {
	a, p, err := s.access(ctx, key)
	if err != nil {
		return nil, err
	}
	if !p.Enabled || p.Kind != ProctorLTI {
		return nil, ErrNoProvider
	}
	return s.proctor.Grant(ctx, a, form)
}
