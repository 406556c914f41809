package web

import (
	"context"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/labs"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
)

// House is all that the pages ask of the rooms. Faults keep their kind: Unauthenticated leads to the sign-in page, the
// others to the error page. A method that takes a viewer answers NotFound for what is not hers to know of.
type House interface {
	Catalogue(ctx context.Context) (Catalogue, error)
	Course(ctx context.Context, key string) (Course, error)
	// Session shows a session, also to nobody (a zero viewer); a viewer who is enrolled gets her formula too. voucher is a code that the
	// viewer typed, or empty.
	Session(ctx context.Context, who Viewer, key, voucher string) (Session, error)

	// SendSignInLink never says whether the address is known. next is a path of this site or empty.
	SendSignInLink(ctx context.Context, email, next, lang string) error
	// RedeemSignInLink spends a link and opens a session of the browser; current is the secret of the one that it has, which goes on where it is
	// hers: Opened has no secret then.
	RedeemSignInLink(ctx context.Context, token, current string) (Opened, error)
	SignInHouse
	Viewer(ctx context.Context, secret string) (Viewer, error)
	// SignOut ends a session, and says what is left to do at the provider that she had come by; it sends her back to /signed-out.
	SignOut(ctx context.Context, secret string) (identity.Leaving, error)
	// SetName changes the name that is printed on certificates from now on.
	SetName(ctx context.Context, who Viewer, name string) error

	// PlaceOrder orders an offer once per key, however often it is called. A free offer is fulfilled at once and has no PayURL.
	PlaceOrder(ctx context.Context, who Viewer, p Purchase) (Placed, error)
	Order(ctx context.Context, who Viewer, id string) (Order, error)
	Learning(ctx context.Context, who Viewer) ([]Enrolment, error)
	BookExam(ctx context.Context, who Viewer, enrolmentID, key string) error
	OtherCertificates(ctx context.Context, who Viewer) ([]Certificate, error)
	CertificatePDF(ctx context.Context, who Viewer, id string) (File, error)
	Verify(ctx context.Context, code string) (Verification, error)

	AuthoringHouse
	ProgramHouse
	OfferHouse
	PriceHouse
	SalesHouse
	DeskHouse
	AccountHouse
	ExchangeHouse
	AccessHouse
	HookHouse
	CertificateHouse
	LMSHouse
	CollectingHouse
	ExamHouse
	LabHouse
	ProctoringProviderHouse
	ConfidenceHouse
	ProctorHouse
	CandidateHouse
	OutreachHouse
	PartnerHouse
	TraceHouse
	PrivacyHouse
	CohortHouse
	ProgressHouse
	RosterHouse
	FigureHouse
	ExportHouse
	SurveyHouse
	ImportHouse
}

// Text is a text in the two languages of the house.
type Text struct{ EN, FR string }

// In gives the text in a language, and the other one where it was not written.
func (t Text) In(lang string) string {
	if lang == "fr" && t.FR != "" || t.EN == "" {
		return t.FR
	}
	return t.EN
}

// Viewer is who looks. The zero Viewer is the public.
type Viewer struct {
	PersonID, FullName, Email, Lang string
	Scopes                          []string
	Fresh                           bool // she proved just now who she is
	Staff                           bool
	Partner                         bool // she looks after the people of an organisation
	School                          bool // she enrols for an organisation, or follows its learners
	Desk                            bool // of a school’s desk alone: she sees the console’s desk, and is no staff of the institute
}

// May says whether she may do what a scope names.
func (v Viewer) May(scope string) bool { return slices.Contains(v.Scopes, scope) }

// Known says whether somebody signed in.
func (v Viewer) Known() bool { return v.PersonID != "" }

// Opened is a session of a browser that just began.
type Opened struct {
	Secret    string
	ExpiresAt time.Time
	Next      string // where the sign-in began, or empty
}

// Catalogue is the public offer.
type Catalogue struct {
	Collection Text
	Summary    Text
	Courses    []Course
}

// Course is a course with its sessions, the newest first.
type Course struct {
	Key, Level                 string // level: pre_bachelor, bachelor, post_bachelor
	Title, Summary             Text
	WorkloadHours, WeeklyHours int // 0: not said
	Sessions                   []Session
	Collection                 string          // key, or empty
	Document                   *catalog.Draft  // as it was published; on its own page only
	Known                      map[string]Text // titles of the courses that it asks for and that the public sees
}

// Open counts the sessions that can be joined now.
func (c Course) Open() (n int) {
	for _, s := range c.Sessions {
		if s.State == "open" {
			n++
		}
	}
	return n
}

// Session is one run of a course. Its offers are there on its own page only.
type Session struct {
	Key, CourseKey      string
	Title, CourseTitle  Text
	Summary             Text
	Number              int
	StartsOn, EndsOn    time.Time // zero: not said
	EnrolUntil          time.Time
	State               string // upcoming, open, running, closed
	ThresholdPPM        int
	Comparison          sales.Comparison // its formulas side by side, as the viewer may take them
	EnrolledFormula     string           // of the viewer; empty: not enrolled
	WorkloadHours       int
	ExercisesByActivity map[string]int
	Kind                string // mooc, spoc, hybrid
	Language            string // of the teaching; empty: not said
	Audience            string // for whom: a level, or words of the session; empty: not said
	Workshop            Workshop
}

// Offer is a formula of a session at a price.
type Offer struct {
	ID, Formula  string
	Price        money.Amount
	Entitlements []string
	Call         Text // the words of the button; empty: the house's own
	ValidUntil   time.Time
}

// Has says whether the offer opens something.
func (o Offer) Has(entitlement string) bool {
	for _, e := range o.Entitlements {
		if e == entitlement {
			return true
		}
	}
	return false
}

// Free says whether it costs nothing.
func (o Offer) Free() bool { return o.Price.Minor == 0 }

// Purchase is what a buyer asks for, once per key. Voucher is a code and may be empty; so may Currency: that of the offer.
type Purchase struct {
	OfferID, Key, Lang, Voucher, Currency string
	Way                                   sales.Way // empty: the pay page
	Reference                             string    // of the buyer's purchase order
	BeginNow                              bool      // she asks expressly that it begin before her time to withdraw is over
}

// Placed is an order that was just made, or found again under its key.
type Placed struct{ OrderID, PayURL string }

// Order is what a buyer sees of her order.
type Order struct {
	ID, State, PayURL, InvoiceNumber string
	Lines                            []OrderLine
	Total, Credited                  money.Amount
	PlacedAt, ExpiresAt              time.Time
	Demo                             bool
	Next                             sales.Next
	Actions                          []sales.Action
	History                          []sales.Happening  // the oldest first
	Ways                             []sales.OfferedWay // of one that waits for its payment
	Schedule                         *sales.Schedule    // of one that is paid in instalments
}

// Can says whether something can be done with it.
func (o Order) Can(action string) bool {
	return slices.ContainsFunc(o.Actions, func(a sales.Action) bool { return a.Action == action && a.Allowed })
}

// Why says why something cannot be done with it; empty where it can, or is no action of such an order.
func (o Order) Why(action string) string {
	for _, a := range o.Actions {
		if a.Action == action {
			return a.Reason
		}
	}
	return ""
}

// Live says whether what it opened is open, or would be but for an instalment.
func (o Order) Live() bool { return o.State == "paid" || o.State == "partially_refunded" }

// CardTakes says whether a card can be left for it.
func (o Order) CardTakes() bool { return o.Live() || o.Waiting() && o.PayURL == "" }

// OrderLine is one thing that was ordered.
type OrderLine struct {
	Title                           Text
	SessionKey, EditionKey, Formula string // what it is for: one of the keys
	Quantity                        int
	Total                           money.Amount
}

// For is the page of what was ordered.
func (l OrderLine) For() string {
	if l.EditionKey != "" {
		return "/editions/" + l.EditionKey
	}
	return "/sessions/" + l.SessionKey
}

// For is the page of the first thing that was ordered.
func (o Order) For() string { return o.Lines[0].For() }

// Waiting says whether the state will change without the buyer doing anything here.
func (o Order) Waiting() bool { return o.State == "awaiting_payment" }

// Enrolment is one line of "my learning".
type Enrolment struct {
	ID, Formula, State string // state: active, left, revoked
	SessionKey         string
	SessionTitle       Text
	OpenedAt           time.Time
	Steps              []Step
	GradePPM           *int
	ThresholdPPM       int
	Checks             []Check // conditions of the exam; none: the formula has no exam
	CanBookExam        bool
	ExamSlots          bool // it has times and places to choose from
	Sitting            *Sitting
	Certificate        *Certificate
	Upgrade            *Offer
	CourseURL          string
	Labs               []labs.Standing
	LMSState           string      // of lms.State; empty: no platform is told of it
	Lock               *paths.Lock // its program does not open it yet
	Called             Called      // what the courses are called that the lock names
	Workshop           Workshop
}

// Step is a stage of the journey.
type Step struct {
	Code    string
	Reached bool
	At      time.Time
}

// Check is one condition of the exam and whether it is met; if not, what to do next, and from when on.
type Check struct {
	Code, Detail string
	Met          bool
	Next         string // of exams.Next
	At           *time.Time
}

// Sitting is an exam that was booked.
type Sitting struct {
	State    string // booked, passed, failed, canceled
	BookedAt time.Time
	URL      string
}

// Certificate is what was awarded.
type Certificate struct {
	ID, Code string
	IssuedAt time.Time
	Revoked  bool
	Demo     bool
	Title    string // of what, as printed
	Heading  string
	LinkedIn string // where its holder adds it to her profile

	Transcript bool // it also says what was not achieved: it is shown on no profile and no badge
}

// File is bytes to download.
type File struct {
	Name, ContentType string
	Content           []byte
}

// Verification is what anybody may know of a certificate. The state unknown carries nothing else.
type Verification struct {
	State                          string // valid, replaced, revoked, unknown
	Heading                        string
	Partners                       []string
	Signed, Program                bool // the file is signed; it is of a program
	Code, Holder, Issuer, Grade    string
	CourseTitle, SessionKey        string
	Formula, SHA256, RevokedReason string
	IssuedAt, RevokedAt            time.Time
	Demo                           bool
	Transcript                     *certificates.Transcript // nil: it is none
}
