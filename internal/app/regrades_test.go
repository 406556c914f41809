package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// regrades is a session of which files are taken in, in any order, while its learners pay and are paid back; and another one, of the same files in the
// order of their times and of nobody's money.
type regrades struct {
	t      *testing.T
	w      *world
	r      *rand.Rand
	people []identity.Person
	files  [][2]string // name, text: in the order of their times
	of     catalog.Session
	paid   offers.Offer
	orders map[string]*sales.Order // by learner: the last of hers
	back   map[string]int64        // by order: what went back
	seq    int
	seen   map[string]int
}

func (g *regrades) some(of ...string) string { return of[g.r.IntN(len(of))] }

func (g *regrades) session(key string) (s catalog.Session) {
	g.t.Helper()
	exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHW 01,1\nHW 03,2\n"))
	if err != nil {
		g.t.Fatal(err)
	}
	g.w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: key, CourseKey: "PRD", Title: catalog.Text{EN: key}, Platform: "lms-" + strings.ToLower(key[2:]), ThresholdPPM: 500_000, Exercises: exercises})
		return err
	})
	return s
}

// file makes a file of one kind, in which learners come, are graded again, drop to nought, leave and are back.
func (g *regrades) file(at time.Time) [2]string {
	var b strings.Builder
	score := func() string { return g.some("0", "1", "0.5", "0.25") }
	switch kind := g.some("report", "report", "short report", "long", "statements", "roster"); kind {
	case "report", "short report":
		columns := []string{"HW 01", "HW 03", "Lab 01"}
		if kind == "short report" { // the column set changes
			columns = columns[1:]
		}
		fmt.Fprintf(&b, "Student ID,Email,Username,Grade,%s,Enrollment Status\n99,,u99,0%s,enrolled\n", strings.Join(columns, ","), strings.Repeat(",0", len(columns)))
		for i, p := range g.people {
			if g.r.IntN(4) == 0 {
				continue // who is in no report has left
			}
			fmt.Fprintf(&b, "%d,%s,u%d,%s", i, p.Email, i, score())
			for range columns {
				b.WriteString("," + g.some("Not Attempted", "0", "1", "0.5"))
			}
			b.WriteString("," + g.some("enrolled", "enrolled", "unenrolled") + "\n")
		}
	case "long":
		b.WriteString("learner,exercise,score,attempted_at\n")
		for range 1 + g.r.IntN(4) {
			fmt.Fprintf(&b, "%s,%s,%s,%s\n", g.people[g.r.IntN(len(g.people))].Email, g.some("HW 01", "HW 03", "grade"), score(), at.Add(-time.Duration(g.r.IntN(100))*time.Hour).Format(time.RFC3339))
		}
	case "statements":
		for range 1 + g.r.IntN(4) {
			g.seq++
			fmt.Fprintf(&b, `{"id":"00000000-0000-5000-8000-%012d","actor":{"mbox":"mailto:%s"},"verb":{"id":"http://id.tincanapi.com/verb/earned"},"object":{"id":%q},"result":{"score":{"scaled":%s}},"timestamp":%q}`+"\n",
				g.seq, g.people[g.r.IntN(len(g.people))].Email, g.some("HW 01", "HW 03", "Lab 01"), score(), at.Add(-time.Duration(g.r.IntN(100))*time.Hour).Format(time.RFC3339))
		}
	case "roster":
		b.WriteString("learner,enrolled_at,left_at\n")
		for _, p := range g.people {
			left := ""
			if g.r.IntN(3) == 0 {
				left = at.Add(-time.Duration(g.r.IntN(50)) * time.Hour).Format(time.RFC3339)
			}
			fmt.Fprintf(&b, "%s,%s,%s\n", p.Email, at.AddDate(0, 0, -12).Format(time.RFC3339), left)
		}
	}
	return [2]string{"f_" + at.Format("2006-01-02-1504") + ".csv", b.String()}
}

func (g *regrades) take(s catalog.Session, f [2]string) {
	g.t.Helper()
	if _, err := g.w.h.Gradebook.Import(system, gradebook.Intake{SessionID: s.ID, FileName: f[0], Content: []byte(f[1])}); err != nil {
		g.t.Fatalf("%v of %s", err, f)
	}
}

// trade is what happens to the money of a learner next: she buys, pays, and is paid back in part or in full, as buyers, banks and staff do it.
func (g *regrades) trade() {
	g.t.Helper()
	p := g.people[g.r.IntN(len(g.people))]
	o := g.orders[p.ID]
	switch {
	case o == nil || o.State == sales.Refunded:
		g.seq++
		placed := g.w.order(p.ID, g.paid, fmt.Sprint(g.of.Key, " ", g.seq))
		g.w.pay(placed, "4242424242424242")
		paid := g.w.becomes(placed, sales.Paid)
		g.orders[p.ID] = &paid
		if g.seen["bought"]++; o != nil {
			g.seen["bought again"]++
		}
	default:
		left := g.paid.Price.Minor - g.back[o.ID]
		part := left
		if g.r.IntN(2) == 0 && left > 1 {
			part = 1 + g.r.Int64N(left-1)
		}
		g.seq++
		if _, err := g.w.h.Sales.Refund(staffCtx("per_staff"), sales.RefundOrder{OrderID: o.ID, AmountMinor: &part, Reason: "she asked", IdempotencyKey: fmt.Sprint(g.of.Key, " back ", g.seq)}); err != nil {
			g.t.Fatal(err)
		}
		g.back[o.ID] += part
		want, what := sales.Refunded, "paid back in full"
		if part < left {
			want, what = sales.PartiallyRefunded, "paid back in part"
		}
		g.seen[what]++
		g.w.until(what, func() bool {
			now := g.w.state(*o)
			return now.State == want && g.refundedOf(o.ID) == g.back[o.ID]
		})
		now := g.w.state(*o)
		g.orders[p.ID] = &now
	}
}

// refundedOf is what the ledger says went back of an order.
func (g *regrades) refundedOf(order string) (minor int64) {
	g.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &minor, postgres.Query{Name: "test", SQL: `select coalesce(sum(minor), 0)::bigint from ledger.entries where account = 'refunds' and order_id = $1`}, order)
	})
	return minor
}

func (g *regrades) counts(q journey.Question) (c journey.Counts) {
	g.t.Helper()
	g.w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = journey.CountsTx(ctx, tx, q)
		return err
	})
	return c
}

// inForce are the learners for whom a paid formula is in force, as the journey says and as the orders say.
func (g *regrades) inForce() (journey, orders []string) {
	g.t.Helper()
	g.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &journey, postgres.Query{Name: "test", SQL: `select e.learner_id from journey.enrolments j join enrolment.enrolments e on e.id = j.enrolment_id where e.session_id = $1 and j.reached & 4096 > 0 order by 1`}, g.of.ID)
	})
	for learner, o := range g.orders {
		if o.State != sales.Refunded {
			orders = append(orders, learner)
		}
	}
	slices.Sort(orders)
	return journey, orders
}

// Files of every kind in any order, in which learners leave, are back and are graded again, among purchases that are paid and go back in part and in
// full: what was written step by step is what a rebuild from the facts writes, grades are those of the same files in their order, the paid formula is
// in force where an order stands, and the cube is the ledger and the journey along every set of dimensions. CURSUS_SEED plays one again.
func TestRegradesAmongRefunds(t *testing.T) {
	seed, rounds := rand.Uint64N(1<<32), 6
	if os.Getenv("CURSUS_LONG") != "" {
		rounds = 200
	}
	if s := os.Getenv("CURSUS_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed, rounds = n, 1
	}
	w, seen := newWorldOf(t, stripesandbox.Fees{RatePPM: 15_000, Fixed: map[string]int64{"eur": 25}}), map[string]int{}
	for i := range rounds {
		t.Run(fmt.Sprintf("CURSUS_SEED=%d", seed+uint64(i)), func(t *testing.T) {
			g := &regrades{t: t, w: w, r: rand.New(rand.NewPCG(seed+uint64(i), 0)), orders: map[string]*sales.Order{}, back: map[string]int64{}, seen: seen} //nolint:gosec // a test
			g.run(i)
		})
	}
	for _, what := range []string{"bought", "paid back in full", "paid back in part", "bought again"} {
		if seen[what] == 0 && rounds > 1 {
			t.Errorf("nobody was %s: %v", what, seen)
		}
	}
	w.verify()
}

func (g *regrades) run(round int) {
	t, w := g.t, g.w
	for i := range 4 {
		g.people = append(g.people, w.person(fmt.Sprintf("r%d-%d@example.org", round, i), fmt.Sprint("Learner ", i)))
	}
	g.of = g.session(fmt.Sprint("RG", round))
	other := g.session(fmt.Sprint("IO", round))
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		g.paid, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: g.of.ID, Formula: offers.Qualifying, Price: money.Of(15000, "EUR")})
		return err
	})
	begun := w.h.DB.Now().Truncate(time.Hour)
	first := "learner,enrolled_at,left_at\n"
	for _, p := range g.people { // who is enrolled from the start is so whatever comes first
		first += p.Email + "," + begun.AddDate(0, 0, -40).Format(time.RFC3339) + ",\n"
	}
	g.files = [][2]string{{"f_" + begun.AddDate(0, 0, -30).Format("2006-01-02-1504") + ".csv", first}}
	var times []time.Time
	for i := range 6 {
		times = append(times, begun.AddDate(0, 0, 4*i-12))
		g.files = append(g.files, g.file(times[i]))
	}
	g.take(g.of, g.files[0])
	w.clock.Advance(12 * time.Hour)
	traded := w.h.DB.Now()
	waiting := slices.Clone(g.files[1:])
	for len(waiting) > 0 {
		w.clock.Advance(time.Duration(1+g.r.IntN(40)) * time.Hour)
		var came []int // files that there are by now
		for i, f := range waiting {
			if at, ok := sheet.MadeAt(f[0]); ok && !at.After(w.h.DB.Now()) {
				came = append(came, i)
			}
		}
		if len(came) > 0 && g.r.IntN(2) == 0 {
			i := came[g.r.IntN(len(came))]
			g.take(g.of, waiting[i])
			waiting = slices.Delete(waiting, i, i+1)
		} else {
			g.trade()
		}
	}
	for _, f := range g.files {
		g.take(other, f)
	}
	for _, at := range append([]time.Time{begun.AddDate(0, 0, -20), traded, w.h.DB.Now()}, times...) {
		for _, q := range []journey.Question{{AsOf: at}, {AsOf: at, Basis: "ever"}, {AsOf: at, Basis: "ever", Week1Rule: "any"}, {AsOf: at, Week1Rule: "none"}} {
			if q.Basis == "" && at.After(traded) {
				continue // who is paid back in full is no longer enrolled
			}
			a, b := q, q
			a.SessionID, b.SessionID = g.of.ID, other.ID
			x, y := g.counts(a), g.counts(b)
			if x.Eligible, y.Eligible = 0, 0; x != y { // who has paid may sit the exam
				t.Errorf("%+v: with purchases %+v, without %+v of %q", q, x, y, g.files)
			}
		}
	}
	if says, orders := g.inForce(); !slices.Equal(says, orders) {
		t.Errorf("a paid formula is in force for %v, orders stand of %v", says, orders)
	}
	w.quiet()
	for _, s := range []catalog.Session{g.of, other} {
		if found, err := w.h.Gradebook.Recheck(system, s.ID); err != nil || found.Differences != 0 {
			t.Errorf("a rebuild from the facts says something else: %+v %v", found, err)
		}
		owner := testkit.Owner(t, w.dsn)
		before := w.standing(owner, "journey.enrolments", "journey.changes")
		if n, err := w.h.Gradebook.Rebuild(system, s.ID); err != nil {
			t.Error(n, err)
		}
		if after := w.standing(owner, "journey.enrolments", "journey.changes"); after != before {
			t.Errorf("a rebuild wrote something else:\n%s\n%s", before, after)
		}
	}
	w.cubeAddsUp()
}
