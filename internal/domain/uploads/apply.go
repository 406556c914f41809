package uploads

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"cursus/internal/domain/cohorts"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/lean"
	"cursus/internal/platform/postgres"
)

// Check makes the difference of an upload. It changes nothing of the cohort.
func (s *Service) Check(ctx context.Context, e CheckAsked) error {
	return s.look(ctx, e.UploadID, Checking, nil)
}

// look makes the difference of an upload that stands in a state, and why it is made again.
func (s *Service) look(ctx context.Context, id string, in State, because *fault.Fault) error {
	defer lean.While()()
	return s.db.InTx(asSystem(ctx), "check upload", func(ctx context.Context, tx *postgres.Tx) error {
		u, err := s.heldTx(ctx, tx, id, in)
		if err != nil || u.ID == "" {
			return err
		}
		all, err := entriesTx(ctx, tx, id)
		if err != nil {
			return err
		}
		d, err := s.cohorts.DiffTx(ctx, tx, u.by(), u.CohortID, u.Mode, rowsOf(all))
		if f := final(err); f != nil {
			return failTx(ctx, tx, u.ID, f)
		}
		if err != nil {
			return err
		}
		now, file, err := compare(all, d)
		if err != nil {
			return err
		}
		return settleTx(ctx, tx, u.ID, Checked, now, file, because)
	})
}

// Apply is the second word: who gives it names the difference that she saw and, where many would be withdrawn, how many. Once per key;
// an upload that is applied stays so. Errors: ErrNoUpload, ErrUnchecked, ErrDifference, ErrAbsent, ErrBusy, those of idempotency.
func (s *Service) Apply(ctx context.Context, by cohorts.By, key string, a Apply) (Upload, error) {
	if _, err := s.cohorts.Writable(ctx, by, a.CohortID); err != nil {
		return Upload{}, err
	}
	absent := ""
	if a.Absent != nil {
		absent = strconv.Itoa(*a.Absent)
	}
	request := strings.Join([]string{"apply upload", a.CohortID, a.UploadID, a.Difference, absent}, "\x00")
	return s.once(ctx, by, key, request, func(ctx context.Context, tx *postgres.Tx) (Upload, error) {
		if _, err := tx.Exec(ctx, q.Q("Lock"), a.UploadID); err != nil {
			return Upload{}, err
		}
		u, err := s.uploadTx(ctx, tx, a.CohortID, a.UploadID)
		switch {
		case err != nil:
			return u, err
		case u.State == Applied:
			return u, nil
		case u.State == Applying:
			return u, ErrBusy
		case !Life.Allows(u.State, Applying):
			return u, ErrUnchecked
		case a.Difference != u.Difference.SHA256:
			return u, ErrDifference
		case u.ConfirmAbsent && (a.Absent == nil || *a.Absent != u.Difference.Absent):
			return u, ErrAbsent.At("/absent", "not-confirmed", fmt.Sprintf("%d learners would be withdrawn.", u.Difference.Absent))
		}
		if _, err := tx.Exec(ctx, q.Q("Ask"), u.ID, Applying, by.PersonID); err != nil {
			return u, err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "roster.apply_asked", Object: u.ID, Detail: map[string]any{
			"cohort": u.CohortID, "difference_sha256": a.Difference, "absent": u.Difference.Absent, "by": by.PersonID}}); err != nil {
			return u, err
		}
		if err := s.jobs.EnqueueTx(ctx, tx, ApplyAsked{u.ID}); err != nil {
			return u, err
		}
		return s.uploadTx(ctx, tx, a.CohortID, u.ID)
	})
}

// Apply names an upload and the difference that is wanted.
type Apply struct {
	CohortID   string
	UploadID   string
	Difference string // its SHA256
	Absent     *int   // how many are absent; nil: not said
}

// errMoved undoes an application that would change something else than its reader saw.
var errMoved = errors.New("the difference is another one")

// Run applies an upload, whole, in one transaction. Where it would change something else than was seen by who asked for it, nothing is
// changed, and the difference is made anew for her to look at.
func (s *Service) Run(ctx context.Context, e ApplyAsked) error {
	defer lean.While()()
	err := s.db.InTx(asSystem(ctx), "apply upload", func(ctx context.Context, tx *postgres.Tx) error {
		u, err := s.heldTx(ctx, tx, e.UploadID, Applying)
		if err != nil || u.ID == "" {
			return err
		}
		all, err := entriesTx(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		d, err := s.cohorts.ApplyRowsTx(ctx, tx, u.by(), u.CohortID, u.Mode, rowsOf(all), u.ID)
		if err != nil {
			return err
		}
		now, file, err := compare(all, d)
		if err != nil {
			return err
		}
		if now.SHA256 != u.Difference.SHA256 {
			return errMoved
		}
		return settleTx(ctx, tx, u.ID, Applied, now, file, nil)
	})
	if errors.Is(err, errMoved) || err != nil && fault.From(err).Kind == fault.Conflict {
		return s.look(ctx, e.UploadID, Applying, ErrDifference)
	}
	if f := final(err); f != nil {
		return s.db.InTx(asSystem(ctx), "fail upload", func(ctx context.Context, tx *postgres.Tx) error {
			u, err := s.heldTx(ctx, tx, e.UploadID, Applying)
			if err != nil || u.ID == "" {
				return err
			}
			return failTx(ctx, tx, u.ID, f)
		})
	}
	return err
}

// final is a refusal that the same again would meet again: the cohort is not hers any more. nil: there is none, or it may pass.
func final(err error) *fault.Fault {
	if err == nil {
		return nil
	}
	switch f := fault.From(err); f.Kind {
	case fault.NotFound, fault.Forbidden, fault.Unprocessable, fault.Invalid:
		return f
	}
	return nil
}

// by is who acts: who asked for it to be applied, else who sent it.
func (u Upload) by() cohorts.By {
	return cohorts.By{PersonID: cmp.Or(u.AskedBy, u.MadeBy)}
}

// heldTx holds an upload that stands in a state; none where it stands in another one: the job ran already.
func (s *Service) heldTx(ctx context.Context, tx *postgres.Tx, id string, in State) (u Upload, err error) {
	if _, err := tx.Exec(ctx, q.Q("Lock"), id); err != nil {
		return u, err
	}
	if u, err = s.uploadTx(ctx, tx, "", id); err != nil || u.State != in {
		return Upload{}, err
	}
	return u, nil
}

// entriesTx are the rows of an upload. Error: ErrForgotten.
func entriesTx(ctx context.Context, tx *postgres.Tx, id string) ([]entry, error) {
	raw, err := contentTx(ctx, tx, "Rows", id)
	if err != nil {
		return nil, err
	}
	return unpackEntries(raw)
}

// settleTx keeps the difference of an upload with its file, and moves it on.
func settleTx(ctx context.Context, tx *postgres.Tx, id string, to State, d Difference, file []byte, because *fault.Fault) error {
	report, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("PutOutcome"), id, file); err != nil {
		return err
	}
	code, detail := "", ""
	if because != nil {
		code, detail = because.Code, because.Detail
	}
	_, err = tx.Exec(ctx, q.Q("Settle"), id, to, string(report), code, detail, tx.Now())
	return err
}

func failTx(ctx context.Context, tx *postgres.Tx, id string, f *fault.Fault) error {
	_, err := tx.Exec(ctx, q.Q("Fail"), id, Failed, f.Code, f.Detail)
	return err
}
