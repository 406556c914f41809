package app

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exchange"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// Collections lists what can be exported.
func (p Pages) Collections(ctx context.Context, who web.Viewer) (out []catalog.Collection, err error) {
	err = p.h.DB.View(as(ctx, who), "collections", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = catalog.CollectionsTx(ctx, tx)
		return err
	})
	return out, err
}

// ExportCatalogue writes a collection as a file.
func (p Pages) ExportCatalogue(ctx context.Context, who web.Viewer, collection, format string) (web.File, error) {
	content, name, _, err := p.h.ExportCatalogue(as(ctx, who), collection, format)
	kind := "application/json; charset=utf-8"
	if format == "csv" {
		kind = "application/zip"
	}
	return web.File{Name: name, ContentType: kind, Content: content}, err
}

// ImportCatalogue brings a file in, or says what it would change.
func (p Pages) ImportCatalogue(ctx context.Context, who web.Viewer, content []byte, dryRun bool) (exchange.Result, error) {
	return exchange.Import(as(ctx, who), p.h.DB, content, dryRun)
}
