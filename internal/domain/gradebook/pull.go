package gradebook

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// What is pulled from a platform is kept as it was answered, one answer a line, after a line that says of what and when. Nobody writes such a
// file by hand; it is read like any other, so that an older intake that comes later finds what it said.
type (
	pullBegun struct {
		Course      string    `json:"course"`
		CollectedAt time.Time `json:"collected_at"`
		Exercises   bool      `json:"exercises"` // the gradebook was open; otherwise the total grades alone
		Enrolments  bool      `json:"enrolments"`
	}
	pullLine struct {
		Enrolments []struct {
			User   string `json:"user"`
			Active bool   `json:"is_active"`
		} `json:"enrolments"`
		Gradebook []pulledGrades `json:"gradebook"`
		Grades    []struct {
			Username string      `json:"username"`
			Email    string      `json:"email"`
			Percent  json.Number `json:"percent"`
		} `json:"grades"`
		Cohort  string   `json:"cohort"`
		Members []string `json:"members"` // usernames
	}
	pulledGrades struct {
		UserID   json.Number `json:"user_id"`
		Username string      `json:"username"`
		Email    string      `json:"email"`
		Percent  json.Number `json:"percent"`
		Sections []struct {
			Attempted bool        `json:"attempted"`
			Label     string      `json:"label"`
			Percent   json.Number `json:"percent"`
			Earned    json.Number `json:"score_earned"`
			Possible  json.Number `json:"score_possible"`
		} `json:"section_breakdown"`
	}
)

func pullOf(raw json.RawMessage) (begun pullBegun, ok bool) {
	var line struct {
		Pull *pullBegun `json:"pull"`
	}
	if json.Unmarshal(raw, &line) != nil || line.Pull == nil {
		return begun, false
	}
	return *line.Pull, true
}

// pullReader brings what is said of one learner in several answers together. Answers name learners by username.
type pullReader struct {
	Report
	of    map[string]int // username → row
	place places
	n     int
}

// parsePull reads what was pulled. Whom the list of enrolments names is enrolled or not; whom the grades do not name keeps her scores: the
// platform passes over learners whose grade it fails to compute. Without the list nobody leaves.
func parsePull(begun pullBegun, in *json.Decoder) (Report, error) {
	p := pullReader{Report: Report{Kind: Pulled, Family: Modern, Partial: true}, of: map[string]int{}, place: places{}}
	p.Columns = []Column{{Kind: "grade", Label: "grade"}}
	for {
		var line pullLine
		if err := in.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Report{}, badJSON(in, err)
		}
		p.n++
		p.line(line)
	}
	for i := range p.Rows { // exercises that others have
		for len(p.Rows[i].Cells) < len(p.Columns) {
			p.Rows[i].Cells = append(p.Rows[i].Cells, unsaid)
		}
		if !begun.Enrolments {
			p.Rows[i].Quiet = true
		}
	}
	if len(p.Rows) == 0 {
		return Report{}, ErrNobody
	}
	return p.Report, nil
}

// row finds what is known of a username; nil where it cannot be one.
func (p *pullReader) row(username string) *Row {
	username = strings.TrimSpace(username)
	if username == "" || utf8.RuneCountInString(username) > 255 || !writable(username) {
		p.reject("bad-learner", "The username is missing or too long.", "")
		return nil
	}
	i, known := p.of[username]
	if !known {
		i = len(p.Rows)
		p.of[username] = i
		p.Rows = append(p.Rows, Row{Username: username, Enrolled: true, Cells: []int64{unsaid}, line: p.n})
	}
	return &p.Rows[i]
}

func (p *pullReader) reject(code, detail, subject string) {
	p.Rejects = append(p.Rejects, Reject{Line: p.n + 1 + len(p.Rejects), Column: 1, Code: code, Detail: detail, Subject: subject})
}

func (p *pullReader) line(l pullLine) {
	for _, e := range l.Enrolments {
		if row := p.row(e.User); row != nil {
			row.Enrolled = e.Active
		}
	}
	for _, g := range l.Gradebook {
		p.grades(g)
	}
	for _, g := range l.Grades {
		v, ok := share(g.Percent)
		if !ok {
			p.reject("bad-score", "The grade is a number from 0 to 1.", g.Username)
			continue
		}
		if row := p.row(g.Username); row != nil {
			row.Email, row.Cells[0] = g.Email, v
		}
	}
	for _, username := range l.Members {
		if row := p.row(username); row != nil && utf8.RuneCountInString(l.Cohort) <= 255 && writable(l.Cohort) {
			p.Cohorts, row.Cohort = true, l.Cohort
		}
	}
}

func (p *pullReader) grades(g pulledGrades) {
	total, ok := share(g.Percent)
	if !ok {
		p.reject("bad-score", "The grade is a number from 0 to 1.", g.Username)
		return
	}
	cells := map[int]int64{0: total}
	seen := map[string]int{}
	for _, s := range g.Sections {
		label := strings.TrimSpace(s.Label)
		if !okLabel(label) {
			p.reject("bad-label", badLabel, g.Username)
			return
		}
		c := Column{Kind: "exercise", Label: label, Occurrence: seen[label]}
		if averageLabel.MatchString(label) {
			c.Kind = "average"
		}
		seen[label]++
		v := NotAttempted
		if s.Attempted {
			if v, ok = share(s.Percent); !ok {
				p.reject("bad-score", "A score is a number from 0 to 1.", g.Username)
				return
			}
		}
		cells[p.place.of(&p.Report, c)] = v
	}
	row := p.row(g.Username)
	if row == nil {
		return
	}
	row.Subject, row.Email = g.UserID.String(), g.Email
	row.Cells = slices.Grow(row.Cells, len(p.Columns))
	for len(row.Cells) < len(p.Columns) {
		row.Cells = append(row.Cells, unsaid)
	}
	for at, v := range cells {
		row.Cells[at] = v
	}
}

func share(n json.Number) (int64, bool) {
	r := number(n)
	if r == nil {
		return 0, false
	}
	return billionths(r)
}
