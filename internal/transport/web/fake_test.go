package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/progress"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

// fake is a house that remembers what the pages did to it.
type fake struct {
	ExchangeHouse
	AuthoringHouse // nil: the areas are tried on the whole house
	ProgramHouse
	ExamHouse
	LabHouse
	ConfidenceHouse
	ProctoringProviderHouse
	SurveyHouse
	ImportHouse
	CandidateHouse
	OfferHouse
	PriceHouse
	AccessHouse
	HookHouse
	CertificateHouse
	LMSHouse
	CollectingHouse
	ProctorHouse
	OutreachHouse
	PartnerHouse
	TraceHouse
	PrivacyHouse
	SignInHouse
	CohortHouse
	ProgressHouse
	FigureHouse
	ExportHouse
	RosterHouse
	SalesHouse
	DeskHouse
	AccountHouse
	mu      sync.Mutex
	payURL  string
	orders  map[string]string // key → order
	state   string
	mails   []string
	booked  int
	failing error
}

var (
	day     = time.Date(2018, 10, 31, 21, 0, 0, 0, time.UTC)
	learner = Viewer{PersonID: "per_1", FullName: "Zoé N’Diaye", Email: "zoe@example.org"}
	officer = Viewer{PersonID: "per_2", FullName: "Staff", Staff: true}
	thePDF  = []byte("%PDF-1.4 the certificate")
)

func pdfSum() string { s := sha256.Sum256(thePDF); return hex.EncodeToString(s[:]) }

func newFake() *fake { return &fake{orders: map[string]string{}, state: "awaiting_payment"} }

var everything = []string{"knowledge", "practice", "know_how", "labs", "extra_content", "proctored_exam", "certificate"}

func prd(state string) Session {
	return Session{Kind: "mooc", Language: "fr",
		Key: "PRD-8", CourseKey: "PRD", Number: 8, State: state, ThresholdPPM: 500000, StartsOn: day.AddDate(0, 4, 0), EndsOn: day.AddDate(0, 7, 0), EnrolUntil: day.AddDate(0, 5, 0),
		Title: Text{"Data networks essentials, spring 2019", "Principes des réseaux de données, printemps 2019"}, CourseTitle: Text{"Data networks essentials", "Principes des réseaux de données"},
		Summary: Text{"Packets, protocols and the way through a network.", "Paquets, protocoles et chemin à travers un réseau."}, WorkloadHours: 40,
		Comparison: compared(),
	}
}

// compared are the two formulas of the paper, both to be had.
func compared() sales.Comparison {
	c := sales.Comparison{Session: "PRD-8", Columns: []sales.Column{
		{Formula: "DISCOVERY", Title: catalog.Text{EN: "DISCOVERY", FR: "DÉCOUVERTE"}, Offers: []sales.Choice{{ID: "off_1", Price: money.Of(0, "EUR"), Available: true}}},
		{Formula: "QUALIFYING", Title: catalog.Text{EN: "QUALIFYING", FR: "QUALIFIANTE"}, Qualifying: true, Offers: []sales.Choice{{ID: "off_2", Price: money.Of(15000, "EUR"), Available: true}}},
	}}
	for i, e := range everything {
		c.Rows = append(c.Rows, sales.Row{Entitlement: e, Open: []bool{i == 0, true}})
	}
	return c
}

func (f *fake) Memberships(context.Context, Viewer) ([]Membership, error) { return nil, nil }

func (f *fake) Catalogue(context.Context) (Catalogue, error) {
	c := Catalogue{Collection: Text{"FLIRT, networks and telecommunications", "FLIRT, réseaux et télécommunications"}, Summary: Text{"Courses that stand alone and build on one another.", "Des cours autonomes qui se complètent."}}
	for _, x := range [][3]string{{"PRD", "Data networks essentials", "Principes des réseaux de données"}, {"RO", "Optical networks", "Réseaux optiques"}, {"FTTH", "Fibre to the home", "La fibre jusqu’au domicile"}, {"PROPAG", "Radio propagation", "Propagation radio"}} {
		c.Courses = append(c.Courses, Course{Key: x[0], Title: Text{x[1], x[2]}, Level: "bachelor", WorkloadHours: 40, Summary: Text{"From the wire to the protocol.", "Du câble au protocole."}})
	}
	c.Courses[0].Sessions = []Session{prd("open"), prd("closed")}
	return c, f.failing
}

func (f *fake) Course(_ context.Context, key string) (Course, error) {
	c, err := f.Catalogue(context.Background())
	for _, x := range c.Courses {
		if x.Key == key {
			return x, err
		}
	}
	return Course{}, fault.New(fault.NotFound, "no-such-course", "There is no course with this key.")
}

func (f *fake) Session(_ context.Context, who Viewer, key, _ string) (Session, error) {
	if key != "PRD-8" {
		return Session{}, fault.New(fault.NotFound, "no-such-session", "There is no session with this id or key.")
	}
	s := prd("open")
	if who.Known() && f.state == "paid" {
		s.EnrolledFormula = "QUALIFYING"
	}
	return s, nil
}

func (f *fake) SetName(context.Context, Viewer, string) error { return nil }

func (f *fake) SignInBy(context.Context) ([]identity.Provider, error) {
	return []identity.Provider{{ID: "idp_1", Name: "ESP Dakar"}}, f.failing
}

func (f *fake) SendSignInLink(_ context.Context, email, next, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mails = append(f.mails, email+" "+next)
	return nil
}

func (f *fake) RedeemSignInLink(_ context.Context, token, _ string) (Opened, error) {
	if token != "learner-link" && token != "staff-link" {
		return Opened{}, fault.New(fault.Unauthenticated, "bad-link", "The link was used or has expired.")
	}
	return Opened{Secret: token, ExpiresAt: time.Now().Add(time.Hour), Next: "/sessions/PRD-8"}, nil
}

func (f *fake) Viewer(_ context.Context, secret string) (Viewer, error) {
	switch secret {
	case "learner-link":
		return learner, nil
	case "staff-link":
		return officer, nil
	}
	return Viewer{}, fault.New(fault.Unauthenticated, "no-session", "Nobody is signed in.")
}

func (f *fake) SignOut(context.Context, string) (identity.Leaving, error) {
	return identity.Leaving{}, nil
}

func (f *fake) PlaceOrder(_ context.Context, _ Viewer, p Purchase) (Placed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders[p.Key] = "ord_1"
	if p.OfferID == "off_1" {
		f.state = "paid"
		return Placed{OrderID: "ord_1"}, nil
	}
	return Placed{"ord_1", f.payURL}, nil
}

func (f *fake) Order(_ context.Context, who Viewer, id string) (Order, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != "ord_1" || who.PersonID != learner.PersonID {
		return Order{}, fault.New(fault.NotFound, "no-such-order", "There is no such order.")
	}
	return Order{ID: id, State: f.state, PayURL: f.payURL, Lines: []OrderLine{{Title: prd("open").Title, SessionKey: "PRD-8", Formula: "QUALIFYING", Quantity: 1, Total: money.Of(15000, "EUR")}}, Total: money.Of(15000, "EUR"), Credited: money.Of(0, "EUR"), InvoiceNumber: "DEMO-2019-000041", PlacedAt: day, Demo: true}, nil
}

func (f *fake) Learning(context.Context, Viewer) ([]Enrolment, error) {
	codes, ppm := []string{"Enrolled", "Started", "Diligent", "Succeeded", "ExamBooked", "ExamSat", "ExamPassed", "Certified"}, 871000
	steps := func(reached int) (s []Step) {
		for i, c := range codes {
			s = append(s, Step{c, i < reached, day.AddDate(0, 0, i*7)})
		}
		return s
	}
	offer := Offer{ID: "off_2", Formula: "QUALIFYING", Price: money.Of(15000, "EUR"), Entitlements: everything}
	return []Enrolment{
		{ID: "enr_1", Formula: "QUALIFYING", State: "active", SessionKey: "PRD-7", SessionTitle: prd("closed").Title, OpenedAt: day, Steps: steps(8), GradePPM: &ppm, ThresholdPPM: 500000, Certificate: &Certificate{ID: "crt_1", Code: "7QX4-PM2K", IssuedAt: day, Demo: true, LinkedIn: "https://www.linkedin.com/profile/add?certId=7QX4-PM2K"}},
		{ID: "enr_2", Formula: "QUALIFYING", State: "active", SessionKey: "PRD-8", SessionTitle: prd("open").Title, OpenedAt: day, Steps: steps(4), GradePPM: &ppm, ThresholdPPM: 500000, CanBookExam: true, Checks: []Check{{Code: "entitled", Detail: "x", Met: true}, {Code: "paid", Detail: "x", Met: true}, {Code: "grade", Detail: "x", Met: true}}},
		{ID: "enr_3", Formula: "QUALIFYING", State: "active", SessionKey: "RO-1", SessionTitle: Text{EN: "Optical networks"}, OpenedAt: day, Steps: steps(5), ThresholdPPM: 500000, Checks: []Check{{Code: "entitled", Detail: "x", Met: true}, {Code: "a-code-of-tomorrow", Detail: "A condition that is newer than this page"}, {Code: "window", Next: "wait", At: &day}}, Sitting: &Sitting{State: "booked", BookedAt: day}},
		{ID: "enr_4", Formula: "DISCOVERY", State: "active", SessionKey: "LAN-2", SessionTitle: Text{EN: "Local networks", FR: "Réseaux locaux"}, OpenedAt: day, Steps: steps(1)[:4], ThresholdPPM: 500000, Upgrade: &offer},
	}, nil
}

func (f *fake) OpenSurveys(context.Context, Viewer) (map[string][]surveys.Waiting, error) {
	return map[string][]surveys.Waiting{"enr_2": {{EnrolmentID: "enr_2", Moment: surveys.Closing, Answered: true}}}, nil
}

func (f *fake) BookExam(context.Context, Viewer, string, string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.booked++
	return nil
}

func (f *fake) OtherCertificates(context.Context, Viewer) ([]Certificate, error) {
	return []Certificate{{ID: "crt_2", Code: "7QX4-PM2L", IssuedAt: day, Title: "Networks basics", Heading: "Program Certificate", LinkedIn: "https://www.linkedin.com/profile/add?certId=7QX4-PM2L"}}, nil
}

func (f *fake) CertificatePDF(_ context.Context, _ Viewer, id string) (File, error) {
	return File{id + ".pdf", "application/pdf", thePDF}, nil
}

func (f *fake) Verify(_ context.Context, code string) (Verification, error) {
	v := Verification{State: "unknown", Code: code}
	if code == "7QX4-PM2K" || code == "REVOKED" {
		v = Verification{State: "valid", Code: code, Holder: "Zoé N’Diaye 🎓 محمد 王", Issuer: "IMT", Grade: "87 %", CourseTitle: "Data networks essentials", SessionKey: "PRD-7", Formula: "QUALIFYING", SHA256: pdfSum(), IssuedAt: day, Demo: true}
	}
	if code == "REVOKED" {
		v.State, v.RevokedAt, v.RevokedReason = "revoked", day, "The payment was taken back."
	}
	return v, nil
}

// Dashboard is one figure, of which a number leads to learners.
func (f *fake) Dashboard(_ context.Context, _ Viewer, of, key string, asOf time.Time) (analytics.Dashboard, []analytics.Figure, error) {
	d, err := analytics.DefinitionOf("comparison")
	if err != nil {
		return analytics.Dashboard{}, nil, err
	}
	started, at := analytics.NewRate(1393, 10796), day
	if !asOf.IsZero() {
		at = asOf
	}
	return analytics.Dashboard{Of: of, Key: key, Sessions: []string{"PRD-6"}}, []analytics.Figure{{
		Definition: d, Basis: "current", At: at, Ask: analytics.Ask{AsOf: asOf, Params: map[string]string{"sessions": "PRD-6"}}, Charts: []analytics.Chart{{Kind: "bars", Y: "session", Values: []string{"started"}}},
		Columns: []analytics.Column{{ID: "session", Kind: analytics.Text, Title: catalog.Text{EN: "Session"}}, {ID: "started", Kind: analytics.Share, Title: catalog.Text{EN: "Started"}}},
		Rows:    []analytics.Row{{Cells: []analytics.Cell{{Text: "PRD-6"}, {Rate: &started, Who: &analytics.WhoDid{Session: "PRD-6", List: "at_risk"}}}}},
	}}, f.failing
}

func (f *fake) PartnerDashboard(ctx context.Context, who Viewer, key string) (analytics.Dashboard, []analytics.Figure, error) {
	return f.Dashboard(ctx, who, analytics.OfPartner, key, time.Time{})
}

func (f *fake) PartnerHomes(context.Context, Viewer) ([]PartnerHome, error) {
	return []PartnerHome{{Managed: identity.Managed{Key: "ESP", Name: "ESP"}, Roles: []string{"owner"}}}, nil
}

func (f *fake) Followed(context.Context, Viewer) (progress.Followed, error) {
	return progress.Followed{}, nil
}
