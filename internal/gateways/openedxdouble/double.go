// Package openedxdouble is a stateful double of the enrolment and grades APIs of Open edX for tests and the demonstration: its own accounts, its own
// book, and the ways in which the real one surprises its callers, each of which can be switched on.
package openedxdouble

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"cursus/internal/kernel/clock"
)

// Config is what a double is made of.
type Config struct {
	APIKey       string // of X-Edx-Api-Key; empty: none is taken
	ClientID     string // of OAuth2
	ClientSecret string
	Worker       string                  // the username of the service account behind the client
	Has          func(email string) bool // says who has an account without having made one; nil: nobody
	File         string                  // where the book is kept; empty: in memory
	Clock        clock.Clock             // nil: the machine's
}

// Weather is how the platform surprises its callers. The zero value is a fine day.
type Weather struct {
	Down        string   `json:"down"`         // error: 503; html: a page with 200; hang: no answer; reset: the connection breaks
	LoseReplies int      `json:"lose_replies"` // so many of the next changes are made and not answered
	KeepMode    bool     `json:"keep_mode"`    // a change of mode is answered with 200 and the enrolment as it is
	KeepActive  bool     `json:"keep_active"`  // so is the end of an enrolment
	SayOnly     bool     `json:"say_only"`     // a change is answered as if it were made
	Expired     []string `json:"expired"`      // modes that a course does not have any more
	NotStaff    bool     `json:"not_staff"`    // the caller may not act for others: 404; nor use another mode than audit and honor: 403
	IgnoreEmail bool     `json:"ignore_email"` // as before addresses were understood: whoever asks is enrolled
	PerMinute   int      `json:"per_minute"`   // calls; more are refused with 429
	RetryAfter  int      `json:"retry_after"`  // seconds, said with 429
	Slow        int      `json:"slow_ms"`      // before each answer
	NoGradebook bool     `json:"no_gradebook"` // the course does not let its gradebook be read: 403
}

// Enrolment is a line of the book.
type Enrolment struct {
	User    string    `json:"user"`
	Course  string    `json:"course"`
	Mode    string    `json:"mode"`
	Active  bool      `json:"is_active"`
	Created time.Time `json:"created"`
}

// Double is the platform.
type Double struct {
	c       Config
	mux     *http.ServeMux
	mu      sync.Mutex
	weather Weather
	users   map[string]string // username → address
	book    map[[2]string]Enrolment
	lists   map[string][]Enrolment // of the book, by course, until it changes
	grades  map[string][]Grade     // by course
	tokens  map[string]time.Time
	calls   []time.Time // of the enrolment API, answered or not
	changes int         // that had an effect
	file    *os.File
}

// Open makes a double, with the book that it kept.
func Open(c Config) (*Double, error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	d := &Double{c: c, users: map[string]string{}, book: map[[2]string]Enrolment{}, lists: map[string][]Enrolment{}, grades: map[string][]Grade{}, tokens: map[string]time.Time{}, mux: http.NewServeMux()}
	if c.Worker != "" {
		d.users[c.Worker] = c.Worker + "@lms.example"
	}
	if err := d.remember(); err != nil {
		return nil, err
	}
	d.mux.HandleFunc("POST /oauth2/access_token", d.accessToken)
	d.mux.HandleFunc("GET /api/user/v1/me", d.me)
	d.mux.HandleFunc("POST /api/enrollment/v1/enrollment", d.api(d.post))
	d.mux.HandleFunc("GET /api/enrollment/v1/enrollment/{pair}", d.api(d.get))
	d.mux.HandleFunc("GET /api/enrollment/v1/enrollments", d.api(d.list))
	d.mux.HandleFunc("GET /api/grades/v1/gradebook/{course}/", d.api(d.gradebook))
	d.mux.HandleFunc("GET /api/grades/v1/courses/{course}/", d.api(d.courseGrades))
	d.mux.HandleFunc("GET /double/book", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, d.Book()) })
	d.mux.HandleFunc("POST /double/grades/{course}", func(w http.ResponseWriter, r *http.Request) {
		var all []Grade
		if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
			message(w, http.StatusBadRequest, err.Error())
			return
		}
		d.SetGrades(r.PathValue("course"), all)
		answer(w, http.StatusOK, all)
	})
	d.mux.HandleFunc("POST /double/weather", func(w http.ResponseWriter, r *http.Request) {
		var weather Weather
		if err := json.NewDecoder(r.Body).Decode(&weather); err != nil {
			message(w, http.StatusBadRequest, err.Error())
			return
		}
		d.Set(weather)
		answer(w, http.StatusOK, weather)
	})
	d.mux.HandleFunc("POST /double/users", func(w http.ResponseWriter, r *http.Request) {
		var u struct{ Username, Email string }
		if err := json.NewDecoder(r.Body).Decode(&u); err != nil || u.Username == "" {
			message(w, http.StatusBadRequest, "username and email")
			return
		}
		d.Register(u.Username, u.Email)
		answer(w, http.StatusCreated, u)
	})
	return d, nil
}

// kept is a line of the file.
type kept struct {
	Enrolment
	Email string `json:"email"`
}

// remember reads the book from its file and goes on writing it.
func (d *Double) remember() error {
	if d.c.File == "" {
		return nil
	}
	lines, err := os.ReadFile(d.c.File)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for line := range strings.Lines(string(lines)) {
		var e kept
		if json.Unmarshal([]byte(line), &e) != nil {
			break // torn by a death
		}
		d.book[[2]string{e.User, e.Course}], d.users[e.User] = e.Enrolment, e.Email
	}
	d.file, err = os.OpenFile(d.c.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	return err
}

// Close lets the file go.
func (d *Double) Close() error {
	if d.file == nil {
		return nil
	}
	return d.file.Close()
}

// ServeHTTP is the platform's server.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

// Set changes the weather.
func (d *Double) Set(w Weather) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.weather = w
}

// Register makes an account.
func (d *Double) Register(username, email string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.users[username] = email
}

// Rename gives an account another username, as a platform does with one that is retired.
func (d *Double) Rename(from, to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.users[to] = d.users[from]
	delete(d.users, from)
	for k, e := range d.book {
		if k[0] == from {
			delete(d.book, k)
			delete(d.lists, e.Course)
			e.User = to
			d.book[[2]string{to, e.Course}] = e
		}
	}
}

// Put writes into the book what happens on the platform without us.
func (d *Double) Put(e Enrolment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keep(e)
}

func (d *Double) keep(e Enrolment) {
	d.book[[2]string{e.User, e.Course}] = e
	delete(d.lists, e.Course)
	if d.file != nil {
		if b, err := json.Marshal(kept{e, d.users[e.User]}); err == nil {
			_, _ = d.file.Write(append(b, '\n')) // a double forgets where it cannot write
		}
	}
}

// Book lists all enrolments, by course and user.
func (d *Double) Book() []Enrolment {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Enrolment, 0, len(d.book))
	for _, e := range d.book {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Enrolment) int { return strings.Compare(a.Course+" "+a.User, b.Course+" "+b.User) })
	return all
}

// Of gives the enrolment of somebody by her address.
func (d *Double) Of(email, course string) (Enrolment, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.book[[2]string{d.byEmail(email), course}]
	return e, ok
}

// Calls gives the times of all calls to the enrolment API, and how many changes had an effect.
func (d *Double) Calls() (at []time.Time, changes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls), d.changes
}

// Expire ends all tokens that were given out.
func (d *Double) Expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.tokens)
}

func (d *Double) byEmail(email string) string {
	for username, e := range d.users {
		if e == email {
			return username
		}
	}
	if d.c.Has != nil && d.c.Has(email) {
		name, _, _ := strings.Cut(email, "@")
		for n := 0; ; n++ {
			username := name
			if n > 0 {
				username = fmt.Sprintf("%s%d", name, n)
			}
			if d.users[username] == "" {
				d.users[username] = email
				return username
			}
		}
	}
	return ""
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who went away is told nothing
}

func message(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"message": text})
}

const page = `<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>`
