package app

import (
	"context"
	"slices"

	"cursus/internal/domain/dossier"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// ofPerson does something with what is kept of people: for the principal herself, or for anybody where she looks after that. The house
// writes; the audit says who asked.
func (r Rooms) ofPerson(ctx context.Context, who api.Principal, name string, work func(ctx context.Context, tx *postgres.Tx, by dossier.By) error) error {
	by := dossier.By{PersonID: who.PersonID, Any: slices.Contains(who.Scopes, "privacy:write")}
	return r.h.DB.InTx(postgres.WithActor(ctx, "system"), name, func(ctx context.Context, tx *postgres.Tx) error { return work(ctx, tx, by) })
}

// Consents are what the principal says of every purpose.
func (r Rooms) Consents(ctx context.Context, who api.Principal) (all []privacy.Consent, err error) {
	err = r.ofPerson(ctx, who, "consents", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		all, err = privacy.ConsentsOfTx(ctx, tx, by.PersonID)
		return err
	})
	return all, err
}

// GiveConsent agrees to a purpose under a text.
func (r Rooms) GiveConsent(ctx context.Context, who api.Principal, purpose, text string) (c privacy.Consent, err error) {
	err = r.ofPerson(ctx, who, "give consent", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		if err := privacy.AgreeTx(ctx, tx, by.PersonID, purpose, text); err != nil {
			return err
		}
		all, err := privacy.ConsentsOfTx(ctx, tx, by.PersonID)
		if i := slices.IndexFunc(all, func(x privacy.Consent) bool { return x.Purpose == purpose }); i >= 0 {
			c = all[i]
		}
		return err
	})
	return c, err
}

// WithdrawConsent agrees to a purpose no more.
func (r Rooms) WithdrawConsent(ctx context.Context, who api.Principal, purpose string) error {
	return r.ofPerson(ctx, who, "withdraw consent", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		return privacy.SayTx(ctx, tx, by.PersonID, purpose, false)
	})
}

// RequestExport has all that is kept of somebody written into a file; of the principal where no person is named.
func (r Rooms) RequestExport(ctx context.Context, who api.Principal, person string) (e dossier.Export, err error) {
	err = r.ofPerson(ctx, who, "ask export", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		of := person
		if of == "" {
			of = by.PersonID
		}
		id, err := r.h.Dossier.AskExportTx(ctx, tx, by, of)
		if err != nil {
			return err
		}
		e, err = r.h.Dossier.ExportTx(ctx, tx, by, id)
		return err
	})
	return e, err
}

// PersonExport finds an export.
func (r Rooms) PersonExport(ctx context.Context, who api.Principal, id string) (e dossier.Export, err error) {
	err = r.ofPerson(ctx, who, "export", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		e, err = r.h.Dossier.ExportTx(ctx, tx, by, id)
		return err
	})
	return e, err
}

// PersonExportFile gives the bytes of an export.
func (r Rooms) PersonExportFile(ctx context.Context, who api.Principal, id string) (file []byte, err error) {
	err = r.ofPerson(ctx, who, "fetch export", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		file, err = r.h.Dossier.FileTx(ctx, tx, by, id)
		return err
	})
	return file, err
}

// erasure does something with requests to be erased, and reads one again.
func (r Rooms) erasure(ctx context.Context, who api.Principal, name string, work func(ctx context.Context, tx *postgres.Tx, by dossier.By) (id string, err error)) (e dossier.Erasure, err error) {
	err = r.ofPerson(ctx, who, name, func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		id, err := work(ctx, tx, by)
		if err != nil {
			return err
		}
		e, err = r.h.Dossier.ErasureTx(ctx, tx, by, id)
		return err
	})
	return e, err
}

// RequestErasure notes that the principal wants to be erased.
func (r Rooms) RequestErasure(ctx context.Context, who api.Principal) (dossier.Erasure, error) {
	return r.erasure(ctx, who, "ask erasure", func(ctx context.Context, tx *postgres.Tx, by dossier.By) (string, error) {
		return r.h.Dossier.AskErasureTx(ctx, tx, by, by.PersonID)
	})
}

// Erasures lists requests, each with what is in its way while it is open.
func (r Rooms) Erasures(ctx context.Context, who api.Principal, state string, p page.Request) (all []dossier.Erasure, next string, err error) {
	err = r.ofPerson(ctx, who, "erasures", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) error {
		all, next, err = dossier.ErasuresTx(ctx, tx, state, p)
		return err
	})
	return all, next, err
}

// Erasure finds a request.
func (r Rooms) Erasure(ctx context.Context, who api.Principal, id string) (dossier.Erasure, error) {
	return r.erasure(ctx, who, "erasure", func(context.Context, *postgres.Tx, dossier.By) (string, error) { return id, nil })
}

// WithdrawErasure takes a request back.
func (r Rooms) WithdrawErasure(ctx context.Context, who api.Principal, id string) error {
	return r.ofPerson(ctx, who, "withdraw erasure", func(ctx context.Context, tx *postgres.Tx, by dossier.By) error {
		return r.h.Dossier.WithdrawErasureTx(ctx, tx, by, id)
	})
}

// DecideErasure approves a request or refuses it.
func (r Rooms) DecideErasure(ctx context.Context, who api.Principal, id string, approve bool, note string) (dossier.Erasure, error) {
	return r.erasure(ctx, who, "decide erasure", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) (string, error) {
		return id, r.h.Dossier.DecideErasureTx(ctx, tx, id, approve, note)
	})
}

// CarryOutErasure erases who is named.
func (r Rooms) CarryOutErasure(ctx context.Context, who api.Principal, id, person string) (dossier.Erasure, error) {
	return r.erasure(ctx, who, "erase", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) (string, error) {
		return id, r.h.Dossier.EraseTx(ctx, tx, id, person)
	})
}

// Retention is the schedule.
func (r Rooms) Retention(ctx context.Context, who api.Principal) (all []dossier.Rule, err error) {
	err = r.ofPerson(ctx, who, "retention", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) error {
		all, err = dossier.ScheduleTx(ctx, tx)
		return err
	})
	return all, err
}

// RetentionRule is a line of it.
func (r Rooms) RetentionRule(ctx context.Context, who api.Principal, kind string) (x dossier.Rule, err error) {
	err = r.ofPerson(ctx, who, "retention", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) error {
		x, err = dossier.RuleTx(ctx, tx, kind)
		return err
	})
	return x, err
}

// PutRetentionRule sets for how long a kind of records is kept.
func (r Rooms) PutRetentionRule(ctx context.Context, who api.Principal, kind string, days, version int) (x dossier.Rule, err error) {
	err = r.ofPerson(ctx, who, "set retention", func(ctx context.Context, tx *postgres.Tx, _ dossier.By) error {
		x, err = dossier.PutRuleTx(ctx, tx, kind, days, version)
		return err
	})
	return x, err
}
