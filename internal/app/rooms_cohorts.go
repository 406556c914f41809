package app

import (
	"context"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// deskOf finds the desk of a school that takes a currency now.
func deskOf(ctx context.Context, tx *postgres.Tx, organisation string, c money.Currency) (sales.DeskOf, bool, error) {
	all, err := accounting.DesksTx(ctx, tx, []string{organisation}, c)
	if err != nil || len(all) == 0 {
		return sales.DeskOf{}, false, err
	}
	return sales.DeskOf{Organisation: all[0].Organisation, Holder: all[0].Holder}, true, nil
}

func cohortsBy(who api.Principal) cohorts.By { return cohorts.By{PersonID: who.PersonID} }

// PartnerCohorts lists the cohorts that the principal may see.
func (r Rooms) PartnerCohorts(ctx context.Context, who api.Principal, organisation string, p page.Request) ([]cohorts.Cohort, string, error) {
	return r.h.Cohorts.Cohorts(ctx, cohortsBy(who), organisation, p)
}

// PartnerCohort finds a cohort.
func (r Rooms) PartnerCohort(ctx context.Context, who api.Principal, id string) (cohorts.Cohort, error) {
	return r.h.Cohorts.Cohort(ctx, cohortsBy(who), id)
}

// CreatePartnerCohort makes a cohort.
func (r Rooms) CreatePartnerCohort(ctx context.Context, who api.Principal, key string, n cohorts.NewCohort) (cohorts.Cohort, error) {
	return r.h.Cohorts.Create(ctx, cohortsBy(who), key, n)
}

// PutPartnerCohort rewrites a cohort.
func (r Rooms) PutPartnerCohort(ctx context.Context, who api.Principal, id string, version int, e cohorts.Edit) (cohorts.Cohort, error) {
	return r.h.Cohorts.Put(ctx, cohortsBy(who), id, version, e)
}

// CohortMembers lists who is in a cohort.
func (r Rooms) CohortMembers(ctx context.Context, who api.Principal, id, state, search string, p page.Request) ([]cohorts.Member, string, error) {
	return r.h.Cohorts.Members(ctx, cohortsBy(who), id, state, search, p)
}

// EnrolCohort applies rows.
func (r Rooms) EnrolCohort(ctx context.Context, who api.Principal, id, key string, rows []cohorts.Row) ([]cohorts.Outcome, error) {
	d, err := r.h.Cohorts.Enrol(ctx, cohortsBy(who), id, key, cohorts.Delta, rows)
	return d.Rows, err
}

// ChangeCohort applies rows of who is in it.
func (r Rooms) ChangeCohort(ctx context.Context, who api.Principal, id string, rows []cohorts.Row) ([]cohorts.Outcome, error) {
	d, err := r.h.Cohorts.Change(ctx, cohortsBy(who), id, rows)
	return d.Rows, err
}

// TransferCohort moves students to another cohort.
func (r Rooms) TransferCohort(ctx context.Context, who api.Principal, id, to, key string, students []string) ([]cohorts.Outcome, error) {
	return r.h.Cohorts.Transfer(ctx, cohortsBy(who), id, to, key, students)
}

// InviteCohort makes links for students.
func (r Rooms) InviteCohort(ctx context.Context, who api.Principal, id, key string, students []string) ([]cohorts.Invitation, string, error) {
	all, err := r.h.Cohorts.Invite(ctx, cohortsBy(who), id, key, students)
	return all, r.h.Config.BaseURL, err
}

// TakeUpInvitation gives the principal the place of an invitation.
func (r Rooms) TakeUpInvitation(ctx context.Context, who api.Principal, token string) (cohorts.Member, error) {
	return r.h.Cohorts.TakeUp(ctx, token, who.PersonID)
}
