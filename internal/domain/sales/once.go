package sales

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// once does something once per principal and key, in a transaction, and gives ever after what it gave then.
func once[T any](ctx context.Context, s *Service, principal, key, name string, command any, do func(ctx context.Context, tx *postgres.Tx) (T, error)) (out T, err error) {
	reply, _, err := s.replies.Do(ctx, principal, key, requestHash(name, command), func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		x, err := do(ctx, tx)
		if err != nil {
			return idempotency.Reply{}, err
		}
		b, err := json.Marshal(x)
		return idempotency.Reply{Status: http.StatusOK, Body: b}, err
	})
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(reply.Body, &out)
}

// requestHash identifies the content of a command beside its key.
func requestHash(name string, command any) string {
	b, err := json.Marshal(command)
	if err != nil {
		panic(err) // commands are strings and numbers
	}
	sum := sha256.Sum256(append([]byte(name+"\x00"), b...))
	return hex.EncodeToString(sum[:])
}
