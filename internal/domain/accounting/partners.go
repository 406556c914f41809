package accounting

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/books/ledger"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Agreement says which share of what one side collects is the partner school's. Holder names the clearing account of its desk.
type Agreement struct {
	Key          string         `json:"key" db:"key"`
	Organisation string         `json:"organisation" db:"organisation"`
	Collects     string         `json:"collects" db:"collects"` // institute, or partner
	Holder       string         `json:"holder" db:"holder"`
	Currency     money.Currency `json:"currency" db:"currency"`
	SharePPM     int64          `json:"share_ppm" db:"share_ppm"`
	ValidFrom    time.Time      `json:"valid_from" db:"valid_from"`
	ValidUntil   *time.Time     `json:"valid_until,omitempty" db:"valid_until"`
	Version      int            `json:"version" db:"version"`
}

// ShareMillionths is the share as a whole number of millionths, as pages print grades.
func (a Agreement) ShareMillionths() int { return int(a.SharePPM) }

// AgreementsTx lists all agreements by key.
func AgreementsTx(ctx context.Context, tx *postgres.Tx) (all []Agreement, err error) {
	all = []Agreement{}
	err = tx.Select(ctx, &all, q.Q("Agreements"))
	return all, err
}

// PutAgreementTx makes an agreement or writes it over the version that was read; 0 takes any. Errors: ErrChanged, ErrOverlap,
// ErrAgreement, identity.ErrNoOrganisation.
func PutAgreementTx(ctx context.Context, tx *postgres.Tx, a Agreement, version int) (Agreement, error) {
	if a.Holder == "" {
		a.Holder = "desk:" + strings.ToLower(a.Organisation)
	}
	if !a.Currency.Known() {
		return a, money.ErrCurrency
	}
	if a.SharePPM < 0 || a.SharePPM > 1_000_000 || a.Collects != "institute" && a.Collects != "partner" {
		return a, ErrAgreement
	}
	if err := audit.HoldTx(ctx, tx, "agreement/"+a.Key); err != nil {
		return a, err
	}
	if _, err := tx.Exec(ctx, q.Q("LockPartner"), a.Organisation); err != nil {
		return a, err
	}
	all, err := AgreementsTx(ctx, tx)
	if err != nil {
		return a, err
	}
	var before any
	for _, x := range all {
		if x.Key == a.Key {
			before = x
		}
	}
	var overlaps bool
	if err := tx.Get(ctx, &overlaps, q.Q("Overlaps"), a.Key, a.Organisation, a.Currency, a.Collects, a.ValidFrom, a.ValidUntil); err != nil || overlaps {
		return a, cmp.Or[error](err, ErrOverlap)
	}
	err = tx.Get(ctx, &a.Version, q.Q("PutAgreement"), a.Key, a.Organisation, a.Collects, a.Holder, a.Currency, a.SharePPM, a.ValidFrom, a.ValidUntil, version)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrChanged
	}
	if err != nil {
		return a, err
	}
	return a, audit.AppendTx(ctx, tx, audit.Entry{Action: "agreement.put", Object: a.Key, Before: before, After: a})
}

// Settlement is money that a school paid to the institute, or the institute to a school.
type Settlement struct {
	ID           string         `json:"id" db:"id"`
	Organisation string         `json:"organisation" db:"organisation"`
	Direction    string         `json:"direction" db:"direction"` // from_partner, to_partner
	Currency     money.Currency `json:"currency" db:"currency"`
	AmountMinor  int64          `json:"amount_minor" db:"amount_minor"`
	Reference    string         `json:"reference" db:"reference"`
	SettledAt    time.Time      `json:"settled_at" db:"settled_at"`
	RecordedAt   time.Time      `json:"recorded_at" db:"recorded_at"`
}

// Effect is what a settlement does to what the school owes: what it pays is owed no more.
func (s Settlement) Effect() int64 {
	if s.Direction == "to_partner" {
		return s.AmountMinor
	}
	return -s.AmountMinor
}

// RecordSettlementTx notes a settlement, in the ledger too: what the school pays comes from its desk to the bank, what it is paid
// goes from the bank to its share. Errors: ErrSettled, invalid fields, identity.ErrNoOrganisation.
func RecordSettlementTx(ctx context.Context, tx *postgres.Tx, s Settlement) (Settlement, error) {
	n := utf8.RuneCountInString(s.Reference)
	if s.AmountMinor <= 0 || n < 1 || n > 100 || s.Direction != "from_partner" && s.Direction != "to_partner" || !s.Currency.Known() || s.SettledAt.After(tx.Now()) {
		return s, fault.InvalidInput(fault.Field{Pointer: "/amount_minor", Code: "bad-settlement", Detail: "An amount, a reference of 1 to 100 characters, a direction, a time that has come."})
	}
	holder := "desk:" + strings.ToLower(s.Organisation)
	err := tx.Get(ctx, &holder, q.Q("HolderOf"), s.Organisation, s.Currency, s.SettledAt)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, err
	}
	s.ID, s.RecordedAt = ident.New("stl"), tx.Now()
	if _, err := tx.Exec(ctx, q.Q("AddSettlement"), s.ID, s.Organisation, s.Direction, s.Currency, s.AmountMinor, s.Reference, s.SettledAt, postgres.Actor(ctx), tx.Now()); err != nil {
		return s, err
	}
	bank := ledger.Clearing("bank")
	debit, credit := bank, ledger.Clearing(holder)
	if s.Direction == "to_partner" {
		debit, credit = owedTo(s.Organisation), bank
	}
	if err := ledger.PostTx(ctx, tx, ledger.Posting{Reference: s.ID, Kind: "partner_settlement", Currency: s.Currency, OccurredAt: s.SettledAt, Entries: []ledger.Entry{
		{Account: debit, Minor: s.AmountMinor}, {Account: credit, Minor: -s.AmountMinor},
	}}); err != nil {
		return s, err
	}
	return s, audit.AppendTx(ctx, tx, audit.Entry{Action: "settlement.recorded", Object: s.ID, Detail: s})
}

// SettlementTx finds a settlement.
func SettlementTx(ctx context.Context, tx *postgres.Tx, id string) (s Settlement, err error) {
	err = tx.Get(ctx, &s, q.Q("Settlement"), id)
	return s, err
}

// PartnerStatement says what was collected of a school's sales in a period, whose it is, what was settled, and what is owed at the
// end. Owed amounts are positive where the school owes the institute.
type PartnerStatement struct {
	Organisation string         `json:"organisation"`
	Currency     money.Currency `json:"currency"`
	From         time.Time      `json:"from"`
	Until        time.Time      `json:"until"`
	Opening      int64          `json:"opening_minor"`
	Lines        []PartnerLine  `json:"lines"`
	Settlements  []Settlement   `json:"settlements"`
	Settled      int64          `json:"settled_minor"` // from the school, less what it was paid
	Closing      int64          `json:"closing_minor"`
	Unbilled     int64          `json:"unbilled_minor"` // of its learners on its account: what was not invoiced at the end
	Invoiced     int64          `json:"invoiced_minor"` // what was invoiced to it and not paid at the end
}

// PartnerLine is what one side collected under one agreement: collected is net of what went back, share is the school's.
type PartnerLine struct {
	Agreement string `json:"agreement"`
	Collects  string `json:"collects"`
	SharePPM  int64  `json:"share_ppm"`
	Orders    int64  `json:"orders"`
	Collected int64  `json:"collected_minor"`
	Share     int64  `json:"share_minor"`
	Owed      int64  `json:"owed_minor"` // by the school to the institute; negative: to the school
}

// ShareMillionths is the share as pages print it.
func (l PartnerLine) ShareMillionths() int { return int(l.SharePPM) }

// PartnerTx gives the statement of a school for a period in a currency. Sales of a school are orders that it placed, of what is
// offered to its members alone, or that its desk collected. A period that begins where another ends opens with what it closed with.
func PartnerTx(ctx context.Context, tx *postgres.Tx, organisation string, p Period, c money.Currency) (s PartnerStatement, err error) {
	s = PartnerStatement{Organisation: organisation, Currency: c, From: p.From.UTC(), Until: p.Until.UTC(), Lines: []PartnerLine{}, Settlements: []Settlement{}}
	if err := p.validate(); err != nil {
		return s, err
	}
	var rows []struct {
		Agreement string `db:"key"`
		Collects  string `db:"collects"`
		SharePPM  int64  `db:"share_ppm"`
		Before    int64  `db:"before"`
		Until     int64  `db:"until"`
		Orders    int64  `db:"orders"`
		// The school's, summed up over orders, of which each is rounded: so periods add up, and the ledger has the same.
		ShareBefore int64 `db:"share_before"`
		ShareUntil  int64 `db:"share_until"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Collected"), organisation, c, p.From, p.Until); err != nil {
		return s, err
	}
	owed := func(collects string, collected, share int64) int64 {
		if collects == "partner" {
			return collected - share
		}
		return -share
	}
	for _, r := range rows {
		before, until := r.ShareBefore, r.ShareUntil
		l := PartnerLine{Agreement: r.Agreement, Collects: r.Collects, SharePPM: r.SharePPM, Orders: r.Orders, Collected: r.Until - r.Before, Share: until - before}
		l.Owed = owed(r.Collects, l.Collected, l.Share)
		s.Opening += owed(r.Collects, r.Before, before)
		s.Lines, s.Closing = append(s.Lines, l), s.Closing+l.Owed
	}
	var all []Settlement
	if err := tx.Select(ctx, &all, q.Q("Settlements"), organisation, c, p.Until); err != nil {
		return s, err
	}
	for _, x := range all {
		paid := -x.Effect()
		if x.SettledAt.Before(p.From) {
			s.Opening -= paid
			continue
		}
		s.Settlements, s.Settled = append(s.Settlements, x), s.Settled+paid
	}
	s.Closing += s.Opening - s.Settled
	var at struct {
		Unbilled int64 `db:"unbilled"`
		Invoiced int64 `db:"invoiced"`
	}
	err = tx.Get(ctx, &at, q.Q("OnAccount"), organisation, c, p.Until)
	s.Unbilled, s.Invoiced = at.Unbilled, at.Invoiced
	return s, err
}

// CSV writes a statement for a spreadsheet: decimal points, amounts positive where the school owes them.
func (s PartnerStatement) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	say := func(minor int64) string { return money.Of(minor, s.Currency).Decimal() }
	rows := [][]string{
		{"what", "reference", "date", "orders", "collected", "share_of_partner", "owed", "currency"},
		{"opening", "", s.From.Format(time.DateOnly), "", "", "", say(s.Opening), string(s.Currency)},
	}
	for _, l := range s.Lines {
		rows = append(rows, []string{"collected by " + l.Collects, l.Agreement, "", strconv.FormatInt(l.Orders, 10), say(l.Collected), say(l.Share), say(l.Owed), string(s.Currency)})
	}
	for _, x := range s.Settlements {
		rows = append(rows, []string{"settled " + x.Direction, x.Reference, x.SettledAt.UTC().Format(time.DateOnly), "", "", "", say(x.Effect()), string(s.Currency)})
	}
	rows = append(rows, []string{"closing", "", s.Until.Format(time.DateOnly), "", "", "", say(s.Closing), string(s.Currency)},
		[]string{"unbilled", "", s.Until.Format(time.DateOnly), "", "", "", say(s.Unbilled), string(s.Currency)},
		[]string{"invoiced and not paid", "", s.Until.Format(time.DateOnly), "", "", "", say(s.Invoiced), string(s.Currency)})
	return out.WriteAll(rows)
}
