package app_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// aSurvey publishes the closing questionnaire of the examples of the contract for the session of the world.
func (w *world) aSurvey() {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		c := surveys.Content{Questions: []surveys.Question{{Code: "routing", Kind: surveys.Skill}, {Code: "words", Kind: surveys.Words}}}
		for i := range c.Questions {
			c.Questions[i].Title.EN = c.Questions[i].Code
		}
		if _, err := w.h.Surveys.PutTx(ctx, tx, w.session.ID, surveys.Closing, c, 0); err != nil {
			return err
		}
		_, err := w.h.Surveys.PublishTx(ctx, tx, w.session.ID, surveys.Closing, 0)
		return err
	})
}

// surveyStory writes a questionnaire, lets a learner answer it, takes the answers of others and the posts of a forum in, and reads what came of it.
func (w *world) surveyStory(t *testing.T, walker *apitest.Walker, staff, learner, stranger string) {
	t.Helper()
	s, l, other := &asker{t: t, w: walker, token: staff}, &asker{t: t, w: walker, token: learner}, &asker{t: t, w: walker, token: stranger}
	at := map[string]string{"session": w.session.Key, "moment": "closing"}
	hers := map[string]string{"enrolment": walker.Values["enrolment"], "moment": "closing"}
	s.ask(404, "getQuestionnaire", at, nil)
	text := func(s string) map[string]string { return map[string]string{"en": s} }
	content := map[string]any{"questions": []any{map[string]any{"code": "routing", "kind": "skill", "title": text("Configure a router")}, map[string]any{"code": "words", "kind": "text", "title": text("Anything else?")}}}
	s.ask(200, "putQuestionnaire", at, content)
	s.ask(200, "putQuestionnaire", at, content)
	s.ask(412, "putQuestionnaire", at, content, func(r *apitest.Request) { r.Header.Set("If-Match", `"7"`) })
	on := map[string]any{"enabled": true}
	s.ask(200, "getQuestionnaireInvitations", at, nil)
	if x := s.ask(200, "putQuestionnaireInvitations", at, on, func(r *apitest.Request) { r.Header.Set("If-Match", `"1"`) }); x["enabled"] != true || len(x["questionnaires"].([]any)) != 1 {
		t.Error(x)
	}
	s.ask(412, "putQuestionnaireInvitations", at, on, func(r *apitest.Request) { r.Header.Set("If-Match", `"1"`) })
	l.ask(404, "getAnswers", hers, nil)
	if x := s.ask(200, "publishQuestionnaire", at, nil); x["published_version"] != 1.0 {
		t.Error(x)
	}
	s.ask(200, "getQuestionnaire", at, nil)
	other.ask(404, "getAnswers", hers, nil)
	other.ask(404, "putAnswers", hers, map[string]any{"answers": []any{}})
	l.ask(400, "putAnswers", hers, map[string]any{"answers": []any{map[string]any{"question": "mood", "value": 3}}})
	l.ask(200, "putAnswers", hers, map[string]any{"answers": []any{map[string]any{"question": "routing", "before": 4, "after": 7}, map[string]any{"question": "words", "text": "The labs."}}})
	if x := l.ask(200, "getAnswers", hers, nil); len(x["answers"].([]any)) != 2 || x["answered_at"] == nil {
		t.Error(x)
	}
	file := []byte("token,routing before,routing after,how\nt1,3,8,x\nt2,5,eleven,x\n")
	plain := query("file_name=survey_2025-10-09-0800.csv")
	if x := s.ask(200, "importSurvey", at, file, query("file_name=survey_2025-10-09-0800.csv&dry_run=true&mapping=%7B%22how%22%3A%22words%22%7D")); x["rows_new"] != 1.0 || x["rows_rejected"] != 1.0 {
		t.Error(x)
	}
	s.ask(400, "importSurvey", at, file, query("file_name=s.csv&mapping=%7B%22how%22%3A%22words%22%2C%22how%22%3A%22-%22%7D"))
	s.ask(201, "importSurvey", at, file, plain)
	if x := s.ask(200, "importSurvey", at, file, plain); x["replayed"] != true {
		t.Error(x)
	}
	posts, forum := []byte("id,thread_id,author,created_at,type\np1,,Zoé,2025-10-07T08:00:00Z,question\np2,p1,prof,2025-10-08T08:00:00Z,\n"), query("file_name=forum_2025-10-09-0800.csv")
	s.ask(201, "importForum", at, posts, forum)
	s.ask(200, "importForum", at, posts, forum)
	if x := s.ask(200, "listSurveyImports", at, nil); len(x["imports"].([]any)) != 2 {
		t.Error(x)
	}
	s.history(walker, staff, at, posts)
	f := s.ask(http.StatusOK, "getFigure", map[string]string{"figure": "skill_gain"}, nil, query(""))
	if cells := f["rows"].([]any)[0].(map[string]any)["cells"].([]any); cells[7].(map[string]any)["points"].(map[string]any)["hundredths"] != 400.0 {
		t.Error("3 and 5 points are a gain of 4:", cells)
	}
	walker.Values["moment"] = "closing"
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		w.aSurvey()
		var enrolled string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			all, err := enrolment.OfLearnerTx(ctx, tx, staff)
			for _, e := range all {
				if e.SessionID == w.session.ID {
					enrolled = e.ID
				}
			}
			return err
		})
		return map[string]string{
			"/learning/:id/questionnaires/:moment": "/learning/" + enrolled + "/questionnaires/closing", "/console/surveys": "/console/surveys /console/surveys?session=" + w.session.Key,
		}
	})
}

// history reads every kind of file in one list, page by page, what became of the rows of the last one, and its bytes.
func (s *asker) history(walker *apitest.Walker, token string, at map[string]string, posts []byte) {
	s.t.Helper()
	var all []map[string]any
	for asked := "limit=1"; ; {
		some := s.ask(200, "listIntakes", at, nil, query(asked))
		for _, x := range some["intakes"].([]any) {
			all = append(all, x.(map[string]any))
		}
		cursor, more := some["next_cursor"].(string)
		if !more {
			break
		}
		asked = "limit=1&cursor=" + cursor
	}
	if len(all) < 2 || all[0]["kind"] != "forum" || all[1]["kind"] != "closing" || all[0]["via"] != "api" || all[0]["rows"] != 2.0 || all[0]["new"] != 2.0 || all[0]["kept"] != true {
		s.t.Fatalf("%+v", all)
	}
	one := map[string]string{"session": at["session"], "intake": all[0]["id"].(string)}
	if rows := s.ask(200, "listIntakeOutcomes", one, nil)["outcomes"].([]any); len(rows) != 2 || rows[0].(map[string]any)["outcome"] != "new" || rows[0].(map[string]any)["line"] != 2.0 {
		s.t.Error(rows)
	}
	r := walker.Example("downloadIntake")
	r.Token, r.Path = token, one
	if a := walker.Do(s.t, r); a.Status != 200 || !bytes.Equal(a.Body, posts) {
		s.t.Errorf("%d %q", a.Status, a.Body)
	}
	s.ask(400, "listIntakes", at, nil, query("cursor="+page.Cursor("x")))
	s.ask(400, "listIntakeOutcomes", one, nil, query("cursor="+page.Cursor("x")))
	s.ask(404, "listIntakeOutcomes", map[string]string{"session": at["session"], "intake": "erf_01kb5t8kz9e0qv4m3r2x7nwhjd"}, nil)
}
