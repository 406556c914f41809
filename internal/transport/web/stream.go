package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
)

// maxStream bounds a form whose files are read as they come: thirteen weeks of a large course are far less.
const maxStream = 2 << 30

// streamKey is where the form of a request is kept that is read as it comes.
const streamKey = "streamed form"

// Streams says of a request to the pages that its body is read as it comes, by who may send it. Of anybody else it is small, or refused.
func (w *Web) Streams(c *fiber.Ctx) bool {
	secret := c.Cookies(w.sessionCookie())
	if c.Method() != fiber.MethodPost || c.Path() != "/console/imports" || secret == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), timeoutSeconds*time.Second)
	defer cancel()
	who, err := w.house.Viewer(ctx, secret)
	return err == nil && who.Staff
}

// streamed is a form that is read as it comes: its fields, and then its files.
type streamed struct {
	values url.Values
	in     *multipart.Reader
	next   *multipart.Part
}

// beginStream reads the fields of a form, up to its first file.
func (w *Web) beginStream(c *fiber.Ctx) error {
	kind, parameters, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm || parameters["boundary"] == "" {
		return errUpload
	}
	body := c.Request().BodyStream()
	if body == nil {
		body = bytes.NewReader(c.Request().Body())
	} else { // the time-out of the server is meant for small forms
		_ = c.Context().SetReadDeadline(w.clock.Now().Add(streamSeconds * time.Second))
	}
	s := &streamed{values: url.Values{}, in: multipart.NewReader(io.LimitReader(body, maxStream), parameters["boundary"])}
	for range maxUploadParts {
		p, err := s.in.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errUpload.Because(err)
		}
		if p.FormName() == "file" {
			s.next = p
			break
		}
		value, err := io.ReadAll(io.LimitReader(p, maxField+1))
		if err != nil {
			return errUpload.Because(err)
		}
		if len(value) > maxField || !utf8.Valid(value) || bytes.IndexByte(value, 0) >= 0 || s.values.Has(p.FormName()) {
			return errField
		}
		s.values.Add(p.FormName(), string(value))
	}
	c.Locals(streamKey, s)
	return nil
}

// file gives the next file. What stands behind the first one is files alone.
func (s *streamed) file() (name string, from io.Reader, err error) {
	p := s.next
	if s.next = nil; p == nil {
		if p, err = s.in.NextPart(); err != nil {
			if errors.Is(err, io.EOF) {
				return "", nil, io.EOF
			}
			return "", nil, errUpload.Because(err)
		}
	}
	if p.FormName() != "file" {
		return "", nil, errUpload
	}
	return strings.ToValidUTF8(p.FileName(), ""), p, nil
}
