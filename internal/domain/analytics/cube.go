package analytics

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Dimensions of the cube. The currency is one too, and always there: amounts of two currencies are never added.
var Dimensions = []string{"month", "session", "offer", "program", "partner", "country"}

// CubeQuestion asks for people and money along some dimensions. Money is that of the enrolments that reached MoneyOf (empty: all money,
// also that of who left, and of seats that nobody claimed yet).
type CubeQuestion struct {
	By               []string
	Basis, Week1Rule string
	AsOf, KnownAt    time.Time
	Sessions         []string // their ids; nil: all, and what belongs to none
	MoneyOf          []journey.Stage
	Diligent         bool // MoneyOf is the diligent by the week-1 rule
	Paying           bool // people and money of those alone who have a paid formula
}

// CubeCell is one cell: the values of its dimensions (empty: not asked for, or there is none), people by stage, and money in minor units of its
// currency, which is empty where there is no money.
type CubeCell struct {
	CubeKey
	people
	Gross    int64
	Refunds  int64
	Disputes int64
	Fees     int64
	Costs    int64
	// Who has money here, but counts in the currency in which she paid first.
	alsoPaid *people // paid here too
	alsoCost *people // cost something here, and paid nothing
}

// people are those of a cell by stage.
type people struct {
	journey.Counts
	Paying int64 // with a paid formula in force
}

func (p people) plus(q *people) people {
	if q == nil {
		return p
	}
	return people{p.Plus(q.Counts), p.Paying + q.Paying}
}

// payers are all whose payments are in the cell: what came in by learner is of these. Who paid in two currencies is one
// of the payers of each.
func (c CubeCell) payers() people { return c.plus(c.alsoPaid) }

// bearers are all whose money is in the cell, who paid or cost something: what was spent by learner is of these.
func (c CubeCell) bearers() people { return c.payers().plus(c.alsoCost) }

// CubeKey is where a cell stands.
type CubeKey struct {
	Month    string         `db:"month"`
	Session  string         `db:"session"`
	Offer    string         `db:"offer"`
	Program  string         `db:"program"`
	Edition  string         `db:"edition"` // for dashboards: not one of Dimensions, since it says no more than offer and program
	Partner  string         `db:"partner"`
	Country  string         `db:"country"`
	Currency money.Currency `db:"currency"`
}

// Net is sales − refunds − lost disputes.
func (c CubeCell) Net() int64 { return c.Gross - c.Refunds - c.Disputes }

// Contribution is net − fees − costs.
func (c CubeCell) Contribution() int64 { return c.Net() - c.Fees - c.Costs }

func (c CubeCell) of(dimension string) string {
	switch dimension {
	case "month":
		return c.Month
	case "session":
		return c.Session
	case "offer":
		return c.Offer
	case "program":
		return c.Program
	case "partner":
		return c.Partner
	}
	return c.Country
}

// CubeTx answers. The sum over all cells is the ledger's, to the cent, and the journey's, whatever the dimensions. With all that is known it reads
// sums; by what was known earlier it reads all that was written by then. Errors: journey.ErrBasis, journey.ErrWeek1Rule.
func CubeTx(ctx context.Context, tx *postgres.Tx, ask CubeQuestion) ([]CubeCell, error) {
	member := journey.Mask(journey.Enrolled)
	switch ask.Basis {
	case "", "current":
	case "ever":
		member = 0
	default:
		return nil, journey.ErrBasis
	}
	paying := journey.Mask(journey.Qualifying)
	if ask.Paying {
		member |= paying
	}
	diligent, err := journey.DiligentMask(ask.Week1Rule)
	if err != nil {
		return nil, err
	}
	taken := journey.Mask(ask.MoneyOf...)
	if ask.Diligent {
		taken |= diligent
	}
	if ask.Paying {
		taken |= paying
	}
	var rows []struct {
		CubeKey
		Standing string   `db:"standing"`
		Sums     cellSums `db:"sums"`
	}
	if ask.KnownAt.IsZero() {
		of := "states"
		switch {
		case taken == 0:
			of = "all"
		case taken == paying, ask.Basis != "ever" && taken == paying|member:
			of = "paying"
		}
		err = tx.Select(ctx, &rows, q.Q("Cube"), ask.Basis == "ever", orEnd(ask.AsOf), diligent, of, array(ask.By), array(ask.Sessions), ask.Paying, member|taken)
	} else {
		err = tx.Select(ctx, &rows, q.Q("CubeOfHistory"), ask.Basis == "ever", given(ask.AsOf), given(ask.KnownAt), member, diligent, taken, array(ask.By), array(ask.Sessions))
	}
	cells := make([]CubeCell, 0, len(rows))
	for _, r := range rows {
		n := r.Sums
		who := people{
			journey.Counts{Enrolled: n[0], Started: n[1], Diligent: n[2], Succeeded: n[3], Eligible: n[4], Booked: n[5], Sat: n[6], Passed: n[7], Certified: n[8]}, n[9],
		}
		if last := len(cells) - 1; last < 0 || cells[last].CubeKey != r.CubeKey {
			cells = append(cells, CubeCell{CubeKey: r.CubeKey})
		}
		c := &cells[len(cells)-1]
		c.Gross, c.Refunds, c.Disputes, c.Fees, c.Costs = c.Gross+n[10], c.Refunds+n[11], c.Disputes+n[12], c.Fees+n[13], c.Costs+n[14]
		switch r.Standing {
		case "paid":
			c.alsoPaid = &who
		case "cost":
			c.alsoCost = &who
		default:
			c.people = who
		}
	}
	return cells, err
}

// cellSums are the numbers of a cell, which come as one array: of three thousand cells so many columns take longer to read than to sum up.
type cellSums [15]int64

// Scan reads them as PostgreSQL writes an array.
func (s *cellSums) Scan(from any) error {
	text, _ := from.([]byte)
	digits, ok := bytes.CutPrefix(text, []byte("{"))
	digits, closed := bytes.CutSuffix(digits, []byte("}"))
	if !ok || !closed || bytes.Count(digits, []byte(",")) != len(s)-1 {
		return fmt.Errorf("%q is not %d numbers", text, len(s))
	}
	for i := range s {
		one, rest, _ := bytes.Cut(digits, []byte(","))
		n, err := strconv.ParseInt(string(one), 10, 64)
		if err != nil {
			return err
		}
		s[i], digits = n, rest
	}
	return nil
}

var byDimensions = Param{
	ID: "by", Title: catalog.Text{EN: "By", FR: "Par"}, Many: true, Ordered: true, Of: Dimensions, Default: "session",
}

var forWhom = Param{ID: "audience", Title: catalog.Text{EN: "For", FR: "Pour"}, Of: []string{"staff", "partner"}, Default: "staff"}

func (a Ask) forPartner() bool { return a.Params["audience"] == "partner" }

var moneyOf = Param{
	ID: "money_of", Title: catalog.Text{EN: "Money of those who were", FR: "Argent de ceux qui ont été"}, Of: []string{"all", "started", "diligent", "succeeded", "eligible", "exam_booked", "exam_sat", "exam_passed", "certified"}, Default: "all",
}

func moneyFigures() []Definition {
	return []Definition{{
		ID: "outcome_cube", Version: 3, Times: true, Money: true, Params: []Param{byDimensions, moneyOf, byBasis, byRule, forWhom}, answer: cubeTx,
		Title: catalog.Text{EN: "Learners and money", FR: "Apprenants et argent"},
		Says: catalog.Text{
			EN: "People by stage and the money of the same enrolments, along any dimensions: month of acquisition, session, offer, program, partner, country of billing; always by currency. Each enrolment is in one cell: with the offer it was bought with last, and in the currency in which it paid first. What came to a learner is divided among all who paid in that currency, what a learner cost among all who paid or cost something in it. Net is gross − refunds − lost disputes, contribution is net − fees − costs; fees are those of payment providers and the shares of partner schools. Rows without people are money of seats that nobody claimed yet, and what a provider takes of the account itself. The sum is the ledger’s, to the cent.",
			FR: "Les personnes par étape et l’argent des mêmes inscriptions, selon toutes dimensions : mois d’acquisition, session, offre, programme, partenaire, pays de facturation ; toujours par devise. Chaque inscription est dans une seule case : avec l’offre par laquelle elle a été achetée en dernier, et dans la devise dans laquelle elle a payé d’abord. Ce qui revient à un apprenant est divisé entre tous ceux qui ont payé dans cette devise, ce qu’il coûte entre tous ceux qui y ont payé ou coûté quelque chose. Le net est le brut − remboursements − litiges perdus, la contribution est le net − frais − coûts ; les frais sont ceux des prestataires de paiement et les parts des écoles partenaires. Les lignes sans personne sont l’argent de places que personne n’a encore prises, et ce qu’un prestataire prend sur le compte même. La somme est celle du grand livre, au centime.",
		},
	}, {
		ID: "waterfall", Version: 2, Times: true, Money: true, Params: []Param{{ID: "session", Title: catalog.Text{EN: "Session (none: all)", FR: "Session (aucune : toutes)"}}}, answer: waterfallTx,
		Title: catalog.Text{EN: "From gross to contribution", FR: "Du brut à la contribution"},
		Says: catalog.Text{
			EN: "Gross sales, less refunds and lost disputes: net. Net, less what payment providers kept of payments, what partner schools are due by their agreements, and costs as far as they are booked: contribution. What a provider takes of the account itself (a month, a payout) is of no session: it is a line of its own where all sessions are asked for, and in no session’s. Payouts change no result. Sales are with the tax that is due on them. By currency.",
			FR: "Ventes brutes, moins remboursements et litiges perdus : net. Net, moins ce que les prestataires ont gardé des paiements, ce qui revient aux écoles partenaires par leurs conventions, et les coûts pour autant qu’ils sont comptabilisés : contribution. Ce qu’un prestataire prend sur le compte même (un mois, un virement) n’est d’aucune session : c’est une ligne à part quand toutes les sessions sont demandées, et dans aucune session. Les virements du prestataire ne changent aucun résultat. Les ventes sont taxe comprise. Par devise.",
		},
	}, {
		ID: "partner_share", Version: 3, Times: true, Money: true, Params: []Param{byBasis}, answer: partnersTx,
		Title: catalog.Text{EN: "Share of partners", FR: "Part des partenaires"},
		Says: catalog.Text{
			EN: "For each organisation that bought or took the money at its desk, and for those who came by themselves: paying learners, the share certified of all enrolled (who was refunded is still certified), the share of the net revenue, and what is left of it when fees, the organisation’s own share by its agreement, and costs are paid, per currency.",
			FR: "Pour chaque organisation qui a acheté ou encaissé à son guichet, et pour ceux qui sont venus d’eux-mêmes : apprenants payants, la part certifiée de tous les inscrits (qui a été remboursé reste certifié), la part du revenu net, et ce qui en reste une fois payés les frais, la part de l’organisation selon sa convention, et les coûts, par devise.",
		},
	}, {
		ID: "break_even", Version: 3, Times: true, Money: true, Params: []Param{ofSession, fixedCosts, fixedCurrency}, answer: breakEvenTx,
		Title: catalog.Text{EN: "Break-even", FR: "Seuil de rentabilité"},
		Says: catalog.Text{
			EN: "How many paying learners carry the costs of a session: booked costs and the fixed costs that are given, over what a paying learner leaves (the mean net revenue less the mean fees, which come with each), rounded up.",
			FR: "Combien d’apprenants payants portent les coûts d’une session : les coûts comptabilisés et les coûts fixes donnés, sur ce que laisse un apprenant payant (le revenu net moyen moins les frais moyens, qui viennent avec chacun), arrondi vers le haut.",
		},
	}, {
		ID: "price_points", Version: 3, Times: true, Money: true, Params: []Param{ofSession}, answer: pricesTx,
		Title: catalog.Text{EN: "Price points and elasticity", FR: "Prix et élasticité"},
		Says: catalog.Text{
			EN: "What was paid for one place of the session, price by price: places sold, and the days from the first to the last sale at that price. Elasticity compares places per day between two neighbouring prices (arc elasticity, mid-point formula); with one price there is none.",
			FR: "Ce qui a été payé pour une place de la session, prix par prix : places vendues, et les jours de la première à la dernière vente à ce prix. L’élasticité compare les places par jour entre deux prix voisins (élasticité d’arc, formule du point milieu) ; avec un seul prix il n’y en a pas.",
		},
	}, {
		ID: "cohort_heat", Version: 1, Times: true, Params: []Param{{ID: "session", Title: catalog.Text{EN: "Session (none: all)", FR: "Session (aucune : toutes)"}}, byBasis, byRule}, answer: heatTx,
		Title: catalog.Text{EN: "Cohorts by month of acquisition", FR: "Cohortes par mois d’acquisition"},
		Says: catalog.Text{
			EN: "For the learners who enrolled in each month: the share that reached each stage, of those of the month.",
			FR: "Pour les apprenants inscrits chaque mois : la part qui a atteint chaque étape, de ceux du mois.",
		},
	}}
}

// cubesTx asks the cube of all sessions with the parameters of the figure.
func (f *Figure) cubesTx(ctx context.Context, tx *postgres.Tx, by ...string) ([]CubeCell, error) {
	return f.cubesOfTx(ctx, tx, nil, by)
}

func (f *Figure) cubesOfTx(ctx context.Context, tx *postgres.Tx, sessions, by []string) ([]CubeCell, error) {
	p := f.Ask.Params
	ask := CubeQuestion{By: by, Sessions: sessions, Basis: p["basis"], Week1Rule: p["week1_rule"], AsOf: f.Ask.AsOf, KnownAt: f.Ask.KnownAt}
	switch of := p["money_of"]; of {
	case "", "all":
	case "diligent":
		ask.Diligent = true
	default:
		ask.MoneyOf = []journey.Stage{journey.Stage(of)}
	}
	f.Basis = cmp.Or(p["basis"], "current")
	if _, asked := p["week1_rule"]; asked {
		f.Week1Rule = p["week1_rule"]
	}
	if f.Money {
		if err := f.demoTx(ctx, tx); err != nil {
			return nil, err
		}
	}
	return CubeTx(ctx, tx, ask)
}

// demoTx notes whether anything was sold through a sandbox by the times that are asked for.
func (f *Figure) demoTx(ctx context.Context, tx *postgres.Tx) error {
	return tx.Get(ctx, &f.Demo, q.Q("AnyDemo"), given(f.Ask.AsOf), given(f.Ask.KnownAt))
}

// openSessionsTx are the keys of the sessions whose numbers may still grow, of those of which there is anything by the time that is asked for: an
// answer of the whole house is of these.
func (f *Figure) openSessionsTx(ctx context.Context, tx *postgres.Tx) (open []string, err error) {
	sessions, err := catalog.GlimpsesTx(ctx, tx, f.Ask.KnownAt)
	if err != nil {
		return nil, err
	}
	sessions = slices.DeleteFunc(sessions, func(s catalog.Glimpse) bool { return !openAt(tx, s, f.Ask.AsOf) })
	for _, s := range sessions {
		open = append(open, s.Key)
	}
	if len(sessions) > 0 && f.Ask.KnownAt.IsZero() { // what was known of enrolments at a time is not asked again: it must not change what may still grow
		open = nil
		err = tx.Select(ctx, &open, q.Q("InUse"), array(idsOf(sessions)), given(f.Ask.AsOf))
	}
	f.Open = len(open) > 0
	return open, err
}

// ofSessionTx leaves the cells of the session that is asked for; all where none is.
func (f *Figure) ofSessionTx(ctx context.Context, tx *postgres.Tx, by ...string) ([]CubeCell, error) {
	if f.Ask.Params["session"] == "" {
		if _, err := f.openSessionsTx(ctx, tx); err != nil {
			return nil, err
		}
		return f.cubesTx(ctx, tx, by...)
	}
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return nil, err
	}
	return f.cubesOfTx(ctx, tx, []string{s.ID}, by)
}
