package payments

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"cursus/internal/kernel/failpoint"
	"cursus/internal/platform/postgres"
)

// EventStored says that a provider's event waits to be applied.
type EventStored struct {
	EventID string `json:"event_id"`
}

// Kind names the job.
func (EventStored) Kind() string { return "payments.event_stored" }

// Receive checks an event's signature and stores it, once. When it returns nil the event is durably stored and its job is
// written: only then may the provider be told so. Nothing else happens here.
func (s *Service) Receive(ctx context.Context, raw []byte, signature string) error {
	if s.gateway == nil {
		return ErrNoProvider
	}
	e, err := s.gateway.ReadEvent(raw, signature, s.db.Now())
	if err != nil {
		return err
	}
	_, err = s.store(ctx, []ProviderEvent{e})
	failpoint.Here("event stored")
	return err
}

func (s *Service) store(ctx context.Context, events []ProviderEvent) (fresh int, err error) {
	err = s.db.InTx(postgres.WithGenericPlans(postgres.WithActor(ctx, "system")), "store event", func(ctx context.Context, tx *postgres.Tx) error {
		fresh = 0
		for _, e := range events {
			n, err := tx.Exec(ctx, q.Q("AddEvent"), e.ID, e.Type, e.APIVersion, e.Live, e.CreatedAt, tx.Now(), []byte(e.Raw), e.Idle)
			if err != nil {
				return err
			}
			if fresh += int(n); n > 0 {
				tx.Committed(func() { s.stored.put(e) })
			}
		}
		if fresh > 0 {
			s.jobs.WakeTx(tx)
		}
		return nil
	})
	return fresh, err
}

// CatchUp asks the provider for its events since an instant and stores those that never reached us.
func (s *Service) CatchUp(ctx context.Context, since time.Time) (fresh int, err error) {
	if s.gateway == nil {
		return 0, nil
	}
	events, err := s.gateway.EventsSince(ctx, since)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	return s.store(ctx, events)
}

// shelf keeps the events that this process has just stored until their jobs ask for them, most of them within milliseconds. What is
// not here is read; whether an event was applied already is only known by ClaimTx.
type shelf struct {
	mu     sync.Mutex
	events map[string]ProviderEvent
}

// maxShelf bounds the shelf of a process whose jobs another one works on.
const maxShelf = 500

func (s *shelf) put(e ProviderEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil || len(s.events) >= maxShelf {
		s.events = map[string]ProviderEvent{}
	}
	s.events[e.ID] = e
}

func (s *shelf) take(id string) (e ProviderEvent, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found = s.events[id]
	delete(s.events, id)
	return e, found
}

// Pending gives an event that waits to be applied and what it means; false when it was handled, or says nothing to us. It may ask the
// provider, so it must not run inside a transaction.
func (s *Service) Pending(ctx context.Context, eventID string) (e ProviderEvent, f Fact, pending bool, err error) {
	if s.gateway == nil {
		return e, f, false, ErrNoProvider
	}
	e, found := s.stored.take(eventID)
	if !found {
		if e, pending, err = s.readEvent(ctx, eventID); err != nil || !pending {
			return e, f, false, err
		}
	}
	if e.Live != s.gateway.Live() {
		return e, f, false, s.handled(ctx, eventID, "refused", "the event is of the other mode, live or test")
	}
	f, interesting, err := s.gateway.Fact(e)
	if err != nil {
		return e, f, false, err
	}
	if !interesting {
		return e, f, false, s.handled(ctx, eventID, "ignored", "it says nothing about our payments")
	}
	return e, f, true, nil
}

// readEvent reads a stored event, and whether it waits to be applied.
func (s *Service) readEvent(ctx context.Context, eventID string) (e ProviderEvent, waits bool, err error) {
	var row struct {
		ID         string    `db:"id"`
		Type       string    `db:"type"`
		APIVersion string    `db:"api_version"`
		CreatedAt  time.Time `db:"created_at"`
		Live       bool      `db:"live"`
		Raw        []byte    `db:"raw"`
		State      string    `db:"state"`
	}
	err = s.db.View(ctx, "event", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &row, q.Q("Event"), eventID) })
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, ErrNoEvent
	}
	e = ProviderEvent{ID: row.ID, Type: row.Type, APIVersion: row.APIVersion, CreatedAt: row.CreatedAt, Live: row.Live, Raw: row.Raw}
	return e, row.State == "received", err
}

func (s *Service) handled(ctx context.Context, eventID, state, note string) error {
	return s.db.InTx(ctx, "event handled", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("Handled"), eventID, state, note, tx.Now())
		return err
	})
}

// ClaimTx marks an event as applied in the transaction that applies it; false when another one was faster.
func ClaimTx(ctx context.Context, tx *postgres.Tx, eventID string) (bool, error) {
	n, err := tx.Exec(ctx, q.Q("Handled"), eventID, "applied", "", tx.Now())
	return n == 1, err
}
