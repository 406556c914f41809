// Package web makes the pages of Cursus: HTML from the server, in English and French, without a script that they could not
// do without. It asks the rooms through House alone, and knows of HTTP only what fiber.go tells it.
package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"

	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/templates/pages"
)

// Options configure the pages.
type Options struct {
	House   House
	BaseURL string // of this site, as browsers see it; https makes cookies Secure
	Secret  []byte // at least 32 bytes; signs forms
	// PayOrigins are the sites that a checkout may lead to (a form may not end anywhere else).
	PayOrigins []string
	Demo       bool
	Contract   []byte // openapi.yaml, for /docs; empty: not installed
	Log        *slog.Logger
	Clock      clock.Clock
}

// Web holds what was read once: templates, words, static files.
type Web struct {
	house    House
	demo     bool
	secure   bool
	base     string
	secret   [32]byte
	policy   string
	words    words
	pages    map[string]*page
	static   map[string]asset
	contract []byte
	docs     *contract
	log      *slog.Logger
	clock    clock.Clock
}

// New reads templates, words and contract, and refuses what does not fit together.
func New(o Options) (*Web, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, errors.New("web: the base address is not an http or https address")
	}
	if len(o.Secret) < 32 {
		return nil, errors.New("web: the secret that signs forms has fewer than 32 bytes")
	}
	w := &Web{
		house: o.House, demo: o.Demo, secure: base.Scheme == "https", base: base.Scheme + "://" + base.Host,
		secret: sha256.Sum256(append([]byte("forms\x00"), o.Secret...)), contract: o.Contract, log: o.Log, clock: o.Clock,
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if w.clock == nil {
		w.clock = clock.System{}
	}
	w.policy = policy(o.PayOrigins)
	if w.words, err = readWords(pages.FS); err != nil {
		return nil, err
	}
	if w.static, err = readStatic(pages.FS); err != nil {
		return nil, err
	}
	if w.pages, err = readPages(pages.FS); err != nil {
		return nil, err
	}
	if len(o.Contract) > 0 {
		if w.docs, err = readContract(o.Contract); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// policy is the Content-Security-Policy. A form may lead to this site and, by way of it, to the pay page.
func policy(payOrigins []string) string {
	return strings.Join([]string{
		"default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'",
		strings.TrimSpace("form-action 'self' " + strings.Join(payOrigins, " ")), "base-uri 'none'", "frame-ancestors 'none'",
	}, "; ")
}

// request is what a handler may know.
type request struct {
	ctx    context.Context
	id     string // of the request, for the log and for people who ask for help
	path   string
	lang   string
	param  func(string) string
	query  func(string) string
	every  func(string) []string // of query: each value of a name that stands several times
	form   func(string) string
	forms  func(string) []string                           // every value of a repeated field
	names  func() []string                                 // of the fields
	upload func() []byte                                   // the file of a form that carries one
	files  func() (name string, from io.Reader, err error) // the next file of a form that is read as it comes; io.EOF: there is none
	viewer Viewer
	secret string // of the browser's session
	nonce  string // of the browser, for forms
	flow   string // of a sign-in at a provider that the browser began
}

// reply is what a handler answers: a page, a redirection or bytes.
type reply struct {
	status   int
	wait     int // of a page that asks to wait: seconds after which to try again; 0: not known
	page     string
	title    string
	data     any
	redirect string
	file     *File
	stream   io.Reader // instead of the file's content: it is read while it is sent, after the request is done with
	size     int       // of stream, in bytes
	inline   bool      // show the file instead of saving it
	policy   string    // of content, for a file that is shown; ours otherwise
	formTo   string    // another site that a form of this page may lead to
	session  *Opened
	signOut  bool
	flow     *string // what the browser keeps of a sign-in at a provider; empty: nothing any more
}

type handler func(*request) (reply, error)

// route is one address. Staff routes are Forbidden to others; signed-in routes lead to the sign-in page.
type route struct {
	method, path string
	who          who
	handle       handler
	stream       bool                // its form carries files that are read as they come, behind its fields; it may take a quarter of an hour
	upload       bool                // its form is multipart/form-data with one file, of 12 MiB at most
	oneClick     bool                // its address proves who asks: programs of mail providers post to it (RFC 8058), without a form of ours; or what it carries does
	slow         bool                // it may take a minute
	fresh        func(*request) bool // which of its posts ask for who signed in just now; nil: none
	large        bool                // its form may have 512 KiB, fields of 64 KiB, and fields that are repeated (rows of a table)
}

type who int

const (
	anybody who = iota
	signedIn
	staff
)

// routes is every address of the pages.
func (w *Web) routes() []route {
	return append(w.areaRoutes(), []route{
		{method: "GET", path: "/", who: anybody, handle: w.catalogue},
		{method: "GET", path: "/courses/:key", who: anybody, handle: w.course},
		{method: "GET", path: "/sessions/:key", who: anybody, handle: w.session},
		{method: "GET", path: "/sign-in", who: anybody, handle: w.signIn},
		{method: "POST", path: "/sign-in", who: anybody, handle: w.sendLink},
		{method: "GET", path: "/sign-in/:token", who: anybody, handle: w.openLink},
		{method: "POST", path: "/sign-in/:token", who: anybody, handle: w.redeemLink},
		{method: "GET", path: "/sign-in/with/:id", who: anybody, handle: w.signInWith},
		{method: "GET", path: "/sign-in/with/:id/back", who: anybody, handle: w.signedInWith},
		{method: "POST", path: "/sign-in/with/:id/logout", who: anybody, handle: w.signedOutThere, oneClick: true},
		{method: "POST", path: "/sign-out", who: anybody, handle: w.signOut},
		{method: "GET", path: "/signed-out", who: anybody, handle: w.signedOut},
		{method: "GET", path: "/confirmed", who: signedIn, handle: w.confirmed},
		{method: "POST", path: "/checkout", who: signedIn, handle: w.checkout},
		{method: "GET", path: "/orders/:id", who: signedIn, handle: w.order},
		{method: "GET", path: "/orders/:id/state", who: signedIn, handle: w.orderState},
		{method: "GET", path: "/learning", who: signedIn, handle: w.learning},
		{method: "POST", path: "/learning/name", who: signedIn, handle: w.setName},
		{method: "POST", path: "/learning/:id/workshops", who: signedIn, handle: w.workshopSeat},
		{method: "GET", path: "/certificates/:id.pdf", who: signedIn, handle: w.certificate},
		{method: "GET", path: "/verify", who: anybody, handle: w.verifyForm},
		{method: "GET", path: "/verify/:code", who: anybody, handle: w.verify},
		{method: "GET", path: "/docs", who: anybody, handle: w.showDocs},
		{method: "GET", path: "/docs/openapi.yaml", who: anybody, handle: w.contractFile},
		{method: "GET", path: "/docs/:area", who: anybody, handle: w.showDocsOf},
	}...)
}

// Addresses lists the route table as "METHOD path", for tests that walk it.
func Addresses() (all []string) {
	for _, rt := range (&Web{}).routes() {
		all = append(all, rt.method+" "+rt.path)
	}
	return all
}

// errSignIn asks the browser to sign in first.
var errSignIn = fault.New(fault.Unauthenticated, "sign-in-first", "Please sign in.")

// serve answers a request that fiber.go has read. It never fails: a fault becomes its page.
func (w *Web) serve(r *request, rt route) reply {
	if rt.who != anybody && !r.viewer.Known() {
		next := r.path
		if rt.method != "GET" {
			next = local(r.form("back"))
		}
		return reply{redirect: "/sign-in?next=" + url.QueryEscape(next)}
	}
	if rt.who == staff && !r.viewer.Staff {
		return w.fault(r, fault.New(fault.Forbidden, "staff-only", "These pages are for staff."))
	}
	if rt.method == "POST" && !rt.oneClick && !w.formHolds(r, r.form("form")) {
		return w.fault(r, errStaleForm)
	}
	if rt.method == "POST" && rt.fresh != nil && !r.viewer.Fresh && rt.fresh(r) {
		return w.stepUp(r)
	}
	out, err := rt.handle(r)
	if errors.Is(err, errSignIn) {
		return reply{redirect: "/sign-in?next=" + url.QueryEscape(r.path)}
	}
	if err != nil {
		return w.fault(r, err)
	}
	return out
}

// fault makes the page of a fault. Only our own failures are logged as errors.
func (w *Web) fault(r *request, err error) reply {
	f := fault.From(err)
	k := kinds[f.Kind]
	if k.status >= 500 {
		w.log.ErrorContext(r.ctx, "page failed", "request", r.id, "path", r.path, "code", f.Code, "error", err)
	}
	return reply{status: k.status, wait: f.Wait, page: "error", title: "error." + k.key + ".title", data: failure{Kind: k.key, Fault: f, Retry: k.status >= 500}}
}

// failure is what the error page shows.
type failure struct {
	Kind  string
	Fault *fault.Fault
	Retry bool
}

// refusedAs is the status of a page that shows a form again which was refused; 0, which is good, where it was not.
func refusedAs(f *fault.Fault) int {
	if f == nil {
		return 0
	}
	return kinds[f.Kind].status
}

// waitOf is how many seconds a page whose form was refused asks to wait; 0: not known, or it was not refused.
func waitOf(f *fault.Fault) int {
	if f == nil {
		return 0
	}
	return f.Wait
}

// kinds gives each kind of fault its status and its words.
var kinds = map[fault.Kind]struct {
	status int
	key    string
}{
	fault.Internal: {500, "internal"}, fault.Invalid: {400, "invalid"}, fault.Unauthenticated: {401, "unauthenticated"},
	fault.Forbidden: {403, "forbidden"}, fault.NotFound: {404, "not_found"}, fault.Conflict: {409, "conflict"},
	fault.Precondition: {412, "precondition"}, fault.Unprocessable: {422, "unprocessable"}, fault.TooLarge: {413, "too_large"},
	fault.Unsupported: {415, "unsupported"}, fault.TooMany: {429, "too_many"}, fault.Unavailable: {503, "unavailable"},
}

// local gives back a path of this site, or the front page for anything else, so that no link leads elsewhere.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") || u.Host != "" || len(path) > 400 {
		return "/"
	}
	return path
}

// asset is a static file with the tag of its content.
type asset struct {
	content     []byte
	contentType string
	tag         string
}

var contentTypes = map[string]string{"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}

func readStatic(files fs.FS) (map[string]asset, error) {
	found := map[string]asset{}
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		b, err := fs.ReadFile(files, "static/"+e.Name())
		if err != nil {
			return nil, err
		}
		_, extension, _ := strings.Cut(e.Name(), ".")
		found[e.Name()] = asset{b, contentTypes[extension], tagOf(b)}
	}
	return found, nil
}
