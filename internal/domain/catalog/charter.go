package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Rule is one rule of the charter: what is looked at (Check, one of Checkable), within which bounds, what happens when it is broken
// (Severity), and when the course does not say what the rule asks about (Unchecked; empty: Warn). A bound that is nil does not bind; Name is a
// parameter of the checks that need a word.
type Rule struct {
	Key       string `json:"key"`
	Text      Text   `json:"text"`
	Check     string `json:"check"`
	Least     *int   `json:"least,omitempty"`
	Most      *int   `json:"most,omitempty"`
	Name      string `json:"name,omitempty"`
	Severity  string `json:"severity"`
	Unchecked string `json:"unchecked,omitempty"`
}

// Tidy is the form in which the house keeps rules: what is left to its default is not said.
func Tidy(rules []Rule) []Rule {
	rules = slices.Clone(rules)
	for i := range rules {
		if rules[i].Unchecked == Warn {
			rules[i].Unchecked = ""
		}
	}
	return rules
}

// What a rule does when a course is to be published that breaks it, or of which it cannot be checked.
const (
	Warn  = "warn"
	Block = "block"
)

// Charter is a version of the rules. It never changes; a later version never changes what was found under it.
type Charter struct {
	Version int       `json:"version"`
	Rules   []Rule    `json:"rules"`
	Note    string    `json:"note,omitempty"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

const maxRules = 60

// ValidateRules refuses rules that nobody could check, with JSON pointers.
func ValidateRules(rules []Rule) error {
	c := &checker{}
	c.atMost("/rules", len(rules), maxRules)
	if len(rules) == 0 {
		c.refuse("/rules", "empty", "A charter has one rule at least.")
	}
	keys := map[string]bool{}
	for i, r := range rules {
		at := fmt.Sprintf("/rules/%d", i)
		if !keyForm.MatchString(r.Key) {
			c.refuse(at+"/key", "bad-key", "1 to 40 letters, digits, dots, hyphens and underscores.")
		}
		if keys[r.Key] {
			c.refuse(at+"/key", "duplicate", "Two rules have this key.")
		}
		keys[r.Key] = true
		c.text(at+"/text", r.Text, true, 500)
		if r.Severity != Warn && r.Severity != Block {
			c.refuse(at+"/severity", "bad-severity", "warn or block.")
		}
		if r.Unchecked != "" && r.Unchecked != Warn && r.Unchecked != Block {
			c.refuse(at+"/unchecked", "bad-severity", "warn or block; leave it out for warn.")
		}
		c.line(at+"/name", r.Name, 0, maxName)
		kind, known := checks[r.Check]
		if !known {
			c.refuse(at+"/check", "no-such-check", "This is nothing that can be checked.")
			continue
		}
		c.bounds(at, r, kind)
	}
	return c.fault()
}

func (c *checker) bounds(at string, r Rule, kind check) {
	if !kind.bounded && (r.Least != nil || r.Most != nil) {
		c.refuse(at+"/least", "no-bound", "This check has no bounds.")
	}
	if kind.bounded && r.Least == nil && r.Most == nil {
		c.refuse(at+"/most", "missing", "This check has a bound.")
	}
	for _, b := range []struct {
		name  string
		value *int
	}{{"/least", r.Least}, {"/most", r.Most}} {
		if b.value != nil {
			c.within(at+b.name, *b.value, 0, 1_000_000)
		}
	}
	if r.Least != nil && r.Most != nil && *r.Least > *r.Most {
		c.refuse(at+"/most", "before-least", "The most is not below the least.")
	}
	switch {
	case kind.names == nil && r.Name != "":
		c.refuse(at+"/name", "no-name", "This check has no name.")
	case len(kind.names) > 0 && !slices.Contains(kind.names, r.Name):
		c.refuse(at+"/name", "bad-name", fmt.Sprintf("One of: %v.", kind.names))
	}
}

type charterRow struct {
	Version int       `db:"version"`
	Rules   []byte    `db:"rules"`
	Note    string    `db:"note"`
	By      string    `db:"written_by"`
	At      time.Time `db:"written_at"`
}

func (r charterRow) charter() (Charter, error) {
	out := Charter{Version: r.Version, Note: r.Note, By: r.By, At: r.At}
	return out, json.Unmarshal(r.Rules, &out.Rules)
}

// CharterTx finds a version of the charter; 0 is the one in force.
func CharterTx(ctx context.Context, tx *postgres.Tx, version int) (Charter, error) {
	var r charterRow
	err := tx.Get(ctx, &r, q.Q("Charter"), version)
	if errors.Is(err, sql.ErrNoRows) {
		return Charter{}, ErrNoCharter
	}
	if err != nil {
		return Charter{}, err
	}
	return r.charter()
}

// ChartersTx lists the versions of the charter before one, the newest first; 0 begins with the one in force.
func ChartersTx(ctx context.Context, tx *postgres.Tx, before, limit int) ([]Charter, error) {
	var rows []charterRow
	if err := tx.Select(ctx, &rows, q.Q("Charters"), before, limit); err != nil {
		return nil, err
	}
	out := make([]Charter, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.charter(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PutCharterTx makes the next version of the charter, which is in force from now on. expected is the version that the caller read, 0 for
// any; ErrCharterChanged where another one is in force.
func PutCharterTx(ctx context.Context, tx *postgres.Tx, rules []Rule, note string, expected int) (Charter, error) {
	c := &checker{}
	c.line("/note", note, 0, maxNote)
	if err := c.fault(); err != nil {
		return Charter{}, err
	}
	if err := ValidateRules(rules); err != nil {
		return Charter{}, err
	}
	raw, err := json.Marshal(Tidy(rules))
	if err != nil {
		return Charter{}, err
	}
	if err := audit.HoldTx(ctx, tx, "charter"); err != nil {
		return Charter{}, err
	}
	before, err := CharterTx(ctx, tx, 0)
	if err != nil && !errors.Is(err, ErrNoCharter) {
		return Charter{}, err
	}
	n, err := tx.Exec(ctx, q.Q("AddCharter"), string(raw), note, postgres.Actor(ctx), tx.Now(), expected)
	if err != nil {
		return Charter{}, err
	}
	if n == 0 {
		return Charter{}, ErrCharterChanged
	}
	made, err := CharterTx(ctx, tx, 0)
	if err != nil {
		return made, err
	}
	return made, audit.AppendTx(ctx, tx, audit.Entry{Action: "charter.written", Object: fmt.Sprintf("charter/%d", made.Version), Detail: map[string]int{"rules": len(rules)},
		Before: map[string]any{"rules": before.Rules}, After: map[string]any{"rules": made.Rules}})
}
