package app

import (
	"context"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

var errNoAudit = fault.New(fault.Forbidden, "scope-missing", "This needs the scope audit:read.")

// auditor lets in who may read the audit, as the API knows her.
func (p Pages) auditor(ctx context.Context, who web.Viewer) (context.Context, api.Principal, error) {
	ctx = as(ctx, who)
	err := p.h.DB.View(ctx, "may read the audit", func(ctx context.Context, tx *postgres.Tx) error { return mayTx(ctx, tx, who, errNoAudit, "audit:read") })
	return ctx, api.Principal{PersonID: who.PersonID, Actor: postgres.Actor(ctx)}, err
}

// Audit lists acts.
func (p Pages) Audit(ctx context.Context, who web.Viewer, f audit.Filter, r page.Request) (out []web.Act, next string, err error) {
	ctx, principal, err := p.auditor(ctx, who)
	if err != nil {
		return nil, "", err
	}
	all, next, err := NewRooms(p.h).Audit(ctx, principal, f, r)
	for _, a := range all {
		out = append(out, web.Act(a))
	}
	return out, next, err
}

// AuditFile writes acts as CSV.
func (p Pages) AuditFile(ctx context.Context, who web.Viewer, f audit.Filter) ([]byte, error) {
	ctx, principal, err := p.auditor(ctx, who)
	if err != nil {
		return nil, err
	}
	return NewRooms(p.h).AuditFile(ctx, principal, f)
}

// VerifyAudit walks the chain.
func (p Pages) VerifyAudit(ctx context.Context, who web.Viewer) (audit.Verdict, error) {
	ctx, principal, err := p.auditor(ctx, who)
	if err != nil {
		return audit.Verdict{}, err
	}
	return NewRooms(p.h).VerifyAudit(ctx, principal)
}
