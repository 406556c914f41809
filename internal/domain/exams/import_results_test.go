package exams_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/exams"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// report is a file of results of the session; each row is email, code, minutes after now at which it began (empty: not said), status, review, score.
func (r *room) report(rows ...[6]string) []byte {
	var b strings.Builder
	b.WriteString("course_id,username,email,attempt_code,started_at,status,review_status,Suspicious Count,Suspicious Comments,score\n")
	for _, x := range rows {
		began := x[2]
		if began != "" {
			d, err := time.ParseDuration(began)
			r.must(err)
			began = r.clock.Now().Add(d).UTC().Format("2006-01-02 15:04:05+00:00")
		}
		suspicious := ",0,"
		if x[4] == "Suspicious" {
			suspicious = ",1,looks away"
		}
		fmt.Fprintf(&b, "c,,%s,%s,%s,%s,%s%s,%s\n", x[0], x[1], began, x[3], x[4], suspicious, x[5])
	}
	return []byte(b.String())
}

func (r *room) results(content []byte, dry bool) exams.Results {
	r.Helper()
	out, err := r.exams.ImportResults(postgres.WithActor(context.Background(), "staff:ann"), exams.ResultsIntake{Session: "PRD-9", FileName: "results.csv", Content: content, DryRun: dry})
	r.must(err)
	return out
}

func said(rows []exams.RowOutcome) (out []string) {
	for _, x := range rows {
		out = append(out, strings.TrimSpace(x.Outcome+" "+x.Code))
	}
	return out
}

func (r *room) told(got exams.Results, want ...string) {
	r.Helper()
	if fmt.Sprint(said(got.Rows)) != fmt.Sprint(want) {
		r.Errorf("%q, want %q", said(got.Rows), want)
	}
}

// A file moves the attempts that it names, opens those of who was booked, refuses the rest by row; a dry run and the same file again change nothing.
func TestAFileOfResultsIsTakenIn(t *testing.T) {
	r := newRoom(t, 5)
	x, y, z := r.sitting(0, ""), r.sitting(1, ""), r.sitting(2, "")
	_, err := r.act("staff:ann", y.ID, exams.EvStart)
	r.must(err)
	r.clock.Advance(2 * time.Hour)
	file := r.report(
		[6]string{"l0@example.org", "A", "-1h", "verified", "Clean", "0.8"},
		[6]string{"l1@example.org", "B", "-90m", "submitted", "Suspicious", ""},
		[6]string{"l2@example.org", "C", "-1h", "rejected", "", ""},
		[6]string{"l3@example.org", "D", "-1h", "verified", "", ""},
		[6]string{"l4@example.org", "E", "-1h", "ok", "", ""},
		[6]string{"l2@example.org", "F", "-3h", "verified", "", ""})
	want := []string{"new", "changed", "new", "refused not-booked", "refused unknown-status", "refused not-booked"}
	dry := r.results(file, true)
	r.told(dry, want...)
	if s := r.stands(x.ID); s.State != exams.Booked {
		t.Error("a dry run changed something:", s.State)
	}
	first := r.results(file, false)
	r.told(first, want...)
	if s := r.stands(x.ID); s.State != exams.Passed || *s.ScorePPM != 800_000 {
		t.Errorf("%+v", s)
	}
	if s := r.stands(z.ID); s.State != exams.Failed || *s.ScorePPM != 0 {
		t.Errorf("%+v", s)
	}
	var story exams.Story
	r.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		story, err = exams.StoryTx(ctx, tx, y.ID)
		return err
	})
	if story.Attempts[0].State != exams.SecondReview || story.Attempts[0].Code != "B" || len(story.Incidents) != 1 || !strings.Contains(story.Incidents[0].Note, "looks away") {
		t.Errorf("%+v", story)
	}
	// Rows that were refused are tried again; those that were taken stand.
	again := r.results(file, false)
	r.told(again, "unchanged", "unchanged", "unchanged", "refused not-booked", "refused unknown-status", "refused not-booked")
	if again.ID != first.ID || !again.Replayed {
		t.Errorf("%+v", again)
	}
	var kept exams.Results
	var bytesKept []byte
	r.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		kept, bytesKept, err = exams.ResultsFileTx(ctx, tx, "PRD-9", first.ID)
		return err
	})
	if sum := sha256.Sum256(file); !bytes.Equal(bytesKept, file) || kept.SHA256 != hex.EncodeToString(sum[:]) || kept.By != "staff:ann" || kept.Bytes != int64(len(file)) || kept.ImportedAt.IsZero() || kept.CollectedAt.IsZero() || fmt.Sprint(said(kept.Rows)) != fmt.Sprint(want) {
		t.Errorf("what is kept of the file is not what came: %+v", kept)
	}
	// What comes late moves nothing, a person's word stands, a code is of one attempt.
	_, err = r.act("staff:bob", y.ID, exams.EvVerify, 700_000)
	r.must(err)
	later := r.report(
		[6]string{"l0@example.org", "A", "-1h", "submitted", "", ""},
		[6]string{"l1@example.org", "B", "-90m", "rejected", "", ""},
		[6]string{"l2@example.org", "A", "-1h", "verified", "", ""})
	r.told(r.results(later, false), "unchanged attempt-past-that", "refused decided-by-person", "refused duplicated")
	r.told(r.results(r.report([6]string{"l2@example.org", "A", "-1h", "verified", "", ""}), false), "refused code-of-another")
	r.told(r.results(r.report([6]string{"l2@example.org", "G", "-1h", "verified", "", ""}), false), "refused other-attempt")
	r.told(r.results(r.report([6]string{"l0@example.org", "A", "1h", "rejected", "", ""}), false), "refused out-of-range")
	whole := r.report([6]string{"l0@example.org", "A", "-1h", "rejected", "", ""})
	r.told(r.results(whole, false), "changed")
	if s := r.stands(x.ID); s.State != exams.Failed {
		t.Errorf("%+v", s)
	}
	r.told(r.results(r.report([6]string{"l0@example.org", "A", "-1h", "verified", "", ""}), false), "changed") // another look
	if got := r.results(whole, false); !got.Replayed || r.stands(x.ID).State != exams.Passed {
		t.Errorf("%+v", got)
	}
	r.verify()
}

// A retake has its own sitting: a row belongs to what was booked when it began. Nobody who was not fit is taken in.
func TestARowBelongsToTheSittingOfItsTime(t *testing.T) {
	r := newRoom(t, 2)
	r.rules(func(n *exams.NewExam) { n.Identity = true })
	proof := func(i int, ok bool) {
		r.in(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := r.exams.CheckIdentityTx(ctx, tx, r.learners[i], exams.IdentityCheck{Method: "document", Verified: ok})
			return err
		})
	}
	proof(0, true)
	proof(1, true)
	first := r.sitting(0, "")
	other := r.sitting(1, "")
	r.clock.Advance(time.Hour)
	zero := 100_000
	_, err := r.exams.RecordResult(system, exams.Result{SittingID: first.ID, State: exams.Failed, ScorePPM: &zero})
	r.must(err)
	r.clock.Advance(time.Hour)
	second := r.sitting(0, "")
	r.clock.Advance(time.Hour)
	proof(1, false)
	r.told(r.results(r.report(
		[6]string{"l0@example.org", "A", "-150m", "verified", "", "0.9"}, // of the first, whose result is known otherwise
		[6]string{"l0@example.org", "B", "-30m", "verified", "", "0.9"},
		[6]string{"l1@example.org", "C", "-30m", "verified", "", "0.9"}), false), "refused result-recorded-already", "new", "refused not-eligible")
	if a, b, c := r.stands(first.ID), r.stands(second.ID), r.stands(other.ID); a.State != exams.Failed || b.State != exams.Passed || c.State != exams.Booked {
		t.Error(a.State, b.State, c.State)
	}
	r.verify()
}

// Whatever files come in whatever order: an attempt only moves along its table, the last file that is taken again changes nothing, and what a dry
// run says is what is done.
func TestAnyFilesOfResults(t *testing.T) {
	statuses := []string{"created", "ready_to_start", "started", "submitted", "timed_out", "second_review_required", "verified", "rejected", "error", "declined", "expired"}
	r := newRoom(t, 40)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		if n++; n > len(r.learners) {
			return // each try has a learner of its own
		}
		i := n - 1
		x := r.sitting(i, "")
		r.clock.Advance(time.Minute)
		for range rapid.IntRange(1, 6).Draw(t, "files") {
			r.clock.Advance(time.Minute)
			file := r.report([6]string{fmt.Sprintf("l%d@example.org", i), fmt.Sprint("code", i), "", rapid.SampledFrom(statuses).Draw(t, "status"), "", rapid.SampledFrom([]string{"", "0.9", "0.1"}).Draw(t, "score")})
			dry, before := r.results(file, true), r.stands(x.ID)
			done := r.results(file, false)
			if !done.Replayed && fmt.Sprint(said(dry.Rows)) != fmt.Sprint(said(done.Rows)) {
				t.Fatalf("%q, and then %q", said(dry.Rows), said(done.Rows))
			}
			if o := done.Rows[0]; !done.Replayed && o.From != "" && o.To != o.From && (o.Outcome != exams.RowChanged || !exams.AttemptLife.Allows(o.From, o.To) && exams.AttemptLife.Terminal(o.From)) {
				t.Fatalf("%+v", o)
			}
			if done.Rows[0].Outcome == exams.RowUnchanged && !done.Replayed && r.stands(x.ID).State != before.State {
				t.Fatal("unchanged, and changed")
			}
			if again := r.results(file, false); again.Rows[0].Outcome != exams.RowUnchanged && again.Rows[0].Outcome != exams.RowRefused && !again.Replayed {
				t.Fatalf("again: %+v", again.Rows)
			}
		}
	})
	r.verify()
}

// A platform's username finds her as her address does; where the two are of two people the row is refused.
func TestARowNamesHerByUsername(t *testing.T) {
	r := newRoom(t, 2)
	r.sitting(0, "")
	r.sitting(1, "")
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "insert into lms.platforms (key, base_url, auth, per_minute, enabled, made_at) values ('fun', 'https://fun.example', 'bearer', 1, false, now())"}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "insert into lms.usernames (platform, person_id, username, by_staff) values ('fun', $1, 'zoe', true)"}, r.learners[0])
		return err
	})
	const header = "course_id,username,email,attempt_code,status\n"
	r.told(r.results([]byte(header+"c,zoe,l1@example.org,A,started\nc,zoe,,B,started\nc,Zoe,,C,started\n"), false), "refused two-people", "new", "refused not-booked")
}

// A report of another course names people who may have booked this exam, too: its verdicts would be theirs here.
func TestResultsOfAnotherCourseAreRefused(t *testing.T) {
	r := newRoom(t, 1)
	r.sitting(0, "")
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "update catalog.sessions set platform_key = 'course-v1:IMT+PRD+s9' where id = $1"}, r.session.ID)
		return err
	})
	const header = "course_id,email,attempt_code,status\n"
	_, err := r.exams.ImportResults(postgres.WithActor(context.Background(), "staff:ann"), exams.ResultsIntake{Session: "PRD-9", FileName: "r.csv", Content: []byte(header + "course-v1:IMT+PRD+s8,l0@example.org,A,verified\n")})
	if f := fault.From(err); !errors.Is(err, exams.ErrResultsRefused) || len(f.Fields) != 1 || f.Fields[0].Code != "other-course" || f.Fields[0].Pointer != "results.csv:2:1" {
		t.Errorf("taken in, or refused without a place: %+v", err)
	}
	r.told(r.results([]byte(header+"course-v1:IMT+PRD+s9,l0@example.org,A,verified\n"), false), "new")
}
