package flows

import (
	"cmp"
	"context"

	"cursus/internal/domain/cohorts"
	"cursus/templates/mails"
)

// cohortStirred enrols the members of a cohort that are to be enrolled, and lets those go who left.
func (h *House) cohortStirred(ctx context.Context, e cohorts.Stirred) error {
	return h.Cohorts.Follow(ctx, e.CohortID)
}

// cohortInvited writes to somebody whom her school enrolled and who has no account yet.
func (h *House) cohortInvited(ctx context.Context, e cohorts.Invited) error {
	l, live, err := h.Cohorts.Letter(ctx, e.InvitationID)
	if err != nil || !live {
		return err
	}
	lang := cmp.Or(l.Member.Lang, "en")
	return h.send(ctx, "cohort_invitation", lang, l.Member.Email, e.InvitationID, mails.Facts{
		Name: cmp.Or(l.Member.Name(), l.Member.Email), Title: l.Cohort.Title(lang), URL: h.BaseURL + "/invitations/" + l.Token, Formula: l.Cohort.Formula, Reason: l.School, Until: l.Until,
	})
}
