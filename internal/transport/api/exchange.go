package api

import (
	"bytes"
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/exchange"
)

// ExchangeRooms is what the API asks of the house about catalogues as files.
type ExchangeRooms interface {
	// ExportCatalogue writes a collection as json or csv.
	ExportCatalogue(ctx context.Context, who Principal, collection, format string) (content []byte, name string, err error)
	ImportCatalogue(ctx context.Context, who Principal, key string, content []byte, dryRun bool) (exchange.Result, error)
}

func (h handlers) ExportCatalogue(ctx context.Context, r server.ExportCatalogueRequestObject) (server.ExportCatalogueResponseObject, error) {
	format := contract.ExportCatalogueParamsFormatJson
	if r.Params.Format != nil {
		format = *r.Params.Format
	}
	content, name, err := h.rooms.ExportCatalogue(ctx, callerOf(ctx), r.Collection, string(format))
	if err != nil {
		return nil, err
	}
	return server.ExportCatalogue200ApplicationoctetStreamResponse{
		Body: bytes.NewReader(content), ContentLength: int64(len(content)),
		Headers: server.ExportCatalogue200ResponseHeaders{ContentDisposition: `attachment; filename="` + name + `"`},
	}, nil
}

func (h handlers) ImportCatalogue(ctx context.Context, r server.ImportCatalogueRequestObject) (server.ImportCatalogueResponseObject, error) {
	out, err := h.rooms.ImportCatalogue(ctx, callerOf(ctx), r.Params.IdempotencyKey, callOf(ctx).body, value(r.Params.DryRun))
	if err != nil {
		return nil, err
	}
	said, err := as[contract.CatalogueImport](out)
	return server.ImportCatalogue200JSONResponse(said), err
}
