package proctordouble

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"cursus/internal/gateways/ltitool"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/jwks"
	"cursus/internal/platform/lti"
)

// ToolConfig is what a tool of LTI is made of.
type ToolConfig struct {
	PublicURL  string // where browsers find it, without a slash at the end
	Issuer     string // the platform; its keys, its token and its control are below it
	LoginURL   string // where the platform answers logins
	ClientID   string
	Deployment string
	Clock      clock.Clock // nil: the machine's
}

// Session is a candidate whom the tool was shown.
type Session struct {
	Resource string // the sitting, as the platform names it
	Attempt  int
	Subject  string
	Title    string
	Ended    bool // it was told that the exam is over

	data, start, control, back string
}

// Tool is a stateful double of a provider by LTI Proctoring Services 1.0: the browser of who sits brings it there and back.
type Tool struct {
	c        ToolConfig
	key      *rsa.PrivateKey
	mux      *http.ServeMux
	client   *http.Client
	keys     jwks.Keys // of the platform
	mu       sync.Mutex
	logins   *ltitool.Logins
	sessions map[string]*Session // by door, the secret part of the address of its page
	order    []string            // doors
}

const maxForm = 64 << 10

// NewTool makes a tool with a key of its own.
func NewTool(c ToolConfig) (*Tool, error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	t := &Tool{c: c, key: key, mux: http.NewServeMux(), client: &http.Client{Timeout: 10 * time.Second}, sessions: map[string]*Session{},
		logins: &ltitool.Logins{Issuer: c.Issuer, LoginURL: c.LoginURL, LaunchURL: c.PublicURL + "/launch", ClientID: c.ClientID}}
	t.mux.HandleFunc("GET /jwks", t.published)
	t.mux.Handle("GET /login", t.logins)
	t.mux.Handle("POST /login", t.logins)
	t.mux.HandleFunc("POST /launch", t.launch)
	t.mux.HandleFunc("GET /session/{door}", t.show)
	t.mux.HandleFunc("POST /session/{door}", t.act)
	return t, nil
}

// ServeHTTP is the tool's server.
func (t *Tool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	t.mux.ServeHTTP(w, r)
}

// Sessions lists whom it was shown, in their order.
func (t *Tool) Sessions() []Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Session, len(t.order))
	for i, door := range t.order {
		all[i] = *t.sessions[door]
	}
	return all
}

const keyID = "tool"

func (t *Tool) published(w http.ResponseWriter, _ *http.Request) {
	text := base64.RawURLEncoding.EncodeToString
	answer(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "kid": keyID, "alg": "RS256", "use": "sig", "n": text(t.key.N.Bytes()), "e": text(big.NewInt(int64(t.key.E)).Bytes()),
	}}})
}

// Sign signs claims as the tool does.
func (t *Tool) Sign(claims map[string]any) (string, error) {
	head, err := json.Marshal(map[string]string{"alg": "RS256", "kid": keyID, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, t.key, crypto.SHA256, sum[:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// AP is what the names of claims of LTI Proctoring Services begin with.
const AP = "https://purl.imsglobal.org/spec/lti-ap/claim/"

// StartAssessment are the claims with which it says that the candidate of a session is set up.
func (t *Tool) StartAssessment(s Session) map[string]any {
	now := t.c.Clock.Now()
	return map[string]any{
		"iss": t.c.ClientID, "aud": t.c.Issuer, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": ident.Secret(16),
		lti.Claim + "message_type": "LtiStartAssessment", lti.Claim + "version": lti.Version, lti.Claim + "deployment_id": t.c.Deployment,
		lti.Claim + "resource_link": map[string]string{"id": s.Resource}, AP + "attempt_number": s.Attempt, AP + "session_data": s.data, AP + "end_assessment_return": true,
	}
}

var errToken = errors.New("the token is not good")

// claims are what the tool reads of a launch.
type claims struct {
	Issuer     string `json:"iss"`
	Subject    string `json:"sub"`
	Audience   string `json:"aud"`
	Expires    int64  `json:"exp"`
	Nonce      string `json:"nonce"`
	Type       string `json:"https://purl.imsglobal.org/spec/lti/claim/message_type"`
	Version    string `json:"https://purl.imsglobal.org/spec/lti/claim/version"`
	Deployment string `json:"https://purl.imsglobal.org/spec/lti/claim/deployment_id"`
	Link       struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	} `json:"https://purl.imsglobal.org/spec/lti/claim/resource_link"`
	Presentation struct {
		Return string `json:"return_url"`
	} `json:"https://purl.imsglobal.org/spec/lti/claim/launch_presentation"`
	Attempt int    `json:"https://purl.imsglobal.org/spec/lti-ap/claim/attempt_number"`
	Start   string `json:"https://purl.imsglobal.org/spec/lti-ap/claim/start_assessment_url"`
	Data    string `json:"https://purl.imsglobal.org/spec/lti-ap/claim/session_data"`
	ACS     struct {
		URL string `json:"assessment_control_url"`
	} `json:"https://purl.imsglobal.org/spec/lti-ap/claim/acs"`
}

// verify reads a launch that the platform signed for us, with a nonce that we gave.
func (t *Tool) verify(ctx context.Context, token, nonce string) (c claims, err error) {
	raw, err := t.keys.Open(t.c.Clock.Now(), token, func() (set jwks.Set, err error) {
		err = t.call(ctx, http.MethodGet, "/keys", "", "", nil, &set)
		return set, err
	})
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return c, err
	}
	if nonce == "" || c.Nonce != nonce || c.Issuer != t.c.Issuer || c.Audience != t.c.ClientID || c.Expires <= t.c.Clock.Now().Unix() || c.Version != lti.Version || c.Deployment != t.c.Deployment || c.Link.ID == "" {
		return c, errToken
	}
	return c, nil
}

// call asks the platform, below its address.
func (t *Tool) call(ctx context.Context, method, path, kind, token string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, t.c.Issuer+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	got, err := t.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = got.Body.Close() }()
	if got.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, got.Status)
	}
	return json.NewDecoder(io.LimitReader(got.Body, 1<<20)).Decode(into)
}

func refuse(w http.ResponseWriter, err error) { http.Error(w, err.Error(), http.StatusForbidden) }

func (t *Tool) launch(w http.ResponseWriter, r *http.Request) {
	c, err := t.verify(r.Context(), r.FormValue("id_token"), t.logins.Nonce(r))
	if err != nil {
		refuse(w, err)
		return
	}
	door := ""
	t.mu.Lock()
	switch c.Type {
	case "LtiStartProctoring":
		door = ident.Secret(16)
		t.sessions[door] = &Session{Resource: c.Link.ID, Attempt: c.Attempt, Subject: c.Subject, Title: c.Link.Title, data: c.Data, start: c.Start, control: c.ACS.URL, back: c.Presentation.Return}
		t.order = append(t.order, door)
	case "LtiEndAssessment":
		for _, d := range t.order {
			if s := t.sessions[d]; s.Resource == c.Link.ID && s.Attempt == c.Attempt && s.Subject == c.Subject {
				s.Ended, door = true, d
			}
		}
	}
	t.mu.Unlock()
	if door == "" {
		refuse(w, errToken)
		return
	}
	http.Redirect(w, r, t.c.PublicURL+"/session/"+door, http.StatusSeeOther)
}

func (t *Tool) at(r *http.Request) (s Session, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.sessions[r.PathValue("door")]
	if found == nil {
		return s, false
	}
	return *found, true
}

const style = `<style>body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#111;color:#eee}main{max-width:40rem;margin:0 auto;padding:1rem}
button,a{font:inherit;padding:.6rem 1rem;margin:.2rem .2rem .2rem 0;color:#111;background:#9fd;border:0;border-radius:4px;display:inline-block}</style>`

var room = template.Must(template.New("session").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Title}}</title>` + style + `</head>
<body><main><h1>{{.Title}}</h1>{{if .Ended}}<p role="status">The recording has ended.</p>
<p>What a reviewer of the provider would decide later is decided here:</p>
<form method="post"><button name="do" value="clean">Nothing was found</button><button name="do" value="suspicious">Something was found</button></form>
{{else}}<p role="status">Camera, screen and room are good.</p><form method="post" action="{{.Start}}"><input type="hidden" name="JWT" value="{{.Token}}"><button id="set">I am set up</button></form>
<form method="post"><button name="do" value="flag">Show a second face</button></form>{{end}}<p><a href="{{.Back}}">Back to the exam</a></p></main></body></html>`))

func (t *Tool) show(w http.ResponseWriter, r *http.Request) {
	s, ok := t.at(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	token, err := t.Sign(t.StartAssessment(s))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = room.Execute(w, struct { // who went away is shown nothing
		Session
		Start, Token, Back string
	}{s, s.start, token, s.back})
}

// act does what a button says, and leads back: to our page after a flag, to the exam after a review.
func (t *Tool) act(w http.ResponseWriter, r *http.Request) {
	s, ok := t.at(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	to := s.back
	var err error
	switch r.FormValue("do") {
	case "flag":
		to = t.c.PublicURL + "/session/" + url.PathEscape(r.PathValue("door"))
		err = t.Control(r.Context(), s, "flag", "7", "0.5", "a second face")
	case "clean":
		err = t.Control(r.Context(), s, "terminate", "1", "0.0", "")
	case "suspicious":
		err = t.Control(r.Context(), s, "terminate", "1", "0.8", "looked away for long")
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// Control calls the Assessment Control Service about a session, with a token that it gets first (RFC 7523).
func (t *Tool) Control(ctx context.Context, s Session, action, code, severity, note string) error {
	now := t.c.Clock.Now()
	assertion, err := t.Sign(map[string]any{"iss": t.c.ClientID, "sub": t.c.ClientID, "aud": t.c.Issuer + "/token", "jti": ident.Secret(16), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()})
	if err != nil {
		return err
	}
	var granted struct {
		Token string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"scope": {"https://purl.imsglobal.org/spec/lti-ap/scope/control.all"}, "client_assertion": {assertion}}
	if err := t.call(ctx, http.MethodPost, "/token", "application/x-www-form-urlencoded", "", []byte(form.Encode()), &granted); err != nil {
		return err
	}
	path, ok := strings.CutPrefix(s.control, t.c.Issuer)
	if !ok {
		return fmt.Errorf("the control is at %s", s.control)
	}
	body, err := json.Marshal(map[string]any{
		"user": map[string]string{"iss": t.c.Issuer, "sub": s.Subject}, "resource_link": map[string]string{"id": s.Resource}, "attempt_number": s.Attempt, "action": action,
		"incident_time": now.UTC().Format(time.RFC3339), "incident_severity": severity, "reason_code": code, "reason_msg": note,
	})
	if err != nil {
		return err
	}
	var said struct{ Status string }
	return t.call(ctx, http.MethodPost, path, "application/vnd.ims.lti-ap.v1.control+json", granted.Token, body, &said)
}
