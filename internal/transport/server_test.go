package transport_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	client "cursus/api"
	"cursus/api/contract"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/fault"
	"cursus/internal/transport"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// rooms takes reports and events; nothing else is asked here.
type rooms struct {
	api.Rooms
	got  chan int
	hold chan struct{}
}

func (r rooms) ImportGrades(_ context.Context, _ api.Principal, i api.Intake) (gradebook.Collection, error) {
	r.got <- len(i.Content)
	if r.hold != nil {
		<-r.hold
	}
	return gradebook.Collection{ID: "col_01kb5t8kz9e0qv4m3r2x7nwhjd", FileName: i.FileName, Family: "legacy"}, nil
}

func (r rooms) ReceiveStripeEvent(_ context.Context, raw []byte, _ string) error {
	r.got <- len(raw)
	return nil
}

func authenticate(_ context.Context, secret string) (api.Principal, error) {
	if secret != "good" {
		return api.Principal{}, fault.New(fault.Unauthenticated, "not-signed-in", "Nobody.")
	}
	return api.Principal{PersonID: "per_1", Actor: "staff:per_1", Scopes: api.Scopes}, nil
}

// serve listens on an address of this machine until the test ends.
func serve(t *testing.T, r rooms) string {
	t.Helper()
	a, err := api.New(api.Options{Rooms: r, Authenticate: authenticate, Contract: contract.YAML, Uploads: 1})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := web.New(web.Options{BaseURL: "http://127.0.0.1", Secret: []byte(strings.Repeat("s", 32)), Contract: contract.YAML})
	if err != nil {
		t.Fatal(err)
	}
	s, err := transport.NewServer(transport.Options{API: a, Pages: pages})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// talk sends raw bytes and reads one answer.
func talk(t *testing.T, address, raw string) (status int, body string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(c, raw) }() // the server may answer, and hang up, before it has everything
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%.60q: %v", raw, err)
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

const upload = "POST /v1/sessions/PRD-8/collections?file_name=a.csv HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"

// Nobody makes us read a body that we do not want: the answer comes before the body does.
func TestABodyIsReadOnlyFromWhoMaySendIt(t *testing.T) {
	address := serve(t, rooms{got: make(chan int, 9)})
	const webhook = "POST /v1/webhooks/stripe HTTP/1.1\r\nHost: x\r\nStripe-Signature: t=1\r\n"
	for name, c := range map[string]struct {
		raw    string
		status int
		code   string
	}{
		"a report of nobody":            {upload + "Content-Length: 200000000\r\n\r\n" + strings.Repeat("x", 9000), 401, "not-signed-in"},
		"a report of nobody, in chunks": {upload + "Transfer-Encoding: chunked\r\n\r\n", 401, "not-signed-in"},
		"a report that is too large":    {upload + "Authorization: Bearer good\r\nContent-Length: 300000000\r\n\r\n" + strings.Repeat("x", 9000), 413, "body-too-large"},
		"an event that is too large":    {webhook + "Content-Length: 1048577\r\n\r\n" + strings.Repeat("x", 9000), 413, "body-too-large"},
		"an endless event":              {webhook + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat("x", 0x10000)+"\r\n", 17), 413, "body-too-large"},
		"an endless form":               {"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("8000\r\n"+strings.Repeat("x", 0x8000)+"\r\n", 3), 413, ""},
		"a large form":                  {"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 9000), 413, ""},
		"a broken chunk":                {webhook + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "body-incomplete"},
		"large headers":                 {"GET /v1/me HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 20000) + "\r\n\r\n", 431, ""},
		"no HTTP":                       {"nonsense\r\n\r\n", 400, ""},
	} {
		status, body := talk(t, address, c.raw)
		if status != c.status || !strings.Contains(body, c.code) {
			t.Errorf("%s: %d %s, want %d %s", name, status, body, c.status, c.code)
		}
	}
}

func TestALargeReportArrivesWholeAndOneAtATime(t *testing.T) {
	r := rooms{got: make(chan int, 9), hold: make(chan struct{})}
	address := serve(t, r)
	body := strings.Repeat("x", 20<<20)
	first := make(chan int, 1)
	go func() {
		status, _ := talk(t, address, fmt.Sprintf("%sAuthorization: Bearer good\r\nContent-Length: %d\r\n\r\n%s", upload, len(body), body))
		first <- status
	}()
	if n := <-r.got; n != len(body) {
		t.Errorf("%d bytes arrived", n)
	}
	if status, answer := talk(t, address, upload+"Authorization: Bearer good\r\nContent-Length: 1\r\n\r\nx"); status != 429 {
		t.Error(status, answer)
	}
	close(r.hold)
	if status := <-first; status != 201 {
		t.Error(status)
	}
	var chunks strings.Builder
	for range 40 {
		fmt.Fprintf(&chunks, "8000\r\n%s\r\n", body[:0x8000])
	}
	status, answer := talk(t, address, upload+"Authorization: Bearer good\r\nTransfer-Encoding: chunked\r\n\r\n"+chunks.String()+"0\r\n\r\n")
	if n := <-r.got; status != 201 || n != 40*0x8000 {
		t.Error(status, n, answer)
	}
}

// The pages and the API stand on one address.
func TestPagesStandBesideTheAPI(t *testing.T) {
	address := serve(t, rooms{got: make(chan int, 9)})
	for path, want := range map[string]string{"/docs": "placeOrder", "/healthz": "ok", "/nowhere": "<html", "/docs/openapi.yaml": "openapi: 3.0.3"} {
		if _, body := talk(t, address, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.Contains(body, want) {
			t.Errorf("%s: %.200s", path, body)
		}
	}
	if status, _ := talk(t, address, "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b"); status != 403 {
		t.Error("a form came to no page:", status)
	}
}

// A partner's program speaks through the generated client.
func TestTheGeneratedClient(t *testing.T) {
	r := rooms{got: make(chan int, 1)}
	c, err := client.NewClientWithResponses("http://" + serve(t, r))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	send := func(editors ...client.RequestEditorFn) *client.ImportGradesResponse {
		answer, err := c.ImportGradesWithBodyWithResponse(ctx, "PRD-8", &client.ImportGradesParams{FileName: "é b.csv"}, "text/csv", strings.NewReader("x"), editors...)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if a := send(); a.ApplicationproblemJSONDefault == nil || a.ApplicationproblemJSONDefault.Code != "not-signed-in" {
		t.Errorf("%s", a.Body)
	}
	a := send(func(_ context.Context, in *http.Request) error {
		in.Header.Set("Authorization", "Bearer good")
		return nil
	})
	if a.JSON201 == nil || a.JSON201.FileName != "é b.csv" || <-r.got != 1 {
		t.Errorf("%d %s", a.StatusCode(), a.Body)
	}
}
