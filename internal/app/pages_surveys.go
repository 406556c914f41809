package app

import (
	"context"
	"errors"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var errNoSurveys = fault.New(fault.Forbidden, "scope-missing", "This needs the scope grades:write.")

// deskImports is how many imports the desk shows.
const deskImports = 50

// Survey is the questionnaire of one of her enrolments.
func (p Pages) Survey(ctx context.Context, who web.Viewer, enrolment string, m surveys.Moment) (s surveys.Sheet, err error) {
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "survey", func(ctx context.Context, tx *postgres.Tx) error {
		s, err = surveys.SheetTx(ctx, tx, enrolment, who.PersonID, m)
		return err
	})
	return s, err
}

// AnswerSurvey takes what she says.
func (p Pages) AnswerSurvey(ctx context.Context, who web.Viewer, enrolment string, m surveys.Moment, answers []surveys.Answer) error {
	return p.h.asHouse(as(ctx, who), "answer survey", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := p.h.Surveys.AnswerTx(ctx, tx, enrolment, who.PersonID, m, answers)
		return err
	})
}

// OpenSurveys lists those that she can answer.
func (p Pages) OpenSurveys(ctx context.Context, who web.Viewer) (open map[string][]surveys.Waiting, err error) {
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "open surveys", func(ctx context.Context, tx *postgres.Tx) error {
		open, err = surveys.OpenTx(ctx, tx, who.PersonID)
		return err
	})
	return open, err
}

// SurveyDesk is the questionnaire of a session as its team works on it.
func (p Pages) SurveyDesk(ctx context.Context, who web.Viewer, session string, m surveys.Moment) (d web.SurveyDesk, err error) {
	err = p.h.DB.View(as(ctx, who), "survey desk", func(ctx context.Context, tx *postgres.Tx) error {
		d = web.SurveyDesk{Moment: m}
		if err := mayTx(ctx, tx, who, errNoSurveys, "grades:write"); err != nil {
			return err
		}
		if d.Sessions, err = sessionKeysTx(ctx, tx); err != nil || session == "" {
			return err
		}
		s, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		d.Session = s.Key
		if d.Questionnaire, err = surveys.QuestionnaireTx(ctx, tx, s.ID, m); err != nil && !errors.Is(err, surveys.ErrNone) {
			return err
		}
		if d.Invitations, err = outreach.InvitationsTx(ctx, tx, s.ID); err != nil {
			return err
		}
		d.Imports, err = surveys.ImportsTx(ctx, tx, s.ID, "", deskImports)
		return err
	})
	return d, err
}

// PutSurvey writes the working copy.
func (p Pages) PutSurvey(ctx context.Context, who web.Viewer, session string, m surveys.Moment, c surveys.Content, version int) error {
	return p.h.DB.InTx(as(ctx, who), "put survey", func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoSurveys, "grades:write"); err != nil {
			return err
		}
		_, err := p.h.Surveys.PutTx(ctx, tx, session, m, c, version)
		return err
	})
}

// PublishSurvey freezes it.
func (p Pages) PublishSurvey(ctx context.Context, who web.Viewer, session string, m surveys.Moment, version int) error {
	return p.h.DB.InTx(as(ctx, who), "publish survey", func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoSurveys, "grades:write"); err != nil {
			return err
		}
		_, err := p.h.Surveys.PublishTx(ctx, tx, session, m, version)
		return err
	})
}

// PutInvitations switches invitations by mail on or off.
func (p Pages) PutInvitations(ctx context.Context, who web.Viewer, session string, enabled bool, version int) error {
	return p.h.DB.InTx(as(ctx, who), "put questionnaire invitations", func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoSurveys, "grades:write"); err != nil {
			return err
		}
		_, err := outreach.PutInvitationsTx(ctx, tx, session, enabled, version)
		return err
	})
}

// TakeSurvey takes a file in.
func (p Pages) TakeSurvey(ctx context.Context, who web.Viewer, m surveys.Moment, in surveys.Intake) (surveys.Import, error) {
	if err := p.onGrades(ctx, who); err != nil {
		return surveys.Import{}, err
	}
	if m == "" {
		return p.h.Surveys.ImportForum(as(ctx, who), in)
	}
	return p.h.Surveys.ImportAnswers(as(ctx, who), m, in)
}
