package workshops

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Day is a workshop day. Times are stored in UTC; Zone says what clock hangs on the wall there.
type Day struct {
	ID           string         `db:"id"`
	SessionID    string         `db:"session_id"`
	SessionKey   string         `db:"session_key"`
	TitleEN      string         `db:"title_en"`
	TitleFR      string         `db:"title_fr"`
	Place        string         `db:"place"`
	Zone         string         `db:"zone"`
	StartsAt     time.Time      `db:"starts_at"`
	EndsAt       time.Time      `db:"ends_at"`
	Capacity     int            `db:"capacity"`
	Currency     money.Currency `db:"currency"`
	CostMinor    int64          `db:"cost_minor"`
	PerHeadMinor int64          `db:"per_head_minor"`
	State        State          `db:"state"`
	HeldAt       *time.Time     `db:"held_at"`
	Version      int            `db:"version"`
	Registered   int            `db:"registered"` // seats taken
	Present      int            `db:"present"`
}

// Title gives the title in both languages; it may be empty.
func (d Day) Title() catalog.Text { return catalog.Text{EN: d.TitleEN, FR: d.TitleFR} }

// Cost is what the day costs by itself, PerHead what each who attends adds.
func (d Day) Cost() money.Amount { return money.Of(d.CostMinor, d.Currency) }

// PerHead is what each who attends adds to the cost.
func (d Day) PerHead() money.Amount { return money.Of(d.PerHeadMinor, d.Currency) }

// Location is the zone of the place.
func (d Day) Location() *time.Location {
	l, err := time.LoadLocation(d.Zone)
	if err != nil { // it was checked when it was written; a zone that was dropped since is shown in UTC
		return time.UTC
	}
	return l
}

// NewDay is what a day is made of. Amounts are minor units of one currency.
type NewDay struct {
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

func (d Day) plan() NewDay {
	return NewDay{d.Title(), d.Place, d.Zone, d.StartsAt.UTC(), d.EndsAt.UTC(), d.Capacity, d.Currency, d.CostMinor, d.PerHeadMinor}
}

const (
	maxSeats   = 10_000
	maxCost    = 100_000_000_000
	maxPerHead = 100_000_000
)

func (n NewDay) validate() error {
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	length := func(s string) int { return utf8.RuneCountInString(s) }
	refuse(length(n.Title.EN) > 200 || length(n.Title.FR) > 200, "/title", "bad-title", "At most 200 characters.")
	refuse(strings.TrimSpace(n.Place) == "" || length(n.Place) > 300, "/place", "bad-length", "1 to 300 characters.")
	_, err := time.LoadLocation(n.Zone)
	refuse(err != nil || n.Zone == "" || n.Zone == "Local" || len(n.Zone) > 60, "/zone", "unknown-zone", "A name of the time zone database, such as Europe/Paris.")
	refuse(n.StartsAt.IsZero() || n.StartsAt.Year() < 1990 || n.StartsAt.Year() > 2200, "/starts_at", "out-of-range", "A time.")
	refuse(!n.EndsAt.After(n.StartsAt) || n.EndsAt.Sub(n.StartsAt) > 24*time.Hour, "/ends_at", "before-start", "A day ends after it begins, within 24 hours.")
	refuse(n.Capacity < 1 || n.Capacity > maxSeats, "/capacity", "out-of-range", "1 to 10,000.")
	refuse(!n.Currency.Known(), "/currency", "unknown-currency", "An ISO 4217 code that is sold in.")
	refuse(n.CostMinor < 0 || n.CostMinor > maxCost, "/cost_minor", "out-of-range", "0 to 100,000,000,000.")
	refuse(n.PerHeadMinor < 0 || n.PerHeadMinor > maxPerHead, "/per_head_minor", "out-of-range", "0 to 100,000,000.")
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// CreateDayTx makes a day of a hybrid session. Errors: catalog.ErrNoSession, ErrNotHybrid.
func CreateDayTx(ctx context.Context, tx *postgres.Tx, session string, n NewDay) (Day, error) {
	s, err := catalog.LockSessionTx(ctx, tx, session)
	if err != nil {
		return Day{}, err
	}
	if err := n.validate(); err != nil {
		return Day{}, err
	}
	if s.Kind != catalog.Hybrid {
		return Day{}, ErrNotHybrid
	}
	id := ident.New("wsd")
	if _, err := tx.Exec(ctx, q.Q("AddDay"), id, s.ID, n.Title.EN, n.Title.FR, n.Place, n.Zone, n.StartsAt, n.EndsAt, n.Capacity, n.Currency,
		n.CostMinor, n.PerHeadMinor, tx.Now()); err != nil {
		return Day{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "workshop_day.planned", Object: id, Detail: map[string]any{"session": s.ID, "cost": money.Of(n.CostMinor, n.Currency)}}); err != nil {
		return Day{}, err
	}
	return DayTx(ctx, tx, id)
}

// DayTx finds a day.
func DayTx(ctx context.Context, tx *postgres.Tx, id string) (Day, error) {
	var d Day
	err := tx.Get(ctx, &d, q.Q("Day"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return d, ErrNoDay
	}
	return d, err
}

// DaysTx lists the days of a session in the order of time.
func DaysTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Day, error) {
	d := []Day{}
	err := tx.Select(ctx, &d, q.Q("Days"), sessionID)
	return d, err
}

// lock is DayTx that holds the day, so that whoever takes a seat, leaves one or counts them follows the other.
func lock(ctx context.Context, tx *postgres.Tx, id string) (Day, error) {
	var found string
	if err := tx.Get(ctx, &found, q.Q("LockDay"), id); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNoDay
		}
		return Day{}, err
	}
	return DayTx(ctx, tx, id)
}

// PutDayTx rewrites a day; expected is the version that the caller read, 0 for any. Of a day that was held the cost alone can change, and the
// ledger is corrected; a canceled one stays as it is. Errors: ErrChanged, ErrDayOver, ErrTooFewSeats.
func PutDayTx(ctx context.Context, tx *postgres.Tx, id string, n NewDay, expected int) (Day, error) {
	d, err := lock(ctx, tx, id)
	if err != nil {
		return d, err
	}
	if expected != 0 && expected != d.Version {
		return d, ErrChanged
	}
	if err := n.validate(); err != nil {
		return d, err
	}
	moved := !n.StartsAt.Equal(d.StartsAt) || !n.EndsAt.Equal(d.EndsAt) || n.Place != d.Place || n.Capacity != d.Capacity || n.Zone != d.Zone || n.Currency != d.Currency
	if d.State == Canceled || d.State == Held && moved {
		return d, ErrDayOver
	}
	if n.Capacity < d.Registered {
		return d, ErrTooFewSeats
	}
	if _, err := tx.Exec(ctx, q.Q("EditDay"), d.ID, n.Title.EN, n.Title.FR, n.Place, n.Zone, n.StartsAt, n.EndsAt, n.Capacity, n.Currency, n.CostMinor, n.PerHeadMinor); err != nil {
		return d, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "workshop_day.changed", Object: d.ID, Detail: map[string]any{"version": d.Version + 1},
		Before: d.plan(), After: n}); err != nil {
		return d, err
	}
	if d, err = DayTx(ctx, tx, d.ID); err != nil || d.State != Held {
		return d, err
	}
	return d, recostTx(ctx, tx, d)
}

// CancelDayTx calls a planned day off. Its registrations stay as they are; expected as in PutDayTx.
func CancelDayTx(ctx context.Context, tx *postgres.Tx, id string, expected int) (Day, error) {
	d, err := lock(ctx, tx, id)
	if err != nil {
		return d, err
	}
	if expected != 0 && expected != d.Version {
		return d, ErrChanged
	}
	return moveTx(ctx, tx, d, Canceled)
}

func moveTx(ctx context.Context, tx *postgres.Tx, d Day, to State) (Day, error) {
	if !DayLife.Allows(d.State, to) {
		return d, ErrDayOver
	}
	var held *time.Time
	if to == Held {
		now := tx.Now()
		held = &now
	}
	if _, err := tx.Exec(ctx, q.Q("MoveDay"), d.ID, to, held); err != nil {
		return d, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "workshop_day." + string(to), Object: d.ID}); err != nil {
		return d, err
	}
	return DayTx(ctx, tx, d.ID)
}

// CopyDaysTx plans the days of a session again for a copy of it, as many weeks later, at the same hours of their places. Canceled days are
// left. A copy that has days stays as it is. It gives how many were planned.
func CopyDaysTx(ctx context.Context, tx *postgres.Tx, fromSessionID, toSessionID string, weeks int) (int, error) {
	there, err := DaysTx(ctx, tx, toSessionID)
	if err != nil || len(there) > 0 {
		return 0, err
	}
	days, err := DaysTx(ctx, tx, fromSessionID)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, d := range days {
		if d.State == Canceled {
			continue
		}
		zone := d.Location()
		if _, err := CreateDayTx(ctx, tx, toSessionID, NewDay{
			Title: d.Title(), Place: d.Place, Zone: d.Zone, StartsAt: catalog.ShiftWeeks(d.StartsAt, weeks, zone), EndsAt: catalog.ShiftWeeks(d.EndsAt, weeks, zone),
			Capacity: d.Capacity, Currency: d.Currency, CostMinor: d.CostMinor, PerHeadMinor: d.PerHeadMinor,
		}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
