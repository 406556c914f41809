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

	"github.com/gofiber/fiber/v2"

	"cursus/internal/kernel/fault"
)

// Limits of a form that carries a file, kept base64 by the page between two steps.
const (
	maxUpload      = 12 << 20
	maxUploadParts = 220
)

// MostBytes says how large the body of a request to the pages may be, before it is read: a form is small, the large forms of
// the console and its uploads are for staff alone, rosters for who enrols for a school too.
func (w *Web) MostBytes(c *fiber.Ctx) int {
	large, school := 0, false
	switch path := c.Path(); {
	case path == "/console/exchange", path == "/console/surveys", path == "/console/money/statement", strings.HasPrefix(path, "/console/sessions/") && strings.HasSuffix(path, "/exercises"),
		strings.HasPrefix(path, "/console/certificate-layouts/") && strings.HasSuffix(path, "/images"):
		large = maxUpload
	case strings.HasPrefix(path, "/cohorts/") && strings.HasSuffix(path, "/roster"):
		large, school = maxUpload, true
	case strings.HasPrefix(path, "/console/"):
		large = maxLargeForm
	}
	secret := c.Cookies(w.sessionCookie())
	if large == 0 || secret == "" || c.Method() != fiber.MethodPost {
		return maxForm
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), timeoutSeconds*time.Second)
	defer cancel()
	if who, err := w.house.Viewer(ctx, secret); err != nil || !who.Staff && (!school || !who.School) {
		return maxForm
	}
	return large
}

var errUpload = fault.New(fault.Invalid, "bad-upload", "The form with the file cannot be read.")

// parts reads a form that carries a file: its fields, and the bytes of its one file.
func parts(c *fiber.Ctx) (values url.Values, file []byte, err error) {
	values = url.Values{}
	kind, parameters, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm || parameters["boundary"] == "" {
		return values, nil, errUpload
	}
	in := multipart.NewReader(bytes.NewReader(c.Request().Body()), parameters["boundary"])
	for range maxUploadParts {
		p, err := in.NextPart()
		if errors.Is(err, io.EOF) {
			return values, file, nil
		}
		if err != nil {
			return values, nil, errUpload.Because(err)
		}
		content, err := io.ReadAll(p) // the whole body has its bound
		if err != nil {
			return values, nil, errUpload.Because(err)
		}
		if p.FileName() != "" || p.FormName() == "file" {
			file = content
		} else {
			values.Add(p.FormName(), string(content))
		}
	}
	return values, nil, errUpload
}
