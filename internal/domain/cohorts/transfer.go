package cohorts

import (
	"context"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// carried are the members that a transfer takes along, column by column.
type carried struct {
	old, fresh, states, from []string
	right                    []bool // her right to learn, or the order that she is to pay, comes with her
}

// Transfer moves students to another cohort of the same organisation, at most MaxRows, once per key. On the same offer each takes her place along
// as it is: enrolled she stays enrolled, and what was paid stays paid. On another one she begins anew, and what she had is let go as if she had
// been withdrawn. Errors: ErrNoCohort of both, ErrTooMany, ErrNotTransfer, those of idempotency.
func (s *Service) Transfer(ctx context.Context, by By, fromID, toID, key string, students []string) ([]Outcome, error) {
	if len(students) > MaxRows {
		return nil, ErrTooMany
	}
	return once(ctx, s, by, key, "transfer", []any{fromID, toID, students}, func(ctx context.Context, tx *postgres.Tx) ([]Outcome, error) {
		from, to, err := lockBoth(ctx, tx, by, fromID, toID)
		if err != nil {
			return nil, err
		}
		out, c, held, err := transferPlan(ctx, tx, from, to, students)
		if err != nil || len(c.old) == 0 {
			return out, err
		}
		if err := s.carry(ctx, tx, by, from, to, c); err != nil {
			return nil, err
		}
		if err := enrolment.SuspendTx(ctx, tx, held, true); err != nil {
			return nil, err
		}
		if err := s.jobs.EnqueueTx(ctx, tx, Stirred{from.ID}, Stirred{to.ID}); err != nil {
			return nil, err
		}
		return out, audit.AppendTx(ctx, tx, audit.Entry{Action: "cohort.transferred", Object: from.ID, Detail: map[string]any{"to": to.ID, "students": len(c.old), "by": by.PersonID}})
	})
}

// lockBoth holds two cohorts, in one order whichever way learners go.
func lockBoth(ctx context.Context, tx *postgres.Tx, by By, fromID, toID string) (from, to Cohort, err error) {
	if from, err = CohortTx(ctx, tx, fromID); err != nil {
		return from, to, err
	}
	if to, err = CohortTx(ctx, tx, toID); err != nil {
		return from, to, err
	}
	ids := []string{fromID, toID}
	if to.ThingID < from.ThingID {
		slices.Reverse(ids)
	}
	locked := map[string]Cohort{}
	for _, id := range ids {
		if locked[id], err = lockTx(ctx, tx, by, id, mayWrite); err != nil {
			return from, to, err
		}
	}
	from, to = locked[fromID], locked[toID]
	if from.ID == to.ID || from.Organisation != to.Organisation || to.ClosedAt != nil {
		return from, to, ErrNotTransfer
	}
	return from, to, nil
}

// transferPlan says what becomes of each student. The cohorts are held.
func transferPlan(ctx context.Context, tx *postgres.Tx, from, to Cohort, students []string) (out []Outcome, c carried, held enrolment.Holders, err error) {
	rows := make([]Row, len(students))
	times := map[string]int{}
	for i, k := range students {
		rows[i].StudentKey = k
		times[k]++
	}
	here, err := situationOf(ctx, tx, from, Update, rows)
	if err != nil {
		return nil, c, held, err
	}
	for i := range rows { // her address comes with her
		rows[i].Email = here.places[rows[i].StudentKey].Email
	}
	there, err := situationOf(ctx, tx, to, Update, rows)
	if err != nil {
		return nil, c, held, err
	}
	out = make([]Outcome, len(students))
	for i, k := range students {
		p, known := here.places[k]
		target := there.places[k]
		o := Outcome{StudentKey: k, From: p.State, State: p.State}
		owner := there.owners[p.Email]
		sameThing := from.ThingID == to.ThingID
		switch {
		case times[k] > 1:
			o.Code = Duplicated
		case !known && here.known[k]:
			o.Code = NotInProgram
		case !known:
			o.Code = NotFound
		case !p.State.Live():
			o.Code = IllegalOperation
		case target.State.Live(), !sameThing && (there.away[k] || owner != "" && owner != k):
			o.Code = Conflict
		case there.seats >= 0 && there.taken >= there.seats:
			o.Code = NoSeatLeft
		default:
			o.Code, o.State = Changed, Transferred
			there.taken++
			right := from.OfferID == to.OfferID && (p.Granted || from.Agreement == to.Agreement && p.OrderID != "")
			next := p.State
			if !right && p.State == Enrolled {
				next = Waiting
				held.Add(p.PersonID, p.OrderID)
			}
			c.old, c.from, c.states, c.right = append(c.old, p.ID), append(c.from, string(p.State)), append(c.states, string(next)), append(c.right, right)
			if target.ID == "" {
				target.ID = ident.New("cme")
			}
			c.fresh = append(c.fresh, target.ID)
		}
		out[i] = o
	}
	return out, c, held, nil
}

// carry writes a transfer: whoever leaves, then whoever comes, then what she took along.
func (*Service) carry(ctx context.Context, tx *postgres.Tx, by By, from, to Cohort, c carried) error {
	old, fresh, right := pq.Array(c.old), pq.Array(c.fresh), pq.Array(c.right)
	before := make([]string, len(c.old)) // where she stood in the other cohort, if she had been there
	var was []place
	if err := tx.Select(ctx, &was, q.Q("PlacesByID"), fresh); err != nil {
		return err
	}
	for _, p := range was {
		before[slices.Index(c.fresh, p.ID)] = string(p.State)
	}
	gone := make([]string, len(c.old))
	for i := range gone {
		gone[i] = string(Transferred)
	}
	if _, err := tx.Exec(ctx, q.Q("LeaveCohort"), old, tx.Now()); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("JoinCohort"), to.ID, to.Organisation, to.ThingID, by.PersonID, tx.Now(), old, fresh, pq.Array(c.states), right); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("LetGo"), old, right); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("AddMoves"), old, pq.Array(c.from), pq.Array(gone), to.ID, by.PersonID, tx.Now()); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, q.Q("AddMoves"), fresh, pq.Array(before), pq.Array(c.states), from.ID, by.PersonID, tx.Now())
	return err
}
