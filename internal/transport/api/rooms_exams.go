package api

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/kernel/page"
)

// ExamRooms is what the API asks of the house about exams, in the room's own types. Who reaches as staff acts for everybody, others for
// themselves alone.
type ExamRooms interface {
	// Exam gives the exam of a kind of a session, with the key of the session.
	Exam(ctx context.Context, who Principal, session string, kind exams.Kind) (exams.Exam, string, error)
	// PutExam writes it. version is the one that was read; 0 takes any. Another one is a Precondition fault.
	PutExam(ctx context.Context, who Principal, session string, kind exams.Kind, n exams.NewExam, version int) (exams.Exam, string, error)
	ExamSlots(ctx context.Context, who Principal, session string) ([]exams.Slot, error)
	CreateExamSlot(ctx context.Context, who Principal, key, session string, kind exams.Kind, n exams.NewSlot) (exams.Slot, error)
	PutExamSlot(ctx context.Context, who Principal, id string, n exams.NewSlot, version int) (exams.Slot, error)
	CancelExamSlot(ctx context.Context, who Principal, id string, version int) (exams.Slot, error)
	BookExamSlot(ctx context.Context, who Principal, enrolment, slot, key string) (Sitting, error)
	WaitForExamSlot(ctx context.Context, who Principal, enrolment, slot string) (exams.Wait, error)
	LeaveExamWaiting(ctx context.Context, who Principal, enrolment, slot string) error
	ExamFile(ctx context.Context, who Principal, enrolment string) (exams.File, []Sitting, error)
	BlockExam(ctx context.Context, who Principal, enrolment string, b exams.Block) (exams.Block, error)
	AccommodateExam(ctx context.Context, who Principal, enrolment string, a exams.Accommodation) (exams.Accommodation, error)
	CheckIdentity(ctx context.Context, who Principal, key, person string, c exams.IdentityCheck) (exams.IdentityCheck, error)
	// Sittings lists those of everybody; state `review` are those whose attempt waits for a person.
	Sittings(ctx context.Context, who Principal, state string, p page.Request) (all []Sitting, next string, err error)
	Sitting(ctx context.Context, who Principal, id string) (exams.Story, Sitting, error)
	MoveSitting(ctx context.Context, who Principal, id, slot string) (Sitting, error)
	CancelSitting(ctx context.Context, who Principal, id string) (Sitting, error)
	ActOnSitting(ctx context.Context, who Principal, act exams.Act) (exams.Attempt, error)
	ReportIncident(ctx context.Context, who Principal, key, sitting string, i exams.Incident) (exams.Incident, error)
	AppealSitting(ctx context.Context, who Principal, sitting, reason string) (exams.Appeal, error)
	Appeals(ctx context.Context, who Principal) ([]exams.Appeal, error)
	DecideAppeal(ctx context.Context, who Principal, r exams.Ruling) (exams.Appeal, error)
	// ImportExamResults takes a file of results in, once.
	ImportExamResults(ctx context.Context, who Principal, in exams.ResultsIntake) (exams.Results, error)
}
