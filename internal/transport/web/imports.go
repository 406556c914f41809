package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
)

// importRoutes are the addresses of files of learning platforms: one page for every kind of them.
func (w *Web) importRoutes() []route {
	return []route{
		{method: "GET", path: "/console/imports", who: staff, handle: w.imports},
		{method: "POST", path: "/console/imports", who: staff, handle: w.importAny, upload: true, slow: true},
		{method: "POST", path: "/console/imports/columns", who: staff, handle: w.mapColumns, slow: true},
		{method: "GET", path: "/console/imports/progress", who: staff, handle: w.importProgress},
		{method: "GET", path: "/console/imports/:session/:intake", who: staff, handle: w.importedFile, slow: true},
	}
}

// Limits of what the page shows: of learners and rows that were left out, and of columns that it asks about at once.
const (
	shownOutcomes  = 100
	askedQuestions = 200
)

// importsPage is the page before and after a file was read. Kept is what was read, for the next step.
type importsPage struct {
	ImportDesk
	Kind, Name, At string
	Kept           string
	DryRun         bool
	Done           *FileTaken
	Decided        []decidedColumn
	Saved          bool
	Wrong          *fault.Fault
}

// Kinds are those of files.
func (importsPage) Kinds() []string { return FileKinds() }

// importedOutcome is what became of a row that was left out.
type importedOutcome struct {
	Line, Column int
	Code, Detail string
}

// Replayed says that the same file was taken in before.
func (p importsPage) Replayed() bool {
	d := p.Done
	return d.Grades != nil && d.Grades.Replayed || d.Answers != nil && d.Answers.Replayed || d.Results != nil && d.Results.Replayed
}

// Left are the first rows that were left out.
func (p importsPage) Left() (all []importedOutcome) {
	add := func(x importedOutcome) {
		if len(all) < shownOutcomes {
			all = append(all, x)
		}
	}
	switch d := p.Done; {
	case d.Grades != nil:
		for _, x := range d.Grades.Rejects {
			add(importedOutcome{x.Line, x.Column, x.Code, x.Detail})
		}
	case d.Answers != nil:
		for _, x := range d.Answers.Outcomes {
			if x.Outcome == surveys.RowRejected {
				add(importedOutcome{x.Line, x.Column, x.Code, x.Detail})
			}
		}
	case d.Results != nil:
		for _, x := range d.Results.Rows {
			if x.Outcome == exams.RowRefused {
				add(importedOutcome{x.Line, x.Column, x.Code, x.Detail})
			}
		}
	}
	return all
}

// importedCount is a number of what a file does, and the key of its words.
type importedCount struct {
	Words string
	N     int
}

// Counts are what the file does, in numbers.
func (p importsPage) Counts() []importedCount {
	switch d := p.Done; {
	case d.Grades != nil:
		c := d.Grades
		return []importedCount{
			{"rows", c.RowsRead}, {"new", c.LearnersNew}, {"back", c.LearnersBack}, {"left", c.LearnersLeft}, {"first", c.ScoresFirst}, {"raised", c.ScoresRaised},
			{"lowered", c.ScoresLowered}, {"dropped", c.ScoresDropped}, {"rejected", c.RowsRejected}, {"passed", c.LinesIgnored},
		}
	case d.Answers != nil:
		return []importedCount{{"added", d.Answers.New}, {"changed", d.Answers.Changed}, {"unchanged", d.Answers.Unchanged}, {"rejected", d.Answers.Rejected}}
	default:
		r := d.Results
		return []importedCount{{"added", r.Count(exams.RowNew)}, {"changed", r.Count(exams.RowChanged)}, {"unchanged", r.Count(exams.RowUnchanged)}, {"rejected", r.Count(exams.RowRefused)}}
	}
}

// Learners are the first of whom the file changes something.
func (p importsPage) Learners() []gradebook.LearnerChange {
	if p.Done.Grades == nil {
		return nil
	}
	return p.Done.Grades.Learners[:min(len(p.Done.Grades.Learners), shownOutcomes)]
}

// More is of how many learners the file changes something beyond these.
func (p importsPage) More() int {
	if p.Done.Grades == nil {
		return 0
	}
	return max(len(p.Done.Grades.Learners)-shownOutcomes, 0)
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

// Asked are the columns of the file that nobody knows. What is proposed is chosen already; who applies it has said so.
func (p importsPage) Asked() []columnField {
	if p.Done == nil || p.Done.Grades == nil {
		return nil
	}
	return p.fields("column", p.Done.Grades.Questions)
}

// Older are those of earlier files.
func (p importsPage) Older() []columnField {
	all := p.fields("older", p.Unknown)
	for i := range all {
		all[i].Name = "said" // each has a form of its own
	}
	return all
}

// fields give each column what it may be.
func (p importsPage) fields(id string, questions []gradebook.Question) (all []columnField) {
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
		for week := range p.Weeks + 3 {
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

// decidedColumn is what was said of a column of the file that is tried, for the next step.
type decidedColumn struct {
	Name, Value string
	Mapping     gradebook.Mapping
}

func (w *Web) imports(r *request) (reply, error) {
	p := importsPage{Saved: r.query("saved") != ""}
	var err error
	p.ImportDesk, err = w.house.ImportDesk(r.ctx, r.viewer, strings.TrimSpace(r.query("session")))
	if f := refusal(err); f != nil && f.Kind == fault.NotFound {
		p.Wrong = f
		p.ImportDesk, err = w.house.ImportDesk(r.ctx, r.viewer, "")
	}
	return importsReply(p, err)
}

func importsReply(p importsPage, err error) (reply, error) {
	return reply{page: "imports", title: "imports.title", data: p, status: refusedAs(p.Wrong)}, err
}

// importAny reads a file that was chosen, or kept by the step before, and tries it or takes it in, with what was said of its columns.
func (w *Web) importAny(r *request) (reply, error) {
	content, err := given(r)
	if err != nil {
		return reply{}, err
	}
	p := importsPage{Kind: r.form("kind"), Name: strings.TrimSpace(r.form("name")), At: r.form("collected_at"), DryRun: r.form("do") != "apply"}
	f := FileToTake{Session: r.form("session"), Kind: p.Kind, Name: p.Name, Key: r.form("once"), Content: content, DryRun: p.DryRun}
	if p.Kind != "" && !slices.Contains(FileKinds(), p.Kind) {
		return reply{}, errField
	}
	if f.Name == "" {
		f.Name = "file.csv"
	}
	form := &formReader{r: r}
	if at := form.time("collected_at", zone); at != nil {
		f.CollectedAt = at.UTC()
	}
	for _, name := range r.names() {
		if said := r.form(name); strings.HasPrefix(name, "column") && said != "" {
			m, err := chosen(said)
			if err != nil {
				return reply{}, err
			}
			p.Decided, f.Mappings = append(p.Decided, decidedColumn{name, said, m}), append(f.Mappings, m)
		}
	}
	if err = form.fault(); err == nil && len(content) == 0 {
		err = errNoFile
	}
	if err == nil {
		var done FileTaken
		if done, err = w.house.TakeFile(r.ctx, r.viewer, f); err == nil {
			p.Done, p.Kind = &done, done.Kind
		}
	}
	if err != nil {
		if p.Wrong = refusal(err); p.Wrong == nil {
			return reply{}, err
		}
	}
	if len(content) > 0 && (p.Wrong != nil || p.DryRun && !p.Replayed()) {
		if p.Kept, err = pack(content); err != nil {
			return reply{}, err
		}
	}
	p.ImportDesk, err = w.house.ImportDesk(r.ctx, r.viewer, f.Session)
	return importsReply(p, err)
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
		p := importsPage{Wrong: wrong}
		p.ImportDesk, err = w.house.ImportDesk(r.ctx, r.viewer, session)
		return importsReply(p, err)
	}
	return reply{redirect: "/console/imports?" + url.Values{"session": {session}, "saved": {"1"}}.Encode()}, err
}

// importProgress says how far the file of a form is, for the bar of the page.
func (w *Web) importProgress(r *request) (reply, error) {
	percent, known := w.house.TakingFile(r.ctx, r.viewer, r.query("once"))
	out, err := json.Marshal(map[string]any{"percent": percent, "known": known})
	return reply{file: &File{"progress.json", "application/json", out}, inline: true}, err
}

func (w *Web) importedFile(r *request) (reply, error) {
	f, err := w.house.TakenFile(r.ctx, r.viewer, r.param("session"), r.param("intake"))
	return reply{file: &f}, err
}
