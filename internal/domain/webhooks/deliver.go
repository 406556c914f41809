package webhooks

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"cursus/internal/kernel/failpoint"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery.
const (
	Pending   DeliveryState = "pending"
	Delivered DeliveryState = "delivered"
	Failed    DeliveryState = "failed" // every attempt was in vain
	Held      DeliveryState = "held"   // its endpoint is disabled
)

// schedule is how long after the attempt before the next one is made: that of Standard Webhooks, over three days.
var schedule = []time.Duration{
	0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// wait is how long after so many attempts the next one is made; false after the last. Up to a tenth is added, so that what failed
// together does not come back together. A receiver that asks for more time gets it, up to a day.
func wait(attempts int, later time.Duration) (time.Duration, bool) {
	if attempts >= len(schedule) {
		return 0, false
	}
	d := schedule[attempts]
	d += rand.N(d/10 + 1)
	return max(d, min(later, 24*time.Hour)), true
}

const (
	endpointsAtOnce = 4 // to which one process sends at the same time: slow receivers do not take all hands of the queue
	messagesAtOnce  = 8 // to one endpoint
	turn            = 20 * time.Second
	lease           = 2 * time.Minute    // longer than a turn and its last messages
	again           = 5 * time.Second    // between two askings of one endpoint
	patience        = 5 * 24 * time.Hour // of failing only, after which an endpoint is disabled
	goneStatus      = 410
)

type toSend struct {
	DeliveryID string `db:"id"`
	EventID    string `db:"event_id"`
	Body       string `db:"body"`
	Step       int    `db:"step"`
	Tried      int    `db:"tried"`
	URL        string `db:"url"`
	message    Message
	answer     Answer
}

// Serve sends an endpoint what is due, one batch after another, for twenty seconds at most; what is left then is asked for anew. While
// another worker does so, or too many are served here, it does nothing: what is due is asked for again.
func (s *Service) Serve(ctx context.Context, endpointID string) error {
	select {
	case s.hands <- struct{}{}:
		defer func() { <-s.hands }()
	default:
		return nil
	}
	ctx = asSystem(ctx)
	mine, err := s.lease(ctx, endpointID)
	if err != nil || !mine {
		return err
	}
	for over := time.After(turn); ; {
		batch, err := s.take(ctx, endpointID)
		if err != nil || len(batch) == 0 {
			return err
		}
		var sending sync.WaitGroup
		for i := range batch {
			sending.Go(func() {
				if m := batch[i].message; m.ID != "" {
					batch[i].answer = s.courier.Send(ctx, m)
				}
			})
		}
		sending.Wait()
		failpoint.Here("webhook sent")
		if err := s.record(ctx, endpointID, batch); err != nil {
			return err
		}
		select {
		case <-over:
			return s.release(ctx, endpointID)
		default:
		}
	}
}

// lease takes an endpoint for this worker. It ends by itself where the worker dies.
func (s *Service) lease(ctx context.Context, endpointID string) (mine bool, err error) {
	err = s.db.InTx(ctx, "lease webhook", func(ctx context.Context, tx *postgres.Tx) error {
		n, err := tx.Exec(ctx, q.Q("Lease"), endpointID, tx.Now(), tx.Now().Add(lease))
		mine = n == 1
		return err
	})
	return mine, err
}

// release gives an endpoint back and has it asked for again.
func (s *Service) release(ctx context.Context, endpointID string) error {
	return s.db.InTx(ctx, "release webhook", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("Release"), endpointID); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(ctx, tx, Due{endpointID})
	})
}

// take gives what is due to an endpoint, signed. Where nothing is, the endpoint is given back in the same transaction, under its lock:
// what is published meanwhile waits for it and finds nobody at work.
func (s *Service) take(ctx context.Context, endpointID string) (batch []toSend, err error) {
	err = s.db.InTx(ctx, "take webhooks", func(ctx context.Context, tx *postgres.Tx) error {
		batch = nil
		if _, err := tx.Exec(ctx, q.Q("LockEndpoint"), endpointID); err != nil {
			return err
		}
		if err := tx.Select(ctx, &batch, q.Q("Take"), endpointID, tx.Now(), messagesAtOnce); err != nil {
			return err
		}
		if len(batch) == 0 {
			_, err := tx.Exec(ctx, q.Q("Release"), endpointID)
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("Prolong"), endpointID, tx.Now().Add(lease)); err != nil {
			return err
		}
		secrets, err := s.secretsTx(ctx, tx, endpointID)
		unreadable := errors.Is(err, seal.ErrNotReadable)
		if err != nil && !unreadable {
			return err
		}
		for i := range batch {
			b := &batch[i]
			if unreadable {
				b.answer = Answer{Failure: "secret_not_readable"} // the operator changed the key: it shows in the log, and a new secret mends it
				continue
			}
			b.message = Message{URL: b.URL, ID: b.EventID, Body: b.Body, At: tx.Now(), Signature: signature(b.EventID, tx.Now(), b.Body, secrets)}
		}
		return nil
	})
	return batch, err
}

// record writes down what became of a batch.
func (s *Service) record(ctx context.Context, endpointID string, batch []toSend) error {
	return s.db.InTx(ctx, "record webhooks", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("LockEndpoint"), endpointID); err != nil {
			return err
		}
		success, failure, gone := false, false, false
		for _, b := range batch {
			if err := recordOne(ctx, tx, b); err != nil {
				return err
			}
			success, failure, gone = success || b.answer.yes(), failure || !b.answer.yes(), gone || b.answer.Status == goneStatus
		}
		var e []endpointRow
		if err := tx.Select(ctx, &e, q.Q("Endpoint"), endpointID); err != nil || len(e) == 0 || e[0].State != Enabled {
			return err
		}
		switch since := e[0].FailingSince; {
		case gone:
			return s.disableTx(ctx, tx, endpointID, Gone)
		case success:
			_, err := tx.Exec(ctx, q.Q("Well"), endpointID)
			return err
		case failure && since == nil:
			_, err := tx.Exec(ctx, q.Q("Ill"), endpointID, tx.Now())
			return err
		case failure && !since.After(tx.Now().Add(-patience)):
			return s.disableTx(ctx, tx, endpointID, Failing)
		}
		return nil
	})
}

func recordOne(ctx context.Context, tx *postgres.Tx, b toSend) error {
	a, step := b.answer, b.Step+1
	state, due := Delivered, (*time.Time)(nil)
	if !a.yes() {
		state = Failed
		if d, more := wait(step, a.Later); more && a.Status != goneStatus {
			at := tx.Now().Add(d)
			state, due = Pending, &at
		}
	}
	n, err := tx.Exec(ctx, q.Q("Record"), b.DeliveryID, b.Tried, state, step, nullStatus(a.Status), due, tx.Now())
	if err != nil || n == 0 {
		return err // deleted, held or asked for again meanwhile: the attempt of who came first counts
	}
	_, err = tx.Exec(ctx, q.Q("AddAttempt"), b.DeliveryID, b.Tried+1, tx.Now(), a.Took.Milliseconds(), nullStatus(a.Status), a.Failure, a.Response)
	return err
}

func nullStatus(status int) *int {
	if status == 0 {
		return nil
	}
	return &status
}

// disableTx ends the sending to an endpoint because of its receiver, and has its owner told.
func (s *Service) disableTx(ctx context.Context, tx *postgres.Tx, endpointID, because string) error {
	if _, err := tx.Exec(ctx, q.Q("Disable"), endpointID, because, tx.Now()); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("HoldPending"), endpointID, tx.Now()); err != nil {
		return err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "webhook.disabled", Object: endpointID, Detail: map[string]string{"because": because}}); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, Disabled{endpointID, because, tx.Now()})
}

// AskDue has everything sent whose time has come, and gives the number of endpoints. It is what finds the next attempt of what failed,
// and what a worker that died left behind.
func (s *Service) AskDue(ctx context.Context) (n int, err error) {
	err = s.db.InTx(asSystem(ctx), "webhooks due", func(ctx context.Context, tx *postgres.Tx) error {
		var ids []string
		if err := tx.Select(ctx, &ids, q.Q("AskDue"), tx.Now(), tx.Now().Add(-again)); err != nil {
			return err
		}
		n = len(ids)
		for _, id := range ids {
			if err := s.jobs.EnqueueTx(ctx, tx, Due{id}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// kept is how long the log remembers what has ended, and a replay can ask for it.
const kept = 30 * 24 * time.Hour

// forgotten is how many deliveries one Forget takes away at most, so that it holds nobody up.
const forgotten = 5000

// Forget removes what ended 30 days ago, and secrets that sign no more. It gives the number of deliveries.
func (s *Service) Forget(ctx context.Context) (n int64, err error) {
	err = s.db.InTx(asSystem(ctx), "forget webhooks", func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		if n, err = tx.Exec(ctx, q.Q("ForgetDeliveries"), tx.Now().Add(-kept), forgotten); err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, q.Q("ForgetEvents"), tx.Now().Add(-kept), forgotten); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, q.Q("ForgetSecrets"), tx.Now())
		return err
	})
	return n, err
}
