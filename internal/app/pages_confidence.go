package app

import (
	"context"
	"errors"
	"io"
	"slices"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/confidence"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/paths"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// ReadinessPage shows a learner how she stands before the exam of one of her enrolments.
func (p Pages) ReadinessPage(ctx context.Context, who web.Viewer, enrolmentID string) (out web.ReadinessPage, err error) {
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "readiness page", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolment.OneTx(ctx, tx, enrolmentID)
		if err == nil && e.LearnerID != who.PersonID {
			err = enrolment.ErrNoEnrolment
		}
		if err != nil {
			return err
		}
		s, err := catalog.SessionTx(ctx, tx, e.SessionID)
		if err != nil {
			return err
		}
		locked, err := paths.LockedTx(ctx, tx, e.LearnerID)
		if err != nil {
			return err
		}
		out = web.ReadinessPage{EnrolmentID: e.ID, SessionKey: s.Key, SessionTitle: text(s.Title()), CourseURL: s.CourseURL}
		if _, shut := locked[s.ID]; shut || e.Revoked {
			out.CourseURL = ""
		}
		if out.Ready, err = confidence.ReadinessTx(ctx, tx, e, tx.Now()); err != nil {
			return err
		}
		out.Passed = analytics.NewRate(int64(out.Ready.Passed), int64(out.Ready.Sat))
		d, sittings, err := exams.EligibilityTx(ctx, tx, e)
		if err != nil {
			return err
		}
		out.CanBook = d.Eligible && !slices.ContainsFunc(sittings, func(x exams.Sitting) bool { return x.State == exams.Booked || x.State == exams.Withheld })
		if out.Number, err = confidence.NumberTx(ctx, tx, e.LearnerID); err != nil {
			return err
		}
		return mockTx(ctx, tx, e, &out.Mock)
	})
	return out, err
}

// mockTx tells what a learner can do with the mock exam.
func mockTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, m *web.MockExam) (err error) {
	if m.InCourse, err = confidence.MockInCourseTx(ctx, tx, e.SessionID); err != nil {
		return err
	}
	d, _, err := exams.DecideTx(ctx, tx, e, exams.Practice)
	if errors.Is(err, exams.ErrNoExam) {
		return nil
	}
	if err != nil {
		return err
	}
	m.Here = true
	f, err := exams.FileTx(ctx, tx, e.ID)
	if err != nil {
		return err
	}
	m.CanBook = d.Eligible
	for _, x := range f.Sittings {
		if x.Kind == exams.Practice {
			m.Sittings = append(m.Sittings, x)
			m.CanBook = m.CanBook && x.State != exams.Booked && x.State != exams.Withheld
		}
	}
	slots, err := exams.SlotsTx(ctx, tx, exams.SlotFilter{SessionID: e.SessionID, From: tx.Now()})
	for _, x := range slots {
		if x.Kind == exams.Practice && x.State == exams.SlotPlanned && x.Left() > 0 {
			m.Slots = append(m.Slots, web.ExamSlot{Slot: x})
		}
	}
	return err
}

// BookMock books the practice exam of an enrolment of hers.
func (p Pages) BookMock(ctx context.Context, who web.Viewer, enrolmentID, key, slot string) error {
	_, err := p.h.Exams.Book(ctx, exams.BookSitting{LearnerID: who.PersonID, EnrolmentID: enrolmentID, Kind: exams.Practice, SlotID: slot, IdempotencyKey: key})
	return err
}

// SaveCallNumber keeps the number under which the learner of an enrolment may be called.
func (p Pages) SaveCallNumber(ctx context.Context, who web.Viewer, enrolmentID, number string) error {
	return p.h.asHouse(as(ctx, who), "save call number", func(ctx context.Context, tx *postgres.Tx) error {
		if e, err := enrolment.OneTx(ctx, tx, enrolmentID); err != nil {
			return err
		} else if e.LearnerID != who.PersonID {
			return enrolment.ErrNoEnrolment
		}
		return confidence.PutNumberTx(ctx, tx, who.PersonID, number)
	})
}

var errNoCoaching = fault.New(fault.Forbidden, "scope-missing", "This needs the scope coaching:write.")

// onCalls lets in who calls learners, and gives her as the API knows her.
func (p Pages) onCalls(ctx context.Context, who web.Viewer) (context.Context, api.Principal, error) {
	ctx = as(ctx, who)
	return ctx, api.Principal{PersonID: who.PersonID, Actor: postgres.Actor(ctx)}, p.h.DB.View(ctx, "may call learners", func(ctx context.Context, tx *postgres.Tx) error {
		return mayTx(ctx, tx, who, errNoCoaching, confidence.Scope)
	})
}

// ExamCalls is a page of whom to call.
func (p Pages) ExamCalls(ctx context.Context, who web.Viewer, f confidence.CallFilter, at page.Request) (out web.CallList, err error) {
	ctx, caller, err := p.onCalls(ctx, who)
	if err != nil {
		return out, err
	}
	if out.Calls, out.At, out.Next, err = NewRooms(p.h).ExamCalls(ctx, caller, f, at); err != nil {
		return out, err
	}
	err = p.h.DB.View(ctx, "coaches", func(ctx context.Context, tx *postgres.Tx) error {
		out.Coaches, err = confidence.CoachesTx(ctx, tx)
		return err
	})
	return out, err
}

// WriteExamCalls writes the list as CSV.
func (p Pages) WriteExamCalls(ctx context.Context, who web.Viewer, f confidence.CallFilter, w io.Writer) error {
	ctx, caller, err := p.onCalls(ctx, who)
	if err != nil {
		return err
	}
	return NewRooms(p.h).WriteExamCalls(ctx, caller, f, w)
}

// NoteCall notes what came of a call.
func (p Pages) NoteCall(ctx context.Context, who web.Viewer, key, enrolmentID string, n confidence.NewCall) error {
	ctx, caller, err := p.onCalls(ctx, who)
	if err != nil {
		return err
	}
	_, err = NewRooms(p.h).NoteExamCall(ctx, caller, key, enrolmentID, n)
	return err
}

// AssignCoach says who calls somebody.
func (p Pages) AssignCoach(ctx context.Context, who web.Viewer, enrolmentID, coach string) error {
	ctx, caller, err := p.onCalls(ctx, who)
	if err != nil {
		return err
	}
	return NewRooms(p.h).AssignExamCoach(ctx, caller, enrolmentID, coach)
}

// ExamReminders is when the learners of a session are reminded.
func (p Pages) ExamReminders(ctx context.Context, who web.Viewer, session string) (confidence.Plan, error) {
	ctx, caller, err := p.onCalls(ctx, who)
	if err != nil {
		return confidence.Plan{}, err
	}
	return NewRooms(p.h).ExamReminders(ctx, caller, session)
}

// SaveExamReminders rewrites that.
func (p Pages) SaveExamReminders(ctx context.Context, who web.Viewer, session string, version int, plan confidence.Plan) error {
	ctx, caller, err := p.onCalls(ctx, who)
	if err != nil {
		return err
	}
	_, err = NewRooms(p.h).PutExamReminders(ctx, caller, session, version, plan)
	return err
}
