package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/api/contract"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/transport"
	"cursus/internal/transport/api"
	"cursus/internal/transport/api/apitest"
)

// house serves a fake house and walks through it; what it logs is in the buffer.
func house(t *testing.T) (*fake, *apitest.Walker, *bytes.Buffer) {
	t.Helper()
	rooms, logged := &fake{}, &bytes.Buffer{}
	log := slog.New(slog.NewJSONHandler(logged, nil))
	narrow, err := apitest.WithoutAreas(contract.YAML)
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.Options{Rooms: rooms, Authenticate: authenticate, Contract: narrow, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s, err := transport.NewServer(transport.Options{API: a, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	w, err := apitest.New(narrow, s.Test)
	if err != nil {
		t.Fatal(err)
	}
	return rooms, w, logged
}

func with(w *apitest.Walker, operation string) apitest.Request {
	r := w.Example(operation)
	r.Token = token(api.Scopes...)
	return r
}

// Every operation answers, richly and sparsely, as the contract says; Do looks at status, type, headers and content.
func TestEveryOperationAnswersAsDocumented(t *testing.T) {
	rooms, w, _ := house(t)
	for _, sparse := range []bool{false, true} {
		rooms.sparse = sparse
		for _, o := range w.Operations() {
			before := len(rooms.calls)
			if a := w.Do(t, with(w, o.ID)); a.Status >= 300 || len(rooms.calls) != before+1 {
				t.Errorf("%s: %d after %d calls\n%s", o.ID, a.Status, len(rooms.calls)-before, a.Body)
			}
		}
	}
	again := with(w, "importGrades")
	again.Body = []byte("again")
	w.Do(t, again)
	for _, o := range w.Operations() {
		for _, status := range o.Statuses() {
			if status < 300 && w.Seen(o.ID, status) == 0 {
				t.Errorf("%s never answered %d", o.ID, status)
			}
		}
	}
	methods := reflect.TypeFor[api.Rooms]().NumMethod()
	for _, area := range []reflect.Type{reflect.TypeFor[api.AuthoringRooms](), reflect.TypeFor[api.ProgramRooms](), reflect.TypeFor[api.OfferRooms](),
		reflect.TypeFor[api.PriceRooms](), reflect.TypeFor[api.SalesRooms](), reflect.TypeFor[api.AccountRooms](), reflect.TypeFor[api.AccessRooms](), reflect.TypeFor[api.TraceRooms](), reflect.TypeFor[api.PrivacyRooms](), reflect.TypeFor[api.WebhookRooms](), reflect.TypeFor[api.CohortRooms](), reflect.TypeFor[api.RosterRooms](), reflect.TypeFor[api.LMSRooms](), reflect.TypeFor[api.ProctoringProviderRooms](), reflect.TypeFor[api.ExamRooms](), reflect.TypeFor[api.LabRooms](), reflect.TypeFor[api.ConfidenceRooms](), reflect.TypeFor[api.ProctorRooms](), reflect.TypeFor[api.BadgeRooms](), reflect.TypeFor[api.CertificateRooms](), reflect.TypeFor[api.ProgressRooms](), reflect.TypeFor[api.FigureRooms](), reflect.TypeFor[api.ExportRooms](), reflect.TypeFor[api.SurveyRooms](), reflect.TypeFor[api.OutreachRooms](), reflect.TypeFor[api.CandidateRooms]()} {
		methods -= area.NumMethod()
	}
	if n := len(w.Operations()); n != methods {
		t.Errorf("%d operations over %d methods of the rooms", n, methods)
	}
}

// What the rooms are asked is what was sent.
func TestWhatIsSentArrives(t *testing.T) {
	rooms, w, _ := house(t)
	five := int64(5000)
	when := time.Date(2018, 10, 10, 0, 0, 0, 0, time.UTC)
	until := time.Date(2025, 11, 10, 22, 0, 0, 0, time.UTC)
	const key = "4f0c2a52-6a0e-4a57-9f0f-1a3a6d7f0f11"
	for operation, want := range map[string]any{
		"placeOrder":  api.NewOrder{Key: key, OfferID: "off" + id, Lang: "fr"},
		"refundOrder": api.NewRefund{Key: key, OrderID: "ord" + id, Reason: "Asked for within the fourteen days.", AmountMinor: &five},
		"bookSitting": "enr" + id + " " + key, "recordResult": api.NewResult{SittingID: "sit" + id, State: "passed", Reference: "PX-1182", ScorePPM: &ppm},
		"createOffer":        api.NewOffer{Key: key, Session: "PRD-8", Formula: "QUALIFYING", Price: money.Of(15000, "EUR"), ValidUntil: &until},
		"putExercises":       exercises{"PRD-8", []api.Exercise{{Label: "HW 01", Week: 1, Scored: true, Activity: "quiz"}, {Label: "HW 08", Week: 2, Scored: true, Activity: "quiz"}}, 3},
		"receiveStripeEvent": event{"bytes", "t=1760000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd"},
		"revokeCertificate":  "cer" + id + " The payment was given back.",
		"importGrades":       api.Intake{Session: "PRD-8", FileName: "IMT_PRD_s7_grade_report_2018-10-31-2100.csv", Content: []byte("bytes")},
		"getIndicators":      api.IndicatorsQuestion{Session: "PRD-8", Basis: "current", Week1Rule: "first"},
		"getOutcomes":        api.OutcomesQuestion{Session: "PRD-8", Basis: "current", Week1Rule: "first", Formula: "QUALIFYING"},
	} {
		w.Do(t, with(w, operation))
		if !reflect.DeepEqual(rooms.last, want) {
			t.Errorf("%s: the rooms were asked %+v, want %+v", operation, rooms.last, want)
		}
		wantActor := "learner:per" + id
		if operation == "receiveStripeEvent" {
			wantActor = "public"
		}
		if got := rooms.actors[len(rooms.actors)-1]; got != wantActor {
			t.Errorf("%s acts as %s", operation, got)
		}
	}
	r := with(w, "getIndicators")
	r.Query = "as_of=2018-10-10T00:00:00Z&basis=ever&week1_rule=all&cohort=PRO%20%C3%A9"
	w.Do(t, r)
	if want := (api.IndicatorsQuestion{Session: "PRD-8", AsOf: when, Basis: "ever", Week1Rule: "all", Cohort: "PRO é"}); !reflect.DeepEqual(rooms.last, want) {
		t.Errorf("%+v", rooms.last)
	}
	r = with(w, "importGrades")
	r.Query, r.Body = "file_name=a%20b.csv&collected_at=2018-10-10T00:00:00Z&dry_run=true", []byte("\xff\xfea\x00\x00")
	r.Header.Set("Content-Type", "application/gzip")
	w.Do(t, r)
	if want := (api.Intake{Session: "PRD-8", FileName: "a b.csv", CollectedAt: &when, DryRun: true, Content: r.Body}); !reflect.DeepEqual(rooms.last, want) {
		t.Errorf("%+v", rooms.last)
	}
	r = with(w, "receiveStripeEvent")
	r.Body = []byte("{\"a\" : 1e400,\n\"a\":\xff}")
	w.Do(t, r)
	if got := rooms.last.(event).raw; got != string(r.Body) {
		t.Errorf("the signed bytes arrived as %q", got)
	}
}

func TestListsGoOn(t *testing.T) {
	_, w, _ := house(t)
	for _, operation := range []string{"listOrders", "listCourses", "listEnrolments"} {
		r := with(w, operation)
		var first struct {
			Next string `json:"next_cursor"`
		}
		w.Do(t, r).JSON(t, &first)
		r.Query = "limit=200&cursor=" + first.Next
		if a := w.Do(t, r); a.Status != 200 || first.Next == "" {
			t.Error(operation, first.Next, a.Status)
		}
		r.Query = "cursor=AAAA"
		if a := w.Do(t, r); a.Status != 400 || a.Code != "bad-cursor" {
			t.Error(operation, a.Status, a.Code)
		}
	}
}

// kinds of faults that a room may answer, by status.
var kinds = map[int]fault.Kind{
	400: fault.Invalid, 401: fault.Unauthenticated, 403: fault.Forbidden, 404: fault.NotFound, 409: fault.Conflict, 412: fault.Precondition,
	413: fault.TooLarge, 415: fault.Unsupported, 422: fault.Unprocessable, 429: fault.TooMany, 503: fault.Unavailable,
}

// Every problem that an operation documents is one that it can answer, with the code, the detail and the fields of the room.
func TestEveryDocumentedProblemCanBeAnswered(t *testing.T) {
	rooms, w, logged := house(t)
	for _, o := range w.Operations() {
		for _, status := range o.Statuses() {
			if status < 400 {
				continue
			}
			rooms.failing = errors.New("pq: the secret of the database")
			if kind, ok := kinds[status]; ok {
				rooms.failing = fmt.Errorf("room: %w", fault.New(kind, "the-code", "The detail.").At("/x", "bad-x", strings.Repeat("é", 2000)))
			}
			a := w.Do(t, with(w, o.ID))
			if a.Status != status || status != 500 && (a.Code != "the-code" || !bytes.Contains(a.Body, []byte("bad-x"))) {
				t.Errorf("%s: %d %s, want %d", o.ID, a.Status, a.Code, status)
			}
			if bytes.Contains(a.Body, []byte("secret")) || len(a.Header.Values("Location")) > 0 {
				t.Errorf("%s says too much: %s", o.ID, a.Body)
			}
		}
	}
	if !strings.Contains(logged.String(), "the secret of the database") {
		t.Error("the cause of our failure is not in the log")
	}
}

func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	rooms, w, _ := house(t)
	sent := w.BadInput(t, token, rooms.fingerprint)
	odd := w.OddInput(t, token)
	t.Logf("%d bad requests, %d odd ones", sent, odd)
	if sent < 2000 || odd < 50 {
		t.Errorf("only %d bad and %d odd requests", sent, odd)
	}
}

func TestScopes(t *testing.T) {
	_, w, _ := house(t)
	w.Scopes(t, token, api.Scopes)
	for _, s := range api.Scopes {
		if !bytes.Contains(contract.YAML, []byte("x-scope: "+s+"\n")) {
			t.Errorf("no operation needs the scope %s", s)
		}
	}
	r := w.Example("getMe")
	if r.Token = "down"; w.Do(t, r).Status != 503 {
		t.Error("a database that does not answer is not the caller's fault")
	}
}

func TestAPanicIsOurFailure(t *testing.T) {
	rooms, w, logged := house(t)
	rooms.panics = true
	a := w.Do(t, with(w, "placeOrder"))
	if a.Status != 500 || bytes.Contains(a.Body, []byte("secret")) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if !strings.Contains(logged.String(), "a secret of the room") || !strings.Contains(logged.String(), "fake_test.go") {
		t.Error("no stack in the log")
	}
}

func TestTheLogKnowsNobody(t *testing.T) {
	_, w, logged := house(t)
	r := with(w, "getIndicators")
	r.Query = "cohort=Zo%C3%A9"
	r.Header.Set("X-Request-Id", "abc-1")
	w.Do(t, r)
	w.Do(t, with(w, "verifyCertificate"))
	w.Do(t, with(w, "importGrades"))
	for _, bad := range []string{"Zo", "cohort", "7qx4", "scopes-", "per_", "PRD"} {
		if strings.Contains(logged.String(), bad) {
			t.Errorf("the log has %q: %s", bad, logged)
		}
	}
	for _, want := range []string{`"request":"abc-1"`, `"operation":"getIndicators"`, `"status":200`, `"bytes_in":5`, `"ms":`} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log lacks %s: %s", want, logged)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	_, w, _ := house(t)
	for _, theirs := range []string{"", "a b", strings.Repeat("a", 65), "ü", "abc.D-1_2"} {
		r := with(w, "getMe")
		r.Header.Set("X-Request-Id", theirs)
		got := w.Do(t, r).Header.Get("X-Request-Id")
		if kept := got == theirs; kept != (theirs == "abc.D-1_2") || got == "" {
			t.Errorf("%q became %q", theirs, got)
		}
	}
}

func TestAddressesAndMethodsThatDoNotExist(t *testing.T) {
	rooms, w, _ := house(t)
	for _, c := range []struct {
		method, address, code, allow string
		status                       int
	}{
		{"GET", "/v1", "no-such-address", "", 404}, {"GET", "/v1/", "no-such-address", "", 404}, {"GET", "/v1/nothing", "no-such-address", "", 404},
		{"POST", "/v1/orders/x/y/z", "no-such-address", "", 404}, {"GET", "/v1//orders", "no-such-address", "", 404}, {"GET", "/V1/orders", "", "", 404},
		{"DELETE", "/v1/orders", "method-not-allowed", "GET, HEAD, POST", 405}, {"GET", "/v1/webhooks/stripe", "method-not-allowed", "POST", 405},
		{"PATCH", "/v1/sessions/x", "method-not-allowed", "GET, HEAD", 405}, {"OPTIONS", "/v1/me", "method-not-allowed", "GET, HEAD", 405},
		{"TRACE", "/v1/me", "method-not-allowed", "GET, HEAD", 405}, {"GET", "/v1x", "", "", 404}, {"GET", "/nowhere", "", "", 404},
	} {
		a := w.Raw(t, c.method, c.address, apitest.Request{})
		var p struct{ Code string }
		if strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") {
			a.JSON(t, &p)
		}
		if a.Status != c.status || p.Code != c.code || a.Header.Get("Allow") != c.allow || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: %d %s %v", c.method, c.address, a.Status, a.Body, a.Header)
		}
	}
	if len(rooms.calls) > 0 {
		t.Error(rooms.calls)
	}
	if a := w.Raw(t, "HEAD", "/v1/courses", apitest.Request{}); a.Status != 200 || len(a.Body) > 0 {
		t.Errorf("HEAD: %d %q", a.Status, a.Body)
	}
}

func TestIfMatch(t *testing.T) {
	rooms, w, _ := house(t)
	for tag, want := range map[string]int{`"3"`: 3, `"3-FfiSrjlWuS4sJh5_"`: 3, `"-3"`: -1, `*`: 0, `"0"`: -1, `"-1"`: -1, `"03"`: -1, `W/"3"`: -1, `"abc"`: -1, `""`: -1, `"99999999999999999999"`: -1} {
		r := with(w, "putExercises")
		r.Header.Set("If-Match", tag)
		before := len(rooms.calls)
		a := w.Do(t, r)
		if want < 0 && (a.Status != 412 || len(rooms.calls) != before) || want >= 0 && (a.Status != 200 || rooms.last.(exercises).version != want) {
			t.Errorf("%s: %d", tag, a.Status)
		}
	}
	a := w.Do(t, with(w, "getSession"))
	if !strings.HasPrefix(a.Header.Get("ETag"), `"3-`) {
		t.Error(a.Header)
	}
}

func TestTimesAreUTC(t *testing.T) {
	_, w, _ := house(t)
	if a := w.Do(t, with(w, "getOrder")); !bytes.Contains(a.Body, []byte(`"placed_at":"2025-10-09T08:53:20.123456Z"`)) {
		t.Errorf("%s", a.Body)
	}
}

// A contract that does not say who may do something does not start.
func TestAnOperationWithoutAScopeDoesNotStart(t *testing.T) {
	for old, replacement := range map[string]string{
		"      x-scope: refunds:write\n": "", "x-scope: refunds:write": "x-scope: refund:write", "x-scope: orders:read": "x-scope: public",
		"      operationId: getQueue\n": "", "openapi: 3.0.3": "openapi: [", "x-max-bytes: 1048576": "x-max-bytes: none",
	} {
		broken := strings.Replace(string(contract.YAML), old, replacement, 1)
		if broken == string(contract.YAML) {
			t.Fatalf("the contract has no %q", old)
		}
		if _, err := api.New(api.Options{Rooms: &fake{}, Authenticate: authenticate, Contract: []byte(broken)}); err == nil {
			t.Errorf("a contract with %q for %q starts", replacement, old)
		}
	}
	if _, err := api.New(api.Options{Contract: contract.YAML, Authenticate: authenticate}); err == nil {
		t.Error("an API without rooms starts")
	}
}

func TestARoomThatTakesTooLong(t *testing.T) {
	rooms := &fake{waits: true}
	quick := bytes.Replace(contract.YAML, []byte("x-timeout-seconds: 30\n"), []byte("x-timeout-seconds: 1\n"), 1)
	a, err := api.New(api.Options{Rooms: rooms, Authenticate: authenticate, Contract: quick})
	if err != nil {
		t.Fatal(err)
	}
	s, err := transport.NewServer(transport.Options{API: a})
	if err != nil {
		t.Fatal(err)
	}
	w, err := apitest.New(contract.YAML, s.Test)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Do(t, with(w, "placeOrder")); got.Status != 503 || got.Code != "timeout" {
		t.Error(got.Status, got.Code)
	}
}

func TestWhoRunsItIsAnswered(t *testing.T) {
	a, err := api.New(api.Options{Rooms: &fake{}, Authenticate: authenticate, Contract: contract.YAML})
	if err != nil {
		t.Fatal(err)
	}
	var notReady error
	s, err := transport.NewServer(transport.Options{
		API: a, Ready: func(context.Context) error { return notReady },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) int {
		r, _ := http.NewRequest(http.MethodGet, "http://x.example"+path, nil) //nolint:errcheck // it is our own
		answer, err := s.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if got := []int{get("/healthz"), get("/readyz"), get("/metrics")}; !slices.Equal(got, []int{200, 200, 200}) {
		t.Error(got)
	}
	if notReady = errors.New("pq: down"); get("/readyz") != 503 || get("/healthz") != 200 {
		t.Error("ready without a database")
	}
}

// What is wrong is said with its place and its rule, all of it at once.
func TestErrorsPointToTheirPlace(t *testing.T) {
	_, w, _ := house(t)
	for _, c := range []struct{ operation, query, body, want string }{
		{"createOffer", "", `{"price":{"amount_minor":-1,"currency":"eur"},"valid_from":"2025-02-30T00:00:00Z","x~/y":1}`,
			"/formula required, /price/amount_minor minimum, /price/currency pattern, /valid_from format, /x~0~1y unknown"},
		{"createOffer", "", `{"formula":null,"price":[]}`, "/formula nullable, /price type"},
		{"createSession", "", `{"key":"-","course":"PRD","title":{},"platform":"x","threshold_ppm":1000001,"exercises":[{"label":"a","week":1,"scored":true,"activity":"sleep"}]}`,
			"/exercises/0/activity enum, /key pattern, /threshold_ppm maximum, /title min-properties"},
		{"placeOrder", "", `{"offer_id":1.5,"lang":"fr"}`, "/offer_id not-an-integer"},
		{"placeOrder", "", `[]`, " type"},
		{"revokeCertificate", "", `{"reason":"` + strings.Repeat("é", 201) + `"}`, "/reason max-length"},
		{"listOrders", "limit=0&cursor=&x=1", "", "query/cursor min-length, query/cursor pattern, query/limit minimum, query/x unknown"},
		{"getIndicators", "as_of=2025-02-30T00:00:00Z&basis=all", "", "query/as_of format, query/basis enum"},
	} {
		r := with(w, c.operation)
		r.Query = c.query
		if c.body != "" {
			r.Body = []byte(c.body)
		}
		a := w.Do(t, r)
		var p struct {
			Errors []struct{ Pointer, Code string }
		}
		a.JSON(t, &p)
		var got []string
		for _, e := range p.Errors {
			got = append(got, e.Pointer+" "+e.Code)
		}
		if s := strings.Join(got, ", "); a.Status != 400 || s != c.want {
			t.Errorf("%s %s: %d %s\nwant %s", c.operation, c.body, a.Status, s, c.want)
		}
	}
}
