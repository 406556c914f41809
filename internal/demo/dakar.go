package demo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/privacy"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// The ESP enrols its 75 learners as a cohort; each pays at its desk. The share that the school keeps is not in the paper, nor is who of them lets
// it see how far she is: those numbers are made up.
const (
	SchoolEmail  = "registrar@esp.example" // enrols for the ESP, takes the money at its desk, and follows the cohort
	espCohort    = "NB-2019"
	espSharePPM  = 200_000
	espAgreeing  = 63 // the first ranks
	espAgreement = "esp-desk"
)

// desk is how the ESP's cohort is being made.
type desk struct {
	registrar identity.Person
	cohort    cohorts.Cohort
	orders    map[string]string // by student key
}

func studentKey(i int) string { return fmt.Sprintf("ESP-%03d", i+1) }

// enrolDakar makes the cohort, and lets those who agree to it be followed by name.
func (m *maker) enrolDakar(ctx context.Context) error {
	from := m.clock.Now()
	if err := m.h.DB.InTx(ctx, "demo school", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if m.dakar.registrar, err = identity.PutPersonTx(ctx, tx, SchoolEmail, "Aminata Sarr", "fr"); err != nil {
			return err
		}
		for _, role := range []string{identity.RoleOwner, identity.RoleRegistrar, identity.RoleCashier} {
			if err := identity.PutPartnerRoleTx(ctx, tx, espOrganiser, m.dakar.registrar.ID, role); err != nil {
				return err
			}
		}
		_, err = accounting.PutAgreementTx(ctx, tx, accounting.Agreement{Key: espAgreement, Organisation: espOrganiser, Collects: "partner", Currency: "XOF", SharePPM: espSharePPM, ValidFrom: from}, 0)
		return err
	}); err != nil {
		return err
	}
	by := cohorts.By{PersonID: m.dakar.registrar.ID}
	seats := espLearners
	c, err := m.h.Cohorts.Create(ctx, by, espCohort, cohorts.NewCohort{
		Organisation: espOrganiser, Key: espCohort, Name: "Les bases des réseaux 2019", OfferID: m.offers[espEdition][1].ID, Agreement: cohorts.PayAtSchool, Seats: &seats,
	})
	if err != nil {
		return err
	}
	m.dakar.cohort = c
	var rows []cohorts.Row
	for i, p := range m.buyers[espEdition] {
		rows = append(rows, cohorts.Row{StudentKey: studentKey(i), Email: p.Email, Lang: "fr"})
	}
	if _, err := m.h.Cohorts.Enrol(ctx, by, c.ID, espCohort+" rows", cohorts.Delta, rows); err != nil {
		return err
	}
	if err := m.settle(ctx); err != nil {
		return err
	}
	all, _, err := m.h.Cohorts.Members(ctx, by, c.ID, "", "", page.Request{Limit: espLearners})
	if err != nil {
		return err
	}
	m.dakar.orders = map[string]string{}
	for _, x := range all {
		m.dakar.orders[x.StudentKey] = x.OrderID
	}
	if err := m.h.DB.InTx(ctx, "demo consents", func(ctx context.Context, tx *postgres.Tx) error {
		for _, p := range m.buyers[espEdition][:espAgreeing] {
			if err := privacy.SayTx(ctx, tx, p.ID, privacy.School, true); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return m.h.Progress.Read(ctx, m.dakar.registrar.ID, c.ID, true)
}

// payAtDesk has one of them pay at the school.
func (m *maker) payAtDesk(ctx context.Context, i int) error {
	order := m.dakar.orders[studentKey(i)]
	if order == "" {
		return fmt.Errorf("%s has no order", studentKey(i))
	}
	if _, err := m.h.ReceiveAtDesk(ctx, m.dakar.registrar.ID, espOrganiser, sales.Receive{
		OrderID: order, Amount: money.Of(seatXOF, "XOF"), Reference: "QUIT-2018-" + strconv.Itoa(1001+i), Payer: m.buyers[espEdition][i].FullName, ReceivedAt: m.clock.Now(), IdempotencyKey: "desk " + studentKey(i),
	}); err != nil {
		return err
	}
	return m.until(ctx, func() (bool, error) {
		now, err := m.h.Sales.Order(ctx, order)
		return now.State == sales.Paid, err
	})
}

// espJoins is when the cohort is made; its learners pay in the weeks after.
var espJoins = time.Date(2018, 12, 9, 10, 0, 0, 0, time.UTC)
