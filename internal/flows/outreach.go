package flows

import (
	"context"
	"errors"
	"strings"

	"cursus/internal/domain/outreach"
	"cursus/internal/gateways/mail"
	"cursus/templates/mails"
)

// Letters hands mails that people may refuse to the mail server.
type Letters struct {
	Mail       mail.Sender
	BaseURL    string
	MailDomain string
	Demo       bool
}

// Set is a letter as it looks.
func (p Letters) Set(l outreach.Letter) (mails.Mail, error) {
	to := mails.Letter{Subject: l.Subject, Paragraphs: l.Paragraphs, Button: l.Button, URL: l.Path}
	if strings.HasPrefix(l.Path, "/") {
		to.URL = p.BaseURL + l.Path
	}
	if l.Unsubscribe != "" {
		to.Unsubscribe = p.BaseURL + "/unsubscribe/" + l.Unsubscribe
	}
	return mails.Set(l.Lang, to, p.Demo)
}

// Send hands over one letter.
func (p Letters) Send(ctx context.Context, l outreach.Letter) outreach.Outcome {
	set, err := p.Set(l)
	if err != nil {
		return outreach.Refused
	}
	m := mail.Message{To: l.To, Subject: set.Subject, Text: set.Text, HTML: set.HTML, MessageID: l.ID + "@" + p.MailDomain}
	if l.Unsubscribe != "" {
		m.Unsubscribe = p.BaseURL + "/unsubscribe/" + l.Unsubscribe
	}
	return outcomeOf(p.Mail.Send(ctx, m))
}

// outcomeOf says what became of a mail.
func outcomeOf(err error) outreach.Outcome {
	switch {
	case err == nil:
		return outreach.Delivered
	case errors.Is(err, mail.ErrNoMailbox):
		return outreach.Dead
	case errors.Is(err, mail.ErrUncertain):
		return outreach.Unknown
	case errors.Is(err, mail.ErrRefused), errors.Is(err, mail.ErrMessage):
		return outreach.Refused
	}
	return outreach.Later
}

// outreachDue sends what waits of campaigns.
func (h *House) outreachDue(ctx context.Context, _ outreach.Due) error { return h.Outreach.Serve(ctx) }

// campaignTested sends a campaign to who asked to see it. It is tried again as other mails are: to get a test twice harms nobody.
func (h *House) campaignTested(ctx context.Context, e outreach.TestAsked) error {
	all, err := h.Outreach.Test(ctx, e)
	if err != nil {
		return err
	}
	for _, l := range all {
		if o := h.Letters.Send(ctx, l); o == outreach.Later || o == outreach.Unknown {
			return mail.ErrLater
		}
	}
	return nil
}
