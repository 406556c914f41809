package web

import (
	"errors"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/intakes"
	"cursus/internal/kernel/fault"
)

func (w *Web) examResultRoutes() []route {
	return []route{
		{method: "GET", path: "/console/exams/results", who: staff, handle: w.examResults},
		{method: "POST", path: "/console/exams/results", who: staff, handle: w.importExamResults, upload: true},
	}
}

// examResultsPage is the page before and after a file was read. Kept is what was read, for the next step.
type examResultsPage struct {
	Sessions                      []string
	Kinds                         []exams.Kind
	Session, Kind, FileName, Kept string
	Result                        *exams.Results
	Refused                       *fault.Fault
}

// Counted is how many rows have an outcome.
func (p examResultsPage) Counted(outcome string) int { return p.Result.Count(outcome) }

func (w *Web) examResults(r *request) (reply, error) {
	return w.examResultsWith(r, examResultsPage{Session: r.query("session"), Kind: string(exams.Proctored)}, 0)
}

func (w *Web) examResultsWith(r *request, p examResultsPage, status int) (out reply, err error) {
	if p.Sessions, err = w.house.ExamSessions(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	p.Kinds = exams.Kinds()
	return reply{page: "exam_results", title: "examresults.title", data: p, status: status}, nil
}

// importExamResults reads a file that was chosen, or kept by the step before, and tries it or takes it in.
func (w *Web) importExamResults(r *request) (reply, error) {
	content, err := given(r)
	if err != nil {
		return reply{}, err
	}
	p := examResultsPage{Session: r.form("session"), Kind: r.form("kind"), FileName: r.form("file_name")}
	if p.FileName == "" {
		p.FileName = "results.csv"
	}
	if len(content) == 0 {
		p.Refused = fault.New(fault.Invalid, "no-file", "Choose a file.")
		return w.examResultsWith(r, p, 422)
	}
	result, err := w.house.ImportExamResults(r.ctx, r.viewer, exams.ResultsIntake{
		Session: p.Session, Kind: exams.Kind(p.Kind), FileName: p.FileName, Content: content, DryRun: r.form("do") != "apply", Via: intakes.ByPage,
	})
	if err != nil {
		if !errors.Is(err, exams.ErrResultsRefused) && !errors.Is(err, exams.ErrResultsTooLarge) && !errors.Is(err, exams.ErrNoExam) {
			return reply{}, err
		}
		p.Refused = fault.From(err)
		return w.examResultsWith(r, p, 422)
	}
	p.Result = &result
	if result.DryRun && !result.Replayed {
		if p.Kept, err = pack(content); err != nil {
			return reply{}, err
		}
	}
	return w.examResultsWith(r, p, 0)
}
