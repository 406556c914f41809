package progress

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Faults of the digest by mail.
var (
	ErrNoLink    = fault.New(fault.NotFound, "no-such-link", "This link is not one of ours.")
	ErrNoAddress = fault.New(fault.Unprocessable, "no-address", "There is no address to send it to.")
)

// Reads says whether somebody gets the weekly digest of a group by mail. Errors: those of openTx.
func (s *Service) Reads(ctx context.Context, personID, groupID string) (wanted bool, err error) {
	err = s.db.View(asSystem(ctx), "reads digest", func(ctx context.Context, tx *postgres.Tx) error {
		if _, _, err := openTx(ctx, tx, personID, groupID); err != nil {
			return err
		}
		return tx.Get(ctx, &wanted, q.Q("Reads"), groupID, personID)
	})
	return wanted, err
}

// Read notes that somebody wants the weekly digest of a group by mail, or does so no more. Errors: those of openTx, ErrNoAddress.
func (s *Service) Read(ctx context.Context, personID, groupID string, wanted bool) error {
	return s.db.InTx(asSystem(ctx), "read digest", func(ctx context.Context, tx *postgres.Tx) error {
		if _, _, err := openTx(ctx, tx, personID, groupID); err != nil {
			return err
		}
		p, err := identity.PersonTx(ctx, tx, personID)
		if err != nil {
			return err
		}
		if p.Email == "" && wanted {
			return ErrNoAddress
		}
		return readTx(ctx, tx, groupID, personID, wanted)
	})
}

func readTx(ctx context.Context, tx *postgres.Tx, groupID, personID string, wanted bool) error {
	var was bool
	if err := tx.Get(ctx, &was, q.Q("Reads"), groupID, personID); err != nil || was == wanted {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("PutReader"), groupID, personID, wanted, tx.Now()); err != nil {
		return err
	}
	action := "digest.refused"
	if wanted {
		action = "digest.wanted"
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: groupID, Detail: map[string]string{"person": personID}, Before: map[string]bool{"wanted": was}, After: map[string]bool{"wanted": wanted}})
}

// token is what a link to unsubscribe carries: which mail it was in, and our signature. It needs no sign-in and does not expire: it takes away,
// and gives nothing.
func (s *Service) token(digestID string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(digestID))
	return digestID + "-" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// Link is what a link to unsubscribe is about.
type Link struct {
	Group   Group
	Refused bool // she gets it no more
}

// Link says what a link to unsubscribe is about, and changes nothing: programs that look for viruses open every link in a mail. Error:
// ErrNoLink.
func (s *Service) Link(ctx context.Context, token string) (l Link, err error) {
	err = s.db.View(asSystem(ctx), "link of a digest", func(ctx context.Context, tx *postgres.Tx) error {
		l, _, err = s.linkTx(ctx, tx, token)
		return err
	})
	return l, err
}

// Unsubscribe ends the digests of the group in whose mail the link was, for who got it. Again it does nothing. Error: ErrNoLink.
func (s *Service) Unsubscribe(ctx context.Context, token string) (l Link, err error) {
	err = s.db.InTx(asSystem(ctx), "unsubscribe from a digest", func(ctx context.Context, tx *postgres.Tx) error {
		var personID string
		if l, personID, err = s.linkTx(ctx, tx, token); err != nil {
			return err
		}
		l.Refused = true
		return readTx(ctx, tx, l.Group.ID, personID, false)
	})
	return l, err
}

func (s *Service) linkTx(ctx context.Context, tx *postgres.Tx, token string) (l Link, personID string, err error) {
	id, _, found := strings.Cut(token, "-")
	if !found || !hmac.Equal([]byte(s.token(id)), []byte(token)) {
		return l, "", ErrNoLink
	}
	d, err := mailTx(ctx, tx, "MailOfLink", id)
	if err != nil {
		return l, "", err
	}
	l.Refused = !d.Wanted
	l.Group, err = groupTx(ctx, tx, d.GroupID)
	return l, d.PersonID, err
}
