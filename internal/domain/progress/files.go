package progress

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/cohorts/roster"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// ErrWhichSession asks for the session where a group follows several, or does not follow the one that was named.
var ErrWhichSession = fault.New(fault.Invalid, "which-session", "Name one of the sessions that the group follows.")

// WriteProgress writes how far the learners of a group are as CSV, a row per learner and session. No cell begins as a formula does. Errors:
// those of Learners.
func (s *Service) WriteProgress(ctx context.Context, personID, groupID string, f Filter, w io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	head := []string{"student_key", "name", "state", "shared", "session", "stage", "percent", "passed", "pace", "exam", "certificate"}
	return s.write(ctx, personID, groupID, f, w, head, func(l Learner, row func(...string)) {
		first := []string{roster.Cell(l.StudentKey), roster.Cell(l.Name), string(l.State), strconv.FormatBool(l.Shared)}
		for _, c := range l.Courses {
			certificate := ""
			if c.Certificate != nil {
				certificate = c.Certificate.Code
			}
			row(append(first, c.Session, c.Stage, percent(c.GradePPM), strconv.FormatBool(c.Passed), string(c.Pace), c.Exam, certificate)...)
		}
		if len(l.Courses) == 0 {
			row(append(first, "", "", "", "", "", "", "")...)
		}
	})
}

// WriteGrades writes the grades of a group in one session in the columns that registrars' systems read: student_key, letter_grade, percent (0
// to 1, three decimals, never above what was reached), passed, error. Errors: those of openTx, ErrWhichSession.
func (s *Service) WriteGrades(ctx context.Context, personID, groupID, of string, w io.Writer) error {
	if err := s.db.View(asSystem(ctx), "session of a group", func(ctx context.Context, tx *postgres.Tx) error {
		g, _, err := openTx(ctx, tx, personID, groupID)
		if err != nil {
			return err
		}
		sessions, err := sessionsTx(ctx, tx, g)
		if err != nil {
			return err
		}
		if of == "" && len(sessions) == 1 {
			of = sessions[0].Key
			return nil
		}
		for _, x := range sessions {
			if x.Key == of {
				return nil
			}
		}
		return ErrWhichSession
	}); err != nil {
		return err
	}
	return s.write(ctx, personID, groupID, Filter{}, w, []string{"student_key", "letter_grade", "percent", "passed", "error"}, func(l Learner, row func(...string)) {
		key := roster.Cell(l.StudentKey)
		for _, c := range l.Courses {
			switch {
			case c.Session != of:
				continue
			case c.GradePPM == nil:
				row(key, "", "", "", "no-grade")
			case c.Passed:
				row(key, "Pass", percent(c.GradePPM), "true", "")
			default:
				row(key, "", percent(c.GradePPM), "false", "")
			}
			return
		}
		switch {
		case l.State != cohorts.Enrolled && l.State != cohorts.Suspended:
			row(key, "", "", "", "not-enrolled")
		case !l.Shared:
			row(key, "", "", "", "not-shared")
		default:
			row(key, "", "", "", "no-grade")
		}
	})
}

// percent writes millionths as 0.000 to 1.000.
func percent(ppm *int) string {
	if ppm == nil {
		return ""
	}
	thousandths := strconv.Itoa(1000 + *ppm/1000)
	if *ppm >= 1_000_000 {
		return "1.000"
	}
	return "0." + thousandths[1:]
}

// newFile begins a file; its Error tells what went wrong with any of its rows.
func newFile(w io.Writer, head ...string) *csv.Writer {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(head)
	return out
}

// write goes through the members of a group a page at a time, within one view of the books.
func (s *Service) write(ctx context.Context, personID, groupID string, f Filter, w io.Writer, head []string, learner func(l Learner, row func(...string))) error {
	out := newFile(w, head...)
	err := s.db.View(asSystem(ctx), "file of a group", func(ctx context.Context, tx *postgres.Tx) error {
		g, _, err := openTx(ctx, tx, personID, groupID)
		if err != nil {
			return err
		}
		for p := (page.Request{Limit: stride}); ; {
			all, next, err := learnersTx(ctx, tx, g, f, p)
			if err != nil {
				return err
			}
			for _, l := range all {
				learner(l, func(cells ...string) { _ = out.Write(cells) })
			}
			if p.After = next; next == "" {
				return nil
			}
		}
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}
