package api

import (
	"context"
	"io"
	"time"

	"cursus/internal/domain/confidence"
	"cursus/internal/kernel/page"
)

// ConfidenceRooms is what the API asks of the house about the way from a good grade to the exam, in the room's own types.
type ConfidenceRooms interface {
	// Readiness tells how the learner of an enrolment stands; as of zero: now.
	Readiness(ctx context.Context, who Principal, enrolment string, asOf time.Time) (confidence.Readiness, error)
	BookMockExam(ctx context.Context, who Principal, enrolment, key string) (Sitting, error)
	ExamReminders(ctx context.Context, who Principal, session string) (confidence.Plan, error)
	// PutExamReminders writes them. version is the one that was read; 0 takes any. Another one is a Precondition fault.
	PutExamReminders(ctx context.Context, who Principal, session string, version int, p confidence.Plan) (confidence.Plan, error)
	// ExamCalls lists whom to call, with the time of the list. The filter names a session by key.
	ExamCalls(ctx context.Context, who Principal, f confidence.CallFilter, p page.Request) (all []confidence.Call, at time.Time, next string, err error)
	WriteExamCalls(ctx context.Context, who Principal, f confidence.CallFilter, w io.Writer) error
	ExamContacts(ctx context.Context, who Principal, enrolment string) ([]confidence.Contact, error)
	NoteExamCall(ctx context.Context, who Principal, key, enrolment string, n confidence.NewCall) ([]confidence.Contact, error)
	AssignExamCoach(ctx context.Context, who Principal, enrolment, coach string) error
	// CallNumber is empty where she agreed to no calls.
	CallNumber(ctx context.Context, who Principal) (string, error)
	PutCallNumber(ctx context.Context, who Principal, number string) (string, error)
}
