package webhooks

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID         string        `json:"id" db:"id"`
	EndpointID string        `json:"webhook_id" db:"endpoint_id"`
	EventID    string        `json:"event_id" db:"event_id"`
	Type       string        `json:"type" db:"type"`
	State      DeliveryState `json:"state" db:"state"`
	Tried      int           `json:"attempts" db:"tried"`
	Status     *int          `json:"status,omitempty" db:"status"` // of the last answer
	MadeAt     time.Time     `json:"created_at" db:"made_at"`
	DueAt      *time.Time    `json:"next_attempt_at,omitempty" db:"due_at"`
	EndedAt    *time.Time    `json:"ended_at,omitempty" db:"ended_at"`
}

// Attempt is one time that a delivery was sent.
type Attempt struct {
	N          int       `json:"number" db:"n"`
	At         time.Time `json:"at" db:"at"`
	DurationMS int64     `json:"duration_ms" db:"duration_ms"`
	Status     *int      `json:"status,omitempty" db:"status"`
	Failure    string    `json:"failure,omitempty" db:"failure"`
	Response   string    `json:"response" db:"response"`
}

// Sent is a delivery with its attempts and the very text that was signed.
type Sent struct {
	Delivery
	Attempts []Attempt       `json:"log"`
	Body     string          `json:"body"`
	Event    json.RawMessage `json:"event"` // the same
}

// Deliveries lists what is sent to an endpoint, the newest first; a state, where given, limits it. Errors: ErrNoEndpoint.
func (s *Service) Deliveries(ctx context.Context, by By, endpointID string, state DeliveryState, p page.Request) (all []Delivery, next string, err error) {
	err = s.db.View(ctx, "webhook deliveries", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := endpointTx(ctx, tx, by, endpointID); err != nil {
			return err
		}
		all, next = []Delivery{}, ""
		if err := tx.Select(ctx, &all, q.Q("Deliveries"), endpointID, state, p.After, p.Limit+1); err != nil {
			return err
		}
		if len(all) > p.Limit {
			all, next = all[:p.Limit], all[p.Limit-1].ID
		}
		return nil
	})
	return all, next, err
}

// Delivery finds one delivery with its attempts. Errors: ErrNoEndpoint, ErrNoDelivery.
func (s *Service) Delivery(ctx context.Context, by By, endpointID, id string) (d Sent, err error) {
	err = s.db.View(ctx, "webhook delivery", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if _, err = endpointTx(ctx, tx, by, endpointID); err != nil {
			return err
		}
		d, err = sentTx(ctx, tx, endpointID, id)
		return err
	})
	return d, err
}

func sentTx(ctx context.Context, tx *postgres.Tx, endpointID, id string) (d Sent, err error) {
	var all []struct {
		Delivery
		Body string `db:"body"`
	}
	if err := tx.Select(ctx, &all, q.Q("Delivery"), endpointID, id); err != nil {
		return d, err
	}
	if len(all) == 0 {
		return d, ErrNoDelivery
	}
	d = Sent{Delivery: all[0].Delivery, Body: all[0].Body, Event: json.RawMessage(all[0].Body), Attempts: []Attempt{}}
	return d, tx.Select(ctx, &d.Attempts, q.Q("Attempts"), id)
}

// Replay has one delivery sent again, whatever became of it; one that waits is sent at once. Errors: ErrNoEndpoint, ErrNoDelivery,
// ErrDisabled.
func (s *Service) Replay(ctx context.Context, by By, endpointID, id string) (d Sent, err error) {
	err = s.db.InTx(asSystem(ctx), "replay webhook", func(ctx context.Context, tx *postgres.Tx) error {
		if err := s.enabledTx(ctx, tx, by, endpointID); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, q.Q("Replay"), endpointID, id, tx.Now())
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNoDelivery
		}
		if err := s.jobs.EnqueueTx(ctx, tx, Due{endpointID}); err != nil {
			return err
		}
		if err := noteTx(ctx, tx, by, "webhook.replayed", endpointID, map[string]any{"delivery": id}); err != nil {
			return err
		}
		d, err = sentTx(ctx, tx, endpointID, id)
		return err
	})
	return d, err
}

// ReplayMany asks for everything since a time again: what failed or was held, and, if told so, what was delivered too.
type ReplayMany struct {
	Since     time.Time `json:"since"`
	Delivered bool      `json:"delivered"`
}

// ReplaySince has everything since a time sent again, and gives how many. Errors: ErrNoEndpoint, ErrDisabled.
func (s *Service) ReplaySince(ctx context.Context, by By, endpointID string, r ReplayMany) (n int64, err error) {
	err = s.db.InTx(asSystem(ctx), "replay webhooks", func(ctx context.Context, tx *postgres.Tx) error {
		if err := s.enabledTx(ctx, tx, by, endpointID); err != nil {
			return err
		}
		if r.Since.After(tx.Now()) {
			return fault.InvalidInput(fault.Field{Pointer: "/since", Code: "in-the-future", Detail: "A time that has passed."})
		}
		if n, err = tx.Exec(ctx, q.Q("ReplaySince"), endpointID, r.Since, r.Delivered, tx.Now()); err != nil || n == 0 {
			return err
		}
		if err := s.jobs.EnqueueTx(ctx, tx, Due{endpointID}); err != nil {
			return err
		}
		return noteTx(ctx, tx, by, "webhook.replayed", endpointID, map[string]any{"since": r.Since, "delivered": r.Delivered, "deliveries": n})
	})
	return n, err
}

// Test has an event sent that says nothing but that somebody tests, once per key. Errors: ErrNoEndpoint, ErrDisabled.
func (s *Service) Test(ctx context.Context, by By, endpointID, key string) (d Sent, err error) {
	id, err := s.once(ctx, by, key, "test webhook "+endpointID, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		if err := s.enabledTx(ctx, tx, by, endpointID); err != nil {
			return "", err
		}
		p := pack{asked: map[string]bool{}}
		event, err := p.event(News{Type: Test, Cause: ident.New("tst"), At: tx.Now(), Data: TestData{endpointID}})
		if err != nil {
			return "", err
		}
		id := p.delivery(Endpoint{ID: endpointID, State: Enabled}, event)
		if err := s.writeTx(ctx, tx, p); err != nil {
			return "", err
		}
		return id, noteTx(ctx, tx, by, "webhook.tested", endpointID, map[string]any{"delivery": id})
	})
	if err != nil {
		return d, err
	}
	return s.Delivery(asSystem(ctx), by, endpointID, id)
}

// enabledTx finds an endpoint to which something is to be sent, and holds it.
func (s *Service) enabledTx(ctx context.Context, tx *postgres.Tx, by By, id string) error {
	e, err := lockTx(ctx, tx, by, id)
	if err == nil && e.State != Enabled {
		err = ErrDisabled
	}
	return err
}

// Owners lists the organisations for which somebody may have endpoints, by key.
func (s *Service) Owners(ctx context.Context, by By) (owners []identity.Managed, err error) {
	err = s.db.View(asSystem(ctx), "owners of webhooks", func(ctx context.Context, tx *postgres.Tx) error {
		owners = []identity.Managed{}
		roles, err := identity.PartnerRolesOfTx(ctx, tx, by.PersonID)
		if err != nil {
			return err
		}
		all, err := identity.OrganisationsTx(ctx, tx)
		for _, o := range all {
			if by.Any || slices.ContainsFunc(roles, func(r identity.PartnerRole) bool {
				return r.Organisation == o.Key && slices.Contains(looksAfter, r.Role)
			}) {
				owners = append(owners, identity.Managed{Key: o.Key, Name: o.Name})
			}
		}
		return err
	})
	return owners, err
}

// OwnersTx finds an endpoint and who is to be told when it was disabled: the owners and managers of its organisation, or who made it.
func OwnersTx(ctx context.Context, tx *postgres.Tx, id string) (e Endpoint, people []string, err error) {
	if e, err = endpointTx(ctx, tx, By{Any: true}, id); err != nil {
		return e, nil, err
	}
	if e.Organisation != "" {
		all, err := identity.PartnerRolesTx(ctx, tx, e.Organisation)
		if err != nil {
			return e, nil, err
		}
		for _, p := range all {
			if slices.Contains(looksAfter, p.Role) && !slices.Contains(people, p.PersonID) {
				people = append(people, p.PersonID)
			}
		}
	}
	if len(people) == 0 {
		people = []string{e.MadeBy}
	}
	return e, people, nil
}
