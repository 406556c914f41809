package web

import (
	"context"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/sales"
)

// ExamHouse is what the pages ask of the rooms about exams.
type ExamHouse interface {
	// ExamPage is all that a learner needs to know of the exam of one of her enrolments.
	ExamPage(ctx context.Context, who Viewer, enrolment string) (ExamPage, error)
	// ActOnExam does one thing with it, once per key.
	ActOnExam(ctx context.Context, who Viewer, enrolment, key string, act ExamAct) error
	// ExamDesk is what staff have to do about exams.
	ExamDesk(ctx context.Context, who Viewer) (ExamDesk, error)
	WorkOnExams(ctx context.Context, who Viewer, key string, w ExamWork) error
	// ExamCalendar lists the slots that begin between two times, in their order.
	ExamCalendar(ctx context.Context, who Viewer, from, until time.Time) ([]exams.Slot, error)
	// ExamQueue is all that waits for a person, the oldest first.
	ExamQueue(ctx context.Context, who Viewer) ([]exams.QueueItem, error)
	// ExamFile is all that is known of an enrolment and its exams.
	ExamFile(ctx context.Context, who Viewer, enrolment string) (ExamFile, error)
	WorkOnExamFile(ctx context.Context, who Viewer, key, enrolment string, w ExamFileWork) error
	ExamRules(ctx context.Context, who Viewer, session string, kind exams.Kind) (exams.Exam, error)
	// PutExamRules writes them over the version that was read; 0: there was none.
	PutExamRules(ctx context.Context, who Viewer, session string, kind exams.Kind, n exams.NewExam, version int) error
	ExamSlot(ctx context.Context, who Viewer, slot string) (exams.Slot, error)
	PutExamSlot(ctx context.Context, who Viewer, slot string, n exams.NewSlot, version int) error
	// ExamSessions are the keys of the sessions that may have exams.
	ExamSessions(ctx context.Context, who Viewer) ([]string, error)
	ImportExamResults(ctx context.Context, who Viewer, in exams.ResultsIntake) (exams.Results, error)
}

// ExamAct is what a learner does: book, wait, leave (the row), move, cancel, decline, submit or appeal.
type ExamAct struct{ Do, Slot, Reason string }

// ExamPage is the exam of an enrolment as its learner sees it.
type ExamPage struct {
	EnrolmentID  string
	SessionKey   string
	SessionTitle Text
	Checks       []Check
	Retakes      []sales.RetakeOffer // what the next attempt costs, where it is to be paid for
	CanBook      bool
	Slots        []ExamSlot
	Minutes      int // of an attempt, with her accommodation
	Story        *exams.Story
	CanLeave     bool
	CanAppeal    bool
	Watched      *Watched // nil: people watch over it, or she has begun
}

// ExamSlot is a slot as a learner sees it: by the clock of its place.
type ExamSlot struct {
	exams.Slot
	Mine, Waits bool
	Ahead       int
	OfferUntil  *time.Time
}

// Clock prints a time by the clock of the place.
func (s ExamSlot) Clock(t time.Time) string { return t.In(s.Location()).Format("15:04") }

// Day is the day at the place, for what prints days of UTC.
func (s ExamSlot) Day(t time.Time) time.Time {
	at := t.In(s.Location())
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

// BookedSlot is the slot of the sitting; nil: none.
func (p ExamPage) BookedSlot() *ExamSlot {
	if p.Story == nil || p.Story.Slot == nil {
		return nil
	}
	return &ExamSlot{Slot: *p.Story.Slot}
}

// Attempt is the latest attempt of the sitting; nil: none.
func (p ExamPage) Attempt() *exams.Attempt {
	if p.Story == nil || len(p.Story.Attempts) == 0 {
		return nil
	}
	return &p.Story.Attempts[0]
}

// Attempt is the latest attempt; nil: none.
func (c ExamCase) Attempt() *exams.Attempt {
	if len(c.Attempts) == 0 {
		return nil
	}
	return &c.Attempts[0]
}

// ExamDesk is what staff see of exams.
type ExamDesk struct {
	Slots    []ExamSlot // to come
	Reviews  []ExamCase
	Appeals  []ExamCase
	Sessions []string // keys of those that can have a slot
}

// ExamCase is a sitting that waits for somebody.
type ExamCase struct {
	exams.Story
	FullName, SessionKey string
	MayDecide            bool // she did not decide first
}

// Scoreless says whether a provider verified the attempt, which waits for its score.
func (c ExamCase) Scoreless() bool {
	a := c.Attempt()
	return a != nil && a.State == exams.Verified && a.ScorePPM == nil
}

// ExamFile is the file of an enrolment, with whose it is.
type ExamFile struct {
	exams.File
	FullName, SessionKey string
}

// ExamFileWork is what staff write into a file: block, unblock, accommodate or identity.
type ExamFileWork struct {
	Do            string
	Block         exams.Block
	Accommodation exams.Accommodation
	Identity      exams.IdentityCheck
}

// ExamWork is what staff do: plan, cancel (a slot), verify, reject, resume (an attempt), uphold or dismiss (an appeal).
type ExamWork struct {
	Do, ID, Session, Note string
	Kind                  exams.Kind
	Plan                  exams.NewSlot
	Days                  int // on how many days in a row, at the same time by the clock of the place
	ScorePPM              *int
}
