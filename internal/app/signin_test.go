package app_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/html"

	"cursus/internal/domain/identity"
	"cursus/internal/gateways/oidc/oidctest"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		id, err := w.h.Identity.CreateProvider(system, identity.NewProvider{Name: "ESP Dakar", Issuer: "https://sso.esp.sn", ClientID: "cursus", Secret: "s", People: identity.LearnersOnly, Enabled: true})
		if err != nil {
			w.t.Fatal(err)
		}
		return map[string]string{"/console/providers/:id": "/console/providers/" + id}
	})
}

// visitor is a browser of somebody who has not signed in.
func (w *world) visitor(t testing.TB) *desk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, w: w, http: &http.Client{Jar: jar}}
}

// Staff add a provider in the console; a learner signs in by its button and is led where she was going, and the second time she is who she was,
// whatever her address is now; what the provider has not proven, and an answer that another browser asked for, signs nobody in.
func TestSignInByAProvider(t *testing.T) {
	double := oidctest.New(t, clock.System{})
	w, mails := newSite(t, double.Host())
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar")
	})
	admin := w.newDesk(t, mails, "admin@example.org")
	admin.open("/console/providers")
	f := admin.form("/console/providers")
	for name, value := range map[string]string{
		"name": "ESP Dakar", "issuer": "http://10.0.0.1", "client_id": oidctest.ClientID, "secret": oidctest.Secret, "domains": "esp.example\nens.example", "organisation": "ESP", "key_claim": "student",
	} {
		f.set(name, value)
	}
	admin.want = 400
	f.press("", "")
	admin.says("/issuer")
	f = admin.form("/console/providers") // what was written stands there still, but for the secret
	f.set("issuer", double.Issuer)
	f.set("secret", oidctest.Secret)
	f.press("", "")
	admin.says("ESP Dakar", "/back")
	var back string
	for line := range strings.FieldsSeq(words(admin.page)) {
		if strings.HasSuffix(line, "/back") {
			back = line
		}
	}
	double.SignIn(oidctest.Claims{"sub": "sub-awa", "email": "awa@esp.example", "email_verified": true, "name": "Awa Diop", "student": "S42"}, back)

	button := func(d *desk) string {
		t.Helper()
		d.open("/sign-in?lang=en&next=/programs")
		d.says("Sign in with ESP Dakar")
		for _, n := range d.all(func(n *html.Node) bool { return n.Data == "a" && strings.HasPrefix(attr(n, "href"), "/sign-in/with/") }) {
			return attr(n, "href")
		}
		t.Fatal("no button")
		return ""
	}
	awa := w.visitor(t)
	awa.open(button(awa))
	if awa.at != "/programs" {
		t.Error("she is led to", awa.at)
	}
	awa.open("/learning")
	awa.says("Sign out")
	who := w.person("awa@esp.example", "")
	if who.FullName != "Awa Diop" {
		t.Errorf("%+v", who)
	}
	double.SignIn(oidctest.Claims{"sub": "sub-awa", "email": "awa.diop@ens.example", "email_verified": true, "name": "Somebody"})
	again := w.visitor(t)
	again.open(button(again))
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if _, found, err := identity.FindByEmailTx(ctx, tx, "awa.diop@ens.example"); err != nil || found {
			t.Error("another address made another person:", err)
		}
		return nil
	})

	for _, claims := range []oidctest.Claims{
		{"sub": "sub-bob", "email": "admin@example.org", "email_verified": true}, {"sub": "sub-bob", "email": "bob@esp.example"}, {"sub": "sub-bob", "email": "awa@esp.example", "email_verified": true},
	} {
		double.SignIn(claims)
		bob := w.visitor(t)
		at := button(bob)
		bob.want = http.StatusForbidden
		bob.open(at)
		bob.says("link by e-mail")
		bob.open("/learning")
		if bob.at != "/sign-in" {
			t.Error(claims, "signed somebody in")
		}
	}
	// The answer that one browser asked for is of no use to another one: it began nothing, or something else.
	double.SignIn(oidctest.Claims{"sub": "sub-eve", "email": "eve@esp.example", "email_verified": true})
	eve, victim := w.visitor(t), w.visitor(t)
	eve.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/back") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.cfg.BaseURL+button(eve), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	a, err := eve.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	answer, err := a.Location()
	if err != nil {
		t.Fatal(err)
	}
	victim.open(answer.RequestURI())
	if victim.at != "/sign-in" {
		t.Error("who began nothing is at", victim.at)
	}
	victim.http.CheckRedirect = eve.http.CheckRedirect
	began, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.cfg.BaseURL+button(victim), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = victim.http.Do(began); err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	victim.want = http.StatusUnauthorized
	victim.open(answer.RequestURI())
	double.SignIn(nil)
	denied := w.visitor(t)
	denied.open(button(denied))
	if denied.at != "/sign-in" {
		t.Error("who thought better of it is at", denied.at)
	}
	w.verify()
}

// Who signs out is led to the provider that she came by, is signed out there, and comes back; who signs out there is signed out here. Staff see
// what the provider publishes, and who is hinted at for a role, which gives nobody anything.
func TestSignOutHereAndThere(t *testing.T) {
	double := oidctest.New(t, clock.System{})
	w, mails := newSite(t, double.Host())
	admin := w.newDesk(t, mails, "admin@example.org")
	admin.open("/console/providers")
	f := admin.form("/console/providers")
	for name, value := range map[string]string{"name": "SSO", "issuer": double.Issuer, "client_id": oidctest.ClientID, "secret": oidctest.Secret, "claim_groups": "groups", "hints": "bosses = king"} {
		f.set(name, value)
	}
	admin.want = 400
	f.press("", "")
	admin.says("/claims/hints")
	f = admin.form("/console/providers")
	f.set("secret", oidctest.Secret)
	f.set("hints", "bosses = exams")
	f.press("", "")
	at := admin.at
	admin.formWith(at, "look").press("do", "test")
	admin.says("People can sign in by it", "end_session_endpoint", "RSA 2048", "does not list the claim groups")
	double.Dark(true)
	admin.formWith(at, "look").press("do", "test")
	admin.says("Nobody can sign in by it")
	double.Dark(false)
	double.SignIn(oidctest.Claims{"sub": "sub-awa", "email": "awa@esp.example", "email_verified": true, "name": "Awa Diop", "sid": "there", "groups": []string{"bosses"}},
		w.cfg.BaseURL+"/sign-in/with/"+strings.TrimPrefix(at, "/console/providers/")+"/back", w.cfg.BaseURL+"/signed-out")
	enter := func() *desk {
		t.Helper()
		d := w.visitor(t)
		d.open("/sign-in/with/" + strings.TrimPrefix(at, "/console/providers/") + "?lang=en")
		d.open("/learning")
		if d.at != "/learning" {
			t.Fatal("she is at", d.at)
		}
		return d
	}
	awa, other := enter(), enter()
	admin.open(at)
	admin.says("Awa Diop", "bosses", "exams")
	if roles := w.person("awa@esp.example", "").ID; w.rolesOf(roles) != "" {
		t.Error("a group gave a role:", w.rolesOf(roles))
	}
	awa.form("/sign-out").press("", "")
	awa.says("Sign out at SSO")
	for _, n := range awa.all(func(n *html.Node) bool {
		return n.Data == "a" && strings.HasPrefix(attr(n, "href"), double.Issuer+"/end?")
	}) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, attr(n, "href"), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		awa.send(r)
	}
	if awa.says("and where you had signed in"); awa.at != "/signed-out" || len(double.Ended()) != 1 || double.Ended()[0] != "sub-awa" {
		t.Error(awa.at, double.Ended())
	}
	awa.open("/signed-out?state=guess")
	if strings.Contains(words(awa.page), "where you had signed in") {
		t.Error("who did not leave is told that she left")
	}
	// The provider says that all of her sessions are over: the other browser's is.
	tell := func(token string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.cfg.BaseURL+"/sign-in/with/"+strings.TrimPrefix(at, "/console/providers/")+"/logout", strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.Header.Get("Cache-Control") != "private, no-store" {
			t.Error(a.Header.Get("Cache-Control"))
		}
		return a.StatusCode
	}
	token := oidctest.Sign(t, double.Key(), double.Logout("sub-awa", "there"), map[string]any{"typ": "logout+jwt"})
	for name, x := range map[string]string{"nothing": "", "altered": token + "x", "an ID token": oidctest.Sign(t, double.Key(), double.Honest("n"), nil)} {
		if status := tell(x); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	other.open("/learning")
	if other.at != "/learning" {
		t.Error("what was refused ended a session")
	}
	if status := tell(token); status != http.StatusOK {
		t.Error(status)
	}
	if status := tell(token); status != http.StatusBadRequest {
		t.Error("a token that was taken before:", status)
	}
	other.open("/learning")
	if other.at != "/sign-in" {
		t.Error("she is signed in still")
	}
	w.verify()
}

// rolesOf are somebody's roles of staff.
func (w *world) rolesOf(person string) (roles string) {
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := identity.RolesTx(ctx, tx, person)
		roles = strings.Join(all, " ")
		return err
	})
	return roles
}

// Nothing but a live key or token of ours opens the API: no JWT, whoever signed it, no cookie, no key that was altered, ended, or sent elsewhere
// than in the header; and what is ended while it is used is of no use from then on.
func TestNoForgedBearerIsTaken(t *testing.T) {
	double := oidctest.New(t, clock.System{})
	w, mails := newSite(t)
	var client identity.Client
	var secret, ended string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if client, err = identity.CreateClientTx(ctx, tx, identity.NewClient{Name: "X", Roles: []string{"admin"}, Scopes: []string{"learning:read"}}); err != nil {
			return err
		}
		var k identity.Key
		if k, ended, err = identity.AddKeyTx(ctx, tx, client.ID, identity.KeyLife); err != nil {
			return err
		}
		if err := identity.EndKeyTx(ctx, tx, client.ID, k.ID); err != nil {
			return err
		}
		_, secret, err = identity.AddKeyTx(ctx, tx, client.ID, identity.KeyLife)
		return err
	})
	zoe := w.signedIn(t, mails, "zoe@example.org")
	ask := func(change func(r *http.Request)) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.cfg.BaseURL+"/v1/me", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		a, err := zoe.http.Do(r) // with her cookies, each time
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		return a.StatusCode
	}
	bearer := func(s string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s) }
	}
	if status := ask(bearer(secret)); status != http.StatusOK {
		t.Fatal(status)
	}
	person := w.person("zoe@example.org", "").ID
	claims := oidctest.Claims{"iss": w.cfg.BaseURL, "sub": person, "aud": w.cfg.BaseURL, "scope": "orders:read", "client_id": client.ID, "exp": 4102444800, "iat": 1}
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	shared := func(key []byte) string {
		head := text(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + text(claims)
		m := hmac.New(sha256.New, key)
		m.Write([]byte(head))
		return head + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	honest := oidctest.Sign(t, double.Key(), double.Honest("n"), nil)
	cookie := ""
	at, err := url.Parse(w.cfg.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range zoe.http.Jar.Cookies(at) {
		if c.Name == "cursus" {
			cookie = c.Value
		}
	}
	if cookie == "" {
		t.Fatal("she has no session")
	}
	public, private, _ := strings.Cut(strings.TrimPrefix(secret, "cursus_key_"), "_")
	corpus := map[string]func(*http.Request){
		"nothing but her cookie": func(*http.Request) {}, "her session": bearer(cookie), "an ended key": bearer(ended), "an honest ID token": bearer(honest), "an ID token of us by their key": bearer(oidctest.Sign(t, double.Key(), claims, nil)),
		"alg none": bearer(text(map[string]any{"alg": "none"}) + "." + text(claims) + "."), "alg NONE": bearer(text(map[string]any{"alg": "NONE"}) + "." + text(claims) + ".x"),
		"HS256 with our secret": bearer(shared([]byte(w.cfg.Secret))), "HS256 with nothing": bearer(shared(nil)), "HS256 with the key": bearer(shared([]byte(secret))), "HS256 with its prefix": bearer(shared([]byte("cursus_key_" + public))),
		"the id of the client": bearer(client.ID), "the id of the person": bearer(person), "the prefix": bearer("cursus_key_" + public), "the secret part": bearer(private), "in capitals": bearer(strings.ToUpper(secret)),
		"one character less": bearer(secret[:len(secret)-1]), "one character more": bearer(secret + "0"), "another prefix": bearer("cursus_key_zzzzzzzz_" + private), "as a token": bearer("cursus_tok_" + private), "twice over": bearer(secret + secret),
		"with a NUL": bearer(secret + "%00"), "a wildcard": bearer("cursus_key_%"), "an injection": bearer("cursus_key_' or '1'='1"), "huge": bearer(strings.Repeat("A", 3000)), "empty": bearer(""), "undefined": bearer("undefined"),
		"another scheme": func(r *http.Request) { r.Header.Set("Authorization", "Token "+secret) },
		"no scheme":      func(r *http.Request) { r.Header.Set("Authorization", secret) },
		"Basic":          func(r *http.Request) { r.SetBasicAuth(client.ID, secret) },
		"in the address": func(r *http.Request) { r.URL.RawQuery = "access_token=" + secret },
		"as a cookie":    func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "Authorization", Value: secret}) },
		"as X-API-Key":   func(r *http.Request) { r.Header.Set("X-API-Key", secret) },
		"two headers": func(r *http.Request) {
			r.Header.Add("Authorization", "Bearer "+secret)
			r.Header.Add("Authorization", "Bearer "+secret)
		},
		"two in one": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret+", Bearer "+secret) },
	}
	accepted := 0
	for name, change := range corpus {
		if status := ask(change); status < 400 {
			accepted++
			t.Errorf("%s: %d", name, status)
		} else if status >= 500 {
			t.Errorf("%s is our failure: %d", name, status)
		}
	}
	// A key opens no page.
	plain := w.visitor(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.cfg.BaseURL+"/learning", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	bearer(secret)(r)
	plain.send(r)
	if plain.at != "/sign-in" {
		accepted++
		t.Error("a key opens", plain.at)
	}
	// Revoked while it is used: whatever was asked after it ended is refused.
	var over atomic.Bool
	var group sync.WaitGroup
	var before, late atomic.Int64
	for range 4 {
		group.Go(func() {
			for range 40 {
				after := over.Load()
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.cfg.BaseURL+"/v1/me", http.NoBody)
				if err != nil {
					t.Error(err)
					return
				}
				bearer(secret)(r)
				a, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = a.Body.Close()
				switch {
				case a.StatusCode == http.StatusOK && after:
					late.Add(1)
				case a.StatusCode == http.StatusOK:
					if before.Add(1) == 20 {
						if err := w.h.DB.InTx(system, "end", func(ctx context.Context, tx *postgres.Tx) error { return identity.EndClientTx(ctx, tx, client.ID) }); err != nil {
							t.Error(err)
						}
						over.Store(true)
					}
				}
			}
		})
	}
	group.Wait()
	if late.Load() > 0 || before.Load() < 20 {
		t.Errorf("%d requests were let in after the key had ended, %d before", late.Load(), before.Load())
	}
	t.Logf("%d forged bearers, %d accepted; %d requests before the key ended, %d after", len(corpus)+1, accepted, before.Load(), late.Load())
}

// Who signed in long ago and gives money back is asked to sign in again: she does, by the link in another window, and goes on with what she had
// written; by a provider that says that she signed in there just now, the same.
func TestStepUpOnPages(t *testing.T) {
	double := oidctest.New(t, clock.System{})
	w, mails := newSite(t, double.Host())
	id, err := w.h.Identity.CreateProvider(system, identity.NewProvider{Name: "SSO", Issuer: double.Issuer, ClientID: oidctest.ClientID, Secret: oidctest.Secret, People: identity.Everybody, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	double.SignIn(oidctest.Claims{"sub": "a", "email": "admin@example.org", "email_verified": true}, w.cfg.BaseURL+"/sign-in/with/"+id+"/back")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar")
	})
	admin := w.newDesk(t, mails, "admin@example.org")
	old := func() {
		owner := testkit.Owner(t, w.dsn)
		if _, err := owner.Exec("update identity.tokens set proven_at = now() - interval '11 minutes' where kind = 'browser'"); err != nil {
			t.Fatal(err)
		}
	}
	give := func(email string) {
		t.Helper()
		admin.open("/partners/ESP")
		f := admin.formWith("/partners/ESP", "email")
		f.set("email", email)
		f.set("name", "Awa «D’iop» & <b>")
		f.tick("role", "teacher")
		admin.want = http.StatusUnauthorized
		f.press("do", "give")
		admin.says("Is it still you?")
	}
	has := func(email string) bool {
		return w.rolesAt("ESP", email) == "teacher"
	}
	old()
	give("awa@esp.example")
	written := *admin // the page stays open in its window
	admin.want = http.StatusUnauthorized
	admin.formWith("/partners/ESP", "stepup-go").press("", "")
	if has("awa@esp.example") {
		t.Fatal("who did not sign in again gave a role")
	}
	sent, err := filepath.Glob(filepath.Join(mails, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range sent { // the link that she signed in by is spent
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	admin.page = written.page
	admin.formWith("/sign-in", "stepup-link").press("", "")
	link := strings.TrimPrefix(w.link(mails, "admin@example.org"), w.cfg.BaseURL)
	admin.open(link)
	admin.form(link).press("", "")
	admin.says("It is you")
	admin.page = written.page
	admin.formWith("/partners/ESP", "stepup-go").press("", "")
	if admin.says("awa@esp.example", "Awa «D’iop» & <b>"); !has("awa@esp.example") {
		t.Error("what she had written was lost")
	}
	// By a provider that asked her again.
	old()
	give("bob@esp.example")
	written = *admin
	for _, n := range admin.all(func(n *html.Node) bool { return strings.Contains(attr(n, "href"), "afresh=1") }) {
		admin.open(attr(n, "href"))
	}
	admin.says("It is you")
	admin.page = written.page
	admin.formWith("/partners/ESP", "stepup-go").press("", "")
	if !has("bob@esp.example") {
		t.Error("a provider's sign-in did not count")
	}
	// Somebody else's sign-in is another session: what was written is no form of hers.
	old()
	give("cor@esp.example")
	written = *admin
	w.person("other@example.org", "")
	double.SignIn(oidctest.Claims{"sub": "b", "email": "other@example.org", "email_verified": true})
	for _, n := range admin.all(func(n *html.Node) bool { return strings.Contains(attr(n, "href"), "afresh=1") }) {
		admin.open(attr(n, "href"))
	}
	admin.page, admin.want = written.page, http.StatusForbidden
	admin.formWith("/partners/ESP", "stepup-go").press("", "")
	if has("cor@esp.example") {
		t.Error("somebody else gave a role")
	}
	w.verify()
}

// rolesAt are the roles of who has an address at an organisation.
func (w *world) rolesAt(organisation, email string) (roles string) {
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		p, found, err := identity.FindByEmailTx(ctx, tx, email)
		if err != nil || !found {
			return err
		}
		all, err := identity.RolesAtTx(ctx, tx, organisation, p.ID)
		roles = strings.Join(all, " ")
		return err
	})
	return roles
}
