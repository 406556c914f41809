package exams_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/gateways/proctordouble"
	"cursus/internal/gateways/proctoring"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/lti"
	"cursus/internal/platform/postgres"
)

// newTooled opens a room with learners whose exam a tool of LTI watches over. url is the address of the tool; what it calls answers as the API would.
func newTooled(t testing.TB, learners int) (*watched, *proctordouble.Tool) {
	w := &watched{room: newRoom(t, learners)}
	house := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		var out []byte
		var err error
		switch strings.TrimPrefix(r.URL.Path, "/v1/proctoring-providers/tool/") {
		case "keys":
			out, err = w.exams.ProviderKeys(r.Context(), "tool")
		case "token":
			out, err = w.exams.GrantProvider(r.Context(), "tool", body.String())
		case "control":
			err = w.exams.HearProctor(r.Context(), "tool", exams.ProctorMessage{Call: "control", Authorization: r.Header.Get("Authorization"), Body: body.Bytes()})
			out = []byte(`{"status":"running"}`)
		}
		if err != nil {
			http.Error(rw, err.Error(), http.StatusUnauthorized)
			return
		}
		_, _ = rw.Write(out)
	}))
	t.Cleanup(house.Close)
	var tool *proctordouble.Tool
	there := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { tool.ServeHTTP(rw, r) }))
	t.Cleanup(there.Close)
	w.url = there.URL
	tool, err := proctordouble.NewTool(proctordouble.ToolConfig{PublicURL: w.url, Issuer: house.URL + "/v1/proctoring-providers/tool", LoginURL: house.URL + "/exams/lti", ClientID: "client-7", Deployment: "d", Clock: w.clock})
	w.must(err)
	gate, err := proctoring.New(proctoring.Options{Inside: []string{strings.TrimPrefix(w.url, "http://")}, Clock: w.clock})
	w.must(err)
	w.must(w.exams.ProctorWith(gate, []byte(sealing), house.URL))
	_, err = w.exams.PutProvider(system, "tool", -1, exams.NewProvider{Name: "Tool", Kind: exams.ProctorLTI, BaseURL: w.url + "/login", TargetURL: w.url + "/launch", KeysURL: w.url + "/jwks", ClientID: "client-7", Deployment: "d"})
	w.must(err)
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return w.exams.WatchTx(ctx, tx, w.session.ID, exams.Proctored, "tool")
	})
	return w, tool
}

func (w *watched) launch(i int, sitting string, ends bool) (ticket exams.Ticket, err error) {
	err = w.try(system, func(ctx context.Context, tx *postgres.Tx) error {
		ticket, err = w.exams.LaunchTx(ctx, tx, sitting, w.learners[i], ends)
		return err
	})
	return ticket, err
}

// post posts what a browser does, and gives where that leads and what stands there.
func (w *watched) post(p lti.Post, follow bool) (to *url.URL, shown string) {
	w.Helper()
	form := url.Values{}
	for _, f := range p.Fields {
		form.Set(f[0], f[1])
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		if follow {
			return nil
		}
		return http.ErrUseLastResponse
	}}
	a, err := browser.PostForm(p.URL, form) //nolint:noctx // a test
	w.must(err)
	defer func() { _ = a.Body.Close() }()
	var body bytes.Buffer
	_, err = body.ReadFrom(a.Body)
	w.must(err)
	to = a.Request.URL
	if at, err := a.Location(); err == nil {
		to = at
	}
	return to, body.String()
}

// login begins a launch, and gives what the tool answers our login with.
func (w *watched) login(i int, sitting string, ends bool) lti.Login {
	w.Helper()
	ticket, err := w.launch(i, sitting, ends)
	w.must(err)
	to, _ := w.post(ticket.Post, false)
	v := to.Query()
	return lti.Login{Scope: v.Get("scope"), ResponseType: v.Get("response_type"), ResponseMode: v.Get("response_mode"), Prompt: v.Get("prompt"), ClientID: v.Get("client_id"), RedirectURI: v.Get("redirect_uri"),
		LoginHint: v.Get("login_hint"), Hint: v.Get("lti_message_hint"), State: v.Get("state"), Nonce: v.Get("nonce")}
}

var carried = regexp.MustCompile(`name="JWT" value="([^"]+)"`)

// setUp brings a browser to the tool, and gives the message that it brings back.
func (w *watched) setUp(i int, sitting string) (token string) {
	w.Helper()
	answer, err := w.exams.AnswerLogin(system, w.learners[i], w.login(i, sitting, false))
	w.must(err)
	_, shown := w.post(answer.Post, true)
	m := carried.FindStringSubmatch(shown)
	if m == nil {
		w.Fatal(shown)
	}
	return html.UnescapeString(m[1])
}

// What breaks: who sits does not come to a tool of LTI and back; she starts before it set her up; what it flags and ends is not noted; it is not told
// of the end that it asked for.
func TestAnAttemptGoesTheWholeWayByLTI(t *testing.T) {
	w, tool := newTooled(t, 1)
	if _, trouble, err := w.exams.ProbeProvider(system, "tool"); err != nil || trouble != nil {
		t.Error(trouble, err)
	}
	x := w.sitting(0, "")
	_, err := w.launch(0, x.ID, false)
	w.wants(err, exams.ErrNoAttempt)
	a, err := w.learner(0, x.ID, exams.EvDownload)
	w.must(err)
	_, err = w.learner(0, x.ID, exams.EvStart)
	w.wants(err, exams.ErrNotReady)
	_, err = w.launch(0, x.ID, true)
	w.wants(err, exams.ErrNoLaunch)
	token := w.setUp(0, x.ID)
	s := tool.Sessions()
	if len(s) != 1 || s[0].Resource != x.ID || s[0].Attempt != 1 || s[0].Subject == w.learners[0] || s[0].Title != "Networks" {
		t.Fatalf("%+v", s)
	}
	for range 2 { // the browser sends it again
		if e, err := w.exams.ComeBack(system, "tool", token); err != nil || e != w.enrolments[0] {
			t.Error(e, err)
		}
		if a := w.attempt(x.ID); a.State != exams.ReadyToStart {
			t.Fatal(a.State)
		}
	}
	_, err = w.learner(0, x.ID, exams.EvStart)
	w.must(err)
	w.must(tool.Control(context.Background(), s[0], "flag", "7", "0.5", "a second face"))
	w.setUp(0, x.ID) // her browser died: she comes back to the tool, and the attempt goes on
	_, err = w.launch(0, x.ID, true)
	w.wants(err, exams.ErrNotYet)
	_, err = w.learner(0, x.ID, exams.EvSubmit)
	w.must(err)
	_, err = w.launch(0, x.ID, false)
	w.wants(err, exams.ErrAttemptOver)
	answer, err := w.exams.AnswerLogin(system, w.learners[0], w.login(0, x.ID, true))
	w.must(err)
	if _, shown := w.post(answer.Post, true); !strings.Contains(shown, "The recording has ended.") || !answer.Ends {
		t.Error(shown)
	}
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		g, _, err := exams.ProctoringTx(ctx, tx, a.ID)
		if !g.WantsEnd || g.EndedAt == nil || g.DueAt != nil {
			t.Errorf("%+v", g)
		}
		return err
	})
	w.must(tool.Control(context.Background(), s[0], "terminate", "1", "0.0", ""))
	w.jobs()
	y := w.attempt(x.ID)
	if y.State != exams.Verified {
		t.Errorf("%+v", y)
	}
	_, err = w.act("staff:ann", x.ID, "", 800_000)
	w.must(err)
	if s := w.stands(x.ID); s.State != exams.Passed {
		t.Errorf("%+v", s)
	}
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		story, err := exams.StoryTx(ctx, tx, x.ID)
		if len(story.Incidents) != 1 || story.Incidents[0].Severity != 50 {
			t.Errorf("%+v", story.Incidents)
		}
		return err
	})
	w.verify()
}

// What breaks: a login that is not the tool's, or not of the browser that began it, gets a message; a message is carried twice.
func TestALoginIsAnsweredOnceToTheToolByItsOwnBrowser(t *testing.T) {
	w, _ := newTooled(t, 2)
	x := w.sitting(0, "")
	_, err := w.learner(0, x.ID, exams.EvDownload)
	w.must(err)
	_, err = w.launch(1, x.ID, false)
	w.wants(err, exams.ErrNoSitting)
	good := w.login(0, x.ID, false)
	for name, spoil := range map[string]func(*lti.Login){
		"another address": func(a *lti.Login) { a.RedirectURI = "https://evil.example/" }, "another client": func(a *lti.Login) { a.ClientID = "client-8" }, "another attempt": func(a *lti.Login) { a.Hint = "att_1" },
		"no nonce": func(a *lti.Login) { a.Nonce = "" }, "no state": func(a *lti.Login) { a.State = "" }, "another flow": func(a *lti.Login) { a.ResponseType = "code" },
	} {
		bad := good
		spoil(&bad)
		if _, err := w.exams.AnswerLogin(system, w.learners[0], bad); !errors.Is(err, lti.ErrLogin) {
			t.Error(name, err)
		}
	}
	_, err = w.exams.AnswerLogin(system, w.learners[1], good)
	w.wants(err, exams.ErrNoLaunch)
	none := good
	none.LoginHint = "pln_1"
	_, err = w.exams.AnswerLogin(system, w.learners[0], none)
	w.wants(err, exams.ErrNoLaunch)
	_, err = w.exams.AnswerLogin(system, w.learners[0], good)
	w.must(err)
	_, err = w.exams.AnswerLogin(system, w.learners[0], good)
	w.wants(err, exams.ErrLaunchSpent)
	late := w.login(0, x.ID, false)
	w.clock.Advance(5 * time.Minute)
	_, err = w.exams.AnswerLogin(system, w.learners[0], late)
	w.wants(err, exams.ErrLaunchSpent)
	gone := w.login(0, x.ID, false)
	_, err = w.learner(0, x.ID, exams.EvDecline)
	w.must(err)
	_, err = w.exams.AnswerLogin(system, w.learners[0], gone)
	w.wants(err, exams.ErrDecided)
	w.verify()
}

// What breaks: LtiStartAssessment of nobody, of another time, of another attempt, or for the second time, sets somebody up; a right that ended
// meanwhile does not keep her from the start.
func TestWhatComesBackSetsUpWhoWasSent(t *testing.T) {
	w, tool := newTooled(t, 2)
	x, y := w.sitting(0, ""), w.sitting(1, "")
	for i, one := range []exams.Sitting{x, y} {
		_, err := w.learner(i, one.ID, exams.EvDownload)
		w.must(err)
		w.setUp(i, one.ID)
	}
	s := tool.Sessions()
	says := func(change func(m map[string]any)) string {
		m := tool.StartAssessment(s[0])
		if change != nil {
			change(m)
		}
		token, err := tool.Sign(m)
		w.must(err)
		return token
	}
	his := tool.StartAssessment(s[1])
	body := strings.Split(says(nil), ".")[1]
	other, err := proctordouble.NewTool(proctordouble.ToolConfig{ClientID: "client-7", Deployment: "d", Clock: clock.NewManual(w.clock.Now())})
	w.must(err)
	foreign, err := other.Sign(tool.StartAssessment(s[0]))
	w.must(err)
	for name, token := range map[string]string{
		"no signature":              base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + body + ".",
		"a signature of another":    foreign,
		"another client":            says(func(m map[string]any) { m["iss"] = "client-8" }),
		"for another platform":      says(func(m map[string]any) { m["aud"] = "https://elsewhere.example.org" }),
		"expired":                   says(func(m map[string]any) { m["exp"] = w.clock.Now().Add(-time.Hour).Unix() }),
		"without a nonce":           says(func(m map[string]any) { m["nonce"] = "" }),
		"of another deployment":     says(func(m map[string]any) { m[lti.Claim+"deployment_id"] = "e" }),
		"with his session":          says(func(m map[string]any) { m[proctordouble.AP+"session_data"] = his[proctordouble.AP+"session_data"] }),
		"of another sitting":        says(func(m map[string]any) { m[lti.Claim+"resource_link"] = map[string]string{"id": y.ID} }),
		"of another attempt":        says(func(m map[string]any) { m[proctordouble.AP+"attempt_number"] = 2 }),
		"with a session of its own": says(func(m map[string]any) { m[proctordouble.AP+"session_data"] = foreign }),
	} {
		if _, err := w.exams.ComeBack(system, "tool", token); !errors.Is(err, exams.ErrForged) && !errors.Is(err, exams.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i, one := range []exams.Sitting{x, y} {
		if a := w.attempt(one.ID); a.State != exams.Downloading {
			t.Error(i, a.State)
		}
	}
	_, err = w.exams.ComeBack(system, "tool", says(nil))
	w.must(err)
	_, err = w.exams.ComeBack(system, "tool", says(nil)) // another message of the same launch
	w.wants(err, exams.ErrForged)
	if a := w.attempt(x.ID); a.State != exams.ReadyToStart {
		t.Error(a.State)
	}
	_, err = w.learner(1, x.ID, exams.EvStart)
	w.wants(err, exams.ErrNoSitting)
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, "ord_0", "refunded")
		return err
	})
	if _, err := w.learner(0, x.ID, exams.EvStart); err == nil {
		t.Error("she starts after her right has ended")
	}
	w.verify()
}
