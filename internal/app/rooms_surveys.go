package app

import (
	"context"

	"cursus/internal/domain/outreach"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Questionnaire finds the working copy of a questionnaire.
func (r Rooms) Questionnaire(ctx context.Context, _ api.Principal, session string, m surveys.Moment) (x surveys.Questionnaire, err error) {
	err = r.h.DB.View(ctx, "questionnaire", func(ctx context.Context, tx *postgres.Tx) error {
		x, err = surveys.QuestionnaireTx(ctx, tx, session, m)
		return err
	})
	return x, err
}

// PutQuestionnaire writes it.
func (r Rooms) PutQuestionnaire(ctx context.Context, _ api.Principal, session string, m surveys.Moment, c surveys.Content, version int) (x surveys.Questionnaire, err error) {
	err = r.h.DB.InTx(ctx, "put questionnaire", func(ctx context.Context, tx *postgres.Tx) error {
		x, err = r.h.Surveys.PutTx(ctx, tx, session, m, c, version)
		return err
	})
	return x, err
}

// PublishQuestionnaire freezes it.
func (r Rooms) PublishQuestionnaire(ctx context.Context, _ api.Principal, session string, m surveys.Moment, version int) (x surveys.Questionnaire, err error) {
	err = r.h.DB.InTx(ctx, "publish questionnaire", func(ctx context.Context, tx *postgres.Tx) error {
		x, err = r.h.Surveys.PublishTx(ctx, tx, session, m, version)
		return err
	})
	return x, err
}

// QuestionnaireInvitations are whether learners are invited.
func (r Rooms) QuestionnaireInvitations(ctx context.Context, _ api.Principal, session string) (i outreach.Invitations, err error) {
	err = r.h.DB.View(ctx, "questionnaire invitations", func(ctx context.Context, tx *postgres.Tx) error {
		i, err = outreach.InvitationsTx(ctx, tx, session)
		return err
	})
	return i, err
}

// PutQuestionnaireInvitations switches them on or off.
func (r Rooms) PutQuestionnaireInvitations(ctx context.Context, _ api.Principal, session string, enabled bool, version int) (i outreach.Invitations, err error) {
	err = r.h.DB.InTx(ctx, "put questionnaire invitations", func(ctx context.Context, tx *postgres.Tx) error {
		i, err = outreach.PutInvitationsTx(ctx, tx, session, enabled, version)
		return err
	})
	return i, err
}

// ImportSurvey takes answers in.
func (r Rooms) ImportSurvey(ctx context.Context, _ api.Principal, m surveys.Moment, in surveys.Intake) (surveys.Import, error) {
	return r.h.Surveys.ImportAnswers(ctx, m, in)
}

// ImportForum takes posts in.
func (r Rooms) ImportForum(ctx context.Context, _ api.Principal, in surveys.Intake) (surveys.Import, error) {
	return r.h.Surveys.ImportForum(ctx, in)
}

// SurveyImports lists what was taken in for a session.
func (r Rooms) SurveyImports(ctx context.Context, _ api.Principal, session string, p page.Request) (all []surveys.Import, next string, err error) {
	err = r.h.DB.View(ctx, "survey imports", func(ctx context.Context, tx *postgres.Tx) error {
		next = ""
		if all, err = surveys.ImportsTx(ctx, tx, session, p.After, p.Limit+1); len(all) > p.Limit {
			all, next = all[:p.Limit], all[p.Limit-1].ID
		}
		return err
	})
	return all, next, err
}

// Answers are what the learner of an enrolment said last.
func (r Rooms) Answers(ctx context.Context, who api.Principal, enrolment string, m surveys.Moment) (s surveys.Sheet, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "answers", func(ctx context.Context, tx *postgres.Tx) error {
		s, err = surveys.SheetTx(ctx, tx, enrolment, herself(who, "learning:read"), m)
		return err
	})
	return s, err
}

// PutAnswers takes what she says.
func (r Rooms) PutAnswers(ctx context.Context, who api.Principal, enrolment string, m surveys.Moment, answers []surveys.Answer) (s surveys.Sheet, err error) {
	err = r.h.asHouse(ctx, "put answers", func(ctx context.Context, tx *postgres.Tx) error {
		s, err = r.h.Surveys.AnswerTx(ctx, tx, enrolment, who.PersonID, m, answers)
		return err
	})
	return s, err
}
