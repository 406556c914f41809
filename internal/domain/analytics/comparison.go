package analytics

import (
	"context"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// Compared is one session among others (the paper's Figure 7).
type Compared struct {
	Session catalog.Session
	Open    bool
	Counts  journey.Counts
}

// Comparison holds the five indicators of several sessions, their plain mean and all people pooled.
type Comparison struct {
	Basis, Week1Rule string
	Sessions         []Compared
	Pooled           journey.Counts
}

// Compare counts every session with enrolments, in the order of the catalogue, as of an instant (zero: now).
func Compare(ctx context.Context, db *postgres.DB, asOf time.Time) (c Comparison, err error) {
	c = Comparison{Basis: "current", Week1Rule: "first"}
	err = db.View(ctx, "compare", func(ctx context.Context, tx *postgres.Tx) error {
		c.Sessions, c.Pooled = nil, journey.Counts{}
		sessions, err := catalog.SessionsTx(ctx, tx)
		if err != nil {
			return err
		}
		counts, err := journey.CountsOfTx(ctx, tx, journey.Question{AsOf: asOf}, idsOf(sessions)...)
		if err != nil {
			return err
		}
		for _, s := range sessions {
			n := counts[s.ID]
			if n.Enrolled == 0 {
				continue
			}
			c.Sessions = append(c.Sessions, Compared{s, openAt(tx, s, asOf), n})
			c.Pooled = c.Pooled.Plus(n)
		}
		return nil
	})
	return c, err
}

// PlainMean is the mean of shares, in tenths of a per cent, half up on integers; sessions without the share do not count.
// The mean of printed shares is what the paper prints.
func PlainMean(shares []*int64) *int64 {
	var sum, n int64
	for _, s := range shares {
		if s != nil {
			sum += *s
			n++
		}
	}
	if n == 0 {
		return nil
	}
	mean := (2*sum + n) / (2 * n)
	return &mean
}
