package api

import (
	"bytes"
	"context"
	"fmt"
	"time"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/accounting"
	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

func (h handlers) ListDocuments(ctx context.Context, r server.ListDocumentsRequestObject) (server.ListDocumentsResponseObject, error) {
	f := invoicing.Filter{Issuer: value(r.Params.Issuer), Text: value(r.Params.Q), From: r.Params.From, Until: r.Params.Until}
	if r.Params.Kind != nil {
		f.Kind = string(*r.Params.Kind)
	}
	rows, next, err := listed[contract.Document](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]invoicing.Full, string, error) {
		return h.rooms.Documents(ctx, callerOf(ctx), f, p)
	})
	return server.ListDocuments200JSONResponse{Documents: rows, NextCursor: next}, err
}

func (h handlers) GetDocument(ctx context.Context, r server.GetDocumentRequestObject) (server.GetDocumentResponseObject, error) {
	out, err := answered[contract.Document](h.rooms.Document(ctx, callerOf(ctx), r.Document))
	return server.GetDocument200JSONResponse(out), err
}

// attached names a file to be saved.
func attached(name string) string { return fmt.Sprintf("attachment; filename=%q", name) }

func (h handlers) GetDocumentPdf(ctx context.Context, r server.GetDocumentPdfRequestObject) (server.GetDocumentPdfResponseObject, error) {
	d, pdf, err := h.rooms.DocumentPDF(ctx, callerOf(ctx), r.Document)
	return server.GetDocumentPdf200ApplicationpdfResponse{
		Body: bytes.NewReader(pdf), ContentLength: int64(len(pdf)), Headers: server.GetDocumentPdf200ResponseHeaders{ContentDisposition: attached(d.Number + ".pdf")},
	}, err
}

func (h handlers) GetDocumentXml(ctx context.Context, r server.GetDocumentXmlRequestObject) (server.GetDocumentXmlResponseObject, error) {
	d, err := h.rooms.Document(ctx, callerOf(ctx), r.Document)
	if err != nil {
		return nil, err
	}
	file, err := d.CII()
	return server.GetDocumentXml200ApplicationxmlResponse{
		Body: bytes.NewReader(file), ContentLength: int64(len(file)), Headers: server.GetDocumentXml200ResponseHeaders{ContentDisposition: attached(d.Number + ".xml")},
	}, err
}

func (h handlers) ListOrderDocuments(ctx context.Context, r server.ListOrderDocumentsRequestObject) (server.ListOrderDocumentsResponseObject, error) {
	rows, err := allOf[contract.Document](h.rooms.OrderDocuments(ctx, callerOf(ctx), r.Order))
	return server.ListOrderDocuments200JSONResponse{Documents: rows}, err
}

func (h handlers) IssueOrderDocument(ctx context.Context, r server.IssueOrderDocumentRequestObject) (server.IssueOrderDocumentResponseObject, error) {
	out, err := answered[contract.Document](h.rooms.IssueOrderDocument(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Order, string(r.Body.Kind)))
	return server.IssueOrderDocument201JSONResponse(out), err
}

func (h handlers) GetOrderBilling(ctx context.Context, r server.GetOrderBillingRequestObject) (server.GetOrderBillingResponseObject, error) {
	b, err := h.rooms.OrderBilling(ctx, callerOf(ctx), r.Order)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Billing](b)
	return server.GetOrderBilling200JSONResponse{Body: out, Headers: server.GetOrderBilling200ResponseHeaders{ETag: etag(b.Version)}}, err
}

func (h handlers) PutOrderBilling(ctx context.Context, r server.PutOrderBillingRequestObject) (server.PutOrderBillingResponseObject, error) {
	out, now, err := put[contract.Billing](r.Params.IfMatch, r.Body, func(b invoicing.Buyer, version int) (invoicing.Billing, error) {
		return h.rooms.PutOrderBilling(ctx, callerOf(ctx), r.Order, b, version)
	})
	return server.PutOrderBilling200JSONResponse{Body: out, Headers: server.PutOrderBilling200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) ListIssuers(ctx context.Context, _ server.ListIssuersRequestObject) (server.ListIssuersResponseObject, error) {
	rows, err := allOf[contract.IssuerDetails](h.rooms.Issuers(ctx, callerOf(ctx)))
	return server.ListIssuers200JSONResponse{Issuers: rows}, err
}

func (h handlers) PutIssuer(ctx context.Context, r server.PutIssuerRequestObject) (server.PutIssuerResponseObject, error) {
	out, now, err := put[contract.IssuerDetails](r.Params.IfMatch, r.Body, func(d invoicing.IssuerDetails, version int) (invoicing.IssuerDetails, error) {
		d.Key = r.Issuer
		return h.rooms.PutIssuer(ctx, callerOf(ctx), d, version)
	})
	return server.PutIssuer200JSONResponse{Body: out, Headers: server.PutIssuer200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) ListAccounts(ctx context.Context, r server.ListAccountsRequestObject) (server.ListAccountsResponseObject, error) {
	all, at, err := h.rooms.Accounts(ctx, callerOf(ctx), value(r.Params.AsOf))
	if err != nil {
		return nil, err
	}
	rows, err := as[[]contract.AccountBalance](all)
	return server.ListAccounts200JSONResponse{AsOf: at, Accounts: append([]contract.AccountBalance{}, rows...)}, err
}

func (h handlers) ListAccountEntries(ctx context.Context, r server.ListAccountEntriesRequestObject) (server.ListAccountEntriesResponseObject, error) {
	f := accounting.Filter{Account: r.Account, Currency: value(r.Params.Currency), From: r.Params.From, Until: r.Params.Until}
	rows, next, err := listed[contract.LedgerEntry](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]accounting.Entry, string, error) {
		return h.rooms.AccountEntries(ctx, callerOf(ctx), f, p)
	})
	return server.ListAccountEntries200JSONResponse{Entries: rows, NextCursor: next}, err
}

func (h handlers) GetOrderStatement(ctx context.Context, r server.GetOrderStatementRequestObject) (server.GetOrderStatementResponseObject, error) {
	out, err := answered[contract.OrderStatement](h.rooms.OrderStatement(ctx, callerOf(ctx), r.Order))
	return server.GetOrderStatement200JSONResponse(out), err
}

func period(from, until time.Time) accounting.Period {
	return accounting.Period{From: from, Until: until}
}

// spanName names the file of a period.
func spanName(prefix, currency, ending string, from, until time.Time) string {
	return attached(fmt.Sprintf("%s-%s-%s-%s.%s", prefix, currency, from.UTC().Format("20060102"), until.UTC().Format("20060102"), ending))
}

func (h handlers) ExportJournal(ctx context.Context, r server.ExportJournalRequestObject) (server.ExportJournalResponseObject, error) {
	p := r.Params
	file, err := h.rooms.Journal(ctx, callerOf(ctx), false, period(p.From, p.Until), money.Currency(p.Currency))
	return server.ExportJournal200TextcsvResponse{
		Body: bytes.NewReader(file), ContentLength: int64(len(file)),
		Headers: server.ExportJournal200ResponseHeaders{ContentDisposition: spanName("journal", p.Currency, "csv", p.From, p.Until)},
	}, err
}

func (h handlers) ExportFec(ctx context.Context, r server.ExportFecRequestObject) (server.ExportFecResponseObject, error) {
	p := r.Params
	file, err := h.rooms.Journal(ctx, callerOf(ctx), true, period(p.From, p.Until), money.Currency(p.Currency))
	return server.ExportFec200ApplicationoctetStreamResponse{
		Body: bytes.NewReader(file), ContentLength: int64(len(file)),
		Headers: server.ExportFec200ResponseHeaders{ContentDisposition: spanName("FEC", p.Currency, "txt", p.From, p.Until)},
	}, err
}
