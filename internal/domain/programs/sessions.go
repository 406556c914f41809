package programs

import (
	"context"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// PutSessionTx is that of the catalogue, which knows no editions, for all who may meet one: the dates of a session in which an edition in
// force is followed are not changed, nor is it closed by hand, so that its course could open for nobody (ErrImpossible, by the rules
// that the edition was published with).
func PutSessionTx(ctx context.Context, tx *postgres.Tx, idOrKey string, n catalog.NewSession, expected int) (catalog.Session, error) {
	before, err := catalog.LockSessionTx(ctx, tx, idOrKey)
	if err != nil {
		return before, err
	}
	s, err := catalog.PutSessionTx(ctx, tx, before.ID, n, expected)
	if err != nil || s.Closed == before.Closed && sameTime(s.StartsAt, before.StartsAt) && sameTime(s.EndsAt, before.EndsAt) {
		return s, err
	}
	in, err := inForceWith(ctx, tx, s.ID)
	if err != nil {
		return s, err
	}
	out := ErrImpossible
	for _, e := range in {
		v, err := VersionTx(ctx, tx, e.ProgramID, e.Version)
		if err != nil {
			return s, err
		}
		x, _ := e.SessionOf(s.CourseKey)
		if w := e.shut(x, e.opens(v.Content)[s.CourseKey], tx.Now()); w != nil {
			out = out.At("/"+w.own, w.code, "In the edition "+e.Key+": "+w.detail)
		}
	}
	if len(out.Fields) > 0 {
		return s, out
	}
	return s, nil
}

func sameTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

// MoveSessionTx is that of the catalogue, which knows no editions, for all who may meet one: a session in which a published edition is
// followed stays published until the edition is over or archived (ErrInEdition). What was sold could not be followed otherwise. Nor
// is a session published whose course is archived.
func MoveSessionTx(ctx context.Context, tx *postgres.Tx, idOrKey string, to catalog.Publication, note string, expected int) (catalog.Session, error) {
	s, err := catalog.LockSessionTx(ctx, tx, idOrKey)
	if err != nil {
		return s, err
	}
	if s.Public() && to != catalog.Published {
		in, err := inForceWith(ctx, tx, s.ID)
		if err != nil {
			return s, err
		}
		if len(in) > 0 {
			var keys []string
			for _, e := range in[:min(len(in), 5)] {
				keys = append(keys, e.Key)
			}
			return s, ErrInEdition.Detailf("It is followed in %s. Archive that first, or wait until it is over.", strings.Join(keys, ", "))
		}
	}
	if to == catalog.Published && s.StateAt(tx.Now()) != catalog.Closed {
		w, err := catalog.LockDraftTx(ctx, tx, s.CourseKey)
		if err != nil {
			return s, err
		}
		if w.State == catalog.Archived {
			return s, catalog.ErrArchived.At("/course", catalog.ErrArchived.Code, w.Key+" is archived.").Of(fault.Unprocessable)
		}
	}
	return catalog.MoveSessionTx(ctx, tx, s.ID, to, note, expected)
}

// inForceWith lists the editions in force that are followed in a session.
func inForceWith(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Edition, error) {
	return editions(ctx, tx, "EditionsInForceWith", sessionID, tx.Now())
}
