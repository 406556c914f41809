// Package telemetry is what those who run Cursus see of it: logs as JSON lines, and metrics for Prometheus.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// secretKeys are parts of attribute names whose values never reach a log.
var secretKeys = []string{"secret", "token", "password", "authorization", "cookie", "email", "signature"}

// NewLog writes JSON lines at and above a level (debug, info, warn, error; anything else is info). Values whose key names a
// secret or an address are left out.
func NewLog(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		key := strings.ToLower(a.Key)
		for _, s := range secretKeys {
			if strings.Contains(key, s) {
				return slog.String(a.Key, "[left out]")
			}
		}
		return a
	}}))
}

// Metrics are the numbers of one process.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	jobs     *prometheus.CounterVec
}

// NewMetrics makes a registry of its own, with the runtime's numbers in it.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cursus_http_requests_total", Help: "Requests by class of route and status."}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cursus_http_request_seconds", Help: "Time to answer, by class of route.", Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cursus_jobs_total", Help: "Jobs worked on, by kind and result."}, []string{"kind", "result"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.jobs, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gauge adds a number that is asked for when somebody looks; an error leaves it at −1.
func (m *Metrics) Gauge(name, help string, ask func(ctx context.Context) (int64, error)) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		n, err := ask(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	}))
}

// Request counts a request. route is the pattern or the operation, never the path: paths carry ids.
func (m *Metrics) Request(route, status string, took time.Duration) {
	m.requests.WithLabelValues(route, status).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// Job counts a job that was worked on.
func (m *Metrics) Job(kind, result string) { m.jobs.WithLabelValues(kind, result).Inc() }

// Handler answers /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
