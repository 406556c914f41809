package app_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
)

// desk is an officer at the console without a screen: she opens pages, fills in the forms that stand on them and presses their buttons. A
// field, an option or a button that the page does not have fails, so that nothing is sent that she could not have sent by hand.
type desk struct {
	t    testing.TB
	w    *world
	http *http.Client
	page *html.Node
	at   string
	want int // status of the next answer; 0: that of a page
}

// newDesk signs an officer in by the link that she is mailed.
func (w *world) newDesk(t testing.TB, mails, email string) *desk {
	t.Helper()
	return w.newDeskOf(t, mails, email, "admin")
}

// newDeskOf signs somebody with a role in.
func (w *world) newDeskOf(t testing.TB, mails, email, role string) *desk {
	t.Helper()
	p := w.person(email, "Staff Member")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.GrantRoleTx(ctx, tx, p.ID, role) })
	return w.signedIn(t, mails, email)
}

// signedIn signs in whoever has an address, by the link that is sent to it.
func (w *world) signedIn(t testing.TB, mails, email string) *desk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, w: w, http: &http.Client{Jar: jar}}
	d.open("/sign-in?lang=en&next=/verify")
	f := d.form("/sign-in")
	f.set("email", email)
	f.press("", "")
	link := w.link(mails, email)
	d.open(strings.TrimPrefix(link, w.cfg.BaseURL))
	d.form(strings.TrimPrefix(link, w.cfg.BaseURL)).press("", "")
	return d
}

func (d *desk) open(path string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, d.w.cfg.BaseURL+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.send(r)
}

// send follows redirects to the page that comes; one that is refused fails with what it says.
func (d *desk) send(r *http.Request) {
	d.t.Helper()
	a, err := d.http.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	raw, err := io.ReadAll(a.Body)
	if err == nil {
		d.page, err = html.Parse(bytes.NewReader(raw))
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.at = a.Request.URL.Path
	want := max(d.want, http.StatusOK)
	if d.want = 0; a.StatusCode != want {
		var said []string
		for _, n := range d.all(func(n *html.Node) bool { return strings.Contains(attr(n, "class"), "notice") || n.Data == "h1" }) {
			said = append(said, words(n))
		}
		d.t.Fatalf("%s %s: %d %s", r.Method, r.URL.Path, a.StatusCode, strings.Join(said, "\n"))
	}
}

func (d *desk) all(is func(*html.Node) bool) (found []*html.Node) { return nodes(d.page, is) }

func nodes(in *html.Node, is func(*html.Node) bool) (found []*html.Node) {
	for n := range in.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// words is the text of a node, blanks as one.
func words(n *html.Node) string {
	var b strings.Builder
	for x := range n.Descendants() {
		if x.Type == html.TextNode {
			b.WriteString(x.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// control is a field of a form as it stands.
type control struct {
	name, kind, value string
	on                bool     // what is not on is not sent
	options           []string // of a select
	most              int      // characters
	fixed             bool     // hidden: nobody fills it in
}

// filled is a form that is being filled in.
type filled struct {
	d         *desk
	action    string
	multipart bool
	controls  []*control
	buttons   []url.Values
	file      string      // that was chosen; empty: none
	files     [][2]string // others, with their names
}

// form finds the form of the page that is posted to a path, with the controls elsewhere that belong to it.
func (d *desk) form(action string) *filled {
	d.t.Helper()
	return d.formWith(action, "")
}

// formWith is form where several are posted to the same path: the one that has a field of an id.
func (d *desk) formWith(action, field string) *filled {
	d.t.Helper()
	forms := d.all(func(n *html.Node) bool {
		return n.Data == "form" && attr(n, "method") == "post" && attr(n, "action") == action &&
			(field == "" || len(nodes(n, func(x *html.Node) bool { return attr(x, "id") == field })) > 0)
	})
	if len(forms) != 1 {
		d.t.Fatalf("%d forms at %s are posted to %s", len(forms), d.at, action)
	}
	form := forms[0]
	f := &filled{d: d, action: action, multipart: attr(form, "enctype") == "multipart/form-data"}
	for _, n := range d.all(func(n *html.Node) bool {
		return slices.Contains([]string{"input", "select", "textarea", "button"}, n.Data)
	}) {
		owner := n.Parent
		for owner != nil && owner != form {
			owner = owner.Parent
		}
		if id := attr(n, "form"); id != "" && id != attr(form, "id") || id == "" && owner != form {
			continue
		}
		f.add(n)
	}
	return f
}

func (f *filled) add(n *html.Node) {
	c := &control{name: attr(n, "name"), kind: attr(n, "type"), value: attr(n, "value"), on: true}
	c.most, _ = strconv.Atoi(attr(n, "maxlength"))
	c.fixed = c.kind == "hidden"
	switch {
	case n.Data == "button":
		f.buttons = append(f.buttons, url.Values{c.name: {c.value}})
		return
	case c.name == "", c.kind == "file":
		return
	case c.kind == "checkbox", c.kind == "radio":
		if c.on = has(n, "checked"); c.value == "" {
			c.value = "on"
		}
	case n.Data == "textarea":
		c.value = strings.TrimPrefix(text(n), "\n")
	case n.Data == "select":
		c.kind, c.value = "select", ""
		for i, o := range nodes(n, func(n *html.Node) bool { return n.Data == "option" }) {
			value := attr(o, "value")
			if !has(o, "value") {
				value = words(o)
			}
			c.options = append(c.options, value)
			if i == 0 || has(o, "selected") {
				c.value = value
			}
		}
	}
	f.controls = append(f.controls, c)
}

func text(n *html.Node) (s string) {
	for x := range n.Descendants() {
		if x.Type == html.TextNode {
			s += x.Data
		}
	}
	return s
}

// set fills the only field of a name.
func (f *filled) set(name, value string) { f.d.t.Helper(); f.nth(name, -1, value) }

// nth fills the field of a name that stands at a place among those of the same name.
func (f *filled) nth(name string, at int, value string) {
	f.d.t.Helper()
	var found []*control
	for _, c := range f.controls {
		if c.name == name && !c.fixed {
			found = append(found, c)
		}
	}
	if at < 0 && len(found) != 1 || at >= len(found) {
		f.d.t.Fatalf("the form %s has %d fields %s, not the one at %d", f.action, len(found), name, at)
	}
	c := found[max(at, 0)]
	switch {
	case c.kind == "select" && !slices.Contains(c.options, value):
		f.d.t.Fatalf("%s of %s offers %q, not %q", name, f.action, c.options, value)
	case c.kind == "checkbox", c.kind == "radio":
		f.d.t.Fatalf("%s of %s is ticked, not written", name, f.action)
	case c.most > 0 && utf8.RuneCountInString(value) > c.most:
		f.d.t.Fatalf("%s of %s has room for %d characters, not for %q", name, f.action, c.most, value)
	}
	c.value = value
}

// tick ticks the boxes of a name that have one of these values, and takes the tick from its others; radio buttons alike.
func (f *filled) tick(name string, values ...string) {
	f.d.t.Helper()
	ticked := 0
	for _, c := range f.controls {
		if c.name == name && (c.kind == "checkbox" || c.kind == "radio") {
			if c.on = slices.Contains(values, c.value); c.on {
				ticked++
			}
		}
	}
	if ticked != len(values) {
		f.d.t.Fatalf("%d of %q can be ticked at %s of %s", ticked, values, name, f.action)
	}
}

// press sends the form by one of its buttons.
func (f *filled) press(name, value string) {
	f.d.t.Helper()
	if !slices.ContainsFunc(f.buttons, func(b url.Values) bool { return b.Has(name) && b.Get(name) == value }) {
		f.d.t.Fatalf("the form %s has the buttons %v, not %s=%s", f.action, f.buttons, name, value)
	}
	sent := url.Values{}
	for _, c := range f.controls {
		if c.on {
			sent.Add(c.name, strings.ReplaceAll(c.value, "\n", "\r\n"))
		}
	}
	if name != "" {
		sent.Add(name, value)
	}
	body, kind := io.Reader(strings.NewReader(sent.Encode())), "application/x-www-form-urlencoded"
	if f.multipart {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for k, all := range sent {
			for _, v := range all {
				if err := m.WriteField(k, v); err != nil {
					f.d.t.Fatal(err)
				}
			}
		}
		if f.file != "" {
			f.files = append(f.files, [2]string{"chosen.csv", f.file})
		}
		for _, file := range f.files {
			part, err := m.CreateFormFile("file", file[0])
			if err == nil {
				_, err = part.Write([]byte(file[1]))
			}
			if err != nil {
				f.d.t.Fatal(err)
			}
		}
		if err := m.Close(); err != nil {
			f.d.t.Fatal(err)
		}
		body, kind = &b, m.FormDataContentType()
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, f.d.w.cfg.BaseURL+f.action, body)
	if err != nil {
		f.d.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Origin", f.d.w.cfg.BaseURL)
	f.d.send(r)
}
