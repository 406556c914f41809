package sales

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

// The limits of a statement of a bank.
const (
	MaxStatementBytes = 4 << 20
	maxStatementRows  = 5000
)

// ErrStatement refuses a file that is no statement.
var ErrStatement = fault.New(fault.Invalid, "bad-statement", "This is no statement of a bank: a CSV with a line of column names, of which date and amount, or camt.053.")

// Entry is one line of a statement as it was read. What cannot be read is Wrong, and nothing follows from it.
type Entry struct {
	Line      int
	On        time.Time
	Amount    money.Amount // negative: it left the account
	Reference string       // of the bank; without one a hash of the line and how often it came before in the file
	Payer     string
	Label     string
	Wrong     *WrongCell
}

// WrongCell says what of a line cannot be read.
type WrongCell struct {
	Column string `json:"column"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// bankColumns are the names that banks give to what we read, folded: small letters and digits alone, without accents.
var bankColumns = map[string][]string{
	"date":     {"date", "bookingdate", "dateoperation", "datecomptable", "datedoperation", "valuedate", "datevaleur", "datedevaleur", "buchungstag"},
	"amount":   {"amount", "montant", "credit", "betrag"},
	"debit":    {"debit"},
	"currency": {"currency", "devise", "ccy", "waehrung"},
	"label":    {"label", "libelle", "reference", "communication", "motif", "details", "description", "remittanceinformation", "verwendungszweck"},
	"payer":    {"counterparty", "payer", "name", "contrepartie", "nom", "donneurdordre", "debtor", "emetteur"},
	"id":       {"bankid", "id", "transactionid", "entryreference", "referencebanque", "referencebancaire", "identifiant"},
}

// fold brings a column name to one form.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// ReadStatement reads a statement: CSV with commas, semicolons or tabs, in UTF-8 or Windows-1252, amounts with a decimal comma or point,
// dates as 2026-03-31, 31/03/2026 or 31.03.2026; or camt.053 of ISO 20022. currency is that of lines that name none. Error: ErrStatement.
func ReadStatement(content []byte, currency money.Currency) ([]Entry, error) {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if len(content) > MaxStatementBytes {
		return nil, ErrStatement.Detailf("A statement has at most 4 MiB.")
	}
	var all []Entry
	var err error
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("<")) {
		all, err = readCamt(content)
	} else {
		all, err = readSheet(content, currency)
	}
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || len(all) > maxStatementRows {
		return nil, ErrStatement.Detailf("A statement has 1 to 5000 lines.")
	}
	seen := map[string]int{}
	for i := range all {
		if e := &all[i]; e.Reference == "" && e.Wrong == nil {
			sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%s", e.On.Format(time.DateOnly), e.Amount, e.Payer, e.Label))
			hash := hex.EncodeToString(sum[:12])
			seen[hash]++
			e.Reference = fmt.Sprintf("line:%s:%d", hash, seen[hash])
		}
	}
	return all, nil
}

func readSheet(content []byte, currency money.Currency) ([]Entry, error) {
	if !utf8.Valid(content) {
		decoded, err := charmap.Windows1252.NewDecoder().Bytes(content)
		if err != nil {
			return nil, ErrStatement.Because(err)
		}
		content = decoded
	}
	head, _, _ := bytes.Cut(content, []byte("\n"))
	in := csv.NewReader(bytes.NewReader(content))
	in.FieldsPerRecord, in.LazyQuotes, in.TrimLeadingSpace = -1, true, true
	for _, sep := range []rune{';', '\t', ','} {
		if bytes.ContainsRune(head, sep) {
			in.Comma = sep
			break
		}
	}
	names, err := in.Read()
	if err != nil {
		return nil, ErrStatement.Because(err)
	}
	at := map[string]int{}
	for i, n := range names {
		for what, known := range bankColumns {
			if _, have := at[what]; !have && slices.Contains(known, fold(n)) {
				at[what] = i
			}
		}
	}
	_, dated := at["date"]
	_, counted := at["amount"]
	if !dated || !counted {
		return nil, ErrStatement
	}
	var all []Entry
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, ErrStatement.Because(err)
		}
		if len(all) > maxStatementRows {
			return all, nil
		}
		cell := func(what string) string {
			if i, have := at[what]; have && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		if strings.Join(row, "") == "" {
			continue
		}
		line, _ := in.FieldPos(0)
		all = append(all, entryOf(line, cell, currency))
	}
}

func entryOf(line int, cell func(string) string, currency money.Currency) Entry {
	e := Entry{Line: line, Payer: cut(cell("payer"), 200), Label: cut(cell("label"), 500), Reference: cell("id")}
	wrong := func(column, code, detail string) Entry {
		e.Wrong = &WrongCell{column, code, detail}
		return e
	}
	if c := cell("currency"); c != "" {
		currency = money.Currency(strings.ToUpper(c))
	}
	if !currency.Known() {
		return wrong("currency", "unknown-currency", fmt.Sprintf("%q is no currency.", currency))
	}
	var err error
	for _, layout := range []string{time.DateOnly, "02/01/2006", "02.01.2006", "02/01/06", "20060102"} {
		if e.On, err = time.Parse(layout, cell("date")); err == nil {
			break
		}
	}
	if err != nil {
		return wrong("date", "bad-date", "A day as 2026-03-31, 31/03/2026 or 31.03.2026.")
	}
	text, sign := cell("amount"), int64(1)
	if text == "" {
		text, sign = cell("debit"), -1
	}
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		text, sign = rest, -1
	}
	if e.Amount, err = money.ParseDecimal(plainNumber(text), currency); err != nil {
		return wrong("amount", "bad-amount", fmt.Sprintf("%q is no amount in %s.", text, currency))
	}
	e.Amount.Minor *= sign
	if utf8.RuneCountInString(e.Reference) > 100 {
		return wrong("id", "too-long", "At most 100 characters.")
	}
	return e
}

// plainNumber writes a number with a decimal point alone: spaces and the marks of thousands go, and the last of comma and point is the
// decimal one.
func plainNumber(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\u202f' || r == '\u00a0' || r == '\'' || r == '+' {
			return -1
		}
		return r
	}, s)
	comma, point := strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.')
	switch {
	case comma >= 0 && point > comma, strings.Count(s, ",") > 1:
		return strings.ReplaceAll(s, ",", "")
	case point >= 0 && comma > point, strings.Count(s, ".") > 1:
		s = strings.ReplaceAll(s, ".", "")
	}
	return strings.ReplaceAll(s, ",", ".")
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// camt is what we read of camt.053, whatever its version.
type camt struct {
	Entries []struct {
		Amount struct {
			Text     string `xml:",chardata"`
			Currency string `xml:"Ccy,attr"`
		} `xml:"Amt"`
		Way       string   `xml:"CdtDbtInd"`
		Day       string   `xml:"BookgDt>Dt"`
		Moment    string   `xml:"BookgDt>DtTm"`
		Reference string   `xml:"AcctSvcrRef"`
		Free      []string `xml:"NtryDtls>TxDtls>RmtInf>Ustrd"`
		Quoted    []string `xml:"NtryDtls>TxDtls>RmtInf>Strd>CdtrRefInf>Ref"`
		Payer     []string `xml:"NtryDtls>TxDtls>RltdPties>Dbtr>Nm"`
		PayerNew  []string `xml:"NtryDtls>TxDtls>RltdPties>Dbtr>Pty>Nm"`
		Info      string   `xml:"AddtlNtryInf"`
	} `xml:"BkToCstmrStmt>Stmt>Ntry"`
}

func readCamt(content []byte) (all []Entry, err error) {
	var doc camt
	if err := xml.Unmarshal(content, &doc); err != nil {
		return nil, ErrStatement.Because(err)
	}
	for i, n := range doc.Entries {
		sign := map[bool]string{true: "-"}[n.Way == "DBIT"]
		cells := map[string]string{
			"date": cut(n.Day+n.Moment, 10), "amount": sign + strings.TrimSpace(n.Amount.Text), "currency": n.Amount.Currency, "id": n.Reference,
			"label": strings.Join(append(append(n.Quoted, n.Free...), n.Info), " "), "payer": strings.Join(append(n.Payer, n.PayerNew...), ", "),
		}
		all = append(all, entryOf(i+1, func(what string) string { return strings.TrimSpace(cells[what]) }, ""))
	}
	return all, nil
}
