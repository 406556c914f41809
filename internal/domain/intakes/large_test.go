package intakes_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cursus/internal/domain/intakes"
)

// Sizes of the largest export that is expected, and of what may be held of it.
const (
	exportBytes = 200 << 20
	postBytes   = 2000
	heldBytes   = 192 << 20
)

// posts writes an export of a forum, line by line.
type posts struct {
	n    int
	left string
	body string
}

func (p *posts) Read(b []byte) (int, error) {
	if p.left == "" {
		if p.n*postBytes >= exportBytes {
			return 0, io.EOF
		}
		p.n++
		thread, kind := "", "CommentThread"
		if p.n%4 > 0 {
			thread, kind = fmt.Sprintf(`,"comment_thread_id":"post%d"`, p.n-p.n%4), "Comment"
		}
		if p.n < 4 {
			thread, kind = "", "CommentThread"
		}
		p.left = fmt.Sprintf(`{"_id":{"$oid":"post%d"},"_type":"%s","author_id":"%d","created_at":{"$date":"2019-03-02T10:00:00Z"}%s,"body":"%d %s"}`+"\n", p.n, kind, p.n%3000, thread, p.n, p.body)
	}
	n := copy(b, p.left)
	p.left = p.left[n:]
	return n, nil
}

// The export of the forum of a large course is taken in, kept and given back without being held: what grows is what is kept of each post.
func TestALargeExportIsNeverHeld(t *testing.T) {
	h := newHouse(t)
	before, most, stop, done := memory(), atomic.Uint64{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				most.Store(max(most.Load(), memory()))
			}
		}
	}()
	id, err := h.room.Begin(ann, "PRD-7", true)
	h.must(err)
	h.must(h.room.Receive(ann, id, "forum_2019-04-28-2100.jsonl", &posts{body: strings.Repeat("words of somebody, ", postBytes/19-7)}))
	h.must(h.room.Decide(ann, id, intakes.Decision{}))
	b := h.apply(h.work(id))
	i := h.history()[0]
	_, body, err := h.room.Open(ann, "PRD-7", i.ID)
	h.must(err)
	n, err := io.Copy(io.Discard, body)
	h.must(err)
	close(stop)
	<-done
	if want := exportBytes/postBytes + 1; b.Files[0].State != intakes.FileTaken || i.New != want || n != i.Bytes || n < exportBytes*9/10 {
		t.Errorf("%d posts of %d, %d bytes of %d: %+v", i.New, want, n, i.Bytes, b.Files[0].Problem)
	}
	held := most.Load() - min(before, most.Load())
	t.Logf("%d posts, %d MiB, of which %d MiB were held at most", i.New, n>>20, held>>20)
	if held > heldBytes {
		t.Errorf("%d MiB were held of a file of %d MiB", held>>20, n>>20)
	}
}

// memory is what the process holds on its heap.
func memory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
