package web

import (
	"context"
	"io"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/confidence"
	"cursus/internal/domain/exams"
	paging "cursus/internal/kernel/page"
)

// ConfidenceHouse is what the pages ask of the rooms about the way from a good grade to the exam.
type ConfidenceHouse interface {
	// ReadinessPage is how a learner stands before the exam of one of her enrolments.
	ReadinessPage(ctx context.Context, who Viewer, enrolment string) (ReadinessPage, error)
	// BookMock books the practice exam, in a slot where it has some, once per key.
	BookMock(ctx context.Context, who Viewer, enrolment, key, slot string) error
	// SaveCallNumber keeps the number under which the learner of an enrolment may be called; empty: she may not.
	SaveCallNumber(ctx context.Context, who Viewer, enrolmentID, number string) error
	// ExamCalls is a page of whom to call, for coaches.
	ExamCalls(ctx context.Context, who Viewer, f confidence.CallFilter, p paging.Request) (CallList, error)
	WriteExamCalls(ctx context.Context, who Viewer, f confidence.CallFilter, w io.Writer) error
	// NoteCall notes what came of a call, once per key.
	NoteCall(ctx context.Context, who Viewer, key, enrolment string, n confidence.NewCall) error
	AssignCoach(ctx context.Context, who Viewer, enrolment, coach string) error
	// ExamReminders is when the learners of a session are reminded.
	ExamReminders(ctx context.Context, who Viewer, session string) (confidence.Plan, error)
	// SaveExamReminders rewrites that over the version that was read.
	SaveExamReminders(ctx context.Context, who Viewer, session string, version int, p confidence.Plan) error
}

// CallList is a page of whom to call.
type CallList struct {
	At      time.Time
	Calls   []confidence.Call
	Coaches []confidence.Coach
	Next    string // key
}

// ReadinessPage is how a learner stands before her exam.
type ReadinessPage struct {
	EnrolmentID  string
	SessionKey   string
	SessionTitle Text
	CourseURL    string // empty: closed to her
	Ready        confidence.Readiness
	Passed       analytics.Rate // of those who stood where she stands
	CanBook      bool           // the exam itself
	Number       string         // under which she may be called; empty: she may not
	Mock         MockExam
}

// MockExam is what a learner can do with the mock exam, and did.
type MockExam struct {
	Here     bool // it is booked here
	InCourse bool // it is a part of the course
	CanBook  bool
	Slots    []ExamSlot
	Sittings []exams.Sitting // the latest first
}

// Encouraging says whether most of those who stood there passed.
func (p ReadinessPage) Encouraging() bool { return 2*p.Passed.Count >= p.Passed.Of }

// Weak are the weeks that are worth another look.
func (p ReadinessPage) Weak() (all []confidence.Week) {
	for _, w := range p.Ready.Weeks {
		if w.Review {
			all = append(all, w)
		}
	}
	return all
}
