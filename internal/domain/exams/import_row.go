package exams

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// What is wrong with a row that can be read.
var (
	errNotBooked    = fault.New(fault.Unprocessable, "not-booked", "Nobody of this name or address had booked this exam when the attempt began.")
	errTwoPeople    = fault.New(fault.Unprocessable, "two-people", "The username and the address are of two people.")
	errOtherAttempt = fault.New(fault.Unprocessable, "other-attempt", "The sitting has an attempt of another code, which is not over or may not be resumed.")
	errCodeOfOther  = fault.New(fault.Unprocessable, "code-of-another", "The code is of an attempt of somebody else, or of another exam.")
	errByPerson     = fault.New(fault.Unprocessable, "decided-by-person", "A person decided about this attempt: a file does not.")
	errAhead        = fault.New(fault.Unprocessable, "out-of-range", "A time that has passed.")
)

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
