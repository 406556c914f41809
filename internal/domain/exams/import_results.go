package exams

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ResultsIntake is a file of results to take in. Kind is the exam that it is of; samples are of the practice exam.
type ResultsIntake struct {
	Session     string // id or key
	Kind        Kind   // empty: the proctored one
	FileName    string
	CollectedAt time.Time // when the file was made; zero: as its name says, otherwise now
	Content     []byte
	DryRun      bool   // say what would change, and change nothing
	Via         string // by which way it came: page, api or command
}

// What became of a row.
const (
	RowNew       = "new"       // an attempt was opened
	RowChanged   = "changed"   // an attempt moved, or has another score
	RowUnchanged = "unchanged" // it stands there already, or further
	RowRefused   = "refused"
)

// RowOutcome is what became of a row of the file. From is empty of an attempt that is new. It names nobody.
type RowOutcome struct {
	Line      int          `json:"line"`
	Column    int          `json:"column,omitempty"` // in bytes, from 1, of what is refused; 0: the whole line
	Outcome   string       `json:"outcome"`
	Code      string       `json:"code,omitempty"` // why it is refused, or unchanged
	Detail    string       `json:"detail,omitempty"`
	SittingID string       `json:"sitting_id,omitempty"`
	From      AttemptState `json:"from,omitempty"`
	To        AttemptState `json:"to,omitempty"`
}

// Results is what a file of results did, row by row.
type Results struct {
	ID         string
	SessionKey string
	Kind       Kind
	FileName   string
	Rows       []RowOutcome
	Replayed   bool // the same bytes were taken in before, and would change nothing now
	DryRun     bool

	CollectedAt, ImportedAt time.Time
	SHA256                  string // of the bytes as they came, in hexadecimal
	Bytes                   int64  // 0: before that was kept
	Via, By                 string
}

// Count counts the rows of an outcome.
func (r Results) Count(outcome string) (n int) {
	for _, x := range r.Rows {
		if x.Outcome == outcome {
			n++
		}
	}
	return n
}

var errDryRun = errors.New("dry run")

// refusedRow is why a row is not taken, whatever is right about it.
func refusedRow(line int, f *fault.Fault) RowOutcome {
	return RowOutcome{Line: line, Outcome: RowRefused, Code: f.Code, Detail: f.Detail}
}

// ImportResults takes a file of results in, in one transaction: each row moves the attempt that it names along the edges of its table, or stands
// in the outcome with the reason why not. The same bytes again change nothing; where rows of it were refused, they are tried again, and what
// becomes of them then is an intake of its own. Errors: ErrResultsRefused, ErrResultsTooLarge, catalog.ErrNoSession, ErrNoExam.
func (s *Service) ImportResults(ctx context.Context, in ResultsIntake) (out Results, err error) {
	err = s.db.InTx(asHouse(ctx), "import exam results", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if out, err = s.ImportResultsTx(ctx, tx, in); err == nil && in.DryRun {
			err = errDryRun
		}
		return err
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return out, err
}

// ImportResultsTx is ImportResults within a transaction of the house. Who asks for a dry run has to take the transaction back.
func (s *Service) ImportResultsTx(ctx context.Context, tx *postgres.Tx, in ResultsIntake) (out Results, err error) {
	if in.Kind == "" {
		in.Kind = Proctored
	}
	in.FileName = filepath.Base(in.FileName)
	if utf8.RuneCountInString(in.FileName) > 255 {
		return out, fault.InvalidInput(fault.Field{Pointer: "/file_name", Code: "bad-length", Detail: "At most 255 characters."})
	}
	rows, err := readResults(in.Content)
	if err != nil {
		return out, err
	}
	if in.CollectedAt.IsZero() {
		if in.CollectedAt, _ = sheet.MadeAt(in.FileName); in.CollectedAt.IsZero() {
			in.CollectedAt = tx.Now()
		}
	}
	return s.importResultsTx(ctx, tx, in, rows)
}

func (s *Service) importResultsTx(ctx context.Context, tx *postgres.Tx, in ResultsIntake, rows []resultRow) (Results, error) {
	session, err := catalog.LockSessionTx(ctx, tx, in.Session)
	if err != nil {
		return Results{}, err
	}
	if err := ofCourse(rows, session.PlatformKey); err != nil {
		return Results{}, err
	}
	sum := sha256.Sum256(in.Content)
	out := Results{ID: ident.New("erf"), SessionKey: session.Key, Kind: in.Kind, FileName: in.FileName, DryRun: in.DryRun, CollectedAt: in.CollectedAt, ImportedAt: tx.Now(),
		SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(in.Content)), Via: in.Via, By: postgres.Author(ctx)}
	var kept resultFile
	err = tx.Get(ctx, &kept, q.Q("ResultFile"), session.ID, in.Kind, sum[:])
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return out, err
	}
	again := err == nil
	var before Results
	if again {
		kept.Kind = in.Kind
		if before, err = kept.results(session.Key); err != nil {
			return out, err
		}
		if before.Replayed = true; kept.Refused == 0 {
			return before, nil
		}
	}
	if _, err := ExamTx(ctx, tx, session.ID, in.Kind); err != nil {
		return out, err
	}
	if out.Rows, err = s.takeResultsTx(ctx, tx, session, in, rows); err != nil {
		return out, err
	}
	if again && out.Count(RowNew)+out.Count(RowChanged) == 0 && out.Count(RowRefused) == before.Count(RowRefused) {
		before.Rows = out.Rows
		return before, nil
	}
	said, err := json.Marshal(out.Rows)
	if err != nil {
		return out, err
	}
	content := []byte{}
	if !again {
		if content, err = packed(in.Content); err != nil {
			return out, err
		}
	}
	if _, err := tx.Exec(ctx, q.Q("KeepResultFile"), out.ID, session.ID, in.Kind, sum[:], in.FileName, string(said), out.Count(RowRefused), out.By, tx.Now(), out.CollectedAt, out.Bytes, out.Via, content); err != nil {
		return out, err
	}
	return out, audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_results.imported", Object: out.ID, Detail: map[string]any{"session": session.ID, "kind": in.Kind, "sha256": out.SHA256,
		"new": out.Count(RowNew), "changed": out.Count(RowChanged), "unchanged": out.Count(RowUnchanged), "refused": out.Count(RowRefused)}})
}

// ofCourse refuses a file of another course than the one that the session is on its platform, where that is known: its verdicts are of other exams, of people who may have
// booked this one too. Error: ErrResultsRefused.
func ofCourse(rows []resultRow, key string) error {
	for _, r := range rows {
		if r.refused == nil && key != "" && r.course != key {
			return unreadable(r.line, 1, "other-course", "The file is of another course than the session.")
		}
	}
	return nil
}

// sitter is somebody who booked exams of the session, as files may name her.
type sitter struct {
	EnrolmentID string `db:"enrolment_id"`
	Email       string `db:"email"`
	Username    string `db:"username"`
}

// takeResultsTx takes the rows of one learner in the order of their times, and learners in the order of their enrolments, which are held.
func (s *Service) takeResultsTx(ctx context.Context, tx *postgres.Tx, session catalog.Session, in ResultsIntake, rows []resultRow) ([]RowOutcome, error) {
	var sitters []sitter
	if err := tx.Select(ctx, &sitters, q.Q("Sitters"), session.ID, session.Platform); err != nil {
		return nil, err
	}
	byEmail, byName := map[string]string{}, map[string]string{}
	for _, p := range sitters {
		if p.Email != "" {
			byEmail[p.Email] = p.EnrolmentID
		}
		if p.Username != "" {
			byName[p.Username] = p.EnrolmentID
		}
	}
	out := make([]RowOutcome, len(rows))
	type due struct {
		enrolment string
		at        int
	}
	var all []due
	for i, r := range rows {
		mail, name := byEmail[r.email], byName[r.username]
		switch whose := cmp.Or(name, mail); {
		case r.refused != nil:
			out[i] = *r.refused
		case mail != "" && name != "" && mail != name:
			out[i] = refusedRow(r.line, errTwoPeople)
		case whose == "":
			out[i] = refusedRow(r.line, errNotBooked)
		default:
			all = append(all, due{whose, i})
		}
	}
	began := func(d due) time.Time {
		if at := rows[d.at].startedAt; at != nil {
			return *at
		}
		return tx.Now()
	}
	slices.SortStableFunc(all, func(a, b due) int {
		return cmp.Or(cmp.Compare(a.enrolment, b.enrolment), began(a).Compare(began(b)))
	})
	for _, d := range all {
		e, err := enrolment.LockTx(ctx, tx, d.enrolment)
		if err != nil {
			return nil, err
		}
		kind := in.Kind
		if rows[d.at].sample {
			kind = Practice
		}
		if out[d.at], err = s.takeResultTx(ctx, tx, e, kind, rows[d.at]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
