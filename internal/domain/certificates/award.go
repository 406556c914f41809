package certificates

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// codeBytes is the length of a certificate's code: 128 random bits.
const codeBytes = 16

// Award gives the certificate that a passed sitting has earned, once; one that a review took back holds again. Errors: exams.ErrNoSitting, ErrNotEarned.
func (s *Service) Award(ctx context.Context, sittingID string) (c Certificate, err error) {
	err = s.db.InTx(ctx, "award", func(ctx context.Context, tx *postgres.Tx) error {
		x, err := exams.SittingTx(ctx, tx, sittingID)
		if err != nil {
			return err
		}
		if _, err := enrolment.LockTx(ctx, tx, x.EnrolmentID); err != nil {
			return err
		}
		c, err = one(ctx, tx, "OfSitting", x.ID)
		if err == nil && x.State == exams.Passed {
			c, err = s.againTx(ctx, tx, c)
		}
		if !errors.Is(err, ErrNoCertificate) {
			return err
		}
		if x.State != exams.Passed || !x.Kind.Counts() {
			return ErrNotEarned
		}
		k, err := kindTx(ctx, tx, Qualifying)
		if err != nil {
			return err
		}
		c, err = s.awardTx(ctx, tx, subject{kind: k, learnerID: x.LearnerID, sessionID: x.SessionID}, false)
		return err
	})
	return c, err
}

// Earned names what somebody may have earned. Session and Edition are keys or ids; the kind says which of the two is asked for.
type Earned struct {
	Kind      string `json:"kind"`
	LearnerID string `json:"learner_id"`
	Session   string `json:"session"`
	Edition   string `json:"edition"`
}

// AwardOne gives a learner a certificate that she has earned, or a transcript as it stands now, once per key. Errors: ErrNoKind, ErrNotEarned, ErrNotCosigned, ErrExists; who or what
// is not there is that room's.
func (s *Service) AwardOne(ctx context.Context, key string, e Earned) (Certificate, error) {
	return s.give(ctx, postgres.Actor(ctx), key, e)
}

// subject is of what, and to whom, a certificate is given.
type subject struct {
	kind                            Kind
	learnerID, sessionID, editionID string
}

// subjectTx finds the session or the edition that a kind is of.
func subjectTx(ctx context.Context, tx *postgres.Tx, e Earned) (subject, error) {
	k, err := kindTx(ctx, tx, e.Kind)
	if err != nil {
		return subject{}, err
	}
	what := subject{kind: k, learnerID: e.LearnerID}
	if k.Subject == OfEdition {
		if e.Edition == "" || e.Session != "" {
			return what, fault.InvalidInput(fault.Field{Pointer: "/edition", Code: "required", Detail: "A certificate of this kind is of an edition."})
		}
		edition, err := programs.EditionTx(ctx, tx, e.Edition)
		what.editionID = edition.ID
		return what, err
	}
	if e.Session == "" || e.Edition != "" {
		return what, fault.InvalidInput(fault.Field{Pointer: "/session", Code: "required", Detail: "A certificate of this kind is of a session."})
	}
	session, err := catalog.SessionTx(ctx, tx, e.Session)
	what.sessionID = session.ID
	return what, err
}

// awardTx judges whether a certificate is earned and gives it. Whoever calls has to be ready for ErrExists.
func (s *Service) awardTx(ctx context.Context, tx *postgres.Tx, what subject, bulk bool) (Certificate, error) {
	c, err := s.draftTx(ctx, tx, what)
	if err != nil {
		return c, err
	}
	var live []string
	if err := tx.Select(ctx, &live, q.Q("Live"), c.LearnerID, c.Kind, c.SessionID+c.EditionID); err != nil {
		return c, err
	}
	if len(live) > 0 {
		return c, ErrExists
	}
	return c, s.keepTx(ctx, tx, c, what.kind, "", bulk)
}

// draftTx judges whether a certificate is earned and says everything that is printed of it.
func (s *Service) draftTx(ctx context.Context, tx *postgres.Tx, what subject) (Certificate, error) {
	c := Certificate{ID: ident.New("cer"), Kind: what.kind.Key, LearnerID: what.learnerID, SessionID: what.sessionID, EditionID: what.editionID, Code: ident.Secret(codeBytes), IssuedAt: tx.Now()}
	person, err := identity.PersonTx(ctx, tx, what.learnerID)
	if err != nil {
		return c, err
	}
	k := what.kind
	c.Facts = CertificateFacts{
		Kind: k.Key, Heading: k.Heading.In(person.Lang), Reason: k.Reason.In(person.Lang), HolderName: person.FullName, IssuedAt: c.IssuedAt, Code: c.Code,
		VerificationURL: s.issuer.BaseURL + "/verify/" + c.Code, Signatory: s.issuer.Signatory, Language: person.Lang, Demo: s.demo,
	}
	var partners []string
	if k.Subject == OfEdition {
		partners, err = s.editionFactsTx(ctx, tx, what, &c.Facts)
	} else {
		err = sessionFactsTx(ctx, tx, what, &c)
	}
	if err != nil {
		return c, err
	}
	design, err := designTx(ctx, tx, k, partners)
	if err != nil {
		return c, err
	}
	c.Facts.Issuer, c.Facts.Look = s.issuerOf(design), design.look(person.Lang)
	return c, nil
}

// sessionFactsTx judges a certificate of a session and says what is printed of it.
func sessionFactsTx(ctx context.Context, tx *postgres.Tx, what subject, c *Certificate) error {
	e, ok, err := enrolment.FindTx(ctx, tx, what.learnerID, what.sessionID)
	if err != nil {
		return err
	}
	if !ok {
		return enrolment.ErrNoEnrolment
	}
	if e, err = enrolment.LockTx(ctx, tx, e.ID); err != nil {
		return err
	}
	k := what.kind
	if k.Entitlement != "" && !e.Has(k.Entitlement) || e.Revoked {
		return ErrNotEarned
	}
	ways, err := journey.RowsTx(ctx, tx, e.ID)
	if err != nil {
		return err
	}
	ppm := 0
	if k.Stage == ExamPassed {
		sittings, err := exams.OfEnrolmentTx(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		for _, x := range sittings {
			if x.State == exams.Passed && x.Kind.Counts() && c.SittingID == "" {
				c.SittingID, ppm = x.ID, *x.ScorePPM
			}
		}
		if c.SittingID == "" {
			return ErrNotEarned
		}
	} else if !ways[e.ID].State.Has(journey.Succeeded) || !ways[e.ID].State.Has(journey.Enrolled) {
		return ErrNotEarned
	} else {
		grades, err := gradebook.GradesTx(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		ppm = grades[e.ID]
	}
	if k.Workshops { // attendance or a production may have been corrected since the exam was booked
		done, err := workshops.CompletionTx(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		if !done[e.ID].Complete() {
			return ErrNotEarned
		}
	}
	session, err := catalog.SessionTx(ctx, tx, e.SessionID)
	if err != nil {
		return err
	}
	course, err := catalog.CourseTx(ctx, tx, session.CourseKey)
	if err != nil {
		return err
	}
	c.EnrolmentID = e.ID
	f := &c.Facts
	f.CourseTitle, f.Session, f.Formula, f.Grade = course.Title.In(f.Language), session.Key, e.Formula, percent(ppm, f.Language)
	return nil
}

// editionFactsTx judges a certificate of a program and says what is printed of it. It gives the organisations that certify together with us, by key.
func (s *Service) editionFactsTx(ctx context.Context, tx *postgres.Tx, what subject, f *CertificateFacts) (partners []string, err error) {
	members, err := enrolment.MembershipsInTx(ctx, tx, what.learnerID, what.editionID)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if what.kind.Entitlement == "" || slices.Contains(m.Entitlements, what.kind.Entitlement) {
			f.Formula = m.Formula
			break
		}
	}
	if f.Formula == "" && what.kind.Stage == Followed {
		return nil, paths.ErrNotMember
	}
	if f.Formula == "" {
		return nil, ErrNotEarned
	}
	way, err := paths.OfLearnerTx(ctx, tx, what.learnerID, what.editionID)
	if err != nil {
		return nil, err
	}
	if what.kind.Stage == Followed {
		f.Transcript, err = transcriptTx(ctx, tx, what.kind, way)
	} else if !way.Path.Complete {
		err = ErrNotEarned
	}
	if err != nil {
		return nil, err
	}
	for _, o := range way.Content.Organisations {
		if o != s.issuer.Code && o != s.issuer.Name {
			partners = append(partners, o)
		}
	}
	if len(partners) == 0 && way.Edition.Partner != "" {
		partners = []string{way.Edition.Partner}
	}
	if what.kind.Cosigned && len(partners) == 0 {
		return nil, ErrNotCosigned
	}
	f.CourseTitle, f.Session = way.Content.Title.In(f.Language), way.Edition.Key
	f.Hours, f.ECTSHundredths = way.Path.HoursDone, way.Path.ECTSDone
	f.Partners, err = organisationsTx(ctx, tx, partners)
	return partners, err
}

// organisationsTx are the names of organisations, each once, in the order asked for. One that is not ours is named by what it is called there.
func organisationsTx(ctx context.Context, tx *postgres.Tx, keys []string) (names []string, err error) {
	var known []struct {
		Key  string `db:"key"`
		Name string `db:"name"`
	}
	if err := tx.Select(ctx, &known, q.Q("Organisations"), pq.Array(keys)); err != nil {
		return nil, err
	}
	called := map[string]string{}
	for _, o := range known {
		called[o.Key] = o.Name
	}
	seen := map[string]bool{"": true}
	for _, k := range keys {
		name := k
		if called[k] != "" {
			name = called[k]
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, nil
}

// designTx is the design that a certificate is printed with: that of the first partner that has one, else that of the kind, else the house's own.
func designTx(ctx context.Context, tx *postgres.Tx, k Kind, partners []string) (Design, error) {
	if len(partners) > 0 {
		if l, err := oneLayout(ctx, tx, "LayoutOfOrganisation", pq.Array(partners)); !errors.Is(err, ErrNoLayout) {
			return l.Design, err
		}
	}
	if k.LayoutID == "" {
		return Design{}, nil
	}
	l, err := layoutTx(ctx, tx, k.LayoutID)
	return l.Design, err
}

// keepTx stores a certificate with everything that follows from it.
func (s *Service) keepTx(ctx context.Context, tx *postgres.Tx, c Certificate, k Kind, reason string, bulk bool) error {
	facts, err := json.Marshal(c.Facts)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("Add"), c.ID, c.Kind, k.Stage, k.Entitlement, c.EnrolmentID, c.LearnerID, c.SessionID, c.EditionID, c.SittingID, c.Code, string(facts), c.IssuedAt, c.ReplacesID); err != nil {
		return err
	}
	if err := changeTx(ctx, tx, c.ID, "awarded", reason); err != nil {
		return err
	}
	if k.Stage == ExamPassed && c.ReplacesID == "" {
		if err := journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: c.EnrolmentID, Stage: journey.Certified, At: tx.Now(), Reached: true, Cause: c.ID}}); err != nil {
			return err
		}
	}
	if err := s.jobs.EnqueueTx(ctx, tx, Awarded{CertificateID: c.ID, Bulk: bulk}); err != nil {
		return err
	}
	detail := map[string]string{"kind": c.Kind}
	if c.SittingID != "" {
		detail["sitting"] = c.SittingID
	}
	if c.ReplacesID != "" {
		detail["replaces"] = c.ReplacesID
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate.awarded", Object: c.ID, Detail: detail})
}

// changeTx notes what happened to a certificate.
func changeTx(ctx context.Context, tx *postgres.Tx, id, change, reason string) error {
	_, err := tx.Exec(ctx, q.Q("Change"), id, change, reason, postgres.Author(ctx), tx.Now())
	return err
}

// percent prints millionths as whole per cents, rounded down: nobody is given a grade that she did not reach.
func percent(ppm int, lang string) string {
	if lang == "fr" {
		return fmt.Sprintf("%d\u00a0%%", ppm/10_000)
	}
	return fmt.Sprintf("%d %%", ppm/10_000)
}

// leadsTx says whether a formula in force still leads to a certificate that was awarded; held is one that an unpaid instalment holds back.
func leadsTx(ctx context.Context, tx *postgres.Tx, c Certificate) (leads, held bool, err error) {
	if c.EnrolmentID != "" {
		e, err := enrolment.LockTx(ctx, tx, c.EnrolmentID)
		return c.entitlement == "" || e.Has(c.entitlement), e.Hold != enrolment.NoHold, err
	}
	members, err := enrolment.MembershipsInTx(ctx, tx, c.LearnerID, c.EditionID)
	for _, m := range members {
		leads = leads || c.entitlement == "" || slices.Contains(m.Entitlements, c.entitlement)
	}
	return leads, false, err
}
