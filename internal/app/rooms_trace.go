package app

import (
	"bytes"
	"context"
	"strings"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Audit lists acts with what their actors are called.
func (r Rooms) Audit(ctx context.Context, _ api.Principal, f audit.Filter, p page.Request) (out []api.Act, next string, err error) {
	err = r.h.DB.View(ctx, "list audit", func(ctx context.Context, tx *postgres.Tx) error {
		out = nil
		var all []audit.Act
		if all, next, err = audit.ReadTx(ctx, tx, f, p); err != nil {
			return err
		}
		people := make([]string, len(all))
		for i, a := range all {
			_, people[i], _ = strings.Cut(a.Actor, ":")
		}
		names, err := identity.NamesTx(ctx, tx, people)
		if err != nil {
			return err
		}
		for i, a := range all {
			if string(a.Detail) == "null" {
				a.Detail = nil
			}
			out = append(out, api.Act{Act: a, Name: names[people[i]]})
		}
		return nil
	})
	return out, next, err
}

// AuditFile writes acts as CSV.
func (r Rooms) AuditFile(ctx context.Context, _ api.Principal, f audit.Filter) ([]byte, error) {
	var b bytes.Buffer
	err := r.h.DB.View(ctx, "export audit", func(ctx context.Context, tx *postgres.Tx) error {
		b.Reset()
		return audit.WriteTx(ctx, tx, &b, f)
	})
	return b.Bytes(), err
}

// VerifyAudit walks the chain.
func (r Rooms) VerifyAudit(ctx context.Context, _ api.Principal) (audit.Verdict, error) {
	return audit.Verify(ctx, r.h.DB)
}
