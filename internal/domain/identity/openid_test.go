package identity_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
)

// door is the way to providers that say what a test wants. What a token has to be is tried where the way is (gateways/oidc).
type door struct {
	mu   sync.Mutex
	says map[string]identity.Claims // by code
}

var theDoor = &door{says: map[string]identity.Claims{}}

func (d *door) Check(issuer string) error {
	if !strings.HasPrefix(issuer, "https://") {
		return identity.ErrIssuer
	}
	return nil
}

func (d *door) Start(_ context.Context, p identity.Provider, a identity.Asked) (string, error) {
	return p.Issuer + "/authorize?state=" + a.State, nil
}

func (d *door) Finish(_ context.Context, _ identity.Provider, secret, code string, _ identity.Asked) (identity.Claims, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c, ok := d.says[code]; ok && secret == "s3cret" {
		return c, nil
	}
	return identity.Claims{}, identity.ErrProviderSaid
}

// End has a place where the client is signed out, except where the provider is called so.
func (d *door) End(_ context.Context, p identity.Provider, hint, back, state string) (string, error) {
	switch p.Name {
	case "dark":
		return "", identity.ErrProviderDown
	case "endless":
		return "", nil
	}
	return p.Issuer + "/end?hint=" + hint + "&back=" + back + "&state=" + state, nil
}

// Logout takes tokens that are written subject/session/id.
func (d *door) Logout(_ context.Context, _ identity.Provider, token string) (o identity.Over, err error) {
	parts := strings.Split(token, "/")
	if len(parts) != 3 {
		return o, identity.ErrProviderSaid
	}
	return identity.Over{Subject: parts[0], Session: parts[1], ID: parts[2], Until: time.Now().Add(100 * 365 * 24 * time.Hour)}, nil
}

func (d *door) Look(context.Context, identity.Provider) identity.ProviderReport {
	return identity.ProviderReport{}
}

func (d *door) tell(code string, c identity.Claims) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.says[code] = c
}

func provider(t *testing.T, s *identity.Service, n identity.NewProvider) string {
	t.Helper()
	if n.Issuer == "" {
		n.Issuer = "https://sso.example.org"
	}
	n.ClientID, n.Secret, n.Enabled, n.Name = "cursus", "s3cret", true, "SSO"
	id, err := s.CreateProvider(system, n)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// signIn goes through a provider that says something.
func signIn(s *identity.Service, id string, c identity.Claims) (identity.Principal, error) {
	address, flow, err := s.StartOpenID(context.Background(), id, "https://cursus.test", "/learning", "fr", 0)
	if err != nil {
		return identity.Principal{}, err
	}
	_, state, _ := strings.Cut(address, "state=")
	theDoor.tell(state, c)
	who, session, _, err := s.FinishOpenID(context.Background(), id, flow, state, state, "", "")
	if err != nil {
		return who, err
	}
	again, err := s.OfBrowser(context.Background(), session)
	if again.ID != who.ID || who.Next != "/learning" {
		return who, errors.New("the session is of somebody else")
	}
	return again, err
}

// Whatever two providers say, in whatever order, about whichever ids and addresses: an account is opened by the id that it was opened by first,
// or by an address that is proven and that the provider may speak for; never by another id of the same provider, and never where the roles of
// who has it are not for the provider.
func TestProvidersOpenNoAccountThatIsNotTheirs(t *testing.T) {
	s, db, _ := room(t)
	school := provider(t, s, identity.NewProvider{People: identity.LearnersOnly, Domains: []string{"esp.example", "@Ens.Example"}})
	house := provider(t, s, identity.NewProvider{People: identity.Everybody, Issuer: "https://sso.institute.example"})
	addresses := []string{"awa@esp.example", "bob@ens.example", "cor@institute.example", "dan@elsewhere.example"}
	boss := "cor@institute.example"
	people := map[string]string{} // id by address
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		for _, a := range addresses[2:] { // they signed in by mail before
			p, err := identity.PutPersonTx(ctx, tx, a, "", "")
			if err != nil {
				return err
			}
			people[a] = p.ID
		}
		return identity.GrantRoleTx(ctx, tx, people[boss], "refund")
	}); err != nil {
		t.Fatal(err)
	}
	type at struct{ provider, subject string }
	linked, taken := map[at]string{}, map[[2]string]string{}
	rapid.Check(t, func(r *rapid.T) {
		for range 8 {
			id := rapid.SampledFrom([]string{school, house}).Draw(r, "provider")
			subject := rapid.SampledFrom([]string{"s1", "s2", "s3", "s4", "s5", "s6"}).Draw(r, "subject")
			email := rapid.SampledFrom(append(addresses, "")).Draw(r, "email")
			who, err := signIn(s, id, identity.Claims{Subject: subject, Email: strings.ToUpper(email), Name: "N"})
			var want error
			person := linked[at{id, subject}]
			switch mine := people[email]; {
			case person != "":
			case email == "":
				want = identity.ErrUnproven
			case id == school && !strings.HasSuffix(email, "@esp.example") && !strings.HasSuffix(email, "@ens.example"):
				want = identity.ErrNotForYou
			case mine != "" && taken[[2]string{id, mine}] != "":
				want = identity.ErrReassigned
			default:
				person = mine
			}
			if want == nil && id == school && person != "" && person == people[boss] {
				want = identity.ErrNotForYou
			}
			if want != nil {
				if !errors.Is(err, want) {
					r.Fatalf("%s %s %q: %v, want %v", id, subject, email, err, want)
				}
				continue
			}
			if err != nil || person != "" && who.ID != person || person == "" && who.Email != email {
				r.Fatalf("%s %s %q is %+v, %v; want %s", id, subject, email, who.Person, err, person)
			}
			linked[at{id, subject}], taken[[2]string{id, who.ID}], people[who.Email] = who.ID, subject, who.ID
		}
	})
}

// Who got a role is shut out of the providers that are for learners alone, at once; one for staff makes nobody.
func TestProvidersAreForThoseWhomTheyAreFor(t *testing.T) {
	s, db, _ := room(t)
	learners := provider(t, s, identity.NewProvider{People: identity.LearnersOnly})
	staff := provider(t, s, identity.NewProvider{People: identity.StaffOnly, Issuer: "https://staff.example.org"})
	c := identity.Claims{Subject: "s", Email: "zoe@example.org"}
	zoe, err := signIn(s, learners, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signIn(s, staff, c); !errors.Is(err, identity.ErrNotForYou) {
		t.Error(err)
	}
	if n := count(system, t, db, "select count(*) from identity.external_ids"); n != 1 {
		t.Error("who was refused was linked:", n)
	}
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, zoe.ID, "exams")
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := signIn(s, learners, c); !errors.Is(err, identity.ErrNotForYou) {
		t.Error(err)
	}
	if who, err := signIn(s, staff, c); err != nil || who.ID != zoe.ID {
		t.Error(who, err)
	}
	if _, err := signIn(s, staff, identity.Claims{Subject: "t", Email: "new@example.org"}); !errors.Is(err, identity.ErrNotForYou) {
		t.Error(err)
	}
	if n := count(system, t, db, "select count(*) from identity.people"); n != 1 {
		t.Error("a provider for staff made somebody:", n)
	}
}

// A sign-in is of the browser that began it, at the provider where it began, within ten minutes; what was altered on its way is nothing.
func TestASignInIsOfTheBrowserThatBeganIt(t *testing.T) {
	s, _, c := room(t)
	id := provider(t, s, identity.NewProvider{People: identity.Everybody})
	other := provider(t, s, identity.NewProvider{People: identity.Everybody, Issuer: "https://other.example.org"})
	begin := func() (flow, state string) {
		address, flow, err := s.StartOpenID(context.Background(), id, "https://cursus.test", "", "en", 0)
		if err != nil {
			t.Fatal(err)
		}
		_, state, _ = strings.Cut(address, "state=")
		theDoor.tell(state, identity.Claims{Subject: "s", Email: "zoe@example.org", SignedInAt: c.Now()})
		return flow, state
	}
	flow, state := begin()
	foreign, foreignState := begin()
	altered := flow[:30] + "0" + flow[31:]
	if altered == flow {
		altered = flow[:30] + "1" + flow[31:]
	}
	for name, x := range map[string][6]string{
		"another browser's answer": {id, flow, foreignState, foreignState, ""}, "a code from elsewhere": {id, flow, "x", state, ""}, "no state": {id, flow, "", state, ""},
		"another browser's flow": {id, foreign, state, state, ""}, "another provider": {other, flow, state, state, ""}, "no flow": {id, "", state, state, ""},
		"a flow of another server": {id, strings.Repeat("0", len(flow)), state, state, ""}, "altered": {id, altered, state, state, ""}, "no code": {id, flow, state, "", ""},
		"issued by another": {id, flow, state, state, "https://other.example.org"},
	} {
		if _, _, _, err := s.FinishOpenID(context.Background(), x[0], x[1], x[2], x[3], x[4], ""); !errors.Is(err, identity.ErrProviderSaid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, session, _, err := s.FinishOpenID(context.Background(), id, flow, state, state, "https://sso.example.org", ""); err != nil {
		t.Error(err)
	} else if who, err := s.OfBrowser(context.Background(), session); err != nil || !who.ProvenAt.Equal(c.Now()) {
		t.Error(who.ProvenAt, err)
	}
	flow, state = begin()
	c.Advance(10 * time.Minute)
	if _, _, _, err := s.FinishOpenID(context.Background(), id, flow, state, state, "", ""); !errors.Is(err, identity.ErrProviderSaid) {
		t.Error("after ten minutes:", err)
	}
	if err := s.PutProvider(system, id, identity.NewProvider{Name: "Off", ClientID: "cursus", People: identity.Everybody}, 1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.StartOpenID(context.Background(), id, "https://cursus.test", "", "en", 0); !errors.Is(err, identity.ErrNoProvider) {
		t.Error("a provider that is not in use:", err)
	}
	if all, err := s.SignInBy(context.Background()); err != nil || len(all) != 1 {
		t.Error(all, err)
	}
}

// The secret of a provider is not in the database as it is, and stays where a change says none; a provider says whose students' keys it tells.
func TestWhatAProviderIsMadeOf(t *testing.T) {
	s, db, _ := room(t)
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ESP", "ESP")
	}); err != nil {
		t.Fatal(err)
	}
	id := provider(t, s, identity.NewProvider{People: identity.Everybody, Organisation: "ESP", KeyClaim: "student"})
	if n := count(system, t, db, "select count(*) from identity.providers where position('s3cret' in encode(secret, 'escape')) > 0"); n != 0 {
		t.Error("the secret is kept as it is")
	}
	if err := s.PutProvider(system, id, identity.NewProvider{Name: "SSO 2", ClientID: "cursus", People: identity.Everybody, Organisation: "ESP", KeyClaim: "student", Enabled: true}, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.PutProvider(system, id, identity.NewProvider{Name: "SSO 3", ClientID: "cursus", People: identity.Everybody}, 1); !errors.Is(err, identity.ErrProviderChanged) {
		t.Error(err)
	}
	who, err := signIn(s, id, identity.Claims{Subject: "s", Email: "zoe@example.org", StudentKey: "S42"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signIn(s, id, identity.Claims{Subject: "t", Email: "bob@example.org", StudentKey: "S42"}); err != nil { // the key stays hers
		t.Error(err)
	}
	if n := count(system, t, db, "select count(*) from identity.external_ids where source = 'ESP' and subject = 'S42' and person_id = '"+who.ID+"'"); n != 1 {
		t.Error("her key at the school is not hers")
	}
	for _, bad := range []identity.NewProvider{
		{}, {Name: "x", Issuer: "http://sso", ClientID: "c", Secret: "s", People: identity.Everybody}, {Name: "x", Issuer: "https://a.b", ClientID: "c", Secret: "s", People: "anybody"},
		{Name: "x", Issuer: "https://a.b", ClientID: "c", People: identity.Everybody}, {Name: "x", Issuer: "https://a.b", ClientID: "c", Secret: "s", People: identity.Everybody, KeyClaim: "k"},
		{Name: "x", Issuer: "https://a.b", ClientID: "c", Secret: "s", People: identity.Everybody, Domains: []string{"*"}},
		{Name: "x", Issuer: "https://a.b", ClientID: "c", Secret: "s", People: identity.Everybody, Organisation: "NONE", KeyClaim: "k"},
		{Name: "x", Issuer: "https://sso.example.org", ClientID: "cursus", Secret: "s", People: identity.Everybody},
	} {
		if _, err := s.CreateProvider(system, bad); err == nil {
			t.Errorf("%+v was made", bad)
		}
	}
}
