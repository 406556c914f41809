// Package flows holds every reaction that goes upward from one room to another, one file each: what happens by itself.
//
// A room enqueues a job in the transaction that changes something; here it is said what follows. A reaction may run twice
// and must then do nothing the second time.
package flows

import (
	"cursus/internal/domain/accounting"
	"cursus/internal/domain/badges"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/dossier"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/labs"
	"cursus/internal/domain/lms"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/progress"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/uploads"
	"cursus/internal/domain/webhooks"
	"cursus/internal/gateways/mail"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

// House is what the reactions work with.
type House struct {
	DB           *postgres.DB
	Identity     *identity.Service
	Payments     *payments.Service
	Sales        *sales.Service
	Exams        *exams.Service
	Certificates *certificates.Service
	Badges       *badges.Service
	Invoicing    *invoicing.Service
	Accounting   *accounting.Service
	Webhooks     *webhooks.Service
	Cohorts      *cohorts.Service
	LMS          *lms.Service
	Labs         *labs.Service
	Gradebook    *gradebook.Service
	Uploads      *uploads.Service
	Intakes      *intakes.Service
	Dossier      *dossier.Service
	Outreach     *outreach.Service
	Letters      Letters
	Progress     *progress.Service
	Mail         mail.Sender
	BaseURL      string // of our site, for links in mails
	MailDomain   string // ends the ids of mails
}

// Register says what each kind of job does.
func Register(j *jobs.Jobs, h *House) {
	jobs.Register(j, h.paymentEvent)
	jobs.Register(j, h.refundRequested)
	jobs.Register(j, h.pageAbandoned)
	jobs.Register(j, h.signInLinkAsked)
	jobs.Register(j, h.orderPlaced)
	jobs.Register(j, h.transferMade)
	jobs.Register(j, h.seatGiven)
	jobs.Register(j, h.seatKept)
	jobs.Register(j, h.seatLost)
	jobs.Register(j, h.orderPaid)
	jobs.Register(j, h.orderReversed)
	jobs.Register(j, h.orderNews)
	jobs.Register(j, h.instalmentDue)
	jobs.Register(j, h.accessRestored)
	jobs.Register(j, h.orderPayable)
	jobs.Register(j, h.orderBilled)
	jobs.Register(j, h.orderWithdrawn)
	jobs.Register(j, h.placeOffered)
	jobs.Register(j, h.gradesImported)
	jobs.Register(j, h.standingChanged)
	jobs.Register(j, h.orderContested)
	jobs.Register(j, h.examRulesChanged)
	jobs.Register(j, h.examStandingChanged)
	jobs.Register(j, h.sittingMoved)
	jobs.Register(j, h.placeInSlotOffered)
	jobs.Register(j, h.appealDecided)
	jobs.Register(j, h.proctorDue)
	jobs.Register(j, h.proctorHeard)
	jobs.Register(j, h.sittingBooked)
	jobs.Register(j, h.resultRecorded)
	jobs.Register(j, h.certificateAwarded)
	jobs.Register(j, h.documentIssued)
	jobs.Register(j, h.reconciliationAsked)
	jobs.Register(j, h.eligibilityChanged)
	jobs.Register(j, h.certificateRevoked)
	jobs.Register(j, h.certificateReinstated)
	jobs.Register(j, h.certificateBatchDue)
	jobs.Register(j, h.rosterSent)
	jobs.Register(j, h.rosterDecided)
	jobs.Register(j, h.filesAsked)
	jobs.Register(j, h.webhooksDue)
	jobs.Register(j, h.webhookDisabled)
	jobs.Register(j, h.cohortStirred)
	jobs.Register(j, h.enrolmentChanged)
	jobs.Register(j, h.platformDue)
	jobs.Register(j, h.labStopDue)
	jobs.Register(j, h.outreachDue)
	jobs.Register(j, h.campaignTested)
	jobs.Register(j, h.cohortInvited)
	jobs.Register(j, h.cohortReminded)
	jobs.Register(j, h.platformListDue)
	jobs.Register(j, h.collectDue)
	jobs.Register(j, h.recheckDue)
	jobs.Register(j, h.exportMade)
	jobs.Register(j, h.digestDue)
}
