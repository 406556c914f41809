package gradebook_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// A stream of statements is of all courses of a platform, and the course of a coach has nearly the key of the one that it is made of.
func TestStatementsOfAnotherCourseAreRefused(t *testing.T) {
	db := testkit.DB(t)
	if err := db.InTx(system, "session", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "X", CourseKey: "PRD", Title: catalog.Text{EN: "X"}, Platform: "fun", PlatformKey: "course-v1:edX+DemoX+Demo", ThresholdPPM: 500_000})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var all []string
	for i, object := range []string{"course/course-v1:edX+DemoX+Demo", "xblock/block-v1:edX+DemoX+Demo+type@problem+block@1", "course/ccx-v1:edX+DemoX+Demo+ccx@1",
		"xblock/ccx-block-v1:edX+DemoX+Demo+ccx@1+type@problem+block@1", "xblock/block-v1:edX+DemoX+Other+type@problem+block@1"} {
		all = append(all, fmt.Sprintf(`{"id":"3744fa95-27e3-5c44-9573-%012d","actor":{"account":{"name":"ada"}},"verb":{"id":"x/earned"},"object":{"id":"http://lms/%s"},"result":{"score":{"scaled":0.5}},"timestamp":"2018-09-10T16:31:50Z"}`, i, object))
	}
	book := gradebook.New(db, jobs.New(db, nil))
	c, err := book.Import(system, gradebook.Intake{SessionID: "X", FileName: "s.json", CollectedAt: day(0), Content: []byte(strings.Join(all, "\n"))})
	if err != nil {
		t.Fatal(err)
	}
	told := func(c gradebook.Collection) (all string) {
		for _, x := range c.Rejects {
			all += fmt.Sprintf("%d %s; ", x.Line, x.Code)
		}
		return all
	}
	if got, want := told(c), "3 other-course; 4 other-course; 5 other-course; "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	c, err = book.Import(system, gradebook.Intake{SessionID: "X", FileName: "c.csv", CollectedAt: day(1), Content: []byte("CourseID,Certificate Type,Total Certificates Issued,Date Report Run\r\ncourse-v1:edX+DemoX+Demo,honor,5,\"March 01, 2026\"\r\ncourse-v1:edX+Other+Demo,honor,7,\"March 01, 2026\"\r\n")})
	if got, want := told(c), "3 other-course; "; err != nil || got != want || c.RowsRead != 2 {
		t.Errorf("%v: %d rows, %s, want %s", err, c.RowsRead, got, want)
	}
}

// Statements as the event router of Open edX writes them. A problem of several questions comes as a GroupActivity with the score, and an activity without one for
// each question; a problem without points has the score 0 of 0. Passed over, the first would be lost; taken, the second would have started somebody.
func TestStatementsOfTheEventRouter(t *testing.T) {
	const block = "http://localhost:18000/xblock/block-v1:edX+DemoX+Demo_Course+type@problem+block@a0effb954cca"
	n := 0
	statement := func(verb, object, kind, result string) string {
		n++
		return fmt.Sprintf(`{"id":"3744fa95-27e3-5c44-9573-%012d","actor":{"objectType":"Agent","account":{"homePage":"http://localhost:18000","name":"32e08e30-f8ae-4ce2-94a8-c2bfe38a70cb"}},`+
			`"verb":{"id":"%s"},"object":{"id":"%s","objectType":"%s","definition":{"type":"http://adlnet.gov/expapi/activities/cmi.interaction","name":{"en-US":"Multiple Choice Questions"}}},`+
			`"result":%s,"timestamp":"2023-11-03T16:31:50.023274+00:00","version":"1.0.3"}`, n, verb, object, kind, result)
	}
	const evaluated, attempted, earned = "https://w3id.org/xapi/acrossx/verbs/evaluated", "http://adlnet.gov/expapi/verbs/attempted", "http://id.tincanapi.com/verb/earned"
	r, err := gradebook.Parse([]byte("[" + strings.Join([]string{
		statement(evaluated, block, "GroupActivity", `{"score":{"scaled":0.5,"raw":2.0,"min":0.0,"max":4.0},"success":false}`),
		statement(evaluated, block+"_4_1", "Activity", `{"success":false,"response":"[\"a piano\"]"}`),
		statement(evaluated, block, "Activity", `{"score":{"max":0,"min":0,"raw":0,"scaled":0},"success":false}`),
		statement(attempted, block, "Activity", `{"score":{"max":0.0,"min":0.0,"raw":0.0,"scaled":0.0},"success":true}`),
		statement(evaluated, block, "Activity", `{"score":{"min":0,"max":null,"raw":null,"scaled":null},"success":false}`),
		statement(earned, "http://localhost:18000/course/course-v1:edX+DemoX+Demo_Course", "Activity", `{"score":{"scaled":1.0,"raw":1.0,"min":0.0,"max":1.0}}`),
		statement(evaluated, "http://localhost:18000/xblock/ccx-block-v1:edX+DemoX+Demo_Course+ccx@1+type@problem+block@3fc5", "Activity", `{"score":{"scaled":0.25,"raw":1,"min":0,"max":4}}`),
	}, ",") + "]"))
	if err != nil || len(r.Rejects) != 0 {
		t.Fatal(err, r.Rejects)
	}
	got := ""
	for _, e := range r.Events {
		got += fmt.Sprintf("%s %d; ", r.Columns[e.Column].Label, e.Value)
	}
	if want := "block-v1:edX+DemoX+Demo_Course+type@problem+block@a0effb954cca 500000000; grade 1000000000; ccx-block-v1:edX+DemoX+Demo_Course+ccx@1+type@problem+block@3fc5 250000000; "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	got = ""
	for _, x := range r.Ignored {
		got += fmt.Sprintf("%d %s; ", x.Line, x.Code)
	}
	if want := "2 no-score; 3 no-score; 4 no-score; 5 no-score; "; got != want {
		t.Errorf("passed over: %s, want %s", got, want)
	}
}
