// Package transport is the HTTP server of Cursus: the API, the pages and what those who run it ask for, on one address.
package transport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/origin"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// Limits of a connection. A larger body, or a longer wait for one, is allowed by the operation that takes it.
const (
	maxBody       = 64 << 10
	maxHeaders    = 16 << 10
	readSeconds   = 15
	writeSeconds  = 60
	idleSeconds   = 90
	readySeconds  = 2
	testMaxMillis = 60_000
)

// Options say what is served. API is required.
type Options struct {
	API   *api.API
	Pages *web.Web // nil: no pages
	// Ready says why the house cannot serve now; nil: it always can. It answers /readyz.
	Ready func(ctx context.Context) error
	// Metrics answers /metrics; nil: there is no such address.
	Metrics http.Handler
	// Observe is told of every request that was answered: the pattern of its route, the status and the seconds; nil: nobody is.
	Observe func(route, status string, took time.Duration)
	Clock   clock.Clock // measures how long that took; nil: the machine's
	// TrustedProxies are the addresses and networks whose X-Forwarded headers are believed.
	TrustedProxies []string
	Log            *slog.Logger // nil: says nothing
}

// Server is the HTTP server.
type Server struct {
	app   *fiber.App
	api   *api.API
	ready func(ctx context.Context) error
	log   *slog.Logger
}

// NewServer mounts everything. Bodies are streamed: what takes one says how much of it is read, and only after its sender was let in.
func NewServer(o Options) (*Server, error) {
	if o.API == nil {
		return nil, errors.New("transport: no API")
	}
	s := &Server{api: o.API, ready: o.Ready, log: o.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.app = fiber.New(fiber.Config{
		Immutable: true, CaseSensitive: true, DisableStartupMessage: true, DisablePreParseMultipartForm: true,
		StreamRequestBody: true, BodyLimit: maxBody, ReadBufferSize: maxHeaders,
		ReadTimeout: readSeconds * time.Second, WriteTimeout: writeSeconds * time.Second, IdleTimeout: idleSeconds * time.Second,
		EnableTrustedProxyCheck: true, TrustedProxies: o.TrustedProxies, ErrorHandler: s.failed,
	})
	if o.Observe != nil {
		if o.Clock == nil {
			o.Clock = clock.System{}
		}
		s.app.Use(observed(o.Observe, o.Clock))
	}
	s.app.Use(func(c *fiber.Ctx) error {
		c.SetUserContext(origin.With(c.UserContext(), address(c)))
		return c.Next()
	})
	s.app.Get("/healthz", s.healthy)
	s.app.Get("/readyz", s.isReady)
	if o.Metrics != nil {
		s.app.Get("/metrics", adaptor.HTTPHandler(o.Metrics))
	}
	o.API.Mount(s.app)
	s.app.Use(bound(o.Pages))
	if o.Pages != nil {
		o.Pages.Mount(s.app)
		s.app.Use(o.Pages.NotFound)
	}
	return s, nil
}

// observed tells of each request by the pattern of its route: paths carry ids, and a metric per id would never end.
func observed(tell func(route, status string, took time.Duration), c clock.Clock) fiber.Handler {
	return func(x *fiber.Ctx) error {
		began := c.Now()
		err := x.Next()
		status := x.Response().StatusCode()
		var known *fiber.Error
		if errors.As(err, &known) {
			status = known.Code
		}
		pattern := strings.Clone(x.Route().Path)
		if kept, ok := x.Locals(api.Pattern).(string); ok { // answered before any route was looked for
			pattern = kept
		}
		tell(x.Method()+" "+pattern, strconv.Itoa(status), c.Now().Sub(began))
		return err
	}
}

// Serve answers until Shutdown.
func (s *Server) Serve(l net.Listener) error { return s.app.Listener(l) }

// Shutdown takes no new connection and waits for the running requests, until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.app.ShutdownWithContext(ctx) }

// Test answers one request without a connection, for walks through the house.
func (s *Server) Test(r *http.Request) (*http.Response, error) { return s.app.Test(r, testMaxMillis) }

// bound reads the body of a request for the pages, whose forms are small, and refuses a larger one. What staff may send beyond that the
// pages say, once they know who asks.
func bound(pages *web.Web) fiber.Handler {
	return func(c *fiber.Ctx) error {
		stream := c.Request().BodyStream()
		if stream == nil {
			return c.Next()
		}
		if pages != nil && pages.Streams(c) {
			return c.Next()
		}
		most, length := maxBody, c.Request().Header.ContentLength()
		if pages != nil && (length > maxBody || length < 0) {
			most = max(most, pages.MostBytes(c))
		}
		if length > most {
			return fiber.ErrRequestEntityTooLarge
		}
		raw, err := io.ReadAll(io.LimitReader(stream, int64(most)+1))
		switch {
		case err != nil:
			return fiber.ErrBadRequest
		case len(raw) > most:
			return fiber.ErrRequestEntityTooLarge
		}
		c.Request().SetBodyRaw(raw)
		return c.Next()
	}
}

// failed answers what no handler did: requests that cannot be read, and errors that a handler let through.
func (s *Server) failed(c *fiber.Ctx, err error) error {
	if path := c.Path(); path == "/v1" || strings.HasPrefix(path, "/v1/") {
		return s.api.Refuse(c, err)
	}
	status := fiber.StatusInternalServerError
	var known *fiber.Error
	if errors.As(err, &known) {
		status = known.Code
	}
	if status >= 500 {
		s.log.ErrorContext(c.UserContext(), "request failed", "status", status, "error", err)
	}
	return plain(c, status, http.StatusText(status))
}

func (s *Server) healthy(c *fiber.Ctx) error { return plain(c, fiber.StatusOK, "ok") }

func (s *Server) isReady(c *fiber.Ctx) error {
	if s.ready == nil {
		return plain(c, fiber.StatusOK, "ready")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readySeconds*time.Second)
	defer cancel()
	if err := s.ready(ctx); err != nil {
		s.log.WarnContext(ctx, "not ready", "error", err)
		return plain(c, fiber.StatusServiceUnavailable, "not ready")
	}
	return plain(c, fiber.StatusOK, "ready")
}

func plain(c *fiber.Ctx, status int, text string) error {
	c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return c.Status(status).SendString(text + "\n")
}

// address is that of who asks: what the proxy in front saw, which it wrote last, where one is trusted.
func address(c *fiber.Ctx) string {
	if seen := c.Get(fiber.HeaderXForwardedFor); seen != "" && c.IsProxyTrusted() {
		all := strings.Split(seen, ",")
		return strings.TrimSpace(all[len(all)-1])
	}
	return c.IP()
}
