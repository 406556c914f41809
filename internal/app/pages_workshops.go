package app

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// workshopOf shows the days of a session that were not canceled, with the seats of who looks.
func (p Pages) workshopOf(ctx context.Context, who web.Viewer, session string) (out web.Workshop, err error) {
	var s catalog.Session
	mine := map[string]bool{}
	if err := p.h.DB.View(hers(ctx, who, "learning:read"), "workshop of viewer", func(ctx context.Context, tx *postgres.Tx) error {
		if s, err = catalog.SessionTx(ctx, tx, session); err != nil || !who.Known() {
			return err
		}
		e, enrolled, err := enrolment.FindTx(ctx, tx, who.PersonID, s.ID)
		if err != nil || !enrolled || !e.Has(offers.Workshop) {
			return err
		}
		out.EnrolmentID = e.ID
		seats, err := workshops.SeatsOfTx(ctx, tx, e.ID)
		for _, day := range seats[e.ID] {
			mine[day] = true
		}
		return err
	}); err != nil {
		return out, err
	}
	days, err := p.h.daysOf(ctx, s.ID)
	now := p.h.DB.Now()
	for _, d := range days {
		if d.State == workshops.Canceled {
			continue
		}
		at := d.Location()
		out.Days = append(out.Days, web.WorkshopDay{
			ID: d.ID, Title: text(d.Title()), Place: d.Place, Zone: d.Zone, StartsAt: d.StartsAt.In(at), EndsAt: d.EndsAt.In(at),
			Left: max(d.Capacity-d.Registered, 0), Mine: mine[d.ID], Closed: d.State != workshops.Planned || !now.Before(d.StartsAt),
		})
	}
	return out, err
}

// TakeSeat gives a learner a seat, once per key.
func (p Pages) TakeSeat(ctx context.Context, who web.Viewer, enrolmentID, day, key string) error {
	ctx = hers(ctx, who, "exams:book")
	_, err := p.h.takeSeat(ctx, postgres.Actor(ctx), who.PersonID, key, enrolmentID, day)
	return err
}

// LeaveSeat gives it back.
func (p Pages) LeaveSeat(ctx context.Context, who web.Viewer, enrolmentID, day string) error {
	_, err := p.h.leaveSeat(hers(ctx, who, "exams:book"), who.PersonID, enrolmentID, day)
	return err
}
