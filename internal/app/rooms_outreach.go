package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/outreach"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Campaigns lists campaigns.
func (r Rooms) Campaigns(ctx context.Context, _ api.Principal, kind, state string, p page.Request) (all []outreach.Campaign, next string, err error) {
	err = r.h.DB.View(ctx, "campaigns", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = outreach.CampaignsTx(ctx, tx, outreach.Kind(kind), outreach.State(state), p)
		return err
	})
	return all, next, err
}

// CreateCampaign makes a draft.
func (r Rooms) CreateCampaign(ctx context.Context, who api.Principal, key string, n outreach.NewCampaign) (outreach.Campaign, error) {
	id, err := r.once(ctx, who, key, "create campaign", n, func(ctx context.Context, tx *postgres.Tx) (string, error) { return outreach.CreateTx(ctx, tx, n) })
	if err != nil {
		return outreach.Campaign{}, err
	}
	return r.Campaign(ctx, who, id)
}

// Campaign finds a campaign.
func (r Rooms) Campaign(ctx context.Context, _ api.Principal, id string) (c outreach.Campaign, err error) {
	err = r.h.DB.View(ctx, "campaign", func(ctx context.Context, tx *postgres.Tx) error {
		c, err = outreach.CampaignTx(ctx, tx, id)
		return err
	})
	return c, err
}

// campaignTx does something with a campaign and gives it as it stands then.
func (r Rooms) campaignTx(ctx context.Context, name, id string, work func(ctx context.Context, tx *postgres.Tx) error) (c outreach.Campaign, err error) {
	err = r.h.DB.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		if err := work(ctx, tx); err != nil {
			return err
		}
		c, err = outreach.CampaignTx(ctx, tx, id)
		return err
	})
	return c, err
}

// PutCampaign rewrites a draft.
func (r Rooms) PutCampaign(ctx context.Context, _ api.Principal, id string, version int, n outreach.NewCampaign) (outreach.Campaign, error) {
	return r.campaignTx(ctx, "put campaign", id, func(ctx context.Context, tx *postgres.Tx) error { return outreach.ChangeTx(ctx, tx, id, version, n) })
}

// PreviewCampaign is a campaign as a learner gets it.
func (r Rooms) PreviewCampaign(ctx context.Context, _ api.Principal, id, learner, standing string) (p api.CampaignPreview, err error) {
	err = r.h.DB.View(ctx, "preview campaign", func(ctx context.Context, tx *postgres.Tx) error {
		both, err := outreach.PreviewTx(ctx, tx, id, learner, standing)
		if err != nil {
			return err
		}
		var first, second error
		p.EN, first = r.h.letters.Set(both.EN)
		p.FR, second = r.h.letters.Set(both.FR)
		return errors.Join(first, second)
	})
	return p, err
}

// TestCampaign has a campaign sent to the principal, once per key.
func (r Rooms) TestCampaign(ctx context.Context, who api.Principal, key, id string) (outreach.Campaign, error) {
	if _, err := r.once(ctx, who, key, "test campaign", id, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		return id, r.h.Outreach.AskTestTx(ctx, tx, id, who.PersonID, key)
	}); err != nil {
		return outreach.Campaign{}, err
	}
	return r.Campaign(ctx, who, id)
}

// ScheduleCampaign has a campaign sent.
func (r Rooms) ScheduleCampaign(ctx context.Context, _ api.Principal, id string, at *time.Time) (outreach.Campaign, error) {
	return r.campaignTx(ctx, "schedule campaign", id, func(ctx context.Context, tx *postgres.Tx) error { return r.h.Outreach.ScheduleTx(ctx, tx, id, at) })
}

// CancelCampaign ends a campaign.
func (r Rooms) CancelCampaign(ctx context.Context, _ api.Principal, id string) (outreach.Campaign, error) {
	return r.campaignTx(ctx, "cancel campaign", id, func(ctx context.Context, tx *postgres.Tx) error { return outreach.CancelTx(ctx, tx, id) })
}

// CampaignRecipients lists whom a campaign found.
func (r Rooms) CampaignRecipients(ctx context.Context, _ api.Principal, id, state string, p page.Request) (all []outreach.Recipient, next string, err error) {
	err = r.h.DB.View(ctx, "recipients", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = outreach.RecipientsTx(ctx, tx, id, state, p)
		return err
	})
	return all, next, err
}

// CampaignEnrolments are the enrolments around a campaign.
func (r Rooms) CampaignEnrolments(ctx context.Context, _ api.Principal, id string) (days []outreach.Day, err error) {
	err = r.h.DB.View(ctx, "campaign enrolments", func(ctx context.Context, tx *postgres.Tx) error {
		days, err = outreach.EffectTx(ctx, tx, id)
		return err
	})
	return days, err
}

// NudgeEffect says what a nudge did.
func (r Rooms) NudgeEffect(ctx context.Context, _ api.Principal, id string, asOf, knownAt time.Time) (effect outreach.NudgeResult, err error) {
	err = r.h.DB.View(ctx, "nudge effect", func(ctx context.Context, tx *postgres.Tx) error {
		effect, err = outreach.NudgeEffectTx(ctx, tx, id, asOf, knownAt)
		return err
	})
	return effect, err
}

// WeeklyMail is that of a session.
func (r Rooms) WeeklyMail(ctx context.Context, _ api.Principal, session string) (m outreach.WeeklyMail, err error) {
	err = r.h.DB.View(ctx, "weekly mail", func(ctx context.Context, tx *postgres.Tx) error {
		m, err = outreach.WeeklyTx(ctx, tx, session)
		m.Version++ // the entity tag of the one that is proposed is that of a first version
		return err
	})
	return m, err
}

// PutWeeklyMail rewrites it.
func (r Rooms) PutWeeklyMail(ctx context.Context, _ api.Principal, session string, version int, m outreach.WeeklyMail) (now outreach.WeeklyMail, err error) {
	version-- // see WeeklyMail; -1 is any
	err = r.h.DB.InTx(ctx, "put weekly mail", func(ctx context.Context, tx *postgres.Tx) error {
		if err := outreach.PutWeeklyTx(ctx, tx, session, version, m); err != nil {
			return err
		}
		now, err = outreach.WeeklyTx(ctx, tx, session)
		now.Version++
		return err
	})
	return now, err
}

// NudgeLearners reminds people on a list.
func (r Rooms) NudgeLearners(ctx context.Context, who api.Principal, key string, n outreach.NewNudge) (outreach.Campaign, error) {
	id, err := r.once(ctx, who, key, "nudge", n, func(ctx context.Context, tx *postgres.Tx) (string, error) { return r.h.Outreach.NudgeTx(ctx, tx, n) })
	if err != nil {
		return outreach.Campaign{}, err
	}
	return r.Campaign(ctx, who, id)
}

// RecordBounces takes a report on a mail in. Dead addresses are kept from staff: the house writes them down.
func (r Rooms) RecordBounces(ctx context.Context, _ api.Principal, report string) (n int, err error) {
	all, err := outreach.ReadBounces(strings.NewReader(report))
	if err != nil {
		return 0, err
	}
	err = r.h.DB.InTx(postgres.WithActor(ctx, "system"), "bounces", func(ctx context.Context, tx *postgres.Tx) error {
		if n, err = outreach.BouncesTx(ctx, tx, all); err != nil {
			return err
		}
		for _, b := range all { // who is invited may be nobody that outreach knows
			if !b.Hard {
				continue
			}
			some, err := cohorts.BouncedTx(ctx, tx, b.MessageID)
			if err != nil {
				return err
			}
			n = max(n, int(some))
		}
		return nil
	})
	return n, err
}

// MailPreferences are the mails that the principal gets.
func (r Rooms) MailPreferences(ctx context.Context, who api.Principal) (outreach.Preferences, error) {
	return r.h.Outreach.Preferences(ctx, who.PersonID)
}

// PutMailPreferences writes down which mails the principal wants.
func (r Rooms) PutMailPreferences(ctx context.Context, who api.Principal, p outreach.Preferences) (outreach.Preferences, error) {
	if err := r.h.Outreach.Prefer(ctx, who.PersonID, p); err != nil {
		return p, err
	}
	return r.MailPreferences(ctx, who)
}
