// Package mail sends mails, and is the only room that knows how: through an SMTP server, or, in the demo, into a folder where
// each mail is a file that any mail program opens.
//
// One address says which: smtp://user:password@host:587 (STARTTLS is demanded), smtps://… (TLS from the first byte),
// smtp://localhost:1025?tls=none (a receiver beside us), file:///var/spool/cursus (the folder).
package mail

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
)

// The faults of this room. A caller repeats on ErrLater only: the others stay wrong however often they are sent.
var (
	ErrAddress = fault.New(fault.Invalid, "mail-address-invalid", "This is not the address of a mail server or a folder.")
	ErrMessage = fault.New(fault.Invalid, "mail-invalid", "This mail cannot be written.")
	ErrRefused = fault.New(fault.Unprocessable, "mail-refused", "The mail server refuses this mail for good.")
	ErrLater   = fault.New(fault.Unavailable, "mail-unavailable", "The mail server cannot be reached or asks to come back later.")
	// ErrNoMailbox is an ErrRefused about the recipient: the address takes no mail.
	ErrNoMailbox = fault.New(fault.Unprocessable, "mailbox-refused", "The mail server refuses this recipient for good.")
	// ErrUncertain is an ErrLater after the whole mail had been handed over: nobody knows whether it was taken. Who must not send twice
	// does not send again.
	ErrUncertain = fault.New(fault.Unavailable, "mail-uncertain", "The mail server got this mail and never said whether it took it.")
)

// Message is one mail to one person. MessageID is made from the row that caused the mail (such as ord_…@cursus.example), so
// that a mail sent twice after a crash is recognised as one by the receiver.
type Message struct {
	To        string
	Subject   string
	Text      string
	HTML      string // may be empty
	MessageID string // without angle brackets
	// Unsubscribe is the https address of RFC 8058 at which one POST ends such mails; empty where nobody can unsubscribe.
	Unsubscribe string
	Attached    []Attachment
}

// Attachment is a file that comes with a mail.
type Attachment struct {
	Name, ContentType string
	Content           []byte
}

// Sender sends a mail or says why not.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Options of New.
type Options struct {
	Address string // see the package
	From    string // Cursus <no-reply@example.org>
	Clock   clock.Clock
}

// New gives the sender for an address. It does not connect: a server that is dark at start may be back for the first mail.
func New(o Options) (Sender, error) {
	u, err := url.Parse(o.Address)
	if err != nil {
		return nil, ErrAddress // the cause is left out: it would repeat the address with its password
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	w := writer{from: o.From, clock: o.Clock}
	if err := gomail.NewMsg().From(o.From); err != nil {
		return nil, ErrAddress.Detailf("The sender of mails is not a mail address.").Because(err)
	}
	switch u.Scheme {
	case "smtp", "smtps":
		return newServer(u, w)
	case "file":
		return newSpool(u, w)
	}
	return nil, ErrAddress.Detailf("A mail address begins with smtp://, smtps:// or file://.")
}

type writer struct {
	from  string
	clock clock.Clock
}

// write turns a message into a mail. A line break in a header would let a learner's name add recipients: it is refused.
func (w writer) write(m Message) (*gomail.Msg, error) {
	if strings.ContainsAny(m.Subject+m.MessageID+m.To, "\r\n\x00") || strings.ContainsAny(m.Unsubscribe, "<> \r\n\x00,") || m.Subject == "" || m.Text == "" ||
		!strings.Contains(m.MessageID, "@") || strings.ContainsAny(m.MessageID, "<> ") || slices.ContainsFunc(m.Attached, func(a Attachment) bool { return strings.ContainsAny(a.Name+a.ContentType, "\r\n\x00\"") }) {
		return nil, ErrMessage
	}
	mail := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := mail.From(w.from); err != nil {
		return nil, ErrMessage.Because(err)
	}
	if err := mail.To(m.To); err != nil {
		return nil, ErrMessage.At("/to", "invalid", "This is not a mail address.").Because(err)
	}
	mail.Subject(m.Subject)
	mail.SetMessageIDWithValue(m.MessageID)
	mail.SetDateWithValue(w.clock.Now())
	mail.SetGenHeader("Auto-Submitted", "auto-generated") // so that no out-of-office answer comes back
	if m.Unsubscribe != "" {
		mail.SetGenHeader("List-Unsubscribe", "<"+m.Unsubscribe+">")
		mail.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	mail.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		mail.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	for _, a := range m.Attached {
		if err := mail.AttachReader(a.Name, bytes.NewReader(a.Content), gomail.WithFileContentType(gomail.ContentType(a.ContentType))); err != nil {
			return nil, ErrMessage.Because(err)
		}
	}
	return mail, nil
}

// sendTimeout bounds one mail, from the connection to the last answer.
const sendTimeout = 30 * time.Second

func splitHost(u *url.URL, standard int) (host string, port int, err error) {
	port = standard
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return "", 0, ErrAddress.Detailf("The port of the mail server is not a port.")
		}
	}
	if u.Hostname() == "" {
		return "", 0, ErrAddress.Detailf("The address of the mail server names no host.")
	}
	return u.Hostname(), port, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
