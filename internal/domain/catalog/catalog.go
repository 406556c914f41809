// Package catalog holds the courses, their sessions, and which exercise of a session is in which week.
package catalog

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("catalog", queriesSQL)

// Faults of this room.
var (
	ErrNoSession   = fault.New(fault.NotFound, "no-such-session", "There is no session with this id or key.")
	ErrSessionKey  = fault.New(fault.Conflict, "session-key-taken", "Another session has this key.")
	ErrExerciseMap = fault.New(fault.Invalid, "bad-exercise-map", "The exercise map is not a CSV of exercise,week,scored.")
)

func init() {
	postgres.RegisterConstraint("session_key_once", ErrSessionKey)
	postgres.RegisterConstraint("exercise_label_once", ErrExerciseMap.Detailf("An exercise stands twice in the map."))
}

// Session is one run of a course. ThresholdPPM is the grade from which a learner has succeeded, in millionths.
type Session struct {
	ID           string `db:"id"`
	Key          string `db:"key"`
	CourseKey    string `db:"course_key"`
	Title        string `db:"title"`
	Platform     string `db:"platform"`
	ThresholdPPM int    `db:"threshold_ppm"`
	Closed       bool   `db:"closed"`
}

// The activities of the pedagogical framework that an exercise can belong to.
const (
	Quiz      = "quiz"       // knowledge
	CaseStudy = "case_study" // practical application
	Lab       = "lab"        // know-how
)

// Exercise is a column of the grade reports. Week 0 is outside the weeks (a final exam, a bonus).
type Exercise struct {
	Position int    `db:"position"`
	Label    string `db:"label"`
	Week     int    `db:"week"`
	Scored   bool   `db:"scored"`
	Activity string `db:"activity"`
}

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

// NewSession is what CreateSessionTx needs; the course is made when its key is new.
type NewSession struct {
	Key, CourseKey, Title, Platform string
	ThresholdPPM                    int
	Exercises                       []Exercise
}

// CreateSessionTx makes a session, and its course when that is new.
func CreateSessionTx(ctx context.Context, tx *postgres.Tx, n NewSession) (Session, error) {
	if _, err := tx.Exec(ctx, q.Q("AddCourse"), ident.New("crs"), n.CourseKey, n.CourseKey, tx.Now()); err != nil {
		return Session{}, err
	}
	var course string
	if err := tx.Get(ctx, &course, q.Q("CourseID"), n.CourseKey); err != nil {
		return Session{}, err
	}
	id := ident.New("ses")
	if _, err := tx.Exec(ctx, q.Q("AddSession"), id, n.Key, course, n.Title, n.Platform, n.ThresholdPPM, tx.Now()); err != nil {
		return Session{}, err
	}
	if err := PutExercisesTx(ctx, tx, id, n.Exercises); err != nil {
		return Session{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "session.created", Object: id, Detail: map[string]any{"key": n.Key, "threshold_ppm": n.ThresholdPPM}}); err != nil {
		return Session{}, err
	}
	return SessionTx(ctx, tx, id)
}

// PutExercisesTx replaces the exercise map of a session.
func PutExercisesTx(ctx context.Context, tx *postgres.Tx, sessionID string, exercises []Exercise) error {
	if _, err := tx.Exec(ctx, q.Q("ClearExercises"), sessionID); err != nil {
		return err
	}
	var positions, weeks []int64
	var labels, activities []string
	var scored []bool
	for i, e := range exercises {
		positions, weeks = append(positions, int64(i+1)), append(weeks, int64(e.Week))
		labels, scored, activities = append(labels, e.Label), append(scored, e.Scored), append(activities, e.Activity)
	}
	_, err := tx.Exec(ctx, q.Q("AddExercises"), sessionID, pq.Array(positions), pq.Array(labels), pq.Array(weeks), pq.Array(scored), pq.Array(activities))
	return err
}

// SessionTx finds a session by id or key.
func SessionTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Session, error) {
	var s Session
	err := tx.Get(ctx, &s, q.Q("Session"), idOrKey)
	if errors.Is(err, sql.ErrNoRows) {
		return s, ErrNoSession
	}
	return s, err
}

// SessionsTx lists all sessions by course and key.
func SessionsTx(ctx context.Context, tx *postgres.Tx) ([]Session, error) {
	var s []Session
	err := tx.Select(ctx, &s, q.Q("Sessions"))
	return s, err
}

// ExercisesTx lists the exercises of a session in the order of the course.
func ExercisesTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Exercise, error) {
	var e []Exercise
	err := tx.Select(ctx, &e, q.Q("Exercises"), sessionID)
	return e, err
}

// ReadExerciseMap reads a CSV whose header names exercise and week, and may name scored (Y or N, default Y) and
// activity (quiz, case_study or lab; by default guessed from the label). Other columns are passed over. A wrong line is refused with its number.
func ReadExerciseMap(r io.Reader) ([]Exercise, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	header, err := in.Read()
	if err != nil {
		return nil, ErrExerciseMap.Because(err)
	}
	at := map[string]int{}
	for i, h := range header {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))] = i
	}
	label, okLabel := at["exercise"]
	week, okWeek := at["week"]
	scored, hasScored := at["scored"]
	activity, hasActivity := at["activity"]
	if !okLabel || !okWeek {
		return nil, ErrExerciseMap
	}
	var out []Exercise
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		line, _ := in.FieldPos(0)
		where := fmt.Sprintf("line %d", line)
		if err != nil || len(row) < len(header) {
			return nil, ErrExerciseMap.At(where, "short-row", "The line has fewer cells than the header.").Because(err)
		}
		w, err := strconv.Atoi(strings.TrimSpace(row[week]))
		if err != nil || w < 0 || w > 53 {
			return nil, ErrExerciseMap.At(where, "bad-week", "The week is a number from 0 to 53.")
		}
		e := Exercise{Position: len(out) + 1, Label: strings.TrimSpace(row[label]), Week: w, Scored: true}
		if hasScored {
			switch strings.ToUpper(strings.TrimSpace(row[scored])) {
			case "", "Y", "YES", "TRUE", "1":
			case "N", "NO", "FALSE", "0":
				e.Scored = false
			default:
				return nil, ErrExerciseMap.At(where, "bad-scored", "Scored is Y or N.")
			}
		}
		e.Activity = activityOf(e.Label)
		if hasActivity {
			if e.Activity = strings.TrimSpace(row[activity]); e.Activity != Quiz && e.Activity != CaseStudy && e.Activity != Lab {
				return nil, ErrExerciseMap.At(where, "bad-activity", "The activity is quiz, case_study or lab.")
			}
		}
		out = append(out, e)
	}
}
