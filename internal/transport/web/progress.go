package web

import (
	"net/url"
	"strings"
	"time"

	"cursus/internal/domain/privacy"
	"cursus/internal/domain/progress"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
	"cursus/internal/transport/web/chart"
)

// progressRoutes are the addresses of who follows the learners of a school or a company.
func (w *Web) progressRoutes() (all []route) {
	for _, of := range []string{"/cohorts/:id", "/orders/:id"} {
		all = append(all,
			route{method: "GET", path: of + "/progress", who: signedIn, handle: w.progress},
			route{method: "GET", path: of + "/progress.:format", who: signedIn, handle: w.progressFile, slow: true},
			route{method: "GET", path: of + "/labs", who: signedIn, handle: w.groupLabs},
			route{method: "GET", path: of + "/digest.pdf", who: signedIn, handle: w.digestPaper, slow: true},
			route{method: "POST", path: of + "/digest", who: signedIn, handle: w.readDigest},
			route{method: "GET", path: of + "/grades.csv", who: signedIn, handle: w.gradesFile, slow: true},
		)
	}
	return append(all,
		route{method: "POST", path: "/learning/sharing", who: signedIn, handle: w.share},
		route{method: "GET", path: "/digest/:token", who: anybody, handle: w.digestLink},
		route{method: "POST", path: "/digest/:token", who: anybody, handle: w.endDigest, oneClick: true},
	)
}

// progressPage is how far the learners of a group are.
type progressPage struct {
	progress.Board
	Path     string
	Filter   progress.Filter
	Stages   []string
	Paces    []progress.Pace
	Sessions []countedSession
	Next     string // cursor
	Query    string // of the filter
}

// countedSession is a session with its counts, drawn and as tables.
type countedSession struct {
	progress.SessionCounts
	Charts []drawing
}

// Root is where the other pages of the group stand.
func (p progressPage) Root() string { return strings.TrimSuffix(p.Path, "/progress") }

// Named is what a session of the group is called.
func (p progressPage) Named(key, lang string) string {
	for _, s := range p.Sessions {
		if s.Session == key {
			return s.Title.In(lang)
		}
	}
	return key
}

func filterOf(r *request) progress.Filter {
	return progress.Filter{Session: r.query("session"), Stage: r.query("stage"), Pace: progress.Pace(r.query("pace"))}
}

func (w *Web) progress(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := progressPage{Filter: filterOf(r), Stages: progress.Stages, Paces: append([]progress.Pace{progress.Lagging}, progress.Paces...), Query: url.Values{
		"session": {r.query("session")}, "stage": {r.query("stage")}, "pace": {r.query("pace")},
	}.Encode()}
	d.Path, _, _ = strings.Cut(r.path, "?")
	if d.Board, err = w.house.Progress(r.ctx, r.viewer, r.param("id"), d.Filter, p); err != nil {
		return reply{}, err
	}
	d.Next = paging.Cursor(d.Board.Next)
	for _, s := range d.Counts.Sessions {
		drawn, err := w.drawCounts(r.lang, s)
		if err != nil {
			return reply{}, err
		}
		d.Sessions = append(d.Sessions, countedSession{s, drawn})
	}
	return reply{page: "progress", title: "progress.title", data: d}, nil
}

// groupLabsPage is who of a group is in a lab now.
type groupLabsPage struct {
	progress.LabBoard
	Root string // where the other pages of the group stand
}

// When is the time of the board.
func (p groupLabsPage) When() *time.Time { return &p.At }

func (w *Web) groupLabs(r *request) (reply, error) {
	b, err := w.house.GroupLabs(r.ctx, r.viewer, r.param("id"))
	path, _, _ := strings.Cut(r.path, "?")
	return reply{page: "group_labs", title: "labs.group", data: groupLabsPage{b, strings.TrimSuffix(path, "/labs")}}, err
}

// drawCounts draws how many are how far, and how they keep up. What is kept back has no bar and says so.
func (w *Web) drawCounts(lang string, c progress.SessionCounts) ([]drawing, error) {
	s := &say{w: w, lang: lang}
	bars := func(id, title, words string, cells []progress.Cell) chart.Bars {
		b := chart.Bars{ID: id + "-" + c.Session, Title: s.text(title)}
		for _, x := range cells {
			bar := chart.Bar{Label: s.text(words + x.Name), Text: s.text("progress.kept")}
			if x.Count != nil {
				n := int64(*x.Count)
				bar.Value, bar.Text = &n, count(lang, n)
			}
			b.Bars = append(b.Bars, bar)
		}
		return b
	}
	return s.drawings([]chart.Bars{bars("furthest", "progress.furthest", "stage.", c.Furthest), bars("pace", "progress.pace", "progress.pace.", c.Pace)})
}

var errNoFormat = fault.New(fault.NotFound, "no-such-format", "There is progress as csv and as json.")

func (w *Web) progressFile(r *request) (reply, error) {
	format := r.param("format")
	if format != "csv" && format != "json" {
		return reply{}, errNoFormat
	}
	f, err := w.house.ProgressFile(r.ctx, r.viewer, r.param("id"), format, filterOf(r))
	return reply{file: &f}, err
}

func (w *Web) gradesFile(r *request) (reply, error) {
	f, err := w.house.GradesFile(r.ctx, r.viewer, r.param("id"), r.query("session"))
	return reply{file: &f}, err
}

func (w *Web) digestPaper(r *request) (reply, error) {
	f, err := w.house.DigestPaper(r.ctx, r.viewer, r.param("id"), r.query("week"), r.lang)
	return reply{file: &f}, err
}

func (w *Web) readDigest(r *request) (reply, error) {
	root := strings.TrimSuffix(r.path, "/digest")
	return reply{redirect: root + "/progress#digest"}, w.house.ReadDigest(r.ctx, r.viewer, r.param("id"), r.form("wanted") == "1")
}

// digestLinkPage is a link to end digests.
type digestLinkPage struct {
	progress.Link
	Token string
}

func (w *Web) digestLink(r *request) (reply, error) {
	l, err := w.house.DigestLink(r.ctx, r.param("token"))
	return reply{page: "digest_link", title: "outreach.unsubscribe", data: digestLinkPage{l, r.param("token")}}, err
}

func (w *Web) endDigest(r *request) (reply, error) {
	l, err := w.house.EndDigest(r.ctx, r.param("token"))
	return reply{page: "digest_link", title: "outreach.unsubscribe", data: digestLinkPage{l, r.param("token")}}, err
}

// share notes whether the viewer lets her schools and companies see how far she is, and leads back to where she said so.
func (w *Web) share(r *request) (reply, error) {
	return reply{redirect: local(r.form("back"))}, w.house.SayConsents(r.ctx, r.viewer, map[string]bool{privacy.School: r.form("given") == "1"})
}

// sharing is who follows the viewer in one thing, as the part of a page that says so shows it. Back is where her answer leads.
type sharing struct {
	progress.Followed
	Back string
}

// Sharing is that part for a session or an edition.
func (v View) Sharing(f progress.Followed, key, back string) map[string]any {
	return v.Pair(sharing{f.In(key), back})
}

// shareToo notes the yes of a form that asks for something else; none is no word at all.
func (w *Web) shareToo(r *request) error {
	if r.form("share") != "1" {
		return nil
	}
	return w.house.SayConsents(r.ctx, r.viewer, map[string]bool{privacy.School: true})
}
