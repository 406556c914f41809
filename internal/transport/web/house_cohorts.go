package web

import (
	"context"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	paging "cursus/internal/kernel/page"
)

// CohortHouse is what the pages ask of the rooms about the groups of partner schools. What the viewer has nothing to do with is NotFound; what her
// role there does not allow is Forbidden.
type CohortHouse interface {
	// Cohorts are those that the viewer may see, the newest first, and the organisations for which she may make one.
	Cohorts(ctx context.Context, who Viewer, p paging.Request) (all []cohorts.Cohort, makes []identity.Managed, next string, err error)
	// CohortOffers is what an organisation may be enrolled for.
	CohortOffers(ctx context.Context, who Viewer, organisation string) ([]sales.SeatOffer, error)
	MakeCohort(ctx context.Context, who Viewer, key string, n cohorts.NewCohort) (cohorts.Cohort, error)
	// Cohort shows a cohort with a page of its members. Writes says whether the viewer may enrol; Others are where she may transfer to.
	Cohort(ctx context.Context, who Viewer, id, state, search string, p paging.Request) (CohortShown, error)
	PutCohort(ctx context.Context, who Viewer, id string, version int, e cohorts.Edit) error
	EnrolInCohort(ctx context.Context, who Viewer, id, key string, row cohorts.Row) (cohorts.Outcome, error)
	ChangeInCohort(ctx context.Context, who Viewer, id string, row cohorts.Row) (cohorts.Outcome, error)
	TransferInCohort(ctx context.Context, who Viewer, id, to, key, student string) (cohorts.Outcome, error)
	InviteToCohort(ctx context.Context, who Viewer, id, key, student string) (cohorts.Invitation, error)
	// SeeInvitation says what an invitation is to; it may be asked by anybody who signed in.
	SeeInvitation(ctx context.Context, who Viewer, token string) (cohorts.Letter, error)
	// SeeReminders and StopReminders say what reminders a link ends, and end them; anybody may who has it.
	SeeReminders(ctx context.Context, stop string) (l cohorts.Letter, ended bool, err error)
	StopReminders(ctx context.Context, stop string) (cohorts.Letter, error)
	TakeUpInvitation(ctx context.Context, who Viewer, token string) (cohorts.Member, error)
}

// CohortShown is a cohort as who follows it sees it.
type CohortShown struct {
	Cohort  cohorts.Cohort
	Members []cohorts.Member
	Next    string // the key after which the members go on
	Months  []sales.Month
	Links   map[string]string // tokens of invitations that wait, by the id of the member; for who may enrol
	Writes  bool
	Others  []cohorts.Cohort
}
