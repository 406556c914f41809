package api_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

const id = "_01kb5t8kz9e0qv4m3r2x7nwhjd"

var (
	at  = time.Date(2025, 10, 9, 10, 53, 20, 123456000, time.FixedZone("Paris", 7200))
	one = int64(1)
	ppm = 870000
)

// fake is a house in which everything is there once. It notes what it was asked.
type fake struct {
	api.AuthoringRooms // nil: apitest.Areas are tried on the whole house
	api.ProgramRooms
	api.OfferRooms
	api.PriceRooms
	api.SalesRooms
	api.AccountRooms
	api.AccessRooms
	api.TraceRooms
	api.PrivacyRooms
	api.ProgressRooms
	api.SurveyRooms
	api.FigureRooms
	api.ExportRooms
	api.WebhookRooms
	api.OutreachRooms
	api.BadgeRooms
	api.CertificateRooms
	api.CohortRooms
	api.LMSRooms
	api.ProctoringProviderRooms
	api.ExamRooms
	api.ConfidenceRooms
	api.ProctorRooms
	api.LabRooms
	api.CandidateRooms
	api.RosterRooms
	mu      sync.Mutex
	calls   []string
	actors  []string
	last    any
	failing error
	panics  bool
	waits   bool
	sparse  bool   // answers as little as it may
	before  func() // what happens while it is asked
	summary string // of courses
}

func (f *fake) asked(ctx context.Context, what string, with any) error {
	f.mu.Lock()
	f.calls, f.actors, f.last = append(f.calls, what), append(f.actors, postgres.Actor(ctx)), with
	f.mu.Unlock()
	if f.before != nil {
		f.before()
	}
	if f.panics {
		panic("a secret of the room")
	}
	if f.waits {
		<-ctx.Done()
		return ctx.Err()
	}
	if _, limited := ctx.Deadline(); !limited {
		return errors.New("the context has no end")
	}
	return f.failing
}

func (f *fake) fingerprint() string { return strings.Join(f.calls, " ") }

func (f *fake) Courses(ctx context.Context, _ catalog.Filter, p page.Request) ([]api.Course, string, error) {
	err := f.asked(ctx, "Courses", p)
	if f.sparse {
		return nil, "", err
	}
	return []api.Course{f.course()}, "PRD", err
}

func (f *fake) course() api.Course {
	if f.sparse {
		return api.Course{ID: "crs" + id, Key: "PRD"}
	}
	return api.Course{
		ID: "crs" + id, Key: "PRD", Collection: "FLIRT", Title: api.Text{EN: "Routing", FR: "Routage"}, Summary: api.Text{EN: f.summary, FR: "Résumé"},
		Level: "bachelor", WorkloadHours: 30, Sessions: []api.SessionSummary{f.session().SessionSummary},
	}
}

func (f *fake) session() api.Session {
	if f.sparse {
		return api.Session{SessionSummary: api.SessionSummary{ID: "ses" + id, Key: "PRD-8", Course: "PRD", State: "closed"}, Version: 1, Publication: "draft"}
	}
	return api.Session{
		Publication: "published",
		SessionSummary: api.SessionSummary{
			ID: "ses" + id, Key: "PRD-8", Course: "PRD", Number: 8, Title: api.Text{EN: "Routing"}, State: "open",
			StartsAt: &at, EndsAt: &at, EnrolFrom: &at, EnrolUntil: &at,
		},
		Platform: "fun-mooc.fr", CourseURL: "https://www.fun-mooc.fr/PRD", ThresholdPPM: 500000, Version: 3, Offers: []api.Offer{offer()},
		Exercises: []api.Exercise{{Label: "HW 01", Week: 1, Scored: true, Activity: "quiz"}},
	}
}

func offer() api.Offer {
	return api.Offer{
		ID: "off" + id, Session: "PRD-8", Formula: "QUALIFYING", Price: money.Of(15000, "EUR"), Entitlements: []string{"proctored_exam"},
		ValidFrom: &at, ValidUntil: &at,
	}
}

func (f *fake) Course(ctx context.Context, idOrKey string) (api.Course, error) {
	return f.course(), f.asked(ctx, "Course", idOrKey)
}

func (f *fake) Session(ctx context.Context, idOrKey string) (api.Session, error) {
	return f.session(), f.asked(ctx, "Session", idOrKey)
}

func (f *fake) VerifyCertificate(ctx context.Context, code string) (api.Verification, error) {
	v := api.Verification{
		State: "valid", Code: code, Session: "PRD-8", CourseTitle: "Routing", HolderName: "Zoé Ndiaye", Formula: "QUALIFYING", Issuer: "IMT", IssuedAt: at,
	}
	if !f.sparse {
		v.State, v.Grade, v.RevokedAt, v.RevokedReason, v.SHA256, v.Demo = "revoked", "87 %", &at, "refunded", strings.Repeat("0f", 32), true
	}
	return v, f.asked(ctx, "VerifyCertificate", code)
}

type event struct {
	raw       string
	signature string
}

func (f *fake) ReceiveStripeEvent(ctx context.Context, raw []byte, signature string) error {
	return f.asked(ctx, "ReceiveStripeEvent", event{string(raw), signature})
}

func (f *fake) Me(ctx context.Context, who api.Principal) (api.Person, error) {
	p := api.Person{ID: who.PersonID, FullName: "Zoé Ndiaye", Lang: "fr"}
	if !f.sparse {
		p.Email, p.Roles = "zoe@example.org", []string{"refund"}
	}
	return p, f.asked(ctx, "Me", who)
}

func (f *fake) order() sales.Order {
	l := sales.Line{
		N: 1, SessionKey: "PRD-8", OfferID: "off" + id, Title: catalog.Text{EN: "Routing"}, Formula: "QUALIFYING", Quantity: 1, List: money.Of(15000, "EUR"),
		Discount: money.Zero("EUR"), Total: money.Of(15000, "EUR"), Credited: money.Zero("EUR"), Parts: []sales.Part{{}},
	}
	if !f.sparse {
		l.Entitlements, l.Parts[0].EnrolmentID, l.Version = []string{"labs"}, "enr"+id, 1
		l.List, l.Discount, l.Reason = money.Of(20000, "EUR"), money.Of(5000, "EUR"), "Early bird"
	}
	o := sales.Order{
		ID: "ord" + id, State: "awaiting_payment", Way: sales.Card, Lines: []sales.Line{l}, Total: money.Of(15000, "EUR"), Credited: money.Zero("EUR"), PlacedAt: at,
		Next: sales.Next{Kind: sales.NextNothing}, Actions: []sales.Action{{Action: sales.ActPay, Allowed: true}},
	}
	if !f.sparse {
		o.Next, o.Actions = sales.Next{Kind: sales.NextPay, URL: "https://pay.example/1", Until: &at}, []sales.Action{{Action: sales.ActPay, Reason: "time-is-over"}}
		o.PayURL, o.InvoiceNumber = "https://pay.example/1", "CUR-2025-000042"
		o.ExpiresAt, o.PaidAt, o.Demo = &at, &at, true
	}
	return o
}

func (f *fake) PlaceOrder(ctx context.Context, _ api.Principal, o api.NewOrder) (sales.Order, error) {
	return f.order(), f.asked(ctx, "PlaceOrder", o)
}

func (f *fake) Orders(ctx context.Context, _ api.Principal, p page.Request) ([]sales.Order, string, error) {
	err := f.asked(ctx, "Orders", p)
	if f.sparse {
		return nil, "", err
	}
	return []sales.Order{f.order()}, "ord" + id, err
}

func (f *fake) Order(ctx context.Context, _ api.Principal, id string) (sales.Order, error) {
	return f.order(), f.asked(ctx, "Order", id)
}

func (f *fake) Enrolments(ctx context.Context, _ api.Principal, p page.Request) ([]api.Enrolment, string, error) {
	err := f.asked(ctx, "Enrolments", p)
	if f.sparse {
		return []api.Enrolment{{ID: "enr" + id, State: "left", Session: "PRD-8", OpenedAt: at}}, "", err
	}
	s := sitting(false)
	return []api.Enrolment{{
		ID: "enr" + id, State: "active", Session: "PRD-8", Title: api.Text{EN: "Routing"}, Formula: "QUALIFYING", Entitlements: []string{"labs"},
		OpenedAt: at, Stages: []api.Stage{{Code: "started", ReachedAt: at}}, GradePPM: &ppm, CourseURL: "https://x.example", Sitting: &s, CertificateID: "cer" + id,
	}}, "enr" + id, err
}

func (f *fake) Eligibility(ctx context.Context, _ api.Principal, enrolment string) (api.Eligibility, error) {
	e := api.Eligibility{EnrolmentID: enrolment, Eligible: f.sparse}
	if !f.sparse {
		e.Conditions = []exams.Condition{{Code: "grade-below-threshold", Detail: strings.Repeat("é", 600)}}
		e.Retakes = []sales.RetakeOffer{{OfferID: "off" + id, Price: money.Of(6000, "EUR")}}
	}
	return e, f.asked(ctx, "Eligibility", enrolment)
}

func sitting(sparse bool) api.Sitting {
	s := api.Sitting{Kind: "proctored", ID: "sit" + id, EnrolmentID: "enr" + id, Attempt: 1, State: "booked", BookedAt: at}
	if !sparse {
		s.State, s.ScorePPM, s.Reference, s.ResultAt = "passed", &ppm, "PX-1182", &at
	}
	return s
}

func (f *fake) BookSitting(ctx context.Context, _ api.Principal, enrolment, key string) (api.Sitting, error) {
	return sitting(f.sparse), f.asked(ctx, "BookSitting", enrolment+" "+key)
}

func (f *fake) certificate() api.Certificate {
	c := api.Certificate{
		ID: "cer" + id, Kind: "qualifying", State: "valid", Code: "7qx4pm2k9d3vzt5hbn8c1wgj6r", EnrolmentID: "enr" + id, Session: "PRD-8", CourseTitle: "Routing",
		HolderName: "Zoé Ndiaye", Formula: "QUALIFYING", Issuer: "IMT", IssuedAt: at, VerificationURL: "https://cursus.example/verify/7qx4",
	}
	if !f.sparse {
		c.State, c.Grade, c.RevokedAt, c.RevokedReason, c.SHA256, c.Demo = "revoked", "87 %", &at, "refunded", strings.Repeat("0f", 32), true
	}
	return c
}

func (f *fake) Certificate(ctx context.Context, _ api.Principal, id string) (api.Certificate, error) {
	return f.certificate(), f.asked(ctx, "Certificate", id)
}

func (f *fake) CertificatePDF(ctx context.Context, _ api.Principal, id string) ([]byte, error) {
	return []byte("%PDF-1.7\n"), f.asked(ctx, "CertificatePDF", id)
}

func (f *fake) CreateSession(ctx context.Context, _ api.Principal, n api.NewSession) (api.Session, error) {
	return f.session(), f.asked(ctx, "CreateSession", n)
}

type exercises struct {
	session string
	list    []api.Exercise
	version int
}

func (f *fake) PutExercises(ctx context.Context, _ api.Principal, session string, e []api.Exercise, version int) (api.Session, error) {
	return f.session(), f.asked(ctx, "PutExercises", exercises{session, e, version})
}

func (f *fake) CreateOffer(ctx context.Context, _ api.Principal, n api.NewOffer) (api.Offer, error) {
	o := offer()
	if f.sparse {
		o.Entitlements, o.ValidFrom, o.ValidUntil = nil, nil, nil
	}
	return o, f.asked(ctx, "CreateOffer", n)
}

func (f *fake) collection() gradebook.Collection {
	c := gradebook.Collection{ID: "col" + id, CollectedAt: at, RecordedAt: at, FileName: "x_2018-10-31-2100.csv", Kind: gradebook.Grades, Family: "legacy", SHA256: strings.Repeat("0", 64)}
	if !f.sparse {
		c.RowsRead, c.RowsRejected, c.Unmapped = 5000, 2000, []string{"HW 40"}
		for i := range 2000 {
			c.Rejects = append(c.Rejects, gradebook.Reject{Line: i + 2, Column: 5, Code: "bad-score", Detail: "A score is a number from 0 to 1."})
		}
	}
	return c
}

func (f *fake) ImportGrades(ctx context.Context, _ api.Principal, i api.Intake) (gradebook.Collection, error) {
	c := f.collection()
	c.Replayed = string(i.Content) == "again"
	return c, f.asked(ctx, "ImportGrades", i)
}

func (f *fake) schedule() gradebook.Schedule {
	s := gradebook.Schedule{EveryDays: 7, Enabled: true, NextAt: at.UTC(), Cohorts: []gradebook.PullCohort{}, Version: 1}
	if !f.sparse {
		begun := at.UTC()
		s.BegunAt, s.RetryAt, s.LastAt, s.Failure, s.CollectionID, s.PagesRead, s.LearnersRead = &begun, &begun, &begun, "throttled", "col_1", 12, 1100
		s.Cohorts = append(s.Cohorts, gradebook.PullCohort{ID: 12, Name: "PRO"})
	}
	return s
}

func (f *fake) CollectionSchedule(ctx context.Context, _ api.Principal, session string) (gradebook.Schedule, error) {
	return f.schedule(), f.asked(ctx, "CollectionSchedule", session)
}

func (f *fake) PutCollectionSchedule(ctx context.Context, _ api.Principal, session string, _ int, _ gradebook.NewSchedule) (gradebook.Schedule, error) {
	return f.schedule(), f.asked(ctx, "PutCollectionSchedule", session)
}

func (f *fake) CollectGrades(ctx context.Context, _ api.Principal, session string) (gradebook.Schedule, error) {
	return f.schedule(), f.asked(ctx, "CollectGrades", session)
}

func (f *fake) recheck() gradebook.Recheck {
	c := gradebook.Recheck{Session: "PRD-8", Examples: []gradebook.Difference{}}
	if !f.sparse {
		when := at.UTC()
		c.CheckedAt, c.DiffersSince, c.Pending, c.Learners, c.Differences = &when, &when, true, 7131, 2
		c.Examples = append(c.Examples, gradebook.Difference{Kind: gradebook.StageDiffers, EnrolmentID: "enr_1", Stage: "started", At: &when, Reached: true}, gradebook.Difference{Kind: gradebook.RunDiffers})
	}
	return c
}

func (f *fake) StageChecks(ctx context.Context, _ api.Principal, p page.Request) ([]gradebook.Recheck, string, error) {
	return []gradebook.Recheck{f.recheck()}, "", f.asked(ctx, "StageChecks", p)
}

func (f *fake) StageCheck(ctx context.Context, _ api.Principal, session string) (gradebook.Recheck, error) {
	return f.recheck(), f.asked(ctx, "StageCheck", session)
}

func (f *fake) CheckStages(ctx context.Context, _ api.Principal, session string) (gradebook.Recheck, error) {
	return f.recheck(), f.asked(ctx, "CheckStages", session)
}

func (f *fake) RebuildStages(ctx context.Context, _ api.Principal, session string) (int, error) {
	return 2, f.asked(ctx, "RebuildStages", session)
}

func (f *fake) RecordStatements(ctx context.Context, _ api.Principal, session string, _ []byte) (gradebook.Collection, error) {
	c := f.collection()
	c.Kind, c.Family = gradebook.XAPI, "xapi"
	c.Rejects = append(c.Rejects, gradebook.Reject{Line: 1, Column: 1, Code: "bad-score"})
	c.Ignored = append(c.Ignored, gradebook.Reject{Line: 2, Code: gradebook.Duplicate, ID: "8f2d1c1e-6c1a-5d3b-9a50-0d6f2e1b7a11"}, gradebook.Reject{Line: 3, Code: "not-graded"})
	return c, f.asked(ctx, "RecordStatements", session)
}

func (f *fake) Collection(ctx context.Context, _ api.Principal, session, _ string) (gradebook.Collection, error) {
	return f.collection(), f.asked(ctx, "Collection", session)
}

func mappings() gradebook.Mappings {
	m := gradebook.Mapping{Label: "Homework 4: Week 2", Meaning: gradebook.SameExercise, Exercise: "HW 04", DecidedBy: "system", DecidedAt: at}
	return gradebook.Mappings{Version: 2, Current: []gradebook.Mapping{m}, History: []gradebook.Mapping{m}}
}

func (f *fake) ColumnMapping(ctx context.Context, _ api.Principal, session string) (gradebook.Mappings, error) {
	return mappings(), f.asked(ctx, "ColumnMapping", session)
}

func (f *fake) MapColumns(ctx context.Context, _ api.Principal, session string, _ []gradebook.Mapping, _ int) (gradebook.Mappings, error) {
	return mappings(), f.asked(ctx, "MapColumns", session)
}

func (f *fake) Collections(ctx context.Context, _ api.Principal, session string, _ page.Request) ([]gradebook.Collection, string, error) {
	return []gradebook.Collection{f.collection()}, "", f.asked(ctx, "Collections", session)
}

func (f *fake) intake() intakes.Intake {
	i := intakes.Intake{ID: "svi" + id, Kind: "forum", FileName: "forum.csv", CollectedAt: at, RecordedAt: at, By: "staff:per" + id, Bytes: 6, Kept: true, Rows: 1, New: 1}
	if !f.sparse {
		i.Via, i.SHA256 = intakes.ByPage, strings.Repeat("0", 64)
	}
	return i
}

func (f *fake) Intakes(ctx context.Context, _ api.Principal, session string, _ page.Request) ([]intakes.Intake, string, error) {
	return []intakes.Intake{f.intake()}, "", f.asked(ctx, "Intakes", session)
}

func (f *fake) IntakeOutcomes(ctx context.Context, _ api.Principal, session, intake string, _ page.Request) ([]intakes.Outcome, string, error) {
	o := intakes.Outcome{Line: 2, Outcome: "scores", First: 1}
	if !f.sparse {
		o.Code, o.Detail, o.EnrolmentID, o.SittingID = "known", "It is known.", "enr"+id, "sit"+id
	}
	return []intakes.Outcome{o}, "", f.asked(ctx, "IntakeOutcomes", session+" "+intake)
}

func (f *fake) IntakeFile(ctx context.Context, _ api.Principal, session, intake string) (intakes.Intake, io.Reader, error) {
	return f.intake(), strings.NewReader("a,b\n1\n"), f.asked(ctx, "IntakeFile", session+" "+intake)
}

func (f *fake) RecordResult(ctx context.Context, _ api.Principal, r api.NewResult) (api.Sitting, error) {
	return sitting(f.sparse), f.asked(ctx, "RecordResult", r)
}

func (f *fake) Refund(ctx context.Context, _ api.Principal, r api.NewRefund) (sales.Order, error) {
	return f.order(), f.asked(ctx, "Refund", r)
}

func (f *fake) RevokeCertificate(ctx context.Context, _ api.Principal, id, reason string) (api.Certificate, error) {
	return f.certificate(), f.asked(ctx, "RevokeCertificate", id+" "+reason)
}

func metrics(sparse bool) []api.Metric {
	m := api.Metric{ID: "started", Formula: "started / enrolled", Version: 1}
	if !sparse {
		m.Rate = api.Rate{Count: 9, Of: 20, Tenths: &one, Low: &one, High: &one}
	}
	return []api.Metric{m}
}

func (f *fake) Indicators(ctx context.Context, _ api.Principal, q api.IndicatorsQuestion) (api.Indicators, error) {
	i := api.Indicators{Session: "PRD-8", Course: "PRD", Basis: q.Basis, Week1Rule: q.Week1Rule, Metrics: metrics(f.sparse)}
	if !f.sparse {
		i.Title, i.Open, i.Cohort, i.AsOf, i.KnownAt, i.Enrolled = api.Text{EN: "Routing"}, true, "PRO", &at, &at, 6948
	}
	return i, f.asked(ctx, "Indicators", q)
}

func (f *fake) Outcomes(ctx context.Context, _ api.Principal, q api.OutcomesQuestion) (api.Outcomes, error) {
	o := api.Outcomes{Session: "PRD-8", Course: "PRD", Formula: q.Formula, Basis: q.Basis, Week1Rule: q.Week1Rule, Metrics: metrics(f.sparse)}
	if !f.sparse {
		sum := money.Of(615000, "EUR")
		o.Title, o.AsOf, o.KnownAt, o.Holders = api.Text{FR: "Routage"}, &at, &at, 41
		o.Revenue = []api.Revenue{{Currency: "EUR", Metrics: []api.MoneyMetric{
			{ID: "net_revenue", Formula: "captured − refunded − lost", Version: 1, Of: 1, Amount: &sum}, {ID: "net_per_certified", Formula: "net / certified", Version: 1},
		}}}
	}
	return o, f.asked(ctx, "Outcomes", q)
}

func (f *fake) Queue(ctx context.Context, _ api.Principal) (api.Queue, error) {
	return api.Queue{Pending: 3}, f.asked(ctx, "Queue", nil)
}

// authenticate knows tokens that say themselves what they may do, or all but what: "scopes-orders.read-exams.book", "scopes.but-exams.book".
func authenticate(_ context.Context, secret string) (api.Principal, error) {
	switch {
	case secret == "down":
		return api.Principal{}, postgres.ErrUnavailable
	case !strings.HasPrefix(secret, "scopes"):
		return api.Principal{}, fault.New(fault.Unauthenticated, "not-signed-in", "The credentials are missing, wrong, expired or revoked.")
	}
	p := api.Principal{PersonID: "per" + id, Actor: "learner:per" + id, ProvenAt: time.Now()}
	named := strings.Split(strings.ReplaceAll(secret, ".", ":"), "-")[1:]
	if p.Scopes = named; strings.HasPrefix(secret, "scopes.but") {
		p.Scopes = slices.DeleteFunc(slices.Clone(api.Scopes), func(s string) bool { return slices.Contains(named, s) })
	}
	return p, nil
}

func token(scopes ...string) string {
	said, but := "scopes", slices.DeleteFunc(slices.Clone(api.Scopes), func(s string) bool { return slices.Contains(scopes, s) })
	if len(but) < len(scopes) { // all of them are more than a token may be long
		said, scopes = "scopes.but", but
	}
	return strings.ReplaceAll(strings.Join(append([]string{said}, scopes...), "-"), ":", ".")
}
