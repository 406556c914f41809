package proctoring_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"cursus/internal/domain/exams"
	"cursus/internal/gateways/proctoring"
	"cursus/internal/kernel/clock"
)

var background = context.Background()

const (
	ours   = "https://cursus.example.org/v1/proctoring-providers/acme"
	issuer = "https://acme.example.org"
)

// tool is a provider with keys of its own.
type tool struct {
	*testing.T
	clock  *clock.Manual
	gate   *proctoring.Gate
	key    *ecdsa.PrivateKey
	access exams.ProctorAccess
	asked  int
	slow   func() // what happens before it answers
}

func newTool(t *testing.T, kind exams.ProctorKind) *tool {
	x := &tool{T: t, clock: clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	var err error
	if x.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		x.asked++
		if x.slow != nil {
			x.slow()
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &x.key.PublicKey, KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	}))
	t.Cleanup(there.Close)
	if x.gate, err = proctoring.New(proctoring.Options{Inside: []string{strings.TrimPrefix(there.URL, "http://")}, Clock: x.clock}); err != nil {
		t.Fatal(err)
	}
	key, err := x.gate.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	x.access = exams.ProctorAccess{Provider: "acme", Version: 1, Kind: kind, ClientID: "client-7", KeysURL: there.URL, TargetURL: there.URL + "/launch", Deployment: "d", Audience: ours, Key: key}
	if kind == exams.ProctorREST {
		x.access.Issuer = issuer
	}
	return x
}

// signed is a token of the provider. change may spoil its claims.
func (x *tool) signed(more map[string]any, change func(c *jwt.Claims)) string {
	x.Helper()
	c := jwt.Claims{Issuer: issuer, Audience: jwt.Audience{ours}, ID: "j1", IssuedAt: jwt.NewNumericDate(x.clock.Now()), Expiry: jwt.NewNumericDate(x.clock.Now().Add(time.Minute))}
	if x.access.Kind == exams.ProctorLTI {
		c.Issuer = x.access.ClientID
	}
	if change != nil {
		change(&c)
	}
	return signedBy(x, x.key, c, more)
}

func signedBy(x *tool, key *ecdsa.PrivateKey, c jwt.Claims, more map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, nil)
	if err != nil {
		x.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(c).Claims(more).Serialize()
	if err != nil {
		x.Fatal(err)
	}
	return text
}

// bad are the ways in which claims are none for us, now.
func (x *tool) bad() map[string]func(c *jwt.Claims) {
	now := x.clock.Now()
	return map[string]func(c *jwt.Claims){
		"of another issuer":    func(c *jwt.Claims) { c.Issuer = "https://evil.example.org" },
		"for somebody else":    func(c *jwt.Claims) { c.Audience = jwt.Audience{ours + "2"} },
		"for nobody":           func(c *jwt.Claims) { c.Audience = nil },
		"that has expired":     func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(-2 * time.Minute)) },
		"that never ends":      func(c *jwt.Claims) { c.Expiry = nil },
		"of an hour ago":       func(c *jwt.Claims) { c.IssuedAt = jwt.NewNumericDate(now.Add(-time.Hour)) },
		"of the future":        func(c *jwt.Claims) { c.IssuedAt = jwt.NewNumericDate(now.Add(time.Hour)) },
		"that does not hold":   func(c *jwt.Claims) { c.NotBefore = jwt.NewNumericDate(now.Add(time.Hour)) },
		"that can be repeated": func(c *jwt.Claims) { c.ID = "" },
	}
}

// What breaks: a callback with a token of somebody else, for somebody else, or of another time is taken.
func TestCallbacksWithATokenOfTheProvider(t *testing.T) {
	x := newTool(t, exams.ProctorREST)
	hear := func(token string) (exams.Heard, error) {
		return x.gate.Hear(background, x.access, exams.ProctorMessage{
			Attempt: "77", Call: "reviewed", Authorization: token,
			Body: []byte(`{"status":"suspicious","comments":[{"comment":"a second face","status":"Suspicious","start":1,"stop":9}],"reviewed_by":"ann"}`),
		})
	}
	h, err := hear("JWT " + x.signed(nil, nil))
	if err != nil || h.Attempt != "77" || h.Event != exams.ProctorReviewed || h.Verdict != exams.VerdictSuspicious || h.Message != "j1" || !h.At.Equal(x.clock.Now()) ||
		h.Note != "reviewed by ann; Suspicious: a second face" {
		t.Errorf("%+v %v", h, err)
	}
	for name, change := range x.bad() {
		if _, err := hear("JWT " + x.signed(nil, change)); !errors.Is(err, exams.ErrForged) {
			t.Errorf("a token %s: %v", name, err)
		}
	}
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c := jwt.Claims{Issuer: issuer, Audience: jwt.Audience{ours}, ID: "j2", IssuedAt: jwt.NewNumericDate(x.clock.Now()), Expiry: jwt.NewNumericDate(x.clock.Now().Add(time.Minute))}
	for name, token := range map[string]string{"another key": "JWT " + signedBy(x, other, c, nil), "none": "", "no scheme": x.signed(nil, nil), "no token": "JWT x.y.z"} {
		if _, err := hear(token); !errors.Is(err, exams.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if x.asked != 1 {
		t.Errorf("the keys were read %d times", x.asked)
	}
	// Its keys change; the new one is found, a minute later at the soonest.
	x.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	x.clock.Advance(time.Hour)
	if _, err := hear("Bearer " + x.signed(nil, nil)); err != nil || x.asked != 2 {
		t.Error(err, x.asked)
	}
	// Nobody answers: who sends is told to come back, and nothing is taken for forged.
	dark := x.access
	dark.KeysURL = "https://keys.acme.invalid/jwks"
	if _, err := x.gate.Hear(background, dark, exams.ProctorMessage{Attempt: "77", Call: "ready", Authorization: "JWT " + x.signed(nil, nil), Body: []byte(`{"status":"ready"}`)}); !errors.Is(err, exams.ErrProviderDark) {
		t.Error(err)
	}
}

// What breaks: a message that comes while the keys are being read for another one is taken for forged, and its provider may never send it again.
func TestMessagesWaitForTheKeys(t *testing.T) {
	x := newTool(t, exams.ProctorREST)
	asked, release := make(chan bool), make(chan bool)
	x.slow = func() { asked <- true; <-release }
	heard := make(chan error, 2)
	hear := func() {
		_, err := x.gate.Hear(background, x.access, exams.ProctorMessage{Attempt: "77", Call: "ready", Authorization: "JWT " + x.signed(nil, nil), Body: []byte(`{"status":"ready"}`)})
		heard <- err
	}
	go hear()
	<-asked
	go hear()
	waiting := 2
	select {
	case err := <-heard:
		t.Error("it does not wait:", err)
		waiting--
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	for range waiting {
		if err := <-heard; err != nil {
			t.Error(err)
		}
	}
}

// read opens a token of ours by the keys that we publish, as a tool does.
func (x *tool) read(token string) (c jwt.Claims, more map[string]any) {
	x.Helper()
	raw, err := x.gate.Keys([][]byte{x.access.Key})
	if err != nil || strings.Contains(string(raw), `"d"`) {
		x.Fatal("the keys: ", err, string(raw))
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &set); err != nil {
		x.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		x.Fatal(err)
	}
	if err := parsed.Claims(set, &c, &more); err != nil {
		x.Fatal(err)
	}
	return c, more
}

const (
	lti = "https://purl.imsglobal.org/spec/lti/claim/"
	ap  = "https://purl.imsglobal.org/spec/lti-ap/claim/"
)

// What breaks: a launch does not say what a tool of LTI Proctoring Services reads; what comes back is taken although it is of another attempt.
func TestTheLaunchOfLTIAndWhatComesBack(t *testing.T) {
	x := newTool(t, exams.ProctorLTI)
	l := exams.ProctorLaunch{ID: "pln_1", Nonce: "n", User: "u1", Sitting: "sit_1", Attempt: 2, StartURL: ours + "/start", ControlURL: ours + "/control", ReturnURL: "https://cursus.example.org/x"}
	token, err := x.gate.Launch(x.access, l)
	if err != nil {
		t.Fatal(err)
	}
	c, says := x.read(token)
	acs, _ := says[ap+"acs"].(map[string]any)
	if c.Issuer != ours || !c.Audience.Contains("client-7") || c.Subject != "u1" || says["nonce"] != "n" || says[lti+"message_type"] != "LtiStartProctoring" || says[lti+"version"] != "1.3.0" ||
		says[lti+"deployment_id"] != "d" || says[ap+"start_assessment_url"] != ours+"/start" || acs["assessment_control_url"] != ours+"/control" || says[lti+"target_link_uri"] != x.access.TargetURL {
		t.Errorf("%+v %v", c, says)
	}
	session, _ := says[ap+"session_data"].(string)
	message := map[string]any{}
	back := func(resource string, attempt int, kind, session string, change func(*jwt.Claims)) (exams.Heard, error) {
		message = map[string]any{
			lti + "message_type": kind, lti + "version": "1.3.0", lti + "resource_link": map[string]string{"id": resource}, ap + "attempt_number": attempt, ap + "session_data": session,
			lti + "deployment_id": "d", "nonce": "n1", ap + "end_assessment_return": true,
		}
		return x.gate.Hear(background, x.access, exams.ProctorMessage{Call: "start", Body: []byte(x.signed(message, change))})
	}
	// A tool need not give its messages ids: what makes this one be used once is the launch, which session_data names.
	if h, err := back("sit_1", 2, "LtiStartAssessment", session, func(c *jwt.Claims) { c.ID = "" }); err != nil || h.Event != exams.ProctorReady || h.Attempt != "sit_1/2" || h.Message != "start pln_1" || !h.Ends {
		t.Errorf("%+v %v", h, err)
	}
	for claim, value := range map[string]string{lti + "deployment_id": "e", "nonce": "", ap + "session_data": ""} {
		was := message[claim]
		message[claim] = value
		if _, err := x.gate.Hear(background, x.access, exams.ProctorMessage{Call: "start", Body: []byte(x.signed(message, nil))}); !errors.Is(err, exams.ErrForged) {
			t.Errorf("%s %q: %v", claim, value, err)
		}
		message[claim] = was
	}
	// A signature of nobody, and one by a key that everybody can read.
	body := strings.Split(x.signed(message, nil), ".")[1]
	for name, head := range map[string]string{"none": `{"alg":"none"}`, "HS256": `{"alg":"HS256","kid":"k1"}`} {
		if _, err := x.gate.Hear(background, x.access, exams.ProctorMessage{Call: "start", Body: []byte(base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + body + "." + base64.RawURLEncoding.EncodeToString([]byte("x")))}); !errors.Is(err, exams.ErrForged) {
			t.Error(name, err)
		}
	}
	for name, change := range x.bad() {
		if name == "that can be repeated" {
			continue
		}
		if _, err := back("sit_1", 2, "LtiStartAssessment", session, change); !errors.Is(err, exams.ErrForged) {
			t.Errorf("a message %s: %v", name, err)
		}
	}
	if _, err := back("sit_2", 2, "LtiStartAssessment", session, nil); !errors.Is(err, exams.ErrUnreadable) {
		t.Error("of another sitting:", err)
	}
	if _, err := back("sit_1", 2, "LtiResourceLinkRequest", session, nil); !errors.Is(err, exams.ErrUnreadable) {
		t.Error("another message:", err)
	}
	if _, err := back("sit_1", 2, "LtiStartAssessment", token, nil); !errors.Is(err, exams.ErrForged) {
		t.Error("another token of ours as session_data:", err)
	}
	x.clock.Advance(25 * time.Hour)
	if _, err := back("sit_1", 2, "LtiStartAssessment", session, nil); !errors.Is(err, exams.ErrForged) {
		t.Error("of yesterday:", err)
	}
	l.End = true
	token, err = x.gate.Launch(x.access, l)
	if err != nil {
		t.Fatal(err)
	}
	if _, says := x.read(token); says[lti+"message_type"] != "LtiEndAssessment" || says[ap+"acs"] != nil {
		t.Error(says)
	}
}

// What breaks: the Assessment Control Service is open to who is not the provider; terminate and flag do something else than they should.
func TestTheAssessmentControlService(t *testing.T) {
	x := newTool(t, exams.ProctorLTI)
	const scope = "https://purl.imsglobal.org/spec/lti-ap/scope/control.all"
	grant := func(change func(*jwt.Claims)) ([]byte, error) {
		form := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "scope": {scope},
			"client_assertion": {x.signed(nil, func(c *jwt.Claims) {
				c.Subject, c.Audience = x.access.ClientID, jwt.Audience{ours + "/token"}
				if change != nil {
					change(c)
				}
			})}}
		return x.gate.Grant(background, x.access, form.Encode())
	}
	raw, err := grant(nil)
	if err != nil {
		t.Fatal(err)
	}
	var given struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
		Scope string `json:"scope"`
	}
	if json.Unmarshal(raw, &given) != nil || given.Type != "bearer" || given.Scope != scope {
		t.Errorf("%s", raw)
	}
	for name, change := range x.bad() {
		if _, err := grant(change); !errors.Is(err, exams.ErrForged) {
			t.Errorf("an assertion %s: %v", name, err)
		}
	}
	if _, err := grant(func(c *jwt.Claims) { c.Subject = "client-8" }); !errors.Is(err, exams.ErrForged) {
		t.Error("of another client:", err)
	}
	control := func(token string, change func(m map[string]any)) (exams.Heard, error) {
		m := map[string]any{
			"user": map[string]string{"iss": ours, "sub": "u1"}, "resource_link": map[string]string{"id": "sit_1"}, "attempt_number": 1, "action": "terminate",
			"incident_time": x.clock.Now().Format(time.RFC3339), "incident_severity": "0.1", "reason_code": "1", "reason_msg": "ended",
		}
		if change != nil {
			change(m)
		}
		body, _ := json.Marshal(m)
		return x.gate.Hear(background, x.access, exams.ProctorMessage{Call: "control", Authorization: token, Body: body})
	}
	good := "Bearer " + given.Token
	for _, c := range []struct {
		action, code string
		severity     any
		event        exams.ProctorEvent
		verdict      exams.Verdict
		percent      int
	}{
		{"terminate", "1", "0.1", exams.ProctorReviewed, exams.VerdictPassed, 10}, {"terminate", "1", "0.25", exams.ProctorReviewed, exams.VerdictPassed, 25},
		{"terminate", "1", "0.26", exams.ProctorReviewed, exams.VerdictSuspicious, 26}, {"terminate", "1", 0.9, exams.ProctorReviewed, exams.VerdictSuspicious, 90},
		{"terminate", "12056", "0.1", exams.ProctorFailed, "", 10}, {"flag", "2", "1.0", exams.ProctorFlagged, "", 100}, {"terminate", "1", "", exams.ProctorReviewed, exams.VerdictPassed, 0},
	} {
		h, err := control(good, func(m map[string]any) {
			m["action"], m["reason_code"], m["incident_severity"] = c.action, c.code, c.severity
		})
		if err != nil || h.Event != c.event || h.Verdict != c.verdict || h.Severity != c.percent || h.Attempt != "sit_1/1" || h.Subject != "u1" {
			t.Errorf("%v: %+v %v", c, h, err)
		}
	}
	launched, err := x.gate.Launch(x.access, exams.ProctorLaunch{Sitting: "sit_1", Attempt: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"none": "", "another scheme": "Basic " + given.Token, "its own": "Bearer " + x.signed(nil, nil), "a launch of ours": "Bearer " + launched} {
		if _, err := control(token, nil); !errors.Is(err, exams.ErrForged) {
			t.Errorf("with a token, %s: %v", name, err)
		}
	}
	for name, change := range map[string]func(m map[string]any){
		"an action that we do not know": func(m map[string]any) { m["action"] = "pause" }, "no number": func(m map[string]any) { m["incident_severity"] = "high" },
		"beyond one": func(m map[string]any) { m["incident_severity"] = "1.5" }, "of another issuer": func(m map[string]any) { m["user"] = map[string]string{"iss": "x", "sub": "u1"} },
		"of the future": func(m map[string]any) { m["incident_time"] = x.clock.Now().Add(time.Hour).Format(time.RFC3339) },
		"of no time":    func(m map[string]any) { delete(m, "incident_time") },
	} {
		if _, err := control(good, change); !errors.Is(err, exams.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	x.clock.Advance(2 * time.Hour)
	if _, err := control(good, nil); !errors.Is(err, exams.ErrForged) {
		t.Error("a token of long ago:", err)
	}
}

// What breaks: an inside address is called, or an answer is taken for what it is not.
func TestWhereItGoesAndWhatItTakes(t *testing.T) {
	gate, err := proctoring.New(proctoring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"http://169.254.169.254/", "https://localhost/", "https://10.0.0.1/", "ftp://acme.example.org", "https://u:p@acme.example.org/", "javascript:alert(1)", ""} {
		if err := gate.Check(at); !errors.Is(err, exams.ErrProviderURL) {
			t.Error(at, err)
		}
		var trouble *exams.ProctorTrouble
		if _, err := gate.Probe(background, exams.ProctorAccess{Kind: exams.ProctorREST, BaseURL: at}); !errors.As(err, &trouble) || trouble.Code != "refused_address" {
			t.Error(at, err)
		}
	}
	if err := gate.Check("https://proctor.acme.org/api"); err != nil {
		t.Error(err)
	}
	for answer, code := range map[string]string{
		`{"id":""}`: "broken_answer", `{"id":"a b"}`: "broken_answer", `{"id":"../x"}`: "broken_answer", `<html>`: "broken_answer", `{"id":"1","launch_url":"javascript:alert(1)"}`: "broken_answer",
		`{"id":5}`: "", `{"id":"x-1"}`: "",
	} {
		there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "access_token") {
				_, _ = w.Write([]byte(`{"access_token":"t","token_type":"JWT","expires_in":3600}`))
				return
			}
			_, _ = w.Write([]byte(answer))
		}))
		gate, err := proctoring.New(proctoring.Options{Inside: []string{strings.TrimPrefix(there.URL, "http://")}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = gate.RegisterAttempt(background, exams.ProctorAccess{Kind: exams.ProctorREST, BaseURL: there.URL}, "1", exams.AttemptCard{ID: "att_1", User: "u", Seconds: 60})
		var trouble *exams.ProctorTrouble
		if got := errors.As(err, &trouble); got != (code != "") || got && trouble.Code != code {
			t.Errorf("%s: %v", answer, err)
		}
		there.Close()
	}
	if _, err := proctoring.New(proctoring.Options{Inside: []string{"proctor"}}); !errors.Is(err, proctoring.ErrInside) {
		t.Error(err)
	}
}
