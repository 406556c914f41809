package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/outreach"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
	"cursus/internal/transport/web/chart"
)

// unsubscribed is the page of a link to unsubscribe.
type unsubscribed struct {
	outreach.Link
	Token string
}

func (w *Web) unsubscribePage(r *request) (reply, error) {
	l, err := w.house.UnsubscribeLink(r.ctx, r.param("token"))
	return reply{page: "unsubscribe", title: "outreach.unsubscribe", data: unsubscribed{l, r.param("token")}}, err
}

func (w *Web) unsubscribe(r *request) (reply, error) {
	l, err := w.house.Unsubscribe(r.ctx, r.param("token"))
	return reply{page: "unsubscribe", title: "outreach.unsubscribe", data: unsubscribed{l, r.param("token")}}, err
}

// preferred are the mails that a learner wants.
type preferred struct {
	outreach.Preferences
	Saved bool
}

func (w *Web) preferences(r *request) (reply, error) {
	p, err := w.house.MailPreferences(r.ctx, r.viewer)
	return reply{page: "preferences", title: "outreach.preferences", data: preferred{p, r.query("saved") == "1"}}, err
}

func (w *Web) savePreferences(r *request) (reply, error) {
	on := func(name string) bool { return r.form(name) == "1" }
	return reply{redirect: "/preferences?saved=1"}, w.house.SaveMailPreferences(r.ctx, r.viewer, outreach.Preferences{News: on("news"), Progress: on("progress_mail"), Nudges: on("nudges")})
}

// wordFields are the fields of a text in both languages; a prefix tells those of one text from another's.
type wordFields struct {
	Prefix    string
	Languages []string
	written   map[string]string
}

// Of is what was written in a field.
func (f wordFields) Of(field, lang string) string { return f.written[f.Prefix+field+lang] }

// Fields are the fields of its words.
func (f campaignForm) Fields() wordFields { return wordFields{"", languages, f.Written} }

// Fields are the fields of the words for a standing.
func (p weeklyPage) Fields(standing string) wordFields {
	return wordFields{standing + "_", languages, p.Written}
}

// campaignForm is what was written of an announcement.
type campaignForm struct {
	Written map[string]string
	Wrong   *fault.Fault
}

// Stages are those that a segment can ask for.
func (campaignForm) Stages() []string { return outreach.Stages() }

// Holes are what its words can say.
func (campaignForm) Holes() string {
	return "{" + strings.Join(outreach.Placeholders(outreach.Announcement), "}, {") + "}"
}

var campaignFields = []string{"name", "about_session", "about_edition", "collection", "course", "session", "stage", "formula", "at", "version"}

// textFields are the fields of a text, and how to read and write them.
func textOf(written map[string]string, prefix string) outreach.Text {
	words := func(lang string) outreach.Words {
		w := outreach.Words{Subject: written[prefix+"subject_"+lang], Button: written[prefix+"button_"+lang], Paragraphs: []string{}}
		for p := range strings.SplitSeq(strings.ReplaceAll(written[prefix+"body_"+lang], "\r\n", "\n"), "\n\n") {
			if p = strings.TrimSpace(p); p != "" {
				w.Paragraphs = append(w.Paragraphs, p)
			}
		}
		return w
	}
	return outreach.Text{EN: words("en"), FR: words("fr")}
}

func writeText(written map[string]string, prefix string, t outreach.Text) {
	for lang, w := range map[string]outreach.Words{"en": t.EN, "fr": t.FR} {
		written[prefix+"subject_"+lang], written[prefix+"body_"+lang], written[prefix+"button_"+lang] = w.Subject, strings.Join(w.Paragraphs, "\n\n"), w.Button
	}
}

func readText(r *request, written map[string]string, prefix string) {
	for _, lang := range languages {
		for _, field := range []string{"subject_", "body_", "button_"} {
			written[prefix+field+lang] = strings.TrimSpace(r.form(prefix + field + lang))
		}
	}
}

func campaignWritten(r *request) campaignForm {
	f := campaignForm{Written: map[string]string{}}
	for _, name := range campaignFields {
		f.Written[name] = strings.TrimSpace(r.form(name))
	}
	readText(r, f.Written, "")
	return f
}

func (f campaignForm) says() outreach.NewCampaign {
	in := f.Written
	return outreach.NewCampaign{
		Name: in["name"], About: outreach.About{Session: in["about_session"], Edition: in["about_edition"]},
		Segment: outreach.Segment{Collection: in["collection"], Course: in["course"], Session: in["session"], Stage: in["stage"], Formula: in["formula"]},
		Text:    textOf(in, ""),
	}
}

func formOf(c outreach.Campaign) campaignForm {
	f := campaignForm{Written: map[string]string{
		"name": c.Name, "about_session": c.About.Session, "about_edition": c.About.Edition, "collection": c.Segment.Collection, "course": c.Segment.Course,
		"session": c.Segment.Session, "stage": c.Segment.Stage, "formula": c.Segment.Formula,
	}}
	if c.Text != nil {
		writeText(f.Written, "", *c.Text)
	}
	return f
}

// campaignList is every campaign, and the form of another announcement.
type campaignList struct {
	All  []outreach.Campaign
	Form campaignForm
	Next string
}

func (w *Web) campaigns(r *request) (reply, error) {
	return w.campaignsWith(r, campaignForm{Written: map[string]string{}})
}

func (w *Web) campaignsWith(r *request, f campaignForm) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	all, next, err := w.house.Campaigns(r.ctx, r.viewer, p)
	return reply{page: "campaigns", title: "outreach.title", data: campaignList{all, f, paging.Cursor(next)}, status: refusedAs(f.Wrong)}, err
}

func (w *Web) makeCampaign(r *request) (reply, error) {
	f := campaignWritten(r)
	id, err := w.house.MakeCampaign(r.ctx, r.viewer, r.form("key"), f.says())
	if f.Wrong = refusal(err); f.Wrong != nil {
		return w.campaignsWith(r, f)
	}
	return reply{redirect: "/console/campaigns/" + url.PathEscape(id)}, err
}

// campaignPage is one campaign.
type campaignPage struct {
	One       outreach.Campaign
	Days      []outreach.Day
	Effect    outreach.NudgeResult // of a nudge
	Asked     map[string]string    // the times of the effect
	Drawn     drawing
	Form      campaignForm
	Learner   string
	Standings []string // of which it has texts; one that is empty where there is one text for all
	Mails     []sampleMail
}

// Draft says whether it can be changed.
func (p campaignPage) Draft() bool { return p.One.State == outreach.Draft }

// Over says whether nothing can be done with it any more.
func (p campaignPage) Over() bool { return outreach.Life.Terminal(p.One.State) }

func (w *Web) campaign(r *request) (reply, error) { return w.campaignWith(r, nil) }

func (w *Web) campaignWith(r *request, refused *campaignForm) (reply, error) {
	d := campaignPage{Learner: strings.TrimSpace(r.query("learner")), Standings: []string{""}}
	var err error
	if d.One, d.Days, err = w.house.Campaign(r.ctx, r.viewer, r.param("id")); err != nil {
		return reply{}, err
	}
	if err = w.effectOf(r, &d); err != nil {
		return reply{}, err
	}
	if d.One.Text == nil {
		d.Standings = outreach.Standings()
	}
	for _, standing := range d.Standings {
		for _, lang := range languages {
			m, err := w.house.CampaignMail(r.ctx, r.viewer, d.One.ID, d.Learner, standing, lang)
			if err != nil {
				return reply{}, err
			}
			d.Mails = append(d.Mails, sampleMail{standing, lang, m})
		}
	}
	if d.Drawn, err = w.drawDays(r.lang, d.Days); err != nil {
		return reply{}, err
	}
	out := reply{page: "campaign", title: "outreach.one"}
	d.Form = formOf(d.One)
	if refused != nil {
		d.Form, out.status = *refused, kinds[refused.Wrong.Kind].status
	}
	d.Form.Written["version"] = strconv.Itoa(d.One.Version) // after a change by somebody else, to save again is to decide
	out.data = d
	return out, nil
}

// Both are the shares of two groups, for one cell after the other.
func (View) Both(a, b analytics.Rate) []analytics.Rate { return []analytics.Rate{a, b} }

// effectOf asks what a nudge did, as of the times of the address. A nudge announces nothing that one could enrol in.
func (w *Web) effectOf(r *request, d *campaignPage) error {
	if d.One.Kind != outreach.Nudge {
		return nil
	}
	d.Days, d.Asked = nil, map[string]string{}
	var times [2]time.Time
	for i, name := range []string{"as_of", "known_at"} {
		var err error
		d.Asked[name] = strings.TrimSpace(r.query(name))
		if times[i], err = dayOrInstant(d.Asked[name], name); err != nil {
			return err
		}
	}
	var err error
	d.Effect, err = w.house.NudgeEffect(r.ctx, r.viewer, d.One.ID, times[0], times[1])
	return err
}

// drawDays draws the enrolments of the days around a mailing.
func (w *Web) drawDays(lang string, days []outreach.Day) (drawing, error) {
	s := &say{w: w, lang: lang}
	b := chart.Bars{ID: "chart-days", Title: s.text("outreach.effect")}
	for _, d := range days {
		n := d.Mailed + d.Others
		label := fmt.Sprintf("%+d", d.Day)
		if d.Day == 0 { // the mailing is marked where it stands among the days
			label = s.text("outreach.effect.began")
		}
		b.Bars = append(b.Bars, chart.Bar{Label: label, Text: s.text("outreach.effect.bar", count(lang, n), count(lang, d.Mailed)), Value: &n})
	}
	if len(days) == 0 {
		return drawing{}, nil
	}
	all, err := s.drawings([]chart.Bars{b})
	if err != nil {
		return drawing{}, err
	}
	return all[0], nil
}

func (w *Web) changeCampaign(r *request) (reply, error) {
	id, f := r.param("id"), campaignWritten(r)
	var err error
	switch do := r.form("do"); do {
	case "save":
		var version int
		if version, err = strconv.Atoi(f.Written["version"]); err != nil {
			return reply{}, fault.InvalidInput(fault.Field{Pointer: "/version", Code: "bad-number", Detail: "It is no version."})
		}
		err = w.house.SaveCampaign(r.ctx, r.viewer, id, version, f.says())
	case "test":
		err = w.house.TestCampaign(r.ctx, r.viewer, r.form("key"), id)
	case "schedule":
		var at *time.Time
		if f.Written["at"] != "" {
			t, ok := instant(f.Written["at"], zone)
			if !ok {
				return reply{}, fault.InvalidInput(fault.Field{Pointer: "/at", Code: "bad-time", Detail: "A day and a time."})
			}
			at = &t
		}
		err = w.house.ScheduleCampaign(r.ctx, r.viewer, id, at)
	case "cancel":
		err = w.house.CancelCampaign(r.ctx, r.viewer, id)
	default:
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown", Detail: fmt.Sprintf("There is no %q here.", do)})
	}
	if wrong := refusedOrChanged(err, outreach.ErrChanged); wrong != nil && wrong.Kind != fault.NotFound {
		if r.form("do") != "save" {
			one, _, err := w.house.Campaign(r.ctx, r.viewer, id)
			if err != nil {
				return reply{}, err
			}
			f = formOf(one)
		}
		f.Wrong = wrong
		return w.campaignWith(r, &f)
	}
	return reply{redirect: "/console/campaigns/" + url.PathEscape(id)}, err
}

func (w *Web) campaignMail(r *request) (reply, error) {
	m, err := w.house.CampaignMail(r.ctx, r.viewer, r.param("id"), r.query("learner"), r.query("standing"), mailLang(r))
	return reply{file: &File{Name: "mail.html", ContentType: "text/html; charset=utf-8", Content: []byte(m.HTML)}, inline: true, policy: mailPolicy}, err
}

// recipientPage is who a campaign found.
type recipientPage struct {
	ID, State, Next string
	All             []outreach.Recipient
}

// States are those that recipients can be shown by.
func (recipientPage) States() []string { return outreach.RecipientStates() }

func (w *Web) campaignRecipients(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := recipientPage{ID: r.param("id"), State: r.query("state")}
	var next string
	d.All, next, err = w.house.CampaignRecipients(r.ctx, r.viewer, d.ID, d.State, p)
	d.Next = paging.Cursor(next)
	return reply{page: "campaign_people", title: "outreach.recipients", data: d}, err
}

// weeklyPage is the weekly mail of a session.
type weeklyPage struct {
	Session string
	Written map[string]string
	Wrong   *fault.Fault
	Saved   bool
}

// Standings are those that have a text.
func (weeklyPage) Standings() []string { return outreach.Standings() }

// Days are the days of a week.
func (weeklyPage) Days() []string { return []string{"1", "2", "3", "4", "5", "6", "7"} }

// Holes are what its words can say.
func (weeklyPage) Holes() string {
	return "{" + strings.Join(outreach.Placeholders(outreach.Weekly), "}, {") + "}"
}

func (w *Web) weekly(r *request) (reply, error) {
	m, err := w.house.WeeklyMail(r.ctx, r.viewer, r.param("session"))
	if err != nil {
		return reply{}, err
	}
	d := weeklyPage{Session: m.Session, Saved: r.query("saved") == "1", Written: map[string]string{"weekday": strconv.Itoa(m.Weekday), "hour": strconv.Itoa(m.Hour), "version": strconv.Itoa(m.Version)}}
	if m.Enabled {
		d.Written["enabled"] = "1"
	}
	for standing, t := range m.Texts {
		writeText(d.Written, standing+"_", t)
	}
	return reply{page: "weekly", title: "outreach.weekly", data: d}, nil
}

func (w *Web) saveWeekly(r *request) (reply, error) {
	d := weeklyPage{Session: r.param("session"), Written: map[string]string{}}
	for _, name := range []string{"enabled", "weekday", "hour", "version"} {
		d.Written[name] = strings.TrimSpace(r.form(name))
	}
	m := outreach.WeeklyMail{Enabled: d.Written["enabled"] == "1", Texts: map[string]outreach.Text{}}
	for _, standing := range outreach.Standings() {
		readText(r, d.Written, standing+"_")
		m.Texts[standing] = textOf(d.Written, standing+"_")
	}
	m.Weekday = slices.Index(weeklyPage{}.Days(), d.Written["weekday"]) + 1
	var err error
	if m.Hour, err = strconv.Atoi(d.Written["hour"]); err != nil {
		m.Hour = -1 // which the room refuses, with the place
	}
	version, err := strconv.Atoi(d.Written["version"])
	if err != nil || version < 0 {
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "/version", Code: "bad-number", Detail: "It is no version."})
	}
	err = w.house.SaveWeeklyMail(r.ctx, r.viewer, d.Session, version, m)
	if d.Wrong = refusedOrChanged(err, outreach.ErrChanged); d.Wrong != nil && d.Wrong.Kind != fault.NotFound {
		if now, err := w.house.WeeklyMail(r.ctx, r.viewer, d.Session); err == nil {
			d.Written["version"] = strconv.Itoa(now.Version) // after a change by somebody else, to save again is to decide
		}
		return reply{page: "weekly", title: "outreach.weekly", data: d, status: refusedAs(d.Wrong)}, nil
	}
	return reply{redirect: "/console/weekly/" + url.PathEscape(d.Session) + "?saved=1"}, err
}
