package web

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
)

// ProgramHouse is what the pages ask of the rooms about programs, editions and workshops. It speaks in the rooms' own types.
type ProgramHouse interface {
	SessionHouse
	WorkshopHouse

	// PublicPrograms and PublicProgram give what was published last, with published editions.
	PublicPrograms(ctx context.Context) ([]ShownProgram, error)
	PublicProgram(ctx context.Context, key string) (ShownProgram, error)
	// PublicEdition is an edition with the version of the program that it promises.
	PublicEdition(ctx context.Context, key string) (PublicEdition, error)
	LearnerPaths(ctx context.Context, who Viewer) ([]paths.Answer, error)
	LearnerPath(ctx context.Context, who Viewer, edition string) (ShownPath, error)
	// IssueTranscript gives her the transcript of a program that she follows.
	IssueTranscript(ctx context.Context, who Viewer, edition, key string) error

	AllPrograms(ctx context.Context, who Viewer) ([]programs.Program, error)
	WrittenProgram(ctx context.Context, who Viewer, key string) (WrittenProgram, error)
	SaveProgram(ctx context.Context, who Viewer, key string, c programs.Content, version int) (programs.Program, error)
	MoveProgramOn(ctx context.Context, who Viewer, key string, to catalog.Publication, note string, version int) error
	// TryProgram says what a content means for somebody who has passed these courses.
	TryProgram(ctx context.Context, who Viewer, c programs.Content, passed []string) (Trial, error)

	// ProgramCourses are the courses that a program can name, with their titles.
	ProgramCourses(ctx context.Context, who Viewer) ([]catalog.Course, error)

	AllEditions(ctx context.Context, who Viewer) ([]programs.Edition, error)
	WrittenEdition(ctx context.Context, who Viewer, key string) (WrittenEdition, error)
	// EditionChoices gives the courses of a version (0: the one published last) and the sessions that each can have.
	EditionChoices(ctx context.Context, who Viewer, program string, version int) (Choices, error)
	SaveEdition(ctx context.Context, who Viewer, key string, n programs.EditionPlan, version int) (programs.Edition, error)
	MoveEditionOn(ctx context.Context, who Viewer, key string, to catalog.Publication, note string, version int) error
}

// ShownProgram is a published program with its path as somebody who has passed nothing sees it.
type ShownProgram struct {
	programs.Program
	Path     programs.Path
	Editions []ShownEdition
	Names    map[string]Text // of its courses
}

// Called are the words for its courses.
func (p ShownProgram) Called() Called { return Called{Names: p.Names} }

// ShownPath is where a learner stands in an edition, in words.
type ShownPath struct {
	paths.Answer
	Called     Called
	Transcript *Certificate // that she was given last, and that holds
}

// ShownEdition is a published edition and what it costs now.
type ShownEdition struct {
	programs.Edition
	Now    catalog.State
	Prices []money.Amount
}

// PublicEdition is an edition with its courses: the version of the program that it promises, and what these are called.
type PublicEdition struct {
	programs.Edition
	Now     catalog.State
	Content programs.Content
	Names   map[string]Text
}

// WrittenProgram is a program with its history.
type WrittenProgram struct {
	programs.Program
	Versions []programs.Version
	Moves    []catalog.Move
}

// WrittenEdition is an edition with its history and where its members stand.
type WrittenEdition struct {
	programs.Edition
	Moves  []catalog.Move
	Cohort paths.Cohort
}

// Trial is what a content means, and what its courses cost one by one: the least and the most over every choice, per currency.
type Trial struct {
	Path     programs.Path
	Prices   []TrialPrice
	Unpriced []string // courses that are not sold alone
}

// TrialPrice is the least and the most in one currency.
type TrialPrice struct{ Min, Max money.Amount }

// Choices are the courses of a version, and the keys of the sessions that each can have.
type Choices struct {
	Program  string
	Version  int
	Content  programs.Content
	Sessions map[string][]string
}
