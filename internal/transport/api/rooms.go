package api

import (
	"context"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

// Rooms is all that the API asks of the house. The composition root implements it.
//
// Its rules: a fault keeps its kind and its code (the API makes the problem; an error that is no fault is our failure, 500). The context
// carries the actor of the principal for row-level security ("public" for public operations) and ends with the request's time. What
// belongs to somebody else is NotFound for a learner. Input has the form of openapi.yaml when it arrives; rules beyond that form are the
// rooms' own. A method that takes a key does its work once per principal and key, and answers the same again afterwards. Lists answer at
// most p.Limit rows after p.After and next, the sort key of the last row; next is empty when nothing follows. Times may be in any zone.
type Rooms interface {
	// Courses lists the courses that the public sees, each with its sessions. public
	Courses(ctx context.Context, f catalog.Filter, p page.Request) (courses []Course, next string, err error)
	// Course finds a course that the public sees by id or key, with its document. public
	Course(ctx context.Context, idOrKey string) (Course, error)
	// Session finds a session by id or key, with its exercises and the offers that stand. public
	Session(ctx context.Context, idOrKey string) (Session, error)
	// VerifyCertificate looks a printed code up, whatever its case and hyphens. NotFound for a code that was never printed. public
	VerifyCertificate(ctx context.Context, code string) (Verification, error)
	// ReceiveStripeEvent returns nil when the event is durably stored. raw are the bytes that were signed. public
	ReceiveStripeEvent(ctx context.Context, raw []byte, signature string) error

	// Me is the person behind the principal.
	Me(ctx context.Context, who Principal) (Person, error)
	PlaceOrder(ctx context.Context, who Principal, o NewOrder) (sales.Order, error)
	// Orders are those of the principal, the newest first.
	Orders(ctx context.Context, who Principal, p page.Request) (orders []sales.Order, next string, err error)
	Order(ctx context.Context, who Principal, id string) (sales.Order, error)
	// Enrolments are those of the principal, the newest first.
	Enrolments(ctx context.Context, who Principal, p page.Request) (enrolments []Enrolment, next string, err error)
	Eligibility(ctx context.Context, who Principal, enrolmentID string) (Eligibility, error)
	// BookSitting refuses with an Unprocessable fault that points to each condition that is not met.
	BookSitting(ctx context.Context, who Principal, enrolmentID, key string) (Sitting, error)
	Certificate(ctx context.Context, who Principal, id string) (Certificate, error)
	// CertificatePDF is NotFound, too, while the document is not printed.
	CertificatePDF(ctx context.Context, who Principal, id string) ([]byte, error)

	CreateSession(ctx context.Context, who Principal, n NewSession) (Session, error)
	// PutExercises replaces the map of a session. version is the one that was read; 0 takes any. Another one is a Precondition fault.
	PutExercises(ctx context.Context, who Principal, session string, exercises []Exercise, version int) (Session, error)
	CreateOffer(ctx context.Context, who Principal, n NewOffer) (Offer, error)
	ImportGrades(ctx context.Context, who Principal, i Intake) (gradebook.Collection, error)
	// Collections lists the reports of a session, the oldest first; neither Unmapped nor Rejects are needed.
	Collections(ctx context.Context, who Principal, session string, p page.Request) (collections []gradebook.Collection, next string, err error)
	CollectionSchedule(ctx context.Context, who Principal, session string) (gradebook.Schedule, error)
	PutCollectionSchedule(ctx context.Context, who Principal, session string, version int, n gradebook.NewSchedule) (gradebook.Schedule, error)
	CollectGrades(ctx context.Context, who Principal, session string) (gradebook.Schedule, error)
	// StageChecks lists when the stages of each session were compared with its facts, by key.
	StageChecks(ctx context.Context, who Principal, p page.Request) (all []gradebook.Recheck, next string, err error)
	StageCheck(ctx context.Context, who Principal, session string) (gradebook.Recheck, error)
	CheckStages(ctx context.Context, who Principal, session string) (gradebook.Recheck, error)
	// RebuildStages gives the number of changes that it made.
	RebuildStages(ctx context.Context, who Principal, session string) (int, error)
	// RecordStatements takes xAPI statements; what is something else is refused.
	RecordStatements(ctx context.Context, who Principal, session string, content []byte) (gradebook.Collection, error)
	Collection(ctx context.Context, who Principal, session, collection string) (gradebook.Collection, error)
	ColumnMapping(ctx context.Context, who Principal, session string) (gradebook.Mappings, error)
	// MapColumns decides what columns are; version is the one that the caller read, 0 for any.
	MapColumns(ctx context.Context, who Principal, session string, decisions []gradebook.Mapping, version int) (gradebook.Mappings, error)
	// RecordResult does nothing when the sitting has this very result, and is a Conflict when it has another.
	RecordResult(ctx context.Context, who Principal, r NewResult) (Sitting, error)
	// Refund answers the order as it stands once the refund is requested.
	Refund(ctx context.Context, who Principal, r NewRefund) (sales.Order, error)
	RevokeCertificate(ctx context.Context, who Principal, id, reason string) (Certificate, error)
	Indicators(ctx context.Context, who Principal, q IndicatorsQuestion) (Indicators, error)
	Outcomes(ctx context.Context, who Principal, q OutcomesQuestion) (Outcomes, error)
	Queue(ctx context.Context, who Principal) (Queue, error)

	AuthoringRooms
	ProgramRooms
	OfferRooms
	PriceRooms
	SalesRooms
	AccountRooms
	AccessRooms
	TraceRooms
	PrivacyRooms
	ProgressRooms
	SurveyRooms
	IntakeRooms
	FigureRooms
	ExportRooms
	WebhookRooms
	OutreachRooms
	BadgeRooms
	CertificateRooms
	CohortRooms
	LMSRooms
	ProctoringProviderRooms
	ExamRooms
	ConfidenceRooms
	ProctorRooms
	LabRooms
	CandidateRooms
	RosterRooms
}

// Principal is who asks. PersonID scopes idempotency keys; Actor is what postgres.WithActor is told.
type Principal struct {
	PersonID string
	Actor    string
	Scopes   []string
	// Desk says that she takes money at a school's desk and is nobody else's staff: beyond that she acts as a learner.
	Desk bool
	// Client is the id of the system that speaks, if one does, and PerMinute how often it may.
	Client    string
	PerMinute int
	// ProvenAt is when she last proved who she is; zero: nobody can say, or she is a system.
	ProvenAt time.Time
}

// Text is a text in the two languages of the house; a language that was not written is empty.
type Text struct{ EN, FR string }

// Person is who the principal is.
type Person struct {
	ID, Email, FullName, Lang string
	Roles                     []string
}

// Course is a course with its sessions, the newest first.
type Course struct {
	ID, Key, Collection string // collection: a key, or empty
	Title, Summary      Text
	Level               string // pre_bachelor, bachelor, post_bachelor or empty
	WorkloadHours       int    // 0: not said
	Language            string
	ECTSHundredths      int            // 0: none were agreed
	Document            *catalog.Draft // as it was published; nil in lists
	Sessions            []SessionSummary
}

// SessionSummary is a session in a list. Times that were not said are nil.
type SessionSummary struct {
	ID, Key, Course                         string // course: its key
	Number                                  int    // 0: not numbered
	Title                                   Text
	State                                   string // upcoming, open, running, closed
	StartsAt, EndsAt, EnrolFrom, EnrolUntil *time.Time
}

// Session is all that is known of a session. Version makes its ETag and grows with each change.
type Session struct {
	SessionSummary
	Platform, CourseURL string
	Audience            string // for whom; empty: not said
	ThresholdPPM        int
	Version             int
	Publication         string // only staff see another one than published
	Offers              []Offer
	Exercises           []Exercise
}

// Exercise is a column of the grade reports, in the order of the course. Week 0 is outside the weeks.
type Exercise struct {
	Label    string
	Week     int
	Scored   bool
	Activity string // quiz, case_study, lab
	Weight   int64  // relative, in millionths
}

// NewSession is a session to make, and its course when the key of the course is new.
type NewSession struct {
	Key                                     string // idempotency key
	SessionKey, CourseKey                   string
	Number                                  int // 0: not numbered
	Title                                   Text
	Platform, CourseURL                     string
	ThresholdPPM                            int
	StartsAt, EndsAt, EnrolFrom, EnrolUntil *time.Time
	Exercises                               []Exercise
	Kind, PlatformKey, Audience, Language   string
	Capacity                                *int
	Publication                             string // draft, published
}

// NewOffer is a price to set.
type NewOffer struct {
	Key                   string // idempotency key
	Session, Formula      string // session: id or key
	Price                 money.Amount
	ValidFrom, ValidUntil *time.Time
	Audience              string // key of an organisation; empty: the public
	Quota                 *int
	Call                  Text
	Withdrawal            string // consumer, vocational or none; empty: consumer
}

// Offer is a formula of a session at a price.
type Offer struct {
	ID, Session, Formula  string // session: its key
	Price                 money.Amount
	Entitlements          []string
	ValidFrom, ValidUntil *time.Time
	Audience              string
	Quota                 *int
	Call                  Text
	Withdrawal            string
}

// NewOrder is what a learner wants to buy: one place of an offer, or items.
type NewOrder struct {
	Key           string // idempotency key
	OfferID, Lang string
	Organisation  string // which buys; empty: the principal does, for herself
	Items         []sales.Item
	Voucher       string // a code; empty: none
	Currency      money.Currency
	BeginNow      bool // before the time to withdraw is over
	Way           sales.Way
	Partner       string // of the way Desk
	Reference     string // of the buyer's purchase order
}

// NewRefund is money to give back: what of which line, or an amount, or all that is left; minor units of the order's currency.
type NewRefund struct {
	Key             string // idempotency key
	OrderID, Reason string
	AmountMinor     *int64
	Lines           []sales.RefundLine
}

// Stage is a stage that holds. Codes: enrolled, started, diligent, succeeded, exam_booked, exam_sat, exam_passed, certified.
type Stage struct {
	Code      string
	ReachedAt time.Time
}

// Enrolment is the right of a learner to follow a session.
type Enrolment struct {
	ID, State, Session string // state: active, left, revoked; session: its key
	Title              Text   // of the session
	Formula            string // empty: none was bought
	Entitlements       []string
	OpenedAt           time.Time
	Stages             []Stage
	GradePPM           *int
	CourseURL          string
	Sitting            *Sitting // the latest
	CertificateID      string   // the live one, or the latest revoked
	LMSState           string   // of lms.State; empty: no platform is told of it
}

// Eligibility says whether a learner may sit the exam.
type Eligibility struct {
	EnrolmentID string
	Eligible    bool
	Conditions  []exams.Condition
	Retakes     []sales.RetakeOffer // what the next attempt costs, where it is to be paid for
}

// Sitting is one attempt at the exam.
type Sitting struct {
	Kind, SlotID    string // no slot: empty
	ID, EnrolmentID string
	Attempt         int    // from 1
	State           string // booked, passed, failed, no_show, canceled
	ScorePPM        *int
	Reference       string // the proctor's own, or empty
	BookedAt        time.Time
	ResultAt        *time.Time
}

// NewResult is how a sitting ended. State: passed, failed, no_show.
type NewResult struct {
	SittingID, State, Reference string
	ScorePPM                    *int
}

// Certificate is what was awarded: the printed facts, and whether it still holds.
type Certificate struct {
	ID, State, Code, EnrolmentID     string // state: valid, replaced, revoked
	Kind, LearnerID                  string
	Session, CourseTitle, HolderName string // session: its key, or that of an edition
	Formula, Issuer, Grade           string // grade: as printed, or empty
	Partners                         []string
	IssuedAt                         time.Time
	ReplacedAt                       *time.Time
	ReplacesID, ReplacedByID         string
	RevokedAt                        *time.Time
	RevokedReason                    string
	SHA256, VerificationURL          string // sha256: hexadecimal, empty until the document is printed
	Demo                             bool
	Transcript                       *certificates.Transcript // nil: it is none
}

// Verification is what anybody may know of a certificate.
type Verification struct {
	State, Code                      string // state: valid, replaced, revoked; of a file, altered too
	Kind, Heading                    string
	Partners                         []string
	ReplacedAt                       *time.Time
	Signed                           bool
	Session, CourseTitle, HolderName string
	Formula, Issuer, Grade           string
	IssuedAt                         time.Time
	RevokedAt                        *time.Time
	RevokedReason, SHA256            string
	Demo                             bool
	Transcript                       *certificates.Transcript // nil: it is none
}

// Intake is a grade report to import. A nil CollectedAt is read from the file name. Content is the file as it was sent, perhaps gzip.
type Intake struct {
	Session, FileName string // session: id or key
	CollectedAt       *time.Time
	Content           []byte
	DryRun            bool
}

// IndicatorsQuestion asks for the five indicators. Zero times are now; the rest is never empty but the cohort.
type IndicatorsQuestion struct {
	Session          string // id or key
	AsOf, KnownAt    time.Time
	Basis, Week1Rule string
	Cohort           string
}

// Indicators are the five. AsOf and KnownAt repeat what was asked for and are nil when it was not.
type Indicators struct {
	Session, Course          string // keys
	Title                    Text
	Open                     bool
	Basis, Week1Rule, Cohort string
	AsOf, KnownAt            *time.Time
	Enrolled                 int64
	Metrics                  []Metric
}

// Metric is a share with what it means.
type Metric struct {
	ID, Formula string
	Version     int
	Rate        Rate
}

// Rate is a share of people. Tenths of a per cent; nil when there is nobody to take a share of, or no interval.
type Rate struct {
	Count, Of         int64
	Tenths, Low, High *int64
}

// OutcomesQuestion asks what a formula of a session became. Zero times are now; the formula is never empty.
type OutcomesQuestion struct {
	Session          string // id or key
	AsOf, KnownAt    time.Time
	Basis, Week1Rule string
	Formula          string
}

// Outcomes are the shares of the holders of a formula, and the net revenue of the same enrolments, per currency.
type Outcomes struct {
	Session, Course, Formula string // keys
	Title                    Text
	Open                     bool
	Basis, Week1Rule         string
	AsOf, KnownAt            *time.Time
	Holders                  int64
	Metrics                  []Metric
	Revenue                  []Revenue
	Demo                     bool
}

// Revenue is the money of one currency.
type Revenue struct {
	Currency money.Currency
	Metrics  []MoneyMetric
}

// MoneyMetric is an amount with what it means. Of is the people that it was divided by, 1 for the sum itself; a nil amount has nobody.
type MoneyMetric struct {
	ID, Formula string
	Version     int
	Of          int64
	Amount      *money.Amount
}

// Queue counts jobs.
type Queue struct{ Pending, Dead int64 }
