package outreach_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	"pgregory.net/rapid"

	"cursus/internal/books/journey"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

// grades imports a report in which the quizzes that a learner did are marked.
func (h *house) grades(did map[string][3]string) {
	h.Helper()
	var b strings.Builder
	b.WriteString("Student ID,Email,Username,Grade,Quiz 1,Quiz 2,Quiz 3,Enrollment Track,Verification Status,Certificate Eligible,Certificate Delivered,Certificate Type,Enrollment Status\n")
	for i, email := range slices.Sorted(func(yield func(string) bool) {
		for email := range did {
			if !yield(email) {
				return
			}
		}
	}) {
		d := did[email]
		h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return identity.LinkTx(ctx, tx, h.people[email], "fun", fmt.Sprint(i+1))
		})
		fmt.Fprintf(&b, "%d,%s,u%d,0.1,%s,%s,%s,honor,N/A,N,N,N/A,enrolled\n", i+1, email, i, d[0], d[1], d[2])
	}
	room := gradebook.New(h.db, jobs.New(h.db, nil))
	if _, err := room.Import(system, gradebook.Intake{SessionID: h.old.ID, FileName: "r.csv", Content: []byte(b.String()), CollectedAt: h.clock.Now()}); err != nil {
		h.Fatal(err)
	}
}

// decoded is a mail as its reader's program sees it.
func decoded(t testing.TB, raw []byte) (subject, text, html string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for parts, kinds := multipart.NewReader(m.Body, params["boundary"]), 0; ; kinds++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) && kinds == 2 {
			return subject, text, html
		}
		if err != nil {
			t.Fatal(kinds, err)
		}
		b, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			html = string(b)
		} else {
			text = string(b)
		}
	}
}

func (h *house) weekly(change func(w *outreach.WeeklyMail)) {
	h.Helper()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		w, err := outreach.WeeklyTx(ctx, tx, h.old.Key)
		if err != nil {
			return err
		}
		change(&w)
		return outreach.PutWeeklyTx(ctx, tx, h.old.Key, w.Version, w)
	})
}

// Each week each learner gets one mail on how far she is, with what to do next, on the day of the session, and none where it is off, not
// time yet, or a day too late. The test clock stands at a Monday, 9:00, in the third week of the session.
func TestTheWeeklyMail(t *testing.T) {
	h := newSMTP(t, 1000)
	h.learner("ontime@example.org", "en", true)
	h.learner("behind@example.org", "fr", true)
	h.learner("silent@example.org", "en", true)
	h.grades(map[string][3]string{"ontime@example.org": {"1.0", "0.5", "Not Attempted"}, "behind@example.org": {"1.0", "Not Attempted", "Not Attempted"}, "silent@example.org": {"Not Attempted", "Not Attempted", "Not Attempted"}})
	ask := func(want int) {
		t.Helper()
		if n, err := h.room.AskWeekly(context.Background()); err != nil || n != want {
			t.Errorf("%d begun (%v), want %d", n, err, want)
		}
		h.serve()
	}
	ask(0)
	h.weekly(func(w *outreach.WeeklyMail) { w.Enabled, w.Hour = true, 10 })
	ask(0) // it is nine
	h.weekly(func(w *outreach.WeeklyMail) { w.Hour = 9 })
	ask(1)
	ask(0)
	for email, want := range map[string][]string{
		"ontime@example.org": {"week 3", "you have done everything so far. This week: Quiz 3."},
		"behind@example.org": {"semaine 3", "Commencez par : Quiz 2, Quiz 3", ": 1. Ils comptent"},
		"silent@example.org": {"has begun", "week 3", "Quiz 1, Quiz 2, Quiz 3"},
	} {
		got := h.server.got(email)
		if len(got) != 1 {
			t.Errorf("%s got %d mails", email, len(got))
			continue
		}
		subject, text, _ := decoded(t, got[0])
		text = subject + text
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in %s", email, w, text)
			}
		}
	}
	h.weekly(func(w *outreach.WeeklyMail) { w.Weekday = 2 })
	h.clock.Advance(24 * time.Hour)
	ask(0) // the day was changed, the week has its mail
	h.clock.Advance(7*24*time.Hour + 25*time.Hour)
	ask(0) // Wednesday of the next week, 10:00: a day late
	h.clock.Advance(6 * 24 * time.Hour)
	h.says("silent@example.org", privacy.ProgressMail, false)
	ask(1)
	if n := len(h.server.got("silent@example.org")); n != 1 {
		t.Error("who refuses got", n)
	}
	if n := len(h.server.got("behind@example.org")); n != 2 {
		t.Error("who does not got", n)
	}
	h.weekly(func(w *outreach.WeeklyMail) { w.Enabled = false })
	h.clock.Advance(7 * 24 * time.Hour)
	ask(0)
	err := h.db.InTx(system, "test", func(ctx context.Context, tx *postgres.Tx) error {
		w, err := outreach.WeeklyTx(ctx, tx, h.old.Key)
		if err != nil {
			return err
		}
		return outreach.PutWeeklyTx(ctx, tx, h.old.Key, w.Version-1, w)
	})
	if !errors.Is(err, outreach.ErrChanged) {
		t.Error(err)
	}
}

func report(to, action, status, id string) string {
	return "From: MAILER-DAEMON@mx.test\r\nTo: no-reply@cursus.test\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; <" + to + ">\r\nAction: " + action + "\r\nStatus: " + status + "\r\nDiagnostic-Code: smtp; 550 no\r\n\r\n" +
		"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\nMessage-ID: <" + id + ">\r\n\r\n--b--\r\n"
}

// A report on a mail that came back marks it, and after a hard bounce the address gets nothing any more; a delay, a full mailbox and a report
// on somebody else's mail stop nothing. What is no report is refused.
func TestBounces(t *testing.T) {
	h := newSMTP(t, 1000)
	for _, email := range []string{"a@example.org", "b@example.org", "c@example.org"} {
		h.learner(email, "en", true)
	}
	id := h.scheduledAndServed(announcement())
	for email, text := range map[string]string{
		"a@example.org": report("A@example.org", "failed", "5.1.1", strings.Trim(header(t, h.server.got("a@example.org")[0], "Message-Id"), "<>")),
		"b@example.org": report("b@example.org", "failed", "5.2.2", strings.Trim(header(t, h.server.got("b@example.org")[0], "Message-Id"), "<>")),
		"c@example.org": report("c@example.org", "delayed", "4.4.1", strings.Trim(header(t, h.server.got("a@example.org")[0], "Message-Id"), "<>")),
		"nobody":        report("nobody@example.org", "failed", "5.1.1", "x@y"),
	} {
		var n int
		h.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			all, err := outreach.ReadBounces(strings.NewReader(text))
			if err == nil {
				n, err = outreach.BouncesTx(ctx, tx, all)
			}
			return err
		})
		if want := map[string]int{"a@example.org": 1, "b@example.org": 1}[email]; n != want {
			t.Errorf("%s: %d are ours, want %d", email, n, want)
		}
	}
	for _, bad := range []string{"", "Subject: hello\r\n\r\nhello", strings.Replace(report("a@b.c", "failed", "5.1.1", "x"), "delivery-status;", "disposition-notification;", 1), "\x00"} {
		if _, err := outreach.ReadBounces(strings.NewReader(bad)); !errors.Is(err, outreach.ErrNotABounce) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	h.scheduledAndServed(announcement())
	if a, b, c := len(h.server.got("a@example.org")), len(h.server.got("b@example.org")), len(h.server.got("c@example.org")); a != 1 || b != 2 || c != 2 || h.stateOf(id, "a@example.org") != "bounced 5.1.1" {
		t.Error(a, b, c, h.stateOf(id, "a@example.org"))
	}
}

// A list is nudged once; who is held out gets nothing and is written down, so that the two groups can be compared.
func TestANudgeHasItsHoldOutGroup(t *testing.T) {
	h := newSMTP(t, 10000)
	var people []string
	for i := range 60 {
		people = append(people, h.learner(fmt.Sprintf("l%d@example.org", i), "en", true))
	}
	n := outreach.NewNudge{List: "behind/PRD-8/2026-03-02", Session: "PRD-8", People: append(people, people[0]), HoldOut: 400,
		Text: outreach.Text{EN: outreach.Words{Subject: "{title}", Paragraphs: []string{"Hello {name}"}}, FR: outreach.Words{Subject: "{title}", Paragraphs: []string{"Bonjour {name}"}}}}
	var id string
	h.books(people[:1]) // before: it is no effect
	h.clock.Advance(time.Hour)
	h.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = h.room.NudgeTx(ctx, tx, n)
		return err
	})
	for range 4 {
		h.serve()
	}
	h.clock.Advance(time.Hour)
	h.whatANudgeDid(id, people[0])
	c := h.campaign(id).Counts
	if c.Recipients != 60 || c.HeldOut < 5 || c.HeldOut > 45 || c.Sent != 60-c.HeldOut || int64(h.server.all()) != c.Sent {
		t.Errorf("%+v, %d mails", c, h.server.all())
	}
	for want, spoil := range map[string]func(n *outreach.NewNudge){
		"nudged-already": func(*outreach.NewNudge) {}, "/people no-such-learner": func(n *outreach.NewNudge) { n.People = []string{"per_none"} },
		"/session no-such-session": func(n *outreach.NewNudge) { n.Session = "NONE" }, "/hold_out out-of-range": func(n *outreach.NewNudge) { n.HoldOut = 901 },
		"/text/en/subject unknown-placeholder": func(n *outreach.NewNudge) { n.Text.EN.Subject = "{starts}" }, "/list bad-length": func(n *outreach.NewNudge) { n.List = "" },
	} {
		other := n
		spoil(&other)
		f := fault.From(h.db.InTx(system, "test", func(ctx context.Context, tx *postgres.Tx) error { _, err := h.room.NudgeTx(ctx, tx, other); return err }))
		got := f.Code
		if len(f.Fields) == 1 {
			got = f.Fields[0].Pointer + " " + f.Fields[0].Code
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What a nudge did is the same for ever when it is asked as of two times: neither what came true later, nor what was learnt later, nor who refused or
// was canceled after the groups were drawn changes it; and it had done nothing before it began.
func TestTheEffectOfANudgeStays(t *testing.T) {
	h := newSMTP(t, 10000)
	var people []string
	for i := range 20 {
		people = append(people, h.learner(fmt.Sprintf("s%d@example.org", i), "en", true))
	}
	refuses := h.learner("never@example.org", "en", true)
	if err := h.room.Prefer(system, refuses, outreach.Preferences{}); err != nil {
		t.Fatal(err)
	}
	var id string
	h.clock.Advance(time.Hour)
	began := h.clock.Now()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		reach, err := outreach.ReachTx(ctx, tx, append(slices.Clone(people), refuses))
		if reach != (outreach.Reach{People: 21, Writable: 20, Refused: 1}) {
			t.Errorf("%+v", reach)
		}
		if err != nil {
			return err
		}
		one := outreach.Words{Subject: "{title}", Paragraphs: []string{"{name}"}}
		id, err = h.room.NudgeTx(ctx, tx, outreach.NewNudge{List: "stays", Session: "PRD-8", People: append(slices.Clone(people), refuses), HoldOut: 500, Text: outreach.Text{EN: one, FR: one}})
		return err
	})
	effect := func(asOf, knownAt time.Time) (e outreach.NudgeResult) {
		h.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			e, err = outreach.NudgeEffectTx(ctx, tx, id, asOf, knownAt)
			return err
		})
		return e
	}
	h.clock.Advance(time.Minute) // what is true at the very time is from before
	h.books(people[:10])
	h.clock.Advance(time.Hour)
	then := h.clock.Now()
	first := effect(then, then)
	if booked := first.Stages[4]; first.Written+first.HeldOut != 20 || booked.Written.Count+booked.HeldOut.Count != 10 || booked.Stage != "exam_booked" {
		t.Errorf("%+v", first)
	}
	for _, p := range people { // who was to be written to and refuses before the mail goes is one of those to be written to
		if err := h.room.Prefer(system, p, outreach.Preferences{}); err != nil {
			t.Fatal(err)
		}
	}
	h.serve()
	h.clock.Advance(time.Hour)
	h.booked(people[10:15], h.clock.Now())
	h.booked(people[15:], then.Add(-time.Minute)) // true before, learnt after
	if again := effect(then, then); !reflect.DeepEqual(again, first) {
		t.Errorf("it was %+v\nand is %+v", first, again)
	}
	if late := effect(then, time.Time{}).Stages[4]; late.Written.Count+late.HeldOut.Count != 15 {
		t.Errorf("what was learnt later is not told where no time of knowing is asked for: %+v", late)
	}
	if now := effect(time.Time{}, time.Time{}); now.Written != first.Written || now.Stages[4].Written.Count+now.Stages[4].HeldOut.Count != 20 {
		t.Errorf("%+v", now)
	}
	if before := effect(began.Add(-time.Minute), time.Time{}); len(before.Stages) > 0 {
		t.Errorf("%+v", before)
	}
}

// books lets learners of the old session book an exam.
func (h *house) books(people []string) { h.Helper(); h.booked(people, h.clock.Now()) }

// booked says that they booked at some time.
func (h *house) booked(people []string, at time.Time) {
	h.Helper()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		var all []string
		if err := tx.Select(ctx, &all, postgres.Query{Name: "test", SQL: "select id from enrolment.enrolments where session_id = $1 and learner_id = any($2) order by id"}, h.old.ID, pq.Array(people)); err != nil {
			return err
		}
		var changes []journey.Change
		for _, e := range all {
			changes = append(changes, journey.Change{EnrolmentID: e, Stage: journey.ExamBooked, At: at, Reached: true, Cause: "test"})
		}
		return journey.RecordTx(ctx, tx, changes)
	})
}

// whatANudgeDid has all whom it went to book, and one of those held out: the two groups are those that were drawn, without who had booked before,
// and the difference is provable; of a stage that nobody reached it is not; and other campaigns have no groups.
func (h *house) whatANudgeDid(id, before string) {
	h.Helper()
	groups := map[bool][]string{}
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, _, err := outreach.RecipientsTx(ctx, tx, id, "", page.Request{Limit: 100})
		for _, r := range all {
			if r.PersonID != before {
				groups[r.State == "held_out"] = append(groups[r.State == "held_out"], r.PersonID)
			}
		}
		return err
	})
	h.books(append(groups[false], groups[true][0]))
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		did, err := outreach.NudgeEffectTx(ctx, tx, id, time.Time{}, time.Time{})
		all := did.Stages
		got := map[string]string{}
		for _, e := range all {
			got[e.Stage] = fmt.Sprint(e.Written.Count, "/", e.Written.Of, " ", e.HeldOut.Count, "/", e.HeldOut.Of, " ", e.Verdict)
		}
		if want := fmt.Sprint(len(groups[false]), "/", len(groups[false]), " 1/", len(groups[true]), " provable_difference"); got["exam_booked"] != want {
			h.Errorf("%s, want %s", got["exam_booked"], want)
		}
		if !strings.HasSuffix(got["certified"], " no_provable_difference") || !strings.HasPrefix(got["worked"], "0/") {
			h.Error(got)
		}
		if err != nil {
			return err
		}
		other, err := outreach.CreateTx(ctx, tx, announcement())
		if err != nil {
			return err
		}
		if none, err := outreach.NudgeEffectTx(ctx, tx, other, time.Time{}, time.Time{}); err != nil || len(none.Stages) > 0 {
			h.Error(none, err)
		}
		return nil
	})
}

// weather is a way out of the house in which anything may happen. It keeps what was delivered, by campaign and person.
type weather struct {
	mu        sync.Mutex
	delivered map[string]int
	refused   map[string]bool // addresses of those who said no
	wronged   []string        // who got a mail after that
	next      func() string
}

func (w *weather) Send(_ context.Context, l outreach.Letter) outreach.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	what := w.next()
	if what != "later" && what != "refused" && what != "dead" && what != "crash before" {
		w.delivered[l.ID+" "+l.To]++
		if w.refused[l.To] {
			w.wronged = append(w.wronged, l.To)
		}
	}
	switch what {
	case "crash before", "crash after": // nothing more happens of this mail, as where the process is killed
		runtime.Goexit()
	case "delivered":
		return outreach.Delivered
	case "later":
		return outreach.Later
	case "refused":
		return outreach.Refused
	case "dead":
		return outreach.Dead
	}
	return outreach.Unknown
}

// Whatever is sent, refused, interrupted and asked for again, nobody gets a mail twice, and nobody who said no gets one.
func TestNobodyGetsAMailTwiceOrAfterANo(t *testing.T) {
	w := &weather{}
	h := newHouse(t, 1_000_000, w)
	var emails []string
	for i := range 6 {
		emails = append(emails, fmt.Sprintf("l%d@example.org", i))
		h.learner(emails[i], "en", true)
	}
	rapid.Check(t, func(rt *rapid.T) {
		outcomes := []string{"delivered", "delivered", "later", "unknown", "refused", "crash before", "crash after"}
		// A generator is drawn from in one thread: mails are handed over by several.
		planned := rapid.SliceOfN(rapid.SampledFrom(outcomes), 60, 60).Draw(rt, "outcomes")
		w.mu.Lock()
		w.delivered, w.refused, w.wronged = map[string]int{}, map[string]bool{}, nil
		w.next = func() string {
			if len(planned) == 0 {
				return "delivered"
			}
			one := planned[0]
			planned = planned[1:]
			return one
		}
		w.mu.Unlock()
		for _, e := range emails {
			h.says(e, privacy.News, true)
			h.clock.Advance(time.Millisecond)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"announce": func(*rapid.T) { h.scheduled(announcement()) },
			"serve":    func(*rapid.T) { _ = h.room.Serve(context.Background()) },
			"ask":      func(*rapid.T) { _, _ = h.room.AskDue(context.Background()) },
			"wait": func(rt *rapid.T) {
				h.clock.Advance(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
			},
			"say": func(rt *rapid.T) {
				e, yes := rapid.SampledFrom(emails).Draw(rt, "who"), rapid.Bool().Draw(rt, "yes")
				h.says(e, privacy.News, yes)
				h.clock.Advance(time.Millisecond)
				w.mu.Lock()
				w.refused[e] = !yes
				w.mu.Unlock()
			},
		})
		for range 12 { // what is left is sent or given up
			_ = h.room.Serve(context.Background())
			h.clock.Advance(20 * time.Hour)
			if _, err := h.room.AskDue(context.Background()); err != nil {
				rt.Fatal(err)
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for mail, n := range w.delivered {
			if n > 1 {
				rt.Errorf("%s was delivered %d times", mail, n)
			}
		}
		if len(w.wronged) > 0 {
			rt.Errorf("written to after they said no: %v", w.wronged)
		}
		var open int
		h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &open, postgres.Query{Name: "open", SQL: "select count(*) from outreach.recipients where state in ('waiting', 'sending')"})
		})
		if open > 0 {
			rt.Errorf("%d mails wait for ever", open)
		}
	})
}
