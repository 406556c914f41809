package catalog

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrNoCourse    = fault.New(fault.NotFound, "no-such-course", "There is no course with this key.")
	ErrNoSession   = fault.New(fault.NotFound, "no-such-session", "There is no session with this id or key.")
	ErrSessionKey  = fault.New(fault.Conflict, "session-key-taken", "Another session has this key.")
	ErrChanged     = fault.New(fault.Precondition, "changed-meanwhile", "The session was changed since you read it. Read it again and decide again.")
	ErrMove        = fault.New(fault.Conflict, "move-not-allowed", "From this state of publication nothing goes there.")
	ErrExerciseMap = fault.New(fault.Invalid, "bad-exercise-map", "The exercise map is not a CSV of exercise,week,scored.")
)

func init() {
	postgres.RegisterConstraint("session_key_once", ErrSessionKey)
	postgres.RegisterConstraint("exercise_label_once", ErrExerciseMap.Detailf("An exercise stands twice in the map."))
	postgres.RegisterConstraint("session_dates_ordered", fault.InvalidInput(fault.Field{Pointer: "/ends_at", Code: "before-start", Detail: "A period ends after it begins."}))
}
