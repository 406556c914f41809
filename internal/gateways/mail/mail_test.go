package mail_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"cursus/internal/gateways/mail"
	"cursus/internal/testkit"
)

// receiver is a mail server in this process. It refuses recipients as told.
type receiver struct {
	mu     sync.Mutex
	refuse error
	to     []string
	mails  [][]byte
}

func (r *receiver) NewSession(*smtp.Conn) (smtp.Session, error) { return r, nil }
func (r *receiver) Mail(string, *smtp.MailOptions) error        { return nil }
func (r *receiver) Reset()                                      {}
func (r *receiver) Logout() error                               { return nil }

func (r *receiver) Rcpt(to string, _ *smtp.RcptOptions) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse == nil {
		r.to = append(r.to, to)
	}
	return r.refuse
}

func (r *receiver) Data(body io.Reader) error {
	b, err := io.ReadAll(body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mails = append(r.mails, b)
	return err
}

func listen(t *testing.T) (*receiver, string) {
	t.Helper()
	r := &receiver{}
	s := smtp.NewServer(r)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return r, l.Addr().String()
}

func sender(t *testing.T, address string) mail.Sender {
	t.Helper()
	s, err := mail.New(mail.Options{Address: address, From: "Cursus <no-reply@example.org>", Clock: testkit.Clock()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var letter = mail.Message{To: "awa@example.org", Subject: "Votre certificat, Awa N'Diaye 李 🎓", Text: "Félicitations", HTML: "<p>Félicitations</p>",
	MessageID: "crt_1.award@cursus.example"}

// judge reads a mail with the standard library, which did not write it.
func judge(t *testing.T, raw []byte) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	date, dateErr := m.Header.Date()
	if err != nil || dateErr != nil || subject != letter.Subject || !date.Equal(testkit.Clock().Now()) ||
		m.Header.Get("Message-ID") != "<"+letter.MessageID+">" || m.Header.Get("Auto-Submitted") != "auto-generated" ||
		!strings.HasPrefix(m.Header.Get("Content-Type"), "multipart/alternative") {
		t.Errorf("%v %v %q", err, dateErr, m.Header)
	}
	if to, err := m.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != letter.To {
		t.Error(to, err)
	}
}

func TestServerReceivesTheMail(t *testing.T) {
	r, at := listen(t)
	if err := sender(t, "smtp://"+at+"?tls=none").Send(context.Background(), letter); err != nil {
		t.Fatal(err)
	}
	if len(r.mails) != 1 || len(r.to) != 1 || r.to[0] != letter.To {
		t.Fatal(len(r.mails), r.to)
	}
	judge(t, r.mails[0])
}

func TestSpoolKeepsOneFilePerMail(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "mails")
	s := sender(t, "file://"+folder)
	for range 2 {
		if err := s.Send(context.Background(), letter); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 || filepath.Ext(files[0].Name()) != ".eml" {
		t.Fatal(files, err)
	}
	raw, err := os.ReadFile(filepath.Join(folder, files[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	judge(t, raw)
}

func TestRefusalsSayWhetherToRepeat(t *testing.T) {
	r, at := listen(t)
	s := sender(t, "smtp://"+at+"?tls=none")
	for _, c := range []struct {
		refuse, want error
	}{
		{&smtp.SMTPError{Code: 550, Message: "no such person"}, mail.ErrRefused},
		{&smtp.SMTPError{Code: 550, Message: "no such person"}, mail.ErrNoMailbox},
		{&smtp.SMTPError{Code: 451, Message: "greylisted"}, mail.ErrLater},
	} {
		r.refuse = c.refuse
		if err := s.Send(context.Background(), letter); !errors.Is(err, c.want) {
			t.Errorf("%v gives %v, want %v", c.refuse, err, c.want)
		}
	}
	// Without STARTTLS on the other side nothing leaves.
	r.refuse = nil
	if err := sender(t, "smtp://"+at).Send(context.Background(), letter); !errors.Is(err, mail.ErrLater) || len(r.mails) != 0 {
		t.Error("a mail left without TLS:", err, len(r.mails))
	}
}

// dropping is a mail server that reads a mail to its end and goes away without a word.
type dropping struct {
	*receiver
	conn *smtp.Conn
}

func (d *dropping) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &dropping{d.receiver, c}, nil
}

func (d *dropping) Data(body io.Reader) error {
	defer func() { _ = d.conn.Conn().Close() }()
	return d.receiver.Data(body)
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// A mail that was read to its end, and got no answer, is uncertain: who may not send twice learns it, for the others it is one to repeat.
func TestAnAnswerThatIsLost(t *testing.T) {
	r := &receiver{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(&dropping{receiver: r})
	s.ErrorLog = quiet{}
	go func() { _ = s.Serve(l) }()
	defer func() { _ = s.Close() }()
	m := letter
	m.Unsubscribe = "https://cursus.example/unsubscribe/1"
	if err := sender(t, "smtp://"+l.Addr().String()+"?tls=none").Send(context.Background(), m); !errors.Is(err, mail.ErrUncertain) || !errors.Is(err, mail.ErrLater) {
		t.Error(err)
	}
	if len(r.mails) != 1 || !strings.Contains(string(r.mails[0]), "List-Unsubscribe-Post: List-Unsubscribe=One-Click") {
		t.Error(len(r.mails))
	}
}

func TestDarkServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	silent := sender(t, "smtp://"+l.Addr().String()+"?tls=none")
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := silent.Send(ctx, letter); !errors.Is(err, mail.ErrLater) || time.Since(began) > 5*time.Second {
		t.Error(err, time.Since(began))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := silent.Send(context.Background(), letter); !errors.Is(err, mail.ErrLater) {
		t.Error(err)
	}
}

// smtps:// speaks TLS from the first byte, and believes only a certificate that this machine trusts.
func TestStrangerWithACertificateGetsNothing(t *testing.T) {
	stranger := httptest.NewUnstartedServer(nil) // lends its certificate, which nobody signed
	stranger.StartTLS()
	defer stranger.Close()
	r := &receiver{}
	l, err := tls.Listen("tcp", "127.0.0.1:0", stranger.TLS)
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(r)
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()
	err = sender(t, "smtps://"+l.Addr().String()).Send(context.Background(), letter)
	var untrusted *tls.CertificateVerificationError
	if !errors.Is(err, mail.ErrLater) || !errors.As(err, &untrusted) || len(r.mails) != 0 {
		t.Error(err, len(r.mails))
	}
}

func TestBadMailsAreNotSent(t *testing.T) {
	r, at := listen(t)
	s := sender(t, "smtp://"+at+"?tls=none")
	for name, spoil := range map[string]func(*mail.Message){
		"header in the subject": func(m *mail.Message) { m.Subject = "x\r\nBcc: all@example.org" },
		"two recipients":        func(m *mail.Message) { m.To = "a@example.org, b@example.org" },
		"line break in to":      func(m *mail.Message) { m.To = "a@example.org\r\nBcc: b@example.org" },
		"no recipient":          func(m *mail.Message) { m.To = "" },
		"no subject":            func(m *mail.Message) { m.Subject = "" },
		"no text":               func(m *mail.Message) { m.Text = "" },
		"no id":                 func(m *mail.Message) { m.MessageID = "" },
		"header in the link":    func(m *mail.Message) { m.Unsubscribe = "https://x\r\nBcc: a@b.c" },
		"bracket in the id":     func(m *mail.Message) { m.MessageID = "a@b> x" },
	} {
		m := letter
		spoil(&m)
		if err := s.Send(context.Background(), m); !errors.Is(err, mail.ErrMessage) {
			t.Error(name, err)
		}
	}
	if len(r.mails) != 0 {
		t.Error(len(r.mails), "were sent")
	}
}

func TestAddresses(t *testing.T) {
	for _, a := range []string{"", "mail.example.org", "http://example.org", "smtp://", "smtp://h:0", "smtp://h:99999", "smtp://mail.example.org?tls=none",
		"smtps://localhost?tls=none", "file://relative/folder", "smtp://u:s3cret@h:x"} {
		_, err := mail.New(mail.Options{Address: a, From: "a@example.org"})
		if !errors.Is(err, mail.ErrAddress) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q gives %v", a, err)
		}
	}
	if _, err := mail.New(mail.Options{Address: "smtps://u:p@mail.example.org", From: "nobody"}); !errors.Is(err, mail.ErrAddress) {
		t.Error(err)
	}
	for _, a := range []string{"smtp://u:p@mail.example.org", "smtps://mail.example.org", "smtp://[::1]:1025?tls=none"} {
		sender(t, a)
	}
}
