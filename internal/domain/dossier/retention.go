package dossier

import (
	"context"
	"time"

	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Rule is a line of the retention schedule: how long a kind of records is kept, on what basis, and what happens then. Basis and Then are
// codes whose words stand among those of the pages. A rule without statements is kept by hand or by the room that owns the records.
type Rule struct {
	Kind  string `json:"kind"`
	Days  int    `json:"days"`  // from the last thing that happened to the record
	Basis string `json:"basis"` // contract, legal_duty, legitimate_interest, consent
	Then  string `json:"then"`  // deleted, wiped, reviewed
	LastRun
	forget []string
}

// LastRun is when a rule was applied last, and how many records it took then and since ever.
type LastRun struct {
	At    *time.Time `json:"ran_at,omitempty"`
	Last  int64      `json:"last_rows"`
	Total int64      `json:"total_rows"`
}

// schedule is the retention schedule.
var schedule = []Rule{
	{Kind: "sign_ins", Days: 30, Basis: "legitimate_interest", Then: "deleted", forget: []string{"Forget sign_ins"}},
	{Kind: "provider_sessions", Days: 0, Basis: "legitimate_interest", Then: "deleted", forget: []string{"Forget provider_sessions"}},
	{Kind: "guesses", Days: 7, Basis: "legitimate_interest", Then: "deleted", forget: []string{"Forget guesses"}},
	{Kind: "addresses", Days: 365, Basis: "legitimate_interest", Then: "wiped", forget: []string{"Forget addresses", "Forget addresses of consents", "Forget addresses of keys"}},
	{Kind: "exports", Days: 0, Basis: "legal_duty", Then: "wiped", forget: []string{"Forget exports"}},
	{Kind: "provider_events", Days: 400, Basis: "contract", Then: "wiped", forget: []string{"Forget provider_events"}},
	{Kind: "grade_files", Days: 3 * 365, Basis: "contract", Then: "wiped", forget: []string{"Forget grade_files"}},
	{Kind: "proctor_references", Days: 365, Basis: "contract", Then: "wiped", forget: []string{"Forget proctor_references"}},
	{Kind: "production_notes", Days: 3 * 365, Basis: "contract", Then: "wiped", forget: []string{"Forget production_notes"}},
	{Kind: "webhook_log", Days: 30, Basis: "contract", Then: "deleted"},
	{Kind: "accounting", Days: 3653, Basis: "legal_duty", Then: "reviewed"},
	{Kind: "consents", Days: 5 * 365, Basis: "legal_duty", Then: "reviewed"},
	{Kind: "learning", Days: 10 * 365, Basis: "contract", Then: "reviewed"},
	{Kind: "audit", Days: 3653, Basis: "legal_duty", Then: "reviewed"},
}

// ScheduleTx is the retention schedule, with what each rule did.
func ScheduleTx(ctx context.Context, tx *postgres.Tx) ([]Rule, error) {
	var runs []struct {
		Kind  string    `db:"kind"`
		At    time.Time `db:"ran_at"`
		Last  int64     `db:"last_rows"`
		Total int64     `db:"total_rows"`
	}
	if err := tx.Select(ctx, &runs, q.Q("Runs")); err != nil {
		return nil, err
	}
	all := append([]Rule{}, schedule...)
	for i := range all {
		for _, r := range runs {
			if r.Kind == all[i].Kind {
				all[i].LastRun = LastRun{&r.At, r.Last, r.Total}
			}
		}
	}
	return all, nil
}

// RetentionDue has the retention schedule applied.
type RetentionDue struct{}

// Kind names the job.
func (RetentionDue) Kind() string { return "dossier.retention" }

// Rank lets everything else go first.
func (RetentionDue) Rank() int { return 9 }

// nightly is the hour, in UTC, after which a night's work is asked for, once.
const nightly = 2

// AskNightly has the schedule applied once a night; several workers may call it.
func (s *Service) AskNightly(ctx context.Context) error {
	now := s.db.Now().UTC()
	due := time.Date(now.Year(), now.Month(), now.Day(), nightly, 0, 0, 0, time.UTC)
	if now.Before(due) {
		due = due.AddDate(0, 0, -1)
	}
	return s.db.InTx(asSystem(ctx), "ask retention", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("LockRetention")); err != nil {
			return err
		}
		var last *time.Time
		if err := tx.Get(ctx, &last, q.Q("LastRun")); err != nil || last != nil && !last.Before(due) {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("Ran"), "asked", tx.Now(), 0); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(ctx, tx, RetentionDue{})
	})
}

// applyRetention applies every rule, each in a transaction of its own, with an audit row where it took something.
func (s *Service) applyRetention(ctx context.Context, _ RetentionDue) error {
	for _, r := range schedule {
		if len(r.forget) == 0 {
			continue
		}
		if err := s.db.InTx(asSystem(ctx), "forget "+r.Kind, func(ctx context.Context, tx *postgres.Tx) error {
			var n int64
			for _, name := range r.forget {
				took, err := tx.Exec(ctx, q.Q(name), tx.Now().AddDate(0, 0, -r.Days))
				if err != nil {
					return err
				}
				n += took
			}
			if _, err := tx.Exec(ctx, q.Q("Ran"), r.Kind, tx.Now(), n); err != nil || n == 0 {
				return err
			}
			return audit.AppendTx(ctx, tx, audit.Entry{Action: "retention.applied", Object: r.Kind, Detail: map[string]any{"records": n, "days": r.Days, "then": r.Then}})
		}); err != nil {
			return err
		}
	}
	return nil
}
