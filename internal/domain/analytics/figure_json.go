package analytics

import (
	"encoding/json"
	"strconv"
	"time"

	"cursus/internal/domain/catalog"
)

// The shapes of a figure as JSON, which are those of the contract, but for the rows.
type (
	wordsJSON struct {
		EN string `json:"en,omitempty"`
		FR string `json:"fr,omitempty"`
	}
	paramJSON struct {
		ID    string `json:"id"`
		Value string `json:"value"`
	}
	baseJSON struct {
		ID    string    `json:"id"`
		Title wordsJSON `json:"title"`
		N     int64     `json:"n"`
	}
	columnJSON struct {
		ID    string    `json:"id"`
		Kind  Kind      `json:"kind"`
		Title wordsJSON `json:"title"`
	}
	figureJSON struct {
		ID         string       `json:"id"`
		Paper      string       `json:"paper,omitempty"`
		Version    int          `json:"version"`
		Title      wordsJSON    `json:"title"`
		Definition wordsJSON    `json:"definition"`
		Basis      string       `json:"basis,omitempty"`
		Week1Rule  string       `json:"week1_rule,omitempty"`
		AsOf       *time.Time   `json:"as_of,omitempty"`
		KnownAt    *time.Time   `json:"known_at,omitempty"`
		Parameters []paramJSON  `json:"parameters"`
		Base       []baseJSON   `json:"base"`
		Columns    []columnJSON `json:"columns"`
		Notes      []wordsJSON  `json:"notes"`
		Open       bool         `json:"open"`
		Demo       bool         `json:"demo"`
	}
)

func words(t catalog.Text) wordsJSON { return wordsJSON{t.EN, t.FR} }

// MarshalJSON writes the figure as the contract says. What was not asked for is not there, so that the same question has the same bytes tomorrow. A
// cube has a hundred thousand cells: by reflection they would take longer than the question, so the rows write themselves, at the end.
func (f Figure) MarshalJSON() ([]byte, error) {
	head := figureJSON{
		ID: f.ID, Paper: f.Paper, Version: f.Version, Title: words(f.Title), Definition: words(f.Says), Basis: f.Basis, Week1Rule: f.Week1Rule, AsOf: given(f.Ask.AsOf), KnownAt: given(f.Ask.KnownAt),
		Parameters: []paramJSON{}, Base: []baseJSON{}, Columns: []columnJSON{}, Notes: []wordsJSON{}, Open: f.Open, Demo: f.Demo,
	}
	for _, p := range f.Params {
		if v := f.Ask.Params[p.ID]; v != "" {
			head.Parameters = append(head.Parameters, paramJSON{p.ID, v})
		}
	}
	for _, b := range f.Base {
		head.Base = append(head.Base, baseJSON{b.ID, words(b.Title), b.N})
	}
	for _, c := range f.Columns {
		head.Columns = append(head.Columns, columnJSON{c.ID, c.Kind, words(c.Title)})
	}
	for _, n := range f.Notes {
		head.Notes = append(head.Notes, words(n))
	}
	start, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	line := 64 // about as long as a row will be: more than a megabyte would be copied again and again as it grows
	for _, c := range f.Columns {
		switch c.Kind {
		case Share, Points:
			line += 120
		case Amount:
			line += 60
		default:
			line += 24
		}
	}
	each, rows := f.lay, f.laid
	if each == nil {
		rows = len(f.Rows)
		each = func(do func(Row)) {
			for _, r := range f.Rows {
				do(r)
			}
		}
	}
	b := make([]byte, 0, len(start)+64+line*rows)
	b = append(append(b, start[:len(start)-1]...), `,"rows":[`...)
	first := true
	each(func(r Row) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = r.appendJSON(b)
	})
	return append(b, "]}"...), nil
}

func (r Row) appendJSON(b []byte) []byte {
	b = append(b, `{"cells":[`...)
	for i, c := range r.Cells {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.appendJSON(b)
	}
	b = strconv.AppendBool(append(b, `],"open":`...), r.Open)
	return append(strconv.AppendBool(append(b, `,"summary":`...), r.Summary), '}')
}

// appendJSON writes what is set. A cell with nothing set is a number that does not exist, or is kept back.
func (c Cell) appendJSON(b []byte) []byte {
	b = append(b, '{')
	empty := len(b)
	next := func(name string) []byte {
		if len(b) > empty {
			b = append(b, ',')
		}
		return append(append(append(b, '"'), name...), '"', ':')
	}
	if c.Text != "" {
		b = appendText(next("text"), c.Text)
	}
	if c.Said.EN != "" {
		b = appendText(append(next("title"), `{"en":`...), c.Said.EN)
		if c.Said.FR != "" {
			b = appendText(append(b, `,"fr":`...), c.Said.FR)
		}
		b = append(b, '}')
	} else if c.Said.FR != "" {
		b = append(appendText(append(next("title"), `{"fr":`...), c.Said.FR), '}')
	}
	if c.Count != nil {
		b = strconv.AppendInt(next("count"), *c.Count, 10)
	}
	if c.Mean != nil {
		b = strconv.AppendInt(next("mean_tenths"), *c.Mean, 10)
	}
	if c.Rate != nil {
		b = strconv.AppendInt(append(next("share"), `{"count":`...), c.Rate.Count, 10)
		b = strconv.AppendInt(append(b, `,"of":`...), c.Rate.Of, 10)
		b = appendNumber(append(b, `,"tenths_of_percent":`...), c.Rate.Tenths)
		b = appendNumber(append(b, `,"wilson95_low_tenths":`...), c.Rate.Low)
		b = append(appendNumber(append(b, `,"wilson95_high_tenths":`...), c.Rate.High), '}')
	}
	if c.Amount != nil {
		b = strconv.AppendInt(append(next("amount"), `{"amount_minor":`...), c.Amount.Minor, 10)
		b = append(appendText(append(b, `,"currency":`...), string(c.Amount.Currency)), '}')
	}
	if c.At != nil {
		b = append(c.At.AppendFormat(append(next("at"), '"'), time.RFC3339Nano), '"')
	}
	if c.Points != nil {
		b = strconv.AppendInt(append(next("points"), `{"hundredths":`...), c.Points.Hundredths, 10)
		b = strconv.AppendInt(append(b, `,"n":`...), c.Points.N, 10)
		b = appendNumber(append(b, `,"t95_low_hundredths":`...), c.Points.Low)
		b = append(appendNumber(append(b, `,"t95_high_hundredths":`...), c.Points.High), '}')
	}
	return append(b, '}')
}

func appendNumber(b []byte, n *int64) []byte {
	if n == nil {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, *n, 10)
}

// appendText writes a text with quotes: as it stands where JSON has it so, which keys and codes do.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // of a string it cannot fail
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
