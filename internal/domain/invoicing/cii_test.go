package invoicing

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/kernel/money"
)

// basicTerms are the business terms of EN 16931 that the profile BASIC wants of an invoice, and where they stand in the file.
var basicTerms = map[string]string{
	"BT-24":  "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID",
	"BT-1":   "ExchangedDocument/ID",
	"BT-3":   "ExchangedDocument/TypeCode",
	"BT-2":   "ExchangedDocument/IssueDateTime/DateTimeString",
	"BT-22":  "ExchangedDocument/IncludedNote/Content",
	"BT-126": "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/AssociatedDocumentLineDocument/LineID",
	"BT-153": "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedTradeProduct/Name",
	"BT-146": "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount",
	"BT-149": "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedLineTradeAgreement/NetPriceProductTradePrice/BasisQuantity",
	"BT-129": "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedLineTradeDelivery/BilledQuantity",
	"BT-151": "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedLineTradeSettlement/ApplicableTradeTax/CategoryCode",
	"BT-152": "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedLineTradeSettlement/ApplicableTradeTax/RateApplicablePercent",
	"BT-131": "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
	"BT-27":  "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/SellerTradeParty/Name",
	"BT-30":  "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/SellerTradeParty/SpecifiedLegalOrganization/ID",
	"BT-40":  "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/SellerTradeParty/PostalTradeAddress/CountryID",
	"BT-31":  "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/SellerTradeParty/SpecifiedTaxRegistration/ID",
	"BT-44":  "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/BuyerTradeParty/Name",
	"BT-55":  "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/BuyerTradeParty/PostalTradeAddress/CountryID",
	"BT-13":  "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/BuyerOrderReferencedDocument/IssuerAssignedID",
	"BT-72":  "SupplyChainTradeTransaction/ApplicableHeaderTradeDelivery/ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString",
	"BT-83":  "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/PaymentReference",
	"BT-5":   "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/InvoiceCurrencyCode",
	"BT-81":  "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/SpecifiedTradeSettlementPaymentMeans/TypeCode",
	"BT-117": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/ApplicableTradeTax/CalculatedAmount",
	"BT-116": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/ApplicableTradeTax/BasisAmount",
	"BT-118": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/ApplicableTradeTax/CategoryCode",
	"BT-119": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/ApplicableTradeTax/RateApplicablePercent",
	"BT-120": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/ApplicableTradeTax/ExemptionReason",
	"BT-9":   "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString",
	"BT-106": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/SpecifiedTradeSettlementHeaderMonetarySummation/LineTotalAmount",
	"BT-109": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/SpecifiedTradeSettlementHeaderMonetarySummation/TaxBasisTotalAmount",
	"BT-110": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/SpecifiedTradeSettlementHeaderMonetarySummation/TaxTotalAmount",
	"BT-112": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/SpecifiedTradeSettlementHeaderMonetarySummation/GrandTotalAmount",
	"BT-113": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/SpecifiedTradeSettlementHeaderMonetarySummation/TotalPrepaidAmount",
	"BT-115": "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/SpecifiedTradeSettlementHeaderMonetarySummation/DuePayableAmount",
}

// read gives every text of a file by the path of its element, and fails where it is not well-formed.
func read(t interface{ Fatal(...any) }, file []byte) map[string][]string {
	all, path := map[string][]string{}, []string{}
	for d := xml.NewDecoder(bytes.NewReader(file)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err, string(file))
		}
		switch x := token.(type) {
		case xml.StartElement:
			if !strings.HasPrefix(x.Name.Space, "urn:un:unece:uncefact:data:standard:") {
				t.Fatal("an element of no namespace:", x.Name)
			}
			path = append(path, x.Name.Local)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if s := strings.TrimSpace(string(x)); s != "" {
				key := strings.Join(path[1:], "/")
				all[key] = append(all[key], s)
			}
		}
	}
}

func sum(t interface{ Fatal(...any) }, texts []string, c money.Currency) (total int64) {
	for _, s := range texts {
		a, err := money.ParseDecimal(s, c)
		if err != nil {
			t.Fatal(err, s)
		}
		total += a.Minor
	}
	return total
}

// Every term that the profile wants is there, whatever is sold; the file adds up by the rules of EN 16931 (BR-CO-10, 13, 14, 15, 16),
// and each line by its price, quantity and allowance.
func TestStructuredInvoiceIsCompleteAndAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawInvoice(t)
		f.Kind = KindInvoice
		at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		f.Facts.Seller = Seller{Key: "IMT", LegalName: "IMT <&>", Registration: "180 092 025 00014", RegistrationLabel: "SIRET", VATNumber: "FR00123456789", Address: Address{Country: "FR"}}
		f.Facts.Buyer, f.Facts.Payment = Buyer{ID: "per_1", Name: "A\"ïcha"}, Payment{Means: "card", Reference: "pay_1", PaidAt: &at}
		f.Facts.Mentions = append(f.Facts.Mentions, "terms")
		if len(f.Facts.Taxes) == 1 && f.Facts.Taxes[0].TaxCategory == "S" {
			f.Facts.Taxes[0].Reason = "none" // so that one list of terms serves all
		}
		for i := range f.Facts.Taxes {
			if f.Facts.Taxes[i].Reason == "" {
				f.Facts.Taxes[i].Reason = "none"
			}
		}
		file, err := f.CII()
		if err != nil {
			t.Fatal(err)
		}
		all := read(t, file)
		for term, path := range basicTerms {
			if len(all[path]) == 0 {
				t.Fatalf("%s is missing: %s\n%s", term, path, file)
			}
		}
		get := func(term string) int64 { return sum(t, all[basicTerms[term]], f.Facts.Currency) }
		if get("BT-106") != get("BT-131") || get("BT-109") != get("BT-106") || get("BT-110") != get("BT-117") || get("BT-112") != get("BT-109")+get("BT-110") ||
			get("BT-115") != get("BT-112")-get("BT-113") || get("BT-116") != get("BT-109") || get("BT-112") != f.Facts.Total {
			t.Fatalf("the file does not add up:\n%s", file)
		}
		allowances := sum(t, all["SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedLineTradeSettlement/SpecifiedTradeAllowanceCharge/ActualAmount"], f.Facts.Currency)
		if get("BT-146")-allowances != get("BT-131") { // the price is that of the whole quantity (BT-149)
			t.Fatalf("prices less allowances are not the lines:\n%s", file)
		}
	})
}

// A credit note names the invoice (BT-25, BT-26); a receipt is no invoice.
func TestStructuredCreditNoteNamesItsInvoice(t *testing.T) {
	f := Full{Kind: KindCreditNote, Number: "IMT-2026-000002", Facts: Facts{Currency: "XOF", Corrects: &Corrected{Number: "IMT-2026-000001"}}}
	file, err := f.CII()
	if err != nil || !strings.Contains(string(file), "IMT-2026-000001") || !strings.Contains(string(file), ">381<") {
		t.Errorf("%v %s", err, file)
	}
	if _, err := (Full{Kind: KindReceipt}).CII(); !errors.Is(err, ErrNoExport) {
		t.Error("a receipt was exported:", err)
	}
}
