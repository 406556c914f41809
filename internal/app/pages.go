package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
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
		State: string(s.StateAt(tx.Now())), ThresholdPPM: s.ThresholdPPM, WorkloadHours: c.WorkloadHours, Kind: string(s.Kind), Language: s.Language, Audience: s.For(),
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
func (p Pages) SignOut(ctx context.Context, secret string) (identity.Leaving, error) {
	return p.h.Identity.SignOut(ctx, secret, p.h.Config.BaseURL+"/signed-out")
}

// SetName changes somebody's name.
func (p Pages) SetName(ctx context.Context, who web.Viewer, name string) error {
	return p.h.Identity.SetName(ctx, who.PersonID, name)
}
