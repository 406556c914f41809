package analytics_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/books/journey"
	"cursus/internal/books/ledger"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// stage writes that some stage of some enrolment was reached or lost, up to a month ago.
func (s *school) stage(stages ...journey.Stage) {
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := s.enrolments(ctx, tx)
		if err != nil {
			return err
		}
		at := s.lately()
		return journey.RecordTx(ctx, tx, []journey.Change{{
			EnrolmentID: rapid.SampledFrom(all).Draw(s.t, "enrolment"), Stage: rapid.SampledFrom(stages).Draw(s.t, "stage"), At: at, Cause: "test", Reached: rapid.IntRange(0, 3).Draw(s.t, "lost") > 0,
		}})
	})
}

// written is a session that goes as it stands here: learner 0 pays and is silent, 1 may sit the exam, 2 has booked it, 3 pays, did one exercise badly
// a month ago and nothing since, and 4 has her money back after her certificate.
func (s *school) written() (session catalog.Session) {
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "WRITTEN", CourseKey: "LWC", Title: catalog.Text{EN: "W"}, Platform: "fun", ThresholdPPM: 500_000, Exercises: s.exercises})
		return err
	})
	for i, at := range []time.Time{s.clock.Now().Add(-720 * time.Hour), s.clock.Now()} {
		report := fmt.Sprintf("id,username,grade,HW 01,HW 02\n0,u0,0,0,0\n1,u1,0.%d,1,1\n2,u2,0.5,1,1\n3,u3,0.25,0.25,0\n4,u4,0.5,1,1\n", 5+i)
		if _, err := s.book.Import(system, gradebook.Intake{SessionID: session.ID, FileName: "r.csv", CollectedAt: at, Content: []byte(report)}); err != nil {
			s.t.Fatal(err)
		}
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		var who []string
		if err := tx.Select(ctx, &who, postgres.Query{Name: "test", SQL: `select e.id from enrolment.enrolments e join identity.external_ids x on x.person_id = e.learner_id and x.source = 'fun'
			 where e.session_id = $1 order by x.subject`}, session.ID); err != nil || len(who) != 5 {
			return fmt.Errorf("%v %w", who, err)
		}
		var changes []journey.Change
		for i, stage := range []journey.Stage{journey.Qualifying, journey.Eligible, journey.ExamBooked, journey.Qualifying, journey.Certified} {
			changes = append(changes, journey.Change{EnrolmentID: who[i], Stage: stage, At: tx.Now(), Reached: true, Cause: "test"})
		}
		if err := journey.RecordTx(ctx, tx, changes); err != nil {
			return err
		}
		return ledger.PostTx(ctx, tx, ledger.Posting{Reference: "written", Kind: "test", Currency: "EUR", OccurredAt: tx.Now(), Entries: []ledger.Entry{
			{Account: ledger.Refunds, OrderID: "ord_x", EnrolmentID: who[4], Minor: 100}, {Account: ledger.Receivable, OrderID: "ord_x", Minor: -100},
		}})
	})
	return session
}

// history is all that was ever written of the enrolments of a session, for a model that knows nothing of the statements.
type history struct {
	Changes []struct {
		Seq       int64     `db:"seq"`
		Enrolment string    `db:"enrolment_id"`
		Stage     string    `db:"stage"`
		Reached   bool      `db:"reached"`
		At        time.Time `db:"at"`
		Recorded  time.Time `db:"recorded_at"`
	}
	Cells []struct {
		Seq       int64     `db:"seq"`
		Enrolment string    `db:"enrolment_id"`
		Column    int       `db:"column_id"`
		Label     string    `db:"label"`
		At        time.Time `db:"at"`
		Recorded  time.Time `db:"recorded_at"`
		Value     int64     `db:"value"`
	}
	Reports []struct {
		At       time.Time `db:"collected_at"`
		Recorded time.Time `db:"recorded_at"`
	}
	Money []struct {
		Enrolment string    `db:"enrolment_id"`
		Account   string    `db:"account"`
		Minor     int64     `db:"minor"`
		Currency  string    `db:"currency"`
		At        time.Time `db:"occurred_at"`
		Recorded  time.Time `db:"recorded_at"`
	}
}

func (s *school) history(session catalog.Session) (h history) {
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for _, x := range []struct {
			to  any
			sql string
		}{
			{&h.Changes, "select seq, enrolment_id, stage, reached, at, recorded_at from journey.changes where session_id = $1"},
			{&h.Cells, "select c.seq, c.enrolment_id, c.column_id, k.label, c.at, c.recorded_at, c.value from gradebook.cells c join gradebook.columns k on k.id = c.column_id where k.session_id = $1 and k.kind = 'exercise'"},
			{&h.Reports, "select collected_at, recorded_at from gradebook.collections where session_id = $1"},
			{&h.Money, `select e.enrolment_id, e.account, e.minor, t.currency, t.occurred_at, t.recorded_at from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
				join journey.enrolments j on j.enrolment_id = e.enrolment_id where j.session_id = $1`},
		} {
			if err := tx.Select(ctx, x.to, postgres.Query{Name: "test", SQL: x.sql}, session.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return h
}

// lists says who is on each list, with the net of it, from all that was written; weeks are those of HW 01 and HW 02.
func (h history) lists(asOf, knownAt time.Time) map[string][]string {
	in := func(at, recorded time.Time) bool {
		return (asOf.IsZero() || !at.After(asOf)) && (knownAt.IsZero() || !recorded.After(knownAt))
	}
	var first, last time.Time
	for _, r := range h.Reports {
		if !in(r.At, r.Recorded) {
			continue
		}
		if first.IsZero() || r.At.Before(first) {
			first = r.At
		}
		if r.At.After(last) {
			last = r.At
		}
	}
	type score struct {
		label  string
		column int
		at     time.Time
		value  int64
		seq    int64
	}
	enrolments := map[string]bool{}
	for _, c := range h.Changes {
		enrolments[c.Enrolment] = true
	}
	out := map[string][]string{}
	for e := range enrolments {
		type step struct {
			at  time.Time
			seq int64
		}
		holds, latest := map[string]bool{}, map[string]step{}
		var certified time.Time
		for _, c := range h.Changes {
			if c.Enrolment != e || !in(c.At, c.Recorded) {
				continue
			}
			if l, there := latest[c.Stage]; !there || c.At.After(l.at) || c.At.Equal(l.at) && c.Seq > l.seq {
				latest[c.Stage], holds[c.Stage] = step{c.At, c.Seq}, c.Reached
			}
			if c.Stage == "certified" && c.Reached && (certified.IsZero() || c.At.Before(certified)) {
				certified = c.At
			}
		}
		cells := map[int]score{}
		for _, c := range h.Cells {
			if c.Enrolment != e || !in(c.At, c.Recorded) {
				continue
			}
			if was, there := cells[c.Column]; !there || c.At.After(was.at) || c.At.Equal(was.at) && c.Seq > was.seq {
				cells[c.Column] = score{c.Label, c.Column, c.At, c.Value, c.Seq}
			}
		}
		var done []score
		for _, c := range cells {
			if c.value >= 0 {
				done = append(done, c)
			}
		}
		slices.SortFunc(done, func(a, b score) int { return b.at.Compare(a.at)*1000 + (b.column - a.column) })
		did := func(label string) bool {
			return slices.ContainsFunc(done, func(c score) bool { return c.label == label })
		}
		missed := 0
		for week, label := range map[int]string{1: "HW 01", 2: "HW 02"} {
			if last.Sub(first) >= time.Duration(week)*7*24*time.Hour && !did(label) {
				missed++
			}
		}
		signs := 0
		if missed > 0 {
			signs++
		}
		if len(done) > 0 {
			if last.Sub(done[0].at) > 14*24*time.Hour {
				signs++
			}
			sum, n := int64(0), int64(min(3, len(done)))
			for _, c := range done[:n] {
				sum += c.value
			}
			if 2*sum < n*1_000_000_000 {
				signs++
			}
		}
		net, refunded := map[string]int64{}, false
		for _, m := range h.Money {
			if m.Enrolment != e || !in(m.At, m.Recorded) || !slices.Contains([]string{"revenue", "refunds", "disputes"}, m.Account) {
				continue
			}
			net[m.Currency] -= m.Minor
			refunded = refunded || m.Account != "revenue" && !certified.IsZero() && !m.At.Before(certified)
		}
		sat := holds["exam_sat"] || holds["exam_passed"] || holds["certified"]
		studies := holds["enrolled"] && holds["started"] && holds["qualifying"] && !sat && !holds["succeeded"]
		for list, on := range map[string]bool{
			"paid_silent":              holds["enrolled"] && holds["qualifying"] && !holds["started"] && !holds["succeeded"] && !sat,
			"eligible_not_booked":      holds["enrolled"] && holds["eligible"] && !holds["exam_booked"] && !sat,
			"booked_not_sat":           holds["enrolled"] && holds["exam_booked"] && !sat,
			"behind_schedule":          studies && missed > 0,
			"at_risk":                  studies && signs >= 2,
			"refund_after_certificate": refunded,
			"stuck_in_week_2":          holds["enrolled"] && holds["week1_first"] && !holds["week2_first"] && !holds["succeeded"] && !sat,
		} {
			if on {
				out[list] = append(out[list], fmt.Sprint(e, " ", net))
			}
		}
	}
	for _, all := range out {
		slices.Sort(all)
	}
	return out
}

var theLists = []string{"paid_silent", "eligible_not_booked", "booked_not_sat", "behind_schedule", "at_risk", "refund_after_certificate", "stuck_in_week_2"}

// Whatever is imported, reached, lost, sold and given back, in whatever order it becomes known: each list has those, and the money, that a model
// finds by looking at all that was ever written, for any time; pages of one make the whole; and the figure says their number.
func TestListsAreThoseOfAModel(t *testing.T) {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		t.Fatal(err)
	}
	h, seen := newHouse(t), map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		s := h.round(r)
		compared := s.sessions
		if len(seen) == 0 { // whatever is drawn, somebody is on each list
			compared = append(slices.Clone(compared), s.written())
		}
		s.report("0", "0", "0", "0.25", "0.75")
		for range 3 {
			s.stage(journey.Qualifying)
		}
		for range rapid.IntRange(10, 40).Draw(r, "steps") {
			h.clock.Advance(time.Hour)
			switch rapid.IntRange(0, 5).Draw(r, "what") {
			case 0:
				s.report("0", "0", "0", "0.25", "0.75")
			case 1, 2:
				s.money()
			case 3:
				s.stage(journey.Qualifying)
			default:
				s.stage(journey.Qualifying, journey.Eligible, journey.ExamBooked, journey.ExamSat, journey.Certified)
			}
		}
		asOf, knownAt := h.clock.Now().Add(-time.Duration(rapid.IntRange(0, 700).Draw(r, "back"))*time.Hour), h.clock.Now().Add(-time.Duration(rapid.IntRange(0, 20).Draw(r, "unknown"))*time.Hour)
		for _, session := range compared {
			model := s.history(session)
			for _, times := range [][2]time.Time{{}, {asOf}, {time.Time{}, knownAt}, {asOf, knownAt}} {
				want := model.lists(times[0], times[1])
				f, err := analytics.FigureOf(system, h.db, "certificate_lists", analytics.Ask{AsOf: times[0], KnownAt: times[1], Params: map[string]string{"session": session.Key}})
				if err != nil {
					r.Fatal(err)
				}
				for i, row := range f.Rows {
					list := row.Cells[0].Text
					if again(r, f, i) {
						continue
					}
					seen[list] += len(want[list])
					if n := *row.Cells[1].Count; n != int64(len(want[list])) {
						r.Errorf("%s at %v: the figure counts %d, the model has %v", list, times, n, want[list])
					}
				}
				for _, list := range theLists {
					got := s.listed(analytics.WhoIsListed{List: list, Session: session.Key, AsOf: times[0], KnownAt: times[1]}, 1)
					if !slices.Equal(got, want[list]) {
						r.Errorf("%s at %v:\n%v\nthe model says\n%v", list, times, got, want[list])
					}
				}
			}
		}
		if len(h.all) <= 16 { // more sessions say nothing more
			s.together(asOf, knownAt)
		}
	})
	for _, list := range theLists {
		if seen[list] == 0 {
			t.Error("nobody was ever on", list)
		}
	}
}

// again says whether a row is of a list that a row above it is of, in another currency: its people are counted there, and nowhere else.
func again(t interface{ Errorf(string, ...any) }, f analytics.Figure, i int) bool {
	more := i > 0 && f.Rows[i-1].Cells[0].Text == f.Rows[i].Cells[0].Text
	if more != (f.Rows[i].Cells[1].Count == nil) {
		t.Errorf("%s in %s: its people are not counted once", f.Rows[i].Cells[0].Text, f.Rows[i].Cells[2].Text)
	}
	return more
}

// listed reads a list page by page, with the net of each.
func (s *school) listed(w analytics.WhoIsListed, limit int) (got []string) {
	for p := (page.Request{Limit: limit}); ; {
		var some []analytics.Listed
		if err := s.db.View(system, "listed", func(ctx context.Context, tx *postgres.Tx) (err error) {
			some, p.After, err = analytics.ListedTx(ctx, tx, w, p)
			return err
		}); err != nil {
			s.t.Fatal(err)
		}
		for _, x := range some {
			net := map[string]int64{}
			for _, m := range x.Money {
				net[string(m.Net.Currency)] = m.Net.Minor
			}
			got = append(got, fmt.Sprint(x.EnrolmentID, " ", net))
		}
		if p.After == "" {
			return got
		}
	}
}

// together holds the lists of all sessions at once, and their sizes, against all that was ever written, whatever of it is summed up.
func (s *school) together(asOf, knownAt time.Time) {
	s.sumsUp()
	var all []catalog.Session
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		all, err = catalog.SessionsTx(ctx, tx)
		return err
	})
	slices.SortFunc(all, func(a, b catalog.Session) int { return strings.Compare(a.ID, b.ID) })
	for _, times := range [][2]time.Time{{}, {asOf}, {asOf, knownAt}} {
		want, net, on := map[string][]string{}, map[string]map[string]int64{}, map[string]bool{}
		for _, session := range all {
			model := s.history(session)
			for list, who := range model.lists(times[0], times[1]) {
				want[list] = append(want[list], who...)
				for _, x := range who {
					id, money, _ := strings.Cut(x, " ")
					on[id] = true
					for _, m := range strings.Fields(strings.Trim(money, "map[]")) {
						c, minor, _ := strings.Cut(m, ":")
						n, err := strconv.ParseInt(minor, 10, 64)
						if err != nil {
							s.t.Fatal(err)
						}
						if net[list] == nil {
							net[list] = map[string]int64{}
						}
						net[list][c] += n
					}
				}
			}
		}
		for _, list := range theLists {
			if got := s.listed(analytics.WhoIsListed{List: list, Of: "all", AsOf: times[0], KnownAt: times[1]}, 3); !slices.Equal(got, want[list]) {
				s.t.Errorf("%s of all at %v:\n%v\nthe model says\n%v", list, times, got, want[list])
			}
		}
		f, err := analytics.FigureOf(system, s.db, "certificate_lists", analytics.Ask{AsOf: times[0], KnownAt: times[1], Params: map[string]string{"of": "all"}})
		if err != nil {
			s.t.Fatal(err)
		}
		for i, row := range f.Rows {
			list := row.Cells[0].Text
			if !again(s.t, f, i) && *row.Cells[1].Count != int64(len(want[list])) {
				s.t.Errorf("%s of all at %v: the figure counts %d, the model has %v", list, times, *row.Cells[1].Count, want[list])
			}
			if m := row.Cells[5].Amount; m != nil {
				if is := net[list][string(m.Currency)]; m.Minor != is {
					s.t.Errorf("%s of all at %v: the figure says %v at stake, the model %d", list, times, *m, is)
				}
				delete(net[list], string(m.Currency))
			}
		}
		for list, left := range net {
			for c, minor := range left {
				if minor != 0 {
					s.t.Errorf("%s of all at %v: the figure says nothing of %d %s", list, times, minor, c)
				}
			}
		}
		if n := f.Base[0].N; n != int64(len(on)) {
			s.t.Errorf("at %v: the figure has %d on some list, the model %d", times, n, len(on))
		}
	}
}
