package api

import (
	"context"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/page"
)

// ProgramRooms is what the API asks of the house about programs, editions and workshops. It speaks in the rooms' own types, whose JSON is that of
// the contract; TestTheWholeHouseKeepsTheContract holds them to it.
type ProgramRooms interface {
	WorkshopRooms

	Programs(ctx context.Context, p page.Request) ([]PublicProgram, string, error)
	Program(ctx context.Context, key string) (PublicProgram, error)
	ProgramDraft(ctx context.Context, key string) (ProgramDraft, error)
	PutProgramDraft(ctx context.Context, who Principal, key string, c programs.Content, version int) (ProgramDraft, error)
	MoveProgram(ctx context.Context, who Principal, key string, m Move, version int) (ProgramDraft, error)
	ProgramVersions(ctx context.Context, key string, p page.Request) ([]programs.Version, string, error)
	ProgramVersion(ctx context.Context, key string, number int) (programs.Version, error)
	PreviewProgram(ctx context.Context, t ProgramTrial) (ProgramPreview, error)

	Editions(ctx context.Context, program string, p page.Request) ([]Edition, string, error)
	Edition(ctx context.Context, key string) (Edition, error)
	EditionDraft(ctx context.Context, key string) (Edition, error)
	PutEdition(ctx context.Context, who Principal, key string, n programs.EditionPlan, version int) (Edition, error)
	MoveEdition(ctx context.Context, who Principal, key string, m Move, version int) (Edition, error)
	Cohort(ctx context.Context, key string) (paths.Cohort, error)

	MyPaths(ctx context.Context, who Principal, p page.Request) ([]PathAnswer, string, error)
	MyPath(ctx context.Context, who Principal, edition string) (PathAnswer, error)
	LearnerPath(ctx context.Context, edition, person string) (PathAnswer, error)
}

// Edition is an edition and what can be done with it now.
type Edition struct {
	programs.Edition
	Now catalog.State `json:"state"`
}

// PublicProgram is a program as it was published last.
type PublicProgram struct {
	Key         string           `json:"key"`
	Number      int              `json:"number"`
	Content     programs.Content `json:"content"`
	Totals      programs.Totals  `json:"totals"`
	PublishedAt time.Time        `json:"published_at"`
	Editions    []Edition        `json:"editions"`
}

// ProgramDraft is a working copy and how it came where it stands.
type ProgramDraft struct {
	ID        string              `json:"id"`
	Key       string              `json:"key"`
	Version   int                 `json:"version"`
	State     catalog.Publication `json:"publication"`
	Current   int                 `json:"current"`
	Visible   bool                `json:"visible"`
	Draft     programs.Content    `json:"draft"`
	Totals    programs.Totals     `json:"totals"`
	ChangedAt time.Time           `json:"changed_at"`
	ChangedBy string              `json:"changed_by"`
	Moves     []catalog.Move      `json:"moves"`
}

// Move is a step of publication that is asked for.
type Move struct {
	To   catalog.Publication `json:"to"`
	Note string              `json:"note"`
}

// ProgramTrial is a content, and results to try it with.
type ProgramTrial struct {
	Content   programs.Content        `json:"content"`
	Results   []programs.Result       `json:"results"`
	Workshops []programs.WorkshopFact `json:"workshops"`
}

// ProgramPreview is what a content would mean. Prices are those of its courses one by one, in the cheapest paid formula of each.
type ProgramPreview struct {
	Path     programs.Path `json:"path"`
	Prices   []PriceSpan   `json:"prices"`
	Unpriced []string      `json:"unpriced"`
}

// PriceSpan is the least and the most over every choice, in minor units.
type PriceSpan struct {
	Currency string        `json:"currency"`
	Minor    programs.Span `json:"minor"`
}

// PathAnswer is where a member of an edition stands.
type PathAnswer struct {
	Learner string           `json:"learner"`
	Edition Edition          `json:"edition"`
	Content programs.Content `json:"content"`
	Path    programs.Path    `json:"path"`
}
