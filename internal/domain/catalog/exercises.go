package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// The activities of the pedagogical framework that an exercise can belong to.
const (
	Quiz      = "quiz"       // knowledge
	CaseStudy = "case_study" // practical application
	Lab       = "lab"        // know-how
	Mock      = "mock"       // the exam, tried out: of no activity of the framework, and in no week's mean
)

// ExerciseKinds are what an exercise can be.
func ExerciseKinds() []string { return []string{Quiz, CaseStudy, Lab, Mock} }

// Exercise is a column of the grade reports. Week 0 is outside the weeks (a final exam, a bonus).
type Exercise struct {
	Position  int    `db:"position" json:"-"`
	Label     string `db:"label" json:"label"`
	Week      int    `db:"week" json:"week"`
	Scored    bool   `db:"scored" json:"scored"`
	Activity  string `db:"activity" json:"activity"`
	WeightPPM int64  `db:"weight_ppm" json:"weight_ppm,omitempty"` // relative, in millionths of one; 0: it weighs nothing, or nobody said
}

// MaxWeightPPM is the largest weight of an exercise: 1,000.
const MaxWeightPPM = 1000 * whole

// activityOf guesses the activity from the short labels that the platforms make: "Lab 01", "TD 01" (travaux dirigés).
func activityOf(label string) string {
	switch word, _, _ := strings.Cut(strings.ToLower(label), " "); word {
	case "lab", "labs", "tp":
		return Lab
	case "td", "case", "use":
		return CaseStudy
	}
	return Quiz
}

// maxExercises bounds a map; the longest course that we know has 60 columns.
const maxExercises = 1000

func checkExercises(exercises []Exercise) error {
	if len(exercises) > maxExercises {
		return fault.InvalidInput(fault.Field{Pointer: "/exercises", Code: "too-many", Detail: "At most 1,000 exercises."})
	}
	var wrong []fault.Field
	seen := map[string]bool{}
	for i, e := range exercises {
		at := fmt.Sprintf("/exercises/%d/", i)
		switch {
		case e.Label == "" || utf8.RuneCountInString(e.Label) > 255 || strings.ContainsRune(e.Label, 0):
			wrong = append(wrong, fault.Field{Pointer: at + "label", Code: "bad-label", Detail: "1 to 255 characters."})
		case seen[e.Label]:
			wrong = append(wrong, fault.Field{Pointer: at + "label", Code: "duplicate", Detail: "An exercise stands twice in the map."})
		case e.Week < 0 || e.Week > 53:
			wrong = append(wrong, fault.Field{Pointer: at + "week", Code: "bad-week", Detail: "0 to 53."})
		case !slices.Contains(ExerciseKinds(), e.Activity):
			wrong = append(wrong, fault.Field{Pointer: at + "activity", Code: "bad-activity", Detail: "quiz, case_study, lab or mock."})
		case e.WeightPPM < 0 || e.WeightPPM > MaxWeightPPM:
			wrong = append(wrong, fault.Field{Pointer: at + "weight_ppm", Code: "bad-weight", Detail: "0 to 1,000,000,000 (1,000)."})
		}
		seen[e.Label] = true
	}
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// PutExercisesTx replaces the exercise map of a session; expected is the version that the caller read, 0 for any.
// Errors: ErrChanged, ErrSessionArchived.
func PutExercisesTx(ctx context.Context, tx *postgres.Tx, idOrKey string, exercises []Exercise, expected int) (Session, error) {
	if err := checkExercises(exercises); err != nil {
		return Session{}, err
	}
	s, err := lockToEdit(ctx, tx, idOrKey, expected)
	if err != nil {
		return s, err
	}
	before, err := ExercisesTx(ctx, tx, s.ID)
	if err != nil {
		return s, err
	}
	if _, err := tx.Exec(ctx, q.Q("Touch"), s.ID); err != nil {
		return s, err
	}
	if _, err := tx.Exec(ctx, q.Q("ClearExercises"), s.ID); err != nil {
		return s, err
	}
	if err := addExercises(ctx, tx, s.ID, exercises); err != nil {
		return s, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "exercises.replaced", Object: s.ID, Detail: map[string]int{"exercises": len(exercises)},
		Before: map[string]any{"map": before}, After: map[string]any{"map": exercises}}); err != nil {
		return s, err
	}
	return keepSession(ctx, tx, s.ID)
}

func addExercises(ctx context.Context, tx *postgres.Tx, sessionID string, exercises []Exercise) error {
	var positions, weeks, weights []int64
	var labels, activities []string
	var scored []bool
	for i, e := range exercises {
		positions, weeks = append(positions, int64(i+1)), append(weeks, int64(e.Week))
		weights = append(weights, e.WeightPPM)
		labels, scored, activities = append(labels, e.Label), append(scored, e.Scored), append(activities, e.Activity)
	}
	_, err := tx.Exec(ctx, q.Q("AddExercises"), sessionID, pq.Array(positions), pq.Array(labels), pq.Array(weeks), pq.Array(scored), pq.Array(activities), pq.Array(weights))
	return err
}

// WeeksTx says in which week each exercise of a session is, by its label, as it was known at an instant; at nought, as it is.
func WeeksTx(ctx context.Context, tx *postgres.Tx, sessionID string, knownAt time.Time) (map[string]int, error) {
	var at *time.Time
	if !knownAt.IsZero() {
		at = &knownAt
	}
	var rows []struct {
		Label string `db:"label"`
		Week  int    `db:"week"`
	}
	err := tx.Select(ctx, &rows, q.Q("Weeks"), sessionID, at)
	out := make(map[string]int, len(rows))
	for _, r := range rows {
		out[r.Label] = r.Week
	}
	return out, err
}

// ExercisesTx lists the exercises of a session in the order of the course.
func ExercisesTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Exercise, error) {
	var e []Exercise
	err := tx.Select(ctx, &e, q.Q("Exercises"), sessionID)
	return e, err
}

// NewExercise is an exercise of a week that counts, with the activity that its label seems to say.
func NewExercise(label string, week int) Exercise {
	return Exercise{Label: label, Week: week, Scored: true, Activity: activityOf(label)}
}
