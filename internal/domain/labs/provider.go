package labs

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Shape is how a launch reaches a provider.
type Shape string

// The shapes of a launch.
const (
	JWT Shape = "jwt" // a signed token, posted
	LTI Shape = "lti" // LTI 1.3: a login that the provider answers, and an id_token
)

// Provider hosts the machines of labs.
type Provider struct {
	Key          string `json:"key" db:"key"`
	Title        string `json:"title" db:"title"`
	Shape        Shape  `json:"shape" db:"shape"`
	LaunchURL    string `json:"launch_url" db:"launch_url"`
	LoginURL     string `json:"login_url,omitempty" db:"login_url"`
	ClientID     string `json:"client_id" db:"client_id"`
	DeploymentID string `json:"deployment_id,omitempty" db:"deployment_id"`
	StopURL      string `json:"stop_url" db:"stop_url"`
	Enabled      bool   `json:"enabled" db:"enabled"`      // off: its labs cannot be opened, and machines that run are asked to be stopped
	Parked       int    `json:"parked_events" db:"parked"` // events that could not be applied
	Version      int    `json:"version" db:"version"`

	Sealed       []byte     `json:"-" db:"sealed"`
	SealedBefore []byte     `json:"-" db:"sealed_before"` // the secret that was replaced last; nil: none was
	BeforeUntil  *time.Time `json:"previous_secret_until,omitempty" db:"before_until"`
}

// overlap is how long a secret that was replaced is taken beside the new one, so that a provider can change over without losing an event.
const overlap = 24 * time.Hour

// NewProvider is what is said of a provider. Secret is whsec_ and 24 to 64 bytes in base64; empty: the one that is there stays. With another one
// that which is there signs for a day more; the one before it is out at once.
type NewProvider struct {
	Title        string `json:"title"`
	Shape        Shape  `json:"shape"`
	LaunchURL    string `json:"launch_url"`
	LoginURL     string `json:"login_url"`
	ClientID     string `json:"client_id"`
	DeploymentID string `json:"deployment_id"`
	StopURL      string `json:"stop_url"`
	Secret       string `json:"secret"`
	Enabled      *bool  `json:"enabled"` // nil: it is
}

// Setting is what was said of a provider, without its secret.
func (p Provider) Setting() NewProvider {
	return NewProvider{Title: p.Title, Shape: p.Shape, LaunchURL: p.LaunchURL, LoginURL: p.LoginURL, ClientID: p.ClientID, DeploymentID: p.DeploymentID, StopURL: p.StopURL, Enabled: &p.Enabled}
}

const secretPrefix = "whsec_"

var (
	keyForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)
	printable = regexp.MustCompile(`^[!-~]*$`)
)

// NewSecret makes a secret as both sides write it.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// readSecret gives the bytes of a secret as it is written.
func readSecret(written string) ([]byte, bool) {
	text, ok := strings.CutPrefix(written, secretPrefix)
	b, err := base64.StdEncoding.DecodeString(text)
	return b, ok && err == nil && len(b) >= 24 && len(b) <= 64
}

func (s *Service) checkProvider(key string, n NewProvider, first bool) error {
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	address := func(pointer, a string) {
		if err := s.door.Check(a); err != nil {
			f := fault.From(err)
			refuse(true, pointer, f.Code, f.Detail)
		}
	}
	refuse(!keyForm.MatchString(key), "path/lab_provider", "bad-key", "1 to 40 letters, digits, dots, hyphens and underscores.")
	refuse(strings.TrimSpace(n.Title) == "" || utf8.RuneCountInString(n.Title) > 200, "/title", "bad-length", "1 to 200 characters.")
	refuse(n.Shape != JWT && n.Shape != LTI, "/shape", "unknown-shape", "jwt or lti.")
	address("/launch_url", n.LaunchURL)
	address("/stop_url", n.StopURL)
	if n.Shape == LTI {
		address("/login_url", n.LoginURL)
	} else {
		refuse(n.LoginURL != "", "/login_url", "not-for-jwt", "With lti alone.")
	}
	refuse(n.ClientID == "" || len(n.ClientID) > 200 || !printable.MatchString(n.ClientID), "/client_id", "bad-client", "1 to 200 printable ASCII characters without blanks.")
	refuse((n.DeploymentID != "") != (n.Shape == LTI) || len(n.DeploymentID) > 200 || !printable.MatchString(n.DeploymentID), "/deployment_id", "bad-deployment", "With lti, and with it alone: 1 to 200 printable ASCII characters without blanks.")
	_, good := readSecret(n.Secret)
	refuse(n.Secret != "" && !good, "/secret", "bad-secret", "whsec_ and 24 to 64 bytes in base64.")
	refuse(n.Secret == "" && first, "/secret", "missing", "A new provider needs a secret.")
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// ProviderTx finds a provider. Error: ErrNoProvider.
func ProviderTx(ctx context.Context, tx *postgres.Tx, key string) (Provider, error) {
	var p Provider
	err := tx.Get(ctx, &p, q.Q("Provider"), key)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoProvider
	}
	return p, err
}

// ProvidersTx lists the providers by key.
func ProvidersTx(ctx context.Context, tx *postgres.Tx) ([]Provider, error) {
	out := []Provider{}
	err := tx.Select(ctx, &out, q.Q("Providers"))
	return out, err
}

// secrets are those by which a provider may sign at a time: its own, and for a while the one before it. Error: seal.ErrNotReadable.
func (s *Service) secrets(p Provider, at time.Time) ([][]byte, error) {
	now, err := s.seal.Open(p.Sealed, p.Key)
	if err != nil || p.BeforeUntil == nil || !at.Before(*p.BeforeUntil) {
		return [][]byte{now}, err
	}
	before, err := s.seal.Open(p.SealedBefore, p.Key)
	return [][]byte{now, before}, err
}

// PutProviderTx makes a provider, or rewrites the one that was read at a version (0: any, or none; -1: none). Error: ErrChanged.
func (s *Service) PutProviderTx(ctx context.Context, tx *postgres.Tx, key string, n NewProvider, version int) (Provider, error) {
	old, err := ProviderTx(ctx, tx, key)
	first := errors.Is(err, ErrNoProvider)
	if err != nil && !first {
		return old, err
	}
	if err := s.checkProvider(key, n, first); err != nil {
		return old, err
	}
	if first && version > 0 || !first && version < 0 {
		return old, ErrChanged
	}
	if first {
		old = Provider{} // reading no row leaves what it would have read into
	}
	sealed, before, until := old.Sealed, old.SealedBefore, old.BeforeUntil
	if n.Secret != "" {
		plain, _ := readSecret(n.Secret)
		if !first {
			was, err := s.seal.Open(old.Sealed, key)
			switch {
			case err != nil: // the key of this server is another one: nobody can check by it
				before, until = nil, nil
			case !bytes.Equal(was, plain):
				t := tx.Now().Add(overlap)
				before, until = old.Sealed, &t
			}
		}
		sealed = s.seal.Seal(plain, key)
	}
	// Of two who write at once one finds another version: the statement compares it.
	done, err := tx.Exec(ctx, q.Q("PutProvider"), key, n.Title, n.Shape, n.LaunchURL, n.LoginURL, n.ClientID, n.DeploymentID, n.StopURL, n.Enabled == nil || *n.Enabled, sealed, before, until, tx.Now(), version)
	if err != nil {
		return old, err
	}
	if done == 0 {
		return old, ErrChanged
	}
	detail := map[string]any{"new_secret": n.Secret != ""}
	n.Secret = ""
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "lab_provider.put", Object: key, Detail: detail, Before: audit.Was(!first, old.Setting()), After: n}); err != nil {
		return old, err
	}
	return ProviderTx(ctx, tx, key)
}
