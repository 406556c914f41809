package analytics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/books/ledger"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Two of a session paid 100.00 €, and one of them started; two of another paid 50,000 XOF, who both started, and one was certified. What a learner
// brought and cost is of those who paid in that currency, in one session or over both; fixed costs in euros are carried by euros alone; and fees, which
// come with each learner, make each carry less.
func TestAmountsPerLearnerAreOfTheirCurrency(t *testing.T) {
	h := newHouse(t)
	exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHW 01,1\nHW 02,2\n"))
	if err != nil {
		t.Fatal(err)
	}
	inTx := func(work func(ctx context.Context, tx *postgres.Tx) error) {
		t.Helper()
		if err := h.db.InTx(system, "test", work); err != nil {
			t.Fatal(err)
		}
	}
	learners := map[string][]string{}
	for _, key := range []string{"EURO", "FRANC"} {
		var s catalog.Session
		inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			s, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: key, CourseKey: "C", Title: catalog.Text{EN: key}, Platform: "fun", ThresholdPPM: 500_000, Exercises: exercises})
			return err
		})
		second := map[string]string{"EURO": "0", "FRANC": "1"}[key]
		report := "id,username,grade,HW 01,HW 02,Cohort Name\n1,u1,1,1,1,\n2,u2," + second + "," + second + "," + second + ",\n"
		if _, err := h.book.Import(system, gradebook.Intake{SessionID: s.ID, FileName: "r.csv", CollectedAt: h.clock.Now(), Content: []byte(report)}); err != nil {
			t.Fatal(err)
		}
		inTx(func(ctx context.Context, tx *postgres.Tx) error {
			var all []string
			if err := tx.Select(ctx, &all, postgres.Query{Name: "test", SQL: "select enrolment_id from journey.enrolments where session_id = $1 order by reached desc"}, s.ID); err != nil {
				return err
			}
			learners[key] = all
			c, price := money.Currency("EUR"), int64(10_000)
			if key == "FRANC" {
				c, price = "XOF", 50_000
			}
			for i, id := range all {
				if _, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "insert into enrolment.grants (id, enrolment_id, order_id, formula, entitlements, qualifying, granted_at) values ($1, $2, $3, 'F', '{}', true, $4)"},
					"grt_"+id, id, "ord_"+id, tx.Now()); err != nil {
					return err
				}
				stages := []journey.Stage{journey.Qualifying}
				if key == "FRANC" && i == 0 {
					stages = append(stages, journey.Certified)
				}
				for _, stage := range stages {
					if err := journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: id, Stage: stage, At: tx.Now(), Reached: true, Cause: "test"}}); err != nil {
						return err
					}
				}
				if err := ledger.PostTx(ctx, tx,
					ledger.Posting{Reference: "s" + id, Kind: "test", Currency: c, OccurredAt: tx.Now(), Entries: []ledger.Entry{{Account: ledger.Revenue, Minor: -price, EnrolmentID: id}, {Account: ledger.Receivable, Minor: price}}},
					ledger.Posting{Reference: "f" + id, Kind: "test", Currency: c, OccurredAt: tx.Now(), Entries: []ledger.Entry{{Account: ledger.Fee("stripe"), Minor: price / 10, EnrolmentID: id}, {Account: ledger.Clearing("stripe"), Minor: -price / 10}}}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	amounts := func(id string, with map[string]string, columns ...string) map[string]string {
		t.Helper()
		f, err := analytics.FigureOf(system, h.db, id, analytics.Ask{Params: with})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, r := range f.Rows {
			var said []string
			head := r.Cells[0].Text
			for i, c := range f.Columns {
				if c.ID == "currency" {
					head = r.Cells[0].Text + " " + r.Cells[i].Text
				}
				for _, want := range columns {
					switch x := r.Cells[i]; {
					case c.ID != want:
					case x.Amount != nil:
						said = append(said, x.Amount.String())
					case x.Count != nil:
						said = append(said, fmt.Sprint(*x.Count))
					default:
						said = append(said, "–")
					}
				}
			}
			out[head] = strings.Join(said, " | ")
		}
		return out
	}
	same := func(what string, got map[string]string, want map[string]string) {
		t.Helper()
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s of %s: %q, want %q", what, k, got[k], v)
			}
		}
	}
	same("the paid formula", amounts("qualifying", nil, "net", "net_per_started", "net_per_certified", "cost_per_certified"), map[string]string{
		"EURO": "200.00 EUR | 200.00 EUR | – | –", "FRANC": "100000 XOF | 50000 XOF | 100000 XOF | 10000 XOF",
		"weighted_mean_eur": "200.00 EUR | 200.00 EUR | – | –", "weighted_mean_xof": "100000 XOF | 50000 XOF | 100000 XOF | 10000 XOF",
	})
	same("the cube", amounts("outcome_cube", map[string]string{"by": "session"}, "net_per_started", "cost_per_started", "cost_per_diligent", "cost_per_certified"), map[string]string{
		"EURO EUR": "200.00 EUR | 20.00 EUR | 20.00 EUR | –", "FRANC XOF": "50000 XOF | 5000 XOF | 5000 XOF | 10000 XOF",
	})
	// 450.00 € over 90.00 € that a learner leaves; francs carry none of it
	fixed := map[string]string{"session": "EURO", "fixed_minor": "45000"}
	same("break-even", amounts("break_even", fixed, "costs", "break_even", "margin"), map[string]string{"EUR EUR": "450.00 EUR | 5 | -3"})
	fixed = map[string]string{"session": "FRANC", "fixed_minor": "45000"}
	same("break-even", amounts("break_even", fixed, "costs", "break_even", "margin"), map[string]string{"XOF XOF": "0 XOF | 0 | 2", "EUR EUR": "450.00 EUR | – | –"})

	// One of those who paid francs pays 900.00 € more, and the other costs 100.00 €. Who paid in two currencies is one of those who paid in each, and counts
	// once, where she paid first; what euros cost is of both.
	h.clock.Advance(time.Hour)
	inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return ledger.PostTx(ctx, tx, ledger.Posting{Reference: "more", Kind: "test", Currency: "EUR", OccurredAt: tx.Now(), Entries: []ledger.Entry{
			{Account: ledger.Revenue, Minor: -90_000, EnrolmentID: learners["FRANC"][0]}, {Account: ledger.Receivable, Minor: 90_000},
		}}, ledger.Posting{Reference: "lab", Kind: "test", Currency: "EUR", OccurredAt: tx.Now(), Entries: []ledger.Entry{
			{Account: ledger.LabCost, Minor: 10_000, EnrolmentID: learners["FRANC"][1]}, {Account: "payable:labs", Minor: -10_000},
		}})
	})
	for _, known := range []time.Time{{}, h.clock.Now()} { // by the sums, and by all that was written
		o, err := analytics.OutcomesOf(system, h.db, analytics.Question{Session: "FRANC", KnownAt: known})
		if err != nil || len(o.Money) != 2 {
			t.Fatalf("%+v %v", o, err)
		}
		for i, want := range []string{
			"900.00 EUR: 1 paid, 1 started, 900.00 EUR each; 100.00 EUR: 2 started, 50.00 EUR each",
			"100000 XOF: 2 paid, 2 started, 50000 XOF each; 10000 XOF: 2 started, 5000 XOF each",
		} {
			m := o.Money[i]
			if got := fmt.Sprintf("%v: %d paid, %d started, %v each; %v: %d started, %v each", m.Net, m.Paid, m.Started, m.PerStarted, m.Cost, m.Bearing.Started, m.CostPerStarted); got != want {
				t.Errorf("known at %s: %s, want %s", known, got, want)
			}
		}
	}
	same("the cube of those with money in two currencies", amounts("outcome_cube", map[string]string{"by": "session"}, "enrolled", "started", "net_per_started", "cost_per_started"), map[string]string{
		"FRANC XOF": "2 | 2 | 50000 XOF | 5000 XOF", "FRANC EUR": "0 | 0 | 900.00 EUR | 50.00 EUR",
	})
	// Rows that are given one by one, as the API asks for them, are those that stand beside each other, in every order of dimensions and for a partner.
	for _, with := range []map[string]string{{"by": "session"}, {"by": "session,month"}, {"by": "offer,session,country"}, {"by": "session", "audience": "partner"}} {
		var said [2][]byte
		for i, one := range []bool{false, true} {
			f, err := analytics.FigureOf(system, h.db, "outcome_cube", analytics.Ask{Params: with, OneByOne: one})
			if err != nil {
				t.Fatal(err)
			}
			if said[i], err = json.Marshal(f); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(said[0], said[1]) || !bytes.Contains(said[0], []byte(`"FRANC"`)) {
			t.Errorf("%v: one by one\n%s\nbeside each other\n%s", with, said[1], said[0])
		}
	}
	same("break-even", amounts("break_even", map[string]string{"session": "FRANC"}, "paying", "net_per_paying", "costs"), map[string]string{
		"XOF XOF": "2 | 50000 XOF | 0 XOF", "EUR EUR": "1 | 900.00 EUR | 100.00 EUR",
	})
}
