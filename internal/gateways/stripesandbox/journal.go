package stripesandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// record is one object in its newest state. A commit is one line: the list of records that it changed, so that a commit
// is either wholly in the file or not at all.
type record struct {
	Kind  string          `json:"k"`
	ID    string          `json:"id"`
	Value json.RawMessage `json:"v"`
}

// journal is an append-only file of commits.
type journal struct {
	file  *os.File
	fsync bool

	mu      sync.Mutex // held while the disk is forced, so that one force serves everybody who waited
	written int64      // commits written; guarded by the book's lock
	synced  int64      // commits that are safe; guarded by mu
}

// openJournal replays every whole line of the file, cuts off a torn last line and opens the file for appending.
func openJournal(folder string, fsync bool, replay func(record) error) (*journal, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(folder, "book.jsonl"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the sandbox book in %s is in use by another process: %w", folder, err)
	}
	whole, err := replayLines(f, replay)
	if err == nil {
		err = f.Truncate(whole)
	}
	if err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &journal{file: f, fsync: fsync}, nil
}

func replayLines(f *os.File, replay func(record) error) (whole int64, err error) {
	r := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil // without its end of line it was never answered
		}
		if err != nil {
			return whole, err
		}
		var commit []record
		if err := json.Unmarshal(line, &commit); err != nil {
			return whole, fmt.Errorf("line %d of the sandbox book is damaged: %w", n, err)
		}
		for _, rec := range commit {
			if err := replay(rec); err != nil {
				return whole, fmt.Errorf("line %d of the sandbox book: %w", n, err)
			}
		}
		whole += int64(len(line))
	}
}

// append writes one commit and gives its number. The caller holds the book's lock.
func (j *journal) append(commit []record) (int64, error) {
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(commit); err != nil {
		return 0, err
	}
	if _, err := j.file.Write(line.Bytes()); err != nil {
		return 0, err
	}
	j.written++
	return j.written, nil
}

// settle returns when commit n is on the disk. The caller does not hold the book's lock.
func (j *journal) settle(n int64, newest func() int64) error {
	if !j.fsync {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.synced >= n {
		return nil
	}
	upTo := newest()
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.synced = upTo
	return nil
}
