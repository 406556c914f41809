package export

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"cursus/internal/platform/postgres"
)

// Kind is the type of a column.
type Kind string

// The types that columns of views have, as PostgreSQL calls them.
const (
	Text    Kind = "text"
	Integer Kind = "integer"
	Big     Kind = "bigint"
	Boolean Kind = "boolean"
	Time    Kind = "timestamp with time zone"
)

// Column is one column of a view. Every column may be empty.
type Column struct {
	Name, Meaning, Unit, Source string
	Kind                        Kind
}

// View is one view of the schema export with what the data dictionary says of it.
type View struct {
	Name, Says string
	Columns    []Column // in their order
}

// DictionaryTx is the data dictionary, which stands in the database beside what it describes: every view and every column, by name of the
// view. A column of which nothing is said, or whose type no file can hold, is an error.
func DictionaryTx(ctx context.Context, tx *postgres.Tx) (views []View, err error) {
	var rows []struct {
		View   string `db:"view"`
		Says   string `db:"says"`
		Column string `db:"col"`
		Kind   Kind   `db:"kind"`
		Said   string `db:"said"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Dictionary")); err != nil {
		return nil, err
	}
	for _, r := range rows {
		parts := strings.Split(r.Said, " | ")
		switch r.Kind {
		case Text, Integer, Big, Boolean, Time:
		default:
			parts = nil
		}
		if len(parts) != 3 || r.Says == "" {
			return nil, errUnsaid.Because(fmt.Errorf("%s.%s (%s): %q", r.View, r.Column, r.Kind, r.Said))
		}
		if len(views) == 0 || views[len(views)-1].Name != r.View {
			views = append(views, View{Name: r.View, Says: r.Says})
		}
		v := &views[len(views)-1]
		v.Columns = append(v.Columns, Column{Name: r.Column, Kind: r.Kind, Meaning: parts[0], Unit: parts[1], Source: parts[2]})
	}
	return views, nil
}

// writeDictionary writes the dictionary as CSV, a line for each column.
func writeDictionary(w io.Writer, views []View) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"view", "column", "type", "unit", "meaning", "source"}) // Error tells
	for _, v := range views {
		for _, c := range v.Columns {
			_ = out.Write([]string{v.Name, c.Name, string(c.Kind), c.Unit, c.Meaning, c.Source})
		}
	}
	out.Flush()
	return out.Error()
}

// Markdown is the dictionary as a page for people.
func Markdown(views []View) string {
	var b strings.Builder
	for _, v := range views {
		fmt.Fprintf(&b, "\n### %s\n%s\n\n| column | type | unit | meaning | source |\n|---|---|---|---|---|\n", v.Name, v.Says)
		for _, c := range v.Columns {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.Name, c.Kind, c.Unit, c.Meaning, c.Source)
		}
	}
	return b.String()
}
