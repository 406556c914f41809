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

// mailDue is a letter to be sent; the text is made when it leaves.
type mailDue struct {
	Letter    string       `json:"letter"`
	Reference string       `json:"reference"` // makes the id of the mail: sent twice, it is one mail
	PersonID  string       `json:"person_id"`
	Session   string       `json:"session"`
	Path      string       `json:"path"`
	Demo      bool         `json:"demo"`
	Formula   string       `json:"formula,omitempty"`
	Total     money.Amount `json:"total"`
	Invoice   string       `json:"invoice,omitempty"`
	Verify    string       `json:"verify,omitempty"`
}

// Kind names the job.
func (mailDue) Kind() string { return "flows.mail_due" }

var letters = template.Must(template.ParseFS(mails.FS, "*.txt"))

// mailTx enqueues a letter. Who has no address gets none.
func (h *House) mailTx(ctx context.Context, tx *postgres.Tx, personID string, m mailDue) error {
	person, err := identity.PersonTx(ctx, tx, personID)
	if err != nil || person.Email == "" {
		return err
	}
	m.PersonID = personID
	return h.jobs.EnqueueTx(ctx, tx, m)
}

// mailDue sends a letter.
func (h *House) mailDue(ctx context.Context, m mailDue) error {
	var person identity.Person
	var session catalog.Session
	if err := h.DB.View(ctx, "letter", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if person, err = identity.PersonTx(ctx, tx, m.PersonID); err != nil {
			return err
		}
		session, err = catalog.SessionTx(ctx, tx, m.Session)
		return err
	}); err != nil {
		return err
	}
	return h.send(ctx, m.Letter, person.Lang, person.Email, m.Reference, map[string]any{
		"Name": person.FullName, "Title": session.Title().In(person.Lang), "URL": h.BaseURL + m.Path, "Demo": m.Demo, "Formula": m.Formula,
		"Paid": !m.Total.IsZero(), "Total": m.Total.Format(person.Lang), "Invoice": m.Invoice, "Verify": m.Verify,
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

func (h *House) send(ctx context.Context, letter, lang, to, reference string, data map[string]any) error {
	var b bytes.Buffer
	if err := letters.ExecuteTemplate(&b, letter+"."+lang+".txt", data); err != nil {
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
