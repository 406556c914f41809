// Package accounting reads the books for those who keep the institute's: accounts and statements, the shares of partner schools,
// the journal for other programs, and whether provider, ledger, orders, enrolments and documents agree.
//
// It writes little: agreements and settlements with partners, and the differences that it found.
package accounting

import (
	_ "embed"
	"time"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("accounting", queriesSQL)

// Every fault of this room.
var (
	ErrNoAgreement   = fault.New(fault.NotFound, "no-such-agreement", "There is no agreement with this key.")
	ErrChanged       = fault.New(fault.Precondition, "agreement-changed", "Somebody changed this agreement meanwhile.")
	ErrOverlap       = fault.New(fault.Conflict, "agreements-overlap", "Another agreement holds for this school, currency and way to collect at the same time.")
	ErrAgreement     = fault.New(fault.Unprocessable, "bad-agreement", "An agreement has its dates in order and a share between nothing and all.")
	ErrSettled       = fault.New(fault.Conflict, "settlement-recorded-already", "A settlement with this reference was recorded already.")
	ErrNoDifference  = fault.New(fault.NotFound, "no-such-difference", "There is no such difference.")
	ErrNoRun         = fault.New(fault.NotFound, "no-such-reconciliation", "There is no such reconciliation.")
	ErrPeriod        = fault.New(fault.Invalid, "bad-period", "A period ends after it begins, and is ten years long at most.")
	ErrAccount       = fault.New(fault.NotFound, "no-such-account", "Nothing stands on this account.")
	ErrNoOrderOfThis = fault.New(fault.NotFound, "no-such-order", "There is no such order.")
)

func init() {
	postgres.RegisterConstraint("settlement_once", ErrSettled)
	postgres.RegisterConstraint("agreement_dates", ErrAgreement)
	postgres.RegisterConstraint("share_of_a_whole", ErrAgreement)
}

// Service is the room.
type Service struct {
	db       *postgres.DB
	jobs     *jobs.Jobs
	payments *payments.Service
}

// New opens the room.
func New(db *postgres.DB, j *jobs.Jobs, p *payments.Service) *Service {
	return &Service{db: db, jobs: j, payments: p}
}

// Period is from an instant until before another one.
type Period struct {
	From, Until time.Time
}

func (p Period) validate() error {
	if !p.Until.After(p.From) || p.Until.Sub(p.From) > 10*366*24*time.Hour {
		return ErrPeriod
	}
	return nil
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "1", Name: "every settlement with a partner stands in the ledger, and no other", Query: q.Q("CheckSettlements")},
		{Invariant: "1", Name: "every share of a partner stands in the ledger, and no other", Query: q.Q("CheckShares")},
		{Invariant: "7", Name: "an amount of the provider's book that we keep per payment is that of its postings", Query: q.Q("CheckPostings")},
	}
}

// Row is a balance of an account in a currency, in minor units; debits are positive.
type Row struct {
	Account  string         `json:"account" db:"account"`
	Number   string         `json:"number" db:"number"` // in the chart of accounts
	TitleEN  string         `json:"title_en" db:"title_en"`
	TitleFR  string         `json:"title_fr" db:"title_fr"`
	Currency money.Currency `json:"currency" db:"currency"`
	Debit    int64          `json:"debit_minor" db:"debit"`
	Credit   int64          `json:"credit_minor" db:"credit"`
	Balance  int64          `json:"balance_minor" db:"balance"`
	Entries  int64          `json:"entries" db:"entries"`
}

// Entry is one line of the ledger as a statement shows it.
type Entry struct {
	ID          int64          `json:"id" db:"id"`
	Transaction string         `json:"transaction" db:"transaction_id"`
	Reference   string         `json:"reference" db:"reference"`
	Kind        string         `json:"kind" db:"kind"`
	Account     string         `json:"account" db:"account"`
	Currency    money.Currency `json:"currency" db:"currency"`
	Minor       int64          `json:"amount_minor" db:"minor"` // debit positive
	OrderID     string         `json:"order,omitempty" db:"order_id"`
	EnrolmentID string         `json:"enrolment,omitempty" db:"enrolment_id"`
	OccurredAt  time.Time      `json:"occurred_at" db:"occurred_at"`
	RecordedAt  time.Time      `json:"recorded_at" db:"recorded_at"`
}
