package app

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/surveys"
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
func (p Pages) ImportDesk(ctx context.Context, who web.Viewer, session string) (d web.ImportDesk, err error) {
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
		exercises, err := catalog.ExercisesTx(ctx, tx, s.ID)
		if err != nil {
			return err
		}
		d.Mapped = len(exercises)
		for _, e := range exercises {
			d.Weeks = max(d.Weeks, e.Week)
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
		if d.Intakes, err = gradebook.IntakesTx(ctx, tx, s.ID, deskImports); err != nil {
			return err
		}
		for i := range d.Intakes {
			if d.Intakes[i].Origin, err = named(ctx, tx, d.Intakes[i].Origin); err != nil {
				return err
			}
		}
		d.Others, err = surveys.ImportsTx(ctx, tx, s.ID, "", deskImports)
		return err
	})
	return d, err
}

// KindOfFile finds what a file is from its header. What nobody knows is taken for grades, whose reader says what is wrong with it.
func KindOfFile(content []byte) string {
	if exams.IsResults(content) {
		return web.FileOfResults
	}
	if _, err := surveys.ParseForum(content); err == nil {
		return web.FileOfForum
	}
	if _, err := gradebook.Parse(content); err == nil {
		return web.FileOfGrades
	}
	if _, err := surveys.Parse(content); err == nil {
		return web.FileOfClosing
	}
	return web.FileOfGrades
}

// TakeFile tries a file or takes it in for who is in ctx; whether she may has been asked. What is said of the columns of a file that came before holds
// all the same. Errors: those of the room of its kind.
func (h *House) TakeFile(ctx context.Context, f web.FileToTake) (out web.FileTaken, err error) {
	if out.Kind = f.Kind; out.Kind == "" {
		out.Kind = KindOfFile(f.Content)
	}
	answers := surveys.Intake{Session: f.Session, FileName: f.Name, CollectedAt: f.CollectedAt, Content: f.Content, DryRun: f.DryRun, Map: f.Answers}
	switch out.Kind {
	case web.FileOfResults:
		var done exams.Results
		done, err = h.Exams.ImportResults(ctx, exams.ResultsIntake{Session: f.Session, Kind: f.Exam, FileName: f.Name, Content: f.Content, DryRun: f.DryRun})
		out.Results = &done
	case web.FileOfForum:
		var done surveys.Import
		done, err = h.Surveys.ImportForum(ctx, answers)
		out.Answers = &done
	case web.FileOfOpening, web.FileOfClosing:
		var done surveys.Import
		done, err = h.Surveys.ImportAnswers(ctx, surveys.Moment(out.Kind), answers)
		out.Answers = &done
	default:
		var done gradebook.Collection
		done, err = h.Gradebook.Import(ctx, gradebook.Intake{SessionID: f.Session, FileName: f.Name, CollectedAt: f.CollectedAt, Content: f.Content, DryRun: f.DryRun, Mappings: f.Mappings, Progress: f.Progress})
		if err == nil && done.Replayed && !f.DryRun {
			_, err = h.mapColumns(ctx, f.Session, f.Mappings, 0)
		}
		out.Grades = &done
	}
	return out, err
}

// TakeFile is the same for staff at a page.
func (p Pages) TakeFile(ctx context.Context, who web.Viewer, f web.FileToTake) (web.FileTaken, error) {
	if f.Kind == "" {
		f.Kind = KindOfFile(f.Content)
	}
	may := p.onGrades
	if f.Kind == web.FileOfResults {
		may = p.onExams
	}
	if err := may(ctx, who); err != nil {
		return web.FileTaken{}, err
	}
	if placesNew(f.Mappings) && !who.May(writesCatalogue) {
		return web.FileTaken{}, errNoMap
	}
	if f.Key != "" {
		key := who.PersonID + " " + f.Key
		f.Progress = func(done, of int) { p.h.taking.Store(key, 100*done/of) }
		defer p.h.taking.Delete(key)
	}
	return p.h.TakeFile(as(ctx, who), f)
}

// TakingFile is how far a file of the viewer is. It is known where the file is being read: another server says that it knows of none.
func (p Pages) TakingFile(_ context.Context, who web.Viewer, key string) (percent int, ok bool) {
	v, ok := p.h.taking.Load(who.PersonID + " " + key)
	percent, _ = v.(int)
	return percent, ok
}

// TakenFile gives an intake as it came.
func (p Pages) TakenFile(ctx context.Context, who web.Viewer, session, intake string) (web.File, error) {
	if err := p.onGrades(ctx, who); err != nil {
		return web.File{}, err
	}
	name, content, err := p.h.Gradebook.File(as(ctx, who), session, intake)
	return web.File{Name: name, ContentType: "application/octet-stream", Content: content}, err
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
