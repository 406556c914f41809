package identity_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
)

// begin signs somebody in by a provider and gives her session.
func begin(t *testing.T, s *identity.Service, id string, c identity.Claims, current string) string {
	t.Helper()
	address, flow, err := s.StartOpenID(context.Background(), id, "https://cursus.test", "", "en", 0)
	if err != nil {
		t.Fatal(err)
	}
	_, state, _ := strings.Cut(address, "state=")
	theDoor.tell(state, c)
	_, session, _, err := s.FinishOpenID(context.Background(), id, flow, state, state, "", current)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// Who signs out is signed out here at once, and is told where to sign out at the provider that she came by; its token, sealed meanwhile, is kept
// no longer than her session.
func TestSignOutLeadsToTheProvider(t *testing.T) {
	s, db, c := room(t)
	id := provider(t, s, identity.NewProvider{People: identity.Everybody})
	zoe := identity.Claims{Subject: "z", Email: "zoe@example.org", IDToken: "the-id-token"}
	kept := func() int { return count(system, t, db, "select count(*) from identity.provider_sessions") }
	session := begin(t, s, id, zoe, "")
	if n := count(system, t, db, "select count(*) from identity.provider_sessions where position('the-id-token' in encode(hint, 'escape')) > 0"); n != 0 || kept() != 1 {
		t.Error("the ID token is kept as it is, or not at all")
	}
	l, err := s.SignOut(context.Background(), session, "https://cursus.test/signed-out")
	if err != nil || l.Provider != "SSO" || l.Address != "https://sso.example.org/end?hint=the-id-token&back=https://cursus.test/signed-out&state="+l.State || len(l.State) < 32 || kept() != 0 {
		t.Error(l, err, kept())
	}
	if _, err := s.OfBrowser(context.Background(), session); !errors.Is(err, identity.ErrNobody) {
		t.Error(err)
	}
	if l, err := s.SignOut(context.Background(), session, ""); err != nil || l != (identity.Leaving{}) {
		t.Error("twice:", l, err)
	}
	version := 1
	for _, name := range []string{"dark", "endless"} {
		if err := s.PutProvider(system, id, identity.NewProvider{Name: name, ClientID: "cursus", People: identity.Everybody, Enabled: true}, version); err != nil {
			t.Fatal(err)
		}
		version++
		session := begin(t, s, id, zoe, "")
		if l, err := s.SignOut(context.Background(), session, ""); err != nil || l.Provider != name || l.Address != "" {
			t.Error(name, l, err)
		}
		if _, err := s.OfBrowser(context.Background(), session); !errors.Is(err, identity.ErrNobody) {
			t.Error(name, err)
		}
	}
	// A session that ends by its age, or because somebody else signs in with this browser, takes its token along.
	begin(t, s, id, zoe, "")
	c.Advance(identity.BrowserLife + time.Second)
	old := begin(t, s, id, identity.Claims{Subject: "b", Email: "bob@example.org", IDToken: "x"}, "")
	if kept() != 1 {
		t.Error("the token of a session that is over is kept")
	}
	begin(t, s, id, zoe, old)
	if kept() != 1 {
		t.Error("the token of a session that somebody else took over is kept")
	}
}

// Whatever sessions there are and whatever a provider says is over, those end that it names, at this provider, and no others; a token that was
// taken is not taken again.
func TestAProviderEndsTheSessionsThatItNames(t *testing.T) {
	s, _, _ := room(t)
	here := provider(t, s, identity.NewProvider{People: identity.Everybody})
	there := provider(t, s, identity.NewProvider{People: identity.Everybody, Issuer: "https://there.example.org"})
	type at struct{ provider, subject, sid string }
	open, tokens := map[string]at{}, 0
	rapid.Check(t, func(r *rapid.T) {
		for range 6 {
			id := rapid.SampledFrom([]string{here, there}).Draw(r, "provider")
			subject := rapid.SampledFrom([]string{"s1", "s2"}).Draw(r, "subject")
			sid := rapid.SampledFrom([]string{"", "x", "y"}).Draw(r, "sid")
			if rapid.Bool().Draw(r, "sign in") {
				open[begin(t, s, id, identity.Claims{Subject: subject, Email: subject + "@example.org", Session: sid}, "")] = at{id, subject, sid}
				continue
			}
			if sid != "" && rapid.Bool().Draw(r, "session alone") {
				subject = ""
			}
			tokens++
			token := subject + "/" + sid + "/" + strings.Repeat("t", tokens)
			want := map[string]bool{}
			for session, x := range open {
				if x.provider == id && (subject == "" || x.subject == subject) && (sid == "" || x.sid == sid || x.sid == "" && subject != "") {
					want[session] = true
				}
			}
			n, err := s.SignOutByProvider(context.Background(), id, token)
			if err != nil || n != len(want) {
				r.Fatalf("%s at %s ended %d sessions, want %d: %v", token, id, n, len(want), err)
			}
			if _, err := s.SignOutByProvider(context.Background(), id, token); !errors.Is(err, identity.ErrProviderSaid) {
				r.Fatal("a token was taken twice:", err)
			}
			for _, session := range slices.Sorted(maps.Keys(open)) {
				_, err := s.OfBrowser(context.Background(), session)
				if ended := errors.Is(err, identity.ErrNobody); ended != want[session] {
					r.Fatalf("%s at %s: a session of %+v ended %v", token, id, open[session], ended)
				}
				if want[session] {
					delete(open, session)
				}
			}
		}
	})
}

// What a group hints at is seen by who gives roles, and nobody has a role by it; what the provider says no more is hinted at no more.
func TestGroupsHintAtRolesAndGiveNone(t *testing.T) {
	s, db, _ := room(t)
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ESP", "ESP")
	}); err != nil {
		t.Fatal(err)
	}
	id := provider(t, s, identity.NewProvider{People: identity.Everybody, Organisation: "ESP", KeyClaim: "student", Claims: identity.ClaimNames{Groups: "groups", Hints: map[string]string{"bosses": "admin", "profs": "teacher"}}})
	hints := func() (all []identity.Hint) {
		t.Helper()
		if err := db.View(system, "hints", func(ctx context.Context, tx *postgres.Tx) (err error) {
			all, err = identity.HintsTx(ctx, tx, id)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	who, err := signIn(s, id, identity.Claims{Subject: "s", Email: "awa@esp.example", Groups: []string{"profs", "bosses", "others", "profs"}})
	if err != nil || who.Staff() || len(who.PartnerRoles) > 0 || who.May("roles:write") {
		t.Fatalf("%+v %v", who, err)
	}
	all := hints()
	if len(all) != 2 || all[0].Role != "admin" || all[0].Has || all[1].Role != "teacher" || all[1].Has || all[1].Group != "profs" || all[1].PersonID != who.ID {
		t.Errorf("%+v", all)
	}
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutPartnerRoleTx(ctx, tx, "ESP", who.ID, "teacher")
	}); err != nil {
		t.Fatal(err)
	}
	if all := hints(); len(all) != 2 || !all[1].Has || all[0].Has {
		t.Errorf("%+v", all)
	}
	if n := count(postgres.WithActor(context.Background(), "learner:per_other"), t, db, "select count(*) from identity.role_hints"); n != 0 {
		t.Error("hints of others are seen")
	}
	if _, err := signIn(s, id, identity.Claims{Subject: "s", Groups: []string{"others"}}); err != nil || len(hints()) != 0 {
		t.Error(err, hints())
	}
	if _, err := signIn(s, id, identity.Claims{Subject: "s", Groups: []string{"profs"}}); err != nil || len(hints()) != 1 {
		t.Error(err, hints())
	}
	if err := s.PutProvider(system, id, identity.NewProvider{Name: "SSO", ClientID: "cursus", People: identity.Everybody, Enabled: true}, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := signIn(s, id, identity.Claims{Subject: "s"}); err != nil || len(hints()) != 0 {
		t.Error("its groups are asked for no more, and hint still:", err, hints())
	}
	for name, bad := range map[string]identity.ClaimNames{
		"a role that is none": {Groups: "g", Hints: map[string]string{"x": "king"}}, "a role at no organisation": {Groups: "g", Hints: map[string]string{"x": "teacher"}}, "hints without groups": {Hints: map[string]string{"x": "exams"}},
		"groups without hints": {Groups: "g"}, "an address that proves itself": {Email: "mail", Verified: "mail"}, "a name with blanks": {Email: "e mail"}, "an empty group": {Groups: "g", Hints: map[string]string{"": "exams"}},
	} {
		if _, err := s.CreateProvider(system, identity.NewProvider{Name: "x", Issuer: "https://a.b", ClientID: name[:3], Secret: "s", People: identity.Everybody, Claims: bad}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
