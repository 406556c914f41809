package sales

import (
	"context"
	"errors"
	"fmt"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// ErrPlacesTaken refuses a capacity below the places that are sold, held or kept: they were promised.
var ErrPlacesTaken = fault.New(fault.Conflict, "capacity-below-taken", "More places than that are sold, held for a payment or kept for who waited.")

// PutSessionTx is programs.PutSessionTx that refuses to take places from who has them. Errors: ErrPlacesTaken too.
func PutSessionTx(ctx context.Context, tx *postgres.Tx, idOrKey string, n catalog.NewSession, expected int) (s catalog.Session, err error) {
	before, err := catalog.SessionTx(ctx, tx, idOrKey)
	if err != nil && !errors.Is(err, catalog.ErrNoSession) {
		return s, err
	}
	if err := holdPlaces(ctx, tx, before.ID, before.Capacity, n.Capacity); err != nil {
		return s, err
	}
	if s, err = programs.PutSessionTx(ctx, tx, idOrKey, n, expected); err != nil {
		return s, err
	}
	return s, keepPlaces(ctx, tx, s.ID, before.Capacity, s.Capacity)
}

// PutEditionTx is programs.PutEditionTx that refuses to take places from who has them. Errors: ErrPlacesTaken too.
func PutEditionTx(ctx context.Context, tx *postgres.Tx, key string, n programs.EditionPlan, expected int) (e programs.Edition, err error) {
	before, err := programs.EditionTx(ctx, tx, key)
	if err != nil && !errors.Is(err, programs.ErrNoEdition) {
		return e, err
	}
	if err := holdPlaces(ctx, tx, before.ID, before.Capacity, n.Capacity); err != nil {
		return e, err
	}
	if e, err = programs.PutEditionTx(ctx, tx, key, n, expected); err != nil {
		return e, err
	}
	return e, keepPlaces(ctx, tx, e.ID, before.Capacity, e.Capacity)
}

func lowers(before, now *int) bool { return now != nil && (before == nil || *now < *before) }

// holdPlaces has orders wait while a capacity is lowered, in the order of locks that they take themselves.
func holdPlaces(ctx context.Context, tx *postgres.Tx, id string, before, now *int) error {
	if id == "" || !lowers(before, now) {
		return nil
	}
	_, err := tx.Exec(ctx, q.Q("LockSeats"), pq.Array([]string{id}))
	return err
}

// keepPlaces says ErrPlacesTaken where a capacity was lowered below what is taken.
func keepPlaces(ctx context.Context, tx *postgres.Tx, id string, before, now *int) error {
	if !lowers(before, now) {
		return nil
	}
	var taken int
	if err := tx.Get(ctx, &taken, q.Q("Taken"), id, tx.Now()); err != nil {
		return err
	}
	if taken > *now {
		return ErrPlacesTaken.At("/capacity", "below-taken", fmt.Sprintf("%d places are taken.", taken))
	}
	return nil
}
