package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"cursus/internal/gateways/proctordouble"
	"cursus/internal/transport/api/apitest"
)

// proctors is where the providers of proctoring of all tests are, which every world may call: the keys of one of lti, and a double of one of rest.
var proctors = newProctors()

type proctorSite struct {
	*httptest.Server
	key    *ecdsa.PrivateKey
	double atomic.Pointer[proctordouble.Double]
}

func newProctors() *proctorSite {
	p := &proctorSite{}
	p.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // the source of the machine does not fail
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
		} else if d := p.double.Load(); d != nil {
			d.ServeHTTP(w, r)
		} else {
			http.NotFound(w, r)
		}
	}))
	return p
}

func (p *proctorSite) at() string { return strings.TrimPrefix(p.URL, "http://") }

// proctorStory makes providers of both languages, has them tested, and takes in what they say, through the API: every answer is as documented.
func (w *world) proctorStory(t *testing.T, walker *apitest.Walker, staff string) {
	t.Helper()
	s, nobody := &asker{t: t, w: walker, token: staff}, &asker{t: t, w: walker}
	proctors.double.Store(proctordouble.New(proctordouble.Config{ClientID: "cursus", ClientSecret: "client secret", Secret: func() string { return "" }}))
	acme := map[string]string{"provider": "acme"}
	said := map[string]any{"name": "Acme", "kind": "rest", "base_url": proctors.URL, "client_id": "cursus", "secret": "client secret", "guide_en": "Install it."}
	for _, bad := range []string{"http://proctor.acme.org", "https://127.0.0.1", "https://metadata.internal"} {
		s.ask(400, "putProctoringProvider", acme, map[string]any{"name": "Acme", "kind": "rest", "base_url": bad, "client_id": "cursus", "secret": "x"})
	}
	s.ask(200, "putProctoringProvider", acme, said)
	if p := s.ask(200, "putProctoringProvider", acme, said); p["version"] != 2.0 || p["secret"] != nil {
		t.Error(p)
	}
	secret, _ := s.ask(201, "rotateProctoringSecret", acme, nil)["secret"].(string)
	if d := s.ask(200, "testProctoringProvider", acme, nil); d["well"] != true || d["name"] != "Proctor double" {
		t.Error(d)
	}
	exam := map[string]string{"session": w.session.Key, "kind": "proctored"}
	s.ask(200, "putExamProvider", exam, map[string]any{"provider": "acme"})
	s.ask(404, "putExamProvider", exam, map[string]any{"provider": "none"})
	for n, operation := range []string{"receiveProctoringReady", "receiveProctoringReview"} {
		body := []byte(`{"attempt":"prx-77","status":"` + []string{"ready", "passed"}[n] + `"}`)
		signed := func(secret string) func(*apitest.Request) {
			return func(r *apitest.Request) {
				id, at := fmt.Sprint("msg_", n), fmt.Sprint(w.clock.Now().Unix())
				signature, _ := proctordouble.Sign(secret, id, at, body)
				r.Header.Set("webhook-id", id)
				r.Header.Set("webhook-timestamp", at)
				r.Header.Set("webhook-signature", signature)
			}
		}
		at := map[string]string{"provider": "acme", "attempt": "prx-77"}
		nobody.ask(401, operation, at, body, signed("whsec_QUJD"))
		nobody.ask(204, operation, at, body, signed(secret))
		nobody.ask(204, operation, at, body, signed(secret))
	}
	w.quiet()
	if p := s.ask(200, "getProctoringProvider", acme, nil); p["parked"] != 2.0 || p["heard_at"] == nil || p["refused_at"] == nil || p["exams"] != 1.0 {
		t.Error(p)
	}
	if d := s.ask(200, "listProctoringEvents", acme, nil, query("state=parked")); len(d["events"].([]any)) != 2 {
		t.Error(d)
	}
	s.ask(200, "listProctoringProviders", nil, nil)
	s.ask(200, "putExamProvider", exam, map[string]any{})
	// Of lti.
	lti := map[string]string{"provider": "lti"}
	s.ask(200, "putProctoringProvider", lti, map[string]any{"name": "Tool", "kind": "lti", "base_url": proctors.URL + "/login", "target_url": proctors.URL + "/launch", "keys_url": proctors.URL + "/jwks", "client_id": "client-7", "deployment": "d"})
	s.ask(201, "rotateProctoringSecret", lti, nil)
	s.ask(200, "putExamProvider", exam, map[string]any{"provider": "lti"})
	s.ask(200, "putExamProvider", exam, map[string]any{})
	if d := nobody.ask(200, "getProctoringKeys", lti, nil); len(d["keys"].([]any)) != 2 {
		t.Error(d)
	}
	audience := w.cfg.BaseURL + "/v1/proctoring-providers/lti"
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: proctors.key, KeyID: "k1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := w.clock.Now()
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{Issuer: "client-7", Subject: "client-7", Audience: jwt.Audience{audience + "/token"}, ID: "j1", IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute))}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"scope": {"https://purl.imsglobal.org/spec/lti-ap/scope/control.all"}, "client_assertion": {assertion}}
	token, _ := nobody.ask(200, "grantProctoringToken", lti, []byte(form.Encode()))["access_token"].(string)
	control := []byte(`{"user":{"iss":"` + audience + `","sub":"u1"},"resource_link":{"id":"sit_1"},"attempt_number":1,"action":"flag","incident_time":"` + now.Format(time.RFC3339) +
		`","incident_severity":"0.9","reason_code":"7","reason_msg":"a second face"}`)
	nobody.ask(401, "controlProctoring", lti, control)
	if d := nobody.ask(200, "controlProctoring", lti, control, func(r *apitest.Request) { r.Token = token }); d["status"] != "running" {
		t.Error(d)
	}
	w.quiet()
}
