package web

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
)

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
	Stored                                         *WrittenEdition
	Base, Note                                     string // the plan that the form was made of, as JSON; the note to a move
	Clashes                                        []clash
	Conflict, Saved, Elsewhere                     bool
}

// planRow is a course of an edition.
type planRow struct{ Course, Session, Opening, OpensAt string }

func timeField(t *time.Time) string { return localTime(t, zone) }

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
	return w.storedEdition(r, e, planning{Saved: r.query("saved") != ""})
}

// storedEdition shows the form with what is stored.
func (w *Web) storedEdition(r *request, e WrittenEdition, p planning) (reply, error) {
	c, err := w.house.EditionChoices(r.ctx, r.viewer, e.ProgramKey, e.Version)
	if err != nil {
		return reply{}, err
	}
	stored := planned(e.Edition)
	p.Key, p.Version, p.Choices, p.Stored, p.Base = e.Key, e.Edited, c, &e, remembered(stored)
	p.fill(stored)
	return reply{page: "console_edition", title: e.Title.In(r.lang), data: p}, nil
}

// planned is what staff said of an edition that is stored.
func planned(e programs.Edition) programs.EditionPlan {
	n := programs.EditionPlan{
		Program: e.ProgramKey, Version: e.Version, Title: e.Title, Lang: e.Lang, Partner: e.Partner, Capacity: e.Capacity,
		StartsAt: e.StartsAt, EndsAt: e.EndsAt, EnrolFrom: e.EnrolFrom, EnrolUntil: e.EnrolUntil,
	}
	for _, s := range e.Sessions {
		n.Sessions = append(n.Sessions, programs.SessionPlan{Session: s.SessionKey, Opening: s.Opening, OpensAt: s.OpensAt})
	}
	return n
}

// fill lays a plan out as the form: a row for each course of the version.
func (p *planning) fill(n programs.EditionPlan) {
	p.TitleEN, p.TitleFR, p.Lang, p.Partner, p.Capacity = n.Title.EN, n.Title.FR, n.Lang, n.Partner, ""
	p.StartsAt, p.EndsAt, p.EnrolFrom, p.EnrolUntil = timeField(n.StartsAt), timeField(n.EndsAt), timeField(n.EnrolFrom), timeField(n.EnrolUntil)
	if n.Capacity != nil {
		p.Capacity = strconv.Itoa(*n.Capacity)
	}
	p.Rows = nil
	for _, x := range p.Choices.Content.Courses() {
		row := planRow{Course: x.Key, Opening: string(programs.AtOnce)}
		for _, s := range n.Sessions {
			if slices.Contains(p.Choices.Sessions[x.Key], s.Session) {
				row = planRow{x.Key, s.Session, string(s.Opening), timeField(s.OpensAt)}
			}
		}
		p.Rows = append(p.Rows, row)
	}
}

// plan reads the form of an edition.
func (p *planning) plan() (programs.EditionPlan, error) {
	var wrong []fault.Field
	at := func(field, said string) *time.Time {
		if said == "" {
			return nil
		}
		t, ok := instant(said, zone)
		if !ok {
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
		EndsAt: r.form("ends_at"), EnrolFrom: r.form("enrol_from"), EnrolUntil: r.form("enrol_until"), Base: r.form("base"),
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
	out := reply{status: kinds[f.Kind].status, page: "console_edition", title: "console.editions"}
	if p.Fault = f; !p.New {
		e, err2 := w.house.WrittenEdition(r.ctx, r.viewer, p.Key)
		if err2 != nil {
			return reply{}, err2
		}
		p.Stored = &e
		switch {
		case errors.Is(err, programs.ErrChanged):
			out.status = 409
			err = p.clash(w, r, n)
		case p.Version != e.Edited:
			err = p.elsewhere(w, r)
		default:
			err = nil
		}
		if err != nil {
			return reply{}, err
		}
	}
	out.data = p
	return out, nil
}

// clash brings her plan together with what somebody else saved meanwhile, as in the builder of programs.
func (p *planning) clash(w *Web, r *request, mine programs.EditionPlan) error {
	theirs := planned(p.Stored.Edition)
	before, known := recalled[programs.EditionPlan](p.Base)
	if !known {
		before = mine
	}
	var err error
	if p.Clashes, err = w.editionClashes(r.lang, before, theirs, mine); err != nil {
		return err
	}
	together := mine
	if known {
		if together, err = brought(before, theirs, mine); err != nil {
			return err
		}
	}
	p.Fault, p.Conflict, p.Version, p.Base = nil, true, p.Stored.Edited, remembered(theirs)
	p.fill(together)
	return nil
}

// elsewhere says what somebody else saved since the form was read, as in the builder of programs.
func (p *planning) elsewhere(w *Web, r *request) (err error) {
	if before, known := recalled[programs.EditionPlan](p.Base); known {
		p.Clashes, err = w.editionClashes(r.lang, before, planned(p.Stored.Edition), before)
	}
	p.Elsewhere = true
	return err
}

func (w *Web) moveEdition(r *request) (reply, error) {
	version, err := strconv.Atoi(r.form("version"))
	if err != nil {
		return reply{}, errField
	}
	key := r.param("key")
	err = w.house.MoveEditionOn(r.ctx, r.viewer, key, catalog.Publication(r.form("to")), r.form("note"), version)
	f := fault.From(err)
	if err == nil {
		return reply{redirect: "/console/editions/" + url.PathEscape(key) + "?saved=1"}, nil
	}
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable || f.Kind == fault.NotFound {
		return reply{}, err
	}
	e, err2 := w.house.WrittenEdition(r.ctx, r.viewer, key)
	if err2 != nil {
		return reply{}, err2
	}
	p := planning{Note: r.form("note"), Fault: f}
	if errors.Is(err, programs.ErrChanged) {
		p.Fault, p.Conflict = nil, true
		if before, known := recalled[programs.EditionPlan](r.form("base")); known {
			if p.Clashes, err = w.editionClashes(r.lang, before, planned(e.Edition), before); err != nil {
				return reply{}, err
			}
		}
	}
	out, err := w.storedEdition(r, e, p)
	out.status = kinds[f.Kind].status
	if p.Conflict {
		out.status = 409
	}
	return out, err
}
