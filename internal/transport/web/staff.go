package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"html/template"
	"strconv"
	"strings"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/transport/web/chart"
)

// figures is what the staff page shows: the numbers, and the same numbers drawn.
type figures struct {
	Comparison Comparison
	Columns    []string // keys of the words of the indicators
	Charts     []drawing
	Outcomes   Outcomes
	Funnels    []drawing
}

type drawing struct {
	Title string
	SVG   template.HTML
}

func (w *Web) staff(r *request) (reply, error) {
	c, err := w.house.Comparison(r.ctx, r.viewer)
	if fault.From(err).Kind == fault.Forbidden { // the figures are not for all of the staff: her work is in the console
		return reply{redirect: "/console"}, nil
	}
	if err != nil {
		return reply{}, err
	}
	o, err := w.house.Outcomes(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	f := figures{Comparison: c, Outcomes: o}
	if f.Charts, err = w.drawComparison(r.lang, c); err != nil {
		return reply{}, err
	}
	if f.Funnels, err = w.drawOutcomes(r.lang, o); err != nil {
		return reply{}, err
	}
	return reply{page: "staff", title: "staff.title", data: f}, nil
}

// shares are the four indicators that are shares, with the words that name them.
var shares = []struct {
	key  string
	of   func(Indicators) Rate
	mean func(Averages) *int64
}{
	{"staff.started", func(i Indicators) Rate { return i.Started }, func(a Averages) *int64 { return a.Started }},
	{"staff.diligent", func(i Indicators) Rate { return i.Diligent }, func(a Averages) *int64 { return a.Diligent }},
	{"staff.succeeded", func(i Indicators) Rate { return i.Succeeded }, func(a Averages) *int64 { return a.Succeeded }},
	{"staff.dsuccess", func(i Indicators) Rate { return i.DiligentSuccess }, func(a Averages) *int64 { return a.DiligentSuccess }},
}

// say collects texts and keeps the first error, so that a drawing reads as a drawing.
type say struct {
	w    *Web
	lang string
	err  error
}

func (s *say) text(key string, args ...any) string {
	t, err := s.w.words.text(s.lang, key, args...)
	if err != nil && s.err == nil {
		s.err = err
	}
	return t
}

func (w *Web) drawComparison(lang string, c Comparison) ([]drawing, error) {
	s := &say{w: w, lang: lang}
	if len(c.Sessions) == 0 {
		return nil, nil
	}
	enrolled := chart.Bars{ID: "chart-enrolled", Title: s.text("staff.enrolled")}
	for _, x := range c.Sessions {
		n := x.Enrolled
		enrolled.Bars = append(enrolled.Bars, chart.Bar{Label: x.Session, Text: count(lang, n), Value: &n})
	}
	if c.PlainMean.Enrolled != nil {
		enrolled.Bars = append(enrolled.Bars, chart.Bar{Label: "x\u0304", Text: count(lang, *c.PlainMean.Enrolled), Value: c.PlainMean.Enrolled, Class: "mean"})
	}
	all := []chart.Bars{enrolled}
	for _, share := range shares {
		b := chart.Bars{ID: "chart-" + strings.TrimPrefix(share.key, "staff."), Title: s.text(share.key)}
		for _, x := range c.Sessions {
			b.Bars = append(b.Bars, rateBar(lang, x.Session, share.of(x.Indicators)))
		}
		mean := share.mean(c.PlainMean)
		b.Bars = append(b.Bars, chart.Bar{Label: "x\u0304", Text: percentage(lang, mean), Value: mean, Class: "mean"})
		all = append(all, b)
	}
	return s.drawings(all)
}

// drawOutcomes draws, for each session, the way from payment to certificate and what one learner of each stage brought in.
func (w *Web) drawOutcomes(lang string, o Outcomes) ([]drawing, error) {
	s := &say{w: w, lang: lang}
	var all []chart.Bars
	for i, x := range o.Rows {
		id := strconv.Itoa(i)
		paid, whole := Rate{Count: x.Paid, Of: x.Paid}, int64(1000)
		if x.Paid > 0 {
			paid.Tenths = &whole
		}
		funnel := chart.Bars{ID: "funnel-" + id, Title: s.text("staff.funnel", x.Session), Max: 1000}
		for _, step := range []struct {
			key  string
			rate Rate
		}{{"staff.paid", paid}, {"staff.started", x.Started}, {"staff.diligent", x.Diligent}, {"staff.certified", x.Certified}} {
			funnel.Bars = append(funnel.Bars, rateBar(lang, s.text(step.key), step.rate))
		}
		per := chart.Bars{ID: "money-" + id, Title: s.text("staff.money", x.Session)}
		for _, step := range []struct {
			key string
			net *money.Amount
		}{{"staff.started", x.PerStarted}, {"staff.diligent", x.PerDiligent}, {"staff.certified", x.PerCertified}} {
			bar := chart.Bar{Label: s.text(step.key), Text: "–", Class: "money"}
			if step.net != nil {
				bar.Value, bar.Text = &step.net.Minor, amount(lang, *step.net)
				per.Max = max(per.Max, step.net.Minor*4/3) // so that the longest bar leaves room for its amount
			}
			per.Bars = append(per.Bars, bar)
		}
		all = append(all, funnel, per)
	}
	return s.drawings(all)
}

// drawings describes each chart by its own bars, so that who hears the page hears the numbers.
func (s *say) drawings(all []chart.Bars) (out []drawing, err error) {
	for _, c := range all {
		var said []string
		for _, b := range c.Bars {
			label := b.Label
			if b.Class == "mean" {
				label = s.text("staff.plainmean")
			}
			said = append(said, label+" "+b.Text)
		}
		c.Description = s.text("staff.chart.desc", strings.Join(said, "; "))
		out = append(out, drawing{c.Title, c.SVG()})
	}
	return out, s.err
}

func rateBar(lang, label string, r Rate) chart.Bar {
	return chart.Bar{Label: label, Text: percentage(lang, r.Tenths), Value: r.Tenths, Low: r.Low, High: r.High}
}

func percentage(lang string, tenths *int64) string { return share(lang, tenths) }

func (w *Web) comparisonFile(r *request) (reply, error) {
	c, err := w.house.Comparison(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	rows := [][]string{{"session", "open", "metric", "count", "of", "tenths_of_percent", "wilson95_low_tenths", "wilson95_high_tenths", "as_of", "basis", "week1_rule", "demo"}}
	echo := []string{View{}.Machine(c.AsOf), c.Basis, c.Week1, strconv.FormatBool(c.Demo)}
	add := func(session string, open bool, i Indicators) {
		head := []string{cell(session), strconv.FormatBool(open)}
		rows = append(rows, join(head, []string{"enrolled", strconv.FormatInt(i.Enrolled, 10), "", "", "", ""}, echo))
		for _, share := range shares {
			rows = append(rows, join(head, []string{metric(share.key)}, rateCells(share.of(i)), echo))
		}
	}
	for _, x := range c.Sessions {
		add(x.Session, x.Open, x.Indicators)
	}
	add("(weighted)", false, c.Weighted)
	head := []string{"(plain mean)", "false"}
	rows = append(rows, join(head, []string{"enrolled", number(c.PlainMean.Enrolled), "", "", "", ""}, echo))
	for _, share := range shares {
		rows = append(rows, join(head, []string{metric(share.key), "", "", number(share.mean(c.PlainMean)), "", ""}, echo))
	}
	return export(r.param("format"), "comparison", rows, c)
}

// metric is the id of METRICS in files; it does not follow the language of the page.
func metric(key string) string {
	if key == "staff.dsuccess" {
		return "diligent_success"
	}
	return strings.TrimPrefix(key, "staff.")
}

func (w *Web) outcomesFile(r *request) (reply, error) {
	o, err := w.house.Outcomes(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	rows := [][]string{{"session", "open", "formula", "metric", "count", "of", "tenths_of_percent", "wilson95_low_tenths", "wilson95_high_tenths", "amount_minor", "currency", "as_of", "demo"}}
	for _, x := range o.Rows {
		head := []string{cell(x.Session), strconv.FormatBool(x.Open), o.Formula}
		tail := []string{View{}.Machine(o.AsOf), strconv.FormatBool(o.Demo)}
		rows = append(rows, join(head, []string{"paid", strconv.FormatInt(x.Paid, 10), "", "", "", "", "", ""}, tail))
		for _, m := range []struct {
			name string
			rate Rate
		}{{"share_of_enrolled", x.Share}, {"started", x.Started}, {"diligent", x.Diligent}, {"certified_of_diligent", x.DiligentCertified}, {"certified", x.Certified}} {
			rows = append(rows, join(head, []string{m.name}, rateCells(m.rate), []string{"", ""}, tail))
		}
		type line struct {
			name string
			net  *money.Amount
		}
		lines := []line{{"net_revenue", &x.Net}, {"net_per_started", x.PerStarted}, {"net_per_diligent", x.PerDiligent}, {"net_per_certified", x.PerCertified}}
		if x.Cost != nil {
			lines = append(lines, line{"cost", x.Cost}, line{"contribution", x.Contribution}, line{"cost_per_certified", x.CostPerCertified},
				line{"contribution_per_certified", x.ContributionPerCertified})
		}
		for _, m := range lines {
			minor := ""
			if m.net != nil {
				minor = strconv.FormatInt(m.net.Minor, 10)
			}
			rows = append(rows, join(head, []string{m.name, "", "", "", "", "", minor, string(x.Net.Currency)}, tail))
		}
	}
	return export(r.param("format"), "outcomes", rows, o)
}

var errNoFigureFile = fault.New(fault.NotFound, "no-such-format", "The figures are there as csv and json.")

func export(format, name string, rows [][]string, value any) (reply, error) {
	var b bytes.Buffer
	switch format {
	case "csv":
		if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
			return reply{}, err
		}
		return reply{file: &File{name + ".csv", "text/csv; charset=utf-8", b.Bytes()}}, nil
	case "json":
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		if err := e.Encode(value); err != nil {
			return reply{}, err
		}
		return reply{file: &File{name + ".json", "application/json", b.Bytes()}, inline: true}, nil
	}
	return reply{}, errNoFigureFile
}

func rateCells(r Rate) []string {
	return []string{strconv.FormatInt(r.Count, 10), strconv.FormatInt(r.Of, 10), number(r.Tenths), number(r.Low), number(r.High)}
}

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// cell keeps a spreadsheet from running a text as a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func join(parts ...[]string) (row []string) {
	for _, p := range parts {
		row = append(row, p...)
	}
	return row
}
