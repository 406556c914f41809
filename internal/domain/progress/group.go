package progress

import (
	"context"
	"errors"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Group is whom a partner follows: one of its cohorts, or the people on the seats of one of its orders. Its id is that of the cohort or of the
// order.
type Group struct {
	ID           string
	Organisation string // key
	School       string // what the organisation is called
	Key          string // the organisation's own; of an order: its id
	Name         string // empty: an order has none
	Title        catalog.Text
	things       []string // sessions and editions
}

// Seats says whether it is the seats of an order.
func (g Group) Seats() bool { return strings.HasPrefix(g.ID, "ord_") }

// openTx finds a group for somebody who may follow it. Who has nothing to do with its organisation is not told that it is there. staff says
// that she is of the institute. Errors: cohorts.ErrNoCohort, sales.ErrNoOrder, identity.ErrNoPartnerRole.
func openTx(ctx context.Context, tx *postgres.Tx, personID, groupID string) (g Group, staff bool, err error) {
	if g, err = groupTx(ctx, tx, groupID); err != nil {
		return g, false, err
	}
	if err := identity.MustHoldTx(ctx, tx, g.Organisation, personID, "cohorts:read"); err != nil {
		if errors.Is(err, identity.ErrNoOrganisation) {
			err = noGroup(groupID)
		}
		return g, false, err
	}
	staff, err = identity.MayTx(ctx, tx, personID, "cohorts:read")
	return g, staff, err
}

func noGroup(id string) *fault.Fault {
	if strings.HasPrefix(id, "ord_") {
		return sales.ErrNoOrder
	}
	return cohorts.ErrNoCohort
}

func groupTx(ctx context.Context, tx *postgres.Tx, id string) (g Group, err error) {
	if strings.HasPrefix(id, "ord_") {
		if g, err = seatsTx(ctx, tx, id); err != nil {
			return g, err
		}
	} else {
		c, err := cohorts.CohortTx(ctx, tx, id)
		if err != nil {
			return g, err
		}
		g = Group{ID: c.ID, Organisation: c.Organisation, Key: c.Key, Name: c.Name, Title: catalog.Text{EN: c.TitleEN, FR: c.TitleFR}, things: []string{c.ThingID}}
	}
	school, err := identity.OrganisationTx(ctx, tx, g.Organisation)
	g.School = school.Name
	return g, err
}
