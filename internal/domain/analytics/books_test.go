package analytics_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
	"pgregory.net/rapid"

	"cursus/internal/books/journey"
	"cursus/internal/books/ledger"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

// house is where rounds take place, one after the other.
type house struct {
	db     *postgres.DB
	clock  *clock.Manual
	book   *gradebook.Service
	all    []catalog.Session // of all rounds
	posted int
}

func newHouse(t *testing.T) *house {
	c := clock.NewManual(time.Date(2019, 3, 1, 12, 0, 0, 0, time.UTC))
	db := testkit.Open(t, testkit.OwnerDSN(t), c)
	return &house{db: db, clock: c, book: gradebook.New(db, jobs.New(db, nil))}
}

// school is two sessions to which grades and money come at random.
type school struct {
	*house
	t         *rapid.T
	exercises []catalog.Exercise
	sessions  []catalog.Session
}

// round opens a school; nothing of an earlier one reaches into it.
func (h *house) round(r *rapid.T) *school {
	h.clock.Advance(10_000 * time.Hour)
	s := &school{house: h, t: r}
	var err error
	if s.exercises, err = catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHW 01,1\nHW 02,2\n")); err != nil {
		r.Fatal(err)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for _, course := range []string{"A", "B"} {
			key := fmt.Sprint(course, "-", len(h.all)/2+1)
			one, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: key, CourseKey: course + "C", Title: catalog.Text{EN: key}, Platform: "fun", ThresholdPPM: 500_000, Exercises: s.exercises})
			if err != nil {
				return err
			}
			s.sessions = append(s.sessions, one)
		}
		return nil
	})
	h.all = append(h.all, s.sessions...)
	return s
}

// lately is up to a month ago.
func (s *school) lately() time.Time {
	return s.clock.Now().Add(-time.Duration(rapid.IntRange(0, 720).Draw(s.t, "hours ago")) * time.Hour)
}

// enrolments are those of the school.
func (s *school) enrolments(ctx context.Context, tx *postgres.Tx) (all []string, err error) {
	err = tx.Select(ctx, &all, postgres.Query{Name: "test", SQL: "select enrolment_id from journey.enrolments where session_id = any($1) order by enrolment_id"}, pq.Array([]string{s.sessions[0].ID, s.sessions[1].ID}))
	return all, err
}

func (s *school) inTx(work func(ctx context.Context, tx *postgres.Tx) error) {
	if err := s.db.InTx(system, "test", work); err != nil {
		s.t.Fatal(err)
	}
}

// grades imports a report of some learners, made up to a month ago: late ones, un-enrolments, returns, regrades and drops to nought come of it.
func (s *school) grades() { s.report("0", "0.25", "0.5", "0.75", "1.0") }

func (s *school) report(scores ...string) {
	session := rapid.SampledFrom(s.sessions).Draw(s.t, "session")
	at := s.lately().Truncate(time.Second)
	report := "id,username,grade,HW 01,HW 02,Cohort Name\n"
	for i := range 4 {
		if rapid.Bool().Draw(s.t, "is in it") || i == 0 {
			score := func(what string) string {
				return rapid.SampledFrom(scores).Draw(s.t, what)
			}
			report += fmt.Sprintf("%d,u%d,%s,%s,%s,\n", i, i, score("grade"), score("HW 01"), score("HW 02"))
		}
	}
	if _, err := s.book.Import(system, gradebook.Intake{SessionID: session.ID, FileName: "r.csv", CollectedAt: at, Content: []byte(report)}); err != nil && !strings.Contains(err.Error(), "same time") {
		s.t.Fatal(err)
	}
}

// money posts a sale, a refund, a lost dispute or a cost, of an enrolment or of an order that has none yet.
func (s *school) money() {
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := s.enrolments(ctx, tx)
		if err != nil {
			return err
		}
		all = append(all, "") // of nobody
		e := ledger.Entry{Account: rapid.SampledFrom([]string{ledger.Revenue, ledger.Refunds, ledger.Disputes, ledger.WorkshopCost, ledger.LabCost, "cost:fees"}).Draw(s.t, "account"), OrderID: "ord_x", EnrolmentID: rapid.SampledFrom(all).Draw(s.t, "enrolment")}
		e.Minor = rapid.Int64Range(1, 20000).Draw(s.t, "minor")
		if e.Account == ledger.Revenue {
			e.Minor = -e.Minor
		}
		s.posted++
		return ledger.PostTx(ctx, tx, ledger.Posting{
			Reference: fmt.Sprint("r", s.posted), Kind: "test", Currency: rapid.SampledFrom([]money.Currency{"EUR", "XOF"}).Draw(s.t, "currency"),
			OccurredAt: s.lately(),
			Entries:    []ledger.Entry{e, {Account: ledger.Receivable, Minor: -e.Minor, OrderID: "ord_x"}},
		})
	})
}

// addsUp holds the cube against the two books.
func (s *school) addsUp(ask analytics.CubeQuestion) {
	if err := s.db.View(system, "cube", func(ctx context.Context, tx *postgres.Tx) error {
		cells, err := analytics.CubeTx(ctx, tx, ask)
		if err != nil {
			return err
		}
		people, sums := journey.Counts{}, map[money.Currency][5]int64{}
		for _, c := range cells {
			people = people.Plus(c.Counts)
			if m := sums[c.Currency]; c.Currency != "" {
				sums[c.Currency] = [5]int64{m[0] + c.Gross, m[1] + c.Refunds, m[2] + c.Disputes, m[3] + c.Fees, m[4] + c.Costs}
			}
		}
		var want journey.Counts
		for _, session := range s.all {
			n, err := journey.CountsTx(ctx, tx, journey.Question{SessionID: session.ID, AsOf: ask.AsOf, KnownAt: ask.KnownAt, Basis: ask.Basis, Week1Rule: ask.Week1Rule})
			if err != nil {
				return err
			}
			want = want.Plus(n)
		}
		if people != want {
			s.t.Errorf("%+v counts %+v, the journey %+v", ask, people, want)
		}
		var rows []struct {
			Currency money.Currency `db:"currency"`
			Account  string         `db:"account"`
			Minor    int64          `db:"minor"`
		}
		if err := tx.Select(ctx, &rows, postgres.Query{Name: "test", SQL: `select t.currency, e.account, sum(e.minor)::bigint as minor from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
			 where e.account <> 'receivable' and ($1::timestamptz is null or t.occurred_at <= $1) and ($2::timestamptz is null or t.recorded_at <= $2) group by 1, 2`}, some(ask.AsOf), some(ask.KnownAt)); err != nil {
			return err
		}
		book := map[money.Currency][5]int64{}
		for _, r := range rows {
			m := book[r.Currency]
			i := map[string]int{ledger.Refunds: 1, ledger.Disputes: 2, "cost:fees": 3, ledger.WorkshopCost: 4, ledger.LabCost: 4}[r.Account]
			if i == 0 {
				r.Minor = -r.Minor // of revenue
			}
			m[i] += r.Minor
			book[r.Currency] = m
		}
		if fmt.Sprint(sums) != fmt.Sprint(book) {
			s.t.Errorf("%+v sums up to %v, the ledger to %v", ask, sums, book)
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
}

// moneyChanged holds the change of money of each session since a time against the cube of then and of now: what is between them is sold, given back
// and lost in between, and nothing else.
func (s *school) moneyChanged(since time.Time) {
	for _, session := range s.sessions {
		f, err := analytics.FigureOf(system, s.db, "change_money", analytics.Ask{Params: map[string]string{"session": session.Key, "since": since.UTC().Format(time.RFC3339Nano)}})
		if err != nil {
			s.t.Fatal(err)
		}
		said, want := map[money.Currency][2]int64{}, map[money.Currency][2]int64{}
		for _, r := range f.Rows {
			minor := func(i int) int64 { return r.Cells[i].Amount.Minor }
			said[money.Currency(r.Cells[0].Text)] = [2]int64{minor(1), minor(5)}
			if minor(1)+minor(2)+minor(3)+minor(4) != minor(5) {
				s.t.Errorf("%s: %s does not add up: %d %d %d %d is not %d", session.Key, r.Cells[0].Text, minor(1), minor(2), minor(3), minor(4), minor(5))
			}
		}
		if err := s.db.View(system, "cube", func(ctx context.Context, tx *postgres.Tx) error {
			for i, at := range []time.Time{since, {}} {
				cells, err := analytics.CubeTx(ctx, tx, analytics.CubeQuestion{Sessions: []string{session.ID}, AsOf: at})
				if err != nil {
					return err
				}
				for _, c := range cells {
					if c.Currency != "" {
						both := want[c.Currency]
						both[i] = c.Net()
						want[c.Currency] = both
					}
				}
			}
			return nil
		}); err != nil {
			s.t.Fatal(err)
		}
		if !maps.Equal(said, want) {
			s.t.Errorf("%s since %v: money was and is %v, the cube says %v", session.Key, since, said, want)
		}
	}
}

// isHistory holds what the sums answer against what all that was written does, along any dimensions, for any time, stage and sessions: whatever
// of it is summed up already.
func (s *school) isHistory() {
	ask := analytics.CubeQuestion{
		By:    rapid.SliceOfDistinct(rapid.SampledFrom(append([]string{"edition"}, analytics.Dimensions...)), rapid.ID[string]).Draw(s.t, "by"),
		Basis: rapid.SampledFrom([]string{"current", "ever"}).Draw(s.t, "basis"), Week1Rule: rapid.SampledFrom([]string{"first", "all", "any", "none"}).Draw(s.t, "rule"),
		MoneyOf: rapid.SliceOfN(rapid.SampledFrom([]journey.Stage{journey.Enrolled, journey.Started, journey.Succeeded, journey.Qualifying}), 0, 2).Draw(s.t, "money of"),
	}
	ask.Paying = rapid.Bool().Draw(s.t, "paying alone")
	if rapid.Bool().Draw(s.t, "one session") {
		ask.Sessions = []string{rapid.SampledFrom(s.sessions).Draw(s.t, "of").ID}
	}
	if rapid.Bool().Draw(s.t, "past") {
		ask.AsOf = s.lately()
	}
	var sums, history []analytics.CubeCell
	if err := s.db.View(system, "cube", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err := s.headsAre(ctx, tx, ask); err != nil {
			return err
		}
		if sums, err = analytics.CubeTx(ctx, tx, ask); err != nil {
			return err
		}
		ask.KnownAt = tx.Now()
		history, err = analytics.CubeTx(ctx, tx, ask)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	if !reflect.DeepEqual(sums, history) {
		s.t.Errorf("%+v: the sums say\n%+v\nand the history\n%+v", ask, sums, history)
	}
}

var test = postgres.MustLoad("test", `
-- name: StatesOfMany
with asked as (
    select at from generate_series($2::timestamptz - interval '3 days', $2, '9 hours') at -- of this round, and of the one before, whose days are summed up
     union all select at from generate_series($2::timestamptz - interval '10100 hours', $2 - interval '9900 hours', '9 hours') at union all select '9999-12-31'
), many as (
    select a.at, m.session_id, m.joined, m.reached, m.ever, sum(m.n) as n from asked a cross join lateral journey.states_at($1::text[] || array_fill('none'::text, array[31]), a.at, '9999-12-31') m
     group by 1, 2, 3, 4, 5 having sum(m.n) <> 0
), each as (
    select a.at, m.session_id, m.joined, m.reached, m.ever, sum(m.n) as n from asked a cross join unnest($1::text[]) s(id) cross join lateral journey.states_at(array[s.id], a.at, '9999-12-31') m
     group by 1, 2, 3, 4, 5 having sum(m.n) <> 0
)
select distinct at from many full join each using (at, session_id, joined, reached, ever, n) where many.session_id is null or each.session_id is null;
`)

// headsAre holds the heads of all sessions of all rounds, which are many, against their states.
func (s *school) headsAre(ctx context.Context, tx *postgres.Tx, ask analytics.CubeQuestion) error {
	var ids []string
	for _, one := range s.all {
		ids = append(ids, one.ID)
	}
	if len(ids) == 20 { // of many, and on each of the days before, states are read another way than of a few: each must be of the same people
		var unlike []time.Time
		if err := tx.Select(ctx, &unlike, test.Q("StatesOfMany"), pq.Array(ids), tx.Now()); err != nil {
			return err
		}
		if len(unlike) > 0 {
			s.t.Errorf("as of %v many sessions have states that they have not one by one", unlike)
		}
	}
	if rapid.Bool().Draw(s.t, "many") {
		for i := range 31 {
			ids = append(ids, fmt.Sprint("none ", i))
		}
	}
	question := journey.Question{Basis: ask.Basis, Week1Rule: ask.Week1Rule, AsOf: ask.AsOf, Qualifying: rapid.Bool().Draw(s.t, "qualifying")}
	heads, err := journey.CountsOfTx(ctx, tx, question, ids...)
	if err != nil {
		return err
	}
	question.KnownAt = tx.Now()
	states, err := journey.CountsOfTx(ctx, tx, question, ids...)
	if !maps.Equal(heads, states) {
		s.t.Errorf("%+v: the heads are %v, the states %v", question, heads, states)
	}
	return err
}

// setsAre holds who is in both sessions against all that was written: at any stage, on any basis, now, at one time and as it was known at one.
func (s *school) setsAre() {
	at, knownAt := s.lately(), s.clock.Now().Add(-time.Duration(rapid.IntRange(0, 5).Draw(s.t, "hours"))*time.Hour)
	ids := []string{s.sessions[0].ID, s.sessions[1].ID}
	for _, stage := range []journey.Stage{journey.Enrolled, journey.Started, journey.Succeeded} {
		for _, basis := range []string{"current", "ever"} {
			for _, times := range [][2]time.Time{{}, {at}, {at, knownAt}} {
				var history journey.Sets
				if err := s.db.View(system, "sets", func(ctx context.Context, tx *postgres.Tx) error {
					sums, err := analytics.SetsTx(ctx, tx, ids, stage, basis, times[0], times[1])
					if err != nil {
						return err
					}
					history, err = journey.SetsTx(ctx, tx, ids, stage, basis, times[0], times[1])
					if !maps.Equal(sums, history) {
						s.t.Errorf("%s %s %v: the couples say %v, the history %v", stage, basis, times, sums, history)
					}
					return err
				}); err != nil {
					s.t.Fatal(err)
				}
				s.sharedIs(history, analytics.Ask{AsOf: times[0], KnownAt: times[1], Params: map[string]string{
					"session": s.sessions[0].Key, "sessions": s.sessions[1].Key, "stage": string(stage), "basis": basis,
				}})
			}
		}
	}
}

// sharedIs holds the figure of dual enrolment of both sessions against who is in which by all that was written.
func (s *school) sharedIs(history journey.Sets, ask analytics.Ask) {
	f, err := analytics.FigureOf(system, s.db, "dual_enrolment", ask)
	if err != nil {
		s.t.Fatal(err)
	}
	said, holds := "", ""
	for _, r := range f.Rows {
		said = fmt.Sprint(*r.Cells[1].Count, " ", r.Cells[2].Rate.Count, "/", r.Cells[2].Rate.Of)
	}
	if there := history.In(2); there > 0 {
		holds = fmt.Sprint(there, " ", history.In(3), "/", history.In(1))
	}
	if said != holds {
		s.t.Errorf("%+v: dual enrolment says %q, the history %q", ask, said, holds)
	}
}

// sumsUp has what was written go into the sums, or not yet.
func (s *school) sumsUp() {
	if rapid.Bool().Draw(s.t, "summed up") {
		if _, err := analytics.SumUp(context.Background(), s.db); err != nil {
			s.t.Fatal(err)
		}
	}
	if rapid.Bool().Draw(s.t, "days") {
		if _, err := journey.SumDays(system, s.db); err != nil {
			s.t.Fatal(err)
		}
	}
}

// pays gives somebody a grant, paid or not; it may be the second one.
func (s *school) pays() {
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := s.enrolments(ctx, tx)
		if err != nil || len(all) == 0 {
			return err
		}
		s.posted++
		id, paid := rapid.SampledFrom(all).Draw(s.t, "who pays"), rapid.Bool().Draw(s.t, "qualifying")
		if _, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "insert into enrolment.grants (id, enrolment_id, order_id, formula, entitlements, qualifying, granted_at) values ($1, $2, $3, 'F', '{}', $4, $5)"},
			fmt.Sprint("grt_", s.posted), id, fmt.Sprint("ord_", s.posted), paid, s.lately()); err != nil {
			return err
		}
		return journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: id, Stage: journey.Qualifying, At: s.lately(), Reached: paid, Cause: "test"}})
	})
}

func some(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// answers asks for every figure that has a past and gives the bytes.
func (s *school) answers(asOf, knownAt time.Time) map[string]string {
	out := map[string]string{}
	for _, d := range analytics.Definitions() {
		if !d.Times {
			continue
		}
		with := map[string]string{}
		for _, p := range d.Params {
			switch {
			case p.ID == "enrolment":
				if err := s.db.View(system, "one", func(ctx context.Context, tx *postgres.Tx) error {
					all, err := s.enrolments(ctx, tx)
					if err == nil {
						with[p.ID] = all[0]
					}
					return err
				}); err != nil {
					s.t.Fatal(err)
				}
			case p.ID == "other":
				with[p.ID] = s.sessions[1].Key
			case p.ID == "sessions" && p.Required:
				with[p.ID] = s.sessions[0].Key + "," + s.sessions[1].Key
			case p.Required && p.Instant:
				with[p.ID] = asOf.Add(-240 * time.Hour).Format(time.RFC3339)
			case p.ID == "program":
				with[p.ID] = "SEQUENCE"
			case p.ID == "partner":
				with[p.ID] = "SCHOOL"
			case p.ID == "list":
				with[p.ID] = analytics.BehindSchedule
			case p.ID == "of": // the sessions are of the far past of the next rounds
				with[p.ID] = "all"
			case p.Required && p.Of == nil && p.Default == "":
				with[p.ID] = s.sessions[0].Key
			}
		}
		f, err := analytics.FigureOf(system, s.db, d.ID, analytics.Ask{AsOf: asOf, KnownAt: knownAt, Params: with})
		if err != nil {
			s.t.Fatal(d.ID, err)
		}
		var b bytes.Buffer
		if err := f.JSON(&b); err != nil {
			s.t.Fatal(err)
		}
		if err := f.CSV(&b); err != nil {
			s.t.Fatal(err)
		}
		out[d.ID] = b.String()
	}
	return out
}

// Whatever is imported, regraded, sold and refunded, in whatever order it becomes known: the cube sums up to the two books along any
// dimensions, for any time; and what a figure once answered for a pair of times, it answers for ever.
func TestFiguresAddUpAndStay(t *testing.T) {
	if err := flag.Set("rapid.checks", "15"); err != nil { // each asks every figure twice
		t.Fatal(err)
	}
	h := newHouse(t)
	if err := h.db.InTx(system, "test", func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "SCHOOL", "School"); err != nil {
			return err
		}
		_, err := programs.SaveDraftTx(ctx, tx, "SEQUENCE", programs.Content{Title: catalog.Text{EN: "S", FR: "S"}, Language: "en"}, programs.New)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		s := h.round(r)
		s.grades()
		var then map[string]string
		var asOf, knownAt time.Time
		steps := rapid.IntRange(4, 10).Draw(r, "steps")
		for i := range steps {
			h.clock.Advance(time.Hour)
			switch rapid.SampledFrom([]string{"grades", "money", "grant"}).Draw(r, "step") {
			case "grades":
				s.grades()
			case "money":
				s.money()
			default:
				s.pays()
			}
			s.sumsUp()
			s.isHistory()
			s.setsAre()
			if i == steps/2 {
				asOf, knownAt = h.clock.Now().Add(-time.Duration(rapid.IntRange(0, 500).Draw(r, "back"))*time.Hour), h.clock.Now()
				then = s.answers(asOf, knownAt)
				h.clock.Advance(time.Hour)
			}
		}
		by := rapid.SliceOfDistinct(rapid.SampledFrom(analytics.Dimensions), rapid.ID[string]).Draw(r, "by")
		basis, rule := rapid.SampledFrom([]string{"current", "ever"}).Draw(r, "basis"), rapid.SampledFrom([]string{"first", "all", "any", "none"}).Draw(r, "rule")
		s.addsUp(analytics.CubeQuestion{By: by, Basis: basis, Week1Rule: rule})
		s.addsUp(analytics.CubeQuestion{By: by, Basis: basis, Week1Rule: rule, AsOf: asOf})
		s.addsUp(analytics.CubeQuestion{By: by, Basis: basis, Week1Rule: rule, AsOf: asOf, KnownAt: knownAt})
		s.moneyChanged(asOf)
		now := s.answers(asOf, knownAt)
		for id, before := range then {
			if now[id] != before {
				r.Errorf("%s answered\n%s\nand now\n%s", id, before, now[id])
			}
		}
	})
	testkit.Verify(t, h.db, append(append(gradebook.Checks(), journey.Checks()...), analytics.Checks()...))
}

// Learners come, go and come back in both sessions, start and lose it again: who is in both is what the history says, whatever of it is summed up.
func TestWhoIsInBothIsWhatTheHistorySays(t *testing.T) {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	rapid.Check(t, func(r *rapid.T) {
		s := h.round(r)
		for range rapid.IntRange(6, 14).Draw(r, "steps") {
			h.clock.Advance(24 * time.Hour)
			s.report("0", "0.5", "1.0")
			if rapid.Bool().Draw(r, "certified") {
				s.stage(journey.Certified)
			}
			s.sumsUp()
			s.setsAre()
		}
	})
	testkit.Verify(t, h.db, analytics.Checks())
}
