package exchange

import (
	"reflect"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
)

// spec says how a list of the document lies in a table. The columns of a table are those that name what stands around a row, those
// that name the row itself, and a column for each simple member, inside structs too (title_en). Lists of texts are one cell.
type spec struct {
	file   string
	member string       // in the object around it: "courses", "charter.rules"
	row    reflect.Type // of an item
	ids    []id         // name a row among its siblings
	prefix string       // of its columns, where they would bear the name of one that names what stands around
	one    []string     // not a list: these members, named by the column "activity"
	nests  string       // member of an item that is a list of the same: the number of a row is then a path, "2.1"
	of     []spec
}

// id is a column that names a row: a member of the item, or its number in the list.
type id struct{ column, member string }

var numbered = []id{{column: "number"}}

// layout is the document as tables.
var layout = spec{file: "collections.csv", row: reflect.TypeFor[Document](), of: []spec{
	{file: "charter.csv", member: "charter.rules", row: reflect.TypeFor[catalog.Rule](), ids: numbered},
	{file: "organisations.csv", member: "organisations", row: reflect.TypeFor[Organisation](), ids: []id{{"organisation", "key"}}},
	{file: "formulas.csv", member: "formulas", row: reflect.TypeFor[Formula](), ids: []id{{"formula", "key"}}},
	{file: "courses.csv", member: "courses", row: reflect.TypeFor[Course](), ids: []id{{"course", "key"}, {"state", "state"}}, of: []spec{
		{file: "skills.csv", member: "skills", row: reflect.TypeFor[catalog.Skill](), ids: numbered},
		{file: "prerequisites.csv", member: "prerequisites", row: reflect.TypeFor[catalog.Prerequisite](), ids: numbered, prefix: "needs_"},
		{file: "team.csv", member: "team", row: reflect.TypeFor[catalog.Member](), ids: numbered},
		{file: "chapters.csv", member: "chapters", row: reflect.TypeFor[catalog.Chapter](), ids: []id{{column: "chapter"}}, of: []spec{
			{file: "lectures.csv", member: "lectures", row: reflect.TypeFor[catalog.Lecture](), ids: []id{{column: "lecture"}}, of: []spec{
				{file: "activities.csv", row: reflect.TypeFor[catalog.Activity](), one: []string{"quiz"}},
			}},
			{file: "activities.csv", row: reflect.TypeFor[catalog.Activity](), one: []string{"case_study", "lab"}},
		}},
	}},
	{file: "sessions.csv", member: "sessions", row: reflect.TypeFor[Session](), ids: []id{{"session", "key"}}, of: []spec{
		{file: "policies.csv", member: "policy", row: reflect.TypeFor[Assignment](), ids: numbered},
		{file: "exercises.csv", member: "exercises", row: reflect.TypeFor[Exercise](), ids: numbered},
		{file: "workshop_days.csv", member: "workshop_days", row: reflect.TypeFor[Day](), ids: numbered},
	}},
	{file: "programs.csv", member: "programs", row: reflect.TypeFor[Program](), ids: []id{{"program", "key"}, {"state", "state"}, {"version", "version"}}, of: []spec{
		{file: "program_courses.csv", member: "parts", row: reflect.TypeFor[programs.Node](), ids: []id{{column: "part"}}, nests: "group.parts", of: []spec{
			{file: "equivalents.csv", member: "course.equivalents", row: reflect.TypeFor[programs.Equivalence](), ids: numbered},
		}},
	}},
	{file: "editions.csv", member: "editions", row: reflect.TypeFor[Edition](), ids: []id{{"edition", "key"}}, of: []spec{
		{file: "edition_sessions.csv", member: "sessions", row: reflect.TypeFor[EditionSession](), ids: numbered},
	}},
	{file: "offers.csv", member: "offers", row: reflect.TypeFor[Offer](), ids: numbered, of: []spec{
		{file: "offer_prices.csv", member: "prices", row: reflect.TypeFor[Price](), ids: []id{{column: "price"}}},
	}},
}}

// column is a simple member of a row, or a list of texts.
type column struct {
	name string
	path []string
	list bool
}

var activityType, textsType = reflect.TypeFor[*catalog.Activity](), reflect.TypeFor[[]string]()

// columns lists the simple members of a row that its ids do not name already.
func (s spec) columns() (out []column) {
	named := map[string]bool{}
	for _, i := range s.ids {
		named[i.member] = true
	}
	for _, c := range flatten(s.row, nil) {
		if c.name = s.prefix + c.name; !named[strings.Join(c.path, ".")] {
			out = append(out, c)
		}
	}
	return out
}

func flatten(t reflect.Type, path []string) (out []column) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			out = append(out, flatten(f.Type, path)...)
			continue
		}
		member, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := append(append([]string{}, path...), member)
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch {
		case f.Type == activityType, kind.Kind() == reflect.Slice && f.Type != textsType: // tables of their own
		case kind.Kind() == reflect.Struct && kind != timeType:
			out = append(out, flatten(kind, at)...)
		default:
			out = append(out, column{strings.Join(at, "_"), at, f.Type == textsType})
		}
	}
	return out
}

// sheetOf is a table of the ZIP: its file, its columns that name rows, and those of its members. Two specs may share one.
type sheetOf struct {
	file string
	ids  []string
	own  []column
}

// activityColumn names the member that a row of activities is.
const activityColumn = "activity"

// sheets lists every table in the order of the layout.
func sheets() (out []sheetOf) {
	var visit func(s spec, around []string)
	visit = func(s spec, around []string) {
		ids := around
		for _, i := range s.ids {
			ids = append(append([]string{}, ids...), i.column)
		}
		if s.one != nil {
			ids = append(append([]string{}, ids...), activityColumn)
		}
		known := false
		for _, x := range out {
			known = known || x.file == s.file // the deepest comes first, and has all columns
		}
		if !known {
			out = append(out, sheetOf{s.file, ids, s.columns()})
		}
		for _, child := range s.of {
			visit(child, ids)
		}
	}
	visit(layout, nil)
	return out
}
