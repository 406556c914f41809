package surveys_test

import (
	"fmt"
	"testing"

	"cursus/internal/domain/surveys"
)

const forumTable = `id,thread_id,parent_id,author,created_at,cohort,type,answered
t1,,,awa,2019-03-05T10:00:00Z,FREE,question,false
r1,t1,,ben,2019-03-05T11:00:00Z,FREE,,
c1,t1,r1,awa,2019-03-05T12:00:00Z,FREE,comment,
t2,,,ben,2019-03-13 10:00:00,PRO,question,
t3,,,prof,2019-03-13 11:00:00,,discussion,
t4,,,,2019-03-13 11:00:00,,discussion,
t5,,,ben,yesterday,,question,
t1,,,ben,2019-03-13 11:00:00,,question,
`

const forumDump = `{"_id":{"$oid":"t1"},"_type":"CommentThread","thread_type":"question","author_id":"101","author_username":"awa","created_at":{"$date":"2019-03-05T10:00:00.123Z"},"group_id":1,"body":"secret"}
{"_id":{"$oid":"r1"},"_type":"Comment","comment_thread_id":{"$oid":"t1"},"author_id":"102","created_at":{"$date":1551783600000},"endorsed":true}
{"_id":{"$oid":"c1"},"_type":"Comment","comment_thread_id":{"$oid":"t1"},"parent_id":{"$oid":"r1"},"author_id":"101","created_at":{"$date":{"$numberLong":"1551787200000"}},"endorsed":false}
{"_id":{"$oid":"t2"},"_type":"CommentThread","thread_type":"discussion","author_id":"102","created_at":{"$date":"2019-03-13T10:00:00Z"}}
no json
{"_id":"x"} {"_id":"y"}
`

// Both forms of an export are read to the same threads; what is no post is listed with its line.
func TestBothFormsOfAForumAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		file, posts string
		rejects     string
	}{
		surveys.ForumTable: {forumTable, "t1>t1 question;r1>t1 response;c1>t1 comment;t2>t2 question;t3>t3 discussion;", "7 missing;8 bad-time;9 twice;"},
		surveys.ForumDump:  {forumDump, "t1>t1 question;r1>t1 response;c1>t1 comment;t2>t2 discussion;", "5 bad-json;6 bad-json;"},
	} {
		f, err := surveys.ParseForum([]byte(c.file))
		if err != nil || f.Dialect != name {
			t.Fatal(name, f.Dialect, err)
		}
		posts, rejects := "", ""
		for _, p := range f.Posts {
			posts += fmt.Sprintf("%s>%s %s;", p.ID, p.Thread, p.Kind)
		}
		for _, r := range f.Rejects {
			rejects += fmt.Sprintf("%d %s;", r.Line, r.Code)
		}
		if posts != c.posts || rejects != c.rejects {
			t.Errorf("%s:\n%s\n%s\nwant\n%s\n%s", name, posts, rejects, c.posts, c.rejects)
		}
		if at := f.Posts[1].CreatedAt.Format("15:04"); at != "11:00" {
			t.Error(name, "says", at)
		}
	}
	if _, err := surveys.ParseForum([]byte("a,b\n1,2\n")); err == nil {
		t.Error("any table is a forum")
	}
}

func FuzzForum(f *testing.F) {
	for _, s := range []string{forumTable, forumDump, `{"_id":null}`, "id,author,created_at,parent_id\na,x,2019-03-13,b\nb,x,2019-03-13,a\n", `{"_id":{"$oid":{"$oid":"a"}},"author_id":1,"created_at":1551783600000}`, "post_id\tid\tauthor_username\tauthor_id\tcohort\tcreated\tanswered\np1\tx\tawa\t7\tPRO\t2019-03-13\tmaybe\np2\tx\t \t8\t\"a\nb\"\t13/03/2019 10:00\toui\np3\n",
		`{"id":"a","_id":"b","author_id":1,"author_id":2,"created_at":"2019-03-13"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		forum, err := surveys.ParseForum(raw)
		if err != nil {
			return
		}
		if len(forum.Posts)+len(forum.Rejects) != forum.Read {
			t.Errorf("%d posts and %d rejects of %d", len(forum.Posts), len(forum.Rejects), forum.Read)
		}
		postsStand(t, raw, forum)
		for _, p := range forum.Posts {
			if p.ID == "" || p.Thread == "" || (p.Thread == p.ID) != (p.Kind == surveys.AQuestion || p.Kind == surveys.ADiscussion) {
				t.Errorf("%+v", p)
			}
		}
	})
}
