package invoicing

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Billing is to whom the documents of an order are made out, as the buyer wrote it.
type Billing struct {
	Buyer
	Version int `json:"version"`
}

// BillingTx gives what was written for an order; nothing, of version 0, where nobody did.
func BillingTx(ctx context.Context, tx *postgres.Tx, orderID string) (b Billing, err error) {
	var row struct {
		Buyer   []byte `db:"buyer"`
		Version int    `db:"version"`
	}
	err = tx.Get(ctx, &row, q.Q("Billing"), orderID)
	if errors.Is(err, sql.ErrNoRows) {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	b.Version = row.Version
	return b, json.Unmarshal(row.Buyer, &b.Buyer)
}

// PutBillingTx writes to whom the invoice of an order will be made out, over the version that was read; 0 takes any. The caller holds the
// order, so that no invoice is issued meanwhile. Errors: ErrBillingLate, ErrBilling, invalid fields.
func PutBillingTx(ctx context.Context, tx *postgres.Tx, orderID, personID string, b Buyer, version int) (Billing, error) {
	number, err := NumberTx(ctx, tx, orderID)
	if err != nil {
		return Billing{}, err
	}
	if number != "" {
		return Billing{}, ErrBillingLate
	}
	if err := b.validate(); err != nil {
		return Billing{}, err
	}
	b.ID = ""
	if err := audit.HoldTx(ctx, tx, "billing/"+orderID); err != nil {
		return Billing{}, err
	}
	before, err := BillingTx(ctx, tx, orderID)
	if err != nil {
		return Billing{}, err
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return Billing{}, err
	}
	out := Billing{Buyer: b}
	err = tx.Get(ctx, &out.Version, q.Q("PutBilling"), orderID, personID, string(raw), tx.Now(), version)
	if errors.Is(err, sql.ErrNoRows) {
		return out, ErrBilling
	}
	if err != nil {
		return out, err
	}
	return out, audit.AppendTx(ctx, tx, audit.Entry{Action: "billing.put", Object: orderID, Detail: map[string]any{"version": out.Version},
		Before: map[string]any{"buyer": before.Buyer}, After: map[string]any{"buyer": b}, Personal: []string{"buyer"}})
}

func (b Buyer) validate() error {
	var wrong []fault.Field
	if b.Address.Country != "" && !countryKey.MatchString(b.Address.Country) {
		wrong = append(wrong, fault.Field{Pointer: "/address/country", Code: "bad-country", Detail: "Two capital letters, ISO 3166."})
	}
	if !vatNumber.MatchString(b.VATNumber) {
		wrong = append(wrong, fault.Field{Pointer: "/vat_number", Code: "bad-vat-number", Detail: "The country's two letters and 2 to 13 letters and digits, without spaces."})
	}
	for pointer, s := range map[string]struct {
		text string
		most int
	}{
		"/name": {b.Name, 255}, "/company": {b.Company, 200}, "/email": {b.Email, 254}, "/address/street": {b.Address.Street, 300}, "/address/post_code": {b.Address.PostCode, 20},
		"/address/city": {b.Address.City, 100},
	} {
		if len([]rune(s.text)) > s.most {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: "too-long", Detail: "Too long."})
		}
	}
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}
