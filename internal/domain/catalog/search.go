package catalog

import (
	"context"
	"strings"

	"github.com/lib/pq"

	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Filter says which courses a list has; what is empty does not filter. Query are words that a course has in its key, title, skills or
// summary, in either language, each by its beginning and whatever its accents; with a query the best matches come first, else the
// order is that of the collections. All lists courses that the public does not see, too.
type Filter struct {
	Query, Collection, Level, Language string
	State                              Publication
	All                                bool
}

// MaxQuery is how long a query may be, in bytes.
const MaxQuery = 200

// CourseListTx lists at most p.Limit courses after the one whose id p.After is, and the id to go on after.
func CourseListTx(ctx context.Context, tx *postgres.Tx, f Filter, p page.Request) ([]Course, string, error) {
	var rows []courseRow
	err := tx.Select(ctx, &rows, q.Q("CourseList"), strings.TrimSpace(f.Query), f.Collection, f.Level, f.Language, string(f.State), f.All, p.After, p.Limit+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		next = rows[len(rows)-1].ID
	}
	out := make([]Course, len(rows))
	for i, r := range rows {
		out[i] = r.course()
	}
	return out, next, nil
}

// SessionsOfTx lists the published sessions of some courses, by course, the newest first.
func SessionsOfTx(ctx context.Context, tx *postgres.Tx, courseKeys ...string) ([]Session, error) {
	var s []Session
	err := tx.Select(ctx, &s, q.Q("SessionsOf"), pq.Array(courseKeys))
	return s, err
}
