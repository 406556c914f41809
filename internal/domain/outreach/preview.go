package outreach

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Preview is a mail of a campaign as somebody would get it, in words.
type Preview struct{ EN, FR Letter }

// In gives the one in a language.
func (p Preview) In(lang string) Letter {
	if lang == "fr" {
		return p.FR
	}
	return p.EN
}

// PreviewTx writes a campaign as a learner would get it, in both languages; of a weekly mail, the one for a standing. Without a learner it
// is one of no real person. Errors: ErrNoCampaign, ErrNoLearner.
func PreviewTx(ctx context.Context, tx *postgres.Tx, id, learner, standing string) (p Preview, err error) {
	c, err := CampaignTx(ctx, tx, id)
	if err != nil {
		return p, err
	}
	name := "Awa N’Diaye"
	if learner != "" {
		who, err := identity.PersonTx(ctx, tx, learner)
		if err != nil {
			return p, ErrNoLearner
		}
		name = who.FullName
	}
	about, err := subjectTx(ctx, tx, c.About)
	if err != nil {
		return p, err
	}
	about.path = c.path(about.path, sample)
	for lang, l := range map[string]*Letter{"en": &p.EN, "fr": &p.FR} {
		l.ID, l.Lang, l.Kind, l.Path = id, lang, c.Kind, about.path
		l.Subject, l.Paragraphs, l.Button = c.texts[standing].In(lang).fill(about.values(name, lang, sample))
	}
	return p, nil
}

// sample is what a preview says of progress.
var sample = Facts{Week: 3, Next: []string{"Homework 5", "Homework 6"}, Missing: 2}

// AskTestTx has a campaign sent to who asks, in both languages. Errors: ErrNoCampaign, ErrNoAddress.
func (s *Service) AskTestTx(ctx context.Context, tx *postgres.Tx, id, personID, nonce string) error {
	if _, err := CampaignTx(ctx, tx, id); err != nil {
		return err
	}
	who, err := identity.PersonTx(ctx, tx, personID)
	if err != nil {
		return err
	}
	if who.Email == "" {
		return ErrNoAddress
	}
	if err := s.jobs.EnqueueTx(ctx, tx, TestAsked{id, personID, nonce}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "campaign.tested", Object: id})
}

// Test gives the mails of a test.
func (s *Service) Test(ctx context.Context, e TestAsked) (all []Letter, err error) {
	err = s.db.View(asSystem(ctx), "test of a campaign", func(ctx context.Context, tx *postgres.Tx) error {
		who, err := identity.PersonTx(ctx, tx, e.PersonID)
		if err != nil {
			return err
		}
		c, err := CampaignTx(ctx, tx, e.CampaignID)
		if err != nil {
			return err
		}
		all = nil
		for standing := range c.texts {
			p, err := PreviewTx(ctx, tx, e.CampaignID, e.PersonID, standing)
			if err != nil {
				return err
			}
			for _, l := range []Letter{p.EN, p.FR} {
				l.To, l.ID = who.Email, e.CampaignID+"."+e.Nonce+"."+l.Lang+standing
				all = append(all, l)
			}
		}
		return nil
	})
	return all, err
}
