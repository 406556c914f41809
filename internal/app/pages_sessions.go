package app

import (
	"context"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

const writesWorkshops = "workshops:write"

// writes does something for a viewer who may.
func (p Pages) writes(ctx context.Context, who web.Viewer, scope, name string, work func(ctx context.Context, tx *postgres.Tx) error) error {
	if err := may(who, scope); err != nil {
		return err
	}
	return p.h.DB.InTx(as(ctx, who), name, work)
}

// Calendar shows the sessions of a year and where those of one audience overlap.
func (p Pages) Calendar(ctx context.Context, who web.Viewer, year int, collection string) (out web.Calendar, err error) {
	err = p.h.DB.View(as(ctx, who), "calendar", func(ctx context.Context, tx *postgres.Tx) error {
		out = web.Calendar{Year: year, Collection: collection}
		collections, err := catalog.CollectionsTx(ctx, tx)
		if err != nil {
			return err
		}
		for _, c := range collections {
			out.Collections = append(out.Collections, c.Key)
		}
		out.Sessions, err = catalog.CalendarTx(ctx, tx, collection, time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC))
		out.Overlaps = catalog.Overlaps(out.Sessions)
		return err
	})
	return out, err
}

// SessionDesk shows a session to who works on it.
func (p Pages) SessionDesk(ctx context.Context, who web.Viewer, key string) (out web.SessionDesk, err error) {
	err = p.h.DB.View(as(ctx, who), "session desk", func(ctx context.Context, tx *postgres.Tx) error {
		if out.Sheet, err = catalog.SessionSheetTx(ctx, tx, key); err != nil {
			return err
		}
		out.Next = catalog.PublicationLife.Next(out.Sheet.Publication)
		if out.Days, err = workshops.DaysTx(ctx, tx, out.Sheet.ID); err != nil {
			return err
		}
		if out.Versions, err = catalog.SessionVersionsTx(ctx, tx, out.Sheet.ID, web.SessionVersions); err != nil {
			return err
		}
		for i := range out.Versions {
			if out.Versions[i].By, err = named(ctx, tx, out.Versions[i].By); err != nil {
				return err
			}
		}
		out.Sheet.Moves, err = namedMoves(ctx, tx, out.Sheet.Moves)
		return err
	})
	return out, err
}

// SessionVersion finds what a session said.
func (p Pages) SessionVersion(ctx context.Context, who web.Viewer, key string, version int) (out catalog.SessionVersion, err error) {
	err = p.h.DB.View(as(ctx, who), "session version", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, key)
		if err != nil {
			return err
		}
		out, err = catalog.SessionVersionTx(ctx, tx, s.ID, version)
		return err
	})
	return out, err
}

// PutSession rewrites a session.
func (p Pages) PutSession(ctx context.Context, who web.Viewer, key string, n catalog.NewSession, version int) error {
	return p.writes(ctx, who, writesCatalogue, "put session", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := sales.PutSessionTx(ctx, tx, key, n, version)
		return err
	})
}

// MoveSession moves the publication of a session.
func (p Pages) MoveSession(ctx context.Context, who web.Viewer, key string, to catalog.Publication, note string, version int) error {
	return p.writes(ctx, who, writesCatalogue, "move session", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := programs.MoveSessionTx(ctx, tx, key, to, note, version)
		return err
	})
}

// CopySession copies a session and gives the key of the copy.
func (p Pages) CopySession(ctx context.Context, who web.Viewer, c catalog.CopySession) (key string, err error) {
	err = p.writes(ctx, who, writesCatalogue, "copy session", func(ctx context.Context, tx *postgres.Tx) error {
		copied, err := copySessionTx(ctx, tx, c)
		key = copied.Session.Key
		return err
	})
	return key, err
}

// ImportMap reads the exercise map of a session from a file.
func (p Pages) ImportMap(ctx context.Context, who web.Viewer, in gradebook.ImportMap) (catalog.Proposal, error) {
	if err := may(who, writesCatalogue); err != nil {
		return catalog.Proposal{}, err
	}
	proposal, _, err := p.h.importMap(as(ctx, who), in)
	return proposal, err
}

// PlanDay plans a workshop day.
func (p Pages) PlanDay(ctx context.Context, who web.Viewer, session string, n workshops.NewDay) error {
	return p.writes(ctx, who, writesWorkshops, "plan day", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := workshops.CreateDayTx(ctx, tx, session, n)
		return err
	})
}

// DayDesk shows a workshop day with its sheet.
func (p Pages) DayDesk(ctx context.Context, who web.Viewer, day string) (out web.DayDesk, err error) {
	err = p.h.DB.View(as(ctx, who), "day desk", func(ctx context.Context, tx *postgres.Tx) error {
		if out.Day, err = workshops.DayTx(ctx, tx, day); err != nil {
			return err
		}
		if out.Seats, err = workshops.SheetTx(ctx, tx, day); err != nil {
			return err
		}
		out.Candidates, err = workshops.CandidatesTx(ctx, tx, day)
		return err
	})
	return out, err
}

// WorkOnDay does what a page asks for with a day, in one transaction.
func (p Pages) WorkOnDay(ctx context.Context, who web.Viewer, day string, w web.DayWork) error {
	return p.writes(ctx, who, writesWorkshops, "work on day", func(ctx context.Context, tx *postgres.Tx) error {
		d, err := workshops.DayTx(ctx, tx, day)
		if err != nil {
			return err
		}
		if w.Edit != nil {
			if _, err := workshops.PutDayTx(ctx, tx, day, *w.Edit, w.Version); err != nil {
				return err
			}
		}
		if w.Seat != "" {
			if _, err := workshops.RegisterTx(ctx, tx, day, w.Seat, ""); err != nil {
				return err
			}
		}
		if len(w.Marks) > 0 {
			if _, err := p.h.Workshops.RecordAttendanceTx(ctx, tx, day, w.Marks); err != nil {
				return err
			}
		}
		if len(w.Productions) > 0 {
			if err := p.h.Workshops.RecordProductionsTx(ctx, tx, d.SessionID, w.Productions); err != nil {
				return err
			}
		}
		if w.Hold {
			if _, err := workshops.HoldTx(ctx, tx, day); err != nil {
				return err
			}
		}
		if w.Cancel {
			_, err = workshops.CancelDayTx(ctx, tx, day, 0)
		}
		return err
	})
}

// PutMap replaces the exercise map of a session.
func (p Pages) PutMap(ctx context.Context, who web.Viewer, key string, exercises []catalog.Exercise, version int) error {
	return p.writes(ctx, who, writesCatalogue, "put map", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.PutExercisesTx(ctx, tx, key, exercises, version)
		return err
	})
}

// SessionList lists sessions, and the courses to filter by.
func (p Pages) SessionList(ctx context.Context, who web.Viewer, f catalog.SessionFilter) (out []catalog.SessionSheet, courses []string, err error) {
	err = p.h.DB.View(as(ctx, who), "session list", func(ctx context.Context, tx *postgres.Tx) error {
		out, courses = nil, nil
		all, err := catalog.SessionsWhereTx(ctx, tx, f)
		if err != nil {
			return err
		}
		for _, s := range all {
			out = append(out, s.Sheet(tx.Now()))
		}
		known, err := catalog.CoursesTx(ctx, tx)
		for _, c := range known {
			courses = append(courses, c.Key)
		}
		return err
	})
	return out, courses, err
}

// MakeSession makes a session of a course that there is.
func (p Pages) MakeSession(ctx context.Context, who web.Viewer, n catalog.NewSession) error {
	return p.writes(ctx, who, writesCatalogue, "make session", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := catalog.CourseTx(ctx, tx, n.CourseKey); err != nil {
			return err
		}
		_, err := catalog.CreateSessionTx(ctx, tx, n)
		return err
	})
}
