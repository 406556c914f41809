package exams

import (
	"context"
	"time"

	"cursus/internal/platform/postgres"
)

// What waits in the queue of exams.
const (
	QueueReview   = "review"        // an attempt that nobody has reviewed, or that broke off
	QueueSecond   = "second_review" // one that a provider found suspicious
	QueueIncident = "incident"      // of a sitting that has no result
	QueueAppeal   = "appeal"
)

// QueueItem is something about exams that waits for a person, since At.
type QueueItem struct {
	Kind        string    `db:"kind"`
	ID          string    `db:"id"` // of the sitting; of an appeal: its own
	EnrolmentID string    `db:"enrolment_id"`
	SessionKey  string    `db:"session_key"`
	FullName    string    `db:"full_name"`
	Detail      string    `db:"detail"`   // the state of the attempt, or what the incident is
	Severity    int       `db:"severity"` // of an incident
	Proposal    string    `db:"proposal"` // of who proctored
	At          time.Time `db:"at"`
}

// QueueTx lists all that waits for a person, the oldest first, 200 at most: reviews, second reviews, incidents and appeals in one row.
func QueueTx(ctx context.Context, tx *postgres.Tx) ([]QueueItem, error) {
	all := []QueueItem{}
	err := tx.Select(ctx, &all, q.Q("Queue"))
	return all, err
}
