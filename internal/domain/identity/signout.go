package identity

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// leaveWait is how long somebody who signs out waits for a provider that has to be asked where she can sign out there.
const leaveWait = 2 * time.Second

// hintPlace is what ID tokens are sealed for.
const hintPlace = "id-token-hint"

// Leaving is what is left to do for who signed out here: at the provider where she had signed in she may be signed in still.
type Leaving struct {
	Provider string // its name; empty: she had signed in by none, and all is done
	Address  string // where the browser goes to sign out there; empty: it has none, or does not answer
	State    string // what the provider sends back with her
}

// SignOut ends a browser's session; one that has ended stays so. back is the address to which the provider sends her, once she signed out there.
// She is signed out here whatever the provider does.
func (s *Service) SignOut(ctx context.Context, secret, back string) (l Leaving, err error) {
	var at struct {
		Provider string `db:"provider"`
		Hint     []byte `db:"hint"`
	}
	err = s.db.InTx(asSystem(ctx), "sign out", func(ctx context.Context, tx *postgres.Tx) error {
		err := tx.Get(ctx, &at, q.Q("ProviderSession"), hashOf(secret), tx.Now())
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = tx.Exec(ctx, q.Q("EndToken"), hashOf(secret), tx.Now())
		return err
	})
	if err != nil || at.Provider == "" {
		return l, err
	}
	p, _, err := s.provider(ctx, at.Provider)
	if errors.Is(err, ErrNoProvider) { // it is in use no more
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l = Leaving{Provider: p.Name, State: ident.Secret(32)}
	var hint []byte
	if len(at.Hint) > 0 {
		if hint, err = s.seal.Open(at.Hint, hintPlace); err != nil {
			return l, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, leaveWait)
	defer cancel()
	if l.Address, err = s.openID.End(ctx, p, string(hint), back, l.State); errors.Is(err, ErrProviderDown) {
		return l, nil
	}
	return l, err
}

// keepTx writes down at which provider a session was begun.
func (s *Service) keepTx(ctx context.Context, tx *postgres.Tx, p Provider, session string, c Claims) error {
	if _, err := tx.Exec(ctx, q.Q("ForgetProviderSessions"), tx.Now()); err != nil { // of sessions that ended by their age
		return err
	}
	var hint []byte
	if c.IDToken != "" {
		hint = s.seal.Seal([]byte(c.IDToken), hintPlace)
	}
	sid := c.Session
	if len(sid) > 255 {
		sid = ""
	}
	_, err := tx.Exec(ctx, q.Q("PutProviderSession"), hashOf(session), p.ID, c.Subject, sid, hint)
	return err
}

// SignOutByProvider ends the sessions that a provider says are over (OpenID Connect Back-Channel Logout 1.0): those of one session there where
// its token names one, all of the person otherwise. It says how many there were. Errors: ErrNoProvider, ErrProviderDown, ErrProviderSaid, also
// for a token that was taken before.
func (s *Service) SignOutByProvider(ctx context.Context, id, token string) (ended int, err error) {
	p, _, err := s.provider(ctx, id)
	if err != nil {
		return 0, err
	}
	over, err := s.openID.Logout(ctx, p, token)
	if err != nil {
		return 0, err
	}
	err = s.db.InTx(asSystem(ctx), "sign out by a provider", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("ForgetLogoutTokens"), tx.Now()); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, q.Q("AddLogoutToken"), p.ID, hashOf(over.ID), over.Until)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrProviderSaid
		}
		var people []string
		if err := tx.Select(ctx, &people, q.Q("EndProviderSessions"), p.ID, over.Subject, over.Session, tx.Now()); err != nil {
			return err
		}
		if ended = len(people); ended == 0 {
			return nil
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "provider.signed_out", Object: people[0], Detail: map[string]any{"provider": p.ID, "sessions": ended}})
	})
	return ended, err
}
