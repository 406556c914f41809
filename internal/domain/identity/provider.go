package identity

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Faults of providers.
var (
	ErrNoProvider      = fault.New(fault.NotFound, "no-such-provider", "There is no sign-in provider with this id.")
	ErrProviderChanged = fault.New(fault.Precondition, "changed-meanwhile", "The provider was changed since you read it. Read it again and decide again.")
	ErrProviderOnce    = fault.New(fault.Conflict, "provider-exists", "There is a provider with this issuer and client id.")
	ErrIssuer          = fault.InvalidInput(fault.Field{Pointer: "/issuer", Code: "bad-issuer", Detail: "The issuer is the https address of a public server, as the provider writes it, without the path of its configuration."})
	ErrProviderDown    = fault.New(fault.Unavailable, "provider-down", "The sign-in provider does not answer. Please use the link by e-mail, or try again later.")
	ErrProviderSaid    = fault.New(fault.Unauthenticated, "provider-refused", "This sign-in could not be checked. Please begin again.")
	ErrUnproven        = fault.New(fault.Forbidden, "address-not-proven", "The provider did not say that your e-mail address is yours. Please use the link by e-mail.")
	ErrNotForYou       = fault.New(fault.Forbidden, "provider-not-for-you", "You cannot sign in by this provider. Please use the link by e-mail.")
	ErrReassigned      = fault.New(fault.Forbidden, "address-reassigned", "Your e-mail address was somebody else's at this provider. Please use the link by e-mail.")
)

func init() {
	postgres.RegisterConstraint("provider_once", ErrProviderOnce)
	postgres.RegisterConstraint("one_subject_per_provider", ErrReassigned)
}

// Who may sign in by a provider.
const (
	Everybody    = "everybody"
	LearnersOnly = "learners" // nobody who has a role of staff, so that a weak provider opens nothing of ours
	StaffOnly    = "staff"    // only who has a role of staff already
)

// NewProvider is what a provider is made of. Domains are those of the addresses that it may speak for; none: all. Where Organisation is given,
// KeyClaim is the claim in which it tells a student's key there.
type NewProvider struct {
	Name         string     `json:"name"`
	Issuer       string     `json:"issuer"`
	ClientID     string     `json:"client_id"`
	Secret       string     `json:"-"` // empty in a change: it stays
	People       string     `json:"people"`
	Domains      []string   `json:"domains"`
	Organisation string     `json:"organisation"`
	KeyClaim     string     `json:"key_claim"`
	Claims       ClaimNames `json:"claims"`
	Enabled      bool       `json:"enabled"`
}

// Provider is an OpenID provider. Its secret is not among what is read.
type Provider struct {
	ID           string         `db:"id"`
	Name         string         `db:"name"`
	Issuer       string         `db:"issuer"`
	ClientID     string         `db:"client_id"`
	People       string         `db:"people"`
	Domains      pq.StringArray `db:"domains"`
	Organisation string         `db:"organisation"`
	KeyClaim     string         `db:"key_claim"`
	Claims       ClaimNames     `db:"claims"`
	Enabled      bool           `db:"enabled"`
	Version      int            `db:"version"`
	CreatedAt    time.Time      `db:"created_at"`
}

var (
	domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	claimName  = regexp.MustCompile(`^[A-Za-z0-9_.:/-]{1,100}$`)
)

func (n *NewProvider) check(door OpenID) error {
	var wrong []fault.Field
	say := func(pointer, code, detail string) {
		wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if length := utf8.RuneCountInString(n.Name); length < 1 || length > 100 || strings.ContainsFunc(n.Name, func(r rune) bool { return r < ' ' }) {
		say("/name", "bad-length", "1 to 100 characters.")
	}
	if err := door.Check(n.Issuer); err != nil {
		wrong = append(wrong, fault.From(err).Fields...)
	}
	if len(n.ClientID) < 1 || len(n.ClientID) > 255 || strings.ContainsFunc(n.ClientID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		say("/client_id", "bad-client-id", "1 to 255 characters without blanks.")
	}
	if len(n.Secret) > 500 {
		say("/secret", "bad-length", "500 characters at most.")
	}
	if !slices.Contains([]string{Everybody, LearnersOnly, StaffOnly}, n.People) {
		say("/people", "unknown", "Everybody, learners or staff.")
	}
	if len(n.Domains) > 50 {
		say("/domains", "too-many", "50 domains at most.")
	}
	for i, d := range n.Domains {
		n.Domains[i] = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(d), "@"))
		if !domainName.MatchString(n.Domains[i]) {
			say("/domains", "bad-domain", "A domain is written esp.sn.")
		}
	}
	if (n.Organisation == "") != (n.KeyClaim == "") || n.KeyClaim != "" && !claimName.MatchString(n.KeyClaim) {
		say("/key_claim", "bad-claim", "The name of the claim with the student's key, where an organisation is named, and only there.")
	}
	n.Claims = n.Claims.Usual()
	n.Claims.check(n.Organisation, say)
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	n.Domains = append([]string{}, n.Domains...)
	return nil
}

// CreateProvider makes a provider. Errors: invalid fields, ErrProviderOnce, ErrNoOrganisation.
func (s *Service) CreateProvider(ctx context.Context, n NewProvider) (id string, err error) {
	if err := n.check(s.openID); err != nil {
		return "", err
	}
	if n.Secret == "" {
		return "", fault.InvalidInput(fault.Field{Pointer: "/secret", Code: "required", Detail: "The secret that the provider gave us."})
	}
	id = ident.New("idp")
	return id, s.db.InTx(ctx, "create provider", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("AddProvider"), id, n.Name, n.Issuer, n.ClientID, s.seal.Seal([]byte(n.Secret), id), n.People, pq.Array(n.Domains), n.Organisation, n.KeyClaim, n.Enabled, tx.Now(), n.Claims); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "provider.made", Object: id, Detail: n})
	})
}

// PutProvider rewrites a provider over the version that was read. Another issuer is another provider, whose ids are other people's: for that,
// make one. Errors: invalid fields, ErrNoProvider, ErrProviderChanged, ErrNoOrganisation.
func (s *Service) PutProvider(ctx context.Context, id string, n NewProvider, version int) error {
	return s.db.InTx(ctx, "put provider", func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.Select(ctx, &[]string{}, q.Q("LockProvider"), id); err != nil {
			return err
		}
		before, err := ProviderTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if before.Version != version {
			return ErrProviderChanged
		}
		n.Issuer = before.Issuer
		if err := n.check(s.openID); err != nil {
			return err
		}
		var sealed []byte
		if n.Secret != "" {
			sealed = s.seal.Seal([]byte(n.Secret), id)
		}
		if _, err := tx.Exec(ctx, q.Q("EditProvider"), id, n.Name, n.ClientID, sealed, n.People, pq.Array(n.Domains), n.Organisation, n.KeyClaim, n.Enabled, n.Claims); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "provider.put", Object: id, Detail: map[string]any{"new_secret": n.Secret != ""}, Before: before.says(), After: n})
	})
}

func (p Provider) says() NewProvider {
	return NewProvider{
		Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, People: p.People, Domains: p.Domains, Organisation: p.Organisation, KeyClaim: p.KeyClaim, Claims: p.Claims, Enabled: p.Enabled,
	}
}

// ProvidersTx lists all providers by name.
func ProvidersTx(ctx context.Context, tx *postgres.Tx) ([]Provider, error) {
	all := []Provider{}
	err := tx.Select(ctx, &all, q.Q("Providers"))
	return all, err
}

// ProviderTx finds one. Error: ErrNoProvider.
func ProviderTx(ctx context.Context, tx *postgres.Tx, id string) (Provider, error) {
	all, err := ProvidersTx(ctx, tx)
	for _, p := range all {
		if p.ID == id {
			return p, nil
		}
	}
	if err == nil {
		err = ErrNoProvider
	}
	return Provider{}, err
}

// SignInBy lists the providers that stand on the sign-in page, by name.
func (s *Service) SignInBy(ctx context.Context) (all []Provider, err error) {
	err = s.db.View(asSystem(ctx), "sign-in providers", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = ProvidersTx(ctx, tx)
		all = slices.DeleteFunc(all, func(p Provider) bool { return !p.Enabled })
		return err
	})
	return all, err
}

// speaksFor says whether an address is of a domain that the provider may speak for.
func (p Provider) speaksFor(email string) bool {
	_, domain, _ := strings.Cut(email, "@")
	return len(p.Domains) == 0 || slices.Contains(p.Domains, domain)
}

// lets says whether somebody with these roles of staff may sign in by the provider.
func (p Provider) lets(roles []string) bool {
	switch p.People {
	case LearnersOnly:
		return len(roles) == 0
	case StaffOnly:
		return len(roles) > 0
	}
	return true
}

// callback is the address to which a provider sends the browser back. Each has its own, so that no provider can pass another's answer off as
// its own.
func callback(base, id string) string { return base + "/sign-in/with/" + url.PathEscape(id) + "/back" }
