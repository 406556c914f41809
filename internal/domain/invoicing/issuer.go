package invoicing

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the zones are known wherever the program runs
	"unicode/utf8"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// IssuerDetails is all that is known of an issuer: the seller that documents name, its series, its words, its regimes of tax.
type IssuerDetails struct {
	Seller
	Zone    string   `json:"zone,omitempty"` // in which its months begin and end, of the time zone database; empty: where the house is
	Terms   Text     `json:"terms"`          // at the foot of every document
	Series  Series   `json:"series"`
	Regimes []Regime `json:"regimes"`
	Sells   []Sold   `json:"sells"`
	Missing []string `json:"missing,omitempty"` // what a complete invoice wants and is not here
	Version int      `json:"version"`
}

// houseZone is that of an issuer who does not say where her months begin.
const houseZone = "Europe/Paris"

// Text is the same in both languages.
type Text struct {
	EN string `json:"en"`
	FR string `json:"fr"`
}

// In gives the text of a language.
func (t Text) In(lang string) string {
	if lang == "fr" {
		return t.FR
	}
	return t.EN
}

// Series are the patterns of numbers.
type Series struct {
	Invoice    string `json:"invoice"`
	CreditNote string `json:"credit_note"`
	Proforma   string `json:"proforma"`
	Receipt    string `json:"receipt"`
}

// Regime is what an issuer writes about tax from a day until before another one, such as 2026-01-01.
type Regime struct {
	Key        string `json:"key"`
	ValidFrom  string `json:"valid_from"`
	ValidUntil string `json:"valid_until,omitempty"`
	Category   string `json:"tax_category"` // UNCL 5305: S standard, Z zero, E exempt, O outside the scope, AE reverse charge, G export
	RatePPM    int64  `json:"rate_ppm"`
	ReasonCode string `json:"reason_code,omitempty"`
	Mention    Text   `json:"mention"`
	Fallback   bool   `json:"fallback"` // of lines whose offer names none
}

// Sold is what an issuer sells rather than the house's own: an offer, by id and with a regime of its own where it needs one, or whatever is bought or
// followed by an organisation, by key. An offer's seller goes before that of an organisation.
type Sold struct {
	Kind   string `json:"kind"` // offer or organisation
	Ref    string `json:"ref"`
	Regime string `json:"regime,omitempty"` // of an offer; empty: the fallback
}

// issuerRow is an issuer as the database gives it: a JSON object with its columns' names.
type issuerRow struct {
	Key               string `json:"key"`
	LegalName         string `json:"legal_name"`
	LegalForm         string `json:"legal_form"`
	Street            string `json:"street"`
	PostCode          string `json:"post_code"`
	City              string `json:"city"`
	Country           string `json:"country"`
	Registration      string `json:"registration"`
	RegistrationLabel string `json:"registration_label"`
	ActivityNumber    string `json:"activity_number"`
	VATNumber         string `json:"vat_number"`
	Email             string `json:"email"`
	Phone             string `json:"phone"`
	Bank              string `json:"bank"`
	IBAN              string `json:"iban"`
	BIC               string `json:"bic"`
	Zone              string `json:"zone"`
	TermsEN           string `json:"terms_en"`
	TermsFR           string `json:"terms_fr"`
	SeriesInvoice     string `json:"series_invoice"`
	SeriesCreditNote  string `json:"series_credit_note"`
	SeriesProforma    string `json:"series_proforma"`
	SeriesReceipt     string `json:"series_receipt"`
	Version           int    `json:"version"`
}

type regimeRow struct {
	Key        string  `json:"key"`
	ValidFrom  string  `json:"valid_from"`
	ValidUntil *string `json:"valid_until"`
	Category   string  `json:"category"`
	RatePPM    int64   `json:"rate_ppm"`
	ReasonCode string  `json:"reason_code"`
	MentionEN  string  `json:"mention_en"`
	MentionFR  string  `json:"mention_fr"`
	Fallback   bool    `json:"fallback"`
}

// readIssuer reads the JSON of an issuer and its regimes; what it sells is not in it.
func readIssuer(issuer, regimes []byte) (d IssuerDetails, err error) {
	var r issuerRow
	var all []regimeRow
	if err := errors.Join(json.Unmarshal(issuer, &r), json.Unmarshal(regimes, &all)); err != nil {
		return d, err
	}
	d = IssuerDetails{
		Seller: Seller{
			Key: r.Key, LegalName: r.LegalName, LegalForm: r.LegalForm, Address: Address{r.Street, r.PostCode, r.City, r.Country}, Registration: r.Registration,
			ActivityNumber: r.ActivityNumber, VATNumber: r.VATNumber, Email: r.Email, Phone: r.Phone, Bank: r.Bank, IBAN: r.IBAN, BIC: r.BIC,
			RegistrationLabel: r.RegistrationLabel,
		},
		Zone: r.Zone, Terms: Text{r.TermsEN, r.TermsFR}, Series: Series{r.SeriesInvoice, r.SeriesCreditNote, r.SeriesProforma, r.SeriesReceipt}, Version: r.Version, Regimes: []Regime{}, Sells: []Sold{},
	}
	for _, x := range all {
		g := Regime{x.Key, x.ValidFrom, "", x.Category, x.RatePPM, x.ReasonCode, Text{x.MentionEN, x.MentionFR}, x.Fallback}
		if x.ValidUntil != nil {
			g.ValidUntil = *x.ValidUntil
		}
		d.Regimes = append(d.Regimes, g)
	}
	d.Missing = d.missing()
	return d, nil
}

// missing names what the law wants on an invoice of this issuer and nobody has written.
func (d IssuerDetails) missing() (all []string) {
	taxed := false
	for _, r := range d.Regimes {
		taxed = taxed || r.RatePPM > 0
	}
	for _, x := range []struct {
		name  string
		empty bool
	}{
		{"address", d.Address.Street == "" || d.Address.City == "" || d.Address.PostCode == ""},
		{"registration", d.Registration == ""}, {"vat_number", taxed && d.VATNumber == ""}, {"terms", d.Terms.EN == "" || d.Terms.FR == ""},
	} {
		if x.empty {
			all = append(all, x.name)
		}
	}
	return all
}

// SeriesOf is the pattern of a kind of document.
func (d IssuerDetails) SeriesOf(kind string) string {
	return map[string]string{
		KindInvoice: d.Series.Invoice, KindCreditNote: d.Series.CreditNote, KindProforma: d.Series.Proforma, KindReceipt: d.Series.Receipt,
	}[kind]
}

// regime is that of a key on the day for which the regimes were read, or else the fallback.
func (d IssuerDetails) regime(key string) (r Regime, found bool) {
	for _, x := range d.Regimes {
		if key != "" && x.Key == key {
			return x, true
		}
		if x.Fallback && !found {
			r, found = x, true
		}
	}
	return r, found
}

// EnsureIssuerTx makes the house's own issuer where it is not there: training, exempt from tax, until staff writes what holds.
func EnsureIssuerTx(ctx context.Context, tx *postgres.Tx, by Issuer) error {
	n, err := tx.Exec(ctx, q.Q("EnsureIssuer"), by.Code, by.Name, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.Exec(ctx, q.Q("EnsureRegime"), by.Code)
	return err
}

// IssuersTx lists the issuers with all their regimes, by key.
func IssuersTx(ctx context.Context, tx *postgres.Tx) ([]IssuerDetails, error) {
	var rows []struct {
		Issuer  []byte `db:"issuer"`
		Regimes []byte `db:"regimes"`
		Sells   []byte `db:"sells"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Issuers")); err != nil {
		return nil, err
	}
	out := make([]IssuerDetails, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = readIssuer(r.Issuer, r.Regimes); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(r.Sells, &out[i].Sells); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// IssuerTx finds an issuer.
func IssuerTx(ctx context.Context, tx *postgres.Tx, key string) (IssuerDetails, error) {
	all, err := IssuersTx(ctx, tx)
	for _, d := range all {
		if d.Key == key {
			return d, err
		}
	}
	return IssuerDetails{}, errors.Join(err, ErrNoIssuer)
}

// PutIssuerTx makes an issuer or writes it over the version that was read; 0 takes any. What was issued stays as it was. Errors:
// ErrIssuerChanged, ErrRegime, ErrSoldByAnother and invalid fields.
func PutIssuerTx(ctx context.Context, tx *postgres.Tx, d IssuerDetails, version int) (IssuerDetails, error) {
	if err := d.validate(); err != nil {
		return d, err
	}
	s := d.Seller
	if err := audit.HoldTx(ctx, tx, "issuer/"+s.Key); err != nil {
		return d, err
	}
	before, err := IssuerTx(ctx, tx, s.Key)
	if err != nil && !errors.Is(err, ErrNoIssuer) {
		return d, err
	}
	var now int
	err = tx.Get(ctx, &now, q.Q("PutIssuer"), s.Key, s.LegalName, s.LegalForm, s.Address.Street, s.Address.PostCode, s.Address.City, s.Address.Country,
		s.Registration, s.RegistrationLabel, s.ActivityNumber, s.VATNumber, s.Email, s.Phone, s.Bank, s.IBAN, s.BIC, d.Terms.EN, d.Terms.FR,
		d.Series.Invoice, d.Series.CreditNote, d.Series.Proforma, d.Series.Receipt, tx.Now(), version, cmp.Or(d.Zone, houseZone))
	if errors.Is(err, sql.ErrNoRows) {
		return d, ErrIssuerChanged
	}
	if err != nil {
		return d, err
	}
	if _, err := tx.Exec(ctx, q.Q("ClearRegimes"), s.Key); err != nil {
		return d, err
	}
	for _, r := range d.Regimes {
		if _, err := tx.Exec(ctx, q.Q("AddRegime"), s.Key, r.Key, r.ValidFrom, nullable(r.ValidUntil), r.Category, r.RatePPM, r.ReasonCode, r.Mention.EN,
			r.Mention.FR, r.Fallback); err != nil {
			return d, err
		}
	}
	if _, err := tx.Exec(ctx, q.Q("ClearSellers"), s.Key); err != nil {
		return d, err
	}
	for i, x := range d.Sells {
		n, err := tx.Exec(ctx, q.Q("AddSeller"), s.Key, x.Kind, x.Ref, nullable(x.Regime))
		if err != nil {
			return d, err
		}
		if n == 0 {
			return d, ErrSoldByAnother.At(fmt.Sprintf("/sells/%d/ref", i), "sold-by-another", x.Ref)
		}
	}
	after, err := IssuerTx(ctx, tx, s.Key)
	if err != nil {
		return d, err
	}
	return after, audit.AppendTx(ctx, tx, audit.Entry{Action: "issuer.put", Object: s.Key, Detail: map[string]int{"version": now}, Before: audit.Was(before.Key != "", before), After: after})
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

var (
	issuerKey  = regexp.MustCompile(`^[A-Z0-9]{1,12}$`)
	countryKey = regexp.MustCompile(`^[A-Z]{2}$`)
	vatNumber  = regexp.MustCompile(`^([A-Z]{2}[A-Z0-9]{2,13})?$`)
	iban       = regexp.MustCompile(`^([A-Z]{2}[0-9]{2}[A-Z0-9]{8,30})?$`)
	bic        = regexp.MustCompile(`^([A-Z0-9]{8}([A-Z0-9]{3})?)?$`)
	regimeKey  = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
)

func (d IssuerDetails) validate() error {
	var wrong []fault.Field
	bad := func(is bool, pointer, code, detail string) {
		if is {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	bad(!issuerKey.MatchString(d.Key), "/key", "bad-key", "1 to 12 capital letters and digits.")
	n := utf8.RuneCountInString(strings.TrimSpace(d.LegalName))
	bad(n < 1 || n > 200, "/legal_name", "bad-length", "1 to 200 characters.")
	bad(!countryKey.MatchString(d.Address.Country), "/address/country", "bad-country", "Two capital letters, ISO 3166.")
	bad(!vatNumber.MatchString(d.VATNumber), "/vat_number", "bad-vat-number", "The country's two letters and 2 to 13 letters and digits, without spaces.")
	bad(!iban.MatchString(d.IBAN), "/iban", "bad-iban", "Without spaces, in capitals.")
	bad(!bic.MatchString(d.BIC), "/bic", "bad-bic", "8 or 11 capital letters and digits.")
	if d.Zone != "" {
		_, err := time.LoadLocation(d.Zone)
		bad(err != nil || d.Zone == "Local", "/zone", "unknown-zone", "A name of the time zone database, such as Africa/Dakar.")
	}
	open := false
	for _, r := range d.Regimes {
		bad(!regimeKey.MatchString(r.Key) || !isDay(r.ValidFrom) || r.ValidUntil != "" && !isDay(r.ValidUntil), "/regimes", "bad-regime",
			"A key of small letters, and days such as 2026-01-31.")
		open = open || r.Fallback && r.ValidUntil == ""
	}
	for i, x := range d.Sells {
		at := fmt.Sprintf("/sells/%d", i)
		bad(x.Kind != "offer" && x.Kind != "organisation", at+"/kind", "unknown-kind", "offer or organisation.")
		bad(x.Ref == "" || len(x.Ref) > 40, at+"/ref", "bad-length", "The id of an offer, or the key of an organisation.")
		bad(x.Regime != "" && (x.Kind != "offer" || !slices.ContainsFunc(d.Regimes, func(r Regime) bool { return r.Key == x.Regime })), at+"/regime", "no-such-regime",
			"The key of one of these regimes, for an offer.")
	}
	bad(!open, "/regimes", "no-fallback", "One regime without an end holds where an offer names none.")
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// isDay says whether a text is a day that a calendar has, such as 2026-01-31.
func isDay(s string) bool {
	t, err := time.Parse(time.DateOnly, s)
	return err == nil && t.Year() >= 1900
}
