package intakes

import (
	"context"
	"errors"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/postgres"
)

// File is a file with what it is. An empty kind is found from what stands in it.
type File struct {
	Session, Kind, Name, Via string
	CollectedAt              time.Time
	Source                   sheet.Source
	DryRun                   bool
	Mappings                 []gradebook.Mapping // of grades
	Answers                  []surveys.Mapped    // of a survey
	Exam                     exams.Kind          // of results; empty: the proctored one
	Progress                 func(done, of int)  // is told of each step of grades; nil: nobody
	Guessed                  bool                // nobody said of which kind it is: that was found out
}

// Taken is what a file did: one of the three is there.
type Taken struct {
	Kind    string                `json:"kind"`
	Grades  *gradebook.Collection `json:"grades,omitempty"`
	Answers *surveys.Import       `json:"answers,omitempty"`
	Results *exams.Results        `json:"results,omitempty"`
}

// ID is that of the intake.
func (t Taken) ID() string {
	switch {
	case t.Grades != nil:
		return t.Grades.ID
	case t.Answers != nil:
		return t.Answers.ID
	case t.Results != nil:
		return t.Results.ID
	}
	return ""
}

// Replayed says that the same bytes were taken in before.
func (t Taken) Replayed() bool {
	return t.Grades != nil && t.Grades.Replayed || t.Answers != nil && t.Answers.Replayed || t.Results != nil && t.Results.Replayed
}

// CollectedAt is when the file was made.
func (t Taken) CollectedAt() time.Time {
	switch {
	case t.Grades != nil:
		return t.Grades.CollectedAt
	case t.Answers != nil:
		return t.Answers.CollectedAt
	case t.Results != nil:
		return t.Results.CollectedAt
	}
	return time.Time{}
}

var errDryRun = errors.New("dry run")

// Take tries a file or takes it in for who is in ctx; whether she may has been asked. What is said of the columns of a file that came before holds
// all the same. Errors: those of the room of its kind.
func (s *Service) Take(ctx context.Context, f File) (out Taken, err error) {
	if f.Kind == "" {
		f.Guessed = true
		if f.Kind, err = KindOf(f.Source); err != nil {
			return out, err
		}
	}
	err = s.db.InTx(postgres.WithOwnPlans(asSystem(ctx)), "take file", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if out, err = s.takeTx(ctx, tx, f); err == nil && f.DryRun {
			return errDryRun
		}
		return err
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return out, err
}

// takeTx does it in a transaction of the house; whoever asks for a dry run takes it back. The kind is known.
func (s *Service) takeTx(ctx context.Context, tx *postgres.Tx, f File) (out Taken, err error) {
	out.Kind = f.Kind
	answers := surveys.Intake{Session: f.Session, FileName: f.Name, CollectedAt: f.CollectedAt, Source: f.Source, DryRun: f.DryRun, Map: f.Answers, Via: f.Via}
	switch f.Kind {
	case OfResults:
		content, err := exams.ReadAll(f.Source)
		if err != nil {
			return out, err
		}
		done, err := s.exams.ImportResultsTx(ctx, tx, exams.ResultsIntake{Session: f.Session, Kind: f.Exam, FileName: f.Name, CollectedAt: f.CollectedAt, Content: content, DryRun: f.DryRun, Via: f.Via})
		out.Results = &done
		return out, err
	case OfForum:
		done, err := surveys.ImportForumTx(ctx, tx, answers)
		out.Answers = &done
		return out, err
	case OfOpening, OfClosing:
		done, err := surveys.ImportAnswersTx(ctx, tx, surveys.Moment(f.Kind), answers)
		if f.Guessed && errors.Is(err, surveys.ErrNone) { // any table with an address could be answers, but nothing was asked
			err = gradebook.ErrNotAReport.Because(err)
		}
		out.Answers = &done
		return out, err
	}
	done, err := s.gradebook.ImportTx(ctx, tx, gradebook.Intake{SessionID: f.Session, FileName: f.Name, CollectedAt: f.CollectedAt, Source: f.Source, DryRun: f.DryRun, Mappings: f.Mappings, Progress: f.Progress, Via: f.Via})
	if err == nil && done.Replayed && len(f.Mappings) > 0 {
		_, err = gradebook.MapColumnsTx(ctx, tx, f.Session, f.Mappings, 0)
	}
	out.Grades = &done
	return out, err
}
