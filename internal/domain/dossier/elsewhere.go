package dossier

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/lib/pq"

	"cursus/internal/domain/uploads"
	"cursus/internal/platform/postgres"
)

// wipeElsewhere takes away what names somebody where no column says that it is of her: jobs that wait or were given up, replies that others
// may ask for again, what the servers of partners answered, and rosters. It goes first, because she is found there by what the rest wipes.
// A reply that is gone lets the same request be done anew; that is better than a copy of her for ever. Error: uploads.ErrInHand.
func (s *Service) wipeElsewhere(ctx context.Context, tx *postgres.Tx, personID string) (map[string]int64, error) {
	var named []struct {
		What         string `db:"what"`
		Organisation string `db:"organisation"`
		Value        string `db:"value"`
	}
	if err := tx.Select(ctx, &named, q.Q("Named"), personID); err != nil {
		return nil, err
	}
	who, clues, patterns := uploads.Named{Keys: map[string][]string{}}, []string{}, []string{}
	for _, n := range named {
		if n.What == "email" {
			who.Email = n.Value
		}
		if n.What == "key" {
			who.Keys[n.Organisation] = append(who.Keys[n.Organisation], n.Value)
		}
		if n.What == "email" || n.What == "name" && strings.Contains(n.Value, " ") { // a single word would be found in what is not about her
			clues, patterns = append(clues, n.Value), append(patterns, alone(n.Value))
		}
		if n.What == "email" {
			continue
		}
		raw, err := json.Marshal(n.Value)
		if err != nil {
			return nil, err
		}
		for _, member := range []string{":" + string(raw), ": " + string(raw)} { // as the value of a member, and not inside of another word
			clues, patterns = append(clues, member), append(patterns, regexp.QuoteMeta(member))
		}
	}
	wiped := map[string]int64{}
	for _, name := range []string{"jobs", "replies", "answers of partners"} {
		by := patterns
		if name == "replies" { // of bytes, which have no patterns: there rather too much than too little
			by = clues
		}
		n, err := tx.Exec(ctx, q.Q("Elsewhere "+name), pq.Array(by))
		if err != nil {
			return nil, err
		}
		if n > 0 {
			wiped[name] = n
		}
	}
	n, err := s.uploads.WipeTx(ctx, tx, who)
	if n > 0 {
		wiped["rosters"] = n
	}
	return wiped, err
}

// alone is a pattern of the database for an address or a name where it is not a part of another one: ann@example.org ends joann@example.org,
// whose work is none of hers. What stands escaped before it (\n) is a blank.
func alone(s string) string {
	return `(?i)(?:(?<![[:alnum:]._%+-])|(?<=\\[bfnrt]))` + regexp.QuoteMeta(s) + `(?![[:alnum:]]|[.-][[:alnum:]])`
}
