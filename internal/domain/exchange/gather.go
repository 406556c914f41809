package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// ExportTx gathers a collection: its courses, their sessions, the programs all of whose courses are of the collection with their
// editions, and the offers on these, beside the formulas and the charter of the house. left names the programs that reach into
// another collection and are therefore not in it.
func ExportTx(ctx context.Context, tx *postgres.Tx, collection string) (d Document, left []string, err error) {
	c, err := headTx(ctx, tx, collection)
	if err != nil {
		return d, nil, err
	}
	return exportTx(ctx, tx, c, nil)
}

func headTx(ctx context.Context, tx *postgres.Tx, key string) (Collection, error) {
	w, err := catalog.CollectionTx(ctx, tx, key)
	if err != nil {
		return Collection{}, err
	}
	out := Collection{Key: w.Key, State: w.State, Title: w.Title, Summary: w.Summary}
	if w.State == catalog.Published {
		out.State = ""
	}
	if !w.Visible || w.Version == w.PublishedVersion {
		return out, nil
	}
	public, err := catalog.PublicCollectionTx(ctx, tx, key)
	out.Title, out.Summary, out.Draft = public.Title, public.Summary, Words{w.Title, w.Summary}
	return out, err
}

// exportTx is ExportTx of a collection that need not be there. also names courses that are gathered too where they are in none.
func exportTx(ctx context.Context, tx *postgres.Tx, c Collection, also map[string]bool) (d Document, left []string, err error) {
	d = Document{Format: Format, Collection: c}
	g := gatherer{ctx: ctx, tx: tx, d: &d, also: also, courses: map[string]bool{}, sessions: map[string]string{}, editions: map[string]string{}}
	for _, step := range []func() error{g.charter, g.formulas, g.readCourses, g.readSessions, g.readPrograms, g.offers} {
		if err := step(); err != nil {
			return d, nil, err
		}
	}
	return d.tidied(), g.left, nil
}

type gatherer struct {
	ctx      context.Context //nolint:containedctx // it lives for one export
	tx       *postgres.Tx
	d        *Document
	also     map[string]bool
	courses  map[string]bool
	sessions map[string]string // key by id
	editions map[string]string // key by id
	left     []string
}

func (g *gatherer) charter() error {
	c, err := catalog.CharterTx(g.ctx, g.tx, 0)
	if err != nil && !errors.Is(err, catalog.ErrNoCharter) {
		return err
	}
	g.d.Charter = Charter{c.Note, c.Rules}
	return nil
}

func (g *gatherer) formulas() error {
	all, err := offers.FormulasTx(g.ctx, g.tx)
	for _, f := range all {
		g.d.Formulas = append(g.d.Formulas, Formula{f.Key, f.Title, f.Pitch, f.Call, f.Entitlements, f.Qualifying, f.Position, f.Archived})
	}
	return err
}

// readCourses writes, of each course, what the public sees and, where it is something else, the working copy.
func (g *gatherer) readCourses() error {
	for p := (page.Request{Limit: page.MaxLimit}); ; {
		some, next, err := catalog.CourseListTx(g.ctx, g.tx, catalog.Filter{All: true}, p)
		if err != nil {
			return err
		}
		for _, c := range some {
			w, err := catalog.DraftTx(g.ctx, g.tx, c.ID)
			if err != nil {
				return err
			}
			copies, err := g.copies(w)
			if err != nil {
				return err
			}
			first, last := copies[0].Collection, copies[len(copies)-1].Collection
			if first == g.d.Collection.Key || last == g.d.Collection.Key || first == "" && last == "" && g.also[c.Key] {
				g.d.Courses = append(g.d.Courses, copies...)
				g.courses[c.Key] = true
			}
		}
		if p.After = next; next == "" {
			break
		}
	}
	slices.SortStableFunc(g.d.Courses, func(a, b Course) int { return strings.Compare(a.Key, b.Key) })
	return nil
}

func (g *gatherer) copies(w catalog.Working) (out []Course, err error) {
	if w.Visible {
		public, err := catalog.PublishedTx(g.ctx, g.tx, w.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, Course{Key: w.Key, State: catalog.Published, Unchecked: w.CharterVersion == 0 && plain(public), Draft: public})
	}
	if w.State != catalog.Published {
		out = append(out, Course{Key: w.Key, State: w.State, Draft: w.Document})
	}
	return out, nil
}

// plain says whether a document says no more than what the catalogue lists.
func plain(d catalog.Draft) bool {
	return same(d, catalog.Draft{
		Collection: d.Collection, Position: d.Position, Title: d.Title, Summary: d.Summary, Level: d.Level, WorkloadHours: d.WorkloadHours,
	})
}

func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func (g *gatherer) readSessions() error {
	all, err := catalog.SessionsTx(g.ctx, g.tx)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b catalog.Session) int { return strings.Compare(a.Key, b.Key) })
	for _, s := range all {
		if !g.courses[s.CourseKey] {
			continue
		}
		one, err := sessionOf(g.ctx, g.tx, s)
		if err != nil {
			return err
		}
		if s.Public() { // nothing is sold on it otherwise
			g.sessions[s.ID] = s.Key
		}
		g.d.Sessions = append(g.d.Sessions, one)
	}
	return nil
}

func sessionOf(ctx context.Context, tx *postgres.Tx, s catalog.Session) (Session, error) {
	out := Session{
		Key: s.Key, Course: s.CourseKey, State: s.Publication, Number: s.Number, Title: s.Title(), Kind: s.Kind, Platform: s.Platform, PlatformKey: s.PlatformKey,
		CourseURL: s.CourseURL, Audience: s.Audience, Language: s.Language, ThresholdPPM: s.ThresholdPPM, StartsAt: clone(s.StartsAt), EndsAt: clone(s.EndsAt),
		EnrolFrom: clone(s.EnrolFrom), EnrolUntil: clone(s.EnrolUntil), Closed: s.Closed, Capacity: s.Capacity, MinDays: s.MinDays, ProductionPPM: s.ProductionPPM,
	}
	for _, a := range s.Policy {
		out.Policy = append(out.Policy, Assignment(a))
	}
	exercises, err := catalog.ExercisesTx(ctx, tx, s.ID)
	if err != nil {
		return out, err
	}
	for _, e := range exercises {
		out.Exercises = append(out.Exercises, Exercise{e.Label, e.Week, e.Scored, e.Activity, e.WeightPPM})
	}
	days, err := workshops.DaysTx(ctx, tx, s.ID)
	slices.SortStableFunc(days, func(a, b workshops.Day) int {
		if c := a.StartsAt.Compare(b.StartsAt); c != 0 {
			return c
		}
		return strings.Compare(a.Place, b.Place)
	})
	for _, d := range days {
		if d.State != workshops.Canceled {
			out.Days = append(out.Days, dayOf(d))
		}
	}
	return out, err
}

func dayOf(d workshops.Day) Day {
	return Day{d.Title(), d.Place, d.Zone, d.StartsAt.UTC(), d.EndsAt.UTC(), d.Capacity, d.Currency, d.CostMinor, d.PerHeadMinor}
}

func clone(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	c := t.UTC()
	return &c
}

func (g *gatherer) readPrograms() error {
	all, err := programs.ProgramsTx(g.ctx, g.tx)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b programs.Program) int { return strings.Compare(a.Key, b.Key) })
	for _, p := range all {
		items, err := programOf(g.ctx, g.tx, p)
		if err != nil {
			return err
		}
		switch inside, outside := g.reach(items); {
		case inside && outside:
			g.left = append(g.left, p.Key)
			continue
		case outside || !inside:
			continue
		}
		g.d.Programs = append(g.d.Programs, items...)
		if err := g.readEditions(p); err != nil {
			return err
		}
	}
	return nil
}

// reach says whether the copies of a program name courses of the collection, and whether they name others.
func (g *gatherer) reach(items []Program) (inside, outside bool) {
	see := func(key string) {
		inside, outside = inside || g.courses[key], outside || !g.courses[key]
	}
	for _, p := range items {
		for _, c := range p.Courses() {
			see(c.Key)
			for _, e := range c.Equivalents {
				see(e.Key)
			}
		}
	}
	return inside, outside
}

func programOf(ctx context.Context, tx *postgres.Tx, p programs.Program) (out []Program, err error) {
	versions, err := programs.VersionsTx(ctx, tx, p.ID)
	if err != nil {
		return nil, err
	}
	slices.Reverse(versions)
	for _, v := range versions {
		out = append(out, Program{p.Key, v.Number, catalog.Published, v.Content.Tidy()})
	}
	if p.State != catalog.Published {
		out = append(out, Program{p.Key, 0, p.State, p.Draft.Tidy()})
	}
	return out, nil
}

func (g *gatherer) readEditions(p programs.Program) error {
	all, err := programs.EditionsTx(g.ctx, g.tx, p.Key)
	slices.SortFunc(all, func(a, b programs.Edition) int { return strings.Compare(a.Key, b.Key) })
	for _, e := range all {
		if e.State == catalog.Published {
			g.editions[e.ID] = e.Key
		}
		g.d.Editions = append(g.d.Editions, editionOf(e))
	}
	return err
}

func editionOf(e programs.Edition) Edition {
	out := Edition{
		Key: e.Key, Program: e.ProgramKey, Version: e.Version, State: e.State, Title: e.Title, Lang: e.Lang, Partner: e.Partner, Capacity: e.Capacity,
		StartsAt: clone(e.StartsAt), EndsAt: clone(e.EndsAt), EnrolFrom: clone(e.EnrolFrom), EnrolUntil: clone(e.EnrolUntil), Sessions: []EditionSession{},
	}
	for _, s := range e.Sessions {
		out.Sessions = append(out.Sessions, EditionSession{s.SessionKey, s.Opening, clone(s.OpensAt)})
	}
	return out
}

func (g *gatherer) offers() error {
	audiences := map[string]bool{}
	all, err := everyOffer(g.ctx, g.tx)
	if err != nil {
		return err
	}
	prices, err := pricesOf(g.ctx, g.tx, all)
	if err != nil {
		return err
	}
	for _, o := range all {
		if g.sessions[o.SessionID] != "" || g.editions[o.EditionID] != "" {
			x := offerOf(o)
			audiences[o.Audience] = true
			for _, p := range prices[o.ID] {
				x.Prices = append(x.Prices, priceOf(p))
				audiences[p.Audience] = true
			}
			sortPrices(x.Prices)
			g.d.Offers = append(g.d.Offers, x)
		}
	}
	slices.SortFunc(g.d.Offers, func(a, b Offer) int { return strings.Compare(a.name(), b.name()) })
	of, err := identity.OrganisationsTx(g.ctx, g.tx)
	for _, o := range of {
		if audiences[o.Key] {
			g.d.Organisations = append(g.d.Organisations, Organisation{o.Key, o.Name})
		}
	}
	slices.SortFunc(g.d.Organisations, func(a, b Organisation) int { return strings.Compare(a.Key, b.Key) })
	return err
}

// everyOffer lists the offers that are published.
func everyOffer(ctx context.Context, tx *postgres.Tx) (out []offers.Offer, err error) {
	for p := (page.Request{Limit: page.MaxLimit}); ; {
		some, next, err := offers.ListTx(ctx, tx, offers.Filter{}, p)
		if err != nil {
			return nil, err
		}
		for _, o := range some {
			if o.Publication == catalog.Published { // what is being prepared is nobody's yet
				out = append(out, o)
			}
		}
		if p.After = next; next == "" {
			return out, nil
		}
	}
}

func offerOf(o offers.Offer) Offer {
	out := Offer{o.SessionKey, o.EditionKey, o.Formula, o.Price.Minor, o.Price.Currency, o.Audience, clone(o.ValidFrom), clone(o.ValidUntil), o.Quota, o.Call, o.Withdrawal, nil}
	if out.Withdrawal == "consumer" {
		out.Withdrawal = ""
	}
	return out
}

// pricesOf lists the further prices of offers that were not archived, by offer.
func pricesOf(ctx context.Context, tx *postgres.Tx, all []offers.Offer) (map[string][]offers.Price, error) {
	ids := make([]string, len(all))
	for i, o := range all {
		ids[i] = o.ID
	}
	rows, err := offers.PricesTx(ctx, tx, ids...)
	out := map[string][]offers.Price{}
	for _, p := range rows {
		if !p.Archived {
			out[p.OfferID] = append(out[p.OfferID], p)
		}
	}
	return out, err
}

func priceOf(p offers.Price) Price {
	return Price{p.Label, p.Price.Minor, p.Price.Currency, clone(p.ValidFrom), clone(p.ValidUntil), p.Audience, p.EarlyUntil}
}
