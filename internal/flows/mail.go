package flows

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"text/template"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/gateways/mail"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// letter is a mail about a session or a program. It is the last act of a reaction: a reaction that is repeated because the mail server
// was dark does nothing else twice, and the reference makes one mail of two.
type letter struct {
	name      string // of the text
	reference string
	person    string
	session   string       // whose title the text says,
	title     catalog.Text // unless it is here
	path      string       // on our site
	demo      bool
	formula   string
	total     money.Amount
	invoice   string
	verify    string
}

var letters = template.Must(template.ParseFS(mails.FS, "*.txt"))

// post sends a letter. Who has no address gets none.
func (h *House) post(ctx context.Context, l letter) error {
	var person identity.Person
	if err := h.DB.View(ctx, "letter", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if person, err = identity.PersonTx(ctx, tx, l.person); err != nil || person.Email == "" {
			return err
		}
		if l.session == "" {
			return nil
		}
		session, err := catalog.SessionTx(ctx, tx, l.session)
		l.title = session.Title()
		return err
	}); err != nil || person.Email == "" {
		return err
	}
	return h.send(ctx, l.name, person.Lang, person.Email, l.reference, map[string]any{
		"Name": person.FullName, "Title": l.title.In(person.Lang), "URL": h.BaseURL + l.path, "Demo": l.demo, "Formula": l.formula,
		"Paid": !l.total.IsZero(), "Total": l.total.Format(person.Lang), "Invoice": l.invoice, "Verify": l.verify,
	})
}

// signInLinkAsked sends the link of a sign-in. One that has expired meanwhile is not sent.
func (h *House) signInLinkAsked(ctx context.Context, e identity.SignInLinkAsked) error {
	l, live, err := h.Identity.LinkToSend(ctx, e.TokenID)
	if err != nil || !live {
		return err
	}
	return h.send(ctx, "sign_in", l.Lang, l.Email, e.TokenID, map[string]any{"URL": h.BaseURL + "/sign-in/" + l.Secret})
}

func (h *House) send(ctx context.Context, name, lang, to, reference string, data map[string]any) error {
	var b bytes.Buffer
	if err := letters.ExecuteTemplate(&b, name+"."+lang+".txt", data); err != nil {
		return err
	}
	subject, text, _ := strings.Cut(b.String(), "\n")
	err := h.Mail.Send(ctx, mail.Message{To: to, Subject: oneLine(subject), Text: text, MessageID: reference + "@" + h.MailDomain})
	if errors.Is(err, mail.ErrRefused) {
		return nil // refused for good: to repeat it would not help
	}
	return err
}

// oneLine keeps a title with a line break from adding a header.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
