package catalog

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Working is the working copy of a course, and how it stands to what the public sees. Version numbers the copies; each is kept for ever.
type Working struct {
	ID               string      `json:"id"`
	Key              string      `json:"key"`
	State            Publication `json:"state"`
	Version          int         `json:"version"`
	Visible          bool        `json:"visible"`                     // the public sees PublishedVersion
	PublishedVersion int         `json:"published_version,omitempty"` // 0: never published
	PublishedAt      *time.Time  `json:"published_at,omitempty"`
	CharterVersion   int         `json:"charter_version,omitempty"` // that PublishedVersion was checked against; 0: none
	By               string      `json:"written_by"`
	At               time.Time   `json:"written_at"`
	Document         Draft       `json:"document"`
}

type workingRow struct {
	ID               string     `db:"id"`
	Key              string     `db:"key"`
	State            string     `db:"state"`
	Version          int        `db:"version"`
	Visible          bool       `db:"visible"`
	PublishedVersion int        `db:"published_version"`
	PublishedAt      *time.Time `db:"published_at"`
	CharterVersion   int        `db:"charter_version"`
	By               string     `db:"written_by"`
	At               time.Time  `db:"written_at"`
	Document         []byte     `db:"document"`
}

func (r workingRow) working() (Working, error) {
	w := Working{
		ID: r.ID, Key: r.Key, State: Publication(r.State), Version: r.Version, Visible: r.Visible, PublishedVersion: r.PublishedVersion,
		PublishedAt: r.PublishedAt, CharterVersion: r.CharterVersion, By: r.By, At: r.At,
	}
	return w, json.Unmarshal(r.Document, &w.Document)
}

// DraftTx finds the working copy of a course by id or key.
func DraftTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Working, error) {
	return working(ctx, tx, q.Q("Working"), idOrKey)
}

// lock finds the working copy of a course and keeps others from it until the transaction ends. It reads in a second statement: the
// first one, when it had to wait, sees the course of now beside the versions of before.
func lock(ctx context.Context, tx *postgres.Tx, idOrKey string) (Working, error) {
	var id string
	err := tx.Get(ctx, &id, q.Q("LockCourse"), idOrKey)
	if errors.Is(err, sql.ErrNoRows) {
		return Working{}, ErrNoCourse
	}
	if err != nil {
		return Working{}, err
	}
	return DraftTx(ctx, tx, id)
}

// LockDraftTx is DraftTx that holds the course until the transaction ends.
func LockDraftTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Working, error) {
	return lock(ctx, tx, idOrKey)
}

func working(ctx context.Context, tx *postgres.Tx, statement postgres.Query, idOrKey string) (Working, error) {
	var r workingRow
	err := tx.Get(ctx, &r, statement, idOrKey)
	if errors.Is(err, sql.ErrNoRows) {
		return Working{}, ErrNoCourse
	}
	if err != nil {
		return Working{}, err
	}
	return r.working()
}

// What an edit may expect instead of a version.
const (
	AnyVersion = 0  // whatever stands there now, or nothing
	NoVersion  = -1 // nothing: the course is new
)

// PutDraftTx writes the working copy of a course, as its next version; a course with a new key is made, unseen by the public. expected
// is the version that the caller read (AnyVersion, NoVersion): ErrCourseChanged where another one stands there, ErrCourseKey where a
// new course has the key of another. The very document that stands there changes nothing. What was in review or published becomes a
// draft again; what is archived is not edited (ErrArchived).
func PutDraftTx(ctx context.Context, tx *postgres.Tx, key string, d Draft, expected int) (Working, error) {
	if err := checkDraft(ctx, tx, key, d); err != nil {
		return Working{}, err
	}
	w, made, err := lockOrMake(ctx, tx, key, d, expected)
	if err != nil || made {
		return w, err
	}
	switch {
	case expected == NoVersion:
		return w, ErrCourseKey
	case expected != AnyVersion && expected != w.Version:
		return w, ErrCourseChanged
	case same(w.Document, d):
		return w, nil
	case w.State == Archived:
		return w, ErrArchived
	}
	if w.State != Drafted {
		if err := MoveTx(ctx, tx, "course", w.ID, w.Version, w.State, Drafted, ""); err != nil {
			return w, err
		}
	}
	return write(ctx, tx, w, d, Drafted)
}

func checkDraft(ctx context.Context, tx *postgres.Tx, key string, d Draft) error {
	if !keyForm.MatchString(key) || strings.HasPrefix(key, "crs_") {
		return fault.InvalidInput(fault.Field{Pointer: "/key", Code: "bad-key", Detail: "1 to 40 letters, digits, dots, hyphens and underscores; the first is a letter or a digit; not crs_."})
	}
	if err := d.Validate(); err != nil {
		return err
	}
	for i, p := range d.Prerequisites {
		if p.Course == key {
			return fault.InvalidInput(fault.Field{Pointer: "/prerequisites/" + strconv.Itoa(i) + "/course", Code: "itself", Detail: "A course does not come before itself."})
		}
	}
	if d.Collection == "" {
		return nil
	}
	_, err := CollectionTx(ctx, tx, d.Collection)
	if errors.Is(err, ErrNoCollection) {
		return ErrNoCollection.At("/collection", "no-such-collection", ErrNoCollection.Detail).Of(fault.Unprocessable)
	}
	return err
}

// same compares documents by their JSON.
func same(a, b Draft) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// lockOrMake finds the course of a key and locks it, or makes it as a draft that the public does not see.
func lockOrMake(ctx context.Context, tx *postgres.Tx, key string, d Draft, expected int) (Working, bool, error) {
	w, err := lock(ctx, tx, key)
	if !errors.Is(err, ErrNoCourse) {
		return w, false, err
	}
	if expected > 0 {
		return Working{}, false, ErrNoCourse
	}
	made, err := makeCourse(ctx, tx, key, d, Drafted)
	if err != nil {
		return Working{}, false, err
	}
	w, err = lock(ctx, tx, key)
	return w, made, err
}

// makeCourse makes a course of a document, unless its key is taken.
func makeCourse(ctx context.Context, tx *postgres.Tx, key string, d Draft, state Publication) (made bool, err error) {
	id, published := ident.New("crs"), 0
	var at *time.Time
	if state == Published {
		now := tx.Now()
		published, at = 1, &now
	}
	n, err := tx.Exec(ctx, q.Q("MakeCourse"), id, key, string(state), state == Published, published, at, tx.Now(), first(d.Title.EN, d.Title.FR), d.Title.FR)
	if err != nil || n == 0 {
		return false, err
	}
	if err := addVersion(ctx, tx, id, 1, d); err != nil {
		return false, err
	}
	if err := show(ctx, tx, id, d); err != nil {
		return false, err
	}
	return true, audit.AppendTx(ctx, tx, audit.Entry{Action: "course.written", Object: id, Detail: map[string]any{"key": key, "version": 1}, After: d})
}

func first(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func addVersion(ctx context.Context, tx *postgres.Tx, id string, version int, d Draft) error {
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, q.Q("AddVersion"), id, version, string(raw), postgres.Actor(ctx), tx.Now())
	return err
}

// show writes what everybody else reads of a course: the published values, or the draft's where nothing was published yet.
func show(ctx context.Context, tx *postgres.Tx, id string, d Draft) error {
	_, err := tx.Exec(ctx, q.Q("ShowCourse"), id, d.Collection, d.Position, d.Title.EN, d.Title.FR, d.Summary.EN, d.Summary.FR, d.Level, d.Hours(),
		d.Language, d.ECTSHundredths, d.skillWords())
	return err
}

// write adds the next version of a locked course.
func write(ctx context.Context, tx *postgres.Tx, w Working, d Draft, state Publication) (Working, error) {
	if err := addVersion(ctx, tx, w.ID, w.Version+1, d); err != nil {
		return w, err
	}
	if _, err := tx.Exec(ctx, q.Q("NextVersion"), w.ID, string(state), d.findable(w.Key)); err != nil {
		return w, err
	}
	if w.PublishedVersion == 0 || state == Published {
		if err := show(ctx, tx, w.ID, d); err != nil {
			return w, err
		}
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "course.written", Object: w.ID, Detail: map[string]any{"key": w.Key, "version": w.Version + 1}, Before: w.Document, After: d}); err != nil {
		return w, err
	}
	return DraftTx(ctx, tx, w.ID)
}

// MoveCourseTx moves the working copy of a course to another state of publication. expected is the version that the caller read;
// AnyVersion for whatever stands there. A state that it has already is no move. Publishing holds the copy against the charter in force: ErrCharter
// points to each place where a blocking rule is broken; otherwise the report is kept and the public sees this version. What is archived
// is seen by nobody. What is published has prerequisites that are there and lead nowhere back (ErrPrerequisites). The report is that of the
// charter in force.
func MoveCourseTx(ctx context.Context, tx *postgres.Tx, idOrKey string, to Publication, note string, expected int) (Working, Report, error) {
	w, report, err := BringCourseTx(ctx, tx, idOrKey, to, note, expected)
	if err == nil && to == Published {
		err = FollowableTx(ctx, tx, w.ID)
	}
	return w, report, err
}

// BringCourseTx is MoveCourseTx for who brings many courses that name each other: their prerequisites are judged by FollowableTx, when all
// are there.
func BringCourseTx(ctx context.Context, tx *postgres.Tx, idOrKey string, to Publication, note string, expected int) (Working, Report, error) {
	w, err := lock(ctx, tx, idOrKey)
	if err != nil {
		return w, Report{}, err
	}
	if expected != AnyVersion && expected != w.Version {
		return w, Report{}, ErrCourseChanged
	}
	charter, err := CharterTx(ctx, tx, 0)
	if err != nil {
		return w, Report{}, err
	}
	report := Conform(charter, w.Document)
	if w.State == to {
		return w, report, nil
	}
	if !PublicationLife.Allows(w.State, to) {
		return w, report, ErrMove.Detailf("From %s nothing goes to %s.", w.State, to)
	}
	visible := w.Visible && to != Archived
	if to == Published {
		if err := blocked(report); err != nil {
			return w, report, err
		}
		if err := publish(ctx, tx, w, report); err != nil {
			return w, report, err
		}
		visible = true
	}
	if _, err := tx.Exec(ctx, q.Q("MoveCourse"), w.ID, string(to), visible); err != nil {
		return w, report, err
	}
	if err := MoveTx(ctx, tx, "course", w.ID, w.Version, w.State, to, note); err != nil {
		return w, report, err
	}
	w, err = DraftTx(ctx, tx, w.ID)
	return w, report, err
}

func blocked(r Report) error {
	blocking := r.Blocking()
	if blocking == nil {
		return nil
	}
	f := ErrCharter
	for _, finding := range blocking {
		for _, p := range finding.Places {
			f = f.At(p.Pointer, finding.Rule.Key, p.Text.In("en"))
		}
	}
	return f
}

func publish(ctx context.Context, tx *postgres.Tx, w Working, r Report) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("KeepReport"), w.ID, w.Version, r.Charter, string(raw), tx.Now()); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("Publish"), w.ID, r.Charter, tx.Now()); err != nil {
		return err
	}
	return show(ctx, tx, w.ID, w.Document)
}
