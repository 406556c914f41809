package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// validatedBody is where the generated server looks for a body that was decoded and checked already (its own decoder would match
// names in any case and let the last of two members win).
const validatedBody = "x-oapi-codegen-validated-body"

// Mount adds the operations to a fiber application, and the answers to addresses and methods below /v1 that do not exist. The
// application must set Immutable, because rooms keep what they are given, and should stream bodies, so that one is read only after its
// sender was let in.
func (a *API) Mount(app fiber.Router) {
	methods := map[string][]string{}
	app.Use("/v1", a.fromCache)
	for _, o := range a.operations {
		methods[o.fiberPath()] = append(methods[o.fiberPath()], o.method)
		app.Add(o.method, o.fiberPath(), a.door(o))
		if o.method == http.MethodGet {
			methods[o.fiberPath()] = append(methods[o.fiberPath()], http.MethodHead)
			app.Head(o.fiberPath(), a.door(o))
		}
	}
	server.RegisterHandlers(app, server.NewStrictHandler(a.handlers, nil))
	for path, allowed := range methods {
		slices.Sort(allowed)
		app.All(path, a.wrongMethod(strings.Join(allowed, ", ")))
	}
	app.Use("/v1", func(c *fiber.Ctx) error {
		if path := c.Path(); path != "/v1" && !strings.HasPrefix(path, "/v1/") {
			return c.Next()
		}
		return a.Refuse(c, errNoAddress)
	})
}

// door stands before each operation.
func (a *API) door(o *operation) fiber.Handler {
	return func(c *fiber.Ctx) error {
		e := entry{began: a.clock.Now(), operation: o.id, method: c.Method(), requestID: a.begin(c)}
		ctx, cancel := context.WithTimeout(c.UserContext(), o.timeout)
		defer cancel()
		seen := a.cache.look()
		e.err = a.through(ctx, c, o, &e)
		switch {
		case e.err != nil:
			a.write(c, e.err, e.requestID, o.scope)
		case o.cached && c.Response().StatusCode() == fiber.StatusOK:
			a.public(ctx, c, o, seen)
		case o.changesPublic() && a.cache != nil: // she who changed it reads it, before anybody is told
			a.cache.Drop()
		}
		e.status, e.bytesOut = c.Response().StatusCode(), len(c.Response().Body())
		a.note(ctx, e)
		return nil
	}
}

// through lets a request in, or says why not. A panic of a room is our failure; its stack goes to the log alone.
func (a *API) through(ctx context.Context, c *fiber.Ctx, o *operation, e *entry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.ErrorContext(ctx, "operation panicked", "request", e.requestID, "operation", o.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	who, err := a.admit(ctx, o, values(c, fiber.HeaderAuthorization))
	if err != nil {
		return err
	}
	if who.Client != "" {
		left, err := a.limits.take(who.Client, who.PerMinute, a.clock.Now())
		policy, rest := left.headers()
		c.Set("RateLimit-Policy", policy)
		c.Set("RateLimit", rest)
		if err != nil {
			return err
		}
	}
	ctx = postgres.WithActor(ctx, who.Actor)
	err = o.checkParameters(inputs{
		path: func(name string) string { return c.Params(name) }, query: string(c.Request().URI().QueryString()),
		header: func(name string) []string { return values(c, name) },
	})
	if err != nil {
		return err
	}
	if err := o.checkHead(c.Get(fiber.HeaderContentEncoding), c.Get(fiber.HeaderContentType), c.Request().Header.ContentLength()); err != nil {
		return err
	}
	raw, done, err := a.read(c, o)
	defer done()
	if err != nil {
		return err
	}
	e.bytesIn = len(raw)
	if o.maxBytes > large { // that took its time: whoever may not come in any more by now has not sent it
		if who, err = a.admit(ctx, o, values(c, fiber.HeaderAuthorization)); err != nil {
			return err
		}
	}
	if o.media != nil {
		body, err := o.checkBody(raw)
		if err != nil {
			return err
		}
		if o.takesJSON() {
			c.Locals(validatedBody, body)
		}
	}
	c.SetUserContext(context.WithValue(ctx, callKey{}, call{who: who, body: raw, authorization: c.Get(fiber.HeaderAuthorization),
		signed: [3]string{c.Get("webhook-id"), c.Get("webhook-timestamp"), c.Get("webhook-signature")}}))
	return fromFiber(c.Next())
}

// read takes the body in, up to what the operation allows. done gives the place of a large one back.
func (a *API) read(c *fiber.Ctx, o *operation) (raw []byte, done func(), err error) {
	done = func() {}
	if o.media == nil {
		return nil, done, nil
	}
	if o.maxBytes > large {
		select {
		case a.uploads <- struct{}{}:
			done = func() { <-a.uploads }
		default:
			return nil, done, errUploads
		}
		// The server's read time-out is meant for small requests. Where there is no connection (a test) there is nothing to extend.
		_ = c.Context().SetReadDeadline(a.clock.Now().Add(o.timeout))
	}
	length := c.Request().Header.ContentLength()
	stream := c.Request().BodyStream()
	if stream == nil {
		raw = c.Request().Body()
	} else if raw, err = io.ReadAll(io.LimitReader(stream, int64(o.maxBytes)+1)); err != nil {
		return nil, done, errCut.Because(err)
	}
	if len(raw) > o.maxBytes {
		return nil, done, o.tooLarge()
	}
	if length > 0 && len(raw) != length {
		return nil, done, errCut
	}
	if stream != nil {
		c.Request().SetBodyRaw(raw) // the generated server looks there
	}
	return raw, done, nil
}

// values gives every value of a header.
func values(c *fiber.Ctx, name string) (all []string) {
	for _, v := range c.Request().Header.PeekAll(name) {
		all = append(all, string(v))
	}
	return all
}

// begin sets what every answer carries and gives the id of the request.
func (a *API) begin(c *fiber.Ctx) string {
	id := requestID(c.Get(fiber.HeaderXRequestID))
	c.Set(fiber.HeaderXRequestID, id)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return id
}

// fromFiber gives the fault of an error of the router or of the generated server, which know statuses alone.
func fromFiber(err error) error {
	var f *fiber.Error
	if !errors.As(err, &f) {
		return err
	}
	for kind, s := range statuses {
		if s.status == f.Code && kind != fault.Internal {
			return fault.New(kind, errBadRequest.Code, errBadRequest.Detail).Because(err)
		}
	}
	if f.Code < 500 {
		return errBadRequest.Because(err)
	}
	return err
}

// Refuse answers a request that no operation takes, and notes it. It is also for the error handler of the application.
func (a *API) Refuse(c *fiber.Ctx, err error) error {
	e := entry{began: a.clock.Now(), method: c.Method(), requestID: a.begin(c), err: fromFiber(err)}
	a.write(c, e.err, e.requestID, Public)
	e.status, e.bytesOut = c.Response().StatusCode(), len(c.Response().Body())
	a.note(c.UserContext(), e)
	return nil
}

func (a *API) wrongMethod(allowed string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id := a.begin(c)
		c.Set(fiber.HeaderAllow, allowed)
		a.send(c, contract.Problem{
			Type: "urn:problem:cursus:method-not-allowed", Title: "Wrong method", Status: fiber.StatusMethodNotAllowed, Code: "method-not-allowed",
			Detail: "At this address there are " + allowed + ".", RequestId: id,
		})
		a.note(c.UserContext(), entry{began: a.clock.Now(), method: c.Method(), requestID: id, status: fiber.StatusMethodNotAllowed})
		return nil
	}
}

// write answers a fault. What a handler had written until then is gone.
func (a *API) write(c *fiber.Ctx, err error, requestID, scope string) {
	p := problem(err, requestID)
	c.Response().ResetBody()
	for _, name := range []string{fiber.HeaderLocation, fiber.HeaderETag, fiber.HeaderContentDisposition} {
		c.Response().Header.Del(name)
	}
	switch p.Status {
	case fiber.StatusUnauthorized:
		scheme := "Bearer"
		if p.Error != nil { // at the door for tokens, clients say who they are
			scheme = "Basic"
		}
		challenge := scheme + ` realm="cursus"`
		if p.Code == errStepUp.Code { // RFC 9470
			challenge += fmt.Sprintf(`, error="insufficient_user_authentication", max_age="%d"`, int(freshLife.Seconds()))
		}
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
	case fiber.StatusForbidden:
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="cursus", error="insufficient_scope", scope="`+scope+`"`)
	case fiber.StatusTooManyRequests, fiber.StatusServiceUnavailable:
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(cmp.Or(fault.From(err).Wait, 5)))
	}
	a.send(c, p)
}

func (a *API) send(c *fiber.Ctx, p contract.Problem) {
	if err := c.Status(p.Status).JSON(p, "application/problem+json"); err != nil { // texts and numbers: it cannot
		a.log.ErrorContext(c.UserContext(), "problem not written", "request", p.RequestId, "error", err)
	}
}
