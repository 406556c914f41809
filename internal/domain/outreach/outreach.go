// Package outreach writes to people who may refuse it: it announces new sessions, mails learners each week how far they are, and reminds
// those on a list. What people must know, such as a payment or a sign-in link, is not its business and goes always.
//
// A campaign finds its recipients once, when it begins. Each is a row, and the row says first that a mail is about to be sent, in a
// transaction of its own; only then the mail server is asked, and what it answered is written down. Who dies in between leaves a row that
// says "sending", and nobody sends it again: whether that mail left is not known, and a mail too few is better here than one twice.
package outreach

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"

	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("outreach", queriesSQL)

// Letter is one mail to one person, in words; how it looks is decided where it is sent.
type Letter struct {
	ID          string // of the recipient, which makes the Message-ID
	To, Lang    string
	Kind        Kind
	Subject     string
	Paragraphs  []string
	Button      string // words of the button; empty: none
	Path        string // where it leads: on our site, or an address
	Unsubscribe string // token; empty for a test, which nobody can unsubscribe from
}

// Outcome is what became of a mail that was handed over.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // the mail server took it
	Dead      Outcome = "dead"      // it refuses the address for good
	Refused   Outcome = "refused"   // it refuses the mail for good
	Later     Outcome = "later"     // nothing was handed over; try again later
	Unknown   Outcome = "unknown"   // it was handed over and no answer came
)

// Post is the way out of the house. It is asked outside of transactions, and never fails: what went wrong is its outcome.
type Post interface {
	Send(ctx context.Context, l Letter) Outcome
}

// Options of New.
type Options struct {
	PerMinute int    // mails that leave in any minute, of all processes together; 0: 120
	Secret    []byte // signs the links to unsubscribe
}

// Service is the room.
type Service struct {
	db        *postgres.DB
	jobs      *jobs.Jobs
	post      Post
	perMinute int
	key       []byte
	hands     chan struct{} // one batch at a time in this process
}

// New opens the room.
func New(db *postgres.DB, j *jobs.Jobs, post Post, o Options) *Service {
	if o.PerMinute <= 0 {
		o.PerMinute = 120
	}
	mac := hmac.New(sha256.New, o.Secret)
	mac.Write([]byte("cursus outreach"))
	return &Service{db: db, jobs: j, post: post, perMinute: o.PerMinute, key: mac.Sum(nil), hands: make(chan struct{}, 1)}
}

func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }

// Due says that mails wait to be sent.
type Due struct{}

// Kind names the job.
func (Due) Kind() string { return "outreach.due" }

// Rank lets what people wait for go first.
func (Due) Rank() int { return 2 }

// TestAsked says that somebody wants to see a campaign in her own mail.
type TestAsked struct {
	CampaignID string `json:"campaign_id"`
	PersonID   string `json:"person_id"`
	Nonce      string `json:"nonce"` // tells it from another test
}

// Kind names the job.
func (TestAsked) Kind() string { return "outreach.test_asked" }

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "23", Name: "what is over has nothing to send", Query: q.Q("CheckOver")},
		{Invariant: "23", Name: "an address that was refused for good is not written to later", Query: q.Q("CheckDead")},
		{Invariant: "23", Name: "nobody is written to who had unsubscribed", Query: q.Q("CheckUnsubscribed")},
	}
}
