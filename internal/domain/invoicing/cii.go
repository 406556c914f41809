package invoicing

import (
	"encoding/xml"
	"strconv"
	"strings"
	"time"

	"cursus/internal/kernel/money"
)

// The profile whose terms a structured invoice has.
const facturXBasic = "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic"

// node is an element of the file: its text, or what is below it. A node without either is left out.
type node struct {
	name     string
	text     string
	attrs    [][2]string
	children []node
}

func el(name string, children ...node) node { return node{name: name, children: children} }

func val(name, text string, attrs ...string) node {
	n := node{name: name, text: text}
	for i := 0; i+1 < len(attrs); i += 2 {
		n.attrs = append(n.attrs, [2]string{attrs[i], attrs[i+1]})
	}
	return n
}

func (n node) empty() bool {
	for _, c := range n.children {
		if !c.empty() {
			return false
		}
	}
	return n.text == ""
}

func (n node) write(b *strings.Builder, indent string) {
	if n.empty() {
		return
	}
	b.WriteString(indent + "<" + n.name)
	for _, a := range n.attrs {
		b.WriteString(" " + a[0] + `="`)
		_ = xml.EscapeText(b, []byte(a[1])) // a Builder never fails
		b.WriteString(`"`)
	}
	b.WriteString(">")
	if n.text != "" {
		_ = xml.EscapeText(b, []byte(n.text))
	} else {
		b.WriteString("\n")
		for _, c := range n.children {
			c.write(b, indent+" ")
		}
		b.WriteString(indent)
	}
	b.WriteString("</" + n.name + ">\n")
}

// CII gives an invoice or credit note as UN/CEFACT Cross Industry Invoice with the terms of the profile Factur-X BASIC. Prices
// are written without tax there: a line's price is that of all its pieces before the discount, and the discount an allowance, so
// that each line adds up to the cent. ErrNoExport for other kinds.
func (f Full) CII() ([]byte, error) {
	code := map[string]string{KindInvoice: "380", KindCreditNote: "381"}[f.Kind]
	if code == "" {
		return nil, ErrNoExport
	}
	d := f.Facts
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	root := el("rsm:CrossIndustryInvoice",
		el("rsm:ExchangedDocumentContext", el("ram:GuidelineSpecifiedDocumentContextParameter", val("ram:ID", facturXBasic))),
		el("rsm:ExchangedDocument", append([]node{
			val("ram:ID", f.Number), val("ram:TypeCode", code), el("ram:IssueDateTime", dateOf("udt:DateTimeString", f.IssuedAt)),
		}, notes(d)...)...),
		el("rsm:SupplyChainTradeTransaction", append(linesOf(d), agreement(d), delivery(d), settlement(f))...))
	root.attrs = [][2]string{
		{"xmlns:rsm", "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"},
		{"xmlns:ram", "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"},
		{"xmlns:udt", "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"},
		{"xmlns:qdt", "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"},
	}
	root.write(&b, "")
	return []byte(b.String()), nil
}

func dateOf(name string, t time.Time) node {
	return val(name, t.UTC().Format("20060102"), "format", "102")
}

func notes(d Facts) (all []node) {
	for _, m := range append([]string{d.Reason}, d.Mentions...) {
		all = append(all, el("ram:IncludedNote", val("ram:Content", m)))
	}
	return all
}

func decimal(minor int64, c money.Currency) string { return money.Of(minor, c).Decimal() }

// percentOf prints millionths as per cents: 200000 is 20, 55000 is 5.5.
func percentOf(ppm int64) string {
	s := strconv.FormatInt(ppm/10_000, 10)
	if rest := ppm % 10_000; rest != 0 {
		s += "." + strings.TrimRight(strconv.FormatInt(10_000+rest, 10)[1:], "0")
	}
	return s
}

func linesOf(d Facts) (all []node) {
	for i, l := range d.Lines {
		gross := l.Quantity * l.UnitMinor
		before := gross - taxIn(gross, l.RatePPM) // all pieces, without tax, before the discount
		quantity := strconv.FormatInt(l.Quantity, 10)
		var allowance node
		if before > l.NetMinor {
			reason := l.DiscountReason
			if reason == "" {
				reason = "Discount"
			}
			allowance = el("ram:SpecifiedTradeAllowanceCharge", el("ram:ChargeIndicator", val("udt:Indicator", "false")),
				val("ram:ActualAmount", decimal(before-l.NetMinor, d.Currency)), val("ram:ReasonCode", "95"), val("ram:Reason", reason))
		} else {
			before = l.NetMinor // rounding of tax alone
		}
		all = append(all, el("ram:IncludedSupplyChainTradeLineItem",
			el("ram:AssociatedDocumentLineDocument", val("ram:LineID", strconv.Itoa(i+1))),
			el("ram:SpecifiedTradeProduct", val("ram:Name", l.Description)),
			el("ram:SpecifiedLineTradeAgreement", el("ram:NetPriceProductTradePrice",
				val("ram:ChargeAmount", decimal(before, d.Currency)), val("ram:BasisQuantity", quantity, "unitCode", "C62"))),
			el("ram:SpecifiedLineTradeDelivery", val("ram:BilledQuantity", quantity, "unitCode", "C62")),
			el("ram:SpecifiedLineTradeSettlement",
				el("ram:ApplicableTradeTax", val("ram:TypeCode", "VAT"), val("ram:CategoryCode", l.TaxCategory), rateOf(l.TaxCategory, l.RatePPM)),
				allowance,
				el("ram:SpecifiedTradeSettlementLineMonetarySummation", val("ram:LineTotalAmount", decimal(l.NetMinor, d.Currency))))))
	}
	return all
}

// rateOf is the rate of a category; what is outside the scope of the tax has none.
func rateOf(category string, ppm int64) node {
	if category == "O" {
		return node{}
	}
	return val("ram:RateApplicablePercent", percentOf(ppm))
}

func addressNode(a Address, fallback string) node {
	if a.Country == "" {
		a.Country = fallback // the profile wants one: who gave none is taxed where the issuer is
	}
	lines := strings.SplitN(a.Street, "\n", 3)
	for len(lines) < 3 {
		lines = append(lines, "")
	}
	return el("ram:PostalTradeAddress", val("ram:PostcodeCode", a.PostCode), val("ram:LineOne", lines[0]), val("ram:LineTwo", lines[1]),
		val("ram:LineThree", strings.ReplaceAll(lines[2], "\n", ", ")), val("ram:CityName", a.City), val("ram:CountryID", a.Country))
}

// scheme is the list from which a registration is: 0009 are SIRET numbers.
func scheme(label string) []string {
	if label == "SIRET" {
		return []string{"schemeID", "0009"}
	}
	return nil
}

func agreement(d Facts) node {
	buyer := d.Buyer.Company
	if buyer == "" {
		buyer = d.Buyer.Name
	}
	s := d.Seller
	return el("ram:ApplicableHeaderTradeAgreement",
		val("ram:BuyerReference", d.Reference),
		el("ram:SellerTradeParty", val("ram:ID", s.ActivityNumber), val("ram:Name", s.LegalName),
			el("ram:SpecifiedLegalOrganization", val("ram:ID", strings.ReplaceAll(s.Registration, " ", ""), scheme(s.RegistrationLabel)...)),
			addressNode(s.Address, "FR"), el("ram:URIUniversalCommunication", val("ram:URIID", s.Email, "schemeID", "EM")),
			el("ram:SpecifiedTaxRegistration", val("ram:ID", s.VATNumber, "schemeID", "VA"))),
		el("ram:BuyerTradeParty", val("ram:ID", d.Buyer.ID), val("ram:Name", buyer), addressNode(d.Buyer.Address, s.Address.Country),
			el("ram:URIUniversalCommunication", val("ram:URIID", d.Buyer.Email, "schemeID", "EM")),
			el("ram:SpecifiedTaxRegistration", val("ram:ID", d.Buyer.VATNumber, "schemeID", "VA"))),
		el("ram:BuyerOrderReferencedDocument", val("ram:IssuerAssignedID", d.OrderID)))
}

// delivery says when; an element that the profile wants even when nothing is known of it.
func delivery(d Facts) node {
	at := d.Payment.PaidAt
	if at == nil {
		at = d.OrderedAt
	}
	if at == nil {
		return node{name: "ram:ApplicableHeaderTradeDelivery", text: "\n"}
	}
	return el("ram:ApplicableHeaderTradeDelivery", el("ram:ActualDeliverySupplyChainEvent", el("ram:OccurrenceDateTime", dateOf("udt:DateTimeString", *at))))
}

// meansOf is the code of UNTDID 4461.
func meansOf(means string) string {
	if code := map[string]string{"card": "48", "sepa_debit": "59", "transfer": "30", "cash": "10", "desk": "10"}[means]; code != "" {
		return code
	}
	return "1" // not said
}

func settlement(f Full) node {
	d := f.Facts
	children := []node{
		val("ram:PaymentReference", d.Payment.Reference), val("ram:InvoiceCurrencyCode", string(d.Currency)),
		el("ram:SpecifiedTradeSettlementPaymentMeans", val("ram:TypeCode", meansOf(d.Payment.Means)),
			el("ram:PayeePartyCreditorFinancialAccount", val("ram:IBANID", d.Seller.IBAN))),
	}
	for _, t := range d.Taxes {
		children = append(children, el("ram:ApplicableTradeTax", val("ram:CalculatedAmount", decimal(t.TaxMinor, d.Currency)), val("ram:TypeCode", "VAT"),
			val("ram:ExemptionReason", t.Reason), val("ram:BasisAmount", decimal(t.NetMinor, d.Currency)), val("ram:CategoryCode", t.TaxCategory),
			val("ram:ExemptionReasonCode", t.ReasonCode), rateOf(t.TaxCategory, t.RatePPM)))
	}
	due := f.IssuedAt
	if d.Payment.DueAt != nil {
		due = *d.Payment.DueAt
	}
	children = append(children, el("ram:SpecifiedTradePaymentTerms", el("ram:DueDateDateTime", dateOf("udt:DateTimeString", due))))
	paid := int64(0)
	if d.Payment.PaidAt != nil {
		paid = d.Total
	}
	c := d.Currency
	children = append(children, el("ram:SpecifiedTradeSettlementHeaderMonetarySummation",
		val("ram:LineTotalAmount", decimal(d.NetMinor, c)), val("ram:TaxBasisTotalAmount", decimal(d.NetMinor, c)),
		val("ram:TaxTotalAmount", decimal(d.TaxMinor, c), "currencyID", string(c)), val("ram:GrandTotalAmount", decimal(d.Total, c)),
		val("ram:TotalPrepaidAmount", decimal(paid, c)), val("ram:DuePayableAmount", decimal(d.Total-paid, c))))
	if d.Corrects != nil {
		children = append(children, el("ram:InvoiceReferencedDocument", val("ram:IssuerAssignedID", d.Corrects.Number),
			el("ram:FormattedIssueDateTime", dateOf("qdt:DateTimeString", d.Corrects.IssuedAt))))
	}
	return el("ram:ApplicableHeaderTradeSettlement", children...)
}
