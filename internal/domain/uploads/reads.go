package uploads

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/cohorts/roster"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Upload finds an upload of a cohort. Errors: cohorts.ErrNoCohort, ErrNoUpload.
func (s *Service) Upload(ctx context.Context, by cohorts.By, cohortID, id string) (u Upload, err error) {
	if _, err := s.cohorts.Cohort(ctx, by, cohortID); err != nil {
		return u, err
	}
	err = s.db.View(asSystem(ctx), "upload", func(ctx context.Context, tx *postgres.Tx) error {
		u, err = s.uploadTx(ctx, tx, cohortID, id)
		return err
	})
	return u, err
}

// Uploads lists those of a cohort, the newest first, and the key after which the list goes on. Error: cohorts.ErrNoCohort.
func (s *Service) Uploads(ctx context.Context, by cohorts.By, cohortID string, p page.Request) (all []Upload, next string, err error) {
	if _, err := s.cohorts.Cohort(ctx, by, cohortID); err != nil {
		return nil, "", err
	}
	err = s.db.View(asSystem(ctx), "uploads", func(ctx context.Context, tx *postgres.Tx) error {
		all, next = []Upload{}, ""
		if err := tx.Select(ctx, &all, q.Q("Uploads"), cohortID, p.After, p.Limit+1); err != nil {
			return err
		}
		if len(all) > p.Limit {
			all, next = all[:p.Limit], all[p.Limit-1].ID
		}
		for i := range all {
			if err := s.fillTx(ctx, tx, &all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return all, next, err
}

// Outcome is what becomes of each row of an upload, or became: a CSV student_key,status of the file's rows in their order and then of who
// is absent. The status is the one afterwards, or the code of why the row is refused. Errors: cohorts.ErrNoCohort, ErrNoUpload,
// ErrUnchecked while the difference is being made, ErrForgotten.
func (s *Service) Outcome(ctx context.Context, by cohorts.By, cohortID, id string) (file []byte, err error) {
	if _, err := s.cohorts.Cohort(ctx, by, cohortID); err != nil {
		return nil, err
	}
	err = s.db.View(asSystem(ctx), "outcome of an upload", func(ctx context.Context, tx *postgres.Tx) error {
		u, err := s.uploadTx(ctx, tx, cohortID, id)
		if err != nil {
			return err
		}
		if u.Difference == nil {
			return ErrUnchecked
		}
		raw, err := contentTx(ctx, tx, "Outcome", id)
		if err != nil {
			return err
		}
		file, err = inflate(raw)
		return err
	})
	return file, err
}

// Roster is who is in a cohort as a CSV student_key,status,account_exists,username,email. It is a roster itself: uploaded again, it changes
// nothing. The user name is the id of the account; the address is the one that the school gave. Error: cohorts.ErrNoCohort.
func (s *Service) Roster(ctx context.Context, by cohorts.By, cohortID string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"student_key", "status", "account_exists", "username", "email"}) // a buffer takes everything
	for after := ""; ; {
		all, next, err := s.cohorts.Members(ctx, by, cohortID, "", "", page.Request{Limit: 5000, After: after})
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			_ = w.Write([]string{roster.Cell(m.StudentKey), word(m.State), strconv.FormatBool(m.Account), m.PersonID, roster.Cell(m.Email)})
		}
		if after = next; next == "" {
			w.Flush()
			return out.Bytes(), w.Error()
		}
	}
}

// uploadTx finds an upload of a cohort, or of any. Error: ErrNoUpload.
func (s *Service) uploadTx(ctx context.Context, tx *postgres.Tx, cohortID, id string) (u Upload, err error) {
	if err := tx.Get(ctx, &u, q.Q("Upload"), id, cohortID); errors.Is(err, sql.ErrNoRows) {
		return u, ErrNoUpload
	} else if err != nil {
		return u, err
	}
	return u, s.fillTx(ctx, tx, &u)
}

// fillTx adds what is not a column.
func (s *Service) fillTx(ctx context.Context, tx *postgres.Tx, u *Upload) error {
	if u.Report == nil {
		return nil
	}
	d, err := reported(u.Report)
	if err != nil {
		return err
	}
	u.Difference = d
	u.ConfirmAbsent = d.Absent*100 > s.absent*d.Members
	u.Progress.Total = d.New + d.Changed + d.Absent
	if u.State != Applied {
		return nil
	}
	due, err := cohorts.DueTx(ctx, tx, u.CohortID, u.ID)
	u.Progress.Done = max(0, u.Progress.Total-due)
	return err
}

func reported(report []byte) (*Difference, error) {
	d := &Difference{}
	return d, json.Unmarshal(report, d)
}

func contentTx(ctx context.Context, tx *postgres.Tx, what, id string) (raw []byte, err error) {
	if err = tx.Get(ctx, &raw, q.Q(what), id); errors.Is(err, sql.ErrNoRows) {
		err = ErrForgotten
	}
	return raw, err
}

// kept is how long the rows of a file and their outcome stay: who was refused comes back within weeks.
const kept = 90 * 24 * time.Hour

// Forget removes the rows and outcomes of uploads that were made 90 days ago. What they were, and their hash, stays.
func (s *Service) Forget(ctx context.Context) (n int64, err error) {
	err = s.db.InTx(asSystem(ctx), "forget uploads", func(ctx context.Context, tx *postgres.Tx) (err error) {
		n, err = tx.Exec(ctx, q.Q("Forget"), tx.Now().Add(-kept))
		return err
	})
	return n, err
}
