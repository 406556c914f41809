package flows

import (
	"cmp"
	"context"
	"fmt"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/outreach"
	"cursus/internal/gateways/mail"
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
	became, err := h.invite(ctx, "cohort_invitation", l, e.InvitationID)
	if err != nil {
		return err // to get an invitation twice harms nobody, and its Message-ID is the same
	}
	return h.Cohorts.NoteInvited(ctx, e.InvitationID, became)
}

// cohortReminded recalls an invitation that was not taken up, once for each step whatever dies: where it is not known whether the mail left, it
// is not sent again.
func (h *House) cohortReminded(ctx context.Context, e cohorts.Reminded) error {
	l, live, err := h.Cohorts.Recall(ctx, e)
	if err != nil || !live {
		return err
	}
	became, sent := h.invite(ctx, "cohort_reminder", l, fmt.Sprintf("%s.r%d", e.InvitationID, e.Step))
	if err := h.Cohorts.NoteReminder(ctx, e, became); err != nil || became != cohorts.MailLater {
		return err
	}
	return sent
}

// invite sends a mail of an invitation, and says what became of it; the error is that of a mail that can be sent again.
func (h *House) invite(ctx context.Context, name string, l cohorts.Letter, reference string) (cohorts.Sent, error) {
	lang := cmp.Or(l.Member.Lang, "en")
	f := mails.Facts{
		Name: cmp.Or(l.Member.Name(), l.Member.Email), Title: l.Cohort.Title(lang), URL: h.BaseURL + "/invitations/" + l.Token, Formula: l.Cohort.Formula, Reason: l.School, Until: l.Until,
	}
	m := mail.Message{To: l.Member.Email, MessageID: reference + "@" + h.MailDomain}
	if l.Stop != "" {
		f.Stop = h.BaseURL + "/reminders/" + l.Stop
		m.Unsubscribe = f.Stop
	}
	written, err := mails.Write(name, lang, f)
	if err != nil {
		return cohorts.MailLater, err
	}
	m.Subject, m.Text, m.HTML = written.Subject, written.Text, written.HTML
	err = h.Mail.Send(ctx, m)
	switch outcomeOf(err) {
	case outreach.Delivered:
		return cohorts.MailTaken, nil
	case outreach.Unknown:
		return cohorts.MailUncertain, err
	case outreach.Dead, outreach.Refused:
		return cohorts.MailRefused, nil
	}
	return cohorts.MailLater, err
}
