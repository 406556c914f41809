// Package lms has the learning platforms (Open edX) say of every enrolment what its grants say: who may follow a session there, and in
// which course mode.
//
// What a platform is to say is never stored: the view lms.wanted reads it from the grants. A change of the grants only marks the
// enrolment, in one row; a worker reads what is wanted when it speaks to the platform, so the latest wins, and an answer to a question
// that is no longer asked confirms nothing. One worker at a time speaks to a platform, one call after another, at the rate that the
// platform allows: after an outage it hears us no faster than before.
package lms

import (
	"context"
	_ "embed"
	"encoding/json"
	"time"

	"cursus/internal/kernel/lifecycle"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("lms", queriesSQL)

// State is how far a platform knows of an enrolment.
type State string

// The states of an enrolment on a platform. All but Confirmed are tried again.
const (
	Pending   State = "pending"   // it is to be told
	Confirmed State = "confirmed" // it says what the grants say
	Waiting   State = "waiting"   // the learner has no account there yet
	Refused   State = "refused"   // it does not do it
)

// Life is every move that an enrolment on a platform can make. A change of its grants makes it pending from anywhere.
var Life = lifecycle.Table[State]{Name: "enrolment on a learning platform", Start: Pending, Moves: map[State][]State{
	Pending: {Pending, Confirmed, Waiting, Refused}, Waiting: {Pending, Confirmed, Waiting, Refused}, Refused: {Pending, Confirmed, Waiting, Refused}, Confirmed: {Pending},
}}

// Access is what a call needs: where a platform is and what opens it.
type Access struct {
	Platform string // key
	Version  int    // of its settings: what was got under older ones is of no use
	BaseURL  string
	Auth     Auth
	ClientID string // of OAuth2
	Secret   string
}

// Learner is whom a call is about. Where the username is not known the platform finds her by her address.
type Learner struct{ Username, Email string }

// Record is an enrolment as a platform says that it is.
type Record struct {
	Username, Course, Mode string
	Active                 bool
}

// Door is the way to the platforms. Its errors are *Trouble.
type Door interface {
	// Check refuses an address that no platform may have.
	Check(baseURL string) error
	// Put makes an enrolment, or changes the one that is there, and gives what the platform answered, which is not always what was
	// asked for.
	Put(ctx context.Context, a Access, l Learner, course, mode string, active bool) (Record, error)
	// Read gives the enrolment of a username; false when there is none.
	Read(ctx context.Context, a Access, username, course string) (Record, bool, error)
	// Grades gives a page of the grades of a course: the gradebook, of a cohort (0: of everybody), or the totals alone. The results are a list in
	// the platform's own words, without what nobody reads.
	Grades(ctx context.Context, a Access, course string, totals bool, cohort int64, cursor string) (results json.RawMessage, next string, err error)
	// List gives a page of the enrolments of a course, and the cursor of the next one; "" begins, and ends.
	List(ctx context.Context, a Access, course, cursor string) (rows []Record, next string, err error)
}

// Trouble is why a call did not do what it should.
type Trouble struct {
	Code   string
	Detail string        // of the platform, for staff
	Later  time.Duration // for which it asks us to wait; 0: it says nothing
}

func (t *Trouble) Error() string { return t.Code + ": " + t.Detail }

// The troubles of a call. Others are those of the way: timeout, no_such_host, no_connection, bad_tls, refused_address, broken_answer.
const (
	NoAccount       = "no_account"
	NotPermitted    = "not_permitted"    // also where it does not let us see whether there is such a learner
	ModeUnavailable = "mode_unavailable" // expired, or not one of the course
	ModeMismatch    = "mode_mismatch"    // it would end an enrolment in another mode than the one asked for
	BadRequest      = "bad_request"
	IgnoresEmail    = "ignores_email" // it is too old to find learners by their address
	Throttled       = "throttled"
	BadCredentials  = "bad_credentials"
	ServerError     = "server_error"
	BrokenAnswer    = "broken_answer"
	Timeout         = "timeout"
	// What we say ourselves.
	NotChanged     = "not_changed" // it answered well, and nothing changed
	OtherAccount   = "other_account"
	SecretUnusable = "secret_not_readable"
)

// ofLearner are the troubles that are those of one enrolment; any other is the platform's.
var ofLearner = map[string]bool{NoAccount: true, NotPermitted: true, ModeUnavailable: true, ModeMismatch: true, BadRequest: true, IgnoresEmail: true, NotChanged: true, OtherAccount: true}

// Options of New; the zero value is for production.
type Options struct {
	Sleep func(ctx context.Context, d time.Duration) error // nil: by the machine's clock
}

// Service is the room.
type Service struct {
	db    *postgres.DB
	jobs  *jobs.Jobs
	door  Door
	seal  seal.Sealer
	sleep func(ctx context.Context, d time.Duration) error
	hands chan struct{} // platforms that this process speaks to at the same time
}

// New opens the room. The secret, of 32 bytes or more, seals what opens the platforms. Error: seal.ErrWeak.
func New(db *postgres.DB, j *jobs.Jobs, d Door, secret []byte, o Options) (*Service, error) {
	sealer, err := seal.New(secret, "cursus lms")
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Service{db: db, jobs: j, door: d, seal: sealer, sleep: o.Sleep, hands: make(chan struct{}, platformsAtOnce)}, err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }

// Due says that a platform is to be told something.
type Due struct {
	Platform string `json:"platform"`
}

// Kind names the job.
func (Due) Kind() string { return "lms.due" }

// Rank lets what people wait for go first.
func (Due) Rank() int { return 1 }

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "9", Name: "a learning platform said what the grants say, or is about to be told", Query: q.Q("CheckTold")},
		{Invariant: "9", Name: "every learning platform has a secret", Query: q.Q("CheckSecrets")},
	}
}
