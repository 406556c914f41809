// Package app puts the rooms together.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/books/ledger"
	"cursus/internal/domain/accounting"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/badges"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/confidence"
	"cursus/internal/domain/dossier"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/evidence"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/export"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/labs"
	"cursus/internal/domain/lms"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/progress"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/surveys"
	"cursus/internal/domain/uploads"
	"cursus/internal/domain/webhooks"
	"cursus/internal/domain/workshops"
	"cursus/internal/flows"
	"cursus/internal/gateways/labgate"
	"cursus/internal/gateways/mail"
	"cursus/internal/gateways/oidc"
	"cursus/internal/gateways/openedx"
	"cursus/internal/gateways/pades"
	"cursus/internal/gateways/pdf"
	"cursus/internal/gateways/proctoring"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/webhookgate"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/config"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/postgres/cluster"
	"cursus/internal/transport/api"
)

// House is an opened Cursus: its database, migrated, under the application's role, and the rooms over it.
type House struct {
	Config       config.Config
	DB           *postgres.DB
	Jobs         *jobs.Jobs
	Identity     *identity.Service
	Payments     *payments.Service
	Sales        *sales.Service
	Gradebook    *gradebook.Service
	Exams        *exams.Service
	Certificates *certificates.Service
	Badges       *badges.Service
	Invoicing    *invoicing.Service
	Accounting   *accounting.Service
	Evidence     *evidence.Service
	Workshops    *workshops.Service
	Labs         *labs.Service
	Webhooks     *webhooks.Service
	Dossier      *dossier.Service
	Cohorts      *cohorts.Service
	LMS          *lms.Service
	Uploads      *uploads.Service
	Intakes      *intakes.Service
	Outreach     *outreach.Service
	letters      flows.Letters
	Progress     *progress.Service
	Surveys      *surveys.Service
	Export       *export.Service
	Log          *slog.Logger
	Clock        clock.Clock
	cluster      *cluster.Cluster
	ending       atomic.Bool
	open         context.Context //nolint:containedctx // it ends when the house closes
	shut         context.CancelFunc
	heard        sync.WaitGroup // listeners
	kept         *api.Cache
	printer      *pdf.Renderer
}

// Options change what a house is made of; the zero value is for production.
type Options struct {
	Clock   clock.Clock
	Log     *slog.Logger
	Mail    mail.Sender      // nil: made from the configuration
	Hooks   webhooks.Courier // of webhooks; nil: made from the configuration
	OpenID  identity.OpenID  // nil: made from the configuration
	LMS     lms.Door         // to learning platforms; nil: made from the configuration
	Proctor exams.Proctor    // to providers of proctoring; nil: made from the configuration
	Labs    labs.Door        // to providers of labs; nil: made from the configuration

	// Wait is how the house waits for its turn at a learning platform; nil: by the machine's time. On a clock that stands still nobody waits
	// for it: each turn is a little later than the last one, and each wait would be longer.
	Wait func(context.Context, time.Duration) error
}

// Open finds the database, starting the private server where no address is given, migrates it and opens the rooms.
func Open(ctx context.Context, c config.Config, o Options) (*House, error) {
	h, dsn := &House{Config: c, Log: o.Log, Clock: o.Clock}, c.DatabaseURL
	h.open, h.shut = context.WithCancel(context.WithoutCancel(ctx))
	if h.Clock == nil {
		h.Clock = clock.System{}
	}
	if h.Log == nil {
		h.Log = slog.New(slog.DiscardHandler)
	}
	if dsn == "" {
		var err error
		if h.cluster, err = cluster.Start(ctx, c.DataDir, cluster.Options{BinDir: c.PGBin}); err != nil {
			return nil, err
		}
		dsn = h.cluster.OwnerDSN("cursus")
		if err := postgres.CreateDatabase(ctx, h.cluster.OwnerDSN("postgres"), "cursus"); err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	err := postgres.Migrate(ctx, dsn)
	if err == nil {
		h.DB, err = postgres.Open(ctx, dsn, postgres.Options{Role: postgres.AppRole, Clock: h.Clock})
	}
	if err == nil {
		err = h.furnish(o)
	}
	if err == nil {
		err = h.DB.InTx(postgres.WithActor(ctx, "system"), "issuer", func(ctx context.Context, tx *postgres.Tx) error {
			return invoicing.EnsureIssuerTx(ctx, tx, invoicing.Issuer{Code: c.IssuerCode, Name: c.Issuer})
		})
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// furnish opens the rooms, lowest floor first.
func (h *House) furnish(o Options) (err error) {
	c := h.Config
	secret := []byte(c.Secret)
	if len(secret) == 0 { // a command that signs nobody in: nothing made with this outlives it
		secret = []byte(ident.Secret(32))
	}
	gateway, err := gatewayOf(c, h.Clock)
	if err != nil {
		return err
	}
	if o.Mail == nil {
		if o.Mail, err = mailOf(c, h.Clock); err != nil {
			return err
		}
	}
	h.Jobs = jobs.New(h.DB, h.Log)
	if o.OpenID == nil {
		if o.OpenID, err = oidc.New(oidc.Options{Inside: c.OpenIDInside, Clock: h.Clock}); err != nil {
			return err
		}
	}
	if h.Identity, err = identity.New(h.DB, h.Jobs, o.OpenID, secret); err != nil {
		return err
	}
	h.Payments = payments.New(h.DB, h.Jobs, gateway, c.BaseURL)
	h.Sales = sales.New(h.DB, h.Jobs, h.Payments, sales.Options{Issuer: invoicing.Issuer{Code: c.IssuerCode, Name: c.Issuer}, RefundAlone: c.RefundAlone, Holds: holdsOf(c),
		Dunning: sales.Dunning{RetryDays: c.InstalmentRetryDays, RemindDays: c.InstalmentRemind}})
	h.Gradebook = gradebook.New(h.DB, h.Jobs)
	h.Workshops = workshops.New(h.DB, h.Jobs)
	h.Exams = exams.New(h.DB, h.Jobs)
	h.Sales.RetakeWith(h.Exams.NeedsRetakeTx)
	h.Surveys = surveys.New(h.DB)
	if err := h.openProctors(o, secret); err != nil {
		return err
	}
	printer, err := pdf.New()
	if err != nil {
		return err
	}
	h.printer = printer
	h.Certificates = certificates.New(h.DB, h.Jobs, printer, certificates.Issuer{Code: c.IssuerCode, Name: c.Issuer, Signatory: c.Signatory, BaseURL: c.BaseURL}, c.Demo)
	signer, err := pades.New(pades.Options{Certificate: c.SignCertificate, Key: c.SignKey, TimeStamps: c.SignTimeStamps})
	if err != nil {
		return err
	}
	if signer != nil {
		h.Certificates.SignWith(signer)
	}
	if h.Badges, err = badges.New(h.DB, h.Certificates, certificates.Issuer{Name: c.Issuer, Signatory: c.Signatory, BaseURL: c.BaseURL}, secret); err != nil {
		return err
	}
	if err := h.openLabs(o, secret); err != nil {
		return err
	}
	h.Invoicing = invoicing.New(h.DB, printer)
	h.Accounting = accounting.New(h.DB, h.Jobs, h.Payments)
	h.Evidence = evidence.New(h.DB, h.Sales, h.Invoicing, h.Certificates, printer, c.Demo)
	if o.Hooks == nil {
		if o.Hooks, err = webhookgate.New(webhookgate.Options{Inside: c.WebhookInside, Clock: h.Clock}); err != nil {
			return err
		}
	}
	if h.Webhooks, err = webhooks.New(h.DB, h.Jobs, o.Hooks, secret); err != nil {
		return err
	}
	if h.Cohorts, err = cohorts.New(h.DB, h.Jobs, h.Sales, deskOf, secret); err != nil {
		return err
	}
	h.Cohorts.RemindAfter(c.InvitationReminders)
	h.Uploads = uploads.New(h.DB, h.Jobs, h.Cohorts, c.RosterAbsent)
	h.Intakes = intakes.New(h.DB, h.Jobs, h.Gradebook, h.Surveys, h.Exams)
	h.Dossier = dossier.New(h.DB, h.Jobs, h.Uploads)
	h.Export = export.New(h.DB, h.Jobs)
	if err := h.openLMS(o, secret); err != nil {
		return err
	}
	h.letters = flows.Letters{Mail: o.Mail, BaseURL: c.BaseURL, MailDomain: domainOf(c.BaseURL), Demo: c.Demo}
	h.Progress = progress.New(h.DB, h.Jobs, printer, h.letters, secret, c.Demo)
	h.Outreach = outreach.New(h.DB, h.Jobs, h.letters, outreach.Options{PerMinute: c.OutreachPerMinute, Secret: secret})
	flows.Register(h.Jobs, &flows.House{
		DB: h.DB, Invoicing: h.Invoicing, Accounting: h.Accounting, Identity: h.Identity, Payments: h.Payments, Sales: h.Sales, Exams: h.Exams, Certificates: h.Certificates, Badges: h.Badges, Mail: o.Mail, BaseURL: c.BaseURL,
		MailDomain: domainOf(c.BaseURL), Webhooks: h.Webhooks, Cohorts: h.Cohorts, Uploads: h.Uploads, Intakes: h.Intakes, Dossier: h.Dossier, LMS: h.LMS, Gradebook: h.Gradebook, Labs: h.Labs,
		Outreach: h.Outreach, Letters: h.letters, Progress: h.Progress,
	})
	return nil
}

// openLabs opens the labs, whose tokens are signed with the key of badges: providers find one key of the house.
func (h *House) openLabs(o Options, secret []byte) (err error) {
	door := o.Labs
	if door == nil {
		if door, err = labgate.New(labgate.Options{Inside: h.Config.LabInside}); err != nil {
			return err
		}
	}
	h.Labs, err = labs.New(h.DB, h.Jobs, door, h.Badges, secret, h.Config.BaseURL)
	return err
}

func (h *House) openLMS(o Options, secret []byte) (err error) {
	door := o.LMS
	if door == nil {
		if door, err = openedx.New(openedx.Options{Inside: h.Config.LMSInside, Clock: h.Clock}); err != nil {
			return err
		}
	}
	h.LMS, err = lms.New(h.DB, h.Jobs, door, secret, lms.Options{Sleep: o.Wait})
	return err
}

// openProctors opens the way to the providers that watch over exams.
func (h *House) openProctors(o Options, secret []byte) (err error) {
	if o.Proctor == nil {
		if o.Proctor, err = proctoring.New(proctoring.Options{Inside: h.Config.ProctorInside, Clock: h.Clock}); err != nil {
			return err
		}
	}
	return h.Exams.ProctorWith(o.Proctor, secret, h.Config.BaseURL)
}

// gatewayOf opens the way to the payment provider; nil without a key.
func gatewayOf(c config.Config, clock clock.Clock) (payments.Gateway, error) {
	if c.StripeKey == "" {
		return nil, nil //nolint:nilnil // no provider is a legal state, and payments says what it means
	}
	return stripegate.New(stripegate.Config{SecretKey: c.StripeKey, WebhookSecret: c.StripeWebhookSecret, BaseURL: c.StripeURL, Clock: clock})
}

// nowhere refuses mails where no server is configured: the job waits until one is.
type nowhere struct{}

func (nowhere) Send(context.Context, mail.Message) error {
	return mail.ErrLater.Detailf("No mail server is configured (CURSUS_MAIL).")
}

func mailOf(c config.Config, clock clock.Clock) (mail.Sender, error) {
	if c.Mail == "" {
		return nowhere{}, nil
	}
	return mail.New(mail.Options{Address: c.Mail, From: c.MailFrom, Clock: clock})
}

func domainOf(baseURL string) string {
	if u, err := url.Parse(baseURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "localhost"
}

// Close stops listening, closes the pool and stops the private server.
func (h *House) Close() error {
	var err error
	h.shut()
	h.heard.Wait()
	if h.DB != nil {
		err = h.DB.Close()
	}
	if h.cluster != nil {
		err = errors.Join(err, h.cluster.Stop())
	}
	return err
}

// Checks are the invariants of all rooms.
func Checks() (all []postgres.Check) {
	for _, room := range [][]postgres.Check{
		audit.Checks(), dossier.Checks(), ledger.Checks(), journey.Checks(), analytics.Checks(), payments.Checks(), invoicing.Checks(), enrolment.Checks(), gradebook.Checks(),
		sales.Checks(), exams.Checks(), surveys.Checks(), certificates.Checks(), badges.Checks(), programs.Checks(), paths.Checks(), catalog.Checks(),
		confidence.Checks(), workshops.Checks(), labs.Checks(), accounting.Checks(), webhooks.Checks(), cohorts.Checks(), uploads.Checks(), lms.Checks(), outreach.Checks(), progress.Checks(),
	} {
		all = append(all, room...)
	}
	return all
}

// Violation is a broken invariant with the rows that break it.
type Violation struct {
	Check postgres.Check
	Rows  []string
}

// Verify runs every check and gives those that are broken. With a payment provider it also compares its own book with ours;
// where that cannot be reached the error says so, beside what else is broken.
func (h *House) Verify(ctx context.Context) ([]Violation, error) {
	var broken []Violation
	for _, c := range Checks() {
		rows, err := postgres.RunCheck(ctx, h.DB, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		if len(rows) > 0 {
			broken = append(broken, Violation{c, rows})
		}
	}
	rows, err := h.Payments.Reconcile(ctx)
	if err != nil {
		return broken, fmt.Errorf("the provider's own book cannot be compared: %w", err)
	}
	if len(rows) > 0 {
		broken = append(broken, Violation{postgres.Check{Invariant: "7", Name: "the provider's own book is our clearing account"}, rows})
	}
	return broken, nil
}
