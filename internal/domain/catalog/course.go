package catalog

import (
	"context"
	"database/sql"
	"errors"

	"cursus/internal/kernel/ident"
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

// Collection is a set of courses with a common pedagogical framework.
type Collection struct {
	Key            string
	Title, Summary Text
}

// Course is what sessions repeat. Level is pre_bachelor, bachelor, post_bachelor or not said; 0 hours are not said.
type Course struct {
	ID, Key        string
	CollectionKey  string
	Position       int
	Title, Summary Text
	Level          string
	WorkloadHours  int
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
}

func (r courseRow) course() Course {
	return Course{
		ID: r.ID, Key: r.Key, CollectionKey: r.CollectionKey, Position: r.Position, Title: Text{r.TitleEN, r.TitleFR},
		Summary: Text{r.SummaryEN, r.SummaryFR}, Level: r.Level, WorkloadHours: r.WorkloadHours,
	}
}

// PutCollectionTx makes a collection or rewrites the one with this key.
func PutCollectionTx(ctx context.Context, tx *postgres.Tx, c Collection) error {
	if err := checkText(c.Key, c.Title); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, q.Q("PutCollection"), ident.New("cln"), c.Key, c.Title.EN, c.Title.FR, c.Summary.EN, c.Summary.FR)
	return err
}

// CollectionsTx lists the collections by key.
func CollectionsTx(ctx context.Context, tx *postgres.Tx) ([]Collection, error) {
	var rows []struct {
		Key       string `db:"key"`
		TitleEN   string `db:"title_en"`
		TitleFR   string `db:"title_fr"`
		SummaryEN string `db:"summary_en"`
		SummaryFR string `db:"summary_fr"`
	}
	err := tx.Select(ctx, &rows, q.Q("Collections"))
	out := make([]Collection, len(rows))
	for i, r := range rows {
		out[i] = Collection{r.Key, Text{r.TitleEN, r.TitleFR}, Text{r.SummaryEN, r.SummaryFR}}
	}
	return out, err
}

// PutCourseTx makes a course or rewrites the one with this key. An unknown collection is none.
func PutCourseTx(ctx context.Context, tx *postgres.Tx, c Course) error {
	if err := checkText(c.Key, c.Title); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, q.Q("PutCourse"), ident.New("crs"), c.Key, c.CollectionKey, c.Position, c.Title.EN, c.Title.FR,
		c.Summary.EN, c.Summary.FR, c.Level, c.WorkloadHours, tx.Now())
	return err
}

// CoursesTx lists the courses in the order of their collections.
func CoursesTx(ctx context.Context, tx *postgres.Tx) ([]Course, error) {
	var rows []courseRow
	err := tx.Select(ctx, &rows, q.Q("Courses"))
	out := make([]Course, len(rows))
	for i, r := range rows {
		out[i] = r.course()
	}
	return out, err
}

// CourseTx finds a course by id or key.
func CourseTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Course, error) {
	var r courseRow
	err := tx.Get(ctx, &r, q.Q("Course"), idOrKey)
	if errors.Is(err, sql.ErrNoRows) {
		return Course{}, ErrNoCourse
	}
	return r.course(), err
}
