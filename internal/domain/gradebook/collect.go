package gradebook

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// The parts of what is collected, in the order in which they are read.
const (
	PartEnrolments = "enrolments" // who is enrolled, and who is not any more
	PartGradebook  = "gradebook"
	PartGrades     = "grades" // totals alone, where the gradebook is shut
)

// PageOf gives a page of a part of what the platform of a session says, of a group of learners or (0) of everybody. "" begins, and ends: the
// results are a list in the platform's own words. Where the platform gives none the error is a *Refusal.
type PageOf func(ctx context.Context, sessionID, part string, cohort int64, cursor string) (results json.RawMessage, next string, err error)

// Refusal is why a platform gives no page.
type Refusal struct {
	Code   string
	Shut   bool          // it does not let us read this part
	Passes bool          // it may be another time: the way is broken, or we are to come later
	Later  time.Duration // for which it asks us to wait; 0: it says nothing
}

func (r *Refusal) Error() string { return "the platform refuses: " + r.Code }

// CollectDue has what a platform says of a session read on, from the page on that was read last.
type CollectDue struct {
	SessionID string    `json:"session_id"`
	BegunAt   time.Time `json:"begun_at"`
}

// Kind names the job.
func (CollectDue) Kind() string { return "gradebook.collect_due" }

// Rank lets what people wait for go first.
func (CollectDue) Rank() int { return 2 }

// CollectNow has what its platform says of a session collected now; the next time stays. What is being collected is that, and what waits for
// its platform goes on at once. Errors: catalog.ErrNoSession, ErrNoSchedule.
func (s *Service) CollectNow(ctx context.Context, session string) (out Schedule, err error) {
	err = s.db.InTx(ctx, "collect now", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		if out, err = scheduleTx(ctx, tx, of.ID); err != nil {
			return err
		}
		waits, err := s.goOnTx(ctx, tx, of.ID)
		if err != nil {
			return err
		}
		if waits == 0 && (out.BegunAt == nil || tx.Now().Sub(*out.BegunAt) >= patience) {
			begun := begins(tx.Now())
			if _, err := tx.Exec(ctx, q.Q("BeginNow"), of.ID, begun); err != nil {
				return err
			}
			if err := s.jobs.EnqueueTx(ctx, tx, CollectDue{of.ID, begun}); err != nil {
				return err
			}
		}
		if out, err = scheduleTx(ctx, tx, of.ID); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "grades.collection_asked", Object: of.ID})
	})
	return out, err
}

// begins is the time of a collection, as exact as the books are.
func begins(now time.Time) time.Time { return now.UTC().Truncate(time.Microsecond) }

// AskCollections has collected what is due, and what waited go on, and gives the number of sessions; several workers may call it.
func (s *Service) AskCollections(ctx context.Context) (n int, err error) {
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "ask collections", func(ctx context.Context, tx *postgres.Tx) error {
		begun := begins(tx.Now())
		var due []string
		if err := tx.Select(ctx, &due, q.Q("BeginDue"), begun); err != nil {
			return err
		}
		for _, id := range due {
			if err := s.jobs.EnqueueTx(ctx, tx, CollectDue{id, begun}); err != nil {
				return err
			}
		}
		waited, err := s.goOnTx(ctx, tx, "")
		n = len(due) + waited
		return err
	})
	return n, err
}

// goOnTx has that of a session go on which waits for its platform; "" has all of them whose time has come.
func (s *Service) goOnTx(ctx context.Context, tx *postgres.Tx, sessionID string) (int, error) {
	var waited []struct {
		SessionID string    `db:"session_id"`
		BegunAt   time.Time `db:"begun_at"`
	}
	if err := tx.Select(ctx, &waited, q.Q("GoOn"), tx.Now(), sessionID); err != nil {
		return 0, err
	}
	for _, w := range waited {
		if err := s.jobs.EnqueueTx(ctx, tx, CollectDue{w.SessionID, w.BegunAt.UTC()}); err != nil {
			return 0, err
		}
	}
	return len(waited), nil
}

const (
	// turn is how long one job reads pages; what is left then is asked for anew.
	turn = 20 * time.Second
	// patience is how long after its beginning a collection is given up: what it says is of the time at which it began.
	patience = 6 * time.Hour
)

// afterRefusal is how long after a refusal that passes the next attempt is made, by their number; the last one for ever.
var afterRefusal = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}

// reading is what is read next; without a part, nothing is.
type reading struct {
	Part     string `json:"part"`
	Cohort   int    `json:"cohort"` // place among those of the schedule, counted from 1; read after the grades, 0: everybody
	Cursor   string `json:"cursor,omitempty"`
	Position int    `json:"position"`
	Listed   bool   `json:"listed"` // the list of enrolments was read
	Shut     bool   `json:"shut"`   // the gradebook was not
}

// after is what is read after a page.
func (r reading) after(next string, cohorts int) reading {
	r.Position++
	if r.Cursor = next; next != "" {
		return r
	}
	switch {
	case r.Part == PartEnrolments:
		r.Part, r.Listed = PartGradebook, true
	case r.Cohort < cohorts && !r.Shut:
		r.Cohort++
	default:
		r.Part = ""
	}
	return r
}

// without is what is read instead of a part that is shut; false: nothing can be. A server key opens no lists: nobody leaves then.
func (r reading) without() (reading, bool) {
	switch {
	case r.Part == PartEnrolments:
		r.Part, r.Cursor = PartGradebook, ""
		return r, true
	case r.Part == PartGradebook && r.Cursor == "" && r.Cohort == 0:
		r.Part, r.Shut = PartGrades, true
		return r, true
	}
	return r, false
}

// Collect reads pages of what a platform says of a session, each of which is kept as it comes; when all are there they are imported as one
// collection of the time at which it was begun. Where the platform is out of reach it goes on later from the page where it stood; where it
// refuses, the schedule says why, and what was imported before stays.
func (s *Service) Collect(ctx context.Context, e CollectDue, pageOf PageOf) error {
	ctx = postgres.WithActor(ctx, "system")
	session, schedule, r, err := s.stands(ctx, e)
	if err != nil || schedule.BegunAt == nil || !schedule.BegunAt.Equal(e.BegunAt) {
		return err // ended, or begun anew
	}
	for over := time.After(turn); r.Part != "" && r.Cohort <= len(schedule.Cohorts); {
		cohort := PullCohort{}
		if r.Cohort > 0 {
			cohort = schedule.Cohorts[r.Cohort-1]
		}
		results, next, err := pageOf(ctx, e.SessionID, r.Part, cohort.ID, r.Cursor)
		var refused *Refusal
		switch {
		case errors.As(err, &refused) && refused.Shut:
			instead, other := r.without()
			if !other {
				return s.endCollecting(ctx, e, "", refused.Code)
			}
			r = instead
			continue
		case refused != nil:
			return s.waitOrEnd(ctx, e, schedule, *refused)
		case err != nil:
			return err
		}
		line, learners, err := lineOf(r.Part, cohort.Name, results)
		if err != nil {
			return s.waitOrEnd(ctx, e, schedule, Refusal{Code: "broken_answer", Passes: true})
		}
		r = r.after(next, len(schedule.Cohorts))
		mine, err := s.keepPage(ctx, e, r, line, learners)
		if err != nil || !mine {
			return err // another worker reads on
		}
		select {
		case <-over:
			return s.db.InTx(ctx, "collect on", func(ctx context.Context, tx *postgres.Tx) error { return s.jobs.EnqueueTx(ctx, tx, e) })
		default:
		}
	}
	return s.importPull(ctx, e, session, r)
}

// stands is where a collection stands.
func (s *Service) stands(ctx context.Context, e CollectDue) (session catalog.Session, schedule Schedule, r reading, err error) {
	err = s.db.View(ctx, "collecting", func(ctx context.Context, tx *postgres.Tx) error {
		if session, err = catalog.SessionTx(ctx, tx, e.SessionID); err != nil {
			return err
		}
		if schedule, err = scheduleTx(ctx, tx, e.SessionID); err != nil {
			return err
		}
		var next []byte
		r = reading{Part: PartEnrolments}
		if err := tx.Get(ctx, &next, q.Q("LastPage"), e.SessionID, e.BegunAt); errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		r = reading{}
		return json.Unmarshal(next, &r)
	})
	return session, schedule, r, err
}

// keepPage keeps a page with what is read after it; false: another worker kept it.
func (s *Service) keepPage(ctx context.Context, e CollectDue, then reading, line []byte, learners int) (mine bool, err error) {
	next, err := json.Marshal(then)
	if err != nil {
		return false, err
	}
	err = s.db.InTx(ctx, "keep page", func(ctx context.Context, tx *postgres.Tx) error {
		n, err := tx.Exec(ctx, q.Q("AddPage"), e.SessionID, e.BegunAt, then.Position, line, learners, next)
		mine = n == 1
		return err
	})
	return mine, err
}

// lineOf writes a page as it is kept, and gives the number of learners in it whom no other page names. Of a cohort the members are enough.
func lineOf(part, cohort string, results json.RawMessage) (line []byte, learners int, err error) {
	var named []struct {
		Username string `json:"username"`
	}
	if err := json.Unmarshal(results, &named); err != nil {
		return nil, 0, err
	}
	if cohort == "" {
		if part != PartEnrolments {
			learners = len(named)
		}
		line, err = json.Marshal(map[string]json.RawMessage{part: results})
		return line, learners, err
	}
	members := []string{}
	for _, m := range named {
		members = append(members, m.Username)
	}
	line, err = json.Marshal(map[string]any{"cohort": cohort, "members": members})
	return line, 0, err
}

// waitOrEnd has a collection go on later where what hinders it may pass, and ends it where it does not.
func (s *Service) waitOrEnd(ctx context.Context, e CollectDue, schedule Schedule, refused Refusal) error {
	wait := max(refused.Later, afterRefusal[min(schedule.Attempts, len(afterRefusal)-1)])
	given := false
	err := s.db.InTx(ctx, "wait for platform", func(ctx context.Context, tx *postgres.Tx) error {
		at := tx.Now().Add(wait)
		if given = !refused.Passes || at.Sub(e.BegunAt) > patience; given {
			return nil
		}
		_, err := tx.Exec(ctx, q.Q("WaitCollecting"), e.SessionID, e.BegunAt, at, refused.Code)
		return err
	})
	if err != nil || !given {
		return err
	}
	return s.endCollecting(ctx, e, "", refused.Code)
}

// importPull imports the pages that were kept.
func (s *Service) importPull(ctx context.Context, e CollectDue, session catalog.Session, r reading) error {
	var lines [][]byte
	if err := s.db.View(ctx, "pages", func(ctx context.Context, tx *postgres.Tx) error {
		lines = nil
		return tx.Select(ctx, &lines, q.Q("Pages"), e.SessionID, e.BegunAt)
	}); err != nil {
		return err
	}
	head, err := json.Marshal(map[string]pullBegun{"pull": {Course: session.PlatformKey, CollectedAt: e.BegunAt, Exercises: !r.Shut, Enrolments: r.Listed}})
	if err != nil {
		return err
	}
	content := bytes.Join(append([][]byte{head}, lines...), []byte{'\n'})
	c, err := s.Import(ctx, Intake{SessionID: e.SessionID, FileName: "pull.ndjson", CollectedAt: e.BegunAt, Content: content, Only: Pulled, Via: "pull"})
	if f := (*fault.Fault)(nil); errors.As(err, &f) && f.Kind != fault.Unavailable && f.Kind != fault.Internal {
		return s.endCollecting(ctx, e, "", f.Code)
	}
	if err != nil {
		return err
	}
	return s.endCollecting(ctx, e, c.ID, "")
}

func (s *Service) endCollecting(ctx context.Context, e CollectDue, collection, failure string) error {
	return s.db.InTx(ctx, "end collecting", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("DropPages"), e.SessionID, e.BegunAt); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, q.Q("EndCollecting"), e.SessionID, e.BegunAt, collection, failure)
		return err
	})
}
