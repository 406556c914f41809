package app

import (
	"context"
	"errors"
	"slices"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/labs"
	"cursus/internal/domain/lms"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/paths"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// steps are the stages that a learner sees of her way; the last ones only where her formula leads there.
var steps = []struct {
	code   string
	stages []journey.Stage // all of them; the last one tells when
	exam   bool
}{
	{"enrolled", []journey.Stage{journey.Enrolled}, false}, {"started", []journey.Stage{journey.Started}, false},
	{"diligent", []journey.Stage{journey.Week1First, journey.Week2First}, false}, {"succeeded", []journey.Stage{journey.Succeeded}, false},
	{"exam_booked", []journey.Stage{journey.ExamBooked}, true}, {"exam_passed", []journey.Stage{journey.ExamPassed}, true},
	{"certified", []journey.Stage{journey.Certified}, true},
}

// stepsOf says of each step whether it is reached, and when it was first.
func stepsOf(way journey.Row) []web.Step {
	out := make([]web.Step, len(steps))
	for i, step := range steps {
		x := web.Step{Code: step.code, Reached: true}
		for _, stage := range step.stages {
			x.Reached = x.Reached && way.State.Has(stage)
		}
		if x.Reached {
			x.At = way.First[step.stages[len(step.stages)-1]]
		}
		out[i] = x
	}
	return out
}

// reached lists the steps that hold.
func reached(way journey.Row) []web.Step {
	return slices.DeleteFunc(stepsOf(way), func(s web.Step) bool { return !s.Reached })
}

func stateOfEnrolment(e enrolment.Enrolment, way journey.Row) string {
	switch {
	case e.Revoked:
		return "revoked"
	case !way.State.Has(journey.Enrolled):
		return "left"
	case e.Hold == enrolment.HoldAll:
		return "suspended"
	}
	return "active"
}

// Learning shows a learner her enrolments.
func (p Pages) Learning(ctx context.Context, who web.Viewer) (out []web.Enrolment, err error) {
	err = p.h.DB.View(hers(ctx, who, "learning:read"), "my learning", func(ctx context.Context, tx *postgres.Tx) error {
		out = nil
		mine, err := enrolment.OfLearnerTx(ctx, tx, who.PersonID)
		if err != nil {
			return err
		}
		ids := make([]string, len(mine))
		for i, e := range mine {
			ids[i] = e.ID
		}
		ways, err := journey.RowsTx(ctx, tx, ids...)
		if err != nil {
			return err
		}
		grades, err := gradebook.GradesTx(ctx, tx, ids...)
		if err != nil {
			return err
		}
		awarded, err := certificates.OfEnrolmentsTx(ctx, tx, who.PersonID)
		if err != nil {
			return err
		}
		locked, err := paths.LockedTx(ctx, tx, who.PersonID)
		if err != nil {
			return err
		}
		var names map[string]web.Text
		if len(locked) > 0 {
			if names, err = courseNames(ctx, tx); err != nil {
				return err
			}
		}
		told, err := lms.StatesTx(ctx, tx, ids)
		if err != nil {
			return err
		}
		for _, e := range mine {
			x, err := p.enrolment(ctx, tx, e, ways[e.ID])
			if err != nil {
				return err
			}
			if lock, ok := locked[e.SessionID]; ok { // no link to a course that its program does not open yet, and exactly why
				x.Lock, x.CourseURL, x.Called = &lock, "", web.Called{Names: names}
			}
			x.LMSState = string(told[e.ID].State)
			if x.Labs, err = labs.StandingsTx(ctx, tx, e); err != nil {
				return err
			}
			if g, ok := grades[e.ID]; ok {
				x.GradePPM = &g
			}
			if e.Has(offers.Workshop) {
				x.Workshop.EnrolmentID = e.ID // the days are counted below, by the house
			}
			if c, ok := awarded[e.ID]; ok {
				x.Certificate = &web.Certificate{ID: c.ID, Code: c.Code, IssuedAt: c.IssuedAt, Revoked: c.RevokedAt != nil, Demo: c.Facts.Demo, LinkedIn: linkedIn(c)}
			}
			out = append(out, x)
		}
		return nil
	})
	for i, x := range out {
		if err == nil && x.Workshop.EnrolmentID != "" {
			out[i].Workshop, err = p.workshopOf(ctx, who, x.SessionKey)
		}
	}
	return out, err
}

func (p Pages) enrolment(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, way journey.Row) (out web.Enrolment, err error) {
	s, err := catalog.SessionTx(ctx, tx, e.SessionID)
	if err != nil {
		return out, err
	}
	out = web.Enrolment{
		ID: e.ID, Formula: e.Formula, State: stateOfEnrolment(e, way), SessionKey: s.Key, SessionTitle: text(s.Title()), OpenedAt: e.OpenedAt,
		ThresholdPPM: s.ThresholdPPM, CourseURL: s.CourseURL,
	}
	examined := e.Has(offers.ProctoredExam)
	for i, step := range stepsOf(way) {
		if !steps[i].exam || examined {
			out.Steps = append(out.Steps, step)
		}
	}
	if examined {
		d, sittings, err := exams.EligibilityTx(ctx, tx, e)
		if err != nil {
			return out, err
		}
		for _, c := range d.Conditions {
			out.Checks = append(out.Checks, checkOf(c))
		}
		if len(sittings) > 0 {
			out.Sitting = &web.Sitting{State: string(sittings[0].State), BookedAt: sittings[0].BookedAt}
		}
		if out.ExamSlots, err = exams.HasSlotsTx(ctx, tx, e.SessionID); err != nil {
			return out, err
		}
		out.CanBookExam = d.Eligible && (out.Sitting == nil || out.Sitting.State != string(exams.Booked))
		return out, nil
	}
	if s.StateAt(tx.Now()) != catalog.Open {
		return out, nil
	}
	all, err := offers.OfSessionTx(ctx, tx, s.ID)
	for _, o := range all {
		if o.Qualifying && o.ValidAt(tx.Now()) == nil {
			upgrade := pageOffer(o)
			out.Upgrade = &upgrade
		}
	}
	return out, err
}

func checkOf(c exams.Condition) web.Check {
	x := web.Check{Code: c.Code, Detail: c.Detail, Met: c.Met, Next: string(c.Next)}
	if !c.Met {
		x.At = c.At
	}
	return x
}

// OtherCertificates are those of a learner that no enrolment shows: attestations, and certificates of programs.
func (p Pages) OtherCertificates(ctx context.Context, who web.Viewer) (out []web.Certificate, err error) {
	err = p.h.DB.View(hers(ctx, who, "learning:read"), "my certificates", func(ctx context.Context, tx *postgres.Tx) error {
		all, err := certificates.OfLearnerTx(ctx, tx, who.PersonID)
		if err != nil {
			return err
		}
		out = nil
		for _, c := range all {
			if c.SittingID == "" {
				out = append(out, web.Certificate{ID: c.ID, Code: c.Code, IssuedAt: c.IssuedAt, Revoked: c.RevokedAt != nil, Demo: c.Facts.Demo, LinkedIn: linkedIn(c), Title: c.Facts.CourseTitle, Heading: c.Facts.Heading, Transcript: c.Facts.Transcript != nil})
			}
		}
		return nil
	})
	return out, err
}

// BookExam books the exam of an enrolment.
func (p Pages) BookExam(ctx context.Context, who web.Viewer, enrolmentID, key string) error {
	_, err := p.h.Exams.Book(ctx, exams.BookSitting{LearnerID: who.PersonID, EnrolmentID: enrolmentID, IdempotencyKey: key})
	return err
}

// CertificatePDF gives the document of a certificate to its holder and to staff.
func (p Pages) CertificatePDF(ctx context.Context, who web.Viewer, id string) (web.File, error) {
	pdf, err := p.h.Certificates.PDF(hers(ctx, who, "learning:read"), id)
	return web.File{Name: "certificate-" + id + ".pdf", ContentType: "application/pdf", Content: pdf}, err
}

// Verify tells anybody what a certificate says.
func (p Pages) Verify(ctx context.Context, code string) (web.Verification, error) {
	c, err := p.h.Certificates.Verify(ctx, code)
	if errors.Is(err, certificates.ErrNoCertificate) {
		return web.Verification{State: "unknown", Code: code}, nil
	}
	if err != nil {
		return web.Verification{}, err
	}
	f := c.Facts
	out := web.Verification{
		Code: c.Code, Heading: f.Heading, Partners: f.Partners, Signed: c.Signed, Program: c.EditionID != "", Holder: f.HolderName, Issuer: f.Issuer, Grade: f.Grade, CourseTitle: f.CourseTitle, SessionKey: f.Session,
		Formula: f.Formula, SHA256: c.SHA256, IssuedAt: c.IssuedAt, Demo: f.Demo, Transcript: f.Transcript,
	}
	switch out.State = c.State(); out.State {
	case certificates.StateRevoked:
		out.RevokedAt, out.RevokedReason = *c.RevokedAt, c.RevokedReason
	case certificates.StateReplaced:
		out.RevokedAt = *c.ReplacedAt
	}
	return out, nil
}
