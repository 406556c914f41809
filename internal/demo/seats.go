package demo

import (
	"context"
	"fmt"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
)

// A company that buys seats for its people. It is not in the paper: its session is its own, so that no figure of the paper counts it.
const (
	ManagerEmail = "manager@atlantique-telecom.example" // orders for the company and gives its seats out
	companyKey   = "ATLANTIQUE"
	companyName  = "Atlantique Télécom"
	companySeats = 6
	seatsKey     = "LAN-ATLANTIQUE"
	seatPrice    = 240
)

// companyPeople have a seat; the next was invited and has not signed in yet, and the others are free.
var companyPeople = []struct{ email, name string }{
	{"fatou.ba@atlantique-telecom.example", "Fatou Ba"}, {"yann.legoff@atlantique-telecom.example", "Yann Le Goff"}, {"ines.moreau@atlantique-telecom.example", "Inès Moreau"},
}

// sellSeats lets the company buy seats in a session of its own, and its manager give some of them out, by a link and from a list.
func (m *maker) sellSeats(ctx context.Context) error {
	starts, from := m.now.AddDate(0, 0, 20), m.now.AddDate(0, 0, -10)
	ends := starts.AddDate(0, 2, 0)
	var boss identity.Person
	var offer offers.Offer
	staff := make([]identity.Person, len(companyPeople))
	if err := m.h.DB.InTx(ctx, "demo company", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err := identity.PutOrganisationTx(ctx, tx, companyKey, companyName); err != nil {
			return err
		}
		if boss, err = identity.PutPersonTx(ctx, tx, ManagerEmail, "Maël Diop", "fr"); err != nil {
			return err
		}
		if err := identity.PutManagerTx(ctx, tx, companyKey, boss.ID); err != nil {
			return err
		}
		for i, p := range companyPeople {
			if staff[i], err = identity.PutPersonTx(ctx, tx, p.email, p.name, "fr"); err != nil {
				return err
			}
		}
		title := titleOf("LAN", 0)
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: seatsKey, CourseKey: "LAN", Title: catalog.Text{EN: title.EN + ", for " + companyName, FR: title.FR + ", pour " + companyName}, Kind: catalog.Spoc,
			Platform: "fun-campus", PlatformKey: "course-v1:MinesTelecom+LAN+ATLANTIQUE", CourseURL: "https://www.fun-campus.fr/", Audience: companyName, Language: "fr",
			ThresholdPPM: 500_000, StartsAt: &starts, EndsAt: &ends, EnrolFrom: &from, EnrolUntil: &starts,
		})
		if err != nil {
			return fmt.Errorf("%s: %w", seatsKey, err)
		}
		offer, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Qualifying, Price: m.euros(seatPrice), Audience: companyKey})
		return err
	}); err != nil {
		return err
	}
	o, err := m.h.Sales.PlaceOrder(ctx, sales.PlaceOrder{
		BuyerID: boss.ID, Organisation: companyKey, Items: []sales.Item{{OfferID: offer.ID, Quantity: companySeats}}, Lang: "fr", IdempotencyKey: seatsKey,
	})
	if err != nil {
		return err
	}
	if err := m.pay(ctx, o); err != nil {
		return err
	}
	if err := m.until(ctx, func() (bool, error) {
		now, err := m.h.Sales.Order(ctx, o.ID)
		return now.State == sales.Paid, err
	}); err != nil {
		return err
	}
	by := sales.By{PersonID: boss.ID}
	link, err := m.h.Sales.MakeClaimLink(ctx, sales.NewClaimLink{OrderID: o.ID, Line: 1, MaxUses: companySeats, ExpiresAt: starts, By: by, IdempotencyKey: seatsKey + " link"})
	if err != nil {
		return err
	}
	for _, p := range staff {
		if _, err := m.h.Sales.ClaimSeat(ctx, link.Token, p.ID); err != nil {
			return err
		}
	}
	people, err := sales.ReadRoster([]byte("noe.kerjean@atlantique-telecom.example"))
	if err == nil {
		_, err = m.h.Sales.ApplyRoster(ctx, sales.Roster{OrderID: o.ID, Line: 1, People: people, By: by})
	}
	if err != nil {
		return err
	}
	return m.settle(ctx)
}
