package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"cursus/internal/domain/identity"
)

const (
	skew     = time.Minute      // by which clocks differ
	maxIssue = 10 * time.Minute // a token that answers a code was just made
)

// payload are the claims that are looked at. The reader of go-jose takes names by their case and refuses one that stands there twice.
type payload struct {
	jwt.Claims
	Party    string           `json:"azp"`
	SignedIn *jwt.NumericDate `json:"auth_time"`
	Nonce    string           `json:"nonce"`
}

// claims reads an ID token.
func (g *Gate) claims(ctx context.Context, known *provider, d document, p identity.Provider, token string, a identity.Asked) (identity.Claims, error) {
	c, err := g.read(ctx, known, d, p, token, a)
	if err != nil {
		return identity.Claims{}, refusal(err)
	}
	return c, nil
}

func (g *Gate) read(ctx context.Context, known *provider, d document, p identity.Provider, token string, a identity.Asked) (c identity.Claims, err error) {
	raw, err := g.verified(ctx, known, d, token)
	if err != nil {
		return c, err
	}
	var says payload
	if err := json.Unmarshal(raw, &says); err != nil {
		return c, err
	}
	signedIn, err := says.judge(p, a, g.clock.Now())
	if err != nil {
		return c, err
	}
	var more map[string]any
	if err := json.Unmarshal(raw, &more); err != nil {
		return c, err
	}
	return told(p, says.Subject, signedIn, more), nil
}

// judge checks a token that was signed by its issuer, and says when she signed in there.
func (s payload) judge(p identity.Provider, a identity.Asked, now time.Time) (signedIn time.Time, err error) {
	expires, issued, before := at(s.Expiry), at(s.IssuedAt), at(s.NotBefore)
	switch {
	case s.Issuer != p.Issuer:
		err = fmt.Errorf("it is of %.100q", s.Issuer)
	case !slices.Contains(s.Audience, p.ClientID):
		err = fmt.Errorf("it is for %.100q", s.Audience)
	case s.Party != "" && s.Party != p.ClientID, s.Party == "" && len(s.Audience) > 1:
		err = fmt.Errorf("it was asked for by %.100q", s.Party)
	case s.Subject == "" || len(s.Subject) > 255 || strings.ContainsFunc(s.Subject, func(r rune) bool { return r < ' ' || r == 0x7f }):
		err = errors.New("it is of nobody")
	case a.Nonce == "" || subtle.ConstantTimeCompare([]byte(s.Nonce), []byte(a.Nonce)) != 1:
		err = errors.New("it answers something else")
	case expires.IsZero() || !now.Before(expires.Add(skew)):
		err = errors.New("it has expired")
	case issued.IsZero() || issued.After(now.Add(skew)) || now.Sub(issued) > maxIssue:
		err = errors.New("it was not made just now")
	case s.NotBefore != nil && before.After(now.Add(skew)):
		err = errors.New("it does not hold yet")
	}
	if err != nil {
		return time.Time{}, err
	}
	if signedIn = at(s.SignedIn); signedIn.After(now.Add(skew)) {
		return time.Time{}, errors.New("she is to sign in yet")
	}
	if a.MaxAge > 0 && (signedIn.IsZero() || now.Sub(signedIn) > a.MaxAge+skew) {
		return time.Time{}, errors.New("she did not sign in afresh")
	}
	return signedIn, nil
}

// at is a time in seconds; zero where there is none that a calendar has.
func at(seconds *jwt.NumericDate) time.Time {
	if seconds == nil || *seconds < 0 || *seconds > 1<<40 {
		return time.Time{}
	}
	return seconds.Time().UTC()
}

// told picks what a provider says of a person, by the names that it uses. An address counts where the provider has proven it.
func told(p identity.Provider, subject string, signedIn time.Time, claims map[string]any) identity.Claims {
	text := func(name string) string {
		s, _ := claims[name].(string)
		return strings.TrimSpace(s)
	}
	named := p.Claims.Usual()
	c := identity.Claims{Subject: subject, SignedInAt: signedIn, Name: text(named.Name), Session: text("sid")}
	if c.Name == "" {
		c.Name = strings.TrimSpace(text(named.Given) + " " + text(named.Family))
	}
	if proven := claims[named.Verified]; proven == true || proven == "true" { // some write it as a text
		c.Email = text(named.Email)
	}
	if p.KeyClaim != "" {
		c.StudentKey = text(p.KeyClaim)
	}
	if named.Groups != "" {
		c.Groups = texts(claims[named.Groups])
	}
	return c
}

// texts reads a list of texts; one text alone is a list of one.
func texts(v any) (all []string) {
	if s, is := v.(string); is {
		return []string{s}
	}
	list, _ := v.([]any)
	for _, x := range list {
		if s, is := x.(string); is {
			all = append(all, s)
		}
	}
	return all
}
