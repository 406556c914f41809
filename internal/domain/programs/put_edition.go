package programs

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// EditionPlan is what staff say of an edition. Program is an id or a key; Version 0 is the one that was published last. A title that
// was not said is that of the version.
type EditionPlan struct {
	Program    string        `json:"program"`
	Version    int           `json:"program_version"`
	Title      catalog.Text  `json:"title"`
	Lang       string        `json:"lang"`
	Partner    string        `json:"partner"`
	Capacity   *int          `json:"capacity,omitempty"`
	StartsAt   *time.Time    `json:"starts_at,omitempty"`
	EndsAt     *time.Time    `json:"ends_at,omitempty"`
	EnrolFrom  *time.Time    `json:"enrol_from,omitempty"`
	EnrolUntil *time.Time    `json:"enrol_until,omitempty"`
	Sessions   []SessionPlan `json:"sessions"`
}

// SessionPlan is a session of an edition, by id or key, and when its course opens.
type SessionPlan struct {
	Session string     `json:"session"`
	Opening Opening    `json:"opening"`
	OpensAt *time.Time `json:"opens_at,omitempty"`
}

func (n EditionPlan) validate(key string) (wrong []fault.Field) {
	refuse := func(pointer, code, detail string) {
		wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if !keyForm.MatchString(key) {
		refuse("/key", "bad-key", "1 to 40 letters, digits, dots, hyphens and underscores; the first is a letter or a digit.")
	}
	if !langForm.MatchString(n.Lang) {
		refuse("/lang", "bad-language", "Two or three small letters, such as fr.")
	}
	if utf8.RuneCountInString(n.Title.EN) > 200 || utf8.RuneCountInString(n.Title.FR) > 200 {
		refuse("/title", "bad-title", "At most 200 characters.")
	}
	if utf8.RuneCountInString(n.Partner) > 200 {
		refuse("/partner", "bad-length", "At most 200 characters.")
	}
	if n.Capacity != nil && (*n.Capacity < 1 || *n.Capacity > 1_000_000) {
		refuse("/capacity", "out-of-range", "1 to 1,000,000 places; leave it out for as many as come.")
	}
	if n.StartsAt != nil && n.EndsAt != nil && n.EndsAt.Before(*n.StartsAt) {
		refuse("/ends_at", "before-start", "A period ends after it begins.")
	}
	if n.EnrolFrom != nil && n.EnrolUntil != nil && n.EnrolUntil.Before(*n.EnrolFrom) {
		refuse("/enrol_until", "before-start", "A period ends after it begins.")
	}
	if len(n.Sessions) > MaxCourses {
		refuse("/sessions", "too-many", "At most one session for each course.")
		return wrong
	}
	for i, s := range n.Sessions {
		at := fmt.Sprintf("/sessions/%d/", i)
		switch {
		case !slices.Contains(Openings, s.Opening):
			refuse(at+"opening", "unknown-opening", "at_once, on_date, monthly, after_previous or after_prerequisites.")
		case (s.Opening == OnDate) != (s.OpensAt != nil):
			refuse(at+"opens_at", "date-of-opening", "A course that opens on a date has one; the others have none.")
		case s.Opening == Monthly && n.StartsAt == nil:
			refuse(at+"opening", "no-start", "One course a month is counted from the start of the edition, which is not said.")
		}
	}
	return wrong
}

// resolve finds the sessions of a plan and checks them against the version.
func (n EditionPlan) resolve(ctx context.Context, tx *postgres.Tx, v Version) ([]string, []fault.Field, error) {
	var wrong []fault.Field
	ids, rules, taken := []string{}, map[string]CourseRule{}, map[string]bool{}
	for _, c := range v.Content.Courses() {
		rules[c.Key] = c
	}
	for i, s := range n.Sessions {
		at := fmt.Sprintf("/sessions/%d/", i)
		session, err := catalog.SessionTx(ctx, tx, s.Session)
		if f := fault.From(err); err != nil && f.Kind == fault.NotFound {
			wrong = append(wrong, fault.Field{Pointer: at + "session", Code: "no-such-session", Detail: "There is no session with this id or key."})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		rule, inside := rules[session.CourseKey]
		switch {
		case !inside:
			wrong = append(wrong, fault.Field{Pointer: at + "session", Code: "not-in-program", Detail: session.CourseKey + ", its course, is not in this version of the program."})
		case taken[session.CourseKey]:
			wrong = append(wrong, fault.Field{Pointer: at + "session", Code: "duplicate", Detail: "Another session of " + session.CourseKey + " stands in the edition."})
		case s.Opening == AfterPrerequisites && len(rule.After)+len(rule.AfterAny) == 0:
			wrong = append(wrong, fault.Field{Pointer: at + "opening", Code: "no-prerequisites", Detail: session.CourseKey + " has no prerequisites in this version of the program."})
		}
		taken[session.CourseKey] = true
		ids = append(ids, session.ID)
	}
	return ids, wrong, nil
}

// PutEditionTx makes or edits an edition; expected is the version that the editor read, 0 for any and for none, New for none. Once it was
// published, its version of the program and its sessions stay; dates, places, openings and titles may change and hold at once.
// What is archived is not edited (ErrEditionArchived).
func PutEditionTx(ctx context.Context, tx *postgres.Tx, key string, n EditionPlan, expected int) (Edition, error) {
	wrong := n.validate(key)
	found, err := lock(ctx, tx, "LockEdition", key)
	var old Edition
	switch {
	case err != nil:
		return Edition{}, err
	case found && expected == New:
		return Edition{}, ErrKey
	case !found && expected > 0:
		return Edition{}, ErrNoEdition
	case found:
		if old, err = EditionTx(ctx, tx, key); err != nil {
			return old, err
		}
		if expected != 0 && expected != old.Edited {
			return old, ErrChanged
		}
		if old.State == catalog.Archived {
			return old, ErrEditionArchived
		}
	}
	p, err := ProgramTx(ctx, tx, n.Program)
	if err != nil {
		return old, ErrNoProgram.Because(err)
	}
	if n.Version == 0 {
		if n.Version = p.Current; old.ProgramID == p.ID {
			n.Version = old.Version
		}
	}
	v, err := VersionTx(ctx, tx, p.ID, n.Version)
	if err != nil {
		return old, err
	}
	ids, more, err := n.resolve(ctx, tx, v)
	if err != nil {
		return old, err
	}
	if wrong = append(wrong, more...); wrong != nil {
		return old, fault.InvalidInput(wrong...)
	}
	if n.Title == (catalog.Text{}) {
		n.Title = v.Content.Title
	}
	if err := old.bears(p.ID, n.Version, ids); err != nil {
		return old, err
	}
	id, action, err := save(ctx, tx, key, old, p.ID, n)
	if err != nil {
		return old, err
	}
	if err := putSessions(ctx, tx, id, ids, n.Sessions, old.Promised); err != nil {
		return old, err
	}
	e, err := EditionTx(ctx, tx, id)
	if err != nil {
		return e, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: id, Before: audit.Was(found, old), After: e}); err != nil || e.State != catalog.Published || e.over(tx.Now()) {
		return e, err
	}
	if _, err := e.holdSessions(ctx, tx); err != nil {
		return e, err
	}
	if e, err = EditionTx(ctx, tx, id); err == nil { // as its sessions are now that nobody else edits them
		err = e.possible(v.Content, tx.Now())
	}
	return e, err
}

// bears refuses to change what an edition promised. The database holds the same.
func (e Edition) bears(programID string, version int, sessionIDs []string) error {
	if !e.Promised {
		return nil
	}
	if e.ProgramID != programID || e.Version != version {
		return ErrKeptPlan
	}
	if len(sessionIDs) != len(e.Sessions) {
		return ErrKeptCourse
	}
	for _, s := range e.Sessions {
		if !slices.Contains(sessionIDs, s.SessionID) {
			return ErrKeptCourse
		}
	}
	return nil
}

func save(ctx context.Context, tx *postgres.Tx, key string, old Edition, programID string, n EditionPlan) (id, action string, err error) {
	action = "edition.saved"
	if id = old.ID; id == "" {
		id, action = ident.New("edn"), "edition.created"
		_, err = tx.Exec(ctx, q.Q("AddEdition"), id, key, programID, n.Version, n.Title.EN, n.Title.FR, n.Lang, n.Partner, n.Capacity, n.StartsAt, n.EndsAt,
			n.EnrolFrom, n.EnrolUntil, tx.Now(), postgres.Actor(ctx))
	} else {
		state := old.State
		if state == catalog.InReview { // what was being read is being written again
			state = catalog.Drafted
			if err := catalog.MoveTx(ctx, tx, "edition", id, old.Edited, old.State, state, ""); err != nil {
				return id, action, err
			}
		}
		_, err = tx.Exec(ctx, q.Q("SaveEdition"), id, programID, n.Version, n.Title.EN, n.Title.FR, n.Lang, n.Partner, n.Capacity, n.StartsAt, n.EndsAt,
			n.EnrolFrom, n.EnrolUntil, state, tx.Now(), postgres.Actor(ctx))
	}
	return id, action, err
}

func putSessions(ctx context.Context, tx *postgres.Tx, id string, ids []string, plans []SessionPlan, promised bool) error {
	openings, dates := make([]string, len(plans)), make([]string, len(plans))
	for i, s := range plans {
		openings[i] = string(s.Opening)
		if s.OpensAt != nil {
			dates[i] = s.OpensAt.UTC().Format(time.RFC3339Nano)
		}
	}
	args := []any{id, pq.Array(ids), pq.Array(openings), pq.Array(dates)}
	if promised {
		_, err := tx.Exec(ctx, q.Q("SetOpenings"), args...)
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("ClearSessions"), id, pq.Array(ids)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("SetOpenings"), args...); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, q.Q("PutSessions"), args...)
	return err
}

// MoveEditionTx takes an edition to another state of publication. To publish it fixes its version and its sessions.
func MoveEditionTx(ctx context.Context, tx *postgres.Tx, key string, to catalog.Publication, note string, expected int) (Edition, error) {
	if _, err := lock(ctx, tx, "LockEdition", key); err != nil {
		return Edition{}, err
	}
	e, err := EditionTx(ctx, tx, key)
	if err != nil {
		return e, err
	}
	if expected != 0 && expected != e.Edited {
		return e, ErrChanged
	}
	if to == catalog.Published || to == catalog.InReview {
		if err := e.whole(ctx, tx); err != nil {
			return e, err
		}
	}
	if to == catalog.Published && !e.over(tx.Now()) { // of one that is over the sessions may be archived since
		if err := e.seen(ctx, tx); err != nil {
			return e, err
		}
	}
	var published *time.Time
	if now := tx.Now(); to == catalog.Published {
		published = &now
	}
	if _, err := tx.Exec(ctx, q.Q("MoveEdition"), e.ID, to, published, tx.Now(), postgres.Actor(ctx)); err != nil {
		return e, err
	}
	if err := catalog.MoveTx(ctx, tx, "edition", e.ID, e.Edited, e.State, to, note); err != nil {
		return e, err
	}
	return EditionTx(ctx, tx, e.ID)
}
