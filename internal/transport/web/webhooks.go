package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/webhooks"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// hookPlace is where the pages of webhooks stand: for who manages an organisation, or for staff, who see all.
type hookPlace struct {
	Root    string
	Console bool
}

// hookPages are the pages of webhooks at one place.
type hookPages struct {
	*Web
	hookPlace
}

// hookRoutes are the addresses of webhooks, once for managers and once for staff.
func (w *Web) hookRoutes() []route {
	return append(
		hookPages{w, hookPlace{Root: "/organisation/webhooks"}}.routes(signedIn),
		hookPages{w, hookPlace{Root: "/console/webhooks", Console: true}}.routes(staff)...,
	)
}

func (w hookPages) routes(by who) []route {
	return []route{
		{method: "GET", path: w.Root, who: by, handle: w.hooks},
		{method: "POST", path: w.Root, who: by, handle: w.makeHook, large: true},
		{method: "GET", path: w.Root + "/:id", who: by, handle: w.hook},
		{method: "POST", path: w.Root + "/:id", who: by, handle: w.changeHook, large: true},
		{method: "GET", path: w.Root + "/:id/deliveries/:delivery", who: by, handle: w.hookDelivery},
		{method: "POST", path: w.Root + "/:id/deliveries/:delivery", who: by, handle: w.replayHook},
	}
}

// hookForm is what was written of a webhook.
type hookForm struct {
	Written map[string]string
	Types   []string // that are ticked
	Wrong   *fault.Fault
}

// Ticked says whether a type is ticked.
func (f hookForm) Ticked(kind string) bool { return slices.Contains(f.Types, kind) }

// Known are the types that can be chosen; a test comes whatever was chosen.
func (hookForm) Known() []webhooks.EventType {
	return slices.DeleteFunc(slices.Clone(webhooks.Types), func(t webhooks.EventType) bool { return t.Type == webhooks.Test })
}

func hookWritten(r *request) hookForm {
	f := hookForm{Written: map[string]string{}, Types: r.forms("type")}
	for _, name := range []string{"organisation", "url", "description", "version", "since", "delivered"} {
		f.Written[name] = strings.TrimSpace(r.form(name))
	}
	return f
}

func (f hookForm) says() webhooks.NewEndpoint {
	return webhooks.NewEndpoint{Organisation: f.Written["organisation"], URL: f.Written["url"], Description: f.Written["description"], Types: f.Types}
}

// hooksPage is every webhook of somebody, and the form of another one.
type hooksPage struct {
	hookPlace
	Webhooks []webhooks.Endpoint
	Owners   []identity.Managed // for whom she may make one
	Form     hookForm
	Next     string // cursor
}

func (w hookPages) hooks(r *request) (reply, error) { return w.hooksWith(r, hookForm{}) }

func (w hookPages) hooksWith(r *request, f hookForm) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := hooksPage{hookPlace: w.hookPlace, Form: f}
	some, next, err := w.house.Webhooks(r.ctx, r.viewer, d.Console, p)
	if err != nil {
		return reply{}, err
	}
	d.Webhooks, d.Next = some, paging.Cursor(next)
	if d.Owners, err = w.house.HookOwners(r.ctx, r.viewer, d.Console); err != nil {
		return reply{}, err
	}
	return reply{page: "hooks", title: "hooks.title", data: d, status: refusedAs(f.Wrong)}, nil
}

func (w hookPages) makeHook(r *request) (reply, error) {
	f := hookWritten(r)
	made, err := w.house.MakeWebhook(r.ctx, r.viewer, w.Console, r.form("key"), f.says())
	if f.Wrong = refusal(err); f.Wrong != nil {
		return w.hooksWith(r, f)
	}
	if err != nil {
		return reply{}, err
	}
	return w.hookWith(r, made.ID, nil, made.Secret)
}

// hookPage is one webhook with what is sent to it.
type hookPage struct {
	hookPlace
	One    webhooks.Endpoint
	Secret string // that was just made
	Form   hookForm
	Sent   []webhooks.Delivery
	State  string // of the deliveries that are shown; empty: all
	Next   string // cursor
}

// States are those that deliveries can be shown by.
func (hookPage) States() []string {
	return []string{string(webhooks.Pending), string(webhooks.Delivered), string(webhooks.Failed), string(webhooks.Held)}
}

func (w hookPages) hook(r *request) (reply, error) { return w.hookWith(r, r.param("id"), nil, "") }

// hookWith shows a webhook: as it is, with what was written of it and refused, or with the secret that was just made.
func (w hookPages) hookWith(r *request, id string, refused *hookForm, secret string) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := hookPage{hookPlace: w.hookPlace, Secret: secret, State: r.query("state")}
	var next string
	d.One, d.Sent, next, err = w.house.Webhook(r.ctx, r.viewer, d.Console, id, webhooks.DeliveryState(d.State), p)
	if err != nil {
		return reply{}, err
	}
	out := reply{page: "hook", title: "hooks.one"}
	d.Next = paging.Cursor(next)
	d.Form = hookForm{Types: d.One.Types, Written: map[string]string{"url": d.One.URL, "description": d.One.Description}}
	if refused != nil {
		d.Form, out.status = *refused, kinds[refused.Wrong.Kind].status
	}
	d.Form.Written["version"] = strconv.Itoa(d.One.Version) // after a change by somebody else, to save again is to decide
	out.data = d
	return out, nil
}

func (w hookPages) changeHook(r *request) (reply, error) {
	id := r.param("id")
	back := reply{redirect: w.Root + "/" + url.PathEscape(id)}
	f := hookWritten(r)
	var err error
	switch do := r.form("do"); do {
	case "test":
		var sent webhooks.Sent
		if sent, err = w.house.TestWebhook(r.ctx, r.viewer, w.Console, id, r.form("key")); err == nil {
			back.redirect += "/deliveries/" + url.PathEscape(sent.ID)
		}
	case "rotate":
		made, err := w.house.RotateWebhook(r.ctx, r.viewer, w.Console, id, r.form("key"))
		if err != nil {
			return reply{}, err
		}
		return w.hookWith(r, id, nil, made.Secret)
	case "delete":
		return reply{redirect: w.Root}, w.house.DeleteWebhook(r.ctx, r.viewer, w.Console, id)
	case "replay":
		err = w.replaySince(r, f)
	case "save", "enable", "disable":
		err = w.saveHook(r, f, do)
	default:
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown", Detail: fmt.Sprintf("There is no %q here.", do)})
	}
	if f.Wrong = refusedOrChanged(err, webhooks.ErrChanged); f.Wrong != nil && f.Wrong.Kind != fault.NotFound {
		return w.hookWith(r, id, w.refusedHook(r, f), "")
	}
	return back, err
}

// refusedHook is what the form shows again: what was written where something was, and otherwise what is.
func (w hookPages) refusedHook(r *request, f hookForm) *hookForm {
	if f.Written["url"] == "" {
		if e, _, _, err := w.house.Webhook(r.ctx, r.viewer, w.Console, r.param("id"), "", paging.Request{Limit: 1}); err == nil {
			f.Types, f.Written["url"], f.Written["description"] = e.Types, e.URL, e.Description
		}
	}
	return &f
}

// saveHook writes what was written, or enables or disables what is there.
func (w hookPages) saveHook(r *request, f hookForm, do string) error {
	version, err := strconv.Atoi(f.Written["version"])
	if err != nil {
		return fault.InvalidInput(fault.Field{Pointer: "/version", Code: "bad-number", Detail: "It is no version."})
	}
	e, _, _, err := w.house.Webhook(r.ctx, r.viewer, w.Console, r.param("id"), "", paging.Request{Limit: 1})
	if err != nil {
		return err
	}
	n, on := f.says(), e.State == webhooks.Enabled
	if do != "save" {
		n, on = webhooks.NewEndpoint{URL: e.URL, Description: e.Description, Types: e.Types}, do == "enable"
	}
	n.Enabled = &on
	return w.house.SaveWebhook(r.ctx, r.viewer, w.Console, r.param("id"), version, n)
}

func (w hookPages) replaySince(r *request, f hookForm) error {
	since, ok := instant(f.Written["since"], zone)
	if !ok {
		return fault.InvalidInput(fault.Field{Pointer: "/since", Code: "bad-time", Detail: "A day and a time."})
	}
	_, err := w.house.ReplayWebhooks(r.ctx, r.viewer, w.Console, r.param("id"), webhooks.ReplayMany{Since: since, Delivered: f.Written["delivered"] == "1"})
	return err
}

// sentPage is one delivery with its attempts. Event is what is sent, laid out for people.
type sentPage struct {
	hookPlace
	Sent  *webhooks.Sent
	Event string
	Wrong *fault.Fault
}

func (w hookPages) hookDelivery(r *request) (reply, error) { return w.hookDeliveryWith(r, nil) }

func (w hookPages) hookDeliveryWith(r *request, wrong *fault.Fault) (reply, error) {
	sent, err := w.house.WebhookDelivery(r.ctx, r.viewer, w.Console, r.param("id"), r.param("delivery"))
	if err != nil {
		return reply{}, err
	}
	var event bytes.Buffer
	if err := json.Indent(&event, []byte(sent.Body), "", "  "); err != nil {
		return reply{}, err
	}
	return reply{page: "hook_delivery", title: "hooks.delivery", data: sentPage{w.hookPlace, &sent, event.String(), wrong}, status: refusedAs(wrong)}, nil
}

func (w hookPages) replayHook(r *request) (reply, error) {
	err := w.house.ReplayWebhook(r.ctx, r.viewer, w.Console, r.param("id"), r.param("delivery"))
	if f := refusal(err); f != nil && f.Kind != fault.NotFound {
		return w.hookDeliveryWith(r, f)
	}
	return reply{redirect: w.Root + "/" + url.PathEscape(r.param("id")) + "/deliveries/" + url.PathEscape(r.param("delivery"))}, err
}
