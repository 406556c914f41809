package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// accountant is the viewer as the API knows her, where her roles let her use a scope of the accounts; others are refused.
func (p Pages) accountant(ctx context.Context, who web.Viewer, scope string) (context.Context, api.Principal, error) {
	ctx = as(ctx, who)
	err := p.h.DB.View(ctx, "may see accounts", func(ctx context.Context, tx *postgres.Tx) error {
		return mayTx(ctx, tx, who, errNoAccounts, scope)
	})
	return ctx, api.Principal{PersonID: who.PersonID, Actor: postgres.Actor(ctx), Scopes: []string{"accounts:read"}}, err
}

// reader is the viewer as the API knows her for documents: her own, or all of them.
func (p Pages) reader(ctx context.Context, who web.Viewer) (context.Context, api.Principal) {
	may, principal, err := p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return as(ctx, who), api.Principal{PersonID: who.PersonID, Actor: postgres.Actor(as(ctx, who))}
	}
	return may, principal
}

// Documents lists documents.
func (p Pages) Documents(ctx context.Context, who web.Viewer, f invoicing.Filter, r page.Request) ([]invoicing.Full, string, error) {
	ctx, principal, err := p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return nil, "", err
	}
	return NewRooms(p.h).Documents(ctx, principal, f, r)
}

// OrderDocuments lists the documents of an order.
func (p Pages) OrderDocuments(ctx context.Context, who web.Viewer, order string) ([]invoicing.Full, error) {
	ctx, principal := p.reader(ctx, who)
	return NewRooms(p.h).OrderDocuments(ctx, principal, order)
}

// Issuers lists the issuers.
func (p Pages) Issuers(ctx context.Context, who web.Viewer) ([]invoicing.IssuerDetails, error) {
	ctx, principal, err := p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return nil, err
	}
	return NewRooms(p.h).Issuers(ctx, principal)
}

var errIssuerThere = fault.New(fault.Conflict, "issuer-exists", "There is an issuer with this key.")

// SaveIssuer writes an issuer over the version that it carries, or makes a new one.
func (p Pages) SaveIssuer(ctx context.Context, who web.Viewer, d invoicing.IssuerDetails, isNew bool) error {
	ctx, _, err := p.accountant(ctx, who, "accounts:write")
	if err != nil {
		return err
	}
	return p.h.DB.InTx(ctx, "save issuer", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := invoicing.IssuerTx(ctx, tx, d.Key)
		switch {
		case isNew && err == nil:
			return errIssuerThere
		case !isNew && (err != nil || d.Version < 1):
			return errors.Join(err, invoicing.ErrIssuerChanged)
		case isNew && errors.Is(err, invoicing.ErrNoIssuer):
			d.Version = 0
		case err != nil:
			return err
		}
		_, err = invoicing.PutIssuerTx(ctx, tx, d, d.Version)
		return err
	})
}

// OrderBilling says to whom an order is billed.
func (p Pages) OrderBilling(ctx context.Context, who web.Viewer, order string) (invoicing.Billing, error) {
	ctx, principal := p.reader(ctx, who)
	return NewRooms(p.h).OrderBilling(ctx, principal, order)
}

// SaveOrderBilling writes to whom an order is billed, over the version that was read; of version 0 there was none.
func (p Pages) SaveOrderBilling(ctx context.Context, who web.Viewer, order string, b invoicing.Billing) error {
	ctx, principal := p.reader(ctx, who)
	now, err := NewRooms(p.h).OrderBilling(ctx, principal, order)
	if err == nil && now.Version != b.Version {
		err = invoicing.ErrBilling
	}
	if err != nil {
		return err
	}
	_, err = NewRooms(p.h).PutOrderBilling(ctx, principal, order, b.Buyer, b.Version)
	return err
}

// DocumentFile gives a document as pdf or xml.
func (p Pages) DocumentFile(ctx context.Context, who web.Viewer, id, format string) (web.File, error) {
	ctx, principal := p.reader(ctx, who)
	if format == "pdf" {
		d, pdf, err := NewRooms(p.h).DocumentPDF(ctx, principal, id)
		return web.File{Name: d.Number + ".pdf", ContentType: "application/pdf", Content: pdf}, err
	}
	d, err := NewRooms(p.h).Document(ctx, principal, id)
	if err != nil {
		return web.File{}, err
	}
	xml, err := d.CII()
	return web.File{Name: d.Number + ".xml", ContentType: "application/xml", Content: xml}, err
}

// Accounts gives the balances.
func (p Pages) Accounts(ctx context.Context, who web.Viewer, asOf time.Time) ([]accounting.Row, error) {
	ctx, principal, err := p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return nil, err
	}
	rows, _, err := NewRooms(p.h).Accounts(ctx, principal, asOf)
	return rows, err
}

// AccountEntries lists the entries of an account.
func (p Pages) AccountEntries(ctx context.Context, who web.Viewer, f accounting.Filter, r page.Request) ([]accounting.Entry, string, error) {
	ctx, principal, err := p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return nil, "", err
	}
	return NewRooms(p.h).AccountEntries(ctx, principal, f, r)
}

// OrderStatement gives what the ledger says of an order.
func (p Pages) OrderStatement(ctx context.Context, who web.Viewer, order string) (s accounting.OrderStatement, err error) {
	ctx, principal, err := p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return s, err
	}
	return NewRooms(p.h).OrderStatement(ctx, principal, order)
}

// Journal gives the journal of a period as csv, or as txt in the layout of the FEC.
func (p Pages) Journal(ctx context.Context, who web.Viewer, format string, period accounting.Period, c money.Currency) (web.File, error) {
	ctx, principal, err := p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return web.File{}, err
	}
	content, err := NewRooms(p.h).Journal(ctx, principal, format == "txt", period, c)
	if format == "txt" {
		return web.File{Name: "FEC-" + string(c) + ".txt", ContentType: "text/plain; charset=utf-8", Content: content}, err
	}
	return web.File{Name: "journal-" + string(c) + ".csv", ContentType: "text/csv; charset=utf-8", Content: content}, err
}

// Agreements lists the agreements, and the organisations.
func (p Pages) Agreements(ctx context.Context, who web.Viewer) (all []accounting.Agreement, organisations []identity.Organisation, err error) {
	ctx, _, err = p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return nil, nil, err
	}
	err = p.h.DB.View(ctx, "agreements", func(ctx context.Context, tx *postgres.Tx) error {
		if all, err = accounting.AgreementsTx(ctx, tx); err != nil {
			return err
		}
		organisations, err = identity.OrganisationsTx(ctx, tx)
		return err
	})
	return all, organisations, err
}

// Partner finds an organisation whose money the viewer sees, with its agreements.
func (p Pages) Partner(ctx context.Context, who web.Viewer, partner string) (of identity.Managed, own []accounting.Agreement, err error) {
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "partner", func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.MustHoldTx(ctx, tx, partner, who.PersonID, "statements:read"); err != nil {
			return err
		}
		if of, err = identity.OrganisationTx(ctx, tx, partner); err != nil {
			return err
		}
		all, err := accounting.AgreementsTx(ctx, tx)
		own = slices.DeleteFunc(all, func(a accounting.Agreement) bool { return a.Organisation != partner })
		return err
	})
	return of, own, err
}

// PartnerStatement gives the statement of a school.
func (p Pages) PartnerStatement(ctx context.Context, who web.Viewer, partner string, period accounting.Period, c money.Currency) (accounting.PartnerStatement, error) {
	ctx, caller := asCaller(ctx, who)
	return NewRooms(p.h).PartnerStatement(ctx, caller, partner, period, c)
}

// PartnerPaper is the statement of a school on paper.
func (p Pages) PartnerPaper(ctx context.Context, who web.Viewer, partner string, period accounting.Period, c money.Currency, lang string) (web.File, error) {
	of, _, err := p.Partner(ctx, who, partner)
	if err != nil {
		return web.File{}, err
	}
	s, err := p.PartnerStatement(ctx, who, partner, period, c)
	if err != nil {
		return web.File{}, err
	}
	content, err := p.h.printer.Statement(ctx, s, of.Name, lang, p.h.Config.Demo)
	return web.File{Name: s.Organisation + "-" + string(s.Currency) + ".pdf", ContentType: "application/pdf", Content: content}, err
}

// RecordSettlement records a settlement, once per key.
func (p Pages) RecordSettlement(ctx context.Context, who web.Viewer, key string, s accounting.Settlement) error {
	ctx, principal, err := p.accountant(ctx, who, "accounts:write")
	if err != nil {
		return err
	}
	_, err = NewRooms(p.h).RecordSettlement(ctx, principal, key, s)
	return err
}

// Reconciliations gives the last comparisons and the differences of a state.
func (p Pages) Reconciliations(ctx context.Context, who web.Viewer, state string, r page.Request) (runs []accounting.Run, all []accounting.Difference, next string, err error) {
	ctx, _, err = p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return nil, nil, "", err
	}
	err = p.h.DB.View(ctx, "reconciliations", func(ctx context.Context, tx *postgres.Tx) error {
		if runs, err = accounting.RunsTx(ctx, tx, 10); err != nil {
			return err
		}
		all, next, err = accounting.DifferencesTx(ctx, tx, "", state, r)
		return err
	})
	return runs, all, next, err
}

// StartReconciliation asks for a comparison, once per key.
func (p Pages) StartReconciliation(ctx context.Context, who web.Viewer, key string) error {
	ctx, principal, err := p.accountant(ctx, who, "accounts:write")
	if err != nil {
		return err
	}
	_, err = NewRooms(p.h).StartReconciliation(ctx, principal, key)
	return err
}

// Investigate gathers what is known of a difference.
func (p Pages) Investigate(ctx context.Context, who web.Viewer, id string) (v accounting.Investigation, err error) {
	ctx, principal, err := p.accountant(ctx, who, "accounts:read")
	if err != nil {
		return v, err
	}
	return NewRooms(p.h).Investigate(ctx, principal, id)
}
