package intakes

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/sheet"
)

// What a file can be: grades stands for all that says something of grades and enrolments, which its header tells apart.
const (
	OfGrades  = "grades"
	OfResults = "results"
	OfOpening = "opening"
	OfClosing = "closing"
	OfForum   = "forum"
)

// Kinds are those that can be chosen.
func Kinds() []string { return []string{OfGrades, OfResults, OfOpening, OfClosing, OfForum} }

// headBytes is how much of a file tells what it is: its header, and some rows.
const headBytes = 256 << 10

// KindOf finds what a file is from its beginning. What nobody knows is taken for grades, whose reader says what is wrong with it. Errors: those of
// the source.
func KindOf(src sheet.Source) (string, error) {
	f, err := src()
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	head, err := sheet.Head(f, headBytes)
	if errors.Is(err, sheet.ErrUnreadable) {
		return OfGrades, nil
	}
	if err != nil {
		return "", err
	}
	return kindOf(head), nil
}

func kindOf(head []byte) string {
	if begins := bytes.TrimLeft(head, " \t\r\n"); len(begins) > 0 && (begins[0] == '{' || begins[0] == '[') {
		if isPost(bytes.TrimLeft(begins, "[ \t\r\n")) {
			return OfForum
		}
		return OfGrades // statements, or what was pulled
	}
	if exams.IsResults(head) {
		return OfResults
	}
	if _, err := surveys.ParseForum(head); err == nil {
		return OfForum
	}
	if gradebook.Knows(head) {
		return OfGrades
	}
	if _, err := surveys.Parse(head); err == nil {
		return OfClosing
	}
	return OfGrades
}

// isPost says whether a dump begins with a post of a forum. A statement has an id too, and no time at which it was created.
func isPost(text []byte) bool {
	var object map[string]json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&object); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	for _, name := range []string{"comment_thread_id", "created_at", "thread_type"} {
		if _, there := object[name]; there {
			return true
		}
	}
	return false
}
