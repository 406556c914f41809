package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// The states of an endpoint.
const (
	Enabled       = "enabled"
	StateDisabled = "disabled"
)

// Why an endpoint is disabled.
const (
	Asked   = "asked"   // somebody did
	Gone    = "gone"    // its receiver answered 410
	Failing = "failing" // nothing was taken for days
)

// maxEndpoints is how many one owner has at most.
const maxEndpoints = 20

// Endpoint is an address that is told what happens. Without an organisation it is the institute's own and hears of everything.
type Endpoint struct {
	ID              string     `json:"id"`
	Organisation    string     `json:"organisation,omitempty"` // key
	URL             string     `json:"url"`
	Description     string     `json:"description"`
	Types           []string   `json:"types"` // sorted; none: all
	State           string     `json:"state"`
	DisabledBecause string     `json:"disabled_because,omitempty"`
	DisabledAt      *time.Time `json:"disabled_at,omitempty"`
	FailingSince    *time.Time `json:"failing_since,omitempty"`
	MadeAt          time.Time  `json:"created_at"`
	Version         int        `json:"-"`
	Secret          string     `json:"secret,omitempty"` // only when it was just made
	MadeBy          string     `json:"-"`
}

// Hears says whether it is told of a type.
func (e Endpoint) Hears(kind string) bool { return len(e.Types) == 0 || slices.Contains(e.Types, kind) }

type endpointRow struct {
	ID              string         `db:"id"`
	Organisation    string         `db:"organisation"`
	URL             string         `db:"url"`
	Description     string         `db:"description"`
	Types           pq.StringArray `db:"types"`
	State           string         `db:"state"`
	DisabledBecause string         `db:"disabled_because"`
	DisabledAt      *time.Time     `db:"disabled_at"`
	FailingSince    *time.Time     `db:"failing_since"`
	MadeBy          string         `db:"made_by"`
	MadeAt          time.Time      `db:"made_at"`
	Version         int            `db:"version"`
}

func (r endpointRow) endpoint() Endpoint {
	return Endpoint{
		ID: r.ID, Organisation: r.Organisation, URL: r.URL, Description: r.Description, Types: append([]string{}, r.Types...), State: r.State,
		DisabledBecause: r.DisabledBecause, DisabledAt: r.DisabledAt, FailingSince: r.FailingSince, MadeBy: r.MadeBy, MadeAt: r.MadeAt, Version: r.Version,
	}
}

// NewEndpoint is an endpoint to make. Organisation is empty for the institute's own.
type NewEndpoint struct {
	Organisation string   `json:"organisation"`
	URL          string   `json:"url"`
	Description  string   `json:"description"`
	Types        []string `json:"types"`
	Enabled      *bool    `json:"enabled"` // nil: it is
}

func (s *Service) check(n *NewEndpoint) error {
	var wrong []fault.Field
	if err := s.courier.Check(n.URL); err != nil {
		f := fault.From(err)
		wrong = append(wrong, fault.Field{Pointer: "/url", Code: f.Code, Detail: f.Detail})
	}
	if utf8.RuneCountInString(n.Description) > 200 {
		wrong = append(wrong, fault.Field{Pointer: "/description", Code: "bad-length", Detail: "At most 200 characters."})
	}
	slices.Sort(n.Types)
	n.Types = slices.Compact(n.Types)
	for _, t := range n.Types {
		if !known(t) {
			wrong = append(wrong, fault.Field{Pointer: "/types", Code: "unknown-event-type", Detail: "There is no event type " + t + "."})
		}
	}
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// noteTx writes an act down. This room writes as the system, so who acted is said beside.
func noteTx(ctx context.Context, tx *postgres.Tx, by By, action, id string, detail map[string]any) error {
	detail["by"] = by.PersonID
	return audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: id, Detail: detail})
}

func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }

// looksAfter are the roles at a partner that look after its webhooks.
var looksAfter = []string{identity.RoleOwner, identity.RoleManager}

// mayTx refuses who may not act for an owner: staff may for all, an owner or manager for her organisations. It does not tell others whether
// there is one.
func mayTx(ctx context.Context, tx *postgres.Tx, by By, organisation string) error {
	if by.Any {
		return nil
	}
	if organisation == "" {
		return ErrNoEndpoint
	}
	err := identity.MustActTx(ctx, tx, organisation, by.PersonID, looksAfter...)
	if errors.Is(err, identity.ErrNoOrganisation) || errors.Is(err, identity.ErrNoPartnerRole) {
		return ErrNoEndpoint
	}
	return err
}

// once runs work once per person and key, as the system, which alone writes here.
func (s *Service) once(ctx context.Context, by By, key, what string, work func(ctx context.Context, tx *postgres.Tx) (string, error)) (string, error) {
	reply, _, err := s.replies.Do(asSystem(ctx), "person:"+by.PersonID, key, what, func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		id, err := work(ctx, tx)
		return idempotency.Reply{Status: http.StatusCreated, Body: []byte(id)}, err
	})
	return string(reply.Body), err
}

// Create makes an endpoint with its first secret, once per key; the secret is in the answer and is shown nowhere else. Errors:
// ErrNoEndpoint for an organisation that is not hers, ErrTooMany, identity.ErrNoOrganisation.
func (s *Service) Create(ctx context.Context, by By, key string, n NewEndpoint) (Endpoint, error) {
	if err := s.check(&n); err != nil {
		return Endpoint{}, err
	}
	command, err := json.Marshal(n)
	if err != nil {
		return Endpoint{}, err
	}
	id, err := s.once(ctx, by, key, "create webhook "+string(command), func(ctx context.Context, tx *postgres.Tx) (string, error) {
		return s.createTx(ctx, tx, by, n)
	})
	if err != nil {
		return Endpoint{}, err
	}
	return s.shown(ctx, by, id, 1)
}

func (s *Service) createTx(ctx context.Context, tx *postgres.Tx, by By, n NewEndpoint) (string, error) {
	if err := mayTx(ctx, tx, by, n.Organisation); err != nil {
		if n.Organisation != "" && errors.Is(err, ErrNoEndpoint) {
			err = identity.ErrNoOrganisation
		}
		return "", err
	}
	var others int
	if err := tx.Get(ctx, &others, q.Q("CountOf"), n.Organisation); err != nil {
		return "", err
	}
	if others >= maxEndpoints {
		return "", ErrTooMany
	}
	id := ident.New("whe")
	state, because := standing(n.Enabled)
	if _, err := tx.Exec(ctx, q.Q("AddEndpoint"), id, n.Organisation, n.URL, n.Description, pq.Array(orNone(n.Types)), state, because, by.PersonID, tx.Now()); err != nil {
		return "", err
	}
	if _, err := s.addSecretTx(ctx, tx, id); err != nil {
		return "", err
	}
	return id, noteTx(ctx, tx, by, "webhook.created", id, map[string]any{"organisation": n.Organisation, "url": n.URL, "types": orNone(n.Types), "state": state})
}

func standing(enabled *bool) (state, because string) {
	if enabled != nil && !*enabled {
		return StateDisabled, Asked
	}
	return Enabled, ""
}

func orNone(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}

// Change rewrites an endpoint, whose owner stays. version is the one that was read; 0 takes any. What waits for an endpoint that is
// disabled is held until it is asked for again. Errors: ErrNoEndpoint, ErrChanged.
func (s *Service) Change(ctx context.Context, by By, id string, version int, n NewEndpoint) (e Endpoint, err error) {
	if err := s.check(&n); err != nil {
		return e, err
	}
	err = s.db.InTx(asSystem(ctx), "change webhook", func(ctx context.Context, tx *postgres.Tx) error {
		if e, err = lockTx(ctx, tx, by, id); err != nil {
			return err
		}
		if version != 0 && version != e.Version {
			return ErrChanged
		}
		state, because := standing(n.Enabled)
		if state == StateDisabled && e.State == StateDisabled {
			because = e.DisabledBecause // it stays as it was
		}
		if _, err := tx.Exec(ctx, q.Q("ChangeEndpoint"), id, n.URL, n.Description, pq.Array(orNone(n.Types)), state, because, tx.Now()); err != nil {
			return err
		}
		if state == StateDisabled {
			if _, err := tx.Exec(ctx, q.Q("HoldPending"), id, tx.Now()); err != nil {
				return err
			}
		}
		before := e.setting()
		if e, err = endpointTx(ctx, tx, by, id); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "webhook.changed", Object: id, Detail: map[string]string{"by": by.PersonID}, Before: before, After: e.setting()})
	})
	return e, err
}

// setting is what was written of an endpoint, and not what its deliveries made of it.
func (e Endpoint) setting() map[string]any {
	return map[string]any{"url": e.URL, "description": e.Description, "types": e.Types, "state": e.State}
}

// Delete takes an endpoint away, with what was to be sent to it and its log. Errors: ErrNoEndpoint.
func (s *Service) Delete(ctx context.Context, by By, id string) error {
	return s.db.InTx(asSystem(ctx), "delete webhook", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := lockTx(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("DeleteEndpoint"), id); err != nil {
			return err
		}
		return noteTx(ctx, tx, by, "webhook.deleted", id, map[string]any{"url": e.URL, "organisation": e.Organisation})
	})
}

// lockTx finds an endpoint that somebody may act on and holds it until the transaction ends.
func lockTx(ctx context.Context, tx *postgres.Tx, by By, id string) (Endpoint, error) {
	if _, err := tx.Exec(ctx, q.Q("LockEndpoint"), id); err != nil {
		return Endpoint{}, err
	}
	return endpointTx(ctx, tx, by, id)
}

func endpointTx(ctx context.Context, tx *postgres.Tx, by By, id string) (Endpoint, error) {
	var rows []endpointRow
	if err := tx.Select(ctx, &rows, q.Q("Endpoint"), id); err != nil {
		return Endpoint{}, err
	}
	if len(rows) == 0 {
		return Endpoint{}, ErrNoEndpoint
	}
	return rows[0].endpoint(), mayTx(ctx, tx, by, rows[0].Organisation)
}

// Endpoint finds an endpoint. Errors: ErrNoEndpoint.
func (s *Service) Endpoint(ctx context.Context, by By, id string) (e Endpoint, err error) {
	err = s.db.View(ctx, "webhook", func(ctx context.Context, tx *postgres.Tx) (err error) {
		e, err = endpointTx(ctx, tx, by, id)
		return err
	})
	return e, err
}

// Endpoints lists those of an organisation, or, with an empty key, all that somebody may act on, by id.
func (s *Service) Endpoints(ctx context.Context, by By, organisation string, p page.Request) (all []Endpoint, next string, err error) {
	err = s.db.View(ctx, "webhooks", func(ctx context.Context, tx *postgres.Tx) error {
		if organisation != "" {
			if err := mayTx(ctx, tx, by, organisation); errors.Is(err, ErrNoEndpoint) {
				return identity.ErrNoOrganisation
			} else if err != nil {
				return err
			}
		}
		var rows []endpointRow
		if err := tx.Select(ctx, &rows, q.Q("Endpoints"), organisation, by.Any, by.PersonID, p.After, p.Limit+1); err != nil {
			return err
		}
		if all, next = []Endpoint{}, ""; len(rows) > p.Limit {
			rows, next = rows[:p.Limit], rows[p.Limit-1].ID
		}
		for _, r := range rows {
			all = append(all, r.endpoint())
		}
		return nil
	})
	return all, next, err
}

// DeliveryLife is every move that a delivery can make: what has ended is asked for again by a replay.
var DeliveryLife = lifecycle.Table[DeliveryState]{Name: "webhook delivery", Start: Pending, Moves: map[DeliveryState][]DeliveryState{
	Pending: {Delivered, Failed, Held}, Delivered: {Pending}, Failed: {Pending}, Held: {Pending},
}}
