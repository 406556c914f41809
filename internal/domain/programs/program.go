package programs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Program is a program with its working copy. The public sees Published, and only where it is Visible.
type Program struct {
	ID          string              `json:"id"`
	Key         string              `json:"key"`
	Draft       Content             `json:"draft"`
	Version     int                 `json:"version"` // of the working copy; the entity tag
	State       catalog.Publication `json:"publication"`
	Current     int                 `json:"current"` // number of the version that was published last; 0: none was
	Visible     bool                `json:"visible"`
	Published   *Content            `json:"published,omitempty"`
	PublishedAt *time.Time          `json:"published_at,omitempty"`
	ChangedAt   time.Time           `json:"changed_at"`
	ChangedBy   string              `json:"changed_by"`
}

// Version is what a program was when it was published for the n-th time. It never changes.
type Version struct {
	Number      int       `json:"number"`
	Content     Content   `json:"content"`
	PublishedAt time.Time `json:"published_at"`
	PublishedBy string    `json:"published_by"`
}

type programRow struct {
	ID          string              `db:"id"`
	Key         string              `db:"key"`
	Draft       []byte              `db:"draft"`
	Version     int                 `db:"version"`
	State       catalog.Publication `db:"state"`
	Current     int                 `db:"current"`
	Visible     bool                `db:"visible"`
	Content     []byte              `db:"content"`
	PublishedAt *time.Time          `db:"published_at"`
	ChangedAt   time.Time           `db:"changed_at"`
	ChangedBy   string              `db:"changed_by"`
}

func (r programRow) program() (Program, error) {
	p := Program{
		ID: r.ID, Key: r.Key, Version: r.Version, State: r.State, Current: r.Current, Visible: r.Visible, PublishedAt: r.PublishedAt,
		ChangedAt: r.ChangedAt, ChangedBy: r.ChangedBy,
	}
	if err := json.Unmarshal(r.Draft, &p.Draft); err != nil || r.Content == nil {
		return p, err
	}
	p.Published = &Content{}
	return p, json.Unmarshal(r.Content, p.Published)
}

// ProgramTx finds a program by id or key, whatever its state.
func ProgramTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Program, error) {
	var r programRow
	err := tx.Get(ctx, &r, q.Q("Program"), idOrKey)
	if errors.Is(err, sql.ErrNoRows) {
		return Program{}, ErrNoProgram
	}
	if err != nil {
		return Program{}, err
	}
	return r.program()
}

// PublicProgramTx finds a program that the public sees.
func PublicProgramTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Program, error) {
	p, err := ProgramTx(ctx, tx, idOrKey)
	if err == nil && (!p.Visible || p.Published == nil) {
		err = ErrNoProgram
	}
	return p, err
}

// PublicProgramsTx lists at most p.Limit programs that the public sees, by key, after the key p.After, and the key to go on after.
func PublicProgramsTx(ctx context.Context, tx *postgres.Tx, p page.Request) ([]Program, string, error) {
	all, err := list(ctx, tx, "PublicPrograms", p.After, p.Limit+1)
	if err != nil || len(all) <= p.Limit {
		return all, "", err
	}
	return all[:p.Limit], all[p.Limit-1].Key, nil
}

// ProgramsTx lists the programs by key, whatever their state.
func ProgramsTx(ctx context.Context, tx *postgres.Tx) ([]Program, error) {
	return list(ctx, tx, "Programs")
}

func list(ctx context.Context, tx *postgres.Tx, statement string, args ...any) ([]Program, error) {
	var rows []programRow
	if err := tx.Select(ctx, &rows, q.Q(statement), args...); err != nil {
		return nil, err
	}
	out := make([]Program, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.program(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type versionRow struct {
	Number      int       `db:"number"`
	Content     []byte    `db:"content"`
	PublishedAt time.Time `db:"published_at"`
	PublishedBy string    `db:"published_by"`
}

func (r versionRow) version() (Version, error) {
	v := Version{Number: r.Number, PublishedAt: r.PublishedAt, PublishedBy: r.PublishedBy}
	return v, json.Unmarshal(r.Content, &v.Content)
}

// VersionsTx lists the versions of a program, the newest first.
func VersionsTx(ctx context.Context, tx *postgres.Tx, programID string) ([]Version, error) {
	var rows []versionRow
	if err := tx.Select(ctx, &rows, q.Q("Versions"), programID); err != nil {
		return nil, err
	}
	out := make([]Version, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.version(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// VersionTx finds one version.
func VersionTx(ctx context.Context, tx *postgres.Tx, programID string, number int) (Version, error) {
	var r versionRow
	err := tx.Get(ctx, &r, q.Q("Version"), programID, number)
	if errors.Is(err, sql.ErrNoRows) {
		return Version{}, ErrNoVersion
	}
	if err != nil {
		return Version{}, err
	}
	return r.version()
}

// New as the version that an edit is based on says that the thing does not exist yet.
const New = -1

// lock holds a program until the transaction ends.
func lock(ctx context.Context, tx *postgres.Tx, statement, idOrKey string) (found bool, err error) {
	var id string
	err = tx.Get(ctx, &id, q.Q(statement), idOrKey)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// CheckTx validates a content against the catalogue.
func CheckTx(ctx context.Context, tx *postgres.Tx, c Content) error {
	var keys, known []string
	for _, course := range c.Courses() {
		keys = append(keys, course.Key)
		for _, e := range course.Equivalents {
			keys = append(keys, e.Key)
		}
	}
	if err := tx.Select(ctx, &known, q.Q("KnownCourses"), pq.Array(keys)); err != nil {
		return err
	}
	in := map[string]bool{}
	for _, key := range known {
		in[key] = true
	}
	return c.Validate(func(key string) bool { return in[key] })
}

// SaveDraftTx writes the working copy of a program. expected is the version that the editor read, 0 for any and for none, New for a program that
// does not exist yet. What was in review or published is a draft again; the public goes on seeing what was published.
// What is archived is not edited (ErrArchived).
func SaveDraftTx(ctx context.Context, tx *postgres.Tx, key string, c Content, expected int) (Program, error) {
	if !keyForm.MatchString(key) {
		return Program{}, fault.InvalidInput(fault.Field{Pointer: "/key", Code: "bad-key", Detail: "1 to 40 letters, digits, dots, hyphens and underscores; the first is a letter or a digit."})
	}
	if err := CheckTx(ctx, tx, c); err != nil {
		return Program{}, err
	}
	draft, err := json.Marshal(c.Tidy())
	if err != nil {
		return Program{}, err
	}
	found, err := lock(ctx, tx, "LockProgram", key)
	switch {
	case err != nil:
		return Program{}, err
	case found && expected == New:
		return Program{}, ErrKey
	case !found && expected > 0:
		return Program{}, ErrNoProgram
	case !found:
		id := ident.New("prg")
		if _, err := tx.Exec(ctx, q.Q("AddProgram"), id, key, draft, tx.Now(), postgres.Actor(ctx)); err != nil {
			return Program{}, err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "program.created", Object: id, Detail: map[string]any{"key": key}, After: c.Tidy()}); err != nil {
			return Program{}, err
		}
		return ProgramTx(ctx, tx, id)
	}
	p, err := ProgramTx(ctx, tx, key)
	if err != nil {
		return p, err
	}
	if expected != 0 && expected != p.Version {
		return p, ErrChanged
	}
	if p.State == catalog.Archived {
		return p, ErrArchived
	}
	if _, err := tx.Exec(ctx, q.Q("SaveDraft"), p.ID, draft, tx.Now(), postgres.Actor(ctx)); err != nil {
		return p, err
	}
	if p.State != catalog.Drafted {
		if err := catalog.MoveTx(ctx, tx, "program", p.ID, p.Version, p.State, catalog.Drafted, ""); err != nil {
			return p, err
		}
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "program.saved", Object: p.ID, Detail: map[string]any{"version": p.Version + 1}, Before: p.Draft, After: c.Tidy()}); err != nil {
		return p, err
	}
	return ProgramTx(ctx, tx, p.ID)
}

// MoveProgramTx takes a program to another state of publication. To publish makes the next version out of the working copy, whose courses
// the public sees (ErrCourseHidden). A program with editions in force is not archived (ErrProgramInUse).
func MoveProgramTx(ctx context.Context, tx *postgres.Tx, key string, to catalog.Publication, note string, expected int) (Program, error) {
	p, err := BringProgramTx(ctx, tx, key, to, note, expected)
	if err == nil && to == catalog.Published {
		err = shown(ctx, tx, *p.Published)
	}
	return p, err
}

// BringProgramTx is MoveProgramTx for who brings versions of the past and courses that are not published yet: whether the public sees the
// courses of a program is asked once, by ShownTx, when all is there.
func BringProgramTx(ctx context.Context, tx *postgres.Tx, key string, to catalog.Publication, note string, expected int) (Program, error) {
	if _, err := lock(ctx, tx, "LockProgram", key); err != nil {
		return Program{}, err
	}
	p, err := ProgramTx(ctx, tx, key)
	if err != nil {
		return p, err
	}
	if expected != 0 && expected != p.Version {
		return p, ErrChanged
	}
	visible, current := p.Visible, (*int)(nil)
	switch to {
	case catalog.Published:
		number, err := publish(ctx, tx, p)
		if err != nil {
			return p, err
		}
		visible, current = true, &number
	case catalog.InReview:
		if err := ready(ctx, tx, p.Draft); err != nil {
			return p, err
		}
	case catalog.Archived:
		var editions []string
		if err := tx.Select(ctx, &editions, q.Q("EditionsInForceOf"), p.ID, tx.Now()); err != nil {
			return p, err
		}
		if len(editions) > 0 {
			in := strings.Join(editions, ", ")
			return p, ErrProgramInUse.Detailf("It is followed in %s. Archive that first, or wait until it is over.", in).At("", ErrProgramInUse.Code, in)
		}
		visible = false
	}
	if _, err := tx.Exec(ctx, q.Q("MoveProgram"), p.ID, to, current, visible, tx.Now(), postgres.Actor(ctx)); err != nil {
		return p, err
	}
	if err := catalog.MoveTx(ctx, tx, "program", p.ID, p.Version, p.State, to, note); err != nil {
		return p, err
	}
	return ProgramTx(ctx, tx, p.ID)
}

// ready refuses a content that asks for nothing, or that the catalogue no longer bears out.
func ready(ctx context.Context, tx *postgres.Tx, c Content) error {
	if counting(c.Parts) == 0 {
		return fault.InvalidInput(fault.Field{Pointer: "/parts", Code: "empty", Detail: "A program asks for one course, workshop or group at least."})
	}
	return CheckTx(ctx, tx, c)
}

// publish keeps the working copy as the next version and gives its number.
func publish(ctx context.Context, tx *postgres.Tx, p Program) (number int, err error) {
	if !catalog.PublicationLife.Allows(p.State, catalog.Published) {
		return 0, catalog.ErrMove.Detailf("From %s nothing goes to %s.", p.State, catalog.Published)
	}
	if err := ready(ctx, tx, p.Draft); err != nil {
		return 0, err
	}
	content, err := json.Marshal(p.Draft)
	if err != nil {
		return 0, err
	}
	number = p.Current + 1
	if _, err := tx.Exec(ctx, q.Q("AddVersion"), p.ID, number, content, tx.Now(), postgres.Actor(ctx)); err != nil {
		return 0, err
	}
	var keys []string
	var positions []int64
	var optional []bool
	for i, c := range p.Draft.Courses() {
		keys, positions, optional = append(keys, c.Key), append(positions, int64(i+1)), append(optional, c.Optional)
	}
	n, err := tx.Exec(ctx, q.Q("AddVersionCourses"), p.ID, number, pq.Array(keys), pq.Array(positions), pq.Array(optional))
	if err == nil && int(n) != len(keys) {
		err = ErrUnknown
	}
	return number, err
}

// HistoryTx lists who moved a program or an edition, the newest move first. kind is "program" or "edition".
func HistoryTx(ctx context.Context, tx *postgres.Tx, kind, id string) ([]catalog.Move, error) {
	return catalog.MovesTx(ctx, tx, kind, id)
}
