package surveys

import (
	"cmp"
	"context"
	"time"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

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
	return s.take(ctx, "import forum", in, func(ctx context.Context, tx *postgres.Tx) (Import, error) { return ImportForumTx(ctx, tx, in) })
}

// ImportForumTx is ImportForum within a transaction. Who asks for a dry run has to take the transaction back.
func ImportForumTx(ctx context.Context, tx *postgres.Tx, in Intake) (Import, error) {
	f, err := ReadForum(in.source())
	if err != nil {
		return Import{}, err
	}
	if len(f.Posts) == 0 {
		return Import{}, ErrNoRows
	}
	k, err := begin(ctx, tx, in, f.Dialect, []byte("forum"))
	if err != nil {
		return Import{}, err
	}
	if k.Replayed {
		return k.Import, nil
	}
	if k.CollectedAt.IsZero() {
		return Import{}, ErrNoTime
	}
	err = k.posts(ctx, tx, f)
	return k.Import, err
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
		case p.Course != "" && k.session.PlatformKey != "" && p.Course != k.session.PlatformKey:
			k.say(rejected(p.Line, 0, "other-course", "The post is of another course."))
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
				name := cmp.Or(p.Subject, p.Author, p.Email)
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
	for i := 0; i < len(w.ids); i += atOnce {
		j := min(i+atOnce, len(w.ids))
		if _, err := tx.Exec(ctx, q.Q("AddPosts"), k.session.ID, tx.Now(), k.ID, pq.Array(w.ids[i:j]), pq.Array(w.threads[i:j]), pq.Array(w.kinds[i:j]), pq.Array(w.enrolments[i:j]), pq.Array(w.learners[i:j]),
			pq.Array(w.authors[i:j]), pq.Array(w.cohorts[i:j]), pq.Array(w.times[i:j])); err != nil {
			return err
		}
	}
	threads, flags := w.marks()
	for i := 0; i < len(threads); i += atOnce {
		j := min(i+atOnce, len(threads))
		if _, err := tx.Exec(ctx, q.Q("AddMarks"), k.session.ID, k.CollectedAt, tx.Now(), pq.Array(threads[i:j]), pq.Array(flags[i:j])); err != nil {
			return err
		}
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
