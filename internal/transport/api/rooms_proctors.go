package api

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/kernel/page"
)

// ProctoringProviderRooms is what the API asks of the house about providers of proctoring, in the room's own types.
type ProctoringProviderRooms interface {
	ProctoringProviders(ctx context.Context, who Principal, p page.Request) (all []exams.Provider, next string, err error)
	ProctoringProvider(ctx context.Context, who Principal, key string) (exams.Provider, error)
	// PutProctoringProvider makes or rewrites a provider. version is the one that was read; 0 takes any, or none.
	PutProctoringProvider(ctx context.Context, who Principal, key string, version int, n exams.NewProvider) (exams.Provider, error)
	// RotateProctoringSecret makes another secret, once per key; empty where it is not shown.
	RotateProctoringSecret(ctx context.Context, who Principal, idempotencyKey, key string) (secret string, p exams.Provider, err error)
	TestProctoringProvider(ctx context.Context, who Principal, key string) (exams.ProctorConfig, *exams.ProctorTrouble, error)
	ProctoringEvents(ctx context.Context, who Principal, key, state string, p page.Request) (all []exams.ProviderEvent, next string, err error)
	// PutExamProvider has a provider watch over an exam; empty: people do.
	PutExamProvider(ctx context.Context, who Principal, session string, kind exams.Kind, provider string) error
	// HearProctor returns nil when what a provider said is durably stored. public
	HearProctor(ctx context.Context, provider string, m exams.ProctorMessage) error
	// GrantProctoringToken gives a provider that proves itself a token, as the answer of OAuth2. public
	GrantProctoringToken(ctx context.Context, provider, form string) ([]byte, error)
	// ProctoringKeys are the keys that sign what we say to a provider, as a JSON Web Key Set. public
	ProctoringKeys(ctx context.Context, provider string) ([]byte, error)
}
