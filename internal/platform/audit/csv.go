package audit

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// mostRows is how many acts one file holds.
const mostRows = 100_000

// ErrTooManyActs refuses a file that nobody would read.
var ErrTooManyActs = fault.New(fault.Unprocessable, "too-many-acts", "There are more than 100,000 such acts. Please ask for a shorter period.")

// WriteTx writes acts as CSV in UTF-8, the newest first, times in UTC, the detail as JSON. No cell begins as a formula does: actors, names
// of acts and ids begin with a letter, addresses with a digit or a letter, JSON with a brace. Error: ErrTooManyActs.
func WriteTx(ctx context.Context, tx *postgres.Tx, w io.Writer, f Filter) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write([]string{"seq", "at", "actor", "action", "object", "origin", "detail", "hash", "verified"}) // Error tells
	for p, written := (page.Request{Limit: 2000}), 0; ; {
		all, next, err := ReadTx(ctx, tx, f, p)
		if err != nil {
			return err
		}
		if written += len(all); written > mostRows {
			return ErrTooManyActs
		}
		for _, a := range all {
			_ = out.Write([]string{
				strconv.FormatInt(a.Seq, 10), a.At.UTC().Format(time.RFC3339Nano), a.Actor, a.Action, a.Object, a.Origin, string(a.Detail), a.Hash, strconv.FormatBool(a.Holds),
			})
		}
		if p.After = next; next == "" {
			out.Flush()
			return out.Error()
		}
	}
}
