package identity

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"time"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// flowLife is how long a sign-in at a provider may take.
const flowLife = 10 * time.Minute

// flow is a sign-in on its way. The browser keeps it, sealed, in a cookie: nothing of who only looks is written down here, and who comes back
// with another browser's answer has no such flow.
type flow struct {
	Provider string    `json:"provider"`
	Asked    Asked     `json:"asked"`
	Next     string    `json:"next"`
	Lang     string    `json:"lang"`
	Until    time.Time `json:"until"`
}

const flowPlace = "sign-in"

// StartOpenID begins a sign-in at a provider: where the browser is to go, and what it is to bring back. Within maxAge she has to sign in there
// afresh; 0: it may have been long ago. Errors: ErrNoProvider, ErrProviderDown.
func (s *Service) StartOpenID(ctx context.Context, id, base, next, lang string, maxAge time.Duration) (address, sealed string, err error) {
	p, _, err := s.provider(ctx, id)
	if err != nil {
		return "", "", err
	}
	if len(next) > 400 {
		next = ""
	}
	f := flow{
		Provider: p.ID, Next: next, Lang: lang, Until: s.db.Now().Add(flowLife),
		Asked: Asked{State: ident.Secret(32), Nonce: ident.Secret(32), Verifier: ident.Secret(32), RedirectURI: callback(base, p.ID), MaxAge: maxAge},
	}
	if address, err = s.openID.Start(ctx, p, f.Asked); err != nil {
		return "", "", err
	}
	plain, err := json.Marshal(f)
	return address, base32Text.EncodeToString(s.seal.Seal(plain, flowPlace)), err
}

// FinishOpenID opens a browser's session for who comes back from a provider with its answer; of current see Redeem.
//
// Who she is: whoever signed in with this id at this provider before. Otherwise she is who has the address, which then has to be proven by the
// provider and of a domain that it may speak for, and who has no other id there; somebody new is made where nobody has it. So a provider opens
// no account but of addresses that it was given to speak for, and never an account that it opened for another id.
//
// Errors: ErrNoProvider, ErrProviderDown, ErrProviderSaid, ErrUnproven, ErrNotForYou, ErrReassigned.
func (s *Service) FinishOpenID(ctx context.Context, id, sealed, state, code, issuer, current string) (who Principal, session string, expires time.Time, err error) {
	f, err := s.flow(sealed)
	if err != nil {
		return who, "", expires, err
	}
	if f.Provider != id || code == "" || len(code) > 4096 || subtle.ConstantTimeCompare([]byte(f.Asked.State), []byte(state)) != 1 {
		return who, "", expires, ErrProviderSaid
	}
	p, secret, err := s.provider(ctx, id)
	if err != nil {
		return who, "", expires, err
	}
	if issuer != "" && issuer != p.Issuer { // RFC 9207
		return who, "", expires, ErrProviderSaid
	}
	claims, err := s.openID.Finish(ctx, p, secret, code, f.Asked)
	if err != nil {
		return who, "", expires, err
	}
	err = s.db.InTx(asSystem(ctx), "sign in by a provider", func(ctx context.Context, tx *postgres.Tx) error {
		personID, err := claimantTx(ctx, tx, p, claims, f.Lang)
		if err != nil {
			return err
		}
		roles, err := RolesTx(ctx, tx, personID)
		if err != nil {
			return err
		}
		if !p.lets(roles) {
			return ErrNotForYou
		}
		if claims.StudentKey != "" && len(claims.StudentKey) <= 255 {
			if err := LinkTx(ctx, tx, personID, p.Organisation, claims.StudentKey); err != nil {
				return err
			}
		}
		var proven *time.Time
		if !claims.SignedInAt.IsZero() {
			proven = &claims.SignedInAt
		}
		if session, expires, err = browserTx(ctx, tx, personID, current, proven); err != nil {
			return err
		}
		if err := s.keepTx(ctx, tx, p, cmp.Or(session, current), claims); err != nil {
			return err
		}
		if err := hintTx(ctx, tx, p, personID, claims.Groups); err != nil {
			return err
		}
		who, err = principalTx(ctx, tx, personID, nil)
		who.Next = f.Next
		return err
	})
	return who, session, expires, err
}

// flow reads what the browser kept.
func (s *Service) flow(sealed string) (f flow, err error) {
	raw, err := base32Text.DecodeString(sealed)
	if err != nil {
		return f, ErrProviderSaid.Because(err)
	}
	plain, err := s.seal.Open(raw, flowPlace)
	if err != nil {
		return f, ErrProviderSaid.Because(err)
	}
	if err := json.Unmarshal(plain, &f); err != nil {
		return f, ErrProviderSaid.Because(err)
	}
	if !s.db.Now().Before(f.Until) {
		return f, ErrProviderSaid
	}
	return f, nil
}

// provider gives an enabled provider and its secret.
func (s *Service) provider(ctx context.Context, id string) (p Provider, secret string, err error) {
	var sealed []byte
	err = s.db.View(asSystem(ctx), "provider", func(ctx context.Context, tx *postgres.Tx) error {
		if p, err = ProviderTx(ctx, tx, id); err != nil {
			return err
		}
		if !p.Enabled {
			return ErrNoProvider
		}
		return tx.Get(ctx, &sealed, q.Q("ProviderSecret"), id)
	})
	if err != nil {
		return p, "", err
	}
	plain, err := s.seal.Open(sealed, id)
	return p, string(plain), err
}

// claimantTx finds or makes the person whom a provider speaks of.
func claimantTx(ctx context.Context, tx *postgres.Tx, p Provider, c Claims, lang string) (string, error) {
	if _, err := tx.Exec(ctx, q.Q("LockSource"), p.ID); err != nil { // the same id twice at once is one person
		return "", err
	}
	people, err := known(ctx, tx, p.ID, []string{c.Subject})
	if err != nil || people[c.Subject] != "" {
		return people[c.Subject], err
	}
	if c.Email == "" {
		return "", ErrUnproven
	}
	email, err := NormalEmail(c.Email)
	if err != nil {
		return "", ErrUnproven.Because(err)
	}
	if !p.speaksFor(email) {
		return "", ErrNotForYou
	}
	person, err := PutPersonTx(ctx, tx, email, c.Name, lang)
	if errors.Is(err, ErrName) {
		person, err = PutPersonTx(ctx, tx, email, "", lang)
	}
	if err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, q.Q("AddSubject"), p.ID, c.Subject, person.ID); err != nil {
		return "", err
	}
	return person.ID, audit.AppendTx(ctx, tx, audit.Entry{Action: "provider.linked", Object: person.ID, Detail: map[string]string{"provider": p.ID}})
}
