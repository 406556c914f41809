package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/gradebook"
)

func toMapping(m gradebook.Mappings) (contract.ColumnMapping, error) {
	utc := func(x gradebook.Mapping) gradebook.Mapping { x.DecidedAt = x.DecidedAt.UTC(); return x }
	m.Current, m.History = each(m.Current, utc), each(m.History[:min(len(m.History), maxRejects)], utc)
	return as[contract.ColumnMapping](m)
}

func (h handlers) GetColumnMapping(ctx context.Context, r server.GetColumnMappingRequestObject) (server.GetColumnMappingResponseObject, error) {
	m, err := h.rooms.ColumnMapping(ctx, callerOf(ctx), r.Session)
	if err != nil {
		return nil, err
	}
	out, err := toMapping(m)
	return server.GetColumnMapping200JSONResponse{Body: out, Headers: server.GetColumnMapping200ResponseHeaders{ETag: etag(m.Version)}}, err
}

func (h handlers) MapColumns(ctx context.Context, r server.MapColumnsRequestObject) (server.MapColumnsResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	decisions, err := turned[gradebook.Mapping](r.Body.Columns)
	if err != nil {
		return nil, err
	}
	m, err := h.rooms.MapColumns(ctx, callerOf(ctx), r.Session, decisions, version)
	if err != nil {
		return nil, err
	}
	out, err := toMapping(m)
	return server.MapColumns200JSONResponse{Body: out, Headers: server.MapColumns200ResponseHeaders{ETag: etag(m.Version)}}, err
}
