package cohorts

import (
	"context"
	"fmt"
	"slices"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// prepare finds who is to pay at the school, and gives what places her order.
func (s *Service) prepare(ctx context.Context, tx *postgres.Tx, c Cohort, m *Member) (next func(ctx context.Context) error, err error) {
	if m.PersonID == "" {
		if m.Email == "" {
			m.WaitsFor = ForAccount
			return nil, nil
		}
		p, err := identity.PutPersonTx(ctx, tx, m.Email, m.Name(), m.Lang)
		if err != nil {
			return nil, err
		}
		m.PersonID = p.ID
	}
	if err := known(ctx, tx, c, *m); err != nil {
		return nil, err
	}
	offer, err := offers.OfferTx(ctx, tx, c.OfferID)
	if err != nil {
		return nil, err
	}
	desk, found, err := s.desks(ctx, tx, c.Organisation, offer.Price.Currency)
	if err == nil && !found {
		err = sales.ErrNoWay
	}
	if err != nil {
		return nil, err
	}
	until, err := sales.JoinUntilTx(ctx, tx, c.OfferID)
	if err != nil {
		return nil, err
	}
	if until == nil {
		far := m.AddedAt.Add(openHold)
		until = &far
	}
	order := sales.PlaceOrder{
		BuyerID: m.PersonID, PlacedBy: m.AddedBy, OfferID: c.OfferID, Lang: m.Lang, Currency: offer.Price.Currency, Way: sales.Desk, Desk: desk, HoldUntil: until,
		IdempotencyKey: fmt.Sprintf("%s-%d", m.ID, m.Tries),
	}
	if offer.Price.IsZero() {
		order.Way, order.Desk, order.HoldUntil = "", sales.DeskOf{}, nil
	}
	id := m.ID
	return func(ctx context.Context) error { return s.place(ctx, id, order) }, nil
}

// onAccount enrols a member with a place that her school pays with the others of the month.
func (s *Service) onAccount(ctx context.Context, tx *postgres.Tx, c Cohort, m *Member) error {
	if err := known(ctx, tx, c, *m); err != nil {
		return err
	}
	contact, lang, err := contactOf(ctx, tx, c, m.AddedBy)
	if err != nil {
		return err
	}
	x, err := s.sales.TakeOnAccountTx(ctx, tx, sales.OnAccount{
		Account: c.ID, Organisation: c.Organisation, ContactID: contact, OfferID: c.OfferID, PersonID: m.PersonID, Lang: lang, Price: money.Of(*c.PriceMinor, c.Currency), DueDays: *c.DueDays,
	})
	if err != nil {
		return err
	}
	now := tx.Now()
	m.OrderID, m.SeatID, m.EnrolledAt, m.WaitsFor = x.OrderID, x.ID, &now, ""
	return s.move(ctx, tx, m, Enrolled, x.ID)
}

// contactOf is who is written to about what a school owes: one of its owners, or else who brought the learners.
func contactOf(ctx context.Context, tx *postgres.Tx, c Cohort, addedBy string) (personID, lang string, err error) {
	roles, err := identity.PartnerRolesTx(ctx, tx, c.Organisation)
	if err != nil {
		return "", "", err
	}
	personID = addedBy
	if i := slices.IndexFunc(roles, func(r identity.PartnerRole) bool { return r.Role == identity.RoleOwner }); i >= 0 {
		personID = roles[i].PersonID
	}
	p, err := identity.PersonTx(ctx, tx, personID)
	return personID, p.Lang, err
}

// place orders for a member, and notes her order. The key is that of her try: what a crash interrupted gives the same order again.
func (s *Service) place(ctx context.Context, memberID string, c sales.PlaceOrder) error {
	o, err := s.sales.PlaceOrder(ctx, c)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, "member ordered", func(ctx context.Context, tx *postgres.Tx) error {
		m, cohort, err := hold(ctx, tx, memberID)
		if err != nil || m.OrderID != "" {
			return err
		}
		m.OrderID, m.Tries, m.WaitsFor, m.Due = o.ID, m.Tries+1, ForPayment, m.State != Waiting && m.State != Suspended
		if err := s.compare(ctx, tx, cohort, &m); err != nil {
			return err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "cohort.ordered", Object: m.ID, Detail: map[string]any{"cohort": m.CohortID, "order": o.ID, "by": m.AddedBy}}); err != nil {
			return err
		}
		if m.Due {
			if err := s.jobs.EnqueueTx(ctx, tx, Stirred{m.CohortID}); err != nil {
				return err
			}
		}
		return store(ctx, tx, m)
	})
}

// cancel cancels the unpaid order of who left. One that is being paid meanwhile is refused, and tried again: once it is paid it stays, and its
// money is a matter of refunds.
func (s *Service) cancel(ctx context.Context, memberID, orderID string) error {
	if _, err := s.sales.CancelOrder(ctx, orderID); err != nil {
		return err
	}
	return s.settle(ctx, memberID)
}
