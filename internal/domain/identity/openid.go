package identity

import (
	"context"
	"time"
)

// OpenID is the way to OpenID providers. Nothing of it happens in a transaction.
type OpenID interface {
	// Check refuses what is no address of an issuer.
	Check(issuer string) error
	// Start gives the address at the provider at which the browser signs in. Error: ErrProviderDown.
	Start(ctx context.Context, p Provider, a Asked) (string, error)
	// Finish redeems the code that the browser brought and gives what the provider says, once everything about it was checked: its signature, for
	// whom it is, when it was made, that it answers what was asked. Errors: ErrProviderDown, ErrProviderSaid.
	Finish(ctx context.Context, p Provider, secret, code string, a Asked) (Claims, error)
	// End gives the address at the provider at which the browser signs out, and which sends it to back with state; empty: there is none. hint is
	// the ID token that she signed in by; may be empty. Error: ErrProviderDown.
	End(ctx context.Context, p Provider, hint, back, state string) (string, error)
	// Logout reads a logout token, once everything about it was checked but that it was not taken before. Errors: ErrProviderDown, ErrProviderSaid.
	Logout(ctx context.Context, p Provider, token string) (Over, error)
	// Look reads what a provider publishes of itself now, whatever is known of it.
	Look(ctx context.Context, p Provider) ProviderReport
}

// Over is what a provider says is over: a session there, or all of a person; one of both is not empty.
type Over struct {
	ID      string // of the token
	Subject string
	Session string
	Until   time.Time // when the token is none any more
}

// Asked is one sign-in on its way: what the answer has to fit.
type Asked struct {
	State       string        `json:"state"`
	Nonce       string        `json:"nonce"`
	Verifier    string        `json:"verifier"` // of PKCE
	RedirectURI string        `json:"redirect_uri"`
	MaxAge      time.Duration `json:"max_age"` // 0: she may have signed in there long ago
}

// Claims are what a provider says of who signed in.
type Claims struct {
	Subject    string // her id there, which never changes
	Email      string // empty where the provider has not proven it
	Name       string
	StudentKey string // her key at the provider's organisation, where the provider tells it
	SignedInAt time.Time
	Groups     []string // hers there, where the provider tells them
	Session    string   // of the session there; empty: it says none
	IDToken    string   // what signs her out there; empty: there is nowhere to
}
