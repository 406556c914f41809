package surveys_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/surveys"
	"cursus/internal/testkit"
)

// LimeSurvey writes `;` with whole texts of questions, commas and all, in the header, a mark at the beginning, and an empty line at the end.
func TestLimeSurveyWithWholeTexts(t *testing.T) {
	x := surveys.Questionnaire{Moment: surveys.Closing, Content: closing}
	f, err := surveys.Parse([]byte("\ufeff\"Response ID\";\"Date submitted\";\"Last page\";\"Start language\";\"Seed\";\"s1[before]. Plan, build, run, mend, and sell, a network [Before]\";\"s1[after]. Plan, build, run, mend, and sell, a network [After]\"\r\n" +
		"\"1\";\"2019-04-28 17:30:00\";\"2\";\"en\";\"12\";\"4\";\"7\"\r\n\r\n"))
	got := ""
	for _, m := range x.Propose(f) {
		got += m.Target + " "
	}
	fr, wrong := surveys.Parse([]byte("ID de la réponse;Date de soumission;Dernière page;Code d’accès;s1[before]\n1;2019-04-28 17:30:00;2;tok-a;4\n"))
	if m := x.Propose(fr); wrong != nil || m[0].Target != surveys.ToNothing || m[3].Target != surveys.ToRespondent {
		t.Errorf("%v: an apostrophe of printers hides the token: %v", wrong, m)
	}
	if want := "@respondent @at - - - s1:before s1:after "; err != nil || f.Dialect != surveys.LimeSurvey || len(f.Rows) != 1 || got != want {
		t.Errorf("%v %s %d: %s, want %s", err, f.Dialect, len(f.Rows), got, want)
	}
}

// A survey may ask of each skill how it was before and after, or of all skills at once how they were before, and then after.
func TestSkillsAskedTogether(t *testing.T) {
	x := surveys.Questionnaire{Moment: surveys.Closing, Content: closing}
	f, err := surveys.Parse([]byte("id;submitdate;lastpage;before[s1];before[s2];Après [Concevoir un réseau];after[s2]\n1;2019-04-28 17:30:00;2;4;5;6;7\n"))
	got := ""
	for _, m := range x.Propose(f) {
		got += m.Target + " "
	}
	if want := "@respondent @at - s1:before s2:before s1:after s2:after "; err != nil || got != want {
		t.Errorf("%v: %s, want %s", err, got, want)
	}
}

// Each survey counts its responses from one: by their numbers, the first who answered the opening would be the first who answered the closing, and the gain of a
// skill that of two strangers. A token is the same in both.
func TestANumberOfAResponseIsNobody(t *testing.T) {
	c := newCourse(t)
	opening := surveys.Content{Questions: []surveys.Question{{Code: "s1", Kind: surveys.Skill, Title: title("Plan a network")}}}
	c.publish(surveys.Opening, opening)
	c.publish(surveys.Closing, closing)
	c.clock.Advance(5000 * time.Hour)
	const before, after = "id,submitdate,lastpage,token,s1\n1,2019-03-10 10:00:00,1,%s,4\n2,2019-03-10 11:00:00,1,%s,5\n", "id,submitdate,lastpage,token,s1[after]\n1,2019-04-28 17:30:00,1,%s,7\n"
	both := func() int {
		return c.count("(select respondent from surveys.responses r join surveys.questionnaires q on q.id = r.questionnaire_id where enrolment_id is null group by 1 having count(distinct q.moment) = 2) x")
	}
	c.take(surveys.Opening, fmt.Sprintf(before, "", ""))
	c.take(surveys.Closing, fmt.Sprintf(after, ""))
	if n := c.count("surveys.responses"); n != 3 || both() != 0 {
		t.Errorf("%d responses, and %d people in both surveys by the number of a response", n, both())
	}
	c.take(surveys.Opening, fmt.Sprintf(before, "tok-a", "tok-b"))
	c.take(surveys.Closing, fmt.Sprintf(after, "tok-b"))
	if n := c.count("surveys.responses"); n != 6 || both() != 1 {
		t.Errorf("%d responses, and %d people in both surveys by their token", n, both())
	}
	testkit.Verify(t, c.db, surveys.Checks())
}

// The database of a platform holds the posts of all its courses, and gives them a line each or as one array.
func TestPostsOfOtherCoursesAreRefused(t *testing.T) {
	c := newCourse(t)
	c.clock.Advance(60 * 24 * time.Hour)
	post := func(id, course string) string {
		return fmt.Sprintf(`{"_id":{"$oid":"%s"},"_type":"CommentThread","thread_type":"question","course_id":"%s","author_id":"101","author_username":"awa","created_at":{"$date":"2019-03-05T10:00:00.123Z"},"body":"[, {"}`, id, course)
	}
	dump := []string{post("t1", "course-v1:MinesTelecom+04003+session08"), post("t2", "course-v1:MinesTelecom+04003+session07")}
	for i, file := range []string{strings.Join(dump, "\n"), "[\n" + strings.Join(dump, ",\n") + "\n]\n"} {
		got, err := c.room.ImportForum(system, surveys.Intake{Session: "PRD-8", FileName: fmt.Sprintf("forum_2019-03-%02d-1200.json", 10+i), Content: []byte(file)})
		if err != nil || got.New != 1-i || got.Rejected != 1 || got.Outcomes[0].Code != "other-course" && got.Outcomes[1].Code != "other-course" {
			t.Errorf("%v: %+v", err, got)
		}
	}
	if _, err := surveys.ParseForum([]byte("[" + dump[0] + ",")); err == nil {
		t.Error("an array that was cut was read")
	}
}
