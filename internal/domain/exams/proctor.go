package exams

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
)

// ProctorKind is the language of a provider that watches over exams.
type ProctorKind string

// The languages of providers.
const (
	ProctorREST ProctorKind = "rest" // the provider contract of edx-proctoring
	ProctorLTI  ProctorKind = "lti"  // LTI Proctoring Services 1.0: the browser carries what is said
)

// ProctorAccess is what a call to a provider needs, and what a message of it is held against.
type ProctorAccess struct {
	Provider   string // key
	Version    int    // of its settings: what was got under older ones is of no use
	Kind       ProctorKind
	BaseURL    string
	TargetURL  string // of lti
	Deployment string // of lti
	ClientID   string
	Client     string // the secret of the client; of rest
	Issuer     string // of what it signs with keys of its own
	KeysURL    string
	Callback   [][]byte // each may sign its messages
	Key        []byte   // signs ours; of lti: the private key in PKCS #8
	Audience   string   // for whom its messages are: the address of the provider with us
}

// ExamCard is what a provider is told of an exam.
type ExamCard struct {
	ID      string
	Session string // key
	Title   string
	Minutes int
}

// AttemptCard is what a provider is told of an attempt: nobody's name or address.
type AttemptCard struct {
	ID      string // also the key under which it is made once
	User    string // who sits, as this provider alone knows her
	Seconds int
}

// Registered is an attempt as a provider knows it.
type Registered struct {
	ExternalID string
	LaunchURL  string // where who sits sets herself up; empty: the provider has one address for all
}

// ProctorConfig is what a provider says of itself.
type ProctorConfig struct {
	Name        string
	DownloadURL string
}

// ProctorMessage is what came from a provider, byte for byte, and what it came with.
type ProctorMessage struct {
	Attempt       string // of its address: as the provider calls it
	Call          string // of its address: ready, reviewed, start or control
	ID            string // webhook-id
	Timestamp     string // webhook-timestamp
	Signature     string // webhook-signature
	Authorization string
	Body          []byte
}

// Heard is what a message says, once its signature is proven.
type Heard struct {
	Message  string // its id; a provider never gives one twice for two messages
	Attempt  string // as the provider calls it
	Subject  string // who sat, as the provider knows her; empty: it does not say
	Event    ProctorEvent
	Verdict  Verdict // of EvReviewed
	Severity int     // of EvFlagged, 0 to 100
	At       time.Time
	Note     string // what people there wrote
	Ends     bool   // of ProctorReady: it asks to be told by the browser when the exam is over (lti)
}

// ProctorEvent is what a provider can say of an attempt.
type ProctorEvent string

// The events of providers.
const (
	ProctorReady    ProctorEvent = "ready"
	ProctorStarted  ProctorEvent = "start"
	ProctorSubmits  ProctorEvent = "submit"
	ProctorFailed   ProctorEvent = "fail"
	ProctorReviewed ProctorEvent = "review"
	ProctorFlagged  ProctorEvent = "flag" // something that a person should look at; it moves nothing
)

// Proctor is the way to providers. Errors of calls are *ProctorTrouble, and those of Hear ErrForged or ErrProviderDark.
type Proctor interface {
	// Check refuses an address that no provider may have.
	Check(address string) error
	// Probe asks a provider who it is, which proves that the way there and what opens it are good.
	Probe(ctx context.Context, a ProctorAccess) (ProctorConfig, error)
	// RegisterExam makes an exam known (of rest, as all calls down to Cancel: of lti what is launched names itself), and gives what the provider calls it. Again it gives the same.
	RegisterExam(ctx context.Context, a ProctorAccess, e ExamCard) (externalID string, err error)
	// RegisterAttempt makes an attempt known. Again, under the same id, it gives the same.
	RegisterAttempt(ctx context.Context, a ProctorAccess, exam string, c AttemptCard) (Registered, error)
	// Tell says that an attempt was started or submitted, or that it failed ("error"). exam and attempt are as the provider calls them.
	Tell(ctx context.Context, a ProctorAccess, exam, attempt, status string) error
	// Cancel says that an attempt will not be. One that the provider does not know is canceled.
	Cancel(ctx context.Context, a ProctorAccess, exam, attempt string) error
	// Hear proves by whom a message is, for whom and when, and reads what it says.
	Hear(ctx context.Context, a ProctorAccess, m ProctorMessage) (Heard, error)
	// NewKey makes a key that signs what we say (lti).
	NewKey() ([]byte, error)
	// Keys publishes those keys as a JSON Web Key Set.
	Keys(keys [][]byte) ([]byte, error)
	// Launch signs a message that the browser of who sits carries to the provider (lti).
	Launch(a ProctorAccess, l ProctorLaunch) (token string, err error)
	// Grant proves a client's assertion and gives a token with which it may call us for a while (lti); the answer of RFC 6749, as JSON.
	Grant(ctx context.Context, a ProctorAccess, form string) ([]byte, error)
}

// ProctorLaunch is what a launch says of an attempt.
type ProctorLaunch struct {
	End        bool   // LtiEndAssessment instead of LtiStartProctoring
	ID         string // of the launch, which is used once
	Nonce      string
	User       string // as AttemptCard
	Sitting    string // the resource link
	Attempt    int    // its number
	Title      string
	StartURL   string // where LtiStartAssessment goes
	ControlURL string // of the Assessment Control Service
	ReturnURL  string // where the browser goes in the end
}

// ProctorTrouble is why a call did not do what it should.
type ProctorTrouble struct {
	Code   string // for people: timeout, bad_credentials, server_error, …
	Detail string // of the provider, for staff
}

func (t *ProctorTrouble) Error() string { return strings.TrimSuffix(t.Code+": "+t.Detail, ": ") }

// obscured is who sits as one provider knows her: two providers cannot compare what they know.
func obscured(provider, learnerID string) string {
	sum := sha256.Sum256([]byte("proctored\x00" + provider + "\x00" + learnerID))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}
