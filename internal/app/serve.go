package app

import (
	"context"
	"errors"
	"net"
	"net/url"
	"runtime/debug"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/exchange"
	"cursus/internal/domain/lms"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/telemetry"
	"cursus/internal/transport"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// Serving says what a process does.
type Serving struct {
	Contract []byte
	Listen   net.Listener // nil: no API and no pages
	Worker   bool
	Metrics  *telemetry.Metrics
}

// grace is how long running requests and jobs may take after the end was asked for and the draining is over.
const grace = 25 * time.Second

// gcPercent lets garbage grow to so much of what is in use before it is collected. What a server has in use is a few dozen megabytes,
// which the usual 100 would collect many times a second under load: a fifth of its processor time. Another GOGC goes before it.
const gcPercent = 400

// catchUp is how far back missed events of the payment provider are looked for; it keeps them 30 days.
const catchUp = 3 * 24 * time.Hour

// NewServer puts the API and the pages on one server.
func NewServer(h *House, contract []byte, m *telemetry.Metrics) (*transport.Server, error) {
	rooms := NewRooms(h)
	a, err := api.New(api.Options{Rooms: rooms, Authenticate: rooms.Authenticate, Contract: contract, Log: h.Log, Clock: h.Clock, Cache: h.cache()})
	if err != nil {
		return nil, err
	}
	pages, err := web.New(web.Options{
		House: NewPages(h), BaseURL: h.Config.BaseURL, Secret: []byte(h.Config.Secret), PayOrigins: payOrigins(h), Demo: h.Config.Demo,
		Contract: contract, Log: h.Log, Clock: h.Clock,
	})
	if err != nil {
		return nil, err
	}
	o := transport.Options{API: a, Pages: pages, Ready: h.Ready, TrustedProxies: h.Config.TrustedProxies, Log: h.Log}
	if m != nil {
		o.Metrics, o.Observe = m.Handler(), m.Request
		m.Gauge("cursus_answers_kept", "Answers for the public that are kept.", func(context.Context) (int64, error) { return int64(h.Kept()), nil })
		m.Gauge("cursus_jobs_pending", "Jobs that wait.", func(ctx context.Context) (int64, error) { c, err := h.Jobs.Count(ctx); return c.Pending, err })
		m.Gauge("cursus_jobs_dead", "Jobs that were given up and need a person.", func(ctx context.Context) (int64, error) { c, err := h.Jobs.Count(ctx); return c.Dead, err })
		h.gaugePlatforms(m)
		m.Gauge("cursus_stages_differing", "Sessions whose stages are not what their facts say.", func(ctx context.Context) (int64, error) { f, err := h.Gradebook.Figures(ctx); return f.Differing, err })
		m.Gauge("cursus_stages_oldest_check_seconds", "Time since the session was checked that was checked the longest ago.", func(ctx context.Context) (int64, error) {
			f, err := h.Gradebook.Figures(ctx)
			return f.OldestSeconds, err
		})
		h.Jobs.Observe(m.Job)
	}
	return transport.NewServer(o)
}

// gaugePlatforms shows what learning platforms have not confirmed. The oldest is what an alarm looks at.
func (h *House) gaugePlatforms(m *telemetry.Metrics) {
	for _, g := range []struct {
		name, help string
		of         func(lms.Figures) int64
	}{
		{"cursus_lms_pending", "Enrolments that a learning platform is to be told of.", func(f lms.Figures) int64 { return f.Pending }},
		{"cursus_lms_waiting", "Enrolments of learners who have no account on the learning platform.", func(f lms.Figures) int64 { return f.Waiting }},
		{"cursus_lms_refused", "Enrolments that a learning platform refuses.", func(f lms.Figures) int64 { return f.Refused }},
		{"cursus_lms_oldest_seconds", "Age of the oldest enrolment that a learning platform is to be told of.", func(f lms.Figures) int64 { return f.OldestSeconds }},
	} {
		m.Gauge(g.name, g.help, func(ctx context.Context) (int64, error) { f, err := h.LMS.Figures(ctx); return g.of(f), err })
	}
}

// cache keeps answers for the public, and hears of what changes them until the house closes.
func (h *House) cache() *api.Cache {
	kept := api.NewCache(h.Clock, func(ctx context.Context, after time.Time) (at *time.Time, err error) {
		err = h.DB.View(ctx, "next boundary", func(ctx context.Context, tx *postgres.Tx) error {
			at, err = exchange.NextBoundaryTx(ctx, tx, after)
			return err
		})
		return at, err
	})
	h.kept = kept
	h.heard.Go(func() { h.DB.Listen(h.open, "public_changes", kept.Drop, kept.Hears) })
	return kept
}

// Kept tells how many answers for the public are kept now.
func (h *House) Kept() int {
	answers, _ := h.kept.Size()
	return answers
}

// payOrigins are the sites that a checkout leads to.
func payOrigins(h *House) []string {
	origins := []string{"https://checkout.stripe.com"}
	if u, err := url.Parse(h.Config.StripeURL); err == nil && u.Host != "" {
		origins = append(origins, u.Scheme+"://"+u.Host)
	}
	return origins
}

var errEnding = fault.New(fault.Unavailable, "ending", "This process is about to end.")

// Ready says why the house cannot serve now.
func (h *House) Ready(ctx context.Context) error {
	if h.ending.Load() {
		return errEnding
	}
	return h.DB.View(ctx, "ready", func(context.Context, *postgres.Tx) error { return nil })
}

// Serve answers and works until ctx ends. Then it says that it is not ready, takes nothing new and finishes what it began;
// what it cannot finish in time waits in the queue.
func (h *House) Serve(ctx context.Context, s Serving) error {
	if given := debug.SetGCPercent(gcPercent); given != 100 {
		debug.SetGCPercent(given)
	}
	failed := make(chan error, 2)
	var server *transport.Server
	if s.Listen != nil {
		var err error
		if server, err = NewServer(h, s.Contract, s.Metrics); err != nil {
			return err
		}
		go func() { failed <- server.Serve(s.Listen) }()
	}
	if s.Worker {
		if err := h.Jobs.Start(ctx); err != nil {
			return err
		}
		go h.sweep(ctx)
		go h.courier(ctx)
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	h.ending.Store(true)
	return errors.Join(err, h.end(context.WithoutCancel(ctx), server, s.Worker))
}

// end takes no new job and, once the proxies in front had time to see /readyz say so, no new connection; it waits for what
// runs. Until the server ends it answers everything, because a proxy may not have looked yet.
func (h *House) end(ctx context.Context, server *transport.Server, worker bool) error {
	drain := time.Duration(0)
	if server != nil {
		drain = time.Duration(h.Config.DrainSeconds) * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, drain+grace)
	defer cancel()
	seen := time.After(drain)
	var err error
	if worker {
		err = h.Jobs.Stop(ctx)
	}
	if server != nil {
		<-seen
		err = errors.Join(err, server.Shutdown(ctx))
	}
	return err
}

// differing is how many minutes lie between two searches for what learning platforms do not say although they should: it reads all enrolments.
const differing = 15

// reading is how many minutes lie between two readings of what the payment provider kept: its record of the last minutes is listed again each time.
const reading = 15

// sweep finishes, every minute, what a crash or a lost message interrupted. Several workers may do so at once.
func (h *House) sweep(ctx context.Context) {
	ctx, chores := postgres.WithActor(ctx, "system"), h.chores()
	for tick, minute := time.NewTicker(time.Minute), 0; ; minute++ {
		for _, c := range chores {
			c.in(ctx, h.Log)
		}
		if minute%reading == 0 {
			if swept, err := h.Payments.SweepFees(ctx); err != nil || swept.Posted+swept.Moved > 0 {
				h.Log.InfoContext(ctx, "fees of the payment provider posted", "fees", swept.Posted, "of_others", swept.Foreign, "movements", swept.Moved, "error", err)
			}
			if n, err := h.Accounting.PostShares(ctx); err != nil || n > 0 {
				h.Log.InfoContext(ctx, "shares of partner schools posted", "shares", n, "error", err)
			}
		}
		if minute%differing == 0 {
			if n, err := h.LMS.AskDiffering(ctx, ""); err != nil || n > 0 {
				h.Log.InfoContext(ctx, "learning platforms are asked for what differs", "enrolments", n, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

// round is how often webhooks and mails are looked for that are to be sent again: a webhook's second attempt is due seconds after the first.
const round = 5 * time.Second

// courier has webhooks and mails sent, and learning platforms told, whose time has come, and what was written summed up.
func (h *House) courier(ctx context.Context) {
	for tick := time.NewTicker(round); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		if _, err := analytics.SumUp(ctx, h.DB); err != nil && ctx.Err() == nil {
			h.Log.WarnContext(ctx, "the sums of the cube could not be brought up to what is written", "error", err)
		}
		if _, err := h.Webhooks.AskDue(ctx); err != nil && ctx.Err() == nil {
			h.Log.WarnContext(ctx, "due webhooks cannot be looked for", "error", err)
		}
		if _, err := h.LMS.AskDue(ctx); err != nil && ctx.Err() == nil {
			h.Log.WarnContext(ctx, "what learning platforms are to be told cannot be looked for", "error", err)
		}
		if _, err := h.Outreach.AskDue(ctx); err != nil && ctx.Err() == nil {
			h.Log.WarnContext(ctx, "due mails cannot be looked for", "error", err)
		}
	}
}
