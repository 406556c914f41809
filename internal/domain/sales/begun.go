package sales

import (
	"context"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/platform/postgres"
)

// What of an order its buyer may still give to somebody else.

// mayMove says whether the state of an order lets its buyer give a place to somebody else, whatever its places say.
func (o Order) mayMove() bool { return !o.Pool() && (o.State == Paid || o.State == PartiallyRefunded) }

// fixedBy says why no place of an order can be given to somebody else, where its state would let it; empty: one can.
func (o Order) fixedBy(begun map[string]bool) (why string) {
	why = whyGiven
	for _, l := range o.Lines {
		switch {
		case l.HolderID != "":
		case l.begun(begun), l.Retake():
			why = ErrBegun.Code
		default:
			return ""
		}
	}
	return why
}

// begun says whether one of the line's sessions or enrolments is among those that have begun.
func (l Line) begun(all map[string]bool) bool {
	return slices.ContainsFunc(l.Parts, func(p Part) bool { return all[p.SessionID] || all[p.EnrolmentID] })
}

// begunTx finds, in two statements however many orders there are, their sessions that have begun by the calendar and their enrolments that
// have by the record of their learners.
func begunTx(ctx context.Context, tx *postgres.Tx, orders ...Order) (map[string]bool, error) {
	var sessions, enrolments, found []string
	for _, o := range orders {
		for _, l := range o.Lines {
			for _, p := range l.Parts {
				sessions, enrolments = append(sessions, p.SessionID), append(enrolments, p.EnrolmentID)
			}
		}
	}
	out := map[string]bool{}
	if len(sessions) == 0 {
		return out, nil
	}
	if err := tx.Select(ctx, &found, q.Q("Begun"), pq.Array(sessions), tx.Now()); err != nil {
		return nil, err
	}
	for _, id := range found {
		out[id] = true
	}
	rows, err := journey.RowsTx(ctx, tx, enrolments...)
	for id, r := range rows {
		out[id] = r.Ever.Has(journey.Started)
	}
	return out, err
}
