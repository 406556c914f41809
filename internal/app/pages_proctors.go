package app

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/lti"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// Proctors shows staff who watches over exams, and what needs a person.
func (p Pages) Proctors(ctx context.Context, who web.Viewer) (d web.ProctorDesk, err error) {
	if _, d.MaySet, err = p.onProctors(ctx, who); err != nil {
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

// onProctors lets in who looks after exams, and says whether she may also write who watches over them.
func (p Pages) onProctors(ctx context.Context, who web.Viewer) (_ context.Context, maySet bool, err error) {
	if err := p.onExams(ctx, who); err != nil {
		return ctx, false, err
	}
	ctx = as(ctx, who)
	err = p.h.DB.View(ctx, "may write providers", func(ctx context.Context, tx *postgres.Tx) error {
		maySet, err = identity.MayTx(ctx, tx, who.PersonID, "keys:write")
		return err
	})
	return ctx, maySet, err
}

// setsProctors is onProctors for who writes.
func (p Pages) setsProctors(ctx context.Context, who web.Viewer) (context.Context, error) {
	ctx, may, err := p.onProctors(ctx, who)
	if err == nil && !may {
		err = errNoKeys
	}
	return ctx, err
}

// ProctorFile shows staff one provider.
func (p Pages) ProctorFile(ctx context.Context, who web.Viewer, key string) (f web.ProctorFile, err error) {
	if ctx, f.MaySet, err = p.onProctors(ctx, who); err != nil {
		return f, err
	}
	if f.One, err = NewRooms(p.h).ProctoringProvider(ctx, api.Principal{}, key); err != nil {
		return f, err
	}
	f.Sessions, err = p.ExamSessions(ctx, who)
	return f, err
}

// SaveProctor makes a provider or rewrites it.
func (p Pages) SaveProctor(ctx context.Context, who web.Viewer, key string, version int, n exams.NewProvider) error {
	ctx, err := p.setsProctors(ctx, who)
	if err == nil {
		_, err = p.h.Exams.PutProvider(ctx, key, version, n)
	}
	return err
}

// RotateProctor makes another secret of a provider.
func (p Pages) RotateProctor(ctx context.Context, who web.Viewer, idempotencyKey, key string) (secret string, err error) {
	if ctx, err = p.setsProctors(ctx, who); err != nil {
		return "", err
	}
	secret, _, err = p.h.Exams.RotateProvider(ctx, postgres.Actor(ctx), idempotencyKey, key)
	return secret, err
}

// WatchExam has a provider watch over an exam.
func (p Pages) WatchExam(ctx context.Context, who web.Viewer, session string, kind exams.Kind, provider string) error {
	if err := p.onExams(ctx, who); err != nil {
		return err
	}
	return NewRooms(p.h).PutExamProvider(as(ctx, who), api.Principal{}, session, kind, provider)
}

// TestProctor asks a provider who it is.
func (p Pages) TestProctor(ctx context.Context, who web.Viewer, key string) (web.ProctorTested, error) {
	if err := p.onExams(ctx, who); err != nil {
		return web.ProctorTested{}, err
	}
	says, trouble, err := p.h.Exams.ProbeProvider(as(ctx, who), key)
	out := web.ProctorTested{Says: says}
	if trouble != nil {
		out.Failed = trouble.Error()
	}
	return out, err
}

// LaunchExam begins the way of a learner's browser to the provider of lti that watches over her exam.
func (p Pages) LaunchExam(ctx context.Context, who web.Viewer, enrolmentID string, ends bool) (out exams.Ticket, err error) {
	err = p.h.asHouse(as(ctx, who), "launch exam", func(ctx context.Context, tx *postgres.Tx) error {
		id, err := sittingTx(ctx, tx, enrolmentID, who.PersonID)
		if err != nil {
			return err
		}
		out, err = p.h.Exams.LaunchTx(ctx, tx, id, who.PersonID, ends)
		return err
	})
	return out, err
}

// AnswerExam answers the login of a provider of lti.
func (p Pages) AnswerExam(ctx context.Context, who web.Viewer, a lti.Login) (exams.Ticket, error) {
	return p.h.Exams.AnswerLogin(as(ctx, who), who.PersonID, a)
}

// StartAssessment takes in what a browser brings from a provider of lti.
func (p Pages) StartAssessment(ctx context.Context, provider, token string) (string, error) {
	return p.h.Exams.ComeBack(ctx, provider, token)
}

// watchedTx says which provider watches over the exam of a learner, and what she can do about it now; nil: people do, or there is nothing to do.
func watchedTx(ctx context.Context, tx *postgres.Tx, y exams.Story) (*web.Watched, error) {
	if len(y.Attempts) == 0 || y.Attempts[0].State == exams.ReadyToResume {
		provider, watched, err := exams.WatchingTx(ctx, tx, y.Exam)
		if err != nil || !watched || y.Sitting.State != exams.Booked {
			return nil, err
		}
		return watchedBy(provider, web.Watched{CanBegin: true}), nil
	}
	g, watched, err := exams.ProctoringTx(ctx, tx, y.Attempts[0].ID) // who watches over this attempt, whoever watches over the next
	if err != nil || !watched {
		return nil, err
	}
	out := web.Watched{Begun: true, LaunchURL: g.LaunchURL}
	switch state := y.Attempts[0].State; {
	case state == exams.Created || state == exams.Downloading || state == exams.ReadyToStart:
		out.CanStart = state == exams.ReadyToStart
	case state != exams.Started && state != exams.ReadyToSubmit && g.WantsEnd && g.EndedAt == nil:
		out.CanEnd = true
	default: // she has begun, and there is nothing to set up
		return nil, nil //nolint:nilnil // nothing went wrong
	}
	provider, err := exams.ProviderTx(ctx, tx, g.Provider)
	return watchedBy(provider, out), err
}

func watchedBy(p exams.Provider, out web.Watched) *web.Watched {
	out.Name, out.Guide, out.SetupURL, out.Launches = p.Name, text(p.Guide()), p.SetupURL, p.Kind == exams.ProctorLTI
	return &out
}
