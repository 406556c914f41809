package web

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
)

// programRoutes are the addresses of these pages.
func (w *Web) programRoutes() []route {
	return []route{
		{method: "GET", path: "/programs", who: anybody, handle: w.publicPrograms},
		{method: "GET", path: "/programs/:key", who: anybody, handle: w.publicProgram},
		{method: "GET", path: "/learning/programs", who: signedIn, handle: w.myPrograms},
		{method: "GET", path: "/learning/programs/:edition", who: signedIn, handle: w.myProgram},
		{method: "GET", path: "/console/programs", who: staff, handle: w.allPrograms},
		{method: "GET", path: "/console/programs/new", who: staff, handle: w.newProgram},
		{method: "POST", path: "/console/programs/new", who: staff, handle: w.writeProgram, large: true},
		{method: "GET", path: "/console/programs/:key", who: staff, handle: w.editProgram},
		{method: "POST", path: "/console/programs/:key", who: staff, handle: w.writeProgram, large: true},
		{method: "POST", path: "/console/programs/:key/move", who: staff, handle: w.moveProgram},
		{method: "GET", path: "/console/editions", who: staff, handle: w.allEditions},
		{method: "GET", path: "/console/editions/new", who: staff, handle: w.newEdition},
		{method: "POST", path: "/console/editions/new", who: staff, handle: w.writeEdition, large: true},
		{method: "GET", path: "/console/editions/:key", who: staff, handle: w.editEdition},
		{method: "POST", path: "/console/editions/:key", who: staff, handle: w.writeEdition, large: true},
		{method: "POST", path: "/console/editions/:key/move", who: staff, handle: w.moveEdition},
	}
}

// Join writes keys of courses one after the other.
func (View) Join(keys []string) string { return strings.Join(keys, ", ") }

// Moves are the states that a working copy can go to by a button.
func (View) Moves(from catalog.Publication) []catalog.Publication {
	return catalog.PublicationLife.Next(from)
}

func (w *Web) publicPrograms(r *request) (reply, error) {
	all, err := w.house.PublicPrograms(r.ctx)
	return reply{page: "programs", title: "programs.title", data: all}, err
}

func (w *Web) publicProgram(r *request) (reply, error) {
	p, err := w.house.PublicProgram(r.ctx, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	return reply{page: "program", title: p.Published.Title.In(r.lang), data: p}, nil
}

func (w *Web) myPrograms(r *request) (reply, error) {
	all, err := w.house.LearnerPaths(r.ctx, r.viewer)
	return reply{page: "mypaths", title: "path.mine", data: all}, err
}

func (w *Web) myProgram(r *request) (reply, error) {
	a, err := w.house.LearnerPath(r.ctx, r.viewer, r.param("edition"))
	return reply{page: "mypath", title: a.Edition.Title.In(r.lang), data: a}, err
}

func (w *Web) allPrograms(r *request) (reply, error) {
	all, err := w.house.AllPrograms(r.ctx, r.viewer)
	return reply{page: "console_programs", title: "console.programs", data: all}, err
}

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
	Theirs                 *programs.Program
	TheirRows              []partRow
	Saved                  bool
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

func (w *Web) newProgram(*request) (reply, error) {
	return reply{page: "console_program", title: "program.new", data: building{New: true, Language: "fr"}}, nil
}

func (w *Web) editProgram(r *request) (reply, error) {
	p, err := w.house.WrittenProgram(r.ctx, r.viewer, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	b := building{Key: p.Key, Version: p.Version, Stored: &p, Saved: r.query("saved") != ""}
	b.fill(p.Draft)
	b.try(w, r, p.Draft)
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

// writeProgram takes the whole form of the builder: a button rearranges the lines, tries them, or saves.
func (w *Web) writeProgram(r *request) (reply, error) {
	b := building{
		New: r.param("key") == "", Key: strings.TrimSpace(r.form("program")), TitleEN: strings.TrimSpace(r.form("title_en")), TitleFR: strings.TrimSpace(r.form("title_fr")),
		SummaryEN: r.form("summary_en"), SummaryFR: r.form("summary_fr"), AudienceEN: r.form("audience_en"), AudienceFR: r.form("audience_fr"),
		Language: strings.TrimSpace(r.form("language")), Organisations: r.form("organisations"), Passed: r.form("passed"),
	}
	b.Version, _ = strconv.Atoi(r.form("version"))
	if !b.New {
		b.Key = r.param("key")
	}
	var err error
	if b.Rows, err = readRows(r); err != nil {
		return reply{}, err
	}
	do := r.form("do")
	if do != "save" && do != "preview" {
		b.Rows = rearrange(b.Rows, do)
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
		if errors.Is(err, programs.ErrChanged) { // what she wrote stays in the form, which now knows the other's version
			b.Theirs, b.TheirRows, b.Version = &p.Program, rowsOf(p.Draft.Parts, 0), p.Version
		}
	}
	out.data = b
	return out, nil
}

func (w *Web) moveProgram(r *request) (reply, error) {
	version, err := strconv.Atoi(r.form("version"))
	if err != nil {
		return reply{}, errField
	}
	key := r.param("key")
	return reply{redirect: "/console/programs/" + url.PathEscape(key)},
		w.house.MoveProgramOn(r.ctx, r.viewer, key, catalog.Publication(r.form("to")), r.form("note"), version)
}

func (w *Web) allEditions(r *request) (reply, error) {
	all, err := w.house.AllEditions(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	of, err := w.house.AllPrograms(r.ctx, r.viewer)
	return reply{page: "console_editions", title: "console.editions", data: map[string]any{"Editions": all, "Programs": of}}, err
}

// planning is what the form of an edition shows.
type planning struct {
	New                                            bool
	Key, TitleEN, TitleFR, Lang, Partner, Capacity string
	StartsAt, EndsAt, EnrolFrom, EnrolUntil        string
	Version                                        int
	Choices                                        Choices
	Rows                                           []planRow
	Fault                                          *fault.Fault
	Stored, Theirs                                 *WrittenEdition
	Saved                                          bool
}

// planRow is a course of an edition.
type planRow struct{ Course, Session, Opening, OpensAt string }

const formTime = "2006-01-02T15:04"

func timeField(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(formTime)
}

// Openings lists the openings for the form.
func (View) Openings() []programs.Opening { return programs.Openings }

func (w *Web) newEdition(r *request) (reply, error) {
	c, err := w.house.EditionChoices(r.ctx, r.viewer, r.query("program"), 0)
	p := planning{New: true, Lang: c.Content.Language, Choices: c}
	for _, x := range c.Content.Courses() {
		row := planRow{Course: x.Key, Opening: string(programs.AtOnce)}
		if s := c.Sessions[x.Key]; len(s) > 0 {
			row.Session = s[0]
		}
		p.Rows = append(p.Rows, row)
	}
	return reply{page: "console_edition", title: "edition.new", data: p}, err
}

func (w *Web) editEdition(r *request) (reply, error) {
	e, err := w.house.WrittenEdition(r.ctx, r.viewer, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	c, err := w.house.EditionChoices(r.ctx, r.viewer, e.ProgramKey, e.Version)
	p := planning{
		Key: e.Key, TitleEN: e.Title.EN, TitleFR: e.Title.FR, Lang: e.Lang, Partner: e.Partner, StartsAt: timeField(e.StartsAt), EndsAt: timeField(e.EndsAt),
		EnrolFrom: timeField(e.EnrolFrom), EnrolUntil: timeField(e.EnrolUntil), Version: e.Edited, Choices: c, Stored: &e, Saved: r.query("saved") != "",
	}
	if e.Capacity != nil {
		p.Capacity = strconv.Itoa(*e.Capacity)
	}
	for _, x := range c.Content.Courses() {
		s, _ := e.SessionOf(x.Key)
		p.Rows = append(p.Rows, planRow{x.Key, s.SessionKey, string(s.Opening), timeField(s.OpensAt)})
	}
	return reply{page: "console_edition", title: e.Title.In(r.lang), data: p}, err
}

// plan reads the form of an edition.
func (p *planning) plan() (programs.EditionPlan, error) {
	var wrong []fault.Field
	at := func(field, said string) *time.Time {
		if said == "" {
			return nil
		}
		t, err := time.Parse(formTime, said)
		if err != nil {
			wrong = append(wrong, fault.Field{Pointer: field, Code: "unreadable", Detail: "A date and a time: 2026-01-31T08:00."})
		}
		return &t
	}
	n := programs.EditionPlan{
		Program: p.Choices.Program, Version: p.Choices.Version, Title: catalog.Text{EN: p.TitleEN, FR: p.TitleFR}, Lang: p.Lang, Partner: p.Partner,
		StartsAt: at("starts_at", p.StartsAt), EndsAt: at("ends_at", p.EndsAt), EnrolFrom: at("enrol_from", p.EnrolFrom), EnrolUntil: at("enrol_until", p.EnrolUntil),
	}
	if p.Capacity != "" {
		c, err := strconv.Atoi(p.Capacity)
		if n.Capacity = &c; err != nil {
			wrong = append(wrong, fault.Field{Pointer: "capacity", Code: "unreadable", Detail: "A whole number."})
		}
	}
	for _, row := range p.Rows {
		if row.Session != "" {
			n.Sessions = append(n.Sessions, programs.SessionPlan{Session: row.Session, Opening: programs.Opening(row.Opening), OpensAt: at(row.Course, row.OpensAt)})
		}
	}
	if wrong != nil {
		return n, fault.InvalidInput(wrong...)
	}
	return n, nil
}

func (w *Web) writeEdition(r *request) (reply, error) {
	p := planning{
		New: r.param("key") == "", Key: strings.TrimSpace(r.form("edition")), TitleEN: strings.TrimSpace(r.form("title_en")), TitleFR: strings.TrimSpace(r.form("title_fr")),
		Lang: strings.TrimSpace(r.form("lang")), Partner: strings.TrimSpace(r.form("partner")), Capacity: strings.TrimSpace(r.form("capacity")), StartsAt: r.form("starts_at"),
		EndsAt: r.form("ends_at"), EnrolFrom: r.form("enrol_from"), EnrolUntil: r.form("enrol_until"),
	}
	if !p.New {
		p.Key = r.param("key")
	}
	p.Version, _ = strconv.Atoi(r.form("version"))
	number, _ := strconv.Atoi(r.form("number"))
	var err error
	if p.Choices, err = w.house.EditionChoices(r.ctx, r.viewer, r.form("program"), number); err != nil {
		return reply{}, err
	}
	courses, sessions, openings, dates := r.forms("course"), r.forms("session"), r.forms("opening"), r.forms("opens_at")
	if len(courses) != len(sessions) || len(courses) != len(openings) || len(courses) != len(dates) {
		return reply{}, errField
	}
	for i := range courses {
		p.Rows = append(p.Rows, planRow{courses[i], sessions[i], openings[i], dates[i]})
	}
	n, err := p.plan()
	if err == nil {
		version := p.Version
		if p.New {
			version = programs.New
		}
		if _, err = w.house.SaveEdition(r.ctx, r.viewer, p.Key, n, version); err == nil {
			return reply{redirect: "/console/editions/" + url.PathEscape(p.Key) + "?saved=1"}, nil
		}
	}
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return reply{}, err
	}
	if p.Fault = f; !p.New {
		e, err2 := w.house.WrittenEdition(r.ctx, r.viewer, p.Key)
		if err2 != nil {
			return reply{}, err2
		}
		if p.Stored = &e; errors.Is(err, programs.ErrChanged) {
			p.Theirs, p.Version = &e, e.Edited
		}
	}
	return reply{status: kinds[f.Kind].status, page: "console_edition", title: "console.editions", data: p}, nil
}

func (w *Web) moveEdition(r *request) (reply, error) {
	version, err := strconv.Atoi(r.form("version"))
	if err != nil {
		return reply{}, errField
	}
	key := r.param("key")
	return reply{redirect: "/console/editions/" + url.PathEscape(key)},
		w.house.MoveEditionOn(r.ctx, r.viewer, key, catalog.Publication(r.form("to")), r.form("note"), version)
}

// Verbs are what the buttons of a line of the builder do.
func (View) Verbs() []string { return []string{"up", "down", "in", "out", "remove"} }
