package gradebook

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/audit"
)

// write stores the collection and what it changes.
func (k *intake) write(ctx context.Context, sum, packed []byte) error {
	c := k.collection
	outcomes, err := packOutcomes(c)
	if err != nil {
		return err
	}
	if _, err := k.tx.Exec(ctx, q.Q("AddCollection"), c.ID, k.session.ID, c.CollectedAt, k.tx.Now(), sum, c.FileName, packed, c.Family,
		c.RowsRead, c.RowsRejected, c.LearnersNew, c.LearnersLeft, c.LearnersBack, c.CellsChanged, c.Kind, c.Origin, c.LinesIgnored, c.Duplicates, c.ScoresFirst, c.ScoresRaised, c.ScoresLowered, c.ScoresDropped, c.Via, c.Bytes, outcomes); err != nil {
		return err
	}
	var lines, columns []int64
	var codes, details []string
	for i, r := range c.Rejects {
		if i > 0 && r.Line == c.Rejects[i-1].Line {
			continue // one reason says enough of a line
		}
		lines, columns = append(lines, int64(r.Line)), append(columns, int64(r.Column))
		codes, details = append(codes, r.Code), append(details, r.Detail)
	}
	if _, err := k.tx.Exec(ctx, q.Q("AddRejects"), c.ID, pq.Array(lines), pq.Array(columns), pq.Array(codes), pq.Array(details)); err != nil {
		return err
	}
	if err := k.writeIssued(ctx); err != nil {
		return err
	}
	if err := k.added.write(ctx, k.tx, k.session.ID); err != nil {
		return err
	}
	if _, err := k.tx.Exec(ctx, q.Q("AddCohorts"), k.session.ID, pq.Array(k.cohortIDs), pq.Array(k.cohortTimes), pq.Array(k.cohortNames)); err != nil {
		return err
	}
	if err := journey.RecordTx(ctx, k.tx, k.changes); err != nil {
		return err
	}
	return audit.AppendTx(ctx, k.tx, audit.Entry{Action: "grades.imported", Object: c.ID, Detail: map[string]any{
		"session": k.session.ID, "kind": c.Kind, "collected_at": c.CollectedAt, "sha256": hex.EncodeToString(sum), "rows": c.RowsRead, "rejected": c.RowsRejected,
	}})
}

func (k *intake) writeIssued(ctx context.Context) error {
	var types, runs []string
	var totals []int64
	for _, x := range k.report.Issued {
		run := ""
		if !x.RunAt.IsZero() {
			run = x.RunAt.Format(time.RFC3339Nano)
		}
		types, totals, runs = append(types, x.Type), append(totals, int64(x.Total)), append(runs, run)
	}
	_, err := k.tx.Exec(ctx, q.Q("AddIssued"), k.collection.ID, pq.Array(types), pq.Array(totals), pq.Array(runs))
	return err
}

// unpack gives the bytes as they came, which may be compressed themselves; nothing stays nothing.
func unpack(kept []byte) ([]byte, error) {
	if len(kept) == 0 {
		return nil, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(kept))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// pack compresses a file, and says its length and what tells it from others.
func pack(src sheet.Source) (packed, sum []byte, size int64, err error) {
	f, err := src()
	if err != nil {
		return nil, nil, 0, err
	}
	defer func() { _ = f.Close() }()
	of, b := sha256.New(), bytes.Buffer{}
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, nil, 0, err
	}
	if size, err = io.Copy(io.MultiWriter(of, z), f); err != nil {
		return nil, nil, size, err
	}
	err = z.Close() // writes the rest: the bytes are whole only after it
	return b.Bytes(), of.Sum(nil), size, err
}
