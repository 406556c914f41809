package api

import (
	"bytes"
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
)

// Act is a row of the audit with what its actor is called now.
type Act struct {
	audit.Act
	Name string `json:"name,omitempty"`
}

// TraceRooms is what the API asks of the house about who did what.
type TraceRooms interface {
	Audit(ctx context.Context, who Principal, f audit.Filter, p page.Request) (all []Act, next string, err error)
	AuditFile(ctx context.Context, who Principal, f audit.Filter) ([]byte, error)
	VerifyAudit(ctx context.Context, who Principal) (audit.Verdict, error)
}

func (h handlers) ListAudit(ctx context.Context, r server.ListAuditRequestObject) (server.ListAuditResponseObject, error) {
	f := audit.Filter{Actor: value(r.Params.Actor), Object: value(r.Params.Object), Action: value(r.Params.Action), From: r.Params.From, Until: r.Params.Until}
	rows, next, err := listed[contract.Act](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]Act, string, error) {
		return h.rooms.Audit(ctx, callerOf(ctx), f, p)
	})
	return server.ListAudit200JSONResponse{Acts: rows, NextCursor: next}, err
}

func (h handlers) ExportAudit(ctx context.Context, r server.ExportAuditRequestObject) (server.ExportAuditResponseObject, error) {
	f := audit.Filter{Actor: value(r.Params.Actor), Object: value(r.Params.Object), Action: value(r.Params.Action), From: r.Params.From, Until: r.Params.Until}
	file, err := h.rooms.AuditFile(ctx, callerOf(ctx), f)
	return server.ExportAudit200TextcsvResponse{
		Body: bytes.NewReader(file), ContentLength: int64(len(file)), Headers: server.ExportAudit200ResponseHeaders{ContentDisposition: attached("audit.csv")},
	}, err
}

func (h handlers) VerifyAudit(ctx context.Context, _ server.VerifyAuditRequestObject) (server.VerifyAuditResponseObject, error) {
	out, err := answered[contract.AuditVerdict](h.rooms.VerifyAudit(ctx, callerOf(ctx)))
	return server.VerifyAudit200JSONResponse(out), err
}
