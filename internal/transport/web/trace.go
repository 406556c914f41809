package web

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	paging "cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
)

// Act is a row of the audit with what its actor is called now.
type Act struct {
	audit.Act
	Name string `json:"name,omitempty"`
}

// TraceHouse is what the pages ask of the house about who did what. Who may not read the audit is Forbidden.
type TraceHouse interface {
	Audit(ctx context.Context, who Viewer, f audit.Filter, p paging.Request) (all []Act, next string, err error)
	AuditFile(ctx context.Context, who Viewer, f audit.Filter) ([]byte, error)
	VerifyAudit(ctx context.Context, who Viewer) (audit.Verdict, error)
}

// traceRoutes are the addresses of these pages.
func (w *Web) traceRoutes() []route {
	return []route{
		{method: "GET", path: "/console/audit", who: staff, handle: w.auditList},
		{method: "GET", path: "/console/audit.:format", who: staff, slow: true, handle: w.auditFile},
		{method: "POST", path: "/console/audit", who: staff, slow: true, handle: w.auditVerify},
	}
}

// auditPage is what the page of the audit shows.
type auditPage struct {
	Acts        []Act
	Filter      audit.Filter
	From, Until string // days, both within
	Next        string // cursor
	Unverified  int    // of the acts shown
	Verdict     *audit.Verdict
}

// Query is the filter as a query of an address. It is encoded here, and templates need not do so again.
func (p auditPage) Query() template.URL {
	q := url.Values{}
	for name, v := range map[string]string{"actor": p.Filter.Actor, "object": p.Filter.Object, "action": p.Filter.Action, "from": p.From, "until": p.Until} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return template.URL(q.Encode()) //nolint:gosec // every value of it is encoded
}

func auditFilter(r *request) (data auditPage, err error) {
	said := func(name string) string { return strings.TrimSpace(r.query(name)) }
	data = auditPage{Filter: audit.Filter{Actor: said("actor"), Object: said("object"), Action: said("action")}, From: said("from"), Until: said("until")}
	if data.Filter.From, err = dayField("query/from", data.From); err != nil {
		return data, err
	}
	until, err := dayField("query/until", data.Until)
	if until != nil {
		next := until.AddDate(0, 0, 1) // people name the last day of a period
		data.Filter.Until = &next
	}
	return data, err
}

func (w *Web) auditList(r *request) (reply, error) { return w.auditWith(r, nil) }

func (w *Web) auditWith(r *request, verdict *audit.Verdict) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	data, err := auditFilter(r)
	if err != nil {
		return reply{}, err
	}
	all, next, err := w.house.Audit(r.ctx, r.viewer, data.Filter, p)
	data.Acts, data.Next, data.Verdict = all, paging.Cursor(next), verdict
	for _, a := range all {
		if !a.Holds {
			data.Unverified++
		}
	}
	return reply{page: "trace_audit", title: "audit.title", data: data}, err
}

func (w *Web) auditVerify(r *request) (reply, error) {
	v, err := w.house.VerifyAudit(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	return w.auditWith(r, &v)
}

func (w *Web) auditFile(r *request) (reply, error) {
	data, err := auditFilter(r)
	if err != nil {
		return reply{}, err
	}
	if r.param("format") == "csv" {
		file, err := w.house.AuditFile(r.ctx, r.viewer, data.Filter)
		return reply{file: &File{Name: "audit.csv", ContentType: "text/csv; charset=utf-8", Content: file}}, err
	}
	all, _, err := w.house.Audit(r.ctx, r.viewer, data.Filter, paging.Request{Limit: mostActs})
	if err != nil {
		return reply{}, err
	}
	return export(r.param("format"), "audit", nil, all)
}

// mostActs is how many acts the page gives as JSON; the API gives them all, page by page.
const mostActs = 10_000

// change is a line of what an act changed. Of a hidden one the values are not kept.
type change struct {
	Field, Before, After string
	Hidden               bool
}

// Changes reads the detail of an act: what differs where before and after are known, and everything that is said otherwise.
func (View) Changes(detail json.RawMessage) (all []change) {
	var v any
	if json.Unmarshal(detail, &v) != nil || v == nil {
		return nil
	}
	before, after := map[string]string{}, map[string]string{}
	if both, ok := v.(map[string]any); ok && both["before"] != nil && both["after"] != nil {
		flatten("", both["before"], before)
		flatten("", both["after"], after)
		delete(both, "before")
		delete(both, "after")
		if hidden, ok := both["personal"].([]any); ok {
			for _, f := range hidden {
				all = append(all, change{Field: fmt.Sprint(f), Hidden: true})
			}
			delete(both, "personal")
		}
		v = both
	}
	said := map[string]string{}
	flatten("", v, said)
	maps.Copy(after, said)
	fields := slices.Sorted(maps.Keys(after))
	for f := range before {
		if _, ok := after[f]; !ok {
			fields = append(fields, f)
		}
	}
	for _, f := range fields {
		if b, ok := before[f]; !ok || b != after[f] {
			all = append(all, change{Field: strings.ReplaceAll(strings.TrimPrefix(f, "/"), "/", "."), Before: before[f], After: after[f]})
		}
	}
	return all
}

// consoleOf says which page of the console shows a thing, by the prefix of its id.
var consoleOf = map[string]string{
	"ord": "orders", "cli": "clients", "vch": "vouchers", "off": "offers", "wsd": "workshop-days", "rec": "reconciliation", "ses": "sessions",
}

// ObjectPage is the page of the console that shows what was acted on; empty where none does.
func (View) ObjectPage(object string) string {
	prefix, _, ok := strings.Cut(object, "_")
	if page := consoleOf[prefix]; ok && page != "" {
		return "/console/" + page + "/" + object
	}
	return ""
}

// Person is the id of the person who acted, empty for the house and the public.
func (a Act) Person() string {
	_, id, _ := strings.Cut(a.Actor, ":")
	return id
}

// Kind is what the actor is: staff, learner, public or system.
func (a Act) Kind() string {
	kind, _, _ := strings.Cut(a.Actor, ":")
	return kind
}

// Instant prints a time to the second, in UTC.
func (v View) Instant(t time.Time) (string, error) {
	day, err := v.Date(t)
	return day + ", " + t.UTC().Format("15:04:05 UTC"), err
}
