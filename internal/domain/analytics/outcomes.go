package analytics

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Outcomes say what the paid formula of a session became, and what each euro bought (the paper's Figure 10 joined to the
// ledger). All counts are of the enrolments with a paid formula in force; the money is that of the same enrolments.
type Outcomes struct {
	Session           string     `json:"session"`
	Course            string     `json:"course"`
	Title             string     `json:"title"`
	Open              bool       `json:"open"` // the numbers may still grow
	Formula           string     `json:"formula"`
	Basis             string     `json:"basis"`
	Week1Rule         string     `json:"week1_rule"`
	AsOf              *time.Time `json:"as_of,omitempty"`
	KnownAt           *time.Time `json:"known_at,omitempty"`
	Enrolled          int64      `json:"enrolled"` // in the session, whatever the formula
	Paid              int64      `json:"paid"`     // of them with a paid formula in force
	Share             Rate       `json:"share_of_enrolled"`
	Started           Rate       `json:"started"`
	Diligent          Rate       `json:"diligent"`
	DiligentCertified Rate       `json:"certified_of_diligent"`
	Eligible          Rate       `json:"eligible"`
	Sat               Rate       `json:"sat"`
	Certified         Rate       `json:"certified"`
	Money             []Revenue  `json:"money"` // by currency
	Demo              bool       `json:"demo"`  // sold through a sandbox: no real money is in it
}

// Revenue is net: sales − refunds − lost disputes. Per… is divided half up on minor units; nil without people. Where there is money in several
// currencies, what came in is of those who paid in it, and what was spent of those who paid or cost something in it.
type Revenue struct {
	Paid      int64 `json:"paid"`
	Started   int64 `json:"started"`
	Diligent  int64 `json:"diligent"`
	Certified int64 `json:"certified"`
	Bearing   Heads `json:"cost_of"` // whom the cost is of

	Net          money.Amount  `json:"net"`
	PerStarted   *money.Amount `json:"net_per_started"`
	PerDiligent  *money.Amount `json:"net_per_diligent"`
	PerCertified *money.Amount `json:"net_per_certified"`
	// What the same enrolments cost, as far as costs were recorded (workshop days, labs, fees, shares of partners), and what is left; nil: no cost was recorded.
	Cost                     *money.Amount `json:"cost,omitempty"`
	Contribution             *money.Amount `json:"contribution,omitempty"` // net − cost
	CostPerStarted           *money.Amount `json:"cost_per_started,omitempty"`
	CostPerDiligent          *money.Amount `json:"cost_per_diligent,omitempty"`
	CostPerCertified         *money.Amount `json:"cost_per_certified,omitempty"`
	ContributionPerCertified *money.Amount `json:"contribution_per_certified,omitempty"`
}

// Heads are people by the stages that money is divided by.
type Heads struct {
	Paid      int64 `json:"paid"`
	Started   int64 `json:"started"`
	Diligent  int64 `json:"diligent"`
	Certified int64 `json:"certified"`
}

func headsOf(c journey.Counts) Heads { return Heads{c.Enrolled, c.Started, c.Diligent, c.Certified} }

func (h Heads) plus(g Heads) Heads {
	return Heads{h.Paid + g.Paid, h.Started + g.Started, h.Diligent + g.Diligent, h.Certified + g.Certified}
}

// OutcomesOf answers for one session. Errors: catalog.ErrNoSession, journey.ErrBasis, journey.ErrWeek1Rule.
func OutcomesOf(ctx context.Context, db *postgres.DB, question Question) (out Outcomes, err error) {
	err = db.View(ctx, "outcomes", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = OutcomesTx(ctx, tx, question)
		return err
	})
	return out, err
}

// OutcomesTx is OutcomesOf in the caller's transaction.
func OutcomesTx(ctx context.Context, tx *postgres.Tx, question Question) (out Outcomes, err error) {
	s, err := catalog.GlimpseTx(ctx, tx, question.Session, question.KnownAt)
	if err != nil {
		return out, err
	}
	all, err := outcomesTx(ctx, tx, question, s)
	if err != nil {
		return out, err
	}
	return all[0], nil
}

// outcomesTx answers for several sessions, in their order; the session of the question does not matter.
func outcomesTx(ctx context.Context, tx *postgres.Tx, question Question, sessions ...catalog.Glimpse) ([]Outcomes, error) {
	question.Basis, question.Week1Rule = cmp.Or(question.Basis, "current"), cmp.Or(question.Week1Rule, "first")
	ids := idsOf(sessions)
	ask := journey.Question{AsOf: question.AsOf, KnownAt: question.KnownAt, Basis: question.Basis, Week1Rule: question.Week1Rule}
	all, paid, err := journey.CountsAndPayingTx(ctx, tx, ask, ids...)
	if err != nil {
		return nil, err
	}
	cells, err := CubeTx(ctx, tx, CubeQuestion{
		By: []string{"session"}, Sessions: ids, Basis: question.Basis, Week1Rule: question.Week1Rule, AsOf: question.AsOf, KnownAt: question.KnownAt,
		Paying: true,
	})
	if err != nil {
		return nil, err
	}
	sums := map[string][]CubeCell{}
	for _, c := range cells {
		sums[c.Session] = append(sums[c.Session], c)
	}
	by := question.AsOf // an order is placed when we learn of it
	if k := question.KnownAt; !k.IsZero() && (by.IsZero() || k.Before(by)) {
		by = k
	}
	demo, err := sales.DemoTx(ctx, tx, given(by), ids...)
	if err != nil {
		return nil, err
	}
	out := make([]Outcomes, len(sessions))
	for i, s := range sessions {
		out[i] = Outcomes{
			Session: s.Key, Course: s.CourseKey, Title: s.Title().In("en"), Open: openAt(tx, s, question.AsOf), Formula: "QUALIFYING",
			Basis: question.Basis, Week1Rule: question.Week1Rule, AsOf: given(question.AsOf), KnownAt: given(question.KnownAt), Demo: slices.Contains(demo, s.ID),
		}
		out[i].fill(all[s.ID], paid[s.ID], sums[s.Key])
	}
	return out, nil
}

// fill takes the people of all and of those who paid, and the money of the latter, a cell for each currency.
func (o *Outcomes) fill(all, paid journey.Counts, cells []CubeCell) {
	o.Enrolled, o.Paid = all.Enrolled, paid.Enrolled
	o.Share = NewRate(paid.Enrolled, all.Enrolled)
	o.Started, o.Diligent = NewRate(paid.Started, paid.Enrolled), NewRate(paid.Diligent, paid.Enrolled)
	o.DiligentCertified = NewRate(paid.Certified, paid.Diligent)
	o.Eligible, o.Sat, o.Certified = NewRate(paid.Eligible, paid.Enrolled), NewRate(paid.Sat, paid.Enrolled), NewRate(paid.Certified, paid.Enrolled)
	cells = slices.DeleteFunc(slices.Clone(cells), func(c CubeCell) bool { // the money is of others
		return c.Currency == "" || c.Gross == 0 && c.Refunds == 0 && c.Disputes == 0 && c.Fees == 0 && c.Costs == 0
	})
	o.Money = []Revenue{}
	for _, c := range cells {
		came, spent := headsOf(c.payers().Counts), headsOf(c.bearers().Counts)
		if len(cells) == 1 { // whoever paid nothing, with a voucher, is one of those who paid
			came = headsOf(paid)
			spent = came
		}
		o.Money = append(o.Money, revenueOf(c, came, spent))
	}
}

// revenueOf is the money of a cell, and what of it comes to one of the people whose payments, and whose costs, are in it.
func revenueOf(c CubeCell, of, bearing Heads) Revenue {
	r := Revenue{Paid: of.Paid, Started: of.Started, Diligent: of.Diligent, Certified: of.Certified, Bearing: bearing, Net: money.Of(c.Net(), c.Currency)}
	if cost := c.Fees + c.Costs; cost != 0 {
		spent, left := money.Of(cost, c.Currency), money.Of(c.Contribution(), c.Currency)
		r.Cost, r.Contribution = &spent, &left
		r.CostPerStarted, r.CostPerDiligent, r.CostPerCertified = per(spent, bearing.Started), per(spent, bearing.Diligent), per(spent, bearing.Certified)
		r.ContributionPerCertified = per(left, bearing.Certified)
	}
	r.PerStarted, r.PerDiligent, r.PerCertified = per(r.Net, of.Started), per(r.Net, of.Diligent), per(r.Net, of.Certified)
	return r
}

func per(a money.Amount, n int64) *money.Amount {
	if each, ok := a.Per(n); ok {
		return &each
	}
	return nil
}

// openAt says whether what is counted of a session may still grow, by the dates that it is given with: those that were known.
func openAt(tx *postgres.Tx, s catalog.Glimpse, at time.Time) bool {
	return s.StateAt(instantOf(tx, at)) != catalog.Closed
}

// instantOf is an instant that is asked for; zero is now.
func instantOf(tx *postgres.Tx, at time.Time) time.Time {
	if at.IsZero() {
		return tx.Now()
	}
	return at
}

func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Rates lists the shares with their metric ids, in the order of the funnel.
func (o Outcomes) Rates() []Metric {
	return []Metric{
		{"qualifying_share", "paid / enrolled", 1, o.Share}, {"started", "started / paid", 1, o.Started}, {"diligent", "diligent / paid", 1, o.Diligent},
		{"eligible", "eligible / paid", 1, o.Eligible}, {"sat", "sat / paid", 1, o.Sat}, {"certified", "certified / paid", 1, o.Certified},
		{"certified_of_diligent", "certified / diligent", 1, o.DiligentCertified},
	}
}

// Line is an amount with its metric id, its formula and the number of people that it was divided by (1: the sum itself).
type Line struct {
	ID, Formula string
	Of          int64
	Amount      *money.Amount
}

// Lines lists the amounts of one currency.
func (r Revenue) Lines() []Line {
	lines := []Line{
		{"net_revenue", "sales − refunds − lost disputes", 1, &r.Net}, {"net_per_started", "net / started", r.Started, r.PerStarted},
		{"net_per_diligent", "net / diligent", r.Diligent, r.PerDiligent}, {"net_per_certified", "net / certified", r.Certified, r.PerCertified},
	}
	if r.Cost != nil {
		lines = append(lines, Line{"cost", "all costs of the enrolments: workshop days, labs, fees, shares of partners", 1, r.Cost}, Line{"contribution", "net − cost", 1, r.Contribution},
			Line{"cost_per_started", "cost / started", r.Bearing.Started, r.CostPerStarted},
			Line{"cost_per_diligent", "cost / diligent", r.Bearing.Diligent, r.CostPerDiligent}, Line{"cost_per_certified", "cost / certified", r.Bearing.Certified, r.CostPerCertified},
			Line{"contribution_per_certified", "contribution / certified", r.Bearing.Certified, r.ContributionPerCertified})
	}
	return lines
}

// JSON writes the report with two-space indentation and a final line end.
func (o Outcomes) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(o)
}

// CSV writes one line per number; empty cells are numbers that do not exist.
func (o Outcomes) CSV(w io.Writer) error {
	demo := strconv.FormatBool(o.Demo)
	lines := [][]string{
		{"session", "formula", "metric", "version", "basis", "week1_rule", "count", "of", "tenths_of_percent", "wilson95_low_tenths", "wilson95_high_tenths", "amount_minor", "currency", "demo"},
		{o.Session, o.Formula, "paid", "1", o.Basis, o.Week1Rule, strconv.FormatInt(o.Paid, 10), "", "", "", "", "", "", demo},
	}
	for _, m := range o.Rates() {
		lines = append(lines, []string{o.Session, o.Formula, m.ID, "1", o.Basis, o.Week1Rule, strconv.FormatInt(m.Rate.Count, 10), strconv.FormatInt(m.Rate.Of, 10),
			number(m.Rate.Tenths), number(m.Rate.Low), number(m.Rate.High), "", "", demo})
	}
	for _, r := range o.Money {
		for _, l := range r.Lines() {
			minor := ""
			if l.Amount != nil {
				minor = strconv.FormatInt(l.Amount.Minor, 10)
			}
			lines = append(lines, []string{o.Session, o.Formula, l.ID, "1", o.Basis, o.Week1Rule, "", "", "", "", "", minor, string(r.Net.Currency), demo})
		}
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// Table writes the report for people.
func (o Outcomes) Table(w io.Writer) error {
	state := "closed"
	if o.Open {
		state = "open: the numbers may still grow"
	}
	if o.Demo {
		fmt.Fprintln(w, "DEMONSTRATION: sold through a sandbox, no real money is in these numbers.")
	}
	fmt.Fprintf(w, "%s · %s (%s)\nformula %s: %d paid of %d enrolled, basis %s, week-1 rule %s\n", o.Session, o.Title, state, o.Formula, o.Paid, o.Enrolled, o.Basis, o.Week1Rule)
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\tcount\tof\trate\t95 %% interval\t\n")
	for _, m := range o.Rates() {
		interval := ""
		if m.Rate.Low != nil {
			interval = percent(m.Rate.Low) + " to " + percent(m.Rate.High)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t\n", m.ID, m.Rate.Count, m.Rate.Of, percent(m.Rate.Tenths), interval)
	}
	for _, r := range o.Money {
		for _, l := range r.Lines() {
			text := "–"
			if l.Amount != nil {
				text = l.Amount.String()
			}
			fmt.Fprintf(t, "%s\t\t\t%s\t\t\n", l.ID, text)
		}
	}
	return t.Flush()
}
