package analytics

import (
	"context"

	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// step is one of a waterfall.
type step struct {
	id, en, fr string
	minor      int64
	sum        bool
}

// keptApart is what of the fees of the cube is of partner schools, and of the account alone, in one currency; and what of the sales is tax.
type keptApart struct{ shares, account, tax int64 }

// keptApartTx asks what of the fees is no provider's of a payment, of the session that is asked for or of all.
func (f *Figure) keptApartTx(ctx context.Context, tx *postgres.Tx) (map[money.Currency]keptApart, error) {
	var rows []struct {
		Currency money.Currency `db:"currency"`
		Shares   int64          `db:"shares"`
		Account  int64          `db:"account"`
		Tax      int64          `db:"tax"`
	}
	var session *string
	if f.Ask.Params["session"] != "" {
		s, err := f.sessionTx(ctx, tx, "session")
		if err != nil {
			return nil, err
		}
		session = &s.ID
	}
	err := tx.Select(ctx, &rows, q.Q("KeptApart"), given(f.Ask.AsOf), given(f.Ask.KnownAt), session)
	out := map[money.Currency]keptApart{}
	for _, r := range rows {
		out[r.Currency] = keptApart{r.Shares, r.Account, r.Tax}
	}
	return out, err
}

func waterfallTx(ctx context.Context, tx *postgres.Tx, _ Ask, f *Figure) error {
	cells, err := f.ofSessionTx(ctx, tx)
	if err != nil {
		return err
	}
	f.Columns = []Column{col("step", Text, "Step", "Étape"), col("currency", Text, "Currency", "Devise"), col("amount", Amount, "Amount", "Montant")}
	f.Charts = []Chart{{Kind: "waterfall", Y: "step", Values: []string{"amount"}, Facet: "currency"}}
	apart, err := f.keptApartTx(ctx, tx)
	if err != nil {
		return err
	}
	var fees int64
	for _, c := range cells {
		if c.Currency == "" {
			continue
		}
		fees += c.Fees
		x := apart[c.Currency]
		if x.tax != 0 {
			tax := money.Of(x.tax, c.Currency).String()
			f.note("Of gross less refunds "+tax+" are tax, owed to the state: they are in the contribution and are nobody’s gain.", "Du brut moins les remboursements, "+tax+" sont de la taxe, due à l’État : elle est dans la contribution et n’est le gain de personne.")
		}
		for _, s := range []step{
			{"gross", "Gross", "Brut", c.Gross, true}, {"refunds", "Refunds", "Remboursements", -c.Refunds, false}, {"disputes", "Lost disputes", "Litiges perdus", -c.Disputes, false},
			{"net", "Net", "Net", c.Net(), true},
			{"fees", "Fees of payments", "Frais des paiements", x.account + x.shares - c.Fees, false}, {"shares", "Partner schools", "Écoles partenaires", -x.shares, false},
			{"account_fees", "Fees of the account", "Frais du compte", -x.account, false}, {"costs", "Costs", "Coûts", -c.Costs, false}, {"contribution", "Contribution", "Contribution", c.Contribution(), true},
		} {
			if s.id == "account_fees" && f.Ask.Params["session"] != "" {
				continue
			}
			f.Rows = append(f.Rows, Row{Summary: s.sum, Cells: []Cell{saidCell(s.id, s.en, s.fr), textCell(string(c.Currency)), amountCell(s.minor, c.Currency)}})
		}
	}
	if len(f.Rows) > 0 && fees == 0 {
		f.note("No fee of a provider or a desk is booked: contribution is before fees.", "Aucun frais de prestataire ou de guichet n’est comptabilisé : la contribution est avant frais.")
	}
	return nil
}

func partnersTx(ctx context.Context, tx *postgres.Tx, _ Ask, f *Figure) error {
	cells, err := f.cubesTx(ctx, tx, "partner")
	if err != nil {
		return err
	}
	if _, err := f.openSessionsTx(ctx, tx); err != nil {
		return err
	}
	f.Columns = []Column{
		col("partner", Text, "Partner", "Partenaire"), col("currency", Text, "Currency", "Devise"), col("paying", Count, "Paying learners", "Apprenants payants"), col("certified", Share, "Certified of the enrolled", "Certifiés des inscrits"),
		col("net", Amount, "Net", "Net"), col("of_net", Tenths, "Share of the net", "Part du net"), col("fees", Amount, "Fees and its own share", "Frais et sa propre part"), col("costs", Amount, "Costs", "Coûts"),
		col("contribution", Amount, "Contribution", "Contribution"),
	}
	f.Charts = []Chart{{Kind: "bars", Y: "partner", Values: []string{"of_net"}, Facet: "currency"}}
	total := map[money.Currency]int64{}
	var paying int64
	for _, c := range cells {
		total[c.Currency] += c.Net()
		paying += c.Paying
	}
	f.base("paying", "with a paid formula in force", "avec une formule payante en vigueur", paying)
	for _, c := range cells {
		if c.Currency == "" {
			continue
		}
		name := textCell(c.Partner)
		if c.Partner == "" {
			name = saidCell("none", "by themselves", "d’eux-mêmes")
		}
		who := c.payers()
		row := Row{Cells: []Cell{name, textCell(string(c.Currency)), countCell(who.Paying), shareCell(who.Certified, who.Enrolled), amountCell(c.Net(), c.Currency), {}, amountCell(c.Fees, c.Currency), amountCell(c.Costs, c.Currency), amountCell(c.Contribution(), c.Currency)}}
		if all := total[c.Currency]; all > 0 && c.Net() >= 0 {
			row.Cells[5] = countCell((2*1000*c.Net() + all) / (2 * all))
		}
		f.Rows = append(f.Rows, row)
	}
	return nil
}
