package exchange_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exchange"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// catalogueOf draws a catalogue that the house takes: courses of every state, sessions, programs with nested groups and several versions,
// editions and offers, with texts that a table or a spreadsheet could spoil. complete are courses that the charter lets through.
func catalogueOf(t *rapid.T, complete []exchange.Course) exchange.Document {
	g := generator{t}
	d := exchange.Document{Format: exchange.Format, Collection: exchange.Collection{Key: "GEN", Title: g.text(true), Summary: g.text(false)}}
	if d.Collection.State = rapid.SampledFrom([]catalog.Publication{"", catalog.Drafted, catalog.InReview, catalog.Archived}).Draw(t, "collection"); d.Collection.State != "" && d.Collection.State != catalog.Archived && g.yes() {
		d.Collection.Draft = exchange.Words{Title: g.text(true), Summary: g.text(false)}
	}
	d.Programs, d.Editions, d.Offers = []exchange.Program{}, []exchange.Edition{}, []exchange.Offer{}
	d.Formulas = []exchange.Formula{
		{Key: "QUALIFYING", Title: g.text(true), Pitch: g.text(false), Entitlements: []string{"knowledge", "certificate"}, Qualifying: true, Position: 2},
		{Key: "EXTRA", Title: g.text(true), Call: g.text(false), Entitlements: []string{"coaching", "knowledge"}, Position: g.upTo(9), Archived: g.yes()},
	}
	d.Organisations = []exchange.Organisation{{Key: "ORG", Name: "An organisation"}}
	var keys []string
	public := map[string]bool{}
	for i := range 2 + g.upTo(4) {
		key := fmt.Sprintf("C%d", i)
		keys = append(keys, key)
		copies := g.course(key, complete)
		d.Courses, public[key] = append(d.Courses, copies...), copies[0].State == catalog.Published
		for j := range 1 + g.upTo(1) {
			s := g.session(key, j)
			s.Closed = s.Closed || copies[0].State == catalog.Archived // nobody joins it any more
			d.Sessions = append(d.Sessions, s)
		}
	}
	for i := range g.upTo(2) {
		g.program(&d, fmt.Sprintf("P%d", i), keys, public)
	}
	for _, s := range d.Sessions {
		if s.State == catalog.Published && g.yes() {
			d.Offers = append(d.Offers, g.offer(exchange.Offer{Session: s.Key}))
		}
	}
	for _, e := range d.Editions {
		if e.State == catalog.Published {
			d.Offers = append(d.Offers, g.offer(exchange.Offer{Edition: e.Key}))
		}
	}
	return d
}

type generator struct{ t *rapid.T }

func (g generator) upTo(n int) int { return rapid.IntRange(0, n).Draw(g.t, "n") }
func (g generator) yes() bool      { return rapid.Bool().Draw(g.t, "yes") }

var nasty = rapid.StringOfN(rapid.RuneFrom([]rune("aZ é=+-@'\"\\|,;\t\n\r🎓ع漢#/~0")), 1, 12, -1)

func (g generator) text(needed bool) (x catalog.Text) {
	if needed || g.yes() {
		x.EN = "x" + nasty.Draw(g.t, "en")
	}
	if g.yes() {
		x.FR = nasty.Draw(g.t, "fr") + "x"
	}
	return x
}

func (g generator) time() *time.Time {
	if g.yes() {
		return nil
	}
	at := time.UnixMicro(rapid.Int64Range(1_500_000_000_000_000, 1_900_000_000_000_000).Draw(g.t, "at")).UTC()
	return &at
}

// period gives two times in their order, of which each may be missing.
func (g generator) period() (from, until *time.Time) {
	from, until = g.time(), g.time()
	switch {
	case from == nil || until == nil || from.Before(*until):
		return from, until
	case until.Before(*from):
		return until, from
	}
	return from, nil // over as it begins, nobody could follow it
}

// course gives what the public sees of a course, a working copy, or both.
func (g generator) course(key string, complete []exchange.Course) (out []exchange.Course) {
	which := g.upTo(3)
	if which != 0 {
		if g.yes() {
			out = append(out, exchange.Course{Key: key, State: catalog.Published, Unchecked: true, Draft: catalog.Draft{
				Collection: "GEN", Position: g.upTo(99), Title: g.text(true), Summary: g.text(false), Level: "bachelor", WorkloadHours: g.upTo(40),
			}})
		} else {
			c := complete[g.upTo(len(complete)-1)]
			c.Key, c.Collection, c.Prerequisites, c.Title, c.Summary = key, "GEN", nil, g.text(true), g.text(true)
			out = append(out, c)
		}
	}
	if which == 1 {
		return out
	}
	states := []catalog.Publication{catalog.Drafted, catalog.InReview, catalog.Archived}
	if len(out) > 0 {
		states = states[:2] // what the public sees is archived in the console
	}
	w := exchange.Course{Key: key, State: states[g.upTo(len(states)-1)], Draft: catalog.Draft{Collection: "GEN", Title: g.text(true), Summary: g.text(false), Language: "fr"}}
	for i := range g.upTo(2) {
		w.Skills = append(w.Skills, catalog.Skill{Key: fmt.Sprintf("k%d", i), Title: g.text(true)})
		w.Prerequisites = append(w.Prerequisites, catalog.Prerequisite{Text: g.text(true)})
		w.Team = append(w.Team, catalog.Member{Name: "N" + nasty.Draw(g.t, "name"), Role: catalog.Teacher, School: nasty.Draw(g.t, "school")})
		c := catalog.Chapter{Title: g.text(true), Minutes: g.upTo(90)}
		for range g.upTo(2) {
			l := catalog.Lecture{Title: g.text(true), VideoSeconds: g.upTo(900), Concepts: rapid.SliceOfN(nasty, 0, 3).Draw(g.t, "concepts")}
			if g.yes() {
				l.Quiz = &catalog.Activity{Title: g.text(true), Scored: true, Weight: g.upTo(5)}
			}
			c.Lectures = append(c.Lectures, l)
		}
		if g.yes() {
			c.Lab = &catalog.Activity{Title: g.text(true), Minutes: g.upTo(60)}
		}
		w.Chapters = append(w.Chapters, c)
	}
	if g.yes() {
		w.Opening, w.Closing = &catalog.Opening{WhoAreYou: g.yes()}, &catalog.Closing{Satisfaction: g.yes()}
		logo := g.yes()
		w.Look = catalog.Look{Template: nasty.Draw(g.t, "template"), Logo: &logo, TextPoints: g.upTo(40)}
	}
	return append(out, w)
}

func (g generator) session(course string, n int) exchange.Session {
	s := exchange.Session{
		Key: fmt.Sprintf("%s-S%d", course, n), Course: course, State: catalog.Published, Number: g.upTo(9), Title: g.text(true),
		Kind: rapid.SampledFrom([]catalog.Kind{catalog.Mooc, catalog.Spoc, catalog.Hybrid}).Draw(g.t, "kind"), Platform: "fun", ThresholdPPM: g.upTo(1_000_000), Closed: g.yes(),
	}
	if n > 0 { // the first is followed in editions
		s.State = rapid.SampledFrom([]catalog.Publication{catalog.Drafted, catalog.InReview, catalog.Published, catalog.Archived}).Draw(g.t, "state")
	}
	s.StartsAt, s.EndsAt = g.period()
	s.EnrolFrom, s.EnrolUntil = g.period()
	for i := range g.upTo(3) {
		s.Exercises = append(s.Exercises, exchange.Exercise{Label: fmt.Sprintf("%d%s", i, nasty.Draw(g.t, "label")), Week: g.upTo(5), Scored: g.yes(), Activity: "quiz", WeightPPM: int64(g.upTo(2_000_000))})
	}
	if s.Kind == catalog.Hybrid {
		s.MinDays, s.ProductionPPM = g.upTo(3), g.upTo(1_000_000)
		for i := range g.upTo(2) {
			from := time.Date(2027, 3, 1+i, 8+g.upTo(3), 0, 0, 0, time.UTC)
			s.Days = append(s.Days, exchange.Day{
				Title: g.text(false), Place: "P" + nasty.Draw(g.t, "place") + "p", Zone: "Africa/Dakar", StartsAt: from, EndsAt: from.Add(time.Hour), Capacity: 1 + g.upTo(30),
				Currency: "XOF", CostMinor: int64(g.upTo(900_000)), PerHeadMinor: int64(g.upTo(9_000)),
			})
		}
	}
	return s
}

// program adds versions, a working copy and an edition of each version; the last course is none of its own and may count for one. The
// courses of the last version are public; those of the ones before may have gone since.
func (g generator) program(d *exchange.Document, key string, keys []string, public map[string]bool) {
	versions := g.upTo(2)
	shown := slices.DeleteFunc(slices.Clone(keys[:len(keys)-1]), func(key string) bool { return !public[key] })
	if len(shown) == 0 {
		versions = 0
	}
	shown = append(shown, keys[len(keys)-1])
	for v := 1; v <= versions; v++ {
		p := exchange.Program{Key: key, Version: v, State: catalog.Published, Content: g.content(keys)}
		if v == versions {
			p.Content = g.content(shown)
		}
		d.Programs = append(d.Programs, p)
		e := exchange.Edition{
			Key: fmt.Sprintf("%s-E%d", key, v), Program: key, Version: v, Title: g.text(true), Lang: "fr",
			State: rapid.SampledFrom([]catalog.Publication{catalog.Drafted, catalog.InReview, catalog.Published}).Draw(g.t, "state"),
		}
		e.StartsAt, e.EndsAt = g.period()
		over := e.EndsAt != nil && !testkit.Clock().Now().Before(*e.EndsAt) // on the clock of the house that reads it
		if e.State == catalog.Published && !over {                          // it can be followed, whatever its sessions say
			e.StartsAt, e.EndsAt = nil, nil
			if slices.ContainsFunc(p.Courses(), func(c programs.CourseRule) bool { return !public[c.Key] }) {
				e.State = catalog.InReview
			}
		}
		inForce := e.State == catalog.Published && !over
		for i := range d.Sessions { // none of it is closed by hand
			s := &d.Sessions[i]
			s.Closed = s.Closed && !(inForce && slices.ContainsFunc(p.Courses(), func(c programs.CourseRule) bool { return s.Key == c.Key+"-S0" }))
		}
		for i, c := range p.Courses() {
			s := exchange.EditionSession{Session: c.Key + "-S0", Opening: rapid.SampledFrom(programs.Openings).Draw(g.t, "opening")}
			if s.Opening == programs.OnDate {
				s.OpensAt = g.time()
			}
			if s.Opening == programs.OnDate && (s.OpensAt == nil || inForce) || s.Opening == programs.Monthly && e.StartsAt == nil ||
				s.Opening == programs.AfterPrerequisites && len(c.After) == 0 || s.Opening == programs.AfterPrevious && i == 0 {
				s.Opening, s.OpensAt = programs.AtOnce, nil
			}
			e.Sessions = append(e.Sessions, s)
		}
		d.Editions = append(d.Editions, e)
	}
	if versions == 0 || g.yes() {
		d.Programs = append(d.Programs, exchange.Program{Key: key, State: rapid.SampledFrom([]catalog.Publication{catalog.Drafted, catalog.InReview}).Draw(g.t, "state"), Content: g.content(keys)})
	}
}

func (g generator) content(keys []string) programs.Content {
	c := programs.Content{Title: g.text(true), Summary: g.text(false), Language: "fr"}
	group := programs.Group{Title: g.text(true)}
	var before []string // the group stands behind these
	for _, key := range keys[:len(keys)-1] {
		rule := programs.CourseRule{Key: key, WorkloadHours: g.upTo(50), ECTSHundredths: g.upTo(300)}
		if len(before) > 0 && g.yes() {
			rule.After = []string{before[g.upTo(len(before)-1)]}
		}
		if g.yes() {
			grade := 1 + g.upTo(999_999)
			rule.MinGradePPM = &grade
		}
		if g.yes() {
			rule.Equivalents = []programs.Equivalence{{Key: keys[len(keys)-1], Certified: true}}
		}
		if len(before) > 0 && g.yes() {
			group.Parts = append(group.Parts, programs.Node{Course: &rule})
		} else {
			rule.Optional = len(before) > 0 && g.yes()
			c.Parts = append(c.Parts, programs.Node{Course: &rule})
			before = append(before, key)
		}
	}
	if group.Parts != nil {
		group.Need = 1 + g.upTo(len(group.Parts)-1)
		c.Parts = append(c.Parts, programs.Node{Group: &group})
	}
	return c.Tidy()
}

func (g generator) offer(o exchange.Offer) exchange.Offer {
	o.Formula, o.Currency = "QUALIFYING", rapid.SampledFrom([]money.Currency{"EUR", "XOF"}).Draw(g.t, "currency")
	o.PriceMinor, o.Call = int64(g.upTo(200_000)), g.text(false)
	if g.yes() {
		quota := 1 + g.upTo(50)
		o.Quota, o.Audience = &quota, "ORG"
	}
	for range g.upTo(3) {
		p := exchange.Price{Label: g.text(false), PriceMinor: int64(g.upTo(200_000)), Currency: rapid.SampledFrom([]money.Currency{"EUR", "XOF", "USD"}).Draw(g.t, "currency of a price")}
		if g.yes() {
			first := 1 + g.upTo(40)
			p.EarlyUntil, p.Audience = &first, "ORG"
		}
		o.Prices = append(o.Prices, p)
	}
	return o
}

// Whatever a catalogue says: out of the house, into an empty one and out again it is the same bytes, through JSON and through tables, and
// the same file again changes nothing.
func TestAnyCatalogueComesBackAsItWas(t *testing.T) {
	db := testkit.DB(t)
	paper, err := exchange.Read(flirt(t))
	if err != nil {
		t.Fatal(err)
	}
	back := errors.New("back to an empty house")
	rapid.Check(t, func(t *rapid.T) {
		d := catalogueOf(t, paper.Document().Courses)
		d.Charter = paper.Document().Charter
		raw, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		first := through(t, db, back, raw)
		var again exchange.File
		if again, err = exchange.Read(first); err != nil {
			t.Fatal(fault.From(err).Fields)
		}
		tables, err := again.Document().CSV()
		if err != nil {
			t.Fatal(err)
		}
		for form, raw := range map[string][]byte{"JSON": first, "tables": tables} {
			if second := through(t, db, back, raw); !bytes.Equal(first, second) {
				t.Fatalf("through %s it is something else:\n%s", form, difference(first, second))
			}
		}
	})
}

// through brings a file into an empty house, sees that the same file again changes nothing, takes the collection out and leaves the house
// as empty as it was.
func through(t *rapid.T, db *postgres.DB, back error, raw []byte) (out []byte) {
	file, err := exchange.Read(raw)
	if err != nil {
		t.Fatal(fault.From(err).Fields)
	}
	err = db.InTx(staff, "through", func(ctx context.Context, tx *postgres.Tx) error {
		for n := range 2 {
			r, err := exchange.ImportTx(ctx, tx, file)
			if err != nil {
				return err
			}
			// What the file has and the house leaves out of an export (an organisation without an offer) is not new the second time either.
			if r.Same != (n == 1) {
				t.Fatalf("import %d: %+v", n+1, r)
			}
		}
		d, left, err := exchange.ExportTx(ctx, tx, "GEN")
		if err != nil || len(left) > 0 {
			t.Fatal(left, err)
		}
		if out, err = d.JSON(); err != nil {
			return err
		}
		return back
	})
	if !errors.Is(err, back) {
		t.Fatal(err, fault.From(err).Fields)
	}
	return out
}

// FuzzRead gives the reader anything: it reads it, or refuses it with at least one place and the rule that is broken, and never panics.
// What it reads it writes in both forms, and reads again as the same.
func FuzzRead(f *testing.F) {
	raw := []byte(`{"format":"cursus-catalogue/1","collection":{"key":"A","title":{"en":"=x"},"summary":{}},"formulas":[{"key":"F","title":{"en":"F"},"pitch":{},"call":{},
		"entitlements":["knowledge"],"qualifying":true,"position":1}],"courses":[{"key":"B","state":"draft","collection":"A","title":{"fr":"é"},"summary":{},"chapters":[{"title":{"en":"1"},
		"lectures":[{"title":{"en":"2"},"concepts":["a","b|c"],"quiz":{"title":{"en":"q"},"scored":true}}],"lab":{"title":{"en":"l"},"scored":false}}],"look":{"logo":true}}],
		"sessions":[{"key":"S","course":"B","state":"draft","title":{"en":"s"},"kind":"hybrid","platform":"fun","threshold_ppm":1,"starts_at":"2026-01-01T00:00:00.5+01:00",
		"workshop_days":[{"title":{},"place":"P","zone":"UTC","starts_at":"2026-01-01T08:00:00Z","ends_at":"2026-01-01T09:00:00Z","capacity":1,"currency":"XOF","cost_minor":1,"per_head_minor":0}]}],
		"programs":[{"key":"P","state":"draft","title":{"en":"p"},"summary":{},"audience":{},"language":"fr","organisations":[],"parts":[{"group":{"title":{},"need":1,"parts":[{"course":{
		"key":"B","optional":false,"after":[],"after_any":[],"equivalents":[{"key":"C","certified":true}],"workload_hours":1,"ects_hundredths":0}}]}}]}],"offers":[]}`)
	file, err := exchange.Read(raw)
	if err != nil {
		f.Fatal(fault.From(err).Fields)
	}
	tables, err := file.Document().CSV() // small, so that a changed one is tried quickly
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{
		tables, raw, raw[:200], raw[:len(raw)/2], nil, []byte("PK"), []byte("{}"), []byte(`[]`), []byte("\ufeff{\"format\":\"cursus-catalogue/1\"}"), []byte(`{"courses":[{"key":null}]}`),
		[]byte(`{"courses":[{"key":"A","state":"draft","title":{"en":"x"},"chapters":[{"lectures":[{"quiz":{}}]}]}],"offers":[{"price_minor":1e3}]}`),
		[]byte(`{"format":"cursus-catalogue/1","collection":{"key":"A"},"programs":[{"parts":[{"group":{"need":1,"parts":[{"course":{"key":"B"}}]}}]}]}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := exchange.Read(raw)
		if err != nil {
			x := fault.From(err)
			if !errors.Is(err, exchange.ErrRefused) && !errors.Is(err, exchange.ErrTooLarge) || errors.Is(err, exchange.ErrRefused) && len(x.Fields) == 0 {
				t.Fatalf("refused without a place: %v", err)
			}
			for _, at := range x.Fields {
				if at.Code == "" || at.Detail == "" {
					t.Errorf("a place without a rule: %+v", at)
				}
			}
			return
		}
		first, err := file.Document().JSON()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := exchange.Read(first); err != nil {
			t.Fatalf("what was read is not read again: %v", fault.From(err).Fields)
		} else if second, err := again.Document().JSON(); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("it is something else now: %v\n%s", err, difference(first, second))
		}
	})
}
