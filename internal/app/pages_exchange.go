package app

import (
	"context"

	"cursus/internal/domain/exchange"
	"cursus/internal/transport/web"
)

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
