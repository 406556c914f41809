package catalog

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

// FollowableTx says of a course that the public sees whether its prerequisites can be met: each is a course of the catalogue, and none
// leads back to it through what is published (ErrPrerequisites, with the place of each that is not). Drafts may be written in any order.
func FollowableTx(ctx context.Context, tx *postgres.Tx, idOrKey string) error {
	w, err := working(ctx, tx, q.Q("PublishedDocument"), idOrKey)
	if err != nil {
		return err
	}
	var named, known []string
	for _, p := range w.Document.Prerequisites {
		if p.Course != "" {
			named = append(named, p.Course)
		}
	}
	if named == nil {
		return nil
	}
	if _, err := tx.Exec(ctx, q.Q("OneGraph")); err != nil {
		return err
	}
	if err := tx.Select(ctx, &known, q.Q("KnownKeys"), pq.Array(named)); err != nil {
		return err
	}
	there := map[string]bool{}
	for _, key := range known {
		there[key] = true
	}
	after, err := prerequisites(ctx, tx)
	if err != nil {
		return err
	}
	out := ErrPrerequisites
	for i, p := range w.Document.Prerequisites {
		at := fmt.Sprintf("/prerequisites/%d/course", i)
		switch {
		case p.Course == "":
		case !there[p.Course]:
			out = out.At(at, "no-such-course", p.Course+" is not in the catalogue.")
		case leads(after, p.Course, w.Key, map[string]bool{}):
			out = out.At(at, "prerequisite-cycle", fmt.Sprintf("%s asks for %s in its turn, by itself or through others.", p.Course, w.Key))
		}
	}
	if len(out.Fields) > 0 {
		return out
	}
	return nil
}

// prerequisites gives, of each course that the public sees, those that it asks for.
func prerequisites(ctx context.Context, tx *postgres.Tx) (map[string][]string, error) {
	var rows []struct {
		Key   string         `db:"key"`
		After pq.StringArray `db:"after"`
	}
	err := tx.Select(ctx, &rows, q.Q("PublishedPrerequisites"))
	out := map[string][]string{}
	for _, r := range rows {
		out[r.Key] = r.After
	}
	return out, err
}

// leads says whether a course asks for another, by itself or through others.
func leads(after map[string][]string, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, next := range after[from] {
		if leads(after, next, to, seen) {
			return true
		}
	}
	return false
}
