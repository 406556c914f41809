package intakes_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/page"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var (
	system = postgres.WithActor(context.Background(), "system")
	ann    = postgres.WithActor(context.Background(), "staff:ann")
)

// house is a session with three exercises, two questionnaires and an exam, and three learners who are enrolled and have booked it.
type house struct {
	testing.TB
	db    *postgres.DB
	clock *clock.Manual
	room  *intakes.Service
}

func newHouse(t testing.TB) *house {
	h := &house{TB: t, clock: clock.NewManual(time.Date(2019, 5, 6, 9, 0, 0, 0, time.UTC))}
	h.db = testkit.Open(t, testkit.OwnerDSN(t), h.clock)
	j := jobs.New(h.db, nil)
	asked, sat := surveys.New(h.db), exams.New(h.db, j)
	h.room = intakes.New(h.db, j, gradebook.New(h.db, j), asked, sat)
	exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHW 01,1\nHW 02,2\nHW 03,3\n"))
	h.must(err)
	var booked []exams.BookSitting
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-7", CourseKey: "PRD", Title: catalog.Text{EN: "PRD"}, Platform: "fun", ThresholdPPM: 500_000, Exercises: exercises})
		if err != nil {
			return err
		}
		for i, name := range []string{"awa", "ben", "cléo"} {
			p, err := identity.PutPersonTx(ctx, tx, fmt.Sprintf("l%d@example.org", i), name, "en")
			if err != nil {
				return err
			}
			if err := identity.LinkTx(ctx, tx, p.ID, "fun", fmt.Sprint(101+i)); err != nil {
				return err
			}
			e, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: s.ID, OrderID: "ord_" + name, Formula: "Q", Entitlements: []string{"proctored_exam"}, Qualifying: true})
			if err != nil {
				return err
			}
			if err := journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: e, Stage: journey.Succeeded, At: tx.Now(), Reached: true, Cause: "test"}}); err != nil {
				return err
			}
			booked = append(booked, exams.BookSitting{LearnerID: p.ID, EnrolmentID: e, IdempotencyKey: fmt.Sprint(i)})
		}
		for _, m := range surveys.Moments() {
			content := surveys.Content{Questions: []surveys.Question{{Code: "s1", Kind: surveys.Skill, Title: catalog.Text{EN: "Routing"}}, {Code: "sat", Kind: surveys.Satisfaction, Title: catalog.Text{EN: "Satisfaction"}}}}
			if _, err := asked.PutTx(ctx, tx, "PRD-7", m, content, 0); err != nil {
				return err
			}
			if _, err := asked.PublishTx(ctx, tx, "PRD-7", m, 0); err != nil {
				return err
			}
		}
		return nil
	})
	for _, b := range booked {
		_, err := sat.Book(system, b)
		h.must(err)
	}
	h.clock.Advance(24 * time.Hour)
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) in(work func(ctx context.Context, tx *postgres.Tx) error) {
	h.Helper()
	h.must(h.db.InTx(system, "test", work))
}

// send has files come together and tries them.
func (h *house) send(files ...[2]string) intakes.Batch {
	h.Helper()
	id, err := h.room.Begin(ann, "PRD-7", true)
	h.must(err)
	for _, f := range files {
		h.must(h.room.Receive(ann, id, f[0], strings.NewReader(f[1])))
	}
	h.must(h.room.Decide(ann, id, intakes.Decision{Exams: true}))
	return h.work(id)
}

// work does what was asked of a batch.
func (h *house) work(id string) intakes.Batch {
	h.Helper()
	h.must(h.room.Work(system, intakes.Asked{BatchID: id}))
	return h.batch(id)
}

func (h *house) batch(id string) intakes.Batch {
	h.Helper()
	b, err := h.room.Batch(ann, id)
	h.must(err)
	return b
}

func (h *house) apply(b intakes.Batch) intakes.Batch {
	h.Helper()
	h.must(h.room.Decide(ann, b.ID, intakes.Decision{Apply: true, Exams: true, Version: b.Version}))
	return h.work(b.ID)
}

func (h *house) history() (all []intakes.Intake) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		all = nil
		for after := ""; ; {
			some, next, err := intakes.HistoryTx(ctx, tx, "PRD-7", page.Request{Limit: 2, After: after})
			all = append(all, some...)
			if after = next; next == "" || err != nil {
				return err
			}
		}
	})
	return all
}

func (h *house) outcomes(id string) (all []intakes.Outcome) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		all, _, err = intakes.OutcomesTx(ctx, tx, "PRD-7", id, page.Request{Limit: 200})
		return err
	})
	return all
}

// state is all that files change, so that what changes nothing can be told.
func (h *house) state() (s string) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &s, postgres.Query{Name: "state", SQL: `select concat_ws('|', (select count(*) from gradebook.collections), (select count(*) from gradebook.cells), (select count(*) from gradebook.members),
			(select count(*) from surveys.responses), (select count(*) from surveys.posts), (select count(*) from surveys.marks), (select count(*) from surveys.imports), (select count(*) from exams.attempts), (select count(*) from exams.result_files),
			(select string_agg(state, ',' order by id) from exams.sittings), (select count(*) from journey.changes), (select count(*) from enrolment.enrolments))`})
	})
	return s
}

func count(f intakes.Staged, what string) int {
	if f.Does != nil {
		for _, c := range f.Does.Counts {
			if c.What == what {
				return c.N
			}
		}
	}
	return -1
}

func said(b intakes.Batch) (out []string) {
	for _, f := range b.Files {
		x := f.Name + " " + f.State
		if f.Problem != nil {
			x += " " + f.Problem.Code
		}
		out = append(out, x)
	}
	return out
}

const header = "id,username,grade,HW 01,HW 02,HW 03\n"

// Weeks that come together are tried in the order of their collection, each after those before it; a broken file keeps no other one out and is told
// with its place; a try changes nothing, and each file is taken once, however often its worker begins.
func TestFilesThatComeTogether(t *testing.T) {
	h := newHouse(t)
	before := h.state()
	b := h.send(
		[2]string{"x_grade_report_2019-03-15-0900.csv", header + "201,dia,0.5,1,0.5,0\n202,eli,0,0,0,0\n"},
		[2]string{`C:\files\x_grade_report_2019-03-08-0900.csv`, header + "201,dia,0.1,1,0,0\n"},
		[2]string{"broken_2019-03-22-0900.csv", header + "201,\"dia,0.5,1,1,1\n"},
		[2]string{"letters_2019-03-23-0900.csv", header + "201,d\xc3\xa9\xc3\xa9\xff,0.5,1,1,1\n"},
		[2]string{"forum_2019-03-20-0900.csv", "id,created_at,author\np1,2019-03-10T10:00:00Z,awa\n"},
		[2]string{"holiday.jpg", "\x00\x01\x02"},
	)
	want := []string{"x_grade_report_2019-03-08-0900.csv tried", "x_grade_report_2019-03-15-0900.csv tried", "forum_2019-03-20-0900.csv tried", "broken_2019-03-22-0900.csv refused unreadable-file", "letters_2019-03-23-0900.csv refused unreadable-file", "holiday.jpg refused unreadable-file"}
	if fmt.Sprint(said(b)) != fmt.Sprint(want) {
		t.Fatalf("%q, want %q", said(b), want)
	}
	if h.state() != before {
		t.Error("a try changed something:", before, h.state())
	}
	// The second week is new by one learner and three scores, because the first one comes before it.
	if n, f, r := count(b.Files[1], "new"), count(b.Files[1], "first"), count(b.Files[1], "raised"); n != 1 || f != 1 || r != 1 {
		t.Errorf("the second week would bring %d new learners, %d first scores, %d raised: its difference is not to the first one", n, f, r)
	}
	if p := b.Files[3].Problem.Fields; len(p) != 1 || p[0].Pointer != "line 2, column 5" && !strings.HasPrefix(p[0].Pointer, "line ") {
		t.Errorf("where the file is broken is not said: %+v", p)
	}
	if p := b.Files[4].Problem.Fields; len(p) != 1 || p[0].Pointer != "line 2, column 10" {
		t.Errorf("where the letter is broken is not said: %+v", p)
	}
	if err := h.room.Decide(ann, b.ID, intakes.Decision{Apply: true, Version: b.Version - 1}); !errors.Is(err, intakes.ErrChanged) {
		t.Error("decided about what she did not see:", err)
	}
	h.must(h.room.Decide(ann, b.ID, intakes.Decision{Apply: true, Version: b.Version}))
	if err := h.room.Decide(ann, b.ID, intakes.Decision{}); !errors.Is(err, intakes.ErrBusy) {
		t.Error(err)
	}
	if err := h.room.Leave(ann, b.ID); !errors.Is(err, intakes.ErrBusy) {
		t.Error(err)
	}
	// A worker that dies after the first file: what is begun again takes the rest, and nothing twice.
	dying, die := context.WithCancel(system)
	go func() {
		for h.state() == before {
			time.Sleep(time.Millisecond)
		}
		die()
	}()
	_ = h.room.Work(dying, intakes.Asked{BatchID: b.ID})
	die()
	b = h.work(b.ID)
	if b.State != intakes.Applied || fmt.Sprint(said(b)) != strings.ReplaceAll(fmt.Sprint(want), "tried", "taken") {
		t.Fatalf("%s %q", b.State, said(b))
	}
	all := h.history()
	if len(all) != 3 || all[0].Kind != "forum" || all[1].CollectedAt.Day() != 15 || all[1].New != 1 {
		t.Fatalf("%+v", all)
	}
	after := h.state()
	h.must(h.room.Work(system, intakes.Asked{BatchID: b.ID}))
	if err := h.room.Decide(ann, b.ID, intakes.Decision{}); !errors.Is(err, intakes.ErrDone) || h.state() != after {
		t.Error("it was done again:", err)
	}
}

// The same bytes again are told to be so, by whatever file of a batch, and nothing changes. What is left out stays out.
func TestTheSameFilesAgain(t *testing.T) {
	h := newHouse(t)
	file := [2]string{"x_2019-03-08-0900.csv", header + "201,dia,0.1,1,0,0\n"}
	h.apply(h.send(file))
	before := h.state()
	b := h.send(file, [2]string{"other_2019-03-09-0900.csv", file[1]}, [2]string{"y_2019-03-15-0900.csv", header + "201,dia,0.2,1,1,0\n"})
	if !b.Files[0].Does.Replayed || !b.Files[1].Does.Replayed || b.Files[2].Does.Replayed {
		t.Errorf("%+v", b.Files)
	}
	h.must(h.room.Decide(ann, b.ID, intakes.Decision{Files: map[string]intakes.Said{b.Files[2].ID: {Skipped: true}}}))
	if b = h.work(b.ID); b.Takes() {
		t.Error("a file that is left out would be taken in")
	}
	if err := h.room.Decide(ann, b.ID, intakes.Decision{Apply: true}); !errors.Is(err, intakes.ErrNothing) || h.state() != before {
		t.Error(err)
	}
	h.must(h.room.Leave(ann, b.ID))
	if _, err := h.room.Batch(ann, b.ID); !errors.Is(err, intakes.ErrNoBatch) {
		t.Error(err)
	}
}

// What is left out when the others are applied stays out; a file that is said to be of another time is tried again first; what is said of columns holds.
func TestWhatIsSaidWhenFilesAreApplied(t *testing.T) {
	h := newHouse(t)
	b := h.send([2]string{"a_2019-03-08-0900.csv", header + "201,dia,0.1,1,0,0\n"}, [2]string{"b_2019-03-15-0900.csv", "id,username,grade,HW 01,HW two,HW 03\n201,dia,0.1,1,1,0\n"})
	if q := b.Files[1].Does.Questions; len(q) != 1 || q[0].Label != "HW two" {
		t.Fatalf("%+v", q)
	}
	at := time.Date(2019, 3, 16, 9, 0, 0, 0, time.UTC)
	said := map[string]intakes.Said{b.Files[0].ID: {Skipped: true}, b.Files[1].ID: {CollectedAt: &at}}
	columns := []gradebook.Mapping{{Label: "HW two", Meaning: gradebook.SameExercise, Exercise: "HW 02"}}
	h.must(h.room.Decide(ann, b.ID, intakes.Decision{Apply: true, Files: said, Mappings: columns}))
	if b = h.work(b.ID); b.State != intakes.Tried || len(h.history()) > 0 || !b.Files[0].Skipped || !b.Files[1].Does.CollectedAt.Equal(at) || len(b.Files[1].Does.Questions) > 0 {
		t.Fatalf("%s %+v", b.State, b.Files)
	}
	said[b.Files[0].ID] = intakes.Said{Skipped: false}
	h.must(h.room.Decide(ann, b.ID, intakes.Decision{Files: said, Mappings: columns}))
	b = h.work(b.ID)
	said[b.Files[0].ID] = intakes.Said{Skipped: true}
	h.must(h.room.Decide(ann, b.ID, intakes.Decision{Apply: true, Files: said, Mappings: columns}))
	b = h.work(b.ID)
	if all := h.history(); b.State != intakes.Applied || len(all) != 1 || all[0].FileName != "b_2019-03-15-0900.csv" || !all[0].CollectedAt.Equal(at) {
		t.Errorf("%s %+v", b.State, all)
	}
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		m, err := gradebook.MappingsTx(ctx, tx, "PRD-7")
		if len(m.Current) != 1 || m.Current[0].Exercise != "HW 02" || m.Current[0].DecidedBy != "staff:ann" {
			t.Errorf("%+v", m)
		}
		return err
	})
}

// A file that breaks off, that is too many or too large is told, and what is not applied goes after a week. Results are for who looks after exams.
func TestFilesThatDoNotCome(t *testing.T) {
	h := newHouse(t)
	id, err := h.room.Begin(ann, "PRD-7", false)
	h.must(err)
	if err := h.room.Receive(ann, id, "cut.csv", io.MultiReader(strings.NewReader("id,"), brokenReader{})); !errors.Is(err, intakes.ErrCut) {
		t.Error(err)
	}
	h.must(h.room.Receive(ann, id, "results_2019-05-05-0900.csv", strings.NewReader("course_id,attempt_code,status,username\nc,A,verified,awa\n")))
	h.must(h.room.Decide(ann, id, intakes.Decision{}))
	if b := h.work(id); fmt.Sprint(said(b)) != "[results_2019-05-05-0900.csv refused no-exams cut.csv refused file-cut]" {
		t.Errorf("%q", said(b))
	}
	if err := h.room.Receive(ann, id, "late.csv", strings.NewReader("x")); !errors.Is(err, intakes.ErrNoBatch) {
		t.Error(err)
	}
	many, err := h.room.Begin(ann, "PRD-7", false)
	h.must(err)
	for i := range intakes.MaxFiles {
		h.must(h.room.Receive(ann, many, fmt.Sprint(i, ".csv"), strings.NewReader("x")))
	}
	if err := h.room.Receive(ann, many, "one.csv", strings.NewReader("x")); !errors.Is(err, intakes.ErrTooMany) {
		t.Error(err)
	}
	h.clock.Advance(8 * 24 * time.Hour)
	if n, err := h.room.Forget(ann); err != nil || n != 2 {
		t.Error(n, err)
	}
	var left int
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &left, postgres.Query{Name: "left", SQL: "select count(*) from intakes.pieces"})
	})
	if left > 0 {
		t.Error("bytes of files that nobody applied are kept:", left)
	}
}

// Two reports of one time are one too many: the second is refused, whether it comes with the first or after it, and those behind it go on.
func TestTwoFilesOfOneTime(t *testing.T) {
	h := newHouse(t)
	b := h.send([2]string{"a_2019-05-05-0900.csv", "id,username,grade,HW 01\n1,awa,0.5,1\n"}, [2]string{"b_2019-05-05-0900.csv", "id,username,grade,HW 01\n1,awa,0.6,1\n"}, [2]string{"c_2019-05-06-0900.csv", "id,username,grade,HW 01\n1,awa,0.7,1\n"})
	if fmt.Sprint(said(b)) != "[a_2019-05-05-0900.csv tried b_2019-05-05-0900.csv refused collection-time-taken c_2019-05-06-0900.csv tried]" {
		t.Errorf("%q", said(b))
	}
	if b = h.apply(b); fmt.Sprint(said(b)) != "[a_2019-05-05-0900.csv taken b_2019-05-05-0900.csv refused collection-time-taken c_2019-05-06-0900.csv taken]" {
		t.Errorf("%q", said(b))
	}
	if b = h.send([2]string{"b_2019-05-05-0900.csv", "id,username,grade,HW 01\n1,awa,0.6,1\n"}); fmt.Sprint(said(b)) != "[b_2019-05-05-0900.csv refused collection-time-taken]" {
		t.Errorf("%q", said(b))
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the line went dead") }

// kept fails where a file is not in the history as it came: its bytes, their hash and length, who gave it, by which way and when it was made.
func (h *house) kept(name, content, kind string) intakes.Intake {
	h.Helper()
	for _, i := range h.history() {
		if i.FileName != name {
			continue
		}
		sum := sha256.Sum256([]byte(content))
		if i.Kind != kind || i.SHA256 != hex.EncodeToString(sum[:]) || i.Bytes != int64(len(content)) || i.By != "staff:ann" || i.Via != intakes.ByPage {
			h.Errorf("%s is not kept as what it is: %+v", name, i)
		}
		if made, said := sheet.MadeAt(name); said && !i.CollectedAt.Equal(made) {
			h.Errorf("%s was collected at %s", name, i.CollectedAt)
		}
		_, body, err := h.room.Open(ann, "PRD-7", i.ID)
		h.must(err)
		got, err := io.ReadAll(body)
		h.must(err)
		if !bytes.Equal(got, []byte(content)) || !i.Kept {
			h.Errorf("%s is kept as %q", name, got)
		}
		return i
	}
	h.Errorf("%s is not in the history", name)
	return intakes.Intake{}
}
