package exchange

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

// What never changes, whatever a file says.
var (
	errVersion = fault.New(fault.Conflict, "version-immutable", "This version of the program was published: it never changes. Write the next one.")
	errInForce = fault.New(fault.Conflict, "edition-in-force", "The edition was published: a file does not change it. What may still change is changed in the console.")
	errSold    = fault.New(fault.Conflict, "offer-sold", "The offer was sold: it never changes. Withdraw it in the console and offer another one.")
)

// plan is a program of a file or of the house: its versions in their order, and its working copy.
type plan struct {
	versions []Program
	at       []string
	working  *Program
	where    string
}

func plans(all []Program) (map[string]*plan, []string) {
	out, keys := map[string]*plan{}, []string{}
	for i, p := range all {
		x := out[p.Key]
		if x == nil {
			x = &plan{}
			out[p.Key], keys = x, append(keys, p.Key)
		}
		at := fmt.Sprintf("/programs/%d", i)
		if p.State == catalog.Published {
			x.versions, x.at = append(x.versions, p), append(x.at, at)
		} else {
			x.working, x.where = &all[i], at
		}
	}
	return out, keys
}

func (a *applier) programs() {
	house, known := plans(a.house.Programs)
	file, keys := plans(a.d.Programs)
	met := 0
	for _, key := range keys {
		p, old := file[key], house[key]
		change := Changed
		switch old {
		case nil:
			change, old = IsNew, &plan{}
		default:
			met++
			within := len(p.versions) <= len(old.versions)
			for i := range p.versions {
				within = within && i < len(old.versions) && same(p.versions[i], old.versions[i])
			}
			if within && (p.working == nil || same(p.working, old.working)) {
				change = Unchanged
			}
		}
		if a.note("program", key, change) {
			a.program(key, *p, *old, change == IsNew)
			if n := len(p.versions); n > len(old.versions) {
				a.public = append(a.public, func() { a.try(p.at[n-1], func() error { return programs.ShownTx(a.ctx, a.tx, key) }) })
			}
		}
	}
	a.kept("program", len(known)-met)
}

// program publishes the versions that the house does not have and writes the working copy. One that the file does not name stays.
func (a *applier) program(key string, p, old plan, isNew bool) {
	for i, v := range p.versions {
		if i < len(old.versions) {
			if !same(v, old.versions[i]) {
				a.refuse(p.at[i], errVersion.Code, errVersion.Detail)
			}
			continue
		}
		if !a.try(p.at[i], func() error { return a.writeProgram(key, v.Content, catalog.Published, &isNew) }) {
			return
		}
	}
	published := len(p.versions) > len(old.versions)
	w, where := p.working, p.where
	if w == nil && published && old.working != nil && old.working.State != catalog.Archived {
		w, where = old.working, p.at[len(p.at)-1]
	}
	if w == nil || same(w, old.working) && !published {
		return
	}
	to := w.State
	if to == catalog.Archived {
		if len(old.versions) > 0 && (old.working == nil || old.working.State != catalog.Archived) {
			a.refuse(where+"/state", staysPublished, "The program is published, and a file takes nothing from the public. Archive it in the console.")
			return
		}
		to = catalog.Drafted
		a.first = append(a.first, func() { a.try(where, func() error { return a.moveProgram(key, catalog.Archived) }) })
	}
	a.try(where, func() error { return a.writeProgram(key, w.Content, to, &isNew) })
}

func (a *applier) writeProgram(key string, c programs.Content, to catalog.Publication, isNew *bool) error {
	expected := 0
	if *isNew {
		expected = programs.New
	} else if p, err := programs.ProgramTx(a.ctx, a.tx, key); err == nil && p.State == catalog.Archived {
		if err := a.moveProgram(key, catalog.Drafted); err != nil {
			return err
		}
	}
	if _, err := programs.SaveDraftTx(a.ctx, a.tx, key, c, expected); err != nil {
		return err
	}
	if err := a.moveProgram(key, to); err != nil {
		return err
	}
	*isNew = false
	return nil
}

func (a *applier) moveProgram(key string, to catalog.Publication) error {
	p, err := programs.ProgramTx(a.ctx, a.tx, key)
	if err != nil {
		return err
	}
	for _, next := range ways(p.State, to) {
		if _, err := programs.BringProgramTx(a.ctx, a.tx, key, next, "", 0); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) editions() {
	file, house := inOrder(a.d.Editions), inOrder(a.house.Editions)
	written := byName(a.d.Editions, func(e Edition) string { return e.Key }) // with the sessions in the order of the file
	each(a, "edition", "/editions", file, house, func(e Edition) string { return e.Key }, func(path string, e Edition, old *Edition) {
		if old != nil && old.State == catalog.Published {
			a.refuse(path, errInForce.Code, errInForce.Detail)
			return
		}
		a.try(path, func() error { return a.edition(written[e.Key], old == nil) })
	})
}

// inOrder sorts the sessions of editions: the house keeps them in the order of the program, a file in any.
func inOrder(all []Edition) []Edition {
	out := slices.Clone(all)
	for i := range out {
		out[i].Sessions = slices.Clone(out[i].Sessions)
		slices.SortStableFunc(out[i].Sessions, func(a, b EditionSession) int { return strings.Compare(a.Session, b.Session) })
	}
	return out
}

func (a *applier) edition(e Edition, isNew bool) error {
	n := programs.EditionPlan{
		Program: e.Program, Version: e.Version, Title: e.Title, Lang: e.Lang, Partner: e.Partner, Capacity: e.Capacity, StartsAt: e.StartsAt, EndsAt: e.EndsAt,
		EnrolFrom: e.EnrolFrom, EnrolUntil: e.EnrolUntil,
	}
	for _, s := range e.Sessions {
		n.Sessions = append(n.Sessions, programs.SessionPlan{Session: s.Session, Opening: s.Opening, OpensAt: s.OpensAt})
	}
	expected := 0
	if isNew {
		expected = programs.New
	} else if before, err := programs.EditionTx(a.ctx, a.tx, e.Key); err == nil && before.State == catalog.Archived {
		if _, err := programs.MoveEditionTx(a.ctx, a.tx, e.Key, catalog.Drafted, "", 0); err != nil {
			return err
		}
	}
	made, err := sales.PutEditionTx(a.ctx, a.tx, e.Key, n, expected)
	if err != nil {
		return err
	}
	for _, next := range ways(made.State, e.State) {
		if _, err := programs.MoveEditionTx(a.ctx, a.tx, e.Key, next, "", 0); err != nil {
			return err
		}
	}
	return nil
}

// offers makes what is new. Other terms of what was not sold are a new offer in the place of the old one; further prices come and go
// on the offer that stands, sold or not, since what was ordered keeps its price.
func (a *applier) offers() {
	standing := map[string]offers.Offer{} // by name
	all, err := everyOffer(a.ctx, a.tx)
	prices, failed := pricesOf(a.ctx, a.tx, all)
	if a.failed = cmp.Or(err, failed); a.failed != nil {
		return
	}
	for _, o := range all {
		standing[offerOf(o).name()] = o
	}
	each(a, "offer", "/offers", a.d.Offers, a.house.Offers, Offer.name, func(path string, o Offer, old *Offer) {
		on := standing[o.name()]
		if old == nil || !same(o.own(), old.own()) {
			if !a.try(path, func() (err error) { on, err = a.offer(o, on.ID); return placed(known(err)) }) {
				return
			}
		}
		for _, p := range prices[on.ID] {
			if !slices.ContainsFunc(o.Prices, func(x Price) bool { return same(x, priceOf(p)) }) {
				p.Archived = true
				a.try(path, func() error { _, err := offers.PutPriceTx(a.ctx, a.tx, p, p.Version); return err })
			}
		}
		for i, x := range o.Prices {
			if slices.ContainsFunc(prices[on.ID], func(p offers.Price) bool { return same(x, priceOf(p)) }) {
				continue
			}
			a.try(fmt.Sprintf("%s/prices/%d", path, i), func() error {
				_, err := offers.AddPriceTx(a.ctx, a.tx, offers.Price{
					OfferID: on.ID, Label: x.Label, Price: money.Of(x.PriceMinor, x.Currency), ValidFrom: x.ValidFrom, ValidUntil: x.ValidUntil,
					Audience: x.Audience, EarlyUntil: x.EarlyUntil,
				})
				return known(err)
			})
		}
	})
}

// own is an offer without its further prices.
func (o Offer) own() Offer { o.Prices = nil; return o }

// offer makes an offer, in the place of one (an id) or, where that is empty, of none.
func (a *applier) offer(o Offer, old string) (offers.Offer, error) {
	if old != "" {
		if err := a.withdraw(old); err != nil {
			return offers.Offer{}, err
		}
	}
	return offers.CreateTx(a.ctx, a.tx, offers.NewOffer{
		Session: o.Session, Edition: o.Edition, Formula: o.Formula, Price: money.Of(o.PriceMinor, o.Currency), ValidFrom: o.ValidFrom,
		ValidUntil: o.ValidUntil, Audience: o.Audience, Quota: o.Quota, Call: o.Call, Withdrawal: o.Withdrawal,
	})
}

// known says of what a file names and the house does not know that the file is wrong, not the address.
func known(err error) error {
	if f := fault.From(err); err != nil && f.Kind == fault.NotFound {
		return f.Of(fault.Unprocessable)
	}
	return err
}

// members are those of an offer that the faults of its room speak of: that room reads no file, and says no place.
var members = map[string]string{
	"no-such-session": "session", "no-such-edition": "edition", "no-such-formula": "formula", "formula-archived": "formula", "bad-price": "price_minor",
	"unknown-currency": "currency", "no-such-organisation": "audience", "bad-window": "valid_until",
}

// placed says which member of an offer a fault is about, where one is.
func placed(err error) error {
	if err == nil {
		return nil
	}
	f := fault.From(err)
	if member := members[f.Code]; member != "" && len(f.Fields) == 0 {
		return f.At("/"+member, f.Code, f.Detail)
	}
	return err
}

func (a *applier) withdraw(id string) error {
	var sold bool
	if err := a.tx.Get(a.ctx, &sold, q.Q("Sold"), id); err != nil {
		return err
	}
	if sold {
		return errSold
	}
	_, err := offers.WithdrawTx(a.ctx, a.tx, id)
	return err
}
