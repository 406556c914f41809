package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/mail"
	"sync"

	"github.com/emersion/go-smtp"

	"cursus/internal/domain/outreach"
	"cursus/internal/platform/postgres"
)

// nudged reminds people of the session.
func (w *world) nudged(people ...string) (id string) {
	w.t.Helper()
	one := outreach.Words{Subject: "{title}", Paragraphs: []string{"{name}"}}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = w.h.Outreach.NudgeTx(ctx, tx, outreach.NewNudge{List: "test", Session: w.session.Key, People: people, Text: outreach.Text{EN: one, FR: one}})
		return err
	})
	return id
}

// postman is a mail server that keeps the ids of the mails that it took.
type postman struct {
	mu  sync.Mutex
	ids []string
}

func (p *postman) NewSession(*smtp.Conn) (smtp.Session, error) { return p, nil }
func (*postman) Mail(string, *smtp.MailOptions) error          { return nil }
func (*postman) Rcpt(string, *smtp.RcptOptions) error          { return nil }
func (*postman) Reset()                                        {}
func (*postman) Logout() error                                 { return nil }

func (p *postman) Data(body io.Reader) error {
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(bytes.NewReader(b))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids = append(p.ids, m.Header.Get("Message-Id"))
	return err
}

// writesThrough nudges learners while the process dies between the mail server's yes and our note of it: nobody gets a second mail, and the
// row says that nobody knows.
func (p *program) writesThrough() {
	p.t.Helper()
	const place = "mail handed over"
	post := &postman{}
	at, server := listen(p.t), smtp.NewServer(post)
	go func() { _ = server.Serve(at) }()
	defer func() { _ = server.Close() }()
	p.cfg.Mail = "smtp://" + at.Addr().String() + "?tls=none"
	var people []string
	for i := range 3 {
		who := p.person(fmt.Sprintf("nudged%d@example.org", i), "Learner")
		people = append(people, who.ID)
		if err := p.h.Outreach.Prefer(system, who.ID, outreach.Preferences{Nudges: true}); err != nil {
			p.t.Fatal(err)
		}
	}
	id := p.nudged(people...)
	p.start(place)
	p.dies(place)
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error { // as after two minutes, for which the dead worker still has them
		_, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "update outreach.recipients set tried_at = tried_at - interval '3 minutes' where state = 'sending'"})
		return err
	})
	p.start("")
	p.until("the nudge is over", func() bool {
		var c outreach.Campaign
		p.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			c, err = outreach.CampaignTx(ctx, tx, id)
			return err
		})
		return c.State == outreach.Done && c.Counts.Uncertain > 0 && c.Counts.Uncertain+c.Counts.Sent == 3
	})
	p.quiet()
	seen := map[string]bool{}
	for _, m := range post.ids {
		if seen[m] {
			p.t.Errorf("%s: %s came twice", place, m)
		}
		seen[m] = true
	}
	if len(seen) == 0 {
		p.t.Errorf("%s: no mail came", place)
	}
	p.stop()
}
