package certificates

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// How a batch is worked on: so many learners in a transaction, which holds the chain of the audit, and so many of these in one job, which may take a
// minute.
const (
	chunk     = 50
	chunks    = 20
	mostShown = 200 // of those who were refused
)

// Faults of batches.
var (
	ErrNoBatch = fault.New(fault.NotFound, "no-such-batch", "There is no such batch.")
	ErrBatch   = fault.New(fault.Conflict, "batch-runs-already", "Certificates of this kind are being issued there already.")
	ErrNobody  = fault.New(fault.Unprocessable, "nobody-to-certify", "Nobody there has earned a certificate of this kind and has none.")
)

func init() { postgres.RegisterConstraint("one_batch_at_a_time", ErrBatch) }

// Batch is certificates issued for a whole session or edition at once. First each learner is judged, then each certificate is printed; both go on
// where they were interrupted.
type Batch struct {
	ID        string     `json:"id" db:"id"`
	Kind      string     `json:"kind" db:"kind"`
	Of        string     `json:"of" db:"of"`           // session or edition
	Subject   string     `json:"subject" db:"subject"` // its key
	State     string     `json:"state" db:"-"`         // awarding, printing or done
	Total     int        `json:"total" db:"total"`     // learners
	Waiting   int        `json:"waiting" db:"waiting"`
	Issued    int        `json:"issued" db:"issued"`
	Refused   int        `json:"refused" db:"refused"`
	Printed   int        `json:"printed" db:"printed"`
	MadeBy    string     `json:"-" db:"made_by"`
	MadeAt    time.Time  `json:"made_at" db:"made_at"`
	AwardedAt *time.Time `json:"awarded_at,omitempty" db:"awarded_at"`
	Refusals  []Refusal  `json:"refusals" db:"-"` // the first of them
}

// Refusal is a learner who was given none, and the code of the fault that says why.
type Refusal struct {
	LearnerID string `json:"learner_id" db:"learner_id"`
	Problem   string `json:"problem" db:"problem"`
}

func (b Batch) stated() Batch {
	switch {
	case b.Waiting > 0:
		b.State = "awarding"
	case b.Printed < b.Issued:
		b.State = "printing"
	default:
		b.State = "done"
	}
	if b.Refusals == nil {
		b.Refusals = []Refusal{}
	}
	return b
}

// Percent is how far the batch is: half of the way to be judged, half to be printed.
func (b Batch) Percent() int {
	if b.Total == 0 {
		return 100
	}
	done := 2*b.Refused + b.Issued + b.Printed
	return done * 100 / (2 * b.Total)
}

// BatchDue says that there are learners of a batch to judge.
type BatchDue struct {
	BatchID string `json:"batch_id"`
}

// Kind names the job.
func (BatchDue) Kind() string { return "certificates.batch_due" }

// NewBatch says for whom certificates are issued: Session or Edition by its key, as the kind asks.
type NewBatch struct {
	Kind    string `json:"kind"`
	Session string `json:"session"`
	Edition string `json:"edition"`
}

// Issue begins to issue the certificates that are earned and not yet given, once per key. Errors: ErrNoKind, ErrNobody, ErrBatch; a session or an
// edition that is not there is that room's.
func (s *Service) Issue(ctx context.Context, key string, n NewBatch) (Batch, error) {
	request, err := json.Marshal(n)
	if err != nil {
		return Batch{}, err
	}
	reply, _, err := s.replies.Do(ctx, postgres.Actor(ctx), key, "issue certificates "+string(request), func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		id := ident.New("bat")
		what, err := subjectTx(ctx, tx, Earned{Kind: n.Kind, Session: n.Session, Edition: n.Edition})
		if err != nil {
			return idempotency.Reply{}, err
		}
		if _, err := tx.Exec(ctx, q.Q("AddBatch"), id, n.Kind, what.sessionID, what.editionID, n.Session+n.Edition, postgres.Actor(ctx), tx.Now()); err != nil {
			return idempotency.Reply{}, err
		}
		var found int64
		if what.editionID != "" {
			found, err = tx.Exec(ctx, q.Q("AddEditionItems"), id, what.editionID, n.Kind, what.kind.Entitlement)
		} else {
			found, err = tx.Exec(ctx, q.Q("AddSessionItems"), id, what.sessionID, n.Kind, map[string]int{Succeeded: 1<<6 | 1, ExamPassed: 1 << 10}[what.kind.Stage])
		}
		if err != nil {
			return idempotency.Reply{}, err
		}
		if found == 0 {
			return idempotency.Reply{}, ErrNobody
		}
		if err := s.jobs.EnqueueTx(ctx, tx, BatchDue{id}); err != nil {
			return idempotency.Reply{}, err
		}
		return idempotency.Reply{Status: http.StatusCreated, Body: []byte(id)},
			audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate_batch.asked", Object: id, Detail: map[string]any{"kind": n.Kind, "subject": n.Session + n.Edition, "learners": found}})
	})
	if err != nil {
		return Batch{}, err
	}
	return s.Batch(ctx, string(reply.Body))
}

// Work judges the learners of a batch, chunk by chunk, each in a transaction of its own: what dies loses one chunk, and whoever goes on finds who
// still waits. After a while it lets other work pass and is due again.
func (s *Service) Work(ctx context.Context, e BatchDue) error {
	ctx = postgres.WithActor(ctx, "system")
	for n := 1; ; n++ {
		more, last := false, n == chunks
		err := s.db.InTx(ctx, "certificate batch", func(ctx context.Context, tx *postgres.Tx) (err error) {
			more, err = s.workTx(ctx, tx, e.BatchID, last)
			return err
		})
		failpoint.Here("certificate batch worked")
		if err != nil || !more || last {
			return err
		}
	}
}

func (s *Service) workTx(ctx context.Context, tx *postgres.Tx, id string, last bool) (more bool, err error) {
	var open bool
	if err := tx.Get(ctx, &open, q.Q("HoldBatch"), id); err != nil || !open {
		return false, err
	}
	b, err := batchTx(ctx, tx, id)
	if err != nil {
		return false, err
	}
	earned := Earned{Kind: b.Kind, Session: b.Subject}
	if b.Of == OfEdition {
		earned = Earned{Kind: b.Kind, Edition: b.Subject}
	}
	what, err := subjectTx(ctx, tx, earned)
	if err != nil {
		return false, err
	}
	var learners []string
	if err := tx.Select(ctx, &learners, q.Q("WaitingItems"), id, chunk); err != nil {
		return false, err
	}
	for _, what.learnerID = range learners {
		c, err := s.awardTx(ctx, tx, what, true)
		state, problem := "issued", ""
		if f := fault.From(err); err != nil {
			if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
				return false, err
			}
			state, problem, c.ID = "refused", f.Code, ""
		}
		if _, err := tx.Exec(ctx, q.Q("SettleItem"), id, what.learnerID, state, c.ID, problem); err != nil {
			return false, err
		}
	}
	if len(learners) < chunk {
		_, err := tx.Exec(ctx, q.Q("BatchAwarded"), id, tx.Now())
		return false, err
	}
	if last {
		return true, s.jobs.EnqueueTx(ctx, tx, BatchDue{id})
	}
	return true, nil
}

func batchTx(ctx context.Context, tx *postgres.Tx, id string) (b Batch, err error) {
	err = tx.Get(ctx, &b, q.Q("Batch"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return b, ErrNoBatch
	}
	return b.stated(), err
}

// Batch finds a batch with how far it is. Error: ErrNoBatch.
func (s *Service) Batch(ctx context.Context, id string) (b Batch, err error) {
	err = s.db.View(ctx, "batch", func(ctx context.Context, tx *postgres.Tx) error {
		if b, err = batchTx(ctx, tx, id); err != nil {
			return err
		}
		return tx.Select(ctx, &b.Refusals, q.Q("RefusedItems"), id, mostShown)
	})
	return b, err
}

// Batches lists batches, the newest first.
func (s *Service) Batches(ctx context.Context, p page.Request) (all []Batch, next string, err error) {
	err = s.db.View(ctx, "batches", func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.Select(ctx, &all, q.Q("Batches"), p.After, p.Limit+1); err != nil {
			return err
		}
		if next = ""; len(all) > p.Limit {
			all, next = all[:p.Limit], all[p.Limit-1].ID
		}
		for i, b := range all {
			all[i] = b.stated()
		}
		return nil
	})
	return all, next, err
}
