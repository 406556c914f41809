package app

import (
	"context"
	"io"

	"cursus/internal/domain/export"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var errNoExports = fault.New(fault.Forbidden, "scope-missing", "This needs the scope exports:write.")

// exporting lets who may have data exported at the room.
func exporting[T any](ctx context.Context, p Pages, who web.Viewer, work func(ctx context.Context) (T, error)) (out T, err error) {
	ctx = as(ctx, who)
	if err := p.h.DB.View(ctx, "may export", func(ctx context.Context, tx *postgres.Tx) error {
		return mayTx(ctx, tx, who, errNoExports, "exports:write")
	}); err != nil {
		return out, err
	}
	return work(ctx)
}

// CreateDataExport has a file for other tools made.
func (p Pages) CreateDataExport(ctx context.Context, who web.Viewer, key, format string) (export.Bulk, error) {
	return exporting(ctx, p, who, func(ctx context.Context) (export.Bulk, error) { return p.h.Export.Ask(ctx, key, format) })
}

// DataExport finds a file for other tools.
func (p Pages) DataExport(ctx context.Context, who web.Viewer, id string) (export.Bulk, error) {
	return exporting(ctx, p, who, func(ctx context.Context) (export.Bulk, error) { return p.h.Export.Bulk(ctx, id) })
}

// DataExports lists the newest files for other tools.
func (p Pages) DataExports(ctx context.Context, who web.Viewer, r page.Request) ([]export.Bulk, error) {
	return exporting(ctx, p, who, func(ctx context.Context) ([]export.Bulk, error) {
		all, _, err := p.h.Export.Bulks(ctx, r)
		return all, err
	})
}

// DataExportFile gives the bytes of a file for other tools.
func (p Pages) DataExportFile(ctx context.Context, who web.Viewer, id string) (b export.Bulk, file io.Reader, err error) {
	_, err = exporting(ctx, p, who, func(ctx context.Context) (struct{}, error) {
		b, file, err = p.h.Export.Open(ctx, id)
		return struct{}{}, err
	})
	return b, file, err
}
