package app_test

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"cursus/internal/transport/web"
)

// axeScript is axe-core as it is published. It comes into a page over the browser's debugging protocol, which a policy that
// forbids foreign scripts does not bind; the product never sees it.
//
//go:embed testdata/axe-core-4.14.1/axe.min.js
var axeScript string

// axeViolation is what axe found against one rule.
type axeViolation struct {
	ID, Impact, Help string
	Nodes            []struct {
		Target  []any
		Summary string
	}
}

const axeRun = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({
  ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map(n => ({Target: n.target, Summary: n.failureSummary}))})))`

// violations runs axe on the page that is open and gives what it calls serious or critical.
func (b tab) violations(name string) []axeViolation {
	b.t.Helper()
	if known, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`typeof axe === "object"`)); err != nil || !known {
		b.do(chromedp.Evaluate[chromedp.Void](axeScript + "; undefined"))
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]axeViolation](axeRun, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("axe at %s: %v", name, err)
	}
	return slices.DeleteFunc(found, func(v axeViolation) bool { return v.Impact != "serious" && v.Impact != "critical" })
}

// axe fails on each serious or critical violation of the page that is open.
func (b tab) axe(name string) {
	b.t.Helper()
	for _, v := range b.violations(name) {
		for _, n := range v.Nodes {
			b.t.Errorf("%s: %s (%s): %s\n  at %v\n  %s", name, v.ID, v.Impact, v.Help, n.Target, strings.ReplaceAll(n.Summary, "\n", "\n  "))
		}
	}
}

// scheme makes the browser prefer light or dark, and no motion: what is clicked must not slide away.
func (b tab) scheme(name string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	}))
}

// axeEverywhere runs axe on the open page in both schemes, on a phone and on a desktop.
func (b tab) axeEverywhere(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, width := range []int64{390, 1200} {
			b.do(chromedp.EmulateViewport(width, 900))
			b.axe(fmt.Sprintf("%s, %s, %d px", name, scheme, width))
		}
	}
	b.scheme("light")
}

// walks furnish a site with what the pages of an area show, and say at which address each route with a parameter shows
// something: "/courses/:key" → "/courses/PRD". A route without parameter is walked at its own path, unless one is named here too.
// Several addresses of one route stand beside each other, with a blank between them. An area appends its own in the init of a
// test file of its own; staff is the id of the person who looks.
var walks []func(w *world, staff string) map[string]string

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		made := w.certified(staff)
		return map[string]string{
			"/docs/:area": "/docs/orders /docs/figures", "/courses/:key": "/courses/PRD", "/sessions/:key": "/sessions/PRD-9", "/sign-in/:token": "/sign-in/abcdefghijklmnopqrstuvwxyz",
			"/orders/:id": "/orders/" + made["order"], "/orders/:id/withdrawal": "/orders/" + made["order"] + "/withdrawal", "/orders/:id/state": "/orders/" + made["order"] + "/state",
			"/certificates/:id.pdf": "/certificates/" + made["certificate"] + ".pdf", "/verify/:code": "/verify/" + made["code"],
			"/console/mails/:name.html": "/console/mails/order_paid.html",
		}
	})
}

// elsewhere are the routes that show nothing of ours: they lead away, or come from there.
var elsewhere = map[string]string{
	"/sign-in/with/:id":      "leads to a provider of sign-ins",
	"/sign-in/with/:id/back": "comes from there, and leads to where she was",
}

// No page of the public, the learner or the console has a serious fault of accessibility, in any scheme and width. Every GET
// route is walked; one with a parameter that no walk names fails.
func TestAxeFindsNothingOnEveryPage(t *testing.T) {
	w, mails := newSite(t)
	b, stranger := newTabFor(t, 15*time.Minute), newTabFor(t, 15*time.Minute)
	staff := w.staffTab(b, mails, "officer@example.org")
	stranger.open(w.cfg.BaseURL + "/")
	at := map[string]string{}
	for _, walk := range walks {
		for route, addresses := range walk(w, staff.ID) {
			at[route] = addresses
		}
	}
	pages, routes, all := 0, 0, web.Addresses()
	slices.Sort(all)
	for _, route := range all {
		path, get := strings.CutPrefix(route, "GET ")
		if !get || elsewhere[path] != "" {
			continue
		}
		addresses := at[path]
		if addresses == "" {
			addresses = path
		}
		t.Run(strings.ReplaceAll(path[1:], "/", " "), func(t *testing.T) { // so that some routes can be walked alone: -run 'EveryPage/programs'
			routes++
			for _, address := range strings.Fields(addresses) {
				if strings.Contains(address, ":") {
					t.Errorf("%s has a parameter, and no walk says what to put there (see walks)", path)
					continue
				}
				who := tab{t, b.ctx}
				if strings.HasPrefix(path, "/sign-in") { // a page for those who are not
					who = tab{t, stranger.ctx}
				}
				if who.page(w.cfg.BaseURL + address) {
					pages++
					who.axeEverywhere(address)
					if strings.HasSuffix(address, ".html") { // its own policy lets nothing be fetched from there
						who.open(w.cfg.BaseURL + "/")
					}
				}
			}
		})
	}
	for _, address := range []string{"/verify/UNKNOWN-CODE", "/no-such-page"} { // answered with 404, and pages all the same
		stranger.open(w.cfg.BaseURL + address)
		stranger.axeEverywhere(address)
	}
	if routes > 2 && 2*pages < routes { // some routes are files
		t.Error("only", pages, "pages were looked at, of", routes, "routes")
	}
	t.Log(pages, "pages, each four times")
	w.verify()
}

// The harness sees what it is there for.
func TestAxeSeesAFault(t *testing.T) {
	b := newTab(t)
	b.open("data:text/html,<html><body style='background:white'><input><p style='color:%23bbb'>pale</p></body></html>")
	var rules []string
	for _, v := range b.violations("a bad page") {
		rules = append(rules, v.ID)
	}
	for _, rule := range []string{"label", "color-contrast", "html-has-lang"} {
		if !slices.Contains(rules, rule) {
			t.Errorf("axe does not see %s, only %v", rule, rules)
		}
	}
}

// page asks for an address as the tab would; it opens what is a page and says so. Files are no pages; what is refused is a fault.
func (b tab) page(address string) bool {
	b.t.Helper()
	kind, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf(
		`fetch(%q).then(r => r.status + " " + r.headers.get("content-type") + " " + r.redirected)`, address), chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Errorf("%s: %v", address, err)
		return false
	}
	status, rest, _ := strings.Cut(kind, " ")
	if status != "200" || strings.HasSuffix(rest, "true") {
		b.t.Errorf("%s is answered with %s (status, type, redirected)", address, kind)
		return false
	}
	if !strings.HasPrefix(rest, "text/html") {
		return false
	}
	b.open(address)
	return true
}
