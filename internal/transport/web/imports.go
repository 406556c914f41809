package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// importRoutes are the addresses of files of learning platforms: one page for every kind of them, one for those that came together, one for each.
func (w *Web) importRoutes() []route {
	return []route{
		{method: "GET", path: "/console/imports", who: staff, handle: w.imports},
		{method: "POST", path: "/console/imports", who: staff, handle: w.receiveFiles, stream: true},
		{method: "POST", path: "/console/imports/columns", who: staff, handle: w.mapColumns, slow: true},
		{method: "GET", path: "/console/imports/:session/:intake", who: staff, handle: w.takenIn},
		{method: "GET", path: "/console/imports/:session/:intake/file", who: staff, handle: w.takenFile, slow: true},
		{method: "GET", path: "/console/files/:batch", who: staff, handle: w.files},
		{method: "POST", path: "/console/files/:batch", who: staff, handle: w.decideFiles, large: true},
		{method: "GET", path: "/console/files/:batch/progress", who: staff, handle: w.filesProgress},
	}
}

// askedQuestions bounds the columns that a page asks about at once.
const askedQuestions = 200

// importsPage is the desk: what comes, what waits, what was taken in, and what columns are.
type importsPage struct {
	ImportDesk
	Saved bool
	Wrong *fault.Fault
}

// columnChoice is one of the things that a column can be said to be.
type columnChoice struct {
	Value, Words, Of string
	Chosen           bool
}

// columnField asks what a column is.
type columnField struct {
	ID, Name, Label string
	Place           int // among the columns of its name, from 1; 0: it is the first
	Proposed        bool
	Choices         []columnChoice
}

// chosenColumn is a choice as a form carries it.
type chosenColumn struct {
	Label      string            `json:"label"`
	Occurrence int               `json:"occurrence"`
	Meaning    gradebook.Meaning `json:"meaning"`
	Exercise   string            `json:"exercise,omitempty"`
	Week       *int              `json:"week,omitempty"`
}

// columnName is that of the field of a column, whatever else the form asks.
func columnName(label string, occurrence int) string {
	return fmt.Sprintf("column %d %s", occurrence, label)
}

func chosen(said string) (m gradebook.Mapping, err error) {
	var c chosenColumn
	if json.Unmarshal([]byte(said), &c) != nil {
		return m, errField
	}
	return gradebook.Mapping{Label: c.Label, Occurrence: c.Occurrence, Meaning: c.Meaning, Exercise: c.Exercise, Week: c.Week}, nil
}

// Older are the columns of earlier files that nobody knows.
func (p importsPage) Older() []columnField {
	all := columnFields("older", p.Weeks, p.Unknown)
	for i := range all {
		all[i].Name = "said" // each has a form of its own
	}
	return all
}

// columnFields give each column what it may be.
func columnFields(id string, weeks int, questions []gradebook.Question) (all []columnField) {
	for i, x := range questions[:min(len(questions), askedQuestions)] {
		f := columnField{ID: id + strconv.Itoa(i), Name: columnName(x.Label, x.Occurrence), Label: x.Label, Proposed: x.Suggested != ""}
		if x.Occurrence > 0 {
			f.Place = x.Occurrence + 1
		}
		add := func(c chosenColumn, words, of string) {
			c.Label, c.Occurrence = x.Label, x.Occurrence
			value, _ := json.Marshal(c) // plain values: it does not fail
			f.Choices = append(f.Choices, columnChoice{string(value), words, of, c.Exercise != "" && c.Exercise == x.Suggested})
		}
		for _, label := range x.Choices {
			add(chosenColumn{Meaning: gradebook.SameExercise, Exercise: label}, "imports.is.exercise", label)
		}
		for week := range weeks + 3 {
			add(chosenColumn{Meaning: gradebook.NewExercise, Week: &week}, "imports.is.new", strconv.Itoa(week))
		}
		add(chosenColumn{Meaning: gradebook.NoExercise}, "imports.is.ignored", "")
		add(chosenColumn{Meaning: gradebook.Itself}, "imports.is.itself", "")
		all = append(all, f)
	}
	return all
}

// TakenBack is the choice that takes a decision back.
func (importsPage) TakenBack(m gradebook.Mapping) string {
	value, _ := json.Marshal(chosenColumn{Label: m.Label, Occurrence: m.Occurrence, Meaning: gradebook.Itself}) // plain values: it does not fail
	return string(value)
}

func (w *Web) imports(r *request) (reply, error) {
	return w.importsWith(r, strings.TrimSpace(r.query("session")), nil)
}

// importsWith shows the desk of a session, and what was refused of what was asked of it.
func (w *Web) importsWith(r *request, session string, wrong *fault.Fault) (out reply, err error) {
	p := importsPage{Saved: r.query("saved") != "", Wrong: wrong}
	after, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	p.ImportDesk, err = w.house.ImportDesk(r.ctx, r.viewer, session, after)
	if f := refusal(err); f != nil && f.Kind == fault.NotFound {
		p.Wrong = f
		p.ImportDesk, err = w.house.ImportDesk(r.ctx, r.viewer, "", paging.Request{Limit: paging.DefaultLimit})
	}
	p.Next = paging.Cursor(p.Next)
	return reply{page: "imports", title: "imports.title", data: p, status: refusedAs(p.Wrong)}, err
}

// mapColumns says what a column of earlier files is, or takes back what was said.
func (w *Web) mapColumns(r *request) (reply, error) {
	version, err := strconv.Atoi(r.form("version"))
	if err != nil || version < 1 {
		return reply{}, errStaleForm
	}
	m, err := chosen(r.form("said"))
	if err != nil {
		return reply{}, err
	}
	session := r.form("session")
	err = w.house.MapColumns(r.ctx, r.viewer, session, []gradebook.Mapping{m}, version)
	if wrong := changed(err); wrong != nil {
		return w.importsWith(r, session, wrong)
	}
	return reply{redirect: "/console/imports?" + url.Values{"session": {session}, "saved": {"1"}}.Encode()}, err
}

// takenInPage is a file that was taken in, with what became of its rows.
type takenInPage struct {
	TakenIn
}

// Name is that of the learner whose row it is.
func (p takenInPage) Name(o intakes.Outcome) string { return p.Names[o.LearnerID] }

func (w *Web) takenIn(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := takenInPage{}
	d.TakenIn, err = w.house.TakenIn(r.ctx, r.viewer, r.param("session"), r.param("intake"), p)
	d.Next = paging.Cursor(d.Next)
	return reply{page: "intake", title: "imports.one", data: d}, err
}

func (w *Web) takenFile(r *request) (reply, error) {
	i, body, err := w.house.TakenFile(r.ctx, r.viewer, r.param("session"), r.param("intake"))
	size := -1 // it came before its length was kept
	if i.Bytes > 0 {
		size = int(i.Bytes)
	}
	return reply{file: &File{Name: i.FileName, ContentType: "application/octet-stream"}, stream: body, size: size}, err
}
