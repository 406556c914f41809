package labgate_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cursus/internal/domain/labs"
	"cursus/internal/gateways/labgate"
)

// A stop request reaches a provider that may be spoken to, with its signature; a machine that is gone is stopped; what is inside is not called.
func TestAStopGoesWhereItMay(t *testing.T) {
	var got http.Header
	status := http.StatusNoContent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.WriteHeader(status)
	}))
	defer server.Close()
	g, err := labgate.New(labgate.Options{Inside: []string{strings.TrimPrefix(server.URL, "http://")}})
	if err != nil {
		t.Fatal(err)
	}
	m := labs.Message{URL: server.URL + "/stop", ID: "lln_1.stop.2", Timestamp: "3", Signature: "v1,x", Body: "{}"}
	for s, good := range map[int]bool{200: true, 204: true, 404: true, 410: true, 400: false, 401: false, 302: false, 500: false, 503: false} {
		status = s
		if err := g.Stop(t.Context(), m); (err == nil) != good || err != nil && !errors.Is(err, labs.ErrProvider) {
			t.Error(s, err)
		}
	}
	if got.Get("webhook-id") != m.ID || got.Get("webhook-timestamp") != m.Timestamp || got.Get("webhook-signature") != m.Signature {
		t.Error(got)
	}
	shut, err := labgate.New(labgate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	if err := shut.Stop(t.Context(), m); !errors.Is(err, labs.ErrProvider) || got != nil {
		t.Error("an inside address was called:", err, got)
	}
	if err := shut.Check(m.URL); !errors.Is(err, labs.ErrURL) {
		t.Error(err)
	}
	if err := g.Check("https://labs.school.org/launch"); err != nil {
		t.Error(err)
	}
	if _, err := labgate.New(labgate.Options{Inside: []string{"nowhere"}}); !errors.Is(err, labgate.ErrInside) {
		t.Error(err)
	}
}
