// Package analytics answers questions from the two books and the gradebook, and writes nothing but sums of them.
package analytics

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/platform/postgres"
)

// Question asks for the five indicators of a session. Zero times are now.
type Question struct {
	Session   string // id or key
	AsOf      time.Time
	KnownAt   time.Time
	Basis     string // current (default) or ever
	Week1Rule string // first (default), all, any or none
	Cohort    string // only the learners of this cohort of the grade reports
}

// Metric is one number with what it means. Version changes when the formula does.
type Metric struct {
	ID      string `json:"id"`
	Formula string `json:"formula"`
	Version int    `json:"version"`
	Rate    Rate   `json:"rate"`
}

// Indicators are the five indicators of a session: enrolled, and % started, diligent, succeeded, diligent success.
type Indicators struct {
	Session   string     `json:"session"`
	Course    string     `json:"course"`
	Title     string     `json:"title"`
	Open      bool       `json:"open"` // the numbers may still grow
	Basis     string     `json:"basis"`
	Week1Rule string     `json:"week1_rule"`
	Cohort    string     `json:"cohort,omitempty"`
	AsOf      *time.Time `json:"as_of,omitempty"`
	KnownAt   *time.Time `json:"known_at,omitempty"`
	Enrolled  int64      `json:"enrolled"`
	Metrics   []Metric   `json:"metrics"`
}

// IndicatorsOf answers a question. Errors: catalog.ErrNoSession, journey.ErrBasis, journey.ErrWeek1Rule.
func IndicatorsOf(ctx context.Context, db *postgres.DB, question Question) (out Indicators, err error) {
	out = Indicators{Basis: cmp.Or(question.Basis, "current"), Week1Rule: cmp.Or(question.Week1Rule, "first"), Cohort: question.Cohort}
	var c journey.Counts
	err = db.View(ctx, "indicators", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.GlimpseTx(ctx, tx, question.Session, question.KnownAt)
		if err != nil {
			return err
		}
		out.Session, out.Course, out.Title, out.Open = s.Key, s.CourseKey, s.Title().In("en"), openAt(tx, s, question.AsOf)
		ask := journey.Question{SessionID: s.ID, AsOf: question.AsOf, KnownAt: question.KnownAt, Basis: out.Basis, Week1Rule: out.Week1Rule}
		if question.Cohort != "" {
			if ask.Enrolments, err = gradebook.CohortTx(ctx, tx, s.ID, question.Cohort, question.AsOf, question.KnownAt); err != nil {
				return err
			}
		}
		c, err = journey.CountsTx(ctx, tx, ask)
		return err
	})
	if err != nil {
		return out, err
	}
	// Only what was asked for is repeated, so that the same question has the same bytes tomorrow.
	out.AsOf, out.KnownAt = given(question.AsOf), given(question.KnownAt)
	out.Enrolled, out.Metrics = c.Enrolled, fiveIndicators(c)
	return out, nil
}

func fiveIndicators(c journey.Counts) []Metric {
	return []Metric{
		{"started", "started / enrolled", 1, NewRate(c.Started, c.Enrolled)},
		{"diligent", "diligent / enrolled", 1, NewRate(c.Diligent, c.Enrolled)},
		{"succeeded", "succeeded / enrolled", 1, NewRate(c.Succeeded, c.Enrolled)},
		{"diligent_success", "succeeded / diligent", 1, NewRate(c.Succeeded, c.Diligent)},
	}
}

// percent prints tenths of a per cent as "22.0 %", nothing as "–".
func percent(tenths *int64) string {
	if tenths == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", float64(*tenths)/10)
}

// JSON writes the report with two-space indentation and a final line end.
func (i Indicators) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(i)
}

// CSV writes one line per number; empty cells are numbers that do not exist.
func (i Indicators) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	lines := [][]string{
		{"session", "metric", "version", "basis", "week1_rule", "count", "of", "tenths_of_percent", "wilson95_low_tenths", "wilson95_high_tenths"},
		{i.Session, "enrolled", "1", i.Basis, i.Week1Rule, strconv.FormatInt(i.Enrolled, 10), "", "", "", ""},
	}
	for _, m := range i.Metrics {
		lines = append(lines, []string{i.Session, m.ID, strconv.Itoa(m.Version), i.Basis, i.Week1Rule, strconv.FormatInt(m.Rate.Count, 10),
			strconv.FormatInt(m.Rate.Of, 10), number(m.Rate.Tenths), number(m.Rate.Low), number(m.Rate.High)})
	}
	return out.WriteAll(lines)
}

// Table writes the report for people.
func (i Indicators) Table(w io.Writer) error {
	state := "closed"
	if i.Open {
		state = "open: the numbers may still grow"
	}
	fmt.Fprintf(w, "%s · %s (%s)\nbasis %s, week-1 rule %s", i.Session, i.Title, state, i.Basis, i.Week1Rule)
	if i.Cohort != "" {
		fmt.Fprintf(w, ", cohort %s", i.Cohort)
	}
	if i.AsOf != nil {
		fmt.Fprintf(w, ", as of %s", i.AsOf.Format(time.RFC3339))
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\tcount\tof\trate\t95 %% interval\t\n")
	fmt.Fprintf(t, "enrolled\t%d\t\t\t\t\n", i.Enrolled)
	for _, m := range i.Metrics {
		interval := ""
		if m.Rate.Low != nil {
			interval = percent(m.Rate.Low) + " to " + percent(m.Rate.High)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t\n", m.ID, m.Rate.Count, m.Rate.Of, percent(m.Rate.Tenths), interval)
	}
	return t.Flush()
}

// number prints a number that may not exist.
func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
