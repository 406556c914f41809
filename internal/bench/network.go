// Package bench makes a network of schools as large as one asks for, in a data folder of its own, and measures how fast its figures are
// answered by the API.
package bench

import (
	"context"
	_ "embed"
	"fmt"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("bench", queriesSQL)

// ErrNotEmpty says that there is something already where a network was to be made.
var ErrNotEmpty = fault.New(fault.Conflict, "bench-not-empty", "There are enrolments already, and not as many as were asked for. Choose an empty data folder.")

// ofSession is how many enrolments a session has, on the average.
const ofSession = 10_000

// Sessions is in how many sessions so many enrolments are: in five at least, since some questions are of five.
func Sessions(enrolments int64) int64 { return max(5, enrolments/ofSession) }

// Size is how much there is.
type Size struct {
	Enrolments int64 `db:"enrolments"`
	Changes    int64 `db:"changes"` // in the history of their stages
	Results    int64 `db:"results"` // of exercises
}

// parts are the statements that make a network, in their order, with what is said of each.
var parts = []struct {
	statement, says string
	sized           bool // takes how many enrolments and sessions
}{
	{"Drawer", "drawing", false}, {"Paper", "drawing", false}, {"PaperOfSteps", "drawing", false}, {"Sessions", "sessions and people", true}, {"Draw", "drawing", true}, {"Steps", "drawing", false},
	{"Enrolments", "enrolments", false}, {"Journeys", "journeys", false}, {"Changes", "changes", false}, {"Analyzed", "couples", false}, {"Couples", "couples", false}, {"Tallies", "tallies", false}, {"Members", "reports", false}, {"Cells", "results", false},
	{"Analyzed", "results", false}, {"Runs", "results", false}, {"Money", "money", false}, {"Swept", "done", false},
}

// Network fills an empty database, as its owner, with enrolments that learned and paid as people do: the same at each call. It takes minutes
// for millions; told hears of each step. A network that is there already, of that size, is left as it is.
func Network(ctx context.Context, owner *postgres.DB, enrolments int64, told func(done, of int, what string)) (size Size, err error) {
	if size, err = sizeOf(ctx, owner); err != nil || size.Enrolments == enrolments {
		return size, err
	}
	if size.Enrolments > 0 {
		return size, ErrNotEmpty
	}
	for i, p := range parts {
		told(i, len(parts), p.says)
		err := owner.InTx(postgres.WithOwnPlans(ctx), p.says, func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := tx.Exec(ctx, q.Q("Bare")); err != nil {
				return err
			}
			var args []any
			if p.sized {
				args = []any{enrolments, Sessions(enrolments)}
			}
			_, err := tx.Exec(ctx, q.Q(p.statement), args...)
			return err
		})
		if err != nil {
			return size, fmt.Errorf("%s: %w", p.statement, err)
		}
	}
	return sizeOf(ctx, owner)
}

func sizeOf(ctx context.Context, owner *postgres.DB) (size Size, err error) {
	err = owner.View(ctx, "size", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &size, q.Q("Count")) })
	return size, err
}
