package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cursus/internal/platform/telemetry"
)

func TestLogsHideSecrets(t *testing.T) {
	var b bytes.Buffer
	log := telemetry.NewLog(&b, "warn")
	log.Info("quiet")
	log.Warn("loud", "Stripe-Signature", "t=1,v1=abc", "api_token", "tok", "email", "a@b.c", "order", "ord_1")
	if s := b.String(); strings.Contains(s, "quiet") || strings.Contains(s, "abc") || strings.Contains(s, `"tok"`) || strings.Contains(s, "a@b.c") || !strings.Contains(s, `"order":"ord_1"`) {
		t.Error(s)
	}
}

func TestMetricsAreThere(t *testing.T) {
	m := telemetry.NewMetrics()
	m.Request("placeOrder", "201", 30*time.Millisecond)
	m.Job("sales.order_paid", "done")
	m.Gauge("cursus_jobs_dead", "x", func(context.Context) (int64, error) { return 3, nil })
	m.Gauge("cursus_lost", "x", func(context.Context) (int64, error) { return 0, errors.New("gone") })
	r := httptest.NewRecorder()
	m.Handler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`cursus_http_requests_total{route="placeOrder",status="201"} 1`, `cursus_jobs_total{kind="sales.order_paid",result="done"} 1`, "cursus_jobs_dead 3", "cursus_lost -1", "go_goroutines"} {
		if !strings.Contains(r.Body.String(), want) {
			t.Errorf("%s is not there", want)
		}
	}
}
