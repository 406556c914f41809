package app_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// announced is an announcement of the session to who is in another one of its course.
func (w *world) announced() (id string) {
	w.t.Helper()
	one := outreach.Words{Subject: "{title} comes back", Paragraphs: []string{"Hello {name},"}, Button: "Read on"}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = outreach.CreateTx(ctx, tx, outreach.NewCampaign{Name: "Again", About: outreach.About{Session: w.session.Key}, Segment: outreach.Segment{Course: "PRD"}, Text: outreach.Text{EN: one, FR: one}})
		return err
	})
	return id
}

// found are the recipients of a campaign.
func (w *world) found(campaign string) (all []outreach.Recipient) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		all, _, err = outreach.RecipientsTx(ctx, tx, campaign, "", page.Request{Limit: 200})
		return err
	})
	return all
}

var unsubscribeLink = regexp.MustCompile(`List-Unsubscribe:\s+<([^>]+)>`)

// unsubscribing is the address in the mail that came last with one.
func (w *world) unsubscribing(mails string) string {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(mails, "*.eml"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f) //nolint:gosec // a folder of the test
		if err != nil {
			w.t.Fatal(err)
		}
		if m := unsubscribeLink.FindSubmatch(b); m != nil {
			return string(m[1])
		}
	}
	w.t.Fatal("no mail has a link to unsubscribe")
	return ""
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		if err := w.h.Outreach.Prefer(system, staff, outreach.Preferences{Nudges: true}); err != nil {
			w.t.Fatal(err)
		}
		id := w.nudged(staff)
		w.quiet()
		link, err := url.Parse(w.unsubscribing(strings.TrimPrefix(w.cfg.Mail, "file://")))
		if err != nil {
			w.t.Fatal(err)
		}
		draft := w.announced()
		return map[string]string{
			"/unsubscribe/:token": link.Path, "/console/campaigns/:id": "/console/campaigns/" + id + " /console/campaigns/" + draft, "/console/campaigns/:id/mail.html": "/console/campaigns/" + draft + "/mail.html",
			"/console/campaigns/:id/recipients": "/console/campaigns/" + id + "/recipients", "/console/weekly/:session": "/console/weekly/" + w.session.Key,
		}
	})
}

// An officer announces a session by the console with the keyboard; a learner of the course gets the mail, opens its link, which changes
// nothing, and ends such mails with the button; a program of her mail provider does so in one request, without cookies or a form of ours.
func TestAnAnnouncementInABrowser(t *testing.T) {
	w, mails := newSite(t)
	learner := w.person("learner@example.org", "Léa")
	w.becomes(w.order(learner.ID, w.free, "k"), sales.Paid)
	w.later("NEW-1")
	w.quiet()
	b := newTabFor(t, 5*time.Minute)
	w.staffTab(b, mails, "officer@example.org")
	b.open(w.cfg.BaseURL + "/console/campaigns?lang=en")
	for field, text := range map[string]string{"#name": "Autumn", "#about_session": "NEW-1", "#session": w.session.Key} {
		b.fill(field, text)
	}
	for _, lang := range []string{"en", "fr"} {
		b.fill("#subject_"+lang, "{title} begins")
		b.fill("#body_"+lang, "Hello {nobody}")
	}
	b.press("#draft", "#faults")
	b.shows("There is no {nobody} here")
	for _, lang := range []string{"en", "fr"} {
		b.set("body_"+lang, "Hello {name}")
	}
	b.press("#draft", "#schedule")
	b.shows("Optics begins")
	b.axeEverywhere("a draft")
	b.press("#schedule", "#cancel")
	var id string
	w.until("it is sent", func() bool {
		if _, err := w.h.Outreach.AskDue(context.Background()); err != nil {
			t.Fatal(err)
		}
		var all []outreach.Campaign
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			all, _, err = outreach.CampaignsTx(ctx, tx, outreach.Announcement, outreach.Done, page.Request{Limit: 9})
			return err
		})
		if len(all) != 1 {
			return false
		}
		id = all[0].ID
		return true
	})
	if all := w.found(id); len(all) != 1 || all[0].PersonID != learner.ID || all[0].State != "sent" {
		t.Fatal(all)
	}
	b.open(w.cfg.BaseURL + "/console/campaigns/" + id + "?lang=en")
	b.shows("Enrolments around it", "Sent\n1")
	link := w.unsubscribing(mails)
	b.open(link + "?lang=en")
	if p, err := w.h.Outreach.Preferences(system, learner.ID); err != nil || !p.News {
		t.Error("to look at a link changed something:", p, err)
	}
	b.press("#unsubscribe", ".notice.good")
	if p, err := w.h.Outreach.Preferences(system, learner.ID); err != nil || p.News || !p.Progress {
		t.Error("the button did nothing:", p, err)
	}
	hers := newTabFor(t, 2*time.Minute)
	w.signIn(hers, mails, learner.Email)
	hers.open(w.cfg.BaseURL + "/preferences?lang=en")
	hers.axeEverywhere("preferences")
	hers.do(chromedp.Click(chromedp.CSS("#news")))
	hers.press("#save", ".notice.good")
	if p, err := w.h.Outreach.Preferences(system, learner.ID); err != nil || !p.News {
		t.Error("what she chose is not kept:", p, err)
	}
	for contentType, want := range map[string]int{"application/x-www-form-urlencoded": http.StatusOK, "multipart/form-data; boundary=b": http.StatusOK} {
		if err := w.h.Outreach.Prefer(system, learner.ID, outreach.Preferences{News: true}); err != nil {
			t.Fatal(err)
		}
		r, err := http.Post(link, contentType, strings.NewReader("List-Unsubscribe=One-Click")) //nolint:noctx,gosec // a test
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if p, err := w.h.Outreach.Preferences(system, learner.ID); r.StatusCode != want || err != nil || p.News {
			t.Errorf("%s: %d, %+v %v", contentType, r.StatusCode, p, err)
		}
	}
	if r, err := http.Post(link+"x", "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click")); err != nil || r.StatusCode != http.StatusNotFound { //nolint:noctx,gosec // a test
		t.Error("a link that is not ours:", r.StatusCode, err)
	} else {
		_ = r.Body.Close()
	}
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		return map[string]string{"/console/nudges": "/console/nudges?" + url.Values{"session": {w.session.Key}, "exercise": {firstExercise}}.Encode()}
	})
}

// A list over several sessions is reminded at once: a mailing for each session, so that each is measured in its own, and one mail for each person, also
// for who is on it in two. The same form again, or another on the same day, writes to nobody.
func TestAListOfSeveralSessionsIsReminded(t *testing.T) {
	w, mails := newSite(t)
	w.other()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		other, err := catalog.PutExercisesTx(ctx, tx, otherSession, []catalog.Exercise{catalog.NewExercise(firstExercise, 1), catalog.NewExercise("Homework 2: Week 2", 2)}, 0)
		if err != nil {
			return err
		}
		for _, id := range []string{"both", "here", "there"} {
			person, err := identity.PutPersonTx(ctx, tx, id+"@example.org", id, "en")
			if err == nil {
				err = errors.Join(identity.LinkTx(ctx, tx, person.ID, w.session.Platform, id), identity.LinkTx(ctx, tx, person.ID, other.Platform, id))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	row := func(id string) string {
		return id + "," + id + "@example.org," + id + ",0.1,1.0,Not Attempted,Not Attempted,,honor,N/A,N,N,N/A,enrolled"
	}
	w.grades(w.clock.Now(), row("both"), row("here"))
	other, err := catalogSession(w, otherSession)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Gradebook.Import(system, gradebook.Intake{SessionID: other.ID, FileName: "o.csv", CollectedAt: w.clock.Now(), Content: report(row("both"), row("there"))}); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	d := w.newDesk(t, mails, "officer@example.org")
	d.open("/staff/figures/learners?list=stuck_in_week_2&of=all")
	d.says("both", "here", "there", w.session.Key, otherSession)
	at := attr(d.all(func(n *html.Node) bool { return attr(n, "id") == "remind" })[0], "href")
	remind := func(want int) {
		d.want = http.StatusOK
		d.open(at)
		d.says("Learners: 3", "one mailing for each", "Stuck in week 2")
		f := d.form(at)
		for _, lang := range []string{"en", "fr"} {
			f.set("subject_"+lang, "{title}")
			f.set("body_"+lang, "Dear {name}")
		}
		f.set("hold_out", "0")
		d.want = want
		f.press("", "")
	}
	remind(http.StatusOK)
	if !strings.HasSuffix(d.at, "/console/campaigns") {
		t.Errorf("after it she is at %s", d.at)
	}
	counts := map[string]int{
		"select count(*) from outreach.campaigns where kind = 'nudge' and session_id = '" + w.session.ID + "'": 1, "select count(*) from outreach.campaigns where kind = 'nudge' and session_id = '" + other.ID + "'": 1,
		"select count(*) from outreach.recipients": 3, "select count(distinct person_id) from outreach.recipients": 3,
	}
	w.counts(counts)
	remind(http.StatusConflict)
	w.counts(counts)
	w.verify()
}

// catalogSession finds a session of the catalogue.
func catalogSession(w *world, key string) (s catalog.Session, err error) {
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err = catalog.SessionTx(ctx, tx, key)
		return err
	})
	return s, err
}

// From a number of a figure staff come to the learners behind it and remind them: words that are wrong are kept and said, each gets one mail, and
// the list is not reminded again on that day. Who may not write to people sees no way to it.
func TestAListOfAFigureIsReminded(t *testing.T) {
	w, mails := newSite(t)
	zoe := w.person("zoe@example.org", "Zoé")
	w.certified(zoe.ID)
	if err := w.h.Outreach.Prefer(system, zoe.ID, outreach.Preferences{Nudges: true}); err != nil {
		t.Fatal(err)
	}
	list := url.Values{"session": {w.session.Key}, "exercise": {firstExercise}}.Encode()
	reader := w.newDeskOf(t, mails, "reader@example.org", "analytics")
	reader.open("/staff/figures/learners?" + list)
	reader.says("Zoé")
	if strings.Contains(words(reader.page), "Remind these learners") {
		t.Error("who may not write to people is shown how")
	}
	reader.want = http.StatusForbidden
	reader.open("/console/nudges?" + list)
	reader.want = http.StatusOK

	d := w.newDesk(t, mails, "officer@example.org")
	d.open("/staff/figures/learners?" + list)
	links := d.all(func(n *html.Node) bool { return attr(n, "id") == "remind" })
	if len(links) != 1 {
		t.Fatal("no way from the list to a reminder")
	}
	at := attr(links[0], "href")
	d.open(at)
	d.says("Learners: 1", "{name}, {title}")
	write := func(body, holdOut string) {
		f := d.form(at)
		for _, lang := range []string{"en", "fr"} {
			f.set("subject_"+lang, "{title}")
			f.set("body_"+lang, body)
		}
		f.set("hold_out", holdOut)
		f.press("", "")
	}
	d.want = http.StatusBadRequest
	write("Dear {nobody}", "95")
	d.says("There is no {nobody} here", "0 to 900 of a thousand.", "Dear {nobody}")
	d.want = http.StatusOK
	write("Dear {name}", "0")
	id := d.at[strings.LastIndex(d.at, "/")+1:]
	w.until("she is reminded", func() bool {
		if _, err := w.h.Outreach.AskDue(context.Background()); err != nil {
			t.Fatal(err)
		}
		all := w.found(id)
		return len(all) == 1 && all[0].PersonID == zoe.ID && all[0].State == "sent"
	})
	d.open(at)
	d.want = http.StatusConflict
	write("Dear {name}", "0")
	d.want = http.StatusOK
	d.open("/console/campaigns/" + id)
	d.says("What it did", "nobody to compare")

	// A list that makes certificates leads to its learners and to a reminder in the same way.
	o := w.order(w.person("silent@example.org", "Awa").ID, w.paid, "silent")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	d.open("/staff/figures/certificate_lists?session=" + w.session.Key)
	d.says("Paid but silent", "Refund after certificate", "Value at stake")
	d.open("/staff/figures/learners?list=paid_silent&session=" + w.session.Key)
	d.says("Awa", "Paid but silent", "150")
	d.open(attr(d.all(func(n *html.Node) bool { return attr(n, "id") == "remind" })[0], "href"))
	d.says("Learners: 1", "Paid but silent")
	w.verify()
}
