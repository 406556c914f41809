package offers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Plan is how an offer may be paid in instalments, in one currency.
type Plan struct {
	OfferID      string         `json:"offer_id"`
	Currency     money.Currency `json:"currency"`
	Instalments  int            `json:"instalments"`
	Every        int            `json:"every"` // so many units after one the next is due
	Unit         string         `json:"unit"`  // day or month
	FirstPPM     *int           `json:"first_ppm,omitempty"`
	LeastMinor   int64          `json:"least_minor"` // what an order costs at least to be paid so
	OnDefault    string         `json:"on_default"`
	EndAfterDays *int           `json:"end_after_days,omitempty"` // in default; of OnDefault "end"
	Archived     bool           `json:"archived"`
	Version      int            `json:"version"`
}

// What happens to the access of who does not pay an instalment: nothing, it is suspended until she pays, or it is and then ends.
const (
	KeepAccess    = "keep"
	SuspendAccess = "suspend"
	EndAccess     = "end"
)

// DefaultPolicies are all of them.
var DefaultPolicies = []string{KeepAccess, SuspendAccess, EndAccess}

// Faults of plans.
var (
	ErrPlanChanged = fault.New(fault.Precondition, "changed-meanwhile", "The plan was changed since you read it. Read it again and decide again.")
)

func (p Plan) validate() error {
	var bad []fault.Field
	whole := func(pointer string, n, least, most int) {
		if n < least || n > most {
			bad = append(bad, fault.Field{Pointer: pointer, Code: "out-of-range", Detail: fmt.Sprintf("%d to %d.", least, most)})
		}
	}
	if !p.Currency.Known() {
		return money.ErrCurrency
	}
	whole("/instalments", p.Instalments, 2, 24)
	whole("/every", p.Every, 1, map[string]int{"day": 366, "month": 12}[p.Unit])
	if p.Unit != "day" && p.Unit != "month" {
		bad = append(bad, fault.Field{Pointer: "/unit", Code: "unknown", Detail: "day or month."})
	}
	if p.FirstPPM != nil {
		whole("/first_ppm", *p.FirstPPM, 1, 999_999)
	}
	if p.LeastMinor < 0 || p.LeastMinor > 99_999_999 {
		bad = append(bad, fault.Field{Pointer: "/least_minor", Code: "out-of-range", Detail: "0 to 99999999."})
	}
	switch p.OnDefault {
	case KeepAccess, SuspendAccess:
		if p.EndAfterDays != nil {
			bad = append(bad, fault.Field{Pointer: "/end_after_days", Code: "not-of-this-policy", Detail: "Only where access ends."})
		}
	case EndAccess:
		if p.EndAfterDays == nil {
			bad = append(bad, fault.Field{Pointer: "/end_after_days", Code: "required", Detail: "After how many days access ends."})
		} else {
			whole("/end_after_days", *p.EndAfterDays, 1, 365)
		}
	default:
		bad = append(bad, fault.Field{Pointer: "/on_default", Code: "unknown", Detail: "keep, suspend or end."})
	}
	if bad != nil {
		return fault.InvalidInput(bad...)
	}
	return nil
}

type planRow struct {
	OfferID      string `db:"offer_id"`
	Currency     string `db:"currency"`
	Instalments  int    `db:"instalments"`
	Every        int    `db:"every"`
	Unit         string `db:"unit"`
	FirstPPM     *int   `db:"first_ppm"`
	LeastMinor   int64  `db:"least_minor"`
	OnDefault    string `db:"on_default"`
	EndAfterDays *int   `db:"end_after_days"`
	Archived     bool   `db:"archived"`
	Version      int    `db:"version"`
}

func (r planRow) plan() Plan {
	return Plan{r.OfferID, money.Currency(r.Currency), r.Instalments, r.Every, r.Unit, r.FirstPPM, r.LeastMinor, r.OnDefault, r.EndAfterDays, r.Archived, r.Version}
}

// PutPlanTx writes the plan of an offer in a currency over the version that was read, 0 for whatever stands there; another one is
// ErrPlanChanged. What was ordered keeps its plan. Errors: ErrNoOffer, ErrNotValid where the offer is withdrawn, and those of bad values.
func PutPlanTx(ctx context.Context, tx *postgres.Tx, p Plan, version int) (Plan, error) {
	if err := p.validate(); err != nil {
		return p, err
	}
	o, err := OfferTx(ctx, tx, p.OfferID)
	if err != nil {
		return p, err
	}
	if o.Publication == catalog.Archived {
		return p, ErrNotValid
	}
	if err := audit.HoldTx(ctx, tx, "plan/"+p.OfferID); err != nil {
		return p, err
	}
	all, err := PlansTx(ctx, tx, p.OfferID)
	if err != nil {
		return p, err
	}
	var before any
	for _, x := range all {
		if x.Currency == p.Currency {
			before = x
		}
	}
	err = tx.Get(ctx, &p.Version, q.Q("PutPlan"), p.OfferID, p.Currency, p.Instalments, p.Every, p.Unit, p.FirstPPM, p.LeastMinor, p.OnDefault, p.EndAfterDays, p.Archived, tx.Now(), version)
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrPlanChanged
	}
	if err != nil {
		return p, err
	}
	return p, audit.AppendTx(ctx, tx, audit.Entry{Action: "plan.put", Object: p.OfferID, Detail: map[string]any{"currency": p.Currency}, Before: before, After: p})
}

// PlansTx lists the plans of offers, the archived ones too.
func PlansTx(ctx context.Context, tx *postgres.Tx, offerIDs ...string) ([]Plan, error) {
	var rows []planRow
	err := tx.Select(ctx, &rows, q.Q("Plans"), pq.Array(offerIDs))
	out := make([]Plan, len(rows))
	for i, r := range rows {
		out[i] = r.plan()
	}
	return out, err
}
