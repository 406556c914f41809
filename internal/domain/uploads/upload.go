package uploads

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/cohorts/roster"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/lean"
	"cursus/internal/platform/postgres"
)

// State is where an upload stands.
type State string

// The states.
const (
	Checking State = "checking" // its difference is being made
	Checked  State = "checked"  // it can be looked at, and applied
	Applying State = "applying"
	Applied  State = "applied"
	Failed   State = "failed" // Problem says why; nothing was changed
)

// Life is every move of an upload. From applying to checked goes one whose difference is another one by then.
var Life = lifecycle.Table[State]{Name: "upload of a roster", Start: Checking, Moves: map[State][]State{
	Checking: {Checked, Failed},
	Checked:  {Applying},
	Applying: {Applied, Checked, Failed},
}}

// most bounds how many of the refused and the absent an upload names; all of them are in its file.
const most = 100

// Refused is a row that changes nothing, and why: a code of cohorts, or course-not-found.
type Refused struct {
	Line       int    `json:"line"`
	StudentKey string `json:"student_key"`
	Code       string `json:"code"`
}

// Difference is what a file changes, or did. New, Changed, Unchanged and Conflicting count its rows and sum to them; Absent counts who is
// withdrawn because a bulk file does not have her. SHA256 tells one difference from another.
type Difference struct {
	New         int       `json:"new"`
	Changed     int       `json:"changed"`
	Unchanged   int       `json:"unchanged"`
	Absent      int       `json:"absent"`
	Conflicting int       `json:"conflicting"`
	Members     int       `json:"members"` // of the cohort before it
	SHA256      string    `json:"sha256"`
	Refused     []Refused `json:"refused"` // the first of them
	Gone        []string  `json:"gone"`    // the keys of the first who are absent
}

// Progress is how much of what an upload changes was followed to its end: enrolled, invited, given its order, or let go.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Upload is a file that a school sent.
type Upload struct {
	ID            string       `json:"id" db:"id"`
	CohortID      string       `json:"cohort" db:"cohort_id"`
	FileName      string       `json:"file_name" db:"file_name"`
	Bytes         int64        `json:"bytes" db:"bytes"`
	SHA256        string       `json:"sha256" db:"sha256"` // of the file as it came
	Format        string       `json:"format" db:"format"`
	Mode          cohorts.Mode `json:"mode" db:"mode"`
	Class         string       `json:"class,omitempty" db:"class"` // that was asked for
	Rows          int          `json:"rows" db:"rows"`
	Unended       bool         `json:"unended" db:"unended"` // the last line has no end: the file may be cut
	State         State        `json:"state" db:"state"`
	Difference    *Difference  `json:"difference,omitempty" db:"-"`
	ConfirmAbsent bool         `json:"confirm_absent" db:"-"` // whoever applies it says how many are absent
	Problem       string       `json:"problem,omitempty" db:"problem"`
	Detail        string       `json:"problem_detail,omitempty" db:"problem_detail"`
	Progress      Progress     `json:"progress" db:"-"`
	MadeAt        time.Time    `json:"made_at" db:"made_at"`
	CheckedAt     *time.Time   `json:"checked_at,omitempty" db:"checked_at"`
	AppliedAt     *time.Time   `json:"applied_at,omitempty" db:"applied_at"`
	MadeBy        string       `json:"-" db:"made_by"`
	AskedBy       string       `json:"-" db:"asked_by"`
	Report        []byte       `json:"-" db:"report"`
}

// NewUpload is a file for a cohort. Mode may be empty: a CSV is then a delta, and OneRoster says it itself. Class chooses among the classes
// of a file; where it is empty, the cohort is known by its key and by that of what it follows.
type NewUpload struct {
	CohortID string
	FileName string
	Mode     cohorts.Mode
	Class    string
	Content  []byte
}

// Take reads a file for a cohort, keeps its rows and has the difference made; it changes nothing of the cohort. Once per key. Errors:
// cohorts.ErrNoCohort, roster.ErrTooLarge, roster.ErrRefused with each place that is wrong, roster.ErrWhichClass, ErrMode, ErrBusy, those
// of idempotency.
func (s *Service) Take(ctx context.Context, by cohorts.By, key string, n NewUpload) (u Upload, err error) {
	defer lean.While()()
	c, err := s.cohorts.Writable(ctx, by, n.CohortID)
	if err != nil {
		return u, err
	}
	if n.Mode != "" && n.Mode != cohorts.Bulk && n.Mode != cohorts.Delta {
		return u, fault.InvalidInput(fault.Field{Pointer: "query/mode", Code: "unknown", Detail: "bulk or delta."})
	}
	file, err := roster.Read(n.Content)
	if err != nil {
		return u, err
	}
	said := cohorts.Mode(file.Mode)
	if n.Mode != "" && said != "" && n.Mode != said {
		return u, ErrMode
	}
	mine, strays, err := file.Of(n.Class, c.Key, c.Session, c.Edition)
	if err != nil {
		return u, err
	}
	all := entriesOf(mine, strays)
	rows, err := packEntries(all)
	if err != nil {
		return u, err
	}
	sum := sha256.Sum256(n.Content)
	u = Upload{
		ID: ident.New("upl"), CohortID: c.ID, FileName: plainName(n.FileName, n.Content), Bytes: int64(len(n.Content)), SHA256: hex.EncodeToString(sum[:]), Format: file.Format,
		Mode: cmp.Or(said, n.Mode, cohorts.Delta), Class: n.Class, Rows: len(all), Unended: file.Unended,
	}
	request := strings.Join([]string{"take upload", c.ID, u.FileName, string(n.Mode), n.Class, u.SHA256}, "\x00")
	return s.once(ctx, by, key, request, func(ctx context.Context, tx *postgres.Tx) (Upload, error) {
		var busy bool
		if err := tx.Get(ctx, &busy, q.Q("Busy"), c.ID); err != nil {
			return Upload{}, err
		}
		if busy {
			return Upload{}, ErrBusy
		}
		if _, err := tx.Exec(ctx, q.Q("Add"), u.ID, u.CohortID, u.FileName, u.Bytes, u.SHA256, u.Format, u.Mode, u.Class, u.Rows, u.Unended, by.PersonID, tx.Now()); err != nil {
			return Upload{}, err
		}
		if _, err := tx.Exec(ctx, q.Q("AddContent"), u.ID, rows); err != nil {
			return Upload{}, err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "roster.uploaded", Object: u.ID, Detail: map[string]any{
			"cohort": u.CohortID, "sha256": u.SHA256, "format": u.Format, "mode": u.Mode, "rows": u.Rows, "by": by.PersonID}}); err != nil {
			return Upload{}, err
		}
		if err := s.jobs.EnqueueTx(ctx, tx, CheckAsked{u.ID}); err != nil {
			return Upload{}, err
		}
		return s.uploadTx(ctx, tx, u.CohortID, u.ID)
	})
}

// plainName is the name of a file; one of our own where it has none.
func plainName(name string, content []byte) string {
	if bytes.HasPrefix(content, []byte("PK")) {
		return sheet.PlainName(name, "roster.zip")
	}
	return sheet.PlainName(name, "roster.csv")
}

// once does something once per principal and key, in a transaction, and gives ever after what it gave then.
func (s *Service) once(ctx context.Context, by cohorts.By, key, request string, do func(ctx context.Context, tx *postgres.Tx) (Upload, error)) (u Upload, err error) {
	sum := sha256.Sum256([]byte(request))
	reply, _, err := s.replies.Do(asSystem(ctx), "upload:"+by.PersonID, key, hex.EncodeToString(sum[:]), func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		u, err := do(ctx, tx)
		if err != nil {
			return idempotency.Reply{}, err
		}
		b, err := json.Marshal(u)
		return idempotency.Reply{Status: http.StatusAccepted, Body: b}, err
	})
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(reply.Body, &u)
}
