package app

import (
	"context"
	"io"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/confidence"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// seenEnrolment finds an enrolment that the actor may see.
func (h *House) seenEnrolment(ctx context.Context, id string) (e enrolment.Enrolment, err error) {
	err = h.DB.View(ctx, "enrolment", func(ctx context.Context, tx *postgres.Tx) error {
		e, err = enrolment.OneTx(ctx, tx, id)
		return err
	})
	return e, err
}

// Readiness tells how the learner of an enrolment stands. It is counted by the house, over everybody.
func (r Rooms) Readiness(ctx context.Context, _ api.Principal, enrolmentID string, asOf time.Time) (x confidence.Readiness, err error) {
	e, err := r.h.seenEnrolment(ctx, enrolmentID)
	if err != nil {
		return x, err
	}
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "readiness", func(ctx context.Context, tx *postgres.Tx) error {
		x, err = confidence.ReadinessTx(ctx, tx, e, asOf)
		return err
	})
	return x, err
}

// BookMockExam books the practice exam.
func (r Rooms) BookMockExam(ctx context.Context, who api.Principal, enrolmentID, key string) (api.Sitting, error) {
	learner := who.PersonID
	if herself(who, "exams:book") == "" {
		e, err := r.h.seenEnrolment(ctx, enrolmentID)
		if err != nil {
			return api.Sitting{}, err
		}
		learner = e.LearnerID
	}
	x, err := r.h.Exams.Book(ctx, exams.BookSitting{LearnerID: learner, EnrolmentID: enrolmentID, Kind: exams.Practice, IdempotencyKey: key})
	return apiSitting(x), err
}

// ExamReminders is when the learners of a session are reminded.
func (r Rooms) ExamReminders(ctx context.Context, _ api.Principal, session string) (p confidence.Plan, err error) {
	err = r.h.DB.View(ctx, "exam reminders", func(ctx context.Context, tx *postgres.Tx) error {
		p, err = confidence.PlanTx(ctx, tx, session)
		p.Version++ // the entity tag of what the house does by itself is that of a first version
		return err
	})
	return p, err
}

// PutExamReminders rewrites that.
func (r Rooms) PutExamReminders(ctx context.Context, who api.Principal, session string, version int, p confidence.Plan) (confidence.Plan, error) {
	version-- // see ExamReminders; -1 is any
	if err := r.h.DB.InTx(ctx, "put exam reminders", func(ctx context.Context, tx *postgres.Tx) error {
		return confidence.PutPlanTx(ctx, tx, session, version, p)
	}); err != nil {
		return p, err
	}
	return r.ExamReminders(ctx, who, session)
}

// callsOf finds the session of a filter, which names it by key.
func callsOf(ctx context.Context, tx *postgres.Tx, f confidence.CallFilter) (confidence.CallFilter, error) {
	if f.SessionID == "" {
		return f, nil
	}
	s, err := catalog.SessionTx(ctx, tx, f.SessionID)
	f.SessionID = s.ID
	return f, err
}

// ExamCalls lists whom to call. How people stand is counted over everybody.
func (r Rooms) ExamCalls(ctx context.Context, _ api.Principal, f confidence.CallFilter, p page.Request) (all []confidence.Call, at time.Time, next string, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "exam calls", func(ctx context.Context, tx *postgres.Tx) error {
		if f, err = callsOf(ctx, tx, f); err != nil {
			return err
		}
		at = tx.Now()
		all, next, err = confidence.CallsTx(ctx, tx, f, p)
		return err
	})
	return all, at, next, err
}

// WriteExamCalls writes the list as CSV.
func (r Rooms) WriteExamCalls(ctx context.Context, _ api.Principal, f confidence.CallFilter, w io.Writer) error {
	return r.h.DB.View(postgres.WithActor(ctx, "system"), "export exam calls", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if f, err = callsOf(ctx, tx, f); err != nil {
			return err
		}
		return confidence.WriteCallsTx(ctx, tx, f, w)
	})
}

// ExamContacts lists how somebody was reached.
func (r Rooms) ExamContacts(ctx context.Context, _ api.Principal, enrolmentID string) (all []confidence.Contact, err error) {
	err = r.h.DB.View(ctx, "exam contacts", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = confidence.ContactsTx(ctx, tx, enrolmentID)
		return err
	})
	return all, err
}

// NoteExamCall notes what came of a call, once per key.
func (r Rooms) NoteExamCall(ctx context.Context, who api.Principal, key, enrolmentID string, n confidence.NewCall) ([]confidence.Contact, error) {
	said := struct {
		Enrolment string
		confidence.NewCall
	}{enrolmentID, n}
	if _, err := r.once(ctx, who, key, "note exam call", said, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		return enrolmentID, confidence.NoteCallTx(ctx, tx, enrolmentID, n)
	}); err != nil {
		return nil, err
	}
	return r.ExamContacts(ctx, who, enrolmentID)
}

// AssignExamCoach says who calls somebody.
func (r Rooms) AssignExamCoach(ctx context.Context, _ api.Principal, enrolmentID, coach string) error {
	return r.h.DB.InTx(ctx, "assign coach", func(ctx context.Context, tx *postgres.Tx) error {
		return confidence.AssignTx(ctx, tx, enrolmentID, coach)
	})
}

var errNoCaller = fault.New(fault.Forbidden, "no-person", "Only people are called.")

// CallNumber is the number of the principal.
func (r Rooms) CallNumber(ctx context.Context, who api.Principal) (string, error) {
	return r.h.callNumber(ctx, who.PersonID)
}

func (h *House) callNumber(ctx context.Context, personID string) (n string, err error) {
	err = h.DB.View(postgres.WithActor(ctx, "system"), "call number", func(ctx context.Context, tx *postgres.Tx) error {
		n, err = confidence.NumberTx(ctx, tx, personID)
		return err
	})
	return n, err
}

// PutCallNumber rewrites it.
func (r Rooms) PutCallNumber(ctx context.Context, who api.Principal, number string) (string, error) {
	if who.Client != "" {
		return "", errNoCaller
	}
	return number, r.h.asHouse(ctx, "put call number", func(ctx context.Context, tx *postgres.Tx) error {
		return confidence.PutNumberTx(ctx, tx, who.PersonID, number)
	})
}
