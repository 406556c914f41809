package uploads

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/cohorts/roster"
)

// courseNotFound is the code of a row that is of another course than the cohort's.
const courseNotFound cohorts.Code = "course-not-found"

// entry is a row that is kept: where it stood, and whether it is of another course.
type entry struct {
	cohorts.Row
	line  int
	stray bool
}

// entriesOf puts the rows of a file into their order there.
func entriesOf(mine, strays []roster.Row) []entry {
	out := make([]entry, 0, len(mine)+len(strays))
	for i, rows := range [][]roster.Row{mine, strays} {
		for _, r := range rows {
			out = append(out, entry{cohorts.Row{StudentKey: r.StudentKey, Status: r.Status, Email: r.Email, GivenName: r.GivenName, FamilyName: r.FamilyName, Lang: r.Language}, r.Line, i == 1})
		}
	}
	slices.SortStableFunc(out, func(a, b entry) int { return a.line - b.line })
	return out
}

// rowsOf are those for the cohort.
func rowsOf(all []entry) []cohorts.Row {
	out := make([]cohorts.Row, 0, len(all))
	for _, e := range all {
		if !e.stray {
			out = append(out, e.Row)
		}
	}
	return out
}

// pack writes records as compressed CSV.
func pack(records func(write func(...string) error) error) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w := csv.NewWriter(z)
	if err := records(func(cells ...string) error { return w.Write(cells) }); err != nil {
		return nil, err
	}
	if w.Flush(); w.Error() != nil {
		return nil, w.Error()
	}
	err = z.Close()
	return out.Bytes(), err
}

func packEntries(all []entry) ([]byte, error) {
	return pack(func(write func(...string) error) error {
		for _, e := range all {
			if err := write(strconv.Itoa(e.line), strconv.FormatBool(e.stray), e.StudentKey, e.Status, e.Email, e.GivenName, e.FamilyName, e.Lang); err != nil {
				return err
			}
		}
		return nil
	})
}

func unpackEntries(raw []byte) ([]entry, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	in := csv.NewReader(z)
	in.FieldsPerRecord, in.ReuseRecord = 8, true
	var out []entry
	for {
		c, err := in.Read()
		if err == io.EOF { //nolint:errorlint // what csv gives, as it is
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		line, err := strconv.Atoi(c[0])
		if err != nil {
			return nil, err
		}
		out = append(out, entry{cohorts.Row{StudentKey: c[2], Status: c[3], Email: c[4], GivenName: c[5], FamilyName: c[6], Lang: c[7]}, line, c[1] == "true"})
	}
}

func inflate(raw []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// word is a state as registrars call it. Who waits is enrolled for them: that she has no account yet stands in a column of its own.
func word(s cohorts.State) string {
	switch s {
	case cohorts.Waiting, cohorts.Enrolled:
		return "enrolled"
	case cohorts.Suspended:
		return "suspended"
	case "":
		return ""
	}
	return "canceled"
}

// compare makes the difference of rows, and the file that says it of each of them: student_key,status with the status that she has
// afterwards, or the code of why the row is refused. Its hash is that of what the reader of a difference decides about: that somebody who
// waited is enrolled by now is nothing to her.
func compare(all []entry, d cohorts.Difference) (out Difference, file []byte, err error) {
	out = Difference{New: d.New, Changed: d.Changed, Unchanged: d.Unchanged, Absent: d.Absent, Conflicting: d.Conflicting, Members: d.Members, Refused: []Refused{}, Gone: []string{}}
	hash, next := sha256.New(), 0
	file, err = pack(func(write func(...string) error) error {
		if err := write("student_key", "status"); err != nil {
			return err
		}
		put := func(o cohorts.Outcome) error {
			_, _ = fmt.Fprintf(hash, "%q %s %s %s\n", o.StudentKey, o.Code, word(o.From), word(o.State)) // a hash takes everything
			status := word(o.State)
			if !o.Code.Done() {
				status = string(o.Code)
			}
			return write(roster.Cell(o.StudentKey), status)
		}
		for _, e := range all {
			o := cohorts.Outcome{StudentKey: e.StudentKey, Code: courseNotFound}
			if e.stray {
				out.Conflicting++
			} else {
				o, next = d.Rows[next], next+1
			}
			if !o.Code.Done() && len(out.Refused) < most {
				out.Refused = append(out.Refused, Refused{e.line, o.StudentKey, string(o.Code)})
			}
			if err := put(o); err != nil {
				return err
			}
		}
		for _, o := range d.Gone {
			if len(out.Gone) < most {
				out.Gone = append(out.Gone, o.StudentKey)
			}
			if err := put(o); err != nil {
				return err
			}
		}
		return nil
	})
	out.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return out, file, err
}
