package app

import (
	"context"
	"fmt"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// onDesk reads something of exams for who looks after them, as the house: places are counted over everybody.
func onDesk[T any](ctx context.Context, p Pages, who web.Viewer, name string, read func(ctx context.Context, tx *postgres.Tx) (T, error)) (out T, err error) {
	if err := p.onExams(ctx, who); err != nil {
		return out, err
	}
	return view(postgres.WithActor(ctx, "system"), p.h, name, read)
}

// ExamCalendar lists the slots that begin between two times.
func (p Pages) ExamCalendar(ctx context.Context, who web.Viewer, from, until time.Time) ([]exams.Slot, error) {
	return onDesk(ctx, p, who, "exam calendar", func(ctx context.Context, tx *postgres.Tx) (out []exams.Slot, err error) {
		for f := (exams.SlotFilter{From: from}); ; {
			all, err := exams.SlotsTx(ctx, tx, f)
			for _, x := range all {
				if !x.StartsAt.Before(until) {
					return out, err
				}
				out = append(out, x)
				f.After = x.ID
			}
			if err != nil || len(all) == 0 {
				return out, err
			}
		}
	})
}

// ExamQueue is all that waits for a person.
func (p Pages) ExamQueue(ctx context.Context, who web.Viewer) ([]exams.QueueItem, error) {
	return onDesk(ctx, p, who, "exam queue", exams.QueueTx)
}

// ExamFile is the file of an enrolment.
func (p Pages) ExamFile(ctx context.Context, who web.Viewer, enrolmentID string) (web.ExamFile, error) {
	return onDesk(ctx, p, who, "exam file", func(ctx context.Context, tx *postgres.Tx) (out web.ExamFile, err error) {
		if out.File, err = exams.FileTx(ctx, tx, enrolmentID); err != nil {
			return out, err
		}
		person, err := identity.PersonTx(ctx, tx, out.Enrolment.LearnerID)
		if err != nil {
			return out, err
		}
		s, err := catalog.SessionTx(ctx, tx, out.Enrolment.SessionID)
		out.FullName, out.SessionKey = person.FullName, s.Key
		return out, err
	})
}

// WorkOnExamFile writes something into it.
func (p Pages) WorkOnExamFile(ctx context.Context, who web.Viewer, key, enrolmentID string, w web.ExamFileWork) error {
	f, err := p.ExamFile(ctx, who, enrolmentID)
	if err != nil {
		return err
	}
	ctx = as(ctx, who)
	rooms, caller := NewRooms(p.h), api.Principal{PersonID: who.PersonID, Actor: postgres.Actor(ctx)}
	switch w.Do {
	case "block", "unblock":
		w.Block.Blocked = w.Do == "block"
		_, err = rooms.BlockExam(ctx, caller, enrolmentID, w.Block)
	case "accommodate":
		_, err = rooms.AccommodateExam(ctx, caller, enrolmentID, w.Accommodation)
	case "identity":
		_, err = rooms.CheckIdentity(ctx, caller, key, f.Enrolment.LearnerID, w.Identity)
	default:
		err = fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown-act", Detail: "Not something that can be done here."})
	}
	return err
}

// ExamRules is what an exam asks for; of one that nobody wrote, what every exam asks for.
func (p Pages) ExamRules(ctx context.Context, who web.Viewer, session string, kind exams.Kind) (exams.Exam, error) {
	return onDesk(ctx, p, who, "exam rules", func(ctx context.Context, tx *postgres.Tx) (exams.Exam, error) {
		s, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return exams.Exam{}, err
		}
		return exams.RulesTx(ctx, tx, s.ID, kind)
	})
}

// PutExamRules writes them.
func (p Pages) PutExamRules(ctx context.Context, who web.Viewer, session string, kind exams.Kind, n exams.NewExam, version int) error {
	if err := p.onExams(ctx, who); err != nil {
		return err
	}
	_, _, err := NewRooms(p.h).PutExam(as(ctx, who), api.Principal{PersonID: who.PersonID}, session, kind, n, version)
	return err
}

// ExamSlot gives a slot.
func (p Pages) ExamSlot(ctx context.Context, who web.Viewer, slot string) (exams.Slot, error) {
	return onDesk(ctx, p, who, "exam slot", func(ctx context.Context, tx *postgres.Tx) (exams.Slot, error) { return exams.SlotTx(ctx, tx, slot) })
}

// PutExamSlot rewrites a slot.
func (p Pages) PutExamSlot(ctx context.Context, who web.Viewer, slot string, n exams.NewSlot, version int) error {
	if err := p.onExams(ctx, who); err != nil {
		return err
	}
	_, err := NewRooms(p.h).PutExamSlot(as(ctx, who), api.Principal{PersonID: who.PersonID}, slot, n, version)
	return err
}

// planSlots plans a slot on each of some days in a row, each once per key.
func (p Pages) planSlots(ctx context.Context, who web.Viewer, key string, w web.ExamWork) error {
	if w.Days < 1 || w.Days > 60 {
		return fault.InvalidInput(fault.Field{Pointer: "/days", Code: "out-of-range", Detail: "1 to 60."})
	}
	place, err := time.LoadLocation(w.Plan.Zone)
	if err != nil {
		return fault.InvalidInput(fault.Field{Pointer: "/zone", Code: "unknown-zone", Detail: "A name such as Europe/Paris."})
	}
	first := w.Plan
	for day := range w.Days {
		n := first
		n.StartsAt, n.EndsAt = first.StartsAt.In(place).AddDate(0, 0, day), first.EndsAt.In(place).AddDate(0, 0, day)
		if _, err := NewRooms(p.h).CreateExamSlot(ctx, api.Principal{PersonID: who.PersonID, Actor: postgres.Actor(ctx)}, fmt.Sprint(key, "-", day), w.Session, w.Kind, n); err != nil {
			return err
		}
	}
	return nil
}
