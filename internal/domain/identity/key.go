package identity

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/origin"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// What the secrets of machines begin with, so that people and scanners of repositories know one when they see it.
const (
	keyMark   = "cursus_key_"
	tokenMark = "cursus_tok_"
)

// How long the keys and the tokens of clients live, and how exactly their last use is known.
const (
	KeyLife    = 365 * 24 * time.Hour
	maxKeyLife = 2 * KeyLife
	GrantLife  = time.Hour
	usedEvery  = time.Minute
)

// Faults of those who come with a key.
var (
	ErrKeyLife = fault.New(fault.Invalid, "bad-key-life", "A key lives from a day to two years.")
	ErrNetwork = fault.New(fault.Forbidden, "network-not-allowed", "This key is not taken from your network.")
)

// AddKeyTx makes a key of a client; its secret, with 256 random bits, is shown once. Two live at a time, so that one follows the
// other without a gap. Errors: ErrNoClient, ErrClientEnded, ErrTwoKeys, ErrKeyLife.
func AddKeyTx(ctx context.Context, tx *postgres.Tx, clientID string, life time.Duration) (k Key, secret string, err error) {
	if life < 24*time.Hour || life > maxKeyLife {
		return k, "", ErrKeyLife
	}
	c, err := lockClient(ctx, tx, clientID)
	if err != nil {
		return k, "", err
	}
	live := 0
	for _, old := range c.Keys {
		switch {
		case old.Live(tx.Now()):
			live++
		case old.EndedAt == nil: // its place is free
			if err := endKey(ctx, tx, old.ID); err != nil {
				return k, "", err
			}
		}
	}
	if live >= 2 {
		return k, "", ErrTwoKeys
	}
	public := ident.Secret(5)
	secret = keyMark + public + "_" + ident.Secret(32)
	id := ident.New("key")
	if _, err := tx.Exec(ctx, q.Q("AddKey"), id, clientID, keyMark+public, hashOf(secret), tx.Now(), tx.Now().Add(life)); err != nil {
		return k, "", err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "key.made", Object: id, Detail: map[string]string{"client": clientID, "prefix": keyMark + public}}); err != nil {
		return k, "", err
	}
	if c, err = ClientTx(ctx, tx, clientID); err != nil {
		return k, "", err
	}
	return c.Keys[slices.IndexFunc(c.Keys, func(k Key) bool { return k.ID == id })], secret, nil
}

// EndKeyTx ends a key, and the tokens that were got for it; one that has ended stays so. Errors: ErrNoKey.
func EndKeyTx(ctx context.Context, tx *postgres.Tx, clientID, keyID string) error {
	c, err := ClientTx(ctx, tx, clientID)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(c.Keys, func(k Key) bool { return k.ID == keyID })
	if at < 0 {
		return ErrNoKey
	}
	if c.Keys[at].EndedAt != nil {
		return nil
	}
	return endKey(ctx, tx, keyID)
}

func endKey(ctx context.Context, tx *postgres.Tx, id string) error {
	if _, err := tx.Exec(ctx, q.Q("EndKey"), id, tx.Now()); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "key.ended", Object: id})
}

// Caller is who speaks with a bearer secret. Client is empty where it is no client's; PerMinute is then 0.
type Caller struct {
	Principal
	Client    string
	PerMinute int
}

// OfBearer gives who an API token or a key is of. Errors: ErrNobody when it is unknown or has ended, ErrNetwork.
func (s *Service) OfBearer(ctx context.Context, secret string) (Caller, error) {
	switch {
	case strings.HasPrefix(secret, keyMark):
		return s.ofClient(ctx, "OfKey", secret)
	case strings.HasPrefix(secret, tokenMark):
		return s.ofClient(ctx, "OfGrant", secret)
	}
	p, err := s.of(ctx, "api", secret)
	return Caller{Principal: p}, err
}

// presented is a key as the database knows it.
type presented struct {
	Person
	Roles     pq.StringArray `db:"roles"`
	Partner   pq.StringArray `db:"partner_roles"`
	Scopes    pq.StringArray `db:"scopes"`
	Networks  pq.StringArray `db:"networks"`
	ClientID  string         `db:"client_id"`
	KeyID     string         `db:"key_id"`
	PerMinute int            `db:"per_minute"`
	UsedAt    *time.Time     `db:"used_at"`
}

// principal is who comes with the key. What the key was given and the roles do not allow any more, it cannot do; nothing left is nothing.
func (k presented) principal() Principal {
	p := principal(k.Person, k.Roles, k.Partner, nil)
	p.Scopes = slices.DeleteFunc(p.Scopes, func(s string) bool { return !slices.Contains(k.Scopes, s) })
	return p
}

func (s *Service) ofClient(ctx context.Context, statement, secret string) (c Caller, err error) {
	k, now, err := s.presented(ctx, statement, secret)
	if err != nil {
		return c, err
	}
	if k.UsedAt == nil || now.Sub(*k.UsedAt) >= usedEvery {
		err = s.db.InTx(asSystem(ctx), "key used", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, q.Q("KeyUsed"), k.KeyID, tx.Now(), origin.Of(ctx))
			return err
		})
	}
	return Caller{k.principal(), k.ClientID, k.PerMinute}, err
}

// presented looks a secret up and refuses it where it does not hold, or not from there.
func (s *Service) presented(ctx context.Context, statement, secret string) (k presented, now time.Time, err error) {
	err = s.db.View(asSystem(ctx), "key", func(ctx context.Context, tx *postgres.Tx) error {
		now = tx.Now()
		err := tx.Get(ctx, &k, q.Q(statement), hashOf(secret), now)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNobody
		}
		return err
	})
	if err != nil {
		return k, now, err
	}
	return k, now, within(k.Networks, origin.Of(ctx))
}

// within refuses an address outside of networks; none are all.
func within(networks []string, address string) error {
	if len(networks) == 0 {
		return nil
	}
	from, err := netip.ParseAddr(address)
	if err != nil {
		return ErrNetwork
	}
	for _, n := range networks {
		if p, err := netip.ParsePrefix(n); err == nil && p.Contains(from.Unmap().WithZone("")) {
			return nil
		}
	}
	return ErrNetwork
}

// Grant gives a client a token for an hour for its id and one of its keys: the client credentials of OAuth 2.0. The token can do what the
// client may, or the part of that which is asked for. Errors: ErrNobody, ErrNetwork, ErrScope.
func (s *Service) Grant(ctx context.Context, clientID, key string, only []string) (token string, may []string, expires time.Time, err error) {
	k, _, err := s.presented(ctx, "OfKey", key)
	if err == nil && k.ClientID != clientID {
		err = ErrNobody
	}
	if err != nil {
		return "", nil, expires, err
	}
	may = k.principal().Scopes
	if len(only) > 0 {
		if slices.ContainsFunc(only, func(s string) bool { return !slices.Contains(may, s) }) {
			return "", nil, expires, ErrScope
		}
		may = only
	}
	err = s.db.InTx(asSystem(ctx), "grant token", func(ctx context.Context, tx *postgres.Tx) error {
		token, expires = tokenMark+ident.Secret(32), tx.Now().Add(GrantLife)
		if _, err := tx.Exec(ctx, q.Q("KeyUsed"), k.KeyID, tx.Now(), origin.Of(ctx)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, q.Q("AddGrant"), ident.New("tok"), hashOf(token), k.ID, pq.Array(may), tx.Now(), expires, k.KeyID)
		return err
	})
	return token, may, expires, err
}
