package app_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"cursus/internal/domain/sales"
)

// Staff write a questionnaire and publish it; a learner answers it on a phone by keyboard alone, and changes an answer; staff read how many answered, and
// the figure.
func TestAQuestionnaireInABrowser(t *testing.T) {
	w, mails := newSite(t)
	zoe := w.person("zoe@example.org", "Zoé")
	o := w.order(zoe.ID, w.free, "k")
	w.becomes(o, sales.Paid)
	enrolment := w.state(o).Lines[0].Enrolment()
	d := newTabFor(t, 3*time.Minute)
	w.staffTab(d, mails, "officer@example.org")
	desk := w.cfg.BaseURL + "/console/surveys?session=" + w.session.Key + "&moment=closing"
	d.open(desk)
	row := "table.edit tbody tr:nth-child(1) "
	d.fill(row+"[name=code]", "routing")
	d.do(chromedp.SetValue(chromedp.CSS(row+"[name=kind]"), "skill"))
	d.fill(row+"[name=en]", "Configure a router")
	row = "table.edit tbody tr:nth-child(2) "
	d.fill(row+"[name=code]", "how")
	d.do(chromedp.SetValue(chromedp.CSS(row+"[name=kind]"), "satisfaction"))
	d.fill(row+"[name=en]", "How was it?")
	d.press("button[value=more]", row+"[name=code]")
	row = "table.edit tbody tr:nth-child(3) "
	d.fill(row+"[name=code]", "Words")
	d.do(chromedp.SetValue(chromedp.CSS(row+"[name=kind]"), "text"))
	d.fill(row+"[name=en]", "Anything else?")
	row = "table.edit tbody tr:nth-child(4) "
	d.fill(row+"[name=code]", "liked")
	d.do(chromedp.SetValue(chromedp.CSS(row+"[name=kind]"), "multiple"))
	d.fill(row+"[name=en]", "What did you like?")
	d.fill(row+"[name=choices]", "videos | The videos\nlabs | The labs")
	d.press("button[value=publish]", "[role=alert]")
	d.do(chromedp.SetValue(chromedp.CSS("table.edit tbody tr:nth-child(3) [name=code]"), "words"))
	d.press("button[value=publish]", "p.notice.good")
	d.shows("Published: this is what learners answer from now on.")
	d.do(chromedp.Click(chromedp.CSS("#invited")))
	d.press("#invite", "p.notice.good")
	w.counts(map[string]int{"select count(*) from outreach.inviting where enabled": 1})

	b := newTabFor(t, 3*time.Minute)
	w.signIn(b, mails, zoe.Email)
	b.do(chromedp.EmulateViewport(390, 844))
	b.open(w.cfg.BaseURL + "/learning")
	b.reach("a[href='/learning/" + enrolment + "/questionnaires/closing']")
	b.follow(kb.Enter, "#q-routing")
	b.seen("questionnaire")
	b.do(chromedp.EmulateViewport(390, 844))
	b.reach("[name='routing.before']") // what is chosen, which is no answer: from there the arrows go round to 0, and on
	b.keys(kb.ArrowRight + kb.ArrowRight + kb.ArrowRight)
	b.keys(kb.Tab)
	b.keys(kb.ArrowLeft + kb.ArrowLeft)
	b.reach("[name=how]")
	b.keys(kb.ArrowLeft)
	b.types("textarea", "The labs.")
	for _, choice := range []string{"videos", "labs"} {
		b.reach("[name=liked][value=" + choice + "]")
		b.keys(" ")
	}
	b.reach("main form button")
	b.follow(kb.Enter, "p.notice.good")
	b.shows("Your answers are saved.")
	b.reach("[name='routing.after']")
	b.keys(kb.ArrowLeft)
	b.reach("main form button")
	b.follow(kb.Enter, "p.notice.good")
	b.axeEverywhere("questionnaire")
	w.counts(map[string]int{
		"select count(*) from surveys.responses where enrolment_id = '" + enrolment + "'":                                                            2,
		"select value from surveys.answers where question = 'routing' and part = 'before' and response_id = (select max(id) from surveys.responses)": 2,
		"select value from surveys.answers where question = 'routing' and part = 'after' and response_id = (select max(id) from surveys.responses)":  8,
		"select value from surveys.answers where question = 'how' and response_id = (select max(id) from surveys.responses)":                         10,
		"select count(*) from surveys.answers where question = 'liked' and part in ('videos', 'labs')":                                               4,
		"select count(*) from surveys.answers where words = 'The labs.'":                                                                             2,
	})

	d.open(desk)
	if all := ask[string](d, `document.querySelector("section[aria-labelledby=inviting] tbody tr").innerText.replace(/\s+/g, " ")`); all != "After the course 0 0 0 1" {
		t.Error(all)
	}
	d.axe("desk of questionnaires")
	d.seen("desk of questionnaires")
	d.press("a[href^='/staff/figures/skill_scale']", "table")
	d.shows("Configure a router")
	d.axe("figure of skills")
	w.verify()
}
