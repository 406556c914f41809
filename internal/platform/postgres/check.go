package postgres

import (
	"context"
	"encoding/json"
)

// Check is an invariant as a query that returns no row while it holds; `cursus verify` runs them all.
type Check struct {
	Invariant string // number in the list of invariants, "1"
	Name      string
	Query     Query
}

// maxViolations bounds what one check shows; one broken row is enough to act.
const maxViolations = 20

// RunCheck gives the rows that break the invariant, each as a JSON object, at most 20.
func RunCheck(ctx context.Context, db *DB, c Check) ([]string, error) {
	var out []string
	err := db.View(ctx, "check", func(ctx context.Context, tx *Tx) error {
		out = nil
		rows, err := tx.x.QueryxContext(ctx, c.Query.SQL)
		if err != nil {
			return wrap(c.Query, err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() && len(out) < maxViolations {
			row := map[string]any{}
			if err := rows.MapScan(row); err != nil {
				return wrap(c.Query, err)
			}
			for k, v := range row {
				if b, ok := v.([]byte); ok {
					row[k] = string(b)
				}
			}
			b, err := json.Marshal(row)
			if err != nil {
				return err
			}
			out = append(out, string(b))
		}
		return rows.Err()
	})
	return out, err
}
