package app_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"cursus/internal/domain/identity"
	"cursus/internal/gateways/oidc/oidctest"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/postgres"
)

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		id, err := w.h.Identity.CreateProvider(system, identity.NewProvider{Name: "ESP Dakar", Issuer: "https://sso.esp.sn", ClientID: "cursus", Secret: "s", People: identity.LearnersOnly, Enabled: true})
		if err != nil {
			w.t.Fatal(err)
		}
		return map[string]string{"/console/providers/:id": "/console/providers/" + id, "/sign-in/with/:id": "/sign-in/with/none", "/sign-in/with/:id/back": "/sign-in/with/none/back"}
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
