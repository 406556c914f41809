package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"cursus/internal/domain/outreach"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// nudged reminds people of the session.
func (w *world) nudged(people ...string) (id string) {
	w.t.Helper()
	return w.nudgedOn("test", people...)
}

// nudgedOn reminds people of a list, which is done once.
func (w *world) nudgedOn(list string, people ...string) (id string) {
	w.t.Helper()
	one := outreach.Words{Subject: "{title}", Paragraphs: []string{"{name}"}}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = w.h.Outreach.NudgeTx(ctx, tx, outreach.NewNudge{List: list, Session: w.session.Key, People: people, Text: outreach.Text{EN: one, FR: one}})
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

// writesThrough nudges learners while the process dies before the mail server is asked, or between its yes and our note of it: nobody gets a
// second mail, and the row says that nobody knows.
func (p *program) writesThrough(place string) {
	p.t.Helper()
	post := &postman{}
	at, server := listen(p.t), smtp.NewServer(post)
	go func() { _ = server.Serve(at) }()
	defer func() { _ = server.Close() }()
	files := p.cfg.Mail
	defer func() { p.cfg.Mail = files }()
	p.cfg.Mail = "smtp://" + at.Addr().String() + "?tls=none"
	var people []string
	for i := range 3 {
		who := p.person(fmt.Sprintf("%s%d@example.org", strings.ReplaceAll(place, " ", "."), i), "Learner")
		people = append(people, who.ID)
		if err := p.h.Outreach.Prefer(system, who.ID, outreach.Preferences{Nudges: true}); err != nil {
			p.t.Fatal(err)
		}
	}
	id := p.nudgedOn(place, people...)
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
	if len(seen) == 0 && place == "mail handed over" {
		p.t.Errorf("%s: no mail came", place)
	}
	p.stop()
}

// outreachStory answers every operation of mails that people may refuse.
func (w *world) outreachStory(t *testing.T, walker *apitest.Walker, learner, staff, hers string) {
	t.Helper()
	ask := func(operation string, status int, token string, change func(r *apitest.Request)) (a apitest.Answer) {
		t.Helper()
		r := walker.Example(operation)
		r.Token = token
		if change != nil {
			change(&r)
		}
		if a = walker.Do(t, r); a.Status != status {
			t.Errorf("%s: %d, not %d\n%.500s", operation, a.Status, status, a.Body)
		}
		return a
	}
	header := func(name, value string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set(name, value) }
	}
	var c struct {
		ID, State string
		Counts    struct{ Recipients int64 }
	}
	first := ask("createCampaign", 201, staff, header("Idempotency-Key", "campaign"))
	if again := ask("createCampaign", 201, staff, header("Idempotency-Key", "campaign")); string(again.Body) != string(first.Body) {
		t.Errorf("a repeated key made another campaign:\n%s\n%s", first.Body, again.Body)
	}
	first.JSON(t, &c)
	walker.Values["campaign"] = c.ID
	tag := ask("getCampaign", 200, staff, nil).Header.Get("ETag")
	ask("putCampaign", 200, staff, header("If-Match", tag))
	ask("putCampaign", 412, staff, header("If-Match", tag))
	ask("listCampaigns", 200, staff, func(r *apitest.Request) { r.Query = "" })
	ask("previewCampaign", 200, staff, func(r *apitest.Request) { r.Query = "learner=" + learner })
	ask("previewCampaign", 404, staff, func(r *apitest.Request) { r.Query = "learner=per_00000000000000000000000000" })
	ask("testCampaign", 202, staff, header("Idempotency-Key", "campaign-test"))
	ask("scheduleCampaign", 200, staff, func(r *apitest.Request) {
		r.Body = []byte(`{"at":"` + w.h.Clock.Now().AddDate(0, 1, 0).Format(time.RFC3339) + `"}`)
	})
	ask("scheduleCampaign", 409, staff, nil)
	ask("putCampaign", 409, staff, header("If-Match", "*"))
	ask("listCampaignRecipients", 200, staff, func(r *apitest.Request) { r.Query = "" })
	ask("getCampaignEnrolments", 200, staff, nil)
	ask("cancelCampaign", 200, staff, nil)
	ask("cancelCampaign", 409, staff, nil)
	tag = ask("getWeeklyMail", 200, staff, nil).Header.Get("ETag")
	ask("putWeeklyMail", 200, staff, header("If-Match", tag))
	ask("putWeeklyMail", 412, staff, header("If-Match", `"77"`))
	nudge := func(r *apitest.Request) {
		r.Body = []byte(strings.Replace(string(r.Body), "per_01kb5t8kz9e0qv4m3r2x7nwhjd", learner, 1))
		r.Header.Set("Idempotency-Key", "nudge")
	}
	ask("nudgeLearners", 201, staff, nudge).JSON(t, &c)
	if c.Counts.Recipients != 1 {
		t.Errorf("%+v", c)
	}
	walker.Values["campaign"] = c.ID
	ask("getNudgeEffect", 200, staff, nil)
	ask("nudgeLearners", 409, staff, func(r *apitest.Request) { nudge(r); r.Header.Set("Idempotency-Key", "nudge again") })
	ask("recordBounces", 200, staff, nil)
	ask("recordBounces", 422, staff, func(r *apitest.Request) { r.Body = []byte(`{"report":"Subject: hello"}`) })
	ask("putMailPreferences", 200, hers, nil)
	var p struct{ News, Nudges bool }
	if ask("getMailPreferences", 200, hers, nil).JSON(t, &p); !p.News || p.Nudges {
		t.Errorf("%+v", p)
	}
}
