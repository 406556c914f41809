package flows

import (
	"context"
	"strings"

	"cursus/internal/domain/progress"
	"cursus/internal/gateways/mail"
	"cursus/internal/kernel/clock"
	"cursus/templates/mails"
)

// digestDue mails the digest of a week to one reader.
func (h *House) digestDue(ctx context.Context, e progress.DigestDue) error {
	return h.Progress.Mail(ctx, e.DigestID)
}

// named is how many names a mail says; the paper has all of them.
const named = 20

// SendDigest hands over one digest.
func (p Letters) SendDigest(ctx context.Context, l progress.Letter) progress.Outcome {
	d, base := l.Digest, p.BaseURL+"/cohorts/"
	if d.Group.Seats() {
		base = p.BaseURL + "/orders/"
	}
	f := mails.Facts{
		Name: l.Name, Title: d.Name(l.Lang), URL: base + d.Group.ID + "/progress", Count: d.Shared, Of: d.Members, Demo: p.Demo, Unsubscribe: p.BaseURL + "/digest/" + l.Unsubscribe,
		Reference: clock.Day(d.Week.From(), l.Lang) + " – " + clock.Day(d.Week.Until().Add(-1), l.Lang),
	}
	for _, s := range d.Sessions {
		f.Parts = append(f.Parts, mails.Part{Title: s.Title.In(l.Lang), Started: some(s.Started), Behind: some(s.FellBehind), Certified: some(s.Certified)})
	}
	set, err := mails.Write("cohort_digest", l.Lang, f)
	if err != nil {
		return progress.Refused
	}
	return progress.Outcome(outcomeOf(p.Mail.Send(ctx, mail.Message{
		To: l.To, Subject: set.Subject, Text: set.Text, HTML: set.HTML, MessageID: l.ID + "@" + p.MailDomain, Unsubscribe: f.Unsubscribe,
		Attached: []mail.Attachment{{Name: "progress-" + d.Week.String() + ".pdf", ContentType: "application/pdf", Content: l.PDF}},
	})))
}

// some are the first names of a list, and that there are more.
func some(names []string) string {
	if len(names) > named {
		return strings.Join(names[:named], ", ") + " …"
	}
	return strings.Join(names, ", ")
}
