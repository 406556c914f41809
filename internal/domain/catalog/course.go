package catalog

import (
	"context"
	"database/sql"
	"errors"

	"cursus/internal/platform/postgres"
)

// Text is a text in the two languages of the house; one of them may be empty.
type Text struct {
	EN string `json:"en,omitempty"`
	FR string `json:"fr,omitempty"`
}

// In gives the text in a language, and the other one where it was not written.
func (t Text) In(lang string) string {
	if lang == "fr" && t.FR != "" || t.EN == "" {
		return t.FR
	}
	return t.EN
}

// Course is what sessions repeat. Level is pre_bachelor, bachelor, post_bachelor or not said; 0 hours are not said.
type Course struct {
	ID, Key        string
	CollectionKey  string
	Position       int
	Title, Summary Text
	Level          string
	WorkloadHours  int
	Language       string // a language tag; empty: not said
	ECTSHundredths int    // 0: not said
	State          Publication
	Visible        bool // the public sees it; the fields are then the published ones, else the draft's
	Version        int  // of the working copy
}

type courseRow struct {
	ID            string `db:"id"`
	Key           string `db:"key"`
	CollectionKey string `db:"collection_key"`
	Position      int    `db:"position"`
	TitleEN       string `db:"title_en"`
	TitleFR       string `db:"title_fr"`
	SummaryEN     string `db:"summary_en"`
	SummaryFR     string `db:"summary_fr"`
	Level         string `db:"level"`
	WorkloadHours int    `db:"workload_hours"`
	Language      string `db:"language"`
	ECTS          int    `db:"ects_hundredths"`
	State         string `db:"state"`
	Visible       bool   `db:"visible"`
	Version       int    `db:"version"`
}

func (r courseRow) course() Course {
	return Course{
		ID: r.ID, Key: r.Key, CollectionKey: r.CollectionKey, Position: r.Position, Title: Text{r.TitleEN, r.TitleFR},
		Summary: Text{r.SummaryEN, r.SummaryFR}, Level: r.Level, WorkloadHours: r.WorkloadHours,
		Language: r.Language, ECTSHundredths: r.ECTS, State: Publication(r.State), Visible: r.Visible, Version: r.Version,
	}
}

// PutCourseTx makes a course or rewrites the one with this key, published without review and charter: the door of those who had no
// working copies. An unknown collection is none; what the working copy says beyond these fields stays.
func PutCourseTx(ctx context.Context, tx *postgres.Tx, c Course) error {
	if err := checkText(c.Key, c.Title); err != nil {
		return err
	}
	if _, err := CollectionTx(ctx, tx, c.CollectionKey); errors.Is(err, ErrNoCollection) {
		c.CollectionKey = ""
	} else if err != nil {
		return err
	}
	made, err := makeCourse(ctx, tx, c.Key, c.over(Draft{}), Published)
	if err != nil || made {
		return err
	}
	w, err := lock(ctx, tx, c.Key)
	if err != nil || w.State == Published && same(w.Document, c.over(w.Document)) {
		return err
	}
	before := w.State
	if before != Drafted {
		if err := MoveTx(ctx, tx, "course", w.ID, w.Version, before, Drafted, ""); err != nil {
			return err
		}
	}
	if w, err = write(ctx, tx, w, c.over(w.Document), Published); err != nil {
		return err
	}
	// It goes the way of all others, in one step: what everybody reads from now on is found by its moves.
	way := []Publication{Drafted, InReview, Published}
	for i, to := range way[1:] {
		if err := MoveTx(ctx, tx, "course", w.ID, w.Version, way[i], to, ""); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, q.Q("Publish"), w.ID, 0, tx.Now())
	return err
}

// over lays the fields of a course over a document.
func (c Course) over(d Draft) Draft {
	d.Collection, d.Position, d.Title, d.Summary, d.Level, d.WorkloadHours = c.CollectionKey, c.Position, c.Title, c.Summary, c.Level, c.WorkloadHours
	return d
}

// CoursesTx lists the courses that the public sees, in the order of their collections.
func CoursesTx(ctx context.Context, tx *postgres.Tx) ([]Course, error) {
	var rows []courseRow
	err := tx.Select(ctx, &rows, q.Q("Courses"))
	out := make([]Course, len(rows))
	for i, r := range rows {
		out[i] = r.course()
	}
	return out, err
}

// CourseTx finds a course by id or key, whether or not the public sees it.
func CourseTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Course, error) {
	var r courseRow
	err := tx.Get(ctx, &r, q.Q("Course"), idOrKey)
	if errors.Is(err, sql.ErrNoRows) {
		return Course{}, ErrNoCourse
	}
	return r.course(), err
}
