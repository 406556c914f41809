package app

import (
	"context"
	"errors"
	"io"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/intakes"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// onGrades refuses who may not write grades.
func (p Pages) onGrades(ctx context.Context, who web.Viewer) error {
	return p.h.DB.View(as(ctx, who), "may write grades", func(ctx context.Context, tx *postgres.Tx) error {
		return mayTx(ctx, tx, who, errNoSurveys, "grades:write")
	})
}

// ImportDesk shows the files of a session, the last one first.
func (p Pages) ImportDesk(ctx context.Context, who web.Viewer, session string, r page.Request) (d web.ImportDesk, err error) {
	if err := p.onGrades(ctx, who); err != nil {
		return d, err
	}
	err = p.h.DB.View(as(ctx, who), "import desk", func(ctx context.Context, tx *postgres.Tx) error {
		d = web.ImportDesk{}
		if d.Sessions, err = sessionKeysTx(ctx, tx); err != nil || session == "" {
			return err
		}
		s, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		d.Session = s.Key
		if d.Weeks, _, err = mapOf(ctx, tx, s.ID); err != nil {
			return err
		}
		if d.Columns, err = gradebook.MappingsTx(ctx, tx, s.ID); err != nil {
			return err
		}
		if d.Unknown, err = gradebook.UndecidedTx(ctx, tx, s.ID); err != nil {
			return err
		}
		for i := range d.Columns.History {
			if d.Columns.History[i].DecidedBy, err = named(ctx, tx, d.Columns.History[i].DecidedBy); err != nil {
				return err
			}
		}
		if d.Waiting, err = intakes.WaitingTx(ctx, tx, s.ID); err != nil {
			return err
		}
		if d.Intakes, d.Next, err = intakes.HistoryTx(ctx, tx, s.ID, r); err != nil {
			return err
		}
		for i := range d.Waiting {
			if d.Waiting[i].AskedBy, err = named(ctx, tx, d.Waiting[i].AskedBy); err != nil {
				return err
			}
		}
		for i := range d.Intakes {
			if d.Intakes[i].By, err = named(ctx, tx, d.Intakes[i].By); err != nil {
				return err
			}
		}
		return nil
	})
	return d, err
}

// mapOf says how many weeks the map of a session has, and how many exercises.
func mapOf(ctx context.Context, tx *postgres.Tx, sessionID string) (weeks, exercises int, err error) {
	all, err := catalog.ExercisesTx(ctx, tx, sessionID)
	for _, e := range all {
		weeks = max(weeks, e.Week)
	}
	return weeks, len(all), err
}

// BeginFiles opens a batch of files.
func (p Pages) BeginFiles(ctx context.Context, who web.Viewer, session string) (string, error) {
	if err := p.onGrades(ctx, who); err != nil {
		return "", err
	}
	exams, err := p.mayExams(ctx, who)
	if err != nil {
		return "", err
	}
	return p.h.Intakes.Begin(as(ctx, who), session, exams)
}

// mayExams says whether results of exams may be among the files.
func (p Pages) mayExams(ctx context.Context, who web.Viewer) (bool, error) {
	err := p.onExams(ctx, who)
	if errors.Is(err, errNoExams) {
		return false, nil
	}
	return err == nil, err
}

// ReceiveFile keeps a file as it is read.
func (p Pages) ReceiveFile(ctx context.Context, who web.Viewer, batch, name string, from io.Reader) error {
	if err := p.onGrades(ctx, who); err != nil {
		return err
	}
	return p.h.Intakes.Receive(as(ctx, who), batch, name, from)
}

// DecideFiles has files tried or applied.
func (p Pages) DecideFiles(ctx context.Context, who web.Viewer, batch string, d intakes.Decision) (err error) {
	if err := p.onGrades(ctx, who); err != nil {
		return err
	}
	if placesNew(d.Mappings) && !who.May(writesCatalogue) {
		return errNoMap
	}
	if d.Exams, err = p.mayExams(ctx, who); err != nil {
		return err
	}
	return p.h.Intakes.Decide(as(ctx, who), batch, d)
}

// LeaveFiles drops files that are not applied.
func (p Pages) LeaveFiles(ctx context.Context, who web.Viewer, batch string) error {
	if err := p.onGrades(ctx, who); err != nil {
		return err
	}
	return p.h.Intakes.Leave(as(ctx, who), batch)
}

// Files are those of a batch.
func (p Pages) Files(ctx context.Context, who web.Viewer, batch string) (b intakes.Batch, weeks, mapped int, err error) {
	if err = p.onGrades(ctx, who); err != nil {
		return b, 0, 0, err
	}
	if b, err = p.h.Intakes.Batch(as(ctx, who), batch); err != nil {
		return b, 0, 0, err
	}
	err = p.h.DB.View(as(ctx, who), "map of a session", func(ctx context.Context, tx *postgres.Tx) (err error) {
		weeks, mapped, err = mapOf(ctx, tx, b.SessionID)
		return err
	})
	return b, weeks, mapped, err
}

// TakenIn is an intake with what became of its rows.
func (p Pages) TakenIn(ctx context.Context, who web.Viewer, session, intake string, r page.Request) (out web.TakenIn, err error) {
	if err := p.onGrades(ctx, who); err != nil {
		return out, err
	}
	err = p.h.DB.View(as(ctx, who), "intake", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		out = web.TakenIn{Session: s.Key}
		if out.Intake, err = intakes.IntakeTx(ctx, tx, s.ID, intake); err != nil {
			return err
		}
		if out.Intake.By, err = named(ctx, tx, out.Intake.By); err != nil {
			return err
		}
		if out.Outcomes, out.Next, err = intakes.OutcomesTx(ctx, tx, s.ID, intake, r); err != nil {
			return err
		}
		var learners []string
		for _, o := range out.Outcomes {
			if o.LearnerID != "" {
				learners = append(learners, o.LearnerID)
			}
		}
		out.Names, err = identity.NamesTx(ctx, tx, learners)
		return err
	})
	return out, err
}

// TakenFile gives an intake as it came.
func (p Pages) TakenFile(ctx context.Context, who web.Viewer, session, intake string) (intakes.Intake, io.Reader, error) {
	may := p.onGrades
	if intakes.OfExams(intake) {
		may = p.onExams
	}
	if err := may(ctx, who); err != nil {
		return intakes.Intake{}, nil, err
	}
	return p.h.Intakes.Open(as(ctx, who), session, intake)
}

// MapColumns decides what columns are.
func (p Pages) MapColumns(ctx context.Context, who web.Viewer, session string, decisions []gradebook.Mapping, version int) error {
	if err := p.onGrades(ctx, who); err != nil {
		return err
	}
	if placesNew(decisions) && !who.May(writesCatalogue) {
		return errNoMap
	}
	_, err := p.h.mapColumns(as(ctx, who), session, decisions, version)
	return err
}
