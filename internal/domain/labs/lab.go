package labs

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Lab is a lab of a session. CostMilli is what a minute costs, in thousandths of a minor unit.
type Lab struct {
	ID           string         `db:"id"`
	SessionID    string         `db:"session_id"`
	SessionKey   string         `db:"session_key"`
	TitleEN      string         `db:"title_en"`
	TitleFR      string         `db:"title_fr"`
	Week         int            `db:"week"`
	Provider     string         `db:"provider"`
	Resource     string         `db:"resource"`
	QuotaMinutes int            `db:"quota_minutes"`
	IdleMinutes  int            `db:"idle_minutes"`
	Currency     money.Currency `db:"currency"`
	CostMilli    int64          `db:"cost_milli"`
	Entitlement  string         `db:"entitlement"`
	Open         bool           `db:"open"`
	Served       bool           `db:"served"` // its provider is switched on
	Version      int            `db:"version"`
	Minutes      int            `db:"minutes"`    // of launches that ended
	CostMinor    int64          `db:"cost_minor"` // of the same, in the currency of the lab
}

// Title gives the title in both languages.
func (l Lab) Title() catalog.Text { return catalog.Text{EN: l.TitleEN, FR: l.TitleFR} }

// Cost is what the minutes of launches that ended cost, in the lab's currency.
func (l Lab) Cost() money.Amount { return money.Of(l.CostMinor, l.Currency) }

// Minute is what minutes that begin now cost, in the lab's currency.
func (l Lab) Minute(minutes int) money.Amount { return CostOf(minutes, l.CostMilli, l.Currency) }

// NewLab is what a lab is made of. An empty entitlement is labs.
type NewLab struct {
	Title        catalog.Text   `json:"title"`
	Week         int            `json:"week"` // 0: outside the weeks
	Provider     string         `json:"provider"`
	Resource     string         `json:"resource"`
	QuotaMinutes int            `json:"quota_minutes"`
	IdleMinutes  int            `json:"idle_minutes"`
	Currency     money.Currency `json:"currency"`
	CostMilli    int64          `json:"cost_per_minute_milli"`
	Entitlement  string         `json:"entitlement"`
	Open         bool           `json:"open"`
}

func (l Lab) plan() NewLab {
	return NewLab{l.Title(), l.Week, l.Provider, l.Resource, l.QuotaMinutes, l.IdleMinutes, l.Currency, l.CostMilli, l.Entitlement, l.Open}
}

const maxMilli = 1_000_000_000

func (n *NewLab) validate() error {
	if n.Entitlement == "" {
		n.Entitlement = offers.Labs
	}
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	length := utf8.RuneCountInString
	refuse(strings.TrimSpace(n.Title.EN+n.Title.FR) == "" || length(n.Title.EN) > 200 || length(n.Title.FR) > 200, "/title", "bad-title", "In one language at least, at most 200 characters.")
	refuse(n.Week < 0 || n.Week > 53, "/week", "out-of-range", "0 to 53.")
	refuse(n.Resource == "" || length(n.Resource) > 200 || !printable.MatchString(n.Resource), "/resource", "bad-resource", "1 to 200 printable ASCII characters without blanks.")
	refuse(n.QuotaMinutes < 1 || n.QuotaMinutes > 100_000, "/quota_minutes", "out-of-range", "1 to 100,000.")
	refuse(n.IdleMinutes < 1 || n.IdleMinutes > 1440, "/idle_minutes", "out-of-range", "1 to 1,440.")
	refuse(!n.Currency.Known(), "/currency", "unknown-currency", "An ISO 4217 code that is sold in.")
	refuse(n.CostMilli < 0 || n.CostMilli > maxMilli, "/cost_per_minute_milli", "out-of-range", "0 to 1,000,000,000 thousandths of a minor unit.")
	refuse(!slices.Contains(offers.Entitlements, n.Entitlement), "/entitlement", "unknown-entitlement", "One of those that formulas open.")
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// CreateLabTx makes a lab of a session. Errors: catalog.ErrNoSession, ErrUnknown.
func CreateLabTx(ctx context.Context, tx *postgres.Tx, session string, n NewLab) (Lab, error) {
	s, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return Lab{}, err
	}
	if err := n.validate(); err != nil {
		return Lab{}, err
	}
	id := ident.New("lab")
	if _, err := tx.Exec(ctx, q.Q("AddLab"), id, s.ID, n.Title.EN, n.Title.FR, n.Week, n.Provider, n.Resource, n.QuotaMinutes, n.IdleMinutes, n.Currency, n.CostMilli, n.Entitlement, n.Open, tx.Now()); err != nil {
		return Lab{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "lab.made", Object: id, Detail: map[string]any{"session": s.ID}, After: n}); err != nil {
		return Lab{}, err
	}
	return LabTx(ctx, tx, id)
}

// LabTx finds a lab. Error: ErrNoLab.
func LabTx(ctx context.Context, tx *postgres.Tx, id string) (Lab, error) {
	var l Lab
	err := tx.Get(ctx, &l, q.Q("Lab"), id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoLab
	}
	return l, err
}

// LabsTx lists the labs of a session by week.
func LabsTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Lab, error) {
	out := []Lab{}
	err := tx.Select(ctx, &out, q.Q("Labs"), sessionID)
	return out, err
}

// LabsOfProviderTx lists the labs that a provider hosts, by session.
func LabsOfProviderTx(ctx context.Context, tx *postgres.Tx, provider string) ([]Lab, error) {
	out := []Lab{}
	err := tx.Select(ctx, &out, q.Q("LabsOfProvider"), provider)
	return out, err
}

// PutLabTx rewrites a lab that was read at a version (0: any). What a minute costs changes for launches to come alone. Errors: ErrNoLab, ErrChanged, ErrUnknown.
func PutLabTx(ctx context.Context, tx *postgres.Tx, id string, n NewLab, version int) (Lab, error) {
	old, err := LabTx(ctx, tx, id)
	if err != nil {
		return old, err
	}
	if err := n.validate(); err != nil {
		return old, err
	}
	if version == 0 {
		version = old.Version
	}
	done, err := tx.Exec(ctx, q.Q("PutLab"), id, n.Title.EN, n.Title.FR, n.Week, n.Provider, n.Resource, n.QuotaMinutes, n.IdleMinutes, n.Currency, n.CostMilli, n.Entitlement, n.Open, version)
	if err != nil {
		return old, err
	}
	if done == 0 {
		return old, ErrChanged
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "lab.changed", Object: id, Detail: map[string]any{"version": version + 1}, Before: old.plan(), After: n}); err != nil {
		return old, err
	}
	return LabTx(ctx, tx, id)
}
