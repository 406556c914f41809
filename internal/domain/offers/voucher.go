package offers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// The kinds of vouchers.
const (
	OneCode = "code"  // one code, for as many as its limits allow
	Batch   = "batch" // codes that each work once
)

// MaxBatch is how many codes one batch can have.
const MaxBatch = 10_000

// Scope says where a voucher holds. Offers, Sessions (keys) and Editions (keys) are one condition: on one of them, or, all empty,
// on anything. Formulas and Organisation are further ones.
type Scope struct {
	Offers       []string `json:"offers"`
	Sessions     []string `json:"sessions"`
	Editions     []string `json:"editions"`
	Formulas     []string `json:"formulas"`
	Organisation string   `json:"organisation,omitempty"` // its members alone
}

// Voucher takes a share of each unit, or an amount in each currency that it names, off what is bought. A use is one unit. What it
// takes off never changes: it is archived and another is made.
type Voucher struct {
	ID         string         `json:"id"`
	Kind       string         `json:"kind"`
	Name       string         `json:"name"`                  // for staff
	PercentPPM *int           `json:"percent_ppm,omitempty"` // 100,000: a tenth
	Amounts    []money.Amount `json:"amounts"`
	Limit      *int           `json:"limit,omitempty"`      // uses in all; nil: no limit
	PerPerson  *int           `json:"per_person,omitempty"` // uses of one buyer; nil: no limit
	Scope      Scope          `json:"scope"`
	ValidFrom  *time.Time     `json:"valid_from,omitempty"`
	ValidUntil *time.Time     `json:"valid_until,omitempty"`
	Code       string         `json:"code,omitempty"` // of one code, as it is printed
	Codes      int            `json:"codes"`          // how many there are
	Archived   bool           `json:"archived"`
	Version    int            `json:"version"`
	CreatedAt  time.Time      `json:"created_at"`
}

// NewVoucher is what CreateVoucherTx needs: a code (empty: one is made), or a number of codes to make.
type NewVoucher struct {
	Voucher
	Count int // 0: one code
}

func (v Voucher) amountIn(c money.Currency) (int64, bool) {
	for _, a := range v.Amounts {
		if a.Currency == c {
			return a.Minor, true
		}
	}
	return 0, false
}

func (v Voucher) validate() error {
	var wrong []fault.Field
	refuse := func(pointer, code, detail string) {
		wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if n := utf8.RuneCountInString(v.Name); n < 1 || n > 80 || strings.TrimSpace(v.Name) == "" {
		refuse("/name", "bad-length", "1 to 80 characters.")
	}
	if (v.PercentPPM == nil) == (len(v.Amounts) == 0) {
		refuse("/percent_ppm", "one-of", "Either a share or amounts.")
	}
	if v.PercentPPM != nil && (*v.PercentPPM < 1 || *v.PercentPPM > 1_000_000) {
		refuse("/percent_ppm", "out-of-range", "1 to 1,000,000 millionths.")
	}
	seen := map[money.Currency]bool{}
	for _, a := range v.Amounts {
		if !a.Currency.Known() || seen[a.Currency] || a.Minor < 1 || a.Minor > 99_999_999 {
			refuse("/amounts", "bad-amounts", "Each currency once, more than nothing, below a hundred million minor units.")
			break
		}
		seen[a.Currency] = true
	}
	for pointer, n := range map[string]*int{"/limit": v.Limit, "/per_person": v.PerPerson} {
		if n != nil && (*n < 1 || *n > 1_000_000) {
			refuse(pointer, "out-of-range", "1 to 1,000,000; leave it out for no limit.")
		}
	}
	if len(v.Scope.Offers)+len(v.Scope.Sessions)+len(v.Scope.Editions)+len(v.Scope.Formulas) > 200 {
		refuse("/scope", "too-many", "At most 200 in all.")
	}
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// CreateVoucherTx makes a voucher with its code or codes. Errors: ErrCodeTaken, ErrScope and the faults of bad values.
func CreateVoucherTx(ctx context.Context, tx *postgres.Tx, n NewVoucher) (Voucher, error) {
	if err := n.validate(); err != nil {
		return Voucher{}, err
	}
	if n.Count < 0 || n.Count > MaxBatch || n.Count > 0 && n.Code != "" {
		return Voucher{}, errCount
	}
	scope, err := findScope(ctx, tx, n.Scope)
	if err != nil {
		return Voucher{}, err
	}
	id, kind := ident.New("vch"), OneCode
	if n.Count > 0 {
		kind = Batch
	}
	if _, err := tx.Exec(ctx, q.Q("AddVoucher"), id, kind, n.Name, n.PercentPPM, n.Limit, n.PerPerson, pq.Array(scope.Offers), pq.Array(scope.Sessions),
		pq.Array(scope.Editions), pq.Array(scope.Formulas), nullable(scope.Organisation), n.ValidFrom, n.ValidUntil, tx.Now()); err != nil {
		return Voucher{}, err
	}
	for _, a := range n.Amounts {
		if _, err := tx.Exec(ctx, q.Q("AddAmount"), id, a.Currency, a.Minor); err != nil {
			return Voucher{}, err
		}
	}
	if n.Code != "" {
		err = addCode(ctx, tx, id, n.Code)
	} else {
		err = addCodes(ctx, tx, id, max(1, n.Count))
	}
	if err != nil {
		return Voucher{}, err
	}
	return vouched(ctx, tx, "voucher.made", nil, id)
}

func addCode(ctx context.Context, tx *postgres.Tx, id, written string) error {
	shown := strings.Join(strings.Fields(strings.ToUpper(written)), " ")
	folded, ok := FoldCode(shown)
	if !ok || utf8.RuneCountInString(shown) > 40 {
		return errCode
	}
	n, err := tx.Exec(ctx, q.Q("AddCodes"), id, pq.Array([]string{folded}), pq.Array([]string{shown}))
	if err == nil && n == 0 {
		err = ErrCodeTaken
	}
	return err
}

// addCodes makes codes. That one of them exists already happens to nobody in a lifetime; then nothing is made.
func addCodes(ctx context.Context, tx *postgres.Tx, id string, count int) error {
	codes, folded := make([]string, count), make([]string, count)
	for i := range codes {
		codes[i] = newCode()
		folded[i], _ = FoldCode(codes[i])
	}
	n, err := tx.Exec(ctx, q.Q("AddCodes"), id, pq.Array(folded), pq.Array(codes))
	if err == nil && n != int64(count) {
		err = ErrCodeTaken
	}
	return err
}

// findScope turns keys and ids into ids. What does not exist is ErrScope.
func findScope(ctx context.Context, tx *postgres.Tx, s Scope) (Scope, error) {
	out := Scope{Organisation: s.Organisation}
	for _, k := range []struct {
		statement string
		pointer   string
		in        []string
		out       *[]string
	}{
		{"FindOffers", "/scope/offers", s.Offers, &out.Offers}, {"FindSessions", "/scope/sessions", s.Sessions, &out.Sessions},
		{"FindEditions", "/scope/editions", s.Editions, &out.Editions}, {"FindFormulas", "/scope/formulas", s.Formulas, &out.Formulas},
	} {
		in := slices.Compact(slices.Sorted(slices.Values(k.in)))
		*k.out = []string{}
		if len(in) == 0 {
			continue
		}
		if err := tx.Select(ctx, k.out, q.Q(k.statement), pq.Array(in)); err != nil {
			return out, err
		}
		if len(*k.out) != len(in) {
			return out, ErrScope.At(k.pointer, "unknown", "Each must exist, and stand there once.")
		}
	}
	return out, nil
}

// PutVoucherTx rewrites name, limits, scope, window and whether it is archived, over the version that was read, 0 for whatever
// stands there; another one is ErrVoucherChanged. What was ordered keeps its discount. Errors: ErrNoVoucher, ErrScope.
func PutVoucherTx(ctx context.Context, tx *postgres.Tx, v Voucher, version int) (Voucher, error) {
	if err := audit.HoldTx(ctx, tx, v.ID); err != nil {
		return v, err
	}
	old, err := VoucherTx(ctx, tx, v.ID)
	if err != nil {
		return old, err
	}
	v.PercentPPM, v.Amounts = old.PercentPPM, old.Amounts
	if err := v.validate(); err != nil {
		return old, err
	}
	scope, err := findScope(ctx, tx, v.Scope)
	if err != nil {
		return old, err
	}
	n, err := tx.Exec(ctx, q.Q("PutVoucher"), v.ID, v.Name, v.Limit, v.PerPerson, pq.Array(scope.Offers), pq.Array(scope.Sessions), pq.Array(scope.Editions),
		pq.Array(scope.Formulas), nullable(scope.Organisation), v.ValidFrom, v.ValidUntil, v.Archived, tx.Now(), version)
	if err != nil {
		return old, err
	}
	if n == 0 {
		return old, ErrVoucherChanged
	}
	return vouched(ctx, tx, "voucher.put", old, v.ID)
}

// vouched reads a voucher that was written and audits it, without its code: an audit row is read by more people than may use it.
func vouched(ctx context.Context, tx *postgres.Tx, action string, before any, id string) (Voucher, error) {
	v, err := VoucherTx(ctx, tx, id)
	if err != nil {
		return v, err
	}
	return v, audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: id, Before: before, After: v, Personal: []string{"code"}})
}

type voucherRow struct {
	ID           string         `db:"id"`
	Kind         string         `db:"kind"`
	Name         string         `db:"name"`
	PercentPPM   *int           `db:"percent_ppm"`
	Amounts      []byte         `db:"amounts"`
	Limit        *int           `db:"use_limit"`
	PerPerson    *int           `db:"per_person"`
	Offers       pq.StringArray `db:"offer_ids"`
	Sessions     pq.StringArray `db:"sessions"`
	Editions     pq.StringArray `db:"editions"`
	Formulas     pq.StringArray `db:"formulas"`
	Organisation string         `db:"organisation"`
	ValidFrom    *time.Time     `db:"valid_from"`
	ValidUntil   *time.Time     `db:"valid_until"`
	Code         string         `db:"code"`
	Codes        int            `db:"codes"`
	Archived     bool           `db:"archived"`
	Version      int            `db:"version"`
	CreatedAt    time.Time      `db:"created_at"`
}

func (r voucherRow) voucher() (Voucher, error) {
	v := Voucher{
		ID: r.ID, Kind: r.Kind, Name: r.Name, PercentPPM: r.PercentPPM, Amounts: []money.Amount{}, Limit: r.Limit, PerPerson: r.PerPerson,
		Scope: Scope{
			Offers: append([]string{}, r.Offers...), Sessions: append([]string{}, r.Sessions...), Editions: append([]string{}, r.Editions...),
			Formulas: append([]string{}, r.Formulas...), Organisation: r.Organisation,
		},
		ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil, Code: r.Code, Codes: r.Codes, Archived: r.Archived, Version: r.Version, CreatedAt: r.CreatedAt,
	}
	return v, json.Unmarshal(r.Amounts, &v.Amounts)
}

// VoucherTx finds a voucher by id.
func VoucherTx(ctx context.Context, tx *postgres.Tx, id string) (Voucher, error) {
	v, _, err := voucher(ctx, tx, "Voucher", id)
	return v, err
}

// CodeTx finds the voucher of a code, however it is typed, and the code as it is printed; ErrNoCode. The actor is the house.
func CodeTx(ctx context.Context, tx *postgres.Tx, typed string) (Voucher, string, error) {
	folded, ok := FoldCode(typed)
	if !ok {
		return Voucher{}, "", ErrNoCode
	}
	v, found, err := voucher(ctx, tx, "OfCode", folded)
	if errors.Is(err, ErrNoVoucher) {
		err = ErrNoCode
	}
	return v, found, err
}

func voucher(ctx context.Context, tx *postgres.Tx, statement, key string) (Voucher, string, error) {
	var r struct {
		voucherRow
		Found string `db:"found"` // the code that led here
	}
	err := tx.Get(ctx, &r, q.Q(statement), key)
	if errors.Is(err, sql.ErrNoRows) {
		return Voucher{}, "", ErrNoVoucher
	}
	if err != nil {
		return Voucher{}, "", err
	}
	v, err := r.voucher()
	return v, r.Found, err
}

// VoucherFilter chooses vouchers; empty fields do not. Words are looked for in the name, or are a code.
type VoucherFilter struct {
	Words string
	State string // active, archived
}

// VouchersTx lists vouchers, the newest first, and the key after which the list goes on.
func VouchersTx(ctx context.Context, tx *postgres.Tx, f VoucherFilter, p page.Request) (out []Voucher, next string, err error) {
	var rows []voucherRow
	folded, _ := FoldCode(f.Words)
	if err := tx.Select(ctx, &rows, q.Q("Vouchers"), f.Words, folded, f.State, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(rows) > p.Limit {
		rows, next = rows[:p.Limit], rows[p.Limit-1].ID
	}
	for _, r := range rows {
		v, err := r.voucher()
		if err != nil {
			return nil, "", err
		}
		out = append(out, v)
	}
	return out, next, nil
}
