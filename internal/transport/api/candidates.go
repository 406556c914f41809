package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/progress"
	"cursus/internal/kernel/page"
)

// CandidateRooms is what the API asks of the house about the candidates of cohorts.
type CandidateRooms interface {
	CohortCandidates(ctx context.Context, who Principal, cohort string, p page.Request) (progress.Candidates, error)
}

func (h handlers) ListCohortCandidates(ctx context.Context, r server.ListCohortCandidatesRequestObject) (server.ListCohortCandidatesResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := h.rooms.CohortCandidates(ctx, callerOf(ctx), r.Cohort, p)
	if err != nil {
		return nil, err
	}
	return server.ListCohortCandidates200JSONResponse{
		Suppressed: all.Suppressed,
		Counts: each(all.Counts, func(c progress.CandidateCounts) contract.CandidateCounts {
			return contract.CandidateCounts{Session: c.Session, Learners: c.Learners, Cells: each(c.Cells, func(x progress.Cell) contract.CandidateCell {
				return contract.CandidateCell{Standing: contract.ExamStanding(x.Name), Count: x.Count}
			})}
		}),
		Learners: each(all.Learners, func(c progress.Candidate) contract.CohortCandidate {
			return contract.CohortCandidate{Member: c.MemberID, StudentKey: c.StudentKey, Name: c.Name, State: string(c.State), Shared: c.Shared, Exams: each(c.Exams, toCandidacy)}
		}),
		NextCursor: given(page.Cursor(all.Next)),
	}, nil
}

func toCandidacy(c progress.Candidacy) contract.Candidacy {
	out := contract.Candidacy{Session: c.Session, Standing: contract.ExamStanding(c.Standing), Missing: c.Missing, Exam: given(c.Exam)}
	if c.Certificate != nil {
		out.Certificate = &c.Certificate.Code
	}
	return out
}
