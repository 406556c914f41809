package app

import (
	"context"
	"encoding/json"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// ListSessions lists sessions of every state of publication.
func (r Rooms) ListSessions(ctx context.Context, _ api.Principal, f catalog.SessionFilter, p page.Request) (out []catalog.SessionSheet, next string, err error) {
	f.After, f.Limit = p.After, p.Limit+1
	err = r.h.DB.View(ctx, "list sessions", func(ctx context.Context, tx *postgres.Tx) error {
		out, next = []catalog.SessionSheet{}, ""
		all, err := catalog.SessionsWhereTx(ctx, tx, f)
		if len(all) > p.Limit {
			all, next = all[:p.Limit], all[p.Limit-1].ID
		}
		for _, s := range all {
			out = append(out, s.Sheet(tx.Now()))
		}
		return err
	})
	return out, next, err
}

// SessionSheet gives a session as staff see it.
func (r Rooms) SessionSheet(ctx context.Context, _ api.Principal, session string) (out catalog.SessionSheet, err error) {
	err = r.h.DB.View(ctx, "session sheet", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = catalog.SessionSheetTx(ctx, tx, session)
		return err
	})
	return out, err
}

// edited does something to a session and gives its sheet.
func (h *House) edited(ctx context.Context, name string, do func(ctx context.Context, tx *postgres.Tx) (catalog.Session, error)) (out catalog.SessionSheet, err error) {
	err = h.DB.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		s, err := do(ctx, tx)
		if err != nil {
			return err
		}
		out, err = catalog.SessionSheetTx(ctx, tx, s.ID)
		return err
	})
	return out, err
}

// PutSession rewrites a session.
func (r Rooms) PutSession(ctx context.Context, _ api.Principal, session string, n catalog.NewSession, version int) (catalog.SessionSheet, error) {
	return r.h.edited(ctx, "put session", func(ctx context.Context, tx *postgres.Tx) (catalog.Session, error) {
		return sales.PutSessionTx(ctx, tx, session, n, version)
	})
}

// MoveSession moves the publication of a session.
func (r Rooms) MoveSession(ctx context.Context, _ api.Principal, session string, to catalog.Publication, note string, version int) (catalog.SessionSheet, error) {
	return r.h.edited(ctx, "move session", func(ctx context.Context, tx *postgres.Tx) (catalog.Session, error) {
		return programs.MoveSessionTx(ctx, tx, session, to, note, version)
	})
}

// CopySession copies a session, once per key.
func (r Rooms) CopySession(ctx context.Context, who api.Principal, key string, c catalog.CopySession) (out api.SessionCopy, err error) {
	said := struct {
		From string
		catalog.CopySession
	}{c.From, c}
	kept, err := r.once(ctx, who, key, "copy session", said, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		made, err := copySessionTx(ctx, tx, c)
		if err != nil {
			return "", err
		}
		b, err := json.Marshal(made)
		return string(b), err
	})
	if err != nil {
		return out, err
	}
	err = json.Unmarshal([]byte(kept), &out)
	return out, err
}

// ImportExercises reads the exercise map from a file.
func (r Rooms) ImportExercises(ctx context.Context, _ api.Principal, in gradebook.ImportMap) (catalog.Proposal, int, error) {
	p, s, err := r.h.importMap(ctx, in)
	return p, s.Version, err
}

// WorkshopDays lists the days of a session.
func (r Rooms) WorkshopDays(ctx context.Context, who api.Principal, session string) (out []workshops.Day, err error) {
	var s catalog.Session
	if err = r.h.DB.View(ctx, "session of days", func(ctx context.Context, tx *postgres.Tx) error {
		if s, err = catalog.SessionTx(ctx, tx, session); err != nil {
			return err
		}
		if !visible(ctx, s) {
			if _, enrolled, err := enrolment.FindTx(ctx, tx, who.PersonID, s.ID); err != nil || !enrolled {
				return catalog.ErrNoSession
			}
		}
		return nil
	}); err != nil {
		return out, err
	}
	return r.h.daysOf(ctx, s.ID)
}

// CreateWorkshopDay plans a day, once per key.
func (r Rooms) CreateWorkshopDay(ctx context.Context, who api.Principal, key, session string, n workshops.NewDay) (out workshops.Day, err error) {
	said := struct {
		Session string
		workshops.NewDay
	}{session, n}
	id, err := r.once(ctx, who, key, "create workshop day", said, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		d, err := workshops.CreateDayTx(ctx, tx, session, n)
		return d.ID, err
	})
	if err != nil {
		return out, err
	}
	err = r.h.DB.View(ctx, "workshop day", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = workshops.DayTx(ctx, tx, id)
		return err
	})
	return out, err
}

// onDay does something to a day.
func (h *House) onDay(ctx context.Context, name string, do func(ctx context.Context, tx *postgres.Tx) (workshops.Day, error)) (out workshops.Day, err error) {
	err = h.DB.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		out, err = do(ctx, tx)
		return err
	})
	return out, err
}

// PutWorkshopDay rewrites a day.
func (r Rooms) PutWorkshopDay(ctx context.Context, _ api.Principal, day string, n workshops.NewDay, version int) (workshops.Day, error) {
	return r.h.onDay(ctx, "put workshop day", func(ctx context.Context, tx *postgres.Tx) (workshops.Day, error) {
		return workshops.PutDayTx(ctx, tx, day, n, version)
	})
}

// CancelWorkshopDay calls a day off.
func (r Rooms) CancelWorkshopDay(ctx context.Context, _ api.Principal, day string, version int) (workshops.Day, error) {
	return r.h.onDay(ctx, "cancel workshop day", func(ctx context.Context, tx *postgres.Tx) (workshops.Day, error) {
		return workshops.CancelDayTx(ctx, tx, day, version)
	})
}

// HoldWorkshopDay says that a day took place.
func (r Rooms) HoldWorkshopDay(ctx context.Context, _ api.Principal, day string) (workshops.Day, error) {
	return r.h.onDay(ctx, "hold workshop day", func(ctx context.Context, tx *postgres.Tx) (workshops.Day, error) {
		return workshops.HoldTx(ctx, tx, day)
	})
}

// Attendance gives the sheet of a day.
func (r Rooms) Attendance(ctx context.Context, _ api.Principal, day string) (d workshops.Day, seats []workshops.Seat, err error) {
	err = r.h.DB.View(ctx, "attendance", func(ctx context.Context, tx *postgres.Tx) error {
		if d, err = workshops.DayTx(ctx, tx, day); err != nil {
			return err
		}
		seats, err = workshops.SheetTx(ctx, tx, day)
		return err
	})
	return d, seats, err
}

// RecordAttendance writes who came.
func (r Rooms) RecordAttendance(ctx context.Context, who api.Principal, day string, marks []workshops.Mark) (workshops.Day, []workshops.Seat, error) {
	if _, err := r.h.onDay(ctx, "record attendance", func(ctx context.Context, tx *postgres.Tx) (workshops.Day, error) {
		return r.h.Workshops.RecordAttendanceTx(ctx, tx, day, marks)
	}); err != nil {
		return workshops.Day{}, nil, err
	}
	return r.Attendance(ctx, who, day)
}

// SeatLearner registers somebody, once per key.
func (r Rooms) SeatLearner(ctx context.Context, who api.Principal, key, day, enrolmentID string) (workshops.Day, []workshops.Seat, error) {
	if _, err := r.once(ctx, who, key, "seat learner", []string{day, enrolmentID}, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		d, err := workshops.RegisterTx(ctx, tx, day, enrolmentID, "")
		return d.ID, err
	}); err != nil {
		return workshops.Day{}, nil, err
	}
	return r.Attendance(ctx, who, day)
}

// RecordProductions grades productions.
func (r Rooms) RecordProductions(ctx context.Context, _ api.Principal, session string, all []workshops.Production) (out []workshops.Completion, err error) {
	err = r.h.DB.InTx(ctx, "record productions", func(ctx context.Context, tx *postgres.Tx) error {
		if err := r.h.Workshops.RecordProductionsTx(ctx, tx, session, all); err != nil {
			return err
		}
		ids := make([]string, len(all))
		for i, p := range all {
			ids[i] = p.EnrolmentID
		}
		done, err := workshops.CompletionTx(ctx, tx, ids...)
		out = nil
		for _, id := range ids {
			out = append(out, done[id])
		}
		return err
	})
	return out, err
}

// Workshops says how an enrolment stands in its workshops.
func (r Rooms) Workshops(ctx context.Context, _ api.Principal, enrolmentID string) (out api.WorkshopStanding, err error) {
	return r.h.workshopsOf(ctx, enrolmentID)
}

func (h *House) workshopsOf(ctx context.Context, enrolmentID string) (out api.WorkshopStanding, err error) {
	var session string
	if err = h.DB.View(ctx, "my workshops", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolment.OneTx(ctx, tx, enrolmentID)
		if err != nil {
			return err
		}
		done, err := workshops.CompletionTx(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		session, out.Completion = e.SessionID, done[e.ID]
		seats, err := workshops.SeatsOfTx(ctx, tx, e.ID)
		out.Seats = seats[e.ID]
		return err
	}); err != nil {
		return out, err
	}
	out.Days, err = h.daysOf(ctx, session)
	return out, err
}

// RegisterForDay takes a seat for a learner, once per key. The house does it for her, because the day is not hers to change.
func (r Rooms) RegisterForDay(ctx context.Context, who api.Principal, key, enrolmentID, day string) (api.WorkshopStanding, error) {
	return r.h.takeSeat(ctx, who.Actor, who.PersonID, key, enrolmentID, day)
}

func (h *House) takeSeat(ctx context.Context, actor, personID, key, enrolmentID, day string) (out api.WorkshopStanding, err error) {
	r := NewRooms(h)
	system := postgres.WithActor(ctx, "system")
	if _, err := r.once(system, api.Principal{Actor: actor}, key, "register for day", []string{enrolmentID, day}, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		d, err := workshops.RegisterTx(ctx, tx, day, enrolmentID, personID)
		return d.ID, err
	}); err != nil {
		return out, err
	}
	return h.workshopsOf(ctx, enrolmentID)
}

// LeaveDay gives a learner's seat back.
func (r Rooms) LeaveDay(ctx context.Context, who api.Principal, enrolmentID, day string) (api.WorkshopStanding, error) {
	return r.h.leaveSeat(ctx, who.PersonID, enrolmentID, day)
}

func (h *House) leaveSeat(ctx context.Context, personID, enrolmentID, day string) (out api.WorkshopStanding, err error) {
	if err := h.DB.View(ctx, "own enrolment", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.OneTx(ctx, tx, enrolmentID) // nobody else finds it
		return err
	}); err != nil {
		return out, err
	}
	if _, err := h.onDay(postgres.WithActor(ctx, "system"), "leave day", func(ctx context.Context, tx *postgres.Tx) (workshops.Day, error) {
		return workshops.LeaveTx(ctx, tx, day, enrolmentID, personID)
	}); err != nil {
		return out, err
	}
	return h.workshopsOf(ctx, enrolmentID)
}
