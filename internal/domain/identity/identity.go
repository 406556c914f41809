// Package identity knows who people are, here and in the systems that send us their records.
package identity

import (
	"context"
	_ "embed"
	"maps"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("identity", queriesSQL)

// ExternalPerson is a person as another system knows her. Subject is that system's own id, stable while names change.
// The address, where given, is the one that the other system has proven.
type ExternalPerson struct{ Subject, FullName, Email string }

// ImportPeopleTx finds or makes the person behind each subject of a source and gives subject → person id. A new subject
// whose address is that of somebody who signed in here is her; otherwise the address is not kept: two systems may disagree
// on it, and sign-in alone proves it.
func ImportPeopleTx(ctx context.Context, tx *postgres.Tx, source string, in []ExternalPerson) (map[string]string, error) {
	subjects := make([]string, len(in))
	for i, p := range in {
		subjects[i] = p.Subject
	}
	people, err := known(ctx, tx, source, subjects)
	if err != nil || len(people) == len(in) {
		return people, err
	}
	// Somebody is new. Two imports of one source at once would both make her: the second waits, and looks again.
	if _, err := tx.Exec(ctx, q.Q("LockSource"), source); err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(subjects, func(s string) bool { return people[s] != "" })
	since, err := KnownPeopleTx(ctx, tx, source, missing)
	if err != nil {
		return nil, err
	}
	maps.Copy(people, since)
	if err := linkByAddress(ctx, tx, source, in, people); err != nil {
		return nil, err
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
	_, err = tx.Exec(ctx, q.Q("AddExternalIDs"), source, pq.Array(fresh), pq.Array(ids))
	return people, err
}

// KnownPeopleTx gives the people behind the subjects of a source, also those who had themselves erased; a subject of nobody is missing.
func KnownPeopleTx(ctx context.Context, tx *postgres.Tx, source string, subjects []string) (map[string]string, error) {
	people, err := known(ctx, tx, source, subjects)
	if err != nil || len(people) == len(subjects) {
		return people, err
	}
	others := slices.DeleteFunc(slices.Clone(subjects), func(s string) bool { return people[s] != "" })
	return people, bySubject(ctx, tx, people, "ErasedSubjects", source, pq.Array(others))
}

// AddSubjectsTx notes further subjects of people at a source (subject → person); one that is somebody's already stays hers.
func AddSubjectsTx(ctx context.Context, tx *postgres.Tx, source string, people map[string]string) error {
	subjects := slices.Sorted(maps.Keys(people))
	ids := make([]string, len(subjects))
	for i, s := range subjects {
		ids[i] = people[s]
	}
	if len(subjects) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, q.Q("AddSubjects"), source, pq.Array(subjects), pq.Array(ids))
	return err
}

// SubjectsTx gives the subjects of people at a source.
func SubjectsTx(ctx context.Context, tx *postgres.Tx, source string, people []string) (map[string][]string, error) {
	var rows []struct {
		Subject  string `db:"subject"`
		PersonID string `db:"person_id"`
	}
	err := tx.Select(ctx, &rows, q.Q("SubjectsOf"), source, pq.Array(people))
	out := map[string][]string{}
	for _, r := range rows {
		out[r.PersonID] = append(out[r.PersonID], r.Subject)
	}
	return out, err
}

// bySubject notes whom a statement finds behind subjects.
func bySubject(ctx context.Context, tx *postgres.Tx, people map[string]string, statement string, args ...any) error {
	var rows []struct {
		Subject  string `db:"subject"`
		PersonID string `db:"person_id"`
	}
	err := tx.Select(ctx, &rows, q.Q(statement), args...)
	for _, r := range rows {
		people[r.Subject] = r.PersonID
	}
	return err
}

// linkByAddress links new subjects to the people who signed in with their address and have no id at the source yet.
func linkByAddress(ctx context.Context, tx *postgres.Tx, source string, in []ExternalPerson, people map[string]string) error {
	var subjects, addresses []string
	for _, p := range in {
		if people[p.Subject] != "" || p.Email == "" {
			continue
		}
		if address, err := NormalEmail(p.Email); err == nil {
			subjects, addresses = append(subjects, p.Subject), append(addresses, address)
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	return bySubject(ctx, tx, people, "LinkByAddress", source, pq.Array(subjects), pq.Array(addresses))
}

// known gives the people behind the subjects of a source that are known already.
func known(ctx context.Context, tx *postgres.Tx, source string, subjects []string) (map[string]string, error) {
	people := make(map[string]string, len(subjects))
	return people, bySubject(ctx, tx, people, "KnownSubjects", source, pq.Array(subjects))
}
