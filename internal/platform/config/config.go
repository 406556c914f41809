// Package config is the only room that reads the environment.
package config

import "github.com/caarlos0/env/v11"

// Config is every setting. Its tags are the table in docs/settings.md.
type Config struct {
	DatabaseURL         string           `env:"CURSUS_DATABASE_URL" doc:"postgres:// address of the database for its owner; empty: a private server in the data folder"`
	DataDir             string           `env:"CURSUS_DATA_DIR" envDefault:".cursus" doc:"folder of the private server, and of the demo's mails and sandbox"`
	PGBin               string           `env:"PG_BIN" doc:"folder of initdb and postgres, when they are not where they are looked for"`
	Addr                string           `env:"CURSUS_ADDR" envDefault:"127.0.0.1:8080" doc:"host:port to listen on"`
	BaseURL             string           `env:"CURSUS_BASE_URL" doc:"address of this site as browsers see it, such as https://cursus.example.org; only the demonstration makes one up"`
	Secret              string           `env:"CURSUS_SECRET" doc:"32 characters or more; signs forms and sign-in links"`
	StripeKey           string           `env:"CURSUS_STRIPE_KEY" doc:"secret key of Stripe; empty: nothing is sold"`
	StripeWebhookSecret string           `env:"CURSUS_STRIPE_WEBHOOK_SECRET" doc:"whsec_… of the endpoint /v1/webhooks/stripe"`
	StripeURL           string           `env:"CURSUS_STRIPE_URL" doc:"address of a Stripe sandbox on loopback instead of Stripe"`
	Mail                string           `env:"CURSUS_MAIL" doc:"smtp://, smtps:// or file:// address where mails go"`
	MailFrom            string           `env:"CURSUS_MAIL_FROM" envDefault:"Cursus <no-reply@localhost>" doc:"sender of mails"`
	Issuer              string           `env:"CURSUS_ISSUER" envDefault:"Institut Mines-Télécom" doc:"in whose name invoices and certificates are written"`
	IssuerCode          string           `env:"CURSUS_ISSUER_CODE" envDefault:"IMT" doc:"begins the numbers of invoices; capital letters and digits"`
	RefundAlone         map[string]int64 `env:"CURSUS_REFUND_ALONE" doc:"up to how much one person gives back without a second one, in minor units by currency, such as EUR:50000,XOF:330000; a currency that is not named has no limit"`
	HoldDeskDays        int              `env:"CURSUS_HOLD_DESK_DAYS" envDefault:"7" doc:"how many days an order to be paid at a partner's desk keeps its places: the buyer has to go there"`
	HoldTransferDays    int              `env:"CURSUS_HOLD_TRANSFER_DAYS" envDefault:"14" doc:"how many days an order to be paid by bank transfer keeps its places: transfers across borders take a week, and people pay their bills once a week"`
	HoldPODays          int              `env:"CURSUS_HOLD_PURCHASE_ORDER_DAYS" envDefault:"45" doc:"how many days an order on a purchase order keeps its places: public bodies have 30 days to pay, and transfers take some more"`
	InstalmentRetryDays []int            `env:"CURSUS_INSTALMENT_RETRY_DAYS" envDefault:"3,5,7" doc:"how many days after an instalment was due its card is tried again, growing; after the last it is in default, and the access policy of its plan holds"`
	InstalmentRemind    int              `env:"CURSUS_INSTALMENT_REMIND_DAYS" envDefault:"3" doc:"how many days before an instalment is due its buyer is reminded"`
	RosterAbsent        int              `env:"CURSUS_ROSTER_ABSENT_PERCENT" envDefault:"0" doc:"which share of a cohort, in percent, a full roster may withdraw because it does not have them, without somebody saying how many they are; 0: every one is confirmed"`
	InvitationReminders []int            `env:"CURSUS_INVITATION_REMINDER_DAYS" envDefault:"3,10,21,-2" doc:"how many days after an invitation to a cohort that nobody took up it is recalled by mail, and, below nothing, how many days before one can join no more; empty: never"`
	OutreachPerMinute   int              `env:"CURSUS_OUTREACH_PER_MINUTE" envDefault:"120" doc:"how many mails of announcements, weekly mails and reminders leave in any minute, of all processes together; what a mail provider allows is its own rule"`
	WebhookInside       []string         `env:"CURSUS_WEBHOOK_INSIDE" doc:"addresses with port, such as 127.0.0.1:9000, that may hear webhooks although they are inside, over http too; for a demonstration and tests alone"`
	LMSInside           []string         `env:"CURSUS_LMS_INSIDE" doc:"learning platforms that are inside our network, as address or name with port, such as 10.0.0.7:8000 or lms:8000; others are called over https on public addresses alone"`
	ProctorInside       []string         `env:"CURSUS_PROCTOR_INSIDE" doc:"providers of proctoring that are inside our network, as address or name with port, such as 10.0.0.8:8000 or proctor:8000; others are called over https on public addresses alone"`
	LabInside           []string         `env:"CURSUS_LAB_INSIDE" doc:"providers of labs that are inside our network, as address or name with port, such as 10.0.0.8:8000 or labs:8000; others are called over https on public addresses alone"`
	OpenIDInside        []string         `env:"CURSUS_OPENID_INSIDE" doc:"addresses with port, such as 127.0.0.1:9100, of sign-in providers that may be inside, over http too; for a demonstration and tests alone"`
	Signatory           string           `env:"CURSUS_SIGNATORY" envDefault:"The director of studies" doc:"who signs certificates"`
	SignCertificate     string           `env:"CURSUS_SIGN_CERTIFICATE" doc:"path of a PEM file with the certificate that signs the PDFs of certificates (PAdES), and those that lead to its root; empty: they are not signed, and it is said so"`
	SignKey             string           `env:"CURSUS_SIGN_KEY" doc:"path of a PEM file with its private key, RSA or ECDSA"`
	SignTimeStamps      string           `env:"CURSUS_SIGN_TIMESTAMPS" doc:"address of a time stamp authority (RFC 3161) that says when it was signed; empty: no time stamp"`
	Demo                bool             `env:"CURSUS_DEMO" doc:"everything is marked as a demonstration, and a Stripe sandbox may be used (cursus serve --demo sets it, makes the data and runs the sandbox)"`
	LogLevel            string           `env:"CURSUS_LOG_LEVEL" envDefault:"info" doc:"debug, info, warn or error"`
	DrainSeconds        int              `env:"CURSUS_DRAIN_SECONDS" envDefault:"0" doc:"after the signal to end, how many seconds (at most 60) /readyz says 503 while everything is still answered, so that a proxy in front turns away first"`
	TrustedProxies      []string         `env:"CURSUS_TRUSTED_PROXIES" doc:"addresses or networks of the proxies in front, with commas"`
}

// Load reads the environment.
func Load() (Config, error) { return env.ParseAs[Config]() }
