package web

import (
	"context"

	"cursus/internal/domain/exams"
)

// ProctoringProviderHouse is what the pages ask of the rooms about providers of proctoring.
type ProctoringProviderHouse interface {
	// Proctors is who watches over exams, and what needs a person; for who looks after exams.
	Proctors(ctx context.Context, who Viewer) (ProctorDesk, error)
	// TestProctor asks a provider who it is.
	TestProctor(ctx context.Context, who Viewer, key string) (ProctorTested, error)
}

// ProctorDesk is what staff see of providers of proctoring.
type ProctorDesk struct {
	All    []exams.Provider
	Parked map[string][]exams.ProviderEvent // messages about attempts that nobody here knows, by provider
	Tested ProctorTested                    // where that was asked for just now
}

// ProctorTested is how a question to a provider went.
type ProctorTested struct {
	Key    string // empty: nothing was asked
	Says   exams.ProctorConfig
	Failed string // empty: it went well
}

// Watched is the provider that watches over an exam, as who sits sees it.
type Watched struct {
	Name               string
	Guide              Text
	SetupURL           string
	LaunchURL          string // where she sets herself up; empty: the provider has not answered yet
	Begun              bool   // she asked for the set-up
	CanBegin, CanStart bool
}
