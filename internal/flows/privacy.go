package flows

import (
	"context"

	"cursus/internal/domain/dossier"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// exportMade tells somebody that the file with all that is kept of her is ready, whoever asked for it. The mail leads to her own page, behind the
// sign-in; it carries nothing that opens the file. One that expired or went with an erasure meanwhile is not told of.
func (h *House) exportMade(ctx context.Context, e dossier.ExportMade) error {
	var x dossier.Export
	if err := h.DB.View(ctx, "export made", func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = h.Dossier.ExportTx(ctx, tx, dossier.By{Any: true}, e.ExportID)
		return err
	}); err != nil || x.State != "ready" {
		return err
	}
	return h.post(ctx, letter{name: "export_ready", reference: x.ID, person: x.PersonID, path: "/privacy", facts: mails.Facts{Until: *x.ExpiresAt}})
}
