package web

import (
	"context"

	"cursus/internal/domain/outreach"
	"cursus/internal/domain/surveys"
)

// SurveyHouse is what the pages ask of the rooms about questionnaires and forums. Who may not write grades is Forbidden at the desk.
type SurveyHouse interface {
	// Survey is the questionnaire of an enrolment of the viewer, with what she said last.
	Survey(ctx context.Context, who Viewer, enrolment string, m surveys.Moment) (surveys.Sheet, error)
	AnswerSurvey(ctx context.Context, who Viewer, enrolment string, m surveys.Moment, answers []surveys.Answer) error
	// OpenSurveys are those that the viewer can answer now, by enrolment.
	OpenSurveys(ctx context.Context, who Viewer) (map[string][]surveys.Waiting, error)
	// SurveyDesk is what a session asks, and what was taken in for it; of no session it is the sessions alone.
	SurveyDesk(ctx context.Context, who Viewer, session string, m surveys.Moment) (SurveyDesk, error)
	PutSurvey(ctx context.Context, who Viewer, session string, m surveys.Moment, c surveys.Content, version int) error
	PublishSurvey(ctx context.Context, who Viewer, session string, m surveys.Moment, version int) error
	// PutInvitations switches invitations by mail to the questionnaires of a session on or off.
	PutInvitations(ctx context.Context, who Viewer, session string, enabled bool, version int) error
	// TakeSurvey takes a file of answers in; without a moment, the posts of a forum.
	TakeSurvey(ctx context.Context, who Viewer, m surveys.Moment, in surveys.Intake) (surveys.Import, error)
}

// SurveyDesk is what staff see of the questionnaires of a session. Without one yet, Questionnaire has version 0.
type SurveyDesk struct {
	Sessions      []string // keys
	Session       string   // key; empty: none was chosen
	Moment        surveys.Moment
	Questionnaire surveys.Questionnaire
	Imports       []surveys.Import
	Invitations   outreach.Invitations
}
