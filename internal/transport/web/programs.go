package web

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/progress"
)

// programRoutes are the addresses of these pages.
func (w *Web) programRoutes() []route {
	return []route{
		{method: "GET", path: "/programs", who: anybody, handle: w.publicPrograms},
		{method: "GET", path: "/programs/:key", who: anybody, handle: w.publicProgram},
		{method: "GET", path: "/learning/programs", who: signedIn, handle: w.myPrograms},
		{method: "GET", path: "/learning/programs/:edition", who: signedIn, handle: w.myProgram},
		{method: "POST", path: "/learning/programs/:edition/transcript", who: signedIn, handle: w.issueTranscript},
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

// pathPage is a learner's way through an edition, with who follows her in it.
type pathPage struct {
	ShownPath
	Followed progress.Followed
}

func (w *Web) myProgram(r *request) (reply, error) {
	a, err := w.house.LearnerPath(r.ctx, r.viewer, r.param("edition"))
	if err != nil {
		return reply{}, err
	}
	f, err := w.house.Followed(r.ctx, r.viewer)
	return reply{page: "mypath", title: a.Edition.Title.In(r.lang), data: pathPage{a, f}}, err
}

func (w *Web) issueTranscript(r *request) (reply, error) {
	edition := r.param("edition")
	return reply{redirect: "/learning/programs/" + url.PathEscape(edition) + "#transcript"}, w.house.IssueTranscript(r.ctx, r.viewer, edition, r.form("key"))
}

func (w *Web) allPrograms(r *request) (reply, error) {
	all, err := w.house.AllPrograms(r.ctx, r.viewer)
	return reply{page: "console_programs", title: "console.programs", data: all}, err
}

// Verbs are what the buttons of a line of the builder do.
func (View) Verbs() []string { return []string{"up", "down", "in", "out", "remove"} }

// Unused are the fields that a line of another kind does not have: the form sends each field once a line.
func (View) Unused(fields ...string) []string { return fields }

// programsFound are the programs that the public sees and whose titles, texts or courses have all words of a query.
func (w *Web) programsFound(r *request, query string) (out []ShownProgram, err error) {
	sought := strings.Fields(folded(query))
	if len(sought) == 0 {
		return nil, nil
	}
	all, err := w.house.PublicPrograms(r.ctx)
	for _, p := range all {
		c := p.Published
		text := []string{p.Key, c.Title.EN, c.Title.FR, c.Summary.EN, c.Summary.FR, c.Audience.EN, c.Audience.FR, strings.Join(c.Organisations, " ")}
		for _, x := range c.Courses() {
			text = append(text, x.Key)
		}
		whole, has := folded(strings.Join(text, "\n")), true
		for _, word := range sought {
			has = has && strings.Contains(whole, word)
		}
		if has {
			out = append(out, p)
		}
	}
	return out, err
}

// folded makes letters small and takes accents off, as the search of courses does.
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}
