package intakes

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Intake is a file as it was taken in, of whatever kind. It never changes. Of files that came before it was kept, Via and SHA256 are empty and Bytes is 0.
type Intake struct {
	ID          string    `db:"id" json:"id"`
	Kind        string    `db:"kind" json:"kind"` // that of the gradebook, opening, closing, forum or results
	FileName    string    `db:"file_name" json:"file_name"`
	CollectedAt time.Time `db:"collected_at" json:"collected_at"`
	RecordedAt  time.Time `db:"recorded_at" json:"recorded_at"`
	By          string    `db:"taken_by" json:"taken_by"`
	Via         string    `db:"via" json:"via,omitempty"`
	SHA256      string    `db:"sha256" json:"sha256,omitempty"`
	Bytes       int64     `db:"bytes" json:"bytes"`
	Kept        bool      `db:"kept" json:"kept"` // the bytes are there as they came
	Rows        int       `db:"rows" json:"rows"`
	New         int       `db:"added" json:"new"` // learners, answers, posts or attempts
	Left        int       `db:"gone" json:"left"`
	Back        int       `db:"back" json:"back"`
	Changed     int       `db:"changed" json:"changed"` // scores, answers, threads or attempts
	Unchanged   int       `db:"unchanged" json:"unchanged"`
	Rejected    int       `db:"rejected" json:"rejected"`
	Ignored     int       `db:"ignored" json:"ignored"`
}

// HistoryTx lists what was taken in for a session (id or key), the last first, whatever kind it is of. Errors: catalog.ErrNoSession, page.ErrCursor.
func HistoryTx(ctx context.Context, tx *postgres.Tx, session string, r page.Request) (all []Intake, next string, err error) {
	of, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return nil, "", err
	}
	var before *time.Time
	said, id, _ := strings.Cut(r.After, " ")
	if r.After != "" {
		at, err := time.Parse(time.RFC3339Nano, said)
		if err != nil {
			return nil, "", page.ErrCursor
		}
		before = &at
	}
	if err := tx.Select(ctx, &all, q.Q("History"), of.ID, before, id, r.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > r.Limit {
		all = all[:r.Limit]
		last := all[r.Limit-1]
		next = last.RecordedAt.UTC().Format(time.RFC3339Nano) + " " + last.ID
	}
	return all, next, nil
}

// IntakeTx finds one. Errors: catalog.ErrNoSession, ErrNoIntake.
func IntakeTx(ctx context.Context, tx *postgres.Tx, session, id string) (i Intake, err error) {
	of, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return i, err
	}
	if err = tx.Get(ctx, &i, q.Q("Intake"), of.ID, id); errors.Is(err, sql.ErrNoRows) {
		err = ErrNoIntake
	}
	return i, err
}

// Outcome is what became of a row of a file. Of grades, rows that say what the books say have none. Line is 0 of a learner whom the file does not
// name; LearnerID is empty where the row is nobody's, or its room does not keep whose.
type Outcome struct {
	Line        int    `json:"line"`
	Column      int    `json:"column"` // 0: the row as a whole
	Outcome     string `json:"outcome"`
	Code        string `json:"code,omitempty"`
	Detail      string `json:"detail,omitempty"`
	EnrolmentID string `json:"enrolment,omitempty"`
	SittingID   string `json:"sitting,omitempty"`
	First       int    `json:"first"`
	Raised      int    `json:"raised"`
	Lowered     int    `json:"lowered"`
	Dropped     int    `json:"dropped"`
	LearnerID   string `json:"-"`
}

// Rejected is the outcome of a row that was not taken, whatever its room calls that.
const Rejected = "rejected"

// OutcomesTx lists what became of the rows of an intake, in their order. Errors: those of IntakeTx, page.ErrCursor.
func OutcomesTx(ctx context.Context, tx *postgres.Tx, session, id string, r page.Request) (some []Outcome, next string, err error) {
	all, err := outcomesTx(ctx, tx, session, id)
	if err != nil {
		return nil, "", err
	}
	from := 0
	if r.After != "" {
		if from, err = strconv.Atoi(r.After); err != nil || from < 0 || from > len(all) {
			return nil, "", page.ErrCursor
		}
	}
	some = all[from:]
	if len(some) > r.Limit {
		some, next = some[:r.Limit], strconv.Itoa(from+r.Limit)
	}
	return some, next, learnersTx(ctx, tx, some)
}

func outcomesTx(ctx context.Context, tx *postgres.Tx, session, id string) (all []Outcome, err error) {
	of, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return nil, err
	}
	switch room(id) {
	case "svi":
		i, err := surveys.ImportTx(ctx, tx, of.ID, id)
		for _, o := range i.Outcomes {
			all = append(all, Outcome{Line: o.Line, Column: o.Column, Outcome: o.Outcome, Code: o.Code, Detail: o.Detail})
		}
		return all, orNoIntake(err, surveys.ErrNoImport)
	case "erf":
		r, err := exams.ResultsTx(ctx, tx, of.ID, id)
		for _, o := range r.Rows {
			x := Outcome{Line: o.Line, Column: o.Column, Outcome: o.Outcome, Code: o.Code, Detail: o.Detail, SittingID: o.SittingID}
			if o.Outcome == exams.RowRefused {
				x.Outcome = Rejected
			}
			all = append(all, x)
		}
		return all, orNoIntake(err, exams.ErrNoResults)
	}
	rows, err := gradebook.OutcomesTx(ctx, tx, of.ID, id)
	if err != nil {
		return nil, orNoIntake(err, gradebook.ErrNoCollection)
	}
	for _, o := range rows {
		all = append(all, Outcome{Line: o.Line, Column: o.Column, Outcome: o.Outcome, Code: o.Code, Detail: o.Detail, EnrolmentID: o.EnrolmentID, First: o.First, Raised: o.Raised, Lowered: o.Lowered, Dropped: o.Dropped})
	}
	return all, nil
}

// learnersTx says whose enrolments are.
func learnersTx(ctx context.Context, tx *postgres.Tx, all []Outcome) error {
	ids := make([]string, 0, len(all))
	for _, o := range all {
		if o.EnrolmentID != "" {
			ids = append(ids, o.EnrolmentID)
		}
	}
	var rows []struct {
		ID        string `db:"id"`
		LearnerID string `db:"learner_id"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Learners"), pq.Array(ids)); err != nil {
		return err
	}
	whose := make(map[string]string, len(rows))
	for _, r := range rows {
		whose[r.ID] = r.LearnerID
	}
	for i := range all {
		all[i].LearnerID = whose[all[i].EnrolmentID]
	}
	return nil
}

func orNoIntake(err, none error) error {
	if errors.Is(err, none) {
		return ErrNoIntake
	}
	return err
}

// room is the beginning of an id, which says which room took a file in.
func room(id string) string {
	r, _, _ := strings.Cut(id, "_")
	return r
}

// OfExams says that an intake is of results, whose bytes are for who looks after exams.
func OfExams(id string) bool { return room(id) == "erf" }

// Open gives the bytes of an intake of a session (id or key) as they came; what is read of it may be read after ctx has ended. Errors: those of IntakeTx, and a
// NotFound where the bytes are not kept.
func (s *Service) Open(ctx context.Context, session, id string) (i Intake, body io.Reader, err error) {
	ctx = asSystem(ctx)
	err = s.db.View(ctx, "intake", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if i, err = IntakeTx(ctx, tx, session, id); err != nil || !OfExams(id) {
			return err
		}
		_, content, err := exams.ResultsFileTx(ctx, tx, session, id)
		body = strings.NewReader(string(content))
		return err
	})
	if err != nil || body != nil {
		return i, body, err
	}
	if room(id) == "svi" {
		_, body, err = s.surveys.File(ctx, session, id)
		return i, body, err
	}
	_, content, err := s.gradebook.File(ctx, session, id)
	return i, strings.NewReader(string(content)), err
}
