package app

import (
	"context"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

func cohortsOf(who web.Viewer) cohorts.By { return cohorts.By{PersonID: who.PersonID} }

// enrols are the organisations for which the viewer may enrol.
func (p Pages) enrols(ctx context.Context, who web.Viewer) ([]identity.Managed, error) {
	return view(postgres.WithActor(ctx, "system"), p.h, "who enrols", func(ctx context.Context, tx *postgres.Tx) ([]identity.Managed, error) {
		return identity.HeldTx(ctx, tx, who.PersonID, "cohorts:write")
	})
}

// Cohorts lists the cohorts that the viewer may see.
func (p Pages) Cohorts(ctx context.Context, who web.Viewer, r page.Request) (all []cohorts.Cohort, makes []identity.Managed, next string, err error) {
	if all, next, err = p.h.Cohorts.Cohorts(ctx, cohortsOf(who), "", r); err != nil {
		return nil, nil, "", err
	}
	makes, err = p.enrols(ctx, who)
	return all, makes, next, err
}

// CohortOffers is what an organisation may be enrolled for.
func (p Pages) CohortOffers(ctx context.Context, _ web.Viewer, organisation string) ([]sales.SeatOffer, error) {
	return p.h.Sales.SeatOffers(ctx, organisation)
}

// MakeCohort makes a cohort.
func (p Pages) MakeCohort(ctx context.Context, who web.Viewer, key string, n cohorts.NewCohort) (cohorts.Cohort, error) {
	return p.h.Cohorts.Create(ctx, cohortsOf(who), key, n)
}

// Cohort shows a cohort.
func (p Pages) Cohort(ctx context.Context, who web.Viewer, id, state, search string, r page.Request) (out web.CohortShown, err error) {
	if out.Cohort, err = p.h.Cohorts.Cohort(ctx, cohortsOf(who), id); err != nil {
		return out, err
	}
	if out.Members, out.Next, err = p.h.Cohorts.Members(ctx, cohortsOf(who), id, state, search, r); err != nil {
		return out, err
	}
	if out.Months, err = p.h.Cohorts.Months(ctx, cohortsOf(who), id); err != nil {
		return out, err
	}
	makes, err := p.enrols(ctx, who)
	if err != nil {
		return out, err
	}
	for _, m := range makes {
		out.Writes = out.Writes || m.Key == out.Cohort.Organisation
	}
	if !out.Writes {
		return out, nil
	}
	out.Links = map[string]string{}
	for _, m := range out.Members {
		if token := p.h.Cohorts.LinkOf(m); token != "" {
			out.Links[m.ID] = token
		}
	}
	others, _, err := p.h.Cohorts.Cohorts(ctx, cohortsOf(who), out.Cohort.Organisation, page.Request{Limit: page.MaxLimit})
	for _, c := range others {
		if c.ID != id && c.ClosedAt == nil {
			out.Others = append(out.Others, c)
		}
	}
	return out, err
}

// PutCohort rewrites a cohort.
func (p Pages) PutCohort(ctx context.Context, who web.Viewer, id string, version int, e cohorts.Edit) error {
	_, err := p.h.Cohorts.Put(ctx, cohortsOf(who), id, version, e)
	return err
}

// first is what became of the only row.
func first(all []cohorts.Outcome, err error) (cohorts.Outcome, error) {
	if err != nil || len(all) == 0 {
		return cohorts.Outcome{}, err
	}
	return all[0], nil
}

// EnrolInCohort enrols one learner.
func (p Pages) EnrolInCohort(ctx context.Context, who web.Viewer, id, key string, row cohorts.Row) (cohorts.Outcome, error) {
	d, err := p.h.Cohorts.Enrol(ctx, cohortsOf(who), id, key, cohorts.Delta, []cohorts.Row{row})
	return first(d.Rows, err)
}

// ChangeInCohort changes one learner.
func (p Pages) ChangeInCohort(ctx context.Context, who web.Viewer, id string, row cohorts.Row) (cohorts.Outcome, error) {
	d, err := p.h.Cohorts.Change(ctx, cohortsOf(who), id, []cohorts.Row{row})
	return first(d.Rows, err)
}

// TransferInCohort moves one learner to another cohort.
func (p Pages) TransferInCohort(ctx context.Context, who web.Viewer, id, to, key, student string) (cohorts.Outcome, error) {
	all, err := p.h.Cohorts.Transfer(ctx, cohortsOf(who), id, to, key, []string{student})
	return first(all, err)
}

// InviteToCohort makes a link for one learner.
func (p Pages) InviteToCohort(ctx context.Context, who web.Viewer, id, key, student string) (cohorts.Invitation, error) {
	all, err := p.h.Cohorts.Invite(ctx, cohortsOf(who), id, key, []string{student})
	if err != nil || len(all) == 0 {
		return cohorts.Invitation{}, err
	}
	return all[0], nil
}

// SeeInvitation says what an invitation is to.
func (p Pages) SeeInvitation(ctx context.Context, _ web.Viewer, token string) (cohorts.Letter, error) {
	return p.h.Cohorts.SeeInvitation(ctx, token)
}

// TakeUpInvitation gives the viewer the place of an invitation.
func (p Pages) TakeUpInvitation(ctx context.Context, who web.Viewer, token string) (cohorts.Member, error) {
	return p.h.Cohorts.TakeUp(ctx, token, who.PersonID)
}

// SeeReminders says what reminders a link ends.
func (p Pages) SeeReminders(ctx context.Context, stop string) (cohorts.Letter, bool, error) {
	return p.h.Cohorts.SeeReminders(ctx, stop)
}

// StopReminders ends the reminders of an invitation.
func (p Pages) StopReminders(ctx context.Context, stop string) (cohorts.Letter, error) {
	return p.h.Cohorts.StopReminders(ctx, stop)
}
