package api

import (
	"context"
	"time"

	"cursus/internal/domain/outreach"
	"cursus/internal/kernel/page"
	"cursus/templates/mails"
)

// OutreachRooms is what the API asks of the house about mails that people may refuse.
type OutreachRooms interface {
	Campaigns(ctx context.Context, who Principal, kind, state string, p page.Request) (all []outreach.Campaign, next string, err error)
	// CreateCampaign makes a draft, once per key.
	CreateCampaign(ctx context.Context, who Principal, key string, n outreach.NewCampaign) (outreach.Campaign, error)
	Campaign(ctx context.Context, who Principal, id string) (outreach.Campaign, error)
	// PutCampaign takes the version that the caller read; 0 is any.
	PutCampaign(ctx context.Context, who Principal, id string, version int, n outreach.NewCampaign) (outreach.Campaign, error)
	PreviewCampaign(ctx context.Context, who Principal, id, learner, standing string) (CampaignPreview, error)
	TestCampaign(ctx context.Context, who Principal, key, id string) (outreach.Campaign, error)
	ScheduleCampaign(ctx context.Context, who Principal, id string, at *time.Time) (outreach.Campaign, error)
	CancelCampaign(ctx context.Context, who Principal, id string) (outreach.Campaign, error)
	CampaignRecipients(ctx context.Context, who Principal, id, state string, p page.Request) (all []outreach.Recipient, next string, err error)
	CampaignEnrolments(ctx context.Context, who Principal, id string) ([]outreach.Day, error)
	NudgeEffect(ctx context.Context, who Principal, id string, asOf, knownAt time.Time) (outreach.NudgeResult, error)
	WeeklyMail(ctx context.Context, who Principal, session string) (outreach.WeeklyMail, error)
	// PutWeeklyMail takes the version that the caller read; 0 is any.
	PutWeeklyMail(ctx context.Context, who Principal, session string, version int, m outreach.WeeklyMail) (outreach.WeeklyMail, error)
	// NudgeLearners reminds once per key, and once per list.
	NudgeLearners(ctx context.Context, who Principal, key string, n outreach.NewNudge) (outreach.Campaign, error)
	RecordBounces(ctx context.Context, who Principal, report string) (int, error)
	MailPreferences(ctx context.Context, who Principal) (outreach.Preferences, error)
	PutMailPreferences(ctx context.Context, who Principal, p outreach.Preferences) (outreach.Preferences, error)
}

// CampaignPreview is a mail in both languages.
type CampaignPreview struct{ EN, FR mails.Mail }
