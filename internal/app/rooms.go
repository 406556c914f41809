package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Rooms is the house as the API asks it.
type Rooms struct {
	h       *House
	replies *idempotency.Store
}

var _ api.Rooms = Rooms{}

// NewRooms gives the door of the API to a house.
func NewRooms(h *House) Rooms { return Rooms{h, idempotency.New(h.DB)} }

// Authenticate says who a bearer token is of.
func (r Rooms) Authenticate(ctx context.Context, token string) (api.Principal, error) {
	c, err := r.h.Identity.OfBearer(ctx, token)
	if err != nil {
		return api.Principal{}, err
	}
	return api.Principal{PersonID: c.ID, Actor: c.Actor(), Desk: c.Desk(), Scopes: c.Scopes, Client: c.Client, PerMinute: c.PerMinute, ProvenAt: c.ProvenAt}, nil
}

// once does a piece of work in one transaction, once per principal and key, and gives the id that it made.
func (r Rooms) once(ctx context.Context, who api.Principal, key, name string, command any, work func(ctx context.Context, tx *postgres.Tx) (string, error)) (string, error) {
	b, err := json.Marshal(command)
	if err != nil {
		return "", err
	}
	reply, _, err := r.replies.Do(ctx, who.Actor, key, name+" "+string(b), func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		id, err := work(ctx, tx)
		return idempotency.Reply{Status: http.StatusCreated, Body: []byte(id)}, err
	})
	return string(reply.Body), err
}

// cut gives the part of a list that a page asks for. The lists that it is for are short: a catalogue, one learner's enrolments.
func cut[T any](all []T, p page.Request, key func(T) string) ([]T, string) {
	if p.After != "" {
		i := slices.IndexFunc(all, func(x T) bool { return key(x) == p.After })
		all = all[i+1:]
	}
	if len(all) <= p.Limit {
		return all, ""
	}
	return all[:p.Limit], key(all[p.Limit-1])
}

func apiText(t catalog.Text) api.Text { return api.Text{EN: t.EN, FR: t.FR} }

func sessionSummary(s catalog.Session, now time.Time) api.SessionSummary {
	return api.SessionSummary{
		ID: s.ID, Key: s.Key, Course: s.CourseKey, Number: s.Number, Title: apiText(s.Title()), State: string(s.StateAt(now)),
		StartsAt: s.StartsAt, EndsAt: s.EndsAt, EnrolFrom: s.EnrolFrom, EnrolUntil: s.EnrolUntil,
	}
}

func apiCourse(c catalog.Course, sessions []catalog.Session, now time.Time) api.Course {
	out := api.Course{
		ID: c.ID, Key: c.Key, Collection: c.CollectionKey, Title: apiText(c.Title), Summary: apiText(c.Summary), Level: c.Level, WorkloadHours: c.WorkloadHours,
		Language: c.Language, ECTSHundredths: c.ECTSHundredths,
	}
	for _, s := range sessions {
		if s.CourseKey == c.Key && s.Public() {
			out.Sessions = append(out.Sessions, sessionSummary(s, now))
		}
	}
	return out
}

func keysOf(courses []catalog.Course) (keys []string) {
	for _, c := range courses {
		keys = append(keys, c.Key)
	}
	return keys
}

// Courses lists the catalogue.
func (r Rooms) Courses(ctx context.Context, f catalog.Filter, p page.Request) (out []api.Course, next string, err error) {
	err = r.h.DB.View(ctx, "list courses", func(ctx context.Context, tx *postgres.Tx) error {
		out = nil
		list, err := listCourses(ctx, tx, f, p)
		if err != nil {
			return err
		}
		sessions, err := catalog.SessionsOfTx(ctx, tx, keysOf(list.courses)...)
		if err != nil {
			return err
		}
		next = list.next
		for _, c := range list.courses {
			out = append(out, apiCourse(c, sessions, tx.Now()))
		}
		return nil
	})
	return out, next, err
}

// Course finds a course.
func (r Rooms) Course(ctx context.Context, idOrKey string) (out api.Course, err error) {
	err = r.h.DB.View(ctx, "course", func(ctx context.Context, tx *postgres.Tx) error {
		d, err := catalog.PublishedTx(ctx, tx, idOrKey)
		if err != nil {
			return err
		}
		c, err := catalog.CourseTx(ctx, tx, idOrKey)
		if err != nil {
			return err
		}
		sessions, err := catalog.SessionsOfTx(ctx, tx, c.Key)
		out = apiCourse(c, sessions, tx.Now())
		out.Document = &d
		return err
	})
	return out, err
}

// Session finds a session with its offers and exercises.
func (r Rooms) Session(ctx context.Context, idOrKey string) (out api.Session, err error) {
	err = r.h.DB.View(ctx, "session", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, idOrKey)
		if err != nil {
			return err
		}
		if !visible(ctx, s) {
			return catalog.ErrNoSession
		}
		out, err = apiSession(ctx, tx, s)
		return err
	})
	return out, err
}

func apiSession(ctx context.Context, tx *postgres.Tx, s catalog.Session) (api.Session, error) {
	out := api.Session{SessionSummary: sessionSummary(s, tx.Now()), Platform: s.Platform, CourseURL: s.CourseURL, Audience: s.For(), ThresholdPPM: s.ThresholdPPM, Version: s.Version, Publication: string(s.Publication)}
	standing, err := offers.OfSessionTx(ctx, tx, s.ID)
	if err != nil {
		return out, err
	}
	for _, o := range standing {
		out.Offers = append(out.Offers, apiOffer(o))
	}
	exercises, err := catalog.ExercisesTx(ctx, tx, s.ID)
	for _, e := range exercises {
		out.Exercises = append(out.Exercises, api.Exercise{Label: e.Label, Week: e.Week, Scored: e.Scored, Activity: e.Activity, Weight: e.WeightPPM})
	}
	return out, err
}

func apiOffer(o offers.Offer) api.Offer {
	return api.Offer{ID: o.ID, Session: o.SessionKey, Formula: o.Formula, Price: o.Price, Entitlements: o.Entitlements, ValidFrom: o.ValidFrom, ValidUntil: o.ValidUntil,
		Audience: o.Audience, Quota: o.Quota, Call: api.Text(o.Call), Withdrawal: o.Withdrawal}
}

// VerifyCertificate looks a printed code up.
func (r Rooms) VerifyCertificate(ctx context.Context, code string) (api.Verification, error) {
	c, err := r.h.Certificates.Verify(ctx, code)
	return apiVerification(c, c.State()), err
}

// VerifyDocument says what a file is.
func (r Rooms) VerifyDocument(ctx context.Context, sha256, code string) (api.Verification, error) {
	c, state, err := r.h.Certificates.Examine(ctx, sha256, code)
	return apiVerification(c, state), err
}

func apiVerification(c certificates.Certificate, state string) api.Verification {
	return api.Verification{
		State: state, Kind: c.Kind, Heading: c.Facts.Heading, Partners: c.Facts.Partners, ReplacedAt: c.ReplacedAt, Signed: c.Signed, Code: c.Code, Session: c.Facts.Session, CourseTitle: c.Facts.CourseTitle, HolderName: c.Facts.HolderName, Formula: c.Facts.Formula,
		Issuer: c.Facts.Issuer, Grade: c.Facts.Grade, IssuedAt: c.IssuedAt, RevokedAt: c.RevokedAt, RevokedReason: c.RevokedReason, SHA256: c.SHA256, Demo: c.Facts.Demo, Transcript: c.Facts.Transcript,
	}
}

// ReceiveStripeEvent stores what the payment provider tells.
func (r Rooms) ReceiveStripeEvent(ctx context.Context, raw []byte, signature string) error {
	return r.h.Payments.Receive(ctx, raw, signature)
}

// Me is the person behind the principal.
func (r Rooms) Me(ctx context.Context, who api.Principal) (out api.Person, err error) {
	err = r.h.DB.View(ctx, "me", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PersonTx(ctx, tx, who.PersonID)
		if err != nil {
			return err
		}
		out = api.Person{ID: p.ID, Email: p.Email, FullName: p.FullName, Lang: p.Lang}
		out.Roles, err = identity.RolesTx(ctx, tx, p.ID)
		return err
	})
	return out, err
}

func orderOf(who api.Principal, n api.NewOrder) sales.PlaceOrder {
	return sales.PlaceOrder{
		BuyerID: who.PersonID, Organisation: n.Organisation, OfferID: n.OfferID, Items: n.Items, Lang: n.Lang, Voucher: n.Voucher, Currency: n.Currency, BeginNow: n.BeginNow, IdempotencyKey: n.Key,
		Way: n.Way, Desk: sales.DeskOf{Organisation: n.Partner}, Reference: n.Reference,
	}
}

// PlaceOrder orders offers.
func (r Rooms) PlaceOrder(ctx context.Context, who api.Principal, n api.NewOrder) (sales.Order, error) {
	return r.h.PlaceOrder(ctx, orderOf(who, n))
}

// Orders lists the principal's orders.
func (r Rooms) Orders(ctx context.Context, who api.Principal, p page.Request) ([]sales.Order, string, error) {
	return r.h.Sales.Orders(ctx, who.PersonID, p)
}

// Order finds an order.
func (r Rooms) Order(ctx context.Context, _ api.Principal, id string) (sales.Order, error) {
	return r.h.Sales.Order(ctx, id)
}

// Refund requests a refund.
func (r Rooms) Refund(ctx context.Context, _ api.Principal, n api.NewRefund) (sales.Order, error) {
	return r.h.Sales.Refund(ctx, sales.RefundOrder{OrderID: n.OrderID, AmountMinor: n.AmountMinor, Lines: n.Lines, Reason: n.Reason, IdempotencyKey: n.Key})
}

// BookSitting books the exam.
func (r Rooms) BookSitting(ctx context.Context, who api.Principal, enrolmentID, key string) (api.Sitting, error) {
	x, err := r.h.Exams.Book(ctx, exams.BookSitting{LearnerID: who.PersonID, EnrolmentID: enrolmentID, IdempotencyKey: key})
	return apiSitting(x), err
}

func apiSitting(x exams.Sitting) api.Sitting {
	if x.State == exams.Withheld {
		x.ScorePPM = nil // nobody is told
	}
	return api.Sitting{
		Kind: string(x.Kind), SlotID: x.SlotID,
		ID: x.ID, EnrolmentID: x.EnrolmentID, Attempt: x.Attempt, State: string(x.State), ScorePPM: x.ScorePPM, Reference: x.Reference, BookedAt: x.BookedAt, ResultAt: x.ResultAt,
	}
}

// RecordResult notes how a sitting ended.
func (r Rooms) RecordResult(ctx context.Context, _ api.Principal, n api.NewResult) (api.Sitting, error) {
	x, err := r.h.Exams.RecordResult(ctx, exams.Result{SittingID: n.SittingID, State: exams.State(n.State), ScorePPM: n.ScorePPM, Reference: n.Reference})
	return apiSitting(x), err
}

// Certificate finds a certificate.
func (r Rooms) Certificate(ctx context.Context, _ api.Principal, id string) (api.Certificate, error) {
	c, err := r.h.Certificates.Certificate(ctx, id)
	return apiCertificate(c), err
}

func apiCertificate(c certificates.Certificate) api.Certificate {
	f := c.Facts
	return api.Certificate{
		ID: c.ID, Kind: c.Kind, State: c.State(), Code: c.Code, EnrolmentID: c.EnrolmentID, LearnerID: c.LearnerID, Partners: f.Partners,
		ReplacedAt: c.ReplacedAt, ReplacesID: c.ReplacesID, ReplacedByID: c.ReplacedByID, Session: f.Session, CourseTitle: f.CourseTitle, HolderName: f.HolderName,
		Formula: f.Formula, Issuer: f.Issuer, Grade: f.Grade, IssuedAt: c.IssuedAt, RevokedAt: c.RevokedAt, RevokedReason: c.RevokedReason, SHA256: c.SHA256,
		VerificationURL: f.VerificationURL, Demo: f.Demo, Transcript: f.Transcript,
	}
}

// CertificatePDF gives the document.
func (r Rooms) CertificatePDF(ctx context.Context, _ api.Principal, id string) ([]byte, error) {
	return r.h.Certificates.PDF(ctx, id)
}

// RevokeCertificate takes a certificate back.
func (r Rooms) RevokeCertificate(ctx context.Context, _ api.Principal, id, reason string) (api.Certificate, error) {
	c, err := r.h.Certificates.Revoke(ctx, id, reason)
	return apiCertificate(c), err
}

// Queue counts jobs.
func (r Rooms) Queue(ctx context.Context, _ api.Principal) (api.Queue, error) {
	c, err := r.h.Jobs.Count(ctx)
	return api.Queue{Pending: c.Pending, Dead: c.Dead}, err
}

// enrolmentOf is used where the actor's own enrolments are listed.
func enrolmentKey(e enrolment.Enrolment) string { return e.ID }

// unknownFormula refuses what no report can be asked of.
func unknownFormula(f string) error { return offers.ErrFormula.Because(fmt.Errorf("%q", f)) }
