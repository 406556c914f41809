package sales

import (
	"errors"
	"strings"
	"testing"
)

// Banks write the same three lines in their ways, and they are read alike; what cannot be read is named by line and column.
func TestStatementsOfBanksAreReadAlike(t *testing.T) {
	for name, content := range map[string]string{
		"plain":   "date,amount,currency,label,counterparty,id\n2026-03-31,1234.56,EUR,RF69 0000 1001,A. Diop,B1\n2026-04-01,-5.00,EUR,fees,,B2\n",
		"french":  "\xef\xbb\xbfDate d'opération;Montant;Devise;Libellé;Contrepartie;Référence bancaire\r\n31/03/2026;1 234,56;EUR;RF69 0000 1001;A. Diop;B1\r\n01/04/2026;-5,00;EUR;fees;;B2\r\n",
		"columns": "Date;Débit;Crédit;Libellé;Nom;ID\n31.03.2026;;1.234,56;RF69 0000 1001;A. Diop;B1\n01.04.2026;5,00;;fees;;B2\n",
		"latin":   "Date;D\xe9bit;Cr\xe9dit;Libell\xe9;Nom;ID\n31.03.2026;;1.234,56;RF69 0000 1001;A. Diop;B1\n01.04.2026;5,00;;fees;;B2\n",
		"camt": `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Ntry><Amt Ccy="EUR">1234.56</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>2026-03-31</Dt></BookgDt>
<AcctSvcrRef>B1</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Nm>A. Diop</Nm></Dbtr></RltdPties><RmtInf><Ustrd>RF69 0000 1001</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><BookgDt><Dt>2026-04-01</Dt></BookgDt><AcctSvcrRef>B2</AcctSvcrRef><AddtlNtryInf>fees</AddtlNtryInf></Ntry></Stmt></BkToCstmrStmt></Document>`,
	} {
		all, err := ReadStatement([]byte(content), "EUR")
		if err != nil || len(all) != 2 {
			t.Errorf("%s: %d %v", name, len(all), err)
			continue
		}
		a, b := all[0], all[1]
		if a.Wrong != nil || a.Amount.Minor != 123456 || a.Amount.Currency != "EUR" || a.On.Format("2006-01-02") != "2026-03-31" || a.Reference != "B1" || a.Payer != "A. Diop" || a.Label != "RF69 0000 1001" {
			t.Errorf("%s: %+v", name, a)
		}
		if b.Wrong != nil || b.Amount.Minor != -500 || b.Label != "fees" {
			t.Errorf("%s: %+v", name, b)
		}
	}
	all, err := ReadStatement([]byte("date;amount;currency\n31/02/2026;1,00;EUR\n01/04/2026;one;EUR\n01/04/2026;1,00;EURO\n01/04/2026;100 000;XOF\n01/04/2026;100 000;XOF\n"), "EUR")
	if err != nil {
		t.Fatal(err)
	}
	for i, column := range []string{"date", "amount", "currency"} {
		if w := all[i].Wrong; w == nil || w.Column != column || all[i].Line != i+2 {
			t.Errorf("line %d: %+v", all[i].Line, w)
		}
	}
	if all[3].Amount.Minor != 100000 || all[3].Reference == all[4].Reference || !strings.HasPrefix(all[3].Reference, "line:") {
		t.Errorf("%+v %+v", all[3], all[4])
	}
	for _, bad := range []string{"", "a,b\n1,2\n", "date;amount\n", "<html>"} {
		if _, err := ReadStatement([]byte(bad), "EUR"); !errors.Is(err, ErrStatement) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
