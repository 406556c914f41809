package app

import (
	"context"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var errNoFigures = fault.New(fault.Forbidden, "figures-not-yours", "These numbers are for who reads figures, and the lists of learners for who reads grades.")

// sessionKeysTx are the keys of all sessions, for who chooses one.
func sessionKeysTx(ctx context.Context, tx *postgres.Tx) (keys []string, err error) {
	all, err := catalog.SessionsTx(ctx, tx)
	for _, s := range all {
		keys = append(keys, s.Key)
	}
	return keys, err
}

// Figures lists the figures, and the sessions that they can be asked for.
func (p Pages) Figures(ctx context.Context, who web.Viewer) (all []analytics.Definition, sessions []catalog.Session, err error) {
	err = p.h.DB.View(as(ctx, who), "figures", func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoFigures, "analytics:read"); err != nil {
			return err
		}
		sessions, err = catalog.SessionsTx(ctx, tx)
		return err
	})
	return analytics.Definitions(), sessions, err
}

// Figure answers a figure.
func (p Pages) Figure(ctx context.Context, who web.Viewer, id string, ask analytics.Ask) (f analytics.Figure, err error) {
	scope := "analytics:read"
	if d, err := analytics.DefinitionOf(id); err == nil && d.Personal {
		scope = "grades:read"
	}
	if err := p.may(ctx, who, scope); err != nil {
		return f, err
	}
	return analytics.FigureOf(as(ctx, who), p.h.DB, id, ask)
}

func (p Pages) may(ctx context.Context, who web.Viewer, scope string) error {
	return p.h.DB.View(as(ctx, who), "may "+scope, func(ctx context.Context, tx *postgres.Tx) error {
		return mayTx(ctx, tx, who, errNoFigures, scope)
	})
}

// Doers lists who did an exercise.
func (p Pages) Doers(ctx context.Context, who web.Viewer, w analytics.WhoDid, r page.Request) (all []analytics.Doer, next string, err error) {
	err = p.h.DB.View(as(ctx, who), "exercise learners", func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoFigures, "grades:read"); err != nil {
			return err
		}
		all, next, err = analytics.DoersTx(ctx, tx, w, r)
		return err
	})
	return all, next, err
}

// FigurePaper is a figure that is a form of the institute, on paper.
func (p Pages) FigurePaper(ctx context.Context, who web.Viewer, id string, ask analytics.Ask, lang string) (web.File, error) {
	f, err := p.Figure(ctx, who, id, ask)
	if err != nil {
		return web.File{}, err
	}
	content, err := p.h.printer.Figure(ctx, f, lang)
	return web.File{Name: id + ".pdf", ContentType: "application/pdf", Content: content}, err
}

// ListedLearners lists who is on a list that makes certificates.
func (p Pages) ListedLearners(ctx context.Context, who web.Viewer, w analytics.WhoIsListed, r page.Request) (all []analytics.Listed, next string, err error) {
	err = p.h.DB.View(as(ctx, who), "listed learners", func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoFigures, "grades:read"); err != nil {
			return err
		}
		all, next, err = analytics.ListedTx(ctx, tx, w, r)
		return err
	})
	return all, next, err
}
