package analytics

import (
	"context"
	"fmt"
	"time"

	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// maxFixedMinor bounds what somebody says a session cost beside its books.
const maxFixedMinor = 1_000_000_000_000

func breakEvenTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	fixed, err := ask.fixed()
	if err != nil {
		return err
	}
	cells, err := f.ofSessionTx(ctx, tx)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("currency", Text, "Currency", "Devise"), col("paying", Count, "Paying learners", "Apprenants payants"), col("net", Amount, "Net", "Net"), col("net_per_paying", Amount, "Net per paying learner", "Net par apprenant payant"),
		col("fees", Amount, "Fees", "Frais"), col("left", Amount, "Net less fees", "Net moins les frais"), col("costs", Amount, "Costs to carry", "Coûts à porter"), col("break_even", Count, "Learners that carry them", "Apprenants qui les portent"), col("margin", Count, "Learners above it", "Apprenants au-dessus"),
		col("contribution_per_certified", Amount, "Contribution per certified", "Contribution par certifié"),
	}
	f.Charts = []Chart{{Kind: "crossing", Values: []string{"paying", "break_even", "left", "costs"}, Facet: "currency"}}
	for _, c := range withFixed(cells, fixed) {
		if c.Currency == "" {
			continue
		}
		paying := c.payers().Paying
		f.base("paying_"+string(c.Currency), "paying learners in "+string(c.Currency), "apprenants payants en "+string(c.Currency), paying)
		net, costs := c.Net(), c.Costs+fixed.in(c.Currency)
		row := Row{Cells: []Cell{textCell(string(c.Currency)), countCell(paying), amountCell(net, c.Currency), {Amount: per(money.Of(net, c.Currency), paying)}, amountCell(c.Fees, c.Currency), amountCell(net-c.Fees, c.Currency), amountCell(costs, c.Currency),
			{}, {}, {Amount: per(money.Of(net-c.Fees-costs, c.Currency), c.bearers().Certified)}}}
		if needed, ok := carrying(net-c.Fees, costs, paying); ok {
			row.Cells[7], row.Cells[8] = countCell(needed), countCell(paying-needed)
		}
		f.Rows = append(f.Rows, row)
	}
	f.note("Costs are those that are booked and those that are given: what no book has and nobody says is not in it.", "Les coûts sont ceux qui sont comptabilisés et ceux qui sont donnés : ce qu’aucun livre n’a et que personne ne dit n’y est pas.")
	return nil
}

// pricePoint is a price at which places of a session were sold.
type pricePoint struct {
	Currency money.Currency `db:"currency"`
	Minor    int64          `db:"minor"`
	Places   int64          `db:"places"`
	First    time.Time      `db:"first_at"`
	Last     time.Time      `db:"last_at"`
}

// days counts the days (UTC) from that of the first sale to that of the last, both included.
func (p pricePoint) days() int64 {
	const day = 24 * time.Hour
	return int64(p.Last.UTC().Truncate(day).Sub(p.First.UTC().Truncate(day))/day) + 1
}

// elasticity is the arc elasticity between two prices in thousandths: the change of places per day over the change of the price, each relative
// to the mid-point. ok is false where one price is not another.
func elasticity(a, b pricePoint) (thousandths int64, ok bool) {
	// places per day are compared as a.Places·b.days against b.Places·a.days
	qa, qb := a.Places*b.days(), b.Places*a.days()
	if a.Minor == b.Minor || qa+qb == 0 {
		return 0, false
	}
	return 1000 * (qb - qa) * (a.Minor + b.Minor) / ((qa + qb) * (b.Minor - a.Minor)), true
}

func pricesTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	var points []pricePoint
	if err := tx.Select(ctx, &points, q.Q("PricePoints"), s.ID, given(ask.AsOf), given(ask.KnownAt)); err != nil {
		return err
	}
	if err := f.demoTx(ctx, tx); err != nil {
		return err
	}
	f.Columns = []Column{
		col("price", Amount, "Price paid", "Prix payé"), col("places", Count, "Places", "Places"), col("first_at", Instant, "First sale", "Première vente"), col("last_at", Instant, "Last sale", "Dernière vente"),
		col("days", Count, "Days", "Jours"), col("elasticity", Text, "Elasticity to the price above", "Élasticité au prix au-dessus"),
	}
	f.Charts = []Chart{{Kind: "bars", Y: "price", Values: []string{"places"}}}
	var places int64
	currencies, priced := map[money.Currency]int{}, 0
	for i, p := range points {
		places += p.Places
		currencies[p.Currency]++
		row := Row{Cells: []Cell{amountCell(p.Minor, p.Currency), countCell(p.Places), timeCell(p.First.UTC()), timeCell(p.Last.UTC()), countCell(p.days()), {}}}
		if i > 0 && points[i-1].Currency == p.Currency {
			if e, ok := elasticity(points[i-1], p); ok {
				sign := ""
				if e < 0 {
					sign, e = "−", -e
				}
				row.Cells[5] = textCell(fmt.Sprintf("%s%d.%03d", sign, e/1000, e%1000))
				priced++
			}
		}
		f.Rows = append(f.Rows, row)
	}
	f.base("places", "places sold", "places vendues", places)
	switch {
	case len(points) == 0:
		f.note("No place of the session was sold by itself, so there is no price to speak of: what a program brings is in its own figure.", "Aucune place de la session n’a été vendue à part : il n’y a pas de prix dont parler, et ce qu’un programme rapporte est dans sa propre figure.")
	case priced == 0 && len(currencies) > 1:
		f.note("In each currency everybody paid the same price, so nothing can be said of elasticity: it takes sales at two prices of one currency.", "Dans chaque devise, tout le monde a payé le même prix : rien ne peut être dit de l’élasticité, il faut des ventes à deux prix d’une même devise.")
	case priced == 0:
		f.note("Everybody paid the same price, so nothing can be said of elasticity: it takes sales at two prices of one currency.", "Tout le monde a payé le même prix : rien ne peut être dit de l’élasticité, il faut des ventes à deux prix d’une même devise.")
	case priced > 0:
		f.note("The prices held at different times and for different people: what else changed between them is in the elasticity too. It proves nothing by itself.", "Les prix ont valu à des moments différents et pour des gens différents : ce qui a changé d’autre entre eux est aussi dans l’élasticité. Elle ne prouve rien à elle seule.")
	}
	return nil
}
