package dossier

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Erasure is a request of somebody to be erased: asked → approved or refused by staff → done by staff, in a step of its own; she takes it
// back until then.
type Erasure struct {
	ID        string     `db:"id" json:"id"`
	PersonID  string     `db:"person_id" json:"person"`
	State     string     `db:"state" json:"state"` // asked, approved, refused, withdrawn, done
	AskedBy   string     `db:"asked_by" json:"-"`
	AskedAt   time.Time  `db:"asked_at" json:"asked_at"`
	DecidedBy string     `db:"decided_by" json:"-"`
	DecidedAt *time.Time `db:"decided_at" json:"decided_at,omitempty"`
	Note      string     `db:"note" json:"note,omitempty"` // why it was refused
	DoneBy    string     `db:"done_by" json:"-"`
	DoneAt    *time.Time `db:"done_at" json:"done_at,omitempty"`
	InTheWay  []string   `db:"-" json:"in_the_way,omitempty"` // codes of what is still open of hers; it cannot be done before
}

// Open says whether something is still to be done.
func (e Erasure) Open() bool { return e.State == "asked" || e.State == "approved" }

// AskErasureTx notes that somebody wants to be erased. While a request of hers is open, it is that one. Error: identity.ErrNoPerson.
func (s *Service) AskErasureTx(ctx context.Context, tx *postgres.Tx, by By, personID string) (string, error) {
	if !by.may(personID) {
		return "", identity.ErrNoPerson
	}
	if _, err := identity.PersonTx(ctx, tx, personID); err != nil {
		return "", err
	}
	made, id := ident.New("era"), ""
	if err := tx.Get(ctx, &id, q.Q("AddErasure"), made, personID, postgres.Author(ctx), tx.Now()); err != nil || id != made {
		return id, err
	}
	return id, note(ctx, tx, "erasure.asked", id, personID)
}

func note(ctx context.Context, tx *postgres.Tx, action, id, personID string) error {
	return audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: id, Detail: map[string]string{"person": personID}})
}

// OpenErasureTx finds the open request of somebody. Error: ErrNoErasure.
func OpenErasureTx(ctx context.Context, tx *postgres.Tx, personID string) (e Erasure, err error) {
	if err = tx.Get(ctx, &e, q.Q("OpenErasure"), personID); errors.Is(err, sql.ErrNoRows) {
		return e, ErrNoErasure
	}
	return e, err
}

// ErasureTx finds a request, with what is in its way while it is open. Error: ErrNoErasure.
func (s *Service) ErasureTx(ctx context.Context, tx *postgres.Tx, by By, id string) (Erasure, error) {
	e, err := one(ctx, tx, "Erasure", by, id)
	if err == nil && e.Open() {
		e.InTheWay, err = inTheWay(ctx, tx, e.PersonID)
	}
	return e, err
}

func one(ctx context.Context, tx *postgres.Tx, statement string, by By, id string) (e Erasure, err error) {
	err = tx.Get(ctx, &e, q.Q(statement), id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !by.may(e.PersonID) {
		return Erasure{}, ErrNoErasure
	}
	return e, err
}

func inTheWay(ctx context.Context, tx *postgres.Tx, personID string) (why []string, err error) {
	err = tx.Select(ctx, &why, q.Q("InTheWay"), personID)
	return why, err
}

// ErasuresTx lists requests, the newest first, each with what is in its way while it is open; an empty state is any.
func ErasuresTx(ctx context.Context, tx *postgres.Tx, state string, p page.Request) (all []Erasure, next string, err error) {
	if err = tx.Select(ctx, &all, q.Q("Erasures"), state, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all = all[:p.Limit]
		next = all[p.Limit-1].ID
	}
	for i := range all {
		if all[i].Open() {
			if all[i].InTheWay, err = inTheWay(ctx, tx, all[i].PersonID); err != nil {
				return nil, "", err
			}
		}
	}
	return all, next, nil
}

// WithdrawErasureTx takes a request back. Errors: ErrNoErasure, ErrDecided.
func (s *Service) WithdrawErasureTx(ctx context.Context, tx *postgres.Tx, by By, id string) error {
	e, err := one(ctx, tx, "LockErasure", by, id)
	switch {
	case err != nil || e.State == "withdrawn":
		return err
	case !e.Open():
		return ErrDecided
	}
	if _, err := tx.Exec(ctx, q.Q("WithdrawErasure"), id); err != nil {
		return err
	}
	return note(ctx, tx, "erasure.withdrawn", id, e.PersonID)
}

// DecideErasureTx approves a request or refuses it, saying why. Errors: ErrNoErasure, ErrDecided, ErrWhy.
func (s *Service) DecideErasureTx(ctx context.Context, tx *postgres.Tx, id string, approve bool, why string) error {
	to, action := "refused", "erasure.refused"
	if approve {
		to, action, why = "approved", "erasure.approved", ""
	} else if strings.TrimSpace(why) == "" {
		return ErrWhy
	}
	e, err := one(ctx, tx, "LockErasure", By{Any: true}, id)
	if err != nil {
		return err
	}
	if e.State != "asked" {
		return ErrDecided
	}
	if _, err := tx.Exec(ctx, q.Q("DecideErasure"), id, to, postgres.Author(ctx), tx.Now(), why); err != nil {
		return err
	}
	return note(ctx, tx, action, id, e.PersonID)
}

// EraseTx carries an approved request out. personID names her again, so that nobody erases another by a slip. What is open of hers has to be
// settled first. What stays is the accounting archive, with narrowed access, and what counts her without saying who she is: enrolments,
// grades, stages, money. Errors: ErrNoErasure, ErrDecided, ErrOther, ErrInTheWay.
func (s *Service) EraseTx(ctx context.Context, tx *postgres.Tx, id, personID string) error {
	e, err := one(ctx, tx, "LockErasure", By{Any: true}, id)
	switch {
	case err != nil:
		return err
	case e.State != "approved":
		return ErrDecided
	case e.PersonID != personID:
		return ErrOther
	}
	why, err := inTheWay(ctx, tx, personID)
	if err != nil {
		return err
	}
	if len(why) > 0 {
		return ErrInTheWay.Detailf("Still open: %s.", strings.Join(why, ", "))
	}
	wiped, err := s.wipeElsewhere(ctx, tx, personID)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(erases)) {
		n, err := tx.Exec(ctx, erases.Q(name), personID)
		if err != nil {
			return err
		}
		if n > 0 {
			_, what, _ := strings.Cut(name, " ")
			wiped[what] = n
		}
	}
	if _, err := tx.Exec(ctx, q.Q("EraseName"), personID, tx.Now()); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("ErasureDone"), id, postgres.Author(ctx), tx.Now()); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "erasure.done", Object: id, Detail: map[string]any{"person": personID, "wiped": wiped}})
}
