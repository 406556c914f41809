package postgres

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
)

var constraints sync.Map // constraint name → *fault.Fault

// RegisterConstraint says which fault the violation of a constraint is. Constraint names are part of the interface
// between the schema and the room, and are registered once, in the room's faults.go.
func RegisterConstraint(constraint string, f *fault.Fault) { constraints.Store(constraint, f) }

func pqError(err error) (*pq.Error, bool) {
	var e *pq.Error
	ok := errors.As(err, &e)
	return e, ok
}

func constraintOf(err error) string {
	if e, ok := pqError(err); ok {
		return e.Constraint
	}
	return ""
}

func lostRace(err error) bool {
	e, ok := pqError(err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// AsFault gives the fault of an error inside a transaction, as its caller will see it: of a violated constraint the registered one.
// What lost a race stays as it is, so that InTx repeats the work.
func AsFault(ctx context.Context, err error) error {
	if lostRace(err) {
		return err
	}
	return mapError(ctx, err)
}

// Faulted says of an error what InTx says of it at its end, for who goes on after a savepoint.
func Faulted(ctx context.Context, err error) error { return mapError(ctx, err) }

// mapError gives the fault of a violated constraint, and ErrUnavailable for what is the connection's fault or the
// clock's. Everything else passes as it is.
func mapError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var f *fault.Fault
	if errors.As(err, &f) {
		return err
	}
	if c := constraintOf(err); c != "" {
		if known, ok := constraints.Load(c); ok {
			return known.(*fault.Fault).Because(err)
		}
		return err
	}
	var network net.Error
	e, fromServer := pqError(err)
	switch {
	case ctx.Err() != nil, errors.As(err, &network), errors.Is(err, sql.ErrConnDone):
		return ErrUnavailable.Because(err)
	case fromServer && (e.Code[:2] == "08" || e.Code[:2] == "53" || e.Code[:2] == "57"):
		return ErrUnavailable.Because(err) // connection, resources, operator or time-out
	}
	return err
}
