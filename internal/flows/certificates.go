package flows

import (
	"context"
	"errors"
	"strconv"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/webhooks"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// certificateAwarded prints the certificate, signs its badge, which a transcript has not, and sends the link to it.
func (h *House) certificateAwarded(ctx context.Context, e certificates.Awarded) error {
	if err := h.certificateNews(ctx, e.CertificateID, webhooks.CertificateIssued, ""); err != nil {
		return err
	}
	if err := h.Certificates.Print(ctx, e.CertificateID); err != nil {
		return err
	}
	failpoint.Here("certificate printed")
	c, err := h.Certificates.Certificate(ctx, e.CertificateID)
	if err != nil {
		return err
	}
	if _, err := h.Badges.Sign(ctx, c); err != nil && !errors.Is(err, certificates.ErrNoCertificate) { // she was erased meanwhile, or it is a transcript
		return err
	}
	name := "certificate"
	switch {
	case c.Facts.Transcript != nil:
		name = "transcript"
	case c.ReplacesID != "":
		name = "certificate_reissued"
	}
	return h.certificateMail(ctx, c, name, c.ID+".awarded", "")
}

// certificateRevoked tells that a certificate holds no more: its holder, and who hears of it. One that holds again meanwhile says nothing.
func (h *House) certificateRevoked(ctx context.Context, e certificates.Revoked) error {
	c, err := h.Certificates.Certificate(ctx, e.CertificateID)
	if err != nil || c.RevokedAt == nil {
		return err
	}
	if err := h.certificateNews(ctx, c.ID, webhooks.CertificateRevoked, strconv.FormatInt(c.RevokedAt.Unix(), 10)); err != nil {
		return err
	}
	return h.certificateMail(ctx, c, "certificate_revoked", c.ID+".revoked."+strconv.FormatInt(c.RevokedAt.Unix(), 10), c.RevokedReason)
}

// certificateReinstated tells that a certificate holds again.
func (h *House) certificateReinstated(ctx context.Context, e certificates.Reinstated) error {
	history, err := h.Certificates.History(ctx, e.CertificateID)
	if err != nil {
		return err
	}
	c, err := h.Certificates.Certificate(ctx, e.CertificateID)
	if err != nil || c.RevokedAt != nil {
		return err
	}
	since := strconv.FormatInt(history[len(history)-1].At.Unix(), 10)
	if err := h.certificateNews(ctx, c.ID, webhooks.CertificateIssued, since); err != nil {
		return err
	}
	return h.certificateMail(ctx, c, "certificate_reinstated", c.ID+".reinstated."+since, "")
}

func (h *House) certificateMail(ctx context.Context, c certificates.Certificate, name, reference, reason string) error {
	l := letter{name: name, reference: reference, person: c.LearnerID, session: c.SessionID, path: "/learning", facts: mails.Facts{Demo: c.Facts.Demo, Verify: c.Facts.VerificationURL, Reason: reason}}
	if l.session == "" {
		l.title = catalog.Text{EN: c.Facts.CourseTitle, FR: c.Facts.CourseTitle}
	}
	return h.post(ctx, l)
}

// certificateNews tells of a certificate, also that it was revoked, who had the enrolment when it was issued: what paid for it may be
// what was taken back. again tells it apart from the same news before.
func (h *House) certificateNews(ctx context.Context, id, kind, again string) error {
	return h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) {
		c, err := certificates.CertificateTx(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		n := webhooks.News{Type: kind, Cause: c.ID, At: c.IssuedAt}
		if again != "" {
			n.Cause += "." + again
		}
		d := webhooks.CertificateData{CertificateID: c.ID, Kind: c.Kind, LearnerID: c.LearnerID, Replaces: c.ReplacesID}
		if kind == webhooks.CertificateRevoked {
			d.Reason = c.RevokedReason
		}
		var all []webhooks.News
		if c.EnrolmentID != "" {
			all, err = aboutOne(ctx, tx, n, c.EnrolmentID, func(e webhooks.Enrolled) any {
				d.EnrolmentID, d.Session = e.ID, e.Session
				return d
			})
		} else {
			d.Edition = c.Facts.Session
			all, err = aboutEdition(ctx, tx, n, c, d)
		}
		if kind == webhooks.CertificateRevoked && len(all) == 1 && c.RevokedAt != nil {
			all[0].At = *c.RevokedAt
		}
		return all, err
	}, kind)
}

// aboutEdition tells of a certificate of a program whoever had one of its enrolments.
func aboutEdition(ctx context.Context, tx *postgres.Tx, n webhooks.News, c certificates.Certificate, d webhooks.CertificateData) ([]webhooks.News, error) {
	edition, err := programs.EditionTx(ctx, tx, c.EditionID)
	if err != nil {
		return nil, err
	}
	var mine []string
	for _, s := range edition.Sessions {
		e, ok, err := enrolment.FindTx(ctx, tx, c.LearnerID, s.SessionID)
		if err != nil {
			return nil, err
		}
		if ok {
			mine = append(mine, e.ID)
		}
	}
	owners, err := webhooks.OwnersOfEnrolmentsTx(ctx, tx, n.At, mine...)
	seen := map[string]bool{}
	for _, id := range mine {
		for _, o := range owners[id] {
			if !seen[o] {
				seen[o] = true
				n.Owners = append(n.Owners, o)
			}
		}
	}
	n.Data = d
	return []webhooks.News{n}, err
}

// certificateBatchDue judges the learners of a batch.
func (h *House) certificateBatchDue(ctx context.Context, e certificates.BatchDue) error {
	return h.Certificates.Work(ctx, e)
}
