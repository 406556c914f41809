package catalog

import (
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrNoCourse        = fault.New(fault.NotFound, "no-such-course", "There is no course with this key.")
	ErrNoSession       = fault.New(fault.NotFound, "no-such-session", "There is no session with this id or key.")
	ErrSessionKey      = fault.New(fault.Conflict, "session-key-taken", "Another session has this key.")
	ErrChanged         = fault.New(fault.Precondition, "changed-meanwhile", "The session was changed since you read it. Read it again and decide again.")
	ErrCourseKey       = fault.New(fault.Conflict, "course-key-taken", "Another course has this key.")
	ErrCourseChanged   = fault.New(fault.Precondition, "changed-meanwhile", "The course was changed since you read it. Read it again and decide again.")
	ErrNoVersion       = fault.New(fault.NotFound, "no-such-version", "The course has no version with this number.")
	ErrArchived        = fault.New(fault.Conflict, "course-archived", "The course is archived. Move it back to draft before you edit it.")
	ErrSessionArchived = fault.New(fault.Conflict, "session-archived", "The session is archived. Move it back to draft before you edit it.")
	ErrNoCollection    = fault.New(fault.NotFound, "no-such-collection", "There is no collection with this key.")
	ErrCollection      = fault.New(fault.Precondition, "changed-meanwhile", "The collection was changed since you read it. Read it again and decide again.")
	ErrCollectionKey   = fault.New(fault.Conflict, "collection-key-taken", "Another collection has this key.")
	ErrNoCharter       = fault.New(fault.NotFound, "no-such-charter", "There is no charter with this version.")
	ErrCharterChanged  = fault.New(fault.Precondition, "changed-meanwhile", "Another version of the charter is in force since you read it. Read it again and decide again.")
	ErrCharter         = fault.New(fault.Unprocessable, "charter-broken", "The course breaks rules of the charter that keep it from being published.")
	ErrPrerequisites   = fault.New(fault.Unprocessable, "prerequisites-broken", "A course is published when its prerequisites are courses of the catalogue, none of which leads back to it.")
	ErrMove            = fault.New(fault.Conflict, "move-not-allowed", "From this state of publication nothing goes there.")
	ErrExerciseMap     = fault.New(fault.Invalid, "bad-exercise-map", "The exercise map is not a CSV of exercise,week,scored.")
)

func init() {
	postgres.RegisterConstraint("session_key_once", ErrSessionKey)
	postgres.RegisterConstraint("course_key_once", ErrCourseKey)
	postgres.RegisterConstraint("collection_key_once", ErrCollectionKey)
	postgres.RegisterConstraint("exercise_label_once", ErrExerciseMap.Detailf("An exercise stands twice in the map."))
	postgres.RegisterConstraint("session_dates_ordered", fault.InvalidInput(fault.Field{Pointer: "/ends_at", Code: "before-start", Detail: "A period ends after it begins."}))
}
