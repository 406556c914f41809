// Package audit records who did what, in the transaction that did it, as a chain of hashes that the database makes.
package audit

import (
	"context"
	_ "embed"
	"encoding/json"

	"cursus/internal/kernel/origin"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("audit", queriesSQL)

// Entry is one act. The actor is on whose behalf the transaction acts, and from where is what the request noted. Detail says what was done and
// holds no personal data: an audit row outlives an erasure.
//
// An act that edits says the whole of what it was and of what it is, both as they are written in JSON; nil stands for a thing that was not
// there before, or is not any more. What differs is kept, as the members before and after of the detail, and of personal fields and secrets the
// names alone, as personal.
type Entry struct {
	Action        string // "grades.imported"
	Object        string // id of what was acted on
	Detail        any
	Before, After any      // of an edit
	Personal      []string // names of fields of Before and After, at any depth, that are personal here; those that are so everywhere are known
}

// AppendTx says the entry. It joins the chain when the transaction commits, which is the only time at which writers wait for
// each other.
func AppendTx(ctx context.Context, tx *postgres.Tx, e Entry) error {
	told, err := e.told()
	if err != nil {
		return err
	}
	detail, err := json.Marshal(told)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, q.Q("Append"), tx.Now(), postgres.Author(ctx), e.Action, e.Object, string(detail), origin.Of(ctx))
	return err
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "26", Name: "audit rows form an unbroken chain", Query: q.Q("CheckChain")},
		{Invariant: "26", Name: "the chain ends where it should", Query: q.Q("CheckHead")},
		{Invariant: "26", Name: "the origin of an act is the one that was sealed with it", Query: q.Q("CheckOrigins")},
	}
}
