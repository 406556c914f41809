package app

import (
	"context"
	"slices"

	"cursus/internal/domain/analytics"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Figures lists the figures.
func (r Rooms) Figures(_ context.Context, _ api.Principal, p page.Request) ([]analytics.Definition, string, error) {
	all, next := cut(analytics.Definitions(), p, func(d analytics.Definition) string { return d.ID })
	return all, next, nil
}

// Figure answers a figure.
func (r Rooms) Figure(ctx context.Context, who api.Principal, id string, ask analytics.Ask) (analytics.Figure, error) {
	ask.OneByOne = true
	return r.figure(ctx, who, id, ask)
}

func (r Rooms) figure(ctx context.Context, who api.Principal, id string, ask analytics.Ask) (analytics.Figure, error) {
	if d, err := analytics.DefinitionOf(id); err == nil && d.Personal && !slices.Contains(who.Scopes, "grades:read") {
		return analytics.Figure{}, errNoFigures
	}
	return analytics.FigureOf(ctx, r.h.DB, id, ask)
}

// FigureFile answers a figure for a file.
func (r Rooms) FigureFile(ctx context.Context, who api.Principal, id string, ask analytics.Ask) (analytics.Figure, error) {
	return r.figure(ctx, who, id, ask)
}

// ExerciseLearners lists who did an exercise.
func (r Rooms) ExerciseLearners(ctx context.Context, _ api.Principal, w analytics.WhoDid, p page.Request) (all []analytics.Doer, next string, err error) {
	err = r.h.DB.View(ctx, "exercise learners", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = analytics.DoersTx(ctx, tx, w, p)
		return err
	})
	return all, next, err
}

// ListedLearners lists who is on a list that makes certificates.
func (r Rooms) ListedLearners(ctx context.Context, _ api.Principal, w analytics.WhoIsListed, p page.Request) (all []analytics.Listed, next string, err error) {
	err = r.h.DB.View(postgres.WithGenericPlans(ctx), "listed learners", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = analytics.ListedTx(ctx, tx, w, p)
		return err
	})
	return all, next, err
}
