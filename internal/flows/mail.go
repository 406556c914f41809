package flows

import (
	"context"
	"errors"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/gateways/mail"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// letter is a mail about a session or a program. It is the last act of a reaction: a reaction that is repeated because the mail server
// was dark does nothing else twice, and the reference makes one mail of two.
type letter struct {
	name      string // of the text
	reference string
	person    string          // who gets it,
	to        identity.Person // unless the reaction has read her
	session   string          // whose title the text says,
	title     catalog.Text    // unless it is here
	path      string          // on our site
	facts     mails.Facts     // what else it says; person, title and address are filled in
}

// post sends a letter. Who has no address gets none.
func (h *House) post(ctx context.Context, l letter) error {
	if l.to.ID == "" {
		if err := h.DB.View(ctx, "letter", func(ctx context.Context, tx *postgres.Tx) (err error) {
			if l.to, err = identity.PersonTx(ctx, tx, l.person); err != nil || l.session == "" {
				return err
			}
			session, err := catalog.SessionTx(ctx, tx, l.session)
			l.title = session.Title()
			return err
		}); err != nil {
			return err
		}
	}
	if l.to.Email == "" {
		return nil
	}
	l.facts.Name, l.facts.Title, l.facts.URL = l.to.FullName, l.title.In(l.to.Lang), h.BaseURL+l.path
	return h.send(ctx, l.name, l.to.Lang, l.to.Email, l.reference, l.facts)
}

// signInLinkAsked sends the link of a sign-in. One that has expired meanwhile is not sent.
func (h *House) signInLinkAsked(ctx context.Context, e identity.SignInLinkAsked) error {
	l, live, err := h.Identity.LinkToSend(ctx, e.TokenID)
	if err != nil || !live {
		return err
	}
	return h.send(ctx, "sign_in", l.Lang, l.Email, e.TokenID, mails.Facts{URL: h.BaseURL + "/sign-in/" + l.Secret})
}

func (h *House) send(ctx context.Context, name, lang, to, reference string, f mails.Facts) error {
	written, err := mails.Write(name, lang, f)
	if err != nil {
		return err
	}
	err = h.Mail.Send(ctx, mail.Message{To: to, Subject: written.Subject, Text: written.Text, HTML: written.HTML, MessageID: reference + "@" + h.MailDomain})
	if errors.Is(err, mail.ErrRefused) {
		return nil // refused for good: to repeat it would not help
	}
	return err
}
