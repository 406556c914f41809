package surveys_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/surveys"
)

func title(s string) catalog.Text { return catalog.Text{EN: s} }

// closing is a questionnaire with a question of each kind.
var closing = surveys.Content{Questions: []surveys.Question{
	{Code: "s1", Kind: surveys.Skill, Title: catalog.Text{EN: "Plan a network", FR: "Concevoir un réseau"}},
	{Code: "s2", Kind: surveys.Skill, Title: title("Configure a router")},
	{Code: "content", Kind: surveys.Satisfaction, Title: title("How satisfied are you?")},
	{Code: "again", Kind: surveys.Recommend, Title: title("Would you recommend it?")},
	{Code: "time", Kind: surveys.Single, Title: title("Hours a week"), Choices: []surveys.Choice{{Code: "few", Title: title("Up to 3")}, {Code: "many", Title: title("More than 3")}}},
	{Code: "motives", Kind: surveys.Multiple, Title: title("Motives"), Choices: []surveys.Choice{{Code: "career", Title: title("A better position")}, {Code: "fun", Title: title("For fun")}}},
	{Code: "words", Kind: surveys.Words, Title: title("Anything else?")},
}}

const limeSurvey = `"id","submitdate","lastpage","startlanguage","token","s1[before]","s1[after]. Plan a network","s2[before]","Configure a router [After]","content","time","motives[career]","motives[fun]","words"
"1","2019-04-28 17:30:00","2","fr","tok-a","4","7","3","8","9","few","Y","","The labs."
"2","","1","fr","tok-b","4","7","3","8","9","few","Y","",""
`

// What each column of the three tools is read as, and which tool it is: if a name was not known, its answers would be dropped in silence.
func TestColumnsAreRead(t *testing.T) {
	x := surveys.Questionnaire{Moment: surveys.Closing, Content: closing}
	for name, c := range map[string]struct{ file, dialect, want string }{
		"LimeSurvey": {limeSurvey, surveys.LimeSurvey, "-,@at,-,-,@respondent,s1:before,s1:after,s2:before,s2:after,content,time,motives:career,motives:fun,words"},
		"LimeSurvey in French, with texts": {"ID de la réponse;Date de soumission;Dernière page;Concevoir un réseau [avant];Concevoir un réseau [Après]\n7;2019-04-28 17:30:00;2;4;7\n",
			surveys.LimeSurvey, "@respondent,@at,-,s1:before,s1:after"},
		"course_survey_results": {"User ID,User Name,Email,s1_before,s1_after,again,full name\n101,awa,awa@example.org,4,7,10,Awa\n", surveys.OpenEdX, "@subject,@username,@email,s1:before,s1:after,again,-"},
		"problem responses": {"username,title,location,block_key,state,Answer,Answer ID,Question,Correct Answer\nawa,Q,L,b1,{},4,a,s1 before,\nawa,Q,L,b1,{},7,a,s1 after,\nben,Q,L,b1,{},5,a,s1 after,\n",
			surveys.OpenEdXLong, "@username,s1:before,s1:after"},
		"ORA data": {"Submission ID,Anonymized Student ID,Date/Time Response Submitted,Anything else?\n1,0a1b,2019-04-28 17:30:00,Yes\n", surveys.OpenEdX, "-,@respondent,@at,words"},
		"a table":  {"Email\ts1 before\nawa@example.org\t4\n", surveys.Plain, "@email,s1:before"},
	} {
		f, err := surveys.Parse([]byte(c.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, m := range x.Propose(f) {
			got = append(got, m.Target)
		}
		if f.Dialect != c.dialect || strings.Join(got, ",") != c.want {
			t.Errorf("%s is %s with %v, want %s with %s", name, f.Dialect, got, c.dialect, c.want)
		}
	}
	for _, bad := range []string{"", "a\n1\n", "\x00\x00", "Question,Answer\nq,a\n"} {
		if _, err := surveys.Parse([]byte(bad)); err == nil {
			t.Errorf("%q is a survey", bad)
		}
	}
}

// Answers by learner and question become a row for each learner: a file that names many of both would fill the memory with empty cells.
func TestALongFileIsNoWiderThanItSays(t *testing.T) {
	var b strings.Builder
	b.WriteString("username,Question,Answer\n")
	for i := range 150_000 {
		fmt.Fprintf(&b, "u%d,q%d,1\n", i, i%400)
	}
	if _, err := surveys.Parse([]byte(b.String())); !errors.Is(err, surveys.ErrTooLarge) {
		t.Error("150,000 learners and 400 questions, of which each answered one:", err)
	}
}

// A column goes where it is said, and what is said goes before what is proposed; what cannot be is refused.
func TestTheMappingIsWhatIsSaid(t *testing.T) {
	x := surveys.Questionnaire{Moment: surveys.Closing, Content: closing}
	f, err := surveys.Parse([]byte("Mail,email,A,B\nawa@example.org,x,4,7\n"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := x.Map(f, []surveys.Mapped{{Column: "Mail", Target: "@email"}, {Column: "A", Target: "s1:before"}})
	if got := fmt.Sprint(all); err != nil || got != "[{Mail @email} {email -} {A s1:before} {B -}]" {
		t.Error(got, err)
	}
	for _, bad := range [][]surveys.Mapped{{{Column: "C", Target: "-"}}, {{Column: "A", Target: "s9"}}, {{Column: "A", Target: "s1"}}, {{Column: "A", Target: "content"}, {Column: "B", Target: "content"}}, {{Column: "email", Target: "-"}}} {
		if _, err := x.Map(f, bad); err == nil {
			t.Error("taken:", bad)
		}
	}
}

// Whatever rows there are, of whatever width and quotes: each is read as wide as the header or rejected, once, and the file comes out in its order.
func TestNoRowOfASurveyShifts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(2, 6).Draw(t, "width")
		head := []string{"email"}
		for i := 1; i < width; i++ {
			head = append(head, fmt.Sprint("c", i))
		}
		var b strings.Builder
		b.WriteString(strings.Join(head, ",") + "\n")
		good := 0
		for n := range rapid.IntRange(0, 20).Draw(t, "rows") {
			cells := []string{fmt.Sprint("row", n)}
			for range rapid.IntRange(0, 6).Draw(t, "more cells") {
				cells = append(cells, rapid.SampledFrom([]string{"1", `"a,b"`, `"two` + "\n" + `lines"`, "é", ""}).Draw(t, "cell"))
			}
			if len(cells) == width {
				good++
			}
			b.WriteString(strings.Join(cells, ",") + "\n")
		}
		f, err := surveys.Parse([]byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Rows) != good || len(f.Rows)+len(f.Rejects) != f.Read {
			t.Fatalf("%d rows and %d rejects of %d, %d are whole", len(f.Rows), len(f.Rejects), f.Read, good)
		}
		last := 0
		for _, r := range f.Rows {
			if len(r.Cells) != width || r.N <= last || !strings.HasPrefix(r.Cells[0], "row") {
				t.Fatal("shifted:", r)
			}
			last = r.N
		}
	})
}

func FuzzSurvey(f *testing.F) {
	for _, s := range []string{limeSurvey, "User ID,User Name,Email,s1_before\n1,a,a@b.c,4\n", "username,Question,Answer\na,q,1\n,,\n", "email,a,a\n\"x,1,2\n", "\xff\xfei\x00d\x00", "id;submitdate;lastpage\r1;;\r", "email,a,a,a#2\nx,1,2,3\n", "username,Question,Answer\na,username,1\na,q,2\nb,q,\na,q,3\nb\n"} {
		f.Add([]byte(s))
	}
	x := surveys.Questionnaire{Moment: surveys.Closing, Content: closing}
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := surveys.Parse(raw)
		if err != nil {
			return
		}
		if file.Dialect != surveys.OpenEdXLong && len(file.Rows)+len(file.Rejects) != file.Read {
			t.Errorf("%d rows and %d rejects of %d", len(file.Rows), len(file.Rejects), file.Read)
		}
		for _, r := range file.Rows {
			if len(r.Cells) != len(file.Header) {
				t.Error("shifted:", r)
			}
		}
		answersStand(t, raw, file)
		if all, err := x.Map(file, nil); err == nil && len(all) != len(file.Header) {
			t.Error("a column was lost:", all)
		}
	})
}
