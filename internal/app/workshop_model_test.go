package app_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
)

// dayModel is a workshop day as it should be, in the plainest words that there are.
type dayModel struct {
	w                            *world
	id                           string
	capacity                     int
	cost, head                   int64
	begun, held                  bool
	seats                        map[string]bool
	marks                        map[string][]string // enrolment → what was recorded of it, each correction too
	before                       map[string]int64    // what enrolments cost until this day
	starts                       time.Time
	all                          []string // enrolments
	registers, refused, corrects int
}

// do asks the room for something and compares its answer with the model's.
func (m *dayModel) do(t *rapid.T, what, want string, fn func(ctx context.Context, tx *postgres.Tx) error) {
	m.w.clock.Advance(time.Second)
	if got := code(m.w.h.DB.InTx(system, what, fn)); got != want {
		t.Fatalf("%s: %q, want %q (%d of %d seats, begun %v, held %v)", what, got, want, len(m.seats), m.capacity, m.begun, m.held)
	}
}

func (m *dayModel) last(e string) string {
	if h := m.marks[e]; len(h) > 0 {
		return h[len(h)-1]
	}
	return ""
}

func (m *dayModel) present() (n int64) {
	for e := range m.seats {
		if m.last(e) == workshops.Present {
			n++
		}
	}
	return n
}

func (m *dayModel) register(t *rapid.T, e string) {
	want := ""
	switch {
	case m.held:
		want = "workshop-day-over"
	case m.seats[e]:
		want = "registered-already"
	case len(m.seats) == m.capacity:
		want = "workshop-day-full"
		m.refused++
	}
	m.do(t, "register", want, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := workshops.RegisterTx(ctx, tx, m.id, e, "")
		return err
	})
	if want == "" {
		m.seats[e] = true
		m.registers++
	}
}

func (m *dayModel) leave(t *rapid.T, e string) {
	want := ""
	switch {
	case m.held:
		want = "workshop-day-over"
	case !m.seats[e]:
		want = "not-registered"
	}
	m.do(t, "leave", want, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := workshops.LeaveTx(ctx, tx, m.id, e, "")
		return err
	})
	if want == "" {
		delete(m.seats, e)
	}
}

func (m *dayModel) mark(t *rapid.T, e, status string) {
	want := ""
	switch {
	case !m.begun:
		want = "workshop-day-ahead"
	case !m.seats[e]:
		want = "not-registered"
	}
	m.do(t, "mark", want, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := m.w.h.Workshops.RecordAttendanceTx(ctx, tx, m.id, []workshops.Mark{{EnrolmentID: e, Status: status}})
		return err
	})
	if want == "" && m.last(e) != status {
		m.marks[e] = append(m.marks[e], status)
		m.corrects += min(len(m.marks[e])-1, 1)
	}
}

func (m *dayModel) hold(t *rapid.T) {
	want := ""
	switch {
	case m.held:
	case !m.begun:
		want = "workshop-day-ahead"
	case len(m.seats) == 0 && m.cost > 0:
		want = "nobody-to-carry-cost"
	}
	m.do(t, "hold", want, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := workshops.HoldTx(ctx, tx, m.id)
		return err
	})
	m.held = m.held || want == ""
}

func (m *dayModel) day() workshops.NewDay {
	return workshops.NewDay{
		Place: "Palaiseau", Zone: "Europe/Paris", StartsAt: m.starts, EndsAt: m.starts.Add(7 * time.Hour), Capacity: m.capacity, Currency: "EUR", CostMinor: m.cost, PerHeadMinor: m.head,
	}
}

func (m *dayModel) put(t *rapid.T, capacity int, cost, head int64) {
	want := ""
	switch {
	case m.held && capacity != m.capacity:
		want = "workshop-day-over"
	case capacity < len(m.seats):
		want = "seats-taken"
	case m.held && len(m.seats) == 0 && cost > 0:
		want = "nobody-to-carry-cost"
	}
	n := m.day()
	n.Capacity, n.CostMinor, n.PerHeadMinor = capacity, cost, head
	m.do(t, "put", want, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := workshops.PutDayTx(ctx, tx, m.id, n, 0)
		return err
	})
	if want == "" {
		m.capacity, m.cost, m.head = capacity, cost, head
	}
}

// compare holds the house against the model: seats, every record of attendance, and the cost to the cent.
func (m *dayModel) compare(t *rapid.T) {
	var d workshops.Day
	history := map[string][]string{}
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if d, err = workshops.DayTx(ctx, tx, m.id); err != nil {
			return err
		}
		for _, e := range m.all {
			var recorded []string
			if err := tx.Select(ctx, &recorded, postgres.Query{Name: "test", SQL: "select status from workshops.attendance where enrolment_id = $1 and day_id = $2 order by recorded_at"}, e, m.id); err != nil {
				return err
			}
			history[e] = recorded
		}
		return nil
	})
	if d.Registered != len(m.seats) || d.Registered > d.Capacity || d.Capacity != m.capacity || int64(d.Present) != m.present() {
		t.Fatalf("%+v, want %d seats of %d and %d present", d, len(m.seats), m.capacity, m.present())
	}
	want := int64(0)
	if m.held {
		want = m.cost + m.head*m.present()
	}
	posted := int64(0)
	for _, e := range m.all {
		own := m.w.cost(e) - m.before[e]
		posted += own
		carries := m.held && m.seats[e] && (m.last(e) == workshops.Present || m.present() == 0)
		if own != 0 && !carries {
			t.Fatalf("%s carries %d and should carry nothing", e, own)
		}
		if !slices.Equal(history[e], m.marks[e]) {
			t.Fatalf("the history of %s is %v, want %v", e, history[e], m.marks[e])
		}
	}
	if posted != want {
		t.Fatalf("the ledger has %d, want %d", posted, want)
	}
}

// Whatever staff do with a day and in whatever order: seats are never overfull, every correction is kept, and the ledger has what the day
// costs as it is known, once it was held.
func TestAWorkshopDayFollowsItsModel(t *testing.T) {
	w := newWorld(t)
	var session string
	var all []string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "IOT-4", CourseKey: "IOT", Title: catalog.Text{EN: "IoT"}, Platform: "fun", Kind: catalog.Hybrid})
		session = s.ID
		return err
	})
	for i := range 4 {
		p := w.person(fmt.Sprintf("model%d@example.org", i), fmt.Sprint("Model ", i)).ID
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			id, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p, SessionID: session, OrderID: fmt.Sprint("ord_model", i), Formula: "W", Entitlements: []string{"workshop"}})
			all = append(all, id)
			return err
		})
	}
	registers, refused, corrects, held := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := &dayModel{w: w, all: all, seats: map[string]bool{}, marks: map[string][]string{}, before: map[string]int64{}, starts: w.clock.Now().Add(time.Hour)}
		m.capacity, m.cost, m.head = rapid.IntRange(1, 3).Draw(t, "capacity"), rapid.Int64Range(0, 5000).Draw(t, "cost"), rapid.Int64Range(0, 50).Draw(t, "per head")
		for _, e := range all {
			m.before[e] = w.cost(e)
		}
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			d, err := workshops.CreateDayTx(ctx, tx, session, m.day())
			m.id = d.ID
			return err
		})
		steps := rapid.IntRange(6, 24).Draw(t, "steps")
		for i := range steps {
			if i == steps/2 { // the second half of the way is on the day itself
				w.clock.Advance(max(m.starts.Sub(w.clock.Now()), 0))
				m.begun = true
			}
			e := rapid.SampledFrom(all).Draw(t, "enrolment")
			switch rapid.SampledFrom([]string{"register", "register", "register", "leave", "mark", "mark", "mark", "mark", "hold", "put"}).Draw(t, "step") {
			case "register":
				m.register(t, e)
			case "leave":
				m.leave(t, e)
			case "mark":
				m.mark(t, e, rapid.SampledFrom([]string{workshops.Present, workshops.Present, workshops.Absent, workshops.Excused}).Draw(t, "status"))
			case "hold":
				m.hold(t)
			case "put":
				m.put(t, rapid.IntRange(1, 4).Draw(t, "seats"), rapid.Int64Range(0, 5000).Draw(t, "new cost"), rapid.Int64Range(0, 50).Draw(t, "new per head"))
			}
		}
		for range 3 { // most is put right after the day was held
			if m.held {
				m.mark(t, rapid.SampledFrom(all).Draw(t, "whom"), rapid.SampledFrom([]string{workshops.Present, workshops.Absent}).Draw(t, "what she was"))
			}
		}
		m.compare(t)
		registers, refused, corrects = registers+m.registers, refused+m.refused, corrects+m.corrects
		if m.held {
			held++
		}
	})
	t.Log("registered, refused, put right, held:", registers, refused, corrects, held)
	if registers < 50 || refused < 5 || corrects < 5 || held < 10 {
		t.Error("the walk tried too little:", registers, refused, corrects, held)
	}
	w.verify()
}
