package lms

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Auth is how a platform knows that it is us.
type Auth string

// The ways of authentication of Open edX.
const (
	OAuth2 Auth = "oauth2"  // client credentials
	Bearer Auth = "bearer"  // a token that somebody made
	APIKey Auth = "api_key" // X-Edx-Api-Key
)

const (
	maxPerMinute = 60000
	maxSecret    = 4000
)

var (
	keyForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	modeForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,99}$`)
)

// Platform is a learning platform. Its key is what sessions name.
type Platform struct {
	Key         string            `json:"key"`
	BaseURL     string            `json:"base_url"`
	Auth        Auth              `json:"auth"`
	ClientID    string            `json:"client_id,omitempty"`
	PerMinute   int               `json:"calls_per_minute"`
	Enabled     bool              `json:"enabled"`
	Modes       map[string]string `json:"modes"` // formula → course mode
	Counts      Counts            `json:"enrolments"`
	Failures    int               `json:"failures"` // calls in vain, in a row
	Failure     string            `json:"failure,omitempty"`
	ClosedUntil *time.Time        `json:"closed_until,omitempty"` // nothing is tried before
	AnsweredAt  *time.Time        `json:"answered_at,omitempty"`
	Version     int               `json:"version"`
}

// Counts is how many enrolments of a platform are in each state.
type Counts struct {
	Pending   int64 `json:"pending" db:"pending"`
	Confirmed int64 `json:"confirmed" db:"confirmed"`
	Waiting   int64 `json:"waiting" db:"waiting"`
	Refused   int64 `json:"refused" db:"refused"`
}

type platformRow struct {
	Key         string     `db:"key"`
	BaseURL     string     `db:"base_url"`
	Auth        Auth       `db:"auth"`
	ClientID    string     `db:"client_id"`
	PerMinute   int        `db:"per_minute"`
	Enabled     bool       `db:"enabled"`
	Version     int        `db:"version"`
	Failures    int        `db:"failures"`
	Failure     string     `db:"failure"`
	ClosedUntil *time.Time `db:"closed_until"`
	AnsweredAt  *time.Time `db:"answered_at"`
	Counts
	Formulas pq.StringArray `db:"formulas"`
	Modes    pq.StringArray `db:"modes"`
}

func (r platformRow) platform() Platform {
	p := Platform{
		Key: r.Key, BaseURL: r.BaseURL, Auth: r.Auth, ClientID: r.ClientID, PerMinute: r.PerMinute, Enabled: r.Enabled, Modes: map[string]string{}, Counts: r.Counts,
		Failures: r.Failures, Failure: r.Failure, ClosedUntil: r.ClosedUntil, AnsweredAt: r.AnsweredAt, Version: r.Version,
	}
	for i, f := range r.Formulas {
		p.Modes[f] = r.Modes[i]
	}
	return p
}

// NewPlatform is what is said of a platform. An empty secret keeps the one that is there, but not with another address, way or client:
// who may write an address must not have a secret sent to it that she does not know.
type NewPlatform struct {
	BaseURL   string            `json:"base_url"`
	Auth      Auth              `json:"auth"`
	ClientID  string            `json:"client_id"`
	Secret    string            `json:"secret"`
	PerMinute int               `json:"calls_per_minute"` // 0: 40, what Open edX lets one user
	Enabled   *bool             `json:"enabled"`          // nil: it is
	Modes     map[string]string `json:"modes"`
}

const usualPerMinute = 40

func (n NewPlatform) on() bool { return n.Enabled == nil || *n.Enabled }

func (s *Service) check(key string, n *NewPlatform, old *Platform) error {
	if n.PerMinute == 0 {
		n.PerMinute = usualPerMinute
	}
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	if err := s.door.Check(n.BaseURL); err != nil {
		f := fault.From(err)
		refuse(true, "/base_url", f.Code, f.Detail)
	}
	refuse(!keyForm.MatchString(key), "path/platform", "bad-key", "1 to 100 letters, digits, dots, hyphens and underscores.")
	refuse(n.Auth != OAuth2 && n.Auth != Bearer && n.Auth != APIKey, "/auth", "unknown-auth", "oauth2, bearer or api_key.")
	refuse((n.Auth == OAuth2) != (n.ClientID != "") || utf8.RuneCountInString(n.ClientID) > 200, "/client_id", "bad-client", "With oauth2, and with it alone, at most 200 characters.")
	refuse(!printable(n.ClientID), "/client_id", "bad-characters", "Printable ASCII alone.")
	refuse(len(n.Secret) > maxSecret || !printable(n.Secret), "/secret", "bad-secret", "At most 4,000 printable ASCII characters.")
	same := old != nil && old.BaseURL == n.BaseURL && old.Auth == n.Auth && old.ClientID == n.ClientID
	refuse(n.Secret == "" && !same, "/secret", "missing", "Another address, way or client needs the secret again.")
	refuse(n.PerMinute < 1 || n.PerMinute > maxPerMinute, "/calls_per_minute", "out-of-range", "1 to 60,000.")
	for _, formula := range slices.Sorted(maps.Keys(n.Modes)) {
		refuse(!modeForm.MatchString(n.Modes[formula]), "/modes", "bad-mode", "A mode is written like audit, honor, verified or no-id-professional.")
	}
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r > '~' {
			return false
		}
	}
	return true
}

// Put makes a platform or rewrites it, and asks what it has to be told by that. version is the one that was
// read; 0 takes any, or none, and -1 none. Errors: ErrChanged, ErrNoPlatform for a version of one that is not there, ErrFormula.
func (s *Service) Put(ctx context.Context, key string, version int, n NewPlatform) (p Platform, err error) {
	err = s.db.InTx(asSystem(ctx), "put platform", func(ctx context.Context, tx *postgres.Tx) error {
		before, err := s.putTx(ctx, tx, key, version, n)
		if err != nil {
			return err
		}
		if p, err = platformTx(ctx, tx, key); err != nil {
			return err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "platform.put", Object: key, Detail: map[string]any{"new_secret": n.Secret != ""}, Before: before, After: p.setting()}); err != nil {
			return err
		}
		if _, err := s.askDifferingTx(ctx, tx, key); err != nil {
			return err
		}
		p, err = platformTx(ctx, tx, key)
		return err
	})
	return p, err
}

// setting is what was written of a platform, and not what its calls made of it.
func (p Platform) setting() map[string]any {
	return map[string]any{"base_url": p.BaseURL, "auth": p.Auth, "client_id": p.ClientID, "calls_per_minute": p.PerMinute, "enabled": p.Enabled, "modes": p.Modes}
}

// putTx writes a platform and gives what it was; nil: there was none.
func (s *Service) putTx(ctx context.Context, tx *postgres.Tx, key string, version int, n NewPlatform) (before map[string]any, err error) {
	if _, err := tx.Exec(ctx, q.Q("LockPlatform"), key); err != nil {
		return nil, err
	}
	all, err := platforms(ctx, tx, key)
	if err != nil {
		return nil, err
	}
	var old *Platform
	if len(all) == 1 {
		old = &all[0]
		before = old.setting()
	}
	switch {
	case version > 0 && old == nil:
		return nil, ErrNoPlatform
	case version < 0 && old != nil, version > 0 && version != old.Version:
		return nil, ErrChanged
	}
	if err := s.check(key, &n, old); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, q.Q("PutPlatform"), key, n.BaseURL, n.Auth, n.ClientID, n.PerMinute, n.on(), tx.Now()); err != nil {
		return nil, err
	}
	if n.Secret != "" {
		if _, err := tx.Exec(ctx, q.Q("PutSecret"), key, s.seal.Seal([]byte(n.Secret), key)); err != nil {
			return nil, err
		}
	}
	formulas := append([]string{}, slices.Sorted(maps.Keys(n.Modes))...)
	modes := make([]string, len(formulas))
	for i, f := range formulas {
		modes[i] = n.Modes[f]
	}
	if _, err := tx.Exec(ctx, q.Q("DropModes"), key, pq.Array(formulas)); err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, q.Q("PutModes"), key, pq.Array(formulas), pq.Array(modes))
	return before, err
}

// Platform finds a platform. Error: ErrNoPlatform.
func (s *Service) Platform(ctx context.Context, key string) (p Platform, err error) {
	err = s.db.View(ctx, "platform", func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = platformTx(ctx, tx, key)
		return err
	})
	return p, err
}

// Platforms lists all of them by key: there are few.
func (s *Service) Platforms(ctx context.Context) (all []Platform, err error) {
	err = s.db.View(ctx, "platforms", func(ctx context.Context, tx *postgres.Tx) (err error) {
		all, err = platforms(ctx, tx, "")
		return err
	})
	return all, err
}

func platformTx(ctx context.Context, tx *postgres.Tx, key string) (Platform, error) {
	all, err := platforms(ctx, tx, key)
	if err != nil || key == "" || len(all) == 0 {
		if err == nil {
			err = ErrNoPlatform
		}
		return Platform{}, err
	}
	return all[0], nil
}

func platforms(ctx context.Context, tx *postgres.Tx, key string) ([]Platform, error) {
	var rows []platformRow
	err := tx.Select(ctx, &rows, q.Q("Platforms"), key)
	out := make([]Platform, len(rows))
	for i, r := range rows {
		out[i] = r.platform()
	}
	return out, err
}
