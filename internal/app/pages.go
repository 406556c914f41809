package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/lms"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/paths"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// Pages is the house as the pages ask it.
type Pages struct{ h *House }

var _ web.House = Pages{}

// NewPages gives the door of the pages to a house.
func NewPages(h *House) Pages { return Pages{h} }

// mayTx refuses who has none of some scopes.
func mayTx(ctx context.Context, tx *postgres.Tx, who web.Viewer, refused error, scopes ...string) error {
	for _, scope := range scopes {
		if may, err := identity.MayTx(ctx, tx, who.PersonID, scope); err != nil || may {
			return err
		}
	}
	return refused
}

// as gives the context of somebody who looks; the public sees what everybody sees.
func as(ctx context.Context, who web.Viewer) context.Context {
	switch {
	case who.Staff && !who.Desk:
		return postgres.WithActor(ctx, "staff:"+who.PersonID)
	case who.Known():
		return postgres.WithActor(ctx, "learner:"+who.PersonID)
	}
	return ctx
}

// hers is as for the pages on which people look after what is their own: staff reach what is others' there with the scopes with which the
// API lets them, and are learners otherwise.
func hers(ctx context.Context, who web.Viewer, scope string) context.Context {
	if p := (api.Principal{Desk: who.Desk, Scopes: who.Scopes}); who.Known() && !p.Reaches(scope) {
		return postgres.WithActor(ctx, "learner:"+who.PersonID)
	}
	return as(ctx, who)
}

func text(t catalog.Text) web.Text { return web.Text{EN: t.EN, FR: t.FR} }

// Catalogue shows every course with its sessions.
func (p Pages) Catalogue(ctx context.Context) (out web.Catalogue, err error) {
	err = p.h.DB.View(ctx, "catalogue", func(ctx context.Context, tx *postgres.Tx) error {
		collections, err := catalog.PublicCollectionsTx(ctx, tx)
		if err != nil {
			return err
		}
		out = web.Catalogue{}
		if len(collections) > 0 {
			out.Collection, out.Summary = text(collections[0].Title), text(collections[0].Summary)
		}
		courses, err := catalog.CoursesTx(ctx, tx)
		if err != nil {
			return err
		}
		sessions, err := catalog.SessionsTx(ctx, tx)
		if err != nil {
			return err
		}
		for _, c := range courses {
			out.Courses = append(out.Courses, pageCourse(tx, c, sessions))
		}
		return nil
	})
	return out, err
}

func pageCourse(tx *postgres.Tx, c catalog.Course, sessions []catalog.Session) web.Course {
	out := web.Course{Key: c.Key, Level: c.Level, Collection: c.CollectionKey, Title: text(c.Title), Summary: text(c.Summary), WorkloadHours: c.WorkloadHours}
	for _, s := range sessions {
		if s.CourseKey == c.Key && s.Public() {
			out.Sessions = append(out.Sessions, pageSession(tx, c, s))
		}
	}
	return out
}

func pageSession(tx *postgres.Tx, c catalog.Course, s catalog.Session) web.Session {
	out := web.Session{
		Key: s.Key, CourseKey: c.Key, Title: text(s.Title()), CourseTitle: text(c.Title), Summary: text(c.Summary), Number: s.Number,
		State: string(s.StateAt(tx.Now())), ThresholdPPM: s.ThresholdPPM, WorkloadHours: c.WorkloadHours, Kind: string(s.Kind), Language: s.Language,
	}
	if s.StartsAt != nil {
		out.StartsOn = *s.StartsAt
	}
	if s.EndsAt != nil {
		out.EndsOn = *s.EndsAt
	}
	if s.EnrolUntil != nil {
		out.EnrolUntil = *s.EnrolUntil
	}
	return out
}

// Course shows one course.
func (p Pages) Course(ctx context.Context, key string) (out web.Course, err error) {
	err = p.h.DB.View(ctx, "course page", func(ctx context.Context, tx *postgres.Tx) error {
		d, err := catalog.PublishedTx(ctx, tx, key)
		if err != nil {
			return err
		}
		c, err := catalog.CourseTx(ctx, tx, key)
		if err != nil {
			return err
		}
		sessions, err := catalog.SessionsOfTx(ctx, tx, c.Key)
		if err != nil {
			return err
		}
		out = pageCourse(tx, c, sessions)
		out.Document, out.Known = &d, map[string]web.Text{}
		for _, p := range d.Prerequisites {
			before, err := catalog.CourseTx(ctx, tx, p.Course)
			if err == nil && before.Visible {
				out.Known[before.Key] = text(before.Title)
			} else if err != nil && !errors.Is(err, catalog.ErrNoCourse) {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Session shows one session with its formulas side by side, as the viewer may take them.
func (p Pages) Session(ctx context.Context, who web.Viewer, key, voucher string) (out web.Session, err error) {
	err = p.h.DB.View(as(ctx, who), "session page", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, key)
		if err != nil {
			return err
		}
		c, err := catalog.CourseTx(ctx, tx, s.CourseKey)
		out = pageSession(tx, c, s)
		if err != nil || visible(ctx, s) {
			return err
		}
		enrolled := false // who is enrolled finds what was archived since
		if who.Known() {
			_, enrolled, err = enrolment.FindTx(ctx, tx, who.PersonID, s.ID)
		}
		if err == nil && !enrolled {
			err = catalog.ErrNoSession
		}
		return err
	})
	if err != nil {
		return out, err
	}
	out.Comparison, err = p.h.Sales.Compare(ctx, out.Key, "", who.PersonID, voucher)
	out.EnrolledFormula = out.Comparison.Has
	if err == nil && out.Kind == string(catalog.Hybrid) {
		out.Workshop, err = p.workshopOf(ctx, who, out.Key)
	}
	return out, err
}

func pageOffer(o offers.Offer) web.Offer {
	out := web.Offer{ID: o.ID, Formula: o.Formula, Price: o.Price, Entitlements: o.Entitlements}
	if o.ValidUntil != nil {
		out.ValidUntil = *o.ValidUntil
	}
	return out
}

// SendSignInLink has a link sent.
func (p Pages) SendSignInLink(ctx context.Context, email, next, lang string) error {
	return p.h.Identity.AskForLink(ctx, email, next, lang)
}

// RedeemSignInLink opens a browser's session.
func (p Pages) RedeemSignInLink(ctx context.Context, token, current string) (web.Opened, error) {
	who, secret, expires, err := p.h.Identity.Redeem(ctx, token, current)
	if err != nil {
		return web.Opened{}, err
	}
	return p.opened(ctx, who, secret, expires), nil
}

// opened is what follows when somebody signed in.
func (p Pages) opened(ctx context.Context, who identity.Principal, secret string, expires time.Time) web.Opened {
	// She has proven her address now: what was reserved for it is hers. Where that fails she is signed in nevertheless, and has it the next time.
	if _, err := p.h.Sales.Realise(ctx, who.ID); err != nil {
		p.h.Log.ErrorContext(ctx, "reserved seats were not claimed", "person", who.ID, "error", err)
	}
	if _, err := p.h.Cohorts.Realise(ctx, who.ID); err != nil {
		p.h.Log.ErrorContext(ctx, "members of cohorts were not realised", "person", who.ID, "error", err)
	}
	return web.Opened{Secret: secret, ExpiresAt: expires, Next: who.Next}
}

// Viewer says who a browser's session is of.
func (p Pages) Viewer(ctx context.Context, secret string) (web.Viewer, error) {
	who, err := p.h.Identity.OfBrowser(ctx, secret)
	if err != nil {
		return web.Viewer{}, err
	}
	return viewer(who, p.h.DB.Now()), nil
}

func viewer(p identity.Principal, now time.Time) web.Viewer {
	return web.Viewer{PersonID: p.ID, FullName: p.FullName, Email: p.Email, Lang: p.Lang, Staff: p.Staff(), Desk: p.Desk(), Partner: slices.Contains(p.PartnerRoles, identity.RoleOwner), School: len(p.PartnerRoles) > 0 && slices.Contains(p.Scopes, "cohorts:read"), Scopes: p.Scopes, Fresh: p.Fresh(now)}
}

// SignOut ends a browser's session.
func (p Pages) SignOut(ctx context.Context, secret string) error {
	return p.h.Identity.SignOut(ctx, secret)
}

// SetName changes somebody's name.
func (p Pages) SetName(ctx context.Context, who web.Viewer, name string) error {
	return p.h.Identity.SetName(ctx, who.PersonID, name)
}

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
			out.Checks = append(out.Checks, web.Check{Code: c.Code, Detail: c.Detail, Met: c.Met})
		}
		if len(sittings) > 0 {
			out.Sitting = &web.Sitting{State: string(sittings[0].State), BookedAt: sittings[0].BookedAt}
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
		State: "valid", Code: c.Code, Holder: f.HolderName, Issuer: f.Issuer, Grade: f.Grade, CourseTitle: f.CourseTitle, SessionKey: f.Session,
		Formula: f.Formula, SHA256: c.SHA256, IssuedAt: c.IssuedAt, Demo: f.Demo,
	}
	if c.RevokedAt != nil {
		out.State, out.RevokedAt, out.RevokedReason = "revoked", *c.RevokedAt, c.RevokedReason
	}
	return out, nil
}
