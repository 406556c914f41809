package app

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// ProctoringProviders lists the providers that watch over exams.
func (r Rooms) ProctoringProviders(ctx context.Context, _ api.Principal, p page.Request) (out []exams.Provider, next string, err error) {
	all, err := r.h.proctors(ctx)
	out, next = cut(all, p, func(x exams.Provider) string { return x.Key })
	return out, next, err
}

// proctors lists the providers. How many secrets hold is the house's to know.
func (h *House) proctors(ctx context.Context) ([]exams.Provider, error) {
	return view(postgres.WithActor(ctx, "system"), h, "providers of proctoring", exams.ProvidersTx)
}

// ProctoringProvider finds one.
func (r Rooms) ProctoringProvider(ctx context.Context, _ api.Principal, key string) (exams.Provider, error) {
	return view(postgres.WithActor(ctx, "system"), r.h, "provider of proctoring", func(ctx context.Context, tx *postgres.Tx) (exams.Provider, error) {
		return exams.ProviderTx(ctx, tx, key)
	})
}

// PutProctoringProvider makes or rewrites one.
func (r Rooms) PutProctoringProvider(ctx context.Context, _ api.Principal, key string, version int, n exams.NewProvider) (exams.Provider, error) {
	return r.h.Exams.PutProvider(ctx, key, version, n)
}

// RotateProctoringSecret makes another secret of one.
func (r Rooms) RotateProctoringSecret(ctx context.Context, who api.Principal, idempotencyKey, key string) (string, exams.Provider, error) {
	return r.h.Exams.RotateProvider(ctx, who.Actor, idempotencyKey, key)
}

// TestProctoringProvider asks one who it is.
func (r Rooms) TestProctoringProvider(ctx context.Context, _ api.Principal, key string) (exams.ProctorConfig, *exams.ProctorTrouble, error) {
	return r.h.Exams.ProbeProvider(ctx, key)
}

// ProctoringEvents lists what one said.
func (r Rooms) ProctoringEvents(ctx context.Context, _ api.Principal, key, state string, p page.Request) ([]exams.ProviderEvent, string, error) {
	return r.h.proctorSaid(ctx, key, state, p)
}

func (h *House) proctorSaid(ctx context.Context, key, state string, p page.Request) (all []exams.ProviderEvent, next string, err error) {
	err = h.DB.View(postgres.WithActor(ctx, "system"), "events of provider", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = exams.ProviderEventsTx(ctx, tx, key, state, p)
		return err
	})
	return all, next, err
}

// PutExamProvider has a provider watch over an exam.
func (r Rooms) PutExamProvider(ctx context.Context, _ api.Principal, session string, kind exams.Kind, provider string) error {
	return r.h.asHouse(ctx, "put exam provider", func(ctx context.Context, tx *postgres.Tx) error {
		return r.h.Exams.WatchTx(ctx, tx, session, kind, provider)
	})
}

// HearProctor stores what a provider says.
func (r Rooms) HearProctor(ctx context.Context, provider string, m exams.ProctorMessage) error {
	return r.h.Exams.HearProctor(ctx, provider, m)
}

// GrantProctoringToken gives a provider that proves itself a token.
func (r Rooms) GrantProctoringToken(ctx context.Context, provider, form string) ([]byte, error) {
	return r.h.Exams.GrantProvider(ctx, provider, form)
}

// ProctoringKeys are the keys that sign what we say to a provider.
func (r Rooms) ProctoringKeys(ctx context.Context, provider string) ([]byte, error) {
	return r.h.Exams.ProviderKeys(ctx, provider)
}
