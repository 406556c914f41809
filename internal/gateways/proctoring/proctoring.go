// Package proctoring is the way to the providers that watch over exams, in two languages: the provider contract of edx-proctoring, over REST, and LTI
// Proctoring Services 1.0, which browsers carry. It goes where platform/outward lets it.
package proctoring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/jwks"
	"cursus/internal/platform/outward"
)

// What a call may cost.
const (
	maxResponse = 256 << 10
	shown       = 160 // runes of an answer that staff see
	agent       = "Cursus-Proctoring/1"
)

// Troubles of calls; others are those of the way: timeout, no_such_host, no_connection, bad_tls, refused_address.
const (
	badCredentials = "bad_credentials"
	throttled      = "throttled"
	serverError    = "server_error"
	brokenAnswer   = "broken_answer"
	refused        = "refused"
	unknown        = "unknown" // it knows of no such exam, or attempt
)

// Options of New; the zero value is for production.
type Options struct {
	Inside   []string         // addresses or names with port that may be inside and may be spoken to over http, such as proctor:8000
	Resolver outward.Resolver // nil: the machine's
	Timeout  time.Duration    // 0: 15 seconds
	Clock    clock.Clock      // nil: the machine's
}

// Gate speaks to providers, and reads what they say.
type Gate struct {
	guard  *outward.Guard
	client *http.Client
	clock  clock.Clock
	mu     sync.Mutex // keys
	tokens outward.Tokens
	keys   map[string]*jwks.Keys
}

var _ exams.Proctor = (*Gate)(nil)

// ErrInside refuses a setting that names no host with a port.
var ErrInside = fault.New(fault.Invalid, "bad-proctor-inside", "An inside provider is an address or a name with its port, such as 127.0.0.1:8000 or proctor:8000.")

// New makes a gate.
func New(o Options) (*Gate, error) {
	guard, client, err := outward.New(outward.Options{Hosts: o.Inside, Resolver: o.Resolver, Timeout: o.Timeout})
	if err != nil {
		return nil, ErrInside.Because(err)
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	return &Gate{guard: guard, client: client, clock: o.Clock, keys: map[string]*jwks.Keys{}}, nil
}

// Check refuses an address that no provider may have, as far as its text tells. Error: exams.ErrProviderURL.
func (g *Gate) Check(address string) error {
	if _, ok := g.guard.Read(address); !ok {
		return exams.ErrProviderURL
	}
	return nil
}

// Probe reads the configuration of a provider; of lti, the keys that it publishes.
func (g *Gate) Probe(ctx context.Context, a exams.ProctorAccess) (c exams.ProctorConfig, err error) {
	if a.Kind == exams.ProctorLTI {
		set, err := g.published(ctx, a.KeysURL)
		return exams.ProctorConfig{Name: fmt.Sprintf("%d keys", len(set))}, err
	}
	var said struct {
		Name        string `json:"name"`
		DownloadURL string `json:"download_url"`
	}
	err = g.call(ctx, a, http.MethodGet, "/api/v1/config/", "", nil, &said)
	return exams.ProctorConfig{Name: said.Name, DownloadURL: said.DownloadURL}, err
}

// RegisterExam makes an exam known. See exams.Proctor.
func (g *Gate) RegisterExam(ctx context.Context, a exams.ProctorAccess, e exams.ExamCard) (string, error) {
	var said struct {
		ID id `json:"id"`
	}
	if err := g.call(ctx, a, http.MethodPost, "/api/v1/exam/", e.ID, map[string]any{
		"external_id": e.ID, "course_id": e.Session, "exam_name": e.Title, "time_limit_mins": e.Minutes, "is_proctored": true, "is_practice_exam": false, "is_active": true,
	}, &said); err != nil {
		return "", err
	}
	return said.ID.value()
}

// RegisterAttempt makes an attempt known. See exams.Proctor.
func (g *Gate) RegisterAttempt(ctx context.Context, a exams.ProctorAccess, exam string, c exams.AttemptCard) (r exams.Registered, err error) {
	var said struct {
		ID        id     `json:"id"`
		LaunchURL string `json:"launch_url"`
	}
	if err := g.call(ctx, a, http.MethodPost, "/api/v1/exam/"+url.PathEscape(exam)+"/attempt/", c.ID, map[string]any{
		"user_id": c.User, "user_name": c.User, "attempt_code": c.ID, "allowed_time_limit_mins": (c.Seconds + 59) / 60, "status": "created", "callback_url": a.Audience,
	}, &said); err != nil {
		return r, err
	}
	if r.ExternalID, err = said.ID.value(); err != nil {
		return r, err
	}
	if _, ok := g.guard.Read(said.LaunchURL); said.LaunchURL != "" && !ok { // nobody is led where we would not go
		return r, &exams.ProctorTrouble{Code: brokenAnswer, Detail: "Its set-up is not at an address of a public server."}
	}
	r.LaunchURL = said.LaunchURL
	return r, nil
}

// Tell says how far an attempt is. See exams.Proctor.
func (g *Gate) Tell(ctx context.Context, a exams.ProctorAccess, exam, attempt, status string) error {
	return g.call(ctx, a, http.MethodPatch, attemptPath(exam, attempt), "", map[string]string{"status": status}, nil)
}

// Cancel says that an attempt will not be. See exams.Proctor.
func (g *Gate) Cancel(ctx context.Context, a exams.ProctorAccess, exam, attempt string) error {
	err := g.call(ctx, a, http.MethodDelete, attemptPath(exam, attempt), "", nil, nil)
	var t *exams.ProctorTrouble
	if errors.As(err, &t) && t.Code == unknown {
		return nil
	}
	return err
}

func attemptPath(exam, attempt string) string {
	return "/api/v1/exam/" + url.PathEscape(exam) + "/attempt/" + url.PathEscape(attempt) + "/"
}

// id is what a provider calls something: a text, or a number.
type id struct{ text string }

func (i *id) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &i.text) == nil {
		return nil
	}
	var n json.Number
	err := json.Unmarshal(b, &n)
	i.text = n.String()
	return err
}

// idForm is that of the contract: our callbacks name an attempt in their address.
var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`)

// value refuses what could not stand in an address or in our book.
func (i id) value() (string, error) {
	if !idForm.MatchString(i.text) {
		return "", &exams.ProctorTrouble{Code: brokenAnswer, Detail: "It gives no id that is one."}
	}
	return i.text, nil
}

func tokenKey(a exams.ProctorAccess) string { return fmt.Sprintf("%s/%d", a.Provider, a.Version) }

// token gets the header for client credentials, or the one that was got.
func (g *Gate) token(ctx context.Context, a exams.ProctorAccess) (string, error) {
	if header := g.tokens.Of(tokenKey(a), g.clock.Now()); header != "" {
		return header, nil
	}
	r, err := outward.TokenRequest(ctx, a.BaseURL, a.ClientID, a.Client)
	if err != nil {
		return "", &exams.ProctorTrouble{Code: "refused_address"}
	}
	var answer json.RawMessage
	if err := g.do(r, &answer); err != nil {
		var t *exams.ProctorTrouble
		if errors.As(err, &t) && (t.Code == refused || t.Code == unknown) {
			t.Code = badCredentials
		}
		return "", err
	}
	header, ok := g.tokens.Granted(tokenKey(a), g.clock.Now(), answer)
	if !ok {
		return "", &exams.ProctorTrouble{Code: brokenAnswer, Detail: "It gives no token."}
	}
	return header, nil
}

// call asks a provider once, and once more with a new token where it refuses the old one.
func (g *Gate) call(ctx context.Context, a exams.ProctorAccess, method, path, key string, body, answer any) error {
	err := g.once(ctx, a, method, path, key, body, answer)
	var t *exams.ProctorTrouble
	if errors.As(err, &t) && t.Code == badCredentials && g.tokens.Drop(tokenKey(a)) {
		return g.once(ctx, a, method, path, key, body, answer)
	}
	return err
}

func (g *Gate) once(ctx context.Context, a exams.ProctorAccess, method, path, key string, body, answer any) error {
	if _, ok := g.guard.Read(a.BaseURL); !ok { // the rules may have become stricter since it was entered
		return &exams.ProctorTrouble{Code: "refused_address"}
	}
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(a.BaseURL, "/")+path, bytes.NewReader(sent))
	if err != nil {
		return &exams.ProctorTrouble{Code: "refused_address"}
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	t, err := g.token(ctx, a)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", t)
	return g.do(r, answer)
}

// do makes a request and judges what came back.
func (g *Gate) do(r *http.Request, into any) error {
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", agent)
	answer, err := g.client.Do(r)
	if err != nil {
		return &exams.ProctorTrouble{Code: outward.Failure(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxResponse+1))
	if err != nil || len(text) > maxResponse {
		return &exams.ProctorTrouble{Code: brokenAnswer, Detail: "The answer broke off, or has no end."}
	}
	if answer.StatusCode >= http.StatusOK && answer.StatusCode < http.StatusMultipleChoices {
		if into != nil && json.Unmarshal(text, into) != nil {
			return &exams.ProctorTrouble{Code: brokenAnswer, Detail: beginning(text)}
		}
		return nil
	}
	return &exams.ProctorTrouble{Code: codeOf(answer.StatusCode), Detail: fmt.Sprintf("%d %s", answer.StatusCode, beginning(text))}
}

func codeOf(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return badCredentials
	case status == http.StatusTooManyRequests:
		return throttled
	case status == http.StatusNotFound:
		return unknown
	case status >= http.StatusInternalServerError:
		return serverError
	}
	return refused
}

// beginning makes the first words of an answer fit for the table and for a page.
func beginning(answer []byte) string {
	text := strings.ReplaceAll(strings.ToValidUTF8(string(answer), "?"), "\x00", "?")
	r := []rune(strings.Join(strings.Fields(text), " "))
	return string(r[:min(len(r), shown)])
}
