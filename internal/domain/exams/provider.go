package exams

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

// Provider watches over exams for us. Its key is its address with us.
type Provider struct {
	Key         string      `json:"key" db:"key"`
	Name        string      `json:"name" db:"name"`
	Kind        ProctorKind `json:"kind" db:"kind"`
	BaseURL     string      `json:"base_url" db:"base_url"`
	TargetURL   string      `json:"target_url,omitempty" db:"target_url"`
	Deployment  string      `json:"deployment,omitempty" db:"deployment"`
	ClientID    string      `json:"client_id" db:"client_id"`
	Issuer      string      `json:"issuer,omitempty" db:"issuer"`
	KeysURL     string      `json:"keys_url,omitempty" db:"keys_url"`
	OnViolation string      `json:"on_violation" db:"on_violation"`
	SetupURL    string      `json:"setup_url,omitempty" db:"setup_url"`
	GuideEN     string      `json:"guide_en,omitempty" db:"guide_en"`
	GuideFR     string      `json:"guide_fr,omitempty" db:"guide_fr"`
	Enabled     bool        `json:"enabled" db:"enabled"`
	Version     int         `json:"version" db:"version"`
	Failures    int         `json:"failures" db:"failures"` // calls in vain, in a row
	Failure     string      `json:"failure,omitempty" db:"failure"`
	AnsweredAt  *time.Time  `json:"answered_at,omitempty" db:"answered_at"`
	HeardAt     *time.Time  `json:"heard_at,omitempty" db:"heard_at"`
	RefusedAt   *time.Time  `json:"refused_at,omitempty" db:"refused_at"`
	Exams       int         `json:"exams" db:"exams"`     // over which it watches
	Untold      int         `json:"untold" db:"untold"`   // attempts of which it has something to be told
	Parked      int         `json:"parked" db:"parked"`   // messages about attempts that nobody here knows
	Secrets     int         `json:"secrets" db:"secrets"` // that may sign its messages now
}

// Guide is what whoever sits is told of it: what to install, what is allowed.
func (p Provider) Guide() catalog.Text { return catalog.Text{EN: p.GuideEN, FR: p.GuideFR} }

// NewProvider is what is said of a provider. An empty secret keeps the one that is there, but not with another address or client: who may write an
// address must not have a secret sent to it that she does not know.
type NewProvider struct {
	Name        string      `json:"name"`
	Kind        ProctorKind `json:"kind"`
	BaseURL     string      `json:"base_url"`
	TargetURL   string      `json:"target_url"`
	Deployment  string      `json:"deployment"`
	ClientID    string      `json:"client_id"`
	Secret      string      `json:"secret"`
	Issuer      string      `json:"issuer"`
	KeysURL     string      `json:"keys_url"`
	OnViolation string      `json:"on_violation"`
	SetupURL    string      `json:"setup_url"`
	GuideEN     string      `json:"guide_en"`
	GuideFR     string      `json:"guide_fr"`
	Enabled     *bool       `json:"enabled"` // nil: it is
}

var providerKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Faults of providers.
var (
	ErrNoProvider   = fault.New(fault.NotFound, "no-such-provider", "There is no such provider.")
	ErrForged       = fault.New(fault.Unauthenticated, "not-the-provider", "The message is not signed by the provider, not for us, or not of now.")
	ErrUnreadable   = fault.New(fault.Invalid, "unreadable-message", "The message is signed by the provider, and does not say what the contract says.")
	ErrProviderDark = fault.New(fault.Unavailable, "provider-dark", "The keys of the provider could not be read. Send the message again later.")
	ErrProviderURL  = fault.New(fault.Invalid, "bad-provider-url", "The address is that of a public server: https://, a name with a dot or a public address, port 443 or 8443. The operator names those that are inside (CURSUS_PROCTOR_INSIDE).")
	ErrNotReady     = fault.New(fault.Conflict, "provider-not-ready", "The provider has not said yet that it is ready: go through its set-up first.")
)

// ProctorWith opens the way to providers. The secret, of 32 bytes or more, seals what opens them; base is the address of our site. Error: seal.ErrWeak.
func (s *Service) ProctorWith(p Proctor, secret []byte, base string) (err error) {
	s.proctor, s.base = p, strings.TrimRight(base, "/")
	s.seal, err = seal.New(secret, "cursus proctoring")
	return err
}

// audience is for whom the messages of a provider are.
func (s *Service) audience(provider string) string {
	return s.base + "/v1/proctoring-providers/" + provider
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

func (s *Service) checkProvider(key string, n *NewProvider, old *Provider) error {
	if n.OnViolation == "" {
		n.OnViolation = ViolationRejects
	}
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	address := func(pointer, at string, needed bool) {
		if at == "" && !needed {
			return
		}
		if err := s.proctor.Check(at); err != nil {
			f := fault.From(err)
			refuse(true, pointer, f.Code, f.Detail)
		}
	}
	lti := n.Kind == ProctorLTI
	refuse(!providerKey.MatchString(key), "path/provider", "bad-key", "1 to 100 letters, digits, dots, hyphens and underscores.")
	refuse(n.Name == "" || utf8.RuneCountInString(n.Name) > 200, "/name", "bad-length", "1 to 200 characters.")
	refuse(n.Kind != ProctorREST && !lti, "/kind", "unknown-kind", "rest or lti.")
	refuse(old != nil && old.Kind != n.Kind, "/kind", "fixed", "The language of a provider does not change: make another one.")
	address("/base_url", n.BaseURL, true)
	address("/target_url", n.TargetURL, lti)
	address("/keys_url", n.KeysURL, lti || n.Issuer != "")
	address("/setup_url", n.SetupURL, false)
	refuse(!lti && (n.TargetURL != "" || n.Deployment != ""), "/target_url", "of-lti", "With lti alone.")
	refuse(lti && n.Secret != "", "/secret", "of-rest", "With rest alone: here keys sign.")
	refuse(lti && n.Issuer != "", "/issuer", "of-rest", "With rest alone: here it is the client that signs.")
	refuse(!lti && n.Issuer == "" && n.KeysURL != "", "/issuer", "missing", "Whose keys they are.")
	refuse(len(n.Issuer) > 500 || !printable(n.Issuer), "/issuer", "bad-issuer", "At most 500 printable ASCII characters.")
	refuse(n.ClientID == "" || len(n.ClientID) > 200 || !printable(n.ClientID), "/client_id", "bad-client", "1 to 200 printable ASCII characters.")
	refuse(lti && n.Deployment == "", "/deployment", "missing", "Every launch of LTI names it.")
	refuse(len(n.Deployment) > 200 || !printable(n.Deployment), "/deployment", "bad-length", "At most 200 printable ASCII characters.")
	refuse(len(n.Secret) > maxSecret || !printable(n.Secret), "/secret", "bad-secret", "At most 4,000 printable ASCII characters.")
	same := old != nil && old.BaseURL == n.BaseURL && old.ClientID == n.ClientID
	refuse(!lti && n.Secret == "" && !same, "/secret", "missing", "Another address or client needs the secret again.")
	refuse(!slices.Contains([]string{ViolationRejects, ViolationIsLooked, ViolationIsIgnored}, n.OnViolation), "/on_violation", "unknown", "reject, second_review or pass.")
	refuse(utf8.RuneCountInString(n.GuideEN) > 2000, "/guide_en", "bad-length", "At most 2,000 characters.")
	refuse(utf8.RuneCountInString(n.GuideFR) > 2000, "/guide_fr", "bad-length", "At most 2,000 characters.")
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// PutProvider makes a provider or rewrites it. version is the one that was read; 0 takes any, or none, and -1 none. Errors: ErrChanged,
// ErrNoProvider for a version of one that is not there.
func (s *Service) PutProvider(ctx context.Context, key string, version int, n NewProvider) (p Provider, err error) {
	err = s.db.InTx(asHouse(ctx), "put provider", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("LockProvider"), key); err != nil {
			return err
		}
		old, err := ProviderTx(ctx, tx, key)
		there := err == nil
		if err != nil && !errors.Is(err, ErrNoProvider) {
			return err
		}
		switch {
		case version > 0 && !there:
			return ErrNoProvider
		case version < 0 && there, version > 0 && version != old.Version:
			return ErrChanged
		}
		var before *Provider
		if there {
			before = &old
		}
		if err := s.checkProvider(key, &n, before); err != nil {
			return err
		}
		on := n.Enabled == nil || *n.Enabled
		if _, err := tx.Exec(ctx, q.Q("PutProvider"), key, n.Name, n.Kind, n.BaseURL, n.TargetURL, n.Deployment, n.ClientID, n.Issuer, n.KeysURL, n.OnViolation, n.SetupURL,
			n.GuideEN, n.GuideFR, on, tx.Now()); err != nil {
			return err
		}
		if err := s.firstSecretsTx(ctx, tx, key, n, there); err != nil {
			return err
		}
		if p, err = ProviderTx(ctx, tx, key); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "provider.put", Object: key, Detail: map[string]any{"new_secret": n.Secret != ""},
			Before: audit.Was(there, old.setting()), After: p.setting()})
	})
	return p, err
}

// setting is what was written of a provider, and not how it goes.
func (p Provider) setting() map[string]any {
	return map[string]any{
		"name": p.Name, "kind": p.Kind, "base_url": p.BaseURL, "target_url": p.TargetURL, "deployment": p.Deployment, "client_id": p.ClientID, "issuer": p.Issuer, "keys_url": p.KeysURL,
		"on_violation": p.OnViolation, "setup_url": p.SetupURL, "guide_en": p.GuideEN, "guide_fr": p.GuideFR, "enabled": p.Enabled,
	}
}

// ProvidersTx lists all providers by key: there are few.
func ProvidersTx(ctx context.Context, tx *postgres.Tx) ([]Provider, error) {
	all := []Provider{}
	err := tx.Select(ctx, &all, q.Q("Providers"), "", tx.Now())
	return all, err
}

// ProviderTx finds a provider. Errors: ErrNoProvider.
func ProviderTx(ctx context.Context, tx *postgres.Tx, key string) (Provider, error) {
	var all []Provider
	if err := tx.Select(ctx, &all, q.Q("Providers"), key, tx.Now()); err != nil {
		return Provider{}, err
	}
	if key == "" || len(all) == 0 {
		return Provider{}, ErrNoProvider
	}
	return all[0], nil
}

// asHouse is for what the house does: secrets are nobody else's to read.
func asHouse(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }

// ProbeProvider asks a provider who it is, and notes how that went. What it does not do is in the trouble. Errors: ErrNoProvider.
func (s *Service) ProbeProvider(ctx context.Context, key string) (c ProctorConfig, trouble *ProctorTrouble, err error) {
	a, _, err := s.access(ctx, key)
	if err != nil {
		return c, nil, err
	}
	c, called := s.proctor.Probe(ctx, a)
	if called != nil {
		if !errors.As(called, &trouble) {
			return c, nil, called
		}
	}
	err = s.db.InTx(asHouse(ctx), "provider probed", func(ctx context.Context, tx *postgres.Tx) error {
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "provider.tested", Object: key, Detail: map[string]any{"well": trouble == nil}}); err != nil {
			return err
		}
		return goesTx(ctx, tx, key, trouble)
	})
	return c, trouble, err
}

// goesTx notes how a call to a provider went.
func goesTx(ctx context.Context, tx *postgres.Tx, key string, t *ProctorTrouble) error {
	if t == nil {
		_, err := tx.Exec(ctx, q.Q("ProviderWell"), key, tx.Now())
		return err
	}
	_, err := tx.Exec(ctx, q.Q("ProviderIll"), key, clip(t.Error(), 300))
	return err
}

// clip keeps the beginning of a text.
func clip(text string, runes int) string {
	r := []rune(text)
	return string(r[:min(len(r), runes)])
}

// ProviderEvent is a message of a provider as staff see it.
type ProviderEvent struct {
	ID         string       `json:"id" db:"id"`
	Attempt    string       `json:"attempt" db:"attempt"`
	Event      ProctorEvent `json:"event" db:"event"`
	Verdict    Verdict      `json:"verdict,omitempty" db:"verdict"`
	State      string       `json:"state" db:"state"`
	Note       string       `json:"note,omitempty" db:"note"`
	SaidAt     time.Time    `json:"said_at" db:"said_at"`
	ReceivedAt time.Time    `json:"received_at" db:"received_at"`
}

// ProviderEventsTx lists the messages of a provider, the latest first, and the id after which the list goes on. State empty: all. Errors: ErrNoProvider.
func ProviderEventsTx(ctx context.Context, tx *postgres.Tx, key, state string, p page.Request) (all []ProviderEvent, next string, err error) {
	if _, err := ProviderTx(ctx, tx, key); err != nil {
		return nil, "", err
	}
	all = []ProviderEvent{}
	if err := tx.Select(ctx, &all, q.Q("ProviderEvents"), key, state, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all, next = all[:p.Limit], all[p.Limit-1].ID
	}
	return all, next, nil
}
