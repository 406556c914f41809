package gradebook

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The ways in which a platform calls a learner beside her id.
const (
	byUsername  = "username"
	byMail      = "mail"      // kept as a hash: nobody reads it, and the same address is found again
	byAnonymous = "anonymous" // ids of anonymized_ids
	byExternal  = "external"  // external_user_key
)

// Alias is another key of the learner with an id.
type Alias struct{ Subject, Way, Key string }

// parseProfiles reads student_profile_info for what is needed of it: who is enrolled since when, in which cohort, and by which names the platform
// calls her. All else, such as year of birth, gender and address, is passed over, and stands in the bytes of the file alone.
func parseProfiles(t *table) (r Report, err error) {
	id, username, email, cohort, since, external := t.place("id"), t.place("username"), t.place("email"), t.place("cohort"), t.place("enrollment_date"), t.place("external_user_key")
	r = Report{Kind: Profiles, Family: Modern, Partial: true, Cohorts: cohort >= 0}
	err = r.rows(t, id, func(record []string) (row Row, col int, code, detail string) {
		if row, col, code, detail = t.person(record, id, username, email); code != "" {
			return row, col, code, detail
		}
		if cohort >= 0 {
			if row.Cohort = strings.Clone(record[cohort]); row.Cohort == "[unassigned]" || row.Cohort == "[unavailable]" {
				row.Cohort = ""
			}
			if utf8.RuneCountInString(row.Cohort) > 255 {
				return row, cohort, "bad-cohort", "The cohort's name is longer than 255 characters."
			}
		}
		if since >= 0 && strings.TrimSpace(record[since]) != "" {
			came, ok := parseTime(record[since])
			if !ok {
				return row, since, "bad-time", badTime
			}
			r.Events = append(r.Events, Event{Key: row.Subject, Column: presence, At: came, Value: 1})
		}
		if external >= 0 {
			if key := strings.TrimSpace(record[external]); key != "" && len(key) <= 255 {
				r.Known = append(r.Known, Alias{row.Subject, byExternal, strings.Clone(key)})
			}
		}
		return row, 0, "", ""
	})
	return r, err
}

// parseIDs reads anonymized_ids: by which ids learners are called where they are not to be known. It says nothing of who is enrolled.
func parseIDs(t *table) (r Report, err error) {
	r = Report{Kind: IDs, Family: Modern, Partial: true}
	id, keys := t.place("user id"), []int{t.place("anonymized user id")}
	if i := t.place("course specific anonymized user id"); i >= 0 {
		keys = append(keys, i)
	}
	err = t.each(func(record []string, line int) {
		if col, code, detail := t.short(record); code != "" {
			r.Rejects = append(r.Rejects, Reject{Line: line, Column: col + 1, Code: code, Detail: detail})
			return
		}
		subject := strings.Clone(strings.TrimSpace(record[id]))
		if subject == "" || len(subject) > 255 {
			r.Rejects = append(r.Rejects, Reject{Line: line, Column: id + 1, Code: "bad-learner", Detail: "The learner's id is missing or too long."})
			return
		}
		for _, k := range keys {
			if key := strings.Clone(strings.TrimSpace(record[k])); key != "" && len(key) <= 255 {
				r.Known = append(r.Known, Alias{subject, byAnonymous, key})
			}
		}
	})
	return r, err
}

// Issued is how many certificates a platform counts.
type Issued struct {
	Type   string
	line   int
	course string
	Total  int
	RunAt  time.Time
}

// parseIssued reads issued certificates: `CourseID,Certificate Type,Total Certificates Issued,Date Report Run`. It names nobody.
func parseIssued(t *table) (r Report, err error) {
	r = Report{Kind: Counted, Family: Modern, Partial: true}
	kind, total, run, course := t.place("certificate type"), t.place("total certificates issued"), t.place("date report run"), t.place("courseid", "course id")
	err = t.each(func(record []string, line int) {
		reject := func(col int, code, detail string) {
			r.Rejects = append(r.Rejects, Reject{Line: line, Column: col + 1, Code: code, Detail: detail})
		}
		if col, code, detail := t.short(record); code != "" {
			reject(col, code, detail)
			return
		}
		x := Issued{Type: strings.Clone(strings.TrimSpace(record[kind])), line: line}
		if course >= 0 {
			x.course = strings.Clone(strings.TrimSpace(record[course]))
		}
		if x.Type == "" || utf8.RuneCountInString(x.Type) > 100 {
			reject(kind, "bad-type", "A type of certificate has a name of 1 to 100 characters.")
			return
		}
		var bad error
		if x.Total, bad = strconv.Atoi(strings.TrimSpace(record[total])); bad != nil || x.Total < 0 || x.Total > 1e9 {
			reject(total, "bad-number", "A number of certificates is written 0, 1, 2 ….")
			return
		}
		if run >= 0 {
			x.RunAt, _ = parseTime(record[run]) // platforms write it in the words of their language
		}
		r.Issued = append(r.Issued, x)
	})
	return r, err
}
