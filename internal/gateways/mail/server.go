package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"slices"

	gomail "github.com/wneessen/go-mail"
)

// server sends through SMTP, with a connection per mail: mails are rare, and a connection kept open dies unseen.
type server struct {
	writer
	host    string
	wrapped bool // TLS from the first byte
	options []gomail.Option
}

// dial connects so that the end of ctx also ends a conversation in which the other side went silent: the client itself looks
// at ctx only until it is connected.
func (s *server) dial(ctx context.Context) gomail.DialContextFunc {
	return func(_ context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if !s.wrapped {
			return conn, nil
		}
		secure := tls.Client(conn, &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return secure, nil
	}
}

func newServer(u *url.URL, w writer) (Sender, error) {
	standard, options := 587, []gomail.Option{gomail.WithTimeout(sendTimeout)}
	if u.Scheme == "smtps" {
		standard = 465
	}
	host, port, err := splitHost(u, standard)
	if err != nil {
		return nil, err
	}
	plain := u.Query().Get("tls") == "none"
	switch {
	case u.Scheme == "smtps" && plain:
		return nil, ErrAddress.Detailf("smtps:// and tls=none contradict each other.")
	case plain && !loopback(host):
		return nil, ErrAddress.Detailf("Without TLS, mails go to this machine only.")
	case plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	case u.Scheme == "smtps":
		options = append(options, gomail.WithSSL())
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	options = append(options, gomail.WithPort(port))
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	if _, err := gomail.NewClient(host, options...); err != nil {
		return nil, ErrAddress.Because(err)
	}
	return &server{writer: w, host: host, wrapped: u.Scheme == "smtps", options: options}, nil
}

// Send hands a mail to the server. A lost answer is ErrUncertain, which is an ErrLater: who sends again may send twice, under one MessageID.
func (s *server) Send(ctx context.Context, m Message) error {
	mail, err := s.write(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	// A client is not safe for concurrent use, and jobs send at once.
	client, err := gomail.NewClient(s.host, append(slices.Clone(s.options), gomail.WithDialContextFunc(s.dial(ctx)))...)
	if err != nil {
		return ErrAddress.Because(err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return ErrLater.Because(err)
	}
	sent := client.Send(mail)
	// The server said yes or no to the mail by now; a goodbye that fails changes nothing.
	_ = client.Close()
	return outcome(mail, sent)
}

// outcome says what a conversation means. A mail that the server took is sent, even where the conversation broke right after. Once
// its last line was written and no answer came, it is uncertain; an error before that is none, because a mail without an end is no mail.
func outcome(mail *gomail.Msg, sent error) error {
	var said *gomail.SendError
	switch {
	case sent == nil || mail.IsDelivered():
		return nil
	case !errors.As(sent, &said):
		return ErrLater.Because(sent)
	case said.ErrorCode() >= 500 && said.ErrorCode() < 600 && said.Reason == gomail.ErrSMTPRcptTo:
		return ErrNoMailbox.Because(ErrRefused.Because(sent))
	case said.ErrorCode() >= 500 && said.ErrorCode() < 600:
		return ErrRefused.Because(sent)
	case said.Reason == gomail.ErrSMTPDataClose && said.ErrorCode() == 0:
		return ErrUncertain.Because(ErrLater.Because(sent))
	}
	return ErrLater.Because(sent)
}
