package analytics

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"cursus/internal/domain/catalog"
)

// JSON writes the figure with two-space indentation and a final line end.
func (f Figure) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(f)
}

// heads are the columns of a file that one column of the figure becomes.
func (c Column) heads() []string {
	switch c.Kind {
	case Share:
		return []string{c.ID + "_count", c.ID + "_of", c.ID + "_tenths_of_percent", c.ID + "_wilson95_low_tenths", c.ID + "_wilson95_high_tenths"}
	case Amount:
		return []string{c.ID + "_minor", c.ID + "_currency"}
	case Points:
		return []string{c.ID + "_hundredths", c.ID + "_n", c.ID + "_t95_low_hundredths", c.ID + "_t95_high_hundredths"}
	}
	return []string{c.ID}
}

// cells are what of a value stands in those columns; empty cells are numbers that do not exist, or are kept back.
func (c Column) cells(v Cell) []string {
	switch c.Kind {
	case Share:
		if v.Rate == nil {
			return []string{"", "", number(v.Mean), "", ""}
		}
		return []string{strconv.FormatInt(v.Rate.Count, 10), strconv.FormatInt(v.Rate.Of, 10), number(v.Rate.Tenths), number(v.Rate.Low), number(v.Rate.High)}
	case Amount:
		if v.Amount == nil {
			return make([]string, 2)
		}
		return []string{strconv.FormatInt(v.Amount.Minor, 10), string(v.Amount.Currency)}
	case Points:
		if v.Points == nil {
			return make([]string, 4)
		}
		return []string{strconv.FormatInt(v.Points.Hundredths, 10), strconv.FormatInt(v.Points.N, 10), number(v.Points.Low), number(v.Points.High)}
	case Instant:
		if v.At == nil { // the total of all times says so
			return []string{v.Text}
		}
		return []string{v.At.UTC().Format(time.RFC3339)}
	case Text:
		return []string{plain(v.Text)}
	}
	return []string{number(v.Count)}
}

// plain keeps a spreadsheet from running a text as a formula.
func plain(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// CSV writes a line per row; each line says which figure it is of and what that was asked with, so that lines of several can stand together.
func (f Figure) CSV(w io.Writer) error {
	head := []string{"figure", "version", "basis", "week1_rule", "as_of", "known_at", "open", "demo", "parameters"}
	var asked []string // as the API is asked with them
	for _, p := range f.Params {
		if v := f.Ask.Params[p.ID]; v != "" {
			asked = append(asked, p.ID+":"+v)
		}
	}
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	for _, c := range f.Columns {
		head = append(head, c.heads()...)
	}
	lines := [][]string{head}
	for _, r := range f.Rows {
		line := []string{f.ID, strconv.Itoa(f.Version), f.Basis, f.Week1Rule, stamp(f.Ask.AsOf), stamp(f.Ask.KnownAt), strconv.FormatBool(r.Open), strconv.FormatBool(f.Demo), strings.Join(asked, ";")}
		for i, c := range f.Columns {
			line = append(line, c.cells(r.Cells[i])...)
		}
		lines = append(lines, line)
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// Table writes the figure for people at a terminal.
func (f Figure) Table(w io.Writer) error {
	fmt.Fprintf(w, "%s (%s, version %d)\n%s\n", f.Title.EN, f.ID, f.Version, f.Says.EN)
	if f.Basis != "" {
		fmt.Fprintf(w, "basis %s", f.Basis)
		if f.Week1Rule != "" {
			fmt.Fprintf(w, ", week-1 rule %s", f.Week1Rule)
		}
		fmt.Fprintln(w)
	}
	if !f.Ask.AsOf.IsZero() {
		fmt.Fprintf(w, "as of %s\n", f.Ask.AsOf.UTC().Format(time.RFC3339))
	}
	if f.Demo {
		fmt.Fprintln(w, "DEMONSTRATION: sold through a sandbox, no real money is in these numbers.")
	}
	if f.Open {
		fmt.Fprintln(w, "open: the numbers may still grow")
	}
	for _, b := range f.Base {
		fmt.Fprintf(w, "%s: %d\n", b.Title.EN, b.N)
	}
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, c := range f.Columns {
		fmt.Fprintf(t, "%s\t", c.Title.EN)
	}
	fmt.Fprintln(t)
	for _, r := range f.Rows {
		for i, c := range f.Columns {
			fmt.Fprintf(t, "%s\t", c.Said(r.Cells[i], "en"))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range f.Notes {
		fmt.Fprintln(w, n.EN)
	}
	return nil
}

// Said is a value for people, in a language.
func (c Column) Said(v Cell, lang string) string {
	if lang == "fr" {
		return c.saidInFrench(v)
	}
	switch {
	case v.Said.EN != "":
		return v.Said.In(lang)
	case v.Rate != nil && v.Rate.Low != nil:
		return fmt.Sprintf("%s (%d/%d; %s to %s)", percent(v.Rate.Tenths), v.Rate.Count, v.Rate.Of, percent(v.Rate.Low), percent(v.Rate.High))
	case v.Rate != nil:
		return fmt.Sprintf("%s (%d/%d)", percent(v.Rate.Tenths), v.Rate.Count, v.Rate.Of)
	case v.Mean != nil:
		return percent(v.Mean)
	case v.Amount != nil:
		return v.Amount.String()
	case v.At != nil:
		return v.At.UTC().Format(time.RFC3339)
	case v.Points != nil:
		return v.Points.String()
	case v.Count != nil && c.Kind == Tenths:
		return c.tenths(v.Count)
	case v.Count != nil:
		return strconv.FormatInt(*v.Count, 10)
	case v.Text != "":
		return v.Text
	}
	return "–"
}

// tenths are a per cent, or points without its sign.
func (c Column) tenths(n *int64) string {
	if c.Points {
		return strings.TrimSuffix(percent(n), " %")
	}
	return percent(n)
}

// saidInFrench has the comma of decimals, thousands apart, and French between the ends of an interval.
func (c Column) saidInFrench(v Cell) string {
	rate := func(tenths *int64) string { return strings.Replace(percent(tenths), ".", ",", 1) }
	switch {
	case v.Said != (catalog.Text{}):
		return v.Said.In("fr")
	case v.Rate != nil && v.Rate.Low != nil:
		return fmt.Sprintf("%s (%s/%s ; de %s à %s)", rate(v.Rate.Tenths), grouped(v.Rate.Count), grouped(v.Rate.Of), rate(v.Rate.Low), rate(v.Rate.High))
	case v.Rate != nil:
		return fmt.Sprintf("%s (%s/%s)", rate(v.Rate.Tenths), grouped(v.Rate.Count), grouped(v.Rate.Of))
	case v.Mean != nil:
		return rate(v.Mean)
	case v.Amount != nil:
		return v.Amount.Format("fr")
	case v.Points != nil:
		text := strings.ReplaceAll(v.Points.String(), ".", ",")
		return strings.NewReplacer(" to ", " à ", "; ", " ; ").Replace(text)
	case v.Count != nil && c.Kind == Tenths:
		return strings.Replace(c.tenths(v.Count), ".", ",", 1)
	case v.Count != nil:
		return grouped(*v.Count)
	}
	return c.Said(v, "en")
}

// grouped writes thousands apart, with a space that no line ends at.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "\u00a0" + digits[i:]
	}
	return digits
}

// WriteDefinitions lists the figures with what they are asked with, for people at a terminal.
func WriteDefinitions(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, d := range Definitions() {
		var params []string
		for _, p := range d.Params {
			name := p.ID
			if p.Of != nil {
				name += "=" + strings.Join(p.Of, "|")
			}
			if !p.Required {
				name = "[" + name + "]"
			}
			params = append(params, name)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", d.ID, d.Title.EN, strings.Join(params, " "))
	}
	return t.Flush()
}
