package web

import (
	"context"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	paging "cursus/internal/kernel/page"
)

// FigureHouse is what the pages ask of the rooms about figures. Who may not read them is Forbidden.
type FigureHouse interface {
	// Figures lists those that the viewer may read, and the sessions that they can be asked for, course by course.
	Figures(ctx context.Context, who Viewer) (all []analytics.Definition, sessions []catalog.Session, err error)
	Figure(ctx context.Context, who Viewer, id string, ask analytics.Ask) (analytics.Figure, error)
	// FigurePaper is a figure as PDF, in a language.
	FigurePaper(ctx context.Context, who Viewer, id string, ask analytics.Ask, lang string) (File, error)
	// Doers lists who stands behind a number, by name: for who may read grades.
	Doers(ctx context.Context, who Viewer, w analytics.WhoDid, p paging.Request) (all []analytics.Doer, next string, err error)
	// ListedLearners lists who is on a list that makes certificates: for who may read grades.
	ListedLearners(ctx context.Context, who Viewer, w analytics.WhoIsListed, p paging.Request) (all []analytics.Listed, next string, err error)
	// Dashboard answers the figures of a dashboard (analytics.OfHouse, …) as they were at an instant, zero for now; PartnerDashboard those of an
	// organisation for its own people, of now alone: two instants side by side would tell of the one who came between them.
	Dashboard(ctx context.Context, who Viewer, of, key string, asOf time.Time) (analytics.Dashboard, []analytics.Figure, error)
	PartnerDashboard(ctx context.Context, who Viewer, key string) (analytics.Dashboard, []analytics.Figure, error)
}
