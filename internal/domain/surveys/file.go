package surveys

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cursus/internal/kernel/sheet"
)

const (
	maxFileBytes  = 32 << 20
	maxForumBytes = 512 << 20
	maxColumns    = 500
	maxFileRows   = 200_000
	maxPosts      = 1_000_000
	maxCells      = 10_000_000 // of a file by learner and question, once it has a row for each learner
)

// Dialects of files of answers.
const (
	LimeSurvey  = "limesurvey"
	OpenEdX     = "openedx"      // course_survey_results, ORA data: a line for each learner
	OpenEdXLong = "openedx_long" // problem responses: a line for each learner and question
	Plain       = "plain"
)

// File is a file of answers as it was read: a row for each respondent, each as wide as the header.
type File struct {
	Dialect string
	Header  []string // no two are the same: the second of a name has #2 behind it
	Rows    []Line
	Rejects []Outcome
	Read    int // lines with something in them, below the header
}

// Line is a row with its place in the file.
type Line struct {
	N     int
	Cells []string
}

// Outcome is what became of a row of a file.
type Outcome struct {
	Line    int    `db:"line" json:"line"`
	Column  int    `db:"col" json:"column"` // 0: the row as a whole
	Outcome string `db:"outcome" json:"outcome"`
	Code    string `db:"code" json:"code"`
	Detail  string `db:"detail" json:"detail"`
}

// The outcomes of rows.
const (
	RowNew       = "new"
	RowChanged   = "changed"   // she had answered before; the thread was marked since
	RowUnchanged = "unchanged" // it is known already
	RowRejected  = "rejected"
)

func rejected(line, column int, code, detail string) Outcome {
	return Outcome{line, column, RowRejected, code, detail}
}

func textOf(raw []byte) ([]byte, error) {
	data, err := sheet.Text(raw, maxFileBytes)
	switch {
	case errors.Is(err, sheet.ErrTooLarge):
		return nil, ErrTooLarge
	case err != nil:
		return nil, ErrUnreadable.Because(err)
	case !utf8.Valid(data):
		return nil, ErrUnreadable
	}
	return data, nil
}

// table reads a header and rows of its width. A row that is longer, shorter or badly quoted is rejected where it stands, and shifts nothing.
func table(data []byte, most int) (File, error) {
	f, in, err := header(sheet.Reader(data))
	if err != nil {
		return f, err
	}
	err = f.each(in, most, func(l Line) { f.Rows = append(f.Rows, l) })
	return f, err
}

// header reads the first row. Error: ErrNotASurvey.
func header(in *csv.Reader) (f File, rows *csv.Reader, err error) {
	names, err := in.Read()
	if err != nil || len(names) > maxColumns {
		return f, in, ErrNotASurvey
	}
	taken := map[string]bool{}
	for _, name := range names {
		taken[strings.TrimSpace(name)] = true
	}
	first := map[string]bool{}
	for _, name := range names {
		if name = strings.TrimSpace(name); first[name] {
			name = apart(name, taken)
		}
		first[name] = true
		f.Header = append(f.Header, name)
	}
	return f, in, nil
}

// each reads the rows below the header.
func (f *File) each(in *csv.Reader, most int, take func(Line)) error {
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		f.Read++
		if f.Read > most {
			return ErrTooLarge.Detailf("A file has at most %d rows.", most)
		}
		var broken *csv.ParseError
		switch {
		case errors.As(err, &broken):
			f.Rejects = append(f.Rejects, rejected(broken.Line, broken.Column, "bad-quotes", "The quotes of this row do not match."))
			continue
		case err != nil:
			return ErrUnreadable.Because(err)
		}
		line, _ := in.FieldPos(0)
		if len(cells) != len(f.Header) {
			f.Rejects = append(f.Rejects, rejected(line, min(len(cells), len(f.Header))+1, "wrong-width", fmt.Sprintf("%d cells, where the header has %d.", len(cells), len(f.Header))))
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		take(Line{line, cells})
	}
}

// apart gives the second of a name another one, which no column has.
func apart(name string, taken map[string]bool) string {
	for n := 2; ; n++ {
		if other := fmt.Sprintf("%s#%d", name, n); !taken[other] {
			taken[other] = true
			return other
		}
	}
}

// normal is a name of a column as names are compared: in small letters, signs as underscores.
func normal(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(strings.TrimSpace(s)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '@' || r > 127 && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)) {
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			gap = false
			b.WriteRune(r)
		} else {
			gap = true
		}
	}
	return b.String()
}

// What a column can be beside a question.
const (
	ToSubject    = "@subject"    // the number of the learner at the platform of the session
	ToEmail      = "@email"      // her address here
	ToUsername   = "@username"   // her name at the platform
	ToRespondent = "@respondent" // somebody without a name: a token, or the number of the response
	ToTime       = "@at"         // when she answered
	ToNothing    = "-"
)

// known are the names of such columns, each as normal gives it; the first of a file counts.
var known = map[string][]string{
	ToSubject:    {"user_id", "student_id", "learner_id", "id_utilisateur", "identifiant_utilisateur"},
	ToEmail:      {"email", "e_mail", "email_address", "adresse_email", "adresse_e_mail", "courriel"},
	ToUsername:   {"user_name", "username", "nom_d_utilisateur", "nom_utilisateur"},
	ToRespondent: {"token", "jeton", "code_d_accès", "access_code", "anonymized_student_id", "anonymous_user_id", "response_id", "id_de_la_réponse", "id"},
	ToTime:       {"submitdate", "date_submitted", "date_de_soumission", "submitted_at", "date_time_response_submitted", "answered_at"},
}

func specialOf(header string) string {
	name := normal(header)
	for to, names := range known {
		for _, n := range names {
			if n == name {
				return to
			}
		}
	}
	return ""
}

// numbers are the names of columns that count the responses of one survey: another survey counts from one again.
var numbers = []string{"response_id", "id_de_la_réponse", "id"}

func isNumber(header string) bool { return slices.Contains(numbers, normal(header)) }

// hasTokens says whether a column that says who answered, and is not the number of the response, says so anywhere.
func (f File) hasTokens() bool {
	for i, h := range f.Header {
		if specialOf(h) == ToRespondent && !isNumber(h) && slices.ContainsFunc(f.Rows, func(l Line) bool { return l.Cells[i] != "" }) {
			return true
		}
	}
	return false
}

func (f File) has(names ...string) int {
	for i, h := range f.Header {
		for _, n := range names {
			if normal(h) == n {
				return i
			}
		}
	}
	return -1
}

// Parse reads a file of answers: of LimeSurvey, of Open edX or of any tool that writes a table. Errors: ErrUnreadable, ErrTooLarge,
// ErrNotASurvey.
func Parse(raw []byte) (File, error) {
	data, err := textOf(raw)
	if err != nil {
		return File{}, err
	}
	f, err := table(data, maxFileRows)
	if err != nil {
		return File{}, err
	}
	asked, answered := f.has("question"), f.has("answer")
	switch {
	case asked >= 0 && answered >= 0:
		if f, err = f.wide(asked, answered); err != nil {
			return File{}, err
		}
	case f.has("submitdate", "date_submitted", "date_de_soumission") >= 0 && f.has("lastpage", "last_page", "dernière_page") >= 0:
		f.Dialect = LimeSurvey
	case f.has("user_id") >= 0 && f.has("email") >= 0 || f.has("anonymized_student_id") >= 0:
		f.Dialect = OpenEdX
	default:
		f.Dialect = Plain
	}
	for _, h := range f.Header {
		if to := specialOf(h); to != "" && to != ToTime {
			return f, nil
		}
	}
	if f.Dialect == Plain && len(f.Header) > 1 { // some column can be said to be the respondent
		return f, nil
	}
	return File{}, ErrNotASurvey
}

// wide makes one row for each learner of a file that has a line for each of her answers. The last answer to a question holds.
func (f File) wide(asked, answered int) (File, error) {
	who := f.has("username", "user_name")
	if who < 0 {
		who = f.has("anonymized_student_id", "anonymous_user_id", "user_id")
	}
	if who < 0 {
		return File{}, ErrNotASurvey
	}
	out := File{Dialect: OpenEdXLong, Header: []string{f.Header[who]}, Rejects: f.Rejects, Read: f.Read}
	column, row := map[string]int{}, map[string]int{}
	for _, line := range f.Rows {
		name, question := line.Cells[who], line.Cells[asked]
		if name == "" || question == "" {
			out.Rejects = append(out.Rejects, rejected(line.N, 0, "missing", "The row says neither who nor what, or only one of both."))
			continue
		}
		if _, there := column[question]; !there {
			if len(out.Header) == maxColumns {
				return File{}, ErrNotASurvey
			}
			column[question] = len(out.Header)
			out.Header = append(out.Header, question)
		}
		if _, there := row[name]; !there {
			row[name] = len(out.Rows)
			out.Rows = append(out.Rows, Line{N: line.N, Cells: []string{name}})
		}
		if len(out.Rows)*len(out.Header) > maxCells {
			return File{}, ErrTooLarge.Detailf("The file has so many learners and questions that most of them were not answered. Bring it in in parts.")
		}
		cells := &out.Rows[row[name]].Cells
		for len(*cells) <= column[question] {
			*cells = append(*cells, "")
		}
		(*cells)[column[question]] = line.Cells[answered]
	}
	for i := range out.Rows {
		for len(out.Rows[i].Cells) < len(out.Header) {
			out.Rows[i].Cells = append(out.Rows[i].Cells, "")
		}
	}
	if at, called := column[out.Header[0]]; called { // a question has the name of the column of who answers
		taken := map[string]bool{}
		for _, name := range out.Header {
			taken[name] = true
		}
		out.Header[at] = apart(out.Header[0], taken)
	}
	return out, nil
}

// timeForms are how tools write when somebody answered; without a zone it is UTC.
var timeForms = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04", "2006-01-02T15:04:05", "02/01/2006 15:04:05", "02/01/2006 15:04", "2006-01-02"}

// timeOf reads a time, exact to the microsecond, as the books are. LimeSurvey writes the beginning of 1980 where it was told not to keep times: that is none.
func timeOf(s string) (t time.Time, ok bool) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil && t.Year() > 1980 && t.Year() < 2200 {
			return t.UTC().Truncate(time.Microsecond), true
		}
	}
	return t, false
}
