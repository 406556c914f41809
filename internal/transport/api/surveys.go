package api

import (
	"context"
	"slices"
	"strings"
	"time"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
)

// SurveyRooms is what the API asks of the house about surveys and forums, in the room's own types.
type SurveyRooms interface {
	Questionnaire(ctx context.Context, who Principal, session string, m surveys.Moment) (surveys.Questionnaire, error)
	// PutQuestionnaire writes the working copy. version is the one that was read; 0 takes any. Another one is a Precondition fault.
	PutQuestionnaire(ctx context.Context, who Principal, session string, m surveys.Moment, c surveys.Content, version int) (surveys.Questionnaire, error)
	PublishQuestionnaire(ctx context.Context, who Principal, session string, m surveys.Moment, version int) (surveys.Questionnaire, error)
	QuestionnaireInvitations(ctx context.Context, who Principal, session string) (outreach.Invitations, error)
	PutQuestionnaireInvitations(ctx context.Context, who Principal, session string, enabled bool, version int) (outreach.Invitations, error)
	ImportSurvey(ctx context.Context, who Principal, m surveys.Moment, in surveys.Intake) (surveys.Import, error)
	ImportForum(ctx context.Context, who Principal, in surveys.Intake) (surveys.Import, error)
	SurveyImports(ctx context.Context, who Principal, session string, p page.Request) (all []surveys.Import, next string, err error)
	// Answers are those of an enrolment; of another learner's there are none, but for staff who read grades.
	Answers(ctx context.Context, who Principal, enrolment string, m surveys.Moment) (surveys.Sheet, error)
	PutAnswers(ctx context.Context, who Principal, enrolment string, m surveys.Moment, answers []surveys.Answer) (surveys.Sheet, error)
}

func (h handlers) GetQuestionnaire(ctx context.Context, r server.GetQuestionnaireRequestObject) (server.GetQuestionnaireResponseObject, error) {
	x, err := h.rooms.Questionnaire(ctx, callerOf(ctx), r.Session, surveys.Moment(r.Moment))
	out, err := answered[contract.Questionnaire](x, err)
	return server.GetQuestionnaire200JSONResponse{Body: out, Headers: server.GetQuestionnaire200ResponseHeaders{ETag: etag(x.Version)}}, err
}

func (h handlers) PutQuestionnaire(ctx context.Context, r server.PutQuestionnaireRequestObject) (server.PutQuestionnaireResponseObject, error) {
	out, now, err := put[contract.Questionnaire](r.Params.IfMatch, r.Body, func(c surveys.Content, version int) (surveys.Questionnaire, error) {
		return h.rooms.PutQuestionnaire(ctx, callerOf(ctx), r.Session, surveys.Moment(r.Moment), c, version)
	})
	return server.PutQuestionnaire200JSONResponse{Body: out, Headers: server.PutQuestionnaire200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) PublishQuestionnaire(ctx context.Context, r server.PublishQuestionnaireRequestObject) (server.PublishQuestionnaireResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	x, err := h.rooms.PublishQuestionnaire(ctx, callerOf(ctx), r.Session, surveys.Moment(r.Moment), version)
	out, err := answered[contract.Questionnaire](x, err)
	return server.PublishQuestionnaire200JSONResponse{Body: out, Headers: server.PublishQuestionnaire200ResponseHeaders{ETag: etag(x.Version)}}, err
}

func (h handlers) GetQuestionnaireInvitations(ctx context.Context, r server.GetQuestionnaireInvitationsRequestObject) (server.GetQuestionnaireInvitationsResponseObject, error) {
	i, err := h.rooms.QuestionnaireInvitations(ctx, callerOf(ctx), r.Session)
	out, err := answered[contract.QuestionnaireInvitations](i, err)
	return server.GetQuestionnaireInvitations200JSONResponse{Body: out, Headers: server.GetQuestionnaireInvitations200ResponseHeaders{ETag: etag(i.Version)}}, err
}

func (h handlers) PutQuestionnaireInvitations(ctx context.Context, r server.PutQuestionnaireInvitationsRequestObject) (server.PutQuestionnaireInvitationsResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	i, err := h.rooms.PutQuestionnaireInvitations(ctx, callerOf(ctx), r.Session, r.Body.Enabled, version)
	out, err := answered[contract.QuestionnaireInvitations](i, err)
	return server.PutQuestionnaireInvitations200JSONResponse{Body: out, Headers: server.PutQuestionnaireInvitations200ResponseHeaders{ETag: etag(i.Version)}}, err
}

// toImport gives an import with the rows that matter most.
func toImport(i surveys.Import, err error) (contract.SurveyImport, error) {
	if err != nil {
		return contract.SurveyImport{}, err
	}
	slices.SortStableFunc(i.Outcomes, func(a, b surveys.Outcome) int {
		first := func(o surveys.Outcome) int {
			if o.Outcome == surveys.RowRejected {
				return 0
			}
			return 1
		}
		return first(a) - first(b)
	})
	i.Outcomes = append([]surveys.Outcome{}, i.Outcomes[:min(len(i.Outcomes), maxRejects)]...)
	i.Map = append([]surveys.Mapped{}, i.Map...)
	for k := range i.Map {
		i.Map[k].Column = clip(i.Map[k].Column, 3999)
	}
	i.CollectedAt, i.RecordedAt = i.CollectedAt.UTC(), i.RecordedAt.UTC()
	return as[contract.SurveyImport](i)
}

// mappingOf reads what columns are from a JSON object; a name that stands twice is refused: one of the two would be lost.
func mappingOf(s *string) (all []surveys.Mapped, err error) {
	if s == nil {
		return nil, nil
	}
	refused := fault.InvalidInput(fault.Field{Pointer: "query/mapping", Code: "bad-mapping", Detail: "A JSON object of names, each once."})
	read, err := decode([]byte(*s))
	object, ok := read.(map[string]any)
	if err != nil || !ok {
		return nil, refused
	}
	for column, to := range object {
		target, ok := to.(string)
		if !ok {
			return nil, refused
		}
		all = append(all, surveys.Mapped{Column: column, Target: target})
	}
	slices.SortFunc(all, func(a, b surveys.Mapped) int { return strings.Compare(a.Column, b.Column) })
	return all, nil
}

func intakeOf(session, fileName string, at *time.Time, dry *bool, content []byte) surveys.Intake {
	in := surveys.Intake{Session: session, FileName: fileName, DryRun: value(dry), Content: content, Via: intakes.ByAPI}
	if at != nil {
		in.CollectedAt = at.UTC()
	}
	return in
}

func (h handlers) ImportSurvey(ctx context.Context, r server.ImportSurveyRequestObject) (server.ImportSurveyResponseObject, error) {
	in := intakeOf(r.Session, r.Params.FileName, r.Params.CollectedAt, r.Params.DryRun, callOf(ctx).body)
	var err error
	if in.Map, err = mappingOf(r.Params.Mapping); err != nil {
		return nil, err
	}
	out, err := toImport(h.rooms.ImportSurvey(ctx, callerOf(ctx), surveys.Moment(r.Moment), in))
	if out.Replayed || out.DryRun {
		return server.ImportSurvey200JSONResponse(out), err
	}
	return server.ImportSurvey201JSONResponse(out), err
}

func (h handlers) ImportForum(ctx context.Context, r server.ImportForumRequestObject) (server.ImportForumResponseObject, error) {
	out, err := toImport(h.rooms.ImportForum(ctx, callerOf(ctx), intakeOf(r.Session, r.Params.FileName, r.Params.CollectedAt, r.Params.DryRun, callOf(ctx).body)))
	if out.Replayed || out.DryRun {
		return server.ImportForum200JSONResponse(out), err
	}
	return server.ImportForum201JSONResponse(out), err
}

func (h handlers) ListSurveyImports(ctx context.Context, r server.ListSurveyImportsRequestObject) (server.ListSurveyImportsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.SurveyImports(ctx, callerOf(ctx), r.Session, p)
	if err != nil {
		return nil, err
	}
	out := server.ListSurveyImports200JSONResponse{Imports: []contract.SurveyImport{}, NextCursor: given(page.Cursor(next))}
	for _, i := range all {
		x, err := toImport(i, nil)
		if err != nil {
			return nil, err
		}
		out.Imports = append(out.Imports, x)
	}
	return out, nil
}

func (h handlers) GetAnswers(ctx context.Context, r server.GetAnswersRequestObject) (server.GetAnswersResponseObject, error) {
	out, err := toAnswered(h.rooms.Answers(ctx, callerOf(ctx), r.Enrolment, surveys.Moment(r.Moment)))
	return server.GetAnswers200JSONResponse(out), err
}

func (h handlers) PutAnswers(ctx context.Context, r server.PutAnswersRequestObject) (server.PutAnswersResponseObject, error) {
	n, err := as[struct {
		Answers []surveys.Answer `json:"answers"`
	}](r.Body)
	if err != nil {
		return nil, err
	}
	out, err := toAnswered(h.rooms.PutAnswers(ctx, callerOf(ctx), r.Enrolment, surveys.Moment(r.Moment), n.Answers))
	return server.PutAnswers200JSONResponse(out), err
}

func toAnswered(s surveys.Sheet, err error) (contract.AnsweredQuestionnaire, error) {
	s.AnsweredAt, s.Answers = utc(s.AnsweredAt), append([]surveys.Answer{}, s.Answers...)
	return answered[contract.AnsweredQuestionnaire](s, err)
}
