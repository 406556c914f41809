package exams

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
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

// What secrets are for.
const (
	forClient   = "client"
	forCallback = "callback"
	forKey      = "key"
)

const (
	maxSecret     = 4000
	callbackBytes = 32
	secretPrefix  = "whsec_"
)

// overlap is how long a replaced secret, or key, holds beside the new one, so that the other side can change over.
const overlap = 24 * time.Hour

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

// firstSecretsTx seals what was said, and makes what a new provider needs.
func (s *Service) firstSecretsTx(ctx context.Context, tx *postgres.Tx, key string, n NewProvider, there bool) error {
	if n.Secret != "" {
		if _, err := s.addSecretTx(ctx, tx, key, forClient, []byte(n.Secret), 0); err != nil {
			return err
		}
	}
	if there {
		return nil
	}
	_, err := s.renewTx(ctx, tx, key, n.Kind)
	return err
}

// renewTx makes another secret of a provider and gives its number: of rest the one that signs its messages, of lti the key that signs ours.
func (s *Service) renewTx(ctx context.Context, tx *postgres.Tx, key string, kind ProctorKind) (n int, err error) {
	if kind == ProctorLTI {
		k, err := s.proctor.NewKey()
		if err != nil {
			return 0, err
		}
		return s.addSecretTx(ctx, tx, key, forKey, k, overlap)
	}
	plain := make([]byte, callbackBytes)
	_, _ = rand.Read(plain) // crypto/rand.Read never returns an error; it ends the process instead
	return s.addSecretTx(ctx, tx, key, forCallback, plain, overlap)
}

// place is where a secret belongs: one row cannot stand in for another.
func place(provider, purpose string, n int) string {
	return provider + "/" + purpose + "/" + strconv.Itoa(n)
}

// addSecretTx seals a secret and gives its number. The one before it holds for overlap still.
func (s *Service) addSecretTx(ctx context.Context, tx *postgres.Tx, key, purpose string, plain []byte, overlap time.Duration) (n int, err error) {
	if err := tx.Get(ctx, &n, q.Q("NextProviderSecret"), key, purpose); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, q.Q("AddProviderSecret"), key, purpose, n, s.seal.Seal(plain, place(key, purpose, n)), tx.Now(), tx.Now().Add(overlap))
	return n, err
}

// RotateProvider makes another secret, once per idempotency key of who asks, and shows it here alone; of lti another key, which is published and
// not shown. The one before holds beside it for 24 hours. Errors: ErrNoProvider.
func (s *Service) RotateProvider(ctx context.Context, who, idempotencyKey, key string) (secret string, p Provider, err error) {
	ctx = asHouse(ctx)
	reply, _, err := s.replies.Do(ctx, who, idempotencyKey, "rotate provider "+key, func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		if _, err := tx.Exec(ctx, q.Q("LockProvider"), key); err != nil {
			return idempotency.Reply{}, err
		}
		p, err := ProviderTx(ctx, tx, key)
		if err != nil {
			return idempotency.Reply{}, err
		}
		n, err := s.renewTx(ctx, tx, key, p.Kind)
		if err != nil {
			return idempotency.Reply{}, err
		}
		return idempotency.Reply{Status: http.StatusCreated, Body: []byte(strconv.Itoa(n))}, audit.AppendTx(ctx, tx, audit.Entry{Action: "provider.rotated", Object: key, Detail: map[string]any{"secret": n}})
	})
	if err != nil {
		return "", p, err
	}
	n, err := strconv.Atoi(string(reply.Body))
	if err != nil {
		return "", p, err
	}
	err = s.db.View(ctx, "provider with its secret", func(ctx context.Context, tx *postgres.Tx) error {
		if p, err = ProviderTx(ctx, tx, key); err != nil || p.Kind == ProctorLTI {
			return err
		}
		var sealed []byte
		if err := tx.Get(ctx, &sealed, q.Q("ProviderSecret"), key, forCallback, n); err != nil {
			return err
		}
		plain, err := s.seal.Open(sealed, place(key, forCallback, n))
		secret = secretPrefix + base64.StdEncoding.EncodeToString(plain)
		return err
	})
	return secret, p, err
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

// accessTx opens what a call to a provider needs. Errors: ErrNoProvider, seal.ErrNotReadable.
func (s *Service) accessTx(ctx context.Context, tx *postgres.Tx, key string) (a ProctorAccess, p Provider, err error) {
	if p, err = ProviderTx(ctx, tx, key); err != nil {
		return a, p, err
	}
	a = ProctorAccess{Provider: key, Version: p.Version, Kind: p.Kind, BaseURL: p.BaseURL, TargetURL: p.TargetURL, ClientID: p.ClientID, Issuer: p.Issuer, KeysURL: p.KeysURL,
		Audience: s.audience(key)}
	secrets, err := s.secretsTx(ctx, tx, key)
	if err != nil {
		return a, p, err
	}
	a.Callback = secrets[forCallback]
	if of := secrets[forClient]; len(of) > 0 {
		a.Client = string(of[0])
	}
	if of := secrets[forKey]; len(of) > 0 {
		a.Key = of[0]
	}
	return a, p, nil
}

// secretsTx opens what holds now, by purpose, the newest first.
func (s *Service) secretsTx(ctx context.Context, tx *postgres.Tx, key string) (map[string][][]byte, error) {
	var rows []struct {
		Purpose string `db:"purpose"`
		N       int    `db:"n"`
		Sealed  []byte `db:"sealed"`
	}
	if err := tx.Select(ctx, &rows, q.Q("ProviderSecrets"), key, tx.Now()); err != nil {
		return nil, err
	}
	out := map[string][][]byte{}
	for _, r := range rows {
		plain, err := s.seal.Open(r.Sealed, place(key, r.Purpose, r.N))
		if err != nil {
			return nil, err
		}
		out[r.Purpose] = append(out[r.Purpose], plain)
	}
	return out, nil
}

// access opens what a call to a provider needs, before the call.
func (s *Service) access(ctx context.Context, key string) (a ProctorAccess, p Provider, err error) {
	err = s.db.View(asHouse(ctx), "access to provider", func(ctx context.Context, tx *postgres.Tx) error {
		a, p, err = s.accessTx(ctx, tx, key)
		return err
	})
	return a, p, err
}

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

// ProviderKeys publishes the keys with which we sign what we say to a provider. Errors: ErrNoProvider.
func (s *Service) ProviderKeys(ctx context.Context, key string) (set []byte, err error) {
	var keys [][]byte
	if err := s.db.View(asHouse(ctx), "keys of provider", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := ProviderTx(ctx, tx, key); err != nil {
			return err
		}
		secrets, err := s.secretsTx(ctx, tx, key)
		keys = secrets[forKey]
		return err
	}); err != nil {
		return nil, err
	}
	return s.proctor.Keys(keys)
}

// GrantProvider gives a provider that proves itself a token for the Assessment Control Service. Errors: ErrNoProvider, ErrForged.
func (s *Service) GrantProvider(ctx context.Context, key, form string) ([]byte, error) {
	a, p, err := s.access(ctx, key)
	if err != nil {
		return nil, err
	}
	if !p.Enabled || p.Kind != ProctorLTI {
		return nil, ErrNoProvider
	}
	return s.proctor.Grant(ctx, a, form)
}

// WatchTx has a provider watch over an exam of a session from now on; empty: people do. Attempts that are open stay with who watches them. One of lti
// is refused: browsers have no address here that carries its launches, so nobody could set herself up. Errors: catalog.ErrNoSession, ErrNoExam,
// ErrNoProvider, invalid-input.
func (s *Service) WatchTx(ctx context.Context, tx *postgres.Tx, session string, kind Kind, provider string) error {
	x, err := catalog.LockSessionTx(ctx, tx, session)
	if err != nil {
		return err
	}
	e, err := ExamTx(ctx, tx, x.ID, kind)
	if err != nil {
		return err
	}
	if provider != "" {
		p, err := ProviderTx(ctx, tx, provider)
		if err != nil {
			return err
		}
		if p.Kind == ProctorLTI {
			return fault.InvalidInput(fault.Field{Pointer: "/provider", Code: "without-launches", Detail: "Nobody could sit it: launches of lti have no address here yet."})
		}
	}
	if e.Version == 0 { // nobody wrote it yet: it is what every exam is
		if provider == "" {
			return nil
		}
		if e, err = s.PutTx(ctx, tx, x.ID, kind, NewExam{Title: e.Title(), Rules: e.Rules}, 0); err != nil {
			return err
		}
	}
	before, err := watchesTx(ctx, tx, e.ID)
	if err != nil || before == provider {
		return err
	}
	if provider == "" {
		_, err = tx.Exec(ctx, q.Q("Unwatch"), e.ID)
	} else {
		_, err = tx.Exec(ctx, q.Q("Watch"), e.ID, provider, tx.Now())
	}
	if err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "exam.watched", Object: e.ID, Before: map[string]any{"provider": before}, After: map[string]any{"provider": provider}})
}

func watchesTx(ctx context.Context, tx *postgres.Tx, examID string) (string, error) {
	var keys []string
	err := tx.Select(ctx, &keys, q.Q("Watches"), examID)
	if err != nil || len(keys) == 0 {
		return "", err
	}
	return keys[0], nil
}

// WatchingTx finds the provider that watches over an exam; false: people do.
func WatchingTx(ctx context.Context, tx *postgres.Tx, e Exam) (p Provider, watched bool, err error) {
	if e.ID == "" {
		return p, false, nil
	}
	key, err := watchesTx(ctx, tx, e.ID)
	if err != nil || key == "" {
		return p, false, err
	}
	p, err = ProviderTx(ctx, tx, key)
	return p, err == nil && p.Enabled, err
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
