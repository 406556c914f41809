package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exchange"
	"cursus/internal/kernel/fault"
)

// ExchangeHouse is what the pages ask of the rooms about catalogues as files.
type ExchangeHouse interface {
	ExportCatalogue(ctx context.Context, who Viewer, collection, format string) (File, error)
	ImportCatalogue(ctx context.Context, who Viewer, content []byte, dryRun bool) (exchange.Result, error)
}

func (w *Web) exchangeRoutes() []route {
	return []route{
		{method: "GET", path: "/console/exchange", who: staff, handle: w.exchange},
		{method: "GET", path: "/console/exchange/file", who: staff, handle: w.catalogueFile},
		{method: "POST", path: "/console/exchange", who: staff, handle: w.importFile, upload: true},
	}
}

// exchangePage is the page, before and after a file was read. Kept is what was read, for the next step.
type exchangePage struct {
	Collections []catalog.Collection
	Result      *exchange.Result
	Refused     *fault.Fault
	Kept, Text  string
}

func (w *Web) exchange(r *request) (reply, error) {
	return w.exchangeWith(r, exchangePage{}, 0)
}

func (w *Web) exchangeWith(r *request, p exchangePage, status int) (out reply, err error) {
	if p.Collections, err = w.house.Collections(r.ctx, r.viewer, true); err != nil {
		return reply{}, err
	}
	return reply{page: "exchange", title: "exchange.title", data: p, status: status}, nil
}

func (w *Web) catalogueFile(r *request) (reply, error) {
	f, err := w.house.ExportCatalogue(r.ctx, r.viewer, r.query("collection"), r.query("format"))
	return reply{file: &f}, err
}

// importFile reads a file that was chosen, pasted, or kept by the step before, and tries it or brings it in. What is wrong with it
// stands on the page, line by line.
func (w *Web) importFile(r *request) (reply, error) {
	content, err := given(r)
	if err != nil {
		return reply{}, err
	}
	p := exchangePage{Text: r.form("text")}
	if len(content) == 0 {
		p.Refused = fault.New(fault.Invalid, "no-file", "Choose a file, or paste a document.")
		return w.exchangeWith(r, p, 422)
	}
	result, err := w.house.ImportCatalogue(r.ctx, r.viewer, content, r.form("do") != "apply")
	if f := fault.From(err); err != nil {
		if !errors.Is(err, exchange.ErrRefused) && !errors.Is(err, exchange.ErrTooLarge) {
			return reply{}, err
		}
		p.Refused = f
		return w.exchangeWith(r, p, 422)
	}
	p.Result = &result
	if result.DryRun && !result.Same {
		p.Kept, err = pack(content)
	}
	if err != nil {
		return reply{}, err
	}
	return w.exchangeWith(r, p, 0)
}

// given is the file of a form: what the step before kept, a file, or a pasted text.
func given(r *request) ([]byte, error) {
	if kept := r.form("kept"); kept != "" {
		return unpack(kept)
	}
	if file := r.upload(); len(file) > 0 {
		return file, nil
	}
	return []byte(strings.TrimSpace(r.form("text"))), nil
}

// pack writes bytes as a field of a form.
func pack(content []byte) (string, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(content); err != nil {
		return "", err
	}
	err := z.Close()
	return base64.StdEncoding.EncodeToString(out.Bytes()), err
}

var errKept = fault.New(fault.Invalid, "bad-field", "The file that the form kept cannot be read. Please choose it again.")

func unpack(kept string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(kept)
	if err != nil {
		return nil, errKept.Because(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, errKept.Because(err)
	}
	content, err := io.ReadAll(io.LimitReader(z, exchange.MaxFileBytes+1))
	if err != nil {
		return nil, errKept.Because(err)
	}
	return content, nil
}
