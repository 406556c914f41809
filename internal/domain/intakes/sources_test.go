package intakes_test

import (
	"context"
	"errors"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/postgres"
)

// A file that is taken for another kind is refused by the wrong reader, with words that help nobody.
func TestFilesOfPlatformsAreRecognised(t *testing.T) {
	for text, want := range map[string]string{
		`{"_id":{"$oid":"1"},"_type":"CommentThread","created_at":{"$date":"2019-03-05T10:00:00Z"}}`:                                                                                                                                                    intakes.OfForum,
		"[\n" + `{"_id":{"$oid":"1"},"_type":"CommentThread","created_at":{"$date":"2019-03-05T10:00:00Z"}}]`:                                                                                                                                           intakes.OfForum,
		`[{"id":"3744fa95-27e3-5c44-9573-98db43406f0a","actor":{},"verb":{"id":"x"}}]`:                                                                                                                                                                  intakes.OfGrades,
		"Student ID;Email;Username;Grade;Homework 1: a, b, c, d, e, f;Enrollment Status\r\n1;;a;0,5;0,5;enrolled\r\n":                                                                                                                                   intakes.OfGrades,
		"\"id\";\"submitdate\";\"lastpage\";\"s1. One, two, three, four, five\"\r\n\"1\";\"\";\"\";\"\"\r\n":                                                                                                                                            intakes.OfClosing,
		"id,username,name,email,language,location,year_of_birth,gender,level_of_education,mailing_address,goals,enrollment_mode,last_login,date_joined,external_user_key,enrollment_date,city,country\r\n":                                              intakes.OfGrades,
		"course_id,provider,track,exam_name,username,email,attempt_code,allowed_time_limit_mins,is_sample_attempt,started_at,completed_at,status,review_status,Suspicious Count,Suspicious Comments,Rules Violation Count,Rules Violation Comments\r\n": intakes.OfResults,
		"Student ID,Username,Error\r\n1,ada,boom\r\n":                 intakes.OfGrades,
		"Student ID,Email,Username,error_msg\r\n1,a@b.c,ada,boom\r\n": intakes.OfGrades,
		"learner,enrolled_at,left_at\nada,2026-01-05,\n":              intakes.OfGrades,
	} {
		if got, err := intakes.KindOf(sheet.Bytes([]byte(text))); err != nil || got != want {
			t.Errorf("%.60q is %s (%v), want %s", text, got, err, want)
		}
	}
}

// An export of another platform has addresses, as answers to a questionnaire do. Where nothing was asked, it is a file that nobody knows; it is refused as a
// questionnaire that is missing only where somebody said that it holds answers. Taken in, it would stand in the history as answers of nobody.
func TestATableOfAnotherPlatformIsNoQuestionnaire(t *testing.T) {
	h := newHouse(t)
	const moodle = "First name,Surname,ID number,Email address,Quiz: Week 1 (Real),Course total (Real)\nAda,L,,ada@example.org,8.50,-\n"
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "BARE", CourseKey: "PRD", Title: catalog.Text{EN: "Bare"}, Platform: "fun", ThresholdPPM: 500_000})
		return err
	})
	for _, c := range []struct {
		session, kind string
		want          error
	}{{"BARE", "", gradebook.ErrNotAReport}, {"BARE", intakes.OfOpening, surveys.ErrNone}, {"PRD-7", "", surveys.ErrNoAnswers}} {
		_, err := h.room.Take(ann, intakes.File{Session: c.session, Kind: c.kind, Name: "m_2019-03-08-0900.csv", Source: sheet.Bytes([]byte(moodle)), DryRun: true})
		if !errors.Is(err, c.want) {
			t.Errorf("%s %q: %v, want %v", c.session, c.kind, err, c.want)
		}
	}
}
