package journey

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var start = time.Date(2018, 9, 17, 0, 0, 0, 0, time.UTC)

func day(n int) time.Time { return start.AddDate(0, 0, n) }

// far counts in steps of three weeks, so that months and a year go by.
func far(n int) time.Time { return start.AddDate(0, 0, 21*n) }

func inTx(t interface{ Fatal(...any) }, db *postgres.DB, fn func(ctx context.Context, tx *postgres.Tx) error) {
	if err := db.InTx(context.Background(), "test", fn); err != nil {
		t.Fatal(err)
	}
}

func counts(t interface{ Fatal(...any) }, db *postgres.DB, question Question) (c Counts) {
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = CountsTx(ctx, tx, question)
		return err
	})
	return c
}

// Changes in any order of their effective time against a model that sorts them: the row says what the history says, every
// past day answers what the model says, and an answer with both times stays the same after everything that follows.
func TestHistoryAgainstModel(t *testing.T) {
	dsn, clock, round := testkit.OwnerDSN(t), testkit.Clock(), 0
	db := testkit.Open(t, dsn, clock)
	rapid.Check(t, func(t *rapid.T) {
		round++
		session := fmt.Sprintf("ses_%d", round)
		ids := []string{fmt.Sprintf("enr_%d_a", round), fmt.Sprintf("enr_%d_b", round)}
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			var o []Opening
			for _, id := range ids {
				o = append(o, Opening{id, session, "per_1", day(0), "test", false})
			}
			return OpenTx(ctx, tx, o)
		})
		model := map[string][8]*bool{}
		holds := func(id string, at int) bool {
			for d := at; d >= 0; d-- {
				if v := model[id][d]; v != nil {
					return *v
				}
			}
			return false
		}
		type asked struct {
			question Question
			answer   Counts
		}
		var before []asked
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			var batch []Change
			for range rapid.IntRange(1, 4).Draw(t, "changes") {
				id, d := rapid.SampledFrom(ids).Draw(t, "id"), rapid.IntRange(0, 7).Draw(t, "day")
				v := rapid.Bool().Draw(t, "reached")
				batch = append(batch, Change{id, Started, day(d), v, "test"})
				days := model[id]
				days[d] = &v
				model[id] = days
			}
			clock.Advance(time.Minute)
			inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error { return RecordTx(ctx, tx, batch) })
			d := rapid.IntRange(0, 7).Draw(t, "ask")
			question := Question{SessionID: session, AsOf: day(d), KnownAt: clock.Now()}
			got, want := counts(t, db, question), int64(0)
			for _, id := range ids {
				if holds(id, d) {
					want++
				}
			}
			if got.Started != want || got.Enrolled != 2 {
				t.Fatalf("day %d: %+v, the model has %d started", d, got, want)
			}
			before = append(before, asked{question, got})
			for _, a := range before {
				if again := counts(t, db, a.question); again != a.answer {
					t.Fatalf("%+v answered %+v and now %+v", a.question, a.answer, again)
				}
			}
			if now, last := counts(t, db, Question{SessionID: session}), counts(t, db, Question{SessionID: session, AsOf: day(7)}); now != last {
				t.Fatalf("now %+v, as of the last day %+v", now, last)
			}
		}
	})
	testkit.Verify(t, db, Checks()[:4])
}

// The tallies of a session answer what the history of its enrolments does, for any pair of times, basis and rule: whatever the order in
// which changes come, also of several at one instant, of stages lost and reached again, and of transactions that overtake each other.
func TestTalliesAnswerWhatTheHistoryDoes(t *testing.T) {
	dsn, clock, round := testkit.OwnerDSN(t), testkit.Clock(), 0
	db := testkit.Open(t, dsn, clock)
	stages := []Stage{Enrolled, Started, Week1First, Week1Any, Week2First, Succeeded, ExamPassed, Certified, Qualifying}
	rapid.Check(t, func(t *rapid.T) {
		round++
		session, opened := fmt.Sprintf("ses_%d", round), clock.Now()
		var ids []string
		for i := range rapid.IntRange(1, 4).Draw(t, "enrolments") {
			ids = append(ids, fmt.Sprintf("enr_%d_%d", round, i))
		}
		times := []time.Time{{}, opened}
		for range rapid.IntRange(1, 5).Draw(t, "transactions") {
			clock.Advance(time.Duration(rapid.SampledFrom([]int{-2, 0, 5, 600, 3000}).Draw(t, "minutes")) * time.Minute)
			times = append(times, clock.Now())
			inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
				var o []Opening
				for _, id := range ids {
					o = append(o, Opening{id, session, "per_1", far(rapid.IntRange(0, 3).Draw(t, "opens")), "test", rapid.Bool().Draw(t, "qualifying")})
				}
				if err := OpenTx(ctx, tx, o[:rapid.IntRange(0, len(o)).Draw(t, "opened")]); err != nil {
					return err
				}
				rows, err := RowsTx(ctx, tx, ids...)
				if err != nil {
					return err
				}
				var batch []Change
				for range rapid.IntRange(0, 6).Draw(t, "changes") {
					c := Change{
						rapid.SampledFrom(ids).Draw(t, "id"), rapid.SampledFrom(stages).Draw(t, "stage"), far(rapid.IntRange(0, 6).Draw(t, "day")),
						rapid.Bool().Draw(t, "reached"), "test",
					}
					if _, ok := rows[c.EnrolmentID]; ok {
						batch = append(batch, c)
					}
				}
				return RecordTx(ctx, tx, batch)
			})
		}
		if _, err := SumDays(context.Background(), db); err != nil {
			t.Fatal(err)
		}
		for range 8 {
			question := Question{
				SessionID: session, Basis: rapid.SampledFrom([]string{"current", "ever"}).Draw(t, "basis"), Week1Rule: rapid.SampledFrom([]string{"first", "any", "none"}).Draw(t, "rule"),
				Qualifying: rapid.Bool().Draw(t, "paid"), KnownAt: rapid.SampledFrom(times).Draw(t, "known"),
			}
			if rapid.Bool().Draw(t, "past") {
				question.AsOf = far(rapid.IntRange(-1, 7).Draw(t, "as of"))
			}
			tallies := counts(t, db, question)
			question.Enrolments = ids
			if history := counts(t, db, question); tallies != history {
				t.Fatalf("%+v: the tallies say %+v, the history %+v", question, tallies, history)
			}
		}
	})
	testkit.Verify(t, db, Checks()[:4])
}

func TestBasisRulesAndUnknownEnrolments(t *testing.T) {
	db := testkit.DB(t)
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if err := OpenTx(ctx, tx, []Opening{{"enr_a", "ses_1", "per_a", day(0), "test", false}, {"enr_b", "ses_1", "per_b", day(1), "test", false}}); err != nil {
			return err
		}
		return RecordTx(ctx, tx, []Change{
			{"enr_a", Started, day(2), true, "c"}, {"enr_a", Week1Any, day(2), true, "c"}, {"enr_a", Week2First, day(3), true, "c"},
			{"enr_b", Started, day(2), true, "c"}, {"enr_b", Enrolled, day(4), false, "c"}, {"enr_a", Qualifying, day(1), true, "o"},
		})
	})
	for _, c := range []struct {
		question Question
		want     Counts
	}{
		{Question{}, Counts{Enrolled: 1, Started: 1}},
		{Question{Week1Rule: "any"}, Counts{Enrolled: 1, Started: 1, Diligent: 1}},
		{Question{Week1Rule: "none", Basis: "ever"}, Counts{Enrolled: 2, Started: 2, Diligent: 1}},
		{Question{AsOf: day(3)}, Counts{Enrolled: 2, Started: 2}},
		{Question{AsOf: day(0), Basis: "ever"}, Counts{Enrolled: 1}},
		{Question{Qualifying: true}, Counts{Enrolled: 1, Started: 1}},
		{Question{Enrolments: []string{"enr_b"}, Basis: "ever"}, Counts{Enrolled: 1, Started: 1}},
		{Question{Enrolments: []string{}}, Counts{}},
	} {
		c.question.SessionID = "ses_1"
		if got := counts(t, db, c.question); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.question, got, c.want)
		}
	}
	err := db.InTx(context.Background(), "unknown", func(ctx context.Context, tx *postgres.Tx) error {
		return RecordTx(ctx, tx, []Change{{"enr_none", Started, day(1), true, "c"}})
	})
	if !errors.Is(err, ErrUnknownEnrolment) {
		t.Fatal(err)
	}
	testkit.Verify(t, db, Checks())
}

// A journey that is opened with what holds from the start has the row that its history says, and one that was open already goes on: who left and
// comes back by an order is enrolled again, and qualifying.
func TestOpeningsNewAndOld(t *testing.T) {
	db := testkit.DB(t)
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if err := OpenTx(ctx, tx, []Opening{{"enr_a", "ses_1", "per_a", day(0), "test", false}}); err != nil {
			return err
		}
		if err := RecordTx(ctx, tx, []Change{{"enr_a", Enrolled, day(1), false, "left"}}); err != nil {
			return err
		}
		return OpenTx(ctx, tx, []Opening{
			{"enr_new", "ses_1", "per_b", day(2), "ord_1", true}, {"enr_a", "ses_1", "per_a", day(2), "ord_2", true}, {"enr_free", "ses_1", "per_c", day(2), "ord_3", false},
		})
	})
	for _, c := range []struct {
		question Question
		want     Counts
	}{
		{Question{}, Counts{Enrolled: 3}},
		{Question{Qualifying: true}, Counts{Enrolled: 2}},
		{Question{AsOf: day(1)}, Counts{}},
		{Question{AsOf: day(2), Qualifying: true}, Counts{Enrolled: 2}},
	} {
		c.question.SessionID = "ses_1"
		if got := counts(t, db, c.question); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.question, got, c.want)
		}
	}
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := RowsTx(ctx, tx, "enr_a", "enr_new", "enr_free")
		if !rows["enr_a"].First[Enrolled].Equal(day(0)) || !rows["enr_a"].First[Qualifying].Equal(day(2)) || !rows["enr_new"].First[Enrolled].Equal(day(2)) ||
			!rows["enr_new"].First[Qualifying].Equal(day(2)) || !rows["enr_free"].First[Qualifying].IsZero() {
			t.Error(rows)
		}
		return err
	})
	testkit.Verify(t, db, Checks())
}

// The masks of the Go code and of the database are one list written twice.
func TestBitsAreThoseOfTheDatabase(t *testing.T) {
	var rows []struct {
		Stage Stage `db:"stage"`
		Bit   int   `db:"bit"`
	}
	inTx(t, testkit.DB(t), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &rows, postgres.Query{Name: "stages", SQL: "select stage, bit from journey.stages"})
	})
	if len(rows) != len(bits) {
		t.Fatal(len(rows), len(bits))
	}
	for _, r := range rows {
		if b, ok := bits[r.Stage]; !ok || b != r.Bit {
			t.Error(r.Stage, r.Bit, b)
		}
	}
}
