package surveys_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/sheet"
)

// linesOf are the rows of a table as anybody reads them who knows nothing of answers and posts: trimmed cells by line, the header apart. Rows whose
// quotes do not match are left out.
func linesOf(t *testing.T, raw []byte) (header []string, rows map[int][]string, order []int) {
	data, err := sheet.Text(raw, 32<<20)
	if err != nil {
		t.Fatal(err)
	}
	in := sheet.Reader(data)
	rows = map[int][]string{}
	for first := true; ; first = false {
		cells, err := in.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return header, rows, order
		case errors.As(err, &broken):
			continue
		case err != nil:
			t.Fatal(err)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if first {
			header = cells
			continue
		}
		line, _ := in.FieldPos(0)
		rows[line], order = cells, append(order, line)
	}
}

// answersStand fails where an answer does not stand in the file under its header and in the row of who gave it, or where a column or a row was lost.
func answersStand(t *testing.T, raw []byte, f surveys.File) {
	header, rows, order := linesOf(t, raw)
	for i, name := range f.Header {
		if slices.Contains(f.Header[:i], name) {
			t.Fatalf("two columns are called %q: what is said of one is said of both", name)
		}
	}
	if f.Dialect != surveys.OpenEdXLong {
		if len(f.Header) != len(header) {
			t.Fatalf("%d columns of %d", len(f.Header), len(header))
		}
		for i, name := range f.Header {
			if !strings.HasPrefix(name, header[i]) {
				t.Fatalf("column %d is called %q, not %q", i, name, header[i])
			}
		}
		for _, r := range f.Rows {
			if !slices.Equal(r.Cells, rows[r.N]) {
				t.Fatalf("line %d is %q, was read as %q", r.N, rows[r.N], r.Cells)
			}
		}
		return
	}
	// By learner and question: what she answered last is what stands under the question in her row, and nothing else does.
	who, asked, answered := -1, -1, -1
	for i, name := range header {
		switch strings.TrimRight(strings.ToLower(name), " _-.:?!") {
		case "question":
			if asked < 0 {
				asked = i
			}
		case "answer":
			if answered < 0 {
				answered = i
			}
		}
		if name == f.Header[0] && who < 0 {
			who = i
		}
	}
	if who < 0 || asked < 0 || answered < 0 {
		return // headers with signs in them
	}
	last := map[[2]string]string{}
	for _, line := range order {
		if cells := rows[line]; len(cells) == len(header) && cells[who] != "" && cells[asked] != "" {
			last[[2]string{cells[who], cells[asked]}] = cells[answered]
		}
	}
	for _, r := range f.Rows {
		for i, cell := range r.Cells[1:] {
			question := f.Header[i+1]
			if strings.Contains(question, "#") {
				continue // a name that was told apart
			}
			if cell != last[[2]string{r.Cells[0], question}] {
				t.Fatalf("%q answered %q to %q, not %q", r.Cells[0], last[[2]string{r.Cells[0], question}], question, cell)
			}
		}
	}
}

// postsStand fails where an id, an author or a cohort of a post does not stand in its line.
func postsStand(t *testing.T, raw []byte, f surveys.Forum) {
	var header []string
	var rows map[int][]string
	if f.Dialect == surveys.ForumDump {
		data, err := sheet.Text(raw, 32<<20)
		if err != nil {
			t.Fatal(err)
		}
		rows = map[int][]string{}
		for n, line := range bytes.Split(data, []byte("\n")) {
			rows[n+1] = wordsOf(line)
		}
	} else {
		header, rows, _ = linesOf(t, raw)
	}
	for _, p := range f.Posts {
		cells := rows[p.Line]
		if header != nil && len(cells) != len(header) {
			t.Fatalf("line %d has %d cells, the header %d", p.Line, len(cells), len(header))
		}
		for _, said := range []string{p.ID, p.Author, p.Subject, p.Email, p.Cohort} {
			if said != "" && !slices.Contains(cells, said) {
				t.Fatalf("line %d says nothing of %q: %q", p.Line, said, cells)
			}
		}
		if header == nil {
			continue
		}
		for name, said := range map[string]string{"post_id": p.ID, "author_username": p.Author, "author_id": p.Subject, "author_email": p.Email, "cohort": p.Cohort} {
			if i := slices.Index(header, name); i >= 0 && cells[i] != said {
				t.Fatalf("line %d: %s is %q, not %q", p.Line, name, cells[i], said)
			}
		}
	}
}

// wordsOf are all texts, numbers and flags of a JSON object.
func wordsOf(line []byte) (words []string) {
	in := json.NewDecoder(bytes.NewReader(line))
	in.UseNumber()
	for {
		token, err := in.Token()
		if err != nil {
			return words
		}
		switch x := token.(type) {
		case string:
			words = append(words, strings.TrimSpace(x))
		case json.Number:
			words = append(words, x.String())
		case bool:
			words = append(words, map[bool]string{true: "true", false: "false"}[x])
		}
	}
}
