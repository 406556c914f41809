package confidence

import (
	"context"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// usualDays are the steps at which learners are reminded where nobody says otherwise.
var usualDays = pq.Int64Array{21, 7, 2}

// Plan says when the learners of a session are reminded of the exam that they may sit and have not booked: so many days before it can be booked no
// more; none: nobody is. HoldOut of a thousand, drawn by lot, are neither reminded nor called.
type Plan struct {
	Session string  `json:"session"` // key
	Days    []int64 `json:"days"`
	HoldOut int     `json:"hold_out"`
	Version int     `json:"-"` // 0: nobody wrote one, and this is what the house does by itself
}

// PlanTx gives the plan of a session. Error: catalog.ErrNoSession.
func PlanTx(ctx context.Context, tx *postgres.Tx, session string) (Plan, error) {
	s, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Session: s.Key, Days: usualDays}
	var rows []struct {
		Days    pq.Int64Array `db:"days"`
		HoldOut int           `db:"hold_out_ppt"`
		Version int           `db:"version"`
	}
	err = tx.Select(ctx, &rows, q.Q("Plan"), s.ID)
	if len(rows) > 0 {
		p.Days, p.HoldOut, p.Version = rows[0].Days, rows[0].HoldOut, rows[0].Version
	}
	return p, err
}

// PutPlanTx writes the plan of a session over the version that was read; 0 stands for none yet, and -1 for any. Errors: catalog.ErrNoSession,
// ErrChanged.
func PutPlanTx(ctx context.Context, tx *postgres.Tx, session string, version int, p Plan) error {
	s, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return err
	}
	days := append([]int64{}, slices.Compact(slices.Sorted(slices.Values(p.Days)))...) // none is an empty list
	slices.Reverse(days)
	var wrong []fault.Field
	if len(p.Days) > 10 || slices.ContainsFunc(days, func(d int64) bool { return d < 1 || d > 365 }) {
		wrong = append(wrong, fault.Field{Pointer: "/days", Code: "out-of-range", Detail: "At most ten steps, of 1 to 365 days."})
	}
	if p.HoldOut < 0 || p.HoldOut > 500 {
		wrong = append(wrong, fault.Field{Pointer: "/hold_out", Code: "out-of-range", Detail: "0 to 500 of a thousand."})
	}
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	if err := audit.HoldTx(ctx, tx, "exam reminders/"+s.ID); err != nil {
		return err
	}
	before, err := PlanTx(ctx, tx, s.ID)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, q.Q("PutPlan"), s.ID, pq.Array(days), p.HoldOut, version, postgres.Author(ctx), tx.Now())
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrChanged
	}
	p.Session, p.Days = s.Key, days
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_reminders.changed", Object: s.ID, Before: before, After: p})
}

// Window is a session whose exam can be booked until ClosesAt, with the step of its plan that has come.
type Window struct {
	SessionID string
	Key       string
	ClosesAt  time.Time
	Step      int
	HoldOut   int
}

// stepAt gives the step that has come at an instant: the one that is nearest to the end. False: none has.
func stepAt(days []int64, closes, at time.Time) (int, bool) {
	step := int64(0)
	for _, d := range days {
		if !at.Before(closes.AddDate(0, 0, -int(d))) && (step == 0 || d < step) {
			step = d
		}
	}
	return int(step), step > 0 && at.Before(closes)
}

// WindowsTx lists the sessions in which somebody may have to be reminded now.
func WindowsTx(ctx context.Context, tx *postgres.Tx) (all []Window, err error) {
	var rows []struct {
		SessionID string        `db:"session_id"`
		Key       string        `db:"key"`
		ClosesAt  time.Time     `db:"closes_at"`
		Days      pq.Int64Array `db:"days"`
		HoldOut   int           `db:"hold_out_ppt"`
	}
	err = tx.Select(ctx, &rows, q.Q("Windows"), tx.Now(), usualDays)
	for _, r := range rows {
		if step, come := stepAt(r.Days, r.ClosesAt, tx.Now()); come {
			all = append(all, Window{r.SessionID, r.Key, r.ClosesAt, step, r.HoldOut})
		}
	}
	return all, err
}

// Waits is somebody who may sit the exam, can book it, and did not.
type Waits struct {
	EnrolmentID string `db:"enrolment_id"`
	LearnerID   string `db:"learner_id"`
	HeldOut     bool   `db:"held_out"` // drawn by lot to be left alone
}

// ToRemindTx lists who is to be reminded at the step of a window: each step once, and none after a nearer one.
func ToRemindTx(ctx context.Context, tx *postgres.Tx, w Window, most int) (all []Waits, err error) {
	return all, tx.Select(ctx, &all, q.Q("ToRemind"), w.SessionID, tx.Now(), w.Step, w.HoldOut, most)
}

// What became of a reminder.
const (
	Written = "written"
	HeldOut = "held_out"
	Skipped = "skipped" // she refuses such mails, or has no address
)

// NoteRemindersTx notes the reminders of a step, each with what became of it by enrolment. A step that was noted stays as it is.
func NoteRemindersTx(ctx context.Context, tx *postgres.Tx, w Window, people []Waits, outcome map[string]string) error {
	var ids, learners, became []string
	for _, p := range people {
		ids, learners, became = append(ids, p.EnrolmentID), append(learners, p.LearnerID), append(became, outcome[p.EnrolmentID])
	}
	_, err := tx.Exec(ctx, q.Q("NoteReminders"), w.SessionID, w.Step, tx.Now(), pq.Array(ids), pq.Array(learners), pq.Array(became))
	return err
}

// StillWaitsTx says whether an enrolment may be booked and is not, right before it is written to.
func StillWaitsTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) (waits bool, err error) {
	return waits, tx.Get(ctx, &waits, q.Q("StillWaits"), enrolmentID, tx.Now())
}
