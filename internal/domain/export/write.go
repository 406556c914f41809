package export

import (
	"archive/zip"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"cursus/internal/platform/postgres"
)

// Formats of files.
const (
	CSV     = "csv"     // gzip, UTF-8, RFC 4180, times as RFC 3339 in UTC, empty for nothing
	Parquet = "parquet" // compressed by Snappy; times are microseconds in UTC
)

// suffix is how the file of a view ends.
func suffix(format string) string {
	if format == Parquet {
		return ".parquet"
	}
	return ".csv.gz"
}

// Progress is how far a file is: Done of Total views, Rows of all of them.
type Progress struct {
	Done, Total int
	Rows        int64
	View        string
}

// File is one file of an export: of a view, or what describes it.
type File struct {
	Name   string `json:"name"`
	View   string `json:"view,omitempty"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// Manifest says what an export holds: all of its files show the same moment.
type Manifest struct {
	Format string    `json:"format"`
	AsOf   time.Time `json:"as_of"`
	Files  []File    `json:"files"`
}

// tell is how often progress is told, in rows.
const tell = 20_000

// WriteFiles writes every view into a file of its own, as they stand at one moment, then dictionary.csv and manifest.json. open gives where a
// file goes; it is closed before the next one is opened. No more than a row, or for Parquet a group of rows, is held in memory. Error:
// ErrFormat.
func WriteFiles(ctx context.Context, db *postgres.DB, format string, open func(name string) (io.WriteCloser, error), progress func(Progress) error) (m Manifest, err error) {
	if format != CSV && format != Parquet {
		return m, ErrFormat
	}
	err = db.Snapshot(postgres.WithOwnPlans(ctx), "export", func(ctx context.Context, tx *postgres.Tx) error {
		m = Manifest{Format: format, AsOf: tx.Now().UTC()}
		if _, err := tx.Exec(ctx, q.Q("Unhurried")); err != nil {
			return err
		}
		views, err := DictionaryTx(ctx, tx)
		if err != nil {
			return err
		}
		p := Progress{Total: len(views)}
		for _, v := range views {
			p.View = v.Name
			before := p.Rows
			f := File{Name: v.Name + suffix(format), View: v.Name}
			if f.SHA256, err = summed(open, f.Name, func(w io.Writer) error {
				f.Rows, err = writeView(ctx, tx, w, v, format, func(rows int64) error {
					p.Rows = before + rows
					return progress(p)
				})
				return err
			}); err != nil {
				return err
			}
			m.Files = append(m.Files, f)
			p.Done, p.Rows = p.Done+1, before+f.Rows
			if err := progress(p); err != nil {
				return err
			}
		}
		d := File{Name: "dictionary.csv"}
		if d.SHA256, err = summed(open, d.Name, func(w io.Writer) error { return writeDictionary(w, views) }); err != nil {
			return err
		}
		for _, v := range views {
			d.Rows += int64(len(v.Columns))
		}
		m.Files = append(m.Files, d)
		_, err = summed(open, "manifest.json", func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(m)
		})
		return err
	})
	return m, err
}

// summed writes a file and gives its SHA-256 in hexadecimal.
func summed(open func(name string) (io.WriteCloser, error), name string, write func(io.Writer) error) (sum string, err error) {
	w, err := open(name)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	if err := write(io.MultiWriter(w, h)); err != nil {
		_ = w.Close()
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), w.Close()
}

// rows is what takes the rows of one view.
type rows interface {
	write(cells []any) error
	close() error
}

func writeView(ctx context.Context, tx *postgres.Tx, w io.Writer, v View, format string, progress func(rows int64) error) (n int64, err error) {
	var out rows
	if format == Parquet {
		out = newParquet(w, v)
	} else if out, err = newCSV(w, v); err != nil {
		return 0, err
	}
	cells := make([]any, len(v.Columns))
	for i, c := range v.Columns {
		switch c.Kind {
		case Integer, Big:
			cells[i] = new(sql.NullInt64)
		case Boolean:
			cells[i] = new(sql.NullBool)
		case Time:
			cells[i] = new(sql.NullTime)
		default:
			cells[i] = new(sql.NullString)
		}
	}
	if err := tx.Each(ctx, q.Q("View "+v.Name), func(r *sql.Rows) error {
		if err := r.Scan(cells...); err != nil {
			return err
		}
		if n++; n%tell == 0 {
			if err := progress(n); err != nil {
				return err
			}
		}
		return out.write(cells)
	}); err != nil {
		return n, err
	}
	return n, out.close()
}

// csvRows writes compressed CSV.
type csvRows struct {
	zip  *gzip.Writer
	out  *csv.Writer
	line []string
}

func newCSV(w io.Writer, v View) (*csvRows, error) {
	z := gzip.NewWriter(w)
	c := &csvRows{zip: z, out: csv.NewWriter(z), line: make([]string, len(v.Columns))}
	for i, column := range v.Columns {
		c.line[i] = column.Name
	}
	return c, c.out.Write(c.line)
}

// formulaSigns begin what a spreadsheet takes for a formula; such a text gets an apostrophe in front.
const formulaSigns = "=+-@\t\r"

func (c *csvRows) write(cells []any) error {
	for i, cell := range cells {
		c.line[i] = ""
		switch x := cell.(type) {
		case *sql.NullInt64:
			if x.Valid {
				c.line[i] = strconv.FormatInt(x.Int64, 10)
			}
		case *sql.NullBool:
			if x.Valid {
				c.line[i] = strconv.FormatBool(x.Bool)
			}
		case *sql.NullTime:
			if x.Valid {
				c.line[i] = x.Time.UTC().Format(time.RFC3339Nano)
			}
		case *sql.NullString:
			c.line[i] = x.String
			if x.String != "" && strings.IndexByte(formulaSigns, x.String[0]) >= 0 {
				c.line[i] = "'" + x.String
			}
		}
	}
	return c.out.Write(c.line)
}

func (c *csvRows) close() error {
	c.out.Flush()
	if err := c.out.Error(); err != nil {
		return err
	}
	return c.zip.Close()
}

// zipped puts files into a ZIP as they are: those of views are compressed already.
func zipped(z *zip.Writer) func(name string) (io.WriteCloser, error) {
	return func(name string) (io.WriteCloser, error) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		return open{w}, err
	}
}

// open is a file of a ZIP, which the next one ends.
type open struct{ io.Writer }

func (open) Close() error { return nil }
