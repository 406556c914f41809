package web

import (
	"context"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/outreach"
	paging "cursus/internal/kernel/page"
	"cursus/templates/mails"
)

// OutreachHouse is what the pages ask of the rooms about mails that people may refuse. Who may not do a thing is Forbidden.
type OutreachHouse interface {
	// UnsubscribeLink says what a link in a mail is about, and changes nothing; Unsubscribe ends such mails. Nobody signs in for either.
	UnsubscribeLink(ctx context.Context, token string) (outreach.Link, error)
	Unsubscribe(ctx context.Context, token string) (outreach.Link, error)
	MailPreferences(ctx context.Context, who Viewer) (outreach.Preferences, error)
	SaveMailPreferences(ctx context.Context, who Viewer, p outreach.Preferences) error

	Campaigns(ctx context.Context, who Viewer, p paging.Request) (all []outreach.Campaign, next string, err error)
	// Campaign finds one with the enrolments of the days around it.
	Campaign(ctx context.Context, who Viewer, id string) (outreach.Campaign, []outreach.Day, error)
	// NudgeEffect says what a nudge did, beside those who were held out; nothing of other campaigns.
	NudgeEffect(ctx context.Context, who Viewer, id string, asOf, knownAt time.Time) (outreach.NudgeResult, error)
	// CampaignMail is a campaign as a learner (an id; empty: nobody real) gets it, in a language; of a weekly mail the one for a standing.
	CampaignMail(ctx context.Context, who Viewer, id, learner, standing, lang string) (mails.Mail, error)
	CampaignRecipients(ctx context.Context, who Viewer, id, state string, p paging.Request) (all []outreach.Recipient, next string, err error)
	// MakeCampaign makes a draft, once per key; SaveCampaign writes one over the version that was read.
	MakeCampaign(ctx context.Context, who Viewer, key string, n outreach.NewCampaign) (id string, err error)
	SaveCampaign(ctx context.Context, who Viewer, id string, version int, n outreach.NewCampaign) error
	// TestCampaign has it sent to the viewer, once per key.
	TestCampaign(ctx context.Context, who Viewer, key, id string) error
	ScheduleCampaign(ctx context.Context, who Viewer, id string, at *time.Time) error
	CancelCampaign(ctx context.Context, who Viewer, id string) error
	// Listed counts the learners behind a number of a figure, and whom of them a reminder would reach; NudgeListed reminds them, once per key and once a day for each list.
	Listed(ctx context.Context, who Viewer, list analytics.WhoDid) (outreach.Reach, error)
	NudgeListed(ctx context.Context, who Viewer, key string, list analytics.WhoDid, text outreach.Text, holdOut int) (id string, err error)

	WeeklyMail(ctx context.Context, who Viewer, session string) (outreach.WeeklyMail, error)
	SaveWeeklyMail(ctx context.Context, who Viewer, session string, version int, m outreach.WeeklyMail) error
}

// outreachRoutes are the addresses of these pages.
func (w *Web) outreachRoutes() []route {
	return []route{
		{method: "GET", path: "/unsubscribe/:token", who: anybody, handle: w.unsubscribePage},
		{method: "POST", path: "/unsubscribe/:token", who: anybody, handle: w.unsubscribe, oneClick: true},
		{method: "GET", path: "/preferences", who: signedIn, handle: w.preferences},
		{method: "POST", path: "/preferences", who: signedIn, handle: w.savePreferences},
		{method: "GET", path: "/console/campaigns", who: staff, handle: w.campaigns},
		{method: "POST", path: "/console/campaigns", who: staff, handle: w.makeCampaign, large: true},
		{method: "GET", path: "/console/campaigns/:id", who: staff, handle: w.campaign},
		{method: "POST", path: "/console/campaigns/:id", who: staff, handle: w.changeCampaign, large: true},
		{method: "GET", path: "/console/campaigns/:id/mail.html", who: staff, handle: w.campaignMail},
		{method: "GET", path: "/console/campaigns/:id/recipients", who: staff, handle: w.campaignRecipients},
		{method: "GET", path: "/console/nudges", who: staff, handle: w.nudgePage},
		{method: "POST", path: "/console/nudges", who: staff, handle: w.nudge, large: true},
		{method: "GET", path: "/console/weekly/:session", who: staff, handle: w.weekly},
		{method: "POST", path: "/console/weekly/:session", who: staff, handle: w.saveWeekly, large: true},
	}
}
