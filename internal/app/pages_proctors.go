package app

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// Proctors shows staff who watches over exams, and what needs a person.
func (p Pages) Proctors(ctx context.Context, who web.Viewer) (d web.ProctorDesk, err error) {
	if err := p.onExams(ctx, who); err != nil {
		return d, err
	}
	if d.All, err = p.h.proctors(ctx); err != nil {
		return d, err
	}
	d.Parked = map[string][]exams.ProviderEvent{}
	for _, one := range d.All {
		if one.Parked == 0 {
			continue
		}
		if d.Parked[one.Key], _, err = p.h.proctorSaid(ctx, one.Key, "parked", page.Request{Limit: deskRows}); err != nil {
			return d, err
		}
	}
	return d, nil
}

// TestProctor asks a provider who it is.
func (p Pages) TestProctor(ctx context.Context, who web.Viewer, key string) (web.ProctorTested, error) {
	if err := p.onExams(ctx, who); err != nil {
		return web.ProctorTested{}, err
	}
	says, trouble, err := p.h.Exams.ProbeProvider(as(ctx, who), key)
	out := web.ProctorTested{Key: key, Says: says}
	if trouble != nil {
		out.Failed = trouble.Error()
	}
	return out, err
}

// watchedTx says which provider watches over the exam of a learner, and what she can do about it now; nil: people do.
func watchedTx(ctx context.Context, tx *postgres.Tx, y exams.Story) (*web.Watched, error) {
	if y.Sitting.State != exams.Booked {
		return nil, nil //nolint:nilnil // nobody watches, and nothing went wrong
	}
	var launch string
	provider, watched, err := exams.WatchingTx(ctx, tx, y.Exam)
	begun := len(y.Attempts) > 0 && y.Attempts[0].State != exams.ReadyToResume
	if err == nil && begun { // who watches over this attempt, whoever watches over the next
		var g exams.Proctoring
		if g, watched, err = exams.ProctoringTx(ctx, tx, y.Attempts[0].ID); err == nil && watched {
			launch = g.LaunchURL
			provider, err = exams.ProviderTx(ctx, tx, g.Provider)
		}
	}
	if err != nil || !watched || provider.Kind != exams.ProctorREST {
		return nil, err
	}
	out := &web.Watched{Name: provider.Name, Guide: text(provider.Guide()), SetupURL: provider.SetupURL, LaunchURL: launch, Begun: begun, CanBegin: !begun}
	if begun {
		out.CanStart = y.Attempts[0].State == exams.ReadyToStart
		if state := y.Attempts[0].State; state != exams.Created && state != exams.Downloading && state != exams.ReadyToStart {
			return nil, nil //nolint:nilnil // she has begun: there is nothing to set up
		}
	}
	return out, nil
}
