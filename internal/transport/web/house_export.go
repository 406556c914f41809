package web

import (
	"context"
	"io"

	exports "cursus/internal/domain/export"
	paging "cursus/internal/kernel/page"
)

// ExportHouse is what the pages ask of the rooms about files for other tools. Who may have none made is Forbidden.
type ExportHouse interface {
	CreateDataExport(ctx context.Context, who Viewer, key, format string) (exports.Bulk, error)
	DataExport(ctx context.Context, who Viewer, id string) (exports.Bulk, error)
	DataExports(ctx context.Context, who Viewer, p paging.Request) ([]exports.Bulk, error)
	// DataExportFile gives what is read while it is sent, after ctx has ended.
	DataExportFile(ctx context.Context, who Viewer, id string) (exports.Bulk, io.Reader, error)
}
