package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/surveys"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// Answers and posts by command: looked at, taken in, the same again; a row that is left out is told with its place and makes the command fail.
func TestImportSurveyAndForum(t *testing.T) {
	dsn := testkit.OwnerDSN(t)
	t.Setenv("CURSUS_DATABASE_URL", dsn)
	write := folder(t)
	settings, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := inHouse(context.Background(), settings, func(h *app.House) error {
		return h.DB.InTx(postgres.WithActor(context.Background(), "system"), "questionnaire", func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "NET-1", CourseKey: "NET", Title: catalog.Text{EN: "Networks"}, Platform: "fun", ThresholdPPM: 500_000}); err != nil {
				return err
			}
			content := surveys.Content{Questions: []surveys.Question{{Code: "routing", Kind: surveys.Skill, Title: catalog.Text{EN: "Routing"}}, {Code: "words", Kind: surveys.Words, Title: catalog.Text{EN: "Words"}}}}
			if _, err := h.Surveys.PutTx(ctx, tx, "NET-1", surveys.Closing, content, 0); err != nil {
				return err
			}
			_, err := h.Surveys.PublishTx(ctx, tx, "NET-1", surveys.Closing, 0)
			return err
		})
	}); err != nil {
		t.Fatal(err)
	}
	answers := write("answers_2025-10-09-0800.csv", "token,routing before,routing after,how\nt1,3,8,Labs\nt2,5,eleven,\n")
	undated := write("answers.csv", "token,routing before\nt3,4\n")
	posts := write("forum_2025-10-09-0800.csv", "id,thread_id,author,created_at,type\np1,,awa,2025-10-07T08:00:00Z,question\np2,p1,prof,2025-10-08T08:00:00Z,\n")
	for _, step := range []struct {
		args   string
		status int
		says   []string
	}{
		{"survey --session NET-1 --dry-run --map how=words " + answers, 1, []string{"(dry run): plain; answers: 1 new, 0 changed, 0 known, 1 left out", "how = words", "line 3, column 3: No whole number from 0 to 10. (out-of-range)"}},
		{"survey --session NET-1 --map how=words " + answers, 1, []string{"0800.csv: plain; answers: 1 new"}},
		{"survey --session NET-1 --map how=words " + answers, 0, []string{"nothing to do"}},
		{"survey --session NET-1 --map how " + answers, 1, []string{"bad-mapping"}},
		{"survey --session NET-1 --moment opening " + answers, 1, []string{"no-such-questionnaire"}},
		{"survey --session NET-1 --collected-at 2025-10-10T08:00:00Z " + undated, 0, []string{"1 new", "routing before = routing:before"}},
		{"forum --session NET-1 --dry-run " + posts, 0, []string{"(dry run): forum_csv; posts: 2 new"}},
		{"forum --session NET-1 " + posts, 0, []string{"0800.csv: forum_csv; posts: 2 new, 0 changed, 0 known, 0 left out"}},
		{"forum --session NET-1 " + posts, 0, []string{"nothing to do"}},
		{"forum --session NET-1 " + undated, 1, []string{"not-a-forum"}},
	} {
		var out bytes.Buffer
		status := run(context.Background(), append([]string{"import"}, strings.Fields(step.args)...), streams{&out, &out})
		for _, says := range step.says {
			if status != step.status || !strings.Contains(out.String(), says) {
				t.Errorf("%s: status %d, want %d with %q:\n%s", step.args, status, step.status, says, out.String())
			}
		}
	}
	var responses, kept int
	if err := testkit.Owner(t, dsn).QueryRow(`select (select count(*) from surveys.responses), (select count(*) from surveys.posts)`).Scan(&responses, &kept); err != nil || responses != 2 || kept != 2 {
		t.Error(responses, kept, err)
	}
}
