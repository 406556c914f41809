package identity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/origin"
	"cursus/internal/platform/postgres"
)

// registrar is a client of a school that takes money at its desk, with a key.
func registrar(t *testing.T, db *postgres.DB) (c identity.Client, k identity.Key, secret string) {
	t.Helper()
	if err := db.InTx(system, "registrar", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"); err != nil {
			return err
		}
		c, err = identity.CreateClientTx(ctx, tx, identity.NewClient{Organisation: "ESP", Name: "Registrar", Roles: []string{"cashier", "manager"}, Scopes: []string{"desk:write", "orders:read"}})
		if err != nil {
			return err
		}
		k, secret, err = identity.AddKeyTx(ctx, tx, c.ID, identity.KeyLife)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return c, k, secret
}

func inTx(t *testing.T, db *postgres.DB, work func(ctx context.Context, tx *postgres.Tx) error) error {
	t.Helper()
	return db.InTx(system, "test", work)
}

// A key does what its client may and its roles allow, at the desk of its school, until it ends; its last use is known to a minute.
func TestAKeyDoesWhatItsClientMay(t *testing.T) {
	s, db, c := room(t)
	client, key, secret := registrar(t, db)
	if !strings.HasPrefix(secret, key.Prefix) || len(secret) < len(key.Prefix)+52 {
		t.Error("the secret has not its prefix and 256 bits:", len(secret), key.Prefix)
	}
	if n := count(system, t, db, "select count(*) from identity.keys where position(encode(hash, 'escape') in '"+secret+"') > 0 or prefix = '"+secret+"'"); n != 0 {
		t.Error("the secret is kept")
	}
	who, err := s.OfBearer(origin.With(context.Background(), "196.1.95.7"), secret)
	if err != nil || who.Client != client.ID || who.PerMinute != 600 || who.ID != client.PersonID || !slices.Equal(who.Scopes, []string{"desk:write", "orders:read"}) {
		t.Fatalf("%+v, %v", who, err)
	}
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.MustTakeTx(ctx, tx, "ESP", who.ID); err != nil {
			return err
		}
		return identity.MustManageTx(ctx, tx, "ESP", who.ID)
	}); err != nil {
		t.Error(err)
	}
	used := func() (k identity.Key) {
		if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			c, err := identity.ClientTx(ctx, tx, client.ID)
			k = c.Keys[0]
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := used()
	if first.UsedAt == nil || !first.UsedAt.Equal(c.Now()) || first.UsedFrom != "196.1.95.7" {
		t.Errorf("%+v", first)
	}
	c.Advance(30 * time.Second)
	if _, err := s.OfBearer(context.Background(), secret); err != nil || !used().UsedAt.Equal(*first.UsedAt) {
		t.Error("each request writes the last use", err)
	}
	c.Advance(30 * time.Second)
	if _, err := s.OfBearer(context.Background(), secret); err != nil || !used().UsedAt.Equal(c.Now()) {
		t.Error("the last use is older than a minute", err)
	}
	token, may, expires, err := s.Grant(context.Background(), client.ID, secret, []string{"orders:read"})
	if err != nil || !slices.Equal(may, []string{"orders:read"}) || expires.Sub(c.Now()) != time.Hour {
		t.Fatal(may, expires, err)
	}
	if who, err := s.OfBearer(context.Background(), token); err != nil || !slices.Equal(who.Scopes, may) || who.Client != client.ID {
		t.Errorf("%+v %v", who, err)
	}
	// What is taken from the client is taken from its key and its tokens at once; none left is none, and not all.
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := identity.PutClientTx(ctx, tx, client.ID, identity.NewClient{Name: "Registrar", Scopes: []string{"desk:write"}}, client.Version)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if who, err := s.OfBearer(context.Background(), token); err != nil || len(who.Scopes) != 0 {
		t.Errorf("%+v %v", who.Scopes, err)
	}
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error { return identity.EndKeyTx(ctx, tx, client.ID, key.ID) }); err != nil {
		t.Fatal(err)
	}
	for _, dead := range []string{secret, token} {
		if _, err := s.OfBearer(context.Background(), dead); !errors.Is(err, identity.ErrNobody) {
			t.Error("a key that has ended:", err)
		}
	}
}

// What is no key of a live client is nobody, whatever it looks like, and so is a key in another's name; a client's token has no browser.
func TestWhatIsNoKeyIsNobody(t *testing.T) {
	s, db, c := room(t)
	client, _, secret := registrar(t, db)
	other, _, foreign := registrar(t, db)
	token, _, _, err := s.Grant(context.Background(), client.ID, secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "cursus_key_", secret[:len(secret)-1], secret + "0", strings.ToUpper(secret), "cursus_tok_" + secret, strings.Replace(secret, "_key_", "_tok_", 1),
		strings.Replace(token, "_tok_", "_key_", 1), client.ID, "\x00", "' or true --", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
	} {
		if who, err := s.OfBearer(context.Background(), bad); !errors.Is(err, identity.ErrNobody) {
			t.Errorf("%q is %+v, %v", bad, who, err)
		}
	}
	for _, spent := range []string{secret, token} {
		if _, err := s.OfBrowser(context.Background(), spent); !errors.Is(err, identity.ErrNobody) {
			t.Error("a client's secret opens a browser:", err)
		}
	}
	for _, pair := range [][2]string{{other.ID, secret}, {client.ID, foreign}, {client.ID, token}, {"", secret}, {client.ID, ""}} {
		if _, _, _, err := s.Grant(context.Background(), pair[0], pair[1], nil); !errors.Is(err, identity.ErrNobody) {
			t.Error(pair[0], err)
		}
	}
	if _, _, _, err := s.Grant(context.Background(), client.ID, secret, []string{"accounts:write"}); !errors.Is(err, identity.ErrScope) {
		t.Error(err)
	}
	c.Advance(time.Hour)
	if _, err := s.OfBearer(context.Background(), token); !errors.Is(err, identity.ErrNobody) {
		t.Error("a token after its hour:", err)
	}
	c.Advance(identity.KeyLife)
	if _, err := s.OfBearer(context.Background(), secret); !errors.Is(err, identity.ErrNobody) {
		t.Error("a key after its year:", err)
	}
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error { return identity.EndClientTx(ctx, tx, other.ID) }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OfBearer(context.Background(), foreign); !errors.Is(err, identity.ErrNobody) {
		t.Error("a key of a client that has ended:", err)
	}
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		_, _, err := identity.AddKeyTx(ctx, tx, other.ID, identity.KeyLife)
		return err
	}); !errors.Is(err, identity.ErrClientEnded) {
		t.Error(err)
	}
}

// Two keys live, never three, whoever asks at once; an expired one makes room.
func TestTwoKeysLive(t *testing.T) {
	_, db, c := room(t)
	client, _, _ := registrar(t, db)
	add := func(life time.Duration) error {
		return inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			_, _, err := identity.AddKeyTx(ctx, tx, client.ID, life)
			return err
		})
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 8 {
		group.Go(func() {
			err := add(24 * time.Hour)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else if !errors.Is(err, identity.ErrTwoKeys) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if made != 1 {
		t.Error(made, "keys were made beside the first one")
	}
	c.Advance(24 * time.Hour)
	if err := add(24 * time.Hour); err != nil {
		t.Error("an expired key keeps its place:", err)
	}
	for _, life := range []time.Duration{0, 23 * time.Hour, 3 * identity.KeyLife} {
		if err := add(life); !errors.Is(err, identity.ErrKeyLife) {
			t.Error(life, err)
		}
	}
}

// A key is taken from its networks alone, and so are its tokens; an address that nobody knows is in none.
func TestAKeyIsTakenFromItsNetworks(t *testing.T) {
	s, db, _ := room(t)
	client, _, secret := registrar(t, db)
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		got, err := identity.PutClientTx(ctx, tx, client.ID, identity.NewClient{Name: "R", Scopes: client.Scopes, Networks: []string{"196.1.95.77/24", "2001:db8::/32", "192.0.2.9"}}, 0)
		if err == nil && !slices.Equal(got.Networks, []string{"196.1.95.0/24", "2001:db8::/32", "192.0.2.9/32"}) {
			t.Error(got.Networks)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for address, in := range map[string]bool{
		"196.1.95.7": true, "::ffff:196.1.95.7": true, "2001:db8:1::1": true, "192.0.2.9": true,
		"196.1.96.7": false, "192.0.2.10": false, "2001:db9::1": false, "": false, "196.1.95.7, 10.0.0.1": false, "::1": false,
	} {
		_, err := s.OfBearer(origin.With(context.Background(), address), secret)
		if in && err != nil || !in && !errors.Is(err, identity.ErrNetwork) {
			t.Errorf("%q: %v", address, err)
		}
		if _, _, _, err := s.Grant(origin.With(context.Background(), address), client.ID, secret, nil); in == (err != nil) {
			t.Errorf("a token for %q: %v", address, err)
		}
	}
}

// A client is given no more than its roles allow, and no role of staff where it is a partner's.
func TestAClientIsGivenWhatItsRolesAllow(t *testing.T) {
	_, db, _ := room(t)
	registrar(t, db)
	for _, x := range []struct {
		n  identity.NewClient
		at string
	}{
		{identity.NewClient{Name: "x", Roles: []string{"analytics"}, Scopes: []string{"analytics:read"}}, ""},
		{identity.NewClient{Name: "x", Roles: []string{"analytics"}, Scopes: []string{"refunds:write"}}, "/scopes"},
		{identity.NewClient{Name: "x", Organisation: "ESP", Roles: []string{"admin"}, Scopes: []string{"orders:read"}}, "/roles"},
		{identity.NewClient{Name: "x", Organisation: "ESP", Roles: []string{"manager"}, Scopes: []string{"desk:write"}}, "/scopes"},
		{identity.NewClient{Name: "x", Roles: []string{"cashier", "manager"}, Scopes: []string{"desk:write"}}, "/roles"},
		{identity.NewClient{Name: "x"}, "/scopes"},
		{identity.NewClient{Scopes: []string{"orders:read"}}, "/name"},
		{identity.NewClient{Name: "x", Scopes: []string{"orders:read"}, Networks: []string{"all"}}, "/networks"},
		{identity.NewClient{Name: "x", Scopes: []string{"orders:read"}, PerMinute: -1}, "/per_minute"},
	} {
		err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := identity.CreateClientTx(ctx, tx, x.n)
			return err
		})
		if x.at == "" && err != nil || x.at != "" && (err == nil || !slices.ContainsFunc(fault.From(err).Fields, func(f fault.Field) bool { return f.Pointer == x.at })) {
			t.Errorf("%+v: %v", x.n, err)
		}
	}
	err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := identity.CreateClientTx(ctx, tx, identity.NewClient{Name: "x", Organisation: "NONE", Scopes: []string{"orders:read"}})
		return err
	})
	if !errors.Is(err, identity.ErrNoOrganisation) {
		t.Error(err)
	}
}
