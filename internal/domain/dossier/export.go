package dossier

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

// exportLife is how long an export can be fetched.
const exportLife = 7 * 24 * time.Hour

// Export is a file with all that is kept of a person. Done of Total kinds of records are written.
type Export struct {
	ID        string     `db:"id" json:"id"`
	PersonID  string     `db:"person_id" json:"person"`
	AskedBy   string     `db:"asked_by" json:"-"`
	AskedAt   time.Time  `db:"asked_at" json:"asked_at"`
	State     string     `db:"state" json:"state"` // pending, ready, expired
	Done      int        `db:"done" json:"done"`
	Total     int        `db:"total" json:"total"`
	Bytes     int64      `db:"bytes" json:"bytes"`
	SHA256    string     `db:"sha256" json:"sha256,omitempty"` // hexadecimal
	ReadyAt   *time.Time `db:"ready_at" json:"ready_at,omitempty"`
	ExpiresAt *time.Time `db:"expires_at" json:"expires_at,omitempty"`
}

// ExportAsked has an export made.
type ExportAsked struct {
	ExportID string `json:"export_id"`
}

// Kind names the job.
func (ExportAsked) Kind() string { return "dossier.export" }

// Rank lets what people wait for go first.
func (ExportAsked) Rank() int { return 5 }

// ExportMade says that an export can be fetched.
type ExportMade struct {
	ExportID string `json:"export_id"`
}

// Kind names the job.
func (ExportMade) Kind() string { return "dossier.export_made" }

// Tables are those of which an export has the rows of a person, sorted.
func Tables() []string { return slices.Sorted(maps.Keys(exports)) }

// AskExportTx has all that is kept of a person written into one file. While one is being made, it is that one. Errors: identity.ErrNoPerson.
func (s *Service) AskExportTx(ctx context.Context, tx *postgres.Tx, by By, personID string) (string, error) {
	if !by.may(personID) {
		return "", identity.ErrNoPerson
	}
	if _, err := identity.PersonTx(ctx, tx, personID); err != nil {
		return "", err
	}
	made, id := ident.New("exp"), ""
	if err := tx.Get(ctx, &id, q.Q("AddExport"), made, personID, postgres.Author(ctx), tx.Now(), len(exports)); err != nil || id != made {
		return id, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "export.asked", Object: id, Detail: map[string]string{"person": personID}}); err != nil {
		return "", err
	}
	return id, s.jobs.EnqueueTx(ctx, tx, ExportAsked{id})
}

// ExportTx finds an export. Error: ErrNoExport.
func (s *Service) ExportTx(ctx context.Context, tx *postgres.Tx, by By, id string) (e Export, err error) {
	if err := tx.Get(ctx, &e, q.Q("Export"), id); errors.Is(err, sql.ErrNoRows) || err == nil && !by.may(e.PersonID) {
		return Export{}, ErrNoExport
	} else if err != nil {
		return e, err
	}
	return e, nil
}

// ExportsTx lists the exports of a person, the newest first, at most 20.
func ExportsTx(ctx context.Context, tx *postgres.Tx, personID string) (all []Export, err error) {
	err = tx.Select(ctx, &all, q.Q("ExportsOf"), personID)
	return all, err
}

// FileTx gives the bytes of an export, and notes who took them. Errors: ErrNoExport, ErrNotReady.
func (s *Service) FileTx(ctx context.Context, tx *postgres.Tx, by By, id string) (file []byte, err error) {
	e, err := s.ExportTx(ctx, tx, by, id)
	if err != nil {
		return nil, err
	}
	if e.State == "pending" {
		return nil, ErrNotReady
	}
	if err := tx.Get(ctx, &file, q.Q("ExportFile"), id, tx.Now()); errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoExport
	} else if err != nil {
		return nil, err
	}
	return file, audit.AppendTx(ctx, tx, audit.Entry{Action: "export.fetched", Object: id, Detail: map[string]string{"person": e.PersonID}})
}

// makeExport writes an export: a JSON file with everything, a CSV file for each table, and her papers. Whoever runs it again makes it anew.
func (s *Service) makeExport(ctx context.Context, a ExportAsked) error {
	var e Export
	if err := s.db.View(ctx, "export", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &e, q.Q("Export"), a.ExportID) }); err != nil || e.State != "pending" {
		return err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	whole := map[string][]json.RawMessage{}
	for i, table := range Tables() {
		rows := []json.RawMessage{}
		if err := s.db.InTx(ctx, "export a table", func(ctx context.Context, tx *postgres.Tx) error {
			rows = rows[:0]
			if err := tx.Select(ctx, &rows, exports.Q(table), e.PersonID); err != nil || i%10 != 0 {
				return err
			}
			_, err := tx.Exec(ctx, q.Q("ExportGoes"), e.ID, i)
			return err
		}); err != nil {
			return err
		}
		if len(rows) == 0 {
			continue
		}
		whole[table] = rows
		content, err := asCSV(rows)
		if err != nil {
			return err
		}
		if err := put(z, "csv/"+table+".csv", content, e.AskedAt); err != nil {
			return err
		}
	}
	content, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		return err
	}
	if err := put(z, "person.json", content, e.AskedAt); err != nil {
		return err
	}
	var papers []struct {
		Name    string `db:"name"`
		Content []byte `db:"content"`
	}
	if err := s.db.View(ctx, "papers", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &papers, q.Q("Papers"), e.PersonID)
	}); err != nil {
		return err
	}
	for _, p := range papers {
		if err := put(z, p.Name, p.Content, e.AskedAt); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return s.db.InTx(ctx, "export ready", func(ctx context.Context, tx *postgres.Tx) error {
		n, err := tx.Exec(ctx, q.Q("ExportReady"), e.ID, b.Bytes(), tx.Now(), tx.Now().Add(exportLife))
		if err != nil || n == 0 {
			return err
		}
		if err := s.jobs.EnqueueTx(ctx, tx, ExportMade{e.ID}); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "export.made", Object: e.ID, Detail: map[string]any{"person": e.PersonID, "bytes": b.Len(), "papers": len(papers)}})
	})
}

func put(z *zip.Writer, name string, content []byte, at time.Time) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at.UTC()})
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}

// formulaSigns begin what a spreadsheet takes for a formula; such a cell gets an apostrophe in front.
const formulaSigns = "=+-@\t"

// asCSV writes rows of JSON as CSV, a column for each member, sorted by name.
func asCSV(rows []json.RawMessage) ([]byte, error) {
	parsed, columns := make([]map[string]json.RawMessage, len(rows)), map[string]bool{}
	for i, r := range rows {
		if err := json.Unmarshal(r, &parsed[i]); err != nil {
			return nil, err
		}
		for name := range parsed[i] {
			columns[name] = true
		}
	}
	head := slices.Sorted(maps.Keys(columns))
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	_ = out.Write(head) // Error tells
	for _, r := range parsed {
		line := make([]string, len(head))
		for i, name := range head {
			var text string
			if raw := r[name]; json.Unmarshal(raw, &text) == nil {
				if text != "" && strings.ContainsRune(formulaSigns, rune(text[0])) {
					text = "'" + text
				}
				line[i] = text
			} else if s := string(raw); s != "null" {
				line[i] = s
			}
		}
		_ = out.Write(line)
	}
	out.Flush()
	return b.Bytes(), out.Error()
}

var _ jobs.Args = ExportAsked{}
