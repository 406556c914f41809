package app

import (
	"context"
	"errors"

	"cursus/internal/domain/dossier"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var errNoPrivacy = fault.New(fault.Forbidden, "scope-missing", "This needs the scope privacy:write.")

// herself does something for the viewer and what is kept of her: the house writes, the audit says that it was she.
func (p Pages) herself(ctx context.Context, who web.Viewer, name string, work func(ctx context.Context, tx *postgres.Tx, by dossier.By) error) error {
	ctx = postgres.WithActor(postgres.WithActor(ctx, "learner:"+who.PersonID), "system")
	return p.h.DB.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		return work(ctx, tx, dossier.By{PersonID: who.PersonID})
	})
}

// keeper does something for who looks after the privacy of others.
func (p Pages) keeper(ctx context.Context, who web.Viewer, name string, work func(ctx context.Context, tx *postgres.Tx, by dossier.By) error) error {
	ctx = postgres.WithActor(as(ctx, who), "system")
	return p.h.DB.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoPrivacy, "privacy:write"); err != nil {
			return err
		}
		return work(ctx, tx, dossier.By{PersonID: who.PersonID, Any: true})
	})
}

// Consents lists what the viewer agrees to.
func (p Pages) Consents(ctx context.Context, who web.Viewer) (all []privacy.Consent, err error) {
	err = p.herself(ctx, who, "consents", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		all, err = privacy.ConsentsOfTx(ctx, tx, by.PersonID)
		return err
	})
	return all, err
}

// SayConsents notes what she agrees to.
func (p Pages) SayConsents(ctx context.Context, who web.Viewer, given map[string]bool) error {
	return p.herself(ctx, who, "say consents", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		for _, x := range privacy.Purposes() {
			if yes, ok := given[x.Code]; ok {
				if err := privacy.SayTx(ctx, tx, by.PersonID, x.Code, yes); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Exports lists exports of the viewer, or of a person for who looks after that.
func (p Pages) Exports(ctx context.Context, who web.Viewer, person string) (all []dossier.Export, err error) {
	read := func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		if !by.Any {
			person = by.PersonID
		}
		all, err = dossier.ExportsTx(ctx, tx, person)
		return err
	}
	if person == "" {
		return all, p.herself(ctx, who, "exports", read)
	}
	return all, p.keeper(ctx, who, "exports", read)
}

// AskExport has an export made.
func (p Pages) AskExport(ctx context.Context, who web.Viewer, person string) (id string, err error) {
	ask := func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		of := person
		if !by.Any {
			of = by.PersonID
		}
		id, err = p.h.Dossier.AskExportTx(ctx, tx, by, of)
		return err
	}
	if person == "" {
		err = p.herself(ctx, who, "ask export", ask)
	} else {
		err = p.keeper(ctx, who, "ask export", ask)
	}
	return id, err
}

// ExportFile gives an export to whom it is of, and to who looks after that.
func (p Pages) ExportFile(ctx context.Context, who web.Viewer, id string) (f web.File, err error) {
	f = web.File{Name: id + ".zip", ContentType: "application/zip"}
	ctx = postgres.WithActor(as(ctx, who), "system")
	err = p.h.DB.InTx(ctx, "fetch export", func(ctx context.Context, tx *postgres.Tx) error {
		any, err := identity.MayTx(ctx, tx, who.PersonID, "privacy:write")
		if err == nil {
			f.Content, err = p.h.Dossier.FileTx(ctx, tx, dossier.By{PersonID: who.PersonID, Any: any}, id)
		}
		return err
	})
	return f, err
}

// OpenErasure finds the open request of the viewer.
func (p Pages) OpenErasure(ctx context.Context, who web.Viewer) (e *dossier.Erasure, err error) {
	err = p.herself(ctx, who, "open erasure", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		one, err := dossier.OpenErasureTx(ctx, tx, by.PersonID)
		if errors.Is(err, dossier.ErrNoErasure) {
			return nil
		}
		e = &one
		return err
	})
	return e, err
}

// AskErasure notes that the viewer wants to be erased.
func (p Pages) AskErasure(ctx context.Context, who web.Viewer) error {
	return p.herself(ctx, who, "ask erasure", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		_, err := p.h.Dossier.AskErasureTx(ctx, tx, by, by.PersonID)
		return err
	})
}

// WithdrawErasure takes her request back.
func (p Pages) WithdrawErasure(ctx context.Context, who web.Viewer, id string) error {
	return p.herself(ctx, who, "withdraw erasure", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		return p.h.Dossier.WithdrawErasureTx(ctx, tx, by, id)
	})
}

// Erasures lists requests, with what is in the way of the open ones.
func (p Pages) Erasures(ctx context.Context, who web.Viewer, r page.Request) (all []dossier.Erasure, next string, err error) {
	err = p.keeper(ctx, who, "erasures", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) error {
		all, next, err = dossier.ErasuresTx(ctx, tx, "", r)
		return err
	})
	return all, next, err
}

// DecideErasure approves or refuses.
func (p Pages) DecideErasure(ctx context.Context, who web.Viewer, id string, approve bool, note string) error {
	return p.keeper(ctx, who, "decide erasure", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) error {
		return p.h.Dossier.DecideErasureTx(ctx, tx, id, approve, note)
	})
}

// Erase carries one out.
func (p Pages) Erase(ctx context.Context, who web.Viewer, id, person string) error {
	return p.keeper(ctx, who, "erase", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) error {
		return p.h.Dossier.EraseTx(ctx, tx, id, person)
	})
}

// Retention is the schedule.
func (p Pages) Retention(ctx context.Context, who web.Viewer) (all []dossier.Rule, err error) {
	err = p.keeper(ctx, who, "retention", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) error {
		all, err = dossier.ScheduleTx(ctx, tx)
		return err
	})
	return all, err
}

// SetRetention sets for how many days a kind of records is kept.
func (p Pages) SetRetention(ctx context.Context, who web.Viewer, kind string, days, version int) error {
	return p.keeper(ctx, who, "set retention", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) error {
		_, err := dossier.PutRuleTx(ctx, tx, kind, days, version)
		return err
	})
}
