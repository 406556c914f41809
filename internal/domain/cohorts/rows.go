package cohorts

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"cursus/internal/domain/identity"
)

// Row is what a school says of one of its learners. StudentKey is its own id of her, 1 to 255 characters. Status is what she is to be there:
// see statusOf for the words; an empty one means enrolled. The rest may be empty, which says nothing: what is known stays.
type Row struct {
	StudentKey string `json:"student_key"`
	Status     string `json:"status"`
	Email      string `json:"email,omitempty"`
	GivenName  string `json:"given_name,omitempty"`
	FamilyName string `json:"family_name,omitempty"`
	Lang       string `json:"language,omitempty"` // en, fr or a tag that begins so, such as fr-SN; another one says nothing
}

// Mode says what rows mean together.
type Mode string

// The modes.
const (
	Delta  Mode = "delta"  // these rows and no others: who is new comes in, who is there changes
	Bulk   Mode = "bulk"   // the full truth: who is not among them is withdrawn
	Update Mode = "update" // who is there changes, who is new is refused
)

// Code says what becomes of a row.
type Code string

// The codes of rows: the first three are done, the others are refused and change nothing.
const (
	Created          Code = "created"
	Changed          Code = "changed"
	Unchanged        Code = "unchanged"
	Duplicated       Code = "duplicated"        // the key stands in several rows; none of them counts
	InvalidStatus    Code = "invalid-status"    // no status that we know
	InvalidKey       Code = "invalid-key"       // empty, too long, or with control characters
	InvalidEmail     Code = "invalid-email"     // no address
	InvalidName      Code = "invalid-name"      // longer than 255 characters, or with control characters
	Conflict         Code = "conflict"          // she, or her address, is another student's or in another cohort of the organisation for the same
	IllegalOperation Code = "illegal-operation" // her state does not allow it, or the cohort is closed to who is new
	NotInProgram     Code = "not-in-program"    // the organisation knows her, but not in this cohort
	NotFound         Code = "not-found"         // nobody has this key
	NoSeatLeft       Code = "no-seat-left"      // every seat of the cohort is taken
)

// Done says whether the row holds now, changed or not.
func (c Code) Done() bool { return c == Created || c == Changed || c == Unchanged }

// Outcome is what became of a row, or would.
type Outcome struct {
	StudentKey string `json:"student_key"`
	Code       Code   `json:"code"`
	From       State  `json:"from,omitempty"`  // none: she is not in the cohort
	State      State  `json:"state,omitempty"` // after it
}

// Difference is what rows change in a cohort. New, Changed, Unchanged and Conflicting count rows, and sum to them all; Conflicting are all that
// are refused, whatever the code. Absent counts the learners whom a bulk withdraws because no row names them.
type Difference struct {
	New         int       `json:"new"`
	Changed     int       `json:"changed"`
	Unchanged   int       `json:"unchanged"`
	Absent      int       `json:"absent"`
	Conflicting int       `json:"conflicting"`
	Members     int       `json:"members"` // of the cohort before it, without who left
	Rows        []Outcome `json:"rows"`    // in the order of the input
	Gone        []Outcome `json:"gone"`    // who is absent
}

// Fingerprint tells one difference from another: a dry run that is applied must have the one that its reader saw. It is that of every
// outcome, so it differs where anybody else changed, meanwhile, what the rows are about.
func (d Difference) Fingerprint() string {
	h := sha256.New()
	for _, all := range [][]Outcome{d.Rows, d.Gone} {
		for _, o := range all {
			_, _ = fmt.Fprintf(h, "%q %s %s %s\n", o.StudentKey, o.Code, o.From, o.State) // a hash takes everything
		}
		_, _ = h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Wanted is what a school may ask for.
type wanted string

const (
	toEnrol    wanted = "enrolled"
	toSuspend  wanted = "suspended"
	toWithdraw wanted = "withdrawn"
)

// statusOf reads a status as registrars write it, letters of any case: enrolled and active; suspended and pending (known, and not enrolled
// for now); withdrawn, canceled, inactive, ended and tobedeleted. Nothing means enrolled.
func statusOf(s string) (wanted, bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "enrolled", "active":
		return toEnrol, true
	case "suspended", "pending":
		return toSuspend, true
	case "withdrawn", "canceled", "cancelled", "inactive", "ended", "tobedeleted":
		return toWithdraw, true
	}
	return "", false
}

// langOf reads a language; empty: it is none of ours.
func langOf(s string) string {
	if s = strings.ToLower(strings.TrimSpace(s)); s == "en" || s == "fr" || strings.HasPrefix(s, "en-") || strings.HasPrefix(s, "fr-") {
		return s[:2]
	}
	return ""
}

// clean puts a row into the form in which it is kept, or says what is wrong with it.
func clean(r Row) (Row, wanted, Code) {
	r.StudentKey, r.GivenName, r.FamilyName = strings.TrimSpace(r.StudentKey), strings.TrimSpace(r.GivenName), strings.TrimSpace(r.FamilyName)
	r.Lang = langOf(r.Lang)
	if n := utf8.RuneCountInString(r.StudentKey); n < 1 || n > 255 || !plain(r.StudentKey) {
		return r, "", InvalidKey
	}
	to, known := statusOf(r.Status)
	if !known {
		return r, "", InvalidStatus
	}
	if r.Email = strings.TrimSpace(r.Email); r.Email != "" {
		email, err := identity.NormalEmail(r.Email)
		if err != nil {
			return r, to, InvalidEmail
		}
		r.Email = email
	}
	for _, name := range []string{r.GivenName, r.FamilyName} {
		if utf8.RuneCountInString(name) > 255 || !plain(name) {
			return r, to, InvalidName
		}
	}
	return r, to, ""
}

func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// place is a student as she stands in a cohort before rows are applied.
type place struct {
	ID         string `db:"id"`
	StudentKey string `db:"student_key"`
	State      State  `db:"state"`
	Email      string `db:"email"`
	GivenName  string `db:"given_name"`
	FamilyName string `db:"family_name"`
	Lang       string `db:"lang"`
	PersonID   string `db:"person_id"`
	OrderID    string `db:"order_id"`
	Granted    bool   `db:"granted"` // her right to learn stands, suspended or not
}

// situation is what a plan depends on.
type situation struct {
	closed bool
	seats  int               // of the cohort; below nothing: without limit
	taken  int               // by whoever waits, is enrolled or is suspended
	places map[string]place  // of the cohort, by student key: all that the rows name, and in a bulk all
	away   map[string]bool   // students who are in another cohort of the organisation for the same
	known  map[string]bool   // students of any cohort of the organisation
	owners map[string]string // whose an address is, in this cohort and the others for the same: student keys
}

// step is what is to be written about one student.
type step struct {
	row  Row
	was  place // zero: she is new
	to   State
	code Code
}

func (s step) fresh() bool { return s.was.ID == "" }

// plan says what rows change. It is a pure function of the rows and of what stands: the same says the same.
func plan(m Mode, rows []Row, s situation) (d Difference, steps []step) {
	times := make(map[string]int, len(rows))
	for _, r := range rows {
		times[strings.TrimSpace(r.StudentKey)]++
	}
	d = Difference{Members: s.taken, Rows: make([]Outcome, len(rows)), Gone: []Outcome{}}
	if m == Bulk { // who is absent makes room for who comes
		for _, p := range sortedPlaces(s.places) {
			if times[p.StudentKey] == 0 && p.State.Live() {
				d.Gone = append(d.Gone, Outcome{StudentKey: p.StudentKey, Code: Changed, From: p.State, State: Withdrawn})
				steps = append(steps, step{was: p, to: Withdrawn, code: Changed})
				s.taken--
				if s.owners[p.Email] == p.StudentKey { // her address too: a school that gives new keys sends everybody under another one
					delete(s.owners, p.Email)
				}
			}
		}
	}
	addresses := make(map[string]string, len(rows)) // that rows before claimed, and for whom
	for i, given := range rows {
		r, to, code := clean(given)
		if times[r.StudentKey] > 1 && code != InvalidKey {
			code = Duplicated
		}
		p, there := s.places[r.StudentKey]
		x := step{row: r, was: p, to: p.State, code: code}
		if code == "" {
			x.to, x.code = s.decide(m, r, to, p, there)
		}
		if x.code.Done() && x.to.Live() && s.otherOwner(r, p, addresses) {
			x.code, x.to = Conflict, p.State
		}
		if x.code.Done() && x.to.Live() && !p.State.Live() {
			if s.seats >= 0 && s.taken >= s.seats {
				x.code, x.to = NoSeatLeft, p.State
			} else {
				s.taken++
			}
		}
		if x.code.Done() && x.to == Withdrawn && p.State.Live() {
			s.taken--
		}
		if email := cmp.Or(r.Email, p.Email); x.code.Done() && x.to.Live() && email != "" {
			addresses[email] = r.StudentKey
		}
		switch x.code {
		case Created:
			d.New++
		case Changed:
			d.Changed++
		case Unchanged:
			d.Unchanged++
		default:
			d.Conflicting++
		}
		if x.code == Created || x.code == Changed {
			steps = append(steps, x)
		}
		d.Rows[i] = Outcome{StudentKey: r.StudentKey, Code: x.code, From: p.State, State: x.to}
	}
	d.Absent = len(d.Gone)
	return d, steps
}

// otherOwner says whether the address of a row is another student's.
func (s situation) otherOwner(r Row, p place, claimed map[string]string) bool {
	email := cmp.Or(r.Email, p.Email)
	if email == "" || email == p.Email && p.State.Live() {
		return false
	}
	if k := claimed[email]; k != "" && k != r.StudentKey {
		return true
	}
	k := s.owners[email]
	return k != "" && k != r.StudentKey
}

// decide says to which state a row that is well-formed takes a student.
func (s situation) decide(m Mode, r Row, to wanted, p place, there bool) (State, Code) {
	if !there {
		switch {
		case (m == Update || to == toWithdraw) && s.known[r.StudentKey]:
			return "", NotInProgram
		case m == Update || to == toWithdraw:
			return "", NotFound
		case s.away[r.StudentKey]:
			return "", Conflict
		case s.closed:
			return "", IllegalOperation
		case to == toSuspend:
			return Suspended, Created
		}
		return Waiting, Created
	}
	next := p.State
	switch to {
	case toEnrol:
		if next, _ = p.back(); p.State == Waiting || p.State == Enrolled {
			next = p.State
		}
	case toSuspend:
		next = Suspended
	case toWithdraw:
		if next = Withdrawn; p.State == Transferred {
			next = Transferred // she has left already
		}
	}
	switch {
	case next != p.State && !Life.Allows(p.State, next):
		return p.State, IllegalOperation
	case !p.State.Live() && next.Live() && s.away[r.StudentKey]:
		return p.State, Conflict
	case !p.State.Live() && next.Live() && s.closed:
		return p.State, IllegalOperation
	case next == p.State && !p.told(r):
		return p.State, Unchanged
	}
	return next, Changed
}

// back is the state of somebody whom nothing holds back any more: enrolled where her right to learn still stands.
func (p place) back() (State, bool) {
	if p.Granted {
		return Enrolled, true
	}
	return Waiting, false
}

// told says whether a row says of a student what is not known yet.
func (p place) told(r Row) bool {
	return r.Email != "" && r.Email != p.Email || r.GivenName != "" && r.GivenName != p.GivenName || r.FamilyName != "" && r.FamilyName != p.FamilyName || r.Lang != "" && r.Lang != p.Lang
}
