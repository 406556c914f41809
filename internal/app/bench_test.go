package app_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// copier is what lib/pq's prepared COPY can do beside the interfaces of database/sql.
type copier interface {
	CopyData(ctx context.Context, line string) (driver.Result, error)
}

// BenchmarkRealReports imports the nine real reports and, in the same run, copies the same cells raw into a table with a
// primary key: the limit to compare with. Both on a server that does not wait for the disk.
func BenchmarkRealReports(b *testing.B) {
	files := realReports(b)
	ctx := postgres.WithActor(context.Background(), "system")
	for range b.N {
		dsn := testkit.OwnerDSN(b)
		db := testkit.Open(b, dsn, testkit.Clock())
		exercises, err := catalog.ReadExerciseMap(strings.NewReader(prdWeeks))
		if err != nil {
			b.Fatal(err)
		}
		if err := db.InTx(ctx, "session", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-7", CourseKey: "PRD", Title: catalog.Text{EN: "PRD"}, Platform: "fun", ThresholdPPM: 500_000, Exercises: exercises})
			return err
		}); err != nil {
			b.Fatal(err)
		}
		book, rows, began := gradebook.New(db, jobs.New(db, nil)), 0, time.Now()
		for _, f := range files {
			content, err := os.ReadFile(f)
			if err != nil {
				b.Fatal(err)
			}
			c, err := book.Import(ctx, gradebook.Intake{SessionID: "PRD-7", FileName: filepath.Base(f), Content: content})
			if err != nil {
				b.Fatal(err)
			}
			rows += c.RowsRead
		}
		imported := time.Since(began)
		cells, copied := rawCopy(b, dsn, files)
		b.ReportMetric(imported.Seconds(), "import-s")
		b.ReportMetric(float64(rows)/imported.Seconds(), "rows/s")
		b.ReportMetric(float64(cells)/imported.Seconds(), "cells/s")
		b.ReportMetric(float64(cells)/copied.Seconds(), "copied-cells/s")
		b.ReportMetric(copied.Seconds()/imported.Seconds(), "of-raw-COPY")
	}
}

// rawCopy copies the exercise cells of the files and tells how many there were and how long it took, reading excluded.
func rawCopy(b *testing.B, dsn string, files []string) (cells int, took time.Duration) {
	owner := testkit.Owner(b, dsn)
	if _, err := owner.Exec(`create table raw_cells (collection int, learner text, exercise int, value bigint, primary key (collection, learner, exercise))`); err != nil {
		b.Fatal(err)
	}
	var blocks []string
	var block strings.Builder
	for n, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		r, err := gradebook.Parse(content)
		if err != nil {
			b.Fatal(err)
		}
		for _, row := range r.Rows {
			for i, v := range row.Cells {
				if r.Columns[i].Kind == "exercise" {
					fmt.Fprintf(&block, "%d\t%s\t%d\t%d\n", n, row.Subject, i, v)
					cells++
				}
			}
			if block.Len() > 1<<16 {
				blocks = append(blocks, block.String())
				block.Reset()
			}
		}
	}
	blocks = append(blocks, block.String())
	conn, err := owner.Conn(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	began := time.Now()
	if _, err := conn.ExecContext(context.Background(), "begin"); err != nil {
		b.Fatal(err)
	}
	if err := conn.Raw(func(c any) error {
		s, err := c.(driver.ConnPrepareContext).PrepareContext(context.Background(), "copy raw_cells from stdin")
		if err != nil {
			return err
		}
		in, ok := s.(copier)
		if !ok {
			return errors.New("the driver has no raw COPY")
		}
		for _, text := range blocks {
			if _, err := in.CopyData(context.Background(), strings.TrimSuffix(text, "\n")); err != nil {
				return err
			}
		}
		if _, err := s.Exec(nil); err != nil { //nolint:staticcheck // the driver's own way to end a COPY
			return err
		}
		return s.Close()
	}); err != nil {
		b.Fatal(err)
	}
	if _, err := conn.ExecContext(context.Background(), "commit"); err != nil {
		b.Fatal(err)
	}
	return cells, time.Since(began)
}
