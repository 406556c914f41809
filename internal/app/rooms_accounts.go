package app

import (
	"bytes"
	"context"
	"slices"
	"time"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Documents lists documents.
func (r Rooms) Documents(ctx context.Context, _ api.Principal, f invoicing.Filter, p page.Request) (all []invoicing.Full, next string, err error) {
	err = r.h.DB.View(ctx, "list documents", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = invoicing.ListTx(ctx, tx, f, p)
		return err
	})
	return all, next, err
}

// ofHers keeps a document from staff who may not read the accounts, whom row-level security lets see all.
func ofHers(who api.Principal, buyerID string) error {
	if buyerID != who.PersonID && !slices.Contains(who.Scopes, "accounts:read") {
		return invoicing.ErrNoDocument
	}
	return nil
}

// Document finds a document.
func (r Rooms) Document(ctx context.Context, who api.Principal, id string) (invoicing.Full, error) {
	d, err := r.h.Invoicing.Document(ctx, id)
	if err == nil {
		err = ofHers(who, d.BuyerID)
	}
	if err != nil && r.manages(ctx, who, id) {
		return r.h.Invoicing.Document(postgres.WithActor(ctx, "system"), id)
	}
	return d, err
}

// manages says whether a document is of an organisation that the caller manages: whoever of its managers ordered.
func (r Rooms) manages(ctx context.Context, who api.Principal, id string) bool {
	return r.h.DB.View(postgres.WithActor(ctx, "system"), "whose document", func(ctx context.Context, tx *postgres.Tx) error {
		d, err := invoicing.DocumentTx(ctx, tx, id)
		if err != nil {
			return err
		}
		o, err := sales.OrderTx(ctx, tx, d.Facts.OrderID)
		if err != nil {
			return err
		}
		return identity.MustManageTx(ctx, tx, o.Organisation, who.PersonID)
	}) == nil
}

// DocumentPDF gives the paper.
func (r Rooms) DocumentPDF(ctx context.Context, who api.Principal, id string) (invoicing.Full, []byte, error) {
	if d, err := r.Document(ctx, who, id); err != nil {
		return d, nil, err
	}
	return r.h.Invoicing.PDF(postgres.WithActor(ctx, "system"), id)
}

// OrderDocuments lists the documents of an order.
func (r Rooms) OrderDocuments(ctx context.Context, who api.Principal, order string) (all []invoicing.Full, err error) {
	if _, err := r.hers(ctx, who, order); err != nil {
		return nil, err
	}
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "documents of an order", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = invoicing.OfOrderTx(ctx, tx, order)
		return err
	})
	return all, err
}

// hers finds an order that is the caller's or that of an organisation that she manages, or any where she may read the accounts.
func (r Rooms) hers(ctx context.Context, who api.Principal, order string) (o sales.Order, err error) {
	err = r.h.DB.View(ctx, "her order", func(ctx context.Context, tx *postgres.Tx) error {
		if o, err = sales.OrderTx(ctx, tx, order); err != nil || ofHers(who, o.BuyerID) == nil {
			return err
		}
		if !o.Pool() || identity.MustManageTx(ctx, tx, o.Organisation, who.PersonID) != nil {
			return sales.ErrNoOrder
		}
		return nil
	})
	return o, err
}

// IssueOrderDocument issues a proforma or a receipt of an order of the caller, once.
func (r Rooms) IssueOrderDocument(ctx context.Context, who api.Principal, key, order, kind string) (invoicing.Full, error) {
	if _, err := r.hers(ctx, who, order); err != nil {
		return invoicing.Full{}, err
	}
	ctx = postgres.WithActor(ctx, "system") // a learner writes no documents; this one says what her order says
	id, err := r.once(ctx, who, key, "issue document", order+kind, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		return r.h.Sales.IssueTx(ctx, tx, order, kind)
	})
	if err != nil {
		return invoicing.Full{}, err
	}
	return r.h.Invoicing.Document(ctx, id)
}

// OrderBilling says to whom an order is billed.
func (r Rooms) OrderBilling(ctx context.Context, who api.Principal, order string) (b invoicing.Billing, err error) {
	if _, err := r.hers(ctx, who, order); err != nil {
		return b, err
	}
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "billing", func(ctx context.Context, tx *postgres.Tx) error {
		b, err = invoicing.BillingTx(ctx, tx, order)
		return err
	})
	return b, err
}

// PutOrderBilling writes to whom an order is billed.
func (r Rooms) PutOrderBilling(ctx context.Context, who api.Principal, order string, b invoicing.Buyer, version int) (out invoicing.Billing, err error) {
	o, err := r.hers(ctx, who, order)
	if err != nil {
		return out, err
	}
	err = r.h.DB.InTx(postgres.WithActor(ctx, "system"), "put billing", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := sales.LockTx(ctx, tx, order); err != nil {
			return err
		}
		out, err = invoicing.PutBillingTx(ctx, tx, order, o.BuyerID, b, version)
		return err
	})
	return out, err
}

// Issuers lists the issuers.
func (r Rooms) Issuers(ctx context.Context, _ api.Principal) ([]invoicing.IssuerDetails, error) {
	return view(ctx, r.h, "issuers", func(ctx context.Context, tx *postgres.Tx) ([]invoicing.IssuerDetails, error) {
		return invoicing.IssuersTx(ctx, tx)
	})
}

// PutIssuer makes or rewrites an issuer.
func (r Rooms) PutIssuer(ctx context.Context, _ api.Principal, d invoicing.IssuerDetails, version int) (invoicing.IssuerDetails, error) {
	return change(ctx, r.h, "put issuer", func(ctx context.Context, tx *postgres.Tx) (invoicing.IssuerDetails, error) {
		return invoicing.PutIssuerTx(ctx, tx, d, version)
	})
}

// Accounts gives the balances.
func (r Rooms) Accounts(ctx context.Context, _ api.Principal, asOf time.Time) (all []accounting.Row, at time.Time, err error) {
	if at = asOf.UTC(); asOf.IsZero() {
		at = r.h.DB.Now().UTC().Truncate(time.Microsecond)
	}
	err = r.h.DB.View(ctx, "accounts", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = accounting.BalancesTx(ctx, tx, at)
		return err
	})
	return all, at, err
}

// AccountEntries lists the entries of an account.
func (r Rooms) AccountEntries(ctx context.Context, _ api.Principal, f accounting.Filter, p page.Request) (all []accounting.Entry, next string, err error) {
	err = r.h.DB.View(ctx, "entries", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = accounting.EntriesTx(ctx, tx, f, p)
		return err
	})
	return all, next, err
}

// OrderStatement gives what the ledger says of an order.
func (r Rooms) OrderStatement(ctx context.Context, _ api.Principal, order string) (accounting.OrderStatement, error) {
	return view(ctx, r.h, "statement of an order", func(ctx context.Context, tx *postgres.Tx) (accounting.OrderStatement, error) {
		return accounting.OrderTx(ctx, tx, order)
	})
}

// Journal writes the journal of a period.
func (r Rooms) Journal(ctx context.Context, _ api.Principal, fec bool, p accounting.Period, c money.Currency) ([]byte, error) {
	var file bytes.Buffer
	err := r.h.DB.View(ctx, "journal", func(ctx context.Context, tx *postgres.Tx) error {
		file.Reset()
		if fec {
			return accounting.WriteFECTx(ctx, tx, &file, p, c)
		}
		return accounting.WriteCSVTx(ctx, tx, &file, p, c)
	})
	return file.Bytes(), err
}

// Agreements lists the agreements.
func (r Rooms) Agreements(ctx context.Context, _ api.Principal) ([]accounting.Agreement, error) {
	return view(ctx, r.h, "agreements", func(ctx context.Context, tx *postgres.Tx) ([]accounting.Agreement, error) {
		return accounting.AgreementsTx(ctx, tx)
	})
}

// PutAgreement makes or rewrites an agreement.
func (r Rooms) PutAgreement(ctx context.Context, _ api.Principal, a accounting.Agreement, version int) (accounting.Agreement, error) {
	return change(ctx, r.h, "put agreement", func(ctx context.Context, tx *postgres.Tx) (accounting.Agreement, error) {
		return accounting.PutAgreementTx(ctx, tx, a, version)
	})
}

// PartnerStatement gives the statement of a school, to staff and to who sees the money of that school.
func (r Rooms) PartnerStatement(ctx context.Context, who api.Principal, partner string, p accounting.Period, c money.Currency) (s accounting.PartnerStatement, err error) {
	if !c.Known() {
		return s, money.ErrCurrency
	}
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "statement of a partner", func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.MustHoldTx(ctx, tx, partner, who.PersonID, "statements:read"); err != nil {
			return err
		}
		s, err = accounting.PartnerTx(ctx, tx, partner, p, c)
		return err
	})
	return s, err
}

// RecordSettlement records a settlement, once per key.
func (r Rooms) RecordSettlement(ctx context.Context, who api.Principal, key string, s accounting.Settlement) (out accounting.Settlement, err error) {
	id, err := r.once(ctx, who, key, "record settlement", s, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		made, err := accounting.RecordSettlementTx(ctx, tx, s)
		return made.ID, err
	})
	if err != nil {
		return out, err
	}
	err = r.h.DB.View(ctx, "settlement", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = accounting.SettlementTx(ctx, tx, id)
		return err
	})
	return out, err
}

// StartReconciliation asks for a comparison, once per key.
func (r Rooms) StartReconciliation(ctx context.Context, who api.Principal, key string) (accounting.Run, error) {
	id, err := r.once(ctx, who, key, "start reconciliation", nil, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		run, err := r.h.Accounting.AskTx(ctx, tx, who.Actor)
		return run.ID, err
	})
	if err != nil {
		return accounting.Run{}, err
	}
	return r.h.Accounting.Run(ctx, id)
}

// Reconciliation finds a comparison.
func (r Rooms) Reconciliation(ctx context.Context, _ api.Principal, id string) (accounting.Run, error) {
	return r.h.Accounting.Run(ctx, id)
}

// Differences lists differences.
func (r Rooms) Differences(ctx context.Context, _ api.Principal, kind, state string, p page.Request) (all []accounting.Difference, next string, err error) {
	err = r.h.DB.View(ctx, "differences", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = accounting.DifferencesTx(ctx, tx, kind, state, p)
		return err
	})
	return all, next, err
}

// Investigate gathers what is known of a difference. The provider's events are the system's alone to read; who comes here may
// read the accounts.
func (r Rooms) Investigate(ctx context.Context, _ api.Principal, id string) (v accounting.Investigation, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "investigate", func(ctx context.Context, tx *postgres.Tx) error {
		v, err = accounting.InvestigateTx(ctx, tx, id)
		return err
	})
	return v, err
}

var errNoAccounts = fault.New(fault.Forbidden, "scope-missing", "This needs the scope accounts:read, or accounts:write to change something.")
