package surveys

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/kernel/sheet"
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
	ForumDump  = "forum_jsonl" // the comments of Open edX, a JSON object for each line, or an array of them
)

// Post is a post as an export has it. Author is a name or a number at the platform, Email an address; Answered is nil where nothing is said.
type Post struct {
	Line                              int
	ID, Thread, Kind, Cohort          string
	Author, Subject, Email            string
	Course                            string // as its platform calls it; "" where nothing is said
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
	"kind": {"type", "post_type", "kind"}, "threadkind": {"thread_type"}, "answered": {"answered", "endorsed", "has_endorsed", "resolved"}, "course": {"course_id", "course_key"},
}

// ParseForum reads an export of a forum: a table with a line for each post, or a JSON object for each line. Errors: ErrUnreadable, ErrForumTooLarge,
// ErrNotAForum.
func ParseForum(raw []byte) (Forum, error) { return ReadForum(sheet.Bytes(raw)) }

// ReadForum is ParseForum of a file that is never held: of each post all is forgotten but what is kept of it.
func ReadForum(src sheet.Source) (Forum, error) {
	text, err := sheet.Open(src, maxForumBytes)
	switch {
	case errors.Is(err, sheet.ErrTooLarge):
		return Forum{}, ErrForumTooLarge
	case errors.Is(err, sheet.ErrUnreadable):
		return Forum{}, ErrUnreadable.Because(err)
	case err != nil:
		return Forum{}, err
	}
	defer func() { _ = text.Close() }()
	in := bufio.NewReaderSize(text, 64<<10)
	switch begins(in) {
	case '{':
		return dump(in)
	case '[':
		return dumpArray(in)
	}
	return posts(in)
}

// begins is the first letter of a text.
func begins(in *bufio.Reader) byte {
	head, _ := in.Peek(4096)
	if head = bytes.TrimLeft(head, " \t\r\n"); len(head) > 0 {
		return head[0]
	}
	return 0
}

// posts reads a table.
func posts(in io.Reader) (Forum, error) {
	t, rows, err := header(sheet.ReaderOf(in))
	if err != nil {
		return Forum{}, ErrNotAForum.Because(err)
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
	f := Forum{Dialect: ForumTable}
	err = t.each(rows, maxPosts, func(l Line) {
		f.take(l.N, func(what string) (string, int) {
			if at[what] < 0 {
				return "", 0
			}
			return l.Cells[at[what]], at[what] + 1
		})
	})
	if err != nil {
		return Forum{}, err
	}
	f.Rejects, f.Read = append(t.Rejects, f.Rejects...), t.Read
	f.settle()
	return f, nil
}

// dump reads the comments of Open edX as its database writes them.
func dump(in *bufio.Reader) (Forum, error) {
	f := Forum{Dialect: ForumDump}
	for n := 1; ; n++ {
		line, long, err := oneLine(in)
		if errors.Is(err, io.EOF) && len(line) == 0 && !long {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return f, ErrUnreadable.Because(err)
		}
		if len(bytes.TrimSpace(line)) == 0 && !long {
			continue
		}
		if f.Read++; f.Read > maxPosts {
			return f, ErrForumTooLarge.Detailf("A file has at most %d posts.", maxPosts)
		}
		if long {
			f.Rejects = append(f.Rejects, rejected(n, 0, "too-long", "The line is longer than a post can be."))
			continue
		}
		f.object(n, line)
	}
	if f.Read == 0 {
		return f, ErrNotAForum
	}
	f.settle()
	return f, nil
}

// dumpArray reads the same where the database was asked for one array; a line is then the place in it.
func dumpArray(in io.Reader) (Forum, error) {
	f := Forum{Dialect: ForumDump}
	all := json.NewDecoder(in)
	if _, err := all.Token(); err != nil {
		return f, ErrUnreadable.Because(err)
	}
	for n := 1; all.More(); n++ {
		var raw json.RawMessage
		if err := all.Decode(&raw); err != nil {
			return f, ErrUnreadable.Because(err)
		}
		if f.Read++; f.Read > maxPosts {
			return f, ErrForumTooLarge.Detailf("A file has at most %d posts.", maxPosts)
		}
		f.object(n, raw)
	}
	if _, err := all.Token(); err != nil { // the bracket that ends it: otherwise it was cut
		return f, ErrUnreadable.Because(err)
	}
	if f.Read == 0 {
		return f, ErrNotAForum
	}
	f.settle()
	return f, nil
}

// fields are how the database of Open edX calls what a post is.
var fields = map[string][]string{
	"id": {"_id", "id"}, "thread": {"comment_thread_id", "thread_id"}, "parent": {"parent_id"}, "author": {"author_username", "username"}, "subject": {"author_id", "user_id"},
	"created": {"created_at"}, "cohort": {"group_name", "group_id"}, "kind": {"_type", "type"}, "threadkind": {"thread_type"}, "answered": {"endorsed", "answered"},
	"course": {"course_id"},
}

// object reads a post of a dump.
func (f *Forum) object(n int, raw []byte) {
	var object map[string]json.RawMessage
	one := json.NewDecoder(bytes.NewReader(raw))
	if err := one.Decode(&object); err != nil || object == nil || one.More() {
		f.Rejects = append(f.Rejects, rejected(n, 0, "bad-json", "The line is no JSON object."))
		return
	}
	if _, err := one.Token(); !errors.Is(err, io.EOF) {
		f.Rejects = append(f.Rejects, rejected(n, 0, "bad-json", "Something stands behind the object."))
		return
	}
	f.take(n, func(what string) (string, int) {
		for _, name := range fields[what] {
			if v, there := object[name]; there {
				if s := scalar(v); s != "" {
					return s, 0
				}
			}
		}
		return "", 0
	})
}

// maxLine is how long a post can be, in bytes.
const maxLine = 8 << 20

// oneLine reads a line; of one that is too long nothing is given.
func oneLine(in *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
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
		return strings.Clone(strings.TrimSpace(s)) // not a part of the row, which has all of the post
	}
	p.ID, p.Thread, p.parent, p.Cohort = text("id"), text("thread"), text("parent"), text("cohort")
	p.Author, p.Subject, p.Email = text("author"), text("subject"), text("email")
	p.Course = text("course")
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
