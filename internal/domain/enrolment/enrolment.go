// Package enrolment holds the right to learn: one enrolment per learner and session, however often she leaves and returns.
package enrolment

import (
	"context"
	_ "embed"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("enrolment", queriesSQL)

// ImportTx finds or makes the enrolments of learners in a session and gives learner → enrolment, and the enrolments that are new.
// A new one opens its journey at the time that `at` gives for its learner, because of `cause`.
func ImportTx(ctx context.Context, tx *postgres.Tx, sessionID string, learners []string, at func(learnerID string) time.Time, cause string) (all map[string]string, fresh map[string]bool, err error) {
	var known []struct {
		LearnerID string `db:"learner_id"`
		ID        string `db:"id"`
	}
	if err := tx.Select(ctx, &known, q.Q("Known"), sessionID, pq.Array(learners)); err != nil {
		return nil, nil, err
	}
	all = make(map[string]string, len(learners))
	for _, k := range known {
		all[k.LearnerID] = k.ID
	}
	fresh = map[string]bool{}
	var ids, people, opened []string
	var openings []journey.Opening
	for _, l := range learners {
		if all[l] != "" {
			continue
		}
		id := ident.New("enr")
		all[l], fresh[id] = id, true
		since := at(l)
		ids, people, opened = append(ids, id), append(people, l), append(opened, since.UTC().Format(time.RFC3339Nano))
		openings = append(openings, journey.Opening{EnrolmentID: id, SessionID: sessionID, LearnerID: l, At: since, Cause: cause})
	}
	if len(ids) == 0 {
		return all, nil, nil
	}
	if _, err := tx.Exec(ctx, q.Q("Add"), pq.Array(ids), pq.Array(people), sessionID, pq.Array(opened)); err != nil {
		return nil, nil, err
	}
	return all, fresh, journey.OpenTx(ctx, tx, openings)
}

// Changed says that what an enrolment opens changed. It is enqueued by the statements that change it, for sessions that have a course on a
// learning platform.
type Changed struct {
	EnrolmentID string `json:"enrolment_id"`
}

// Kind names the job.
func (Changed) Kind() string { return "enrolment.changed" }

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "18", Name: "every enrolment has its journey", Query: q.Q("CheckJourneyOpen")},
		{Invariant: "18", Name: "the journey knows who has a paid formula in force", Query: q.Q("CheckQualifying")},
	}
}
