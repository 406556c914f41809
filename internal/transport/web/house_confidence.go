package web

import (
	"context"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/confidence"
	"cursus/internal/domain/exams"
)

// ConfidenceHouse is what the pages ask of the rooms about the way from a good grade to the exam.
type ConfidenceHouse interface {
	// ReadinessPage is how a learner stands before the exam of one of her enrolments.
	ReadinessPage(ctx context.Context, who Viewer, enrolment string) (ReadinessPage, error)
	// BookMock books the practice exam, in a slot where it has some, once per key.
	BookMock(ctx context.Context, who Viewer, enrolment, key, slot string) error
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
