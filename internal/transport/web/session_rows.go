package web

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/fault"
)

// The exercise map and the grade policy are edited as rows of a table: repeated fields, the first of each belong together. A row is removed by
// its check box or by emptying it; a button adds empty ones, so that nothing needs a script.

// moreRows is how many empty rows a button adds.
const moreRows = 5

// exerciseRow is a line of the map as it stands in the form.
type exerciseRow struct {
	Label, Week, Weight, Activity string
	Scored                        bool
}

func mapRows(all []catalog.Exercise) (rows []exerciseRow) {
	for _, e := range all {
		rows = append(rows, exerciseRow{e.Label, strconv.Itoa(e.Week), catalog.FormatWeight(e.WeightPPM), e.Activity, e.Scored})
	}
	return rows
}

// writtenRows reads the rows, without those that were removed.
func writtenRows(r *request) (rows []exerciseRow, err error) {
	labels, weeks, scored, weights, activities := r.forms("label"), r.forms("week"), r.forms("scored"), r.forms("weight"), r.forms("activity")
	n := len(labels)
	if len(weeks) != n || len(scored) != n || len(weights) != n || len(activities) != n {
		return nil, errField
	}
	gone := map[string]bool{}
	for _, i := range r.forms("gone") {
		gone[i] = true
	}
	for i, label := range labels {
		if strings.TrimSpace(label) != "" && !gone[strconv.Itoa(i)] {
			rows = append(rows, exerciseRow{strings.TrimSpace(label), strings.TrimSpace(weeks[i]), strings.TrimSpace(weights[i]), activities[i], scored[i] != "N"})
		}
	}
	return rows, nil
}

func exercisesIn(rows []exerciseRow) (all []catalog.Exercise, err error) {
	var wrong []fault.Field
	for i, x := range rows {
		e := catalog.Exercise{Position: i + 1, Label: x.Label, Scored: x.Scored, Activity: x.Activity}
		if x.Week != "" {
			if e.Week, err = strconv.Atoi(x.Week); err != nil {
				wrong = append(wrong, fault.Field{Pointer: fmt.Sprintf("/exercises/%d/week", i), Code: "bad-week", Detail: "0 to 53."})
			}
		}
		var ok bool
		if e.WeightPPM, ok = catalog.ParseWeight(x.Weight); !ok {
			wrong = append(wrong, fault.Field{Pointer: fmt.Sprintf("/exercises/%d/weight", i), Code: "bad-weight", Detail: "A number from 0 to 1,000, or per cent."})
		}
		all = append(all, e)
	}
	if wrong != nil {
		return nil, fault.InvalidInput(wrong...)
	}
	return all, nil
}

// editMap saves the rows, or shows them with empty ones. Where somebody else saved meanwhile, her map stands beside what was written.
func (w *Web) editMap(r *request) (reply, error) {
	version, err := strconv.Atoi(r.form("version"))
	if err != nil || version < 1 {
		return reply{}, errStaleForm
	}
	rows, err := writtenRows(r)
	if err != nil {
		return reply{}, err
	}
	if r.form("more") != "" {
		form, err := w.deskOf(r)
		form.Rows, form.Mapped = append(rows, make([]exerciseRow, moreRows)...), version
		return reply{page: "console-session", title: form.Sheet.Key, data: form}, err
	}
	exercises, err := exercisesIn(rows)
	if err == nil {
		err = w.house.PutMap(r.ctx, r.viewer, r.param("key"), exercises, version)
	}
	if err == nil {
		return back(r, "mapped"), nil
	}
	out, err2 := w.unsaved(r, err, nil)
	if form, ok := out.data.(sessionForm); ok {
		form.Rows = rows
		if errors.Is(err, catalog.ErrChanged) {
			form.Theirs = mapCSV(form.Sheet.Exercises)
		} else {
			form.Mapped = version
		}
		out.data = form
	}
	return out, err2
}

// importMap takes the map, or the header of a grade report, from a file or a text; first it shows what would come of it.
func (w *Web) importMap(r *request) (reply, error) {
	version, err := strconv.Atoi(r.form("version"))
	if err != nil || version < 1 {
		return reply{}, errStaleForm
	}
	content := []byte(r.form("map"))
	if file := r.upload(); len(file) > 0 {
		content = file
	}
	dry := r.form("apply") == ""
	p, err := w.house.ImportMap(r.ctx, r.viewer, gradebook.ImportMap{Session: r.param("key"), Content: content, Expected: version, DryRun: dry})
	if err != nil {
		out, err := w.unsaved(r, err, nil)
		if form, ok := out.data.(sessionForm); ok {
			form.Exercise = r.form("map")
			out.data = form
		}
		return out, err
	}
	if !dry {
		return back(r, "mapped"), nil
	}
	form, err := w.deskOf(r)
	form.Exercise, form.Rows, form.Mapped, form.Proposal = mapCSV(p.Map()), mapRows(p.Map()), version, &p
	return reply{page: "console-session", title: form.Sheet.Key, data: form}, err
}

func mapCSV(all []catalog.Exercise) string {
	var b strings.Builder
	b.WriteString("exercise;week;scored;weight;activity\n")
	for _, e := range all {
		scored := "Y"
		if !e.Scored {
			scored = "N"
		}
		label := e.Label
		if strings.ContainsAny(label, ";\"\n") {
			label = `"` + strings.ReplaceAll(label, `"`, `""`) + `"`
		}
		fmt.Fprintf(&b, "%s;%d;%s;%s;%s\n", label, e.Week, scored, catalog.FormatWeight(e.WeightPPM), e.Activity)
	}
	return b.String()
}

// policyRow is a line of the grade policy: kind of work, per cent, how many works, how many of the worst are left out.
type policyRow struct{ Type, Weight, Works, Drop string }

// PolicyRows are the lines of the policy as it was read or written, and empty ones.
func (f sessionForm) PolicyRows() (rows []policyRow) {
	for line := range strings.Lines(f.Values["policy"]) {
		cells := strings.SplitN(strings.TrimSpace(line), ";", 4)
		for len(cells) < 4 {
			cells = append(cells, "")
		}
		rows = append(rows, policyRow{strings.TrimSpace(cells[0]), strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])})
	}
	return append(rows, make([]policyRow, max(f.Blank, 1))...)
}

// policyText is the rows of the policy, one a line; a row without a kind of work is removed.
func policyText(r *request) string {
	var b strings.Builder
	types, weights, works, drops := r.forms("policy_type"), r.forms("policy_weight"), r.forms("policy_works"), r.forms("policy_drop")
	for i, name := range types {
		if strings.TrimSpace(name) == "" || i >= len(weights) || i >= len(works) || i >= len(drops) {
			continue
		}
		fmt.Fprintf(&b, "%s; %s; %s; %s\n", strings.TrimSpace(name), strings.TrimSpace(weights[i]), strings.TrimSpace(works[i]), strings.TrimSpace(drops[i]))
	}
	return b.String()
}

func (f *formReader) policy(text string) (p catalog.Policy) {
	const name = "policy"
	count := func(s string) int {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil && strings.TrimSpace(s) != "" {
			f.refuse(name, "not-a-number", "Works, and the worst ones left out, are whole numbers.")
		}
		return n
	}
	for line := range strings.Lines(text) {
		cells := strings.Split(line, ";")
		if len(cells) != 4 {
			f.refuse(name, "bad-policy", "A kind of work has no semicolon in its name.")
			return nil
		}
		p = append(p, catalog.AssignmentType{Type: strings.TrimSpace(cells[0]), WeightPPM: f.ppm(name, cells[1]), MinCount: count(cells[2]), DropCount: count(cells[3])})
	}
	return p
}
