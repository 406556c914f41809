package exchange

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
)

// Format is the first member of a document; another number is another form.
const Format = "cursus-catalogue/1"

// Document is a whole collection outside the house. It names everything by its key and has no id, no version number of the house and
// no instant of writing, so that the same catalogue is the same bytes wherever it stands. Times are UTC.
type Document struct {
	Format        string         `json:"format"`
	Collection    Collection     `json:"collection"`
	Charter       Charter        `json:"charter"`
	Organisations []Organisation `json:"organisations"`
	Formulas      []Formula      `json:"formulas"`
	Courses       []Course       `json:"courses"`
	Sessions      []Session      `json:"sessions"`
	Programs      []Program      `json:"programs"`
	Editions      []Edition      `json:"editions"`
	Offers        []Offer        `json:"offers"`
}

// Collection is the head of the collection: the words that the public sees, and those of the working copy (Draft) where that says or is
// something else. Words that the public never saw, or no longer sees, have a state and no draft.
type Collection struct {
	Key     string              `json:"key"`
	State   catalog.Publication `json:"state,omitempty"` // of the working copy; absent: published
	Title   catalog.Text        `json:"title"`
	Summary catalog.Text        `json:"summary"`
	Draft   Words               `json:"draft,omitzero"`
}

// Words are what a collection says of itself.
type Words struct {
	Title   catalog.Text `json:"title"`
	Summary catalog.Text `json:"summary"`
}

// Charter is the rules that are in force in the house.
type Charter struct {
	Note  string         `json:"note,omitempty"`
	Rules []catalog.Rule `json:"rules,omitempty"`
}

// Organisation is one that offers name as their audience.
type Organisation struct {
	Key  string `json:"key"`
	Name string `json:"name"`
}

// Formula is a named set of entitlements, of the whole house.
type Formula struct {
	Key          string       `json:"key"`
	Title        catalog.Text `json:"title"`
	Pitch        catalog.Text `json:"pitch"`
	Call         catalog.Text `json:"call"`
	Entitlements []string     `json:"entitlements"`
	Qualifying   bool         `json:"qualifying"`
	Position     int          `json:"position"`
	Archived     bool         `json:"archived,omitempty"`
}

// Course is a copy of a course: the one that the public sees (state published), or the working copy where that says or is something
// else (draft, review, archived). A course has one of either or both. Unchecked: it was published by a door that knew no charter; such
// a copy says no more than the fields of the catalogue.
type Course struct {
	Key       string              `json:"key"`
	State     catalog.Publication `json:"state"`
	Unchecked bool                `json:"unchecked,omitempty"`
	catalog.Draft
}

// Session is a run of a course with its exercise map and its workshop days.
type Session struct {
	Key           string              `json:"key"`
	Course        string              `json:"course"`
	State         catalog.Publication `json:"state"`
	Number        int                 `json:"number,omitempty"`
	Title         catalog.Text        `json:"title"`
	Kind          catalog.Kind        `json:"kind"`
	Platform      string              `json:"platform"`
	PlatformKey   string              `json:"platform_key,omitempty"`
	CourseURL     string              `json:"course_url,omitempty"`
	Audience      string              `json:"audience,omitempty"`
	Language      string              `json:"language,omitempty"`
	ThresholdPPM  int                 `json:"threshold_ppm"`
	StartsAt      *time.Time          `json:"starts_at,omitempty"`
	EndsAt        *time.Time          `json:"ends_at,omitempty"`
	EnrolFrom     *time.Time          `json:"enrol_from,omitempty"`
	EnrolUntil    *time.Time          `json:"enrol_until,omitempty"`
	Closed        bool                `json:"closed,omitempty"`
	Capacity      *int                `json:"capacity,omitempty"`
	MinDays       int                 `json:"min_days,omitempty"`
	ProductionPPM int                 `json:"production_ppm,omitempty"`
	Policy        []Assignment        `json:"policy,omitempty"`
	Exercises     []Exercise          `json:"exercises,omitempty"`
	Days          []Day               `json:"workshop_days,omitempty"`
}

// Assignment is a line of the grade policy.
type Assignment catalog.AssignmentType

// Exercise is a column of the grade reports.
type Exercise struct {
	Label     string `json:"label"`
	Week      int    `json:"week"`
	Scored    bool   `json:"scored"`
	Activity  string `json:"activity"`
	WeightPPM int64  `json:"weight_ppm,omitempty"`
}

// Day is a workshop day that was not called off. Who came belongs to learners and stays in the house.
type Day struct {
	Title        catalog.Text   `json:"title"`
	Place        string         `json:"place"`
	Zone         string         `json:"zone"`
	StartsAt     time.Time      `json:"starts_at"`
	EndsAt       time.Time      `json:"ends_at"`
	Capacity     int            `json:"capacity"`
	Currency     money.Currency `json:"currency"`
	CostMinor    int64          `json:"cost_minor"`
	PerHeadMinor int64          `json:"per_head_minor"`
}

// Program is a version of a program (state published, numbered from 1 without a gap), or its working copy where that says or is
// something else (no version; draft, review, archived).
type Program struct {
	Key     string              `json:"key"`
	Version int                 `json:"version,omitempty"`
	State   catalog.Publication `json:"state"`
	programs.Content
}

// Edition is a version of a program in a period.
type Edition struct {
	Key        string              `json:"key"`
	Program    string              `json:"program"`
	Version    int                 `json:"program_version"`
	State      catalog.Publication `json:"state"`
	Title      catalog.Text        `json:"title"`
	Lang       string              `json:"lang"`
	Partner    string              `json:"partner,omitempty"`
	Capacity   *int                `json:"capacity,omitempty"`
	StartsAt   *time.Time          `json:"starts_at,omitempty"`
	EndsAt     *time.Time          `json:"ends_at,omitempty"`
	EnrolFrom  *time.Time          `json:"enrol_from,omitempty"`
	EnrolUntil *time.Time          `json:"enrol_until,omitempty"`
	Sessions   []EditionSession    `json:"sessions"`
}

// EditionSession is the session in which a course is followed, and when it opens.
type EditionSession struct {
	Session string           `json:"session"`
	Opening programs.Opening `json:"opening"`
	OpensAt *time.Time       `json:"opens_at,omitempty"`
}

// Offer is a formula of a session or an edition at a price. One that was withdrawn stays in the house.
type Offer struct {
	Session    string         `json:"session,omitempty"`
	Edition    string         `json:"edition,omitempty"`
	Formula    string         `json:"formula"`
	PriceMinor int64          `json:"price_minor"`
	Currency   money.Currency `json:"currency"`
	Audience   string         `json:"audience,omitempty"`
	ValidFrom  *time.Time     `json:"valid_from,omitempty"`
	ValidUntil *time.Time     `json:"valid_until,omitempty"`
	Quota      *int           `json:"quota,omitempty"`
	Call       catalog.Text   `json:"call"`
	Withdrawal string         `json:"withdrawal,omitempty"` // vocational or none; a consumer's right is not written
	Prices     []Price        `json:"prices,omitempty"`
}

// Price is a further price of an offer: in another currency, for a time, for the first buyers, or for an organisation. The archived
// ones stay in the house.
type Price struct {
	Label      catalog.Text   `json:"label"`
	PriceMinor int64          `json:"price_minor"`
	Currency   money.Currency `json:"currency"`
	ValidFrom  *time.Time     `json:"valid_from,omitempty"`
	ValidUntil *time.Time     `json:"valid_until,omitempty"`
	Audience   string         `json:"audience,omitempty"`
	EarlyUntil *int           `json:"early_until,omitempty"`
}

// sortPrices gives prices one order: the lowest of all that hold is taken, so that theirs says nothing.
func sortPrices(all []Price) {
	slices.SortStableFunc(all, func(a, b Price) int { return bytes.Compare(marshalled(a), marshalled(b)) })
}

func marshalled(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts, numbers and times can always be written
	}
	return b
}

// JSON writes a document: indented, one member a line, in a stable order, so that a difference between two of them reads well.
func (d Document) JSON() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(d)
	return out.Bytes(), err
}

// tidied gives the form in which the house itself would write what a file says: lists that are none are empty, entitlements are in
// their order, times are UTC.
func (d Document) tidied() Document {
	d.Organisations, d.Formulas, d.Courses, d.Sessions = notNil(d.Organisations), notNil(d.Formulas), notNil(d.Courses), notNil(d.Sessions)
	d.Programs, d.Editions, d.Offers = notNil(d.Programs), notNil(d.Editions), notNil(d.Offers)
	d.Charter.Rules = catalog.Tidy(d.Charter.Rules)
	for i := range d.Formulas {
		f := &d.Formulas[i]
		slices.SortStableFunc(f.Entitlements, func(a, b string) int {
			return slices.Index(offers.Entitlements, a) - slices.Index(offers.Entitlements, b)
		})
		f.Entitlements = notNil(f.Entitlements)
	}
	for i := range d.Sessions {
		s := &d.Sessions[i]
		utc(s.StartsAt, s.EndsAt, s.EnrolFrom, s.EnrolUntil)
		for j := range s.Days {
			utc(&s.Days[j].StartsAt, &s.Days[j].EndsAt)
		}
	}
	for i := range d.Programs {
		d.Programs[i].Content = d.Programs[i].Tidy()
	}
	for i := range d.Editions {
		e := &d.Editions[i]
		e.Sessions = notNil(e.Sessions)
		utc(e.StartsAt, e.EndsAt, e.EnrolFrom, e.EnrolUntil)
		for _, s := range e.Sessions {
			utc(s.OpensAt)
		}
	}
	for _, o := range d.Offers {
		utc(o.ValidFrom, o.ValidUntil)
		for _, p := range o.Prices {
			utc(p.ValidFrom, p.ValidUntil)
		}
		sortPrices(o.Prices)
	}
	return d
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// utc turns times to UTC and to the microsecond, which is what the house keeps.
func utc(times ...*time.Time) {
	for _, t := range times {
		if t != nil {
			*t = t.UTC().Truncate(time.Microsecond)
		}
	}
}

// name tells an offer from all others that stand: at most one of each formula, currency and audience stands on a thing.
func (o Offer) name() string {
	on := o.Session
	if o.Edition != "" {
		on = "edition " + o.Edition
	}
	name := on + " " + o.Formula + " " + string(o.Currency)
	if o.Audience != "" {
		name += " for " + o.Audience
	}
	return name
}
