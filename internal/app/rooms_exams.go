package app

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// herself is whose things alone the caller of an operation of exams may touch: hers; empty: staff touch everybody's.
func herself(who api.Principal, scope string) string {
	if who.Reaches(scope) {
		return ""
	}
	return who.PersonID
}

// asHouse works on exams as the house: places are counted over everybody, and the database lets a learner write nothing.
func (h *House) asHouse(ctx context.Context, name string, fn func(ctx context.Context, tx *postgres.Tx) error) error {
	return h.DB.InTx(postgres.WithActor(ctx, "system"), name, fn)
}

// Exam finds an exam of a session.
func (r Rooms) Exam(ctx context.Context, _ api.Principal, session string, kind exams.Kind) (e exams.Exam, key string, err error) {
	err = r.h.DB.View(ctx, "exam", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		key = s.Key
		e, err = exams.ExamTx(ctx, tx, s.ID, kind)
		return err
	})
	return e, key, err
}

// PutExam writes an exam of a session.
func (r Rooms) PutExam(ctx context.Context, _ api.Principal, session string, kind exams.Kind, n exams.NewExam, version int) (e exams.Exam, key string, err error) {
	err = r.h.DB.InTx(ctx, "put exam", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		key = s.Key
		e, err = r.h.Exams.PutTx(ctx, tx, s.ID, kind, n, version)
		return err
	})
	return e, key, err
}

// ExamSlots lists the slots of a session that have not begun.
func (r Rooms) ExamSlots(ctx context.Context, _ api.Principal, session string) ([]exams.Slot, error) {
	var id string
	if err := r.h.DB.View(ctx, "session", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, session)
		id = s.ID
		return err
	}); err != nil {
		return nil, err
	}
	return r.h.Exams.Slots(ctx, exams.SlotFilter{SessionID: id, From: r.h.DB.Now()})
}

func (r Rooms) slot(ctx context.Context, name string, do func(ctx context.Context, tx *postgres.Tx) (exams.Slot, error)) (x exams.Slot, err error) {
	err = r.h.asHouse(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		x, err = do(ctx, tx)
		return err
	})
	return x, err
}

// CreateExamSlot plans a slot, once per key.
func (r Rooms) CreateExamSlot(ctx context.Context, who api.Principal, key, session string, kind exams.Kind, n exams.NewSlot) (exams.Slot, error) {
	said := struct {
		Session string
		Kind    exams.Kind
		exams.NewSlot
	}{session, kind, n}
	id, err := r.once(postgres.WithActor(ctx, "system"), who, key, "create exam slot", said, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		x, err := r.h.Exams.PlanSlotTx(ctx, tx, session, kind, n)
		return x.ID, err
	})
	if err != nil {
		return exams.Slot{}, err
	}
	return r.slot(ctx, "exam slot", func(ctx context.Context, tx *postgres.Tx) (exams.Slot, error) { return exams.SlotTx(ctx, tx, id) })
}

// PutExamSlot rewrites a slot.
func (r Rooms) PutExamSlot(ctx context.Context, _ api.Principal, id string, n exams.NewSlot, version int) (exams.Slot, error) {
	return r.slot(ctx, "put exam slot", func(ctx context.Context, tx *postgres.Tx) (exams.Slot, error) {
		return r.h.Exams.PutSlotTx(ctx, tx, id, n, version)
	})
}

// CancelExamSlot calls a slot off.
func (r Rooms) CancelExamSlot(ctx context.Context, _ api.Principal, id string, version int) (exams.Slot, error) {
	return r.slot(ctx, "cancel exam slot", func(ctx context.Context, tx *postgres.Tx) (exams.Slot, error) {
		return r.h.Exams.CancelSlotTx(ctx, tx, id, version)
	})
}

// BookExamSlot books a slot, once per key.
func (r Rooms) BookExamSlot(ctx context.Context, who api.Principal, enrolmentID, slot, key string) (api.Sitting, error) {
	learner := who.PersonID
	if herself(who, "exams:book") == "" {
		if err := r.h.DB.View(ctx, "enrolment", func(ctx context.Context, tx *postgres.Tx) error {
			e, err := enrolment.OneTx(ctx, tx, enrolmentID)
			learner = e.LearnerID
			return err
		}); err != nil {
			return api.Sitting{}, err
		}
	}
	x, err := r.h.Exams.Book(ctx, exams.BookSitting{LearnerID: learner, EnrolmentID: enrolmentID, SlotID: slot, IdempotencyKey: key})
	return apiSitting(x), err
}

// WaitForExamSlot puts an enrolment into the row of a slot.
func (r Rooms) WaitForExamSlot(ctx context.Context, who api.Principal, enrolmentID, slot string) (w exams.Wait, err error) {
	err = r.h.asHouse(ctx, "wait for exam slot", func(ctx context.Context, tx *postgres.Tx) error {
		w, err = r.h.Exams.WaitTx(ctx, tx, slot, enrolmentID, herself(who, "exams:book"))
		return err
	})
	return w, err
}

// LeaveExamWaiting takes it out.
func (r Rooms) LeaveExamWaiting(ctx context.Context, who api.Principal, enrolmentID, slot string) error {
	return r.h.asHouse(ctx, "leave exam waiting", func(ctx context.Context, tx *postgres.Tx) error {
		return r.h.Exams.StopWaitingTx(ctx, tx, slot, enrolmentID, herself(who, "exams:book"))
	})
}

// ExamFile gathers all that is known of an enrolment and its exams.
func (r Rooms) ExamFile(ctx context.Context, _ api.Principal, enrolmentID string) (f exams.File, sittings []api.Sitting, err error) {
	err = r.h.DB.View(ctx, "exam file", func(ctx context.Context, tx *postgres.Tx) error {
		f, err = exams.FileTx(ctx, tx, enrolmentID)
		return err
	})
	for _, x := range f.Sittings {
		sittings = append(sittings, apiSitting(x))
	}
	return f, sittings, err
}

// BlockExam blocks the exams of an enrolment, or lets them go.
func (r Rooms) BlockExam(ctx context.Context, _ api.Principal, enrolmentID string, b exams.Block) (exams.Block, error) {
	err := r.h.DB.InTx(ctx, "block exam", func(ctx context.Context, tx *postgres.Tx) (err error) {
		b, err = r.h.Exams.BlockTx(ctx, tx, enrolmentID, b)
		return err
	})
	return b, err
}

// AccommodateExam gives an enrolment more time.
func (r Rooms) AccommodateExam(ctx context.Context, _ api.Principal, enrolmentID string, a exams.Accommodation) (exams.Accommodation, error) {
	err := r.h.DB.InTx(ctx, "accommodate exam", func(ctx context.Context, tx *postgres.Tx) (err error) {
		a, err = r.h.Exams.AccommodateTx(ctx, tx, enrolmentID, a)
		return err
	})
	return a, err
}

// CheckIdentity records whether somebody proved who she is, once per key.
func (r Rooms) CheckIdentity(ctx context.Context, who api.Principal, key, person string, c exams.IdentityCheck) (exams.IdentityCheck, error) {
	said := struct {
		Person string
		exams.IdentityCheck
	}{person, c}
	if _, err := r.once(ctx, who, key, "check identity", said, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		_, err := r.h.Exams.CheckIdentityTx(ctx, tx, person, c)
		return person, err
	}); err != nil {
		return c, err
	}
	err := r.h.DB.View(ctx, "identity check", func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = exams.IdentityOfTx(ctx, tx, person)
		return err
	})
	return c, err
}

// Sittings lists the sittings of everybody.
func (r Rooms) Sittings(ctx context.Context, _ api.Principal, state string, p page.Request) (out []api.Sitting, next string, err error) {
	var all []exams.Sitting
	err = r.h.DB.View(ctx, "sittings", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = exams.SittingsTx(ctx, tx, state, p)
		return err
	})
	for _, x := range all {
		out = append(out, apiSitting(x))
	}
	return out, next, err
}

// Sitting tells a sitting.
func (r Rooms) Sitting(ctx context.Context, who api.Principal, id string) (y exams.Story, x api.Sitting, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "sitting", func(ctx context.Context, tx *postgres.Tx) error {
		if y, err = exams.StoryTx(ctx, tx, id); err == nil && herself(who, "learning:read") != "" && y.Sitting.LearnerID != who.PersonID {
			err = exams.ErrNoSitting
		}
		return err
	})
	return y, apiSitting(y.Sitting), err
}

func (r Rooms) sitting(ctx context.Context, name string, do func(ctx context.Context, tx *postgres.Tx) (exams.Sitting, error)) (api.Sitting, error) {
	var x exams.Sitting
	err := r.h.asHouse(ctx, name, func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = do(ctx, tx)
		return err
	})
	return apiSitting(x), err
}

// MoveSitting books a sitting into another slot.
func (r Rooms) MoveSitting(ctx context.Context, who api.Principal, id, slot string) (api.Sitting, error) {
	return r.sitting(ctx, "move sitting", func(ctx context.Context, tx *postgres.Tx) (exams.Sitting, error) {
		return r.h.Exams.MoveTx(ctx, tx, id, slot, herself(who, "exams:book"))
	})
}

// CancelSitting cancels a booking.
func (r Rooms) CancelSitting(ctx context.Context, who api.Principal, id string) (api.Sitting, error) {
	return r.sitting(ctx, "cancel sitting", func(ctx context.Context, tx *postgres.Tx) (exams.Sitting, error) {
		return r.h.Exams.CancelTx(ctx, tx, id, herself(who, "exams:book"))
	})
}

// ActOnSitting moves the attempt of a sitting, as staff or as who sits.
func (r Rooms) ActOnSitting(ctx context.Context, who api.Principal, act exams.Act) (exams.Attempt, error) {
	return r.h.actOnSitting(ctx, act, herself(who, "exams:book"))
}

func (h *House) actOnSitting(ctx context.Context, act exams.Act, learnerID string) (a exams.Attempt, err error) {
	err = h.asHouse(ctx, "act on sitting", func(ctx context.Context, tx *postgres.Tx) error {
		if learnerID == "" {
			a, err = h.Exams.ActTx(ctx, tx, act)
		} else {
			a, err = h.Exams.ActAsLearnerTx(ctx, tx, act, learnerID)
		}
		return err
	})
	return a, err
}

// ReportIncident notes what happened at a sitting, once per key.
func (r Rooms) ReportIncident(ctx context.Context, who api.Principal, key, sitting string, i exams.Incident) (exams.Incident, error) {
	said := struct {
		Sitting string
		exams.Incident
	}{sitting, i}
	if _, err := r.once(ctx, who, key, "report incident", said, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		_, err := r.h.Exams.ReportTx(ctx, tx, sitting, i)
		return sitting, err
	}); err != nil {
		return i, err
	}
	err := r.h.DB.View(ctx, "incidents", func(ctx context.Context, tx *postgres.Tx) error {
		y, err := exams.StoryTx(ctx, tx, sitting)
		if len(y.Incidents) > 0 {
			i = y.Incidents[0]
		}
		return err
	})
	return i, err
}

// AppealSitting appeals against a result.
func (r Rooms) AppealSitting(ctx context.Context, who api.Principal, sitting, reason string) (a exams.Appeal, err error) {
	err = r.h.asHouse(ctx, "appeal", func(ctx context.Context, tx *postgres.Tx) error {
		a, err = r.h.Exams.AppealTx(ctx, tx, sitting, herself(who, "exams:book"), reason)
		return err
	})
	return a, err
}

// Appeals lists the appeals that wait.
func (r Rooms) Appeals(ctx context.Context, _ api.Principal) (all []exams.Appeal, err error) {
	err = r.h.DB.View(ctx, "appeals", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = exams.OpenAppealsTx(ctx, tx)
		return err
	})
	return all, err
}

// DecideAppeal answers an appeal.
func (r Rooms) DecideAppeal(ctx context.Context, _ api.Principal, ruling exams.Ruling) (a exams.Appeal, err error) {
	err = r.h.asHouse(ctx, "decide appeal", func(ctx context.Context, tx *postgres.Tx) error {
		a, err = r.h.Exams.RuleTx(ctx, tx, ruling)
		return err
	})
	return a, err
}
