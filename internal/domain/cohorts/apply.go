package cohorts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/lib/pq"

	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// MaxRows is how many rows one request may bring. A file may have more: its door is ApplyRowsTx.
const MaxRows = 1000

// DiffTx says what rows would change in a cohort, and changes nothing. It takes a few statements however many rows there are, and is fit for
// 100,000 of them. Errors: ErrNoCohort, identity.ErrNoPartnerRole.
func (s *Service) DiffTx(ctx context.Context, tx *postgres.Tx, by By, cohortID string, m Mode, rows []Row) (Difference, error) {
	c, err := CohortTx(ctx, tx, cohortID)
	if err == nil {
		err = by.mustTx(ctx, tx, c.Organisation, mayWrite)
	}
	if err != nil {
		return Difference{}, err
	}
	at, err := situationOf(ctx, tx, c, m, rows)
	if err != nil {
		return Difference{}, err
	}
	d, _ := plan(m, rows, at)
	return d, nil
}

// ApplyRowsTx does what DiffTx says, in the caller's transaction, and gives it. Rows that are refused change nothing and keep nobody else from
// coming in; whoever wants all or nothing compares Difference.Conflicting, or the Fingerprint of an earlier dry run, and gives back an error.
// The same rows again change nothing.
//
// The actor of ctx must be "system"; who really acts, an owner or a registrar of the organisation or staff, is by. cause, up to 200 characters, stands in the history of every member that it moves,
// and is the object of the one entry of the audit: the id of an upload, or of the cohort where there is none. The cohort, and the others of the
// organisation for the same, are held until the transaction ends: two of these at once wait for each other, and seats are exact.
//
// Who is suspended or withdrawn cannot learn any more when the transaction ends. Who comes in waits at first: a job that is enqueued here
// enrols her, or gives her the order that she pays at the school. Errors: ErrNoCohort.
func (s *Service) ApplyRowsTx(ctx context.Context, tx *postgres.Tx, by By, cohortID string, m Mode, rows []Row, cause string) (Difference, error) {
	c, err := lockTx(ctx, tx, by, cohortID, mayWrite)
	if err != nil {
		return Difference{}, err
	}
	at, err := situationOf(ctx, tx, c, m, rows)
	if err != nil {
		return Difference{}, err
	}
	d, steps := plan(m, rows, at)
	if len(steps) == 0 {
		return d, nil
	}
	if err := s.write(ctx, tx, c, by, steps, cause); err != nil {
		return d, err
	}
	before, after := turned(steps)
	return d, audit.AppendTx(ctx, tx, audit.Entry{Action: "cohort.rows_applied", Object: cause, Before: before, After: after, Detail: map[string]any{
		"cohort": c.ID, "mode": m, "by": by.PersonID, "new": d.New, "changed": d.Changed, "unchanged": d.Unchanged, "absent": d.Absent, "conflicting": d.Conflicting,
		"difference_sha256": d.Fingerprint()}})
}

// mostTurned is how many members one entry of the audit names. All of them stand in the history of the cohort, under the same cause.
const mostTurned = 50

// turned gives the states that members had and have, by their ids; who is new had none.
func turned(steps []step) (before, after map[string]State) {
	before, after = map[string]State{}, map[string]State{}
	for _, x := range steps {
		if len(before) < mostTurned && !x.fresh() {
			before[x.was.ID], after[x.was.ID] = x.was.State, x.to
		}
	}
	return before, after
}

// situationOf reads what a plan depends on.
func situationOf(ctx context.Context, tx *postgres.Tx, c Cohort, m Mode, rows []Row) (s situation, err error) {
	s = situation{closed: c.ClosedAt != nil, seats: -1, taken: c.Waiting + c.Enrolled + c.Suspended, places: map[string]place{}, away: map[string]bool{}, known: map[string]bool{}, owners: map[string]string{}}
	if c.Seats != nil {
		s.seats = *c.Seats
	}
	keys, emails := make([]string, 0, len(rows)), []string{}
	for _, r := range rows {
		if r, _, code := clean(r); code == "" || code == InvalidEmail || code == InvalidName {
			if keys = append(keys, r.StudentKey); code == "" && r.Email != "" {
				emails = append(emails, r.Email)
			}
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	var places []place
	if m == Bulk {
		err = tx.Select(ctx, &places, q.Q("AllPlaces"), c.ID)
	} else {
		err = tx.Select(ctx, &places, q.Q("Places"), c.ID, pq.Array(keys))
	}
	if err != nil {
		return s, err
	}
	for _, p := range places {
		if s.places[p.StudentKey] = p; !p.State.Live() && p.Email != "" {
			emails = append(emails, p.Email)
		}
	}
	var elsewhere []struct {
		StudentKey string `db:"student_key"`
		Away       bool   `db:"away"`
	}
	if err := tx.Select(ctx, &elsewhere, q.Q("Elsewhere"), c.Organisation, c.ThingID, c.ID, pq.Array(keys)); err != nil {
		return s, err
	}
	for _, e := range elsewhere {
		s.known[e.StudentKey], s.away[e.StudentKey] = true, e.Away
	}
	slices.Sort(emails)
	var owners []struct {
		Email      string `db:"email"`
		StudentKey string `db:"student_key"`
	}
	if err := tx.Select(ctx, &owners, q.Q("Owners"), c.Organisation, c.ThingID, pq.Array(slices.Compact(emails))); err != nil {
		return s, err
	}
	for _, o := range owners {
		s.owners[o.Email] = o.StudentKey
	}
	return s, nil
}

// columns are the columns of members that are written together.
type columns struct{ ids, keys, states, emails, given, family, langs, from []string }

func (c *columns) add(id string, x step) {
	c.ids, c.keys, c.states = append(c.ids, id), append(c.keys, x.row.StudentKey), append(c.states, string(x.to))
	c.emails, c.given, c.family, c.langs = append(c.emails, x.row.Email), append(c.given, x.row.GivenName), append(c.family, x.row.FamilyName), append(c.langs, x.row.Lang)
	c.from = append(c.from, string(x.was.State))
}

// write stores steps, opens and closes what they hold back, and has the rest of them followed.
func (s *Service) write(ctx context.Context, tx *postgres.Tx, c Cohort, by By, steps []step, cause string) error {
	var fresh, gone, old columns
	var held, freed enrolment.Holders
	for _, x := range steps {
		if x.fresh() {
			fresh.add(ident.New("cme"), x)
			continue
		}
		if x.to.Live() {
			old.add(x.was.ID, x)
		} else {
			gone.add(x.was.ID, x)
		}
		if x.was.Granted && x.to != x.was.State {
			switch {
			case x.to == Enrolled:
				freed.Add(x.was.PersonID, x.was.OrderID)
			case x.was.State == Enrolled:
				held.Add(x.was.PersonID, x.was.OrderID)
			}
		}
	}
	for _, c := range []columns{gone, old} { // who leaves makes room for who takes up her address
		if len(c.ids) == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, q.Q("PutMembers"), pq.Array(c.ids), pq.Array(c.states), pq.Array(c.emails), pq.Array(c.given), pq.Array(c.family), pq.Array(c.langs),
			tx.Now()); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("AddMoves"), pq.Array(c.ids), pq.Array(c.from), pq.Array(c.states), cause, by.PersonID, tx.Now()); err != nil {
			return err
		}
	}
	if len(fresh.ids) > 0 {
		if _, err := tx.Exec(ctx, q.Q("AddMembers"), c.ID, c.Organisation, c.ThingID, by.PersonID, tx.Now(), pq.Array(fresh.ids), pq.Array(fresh.keys), pq.Array(fresh.states),
			pq.Array(fresh.emails), pq.Array(fresh.given), pq.Array(fresh.family), pq.Array(fresh.langs)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("AddMoves"), pq.Array(fresh.ids), pq.Array(fresh.from), pq.Array(fresh.states), cause, by.PersonID, tx.Now()); err != nil {
			return err
		}
	}
	if err := enrolment.SuspendTx(ctx, tx, held, true); err != nil {
		return err
	}
	if err := enrolment.SuspendTx(ctx, tx, freed, false); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, Stirred{c.ID})
}

// Change is Enrol of learners who are in the cohort already, without a key: the same rows again change nothing.
func (s *Service) Change(ctx context.Context, by By, cohortID string, rows []Row) (d Difference, err error) {
	if len(rows) > MaxRows {
		return d, ErrTooMany
	}
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "change members", func(ctx context.Context, tx *postgres.Tx) (err error) {
		d, err = s.ApplyRowsTx(ctx, tx, by, cohortID, Update, rows, cohortID)
		return err
	})
	return d, err
}

// Enrol applies the rows of one request, at most MaxRows, once per key: the same key with the same rows gives the same answer. Errors:
// ErrNoCohort, ErrTooMany, those of idempotency.
func (s *Service) Enrol(ctx context.Context, by By, cohortID, key string, m Mode, rows []Row) (Difference, error) {
	if len(rows) > MaxRows {
		return Difference{}, ErrTooMany
	}
	command := struct {
		Cohort string
		Mode   Mode
		Rows   []Row
	}{cohortID, m, rows}
	return once(ctx, s, by, key, "cohort rows", command, func(ctx context.Context, tx *postgres.Tx) (Difference, error) {
		return s.ApplyRowsTx(ctx, tx, by, cohortID, m, rows, cohortID)
	})
}

// requestHash identifies the content of a command beside its key.
func requestHash(name string, command any) string {
	b, err := json.Marshal(command)
	if err != nil {
		panic(err) // commands are strings and numbers
	}
	sum := sha256.Sum256(append([]byte(strings.ToLower(name)+"\x00"), b...))
	return hex.EncodeToString(sum[:])
}
