package web

import (
	"errors"
	"net/url"
	"slices"
	"strconv"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// found is a page of courses with what was asked.
type found struct {
	Filter      catalog.Filter
	Courses     []catalog.Course
	Collections []catalog.Collection
	Levels      []string
	States      []catalog.Publication
	Programs    []ShownProgram // that have the words; on the first page of what the public finds
	Next        string         // address of the next page
}

// asked reads a search from the address. What is too long is cut: an address is easily made.
func (w *Web) find(r *request, all bool, path string) (found, error) {
	f := catalog.Filter{
		Query: clip(r.query("q")), Collection: clip(r.query("collection")), Level: clip(r.query("level")), Language: clip(r.query("language")), All: all,
	}
	if all {
		f.State = catalog.Publication(clip(r.query("state")))
	}
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return found{}, err
	}
	out := found{Filter: f, Levels: catalog.Levels, States: []catalog.Publication{catalog.Drafted, catalog.InReview, catalog.Published, catalog.Archived}}
	var next string
	if out.Courses, next, err = w.house.FindCourses(r.ctx, r.viewer, f, p); err != nil {
		return out, err
	}
	if next != "" {
		q := url.Values{"after": {paging.Cursor(next)}}
		for name, v := range map[string]string{"q": f.Query, "collection": f.Collection, "level": f.Level, "language": f.Language, "state": string(f.State)} {
			if v != "" {
				q.Set(name, v)
			}
		}
		out.Next = path + "?" + q.Encode()
	}
	out.Collections, err = w.house.Collections(r.ctx, r.viewer, all)
	return out, err
}

func clip(s string) string {
	runes := []rune(s)
	return string(runes[:min(len(runes), catalog.MaxQuery/2)])
}

func (w *Web) consoleCourses(r *request) (reply, error) {
	f, err := w.find(r, true, "/console/courses")
	return reply{page: "authcourses", title: "console.courses", data: f}, err
}

// editing is the editor of a course.
type editing struct {
	Key      string
	New      bool
	Working  catalog.Working
	Version  int // that the form carries
	Groups   []fieldset
	Report   catalog.Report
	Versions []catalog.CourseVersion
	Moves    []catalog.Move
	Next     []catalog.Publication // where the course can go
	Faults   []fault.Field
	Fault    string // code of what kept it from being saved or moved
	Clashes  []clash
	Saved    bool
	Unsaved  bool   // the form holds what is not stored
	Row      string // that a button made or moved
	Note     string
	Courses  []catalog.Course // that a prerequisite can name
}

// Place is the number of a row for people, from the pointer of the row.
func (View) Place(pointer string) int {
	_, _, at := pressed("up " + pointer)
	return at + 1
}

// Worst lists the findings, the broken ones first.
func (e editing) Worst() (all []catalog.Finding) {
	for _, v := range []catalog.Verdict{catalog.Broken, catalog.NotCheckable, catalog.Kept} {
		for _, f := range e.Report.Findings {
			if f.Verdict == v {
				all = append(all, f)
			}
		}
	}
	return all
}

// show makes the editor of a document that is stored or not yet.
func (w *Web) show(r *request, e editing, d catalog.Draft) (reply, error) {
	collections, err := w.house.Collections(r.ctx, r.viewer, true)
	if err != nil {
		return reply{}, err
	}
	charters, err := w.house.Charters(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	if !e.New {
		if e.Versions, e.Moves, err = w.house.CourseHistory(r.ctx, r.viewer, e.Key); err != nil {
			return reply{}, err
		}
		e.Next = catalog.PublicationLife.Next(e.Working.State)
	}
	if e.Courses, err = w.house.ProgramCourses(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	e.Report = catalog.Conform(charters[0], d)
	b := &builder{say: &say{w: w, lang: r.lang}, wrong: told(e.Faults), row: e.Row, report: &e.Report}
	e.Groups = b.course(d, collections)
	focus(e.Groups, e.Row)
	if b.err != nil {
		return reply{}, b.err
	}
	out := reply{page: "authcourse", title: e.Key, data: e}
	if e.New {
		out.title = "author.course.new"
	}
	if e.Fault != "" {
		out.status = 422
	}
	if e.Clashes != nil {
		out.status = 409
	}
	return out, nil
}

func (w *Web) newCourse(r *request) (reply, error) {
	return w.show(r, editing{New: true, Version: catalog.NoVersion}, catalog.Draft{Collection: clip(r.query("collection"))})
}

func (w *Web) editCourse(r *request) (reply, error) {
	c, err := w.house.CourseDraft(r.ctx, r.viewer, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	return w.show(r, editing{Key: c.Key, Working: c, Version: c.Version, Saved: r.query("saved") != ""}, c.Document)
}

func (w *Web) makeCourse(r *request) (reply, error) {
	f := &form{get: r.form}
	d := f.draft()
	e := editing{New: true, Key: f.text("key"), Version: catalog.NoVersion, Faults: f.wrong, Unsaved: true}
	if do := r.form("do"); do != "save" {
		return w.rearranged(r, e, d, do)
	}
	if e.Key == "new" {
		e.Faults = append(e.Faults, fault.Field{Pointer: "/key", Code: "bad-key", Detail: "new"})
	}
	return w.store(r, e, d)
}

func (w *Web) saveCourse(r *request) (reply, error) {
	f := &form{get: r.form}
	d := f.draft()
	c, err := w.house.CourseDraft(r.ctx, r.viewer, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	e := editing{Key: c.Key, Working: c, Version: f.number("version"), Faults: f.wrong, Unsaved: true}
	if e.Version < 1 {
		return reply{}, errField
	}
	if do := r.form("do"); do != "save" {
		return w.rearranged(r, e, d, do)
	}
	return w.store(r, e, d)
}

// rearranged shows the form after a button of it, and goes on from the row that this made or moved.
func (w *Web) rearranged(r *request, e editing, d catalog.Draft, do string) (reply, error) {
	d = press(d, do)
	e.Row = landed(do, rowsIn(d))
	return w.show(r, e, d)
}

// store saves a document, or shows the form again with what kept it from being saved. Nothing that was written is lost.
func (w *Web) store(r *request, e editing, d catalog.Draft) (reply, error) {
	if len(e.Faults) > 0 {
		e.Fault = "invalid-input"
		return w.unsavable(r, e, d)
	}
	saved, err := w.house.SaveCourse(r.ctx, r.viewer, e.Key, d, e.Version)
	switch {
	case err == nil:
		return reply{redirect: "/console/courses/" + url.PathEscape(saved.Key) + "?saved=1"}, nil
	case errors.Is(err, catalog.ErrCourseChanged):
		return w.conflict(r, e, d)
	}
	f := fault.From(err)
	if f.Kind != fault.Invalid && f.Kind != fault.Conflict && f.Kind != fault.Unprocessable {
		return reply{}, err
	}
	e.Fault, e.Faults = f.Code, f.Fields
	return w.unsavable(r, e, d)
}

// unsavable shows a form that could not be saved; that does not hide what somebody else saved meanwhile. Both are brought together when the
// form can be saved.
func (w *Web) unsavable(r *request, e editing, d catalog.Draft) (reply, error) {
	if e.New || e.Version == e.Working.Version {
		return w.show(r, e, d)
	}
	before, err := w.house.CourseVersion(r.ctx, r.viewer, e.Key, e.Version)
	if err != nil {
		return reply{}, err
	}
	if e.Clashes, err = w.courseClashes(r, before.Document, e.Working.Document, d); err != nil {
		return reply{}, err
	}
	return w.show(r, e, d)
}

// courseClashes says what they changed since the version that both read, and what she made of it; empty and not nil where that is nothing.
func (w *Web) courseClashes(r *request, before, theirs, mine catalog.Draft) ([]clash, error) {
	collections, err := w.house.Collections(r.ctx, r.viewer, true)
	if err != nil {
		return nil, err
	}
	b := &builder{say: &say{w: w, lang: r.lang}}
	all, err := clashes(before, theirs, mine, labels(b.course(theirs, collections)))
	return append([]clash{}, all...), err
}

// conflict shows what somebody else changed since the form was read. The form keeps the words of who saves, takes over what she did not
// touch, and is saved over the version that she now sees.
func (w *Web) conflict(r *request, e editing, mine catalog.Draft) (reply, error) {
	before, err := w.house.CourseVersion(r.ctx, r.viewer, e.Key, e.Version)
	if err != nil {
		return reply{}, err
	}
	if e.Working, err = w.house.CourseDraft(r.ctx, r.viewer, e.Key); err != nil {
		return reply{}, err
	}
	theirs := e.Working.Document
	together, err := brought(before.Document, theirs, mine)
	if err != nil {
		return reply{}, err
	}
	if together.Validate() != nil { // their list and mine do not fit: then mine, as it was written
		together = mine
	}
	if e.Clashes, err = w.courseClashes(r, before.Document, theirs, mine); err != nil {
		return reply{}, err
	}
	e.Version = e.Working.Version
	return w.show(r, e, together)
}

func (w *Web) moveCourse(r *request) (reply, error) {
	f := &form{get: r.form}
	version, to := f.number("version"), catalog.Publication(r.form("state"))
	if version < 1 || !slices.Contains(catalog.PublicationLife.States(), to) {
		return reply{}, errField
	}
	err := w.house.MoveCourse(r.ctx, r.viewer, r.param("key"), to, f.text("note"), version)
	if err == nil {
		return reply{redirect: "/console/courses/" + url.PathEscape(r.param("key")) + "?saved=1"}, nil
	}
	refused := fault.From(err)
	if refused.Kind != fault.Invalid && refused.Kind != fault.Conflict && refused.Kind != fault.Unprocessable && refused.Kind != fault.Precondition {
		return reply{}, err
	}
	c, err := w.house.CourseDraft(r.ctx, r.viewer, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	return w.show(r, editing{Key: c.Key, Working: c, Version: c.Version, Fault: refused.Code, Faults: refused.Fields, Note: f.text("note")}, c.Document)
}

// then is a version of a course beside the one of now.
type then struct {
	Key         string
	Then, Now   catalog.Working
	Differences []clash
}

func (w *Web) courseVersion(r *request) (reply, error) {
	n, err := strconv.Atoi(r.param("version"))
	if err != nil || n < 1 || n > 1<<30 {
		return reply{}, catalog.ErrNoVersion
	}
	old, err := w.house.CourseVersion(r.ctx, r.viewer, r.param("key"), n)
	if err != nil {
		return reply{}, err
	}
	now, err := w.house.CourseDraft(r.ctx, r.viewer, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	collections, err := w.house.Collections(r.ctx, r.viewer, true)
	if err != nil {
		return reply{}, err
	}
	b := &builder{say: &say{w: w, lang: r.lang}}
	words := labels(b.course(old.Document, collections))
	differences, err := clashes(now.Document, old.Document, now.Document, words)
	return reply{page: "authversion", title: now.Key, data: then{now.Key, old, now, differences}}, err
}

// restoreCourse writes an old version anew, as the next one.
func (w *Web) restoreCourse(r *request) (reply, error) {
	f := &form{get: r.form}
	n, err := strconv.Atoi(r.param("version"))
	if err != nil || n < 1 || n > 1<<30 {
		return reply{}, catalog.ErrNoVersion
	}
	old, err := w.house.CourseVersion(r.ctx, r.viewer, r.param("key"), n)
	if err != nil {
		return reply{}, err
	}
	version := f.number("now")
	if version < 1 {
		return reply{}, errField
	}
	if _, err = w.house.SaveCourse(r.ctx, r.viewer, r.param("key"), old.Document, version); err != nil {
		return reply{}, err
	}
	return reply{redirect: "/console/courses/" + url.PathEscape(r.param("key")) + "?saved=1"}, nil
}
