package openedxdouble

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cursus/internal/kernel/ident"
)

// known are the modes of every course.
var known = []string{"audit", "honor", "verified", "professional", "no-id-professional"}

func (d *Double) accessToken(w http.ResponseWriter, r *http.Request) {
	if d.c.ClientID == "" || r.FormValue("client_id") != d.c.ClientID || r.FormValue("client_secret") != d.c.ClientSecret || r.FormValue("grant_type") != "client_credentials" {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	t := ident.Secret(24)
	d.mu.Lock()
	d.tokens[t] = d.c.Clock.Now().Add(time.Hour)
	d.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"access_token": t, "expires_in": 3600, "token_type": "JWT", "scope": "read write profile email"})
}

// caller gives who calls: "" for a key, and false for nobody.
func (d *Double) caller(r *http.Request) (string, bool) {
	if key := r.Header.Get("X-Edx-Api-Key"); key != "" {
		return "", d.c.APIKey != "" && key == d.c.APIKey
	}
	kind, t, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.c.Worker, (kind == "JWT" || kind == "Bearer") && d.c.Clock.Now().Before(d.tokens[t])
}

func (d *Double) me(w http.ResponseWriter, r *http.Request) {
	if who, ok := d.caller(r); ok && who != "" {
		answer(w, http.StatusOK, map[string]string{"username": who})
		return
	}
	answer(w, http.StatusUnauthorized, map[string]string{"detail": "Authentication credentials were not provided."})
}

// api is what the weather does to a call of the enrolment API.
func (d *Double) api(handle func(w http.ResponseWriter, r *http.Request, who string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := d.c.Clock.Now()
		d.mu.Lock()
		weather := d.weather
		recent := 0
		for _, at := range d.calls {
			if now.Sub(at) < time.Minute {
				recent++
			}
		}
		d.calls = append(d.calls, now)
		d.mu.Unlock()
		time.Sleep(time.Duration(weather.Slow) * time.Millisecond)
		switch weather.Down {
		case "error":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprint(w, page)
			return
		case "html":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprint(w, page)
			return
		case "hang":
			_, _ = io.Copy(io.Discard, r.Body) // only then the server notices who goes away
			<-r.Context().Done()
			return
		case "reset":
			panic(http.ErrAbortHandler)
		}
		who, ok := d.caller(r)
		switch {
		case !ok:
			answer(w, http.StatusUnauthorized, map[string]string{"detail": "Authentication credentials were not provided."})
		case weather.PerMinute > 0 && recent >= weather.PerMinute:
			if weather.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(weather.RetryAfter))
			}
			answer(w, http.StatusTooManyRequests, map[string]string{"detail": "Request was throttled."})
		default:
			handle(w, r, who)
		}
	}
}

func written(e Enrolment) map[string]any {
	return map[string]any{"created": e.Created.UTC().Format(time.RFC3339), "mode": e.Mode, "is_active": e.Active, "user": e.User, "course_details": map[string]any{
		"course_id": e.Course, "course_name": e.Course, "enrollment_start": nil, "enrollment_end": nil, "course_start": nil, "course_end": nil, "invite_only": false,
		"course_modes": []any{}, "pacing_type": "Self Paced",
	}}
}

func (d *Double) get(w http.ResponseWriter, r *http.Request, who string) {
	username, course, _ := strings.Cut(r.PathValue("pair"), ",")
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.weather.NotStaff && username != who {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if e, ok := d.book[[2]string{username, course}]; ok {
		answer(w, http.StatusOK, written(e))
		return
	}
	w.WriteHeader(http.StatusOK) // not enrolled is an empty answer
}

type posted struct {
	User          string `json:"user"`
	Email         string `json:"email"`
	Mode          string `json:"mode"`
	IsActive      *bool  `json:"is_active"`
	CourseDetails struct {
		CourseID string `json:"course_id"`
	} `json:"course_details"`
}

func (d *Double) post(w http.ResponseWriter, r *http.Request, who string) {
	var p posted
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		message(w, http.StatusBadRequest, "JSON parse error")
		return
	}
	status, said, lose := d.change(p, who)
	if lose {
		panic(http.ErrAbortHandler)
	}
	if text, ok := said.(string); ok {
		if status == http.StatusNotFound {
			w.WriteHeader(status)
			return
		}
		message(w, status, text)
		return
	}
	answer(w, status, said)
}

// change does what the real view does, in its order.
func (d *Double) change(p posted, who string) (status int, said any, lose bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	course := p.CourseDetails.CourseID
	if course == "" {
		return http.StatusBadRequest, "Course ID must be specified to create a new enrollment.", false
	}
	username := p.User
	if username == "" && (p.Email == "" || d.weather.IgnoreEmail) {
		username = who
	}
	if d.weather.NotStaff && username != who {
		return http.StatusNotFound, "", false
	}
	if d.weather.NotStaff && p.Mode != "audit" && p.Mode != "honor" {
		return http.StatusForbidden, "User does not have permission to create enrollment with mode [" + p.Mode + "].", false
	}
	if username == "" {
		if username = d.byEmail(p.Email); username == "" || d.weather.IgnoreEmail {
			return http.StatusNotAcceptable, "The user with the email address " + p.Email + " does not exist.", false
		}
	} else if d.users[username] == "" {
		return http.StatusNotAcceptable, "The user " + username + " does not exist.", false
	}
	return d.enrol(p, username, course)
}

func (d *Double) enrol(p posted, username, course string) (status int, said any, lose bool) {
	active := p.IsActive == nil || *p.IsActive
	e, there := d.book[[2]string{username, course}]
	unavailable := !slices.Contains(known, p.Mode) || slices.Contains(d.weather.Expired, p.Mode)
	was := e
	switch {
	case there && e.Mode != p.Mode && e.Active != active && !active:
		return http.StatusBadRequest, "Enrollment mode mismatch: active mode=" + e.Mode + ", requested mode=" + p.Mode + ". Won't deactivate.", false
	case (!there || e.Mode != p.Mode) && unavailable:
		return http.StatusBadRequest, "The [" + p.Mode + "] course mode is expired or otherwise unavailable for course run [" + course + "].", false
	case !there:
		e = Enrolment{User: username, Course: course, Mode: p.Mode, Active: active, Created: d.c.Clock.Now()}
	default:
		if !d.weather.KeepMode {
			e.Mode = p.Mode
		}
		if active || !d.weather.KeepActive {
			e.Active = active
		}
	}
	if e != was && !d.weather.SayOnly {
		d.keep(e)
		d.changes++
	}
	if d.weather.LoseReplies > 0 {
		d.weather.LoseReplies--
		return 0, nil, true
	}
	return http.StatusOK, written(e), false
}

// list gives enrolments by course, in pages; a key does not open it.
func (d *Double) list(w http.ResponseWriter, r *http.Request, who string) {
	d.mu.Lock()
	staff := who != "" && !d.weather.NotStaff
	d.mu.Unlock()
	if !staff {
		answer(w, http.StatusForbidden, map[string]string{"detail": "You do not have permission to perform this action."})
		return
	}
	size, _ := strconv.Atoi(r.FormValue("page_size"))
	if size < 1 || size > 100 {
		size = 100
	}
	rows, next := []map[string]any{}, any(nil)
	for _, e := range d.listed(r.FormValue("course_id"), r.FormValue("cursor")) {
		if len(rows) == size {
			q := r.URL.Query()
			q.Set("cursor", fmt.Sprint(rows[size-1]["user"]))
			next = "http://" + r.Host + r.URL.Path + "?" + q.Encode()
			break
		}
		rows = append(rows, map[string]any{"created": e.Created, "mode": e.Mode, "is_active": e.Active, "user": e.User, "course_id": e.Course})
	}
	answer(w, http.StatusOK, map[string]any{"next": next, "previous": nil, "results": rows})
}

// listed gives the enrolments of a course after a user, by user.
func (d *Double) listed(course, after string) []Enrolment {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lists[course] == nil {
		var all []Enrolment
		for k, e := range d.book {
			if k[1] == course {
				all = append(all, e)
			}
		}
		slices.SortFunc(all, func(a, b Enrolment) int { return strings.Compare(a.User, b.User) })
		d.lists[course] = all
	}
	i, _ := slices.BinarySearchFunc(d.lists[course], after+"\x00", func(e Enrolment, user string) int { return strings.Compare(e.User, user) })
	return d.lists[course][i:]
}
