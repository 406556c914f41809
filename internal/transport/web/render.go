package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"text/template/parse"
	"time"

	"cursus/internal/kernel/money"
)

// page is one template laid into the layout.
type page struct{ template *template.Template }

func readPages(files fs.FS) (map[string]*page, error) {
	names, err := fs.Glob(files, "html/*.html")
	if err != nil {
		return nil, err
	}
	layout, err := template.New("layout.html").ParseFS(files, "html/layout.html", "html/parts.html")
	if err != nil {
		return nil, err
	}
	found := map[string]*page{}
	for _, name := range names {
		short := strings.TrimSuffix(strings.TrimPrefix(name, "html/"), ".html")
		if short == "layout" || short == "parts" {
			continue
		}
		t, err := template.New(path.Base(name)).ParseFS(files, name)
		if err == nil {
			err = lay(t, layout, "layout.html", map[string]bool{})
		}
		if err != nil {
			return nil, err
		}
		found[short] = &page{t}
	}
	return found, nil
}

// lay gives a page the templates that are reached from one of the layout, as far as it has none of that name itself. A page has its own copies, since
// html/template writes into them what each place has to be escaped for; of all parts of all pages they would fill a hundred megabytes, which every
// collection of garbage looks through.
func lay(page, layout *template.Template, name string, laid map[string]bool) error {
	if laid[name] {
		return nil
	}
	laid[name] = true
	t := page.Lookup(name)
	if t == nil {
		shared := layout.Lookup(name)
		if shared == nil {
			return fmt.Errorf("%s uses %s, which there is not", page.Name(), name)
		}
		var err error
		if t, err = page.AddParseTree(name, shared.Tree.Copy()); err != nil {
			return err
		}
	}
	for _, used := range uses(t.Tree.Root, nil) {
		if err := lay(page, layout, used, laid); err != nil {
			return err
		}
	}
	return nil
}

// uses adds the names of the templates that stand in a part of one.
func uses(node parse.Node, names []string) []string {
	branch := func(b parse.BranchNode) []string {
		if names = uses(b.List, names); b.ElseList != nil {
			names = uses(b.ElseList, names)
		}
		return names
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, one := range n.Nodes {
			names = uses(one, names)
		}
	case *parse.TemplateNode:
		names = append(names, n.Name)
	case *parse.IfNode:
		return branch(n.BranchNode)
	case *parse.RangeNode:
		return branch(n.BranchNode)
	case *parse.WithNode:
		return branch(n.BranchNode)
	}
	return names
}

// View is what a template sees: the request, the words and the data of its page.
type View struct {
	Lang, Path, Title, RequestID string
	Viewer                       Viewer
	Demo                         bool
	Data                         any
	web                          *Web
	token                        string
	called                       Called
}

// T is a text in the language of the page.
func (v View) T(key string, args ...any) (string, error) {
	return v.web.words.text(v.Lang, key, args...)
}

// TOr is a text, or the other words where the catalogue has none: codes of rooms that are newer than the pages.
func (v View) TOr(key, otherwise string) string {
	if t, err := v.T(key); err == nil {
		return t
	}
	return otherwise
}

// Has says whether the catalogue has a text.
func (v View) Has(key string) bool { return v.web.words.has(v.Lang, key) }

// In is a text of the house in the language of the page.
func (v View) In(t Text) string { return t.In(v.Lang) }

// Date, Share, Count, Money and Grade print values for people.
func (v View) Date(t time.Time) (string, error) { return v.web.words.date(v.Lang, t) }

// Machine prints a time for programs.
func (v View) Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Share prints tenths of a per cent.
func (v View) Share(tenths *int64) string { return share(v.Lang, tenths) }

// Count prints a number of people.
func (v View) Count(n int64) string { return count(v.Lang, n) }

// Money prints an amount, nil as a dash.
func (v View) Money(a any) (string, error) {
	switch a := a.(type) {
	case money.Amount:
		return amount(v.Lang, a), nil
	case *money.Amount:
		if a == nil {
			return "–", nil
		}
		return amount(v.Lang, *a), nil
	}
	return "", fmt.Errorf("%T is no money", a)
}

// Grade prints millionths as per cents.
func (v View) Grade(ppm int) string { return grade(v.Lang, ppm) }

// Static is the address of a static file; it changes with its content.
func (v View) Static(name string) (string, error) {
	a, ok := v.web.static[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return "/static/" + name + "?v=" + a.tag, nil
}

// Form is the hidden field that every form carries.
func (v View) Form() template.HTML {
	return template.HTML(`<input type="hidden" name="form" value="` + template.HTMLEscapeString(v.token) + `">`) //nolint:gosec // escaped
}

// Key is a fresh idempotency key: a form sent twice has one effect.
func (v View) Key() string { return random() }

// Pair gives a part of a page its value together with the view, because a template takes one argument.
func (v View) Pair(value any) map[string]any { return map[string]any{"View": v, "Value": value} }

// Languages are those that the page can be read in.
func (v View) Languages() []string { return languages }

// InLanguage is this page in another language.
func (v View) InLanguage(lang string) string {
	u, err := url.Parse(v.Path)
	if err != nil {
		return "/?lang=" + lang
	}
	q := u.Query()
	q.Set("lang", lang)
	u.RawQuery = q.Encode()
	return u.RequestURI()
}

// At says whether the page stands below a path, for the menu.
func (v View) At(prefix string) bool {
	path, _, _ := strings.Cut(v.Path, "?")
	if prefix == "/" {
		return path == "/" || strings.HasPrefix(path, "/courses/") || strings.HasPrefix(path, "/sessions/")
	}
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// render makes the HTML of a reply. A template that fails gives an error and no half page.
func (w *Web) render(r *request, out reply) ([]byte, error) {
	p, ok := w.pages[out.page]
	if !ok {
		return nil, fmt.Errorf("there is no page %q", out.page)
	}
	v := View{
		Lang: r.lang, Path: r.path, RequestID: r.id, Viewer: r.viewer, Demo: w.demo, Data: out.data, Title: out.title,
		web: w, token: w.formToken(r.nonce, r.secret),
	}
	if v.Has(out.title) {
		var err error
		if v.Title, err = v.T(out.title); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := p.template.ExecuteTemplate(&b, "layout.html", v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
