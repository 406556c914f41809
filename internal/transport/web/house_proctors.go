package web

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/platform/lti"
)

// ProctoringProviderHouse is what the pages ask of the rooms about providers of proctoring.
type ProctoringProviderHouse interface {
	// Proctors is who watches over exams, and what needs a person; for who looks after exams.
	Proctors(ctx context.Context, who Viewer) (ProctorDesk, error)
	// ProctorFile is one of them.
	ProctorFile(ctx context.Context, who Viewer, key string) (ProctorFile, error)
	// SaveProctor writes one over the version that was read; -1: there was none. For who may write keys.
	SaveProctor(ctx context.Context, who Viewer, key string, version int, n exams.NewProvider) error
	// RotateProctor makes another secret, once per idempotency key; empty where it is a key, which is published and not shown. For who may write keys.
	RotateProctor(ctx context.Context, who Viewer, idempotencyKey, key string) (secret string, err error)
	// WatchExam has a provider watch over an exam; empty: people do.
	WatchExam(ctx context.Context, who Viewer, session string, kind exams.Kind, provider string) error
	// TestProctor asks a provider who it is.
	TestProctor(ctx context.Context, who Viewer, key string) (ProctorTested, error)
	// LaunchExam gives what the browser of a learner posts to the provider of lti that watches over the exam of an enrolment: to its set-up, or to its end.
	LaunchExam(ctx context.Context, who Viewer, enrolment string, ends bool) (exams.Ticket, error)
	// AnswerExam answers the login of a provider of lti.
	AnswerExam(ctx context.Context, who Viewer, a lti.Login) (exams.Ticket, error)
	// StartAssessment takes in what a browser brings from a provider of lti, and gives the enrolment that it is about.
	StartAssessment(ctx context.Context, provider, token string) (enrolment string, err error)
}

// ProctorDesk is what staff see of providers of proctoring.
type ProctorDesk struct {
	All    []exams.Provider
	Parked map[string][]exams.ProviderEvent // messages about attempts that nobody here knows, by provider
	MaySet bool                             // the viewer may make another one
}

// ProctorFile is a provider as staff see it, and the keys of the sessions over whose exams it can watch.
type ProctorFile struct {
	One      exams.Provider
	Sessions []string
	MaySet   bool
}

// ProctorTested is how a question to a provider went.
type ProctorTested struct {
	Says   exams.ProctorConfig
	Failed string // empty: it went well
}

// Watched is the provider that watches over an exam, as who sits sees it.
type Watched struct {
	Name               string
	Guide              Text
	SetupURL           string
	LaunchURL          string // where she sets herself up; empty: the provider has not answered yet
	Launches           bool   // the way there is a launch (lti)
	Begun              bool   // she asked for the set-up
	CanBegin, CanStart bool
	CanEnd             bool // the exam is over, and the provider asked to be told so by her browser
}
