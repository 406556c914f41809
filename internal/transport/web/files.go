package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/kernel/fault"
)

// receiveFiles keeps the files of a form as they come, and has them tried together.
func (w *Web) receiveFiles(r *request) (reply, error) {
	session := strings.TrimSpace(r.form("session"))
	batch, err := w.house.BeginFiles(r.ctx, r.viewer, session)
	if err == nil {
		if err = w.receiveAll(r, batch); err == nil {
			err = w.house.DecideFiles(r.ctx, r.viewer, batch, intakes.Decision{})
		}
		if err != nil {
			_ = w.house.LeaveFiles(r.ctx, r.viewer, batch) // otherwise it goes after a week
		}
	}
	if f := refusal(err); f != nil {
		return w.importsWith(r, session, f)
	}
	return reply{redirect: filesPath(batch)}, err
}

func (w *Web) receiveAll(r *request, batch string) error {
	for n := 0; ; {
		name, from, err := r.files()
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			return errNoFile
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case name == "": // no file was chosen
			continue
		}
		n++
		if err := w.house.ReceiveFile(r.ctx, r.viewer, batch, name, from); err != nil {
			return err
		}
	}
}

func filesPath(batch string) string { return "/console/files/" + url.PathEscape(batch) }

// filesPage are files that came together: what each does, or did.
type filesPage struct {
	intakes.Batch
	Weeks, Mapped int
	Wrong         *fault.Fault
}

// Kinds are those that can be said.
func (filesPage) Kinds() []string { return intakes.Kinds() }

// At is when a file was made, as a form says it.
func (filesPage) At(f intakes.Staged) string { return timeField(f.CollectedAt) }

// Asked are the columns of all files that nobody knows, each once. What is proposed is chosen already; who applies it has said so.
func (p filesPage) Asked() []columnField {
	var all []gradebook.Question
	for _, f := range p.Files {
		if f.Does == nil || f.Skipped || f.Does.Replayed {
			continue
		}
		for _, q := range f.Does.Questions {
			if !slices.ContainsFunc(all, func(o gradebook.Question) bool { return o.Label == q.Label && o.Occurrence == q.Occurrence }) {
				all = append(all, q)
			}
		}
	}
	return columnFields("column", p.Weeks, all)
}

// Unmapped are the exercises of all files that the map of the session does not place in a week, each once.
func (p filesPage) Unmapped() (all []string) {
	for _, f := range p.Files {
		if f.Does == nil || f.Skipped || f.Does.Replayed {
			continue
		}
		for _, x := range f.Does.Unmapped {
			if !slices.Contains(all, x) {
				all = append(all, x)
			}
		}
	}
	return all
}

// decidedColumn is what was said of a column, for the next step.
type decidedColumn struct {
	Name, Value string
	Mapping     gradebook.Mapping
}

// Decided are the columns that were said.
func (p filesPage) Decided() (all []decidedColumn) {
	for _, m := range p.Mappings {
		value, _ := json.Marshal(chosenColumn{Label: m.Label, Occurrence: m.Occurrence, Meaning: m.Meaning, Exercise: m.Exercise, Week: m.Week}) // plain values: it does not fail
		all = append(all, decidedColumn{columnName(m.Label, m.Occurrence), string(value), m})
	}
	return all
}

// Count is how many files stand at a place.
func (p filesPage) Count(state string) (n int) {
	for _, f := range p.Files {
		if !f.Skipped && f.State == state {
			n++
		}
	}
	return n
}

func (w *Web) files(r *request) (reply, error) { return w.filesWith(r, nil) }

func (w *Web) filesWith(r *request, wrong *fault.Fault) (out reply, err error) {
	p := filesPage{Wrong: wrong}
	p.Batch, p.Weeks, p.Mapped, err = w.house.Files(r.ctx, r.viewer, r.param("batch"))
	return reply{page: "files", title: "imports.files", data: p, status: refusedAs(wrong)}, err
}

// decideFiles has the files tried again with what is said of them, applied as they were tried, or left.
func (w *Web) decideFiles(r *request) (reply, error) {
	batch, do := r.param("batch"), r.form("do")
	b, _, _, err := w.house.Files(r.ctx, r.viewer, batch)
	if err != nil {
		return reply{}, err
	}
	if do == "leave" {
		err := w.house.LeaveFiles(r.ctx, r.viewer, batch)
		return reply{redirect: "/console/imports?" + url.Values{"session": {b.Session}}.Encode()}, err
	}
	if do != "try" && do != "apply" {
		return reply{}, errDo
	}
	version, err := strconv.Atoi(r.form("version"))
	if err != nil || version < 1 {
		return reply{}, errStaleForm
	}
	d := intakes.Decision{Version: version, Apply: do == "apply", Files: map[string]intakes.Said{}}
	form := &formReader{r: r}
	for _, f := range b.Files {
		said := intakes.Said{Kind: r.form("kind-" + f.ID), Skipped: r.form("skip-"+f.ID) != ""}
		if said.Kind != "" && !slices.Contains(intakes.Kinds(), said.Kind) {
			return reply{}, errField
		}
		if at := form.time("at-"+f.ID, zone); at != nil {
			utc := at.UTC()
			said.CollectedAt = &utc
		}
		d.Files[f.ID] = said
	}
	for _, name := range r.names() {
		if said := r.form(name); strings.HasPrefix(name, "column") && said != "" {
			m, err := chosen(said)
			if err != nil {
				return reply{}, err
			}
			d.Mappings = append(d.Mappings, m)
		}
	}
	if err = form.fault(); err == nil {
		err = w.house.DecideFiles(r.ctx, r.viewer, batch, d)
	}
	if f := changed(err); f != nil {
		return w.filesWith(r, f)
	}
	return reply{redirect: filesPath(batch)}, err
}

// filesProgress says how far the files are, for the bar of the page.
func (w *Web) filesProgress(r *request) (reply, error) {
	b, _, _, err := w.house.Files(r.ctx, r.viewer, r.param("batch"))
	if err != nil {
		return reply{}, err
	}
	done := 0
	for _, f := range b.Files {
		if !f.Skipped && f.State != intakes.FileWaiting && (b.State != intakes.Applying || f.State != intakes.FileTried) {
			done++
		}
	}
	out, err := json.Marshal(map[string]any{"percent": b.Percent(), "done": done, "running": b.Runs()})
	return reply{file: &File{"progress.json", "application/json", out}, inline: true}, err
}
