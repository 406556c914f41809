package api

import (
	"context"
	"fmt"
	"io"

	"github.com/gofiber/fiber/v2"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/export"
	"cursus/internal/kernel/page"
)

// ExportRooms is what the API asks of the house about files for other tools.
type ExportRooms interface {
	// CreateDataExport is told once per key.
	CreateDataExport(ctx context.Context, key, format string) (export.Bulk, error)
	DataExport(ctx context.Context, id string) (export.Bulk, error)
	DataExports(ctx context.Context, p page.Request) (all []export.Bulk, next string, err error)
	// DataExportFile gives what is read while it is sent, after ctx has ended.
	DataExportFile(ctx context.Context, id string) (export.Bulk, io.Reader, error)
}

func (h handlers) CreateDataExport(ctx context.Context, r server.CreateDataExportRequestObject) (server.CreateDataExportResponseObject, error) {
	out, err := answered[contract.DataExport](h.rooms.CreateDataExport(ctx, r.Params.IdempotencyKey, string(r.Body.Format)))
	return server.CreateDataExport202JSONResponse{Body: out, Headers: server.CreateDataExport202ResponseHeaders{Location: "/v1/data-exports/" + out.Id}}, err
}

func (h handlers) GetDataExport(ctx context.Context, r server.GetDataExportRequestObject) (server.GetDataExportResponseObject, error) {
	out, err := answered[contract.DataExport](h.rooms.DataExport(ctx, r.DataExport))
	return server.GetDataExport200JSONResponse(out), err
}

func (h handlers) ListDataExports(ctx context.Context, r server.ListDataExportsRequestObject) (server.ListDataExportsResponseObject, error) {
	rows, next, err := listed[contract.DataExport](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]export.Bulk, string, error) {
		return h.rooms.DataExports(ctx, p)
	})
	return server.ListDataExports200JSONResponse{Exports: rows, NextCursor: next}, err
}

// streamed is a file that is sent as it is read; the generated answer would hold all of it.
type streamed struct {
	name string
	size int64
	body io.Reader
}

func (s streamed) VisitDownloadDataExportResponse(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentDisposition, attached(s.name))
	c.Set(fiber.HeaderContentType, "application/zip")
	return c.SendStream(s.body, int(s.size))
}

func (h handlers) DownloadDataExport(ctx context.Context, r server.DownloadDataExportRequestObject) (server.DownloadDataExportResponseObject, error) {
	b, file, err := h.rooms.DataExportFile(ctx, r.DataExport)
	if err != nil {
		return nil, err
	}
	return streamed{fmt.Sprintf("%s-%s.zip", b.ID, b.Format), b.Bytes, file}, nil
}
