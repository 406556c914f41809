package app_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	for range b.N {
		dsn, rows, took := imported(b, files)
		cells, copied := rawCopy(b, dsn, files)
		b.ReportMetric(took.Seconds(), "import-s")
		b.ReportMetric(float64(rows)/took.Seconds(), "rows/s")
		b.ReportMetric(float64(cells)/took.Seconds(), "cells/s")
		b.ReportMetric(float64(cells)/copied.Seconds(), "copied-cells/s")
		b.ReportMetric(copied.Seconds()/took.Seconds(), "of-raw-COPY")
	}
}

// imported imports grade reports, in order, into a session of a new house.
func imported(b *testing.B, files []string) (dsn string, rows int, took time.Duration) {
	b.Helper()
	ctx := postgres.WithActor(context.Background(), "system")
	dsn = testkit.OwnerDSN(b)
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
	book, began := gradebook.New(db, jobs.New(db, nil)), time.Now()
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
	return dsn, rows, time.Since(began)
}

// parses has the MOOCpilot tools (Apache-2.0, github.com/call-learning/moocpilot-tools) read all reports of a folder into memory, as their own command
// does, and says how many seconds that took, without the start of Node, and how many learners they found.
const parses = `
require('@babel/register');
const { getGradeReportsFromLocalFolder } = require('./src/utils/edxreportutils');
const { parseGradeReports } = require('./src/utils/parseutils');
(async () => {
  const began = process.hrtime.bigint();
  const read = await parseGradeReports(await getGradeReportsFromLocalFolder(process.argv[1]));
  console.log(Number(process.hrtime.bigint() - began) / 1e9, read.students.length);
})();
`

// BenchmarkMoocpilot imports the thirteen weekly reports that come with the MOOCpilot tools, into the books with all their history, and has the tools'
// own parser read the same files in the same run. MOOCPILOT_TOOLS is the folder of a clone of them in which "npm install" was done.
func BenchmarkMoocpilot(b *testing.B) {
	folder := os.Getenv("MOOCPILOT_TOOLS")
	if folder == "" {
		b.Log("MOOCPILOT_TOOLS names no folder: nothing to compare with")
		return
	}
	reports := filepath.Join("tests", "sampledata", "gradereports")
	files, err := filepath.Glob(filepath.Join(folder, reports, "*.csv"))
	if err != nil || len(files) == 0 {
		b.Fatal("no reports in", folder, err)
	}
	slices.Sort(files) // the names end in the time
	for range b.N {
		dsn, rows, took := imported(b, files)
		var ours, theirs int
		if err := testkit.Owner(b, dsn).QueryRow(`select count(*) from enrolment.enrolments`).Scan(&ours); err != nil {
			b.Fatal(err)
		}
		parser := exec.Command("node", "-e", parses, reports) //nolint:gosec,noctx // a benchmark
		parser.Dir = folder
		said, err := parser.Output()
		if err != nil {
			b.Fatal("the MOOCpilot tools: ", err)
		}
		var seconds float64
		if _, err := fmt.Sscan(string(said), &seconds, &theirs); err != nil || ours != theirs {
			b.Fatalf("%v: they found %d learners, we %d", err, theirs, ours)
		}
		b.ReportMetric(took.Seconds(), "import-s")
		b.ReportMetric(float64(rows)/took.Seconds(), "rows/s")
		b.ReportMetric(seconds, "moocpilot-parse-s")
		b.ReportMetric(seconds/took.Seconds(), "times-moocpilot")
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
