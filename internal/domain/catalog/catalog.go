// Package catalog holds the collections, their courses, the sessions of these, and which exercise of a session is in which week.
package catalog

import (
	_ "embed"
	"regexp"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("catalog", queriesSQL)

// keyForm is what the database asks of keys too.
var keyForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

const maxTitle = 200

func checkText(key string, title Text) error {
	var wrong []fault.Field
	if !keyForm.MatchString(key) {
		wrong = append(wrong, fault.Field{Pointer: "/key", Code: "bad-key", Detail: "1 to 40 letters, digits, dots, hyphens and underscores; the first is a letter or a digit."})
	}
	if title.EN == "" && title.FR == "" || utf8.RuneCountInString(title.EN) > maxTitle || utf8.RuneCountInString(title.FR) > maxTitle {
		wrong = append(wrong, fault.Field{Pointer: "/title", Code: "bad-title", Detail: "1 to 200 characters in one language at least."})
	}
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "22", Name: "a course or a collection stands where it was last moved", Query: q.Q("CheckMoves")},
		{Invariant: "29", Name: "every working copy of a course is kept, and the last one is its own", Query: q.Q("CheckVersions")},
		{Invariant: "29", Name: "every version of a session is kept from its first one, and the last one is its own", Query: q.Q("CheckSessionVersions")},
		{Invariant: "29", Name: "what was checked when it was published is kept", Query: q.Q("CheckReports")},
	}
}
