package confidence

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/cohorts/roster"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Scope is what a coach has to have.
const Scope = "coaching:write"

// Why somebody is on the list.
const (
	NotBooked  = "not_booked"   // she may sit the exam and did not book it
	DidNotCome = "did_not_come" // she booked it and was not there
)

// Outcomes are what can come of a call.
func Outcomes() []string {
	return []string{"reached", "no_answer", "call_back", "will_book", "will_not", "wrong_number"}
}

// Call is somebody to call: who may sit the exam, can do so for some time, and is not about to.
type Call struct {
	EnrolmentID string     `db:"enrolment_id"`
	LearnerID   string     `db:"learner_id"`
	SessionID   string     `db:"session_id"`
	SessionKey  string     `db:"session_key"`
	Name        string     `db:"full_name"`
	Reason      string     `db:"reason"`
	Since       time.Time  `db:"since"`
	ClosesAt    *time.Time `db:"closes_at"` // nil: nobody said
	Coach       string     `db:"coach"`     // id; empty: nobody
	CoachName   string     `db:"coach_name"`
	LastHow     string     `db:"last_how"` // the last reminder or call; empty: none
	LastOutcome string     `db:"last_outcome"`
	LastAt      *time.Time `db:"last_at"`
	Email       string     `db:"email"`  // empty: none, or she wants no reminders
	Number      string     `db:"number"` // empty: she did not agree to be called
	Standing    Standing   `db:"-"`
}

// DaysLeft is how many whole days are left at an instant; -1: nobody said until when.
func (c Call) DaysLeft(at time.Time) int {
	if c.ClosesAt == nil {
		return -1
	}
	return int(c.ClosesAt.Sub(at) / (24 * time.Hour))
}

// CallFilter says which calls are wanted; what is empty is not asked for. Coach `nobody`: those who have none.
type CallFilter struct{ SessionID, Coach, Reason string }

// key is where a call stands in the list: by the end of its window, then by its enrolment.
func (c Call) key() string {
	at := "infinity"
	if c.ClosesAt != nil {
		at = c.ClosesAt.UTC().Format(time.RFC3339Nano)
	}
	return at + " " + c.EnrolmentID
}

// CallsTx lists whom to call, those first whose time ends first, and the key after which the list goes on. Who was drawn by lot to be left alone is
// not on it. It is asked as the house, for a caller who has the Scope.
func CallsTx(ctx context.Context, tx *postgres.Tx, f CallFilter, p page.Request) (all []Call, next string, err error) {
	end, id := "infinity", ""
	if p.After != "" {
		var found bool
		if end, id, found = strings.Cut(p.After, " "); !found {
			return nil, "", page.ErrCursor
		}
		if _, err := time.Parse(time.RFC3339Nano, end); err != nil && end != "infinity" {
			return nil, "", page.ErrCursor
		}
	}
	if err := tx.Select(ctx, &all, q.Q("Calls"), f.SessionID, tx.Now(), f.Coach, f.Reason, end, id, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all = all[:p.Limit]
		next = all[p.Limit-1].key()
	}
	return all, next, tellTx(ctx, tx, all)
}

// tellTx adds how each stands, and leaves out the address and the number of who does not want to be reached by it.
func tellTx(ctx context.Context, tx *postgres.Tx, all []Call) error {
	people, enrolments := make([]string, len(all)), make([]string, len(all))
	for i, c := range all {
		people[i], enrolments[i] = c.LearnerID, c.EnrolmentID
	}
	mails, err := privacy.WordsTx(ctx, tx, privacy.Nudges, people...)
	if err != nil {
		return err
	}
	calls, err := privacy.ConsentsTx(ctx, tx, privacy.Calls, people...)
	if err != nil {
		return err
	}
	results, err := ResultsTx(ctx, tx, tx.Now(), enrolments...)
	if err != nil {
		return err
	}
	models := map[string]Model{}
	for i := range all {
		c := &all[i]
		if wants, said := mails[c.LearnerID]; said && !wants { // silence of a customer is none: the rules of mails that people may refuse
			c.Email = ""
		}
		if !calls[c.LearnerID] {
			c.Number = ""
		}
		m, known := models[c.SessionID]
		if !known {
			if m, err = ModelTx(ctx, tx, c.SessionID, tx.Now()); err != nil {
				return err
			}
			models[c.SessionID] = m
		}
		c.Standing = m.Of(results[c.EnrolmentID])
	}
	return nil
}

// perFile is how many rows of a file are read at once.
const perFile = 500

// WriteCallsTx writes the list as CSV. No cell begins as a formula does.
func WriteCallsTx(ctx context.Context, tx *postgres.Tx, f CallFilter, w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"enrolment", "name", "session", "reason", "days_left", "closes_at", "like_her_sat", "like_her_passed", "email", "number", "last_contact", "last_outcome", "coach"}); err != nil {
		return err
	}
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	for p := (page.Request{Limit: perFile}); ; {
		all, next, err := CallsTx(ctx, tx, f, p)
		if err != nil {
			return err
		}
		for _, c := range all {
			days, sat, passed := "", "", ""
			if left := c.DaysLeft(tx.Now()); left >= 0 {
				days = strconv.Itoa(left)
			}
			if c.Standing.By != "" {
				sat, passed = strconv.Itoa(c.Standing.Sat), strconv.Itoa(c.Standing.Passed)
			}
			if err := out.Write([]string{
				c.EnrolmentID, roster.Cell(c.Name), c.SessionKey, c.Reason, days, at(c.ClosesAt), sat, passed, roster.Cell(c.Email), roster.Cell(c.Number), at(c.LastAt),
				c.LastOutcome, roster.Cell(c.CoachName),
			}); err != nil {
				return err
			}
		}
		if next == "" {
			out.Flush()
			return out.Error()
		}
		p.After = next
	}
}

// NewCall is what came of a call.
type NewCall struct {
	Outcome string
	Note    string
}

// Contact is a reminder or a call of the past.
type Contact struct {
	How     string    `db:"how"`
	Step    *int      `db:"step"` // of a reminder: so many days before
	Outcome string    `db:"outcome"`
	Note    string    `db:"note"`
	By      string    `db:"by"`
	At      time.Time `db:"at"`
}

// NoteCallTx notes what came of a call; nothing of it is changed later. Errors: enrolment.ErrNoEnrolment, ErrHeldOut.
func NoteCallTx(ctx context.Context, tx *postgres.Tx, enrolmentID string, n NewCall) error {
	e, err := enrolment.OneTx(ctx, tx, enrolmentID)
	if err != nil {
		return err
	}
	var wrong []fault.Field
	if !slices.Contains(Outcomes(), n.Outcome) {
		wrong = append(wrong, fault.Field{Pointer: "/outcome", Code: "unknown-outcome", Detail: "One of " + strings.Join(Outcomes(), ", ") + "."})
	}
	if utf8.RuneCountInString(n.Note) > 1000 {
		wrong = append(wrong, fault.Field{Pointer: "/note", Code: "bad-length", Detail: "At most 1,000 characters."})
	}
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	var out bool
	if err := tx.Get(ctx, &out, q.Q("HeldOut"), e.ID); err != nil {
		return err
	}
	if out {
		return ErrHeldOut
	}
	if _, err := tx.Exec(ctx, q.Q("NoteCall"), e.ID, e.LearnerID, e.SessionID, n.Outcome, n.Note, postgres.Author(ctx), tx.Now()); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_call.noted", Object: e.ID, Detail: map[string]any{"outcome": n.Outcome}})
}

// ContactsTx lists the reminders and calls of an enrolment, the latest first.
func ContactsTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) ([]Contact, error) {
	if _, err := enrolment.OneTx(ctx, tx, enrolmentID); err != nil {
		return nil, err
	}
	all := []Contact{}
	return all, tx.Select(ctx, &all, q.Q("Contacts"), enrolmentID)
}

// AssignTx says who calls the learner of an enrolment; empty: nobody in particular. Errors: enrolment.ErrNoEnrolment, ErrNoCoach.
func AssignTx(ctx context.Context, tx *postgres.Tx, enrolmentID, coach string) error {
	e, err := enrolment.OneTx(ctx, tx, enrolmentID)
	if err != nil {
		return err
	}
	if coach != "" {
		if may, err := identity.MayTx(ctx, tx, coach, Scope); err != nil {
			return err
		} else if !may {
			return ErrNoCoach.At("/coach", ErrNoCoach.Code, ErrNoCoach.Detail)
		}
	}
	if err := audit.HoldTx(ctx, tx, "exam coach/"+e.ID); err != nil {
		return err
	}
	var before string
	if err := tx.Get(ctx, &before, q.Q("CoachOf"), e.ID); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("Assign"), e.ID, e.LearnerID, coach, postgres.Author(ctx), tx.Now()); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_call.assigned", Object: e.ID, Before: map[string]string{"coach": before}, After: map[string]string{"coach": coach}})
}

// Coach is somebody who calls learners.
type Coach struct {
	ID   string `db:"id"`
	Name string `db:"full_name"`
}

// CoachesTx lists those who have a role with which learners are called, by name.
func CoachesTx(ctx context.Context, tx *postgres.Tx) (all []Coach, err error) {
	return all, tx.Select(ctx, &all, q.Q("Coaches"), pq.Array(identity.RolesWith(Scope)))
}
