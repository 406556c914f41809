package accounting

import (
	"bufio"
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// journalRow is an entry with all that a journal says of it.
type journalRow struct {
	Entry
	Number    int64  `db:"number"` // of the transaction in the file, from 1
	Chart     string `db:"chart"`
	Title     string `db:"title"`
	Piece     string `db:"piece"` // number of the document, or the reference of the posting
	Auxiliary string `db:"auxiliary"`
	Buyer     string `db:"buyer"`
}

// journalOf names the journal of a kind of posting: sales, treasury, or all else.
func journalOf(kind string) (code, title string) {
	switch kind {
	case "sale", "refund", "tax", "dispute_lost", "free":
		return "VE", "Ventes"
	case "capture", "surplus", "mismatch", "refund_failed", "partner_settlement":
		return "BQ", "Trésorerie"
	}
	return "OD", "Opérations diverses"
}

func journalTx(ctx context.Context, tx *postgres.Tx, p Period, c money.Currency) (rows []journalRow, err error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	if !c.Known() {
		return nil, money.ErrCurrency
	}
	err = tx.Select(ctx, &rows, q.Q("Journal"), p.From, p.Until, c)
	return rows, err
}

// sides gives debit and credit of an entry as texts of a currency.
func sides(minor int64, c money.Currency) (debit, credit string) {
	if minor >= 0 {
		return money.Of(minor, c).Decimal(), money.Zero(c).Decimal()
	}
	return money.Zero(c).Decimal(), money.Of(-minor, c).Decimal()
}

// fecColumns are those of the "fichier des écritures comptables", article A47 A-1 of the Livre des procédures fiscales.
var fecColumns = []string{
	"JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib",
	"Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise",
}

// WriteFECTx writes the ledger of a period in the layout of the FEC: tabulators, decimal commas, days as AAAAMMJJ. There is one
// file for each currency, because no rate of exchange stands in the ledger; where it is not the euro, the last columns name it.
func WriteFECTx(ctx context.Context, tx *postgres.Tx, w io.Writer, p Period, c money.Currency) error {
	rows, err := journalTx(ctx, tx, p, c)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	line := func(cells []string) {
		for i, s := range cells {
			cells[i] = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
		}
		_, _ = out.WriteString(strings.Join(cells, "\t") + "\r\n") // Flush tells
	}
	line(append([]string{}, fecColumns...))
	day := func(t time.Time) string { return t.UTC().Format("20060102") }
	for _, r := range rows {
		code, title := journalOf(r.Kind)
		debit, credit := sides(r.Minor, c)
		abroad, currency := "", ""
		if c != "EUR" {
			abroad, currency = strings.ReplaceAll(money.Of(r.Minor, c).Decimal(), ".", ","), string(c)
		}
		line([]string{
			code, title, strconv.FormatInt(r.Number, 10), day(r.OccurredAt), r.Chart, r.Title, r.Auxiliary, r.Buyer, r.Piece, day(r.OccurredAt),
			strings.TrimSpace(r.Kind + " " + r.OrderID), strings.ReplaceAll(debit, ".", ","), strings.ReplaceAll(credit, ".", ","), "", "", day(r.RecordedAt), abroad, currency,
		})
	}
	return out.Flush()
}

// csvColumns are those of the journal as CSV.
var csvColumns = []string{"journal", "number", "date", "account", "chart_number", "chart_title", "debit", "credit", "currency", "piece", "kind", "reference", "order", "enrolment", "recorded_at"}

// WriteCSVTx writes the ledger of a period as CSV in UTF-8, a line for each entry, decimal points, times in UTC.
func WriteCSVTx(ctx context.Context, tx *postgres.Tx, w io.Writer, p Period, c money.Currency) error {
	rows, err := journalTx(ctx, tx, p, c)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(csvColumns) // Error tells
	for _, r := range rows {
		code, _ := journalOf(r.Kind)
		debit, credit := sides(r.Minor, c)
		_ = out.Write([]string{
			code, strconv.FormatInt(r.Number, 10), r.OccurredAt.UTC().Format(time.DateOnly), r.Account, r.Chart, r.Title, debit, credit, string(c), r.Piece, r.Kind, r.Reference,
			r.OrderID, r.EnrolmentID, r.RecordedAt.UTC().Format(time.RFC3339),
		})
	}
	out.Flush()
	return out.Error()
}
