package analytics

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/money"
)

// cell is a cell as encoding/json reads it by the contract: what the house writes by hand must be what it says by its types.
type cellRead struct {
	Text   string        `json:"text"`
	Title  wordsJSON     `json:"title"`
	Count  *int64        `json:"count"`
	Mean   *int64        `json:"mean_tenths"`
	Share  *Rate         `json:"share"`
	Amount *money.Amount `json:"amount"`
	At     *time.Time    `json:"at"`
	Points *Mean         `json:"points"`
}

func maybe[T any](t *rapid.T, name string, of *rapid.Generator[T]) *T {
	if !rapid.Bool().Draw(t, "has "+name) {
		return nil
	}
	v := of.Draw(t, name)
	return &v
}

// What a row writes by hand is JSON, and says what its cells hold: texts of any characters, numbers that are not there, and each field alone or beside
// the others.
func TestRowsAreWrittenAsTheirCellsAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		row := Row{Open: rapid.Bool().Draw(t, "open"), Summary: rapid.Bool().Draw(t, "summary")}
		number, text := rapid.Int64(), rapid.String()
		for range rapid.IntRange(0, 5).Draw(t, "cells") {
			c := Cell{Count: maybe(t, "count", number), Mean: maybe(t, "mean", number)}
			if rapid.Bool().Draw(t, "texts") {
				c.Text, c.Said = text.Draw(t, "text"), catalog.Text{EN: text.Draw(t, "en"), FR: text.Draw(t, "fr")}
			}
			if rapid.Bool().Draw(t, "share") {
				c.Rate = &Rate{number.Draw(t, "count"), number.Draw(t, "of"), maybe(t, "tenths", number), maybe(t, "low", number), maybe(t, "high", number)}
			}
			if rapid.Bool().Draw(t, "amount") {
				c.Amount = &money.Amount{Minor: number.Draw(t, "minor"), Currency: money.Currency(text.Draw(t, "currency"))}
			}
			if at := maybe(t, "at", rapid.Int64Range(-1e9, 4e9)); at != nil {
				when := time.Unix(*at, rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds")).UTC()
				c.At = &when
			}
			if rapid.Bool().Draw(t, "points") {
				c.Points = &Mean{number.Draw(t, "hundredths"), number.Draw(t, "n"), maybe(t, "from", number), maybe(t, "to", number)}
			}
			row.Cells = append(row.Cells, c)
		}
		var read struct {
			Cells         []cellRead
			Open, Summary bool
		}
		written := row.appendJSON(nil)
		if err := json.Unmarshal(written, &read); err != nil {
			t.Fatalf("%s is no JSON: %v", written, err)
		}
		if read.Open != row.Open || read.Summary != row.Summary || len(read.Cells) != len(row.Cells) {
			t.Fatalf("%+v was written as %s", row, written)
		}
		for i, c := range row.Cells {
			want := cellRead{c.Text, words(c.Said), c.Count, c.Mean, c.Rate, c.Amount, c.At, c.Points}
			if got := read.Cells[i]; !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v was written as %s", want, written)
			}
		}
	})
}
