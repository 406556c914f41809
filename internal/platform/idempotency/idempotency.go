// Package idempotency lets a client repeat a request whose answer it did not get.
//
// The reply is stored in the transaction that had the effect, so there is never one without the other. A request that
// fails stores nothing and may be repeated under the same key.
package idempotency

import (
	"context"
	_ "embed"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("idempotency", queriesSQL)

// MaxKey is the longest key in bytes.
const MaxKey = 255

// Faults of this room.
var (
	ErrKey      = fault.New(fault.Invalid, "idempotency-key-invalid", "The idempotency key must be 1 to 255 printable ASCII characters.")
	ErrReused   = fault.New(fault.Unprocessable, "idempotency-key-reused", "This idempotency key was used for another request.")
	ErrInFlight = fault.New(fault.Conflict, "idempotency-key-in-flight", "A request with this idempotency key is still being worked on.")
)

// A request that looked while the first one committed may have the lock and not see the reply: the key of the table lets
// its effect not happen, and it is told to ask again.
func init() { postgres.RegisterConstraint("idempotency_once", ErrInFlight) }

// Reply is what the client was, or would have been, answered.
type Reply struct {
	Status int    `db:"status"`
	Body   []byte `db:"body"`
}

// Store keeps replies.
type Store struct{ db *postgres.DB }

// New makes a store.
func New(db *postgres.DB) *Store { return &Store{db} }

// Do runs fn once per principal and key, and gives the stored reply, with replayed = true, ever after. The same key with
// another requestHash is ErrReused; while the first request runs, others get ErrInFlight at once instead of waiting on a
// connection. fn runs inside InTx: it may be repeated and must not touch the outside.
func (s *Store) Do(ctx context.Context, principal, key, requestHash string,
	fn func(ctx context.Context, tx *postgres.Tx) (Reply, error),
) (reply Reply, replayed bool, err error) {
	if principal == "" || !valid(key) {
		return Reply{}, false, ErrKey
	}
	err = s.db.InTx(ctx, "idempotency.Do", func(ctx context.Context, tx *postgres.Tx) error {
		reply, replayed = Reply{}, false
		var k struct {
			Reply
			Mine        bool   `db:"mine"`
			Known       bool   `db:"known"`
			RequestHash string `db:"request_hash"`
		}
		if err := tx.Get(ctx, &k, q.Q("Begin"), principal, key); err != nil {
			return err
		}
		switch {
		case !k.Mine:
			return ErrInFlight
		case k.Known && k.RequestHash != requestHash:
			return ErrReused
		case k.Known:
			reply, replayed = k.Reply, true
			return nil
		}
		var err error
		if reply, err = fn(ctx, tx); err != nil {
			return err
		}
		if reply.Body == nil {
			reply.Body = []byte{}
		}
		_, err = tx.Exec(ctx, q.Q("Store"), principal, key, requestHash, reply.Status, reply.Body, tx.Now())
		return err
	})
	if err != nil {
		return Reply{}, false, err
	}
	return reply, replayed, nil
}

func valid(key string) bool {
	if key == "" || len(key) > MaxKey {
		return false
	}
	for _, c := range []byte(key) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

// Forget removes the replies stored before a time and tells how many; their keys may then be used anew.
func (s *Store) Forget(ctx context.Context, before time.Time) (n int64, err error) {
	err = s.db.InTx(ctx, "idempotency.Forget", func(ctx context.Context, tx *postgres.Tx) (err error) {
		n, err = tx.Exec(ctx, q.Q("Forget"), before)
		return err
	})
	return n, err
}
