package exchange

import (
	"context"
	"errors"
	"fmt"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// What became, or would become, of a thing of the file.
const (
	IsNew     = "new"
	Changed   = "changed"
	Unchanged = "unchanged"
)

// Change is one thing of the file that is new or was changed.
type Change struct {
	Kind   string `json:"kind"`
	Key    string `json:"key"`
	Change string `json:"change"`
}

// Count says how many things of a kind the file has that are new, changed and unchanged, and how many the house has beside them:
// these stay as they are.
type Count struct {
	Kind      string `json:"kind"`
	New       int    `json:"new"`
	Changed   int    `json:"changed"`
	Unchanged int    `json:"unchanged"`
	Kept      int    `json:"kept"`
}

// Result is what an import did, or would do. Changes lists the first thousand.
type Result struct {
	Collection string   `json:"collection"`
	DryRun     bool     `json:"dry_run"`
	Same       bool     `json:"same"` // nothing is new or changed
	Counts     []Count  `json:"counts"`
	Changes    []Change `json:"changes"`
}

const maxChanges = 1000

// Import reads a file and brings it in, in one transaction: all of it, or nothing. A dry run does the same work and takes it back, so
// that it refuses what an import refuses. Errors: ErrRefused with every place and rule, ErrTooLarge.
func Import(ctx context.Context, db *postgres.DB, raw []byte, dryRun bool) (out Result, err error) {
	file, err := Read(raw)
	if err != nil {
		return out, err
	}
	err = db.InTx(ctx, "import a catalogue", func(ctx context.Context, tx *postgres.Tx) error {
		if out, err = ImportTx(ctx, tx, file); err == nil && dryRun {
			err = errRehearsed
		}
		return err
	})
	if errors.Is(err, errRehearsed) {
		out.DryRun, err = true, nil
	}
	return out, err
}

// errRehearsed takes a dry run back.
var errRehearsed = fault.New(fault.Internal, "rehearsed", "This was a dry run.")

// ImportTx brings a file in. What the file does not name stays; what is published stays published, and changes of it become new
// versions; an edition that was published, a version of a program and an offer that was sold never change.
func ImportTx(ctx context.Context, tx *postgres.Tx, file File) (Result, error) {
	a := &applier{ctx: ctx, tx: tx, file: file, d: file.document, counts: map[string]*Count{}, made: map[string]bool{}}
	if _, err := tx.Exec(ctx, q.Q("OneImport")); err != nil {
		return Result{}, err
	}
	named := map[string]bool{}
	for _, c := range a.d.Courses {
		named[c.Key] = true
	}
	var err error
	if a.house, _, err = exportTx(ctx, tx, Collection{Key: a.d.Collection.Key}, named); err != nil {
		return Result{}, err
	}
	if a.check(); len(a.wrong.all) > 0 {
		return Result{}, a.wrong.fault()
	}
	for _, step := range []func(){
		a.charter, a.collection, a.organisations, a.formulas, a.courses, a.sessions, a.programs, a.editions, a.offers, a.archive,
	} {
		if step(); a.failed != nil {
			return Result{}, a.failed
		}
	}
	return a.result(), a.wrong.fault()
}

type applier struct {
	ctx    context.Context //nolint:containedctx // it lives for one import
	tx     *postgres.Tx
	file   File
	d      Document // of the file
	house  Document // before
	wrong  problems
	failed error // of ours, not of the file
	counts map[string]*Count
	kinds  []string
	list   []Change
	made   map[string]bool // courses of this import
	public []func()        // what the public sees is judged when all is there: a file names its things in any order
	first  []func()        // what is archived is archived at the end, programs before the courses that they name
	last   []func()
}

// refuse notes a rule that the file breaks.
func (a *applier) refuse(path, rule, detail string) {
	a.wrong.add(path, a.file.where(path), rule, detail)
}

// try does one thing through the doors of the rooms. What they refuse is noted with the place in the file, and taken back alone, so
// that the next thing is looked at too.
func (a *applier) try(path string, do func() error) bool {
	if a.failed != nil {
		return false
	}
	if _, a.failed = a.tx.Exec(a.ctx, q.Q("Begin")); a.failed != nil {
		return false
	}
	err := do()
	if err == nil {
		_, a.failed = a.tx.Exec(a.ctx, q.Q("End"))
		return a.failed == nil
	}
	refused := postgres.AsFault(a.ctx, err)
	f := fault.From(refused)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		a.failed = err
		return false
	}
	if _, a.failed = a.tx.Exec(a.ctx, q.Q("Undo")); a.failed == nil {
		_, a.failed = a.tx.Exec(a.ctx, q.Q("End"))
	}
	if a.failed != nil {
		return false
	}
	if len(f.Fields) == 0 {
		a.refuse(path, f.Code, f.Detail)
	}
	for _, field := range f.Fields {
		a.refuse(path+field.Pointer, field.Code, field.Detail)
	}
	return false
}

// note counts a thing and says whether there is something to do.
func (a *applier) note(kind, key, change string) bool {
	c := a.counts[kind]
	if c == nil {
		c = &Count{Kind: kind}
		a.counts[kind], a.kinds = c, append(a.kinds, kind)
	}
	switch change {
	case IsNew:
		c.New++
	case Changed:
		c.Changed++
	default:
		c.Unchanged++
		return false
	}
	if len(a.list) < maxChanges {
		a.list = append(a.list, Change{kind, key, change})
	}
	return true
}

// kept counts what the house has of a kind beside the file.
func (a *applier) kept(kind string, n int) {
	if c := a.counts[kind]; c != nil {
		c.Kept = n
	} else if n > 0 {
		a.counts[kind], a.kinds = &Count{Kind: kind, Kept: n}, append(a.kinds, kind)
	}
}

func (a *applier) result() Result {
	out := Result{Collection: a.d.Collection.Key, Counts: []Count{}, Changes: notNil(a.list), Same: len(a.list) == 0}
	for _, kind := range a.kinds {
		out.Counts = append(out.Counts, *a.counts[kind])
	}
	return out
}

// byName finds the things of a list.
func byName[T any](all []T, name func(T) string) map[string]T {
	out := map[string]T{}
	for _, x := range all {
		out[name(x)] = x
	}
	return out
}

// each compares every thing of the file with the house's and lets put do what is new or changed.
func each[T any](a *applier, kind, path string, file, house []T, name func(T) string, put func(path string, x T, old *T)) {
	there := byName(house, name)
	met := 0
	for i, x := range file {
		old, known := there[name(x)]
		change := IsNew
		if known {
			met++
			if change = Changed; same(x, old) {
				change = Unchanged
			}
		}
		if !a.note(kind, name(x), change) {
			continue
		}
		if known {
			put(fmt.Sprintf("%s/%d", path, i), x, &old)
		} else {
			put(fmt.Sprintf("%s/%d", path, i), x, nil)
		}
	}
	a.kept(kind, len(house)-met)
}

// charter writes the rules as the next version where they are others than those in force. A file without rules says nothing of them.
func (a *applier) charter() {
	if len(a.d.Charter.Rules) == 0 {
		return
	}
	each(a, "charter", "/charter", []Charter{a.d.Charter}, []Charter{a.house.Charter}, func(Charter) string { return "rules" }, func(_ string, c Charter, _ *Charter) {
		a.try("/charter", func() error {
			_, err := catalog.PutCharterTx(a.ctx, a.tx, c.Rules, c.Note, 0)
			return err
		})
	})
}

func (a *applier) collection() {
	house := []Collection{}
	switch c, err := headTx(a.ctx, a.tx, a.d.Collection.Key); {
	case err == nil:
		house = append(house, c)
	case !errors.Is(err, catalog.ErrNoCollection):
		a.failed = err
		return
	}
	each(a, "collection", "", []Collection{a.d.Collection}, house, func(c Collection) string { return c.Key }, func(_ string, c Collection, _ *Collection) {
		a.try("/collection", func() error { return a.writeCollection(c) })
	})
}

// writeCollection shows the public what it is to see and leaves the working copy where the file has it.
func (a *applier) writeCollection(c Collection) error {
	words := func(w Words) catalog.Collection {
		return catalog.Collection{Key: c.Key, Title: w.Title, Summary: w.Summary}
	}
	shown := Words{c.Title, c.Summary}
	if c.State == "" || c.State == catalog.Published || c.Draft != (Words{}) {
		if err := catalog.PutCollectionTx(a.ctx, a.tx, words(shown)); err != nil || c.Draft == (Words{}) {
			return err
		}
		shown = c.Draft
	}
	w, err := catalog.CollectionTx(a.ctx, a.tx, c.Key)
	switch {
	case err != nil && !errors.Is(err, catalog.ErrNoCollection):
		return err
	case w.Visible && c.State == catalog.Archived:
		a.refuse("/collection/state", staysPublished, "The collection is published, and a file takes nothing from the public. Archive it in the console.")
		return nil
	case w.State == catalog.Archived:
		if err := a.moveCollection(c.Key, catalog.Drafted); err != nil {
			return err
		}
	}
	if _, err := catalog.SaveCollectionTx(a.ctx, a.tx, words(shown), catalog.AnyVersion); err != nil {
		return err
	}
	return a.moveCollection(c.Key, c.State)
}

func (a *applier) moveCollection(key string, to catalog.Publication) error {
	w, err := catalog.CollectionTx(a.ctx, a.tx, key)
	if err != nil {
		return err
	}
	for _, next := range ways(w.State, to) {
		if _, err := catalog.MoveCollectionTx(a.ctx, a.tx, key, next, "", catalog.AnyVersion); err != nil {
			return err
		}
	}
	return nil
}

// organisations makes those that are missing. One that is there keeps its name: it has members.
func (a *applier) organisations() {
	if len(a.d.Organisations) == 0 {
		return
	}
	all, err := identity.OrganisationsTx(a.ctx, a.tx)
	if err != nil {
		a.failed = err
		return
	}
	known := byName(all, func(o identity.Organisation) string { return o.Key })
	for i, o := range a.d.Organisations {
		if _, there := known[o.Key]; there {
			a.note("organisation", o.Key, Unchanged)
			continue
		}
		a.note("organisation", o.Key, IsNew)
		a.try(fmt.Sprintf("/organisations/%d", i), func() error { return identity.PutOrganisationTx(a.ctx, a.tx, o.Key, o.Name) })
	}
}

func (a *applier) formulas() {
	each(a, "formula", "/formulas", a.d.Formulas, a.house.Formulas, func(f Formula) string { return f.Key }, func(path string, f Formula, old *Formula) {
		put := func(archived bool) func() error {
			return func() error {
				_, err := offers.PutFormulaTx(a.ctx, a.tx, offers.Formula{
					Key: f.Key, Title: f.Title, Pitch: f.Pitch, Call: f.Call, Entitlements: f.Entitlements, Qualifying: f.Qualifying, Position: f.Position, Archived: archived,
				}, 0)
				return err
			}
		}
		late := f.Archived && (old == nil || !old.Archived) // it is archived when its offers were made
		if a.try(path, put(f.Archived && !late)) && late {
			a.last = append(a.last, func() { a.try(path, put(true)) })
		}
	})
}

func (a *applier) archive() {
	for _, some := range [][]func(){a.first, a.public, a.last} {
		for _, do := range some {
			do()
		}
	}
}

// ways is the shortest way from one state of publication to another, without the first.
func ways(from, to catalog.Publication) []catalog.Publication {
	type step struct {
		at  catalog.Publication
		way []catalog.Publication
	}
	seen := map[catalog.Publication]bool{from: true}
	for queue := []step{{at: from}}; len(queue) > 0; queue = queue[1:] {
		if queue[0].at == to {
			return queue[0].way
		}
		for _, next := range catalog.PublicationLife.Moves[queue[0].at] {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, step{next, append(append([]catalog.Publication{}, queue[0].way...), next)})
			}
		}
	}
	return nil
}
