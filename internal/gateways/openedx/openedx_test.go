package openedx_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/lms"
	"cursus/internal/gateways/openedx"
	"cursus/internal/gateways/openedxdouble"
	"cursus/internal/kernel/clock"
)

const course = "course-v1:IMT+PRD+9"

type names map[string]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, ok := n[host]; ok {
		return []netip.Addr{netip.MustParseAddr(a)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func codeOf(err error) string {
	var t *lms.Trouble
	if errors.As(err, &t) {
		return t.Code
	}
	return ""
}

// Inside platforms are called where the operator named them, by address or by name, on that port alone; nothing else that is inside is.
func TestWhereItGoes(t *testing.T) {
	hits := 0
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits++; w.WriteHeader(http.StatusOK) }))
	defer inside.Close()
	at := strings.TrimPrefix(inside.URL, "http://")
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	resolver := names{"lms": "127.0.0.1", "other": "127.0.0.1", "lms.school.org": "127.0.0.1"}
	for named, reached := range map[string]map[string]bool{
		"":            {inside.URL: false, "http://lms:" + port: false, "https://lms.school.org": false, "http://169.254.169.254": false},
		at:            {inside.URL: true, inside.URL + "/lms/": true, "http://lms:" + port: false},
		"lms:" + port: {inside.URL: false, "http://lms:" + port: true, "http://other:" + port: false, "http://lms:1": false, "http://me@lms:" + port: false},
	} {
		var o openedx.Options
		if o.Resolver = resolver; named != "" {
			o.Inside = []string{named}
		}
		g, err := openedx.New(o)
		if err != nil {
			t.Fatal(err)
		}
		for address, want := range reached {
			before := hits
			_, _, err := g.Read(t.Context(), lms.Access{BaseURL: address, Auth: lms.APIKey, Secret: "k"}, "ada", course)
			if got := hits > before; got != want || want != (err == nil) {
				t.Errorf("with %q named, %s: %v, reached %t", named, address, err, got)
			}
		}
	}
	for _, bad := range []string{"lms", "127.0.0.1", ":80", "lms:http"} {
		if _, err := openedx.New(openedx.Options{Inside: []string{bad}}); err == nil {
			t.Errorf("%q is taken for a platform", bad)
		}
	}
	g, err := openedx.New(openedx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for address, ok := range map[string]bool{"https://lms.school.org": true, "https://lms.school.org/x/": true, "http://lms.school.org": false, "https://lms.school.org?x=1": false, "https://10.0.0.1": false} {
		if (g.Check(address) == nil) != ok {
			t.Error(address)
		}
	}
}

// What each answer means. One that is not the API's own means nothing, whatever its status.
func TestAnswers(t *testing.T) {
	whole := `{"user":"ada","mode":"audit","is_active":true,"course_details":{"course_id":"` + course + `"}}`
	for name, c := range map[string]struct {
		status     int
		kind, body string
		put, read  string // what they say
		later      time.Duration
	}{
		"an enrolment":      {200, "application/json", whole, "", "", 0},
		"nothing":           {200, "application/json", "", lms.BrokenAnswer, "absent", 0},
		"null":              {200, "application/json", "null", lms.BrokenAnswer, "absent", 0},
		"a page":            {200, "text/html", "<html>soon</html>", lms.BrokenAnswer, lms.BrokenAnswer, 0},
		"a hidden page":     {200, "application/json", "  <html>", lms.BrokenAnswer, lms.BrokenAnswer, 0},
		"half of one":       {200, "application/json", `{"user":"ada","mode":"audit","is_act`, lms.BrokenAnswer, lms.BrokenAnswer, 0},
		"without a state":   {200, "application/json", strings.Replace(whole, `"is_active":true,`, "", 1), lms.BrokenAnswer, lms.BrokenAnswer, 0},
		"somebody else":     {200, "application/json", strings.Replace(whole, "ada", "eve", 1), "eve", lms.BrokenAnswer, 0},
		"without end":       {200, "application/json", strings.Repeat("x", 2<<20), lms.BrokenAnswer, lms.BrokenAnswer, 0},
		"a redirect":        {302, "text/html", "", lms.BrokenAnswer, lms.BrokenAnswer, 0},
		"expired mode":      {400, "application/json", `{"message":"The [verified] course mode is expired or otherwise unavailable for course run [x]."}`, lms.ModeUnavailable, lms.ModeUnavailable, 0},
		"another mode":      {400, "application/json", `{"message":"Enrollment mode mismatch: active mode=audit, requested mode=verified. Won't deactivate."}`, lms.ModeMismatch, lms.ModeMismatch, 0},
		"no such course":    {400, "application/json", `{"message":"No course 'x' found for enrollment"}`, lms.BadRequest, lms.BadRequest, 0},
		"not known":         {401, "application/json", `{"detail":"no"}`, lms.BadCredentials, lms.BadCredentials, 0},
		"not allowed":       {403, "application/json", `{"message":"no"}`, lms.NotPermitted, lms.NotPermitted, 0},
		"hidden":            {404, "", "", lms.NotPermitted, lms.NotPermitted, 0},
		"nothing is there":  {404, "text/html", "<h1>nginx</h1>", lms.BrokenAnswer, lms.BrokenAnswer, 0},
		"a wall":            {403, "text/html", "<h1>blocked</h1>", lms.BrokenAnswer, lms.BrokenAnswer, 0},
		"nobody":            {406, "application/json", `{"message":"The user ada does not exist."}`, lms.NoAccount, lms.NoAccount, 0},
		"too many":          {429, "application/json", `{"detail":"throttled"}`, lms.Throttled, lms.Throttled, 90 * time.Second},
		"a failure":         {500, "text/html", "<h1>Server Error</h1>", lms.ServerError, lms.ServerError, 0},
		"not now":           {503, "text/html", "<h1>soon</h1>", lms.ServerError, lms.ServerError, 90 * time.Second},
		"an unknown status": {418, "application/json", "{}", lms.BrokenAnswer, lms.BrokenAnswer, 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Edx-Api-Key") != "k" || r.Method == http.MethodGet && r.URL.Path != "/api/enrollment/v1/enrollment/ada,"+course {
					t.Error(r.Method, r.URL, r.Header)
				}
				w.Header().Set("Retry-After", "90")
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			g, err := openedx.New(openedx.Options{Inside: []string{strings.TrimPrefix(server.URL, "http://")}, Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			a := lms.Access{BaseURL: server.URL, Auth: lms.APIKey, Secret: "k"}
			r, err := g.Put(t.Context(), a, lms.Learner{Email: "ada@example.org"}, course, "audit", true)
			if c.put == "eve" {
				if err != nil || r.Username != "eve" {
					t.Error(r, err)
				}
			} else if codeOf(err) != c.put || c.put == "" && r != (lms.Record{Username: "ada", Course: course, Mode: "audit", Active: true}) {
				t.Error("put:", r, err)
			}
			var trouble *lms.Trouble
			if errors.As(err, &trouble) && (trouble.Later != c.later || len(trouble.Detail) > 300 || strings.ContainsRune(trouble.Detail, 0)) {
				t.Errorf("%+v", trouble)
			}
			r, there, err := g.Read(t.Context(), a, "ada", course)
			if want := strings.Replace(c.read, "absent", "", 1); codeOf(err) != want || there != (c.read == "") || there && r.Mode != "audit" {
				t.Error("read:", r, there, err)
			}
		})
	}
}

// A token is got once, again shortly before its end, and once more where it is refused; wrong credentials are said to be so, and nobody is ever
// enrolled without a name.
func TestTokens(t *testing.T) {
	now := clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	d, err := openedxdouble.Open(openedxdouble.Config{ClientID: "cursus", ClientSecret: "secret", Worker: "worker", Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	d.Register("ada", "ada@example.org")
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/oauth2") {
			asked++
		}
		d.ServeHTTP(w, r)
	}))
	defer server.Close()
	g, err := openedx.New(openedx.Options{Inside: []string{strings.TrimPrefix(server.URL, "http://")}, Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	a := lms.Access{Platform: "fun", Version: 1, BaseURL: server.URL + "/", Auth: lms.OAuth2, ClientID: "cursus", Secret: "secret"}
	call := func(when string, tokens int, code string) {
		t.Helper()
		if _, err := g.Put(t.Context(), a, lms.Learner{Username: "ada"}, course, "verified", true); codeOf(err) != code || asked != tokens {
			t.Errorf("%s: %v, %d tokens", when, err, asked)
		}
	}
	call("at first", 1, "")
	call("again", 1, "")
	now.Advance(58 * time.Minute)
	call("before its end", 1, "")
	now.Advance(90 * time.Second)
	call("at its end", 2, "")
	d.Expire()
	call("refused", 3, "")
	a.Version, a.Secret = 2, "wrong"
	call("wrong", 4, lms.BadCredentials)
	a.Auth, a.Secret = lms.Bearer, "made by somebody"
	call("a token of somebody", 4, lms.BadCredentials)
	a.Auth = lms.APIKey
	before := len(d.Book())
	if _, err := g.Put(t.Context(), a, lms.Learner{}, course, "audit", true); codeOf(err) != lms.NoAccount || len(d.Book()) != before {
		t.Error("nobody:", err)
	}
	if _, there := d.Of("worker@lms.example", course); there {
		t.Error("the caller is enrolled")
	}
}

// The list of a course comes in pages; the cursor of the next one is in a link. What is not of the course, or goes round in a circle, is no list.
func TestLists(t *testing.T) {
	for name, c := range map[string]struct {
		answer, next string
		rows         int
		code         string
	}{
		"the last page": {`{"next":null,"results":[{"user":"ada","mode":"audit","is_active":true,"course_id":"` + course + `"}]}`, "", 1, ""},
		"a page":        {`{"next":"https://lms.school.org/api?page_size=100&cursor=bmV4dA%3D%3D","results":[]}`, "bmV4dA==", 0, ""},
		"a circle":      {`{"next":"https://lms.school.org/api?cursor=here","results":[]}`, "", 0, lms.BrokenAnswer},
		"no cursor":     {`{"next":"https://lms.school.org/api","results":[]}`, "", 0, lms.BrokenAnswer},
		"other course":  {`{"next":null,"results":[{"user":"ada","mode":"audit","is_active":true,"course_id":"x"}]}`, "", 0, lms.BrokenAnswer},
		"no state":      {`{"next":null,"results":[{"user":"ada","mode":"audit","course_id":"` + course + `"}]}`, "", 0, lms.BrokenAnswer},
		"no list":       {`{}`, "", 0, lms.BrokenAnswer},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("course_id") != course || r.FormValue("cursor") != "here" {
				t.Error(r.URL)
			}
			_, _ = w.Write([]byte(c.answer))
		}))
		g, err := openedx.New(openedx.Options{Inside: []string{strings.TrimPrefix(server.URL, "http://")}})
		if err != nil {
			t.Fatal(err)
		}
		rows, next, err := g.List(t.Context(), lms.Access{BaseURL: server.URL, Auth: lms.Bearer, Secret: "k"}, course, "here")
		if len(rows) != c.rows || next != c.next || codeOf(err) != c.code {
			t.Errorf("%s: %v %q %v", name, rows, next, err)
		}
		server.Close()
	}
}

// Of a page of grades what is read is kept, with what was attempted; names are not.
func TestGrades(t *testing.T) {
	learner := `{"user_id":42,"username":"ada","full_name":"Ada L.","email":"","percent":0.5,"section_breakdown":[{"label":"HW 01","attempted":true,"percent":0.25,"module_id":"x","subsection_name":"One"},{"label":"HW 02","attempted":false,"percent":0},{"label":null,"attempted":true,"percent":1,"subsection_name":"Week 3"}]}`
	kept := `[{"user_id":42,"username":"ada","percent":0.5,"section_breakdown":[{"label":"HW 01","attempted":true,"percent":0.25},{"label":"HW 02"},{"label":"Week 3","attempted":true,"percent":1}]}]`
	for name, c := range map[string]struct{ answer, next, kept, code string }{
		"the last page": {`{"next":null,"results":[` + learner + `],"total_users_count":1}`, "", kept, ""},
		"a page":        {`{"next":"https://lms.school.org/api?cohort_id=9&cursor=bmV4dA%3D%3D","results":[` + learner + `]}`, "bmV4dA==", kept, ""},
		"nobody":        {`{"next":null,"results":[]}`, "", "[]", ""},
		"a circle":      {`{"next":"https://lms.school.org/api?cursor=here","results":[]}`, "", "", lms.BrokenAnswer},
		"no cursor":     {`{"next":"https://lms.school.org/api","results":[]}`, "", "", lms.BrokenAnswer},
		"no list":       {`{"results":null}`, "", "", lms.BrokenAnswer},
		"a word":        {`{"next":null,"results":[{"username":"ada","percent":"much"}]}`, "", "", lms.BrokenAnswer},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/grades/v1/gradebook/"+course+"/" || r.FormValue("cohort_id") != "9" || r.FormValue("cursor") != "here" {
				t.Error(r.URL)
			}
			_, _ = w.Write([]byte(c.answer))
		}))
		g, err := openedx.New(openedx.Options{Inside: []string{strings.TrimPrefix(server.URL, "http://")}})
		if err != nil {
			t.Fatal(err)
		}
		results, next, err := g.Grades(t.Context(), lms.Access{BaseURL: server.URL, Auth: lms.Bearer, Secret: "k"}, course, false, 9, "here")
		if string(results) != c.kept || next != c.next || codeOf(err) != c.code {
			t.Errorf("%s: %s %q %v", name, results, next, err)
		}
		server.Close()
	}
}
