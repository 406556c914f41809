// Package identity knows who people are, here and in the systems that send us their records.
package identity

import (
	"context"
	_ "embed"

	"github.com/lib/pq"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("identity", queriesSQL)

// ExternalPerson is a person as another system knows her. Subject is that system's own id, stable while names change.
type ExternalPerson struct{ Subject, FullName string }

// ImportPeopleTx finds or makes the person behind each subject of a source and gives subject → person id. The e-mail
// address of a report is not taken: two systems may disagree on it, and sign-in alone proves it.
func ImportPeopleTx(ctx context.Context, tx *postgres.Tx, source string, in []ExternalPerson) (map[string]string, error) {
	subjects := make([]string, len(in))
	for i, p := range in {
		subjects[i] = p.Subject
	}
	var known []struct {
		Subject  string `db:"subject"`
		PersonID string `db:"person_id"`
	}
	if err := tx.Select(ctx, &known, q.Q("KnownSubjects"), source, pq.Array(subjects)); err != nil {
		return nil, err
	}
	people := make(map[string]string, len(in))
	for _, k := range known {
		people[k.Subject] = k.PersonID
	}
	var ids, names, fresh []string
	for _, p := range in {
		if people[p.Subject] != "" {
			continue
		}
		id := ident.New("per")
		people[p.Subject] = id
		ids, names, fresh = append(ids, id), append(names, p.FullName), append(fresh, p.Subject)
	}
	if len(ids) == 0 {
		return people, nil
	}
	if _, err := tx.Exec(ctx, q.Q("AddPeople"), pq.Array(ids), pq.Array(names), tx.Now()); err != nil {
		return nil, err
	}
	_, err := tx.Exec(ctx, q.Q("AddExternalIDs"), source, pq.Array(fresh), pq.Array(ids))
	return people, err
}
