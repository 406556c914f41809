package api

import (
	"context"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
)

// CohortRooms is what the API asks of the house about the groups of partner schools, in the room's own types. Who has nothing to do with an
// organisation is NotFound.
type CohortRooms interface {
	PartnerCohorts(ctx context.Context, who Principal, organisation string, p page.Request) (all []cohorts.Cohort, next string, err error)
	PartnerCohort(ctx context.Context, who Principal, id string) (cohorts.Cohort, error)
	// CreatePartnerCohort makes a cohort, once per key.
	CreatePartnerCohort(ctx context.Context, who Principal, key string, n cohorts.NewCohort) (cohorts.Cohort, error)
	PutPartnerCohort(ctx context.Context, who Principal, id string, version int, e cohorts.Edit) (cohorts.Cohort, error)
	CohortMembers(ctx context.Context, who Principal, id, state, search string, p page.Request) (all []cohorts.Member, next string, err error)
	// EnrolCohort applies rows, once per key.
	EnrolCohort(ctx context.Context, who Principal, id, key string, rows []cohorts.Row) ([]cohorts.Outcome, error)
	ChangeCohort(ctx context.Context, who Principal, id string, rows []cohorts.Row) ([]cohorts.Outcome, error)
	// TransferCohort moves students, once per key.
	TransferCohort(ctx context.Context, who Principal, id, to, key string, students []string) ([]cohorts.Outcome, error)
	// InviteCohort makes links, once per key. Base is what an address of a page of ours begins with.
	InviteCohort(ctx context.Context, who Principal, id, key string, students []string) (all []cohorts.Invitation, base string, err error)
	// CohortMonths are the orders of one that is invoiced monthly.
	CohortMonths(ctx context.Context, who Principal, id string) ([]sales.Month, error)
	TakeUpInvitation(ctx context.Context, who Principal, token string) (cohorts.Member, error)
}
