package web

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
)

// building is what the builder shows. Theirs is what somebody else saved meanwhile.
type building struct {
	New                    bool
	Key, Language          string
	TitleEN, TitleFR       string
	SummaryEN, SummaryFR   string
	AudienceEN, AudienceFR string
	Organisations, Passed  string
	Version                int
	Rows                   []partRow
	Fault                  *fault.Fault
	Trial                  *Trial
	Stored                 *WrittenProgram
	Base                   string // the content that the form was made of, as JSON: what a conflict is told from
	Note                   string // to a move
	Courses                []catalog.Course
	Clashes                []clash
	Conflict, Saved, Dirty bool
	Elsewhere              bool   // somebody else saved, which is to be brought together when what is wrong here is put right
	Focus                  string // id of the control that the keyboard goes on from
}

func (b *building) fill(c programs.Content) {
	b.TitleEN, b.TitleFR, b.SummaryEN, b.SummaryFR = c.Title.EN, c.Title.FR, c.Summary.EN, c.Summary.FR
	b.AudienceEN, b.AudienceFR, b.Language = c.Audience.EN, c.Audience.FR, c.Language
	b.Organisations, b.Rows = strings.Join(c.Organisations, "\n"), rowsOf(c.Parts, 0)
}

// content reads the form; the fault names what cannot be read.
func (b *building) content() (programs.Content, error) {
	c := programs.Content{
		Title: catalog.Text{EN: b.TitleEN, FR: b.TitleFR}, Summary: catalog.Text{EN: b.SummaryEN, FR: b.SummaryFR},
		Audience: catalog.Text{EN: b.AudienceEN, FR: b.AudienceFR}, Language: b.Language, Organisations: []string{},
	}
	for _, line := range strings.Split(b.Organisations, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			c.Organisations = append(c.Organisations, line)
		}
	}
	x := &rowReader{}
	c.Parts, _ = x.parts(b.Rows, 0, 0)
	if x.wrong != nil {
		return c, fault.InvalidInput(x.wrong...)
	}
	return c, nil
}

// courses are those that a line can name.
func (b *building) courses(w *Web, r *request) (err error) {
	b.Courses, err = w.house.ProgramCourses(r.ctx, r.viewer)
	return err
}

// CourseName is the title of a course, nothing for one that does not exist.
func (b building) CourseName(key string) catalog.Text {
	for _, c := range b.Courses {
		if c.Key == key {
			return c.Title
		}
	}
	return catalog.Text{}
}

// Called are the titles of the courses for the preview.
func (b building) Called() Called {
	c := Called{Names: map[string]Text{}}
	for _, x := range b.Courses {
		c.Names[x.Key] = Text{EN: x.Title.EN, FR: x.Title.FR}
	}
	return c
}

func (w *Web) newProgram(r *request) (reply, error) {
	b := building{New: true, Language: "fr", Focus: "program"}
	err := b.courses(w, r)
	return reply{page: "console_program", title: "program.new", data: b}, err
}

func (w *Web) editProgram(r *request) (reply, error) {
	p, err := w.house.WrittenProgram(r.ctx, r.viewer, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	return w.stored(r, p, building{Saved: r.query("saved") != ""})
}

// stored shows the builder with what is stored.
func (w *Web) stored(r *request, p WrittenProgram, b building) (reply, error) {
	b.Key, b.Version, b.Stored, b.Base = p.Key, p.Version, &p, remembered(p.Draft)
	b.fill(p.Draft)
	refused := b.Fault
	if b.try(w, r, p.Draft); refused != nil {
		b.Fault = refused
	}
	if err := b.courses(w, r); err != nil {
		return reply{}, err
	}
	return reply{page: "console_program", title: p.Draft.Title.In(r.lang), data: b}, nil
}

// try adds the preview where the content allows one.
func (b *building) try(w *Web, r *request, c programs.Content) {
	t, err := w.house.TryProgram(r.ctx, r.viewer, c, keys(b.Passed))
	if err != nil {
		b.Fault = fault.From(err)
		return
	}
	b.Trial = &t
}

// readBuilding reads the whole form of the builder.
func readBuilding(r *request) (building, error) {
	b := building{
		New: r.param("key") == "", Key: strings.TrimSpace(r.form("program")), TitleEN: strings.TrimSpace(r.form("title_en")), TitleFR: strings.TrimSpace(r.form("title_fr")),
		SummaryEN: r.form("summary_en"), SummaryFR: r.form("summary_fr"), AudienceEN: r.form("audience_en"), AudienceFR: r.form("audience_fr"),
		Language: strings.TrimSpace(r.form("language")), Organisations: r.form("organisations"), Passed: r.form("passed"), Base: r.form("base"), Dirty: true,
	}
	b.Version, _ = strconv.Atoi(r.form("version"))
	if !b.New {
		b.Key = r.param("key")
	}
	var err error
	b.Rows, err = readRows(r)
	return b, err
}

// writeProgram takes the form of the builder: a button rearranges the lines, tries them, or saves.
func (w *Web) writeProgram(r *request) (reply, error) {
	b, err := readBuilding(r)
	if err != nil {
		return reply{}, err
	}
	do := r.form("do")
	if do != "save" && do != "preview" {
		b.Rows, b.Focus = rearrange(b.Rows, do)
	}
	if do == "preview" {
		b.Focus = "preview-button"
	}
	out := reply{page: "console_program", title: "console.programs"}
	c, err := b.content()
	if err == nil && do == "save" {
		version := b.Version
		if b.New {
			version = programs.New
		}
		if _, err = w.house.SaveProgram(r.ctx, r.viewer, b.Key, c, version); err == nil {
			return reply{redirect: "/console/programs/" + url.PathEscape(b.Key) + "?saved=1"}, nil
		}
	}
	switch {
	case err == nil:
		b.try(w, r, c)
	case fault.From(err).Kind == fault.Internal, fault.From(err).Kind == fault.Unavailable:
		return reply{}, err
	default:
		b.Fault, out.status = fault.From(err), kinds[fault.From(err).Kind].status
	}
	if !b.New {
		p, err2 := w.house.WrittenProgram(r.ctx, r.viewer, b.Key)
		if err2 != nil {
			return reply{}, err2
		}
		b.Stored = &p
		if errors.Is(err, programs.ErrChanged) {
			out.status = 409
			err = b.clash(w, r, c)
		} else if do == "save" && b.Version != p.Version { // what is wrong with the form does not hide that somebody else saved
			err = b.elsewhere(w, r)
		} else {
			err = nil
		}
		if err != nil {
			return reply{}, err
		}
	}
	err = b.courses(w, r)
	out.data = b
	return out, err
}

// clash brings what she wrote together with what somebody else saved meanwhile, and says what that was. The form then carries the
// version that she sees now, and is saved over it.
func (b *building) clash(w *Web, r *request, mine programs.Content) error {
	theirs := b.Stored.Draft
	before, known := recalled[programs.Content](b.Base)
	if !known { // nothing tells what was touched: hers stands, and all of theirs that differs is shown
		before = mine
	}
	var err error
	if b.Clashes, err = w.programClashes(r.lang, before, theirs, mine); err != nil {
		return err
	}
	together := mine
	if known {
		if together, err = mergedProgram(before, theirs, mine); err != nil {
			return err
		}
	}
	b.Fault, b.Conflict, b.Version, b.Base = nil, true, b.Stored.Version, remembered(theirs)
	b.fill(together)
	b.try(w, r, together)
	return nil
}

// elsewhere says what somebody else saved since the form was read. The form keeps its version: what it says is brought together with that
// when it can be saved.
func (b *building) elsewhere(w *Web, r *request) (err error) {
	if before, known := recalled[programs.Content](b.Base); known {
		b.Clashes, err = w.programClashes(r.lang, before, b.Stored.Draft, before)
	}
	b.Elsewhere = true
	return err
}

// moveProgram moves the program on. What was saved meanwhile is shown first: nobody publishes what she has not read.
func (w *Web) moveProgram(r *request) (reply, error) {
	version, err := strconv.Atoi(r.form("version"))
	if err != nil {
		return reply{}, errField
	}
	key := r.param("key")
	err = w.house.MoveProgramOn(r.ctx, r.viewer, key, catalog.Publication(r.form("to")), r.form("note"), version)
	f := fault.From(err)
	if err == nil {
		return reply{redirect: "/console/programs/" + url.PathEscape(key) + "?saved=1"}, nil
	}
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable || f.Kind == fault.NotFound {
		return reply{}, err
	}
	p, err2 := w.house.WrittenProgram(r.ctx, r.viewer, key)
	if err2 != nil {
		return reply{}, err2
	}
	b := building{Note: r.form("note"), Fault: f}
	if errors.Is(err, programs.ErrChanged) {
		b.Fault, b.Conflict = nil, true
		if before, known := recalled[programs.Content](r.form("base")); known {
			if b.Clashes, err = w.programClashes(r.lang, before, p.Draft, before); err != nil {
				return reply{}, err
			}
		}
	}
	out, err := w.stored(r, p, b)
	out.status = kinds[f.Kind].status
	if b.Conflict {
		out.status = 409
	}
	return out, err
}
