package dossier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Rule is a line of the retention schedule: how long a kind of records is kept, on what basis, and what happens then. Basis and Then are
// codes whose words stand among those of the pages. A rule without statements is kept by hand or by the room that owns the records.
type Rule struct {
	Kind  string `json:"kind"`
	Days  int    `json:"days"`  // from the last thing that happened to the record
	Least int    `json:"least"` // days that it can be set to: the law asks for some, and forbids others
	Most  int    `json:"most"`  // the same as Least where it is not a matter of choice
	Basis string `json:"basis"` // contract, legal_duty, legitimate_interest, consent
	Then  string `json:"then"`  // deleted, wiped, reviewed
	LastRun
	Version int `json:"-"` // 1: as it is proposed
	forget  []string
}

// LastRun is when a rule was applied last, and how many records it took then and since ever.
type LastRun struct {
	At    *time.Time `json:"ran_at,omitempty"`
	Last  int64      `json:"last_rows"`
	Total int64      `json:"total_rows"`
}

// schedule is the retention schedule as it is proposed; dossier.rules holds what staff changed of it.
var schedule = []Rule{
	{Kind: "sign_ins", Days: 30, Least: 1, Most: 365, Basis: "legitimate_interest", Then: "deleted", forget: []string{"Forget sign_ins"}},
	{Kind: "provider_sessions", Days: 0, Least: 0, Most: 0, Basis: "legitimate_interest", Then: "deleted", forget: []string{"Forget provider_sessions"}},
	{Kind: "guesses", Days: 7, Least: 1, Most: 90, Basis: "legitimate_interest", Then: "deleted", forget: []string{"Forget guesses"}},
	{Kind: "addresses", Days: 365, Least: 30, Most: 365, Basis: "legitimate_interest", Then: "wiped", forget: []string{"Forget addresses", "Forget addresses of consents", "Forget addresses of keys"}},
	{Kind: "exports", Days: 0, Least: 0, Most: 0, Basis: "legal_duty", Then: "wiped", forget: []string{"Forget exports", "Forget pieces of data exports", "Forget data exports"}},
	{Kind: "provider_events", Days: 400, Least: 180, Most: 3653, Basis: "contract", Then: "wiped", forget: []string{"Forget provider_events"}},
	{Kind: "grade_files", Days: 3 * 365, Least: 365, Most: 3653, Basis: "contract", Then: "wiped", forget: []string{"Forget grade_files", "Forget files of results"}},
	{Kind: "proctor_references", Days: 365, Least: 30, Most: 3653, Basis: "contract", Then: "wiped", forget: []string{"Forget proctor_references"}},
	{Kind: "lab_events", Days: 365, Least: 30, Most: 3653, Basis: "contract", Then: "wiped", forget: []string{"Forget lab_events"}},
	{Kind: "production_notes", Days: 3 * 365, Least: 30, Most: 3653, Basis: "contract", Then: "wiped", forget: []string{"Forget production_notes"}},
	{Kind: "survey_words", Days: 3 * 365, Least: 30, Most: 3653, Basis: "legitimate_interest", Then: "wiped", forget: []string{"Forget survey_words", "Forget files of answers"}},
	{Kind: "webhook_log", Days: 30, Least: 30, Most: 30, Basis: "contract", Then: "deleted"},
	{Kind: "rosters", Days: 90, Least: 90, Most: 90, Basis: "contract", Then: "deleted"},
	{Kind: "accounting", Days: 3653, Least: 3653, Most: 7305, Basis: "legal_duty", Then: "reviewed"},
	{Kind: "consents", Days: 5 * 365, Least: 3 * 365, Most: 3653, Basis: "legal_duty", Then: "reviewed"},
	{Kind: "learning", Days: 10 * 365, Least: 365, Most: 20 * 365, Basis: "contract", Then: "reviewed"},
	{Kind: "audit", Days: 3653, Least: 365, Most: 7305, Basis: "legal_duty", Then: "reviewed"},
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
	var set []struct {
		Kind    string `db:"kind"`
		Days    int    `db:"days"`
		Version int    `db:"version"`
	}
	if err := tx.Select(ctx, &set, q.Q("Rules")); err != nil {
		return nil, err
	}
	all := append([]Rule{}, schedule...)
	for i := range all {
		all[i].Version = 1
		for _, r := range set {
			if r.Kind == all[i].Kind {
				all[i].Days, all[i].Version = r.Days, r.Version
			}
		}
		for _, r := range runs {
			if r.Kind == all[i].Kind {
				all[i].LastRun = LastRun{&r.At, r.Last, r.Total}
			}
		}
	}
	return all, nil
}

// RuleTx finds a line of the schedule. Error: ErrNoRule.
func RuleTx(ctx context.Context, tx *postgres.Tx, kind string) (Rule, error) {
	all, err := ScheduleTx(ctx, tx)
	if err != nil {
		return Rule{}, err
	}
	if i := slices.IndexFunc(all, func(r Rule) bool { return r.Kind == kind }); i >= 0 {
		return all[i], nil
	}
	return Rule{}, ErrNoRule
}

// PutRuleTx sets for how many days a kind of records is kept, over the version that was read; 0 takes any. It holds from the next night on; what
// is gone does not come back. Errors: ErrNoRule, ErrRuleChanged, an invalid field beyond the least and the most.
func PutRuleTx(ctx context.Context, tx *postgres.Tx, kind string, days, version int) (Rule, error) {
	if err := audit.HoldTx(ctx, tx, "retention/"+kind); err != nil {
		return Rule{}, err
	}
	before, err := RuleTx(ctx, tx, kind)
	switch {
	case err != nil:
		return before, err
	case version != 0 && version != before.Version:
		return before, ErrRuleChanged
	case days < before.Least || days > before.Most:
		return before, fault.InvalidInput(fault.Field{Pointer: "/days", Code: "out-of-range", Detail: fmt.Sprintf("%d to %d.", before.Least, before.Most)})
	}
	if _, err := tx.Exec(ctx, q.Q("PutRule"), kind, days, postgres.Author(ctx), tx.Now()); err != nil {
		return before, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "retention.put", Object: kind, Before: map[string]int{"days": before.Days}, After: map[string]int{"days": days}}); err != nil {
		return before, err
	}
	return RuleTx(ctx, tx, kind)
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
	var all []Rule
	if err := s.db.View(asSystem(ctx), "schedule", func(ctx context.Context, tx *postgres.Tx) (err error) {
		all, err = ScheduleTx(ctx, tx)
		return err
	}); err != nil {
		return err
	}
	for _, r := range all {
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
