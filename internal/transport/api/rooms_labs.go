package api

import (
	"context"
	"time"

	"cursus/internal/domain/labs"
	"cursus/internal/domain/progress"
	"cursus/internal/kernel/page"
)

// LabRooms is what the API asks of the house about labs.
type LabRooms interface {
	Labs(ctx context.Context, who Principal, session string) ([]labs.Lab, error)
	Lab(ctx context.Context, who Principal, id string) (labs.Lab, error)
	CreateLab(ctx context.Context, who Principal, key, session string, n labs.NewLab) (labs.Lab, error)
	PutLab(ctx context.Context, who Principal, id string, n labs.NewLab, version int) (labs.Lab, error)
	LabProviders(ctx context.Context, who Principal) ([]labs.Provider, error)
	LabProvider(ctx context.Context, who Principal, key string) (labs.Provider, error)
	PutLabProvider(ctx context.Context, who Principal, key string, n labs.NewProvider, version int) (labs.Provider, error)
	// ReceiveLabEvent returns nil when the event is durably stored. public
	ReceiveLabEvent(ctx context.Context, provider string, d labs.Delivery) error
	// LabLaunches and LabBoard leave names out where the principal may not read results.
	LabLaunches(ctx context.Context, who Principal, session string, p page.Request) (all []labs.Usage, next string, at time.Time, err error)
	LabBoard(ctx context.Context, who Principal, session string) (all []labs.Usage, at time.Time, err error)
	// CohortLabBoard is NotFound for the cohort of another organisation.
	CohortLabBoard(ctx context.Context, who Principal, cohort string) (progress.LabBoard, error)
	GiveLabHelp(ctx context.Context, who Principal, launch string) error
	StopLab(ctx context.Context, who Principal, launch string) error
	// MyLabs and LaunchLab are NotFound for another learner's enrolment.
	MyLabs(ctx context.Context, who Principal, enrolment string) ([]labs.Standing, error)
	LaunchLab(ctx context.Context, who Principal, key, enrolment, lab string) (l labs.Launch, url string, err error)
}
