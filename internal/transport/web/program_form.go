package web

import (
	"fmt"
	"strconv"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
)

// partRow is one line of the builder: a course, a workshop or a group. What stands deeper below a group is in it.
type partRow struct {
	Kind, Key, TitleFR, Need, Optional, Grade, After, AfterAny, Equivalents, Hours, ECTS, Days string
	Depth                                                                                      int
}

// rowFields are the repeated fields of the form, in the order of a row.
var rowFields = []string{"kind", "key", "titlefr", "need", "optional", "grade", "after", "afterany", "equivalents", "hours", "ects", "days", "depth"}

func (p *partRow) cells() []*string {
	return []*string{&p.Kind, &p.Key, &p.TitleFR, &p.Need, &p.Optional, &p.Grade, &p.After, &p.AfterAny, &p.Equivalents, &p.Hours, &p.ECTS, &p.Days}
}

// readRows reads the lines of the builder as they were sent; a form whose fields do not match is no form of ours.
func readRows(r *request) ([]partRow, error) {
	rows := make([]partRow, len(r.forms("kind")))
	if len(rows) > 300 {
		return nil, errField
	}
	for f, name := range rowFields {
		values := r.forms(name)
		if len(values) != len(rows) {
			return nil, errField
		}
		for i, v := range values {
			if name != "depth" {
				*rows[i].cells()[f] = strings.TrimSpace(v)
			} else if n, err := strconv.Atoi(v); err == nil && n >= 0 && n < 10 {
				rows[i].Depth = n
			}
		}
	}
	return level(rows), nil
}

// level takes lines out that stand deeper than the group above them allows.
func level(rows []partRow) []partRow {
	most := 0
	for i := range rows {
		rows[i].Depth = min(rows[i].Depth, most)
		if most = rows[i].Depth; rows[i].Kind == "group" {
			most++
		}
	}
	return rows
}

// end is the line after what stands in a line.
func end(rows []partRow, i int) int {
	j := i + 1
	for j < len(rows) && rows[j].Depth > rows[i].Depth {
		j++
	}
	return j
}

// rearrange does what a button of the builder says: "up 3", "down 3", "in 3", "out 3", "remove 3", "add course". Focus is the id of the
// control from which a keyboard goes on: the field of a new line, the same button of a line that moved.
func rearrange(rows []partRow, do string) (out []partRow, focus string) {
	verb, what, _ := strings.Cut(do, " ")
	if verb == "add" {
		row := partRow{Kind: what, Need: "1", Optional: "no"}
		return level(append(rows, row)), "key" + strconv.Itoa(len(rows))
	}
	i, err := strconv.Atoi(what)
	if err != nil || i < 0 || i >= len(rows) {
		return rows, ""
	}
	here := verb + strconv.Itoa(i)
	j := end(rows, i)
	block := append([]partRow{}, rows[i:j]...)
	rest := append(append([]partRow{}, rows[:i]...), rows[j:]...)
	at := i
	switch verb {
	case "remove":
		return level(rest), "add-" + block[0].Kind
	case "up":
		if at = i - 1; at < 0 {
			return rows, here
		}
		for at > 0 && rest[at].Depth > block[0].Depth {
			at--
		}
	case "down":
		if i == len(rest) {
			return rows, here
		}
		at = end(rest, i)
		if rest[i].Depth < block[0].Depth {
			at = i + 1
		}
	case "in", "out":
		by := 1
		if verb == "out" {
			by = -1
		}
		if block[0].Depth+by < 0 {
			return rows, here
		}
		for k := range block {
			block[k].Depth += by
		}
	}
	return level(append(append(append([]partRow{}, rest[:at]...), block...), rest[at:]...)), verb + strconv.Itoa(at)
}

// rowReader turns lines into a content and notes what cannot be read.
type rowReader struct{ wrong []fault.Field }

func (x *rowReader) refuse(row int, field, detail string) {
	x.wrong = append(x.wrong, fault.Field{Pointer: fmt.Sprintf("line %d: %s", row+1, field), Code: "unreadable", Detail: detail})
}

func (x *rowReader) number(row int, field, said string) int {
	if said == "" {
		return 0
	}
	n, err := strconv.Atoi(said)
	if err != nil {
		x.refuse(row, field, "A whole number.")
	}
	return n
}

// scaled reads "1", "1.5", "1,25" as a whole number of units of which one has ten to the power of digits.
func (x *rowReader) scaled(row int, field, said string, digits int) int {
	whole, part, _ := strings.Cut(strings.ReplaceAll(said, ",", "."), ".")
	if len(part) > digits {
		x.refuse(row, field, "Too many digits after the point.")
		return 0
	}
	n, err := strconv.Atoi(whole + part + strings.Repeat("0", digits-len(part)))
	if err != nil {
		x.refuse(row, field, "A number.")
	}
	return n
}

// bar reads a grade in per cent; nothing is no grade.
func (x *rowReader) bar(row int, field, said string) *int {
	if said = strings.TrimSpace(strings.TrimSuffix(said, "%")); said == "" {
		return nil
	}
	n := x.scaled(row, field, said, 4)
	return &n
}

func keys(said string) []string {
	return strings.FieldsFunc(said, func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
}

// equivalents reads "LAN SR!" and "SR>60": the mark asks for a certificate, the number for a grade in per cent.
func (x *rowReader) equivalents(row int, said string) (all []programs.Equivalence) {
	for _, k := range keys(said) {
		key, grade, _ := strings.Cut(k, ">")
		e := programs.Equivalence{Key: strings.TrimSuffix(key, "!"), Certified: strings.HasSuffix(key, "!")}
		e.MinGradePPM = x.bar(row, "equivalents", grade)
		all = append(all, e)
	}
	return all
}

// parts builds the tree of the lines from i that stand at a depth, and gives the line after them.
func (x *rowReader) parts(rows []partRow, i, depth int) (nodes []programs.Node, next int) {
	nodes = []programs.Node{}
	for i < len(rows) && rows[i].Depth >= depth {
		p, row := rows[i], i
		optional := p.Optional == "yes"
		switch p.Kind {
		case "group":
			var inner []programs.Node
			inner, i = x.parts(rows, i+1, depth+1)
			nodes = append(nodes, programs.Node{Group: &programs.Group{Title: catalog.Text{EN: p.Key, FR: p.TitleFR}, Need: x.number(row, "need", p.Need), Parts: inner}})
			continue
		case "workshop":
			nodes = append(nodes, programs.Node{Workshop: &programs.WorkshopRule{
				Key: p.Key, Optional: optional, Days: x.number(row, "days", p.Days), MinProductionPPM: x.bar(row, "grade", p.Grade),
				WorkloadHours: x.number(row, "hours", p.Hours), ECTSHundredths: x.scaled(row, "ects", zero(p.ECTS), 2),
			}})
		default:
			nodes = append(nodes, programs.Node{Course: &programs.CourseRule{
				Key: p.Key, Optional: optional, MinGradePPM: x.bar(row, "grade", p.Grade), After: keys(p.After), AfterAny: keys(p.AfterAny),
				Equivalents: x.equivalents(row, p.Equivalents), WorkloadHours: x.number(row, "hours", p.Hours), ECTSHundredths: x.scaled(row, "ects", zero(p.ECTS), 2),
			}})
		}
		i++
	}
	return nodes, i
}

func zero(said string) string {
	if said == "" {
		return "0"
	}
	return said
}

// rowsOf lays a tree out as lines.
func rowsOf(parts []programs.Node, depth int) (rows []partRow) {
	optional := func(b bool) string {
		if b {
			return "yes"
		}
		return "no"
	}
	for _, n := range parts {
		switch {
		case n.Course != nil:
			c := n.Course
			var same []string
			for _, e := range c.Equivalents {
				k := e.Key
				if e.Certified {
					k += "!"
				}
				if e.MinGradePPM != nil {
					k += ">" + percent(e.MinGradePPM)
				}
				same = append(same, k)
			}
			rows = append(rows, partRow{
				Kind: "course", Key: c.Key, Need: "1", Optional: optional(c.Optional), Grade: percent(c.MinGradePPM), After: strings.Join(c.After, " "),
				AfterAny: strings.Join(c.AfterAny, " "), Equivalents: strings.Join(same, " "), Hours: strconv.Itoa(c.WorkloadHours), ECTS: decimal(c.ECTSHundredths), Depth: depth,
			})
		case n.Workshop != nil:
			w := n.Workshop
			rows = append(rows, partRow{
				Kind: "workshop", Key: w.Key, Need: "1", Optional: optional(w.Optional), Grade: percent(w.MinProductionPPM), Hours: strconv.Itoa(w.WorkloadHours),
				ECTS: decimal(w.ECTSHundredths), Days: strconv.Itoa(w.Days), Depth: depth,
			})
		case n.Group != nil:
			rows = append(rows, partRow{Kind: "group", Key: n.Group.Title.EN, TitleFR: n.Group.Title.FR, Need: strconv.Itoa(n.Group.Need), Optional: "no", Depth: depth})
			rows = append(rows, rowsOf(n.Group.Parts, depth+1)...)
		}
	}
	return rows
}

// percent writes millionths as the form reads them, decimal hundredths.
func percent(ppm *int) string {
	if ppm == nil {
		return ""
	}
	return trim(fmt.Sprintf("%d.%04d", *ppm/10_000, *ppm%10_000))
}

func decimal(hundredths int) string {
	return trim(fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100))
}

func trim(s string) string { return strings.TrimRight(strings.TrimRight(s, "0"), ".") }
