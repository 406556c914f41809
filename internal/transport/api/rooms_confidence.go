package api

import (
	"context"
	"time"

	"cursus/internal/domain/confidence"
)

// ConfidenceRooms is what the API asks of the house about the way from a good grade to the exam, in the room's own types.
type ConfidenceRooms interface {
	// Readiness tells how the learner of an enrolment stands; as of zero: now.
	Readiness(ctx context.Context, who Principal, enrolment string, asOf time.Time) (confidence.Readiness, error)
	BookMockExam(ctx context.Context, who Principal, enrolment, key string) (Sitting, error)
}
