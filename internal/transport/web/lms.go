package web

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cursus/internal/domain/lms"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// lmsRoutes are the addresses of learning platforms.
func (w *Web) lmsRoutes() []route {
	return []route{
		{method: "GET", path: "/console/platforms", who: staff, handle: w.platforms},
		{method: "POST", path: "/console/platforms", who: staff, handle: w.makePlatform, large: true, fresh: always},
		{method: "GET", path: "/console/platforms/:key", who: staff, handle: w.platform},
		{method: "POST", path: "/console/platforms/:key", who: staff, handle: w.changePlatform, large: true, fresh: does("save")},
	}
}

// platformForm is what was written of a platform.
type platformForm struct {
	Written  map[string]string
	Formulas []string // that may have a mode
	Wrong    *fault.Fault
	New      bool // it has no key yet
}

// Mode is the course mode that was written of a formula.
func (f platformForm) Mode(formula string) string { return f.Written["mode_"+formula] }

// Ways are the ways of authentication.
func (platformForm) Ways() []lms.Auth { return []lms.Auth{lms.OAuth2, lms.Bearer, lms.APIKey} }

func (w *Web) platformFormOf(r *request) (f platformForm, err error) {
	f.Written = map[string]string{}
	for _, name := range []string{"key", "base_url", "auth", "client_id", "secret", "calls_per_minute", "enabled", "version"} {
		f.Written[name] = strings.TrimSpace(r.form(name))
	}
	if f.Formulas, err = w.formulaKeys(r); err != nil {
		return f, err
	}
	for _, formula := range f.Formulas {
		f.Written["mode_"+formula] = strings.TrimSpace(r.form("mode_" + formula))
	}
	return f, nil
}

func (w *Web) formulaKeys(r *request) ([]string, error) {
	all, err := w.house.Formulas(r.ctx)
	keys := make([]string, len(all))
	for i, f := range all {
		keys[i] = f.Key
	}
	return keys, err
}

func (f platformForm) says() (n lms.NewPlatform, err error) {
	n = lms.NewPlatform{BaseURL: f.Written["base_url"], Auth: lms.Auth(f.Written["auth"]), ClientID: f.Written["client_id"], Secret: f.Written["secret"], Modes: map[string]string{}}
	on := f.Written["enabled"] == "1"
	n.Enabled = &on
	if n.PerMinute, err = strconv.Atoi(f.Written["calls_per_minute"]); err != nil {
		return n, fault.InvalidInput(fault.Field{Pointer: "/calls_per_minute", Code: "bad-number", Detail: "It is no number."})
	}
	for _, formula := range f.Formulas {
		if mode := f.Mode(formula); mode != "" {
			n.Modes[formula] = mode
		}
	}
	return n, nil
}

// platformsPage is every platform, and the form of another one for who may make it.
type platformsPage struct {
	Platforms []lms.Platform
	MaySet    bool
	Form      platformForm
}

func (w *Web) platforms(r *request) (reply, error) {
	formulas, err := w.formulaKeys(r)
	if err != nil {
		return reply{}, err
	}
	usual := map[string]string{"calls_per_minute": "40", "enabled": "1", "mode_DISCOVERY": "audit", "mode_QUALIFYING": "verified"}
	return w.platformsWith(r, platformForm{Written: usual, Formulas: formulas})
}

func (w *Web) platformsWith(r *request, f platformForm) (reply, error) {
	all, may, err := w.house.LMSPlatforms(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	f.Written["secret"], f.New = "", true // it is never shown again
	return reply{page: "platforms", title: "platforms.title", data: platformsPage{all, may, f}, status: refusedAs(f.Wrong)}, nil
}

func (w *Web) makePlatform(r *request) (reply, error) {
	f, err := w.platformFormOf(r)
	if err != nil {
		return reply{}, err
	}
	n, err := f.says()
	if err == nil {
		err = w.house.SaveLMSPlatform(r.ctx, r.viewer, f.Written["key"], -1, n)
	}
	if f.Wrong = refusedOrChanged(err, lms.ErrChanged); f.Wrong != nil {
		return w.platformsWith(r, f)
	}
	return reply{redirect: "/console/platforms/" + url.PathEscape(f.Written["key"])}, err
}

// platformPage is one platform with what it is told.
type platformPage struct {
	One    lms.Platform
	MaySet bool
	Form   platformForm
	Told   []lms.Sync
	Differ []lms.Difference // that the comparison of a night found
	State  string           // of those that are shown; empty: all
	Next   string           // cursor
}

// States are those that enrolments can be shown by, with how many are in each.
func (p platformPage) States() []platformState {
	c := p.One.Counts
	return []platformState{{lms.Pending, c.Pending}, {lms.Waiting, c.Waiting}, {lms.Refused, c.Refused}, {lms.Confirmed, c.Confirmed}}
}

type platformState struct {
	State lms.State
	Count int64
}

// Unconfirmed says whether there is anything to be told.
func (p platformPage) Unconfirmed() bool {
	return p.One.Counts.Pending+p.One.Counts.Waiting+p.One.Counts.Refused > 0
}

func (w *Web) platform(r *request) (reply, error) { return w.platformWith(r, nil, nil) }

// platformWith shows a platform: as it is, or with what was written of it and refused.
func (w *Web) platformWith(r *request, refused *platformForm, wrong *fault.Fault) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := platformPage{State: r.query("state")}
	if d.One, d.MaySet, err = w.house.LMSPlatform(r.ctx, r.viewer, r.param("key")); err != nil {
		return reply{}, err
	}
	var next string
	if d.Told, next, err = w.house.LMSEnrolments(r.ctx, r.viewer, lms.Filter{Platform: d.One.Key, State: lms.State(d.State)}, p); err != nil {
		return reply{}, err
	}
	if d.Differ, err = w.house.LMSDifferences(r.ctx, r.viewer, d.One.Key); err != nil {
		return reply{}, err
	}
	d.Next = paging.Cursor(next)
	if refused != nil {
		d.Form = *refused
	} else if d.Form, err = w.platformSays(r, d.One); err != nil {
		return reply{}, err
	}
	d.Form.Wrong = wrong
	d.Form.Written["secret"], d.Form.Written["version"] = "", strconv.Itoa(d.One.Version) // after a change by somebody else, to save again is to decide
	return reply{page: "platform", title: "platforms.one", data: d, status: refusedAs(wrong)}, nil
}

func (w *Web) platformSays(r *request, p lms.Platform) (f platformForm, err error) {
	f.Written = map[string]string{"base_url": p.BaseURL, "auth": string(p.Auth), "client_id": p.ClientID, "calls_per_minute": strconv.Itoa(p.PerMinute)}
	if p.Enabled {
		f.Written["enabled"] = "1"
	}
	f.Formulas, err = w.formulaKeys(r)
	for _, formula := range slices.Sorted(maps.Keys(p.Modes)) {
		f.Written["mode_"+formula] = p.Modes[formula]
	}
	return f, err
}

func (w *Web) changePlatform(r *request) (reply, error) {
	key := r.param("key")
	back := reply{redirect: "/console/platforms/" + url.PathEscape(key)}
	var err error
	var f *platformForm
	switch do := r.form("do"); do {
	case "all":
		err = w.house.RetryLMSPlatform(r.ctx, r.viewer, key)
	case "one":
		err = w.house.RetryLMSEnrolment(r.ctx, r.viewer, r.form("enrolment"), strings.TrimSpace(r.form("username")))
		back.redirect += "?state=" + url.QueryEscape(r.form("state"))
	case "save":
		var written platformForm
		if written, err = w.platformFormOf(r); err != nil {
			return reply{}, err
		}
		f = &written
		err = w.savePlatform(r, key, written)
	default:
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown", Detail: "There is no such act here."})
	}
	if wrong := refusedOrChanged(err, lms.ErrChanged); wrong != nil && wrong.Kind != fault.NotFound {
		return w.platformWith(r, f, wrong)
	}
	return back, err
}

func (w *Web) savePlatform(r *request, key string, f platformForm) error {
	version, err := strconv.Atoi(f.Written["version"])
	if err != nil || version < 1 {
		return fault.InvalidInput(fault.Field{Pointer: "/version", Code: "bad-number", Detail: "It is no version."})
	}
	n, err := f.says()
	if err != nil {
		return err
	}
	return w.house.SaveLMSPlatform(r.ctx, r.viewer, key, version, n)
}
