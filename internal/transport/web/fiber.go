package web

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"cursus/internal/kernel/fault"
)

// Limits of a request. A form of ours is small.
const (
	timeoutSeconds = 10
	slowSeconds    = 60  // of a route that does much at once
	streamSeconds  = 900 // of a form whose files are read as they come
	flowLife       = 10 * time.Minute
	maxForm        = 16 << 10
	maxField       = 4096
	maxLargeForm   = 512 << 10
	maxLargeField  = 64 << 10
)

// Mount adds the pages to a fiber application. Its configuration (time-outs, body limit, trusted proxies) is the caller's;
// it must set Immutable, because handlers keep what they read.
func (w *Web) Mount(app fiber.Router) {
	app.Get("/static/:name", w.serveStatic)
	for _, rt := range w.routes() {
		app.Add(rt.method, rt.path, w.adapt(rt))
		if rt.method == fiber.MethodGet {
			app.Head(rt.path, w.adapt(rt))
		}
	}
}

// NotFound is for the end of the application's routes: addresses that nobody has.
func (w *Web) NotFound(c *fiber.Ctx) error {
	rt := route{method: "GET", who: anybody, handle: func(*request) (reply, error) {
		return reply{}, fault.New(fault.NotFound, "no-such-page", "There is no page at this address.")
	}}
	return w.adapt(rt)(c)
}

func (w *Web) serveStatic(c *fiber.Ctx) error {
	a, ok := w.static[c.Params("name")]
	if !ok {
		return w.NotFound(c)
	}
	w.harden(c)
	c.Set(fiber.HeaderContentType, a.contentType)
	c.Set(fiber.HeaderETag, `"`+a.tag+`"`)
	c.Set(fiber.HeaderCacheControl, "public, no-cache")
	if c.Query("v") == a.tag {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	if c.Get(fiber.HeaderIfNoneMatch) == `"`+a.tag+`"` {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.Send(a.content)
}

// harden sets the headers that every answer carries.
func (w *Web) harden(c *fiber.Ctx) {
	for name, value := range map[string]string{
		"Content-Security-Policy": w.policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()", "X-Frame-Options": "DENY",
	} {
		c.Set(name, value)
	}
	if w.secure {
		c.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// adapt reads the request, lets serve answer it and writes the reply.
func (w *Web) adapt(rt route) fiber.Handler {
	return func(c *fiber.Ctx) (err error) {
		seconds := timeoutSeconds
		switch {
		case rt.slow:
			seconds = slowSeconds
		case rt.stream:
			seconds = streamSeconds
		}
		ctx, cancel := context.WithTimeout(c.UserContext(), time.Duration(seconds)*time.Second)
		defer cancel()
		r := w.read(ctx, c)
		defer func() {
			if p := recover(); p != nil {
				w.log.ErrorContext(ctx, "page panicked", "request", r.id, "path", r.path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				err = w.write(c, r, w.fault(r, fault.From(fmt.Errorf("panic: %v", p))))
			}
		}()
		if bad := w.refuse(c, rt); bad != nil {
			return w.write(c, r, w.fault(r, bad))
		}
		if r.secret != "" {
			if r.viewer, err = w.house.Viewer(ctx, r.secret); err != nil {
				r.viewer = Viewer{}
				if fault.From(err).Kind != fault.Unauthenticated {
					return w.write(c, r, w.fault(r, err))
				}
				r.secret = ""
				w.setCookie(c, w.sessionCookie(), "", time.Unix(0, 0), fiber.CookieSameSiteLaxMode)
			}
		}
		return w.write(c, r, w.serve(r, rt))
	}
}

var errField = fault.New(fault.Invalid, "bad-field", "A field of the form is too long, is sent twice, is no text or has a NUL.")

// refuse turns away what no page of ours sends.
func (w *Web) refuse(c *fiber.Ctx, rt route) error {
	if rt.method != fiber.MethodPost {
		return nil
	}
	if rt.oneClick {
		if len(c.Request().Body()) > maxForm {
			return fault.New(fault.TooLarge, "form-too-large", "The form is too large.")
		}
		return nil
	}
	if c.Get("Sec-Fetch-Site") == "cross-site" {
		return errStaleForm
	}
	if c.Get(fiber.HeaderContentEncoding) != "" {
		return fault.New(fault.Unsupported, "encoded-body", "A form is not sent compressed.")
	}
	contentType, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
	if rt.stream {
		return w.beginStream(c)
	}
	if rt.upload {
		return refuseUpload(c)
	}
	if !strings.EqualFold(strings.TrimSpace(contentType), fiber.MIMEApplicationForm) {
		return fault.New(fault.Unsupported, "not-a-form", "A form is sent as application/x-www-form-urlencoded.")
	}
	most, longest := maxForm, maxField
	if rt.large {
		most, longest = maxLargeForm, maxLargeField
	}
	if len(c.Request().Body()) > most {
		return fault.New(fault.TooLarge, "form-too-large", "The form is too large.")
	}
	for _, values := range fields(c) {
		if len(values) > 1 && !rt.large {
			return errField
		}
		for _, v := range values {
			if len(v) > longest || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return errField
			}
		}
	}
	return nil
}

// refuseUpload is refuse for a form that carries a file.
func refuseUpload(c *fiber.Ctx) error {
	if len(c.Request().Body()) > maxUpload {
		return fault.New(fault.TooLarge, "form-too-large", "The form is too large.")
	}
	values, _, err := parts(c)
	for _, v := range values {
		if len(v) > 1 || !utf8.ValidString(v[0]) || strings.ContainsRune(v[0], 0) {
			return errField
		}
	}
	return err
}

// fields reads the form; what cannot be read is no field.
func fields(c *fiber.Ctx) url.Values {
	if s, ok := c.Locals(streamKey).(*streamed); ok {
		return s.values
	}
	if strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEMultipartForm) {
		values, _, _ := parts(c)
		return values
	}
	values, err := url.ParseQuery(string(c.Request().Body()))
	if err != nil {
		return url.Values{}
	}
	return values
}

func (w *Web) read(ctx context.Context, c *fiber.Ctx) *request {
	var form url.Values
	r := &request{
		ctx: ctx, id: random()[:16], path: string(c.Request().URI().RequestURI()), secret: c.Cookies(w.sessionCookie()), nonce: c.Cookies(w.formCookie()), flow: c.Cookies(w.flowCookie()),
		lang:  choose(c.Query("lang"), c.Cookies("lang"), c.Get(fiber.HeaderAcceptLanguage)),
		param: func(name string) string { return decoded(c.Params(name)) },
		query: func(name string) string { return c.Query(name) },
		every: func(name string) (all []string) {
			for _, v := range c.Request().URI().QueryArgs().PeekMulti(name) {
				all = append(all, string(v))
			}
			return all
		},
	}
	read := func() url.Values {
		if form == nil {
			form = fields(c)
		}
		return form
	}
	r.form = func(name string) string { return read().Get(name) }
	r.upload = func() []byte { _, file, _ := parts(c); return file }
	r.files = func() (string, io.Reader, error) {
		if s, ok := c.Locals(streamKey).(*streamed); ok {
			return s.file()
		}
		return "", nil, io.EOF
	}
	r.names = func() []string { return slices.Sorted(maps.Keys(read())) }
	r.forms = func(name string) []string { return read()[name] }
	if known(c.Query("lang")) {
		w.setCookie(c, "lang", r.lang, w.clock.Now().AddDate(1, 0, 0), fiber.CookieSameSiteLaxMode)
	}
	if len(r.nonce) != 32 {
		r.nonce = random()
		w.setCookie(c, w.formCookie(), r.nonce, time.Time{}, fiber.CookieSameSiteStrictMode)
	}
	return r
}

func decoded(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	return s
}

// The cookies carry the __Host- prefix where the site is served over https: no other host and no path can set them.
func (w *Web) sessionCookie() string { return w.cookieName("cursus") }
func (w *Web) formCookie() string    { return w.cookieName("cursus-form") }
func (w *Web) flowCookie() string    { return w.cookieName("cursus-sign-in") }
func (w *Web) cookieName(name string) string {
	if w.secure {
		return "__Host-" + name
	}
	return name
}

func (w *Web) setCookie(c *fiber.Ctx, name, value string, expires time.Time, site string) {
	c.Cookie(&fiber.Cookie{Name: name, Value: value, Path: "/", Expires: expires, Secure: w.secure, HTTPOnly: true, SameSite: site, SessionOnly: expires.IsZero()})
}

// write sends a reply. A page that cannot be made becomes the page of our failure; if that fails too, one line of text.
func (w *Web) write(c *fiber.Ctx, r *request, out reply) error {
	w.harden(c)
	c.Set("X-Request-Id", r.id)
	c.Vary(fiber.HeaderAcceptLanguage, fiber.HeaderCookie)
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	if out.session != nil {
		w.setCookie(c, w.sessionCookie(), out.session.Secret, out.session.ExpiresAt, fiber.CookieSameSiteLaxMode)
	}
	if out.signOut {
		w.setCookie(c, w.sessionCookie(), "", time.Unix(0, 0), fiber.CookieSameSiteLaxMode)
	}
	if out.flow != nil {
		expires := w.clock.Now().Add(flowLife)
		if *out.flow == "" {
			expires = time.Unix(0, 0)
		}
		w.setCookie(c, w.flowCookie(), *out.flow, expires, fiber.CookieSameSiteLaxMode) // strict would keep it from who comes back from another site
	}
	if out.redirect != "" {
		return c.Redirect(out.redirect, fiber.StatusSeeOther)
	}
	if out.file != nil {
		disposition := "attachment"
		if out.inline {
			disposition = "inline"
		}
		if out.policy != "" {
			c.Set(fiber.HeaderContentSecurityPolicy, out.policy)
		}
		c.Set(fiber.HeaderContentType, out.file.ContentType)
		c.Set(fiber.HeaderContentDisposition, disposition+"; filename=\""+plain(out.file.Name)+"\"")
		if out.stream != nil {
			return c.SendStream(out.stream, out.size)
		}
		return c.Send(out.file.Content)
	}
	body, err := w.render(r, out)
	if err != nil {
		out = w.fault(r, err)
		if body, err = w.render(r, out); err != nil {
			return c.Status(fiber.StatusInternalServerError).SendString("The page could not be made. Reference: " + r.id)
		}
	}
	if out.status == 0 {
		out.status = fiber.StatusOK
	}
	if out.status == fiber.StatusTooManyRequests || out.status == fiber.StatusServiceUnavailable {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(cmp.Or(out.wait, 5)))
	}
	if out.formTo != "" {
		c.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(w.policy, "form-action 'self'", "form-action 'self' "+out.formTo, 1))
	}
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	c.Set(fiber.HeaderContentLanguage, r.lang)
	return c.Status(out.status).Send(body)
}

// plain keeps a file name to letters that need no quoting.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
}
