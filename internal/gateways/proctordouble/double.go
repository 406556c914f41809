// Package proctordouble is a stateful double of a provider that watches over exams, by the provider contract of edx-proctoring, for tests:
// its own book of exams and attempts, signed callbacks, and the ways in which a real one surprises its callers.
package proctordouble

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/ident"
)

// Config is what a double is made of.
type Config struct {
	ClientID     string
	ClientSecret string
	Secret       func() string // whsec_…, which signs callbacks
	Clock        clock.Clock   // nil: the machine's
}

// Weather is how the provider surprises its callers. The zero value is a fine day.
type Weather struct {
	Down        bool // 503
	LoseReplies int  // so many of the next calls have their effect, and no answer
	Twice       bool // each callback is sent twice
}

// Exam is an exam in the book.
type Exam struct {
	ID      string `json:"id"`
	OurID   string `json:"external_id"`
	Name    string `json:"exam_name"`
	Minutes int    `json:"time_limit_mins"`
}

// Attempt is an attempt in the book.
type Attempt struct {
	ID       string   `json:"id"`
	Exam     string   `json:"exam"`
	User     string   `json:"user_id"`
	Code     string   `json:"attempt_code"`
	Callback string   `json:"callback_url"`
	Told     []string `json:"told"` // what it was told, in order
}

// Double is the provider.
type Double struct {
	c        Config
	mux      *http.ServeMux
	mu       sync.Mutex
	weather  Weather
	exams    map[string]Exam
	attempts map[string]Attempt
	tokens   map[string]time.Time
	client   *http.Client
}

// New makes a double.
func New(c Config) *Double {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	d := &Double{c: c, mux: http.NewServeMux(), exams: map[string]Exam{}, attempts: map[string]Attempt{}, tokens: map[string]time.Time{}, client: &http.Client{Timeout: 10 * time.Second}}
	d.mux.HandleFunc("POST /oauth2/access_token", d.token)
	d.mux.HandleFunc("GET /api/v1/config/", d.api(func(*http.Request) (int, any) {
		return http.StatusOK, map[string]string{"name": "Proctor double"}
	}))
	d.mux.HandleFunc("POST /api/v1/exam/", d.api(d.addExam))
	d.mux.HandleFunc("POST /api/v1/exam/{exam}/attempt/", d.api(d.addAttempt))
	d.mux.HandleFunc("PATCH /api/v1/exam/{exam}/attempt/{attempt}/", d.api(d.tell))
	d.mux.HandleFunc("DELETE /api/v1/exam/{exam}/attempt/{attempt}/", d.api(d.cancel))
	return d
}

// ServeHTTP is the provider's server.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

// Set changes the weather.
func (d *Double) Set(w Weather) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.weather = w
}

// Attempts lists the book, by id.
func (d *Double) Attempts() []Attempt {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Attempt, 0, len(d.attempts))
	for _, a := range d.attempts {
		a.Told = slices.Clone(a.Told)
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Attempt) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Exams tells how many exams are in the book.
func (d *Double) Exams() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.exams)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who went away is told nothing
}

func (d *Double) token(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("client_id") != d.c.ClientID || r.FormValue("client_secret") != d.c.ClientSecret || r.FormValue("grant_type") != "client_credentials" {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	t := ident.Secret(24)
	d.mu.Lock()
	d.tokens[t] = d.c.Clock.Now().Add(time.Hour)
	d.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"access_token": t, "token_type": "JWT", "expires_in": 3600})
}

// Expire ends all tokens that were given out.
func (d *Double) Expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.tokens)
}

// api lets in who has a token, in the weather of the day.
func (d *Double) api(do func(*http.Request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		_, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		until, known := d.tokens[given]
		down := d.weather.Down
		d.mu.Unlock()
		switch {
		case down:
			answer(w, http.StatusServiceUnavailable, map[string]string{"detail": "maintenance"})
			return
		case !known || !d.c.Clock.Now().Before(until):
			answer(w, http.StatusUnauthorized, map[string]string{"detail": "no token"})
			return
		}
		status, says := do(r)
		d.mu.Lock()
		lost := d.weather.LoseReplies > 0
		if lost {
			d.weather.LoseReplies--
		}
		d.mu.Unlock()
		if lost {
			panic(http.ErrAbortHandler)
		}
		answer(w, status, says)
	}
}

func (d *Double) addExam(r *http.Request) (int, any) {
	var e Exam
	if json.NewDecoder(r.Body).Decode(&e) != nil || e.OurID == "" {
		return http.StatusBadRequest, map[string]string{"detail": "external_id"}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, known := range d.exams {
		if known.OurID == e.OurID {
			return http.StatusOK, known
		}
	}
	e.ID = fmt.Sprint(len(d.exams) + 1)
	d.exams[e.ID] = e
	return http.StatusOK, e
}

func (d *Double) addAttempt(r *http.Request) (int, any) {
	var a Attempt
	if json.NewDecoder(r.Body).Decode(&a) != nil || a.User == "" || a.Code == "" {
		return http.StatusBadRequest, map[string]string{"detail": "user_id, attempt_code"}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.Exam = r.PathValue("exam"); d.exams[a.Exam].ID == "" {
		return http.StatusNotFound, map[string]string{"detail": "no such exam"}
	}
	for _, known := range d.attempts {
		if known.Code == r.Header.Get("Idempotency-Key") {
			return http.StatusOK, made(known)
		}
	}
	a.ID, a.Told = ident.New("prx"), []string{}
	d.attempts[a.ID] = a
	return http.StatusOK, made(a)
}

func made(a Attempt) map[string]string { return map[string]string{"id": a.ID, "status": "created"} }

func (d *Double) tell(r *http.Request) (int, any) {
	var said struct {
		Status string `json:"status"`
	}
	if json.NewDecoder(r.Body).Decode(&said) != nil || !slices.Contains([]string{"started", "submitted", "error"}, said.Status) {
		return http.StatusBadRequest, map[string]string{"detail": "status"}
	}
	if !d.note(r.PathValue("attempt"), said.Status) {
		return http.StatusNotFound, map[string]string{"detail": "no such attempt"}
	}
	return http.StatusOK, map[string]string{"id": r.PathValue("attempt"), "status": said.Status}
}

func (d *Double) cancel(r *http.Request) (int, any) {
	if !d.note(r.PathValue("attempt"), "deleted") {
		return http.StatusNotFound, map[string]string{"detail": "no such attempt"}
	}
	return http.StatusOK, map[string]bool{"deleted": true}
}

func (d *Double) note(id, what string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, ok := d.attempts[id]
	if ok {
		a.Told = append(a.Told, what)
		d.attempts[id] = a
	}
	return ok
}

// Ready says that who sits is set up.
func (d *Double) Ready(ctx context.Context, attempt string) error {
	return d.Send(ctx, attempt, "ready", map[string]any{"status": "ready"})
}

// Review says what a review found.
func (d *Double) Review(ctx context.Context, attempt, verdict string) error {
	return d.Send(ctx, attempt, "reviewed", map[string]any{
		"status": verdict, "comments": []map[string]any{{"comment": "looked at by the double", "status": verdict, "start": 0, "stop": 10}}, "reviewed_by": "double",
	})
}

// Send sends a signed callback about an attempt.
func (d *Double) Send(ctx context.Context, attempt, call string, says map[string]any) error {
	d.mu.Lock()
	a, ok := d.attempts[attempt]
	times := 1
	if d.weather.Twice {
		times = 2
	}
	d.mu.Unlock()
	if !ok {
		return fmt.Errorf("no attempt %s", attempt)
	}
	says["attempt"] = attempt
	body, err := json.Marshal(says)
	if err != nil {
		return err
	}
	id, at := ident.New("msg"), fmt.Sprint(d.c.Clock.Now().Unix())
	signature, err := Sign(d.c.Secret(), id, at, body)
	if err != nil {
		return err
	}
	for range times {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Callback+"/attempts/"+attempt+"/"+call, bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("webhook-id", id)
		r.Header.Set("webhook-timestamp", at)
		r.Header.Set("webhook-signature", signature)
		heard, err := d.client.Do(r)
		if err != nil {
			return err
		}
		_ = heard.Body.Close()
		if heard.StatusCode != http.StatusNoContent {
			return fmt.Errorf("%s: %s", call, heard.Status)
		}
	}
	return nil
}

// Sign signs as Standard Webhooks 1.0.0 says.
func Sign(secret, id, at string, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return "", err
	}
	sum := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(sum, "%s.%s.%s", id, at, body) // a hash takes everything
	return "v1," + base64.StdEncoding.EncodeToString(sum.Sum(nil)), nil
}
