package app

import (
	"context"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// ExamPage shows a learner the exam of one of her enrolments: what it asks for, when and where, and what became of it.
func (p Pages) ExamPage(ctx context.Context, who web.Viewer, enrolmentID string) (out web.ExamPage, err error) {
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "exam page", func(ctx context.Context, tx *postgres.Tx) error {
		out = web.ExamPage{EnrolmentID: enrolmentID}
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
		out.SessionKey, out.SessionTitle = s.Key, text(s.Title())
		d, sittings, err := exams.EligibilityTx(ctx, tx, e)
		if err != nil {
			return err
		}
		for _, c := range d.Conditions {
			out.Checks = append(out.Checks, checkOf(c))
		}
		if out.Retakes, err = retakesTx(ctx, tx, e, d); err != nil {
			return err
		}
		out.CanBook = d.Eligible
		if len(sittings) > 0 && sittings[0].State != exams.Canceled {
			y, err := exams.StoryTx(ctx, tx, sittings[0].ID)
			if err != nil {
				return err
			}
			open := y.Sitting.State == exams.Booked
			out.Story, out.CanBook = &y, out.CanBook && !open && y.Sitting.State != exams.Withheld
			out.CanLeave = open && len(y.Attempts) == 0 && (y.Slot == nil || tx.Now().Before(y.Slot.LeaveBy()))
			out.CanAppeal = y.MayAppeal(tx.Now())
			if out.Watched, err = watchedTx(ctx, tx, y); err != nil {
				return err
			}
		}
		if out.Minutes, err = exams.MinutesTx(ctx, tx, e); err != nil {
			return err
		}
		return p.slotsOfTx(ctx, tx, e, &out)
	})
	return out, err
}

func (p Pages) slotsOfTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, out *web.ExamPage) error {
	all, err := exams.SlotsTx(ctx, tx, exams.SlotFilter{SessionID: e.SessionID, From: tx.Now()})
	if err != nil {
		return err
	}
	waits, err := exams.WaitsTx(ctx, tx, e.ID)
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.State != exams.SlotPlanned || x.Kind != exams.Proctored {
			continue
		}
		slot := web.ExamSlot{Slot: x, Mine: out.Story != nil && out.Story.Sitting.State == exams.Booked && out.Story.Sitting.SlotID == x.ID}
		for _, w := range waits {
			if w.SlotID == x.ID {
				slot.Waits, slot.Ahead, slot.OfferUntil = true, w.Ahead, w.OfferUntil
			}
		}
		out.Slots = append(out.Slots, slot)
	}
	return nil
}

// ActOnExam does what a learner wants with her exam.
func (p Pages) ActOnExam(ctx context.Context, who web.Viewer, enrolmentID, key string, act web.ExamAct) error {
	if act.Do == "book" {
		_, err := p.h.Exams.Book(ctx, exams.BookSitting{LearnerID: who.PersonID, EnrolmentID: enrolmentID, SlotID: act.Slot, IdempotencyKey: key})
		return err
	}
	return p.h.asHouse(as(ctx, who), "act on exam", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolment.OneTx(ctx, tx, enrolmentID)
		if err == nil && e.LearnerID != who.PersonID {
			err = enrolment.ErrNoEnrolment
		}
		if err != nil {
			return err
		}
		switch act.Do {
		case "wait":
			_, err = p.h.Exams.WaitTx(ctx, tx, act.Slot, e.ID, who.PersonID)
			return err
		case "leave":
			return p.h.Exams.StopWaitingTx(ctx, tx, act.Slot, e.ID, who.PersonID)
		}
		id, err := sittingTx(ctx, tx, e.ID, who.PersonID)
		if err != nil {
			return err
		}
		switch act.Do {
		case "move":
			_, err = p.h.Exams.MoveTx(ctx, tx, id, act.Slot, who.PersonID)
		case "cancel":
			_, err = p.h.Exams.CancelTx(ctx, tx, id, who.PersonID)
		case "download":
			_, err = p.h.Exams.ActAsLearnerTx(ctx, tx, exams.Act{SittingID: id, Event: exams.EvDownload}, who.PersonID)
		case "start":
			_, err = p.h.Exams.ActAsLearnerTx(ctx, tx, exams.Act{SittingID: id, Event: exams.EvStart}, who.PersonID)
		case "submit":
			_, err = p.h.Exams.ActAsLearnerTx(ctx, tx, exams.Act{SittingID: id, Event: exams.EvSubmit}, who.PersonID)
		case "appeal":
			_, err = p.h.Exams.AppealTx(ctx, tx, id, who.PersonID, strings.TrimSpace(act.Reason))
		default:
			err = fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown-act", Detail: "Not something that can be done with an exam."})
		}
		return err
	})
}

// sittingTx finds the latest sitting of an enrolment of a learner. Errors: enrolment.ErrNoEnrolment where it is not hers, exams.ErrNoSitting.
func sittingTx(ctx context.Context, tx *postgres.Tx, enrolmentID, learnerID string) (string, error) {
	e, err := enrolment.OneTx(ctx, tx, enrolmentID)
	if err == nil && e.LearnerID != learnerID {
		err = enrolment.ErrNoEnrolment
	}
	if err != nil {
		return "", err
	}
	all, err := exams.OfEnrolmentTx(ctx, tx, e.ID)
	if err == nil && len(all) == 0 {
		err = exams.ErrNoSitting
	}
	if err != nil {
		return "", err
	}
	return all[0].ID, nil
}

var errNoExams = fault.New(fault.Forbidden, "scope-missing", "This needs the scope exams:write.")

// onExams lets in who looks after exams.
func (p Pages) onExams(ctx context.Context, who web.Viewer) error {
	return p.h.DB.View(as(ctx, who), "may look after exams", func(ctx context.Context, tx *postgres.Tx) error {
		return mayTx(ctx, tx, who, errNoExams, "exams:write")
	})
}

// deskRows is how many rows of each kind the desk shows.
const deskRows = 100

// ExamDesk shows staff the slots to come, the attempts that wait for a review, and the appeals.
func (p Pages) ExamDesk(ctx context.Context, who web.Viewer) (out web.ExamDesk, err error) {
	if err := p.onExams(ctx, who); err != nil {
		return out, err
	}
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "exam desk", func(ctx context.Context, tx *postgres.Tx) error {
		out = web.ExamDesk{}
		sessions, err := catalog.SessionsTx(ctx, tx)
		if err != nil {
			return err
		}
		keys := map[string]string{}
		for _, s := range sessions {
			keys[s.ID] = s.Key
			out.Sessions = append(out.Sessions, s.Key)
		}
		slots, err := exams.SlotsTx(ctx, tx, exams.SlotFilter{From: tx.Now().AddDate(0, 0, -1), Limit: deskRows})
		if err != nil {
			return err
		}
		for _, x := range slots {
			out.Slots = append(out.Slots, web.ExamSlot{Slot: x})
		}
		me := "staff:" + who.PersonID
		tell := func(sitting string) (c web.ExamCase, err error) {
			if c.Story, err = exams.StoryTx(ctx, tx, sitting); err != nil {
				return c, err
			}
			person, err := identity.PersonTx(ctx, tx, c.Sitting.LearnerID)
			c.FullName, c.SessionKey, c.MayDecide = person.FullName, keys[c.Sitting.SessionID], true
			if c.Appeal != nil {
				c.MayDecide = c.Appeal.FirstReviewer != me
			}
			return c, err
		}
		reviews, _, err := exams.SittingsTx(ctx, tx, "review", page.Request{Limit: deskRows})
		if err != nil {
			return err
		}
		for _, x := range reviews {
			c, err := tell(x.ID)
			if err != nil {
				return err
			}
			out.Reviews = append(out.Reviews, c)
		}
		appeals, err := exams.OpenAppealsTx(ctx, tx)
		if err != nil {
			return err
		}
		for _, a := range appeals {
			c, err := tell(a.SittingID)
			if err != nil {
				return err
			}
			out.Appeals = append(out.Appeals, c)
		}
		return nil
	})
	return out, err
}

// WorkOnExams does one thing of the desk.
func (p Pages) WorkOnExams(ctx context.Context, who web.Viewer, key string, w web.ExamWork) error {
	if err := p.onExams(ctx, who); err != nil {
		return err
	}
	ctx = as(ctx, who)
	if w.Do == "plan" {
		return p.planSlots(ctx, who, key, w)
	}
	return p.h.asHouse(ctx, "work on exams", func(ctx context.Context, tx *postgres.Tx) (err error) {
		switch w.Do {
		case "cancel":
			_, err = p.h.Exams.CancelSlotTx(ctx, tx, w.ID, 0)
		case "verify":
			_, err = p.h.Exams.ActTx(ctx, tx, exams.Act{SittingID: w.ID, Event: exams.EvVerify, ScorePPM: w.ScorePPM, Note: w.Note})
		case "score":
			_, err = p.h.Exams.ActTx(ctx, tx, exams.Act{SittingID: w.ID, ScorePPM: w.ScorePPM})
		case "reject":
			_, err = p.h.Exams.ActTx(ctx, tx, exams.Act{SittingID: w.ID, Event: exams.EvReject, Note: w.Note})
		case "resume":
			_, err = p.h.Exams.ActTx(ctx, tx, exams.Act{SittingID: w.ID, Event: exams.EvAllowResume, Note: w.Note})
		case "uphold", "dismiss":
			_, err = p.h.Exams.RuleTx(ctx, tx, exams.Ruling{AppealID: w.ID, Upheld: w.Do == "uphold", ScorePPM: w.ScorePPM, Answer: w.Note})
		default:
			err = fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown-act", Detail: "Not something that can be done with exams."})
		}
		return err
	})
}
