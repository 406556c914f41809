package progress

import (
	"context"
	"io"
	"slices"
	"strings"

	"cursus/internal/books/journey"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/cohorts/roster"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Standings are how far somebody can be with the exam of a session, each further than the one before.
var Standings = []string{"not_eligible", "eligible", "booked", "sat", "passed", "certified"}

// standing is how far somebody is with the exam: by what holds now.
func (f fact) standing() string {
	s := journey.State(f.Reached)
	switch {
	case f.Code != nil || s.Has(journey.Certified):
		return "certified"
	case s.Has(journey.ExamPassed):
		return "passed"
	case f.Exam == "booked":
		return "booked"
	case s.Has(journey.ExamSat):
		return "sat"
	case s.Has(journey.Eligible):
		return "eligible"
	}
	return "not_eligible"
}

// Candidacy is how far a learner is with the exam of one session. Missing are the codes of what she still has to do; what is between her and the
// institute (money, a block) is not her school's to know and reads as `other`.
type Candidacy struct {
	Session     string       `json:"session"` // key
	Standing    string       `json:"standing"`
	Missing     []string     `json:"missing"`
	Exam        string       `json:"exam,omitempty"` // state of the last sitting that was not canceled
	Certificate *Certificate `json:"certificate,omitempty"`
}

// Candidate is a member of a group and how far she is with its exams. Without her consent nothing is said but where she stands as a member.
type Candidate struct {
	MemberID   string        `json:"member"`
	StudentKey string        `json:"student_key"`
	Name       string        `json:"name"`
	State      cohorts.State `json:"state"`
	Shared     bool          `json:"shared"`
	Exams      []Candidacy   `json:"exams"`
}

// CandidateCounts are how many learners of a group are how far with the exam of a session.
type CandidateCounts struct {
	Session  string `json:"session"`
	Learners *int   `json:"learners"`
	Cells    []Cell `json:"cells"`
}

// Candidates is a page of a group's candidates, with the counts of all of it.
type Candidates struct {
	Group      Group
	Suppressed bool
	Counts     []CandidateCounts
	Learners   []Candidate
	Next       string
}

// own are conditions that a school is not told of by name.
var own = []string{exams.NeedsArrears, exams.NeedsSettled, exams.NeedsUnblocked, exams.NeedsFormula}

// Candidates lists the members of a group with how far each is with its exams. Errors: those of openTx.
func (s *Service) Candidates(ctx context.Context, personID, groupID string, p page.Request) (out Candidates, err error) {
	err = s.db.View(asSystem(ctx), "candidates of a group", func(ctx context.Context, tx *postgres.Tx) error {
		g, staff, err := openTx(ctx, tx, personID, groupID)
		if err != nil {
			return err
		}
		out = Candidates{Group: g, Suppressed: !staff, Counts: []CandidateCounts{}}
		sessions, members, err := allTx(ctx, tx, g)
		if err != nil {
			return err
		}
		facts, err := factsTx(ctx, tx, sessions, members)
		if err != nil {
			return err
		}
		for _, x := range sessions {
			counts, furthest := newTally(len(Standings)), newTally(len(Stages))
			for _, m := range members {
				if f, follows := facts.of(m, x); follows {
					counts.add(slices.Index(Standings, f.standing()), m)
					furthest.add(slices.Index(Stages, f.course(x).Stage), m)
				}
			}
			c := CandidateCounts{Session: x.Key}
			c.Cells, c.Learners = cells(Standings, counts, !staff)
			stages, _ := cells(Stages, furthest, !staff)
			if kept(c.Cells) || kept(stages) {
				keepBack(c.Cells)
			}
			out.Counts = append(out.Counts, c)
		}
		out.Learners, out.Next, err = candidatesTx(ctx, tx, g, p)
		return err
	})
	return out, err
}

// candidatesTx reads a page of members.
func candidatesTx(ctx context.Context, tx *postgres.Tx, g Group, p page.Request) (all []Candidate, next string, err error) {
	members, next, err := followersTx(ctx, tx, g, p)
	all = []Candidate{}
	for _, m := range members {
		c := Candidate{MemberID: m.ID, StudentKey: m.StudentKey, Name: m.Name, State: m.State, Shared: m.Shared, Exams: []Candidacy{}}
		for _, in := range m.in {
			of := in.course(in.session)
			y := Candidacy{Session: in.Key, Standing: in.standing(), Missing: []string{}, Exam: of.Exam, Certificate: of.Certificate}
			if y.Standing == "not_eligible" || y.Standing == "sat" {
				if y.Missing, err = missingTx(ctx, tx, m.PersonID, in.ID); err != nil {
					return nil, "", err
				}
			}
			c.Exams = append(c.Exams, y)
		}
		all = append(all, c)
	}
	return all, next, err
}

// missingTx is what the exam of a session asks of a learner that she does not have.
func missingTx(ctx context.Context, tx *postgres.Tx, personID, sessionID string) ([]string, error) {
	missing := []string{}
	e, found, err := enrolment.FindTx(ctx, tx, personID, sessionID)
	if err != nil || !found {
		return missing, err
	}
	d, _, err := exams.DecideTx(ctx, tx, e, exams.Proctored)
	for _, c := range d.Conditions {
		code := c.Code
		if slices.Contains(own, code) {
			code = "other"
		}
		if !c.Met && !slices.Contains(missing, code) {
			missing = append(missing, code)
		}
	}
	return missing, err
}

// WriteCandidates writes the candidates of a group as CSV, a row per learner and session. No cell begins as a formula does. Errors: those of openTx.
func (s *Service) WriteCandidates(ctx context.Context, personID, groupID string, w io.Writer) error {
	out := newFile(w, "student_key", "name", "state", "shared", "session", "standing", "missing", "exam", "certificate")
	if err := s.db.View(asSystem(ctx), "file of candidates", func(ctx context.Context, tx *postgres.Tx) error {
		g, _, err := openTx(ctx, tx, personID, groupID)
		if err != nil {
			return err
		}
		for p := (page.Request{Limit: stride}); ; {
			all, next, err := candidatesTx(ctx, tx, g, p)
			if err != nil {
				return err
			}
			for _, c := range all {
				shared := "false"
				if c.Shared {
					shared = "true"
				}
				first := []string{roster.Cell(c.StudentKey), roster.Cell(c.Name), string(c.State), shared}
				for _, e := range c.Exams {
					code := ""
					if e.Certificate != nil {
						code = e.Certificate.Code
					}
					_ = out.Write(append(first, e.Session, e.Standing, strings.Join(e.Missing, " "), e.Exam, code))
				}
				if len(c.Exams) == 0 {
					_ = out.Write(append(first, "", "", "", "", ""))
				}
			}
			if p.After = next; next == "" {
				return nil
			}
		}
	}); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}
