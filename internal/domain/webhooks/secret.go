package webhooks

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cursus/internal/platform/postgres"
)

// overlap is how long an old secret signs beside the new one, so that a receiver can change over without losing anything.
const overlap = 24 * time.Hour

const (
	secretBytes  = 32
	secretPrefix = "whsec_"
)

// place is where a secret belongs: one row cannot stand in for another.
func place(endpointID string, n int) string { return endpointID + "/" + strconv.Itoa(n) }

// written is a secret as it is shown.
func written(secret []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(secret) }

// signature signs a message with each secret, the newest first, as Standard Webhooks wants it.
func signature(id string, at time.Time, body string, secrets [][]byte) string {
	all := make([]string, len(secrets))
	for i, secret := range secrets {
		m := hmac.New(sha256.New, secret)
		_, _ = fmt.Fprintf(m, "%s.%d.%s", id, at.Unix(), body) // a hash takes everything
		all[i] = "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
	}
	return strings.Join(all, " ")
}

type secretRow struct {
	EndpointID string `db:"endpoint_id"`
	N          int    `db:"n"`
	Sealed     []byte `db:"sealed"`
}

// addSecretTx makes the next secret of an endpoint and gives its number.
func (s *Service) addSecretTx(ctx context.Context, tx *postgres.Tx, endpointID string) (n int, err error) {
	if err := tx.Get(ctx, &n, q.Q("NextSecret"), endpointID); err != nil {
		return 0, err
	}
	plain := make([]byte, secretBytes)
	_, _ = rand.Read(plain) // crypto/rand.Read never returns an error; it ends the process instead
	_, err = tx.Exec(ctx, q.Q("AddSecret"), endpointID, n, s.seal.Seal(plain, place(endpointID, n)), tx.Now(), tx.Now().Add(overlap))
	return n, err
}

// secretTx reads a secret of an endpoint as it is shown.
func (s *Service) secretTx(ctx context.Context, tx *postgres.Tx, endpointID string, n int) (string, error) {
	var row secretRow
	if err := tx.Get(ctx, &row, q.Q("Secret"), endpointID, n); err != nil {
		return "", err
	}
	plain, err := s.seal.Open(row.Sealed, place(endpointID, n))
	return written(plain), err
}

// secretsTx reads what signs now, the newest first.
func (s *Service) secretsTx(ctx context.Context, tx *postgres.Tx, endpointID string) (all [][]byte, err error) {
	var rows []secretRow
	if err := tx.Select(ctx, &rows, q.Q("LiveSecrets"), endpointID, tx.Now()); err != nil {
		return nil, err
	}
	for _, r := range rows {
		plain, err := s.seal.Open(r.Sealed, place(endpointID, r.N))
		if err != nil {
			return nil, err
		}
		all = append(all, plain)
	}
	return all, nil
}

// Rotate makes another secret, once per key; the one before signs beside it for 24 hours. Errors: ErrNoEndpoint.
func (s *Service) Rotate(ctx context.Context, by By, id, key string) (e Endpoint, err error) {
	n, err := s.once(ctx, by, key, "rotate webhook "+id, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		if _, err := lockTx(ctx, tx, by, id); err != nil {
			return "", err
		}
		n, err := s.addSecretTx(ctx, tx, id)
		if err != nil {
			return "", err
		}
		return strconv.Itoa(n), noteTx(ctx, tx, by, "webhook.rotated", id, map[string]any{"secret": n})
	})
	if err != nil {
		return e, err
	}
	made, err := strconv.Atoi(n)
	if err != nil {
		return e, err
	}
	return s.shown(ctx, by, id, made)
}

// shown is an endpoint with one of its secrets.
func (s *Service) shown(ctx context.Context, by By, id string, n int) (e Endpoint, err error) {
	err = s.db.View(asSystem(ctx), "webhook with its secret", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if e, err = endpointTx(ctx, tx, by, id); err != nil {
			return err
		}
		e.Secret, err = s.secretTx(ctx, tx, id, n)
		return err
	})
	return e, err
}
