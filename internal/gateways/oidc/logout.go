package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/jwks"
)

const (
	maxHint    = 4 << 10 // of an ID token that signs somebody out: it goes in an address
	logoutHold = time.Hour
	logoutSaid = "http://schemas.openid.net/event/backchannel-logout"
)

// End gives the address at the provider at which the browser signs out (OpenID Connect RP-Initiated Logout 1.0); empty: it has none.
func (g *Gate) End(ctx context.Context, p identity.Provider, hint, back, state string) (string, error) {
	d, _, err := g.provider(ctx, p.Issuer)
	if err != nil || d.End == "" {
		return "", err
	}
	at, ok := g.guard.Read(d.End)
	if !ok {
		return "", identity.ErrProviderDown.Because(fmt.Errorf("%.100q is no public address", d.End))
	}
	q := at.Query()
	for name, value := range map[string]string{"client_id": p.ClientID, "id_token_hint": hint, "post_logout_redirect_uri": back, "state": state} {
		if value != "" {
			q.Set(name, value)
		}
	}
	at.RawQuery = q.Encode()
	return at.String(), nil
}

// logoutPayload are the claims of a logout token that are looked at. A nonce is none of them: an ID token is no logout token.
type logoutPayload struct {
	jwt.Claims
	Session string                     `json:"sid"`
	Events  map[string]json.RawMessage `json:"events"`
}

// Logout reads a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6). Why one is refused is for the log alone.
func (g *Gate) Logout(ctx context.Context, p identity.Provider, token string) (identity.Over, error) {
	d, known, err := g.provider(ctx, p.Issuer)
	if err != nil {
		return identity.Over{}, err
	}
	over, err := g.over(ctx, known, d, p, token)
	if err != nil {
		return identity.Over{}, refusal(err)
	}
	return over, nil
}

func (g *Gate) over(ctx context.Context, known *provider, d document, p identity.Provider, token string) (o identity.Over, err error) {
	raw, err := g.verified(ctx, known, d, token, "JWT", "logout+jwt")
	if err != nil {
		return o, err
	}
	var says logoutPayload
	if err := json.Unmarshal(raw, &says); err != nil {
		return o, err
	}
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		return o, err
	}
	if _, is := all["nonce"]; is {
		return o, errors.New("it has a nonce, which no logout token has")
	}
	if err := says.judge(p, g.clock.Now()); err != nil {
		return o, err
	}
	return identity.Over{ID: says.ID, Subject: says.Subject, Session: says.Session, Until: at(says.Expiry).Add(skew)}, nil
}

// judge checks a logout token that was signed by its issuer.
func (s logoutPayload) judge(p identity.Provider, now time.Time) error {
	expires, issued := at(s.Expiry), at(s.IssuedAt)
	var event map[string]any
	switch {
	case s.Issuer != p.Issuer:
		return fmt.Errorf("it is of %.100q", s.Issuer)
	case !slices.Contains(s.Audience, p.ClientID):
		return fmt.Errorf("it is for %.100q", s.Audience)
	case s.Subject == "" && s.Session == "" || len(s.Subject) > 255 || len(s.Session) > 255:
		return errors.New("it ends nobody's session")
	case s.ID == "" || len(s.ID) > 255:
		return errors.New("it has no id by which it is taken once")
	case expires.IsZero() || !now.Before(expires.Add(skew)) || expires.Sub(now) > logoutHold:
		return errors.New("it has expired, or holds for longer than an hour")
	case issued.IsZero() || issued.After(now.Add(skew)) || now.Sub(issued) > maxIssue:
		return errors.New("it was not made just now")
	case s.NotBefore != nil && at(s.NotBefore).After(now.Add(skew)):
		return errors.New("it does not hold yet")
	case json.Unmarshal(s.Events[logoutSaid], &event) != nil || event == nil:
		return errors.New("it tells of no logout")
	}
	return nil
}

// Look reads what a provider publishes of itself now: what is known of it neither helps nor changes.
func (g *Gate) Look(ctx context.Context, p identity.Provider) (r identity.ProviderReport) {
	d, err := g.discover(ctx, p.Issuer)
	r.Issuer = d.Issuer
	if err != nil {
		r.Failure = err.Error()
		return r
	}
	r.Endpoints = []identity.Endpoint{{Name: "authorization_endpoint", Address: d.Authorization}, {Name: "token_endpoint", Address: d.Token}, {Name: "jwks_uri", Address: d.Keys}, {Name: "end_session_endpoint", Address: d.End}}
	r.BackChannel = d.BackChannel
	r.NoPKCE = len(d.Challenges) > 0 && !slices.Contains(d.Challenges, "S256")
	r.NoAlgorithm = len(d.Algorithms) > 0 && !slices.ContainsFunc(d.Algorithms, func(a string) bool { return slices.Contains(jwks.Algorithms(), a) })
	r.Unnamed = unnamed(p, d.Claims)
	set, err := g.published(ctx, d)
	if err != nil {
		r.KeysFailure = err.Error()
	}
	for _, key := range set {
		r.Keys = append(r.Keys, described(key))
	}
	return r
}

// unnamed are the claims that are looked for and that a provider that lists its claims does not list. A full name may come in one claim or two.
func unnamed(p identity.Provider, listed []string) (missing []string) {
	if len(listed) == 0 {
		return nil
	}
	named := p.Claims.Usual()
	want := []string{named.Email, named.Verified, named.Groups, p.KeyClaim}
	if !slices.Contains(listed, named.Name) {
		want = append(want, named.Given, named.Family)
	}
	for _, name := range want {
		if name != "" && !slices.Contains(listed, name) {
			missing = append(missing, name)
		}
	}
	return missing
}
