package analytics

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Definition is all that the house knows of a figure before it is asked: from it come the page with chart and table, the operation of the API,
// the files and the command. A new figure is a Definition with a query.
type Definition struct {
	ID       string
	Paper    string // its number in the paper, or empty
	Version  int    // changes when what is counted does
	Title    catalog.Text
	Says     catalog.Text // what is counted, of whom, and how the rates are made
	Params   []Param
	Times    bool // it can be asked for a past instant
	Money    bool // it tells of money: where it was sold through a sandbox, it says so
	Form     bool // a form of the institute: it is printed as PDF too
	Personal bool // it is of one learner: only who may read grades is told
	answer   func(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error
}

// Param is something that a figure can be asked with, beside the times.
type Param struct {
	ID       string
	Title    catalog.Text
	Required bool
	Many     bool     // several, with commas between them
	Ordered  bool     // of several: their order says something
	Of       []string // the values; nil: any
	Default  string
	Instant  bool // a time, as days or instants are written
}

// Ask is a question for a figure. Zero times are now; parameters that are not given have the default of the definition.
type Ask struct {
	AsOf, KnownAt time.Time
	Params        map[string]string
	OneByOne      bool                         // the rows are wanted once, in their order, by MarshalJSON alone: thousands need not stand beside each other
	Named         func(session string) []int64 // of whom a partner knows by name how far they are, by nested; nil: of nobody
}

func (a Ask) list(param string) (all []string) {
	for _, s := range strings.Split(a.Params[param], ",") {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// once leaves of equal values the first.
func once(all []string) (out []string) {
	for _, v := range all {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// Kind is what the cells of a column hold.
type Kind string

// The kinds.
const (
	Text    Kind = "text"
	Count   Kind = "count"
	Share   Kind = "share" // a Rate
	Amount  Kind = "amount"
	Instant Kind = "time"
	Tenths  Kind = "tenths" // of a per cent, or of what the title says
	Points  Kind = "points" // a Mean of a scale
)

// Column is one column of a figure.
type Column struct {
	ID     string
	Kind   Kind
	Title  catalog.Text
	Beside string // the column of whose cells it says something: for people it stands in them
	Points bool   // tenths that are no share: points of per cent, which people read without the sign
}

// Cell is one value; the field of the kind of its column is set. Nothing is set where there is no value, or where it is kept back.
type Cell struct {
	Text   string
	Said   catalog.Text // what people read instead of Text
	Count  *int64       // also tenths
	Mean   *int64       // of shares, in tenths of a per cent; it is the share of nobody, and has no interval
	Rate   *Rate
	Amount *money.Amount
	At     *time.Time
	Points *Mean   // of a scale
	Who    *WhoDid // who stands behind the number
}

// Row is a row of cells in the order of the columns. Open: the numbers of its session may still grow. Summary: it sums up other rows.
type Row struct {
	Cells   []Cell
	Open    bool
	Summary bool
}

// Base is a number of people (or of what its title says) that the figure is of.
type Base struct {
	ID    string
	Title catalog.Text
	N     int64
}

// Chart says which columns are drawn, and how. A bridge goes from the first of its values to the last, which begin at nought, by those between them; a
// crossing is of people, how many of them carry the costs, what they left, and the costs, in this order.
type Chart struct {
	Kind   string // bars, stack, bubble, matrix, waterfall, bridge, crossing, sets, columns, dumbbell, flow
	X, Y   string // ids of columns; X of a stack is empty; without a Y each value stands at what is beside it, or at its own title
	Values []string
	Facet  string // one panel for each value of this column
	Hover  []string
	Less   []string // of a bridge: the values that are taken off
	Alike  bool     // on the same scale as the other drawings of the figure that are so: they are read side by side
	Pivot  bool     // the table for people has a row for each Y and a column for each X
}

// Figure is a definition with its answer. The same Ask with both times has the same answer for ever.
type Figure struct {
	Definition
	Ask       Ask
	About     string // whom it is of, by name; for people alone, who may change her name
	Basis     string // current, ever, or empty where the figure is not of enrolments
	Week1Rule string
	Base      []Base
	Columns   []Column
	Rows      []Row
	lay       func(do func(Row)) // gives the rows instead, where they were asked for one by one: a row is gone when the next comes
	laid      int                // how many
	Charts    []Chart
	Notes     []catalog.Text
	At        time.Time // the instant that is asked for, or that of the answer: files leave it out, so that the same question has the same bytes tomorrow
	Open      bool      // some number may still grow
	Demo      bool      // sold through a sandbox: no real money is in it
}

// Faults of figures.
var (
	ErrNoFigure = fault.New(fault.NotFound, "no-such-figure", "There is no such figure.")
	ErrNoTimes  = fault.New(fault.Invalid, "figure-has-no-past", "This figure is of now alone; it takes no as_of.")
)

func badParam(param, detail string) error {
	return fault.InvalidInput(fault.Field{Pointer: "query/" + param, Code: "bad-parameter", Detail: detail})
}

// Definitions lists every figure, in the order of the paper and then of money.
func Definitions() []Definition {
	return slices.Concat(exerciseFigures(), sessionFigures(), commonFigures(), flowFigures(), changeFigures(), surveyFigures(), forumFigures(), moneyFigures(), listFigures(), dashboardFigures(), bilanFigures(), contactFigures())
}

// DefinitionOf finds one. Errors: ErrNoFigure.
func DefinitionOf(id string) (Definition, error) {
	for _, d := range Definitions() {
		if d.ID == id {
			return d, nil
		}
	}
	return Definition{}, ErrNoFigure
}

// FigureOf answers. Errors: ErrNoFigure, ErrNoTimes, a fault of input for a parameter that is missing, unknown or wrong, and those of the rooms
// that know what is asked for (catalog.ErrNoSession).
func FigureOf(ctx context.Context, db *postgres.DB, id string, ask Ask) (f Figure, err error) {
	d, err := DefinitionOf(id)
	if err != nil {
		return f, err
	}
	if ask, err = d.complete(ask); err != nil {
		return f, err
	}
	// What is asked differs little in what it reads, and to plan the longest of these anew takes longer than to run them; left to itself the server does
	// so or not by what it believes that policies cost.
	err = db.View(postgres.WithGenericPlans(ctx), "figure "+id, func(ctx context.Context, tx *postgres.Tx) error {
		f = Figure{Definition: d, Ask: ask, At: instantOf(tx, ask.AsOf)}
		return d.answer(ctx, tx, ask, &f)
	})
	return f, err
}

// complete fills in the defaults and refuses what the figure is not asked with.
func (d Definition) complete(ask Ask) (Ask, error) {
	if !d.Times && (!ask.AsOf.IsZero() || !ask.KnownAt.IsZero()) {
		return ask, ErrNoTimes
	}
	given := ask.Params
	ask.Params = map[string]string{}
	for _, p := range d.Params {
		v := given[p.ID]
		if v == "" {
			v = p.Default
		}
		if v == "" && p.Required {
			return ask, badParam(p.ID, "This figure is asked with it.")
		}
		ask.Params[p.ID] = v
		for _, one := range (Ask{Params: ask.Params}).list(p.ID) {
			if p.Of != nil && !slices.Contains(p.Of, one) {
				return ask, badParam(p.ID, "One of: "+strings.Join(p.Of, ", ")+".")
			}
		}
		if all := ask.list(p.ID); !p.Many && len(all) > 1 {
			return ask, badParam(p.ID, "One value.")
		}
	}
	for name, v := range given {
		if _, known := ask.Params[name]; !known && v != "" {
			return ask, badParam(name, "This figure is not asked with it.")
		}
	}
	return ask, nil
}

// sessionTx finds the session that a figure is asked for, as it was known, and notes whether it is open.
func (f *Figure) sessionTx(ctx context.Context, tx *postgres.Tx, param string) (catalog.Glimpse, error) {
	s, err := catalog.GlimpseTx(ctx, tx, f.Ask.Params[param], f.Ask.KnownAt)
	if err == nil {
		f.Ask.Params[param] = s.Key
		f.Open = f.Open || openAt(tx, s, f.Ask.AsOf)
	}
	return s, err
}

func (f *Figure) base(id, en, fr string, n int64) {
	f.Base = append(f.Base, Base{id, catalog.Text{EN: en, FR: fr}, n})
}

// note adds what has to be known to read the numbers.
func (f *Figure) note(en, fr string) { f.Notes = append(f.Notes, catalog.Text{EN: en, FR: fr}) }

func col(id string, k Kind, en, fr string) Column {
	return Column{ID: id, Kind: k, Title: catalog.Text{EN: en, FR: fr}}
}

func textCell(s string) Cell { return Cell{Text: s} }

func saidCell(id, en, fr string) Cell { return Cell{Text: id, Said: catalog.Text{EN: en, FR: fr}} }

func countCell(n int64) Cell { return Cell{Count: &n} }

func shareCell(count, of int64) Cell {
	r := NewRate(count, of)
	return Cell{Rate: &r}
}

func timeCell(t time.Time) Cell { return Cell{At: &t} }

func amountCell(minor int64, c money.Currency) Cell {
	a := money.Of(minor, c)
	return Cell{Amount: &a}
}

// appendCounts adds a cell for each number, which stand together in memory: a cube has tens of thousands.
func appendCounts(cells []Cell, n []int64) []Cell {
	for i := range n {
		cells = append(cells, Cell{Count: &n[i]})
	}
	return cells
}

// Parameters that several figures share.
var (
	ofSession = Param{ID: "session", Title: catalog.Text{EN: "Session", FR: "Session"}, Required: true}
	byBasis   = Param{ID: "basis", Title: catalog.Text{EN: "Basis", FR: "Base"}, Of: []string{"current", "ever"}, Default: "current"}
	byRule    = Param{ID: "week1_rule", Title: catalog.Text{EN: "Week-1 rule", FR: "Règle de la semaine 1"}, Of: []string{"first", "all", "any", "none"}, Default: "first"}
	byMode    = Param{ID: "mode", Title: catalog.Text{EN: "Counted", FR: "Compté"}, Of: []string{gradebook.FirstDone, gradebook.LastChange}, Default: gradebook.FirstDone}
)

// labelOf tells exercises of one label apart by their number.
func labelOf(label string, occurrence int) string {
	if occurrence == 0 {
		return label
	}
	return fmt.Sprintf("%s #%d", label, occurrence+1)
}
