package outreach

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"cursus/internal/domain/privacy"
	"cursus/internal/platform/postgres"
)

// token is what a link to unsubscribe carries: whose mail it was in, and our signature. It needs no sign-in and does not expire: it takes
// away, and gives nothing.
func (s *Service) token(recipientID string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(recipientID))
	return recipientID + "-" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// opened gives the recipient of a token. Error: ErrNoLink.
func (s *Service) opened(token string) (string, error) {
	id, _, found := strings.Cut(token, "-")
	if !found || !hmac.Equal([]byte(s.token(id)), []byte(token)) {
		return "", ErrNoLink
	}
	return id, nil
}

// Link is what a link to unsubscribe is about.
type Link struct {
	Kind     Kind   `db:"kind"`
	PersonID string `db:"person_id"`
	Refused  bool   `db:"-"` // she refuses such mails now
}

// Purpose is what she refuses with it.
func (l Link) Purpose() string { return l.Kind.purpose() }

// Link says what a link to unsubscribe is about, and changes nothing: programs that look for viruses open every link in a mail. Error:
// ErrNoLink.
func (s *Service) Link(ctx context.Context, token string) (l Link, err error) {
	err = s.db.View(asSystem(ctx), "link to unsubscribe", func(ctx context.Context, tx *postgres.Tx) error {
		l, err = s.linkTx(ctx, tx, token)
		return err
	})
	return l, err
}

func (s *Service) linkTx(ctx context.Context, tx *postgres.Tx, token string) (Link, error) {
	id, err := s.opened(token)
	if err != nil {
		return Link{}, err
	}
	var rows []Link
	if err := tx.Select(ctx, &rows, q.Q("Link"), id); err != nil {
		return Link{}, err
	}
	if len(rows) == 0 {
		return Link{}, ErrNoLink
	}
	words, err := privacy.WordsTx(ctx, tx, rows[0].Purpose(), rows[0].PersonID)
	yes, said := words[rows[0].PersonID]
	rows[0].Refused = said && !yes
	return rows[0], err
}

// Unsubscribe ends the mails of the kind in which the link was, for who got it. Again it does nothing. Error: ErrNoLink.
func (s *Service) Unsubscribe(ctx context.Context, token string) (l Link, err error) {
	err = s.db.InTx(asSystem(ctx), "unsubscribe", func(ctx context.Context, tx *postgres.Tx) error {
		if l, err = s.linkTx(ctx, tx, token); err != nil {
			return err
		}
		id, err := s.opened(token)
		if err != nil {
			return err
		}
		if err := privacy.SayTx(ctx, tx, l.PersonID, l.Purpose(), false); err != nil {
			return err
		}
		l.Refused = true
		_, err = tx.Exec(ctx, q.Q("Unsubscribed"), id, tx.Now())
		return err
	})
	return l, err
}

// Preferences are the mails that somebody gets, as things stand.
type Preferences struct {
	News     bool `json:"news"`          // announcements
	Progress bool `json:"progress_mail"` // the weekly mail
	Nudges   bool `json:"nudges"`        // reminders
}

// Preferences say which mails somebody gets.
func (s *Service) Preferences(ctx context.Context, personID string) (p Preferences, err error) {
	err = s.db.View(asSystem(ctx), "mail preferences", func(ctx context.Context, tx *postgres.Tx) error {
		who, err := audienceTx(ctx, tx, []string{personID})
		if err != nil || len(who) == 0 {
			return err
		}
		for purpose, gets := range p.parts() {
			words, err := privacy.WordsTx(ctx, tx, purpose, personID)
			if err != nil {
				return err
			}
			yes, said := words[personID]
			*gets = yes || !said && who[0].Customer
		}
		return nil
	})
	return p, err
}

func (p *Preferences) parts() map[string]*bool {
	return map[string]*bool{privacy.News: &p.News, privacy.ProgressMail: &p.Progress, privacy.Nudges: &p.Nudges}
}

// Prefer writes down which mails somebody wants. Each is her word from now on. Error: ErrNobody for what is no person, such as a client.
func (s *Service) Prefer(ctx context.Context, personID string, p Preferences) error {
	return s.db.InTx(asSystem(ctx), "prefer mails", func(ctx context.Context, tx *postgres.Tx) error {
		who, err := audienceTx(ctx, tx, []string{personID})
		if err != nil {
			return err
		}
		if len(who) == 0 {
			return ErrNobody
		}
		for _, purpose := range []string{privacy.News, privacy.ProgressMail, privacy.Nudges} {
			if err := privacy.SayTx(ctx, tx, personID, purpose, *p.parts()[purpose]); err != nil {
				return err
			}
		}
		return nil
	})
}
