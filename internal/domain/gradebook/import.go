package gradebook

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"path/filepath"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

// Intake is a grade report to import. A zero CollectedAt is read from the file name.
type Intake struct {
	SessionID   string
	FileName    string
	CollectedAt time.Time
	Content     []byte
	DryRun      bool // say what would change, and change nothing
}

var errDryRun = errors.New("dry run")

// Import takes a report in, once: the same bytes again do nothing and say so. Rows that cannot be read are listed and left
// out; the learners of such rows keep what they had. Errors: the faults of this room and catalog.ErrNoSession.
func (s *Service) Import(ctx context.Context, in Intake) (Collection, error) {
	in.FileName = filepath.Base(in.FileName)
	if in.CollectedAt.IsZero() {
		at, ok := CollectedAt(in.FileName)
		if !ok {
			return Collection{}, ErrNoTime
		}
		in.CollectedAt = at
	}
	report, err := Parse(in.Content)
	if err != nil {
		return Collection{}, err
	}
	packed, err := pack(in.Content)
	if err != nil {
		return Collection{}, err
	}
	var c Collection
	err = s.db.InTx(postgres.WithOwnPlans(ctx), "import grades", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if c, err = importTx(ctx, tx, in, report, packed); err != nil || c.Replayed {
			return err
		}
		if in.DryRun {
			return errDryRun
		}
		return s.jobs.EnqueueTx(ctx, tx, Imported{c.sessionID, c.ID})
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return c, err
}

func pack(content []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(content); err != nil {
		return nil, err
	}
	err = z.Close() // writes the rest: the bytes are whole only after it
	return b.Bytes(), err
}

// intake is one import under way: the state just before it and the changes that it makes.
type intake struct {
	tx         *postgres.Tx
	collection Collection
	sessionID  string
	at         time.Time
	later      []laterReport // the reports after this one; none when it is the newest
	columns    map[Column]int
	rules      rules
	fresh      map[string]bool // enrolments that this report made

	changes                             []journey.Change
	cellIDs, cellTimes                  []string
	cellColumns, cellValues             []int64
	cohortIDs, cohortTimes, cohortNames []string
}

func importTx(ctx context.Context, tx *postgres.Tx, in Intake, r Report, packed []byte) (Collection, error) {
	session, err := catalog.SessionTx(ctx, tx, in.SessionID)
	if err != nil {
		return Collection{}, err
	}
	if _, err := tx.Exec(ctx, q.Q("LockSession"), session.ID); err != nil {
		return Collection{}, err
	}
	sum := sha256.Sum256(in.Content)
	var c Collection
	if err := tx.Get(ctx, &c, q.Q("CollectionByContent"), session.ID, sum[:]); !errors.Is(err, sql.ErrNoRows) {
		c.Replayed = true
		return c, err
	}
	if session, err = catalog.LockSessionTx(ctx, tx, session.ID); err != nil { // its threshold is not edited meanwhile
		return Collection{}, err
	}
	k := &intake{tx: tx, sessionID: session.ID, at: in.CollectedAt, collection: Collection{
		sessionID: session.ID,
		ID:        ident.New("col"), CollectedAt: in.CollectedAt, FileName: in.FileName, Family: r.Family,
		RowsRead: len(r.Rows) + len(r.Rejects), RowsRejected: len(r.Rejects), Rejects: r.Rejects,
	}}
	if err := k.readLater(ctx); err != nil {
		return Collection{}, err
	}
	if err := k.prepareColumns(ctx, r, session); err != nil {
		return Collection{}, err
	}
	rows, err := k.enrol(ctx, r, session)
	if err != nil {
		return Collection{}, err
	}
	if err := k.compare(ctx, r, rows, session.Platform); err != nil {
		return Collection{}, err
	}
	if err := catalog.GradedTx(ctx, tx, session.ID); err != nil {
		return Collection{}, err
	}
	return k.collection, k.write(ctx, sum[:], packed)
}

// prepareColumns makes the columns that are new and places them by the session's exercise map.
func (k *intake) prepareColumns(ctx context.Context, r Report, session catalog.Session) error {
	var kinds, labels []string
	var occurrences []int64
	for _, c := range r.Columns {
		kinds, labels, occurrences = append(kinds, c.Kind), append(labels, c.Label), append(occurrences, int64(c.Occurrence))
	}
	if _, err := k.tx.Exec(ctx, q.Q("AddColumns"), k.sessionID, pq.Array(kinds), pq.Array(labels), pq.Array(occurrences)); err != nil {
		return err
	}
	var known []struct {
		ID         int    `db:"id"`
		Kind       string `db:"kind"`
		Label      string `db:"label"`
		Occurrence int    `db:"occurrence"`
	}
	if err := k.tx.Select(ctx, &known, q.Q("Columns"), k.sessionID); err != nil {
		return err
	}
	exercises, err := catalog.ExercisesTx(ctx, k.tx, k.sessionID)
	if err != nil {
		return err
	}
	k.columns = make(map[Column]int, len(known))
	order := make([]Column, 0, len(known))
	for _, c := range known {
		column := Column{c.Kind, c.Label, c.Occurrence}
		k.columns[column] = c.ID
		order = append(order, column)
	}
	k.rules, k.collection.Unmapped = newRules(k.columns, order, exercises, session.ThresholdPPM)
	return nil
}

// enrol gives the enrolment of each row, making learners, enrolments and members as needed.
func (k *intake) enrol(ctx context.Context, r Report, session catalog.Session) ([]string, error) {
	people := make([]identity.ExternalPerson, len(r.Rows))
	for i, row := range r.Rows {
		people[i] = identity.ExternalPerson{Subject: row.Subject, FullName: row.Username, Email: row.Email}
	}
	ids, err := identity.ImportPeopleTx(ctx, k.tx, session.Platform, people)
	if err != nil {
		return nil, err
	}
	learners := make([]string, len(r.Rows))
	for i, row := range r.Rows {
		learners[i] = ids[row.Subject]
	}
	enrolments, fresh, err := enrolment.ImportTx(ctx, k.tx, session.ID, learners, k.at, k.collection.ID)
	if err != nil {
		return nil, err
	}
	k.fresh, k.collection.LearnersNew = fresh, len(fresh)
	rows := make([]string, len(r.Rows))
	for i := range rows {
		rows[i] = enrolments[learners[i]]
	}
	return rows, nil
}
