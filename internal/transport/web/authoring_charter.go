package web

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
)

func (w *Web) charter(r *request) (reply, error) {
	all, err := w.house.Charters(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	shown := all[0]
	if n, err := strconv.Atoi(r.query("version")); err == nil {
		for _, c := range all {
			if c.Version == n {
				shown = c
			}
		}
	}
	return reply{page: "authcharter", title: "console.charter", data: struct {
		Shown catalog.Charter
		All   []catalog.Charter
	}{shown, all}}, nil
}

// rulebook is the editor of the charter.
type rulebook struct {
	Version int
	Groups  []fieldset
	Note    string
	Fault   string
	Faults  []fault.Field
	Clashes []clash
	Row     string // that a button made or moved
}

func (b *builder) rules(rules []catalog.Rule) []fieldset {
	g := fieldset{Pointer: "/rules", Legend: b.text("charter.rules"), Hidden: []input{rowCount("/rules", len(rules))}, Buttons: []button{{"add /rules", b.text("charter.rule.add")}}}
	var kinds []option
	for _, c := range catalog.Checkable() {
		kinds = append(kinds, option{c, b.text("charter.check." + c)})
	}
	bound := func(pointer, words string, n *int) input {
		i := b.line(pointer, words, "")
		if n != nil {
			i.Value = strconv.Itoa(*n)
		}
		i.Kind = "number"
		return i
	}
	weights := []option{{catalog.Warn, b.text("charter.warn")}, {catalog.Block, b.text("charter.block")}}
	for i, r := range rules {
		at := fmt.Sprintf("/rules/%d", i)
		x := fieldset{Pointer: at, Legend: b.text("charter.rule", i+1), Row: true, Buttons: b.rowButtons("/rules", i, len(rules))}
		x.Inputs = append([]input{b.line(at+"/key", "author.key", r.Key)}, b.both(at+"/text", "author.words", r.Text, false)...)
		x.Inputs = append(x.Inputs, b.choice(at+"/check", "charter.check", r.Check, kinds...), bound(at+"/least", "charter.least", r.Least), bound(at+"/most", "charter.most", r.Most),
			b.line(at+"/name", "charter.name", r.Name), b.choice(at+"/severity", "charter.severity", r.Severity, weights...), b.choice(at+"/unchecked", "charter.unchecked", r.Unchecked, weights...))
		g.Groups = append(g.Groups, x)
	}
	return []fieldset{g}
}

func (f *form) rules() (rules []catalog.Rule) {
	for i := range f.rows("/rules", mostRows) {
		at := fmt.Sprintf("/rules/%d", i)
		rules = append(rules, catalog.Rule{
			Key: f.text(at + "/key"), Text: f.words(at + "/text"), Check: f.text(at + "/check"), Least: f.maybe(at + "/least"), Most: f.maybe(at + "/most"),
			Name: f.text(at + "/name"), Severity: f.text(at + "/severity"),
			Unchecked: f.text(at + "/unchecked"),
		})
	}
	return catalog.Tidy(rules)
}

func (w *Web) showRules(r *request, x rulebook, rules []catalog.Rule) (reply, error) {
	b := &builder{say: &say{w: w, lang: r.lang}, wrong: told(x.Faults)}
	x.Groups = b.rules(rules)
	focus(x.Groups, x.Row)
	out := reply{page: "authrules", title: "charter.edit", data: x}
	if x.Fault != "" {
		out.status = 422
	}
	if x.Clashes != nil {
		out.status = 409
	}
	return out, b.err
}

func (w *Web) editCharter(r *request) (reply, error) {
	all, err := w.house.Charters(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	return w.showRules(r, rulebook{Version: all[0].Version}, all[0].Rules)
}

func (w *Web) saveCharter(r *request) (reply, error) {
	f := &form{get: r.form}
	rules := f.rules()
	x := rulebook{Version: f.number("version"), Note: f.text("note"), Faults: f.wrong}
	if x.Version < 1 {
		return reply{}, errField
	}
	if do := r.form("do"); do != "save" {
		act, _, at := pressed(do)
		rules = turn(rules, act, at, catalog.Rule{Check: "chapters", Severity: catalog.Warn})
		x.Row = landed(do, func(string) int { return len(rules) })
		return w.showRules(r, x, rules)
	}
	if len(x.Faults) > 0 {
		x.Fault = "invalid-input"
		return w.showRules(r, x, rules)
	}
	err := w.house.SaveCharter(r.ctx, r.viewer, rules, x.Note, x.Version)
	if err == nil {
		return reply{redirect: "/console/charter"}, nil
	}
	if errors.Is(err, catalog.ErrCharterChanged) {
		return w.charterConflict(r, x, rules)
	}
	if refused := fault.From(err); refused.Kind == fault.Invalid {
		x.Fault, x.Faults = refused.Code, refused.Fields
		return w.showRules(r, x, rules)
	}
	return reply{}, err
}

func (w *Web) charterConflict(r *request, x rulebook, mine []catalog.Rule) (reply, error) {
	all, err := w.house.Charters(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	before := all[0]
	for _, c := range all {
		if c.Version == x.Version {
			before = c
		}
	}
	type charter struct {
		Rules []catalog.Rule `json:"rules"`
	}
	b := &builder{say: &say{w: w, lang: r.lang}}
	words := labels(b.rules(all[0].Rules))
	if x.Clashes, err = clashes(charter{before.Rules}, charter{all[0].Rules}, charter{mine}, words); err != nil {
		return reply{}, err
	}
	together, err := brought(charter{before.Rules}, charter{all[0].Rules}, charter{mine})
	if err != nil {
		return reply{}, err
	}
	x.Version = all[0].Version
	if x.Clashes == nil {
		x.Clashes = []clash{}
	}
	return w.showRules(r, x, together.Rules)
}

func (w *Web) consoleCollections(r *request) (reply, error) {
	all, err := w.house.Collections(r.ctx, r.viewer, true)
	return reply{page: "authcollections", title: "console.collections", data: all}, err
}

// shelf is the editor of a collection.
type shelf struct {
	Collection catalog.Collection // what the form holds
	New        bool
	Desk       CollectionDesk
	Next       []catalog.Publication
	Groups     []fieldset
	Note       string // to a move that was refused
	Saved      bool
	Fault      string
	Faults     []fault.Field
	Theirs     *catalog.Collection // what somebody else made of it meanwhile
}

func (w *Web) showCollection(r *request, x shelf) (reply, error) {
	if !x.New {
		desk, err := w.house.CollectionDesk(r.ctx, r.viewer, x.Collection.Key)
		if err != nil {
			return reply{}, err
		}
		x.Desk, x.Next = desk, catalog.PublicationLife.Next(desk.Collection.State)
		if x.Collection.Version == catalog.AnyVersion { // nothing was written
			x.Collection = desk.Collection
		}
		if x.Theirs != nil {
			x.Theirs, x.Collection.Version = &desk.Collection, desk.Collection.Version
		}
	}
	b := &builder{say: &say{w: w, lang: r.lang}, wrong: told(x.Faults)}
	g := fieldset{Pointer: "/collection", Legend: b.text("author.about")}
	if x.New {
		g.Inputs = []input{b.line("/key", "author.key", x.Collection.Key)}
	}
	g.Inputs = append(g.Inputs, b.both("/title", "author.title", x.Collection.Title, false)...)
	g.Inputs = append(g.Inputs, b.both("/summary", "author.summary", x.Collection.Summary, true)...)
	x.Groups = []fieldset{g}
	out := reply{page: "authcollection", title: x.Collection.Key, data: x}
	if x.New {
		out.title = "author.collection.new"
	}
	if x.Fault != "" {
		out.status = 422
	}
	if x.Theirs != nil {
		out.status = 409
	}
	return out, b.err
}

func (w *Web) editCollection(r *request) (reply, error) {
	if r.param("key") == "" {
		return w.showCollection(r, shelf{New: true, Collection: catalog.Collection{Version: catalog.NoVersion}})
	}
	return w.showCollection(r, shelf{Collection: catalog.Collection{Key: r.param("key")}, Saved: r.query("saved") != ""})
}

func (w *Web) saveCollection(r *request) (reply, error) {
	f := &form{get: r.form}
	x := shelf{New: r.param("key") == "new", Collection: catalog.Collection{Key: r.param("key"), Title: f.words("/title"), Summary: f.words("/summary"), Version: f.number("version")}}
	if x.New {
		x.Collection.Key, x.Collection.Version = f.text("/key"), catalog.NoVersion
	} else if x.Collection.Version < 1 {
		return reply{}, errField
	}
	return w.afterCollection(r, x, w.house.SaveCollection(r.ctx, r.viewer, x.Collection, x.Collection.Version))
}

// moveCollection moves what was read; where somebody wrote meanwhile, her words are shown and nothing moves.
func (w *Web) moveCollection(r *request) (reply, error) {
	f := &form{get: r.form}
	x := shelf{Collection: catalog.Collection{Key: r.param("key")}, Note: f.text("note")}
	version, to := f.number("version"), catalog.Publication(r.form("state"))
	if version < 1 || !slices.Contains(catalog.PublicationLife.States(), to) {
		return reply{}, errField
	}
	return w.afterCollection(r, x, w.house.MoveCollection(r.ctx, r.viewer, x.Collection.Key, to, x.Note, version))
}

func (w *Web) afterCollection(r *request, x shelf, err error) (reply, error) {
	if err == nil {
		return reply{redirect: "/console/collections/" + url.PathEscape(x.Collection.Key) + "?saved=1"}, nil
	}
	refused := fault.From(err)
	switch refused.Kind {
	case fault.Precondition:
		x.Theirs = &catalog.Collection{}
	case fault.Invalid, fault.Conflict:
		x.Fault, x.Faults = refused.Code, refused.Fields
	default:
		return reply{}, err
	}
	return w.showCollection(r, x)
}
