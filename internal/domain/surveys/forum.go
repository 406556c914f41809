package surveys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

// The kinds of posts. A question and a discussion begin a thread; a response answers a thread, a comment answers a response.
const (
	AQuestion   = "question"
	ADiscussion = "discussion"
	AResponse   = "response"
	AComment    = "comment"
)

// Dialects of exports of forums.
const (
	ForumTable = "forum_csv"
	ForumDump  = "forum_jsonl" // the comments of Open edX, a JSON object for each line
)

// Post is a post as an export has it. Author is a name or a number at the platform, Email an address; Answered is nil where nothing is said.
type Post struct {
	Line                              int
	ID, Thread, Kind, Cohort          string
	Author, Subject, Email            string
	CreatedAt                         time.Time
	Answered                          *bool // of a thread: it is marked as answered; of a response: it is endorsed as the answer
	parent, threadKind, kindAsWritten string
}

// Forum is an export as it was read.
type Forum struct {
	Dialect string
	Posts   []Post
	Rejects []Outcome
	Read    int
}

// columns are the names under which exports have what a post is, each as normal gives it.
var columns = map[string][]string{
	"id": {"post_id", "comment_id", "id"}, "thread": {"comment_thread_id", "thread_id", "thread", "root_id"}, "parent": {"parent_id", "parent"},
	"author": {"author_username", "username", "author", "user"}, "subject": {"author_id", "user_id"}, "email": {"author_email", "email"},
	"created": {"created_at", "created", "date", "timestamp"}, "cohort": {"cohort", "cohort_name", "group_name", "group_id", "group"},
	"kind": {"type", "post_type", "kind"}, "threadkind": {"thread_type"}, "answered": {"answered", "endorsed", "has_endorsed", "resolved"},
}

// ParseForum reads an export of a forum: a table with a line for each post, or a JSON object for each line. Errors: ErrUnreadable, ErrTooLarge,
// ErrNotAForum.
func ParseForum(raw []byte) (Forum, error) {
	data, err := textOf(raw)
	if err != nil {
		return Forum{}, err
	}
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		return dump(data)
	}
	t, err := table(data, maxPosts)
	if errors.Is(err, ErrNotASurvey) {
		return Forum{}, ErrNotAForum
	}
	if err != nil {
		return Forum{}, err
	}
	at := map[string]int{}
	for what, names := range columns {
		at[what] = -1
		for _, n := range names {
			if i := t.has(n); i >= 0 {
				at[what] = i
				break
			}
		}
	}
	if at["id"] < 0 || at["created"] < 0 || at["author"] < 0 && at["subject"] < 0 && at["email"] < 0 {
		return Forum{}, ErrNotAForum
	}
	f := Forum{Dialect: ForumTable, Rejects: t.Rejects, Read: t.Read}
	for _, l := range t.Rows {
		f.take(l.N, func(what string) (string, int) {
			if at[what] < 0 {
				return "", 0
			}
			return l.Cells[at[what]], at[what] + 1
		})
	}
	f.settle()
	return f, nil
}

// dump reads the comments of Open edX as its database writes them.
func dump(data []byte) (Forum, error) {
	f := Forum{Dialect: ForumDump}
	names := map[string][]string{
		"id": {"_id", "id"}, "thread": {"comment_thread_id", "thread_id"}, "parent": {"parent_id"}, "author": {"author_username", "username"}, "subject": {"author_id", "user_id"},
		"created": {"created_at"}, "cohort": {"group_name", "group_id"}, "kind": {"_type", "type"}, "threadkind": {"thread_type"}, "answered": {"endorsed", "answered"},
	}
	for n, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if f.Read++; f.Read > maxPosts {
			return f, ErrTooLarge.Detailf("A file has at most %d posts.", maxPosts)
		}
		var object map[string]json.RawMessage
		in := json.NewDecoder(bytes.NewReader(line))
		if err := in.Decode(&object); err != nil || object == nil || in.More() {
			f.Rejects = append(f.Rejects, rejected(n+1, 0, "bad-json", "The line is no JSON object."))
			continue
		}
		if _, err := in.Token(); !errors.Is(err, io.EOF) {
			f.Rejects = append(f.Rejects, rejected(n+1, 0, "bad-json", "Something stands behind the object."))
			continue
		}
		f.take(n+1, func(what string) (string, int) {
			for _, name := range names[what] {
				if v, there := object[name]; there {
					if s := scalar(v); s != "" {
						return s, 0
					}
				}
			}
			return "", 0
		})
	}
	if f.Read == 0 {
		return f, ErrNotAForum
	}
	f.settle()
	return f, nil
}

// scalar is a value of a dump as text: the database wraps ids and times ({"$oid": …}, {"$date": …}, {"$numberLong": …}), and some write times as
// milliseconds.
func scalar(raw json.RawMessage) string {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	var v any
	if err := in.Decode(&v); err != nil {
		return ""
	}
	for range 3 {
		object, wrapped := v.(map[string]any)
		if !wrapped || len(object) != 1 {
			break
		}
		for name, inner := range object {
			if v = inner; !strings.HasPrefix(name, "$") {
				return ""
			}
		}
	}
	switch x := v.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case json.Number:
		return x.String()
	}
	return ""
}

// take reads one post; cell gives what a line has under a name, and its column.
func (f *Forum) take(line int, cell func(what string) (string, int)) {
	p := Post{Line: line}
	refuse := func(what, code, detail string) {
		_, col := cell(what)
		f.Rejects = append(f.Rejects, rejected(line, col, code, detail))
	}
	text := func(what string) string {
		s, _ := cell(what)
		return strings.TrimSpace(s)
	}
	p.ID, p.Thread, p.parent, p.Cohort = text("id"), text("thread"), text("parent"), text("cohort")
	p.Author, p.Subject, p.Email = text("author"), text("subject"), text("email")
	p.kindAsWritten, p.threadKind = strings.ToLower(text("kind")), strings.ToLower(text("threadkind"))
	for _, id := range []string{p.ID, p.Thread, p.parent} {
		if len(id) > 100 || strings.ContainsRune(id, 0) {
			refuse("id", "bad-id", "An id has at most 100 characters.")
			return
		}
	}
	switch {
	case p.ID == "":
		refuse("id", "missing", "A post has an id.")
		return
	case p.Author == "" && p.Subject == "" && p.Email == "":
		refuse("author", "missing", "A post has an author.")
		return
	case len(p.Author) > 255 || len(p.Subject) > 255 || utf8.RuneCountInString(p.Cohort) > 255 || strings.ContainsRune(p.Author+p.Subject+p.Cohort, 0):
		refuse("author", "too-long", "At most 255 characters.")
		return
	}
	created := text("created")
	at, ok := timeOf(created)
	if ms, err := strconv.ParseInt(created, 10, 64); !ok && err == nil && ms > 1e12 && ms < 7e12 {
		at, ok = time.UnixMilli(ms).UTC(), true
	}
	if !ok {
		refuse("created", "bad-time", "Not a time that is known: 2019-04-28T17:30:00Z.")
		return
	}
	p.CreatedAt = at
	switch strings.ToLower(text("answered")) {
	case "":
	case "true", "yes", "y", "1", "oui", "t":
		yes := true
		p.Answered = &yes
	case "false", "no", "n", "0", "non", "f":
		no := false
		p.Answered = &no
	default:
		refuse("answered", "bad-flag", "true or false.")
		return
	}
	f.Posts = append(f.Posts, p)
}

// settle says of each post what it is and to which thread it belongs, from what the export says of it and of the post that it answers. An id
// that stands twice counts once, as it stands first; what answers a post that nobody knows is judged at the import, where earlier exports are known.
func (f *Forum) settle() {
	first := map[string]int{}
	kept := f.Posts[:0]
	for _, p := range f.Posts {
		if _, twice := first[p.ID]; twice {
			f.Rejects = append(f.Rejects, rejected(p.Line, 0, "twice", "Another line has this id."))
			continue
		}
		first[p.ID] = len(kept)
		kept = append(kept, p)
	}
	f.Posts = kept
	for i := range f.Posts {
		p := &f.Posts[i]
		if p.Thread == "" { // then the post that it answers leads to the thread
			at, steps := p, 0
			for at.parent != "" && at.Thread == "" && steps < 10 {
				up, there := first[at.parent]
				if !there {
					break
				}
				at, steps = &f.Posts[up], steps+1
			}
			switch {
			case at.Thread != "":
				p.Thread = at.Thread
			case at.parent != "":
				p.Thread = at.parent
			default:
				p.Thread = at.ID
			}
		}
		switch {
		case p.Thread == p.ID && (p.kindAsWritten == AQuestion || p.threadKind == AQuestion):
			p.Kind = AQuestion
		case p.Thread == p.ID:
			p.Kind = ADiscussion
		case p.kindAsWritten == AComment && p.threadKind == "" && p.parent == "" && f.Dialect == ForumTable, p.parent != "" && p.parent != p.Thread:
			p.Kind = AComment
		default:
			p.Kind = AResponse
		}
	}
}

type knownPost struct {
	ID        string    `db:"post_id"`
	Thread    string    `db:"thread_id"`
	Kind      string    `db:"kind"`
	CreatedAt time.Time `db:"created_at"`
	Answered  *bool     `db:"answered"`
}

// ImportForum takes an export of a forum in, once. Posts are known by their ids: those that are new are added, and a thread that was marked as
// answered since is noted at the time of the export. Errors: catalog.ErrNoSession and the faults of this room.
func (s *Service) ImportForum(ctx context.Context, in Intake) (Import, error) {
	f, err := ParseForum(in.Content)
	if err != nil {
		return Import{}, err
	}
	if len(f.Posts) == 0 {
		return Import{}, ErrNoRows
	}
	var k *intake
	err = s.db.InTx(ctx, "import forum", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if k, err = begin(ctx, tx, in, f.Dialect, []byte("forum")); err != nil || k.Replayed {
			return err
		}
		k.Map = nil
		if k.CollectedAt.IsZero() {
			return ErrNoTime
		}
		return k.posts(ctx, tx, f)
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	if err != nil {
		return Import{}, err
	}
	return k.Import, nil
}

func (k *intake) posts(ctx context.Context, tx *postgres.Tx, f Forum) error {
	var rows []knownPost
	if err := tx.Select(ctx, &rows, q.Q("KnownPosts"), k.session.ID, k.CollectedAt); err != nil {
		return err
	}
	known := make(map[string]knownPost, len(rows))
	for _, r := range rows {
		known[r.ID] = r
	}
	all, err := peopleTx(ctx, tx, k.session)
	if err != nil {
		return err
	}
	for _, o := range f.Rejects {
		k.say(o)
	}
	begun := map[string]bool{} // threads of this file
	for _, p := range f.Posts {
		begun[p.ID] = begun[p.ID] || p.Thread == p.ID
	}
	w := &postWriter{known: known, answered: map[string]bool{}}
	var taken []Post
	for _, p := range f.Posts {
		old, there := known[p.ID]
		switch {
		case p.CreatedAt.After(k.CollectedAt):
			k.say(rejected(p.Line, 0, "after-the-export", "The post is younger than the export."))
		case there && (old.Thread != p.Thread || old.Kind != p.Kind || !old.CreatedAt.Equal(p.CreatedAt)):
			k.say(rejected(p.Line, 0, "another-post", "A post of this id is of another thread, kind or time."))
		case !there && p.Thread != p.ID && !begun[p.Thread] && known[p.Thread].ID == "":
			k.say(rejected(p.Line, 0, "no-thread", "The thread of this post is in no export."))
		default:
			taken = append(taken, p)
			w.mark(p)
		}
	}
	strangers := map[string][]int{}
	for _, p := range taken {
		o := Outcome{Line: p.Line, Outcome: RowUnchanged, Code: "known"}
		if _, there := known[p.ID]; !there {
			o.Outcome, o.Code = RowNew, "posted"
			author, found := all.author(p)
			if !found {
				name := first(p.Subject, p.Author, p.Email)
				strangers[name] = append(strangers[name], len(w.ids))
			}
			w.add(p, author)
		} else if p.Thread == p.ID && w.moved(p.ID) {
			o.Outcome, o.Code = RowChanged, "marked"
		}
		k.say(o)
	}
	if err := pseudonymsTx(ctx, tx, k.session, "forum", strangers, func(i int, pseudonym string) { w.authors[i] = pseudonym }); err != nil {
		return err
	}
	if err := k.counted(ctx, tx, nil); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("AddPosts"), k.session.ID, tx.Now(), k.ID, pq.Array(w.ids), pq.Array(w.threads), pq.Array(w.kinds), pq.Array(w.enrolments), pq.Array(w.learners),
		pq.Array(w.authors), pq.Array(w.cohorts), pq.Array(w.times)); err != nil {
		return err
	}
	threads, flags := w.marks()
	if _, err := tx.Exec(ctx, q.Q("AddMarks"), k.session.ID, k.CollectedAt, tx.Now(), pq.Array(threads), pq.Array(flags)); err != nil {
		return err
	}
	return k.end(ctx, tx, "forum.imported")
}

// author finds who wrote a post, if she is enrolled. Some exports call her number an author.
func (all people) author(p Post) (who person, found bool) {
	for _, try := range [][2]string{{ToSubject, p.Subject}, {ToUsername, p.Author}, {ToEmail, p.Email}, {ToSubject, p.Author}} {
		if try[1] != "" && (try[0] != ToSubject || try[1] == p.Subject || p.Subject == "") {
			if who, found = all.find(try[0], try[1]); found {
				return who, true
			}
		}
	}
	return person{}, false
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// postWriter gathers what an export adds.
type postWriter struct {
	known                                                       map[string]knownPost
	ids, threads, kinds, enrolments, learners, authors, cohorts []string
	times                                                       []time.Time
	order                                                       []string
	answered                                                    map[string]bool
}

func (w *postWriter) add(p Post, author person) {
	w.ids, w.threads, w.kinds = append(w.ids, p.ID), append(w.threads, p.Thread), append(w.kinds, p.Kind)
	w.enrolments, w.learners, w.authors = append(w.enrolments, author.EnrolmentID), append(w.learners, author.LearnerID), append(w.authors, author.EnrolmentID)
	w.cohorts, w.times = append(w.cohorts, p.Cohort), append(w.times, p.CreatedAt)
}

// mark notes whether a thread is answered: by what stands at the thread, or by a response that is endorsed.
func (w *postWriter) mark(p Post) {
	if p.Answered == nil {
		return
	}
	if _, said := w.answered[p.Thread]; !said {
		w.order = append(w.order, p.Thread)
	}
	w.answered[p.Thread] = w.answered[p.Thread] || *p.Answered
}

// moved says whether an export marks a thread otherwise than it was marked before.
func (w *postWriter) moved(thread string) bool {
	now, said := w.answered[thread]
	was := w.known[thread].Answered
	return said && now != (was != nil && *was)
}

// marks are what the export says of threads: all of it, changed or not, so that an older export that comes later takes its place in the past and
// changes nothing after the next one.
func (w *postWriter) marks() (threads []string, answered []bool) {
	for _, t := range w.order {
		threads, answered = append(threads, t), append(answered, w.answered[t])
	}
	return threads, answered
}
