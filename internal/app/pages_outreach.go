package app

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/outreach"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
	"cursus/templates/mails"
)

var errNoOutreach = fault.New(fault.Forbidden, "no-outreach", "Your roles do not let you write to learners.")

// outreachTx runs work of staff who may write to learners.
func (p Pages) outreachTx(ctx context.Context, who web.Viewer, name string, work func(ctx context.Context, tx *postgres.Tx) error) error {
	return p.h.DB.InTx(as(ctx, who), name, func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoOutreach, "outreach:write"); err != nil {
			return err
		}
		return work(ctx, tx)
	})
}

// UnsubscribeLink says what a link in a mail is about.
func (p Pages) UnsubscribeLink(ctx context.Context, token string) (outreach.Link, error) {
	return p.h.Outreach.Link(ctx, token)
}

// Unsubscribe ends the mails that a link is about.
func (p Pages) Unsubscribe(ctx context.Context, token string) (outreach.Link, error) {
	return p.h.Outreach.Unsubscribe(ctx, token)
}

// MailPreferences are the mails that the viewer gets.
func (p Pages) MailPreferences(ctx context.Context, who web.Viewer) (outreach.Preferences, error) {
	return p.h.Outreach.Preferences(ctx, who.PersonID)
}

// SaveMailPreferences writes down which mails the viewer wants.
func (p Pages) SaveMailPreferences(ctx context.Context, who web.Viewer, in outreach.Preferences) error {
	return p.h.Outreach.Prefer(ctx, who.PersonID, in)
}

// Campaigns lists campaigns.
func (p Pages) Campaigns(ctx context.Context, who web.Viewer, r page.Request) (all []outreach.Campaign, next string, err error) {
	err = p.outreachTx(ctx, who, "campaigns", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = outreach.CampaignsTx(ctx, tx, "", "", r)
		return err
	})
	return all, next, err
}

// Campaign finds one with its effect.
func (p Pages) Campaign(ctx context.Context, who web.Viewer, id string) (c outreach.Campaign, days []outreach.Day, err error) {
	err = p.outreachTx(ctx, who, "campaign", func(ctx context.Context, tx *postgres.Tx) error {
		if c, err = outreach.CampaignTx(ctx, tx, id); err != nil {
			return err
		}
		days, err = outreach.EffectTx(ctx, tx, id)
		return err
	})
	return c, days, err
}

// NudgeEffect says what a nudge did.
func (p Pages) NudgeEffect(ctx context.Context, who web.Viewer, id string, asOf, knownAt time.Time) (effect outreach.NudgeResult, err error) {
	err = p.outreachTx(ctx, who, "nudge effect", func(ctx context.Context, tx *postgres.Tx) error {
		effect, err = outreach.NudgeEffectTx(ctx, tx, id, asOf, knownAt)
		return err
	})
	return effect, err
}

// CampaignMail is one as a learner gets it.
func (p Pages) CampaignMail(ctx context.Context, who web.Viewer, id, learner, standing, lang string) (m mails.Mail, err error) {
	err = p.outreachTx(ctx, who, "campaign mail", func(ctx context.Context, tx *postgres.Tx) error {
		both, err := outreach.PreviewTx(ctx, tx, id, learner, standing)
		if err != nil {
			return err
		}
		m, err = p.h.letters.Set(both.In(lang))
		return err
	})
	return m, err
}

// CampaignRecipients lists whom one found.
func (p Pages) CampaignRecipients(ctx context.Context, who web.Viewer, id, state string, r page.Request) (all []outreach.Recipient, next string, err error) {
	err = p.outreachTx(ctx, who, "recipients", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = outreach.RecipientsTx(ctx, tx, id, state, r)
		return err
	})
	return all, next, err
}

// MakeCampaign makes a draft.
func (p Pages) MakeCampaign(ctx context.Context, who web.Viewer, key string, n outreach.NewCampaign) (id string, err error) {
	if err := p.outreachTx(ctx, who, "may write", func(context.Context, *postgres.Tx) error { return nil }); err != nil {
		return "", err
	}
	ctx = as(ctx, who)
	return NewRooms(p.h).once(ctx, api.Principal{Actor: postgres.Actor(ctx)}, key, "create campaign", n, func(ctx context.Context, tx *postgres.Tx) (string, error) { return outreach.CreateTx(ctx, tx, n) })
}

// SaveCampaign rewrites a draft.
func (p Pages) SaveCampaign(ctx context.Context, who web.Viewer, id string, version int, n outreach.NewCampaign) error {
	return p.outreachTx(ctx, who, "save campaign", func(ctx context.Context, tx *postgres.Tx) error { return outreach.ChangeTx(ctx, tx, id, version, n) })
}

// TestCampaign has one sent to the viewer.
func (p Pages) TestCampaign(ctx context.Context, who web.Viewer, key, id string) error {
	return p.outreachTx(ctx, who, "test campaign", func(ctx context.Context, tx *postgres.Tx) error {
		return p.h.Outreach.AskTestTx(ctx, tx, id, who.PersonID, key)
	})
}

// ScheduleCampaign has one sent.
func (p Pages) ScheduleCampaign(ctx context.Context, who web.Viewer, id string, at *time.Time) error {
	return p.outreachTx(ctx, who, "schedule campaign", func(ctx context.Context, tx *postgres.Tx) error { return p.h.Outreach.ScheduleTx(ctx, tx, id, at) })
}

// CancelCampaign ends one.
func (p Pages) CancelCampaign(ctx context.Context, who web.Viewer, id string) error {
	return p.outreachTx(ctx, who, "cancel campaign", func(ctx context.Context, tx *postgres.Tx) error { return outreach.CancelTx(ctx, tx, id) })
}

// WeeklyMail is that of a session.
func (p Pages) WeeklyMail(ctx context.Context, who web.Viewer, session string) (m outreach.WeeklyMail, err error) {
	err = p.outreachTx(ctx, who, "weekly mail", func(ctx context.Context, tx *postgres.Tx) error {
		m, err = outreach.WeeklyTx(ctx, tx, session)
		return err
	})
	return m, err
}

// SaveWeeklyMail rewrites it.
func (p Pages) SaveWeeklyMail(ctx context.Context, who web.Viewer, session string, version int, m outreach.WeeklyMail) error {
	return p.outreachTx(ctx, who, "save weekly mail", func(ctx context.Context, tx *postgres.Tx) error {
		return outreach.PutWeeklyTx(ctx, tx, session, version, m)
	})
}

// Listed counts the learners behind a number of a figure, and whom of them a reminder would reach: for who may read the list and write to people.
func (p Pages) Listed(ctx context.Context, who web.Viewer, list analytics.WhoDid) (reach outreach.Reach, err error) {
	people, err := p.listed(ctx, who, list)
	if err != nil {
		return reach, err
	}
	err = p.outreachTx(ctx, who, "reach", func(ctx context.Context, tx *postgres.Tx) error {
		reach, err = outreach.ReachTx(ctx, tx, people)
		return err
	})
	return reach, err
}

func (p Pages) listed(ctx context.Context, who web.Viewer, list analytics.WhoDid) (people []string, err error) {
	if !who.May("outreach:write") {
		return nil, errNoOutreach
	}
	for r := (page.Request{Limit: page.MaxLimit}); ; {
		some, next, err := p.learnersOf(ctx, who, list, r)
		if err != nil {
			return nil, err
		}
		people = append(people, some...)
		if r.After = next; next == "" {
			return people, nil
		}
	}
}

// learnersOf are the people of one page of a list.
func (p Pages) learnersOf(ctx context.Context, who web.Viewer, list analytics.WhoDid, r page.Request) (people []string, next string, err error) {
	if list.List != "" {
		all, next, err := p.ListedLearners(ctx, who, list.Listed(), r)
		for _, x := range all {
			people = append(people, x.LearnerID)
		}
		return people, next, err
	}
	all, next, err := p.Doers(ctx, who, list, r)
	for _, x := range all {
		people = append(people, x.LearnerID)
	}
	return people, next, err
}

// NudgeListed reminds the learners behind a number of a figure, and gives the mailing. Of a list over several sessions there is one for each, since what
// it does is measured in the session that it is about; the first is given. Who is on it in several gets one mail, about the first of them, and a session
// of which the list was reminded today is left out.
func (p Pages) NudgeListed(ctx context.Context, who web.Viewer, key string, list analytics.WhoDid, words outreach.Text, holdOut int) (string, error) {
	name := []rune(strings.Join([]string{p.h.Clock.Now().Format(time.DateOnly), list.Session, list.Mode + list.Band, list.CollectedAt.Format(time.DateOnly), list.Exercise + list.Stage}, " · "))
	if list.List != "" {
		name = []rune(strings.Join([]string{p.h.Clock.Now().Format(time.DateOnly), list.Session, list.List}, " · "))
	}
	rooms := NewRooms(p.h)
	if list.List != "" && list.Session == "" {
		all, err := p.nudgesOf(ctx, who, list, words, holdOut)
		if err != nil {
			return "", err
		}
		ctx, caller := asCaller(ctx, who)
		return rooms.once(ctx, caller, key, "nudges", all, func(ctx context.Context, tx *postgres.Tx) (first string, err error) {
			for _, n := range all {
				id, err := p.h.Outreach.NudgeTx(ctx, tx, n)
				if err != nil && !errors.Is(err, outreach.ErrDone) {
					return "", err
				}
				first = cmp.Or(first, id)
			}
			if first == "" {
				err = outreach.ErrDone
			}
			return first, err
		})
	}
	people, err := p.listed(ctx, who, list)
	if err != nil {
		return "", err
	}
	ctx, caller := asCaller(ctx, who)
	c, err := rooms.NudgeLearners(ctx, caller, key, outreach.NewNudge{List: string(name[:min(len(name), 150)]), Session: list.Session, People: people, Text: words, HoldOut: holdOut})
	return c.ID, err
}

// nudgesOf are the reminders of a list over several sessions, one for each that somebody is on it in, each person in one.
func (p Pages) nudgesOf(ctx context.Context, who web.Viewer, list analytics.WhoDid, words outreach.Text, holdOut int) (all []outreach.NewNudge, err error) {
	if !who.May("outreach:write") {
		return nil, errNoOutreach
	}
	place, written := map[string]int{}, map[string]bool{}
	for r := (page.Request{Limit: page.MaxLimit}); ; {
		some, next, err := p.ListedLearners(ctx, who, list.Listed(), r)
		if err != nil {
			return nil, err
		}
		for _, x := range some {
			if written[x.LearnerID] {
				continue
			}
			written[x.LearnerID] = true
			at, known := place[x.Session]
			if !known {
				at = len(all)
				place[x.Session] = at
				all = append(all, outreach.NewNudge{List: strings.Join([]string{p.h.Clock.Now().Format(time.DateOnly), x.Session, list.List}, " · "), Session: x.Session, Text: words, HoldOut: holdOut})
			}
			all[at].People = append(all[at].People, x.LearnerID)
		}
		if r.After = next; next == "" {
			break
		}
	}
	if len(all) == 0 {
		return nil, fault.InvalidInput(fault.Field{Pointer: "/people", Code: "bad-length", Detail: "Nobody is on the list."})
	}
	return all, nil
}
