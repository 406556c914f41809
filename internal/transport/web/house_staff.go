package web

import (
	"context"
	"time"

	"cursus/internal/kernel/money"
)

// StaffHouse is what the page of staff asks of the rooms. Who may not read figures is Forbidden.
type StaffHouse interface {
	Comparison(ctx context.Context, who Viewer) (Comparison, error)
	Outcomes(ctx context.Context, who Viewer) (Outcomes, error)
}

// Rate is a share of people with its Wilson 95 % interval, in tenths of a per cent. Nil: nobody to take a share of.
type Rate struct {
	Count  int64  `json:"count"`
	Of     int64  `json:"of"`
	Tenths *int64 `json:"tenths_of_percent"`
	Low    *int64 `json:"wilson95_low_tenths"`
	High   *int64 `json:"wilson95_high_tenths"`
}

// Comparison holds the five indicators of several sessions side by side (Figure 7 of the paper).
type Comparison struct {
	AsOf     time.Time         `json:"as_of"`
	Basis    string            `json:"basis"`
	Week1    string            `json:"week1_rule"`
	Sessions []ComparedSession `json:"sessions"`
	// PlainMean is the plain mean of the columns above, as the paper prints it; Weighted pools all people.
	PlainMean Averages   `json:"plain_mean"`
	Weighted  Indicators `json:"weighted"`
	Demo      bool       `json:"demo"`
}

// ComparedSession is one column of the comparison.
type ComparedSession struct {
	Session string `json:"session"`
	Level   string `json:"level,omitempty"`
	Open    bool   `json:"open"` // the numbers may still grow
	Indicators
}

// Indicators are the five. DiligentSuccess is a ratio of counts and may exceed 100 %.
type Indicators struct {
	Enrolled        int64 `json:"enrolled"`
	Started         Rate  `json:"started"`
	Diligent        Rate  `json:"diligent"`
	Succeeded       Rate  `json:"succeeded"`
	DiligentSuccess Rate  `json:"diligent_success"`
}

// Averages are plain means, in people and in tenths of a per cent.
type Averages struct {
	Enrolled        *int64 `json:"enrolled"`
	Started         *int64 `json:"started"`
	Diligent        *int64 `json:"diligent"`
	Succeeded       *int64 `json:"succeeded"`
	DiligentSuccess *int64 `json:"diligent_success"`
}

// Outcomes say what the paid formula became, session by session (Figure 10) and what each euro bought.
type Outcomes struct {
	AsOf    time.Time `json:"as_of"`
	Formula string    `json:"formula"`
	Rows    []Outcome `json:"sessions"`
	Demo    bool      `json:"demo"`
}

// Outcome is one session and one currency. Per… is net revenue divided by people, half up; nil without people.
type Outcome struct {
	Session           string        `json:"session"`
	Open              bool          `json:"open"`
	Share             Rate          `json:"share_of_enrolled"`
	Paid              int64         `json:"paid"`
	Started           Rate          `json:"started"`
	Diligent          Rate          `json:"diligent"`
	DiligentCertified Rate          `json:"certified_of_diligent"`
	Certified         Rate          `json:"certified"`
	Net               money.Amount  `json:"net_revenue"`
	PerStarted        *money.Amount `json:"net_per_started"`
	PerDiligent       *money.Amount `json:"net_per_diligent"`
	PerCertified      *money.Amount `json:"net_per_certified"`
	// What the same enrolments cost (workshop days) and what is left of the net; nil: no cost was recorded.
	Cost                     *money.Amount `json:"cost,omitempty"`
	Contribution             *money.Amount `json:"contribution,omitempty"`
	CostPerCertified         *money.Amount `json:"cost_per_certified,omitempty"`
	ContributionPerCertified *money.Amount `json:"contribution_per_certified,omitempty"`
}

// Costly lists the rows that a cost was recorded for.
func (o Outcomes) Costly() (rows []Outcome) {
	for _, r := range o.Rows {
		if r.Cost != nil {
			rows = append(rows, r)
		}
	}
	return rows
}
