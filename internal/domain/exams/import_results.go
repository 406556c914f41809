package exams

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
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
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ResultsIntake is a file of results to take in. Kind is the exam that it is of; samples are of the practice exam.
type ResultsIntake struct {
	Session  string // id or key
	Kind     Kind   // empty: the proctored one
	FileName string
	Content  []byte
	DryRun   bool // say what would change, and change nothing
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
	Replayed   bool // the same bytes were taken in before, whole
	DryRun     bool
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

// What is wrong with a row that can be read.
var (
	errNotBooked    = fault.New(fault.Unprocessable, "not-booked", "Nobody of this name or address had booked this exam when the attempt began.")
	errTwoPeople    = fault.New(fault.Unprocessable, "two-people", "The username and the address are of two people.")
	errOtherAttempt = fault.New(fault.Unprocessable, "other-attempt", "The sitting has an attempt of another code, which is not over or may not be resumed.")
	errCodeOfOther  = fault.New(fault.Unprocessable, "code-of-another", "The code is of an attempt of somebody else, or of another exam.")
	errByPerson     = fault.New(fault.Unprocessable, "decided-by-person", "A person decided about this attempt: a file does not.")
	errAhead        = fault.New(fault.Unprocessable, "out-of-range", "A time that has passed.")
)

// ImportResults takes a file of results in, in one transaction: each row moves the attempt that it names along the edges of its table, or stands
// in the outcome with the reason why not. The same bytes again change nothing; where rows of it were refused, they are tried again.
// Errors: ErrResultsRefused, ErrResultsTooLarge, catalog.ErrNoSession, ErrNoExam.
func (s *Service) ImportResults(ctx context.Context, in ResultsIntake) (out Results, err error) {
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
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "import exam results", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if out, err = s.importResultsTx(ctx, tx, in, rows); err == nil && in.DryRun {
			err = errDryRun
		}
		return err
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return out, err
}

func (s *Service) importResultsTx(ctx context.Context, tx *postgres.Tx, in ResultsIntake, rows []resultRow) (Results, error) {
	session, err := catalog.LockSessionTx(ctx, tx, in.Session)
	if err != nil {
		return Results{}, err
	}
	out := Results{ID: ident.New("erf"), SessionKey: session.Key, Kind: in.Kind, FileName: in.FileName, DryRun: in.DryRun}
	sum := sha256.Sum256(in.Content)
	var before struct {
		ID       string `db:"id"`
		FileName string `db:"file_name"`
		Outcomes []byte `db:"outcomes"`
		Refused  int    `db:"refused"`
	}
	switch err := tx.Get(ctx, &before, q.Q("ResultFile"), session.ID, in.Kind, sum[:]); {
	case err == nil && before.Refused == 0:
		out.ID, out.FileName, out.Replayed = before.ID, before.FileName, true
		return out, json.Unmarshal(before.Outcomes, &out.Rows)
	case err == nil:
		out.ID = before.ID
	case !errors.Is(err, sql.ErrNoRows):
		return out, err
	}
	if _, err := ExamTx(ctx, tx, session.ID, in.Kind); err != nil {
		return out, err
	}
	if out.Rows, err = s.takeResultsTx(ctx, tx, session, in, rows); err != nil {
		return out, err
	}
	said, err := json.Marshal(out.Rows)
	if err != nil {
		return out, err
	}
	if _, err := tx.Exec(ctx, q.Q("KeepResultFile"), out.ID, session.ID, in.Kind, sum[:], in.FileName, string(said), out.Count(RowRefused), postgres.Author(ctx), tx.Now()); err != nil {
		return out, err
	}
	return out, audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_results.imported", Object: out.ID, Detail: map[string]any{"session": session.ID, "kind": in.Kind,
		"new": out.Count(RowNew), "changed": out.Count(RowChanged), "unchanged": out.Count(RowUnchanged), "refused": out.Count(RowRefused)}})
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

// takeResultTx takes one row about an enrolment, which the caller holds. A refusal is an outcome; an error is of the database.
func (s *Service) takeResultTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, kind Kind, r resultRow) (RowOutcome, error) {
	if r.startedAt != nil && r.startedAt.After(tx.Now()) || r.completedAt != nil && r.completedAt.After(tx.Now()) {
		return refusedRow(r.line, errAhead), nil
	}
	x, a, fresh, refused, err := s.attemptOfRowTx(ctx, tx, e, kind, r)
	if err != nil || refused != nil {
		return refusedOr(r.line, refused), err
	}
	out := RowOutcome{Line: r.line, Outcome: RowUnchanged, SittingID: x.ID, To: a.State}
	if !fresh {
		out.From = a.State
	}
	events, refused := way(a.State, r.state)
	switch {
	case refused == nil && len(events) > 0 && a.Reviewer != "":
		return refusedRow(r.line, errByPerson), nil
	case refused == ErrPast: //nolint:errorlint // it is the table's own, and a nil one would be no error
		out.Code, out.Detail = refused.Code, refused.Detail
		return out, nil
	case refused != nil:
		return refusedRow(r.line, refused), nil
	}
	scored := r.scorePPM != nil && (a.ScorePPM == nil || *a.ScorePPM != *r.scorePPM)
	if scored && a.Reviewer != "" && a.ScorePPM != nil {
		return refusedRow(r.line, errByPerson), nil
	}
	bound := a.Code == ""
	if bound {
		if _, err := tx.Exec(ctx, q.Q("NameAttempt"), a.ID, r.code); err != nil {
			return out, err
		}
	}
	if !bound && !scored && len(events) == 0 {
		return out, nil
	}
	if scored {
		a.ScorePPM = r.scorePPM
	}
	if err := s.followRowTx(ctx, tx, &x, &a, events, r); err != nil {
		return out, err
	}
	out.To = a.State
	switch {
	case fresh:
		out.Outcome = RowNew
	case scored || len(events) > 0:
		out.Outcome = RowChanged
	}
	return out, nil
}

func refusedOr(line int, f *fault.Fault) RowOutcome {
	if f == nil {
		return RowOutcome{}
	}
	return refusedRow(line, f)
}

// attemptOfRowTx finds the attempt that a row is of: that of its code, or the one without a code of the sitting that was booked when it began.
// Where the sitting has none it is opened. fresh: it was.
func (s *Service) attemptOfRowTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, kind Kind, r resultRow) (x Sitting, a Attempt, fresh bool, refused *fault.Fault, err error) {
	switch err := tx.Get(ctx, &a, q.Q("AttemptByCode"), r.code); {
	case err == nil:
		x, err := SittingTx(ctx, tx, a.SittingID)
		if err == nil && (x.EnrolmentID != e.ID || x.Kind != kind) {
			refused = errCodeOfOther
		}
		return x, a, false, refused, err
	case !errors.Is(err, sql.ErrNoRows):
		return x, a, false, nil, err
	}
	sittings, err := ofEnrolmentTx(ctx, tx, e.ID, kind)
	if err != nil {
		return x, a, false, nil, err
	}
	i := slices.IndexFunc(sittings, func(x Sitting) bool { // the latest first
		return x.State != Canceled && (r.startedAt == nil || !r.startedAt.Before(x.BookedAt))
	})
	if i < 0 {
		return x, a, false, errNotBooked, nil
	}
	x = sittings[i]
	last, found, err := lastAttemptTx(ctx, tx, x.ID)
	switch {
	case err != nil:
		return x, a, false, nil, err
	case found && last.Code == "" && last.State != ReadyToResume:
		return x, last, false, nil, nil
	case found && last.State != ReadyToResume:
		return x, a, false, errOtherAttempt, nil
	case x.State != Booked:
		return x, a, false, ErrDecided, nil
	}
	d, exam, err := DecideTx(ctx, tx, e, kind)
	if err != nil {
		return x, a, false, nil, err
	}
	if !d.Fit() { // the calendar does not matter any more: it is over
		return x, a, false, d.refusal(), nil
	}
	limit := exam.LimitMinutes
	if r.minutes > 0 {
		limit = r.minutes // with what she was allowed
	} else if more, err := accommodationTx(ctx, tx, e.ID); err != nil {
		return x, a, false, nil, err
	} else {
		limit = more.Limit(limit)
	}
	if found {
		if err := s.moveAttemptTx(ctx, tx, &last, EvResume, ""); err != nil {
			return x, a, false, nil, err
		}
	}
	a, err = addAttemptTx(ctx, tx, x, last.N+1, limit*60)
	return x, a, true, nil, err
}

// along are the states through which an attempt goes when nothing happens to it.
var along = []AttemptState{Created, Downloading, ReadyToStart, Started, ReadyToSubmit, Submitted}

// way is the shortest row of events that leads from a state to another along the edges, through no state that nobody told of; none where it
// stands there. What people alone may do is not among them. The refusal is that of the table.
func way(from, to AttemptState) ([]AttemptEvent, *fault.Fault) {
	type step struct {
		state  AttemptState
		events []AttemptEvent
	}
	seen := map[AttemptState]bool{from: true}
	for row := []step{{from, nil}}; len(row) > 0; row = row[1:] {
		if row[0].state == to {
			return row[0].events, nil
		}
		for _, e := range Events() {
			next, ok := edges[row[0].state][e]
			if !ok || seen[next] || e == EvAllowResume || e == EvResume || next != to && !slices.Contains(along, next) {
				continue
			}
			seen[next] = true
			row = append(row, step{next, append(slices.Clone(row[0].events), e)})
		}
	}
	switch {
	case AttemptLife.Terminal(from):
		return nil, ErrAttemptOver
	case rank[to] <= rank[from]:
		return nil, ErrPast
	}
	return nil, ErrNotYet
}

// followRowTx moves an attempt as a row says, notes what a review noticed, and writes the result to which that leads.
func (s *Service) followRowTx(ctx context.Context, tx *postgres.Tx, x *Sitting, a *Attempt, events []AttemptEvent, r resultRow) error {
	if a.StartedAt == nil && r.startedAt != nil && rank[r.state] >= rank[Started] && r.state != Declined && r.state != Expired {
		deadline := r.startedAt.Add(time.Duration(a.LimitSeconds) * time.Second)
		a.StartedAt, a.DeadlineAt = r.startedAt, &deadline
	}
	if a.SubmittedAt == nil && a.StartedAt != nil && r.completedAt != nil && rank[r.state] >= rank[Submitted] {
		a.SubmittedAt = r.completedAt
	}
	for _, e := range events {
		if err := s.moveAttemptTx(ctx, tx, a, e, "file of results"); err != nil {
			return err
		}
	}
	if len(events) == 0 {
		if err := storeAttempt(ctx, tx, a); err != nil {
			return err
		}
	}
	var known []Incident
	if len(r.findings) > 0 {
		if err := tx.Select(ctx, &known, q.Q("Incidents"), x.ID); err != nil {
			return err
		}
	}
	for _, i := range r.findings {
		if slices.ContainsFunc(known, func(k Incident) bool { return k.Note == i.Note }) {
			continue
		}
		if _, err := s.ReportTx(ctx, tx, x.ID, i); err != nil {
			return err
		}
	}
	return s.settleTx(ctx, tx, x, *a)
}
