package gradebook_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// file is an intake of a random session.
type file struct {
	name string
	at   time.Time
	text string
}

// A learner comes on day 0; before and after, intakes of every kind tell of her.
func randomFiles(t *rapid.T) (all []file) {
	learners := []string{"1", "2", "3"}
	score := func() string { return rapid.SampledFrom([]string{"0", "1", "0.5", "0.25"}).Draw(t, "score") }
	exercise := func() string { return rapid.SampledFrom([]string{"HW 01", "HW 03", "Lab 01"}).Draw(t, "exercise") }
	for i := range rapid.IntRange(2, 5).Draw(t, "files") {
		f := file{name: fmt.Sprintf("f%d", i), at: day(i + 3)}
		var b strings.Builder
		switch kind := rapid.SampledFrom([]string{"report", "short report", "wide", "long", "xapi", "roster", "problems", "pull"}).Draw(t, "kind"); kind {
		case "report", "short report":
			columns := []string{"HW 01", "HW 03", "Lab 01"}
			if kind == "short report" { // the column set changes
				columns = columns[1:]
			}
			fmt.Fprintf(&b, "Student ID,Email,Username,Grade,%s,Enrollment Status\n9,,u9,0%s,enrolled\n", strings.Join(columns, ","), strings.Repeat(",0", len(columns)))
			for _, l := range learners {
				if rapid.Bool().Draw(t, "present") {
					fmt.Fprintf(&b, "%s,,u%s,%s", l, l, score())
					for range columns {
						b.WriteString("," + rapid.SampledFrom([]string{"Not Attempted", "0", "1", "0.5"}).Draw(t, "cell"))
					}
					fmt.Fprintf(&b, ",%s\n", rapid.SampledFrom([]string{"enrolled", "unenrolled"}).Draw(t, "status"))
				}
			}
		case "problems":
			b.WriteString("Student ID,Username,Final Grade,HW 01 (Earned),HW 01 (Possible)\n9,u9,0,0,1\n")
			for _, l := range learners {
				fmt.Fprintf(&b, "%s,u%s,%s,%s,1\n", l, l, score(), score())
			}
		case "pull":
			fmt.Fprintf(&b, "{\"pull\":{\"course\":\"c\",\"collected_at\":%q,\"exercises\":true,\"enrolments\":%t}}\n", f.at.Format(time.RFC3339), rapid.Bool().Draw(t, "listed"))
			for _, l := range learners { // whom nobody named by her number yet has it here
				fmt.Fprintf(&b, "{\"enrolments\":[{\"user\":\"u%s\",\"is_active\":%t}]}\n{\"gradebook\":[{\"user_id\":%s,\"username\":\"u%s\",\"percent\":%s,\"section_breakdown\":[{\"label\":%q,\"attempted\":%t,\"percent\":%s}]}]}\n",
					l, rapid.Bool().Draw(t, "active"), l, l, score(), exercise(), rapid.Bool().Draw(t, "attempted"), score())
			}
		case "wide":
			b.WriteString("learner,HW 01,grade\n")
			for _, l := range learners { // by the names that reports give them, where there was one
				fmt.Fprintf(&b, "%s,%s,%s\n", l, score(), score())
			}
		case "long":
			b.WriteString("learner,exercise,score,attempted_at\n")
			for range rapid.IntRange(1, 4).Draw(t, "rows") {
				fmt.Fprintf(&b, "%s,%s,%s,%s\n", rapid.SampledFrom(learners).Draw(t, "learner"), exercise(), score(), day(rapid.IntRange(1, i+3).Draw(t, "day")).Format(time.RFC3339))
			}
		case "xapi":
			b.WriteString("[")
			for n := range rapid.IntRange(1, 4).Draw(t, "statements") {
				if n > 0 {
					b.WriteString(",")
				}
				fmt.Fprintf(&b, `{"id":"00000000-0000-5000-8000-%012d","actor":{"account":{"name":%q}},"verb":{"id":"http://id.tincanapi.com/verb/earned"},"object":{"id":%q},"result":{"score":{"scaled":%s}},"timestamp":%q}`,
					i*10+n, rapid.SampledFrom(learners).Draw(t, "learner"), exercise(), score(), day(rapid.IntRange(1, i+3).Draw(t, "day")).Format(time.RFC3339))
			}
			b.WriteString("]")
		case "roster":
			b.WriteString("learner,enrolled_at,left_at\n")
			for _, l := range learners {
				left := ""
				if rapid.Bool().Draw(t, "left") {
					left = day(rapid.IntRange(1, i+3).Draw(t, "day")).Format(time.RFC3339)
				}
				fmt.Fprintf(&b, "%s,%s,%s\n", l, day(0).Format(time.RFC3339), left)
			}
		}
		f.text = b.String() + strings.Repeat("\n", i) // no two of the same bytes: the second would be the first one again
		all = append(all, f)
	}
	// Who is enrolled from the start is so whatever comes first.
	return append([]file{{"first", day(2), "learner,enrolled_at,left_at\n1," + day(0).Format(time.RFC3339) + ",\n2," + day(0).Format(time.RFC3339) + ",\n3," + day(0).Format(time.RFC3339) + ",\n9," + day(0).Format(time.RFC3339) + ",\n"}}, all...)
}

// Intakes of every kind in any order, with purchases and refunds between them, make the same books, which are those that a rebuild from the facts
// makes; and what one dry run says, the import does.
func TestIntakesOfEveryKindInAnyOrder(t *testing.T) {
	db, round := testkit.DB(t), 0
	book := gradebook.New(db, jobs.New(db, nil))
	rapid.Check(t, func(t *rapid.T) {
		round++
		files := randomFiles(t)
		var indexes []int
		for i := range files {
			indexes = append(indexes, i)
		}
		order, platform := rapid.Permutation(indexes).Draw(t, "order"), fmt.Sprint("p", round)
		inOrder, shuffled := newSessionOf(t, db, fmt.Sprint("MO", round), platform), newSessionOf(t, db, fmt.Sprint("MS", round), platform)
		put := func(s catalog.Session, f file) {
			in := gradebook.Intake{SessionID: s.ID, FileName: f.name, CollectedAt: f.at, Content: []byte(f.text), DryRun: true}
			dry, err := book.Import(system, in)
			if err != nil {
				t.Fatal(err)
			}
			in.DryRun = false
			if c, err := book.Import(system, in); err != nil || c.CellsChanged != dry.CellsChanged || c.LearnersLeft != dry.LearnersLeft || c.LearnersNew != dry.LearnersNew {
				t.Fatal(c, dry, err)
			}
		}
		trade := func(s catalog.Session) { // somebody pays for the session, or is paid back
			if err := db.InTx(system, "trade", func(ctx context.Context, tx *postgres.Tx) error {
				ids, err := journey.MembersTx(ctx, tx, journey.Question{SessionID: s.ID, Basis: "ever"})
				if err != nil || len(ids) == 0 {
					return err
				}
				return journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: ids[rapid.IntRange(0, len(ids)-1).Draw(t, "who")], Stage: journey.Qualifying,
					At: day(rapid.IntRange(0, 8).Draw(t, "traded")), Reached: rapid.Bool().Draw(t, "paid"), Cause: "order"}})
			}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range files {
			put(inOrder, files[i])
			put(shuffled, files[order[i]])
			if rapid.Bool().Draw(t, "trade") {
				trade(shuffled)
			}
		}
		for d := range 2 * (len(files) + 3) {
			at := day(0).Add(time.Duration(d) * 12 * time.Hour)
			for _, question := range []journey.Question{{AsOf: at}, {AsOf: at, Basis: "ever", Week1Rule: "any"}, {AsOf: at, Week1Rule: "none"}} {
				a, b := question, question
				a.SessionID, b.SessionID = inOrder.ID, shuffled.ID
				if x, y := countsOf(t, db, a), countsOf(t, db, b); x != y {
					t.Fatalf("%s %+v: in order %+v, order %v %+v\n%+v", at, question, x, order, y, files)
				}
			}
		}
		for _, s := range []catalog.Session{inOrder, shuffled} {
			if found, err := book.Recheck(system, s.ID); err != nil || found.Differences != 0 {
				t.Fatalf("a rebuild from the facts says something else: %+v %v", found, err)
			}
		}
	})
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}
