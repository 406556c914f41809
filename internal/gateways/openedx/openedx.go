// Package openedx is the way to learning platforms: the enrolment API of Open edX. It goes where platform/outward lets it.
package openedx

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cursus/internal/domain/lms"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/outward"
)

// What a call may cost.
const (
	maxResponse = 8 << 20 // a page of a gradebook has every exercise of a hundred learners
	shown       = 160     // runes of an answer that staff see
	agent       = "Cursus-LMS/1"
)

// Options of New; the zero value is for production.
type Options struct {
	Inside   []string         // addresses or names with port that may be inside and may be spoken to over http, such as lms:8000
	Resolver outward.Resolver // nil: the machine's
	Timeout  time.Duration    // 0: 15 seconds
	Clock    clock.Clock      // nil: the machine's
}

// Gate speaks to platforms.
type Gate struct {
	guard  *outward.Guard
	client *http.Client
	clock  clock.Clock
	tokens outward.Tokens
}

// ErrInside refuses a setting that names no host with a port.
var ErrInside = fault.New(fault.Invalid, "bad-lms-inside", "An inside platform is an address or a name with its port, such as 127.0.0.1:8000 or lms:8000.")

// New makes a gate.
func New(o Options) (*Gate, error) {
	guard, client, err := outward.New(outward.Options{Hosts: o.Inside, Resolver: o.Resolver, Timeout: o.Timeout})
	if err != nil {
		return nil, ErrInside.Because(err)
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	return &Gate{guard: guard, client: client, clock: o.Clock}, nil
}

// Check refuses an address that no platform may have, as far as its text tells. Error: lms.ErrURL.
func (g *Gate) Check(baseURL string) error {
	if u, ok := g.guard.Read(baseURL); !ok || u.RawQuery != "" || u.ForceQuery {
		return lms.ErrURL
	}
	return nil
}

// record is an enrolment as Open edX writes it.
type record struct {
	User          string `json:"user"`
	Mode          string `json:"mode"`
	IsActive      *bool  `json:"is_active"`
	CourseDetails struct {
		CourseID string `json:"course_id"`
	} `json:"course_details"`
}

func (r record) whole() bool {
	return r.User != "" && r.Mode != "" && r.IsActive != nil && r.CourseDetails.CourseID != ""
}

func (r record) lms() lms.Record {
	return lms.Record{Username: r.User, Course: r.CourseDetails.CourseID, Mode: r.Mode, Active: *r.IsActive}
}

const enrolment = "/api/enrollment/v1/enrollment"

// Put makes or changes an enrolment. See lms.Door.
func (g *Gate) Put(ctx context.Context, a lms.Access, l lms.Learner, course, mode string, active bool) (lms.Record, error) {
	said := map[string]any{"mode": mode, "is_active": active, "course_details": map[string]string{"course_id": course}}
	switch {
	case l.Username != "":
		said["user"] = l.Username
	case l.Email != "":
		said["email"] = l.Email
	default: // without either the platform would enrol whoever asks: us
		return lms.Record{}, &lms.Trouble{Code: lms.NoAccount}
	}
	body, err := json.Marshal(said)
	if err != nil {
		return lms.Record{}, err
	}
	answer, err := g.call(ctx, a, http.MethodPost, enrolment, body)
	if err != nil {
		return lms.Record{}, err
	}
	var r record
	if json.Unmarshal(answer, &r) != nil || !r.whole() {
		return lms.Record{}, broken(answer)
	}
	if l.Username == "" {
		if err := g.notOurselves(ctx, a, r, active); err != nil {
			return lms.Record{}, err
		}
	}
	return r.lms(), nil
}

// notOurselves notices a platform that is too old to find learners by their address: it takes no heed of it and enrols whoever asks. What
// it did is undone as far as it lets us.
func (g *Gate) notOurselves(ctx context.Context, a lms.Access, r record, active bool) error {
	if a.Auth == lms.APIKey || !strings.EqualFold(g.me(ctx, a), r.User) {
		return nil // a key is nobody's
	}
	if undo, err := json.Marshal(map[string]any{"user": r.User, "mode": r.Mode, "is_active": false, "course_details": map[string]string{"course_id": r.CourseDetails.CourseID}}); err == nil && active {
		_, _ = g.call(ctx, a, http.MethodPost, enrolment, undo) // not every platform lets us, and nobody but us is concerned
	}
	return &lms.Trouble{Code: lms.IgnoresEmail, Detail: "The platform does not find learners by their address. Enter her username."}
}

// me is who we are on a platform; "" where it does not tell, and nothing can be compared.
func (g *Gate) me(ctx context.Context, a lms.Access) string {
	if known := g.tokens.Of("me of "+keyOf(a), g.clock.Now()); known != "" {
		return known
	}
	var said struct {
		Username string `json:"username"`
	}
	answer, err := g.call(ctx, a, http.MethodGet, "/api/user/v1/me", nil)
	if err != nil || json.Unmarshal(answer, &said) != nil {
		return ""
	}
	g.tokens.Keep("me of "+keyOf(a), said.Username, g.clock.Now().Add(time.Hour))
	return said.Username
}

// Read gives an enrolment. See lms.Door. Who is not enrolled is an empty answer; 404 hides whether there is one, so it is no answer.
func (g *Gate) Read(ctx context.Context, a lms.Access, username, course string) (lms.Record, bool, error) {
	answer, err := g.call(ctx, a, http.MethodGet, enrolment+"/"+url.PathEscape(username)+","+url.PathEscape(course), nil)
	if err != nil {
		return lms.Record{}, false, err
	}
	if text := strings.TrimSpace(string(answer)); text == "" || text == "null" {
		return lms.Record{}, false, nil
	}
	var r record
	if json.Unmarshal(answer, &r) != nil || !r.whole() || !strings.EqualFold(r.User, username) || r.CourseDetails.CourseID != course {
		return lms.Record{}, false, broken(answer)
	}
	return r.lms(), true, nil
}

// List gives a page of the enrolments of a course. See lms.Door. Its cursor is that of the link that Open edX gives for the next page.
func (g *Gate) List(ctx context.Context, a lms.Access, course, cursor string) ([]lms.Record, string, error) {
	query := url.Values{"course_id": {course}, "page_size": {"100"}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	answer, err := g.call(ctx, a, http.MethodGet, "/api/enrollment/v1/enrollments?"+query.Encode(), nil)
	if err != nil {
		return nil, "", err
	}
	var said struct {
		Next    *string `json:"next"`
		Results []struct {
			User     string `json:"user"`
			Mode     string `json:"mode"`
			IsActive *bool  `json:"is_active"`
			CourseID string `json:"course_id"`
		} `json:"results"`
	}
	if json.Unmarshal(answer, &said) != nil || said.Results == nil {
		return nil, "", broken(answer)
	}
	var rows []lms.Record
	for _, r := range said.Results {
		if r.User == "" || r.Mode == "" || len(r.Mode) > 100 || r.IsActive == nil || r.CourseID != course {
			return nil, "", broken(answer)
		}
		rows = append(rows, lms.Record{Username: r.User, Course: r.CourseID, Mode: r.Mode, Active: *r.IsActive})
	}
	next, ok := following(said.Next, cursor)
	if !ok {
		return nil, "", broken(answer)
	}
	return rows, next, nil
}

func broken(answer []byte) *lms.Trouble {
	return &lms.Trouble{Code: lms.BrokenAnswer, Detail: "The answer is not that of the API: " + beginning(answer)}
}

// beginning makes the first words of an answer fit for the table and for a page.
func beginning(answer []byte) string {
	text := strings.ReplaceAll(strings.ToValidUTF8(string(answer), "?"), "\x00", "?")
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) > shown {
		return string(r[:shown]) + "…"
	}
	return string(r)
}

// call asks a platform once, and once more with a new token where it refuses the old one.
func (g *Gate) call(ctx context.Context, a lms.Access, method, path string, body []byte) ([]byte, error) {
	answer, err := g.once(ctx, a, method, path, body)
	if t, ok := err.(*lms.Trouble); ok && t.Code == lms.BadCredentials && a.Auth == lms.OAuth2 && g.tokens.Drop(keyOf(a)) { //nolint:errorlint // once gives it bare
		return g.once(ctx, a, method, path, body)
	}
	return answer, err
}

func (g *Gate) once(ctx context.Context, a lms.Access, method, path string, body []byte) ([]byte, error) {
	if _, ok := g.guard.Read(a.BaseURL); !ok { // the rules may have become stricter since it was entered
		return nil, &lms.Trouble{Code: "refused_address"}
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(a.BaseURL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, &lms.Trouble{Code: "refused_address"}
	}
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	switch a.Auth {
	case lms.APIKey:
		r.Header.Set("X-Edx-Api-Key", a.Secret)
	case lms.Bearer:
		r.Header.Set("Authorization", "Bearer "+a.Secret)
	case lms.OAuth2:
		t, err := g.token(ctx, a)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", t)
	}
	return g.do(r)
}

// do makes a request and judges what came back.
func (g *Gate) do(r *http.Request) ([]byte, error) {
	r.Header.Set("User-Agent", agent)
	answer, err := g.client.Do(r)
	if err != nil {
		return nil, &lms.Trouble{Code: outward.Failure(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxResponse+1))
	if err != nil || len(text) > maxResponse {
		return nil, &lms.Trouble{Code: lms.BrokenAnswer, Detail: "The answer broke off, or has no end."}
	}
	if answer.StatusCode == http.StatusOK && !html(answer, text) {
		return text, nil
	}
	return nil, trouble(answer, text)
}

// html says whether an answer is a page for people: a platform under maintenance, or a proxy, answers so with any status.
func html(r *http.Response, text []byte) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(text), []byte("<"))
}

func trouble(r *http.Response, text []byte) *lms.Trouble {
	t := &lms.Trouble{Code: lms.BrokenAnswer, Detail: beginning(text), Later: outward.Later(r)}
	var said struct {
		Message   string `json:"message"`
		Detail    string `json:"detail"`
		Error     string `json:"error"`
		ErrorText string `json:"error_description"`
	}
	if json.Unmarshal(text, &said) == nil {
		t.Detail = beginning([]byte(strings.TrimSpace(said.Message + " " + said.Detail + " " + said.Error + " " + said.ErrorText)))
	}
	if t.Detail == "" {
		t.Detail = r.Status
	}
	switch s := r.StatusCode; {
	case s == http.StatusTooManyRequests:
		t.Code = lms.Throttled
	case s >= http.StatusInternalServerError:
		t.Code = lms.ServerError
	case s == http.StatusUnauthorized:
		t.Code = lms.BadCredentials
	case html(r, text): // not the API speaks
	case s == http.StatusNotAcceptable:
		t.Code = lms.NoAccount
	case s == http.StatusForbidden, s == http.StatusNotFound:
		t.Code = lms.NotPermitted
	case s == http.StatusBadRequest && strings.Contains(t.Detail, "mismatch"):
		t.Code = lms.ModeMismatch
	case s == http.StatusBadRequest && strings.Contains(t.Detail, "course mode is expired"):
		t.Code = lms.ModeUnavailable
	case s == http.StatusBadRequest:
		t.Code = lms.BadRequest
	}
	return t
}
