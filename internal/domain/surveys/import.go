package surveys

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Intake is a file to take in. A zero CollectedAt is read from the name of the file; rows that say themselves when they were answered need none.
type Intake struct {
	Session     string // id or key
	FileName    string
	CollectedAt time.Time
	Content     []byte
	Source      sheet.Source // in place of Content, of a file that is too large to be held
	Map         []Mapped     // of a survey; what is not said is proposed
	DryRun      bool         // say what would change, and change nothing
	Via         string       // by which way it came: page, api or command
}

// Import is what a file did. Replayed: the same was taken in before, and nothing was done.
type Import struct {
	ID          string    `db:"id" json:"id"`
	Moment      Moment    `db:"moment" json:"moment,omitempty"` // empty: of a forum
	FileName    string    `db:"file_name" json:"file_name"`
	Dialect     string    `db:"dialect" json:"dialect"`
	CollectedAt time.Time `db:"collected_at" json:"collected_at"`
	RecordedAt  time.Time `db:"recorded_at" json:"recorded_at"`
	New         int       `db:"rows_new" json:"rows_new"`
	Changed     int       `db:"rows_changed" json:"rows_changed"`
	Unchanged   int       `db:"rows_unchanged" json:"rows_unchanged"`
	Rejected    int       `db:"rows_rejected" json:"rows_rejected"`
	SHA256      string    `db:"sha256" json:"sha256,omitempty"` // of the bytes as they came, in hexadecimal; empty: before that was kept
	Bytes       int64     `db:"bytes" json:"bytes"`             // 0: likewise
	Via         string    `db:"via" json:"via,omitempty"`
	By          string    `db:"imported_by" json:"imported_by"`
	Replayed    bool      `db:"-" json:"replayed"`
	DryRun      bool      `db:"-" json:"dry_run"`
	Map         []Mapped  `db:"-" json:"mapping"`
	Outcomes    []Outcome `db:"-" json:"outcomes"`
}

var errDryRun = errors.New("dry run")

// intake is a file under way.
type intake struct {
	Import
	session catalog.Session
	source  sheet.Source
	file    []byte // SHA-256 of the bytes
	sum     []byte // of these and of how they are read
}

func (k *intake) say(o Outcome) {
	switch o.Outcome {
	case RowNew:
		k.New++
	case RowChanged:
		k.Changed++
	case RowUnchanged:
		k.Unchanged++
	default:
		k.Rejected++
	}
	k.Outcomes = append(k.Outcomes, o)
}

// source opens the bytes of the file.
func (in Intake) source() sheet.Source {
	if in.Source != nil {
		return in.Source
	}
	return sheet.Bytes(in.Content)
}

// begin finds the session, holds it and looks whether the same was taken in before.
func begin(ctx context.Context, tx *postgres.Tx, in Intake, dialect string, parts ...[]byte) (*intake, error) {
	s, err := catalog.LockSessionTx(ctx, tx, in.Session)
	if err != nil {
		return nil, err
	}
	k := &intake{session: s, source: in.source()}
	size, err := k.hash(parts)
	if err != nil {
		return nil, err
	}
	err = tx.Get(ctx, &k.Import, q.Q("ImportByContent"), s.ID, k.sum)
	if err == nil {
		k.Replayed = true
		k.Outcomes, err = OutcomesTx(ctx, tx, k.ID)
		return k, err
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	k.Import = Import{ID: ident.New("svi"), FileName: name(in.FileName), Dialect: dialect, CollectedAt: in.CollectedAt, RecordedAt: tx.Now(), DryRun: in.DryRun,
		SHA256: hex.EncodeToString(k.file), Bytes: size, Via: in.Via, By: postgres.Author(ctx)}
	if k.CollectedAt.IsZero() {
		k.CollectedAt, _ = sheet.MadeAt(k.FileName)
	}
	if k.CollectedAt.After(tx.Now()) {
		return nil, ErrFuture
	}
	return k, nil
}

// hash reads the bytes for what tells them from others.
func (k *intake) hash(parts [][]byte) (size int64, err error) {
	f, err := k.source()
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	of := sha256.New()
	if size, err = io.Copy(of, f); err != nil {
		return 0, err
	}
	k.file = of.Sum(nil)
	h := sha256.New()
	for _, p := range parts {
		sum := sha256.Sum256(p)
		h.Write(sum[:])
	}
	h.Write(k.file)
	k.sum = h.Sum(nil)
	return size, nil
}

// name is that of the file without its folder, short enough to be kept.
func name(s string) string {
	s = strings.ToValidUTF8(filepath.Base(s), "")
	if r := []rune(s); len(r) > 255 {
		s = string(r[:255])
	}
	return s
}

// atOnce is how many rows a statement takes: the export of a forum can have a million.
const atOnce = 20_000

// end keeps what became of the rows, and the bytes, and says so in the audit. A dry run keeps nothing.
func (k *intake) end(ctx context.Context, tx *postgres.Tx, action string) error {
	if k.DryRun {
		return nil
	}
	for some := range slices.Chunk(k.Outcomes, atOnce) {
		var lines, cols []int64
		var outcomes, codes, details []string
		for _, o := range some {
			lines, cols, outcomes, codes, details = append(lines, int64(o.Line)), append(cols, int64(o.Column)), append(outcomes, o.Outcome), append(codes, o.Code), append(details, o.Detail)
		}
		if _, err := tx.Exec(ctx, q.Q("AddOutcomes"), k.ID, pq.Array(lines), pq.Array(cols), pq.Array(outcomes), pq.Array(codes), pq.Array(details)); err != nil {
			return err
		}
	}
	if err := k.keep(ctx, tx); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: k.ID, Detail: map[string]any{
		"session": k.session.ID, "dialect": k.Dialect, "sha256": k.SHA256, "new": k.New, "changed": k.Changed, "unchanged": k.Unchanged, "rejected": k.Rejected,
	}})
}

// counted writes the row of the import, before what refers to it.
func (k *intake) counted(ctx context.Context, tx *postgres.Tx, questionnaire *string) error {
	_, err := tx.Exec(ctx, q.Q("AddImport"), k.ID, k.session.ID, questionnaire, k.sum, k.FileName, k.Dialect, k.CollectedAt, k.RecordedAt, k.New, k.Changed, k.Unchanged, k.Rejected, k.file, k.Bytes, k.Via, k.By)
	return err
}

// OutcomesTx lists what became of the rows of an import, in their order.
func OutcomesTx(ctx context.Context, tx *postgres.Tx, importID string) (all []Outcome, err error) {
	err = tx.Select(ctx, &all, q.Q("Outcomes"), importID)
	return all, err
}

// ImportsTx lists what was taken in for a session, the newest first. Errors: catalog.ErrNoSession.
func ImportsTx(ctx context.Context, tx *postgres.Tx, sessionRef, after string, limit int) (all []Import, err error) {
	s, err := session(ctx, tx, sessionRef)
	if err != nil {
		return nil, err
	}
	err = tx.Select(ctx, &all, q.Q("Imports"), s.ID, after, limit)
	return all, err
}

// ImportAnswers takes a file of answers in, once: the same bytes read the same way do nothing and say so. A row that cannot be read, or whose
// learner is not enrolled, is listed and left out. Errors: catalog.ErrNoSession and the faults of this room.
func (s *Service) ImportAnswers(ctx context.Context, m Moment, in Intake) (Import, error) {
	return s.take(ctx, "import survey", in, func(ctx context.Context, tx *postgres.Tx) (Import, error) { return ImportAnswersTx(ctx, tx, m, in) })
}

// take does it in a transaction; of a dry run nothing is left.
func (s *Service) take(ctx context.Context, name string, in Intake, do func(context.Context, *postgres.Tx) (Import, error)) (out Import, err error) {
	err = s.db.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if out, err = do(ctx, tx); err == nil && in.DryRun {
			return errDryRun
		}
		return err
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return out, err
}

// ImportAnswersTx is ImportAnswers within a transaction. Who asks for a dry run has to take the transaction back.
func ImportAnswersTx(ctx context.Context, tx *postgres.Tx, m Moment, in Intake) (Import, error) {
	raw, err := in.all(maxFileBytes)
	if err != nil {
		return Import{}, err
	}
	f, err := Parse(raw)
	if err != nil {
		return Import{}, err
	}
	x, err := PublishedTx(ctx, tx, in.Session, m)
	if err != nil {
		return Import{}, err
	}
	mapping, err := x.Map(f, in.Map)
	if err != nil {
		return Import{}, err
	}
	how, err := json.Marshal(mapping)
	if err != nil {
		return Import{}, err
	}
	k, err := begin(ctx, tx, in, f.Dialect, []byte(x.ID), how)
	if err != nil {
		return Import{}, err
	}
	if k.Map = mapping; !k.Replayed {
		k.Moment = m
		err = k.answers(ctx, tx, x, f)
	}
	return k.Import, err
}

// all are the bytes of a file of a kind that is never large.
func (in Intake) all(most int64) ([]byte, error) {
	if in.Source == nil {
		return in.Content, nil
	}
	f, err := in.Source()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if int64(len(raw)) > most {
		return nil, ErrTooLarge
	}
	return raw, err
}

func (k *intake) answers(ctx context.Context, tx *postgres.Tx, x Questionnaire, f File) error {
	if len(f.Rows) == 0 {
		return ErrNoRows
	}
	people, err := peopleTx(ctx, tx, k.session)
	if err != nil {
		return err
	}
	var fresh []response
	for _, o := range f.Rejects {
		k.say(o)
	}
	var all []response
	var lines []int
	anonymous := map[string][]int{}
	for _, l := range f.Rows {
		row := x.fill(l, k.Map)
		if f.Dialect == LimeSurvey && row.who[ToRespondent] != "" && slices.ContainsFunc(k.Map, func(m Mapped) bool { return m.Target == ToRespondent && isNumber(m.Column) }) {
			row.who[ToRespondent] = string(x.Moment) + "#" + row.who[ToRespondent] // the first of the opening is not the first of the closing
		}
		r, reject := people.response(row)
		if reject == nil {
			reject = k.date(&r, row, f.Dialect, tx.Now())
		}
		if reject != nil {
			k.say(*reject)
			continue
		}
		if r.EnrolmentID == "" {
			anonymous[r.Respondent] = append(anonymous[r.Respondent], len(all))
		}
		all, lines = append(all, r), append(lines, l.N)
	}
	if err := pseudonymsTx(ctx, tx, k.session, "surveys", anonymous, func(i int, p string) { all[i].Respondent = p }); err != nil {
		return err
	}
	kept, err := keptTx(ctx, tx, x.ID)
	if err != nil {
		return err
	}
	for i, r := range all {
		o := Outcome{Line: lines[i], Outcome: RowNew, Code: "answered"}
		for _, old := range kept[r.Respondent] {
			o.Outcome, o.Code = RowChanged, "answered-again"
			if old.At.Equal(r.At) && bytes.Equal(old.Said, hash(r.Rows)) {
				o.Outcome, o.Code = RowUnchanged, "known"
				break
			}
		}
		k.say(o)
		if o.Outcome != RowUnchanged {
			kept[r.Respondent] = append(kept[r.Respondent], keptResponse{r.Respondent, r.At, hash(r.Rows)})
			fresh = append(fresh, r)
		}
	}
	if k.CollectedAt.IsZero() {
		k.CollectedAt = tx.Now()
	}
	if err := k.counted(ctx, tx, &x.ID); err != nil {
		return err
	}
	if err := recordTx(ctx, tx, x, &k.ID, fresh); err != nil {
		return err
	}
	return k.end(ctx, tx, "survey.imported")
}

// date says when a row was answered: by its own cell, or when the file was made. LimeSurvey leaves the cell empty of who did not send her answers.
func (k *intake) date(r *response, row filled, dialect string, now time.Time) *Outcome {
	at, ok := timeOf(row.at)
	var reject Outcome
	switch {
	case row.atCol >= 0 && row.at == "" && dialect == LimeSurvey:
		reject = rejected(row.line, row.atCol+1, "not-submitted", "She did not send her answers.")
	case ok && at.After(now):
		reject = rejected(row.line, row.atCol+1, "in-the-future", "The row says that it was answered later than now.")
	case ok:
		r.At = at
		return nil
	case row.atCol >= 0 && row.at != "" && !strings.HasPrefix(row.at, "1980-01-01"):
		reject = rejected(row.line, row.atCol+1, "bad-time", "Not a time that is known: 2019-04-28 17:30:00.")
	case !k.CollectedAt.IsZero():
		r.At = k.CollectedAt
		return nil
	default:
		reject = rejected(row.line, 0, "no-time", "Neither the row nor the name of the file says when.")
	}
	return &reject
}

type keptResponse struct {
	Respondent string    `db:"respondent"`
	At         time.Time `db:"at"`
	Said       []byte    `db:"said"`
}

func keptTx(ctx context.Context, tx *postgres.Tx, questionnaireID string) (map[string][]keptResponse, error) {
	var rows []keptResponse
	err := tx.Select(ctx, &rows, q.Q("Kept"), questionnaireID)
	out := map[string][]keptResponse{}
	for _, r := range rows {
		out[r.Respondent] = append(out[r.Respondent], r)
	}
	return out, err
}
